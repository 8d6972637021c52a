/**
 * The bytes between a client and a frontend server: packages, and the messages inside data packages.
 * Pure functions on Uint8Array, no I/O; the same in browsers and in Node.
 * Source: docs/wire.md (Pomelo's pomelo-protocol).
 * @module wire
 */

/** The outer layer's kinds. */
export const packageType = Object.freeze({ handshake: 1, ack: 2, heartbeat: 3, data: 4, kick: 5 });

/** The kinds of message in a data package. */
export const messageType = Object.freeze({ request: 0, notify: 1, response: 2, push: 3 });

/** Longest body of a package: its length field has 24 bits. */
export const maxPackageBody = 0xffffff;

/** Longest route sent as text, in bytes: its length field has 8 bits. */
export const maxRouteBytes = 255;

const headerBytes = 4;
const maxIdBytes = 5;
const noBytes = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Bytes that break the rules of the wire, or a value that cannot be put into them. */
export class WireError extends Error {
    /** @param {string} message what was found and what was expected */
    constructor(message) {
        super(message);
        this.name = "WireError";
    }
}

/** @param {string} text @returns {Uint8Array} its UTF-8 bytes; a lone surrogate becomes U+FFFD */
export function toBytes(text) {
    return encoder.encode(text);
}

/** @param {Uint8Array} bytes UTF-8; a wrong byte becomes U+FFFD @returns {string} */
export function toText(bytes) {
    return decoder.decode(bytes);
}

/**
 * One package: type, 24 bit big endian length, body.
 * @param {number} type one of {@link packageType}
 * @param {Uint8Array} [body] at most {@link maxPackageBody} bytes
 * @returns {Uint8Array}
 * @throws {WireError} unknown type, or body too long
 */
export function encodePackage(type, body = noBytes) {
    if (!isPackageType(type)) {
        throw new WireError(`package type ${type}: expected 1 to 5`);
    }
    if (body.length > maxPackageBody) {
        throw new WireError(`package body of ${body.length} bytes: at most ${maxPackageBody} fit`);
    }
    const bytes = new Uint8Array(headerBytes + body.length);
    bytes[0] = type;
    bytes[1] = body.length >>> 16;
    bytes[2] = (body.length >>> 8) & 0xff;
    bytes[3] = body.length & 0xff;
    bytes.set(body, headerBytes);
    return bytes;
}

/**
 * Cuts whole packages off the front.
 * @param {Uint8Array} bytes for example one WebSocket frame, which may hold several packages
 * @returns {{packages: {type: number, body: Uint8Array}[], then: "end"|"need_more"|"bad_type"}}
 *   the packages (their bodies are views into `bytes`), and what stopped the cutting: nothing left, an incomplete
 *   package, or a type outside 1 to 5
 */
export function splitPackages(bytes) {
    const packages = [];
    let offset = 0;
    do {
        if (bytes.length > offset && !isPackageType(bytes[offset])) {
            return { packages, then: "bad_type" };
        }
        if (bytes.length - offset < headerBytes) {
            return { packages, then: "need_more" };
        }
        const length = (bytes[offset + 1] << 16) | (bytes[offset + 2] << 8) | bytes[offset + 3];
        const start = offset + headerBytes;
        if (bytes.length - start < length) {
            return { packages, then: "need_more" };
        }
        packages.push({ type: bytes[offset], body: bytes.subarray(start, start + length) });
        offset = start + length;
    } while (offset < bytes.length);
    return { packages, then: "end" };
}

/**
 * One message: flag, id of a request or response, route of all but a response, body.
 * @param {object} message
 * @param {number} message.type one of {@link messageType}
 * @param {number} [message.id] 0 to 2^32-1; of a request or response. A request with id 0 gets no response
 * @param {string|number} [message.route] text of at most {@link maxRouteBytes} bytes, or a code from the dictionary
 *   (1 to 65535); not of a response
 * @param {Uint8Array} [message.body]
 * @returns {Uint8Array}
 * @throws {WireError} a value that does not fit
 */
export function encodeMessage({ type, id = 0, route = "", body = noBytes }) {
    if (!Number.isInteger(type) || type < messageType.request || type > messageType.push) {
        throw new WireError(`message type ${type}: expected 0 to 3`);
    }
    const withCode = typeof route === "number" && hasRoute(type);
    const idBytes = hasId(type) ? encodeId(id) : noBytes;
    const routeBytes = hasRoute(type) ? encodeRoute(route) : noBytes;

    const bytes = new Uint8Array(1 + idBytes.length + routeBytes.length + body.length);
    bytes[0] = (type << 1) | (withCode ? 1 : 0);
    bytes.set(idBytes, 1);
    bytes.set(routeBytes, 1 + idBytes.length);
    bytes.set(body, 1 + idBytes.length + routeBytes.length);
    return bytes;
}

/**
 * @param {Uint8Array} bytes the body of a data package
 * @returns {{type: number, id: number, route: (string|number|null), body: Uint8Array}} `id` is 0 where the type has
 *   none; `route` is text, a code, or null for a response; `body` is a view into `bytes`
 * @throws {WireError} unknown type, an id without an end or above 2^32-1, a route cut short
 */
export function decodeMessage(bytes) {
    if (bytes.length === 0) {
        throw new WireError("message of 0 bytes: expected at least a flag");
    }
    const flag = bytes[0];
    const type = (flag >> 1) & 7;
    if (type > messageType.push) {
        throw new WireError(`message type ${type}: expected 0 to 3`);
    }
    let offset = 1;
    let id = 0;
    let route = null;
    if (hasId(type)) {
        ({ id, offset } = decodeId(bytes, offset));
    }
    if (hasRoute(type)) {
        ({ route, offset } = decodeRoute(bytes, offset, (flag & 1) === 1));
    }
    return { type, id, route, body: bytes.subarray(offset) };
}

function isPackageType(type) {
    return Number.isInteger(type) && type >= packageType.handshake && type <= packageType.kick;
}

function hasId(type) {
    return type === messageType.request || type === messageType.response;
}

function hasRoute(type) {
    return type !== messageType.response;
}

/** Seven bits a byte, lowest first; the high bit says that more follow. */
function encodeId(id) {
    if (!Number.isInteger(id) || id < 0 || id > 0xffffffff) {
        throw new WireError(`message id ${id}: expected 0 to 4294967295`);
    }
    const bytes = [];
    let rest = id;
    do {
        const low = rest % 128;
        rest = Math.floor(rest / 128);
        bytes.push(rest > 0 ? low | 0x80 : low);
    } while (rest > 0);
    return Uint8Array.from(bytes);
}

function decodeId(bytes, start) {
    let id = 0;
    for (let index = 0; index < maxIdBytes; ++index) {
        const byte = bytes[start + index];
        if (byte === undefined) {
            throw new WireError("message ends inside its id");
        }
        // Not <<: that would make ids from 2^31 on negative.
        id += (byte & 0x7f) * 2 ** (7 * index);
        if (byte < 0x80) {
            if (id > 0xffffffff) {
                break;
            }
            return { id, offset: start + index + 1 };
        }
    }
    throw new WireError("message id above 4294967295");
}

function encodeRoute(route) {
    if (typeof route === "number") {
        if (!Number.isInteger(route) || route < 1 || route > 0xffff) {
            throw new WireError(`route code ${route}: expected 1 to 65535`);
        }
        return Uint8Array.of(route >> 8, route & 0xff);
    }
    const text = toBytes(String(route));
    if (text.length > maxRouteBytes) {
        throw new WireError(`route of ${text.length} bytes: at most ${maxRouteBytes} fit`);
    }
    const bytes = new Uint8Array(1 + text.length);
    bytes[0] = text.length;
    bytes.set(text, 1);
    return bytes;
}

function decodeRoute(bytes, start, isCode) {
    const length = isCode ? 2 : 1 + (bytes[start] ?? 0);
    const end = start + length;
    if (bytes.length < end) {
        throw new WireError("message ends inside its route");
    }
    const route = isCode ? (bytes[start] << 8) | bytes[start + 1] : toText(bytes.subarray(start + 1, end));
    return { route, offset: end };
}
