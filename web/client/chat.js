/**
 * The chat application on the client's side: find a connector through the gate, enter a room, talk, move, leave.
 * No page in here: also runs in Node.
 *
 * ```js
 * const chat = new Chat({ gateUrl: "ws://127.0.0.1:3014" });
 * chat.on("message", ({ from, target, text }) => console.log(from, target, text));
 * await chat.login("alice", "garden");
 * await chat.send("hello", everyone);
 * ```
 * @module chat
 */
import { Client, ShaddockError } from "./shaddock.js";

/** The target that means all members of the room. */
export const everyone = "*";

const routes = Object.freeze({
    queryEntry: "gate.gateHandler.queryEntry",
    enter: "connector.entryHandler.enter",
    send: "chat.chatHandler.send",
});

const loopbackHosts = new Set(["127.0.0.1", "localhost", "::1", "[::1]"]);

/**
 * One person in one room. Errors are {@link ShaddockError}s; besides the client's codes:
 * `no_server` (the gate knows no connector), `duplicate` (the name is taken in the room), `refused` (any other answer
 * that is not a success).
 */
export class Chat {
    #options;
    #client = null;
    #listeners = new Map();
    #name = "";
    #room = "";
    #members = [];
    #switching = null;

    /**
     * @param {object} options
     * @param {string} options.gateUrl `ws://host:port` of the gate
     * @param {Function} [options.WebSocket] as in {@link Client}; so are the further options
     */
    constructor(options) {
        this.#options = { ...options };
    }

    /** The own name, empty before the first login. */
    get name() {
        return this.#name;
    }

    /** The room one is in, empty before the first login. */
    get room() {
        return this.#room;
    }

    /** Names of those in the room, oneself included, in the order in which they came. */
    get members() {
        return [...this.#members];
    }

    /** Whether the connection to the connector is up. */
    get isConnected() {
        return this.#client?.state === "open";
    }

    /**
     * Listens.
     *
     * | event | argument |
     * |---|---|
     * | `message` | `{from, target, text}`; `target` is {@link everyone} or a name |
     * | `online`, `offline` | the name of who came or went |
     * | `members` | all names, after any change |
     * | `kick` | `{reason}` |
     * | `close` | {@link ShaddockError}: the connection is gone. Not after {@link leave} or a failed login |
     *
     * @param {"message"|"online"|"offline"|"members"|"kick"|"close"} event
     * @param {(argument: any) => void} listener
     */
    on(event, listener) {
        this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    }

    /**
     * Asks the gate for a connector, connects to it and enters the room.
     * @param {string} name
     * @param {string} room
     * @returns {Promise<string[]>} the members, oneself included
     */
    async login(name, room) {
        this.leave();
        this.#room = "";
        this.#members = [];
        const client = new Client({ ...this.#options, url: await this.#askGate(name) });
        this.#client = client;
        this.#listen(client);
        try {
            await client.connect();
            await this.#goTo(client, name, room);
        } catch (error) {
            this.leave();
            throw error;
        }
        return this.members;
    }

    /**
     * Goes to another room on the same connection. A failure changes nothing.
     * @param {string} room
     * @returns {Promise<string[]>} the members there, oneself included
     */
    async switchRoom(room) {
        const client = this.#mustBeConnected();
        if (this.#switching !== null) {
            throw new ShaddockError("refused", "already on the way to another room");
        }
        await this.#goTo(client, this.#name, room);
        return this.members;
    }

    /**
     * Says something.
     * @param {string} text
     * @param {string} target {@link everyone} or a member's name. Everyone includes the sender, who gets a `message`
     *   too; of a message to one other member the sender gets none
     * @returns {Promise<void>} done when the server has taken it
     */
    async send(text, target) {
        const client = this.#mustBeConnected();
        const reply = await client.request(routes.send,
            { rid: this.#room, content: text, from: this.#name, target });
        if (isFailure(reply)) {
            throw new ShaddockError("refused", "the message was not taken", { reply });
        }
    }

    /** Closes the connection; the others see one go. */
    leave() {
        const client = this.#client;
        this.#client = null;
        client?.close();
    }

    async #askGate(name) {
        const gate = new Client({ ...this.#options, url: this.#options.gateUrl });
        let reply;
        try {
            await gate.connect();
            reply = await gate.request(routes.queryEntry, { uid: name });
        } finally {
            gate.close();
        }
        if (reply?.code !== 200) {
            throw new ShaddockError("no_server", "the gate knows no connector", { reply });
        }
        return connectorUrl(this.#options.gateUrl, reply.host, reply.port);
    }

    async #goTo(client, name, room) {
        const pushesOfNewRoom = [];
        this.#switching = pushesOfNewRoom;
        try {
            const users = await this.#enter(client, name, room);
            this.#name = name;
            this.#room = room;
            this.#members = [...new Set(users)];
        } finally {
            this.#switching = null;
        }
        this.#emit("members", this.members);
        pushesOfNewRoom.forEach((apply) => apply());
    }

    async #enter(client, username, rid) {
        const reply = await client.request(routes.enter, { username, rid });
        if (reply?.error) {
            throw new ShaddockError("duplicate", `${username} is taken in ${rid}`, { reply });
        }
        if (isFailure(reply) || !Array.isArray(reply.users)) {
            throw new ShaddockError("refused", `${rid} cannot be entered`, { reply });
        }
        return reply.users.map(String);
    }

    #listen(client) {
        // A listener of a client that was left or replaced must not speak for the present one.
        const ifCurrent = (action) => (argument) => {
            if (this.#client === client) {
                action(argument);
            }
        };
        client.onPush("onChat", ifCurrent((body) => this.#onChat(body)));
        client.onPush("onAdd", ifCurrent((body) => this.#onAdd(String(body?.user ?? ""))));
        client.onPush("onLeave", ifCurrent((body) => this.#onLeave(String(body?.user ?? ""))));
        client.on("kick", ifCurrent((kick) => this.#emit("kick", kick)));
        client.on("close", ifCurrent((error) => this.#emit("close", error)));
    }

    #onChat(body) {
        const from = String(body?.from ?? "");
        if (this.#switching !== null && this.#room === "") {
            this.#switching.push(() => this.#onChat(body));
            return;
        }
        // Who speaks is here, even if the news of his coming was missed.
        if (this.#switching === null && from !== "") {
            this.#add(from);
        }
        this.#emit("message", { from, target: String(body?.target ?? everyone), text: String(body?.msg ?? "") });
    }

    /*
     * Pushes do not name their room. While a switch is under way those that come before its reply may be of the old
     * room or, already, of the new one. They are taken as the old room's unless that cannot be: there is no old room,
     * someone who is there cannot come, and someone who is not cannot go. Those wait for the reply.
     */
    #onAdd(user) {
        const here = this.#members.includes(user);
        if (this.#switching !== null && (here || this.#room === "")) {
            this.#switching.push(() => this.#onAdd(user));
        } else if (this.#add(user)) {
            this.#emit("online", user);
        }
    }

    #onLeave(user) {
        if (!this.#members.includes(user)) {
            this.#switching?.push(() => this.#onLeave(user));
            return;
        }
        this.#members = this.#members.filter((member) => member !== user);
        this.#emit("members", this.members);
        this.#emit("offline", user);
    }

    #add(user) {
        if (this.#members.includes(user)) {
            return false;
        }
        this.#members.push(user);
        this.#emit("members", this.members);
        return true;
    }

    #mustBeConnected() {
        if (!this.isConnected) {
            throw new ShaddockError("closed", "not connected");
        }
        return this.#client;
    }

    #emit(event, argument) {
        for (const listener of this.#listeners.get(event) ?? []) {
            listener(argument);
        }
    }
}

/**
 * Where the connector is that the gate named.
 *
 * The default configuration has every server at 127.0.0.1. To a person whose page, and so whose gate, is on another
 * machine that address would mean the own machine; what is meant is the machine of the gate.
 * @param {string} gateUrl
 * @param {string} host
 * @param {number} port
 * @returns {string}
 */
export function connectorUrl(gateUrl, host, port) {
    const gate = new URL(gateUrl);
    const useGateHost = loopbackHosts.has(host) && !loopbackHosts.has(gate.hostname);
    const name = useGateHost ? gate.hostname : host;
    return `${gate.protocol}//${name.includes(":") && !name.startsWith("[") ? `[${name}]` : name}:${port}`;
}

function isFailure(reply) {
    return reply === null || typeof reply !== "object" || (reply.code !== undefined && reply.code !== 200);
}
