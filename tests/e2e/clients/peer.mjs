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
            socket.on("close", (code) => this.received.push(`closed ${code}`));
        } else {
            const socket = connect({ port, host: "127.0.0.1", noDelay: true });
            this.opened = once(socket, "connect");
            this.send = (bytes) => socket.write(bytes);
            this.close = () => socket.destroy();
            socket.on("data", (bytes) => this.#read(bytes));
            socket.on("error", () => {});
            socket.on("close", () => this.received.push("closed"));
        }
    }

    #read(bytes) {
        this.received.push(...this.#reader.read(bytes).map((one) => one.bytes.toString("hex")));
    }
}
