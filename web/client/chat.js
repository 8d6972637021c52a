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
import { Backoff } from "./backoff.js";
import { Listeners } from "./listeners.js";
import { Client, ShaddockError, isFinal, plainTimers } from "./shaddock.js";

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
    #gate = null;
    #client = null;
    #listeners = new Listeners();
    #name = "";
    #room = "";
    #members = [];
    /** While a room is being entered: `{isFresh, news}`, whether there is no old room, and what waits for the reply. */
    #switching = null;
    /** Another one with each login and leave: who finds another than at his start has been overtaken. */
    #journey = null;
    #backoff;
    #isComingBack = false;
    #retryTimer = null;
    #healthyTimer = null;

    /**
     * @param {object} options
     * @param {string} options.gateUrl `ws://host:port` of the gate
     * @param {boolean|import("./backoff.js").ReconnectOptions} [options.reconnect] whether and how one who has lost the
     *   connection goes through the gate and into his room again; default false
     * @param {Function} [options.WebSocket] as in {@link Client}; so are the further options
     */
    constructor(options) {
        this.#options = { timers: plainTimers, ...options, reconnect: false };
        this.#backoff = new Backoff(options.reconnect);
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
     * | `disconnect` | {@link ShaddockError}: the connection is lost, and one will try to come back |
     * | `reconnecting` | `{attempt, delayMs, error}`: the next try, counted from 1, comes after so long; why |
     * | `reconnect` | all names: one is in the room again |
     * | `close` | {@link ShaddockError}: the connection is gone for good. Not after {@link leave} or a failed login |
     *
     * @param {"message"|"online"|"offline"|"members"|"kick"|"disconnect"|"reconnecting"|"reconnect"|"close"} event
     * @param {(argument: any) => void} listener
     * @returns {() => void} ends the listening
     */
    on(event, listener) {
        return this.#listeners.add(event, listener);
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
        await this.#arrive(name, room);
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
        await this.#goTo(client, this.#name, room, false);
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

    /** While coming back: tries again now, instead of waiting or of the try that is under way. */
    retry() {
        if (this.#isComingBack) {
            this.#clearTimers();
            this.#drop();
            this.#comeBack();
        }
    }

    /** Closes the connection, or gives up coming back; the others see one go. */
    leave() {
        this.#journey = null;
        this.#isComingBack = false;
        this.#clearTimers();
        this.#drop();
    }

    /** Through the gate to a connector and into the room. */
    async #arrive(name, room) {
        const journey = {};
        this.#journey = journey;
        const mustBeCurrent = () => {
            if (this.#journey !== journey) {
                throw new ShaddockError("closed", "left meanwhile");
            }
        };
        try {
            const url = await this.#askGate(name);
            mustBeCurrent();
            const client = new Client({ ...this.#options, url });
            this.#client = client;
            this.#listen(client);
            await client.connect();
            await this.#goTo(client, name, room, true);
            mustBeCurrent();
            if (client.state !== "open") {
                throw new ShaddockError("closed", "lost on arrival");
            }
            client.on("close", (error) => this.#client === client && this.#onLost(error, true));
        } catch (error) {
            if (this.#journey === journey) {
                this.#drop();
            }
            throw error;
        }
        this.#healthyTimer = this.#options.timers.set(() => this.#backoff.reset(), this.#backoff.healthyMs);
    }

    async #comeBack() {
        const coming = this.#arrive(this.#name, this.#room);
        const journey = this.#journey;
        try {
            await coming;
        } catch (error) {
            if (this.#journey === journey) {
                this.#onLost(error, false);
            }
            return;
        }
        this.#isComingBack = false;
        this.#emit("reconnect", this.members);
    }

    /** Also after a try to come back: a name that is taken may be one's own, as long as the server waits for the old one. */
    #onLost(error, wasConnected) {
        this.#clearTimers();
        this.#drop();
        const next = isFinal(error) ? null : this.#backoff.next();
        this.#isComingBack = next !== null;
        if (next === null) {
            this.#emit("close", error);
            return;
        }
        this.#retryTimer = this.#options.timers.set(() => this.retry(), next.delayMs);
        if (wasConnected) {
            this.#emit("disconnect", error);
        }
        // A listener may have left meanwhile.
        if (this.#isComingBack) {
            this.#emit("reconnecting", { ...next, error });
        }
    }

    #drop() {
        const connections = [this.#gate, this.#client];
        this.#gate = this.#client = null;
        connections.forEach((connection) => connection?.close());
    }

    #clearTimers() {
        const { timers } = this.#options;
        [this.#retryTimer, this.#healthyTimer].forEach((timer) => timer !== null && timers.clear(timer));
        this.#retryTimer = this.#healthyTimer = null;
    }

    async #askGate(name) {
        const gate = new Client({ ...this.#options, url: this.#options.gateUrl });
        this.#gate = gate;
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

    async #goTo(client, name, room, isFresh) {
        const switching = { isFresh, news: [] };
        this.#switching = switching;
        try {
            const users = await this.#enter(client, name, room);
            if (this.#client !== client) {
                throw new ShaddockError("closed", "left meanwhile");
            }
            this.#name = name;
            this.#room = room;
            this.#members = [...new Set(users)];
        } finally {
            if (this.#switching === switching) {
                this.#switching = null;
            }
        }
        this.#emit("members", this.members);
        switching.news.forEach((apply) => apply());
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
    }

    #onChat(body) {
        const from = String(body?.from ?? "");
        if (this.#waits(() => this.#onChat(body))) {
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
        const isHere = this.#members.includes(user);
        if (!this.#waits(() => this.#onAdd(user), isHere) && this.#add(user)) {
            this.#emit("online", user);
        }
    }

    #onLeave(user) {
        const isHere = this.#members.includes(user);
        if (!this.#waits(() => this.#onLeave(user), !isHere) && isHere) {
            this.#members = this.#members.filter((member) => member !== user);
            this.#emit("members", this.members);
            this.#emit("offline", user);
        }
    }

    #waits(apply, isOfNewRoom = false) {
        const waits = this.#switching !== null && (this.#switching.isFresh || isOfNewRoom);
        if (waits) {
            this.#switching.news.push(apply);
        }
        return waits;
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
        this.#listeners.call(event, argument);
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
