/** A client on raw TCP that does what it likes: for tests of what the servers bear. Sends texts for routes and JSON. */
import { connect } from "node:net";
import { once } from "node:events";
import { PackageReader, decodeMessage, encodeMessage, encodePackage, messageType, packageType } from "../clients/adapters/wire.mjs";

export const heartbeat = encodePackage(packageType.heartbeat);

/** @param {number} id @param {string} route @param {object|Buffer} body */
export function request(id, route, body) {
    return encodePackage(packageType.data, encodeMessage(id, route, Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))));
}

export class Peer {
    isClosed = false;
    /** What `onChat` brought. */
    pushes = 0;
    kicked = null;
    #reader = new PackageReader();
    #answers = new Map();
    #lastId = 0;

    /** @returns {Promise<Peer>} one whose handshake is done */
    static async open(port, { beats = false } = {}) {
        const peer = new Peer();
        peer.socket = connect({ host: "127.0.0.1", port, noDelay: true });
        peer.socket.on("error", () => {});
        peer.socket.on("close", () => { peer.isClosed = true; peer.#end(); });
        await once(peer.socket, "connect");
        const greeted = new Promise((resolve) => { peer.greeted = resolve; });
        peer.socket.on("data", (bytes) => peer.#take(bytes));
        peer.socket.write(encodePackage(packageType.handshake, Buffer.from('{"sys":{"type":"peer","version":"1"}}')));
        await greeted;
        peer.socket.write(encodePackage(packageType.ack));
        if (beats) {
            peer.timer = setInterval(() => peer.socket.write(heartbeat), 1000);
        }
        return peer;
    }

    /** @returns {Promise<object|null>} null: the connection ended before the answer */
    ask(route, body) {
        const id = ++this.#lastId;
        const answer = this.answerOf(id);
        this.socket.write(request(id, route, body));
        return answer;
    }

    answerOf(id) {
        return this.isClosed ? Promise.resolve(null) : new Promise((resolve) => this.#answers.set(id, resolve));
    }

    close() {
        this.socket.destroy();
        this.#end();
    }

    #end() {
        clearInterval(this.timer);
        this.#answers.forEach((resolve) => resolve(null));
        this.#answers.clear();
    }

    #take(bytes) {
        for (const { type, body } of this.#reader.read(bytes)) {
            if (type === packageType.handshake) {
                this.greeted();
            } else if (type === packageType.kick) {
                this.kicked = JSON.parse(body.toString()).reason;
            } else if (type === packageType.data) {
                const message = decodeMessage(body);
                if (message.type === messageType.response) {
                    this.#answers.get(message.id)?.(JSON.parse(message.body.toString()));
                    this.#answers.delete(message.id);
                } else {
                    this.pushes += message.route === "onChat" ? 1 : 0;
                }
            }
        }
    }
}

/** Two in a room of their own who talk quietly; what they notice of others. */
export class Pair {
    static async open(port, room) {
        const pair = new Pair();
        [pair.one, pair.other] = [await Peer.open(port, { beats: true }), await Peer.open(port, { beats: true })];
        for (const [name, peer] of [["one", pair.one], ["other", pair.other]]) {
            const entered = await peer.ask("connector.entryHandler.enter", { username: `${room}-${name}`, rid: room });
            if (!entered?.users) {
                throw new Error(`${room}: enter was answered ${JSON.stringify(entered)}`);
            }
        }
        pair.timer = setInterval(() => pair.#say(room), 20);
        return pair;
    }

    reset() {
        Object.assign(this, { times: [], sent: 0, refused: 0, heard: this.other.pushes });
    }

    /** Times in ms, and what went wrong. */
    result() {
        const sorted = [...this.times].sort((a, b) => a - b);
        const at = (share) => Number((sorted[Math.floor(sorted.length * share)] ?? Infinity).toFixed(1));
        return { sent: this.sent, refused: this.refused, p50: at(0.5), p99: at(0.99) };
    }

    close() {
        clearInterval(this.timer);
        this.one.close();
        this.other.close();
    }

    times = [];
    sent = 0;
    refused = 0;

    async #say(room) {
        const began = performance.now();
        ++this.sent;
        const answer = await this.one.ask("chat.chatHandler.send", { content: "hi", target: "*", from: `${room}-one`, rid: room });
        this.times.push(performance.now() - began);
        this.refused += answer === null || answer.code === 500 ? 1 : 0;
    }
}
