/** `pomelo-client-websocket`: for browsers and Node, many clients in one program. */
import { createRequire } from "node:module";
import { Adapter, deafen, overhear, readWithBrowserCodec } from "./adapter.mjs";

const Pomelo = createRequire(import.meta.url)("pomelo-client-websocket");

export class ClientWebSocket extends Adapter {
    static kind = "pomelo-client-websocket";
    static readsProtobufText = readWithBrowserCodec;
    // It writes the bytes of an id in the order of an older Pomelo.
    static requestLimit = 127;
    // It emits `onKick` without what the server said.
    static knowsKickReason = false;

    #pomelo = null;

    connect(host, port) {
        const pomelo = new Pomelo();
        this.#pomelo = overhear(pomelo, (event, argument) => this.#onEvent(pomelo, event, argument));
        return new Promise((resolve) => {
            pomelo.init({ host, port }, () => resolve());
        });
    }

    #onEvent(pomelo, event, argument) {
        if (pomelo !== this.#pomelo) {
            return;
        }
        if (["error", "io-error", "heartbeat timeout"].includes(event)) {
            this.faults.push(`${event}: ${argument?.message ?? argument}`);
        } else if (event === "onKick") {
            this.events.push(["kick"]);
        } else if (event === "close") {
            this.events.push(["close"]);
        } else if (!["connect", "disconnect", "__CLIENT_ROUTE", "__CLIENT_RESPONSE"].includes(event)) {
            this.events.push([event, argument]);
        }
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
        const pomelo = this.#pomelo;
        this.#pomelo = null;
        deafen(pomelo?.socket);
        pomelo?.disconnect();
    }
}
