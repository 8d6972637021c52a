/** The bytes of Pomelo's protocol once more and as short as they can be, written for the tests from its description. */

export const packageType = { handshake: 1, ack: 2, heartbeat: 3, data: 4, kick: 5 };
export const messageType = { request: 0, notify: 1, response: 2, push: 3 };

export function encodePackage(type, body = Buffer.alloc(0)) {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(body.length);
    head[0] = type;
    return Buffer.concat([head, body]);
}

/** Cuts a stream into packages. */
export class PackageReader {
    #left = Buffer.alloc(0);

    /** @returns {{type: number, body: Buffer, bytes: Buffer}[]} those that are whole with these bytes */
    read(bytes) {
        this.#left = Buffer.concat([this.#left, bytes]);
        const packages = [];
        while (this.#left.length >= 4) {
            const end = 4 + this.#left.readUIntBE(1, 3);
            if (this.#left.length < end) {
                break;
            }
            packages.push({ type: this.#left[0], body: this.#left.subarray(4, end), bytes: this.#left.subarray(0, end) });
            this.#left = this.#left.subarray(end);
        }
        return packages;
    }

    /** Bytes of a package that is not whole yet. */
    get waiting() {
        return this.#left.length;
    }
}

/** @param {number|string} route a code or a text @param {number} id 0 = a notify */
export function encodeMessage(id, route, body) {
    const isCode = typeof route === "number";
    const flag = ((id > 0 ? messageType.request : messageType.notify) << 1) | (isCode ? 1 : 0);
    const name = isCode ? [route >> 8, route & 0xff] : [Buffer.byteLength(route), ...Buffer.from(route)];
    return Buffer.concat([Buffer.from([flag, ...(id > 0 ? varint(id) : []), ...name]), body]);
}

/** @returns {{flag: number, type: number, id: number, route: string|number|null, body: Buffer}} */
export function decodeMessage(bytes) {
    const flag = bytes[0];
    const type = flag >> 1;
    let at = 1;
    let id = 0;
    let route = null;
    if (type === messageType.response) {
        ({ value: id, at } = readVarint(bytes, at));
    } else if ((flag & 1) === 1) {
        route = bytes.readUInt16BE(at);
        at += 2;
    } else {
        route = bytes.toString("utf8", at + 1, at + 1 + bytes[at]);
        at += 1 + bytes[at];
    }
    return { flag, type, id, route, body: bytes.subarray(at) };
}

/** A body in the protobuf dialect; fields of the types `string` and `uInt32`, none repeated. */
export function encodeBody(protos, body) {
    const bytes = [];
    for (const [name, value] of Object.entries(body)) {
        const { type, tag } = protos[name] ?? fail(`no field ${name} in ${Object.keys(protos)}`);
        if (type === "string") {
            bytes.push(...varint((tag << 3) | 2), ...varint(Buffer.byteLength(value)), ...Buffer.from(value));
        } else if (type === "uInt32") {
            bytes.push(...varint(tag << 3), ...varint(value));
        } else {
            fail(`field ${name} of type ${type}`);
        }
    }
    return Buffer.from(bytes);
}

/** Checks more than Pomelo's clients do: the wire type, the lengths, the required fields. */
export function decodeBody(protos, bytes) {
    const body = {};
    for (let at = 0; at < bytes.length;) {
        let value;
        ({ value, at } = readVarint(bytes, at));
        const name = protos.__tags[value >> 3] ?? fail(`no field has the tag ${value >> 3}`);
        const { type } = protos[name];
        if ((value & 7) !== (type === "string" ? 2 : 0)) {
            fail(`field ${name}: wire type ${value & 7} for ${type}`);
        }
        ({ value, at } = readVarint(bytes, at));
        if (type === "string") {
            const text = bytes.subarray(at, at + value);
            at += value;
            // Throws on bytes that are not UTF-8.
            value = new TextDecoder("utf-8", { fatal: true }).decode(text);
        }
        body[name] = value;
        if (at > bytes.length) {
            fail(`field ${name} is longer than the body`);
        }
    }
    for (const [name, { option }] of Object.entries(protos)) {
        if (option === "required" && !(name in body)) {
            fail(`field ${name} is missing`);
        }
    }
    return body;
}

function varint(value) {
    const bytes = [];
    do {
        bytes.push((value % 128) | (value >= 128 ? 0x80 : 0));
        value = Math.floor(value / 128);
    } while (value > 0);
    return bytes;
}

function readVarint(bytes, at) {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
        const byte = bytes[at++] ?? fail("a number has no end");
        value += (byte & 0x7f) * scale;
        if (byte < 0x80) {
            return { value, at };
        }
    }
}

function fail(what) {
    throw new Error(what);
}
