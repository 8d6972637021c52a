/** Clients that say whatever a test wants, over raw TCP or WebSocket. */
import { once } from "node:events";
import { connect } from "node:net";
import WebSocket from "ws";

export const packageType = { handshake: 1, ack: 2, heartbeat: 3, data: 4, kick: 5 };
const patienceMs = 5_000;

export function pack(type, body = "") {
    const bytes = Buffer.from(body);
    const head = Buffer.from([type, bytes.length >> 16, (bytes.length >> 8) & 0xff, bytes.length & 0xff]);
    return Buffer.concat([head, bytes]);
}

/** A data package with a request; the id has one byte. */
export function request(route, body, id = 1) {
    const name = Buffer.from(route);
    return pack(packageType.data, Buffer.concat([Buffer.from([0, id, name.length]), name, Buffer.from(body)]));
}

export const handshake = pack(packageType.handshake, '{"sys":{"type":"raw","version":"1"}}');
export const ack = pack(packageType.ack);

/** One connection. What comes is cut into packages; `[type, body]` are kept in `packages`. */
export class RawClient {
    packages = [];
    isClosed = false;
    #socket;
    #send;
    #rest = Buffer.alloc(0);
    #waiters = new Set();

    /** @param {"tcp"|"ws"} form */
    static async open(port, form = "tcp") {
        const client = new RawClient();
        if (form === "ws") {
            const link = new WebSocket(`ws://127.0.0.1:${port}`);
            link.on("error", () => {});
            link.on("message", (bytes) => client.#take(bytes));
            link.on("close", () => client.#closed());
            await once(link, "open");
            client.#socket = link._socket;
            client.#send = (bytes) => link.send(bytes);
        } else {
            const socket = connect(port, "127.0.0.1");
            socket.on("error", () => {});
            socket.on("data", (bytes) => client.#take(bytes));
            socket.on("close", () => client.#closed());
            await once(socket, "connect");
            client.#socket = socket;
            client.#send = (bytes) => socket.write(bytes);
        }
        return client;
    }

    /** One that works: its handshake is answered. */
    static async ready(port, form) {
        const client = await RawClient.open(port, form);
        client.send(handshake);
        await client.until(() => client.has(packageType.handshake), "answer to the handshake");
        client.send(ack);
        return client;
    }

    send(...packages) {
        packages.forEach((bytes) => this.#send(bytes));
    }

    has(type, body) {
        return this.packages.some(([is, text]) => is === type && (body === undefined || text.includes(body)));
    }

    /** Waits until `condition` holds, looked at whenever something comes. */
    until(condition, what) {
        return new Promise((resolve, reject) => {
            const look = () => {
                if (condition()) {
                    clearTimeout(timer);
                    this.#waiters.delete(look);
                    resolve();
                }
            };
            const timer = setTimeout(() => {
                this.#waiters.delete(look);
                reject(new Error(`no ${what}; there came ${JSON.stringify(this.packages)}`));
            }, patienceMs);
            this.#waiters.add(look);
            look();
        });
    }

    closed() {
        return this.until(() => this.isClosed, "close");
    }

    /** Sends a TCP reset. */
    reset() {
        this.#socket.resetAndDestroy();
    }

    /** Reads no more. */
    stall() {
        this.#socket.pause();
    }

    end() {
        this.#socket.destroy();
    }

    #take(bytes) {
        this.#rest = Buffer.concat([this.#rest, bytes]);
        while (this.#rest.length >= 4) {
            const end = 4 + this.#rest.readUIntBE(1, 3);
            if (this.#rest.length < end) {
                break;
            }
            this.packages.push([this.#rest[0], this.#rest.toString("latin1", 4, end)]);
            this.#rest = this.#rest.subarray(end);
        }
        this.#waiters.forEach((look) => look());
    }

    #closed() {
        this.isClosed = true;
        this.#waiters.forEach((look) => look());
    }
}
