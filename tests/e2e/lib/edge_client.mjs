/** A client on raw TCP for the tests of the edge: it asks and listens, or it does what no honest client would. */
import { connect } from "node:net";
import { PackageReader, decodeMessage, encodeMessage, encodePackage, messageType, packageType } from "../clients/adapters/wire.mjs";

export const host = "127.0.0.1";
export const routes = { enter: "connector.entryHandler.enter", send: "chat.chatHandler.send" };
const heartbeatMs = 1_000;

export const handshake = encodePackage(packageType.handshake, Buffer.from('{"sys":{"type":"edge","version":"1"}}'));
export const ack = encodePackage(packageType.ack);
export const heartbeat = encodePackage(packageType.heartbeat);
/** @returns {Buffer} the package of a request; `body` is text */
export function requestOf(id, route, body) {
    return encodePackage(packageType.data, encodeMessage(id, route, Buffer.from(body)));
}

/** CRC-32, by which the chat's rooms are given to its servers. */
export function crc32(text) {
    let value = -1;
    for (const byte of Buffer.from(text)) {
        value ^= byte;
        for (let bit = 0; bit < 8; ++bit) {
            value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
        }
    }
    return ~value | 0;
}
/** @returns {string} a room that belongs to the chat server of this index */
export function roomOf(index, servers = 3) {
    for (;;) {
        const room = `room${Math.random().toString(36).slice(2, 10)}`;
        if (Math.abs(crc32(room)) % servers === index) {
            return room;
        }
    }
}

/** Speaks honestly. Answers are `{code: "closed"}` when the connection is gone. */
export class Client {
    /** Pushes as `(route, body)`, when somebody listens. */
    onPush = null;
    /** Answers as `(id, answer)`, kicks as `(reason)` and the end, each at once, when somebody listens. */
    onAnswer = null;
    onKick = null;
    onClose = null;
    isClosed = false;
    kick = null;
    #socket;
    #reader = new PackageReader();
    #waiting = new Map();
    #nextId = 1;
    #beat;

    /**
     * @param {number} port
     * @param {{from?: string, beats?: boolean}} [options] `from`: the address that it calls from; without `beats` it is silent between what
     *   it is told to say
     */
    static async open(port, { from, beats = true } = {}) {
        const client = new Client();
        const socket = connect({ port, host, localAddress: from, noDelay: true });
        client.#socket = socket;
        socket.on("error", () => {});
        socket.on("close", () => client.#close());
        const ready = new Promise((resolve) => {
            socket.on("data", (bytes) => client.#read(bytes, resolve));
            socket.on("close", resolve);
        });
        socket.write(handshake);
        await ready;
        socket.write(ack);
        if (beats && !client.isClosed) {
            client.#beat = setInterval(() => socket.write(heartbeat), heartbeatMs);
        }
        return client;
    }

    /** Of the next request. */
    get nextId() {
        return this.#nextId;
    }

    /** The socket, for those who do worse. */
    get socket() {
        return this.#socket;
    }

    async enter(name, room) {
        return this.ask(routes.enter, { username: name, rid: room });
    }

    say(content, target = "*") {
        return this.ask(routes.send, { content, target });
    }

    ask(route, body) {
        const id = this.#nextId++;
        const answer = this.answerOf(id);
        this.#socket.write(requestOf(id, route, JSON.stringify(body)));
        return answer;
    }

    /** The answer to a request that is sent by other means. */
    answerOf(id) {
        return this.isClosed ? Promise.resolve({ code: "closed" }) : new Promise((resolve) => this.#waiting.set(id, resolve));
    }

    /** Reads and forgets all from now on; answers never come. */
    discard() {
        this.#socket.removeAllListeners("data");
        this.#socket.resume();
        return this;
    }

    close() {
        clearInterval(this.#beat);
        this.#socket.destroy();
    }

    #close() {
        this.isClosed = true;
        clearInterval(this.#beat);
        this.#waiting.forEach((resolve) => resolve({ code: "closed" }));
        this.#waiting.clear();
        this.onClose?.();
    }

    #read(bytes, ready) {
        for (const { type, body } of this.#reader.read(bytes)) {
            if (type === packageType.handshake) {
                ready();
            } else if (type === packageType.kick) {
                this.kick = body.toString();
                this.onKick?.(this.kick);
            } else if (type === packageType.data) {
                this.#take(decodeMessage(body));
            }
        }
    }

    #take({ type, id, route, body }) {
        if (type === messageType.response) {
            const answer = JSON.parse(body.toString());
            this.onAnswer?.(id, answer);
            this.#waiting.get(id)?.(answer);
            this.#waiting.delete(id);
        } else {
            this.onPush?.(route, body);
        }
    }
}
