/** Somebody who chats, comes back when the connection is lost, and notes all that it does and sees (bench/README.md, "The form of a log"). */
import { setTimeout as sleep } from "node:timers/promises";
import { Client, routes } from "../lib/edge_client.mjs";

const query = "gate.gateHandler.queryEntry";
const patienceMs = 20_000;

export class Person {
    /** Where it is, as far as it knows; null: nowhere. */
    room = null;
    /** All that was said to it. */
    heard = new Set();
    #world;
    #client = null;
    #visit = 0;
    #said = 0;
    #isLeaving = false;
    #returns = null;

    /** @param {{note: (event: object) => void, gatePort: number, random: () => number}} world */
    constructor(world, name, connector, port) {
        this.#world = world;
        this.name = name;
        this.connector = connector;
        this.port = port;
    }

    get isIn() {
        return this.room !== null && this.#client !== null && !this.#client.isClosed;
    }

    /** From the gate to the connector, and into the room; again and again until it is in. */
    async arrive(room) {
        await this.#insist(`${this.name} enters ${room}`, async () => {
            const isOpen = this.#client !== null && !this.#client.isClosed || await this.logIn();
            return isOpen && await this.enter(room);
        });
    }

    async logIn() {
        ++this.#visit;
        const gate = await this.#open(this.#world.gatePort, `${this.name}@gate#${this.#visit}`);
        if (gate === null) {
            return false;
        }
        const found = await this.#ask(gate, "query", {}, query, { uid: this.name });
        this.#note(gate, "leave");
        gate.close();
        if (found.code !== 200) {
            return false;
        }
        this.#client = await this.#open(this.port, `${this.name}#${this.#visit}@${this.connector}`, () => this.#comeBack());
        return this.#client !== null;
    }

    /** @returns {Promise<boolean>} whether it is in */
    async enter(room) {
        const client = this.#client;
        const answer = await this.#ask(client, "enter", { user: this.name, room }, routes.enter, { username: this.name, rid: room });
        if (Array.isArray(answer.users) && client === this.#client && !client.isClosed) {
            this.room = room;
            return true;
        }
        return false;
    }

    /** @returns {Promise<string|null>} the text, when it was taken */
    async say(target = "*") {
        const msg = `${this.name} ${this.#visit} ${++this.#said}`;
        const client = this.#client;
        if (client === null || client.isClosed) {
            return null;
        }
        const answer = await this.#ask(client, "send", { target, msg }, routes.send, { content: msg, target });
        return answer.code === undefined ? msg : null;
    }

    /** Goes for good; what was owed before still comes. */
    async leave(lingerMs = 100) {
        this.#isLeaving = true;
        await this.#returns;
        if (this.#client !== null && !this.#client.isClosed) {
            this.#note(this.#client, "leave");
            await sleep(lingerMs);
            this.#client.close();
            await new Promise(setImmediate);
        }
        this.room = null;
    }

    /** Nothing more comes of it. */
    drop() {
        this.#isLeaving = true;
        this.#client?.close();
    }

    /** As after a kick that says `lost` or `shutdown`, or a broken line. */
    #comeBack() {
        const { room } = this;
        this.room = null;
        if (this.#isLeaving || this.#returns !== null || room === null) {
            return;
        }
        this.#returns = (async () => {
            await sleep(20 + 80 * this.#world.random());
            if (!this.#isLeaving) {
                await this.arrive(room);
            }
        })().catch((error) => this.#world.fail(error)).finally(() => { this.#returns = null; });
    }

    async #insist(what, attempt) {
        const end = performance.now() + patienceMs;
        while (!await attempt()) {
            if (this.#isLeaving) {
                return;
            }
            if (performance.now() > end) {
                throw new Error(`${what}: refused for ${patienceMs} ms`);
            }
            await sleep(50 + 50 * this.#world.random());
        }
    }

    async #open(port, label, onClose = () => {}) {
        const client = await Client.open(port);
        client.label = label;
        if (client.isClosed) {
            return null;
        }
        this.#note(client, "connect");
        client.onPush = (route, body) => this.#hear(client, route, JSON.parse(body.toString()));
        client.onKick = (reason) => this.#note(client, "kicked", { reason });
        client.onClose = () => {
            this.#note(client, "closed", { reason: client.kick ?? "" });
            onClose();
        };
        client.onAnswer = (id, { code, users }) => {
            const isGood = code === undefined || code === 200;
            this.#note(client, isGood ? "ok" : "fail", { id, ...(isGood ? users && { users } : { code }) });
        };
        return client;
    }

    #ask(client, event, more, route, body) {
        this.#note(client, event, { id: client.nextId, ...more });
        return client.ask(route, body);
    }

    #hear(client, route, { from, target, msg, user }) {
        if (route === "onChat") {
            this.heard.add(msg);
        }
        this.#note(client, route, route === "onChat" ? { from, target, msg } : { user });
    }

    #note(client, e, more = {}) {
        this.#world.note({ t: Number(process.hrtime.bigint()), c: client.label, e, ...more });
    }
}
