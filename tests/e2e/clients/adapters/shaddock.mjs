/** The project's own client library, web/client/shaddock.js. */
import WebSocket from "ws";
import { Client } from "../../../../web/client/shaddock.js";
import { Adapter } from "./adapter.mjs";

export class Shaddock extends Adapter {
    static kind = "shaddock.js";

    #client = null;

    /** @returns {Promise<object>} further options of the client */
    async options() {
        return {};
    }

    url(host, port) {
        return `ws://${host}:${port}`;
    }

    async connect(host, port) {
        const client = new Client({ url: this.url(host, port), WebSocket, memory: this.storage, ...await this.options() });
        this.#client = client;
        const ifCurrent = (action) => (argument) => {
            if (client === this.#client) {
                action(argument);
            }
        };
        client.on("push", ifCurrent(({ route, body }) => this.events.push([route, body])));
        client.on("kick", ifCurrent(({ reason }) => this.events.push(["kick", reason])));
        client.on("error", ifCurrent((error) => this.faults.push(error.message)));
        client.on("close", ifCurrent(() => this.events.push(["close"])));
        await client.connect();
    }

    request(route, body) {
        return this.#client.request(route, body);
    }

    notify(route, body) {
        this.#client.notify(route, body);
    }

    disconnect() {
        const client = this.#client;
        this.#client = null;
        client?.close();
    }
}
