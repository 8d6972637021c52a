/** `pomelo-nodejsclient-websocket`: for Node, with Pomelo's own codecs. One object for each connection. */
import { createRequire } from "node:module";
import { Adapter, deafen, overhear } from "./adapter.mjs";

const Pomelo = createRequire(import.meta.url)("pomelo-nodejsclient-websocket");

export class NodeJsClient extends Adapter {
    static kind = "pomelo-nodejsclient-websocket";
    // It emits `onKick` without what the server said.
    static knowsKickReason = false;

    #pomelo = null;

    connect(host, port) {
        // Its own listener for what it cannot decode is the logger.
        const fault = (...said) => this.faults.push(said.join(" "));
        const pomelo = new Pomelo({ logger: { debug() {}, info() {}, warn: fault, error: fault } });
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
        } else {
            this.events.push(event === "close" ? ["close"] : [event, argument]);
        }
    }

    request(route, body) {
        return new Promise((resolve) => {
            this.#pomelo.request(route, body, (_none, answer) => resolve(answer));
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
