/**
 * `pomelo-jsclient-websocket`, what browsers use: a script that finds its parts in `window` and makes one `pomelo`
 * there. Each adapter is a page with a window of its own.
 */
import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { compileFunction } from "node:vm";
import WebSocket from "ws";
import { Adapter, deafen, overhear, readWithBrowserCodec } from "./adapter.mjs";

const require = createRequire(import.meta.url);

/** The scripts of the page, in its order. */
const scripts = ["pomelo-protocol/lib/protocol.js", "pomelo-protobuf/lib/client/protobuf.js", "pomelo-jsclient-websocket"].map((name) => {
    const file = require.resolve(name);
    return compileFunction(readFileSync(file, "utf8"), ["window", "module", "WebSocket", "console"], { filename: file });
});
const silence = { log() {}, warn() {}, error() {} };

export class JsClient extends Adapter {
    static kind = "pomelo-jsclient-websocket";
    static readsProtobufText = readWithBrowserCodec;

    /** Frames sent on the present connection. */
    sent = [];
    #pomelo;
    #socket = null;
    #options;

    /** @param {{encrypt?: boolean, rsa?: object}} [options] whether it signs, and what with */
    constructor(storage, options = {}) {
        super(storage);
        this.#options = options;
        this.#pomelo = this.#openPage();
        overhear(this.#pomelo, (event, argument) => this.#onEvent(event, argument));
    }

    #openPage() {
        const adapter = this;
        class PageSocket extends WebSocket {
            constructor(url) {
                super(...adapter.dial(url));
                adapter.#socket = this;
                adapter.sent = [];
            }

            send(data) {
                adapter.sent.push(Buffer.from(data));
                super.send(data);
            }
        }
        const window = {
            EventEmitter,
            rsa: this.#options.rsa,
            localStorage: {
                getItem: (key) => this.storage.get(key) ?? null,
                setItem: (key, value) => this.storage.set(key, value),
            },
        };
        const [protocol, protobuf, client] = scripts;
        protocol.call(window, window, {}, PageSocket, silence);
        const codec = { exports: {} };
        protobuf.call(window, window, codec, PageSocket, silence);
        // The package asks the codec for `decodeStr`, which the published codec for browsers calls `decode`.
        window.protobuf = { ...codec.exports, decodeStr: (route, bytes) => codec.exports.decode(route, bytes) };
        client.call(window, window, {}, PageSocket, silence);
        return window.pomelo;
    }

    /** @returns {any[]} what the page's WebSocket is made of */
    dial(url) {
        return [url];
    }

    #onEvent(event, argument) {
        if (["error", "io-error", "heartbeat timeout"].includes(event)) {
            this.faults.push(`${event}: ${argument?.message ?? argument}`);
        } else if (event === "onKick") {
            this.events.push(["kick", argument.reason]);
        } else if (event === "close") {
            // Of the gate's socket it comes when the connector's is already there.
            if (argument.target === this.#socket) {
                this.events.push(["close"]);
            }
        } else if (event !== "disconnect") {
            this.events.push([event, argument]);
        }
    }

    connect(host, port) {
        return new Promise((resolve) => {
            this.#pomelo.init({ host, port, encrypt: this.#options.encrypt }, () => resolve());
        });
    }

    request(route, body) {
        return new Promise((resolve) => {
            this.#pomelo.request(route, body, resolve);
        });
    }

    notify(route, body) {
        this.#pomelo.notify(route, body);
    }

    disconnect() {
        deafen(this.#socket);
        this.#socket = null;
        this.#pomelo.disconnect();
    }
}
