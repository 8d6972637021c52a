/**
 * Bodies in Pomelo's dialect of protobuf. Pure functions on Uint8Array, no I/O; the same in browsers and in Node.
 *
 * The dialect: a field is its tag as varint (tag * 8 + wire bits) and its value. Integers are varints (wire bits 0;
 * int32 and sInt32 both zig-zag), float 4 and double 8 bytes little endian (5 and 1), strings and messages a byte
 * length and their bytes (2). Repeated numbers have one tag, the count of elements, the values; repeated strings and
 * messages a tag each. Fields go in the order of the object's keys. Who reads goes by the tag and ignores the wire
 * bits: Pomelo's browser client sets them wrongly. A text is real UTF-8.
 * Source: Pomelo's pomelo-protobuf.
 * @module protobuf
 */
import { WireError, toBytes } from "./wire.js";

/** How deep messages may be nested. */
export const maxMessageDepth = 64;

/** The largest integer: beyond it a JavaScript number is not exact. A signed one has half of it. */
const largestInteger = 2 ** 53;
const largestTag = 2 ** 29 - 1;
const longestVarint = 10;
const sharedPrefix = "message ";

/** Not wire.js's decoder: a text may begin with U+FEFF, which is not a mark here. */
const textDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * @typedef {object} ProtoCodec bodies of the routes of one direction
 * @property {(route: string) => boolean} has whether the route's bodies are in the dialect
 * @property {(route: string, body?: any) => Uint8Array} encode an object's fields; keys without a field are left out, null
 *   and undefined are absent, numbers are truncated where an integer stands, numeric texts are taken. `{}` is no bytes.
 *   Throws {@link WireError}, naming the field: not an object, a required field missing, a value that does not fit
 * @property {(route: string, bytes: Uint8Array) => any} decode no bytes are `{}`; missing fields stay missing, of a
 *   scalar twice the last counts, a repeated one is appended to. Throws {@link WireError}: a tag without a field, anything
 *   cut off or overrun, an integer above 2^53, deeper than {@link maxMessageDepth}
 */

/**
 * Makes a codec of what the handshake says of one direction, `sys.protos.client` or `sys.protos.server`.
 * @param {object} protos `{"<route>": {"<field>": {option, type, tag}, .., "__messages": {..}}, "message <Shared>": {..}}`;
 *   a type is uInt32, sInt32, int32, float, double, string or a message's name, looked up in the enclosing message, then
 *   at the top. A field of another type is no hindrance until it is used
 * @returns {ProtoCodec} its functions throw for a route that it has not
 * @throws {WireError} not of that form
 */
export function protoCodec(protos) {
    const routes = parse(protos);
    const messageOf = (route) => {
        const message = routes.get(route);
        if (message === undefined) {
            throw new WireError(`${route}: no proto`);
        }
        return message;
    };
    return Object.freeze({
        has: (route) => routes.has(route),
        encode: (route, body = {}) => {
            const writer = new Writer();
            writeMessage(writer, messageOf(route), body, route, 1);
            return writer.bytes();
        },
        decode: (route, bytes) => readMessage(new Reader(bytes, route), messageOf(route), 1),
    });
}

/**
 * How values of the simple types are written and read, and the least bytes that one takes.
 * @type {Map<string, {wire: number, leastBytes: number, write: Function, read: Function}>}
 */
const simpleTypes = new Map(Object.entries({
    uInt32: { wire: 0, leastBytes: 1, write: writeUnsigned, read: (reader) => reader.varint() },
    sInt32: { wire: 0, leastBytes: 1, write: writeSigned, read: readSigned },
    int32: { wire: 0, leastBytes: 1, write: writeSigned, read: readSigned },
    float: {
        wire: 5, leastBytes: 4, write: (writer, value, where) => writer.float(numberOf(value, where)), read: (reader) => reader.float(),
    },
    double: {
        wire: 1, leastBytes: 8, write: (writer, value, where) => writer.double(numberOf(value, where)), read: (reader) => reader.double(),
    },
    string: {
        wire: 2, leastBytes: 1, write: writeText, read: (reader) => textDecoder.decode(reader.block()),
    },
}));
const wireOfMessage = 2;

/*
 * Messages are compiled once, without recursion: a message may hold itself, and a hostile set may be deep.
 * A compiled message: {fields: name -> field, tags: tag -> field, required: names}; a field: {name, tag, isRepeated,
 * type (the word), simple (of simpleTypes) or message (compiled)}.
 */
function parse(protos) {
    const top = objectOf(protos, "protos");
    const compiled = new Map();
    const open = [];
    const compile = (source, where) => {
        if (!compiled.has(source)) {
            compiled.set(source, { fields: new Map(), tags: new Map(), required: [] });
            open.push([objectOf(source, where), where]);
        }
        return compiled.get(source);
    };
    const routes = new Map();
    for (const [route, source] of Object.entries(top)) {
        if (!route.startsWith(sharedPrefix)) {
            routes.set(route, compile(source, route));
        }
    }
    while (open.length > 0) {
        const [source, where] = open.pop();
        const messageOf = (type) => own(source.__messages, type) ?? own(top, sharedPrefix + type);
        fill(compiled.get(source), source, where, (type) => {
            const inner = messageOf(type);
            return inner === undefined ? null : compile(inner, `${where} ${type}`);
        });
    }
    return routes;
}

function fill(message, source, where, compileType) {
    for (const [name, given] of Object.entries(source)) {
        if (name === "__messages" || name === "__tags") {
            continue;
        }
        const { option, type, tag } = objectOf(given, `${where}.${name}`);
        if (!["required", "optional", "repeated"].includes(option) || typeof type !== "string"
            || !Number.isInteger(tag) || tag < 0 || tag > largestTag) {
            throw new WireError(`protos: ${where}.${name}: expected {option, type, tag}`);
        }
        const simple = simpleTypes.get(type) ?? null;
        const field = { name, tag, type, isRepeated: option === "repeated", simple,
            message: simple === null ? compileType(type) : null };
        message.fields.set(name, field);
        if (!message.tags.has(tag)) {
            message.tags.set(tag, field);
        }
        if (option === "required") {
            message.required.push(name);
        }
    }
}

function writeMessage(writer, message, body, where, depth) {
    if (typeof body !== "object" || body === null || Array.isArray(body)) {
        throw new WireError(`${where}: expected an object`);
    }
    checkDepth(depth, where);
    for (const name of message.required) {
        if (isAbsent(own(body, name))) {
            throw new WireError(`${where}.${name}: required, but missing`);
        }
    }
    for (const [name, value] of Object.entries(body)) {
        const field = message.fields.get(name);
        if (field !== undefined && !isAbsent(value)) {
            writeField(writer, field, value, `${where}.${name}`, depth);
        }
    }
}

function writeField(writer, field, value, where, depth) {
    if (!field.isRepeated) {
        writeTag(writer, field);
        writeValue(writer, field, value, where, depth);
        return;
    }
    if (!Array.isArray(value)) {
        throw new WireError(`${where}: expected an array`);
    }
    if (value.length === 0) {
        return;
    }
    if (isNumeric(field)) {
        writeTag(writer, field);
        writer.varint(value.length);
    }
    value.forEach((element, index) => {
        if (!isNumeric(field)) {
            writeTag(writer, field);
        }
        writeValue(writer, field, element, `${where}[${index}]`, depth);
    });
}

function writeTag(writer, field) {
    writer.varint(field.tag * 8 + (field.simple?.wire ?? wireOfMessage));
}

function writeValue(writer, field, value, where, depth) {
    if (field.simple !== null) {
        field.simple.write(writer, value, where);
        return;
    }
    const inner = new Writer();
    writeMessage(inner, messageOfField(field, where), value, where, depth + 1);
    writer.block(inner.bytes());
}

function writeUnsigned(writer, value, where) {
    const whole = wholeOf(value, where);
    if (whole < 0 || whole > largestInteger) {
        throw new WireError(`${where}: found ${value}, expected 0 to 2^53`);
    }
    writer.varint(whole);
}

function writeSigned(writer, value, where) {
    const whole = wholeOf(value, where);
    const folded = whole < 0 ? -whole * 2 - 1 : whole * 2;
    if (folded > largestInteger) {
        throw new WireError(`${where}: found ${value}, expected -2^52 to 2^52`);
    }
    writer.varint(folded);
}

function readSigned(reader) {
    const folded = reader.varint();
    return folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
}

function writeText(writer, value, where) {
    if (!["string", "number", "boolean"].includes(typeof value)) {
        throw new WireError(`${where}: expected a string`);
    }
    writer.block(toBytes(String(value)));
}

/** A whole number of a number or of a text that begins with one. */
function wholeOf(value, where) {
    const whole = typeof value === "string" ? Number.parseInt(value, 10) : Math.trunc(numberOf(value, where));
    if (!Number.isFinite(whole)) {
        throw new WireError(`${where}: found ${value}, expected an integer`);
    }
    return whole;
}

function numberOf(value, where) {
    const number = typeof value === "string" ? Number.parseFloat(value) : value;
    if (typeof number !== "number" || (typeof value === "string" && Number.isNaN(number))) {
        throw new WireError(`${where}: expected a number`);
    }
    return number;
}

function readMessage(reader, message, depth) {
    checkDepth(depth, reader.where);
    const values = new Map();
    while (!reader.isAtEnd) {
        const tag = Math.floor(reader.varint() / 8);
        const field = message.tags.get(tag);
        if (field === undefined) {
            throw new WireError(`${reader.where}: no field has the tag ${tag}`);
        }
        if (!field.isRepeated) {
            values.set(field.name, readValue(reader, field, depth));
            continue;
        }
        const elements = values.get(field.name) ?? [];
        values.set(field.name, elements);
        for (let left = isNumeric(field) ? reader.count(field.simple.leastBytes) : 1; left > 0; --left) {
            elements.push(readValue(reader, field, depth));
        }
    }
    // Not by assignment: a field may be called `__proto__`.
    return Object.fromEntries(values);
}

function readValue(reader, field, depth) {
    if (field.simple !== null) {
        return field.simple.read(reader);
    }
    const where = `${reader.where}.${field.name}`;
    return readMessage(new Reader(reader.block(), where), messageOfField(field, where), depth + 1);
}

function messageOfField(field, where) {
    if (field.message === null) {
        throw new WireError(`${where}: the type ${field.type} is not known`);
    }
    return field.message;
}

function isNumeric(field) {
    return field.simple !== null && field.type !== "string";
}

function checkDepth(depth, where) {
    if (depth > maxMessageDepth) {
        throw new WireError(`${where}: deeper than ${maxMessageDepth} messages`);
    }
}

function isAbsent(value) {
    return value === undefined || value === null;
}

function own(object, key) {
    return Object.prototype.hasOwnProperty.call(object ?? {}, key) ? object[key] : undefined;
}

function objectOf(value, where) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
        throw new WireError(`protos: ${where}: expected an object`);
    }
    return value;
}

/** Bytes that grow. */
class Writer {
    #bytes = new Uint8Array(64);
    #length = 0;

    bytes() {
        return this.#bytes.slice(0, this.#length);
    }

    /** Seven bits a byte, lowest first; the high bit says that more follow. Not by shifts: those have 32 bits. */
    varint(value) {
        const start = this.#room(longestVarint);
        let rest = value;
        let at = start;
        for (; rest >= 128; rest = Math.floor(rest / 128)) {
            this.#bytes[at++] = (rest % 128) + 128;
        }
        this.#bytes[at++] = rest;
        this.#length = at;
    }

    float(value) {
        const at = this.#room(4);
        this.#view().setFloat32(at, value, true);
        this.#length = at + 4;
    }

    double(value) {
        const at = this.#room(8);
        this.#view().setFloat64(at, value, true);
        this.#length = at + 8;
    }

    /** With its length before it. */
    block(bytes) {
        this.varint(bytes.length);
        const at = this.#room(bytes.length);
        this.#bytes.set(bytes, at);
        this.#length = at + bytes.length;
    }

    #room(count) {
        if (this.#length + count > this.#bytes.length) {
            const larger = new Uint8Array(2 * (this.#length + count));
            larger.set(this.#bytes);
            this.#bytes = larger;
        }
        return this.#length;
    }

    #view() {
        return new DataView(this.#bytes.buffer);
    }
}

/** Takes values off the front of bytes and never goes beyond their end. `where` names them in errors. */
class Reader {
    #bytes;
    #at = 0;

    constructor(bytes, where) {
        this.#bytes = bytes;
        this.where = where;
    }

    get isAtEnd() {
        return this.#at === this.#bytes.length;
    }

    varint() {
        let value = 0;
        for (let index = 0; index < longestVarint; ++index) {
            const byte = this.#bytes[this.#take(1)];
            value += (byte & 0x7f) * 2 ** (7 * index);
            if (byte < 0x80) {
                break;
            }
            if (index === longestVarint - 1) {
                value = Infinity;
            }
        }
        if (value > largestInteger) {
            throw new WireError(`${this.where}: an integer above 2^53`);
        }
        return value;
    }

    float() {
        const at = this.#take(4);
        return this.#view().getFloat32(at, true);
    }

    double() {
        const at = this.#take(8);
        return this.#view().getFloat64(at, true);
    }

    /** Bytes with their length before them; a view. */
    block() {
        const length = this.varint();
        const at = this.#take(length);
        return this.#bytes.subarray(at, at + length);
    }

    /** How many elements of at least that many bytes follow. */
    count(leastBytes) {
        const count = this.varint();
        if (count * leastBytes > this.#bytes.length - this.#at) {
            throw new WireError(`${this.where}: ${count} elements do not fit into what is left`);
        }
        return count;
    }

    #take(count) {
        const at = this.#at;
        if (count > this.#bytes.length - at) {
            throw new WireError(`${this.where}: ends inside a value`);
        }
        this.#at += count;
        return at;
    }

    #view() {
        return new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    }
}
