/** A client that sends and receives bytes and knows no more of them than where a package ends. */
import { once } from "node:events";
import { connect } from "node:net";
import WebSocket from "ws";
import { PackageReader } from "./adapters/wire.mjs";

export class Peer {
    /** Hex of whole packages, and `closed` or `closed 1000` at the end; in order. */
    received = [];
    /** Hex of WebSocket frames; null on TCP. */
    frames = null;
    hasAcked = false;
    /** In milliseconds, as Date.now(). */
    ackedAt = 0;
    #hasLeft = false;
    #reader = new PackageReader();

    /** @param {boolean} isWebSocket else plain TCP */
    constructor(isWebSocket, port) {
        if (isWebSocket) {
            const socket = new WebSocket(`ws://127.0.0.1:${port}`);
            this.opened = once(socket, "open");
            this.send = (bytes) => socket.send(bytes);
            this.close = () => socket.close(1000);
            this.frames = [];
            socket.on("message", (frame) => {
                this.frames.push(frame.toString("hex"));
                this.#read(frame);
            });
            socket.on("error", () => {});
            socket.on("close", (code) => this.#note(`closed ${code}`));
        } else {
            const socket = connect({ port, host: "127.0.0.1", noDelay: true });
            this.opened = once(socket, "connect");
            this.send = (bytes) => socket.write(bytes);
            this.close = () => socket.destroy();
            socket.on("data", (bytes) => this.#read(bytes));
            socket.on("error", () => {});
            socket.on("close", () => this.#note("closed"));
        }
    }

    /** Closes, and notes nothing of it. */
    leave() {
        this.#hasLeft = true;
        this.close();
    }

    #note(item) {
        if (!this.#hasLeft) {
            this.received.push(item);
        }
    }

    #read(bytes) {
        this.received.push(...this.#reader.read(bytes).map((one) => one.bytes.toString("hex")));
    }
}
