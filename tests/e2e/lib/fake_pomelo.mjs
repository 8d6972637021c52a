/**
 * A small frontend server of its own making: what the client library is tested against. It has its own few lines of
 * the wire on purpose, so that a mistake in the library's cannot hide here; protobuf bodies are Pomelo's own package's.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import pomelo from "pomelo-protobuf";
import { WebSocketServer } from "ws";

/** @param {number} type @param {Buffer|string|object} [body] an object becomes JSON @returns {Buffer} one package */
export function packet(type, body = "") {
    const bytes = bytesOf(body);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(bytes.length);
    head[0] = type;
    return Buffer.concat([head, bytes]);
}

/** @param {number} id @param {any} body @returns {Buffer} a data package with a response */
export function response(id, body) {
    return packet(4, Buffer.concat([Buffer.from([4, ...varint(id)]), bytesOf(body)]));
}

/** @param {string|number} route text or code @param {any} body @returns {Buffer} a data package with a push */
export function push(route, body) {
    const head = typeof route === "number"
        ? Buffer.from([7, route >> 8, route & 255])
        : Buffer.concat([Buffer.from([6, Buffer.byteLength(route)]), Buffer.from(route)]);
    return packet(4, Buffer.concat([head, bytesOf(body)]));
}

/**
 * Listens on 127.0.0.1.
 * @param {object} behaviour
 * @param {object} [behaviour.sys] `sys` of the handshake's reply
 * @param {any} [behaviour.handshake] the whole reply instead; null for none
 * @param {object} [behaviour.dict] route -> code; said in the handshake unless the client has this version
 * @param {{client?: object, server?: object}} [behaviour.protos] proto files; said in the handshake unless the client
 *   has this version
 * @param {(peer: Peer, request: {type: number, id: number, route: string|number, body: any}) => void}
 *   [behaviour.onMessage]
 * @param {(peer: Peer) => void} [behaviour.onOpen] after the ack
 * @param {(peer: Peer) => void} [behaviour.onClose]
 * @param {boolean} [behaviour.answersHeartbeats] default true
 */
export async function listen(behaviour = {}) {
    const sockets = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    const peers = new Set();
    const everyPeer = [];
    sockets.on("connection", (socket) => {
        const peer = new Peer(socket, behaviour);
        peers.add(peer);
        everyPeer.push(peer);
        socket.on("close", () => {
            peers.delete(peer);
            behaviour.onClose?.(peer);
        });
    });
    await once(sockets, "listening");
    const { port } = sockets.address();
    return {
        port,
        url: `ws://127.0.0.1:${port}`,
        /** Tests may change it. */
        behaviour,
        /** Connected now, and all that ever were. */
        peers,
        everyPeer,
        close: async () => {
            for (const peer of peers) {
                peer.socket.terminate();
            }
            sockets.close();
            await once(sockets, "close");
        },
    };
}

/** The server's side of one connection; `packages` holds all that came, in order. */
class Peer {
    packages = [];
    handshake = null;

    constructor(socket, behaviour) {
        this.socket = socket;
        this.behaviour = behaviour;
        socket.on("message", (data) => this.#onPackage(data[0], data.subarray(4)));
    }

    send(...packets) {
        this.socket.send(Buffer.concat(packets));
    }

    /** A response in the form that the request's route has. */
    respond({ id, route }, body) {
        this.send(response(id, this.#bytesOf(route, body)));
    }

    /** A push in the form that its route has. */
    push(route, body) {
        this.send(push(this.behaviour.dict?.[route] ?? route, this.#bytesOf(route, body)));
    }

    #bytesOf(route, body) {
        const encoderProtos = pomelo.parse(this.behaviour.protos?.server ?? {});
        if (!Object.hasOwn(encoderProtos, route)) {
            return bytesOf(body);
        }
        pomelo.init({ encoderProtos });
        return pomelo.encode(route, body) ?? Buffer.alloc(0);
    }

    #valueOf(route, bytes) {
        const decoderProtos = pomelo.parse(this.behaviour.protos?.client ?? {});
        if (!Object.hasOwn(decoderProtos, route)) {
            return JSON.parse(bytes.toString());
        }
        pomelo.init({ decoderProtos });
        return pomelo.decode(route, bytes);
    }

    #sys() {
        const { sys = {}, dict, protos } = this.behaviour;
        const { dictVersion, protoVersion } = this.handshake.sys;
        return { ...sys, ...(dict && dictPart(dict, dictVersion)), ...(protos && protosPart(protos, protoVersion)) };
    }

    #onPackage(type, body) {
        const { behaviour } = this;
        this.packages.push({ type, body: Buffer.from(body), at: Date.now() });
        if (type === 1) {
            this.handshake = JSON.parse(body.toString());
            if (behaviour.handshake !== null) {
                this.send(packet(1, behaviour.handshake ?? { code: 200, sys: this.#sys() }));
            }
        } else if (type === 2) {
            if (behaviour.sys?.heartbeat) {
                this.send(packet(3));
            }
            behaviour.onOpen?.(this);
        } else if (type === 3 && behaviour.answersHeartbeats !== false) {
            this.send(packet(3));
        } else if (type === 4) {
            const request = parse(body, behaviour.sys?.codeToRoute ?? swapped(behaviour.dict ?? {}));
            behaviour.onMessage?.(this, { ...request, body: this.#valueOf(request.route, request.bytes) });
        }
    }
}

function parse(bytes, codeToRoute) {
    const type = (bytes[0] >> 1) & 7;
    let at = 1;
    let id = 0;
    if (type === 0) {
        for (let shift = 0; ; shift += 7) {
            id += (bytes[at] & 127) * 2 ** shift;
            if (bytes[at++] < 128) {
                break;
            }
        }
    }
    let code = null;
    let route;
    if (bytes[0] & 1) {
        code = bytes.readUInt16BE(at);
        route = codeToRoute[code];
        at += 2;
    } else {
        route = bytes.subarray(at + 1, at + 1 + bytes[at]).toString();
        at += 1 + bytes[at];
    }
    return { type, id, code, route, bytes: bytes.subarray(at) };
}

function dictPart(routeToCode, clientVersion) {
    const dictVersion = versionOf(routeToCode);
    return dictVersion === clientVersion ? { useDict: true }
        : { dict: routeToCode, routeToCode, codeToRoute: swapped(routeToCode), dictVersion, useDict: true };
}

function protosPart(files, clientVersion) {
    const client = pomelo.parse(files.client ?? {});
    const server = pomelo.parse(files.server ?? {});
    const version = versionOf(client, server);
    return version === clientVersion ? { useProto: true } : { protos: { server, client, version }, useProto: true };
}

function versionOf(...parts) {
    return createHash("md5").update(parts.map((part) => JSON.stringify(part)).join("")).digest("base64");
}

function swapped(object) {
    return Object.fromEntries(Object.entries(object).map(([key, value]) => [value, key]));
}

function bytesOf(body) {
    if (Buffer.isBuffer(body)) {
        return body;
    }
    return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}

function varint(value) {
    const bytes = [];
    let rest = value;
    do {
        const low = rest % 128;
        rest = Math.floor(rest / 128);
        bytes.push(rest > 0 ? low + 128 : low);
    } while (rest > 0);
    return bytes;
}
