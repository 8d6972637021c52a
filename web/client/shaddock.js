/**
 * A client of Shaddock's frontend servers (and of Pomelo's hybridconnector): one WebSocket, requests that end,
 * notifies, pushes. ES module without dependencies; runs in browsers and in Node 18 and later.
 *
 * ```js
 * import { Client } from "./shaddock.js";
 *
 * const client = new Client({ url: "ws://127.0.0.1:3014" });     // Node before 22: also `WebSocket` from the package ws
 * await client.connect();
 * const answer = await client.request("gate.gateHandler.queryEntry", { uid: "alice" });
 * client.onPush("onChat", (message) => console.log(message));
 * client.close();
 * ```
 *
 * Routes have codes, and bodies are in the protobuf dialect, where the server's handshake says so; both are remembered
 * for the next connection (option `memory`). A lost connection is opened again if the option `reconnect` says so. After
 * the event `close` make a new client.
 * @module shaddock
 */
import { Agreement, noSets, settle } from "./agreement.js";
import { Backoff, defaultReconnect } from "./backoff.js";
import { ShaddockError, isFinal } from "./error.js";
import { Heartbeat } from "./heartbeat.js";
import { Listeners } from "./listeners.js";
import { defaultMemory, forget, recall, remember, storageMemory } from "./memory.js";
import { signed, signingKey } from "./signature.js";
import {
    WireError, decodeMessage, encodeMessage, encodePackage, messageType, packageType, splitPackages, toBytes, toText,
} from "./wire.js";

/** Milliseconds until a request is given up, unless said otherwise. */
export const defaultRequestTimeoutMs = 10_000;

/** Milliseconds from `connect` to the end of the handshake, unless said otherwise. */
export const defaultConnectTimeoutMs = 10_000;

/**
 * Timers that a client uses. A page may bring others, since browsers slow the built-in ones down in hidden tabs.
 * @type {{set: (callback: () => void, delayMs: number) => any, clear: (handle: any) => void}}
 */
export const plainTimers = Object.freeze({
    set: (callback, delayMs) => setTimeout(callback, delayMs),
    clear: (handle) => clearTimeout(handle),
});

/** One connection at a time to one frontend server. */
export class Client {
    #options;
    #socket = null;
    #state = "idle";
    #connecting = null;
    #listeners = new Listeners();
    #pushListeners = new Listeners();
    #pending = new Map();
    #nextId = 1;
    #remembered = noSets;
    #agreement = new Agreement();
    #heartbeat = null;
    #key = null;
    /** Bodies leave in the order in which they were given, also when they are signed. */
    #signing = Promise.resolve();
    #backoff;
    #handshakeTimer = null;
    #retryTimer = null;
    #healthyTimer = null;
    #kickError = null;
    #closeError = null;

    /**
     * @param {object} options
     * @param {string} options.url `ws://host:port` or `wss://host:port`
     * @param {any} [options.user] given to the application's handshake hook
     * @param {boolean|import("./backoff.js").ReconnectOptions} [options.reconnect] whether and how a lost connection is
     *   opened again; default false, since what the server knew of the session (who is logged in) is lost with the
     *   connection, and an application has to say it again at the event `reconnect`. True: {@link defaultReconnect}
     * @param {import("./memory.js").Memory|null} [options.memory] where each server's dictionary and protos are
     *   remembered; null: nowhere. Default {@link defaultMemory}: local storage in a page, else this process
     * @param {boolean|import("./signature.js").SigningKey} [options.crypto] signs every body, as servers with the option
     *   `crypto` want it; true: with a key of its own ({@link signingKey}). A route with a client proto must have the field
     *   `__crypto__` in it. Default false
     * @param {Function} [options.WebSocket] constructor with the browser's interface; default: the global one
     * @param {number} [options.requestTimeoutMs] default 10000
     * @param {number} [options.connectTimeoutMs] default 10000
     * @param {{set: Function, clear: Function}} [options.timers] default {@link plainTimers}
     */
    constructor(options) {
        const given = { ...options };
        given.WebSocket ??= globalThis.WebSocket;
        if (typeof given.WebSocket !== "function") {
            throw new TypeError("no WebSocket here: pass the constructor as the option `WebSocket`");
        }
        if (given.crypto === true && globalThis.crypto?.subtle === undefined) {
            throw new TypeError("no WebCrypto here: pass a key as the option `crypto`");
        }
        given.requestTimeoutMs ??= defaultRequestTimeoutMs;
        given.connectTimeoutMs ??= defaultConnectTimeoutMs;
        given.timers ??= plainTimers;
        given.memory = given.memory === undefined ? defaultMemory : given.memory;
        this.#options = given;
        this.#backoff = new Backoff(given.reconnect);
    }

    /** `idle`, `connecting`, `open`, `reconnecting` (lost: waiting or trying again) or `closed`. */
    get state() {
        return this.#state;
    }

    /**
     * Opens the connection and shakes hands. Tried once: the option `reconnect` is about connections that were there.
     * @returns {Promise<{sys: object, user: any}>} what the server said in the handshake
     * @throws {ShaddockError} `connect`, `handshake`, `client_too_old`, `timeout`, `protocol`, `crypto`, `closed`
     */
    connect() {
        if (this.#state !== "idle") {
            return Promise.reject(new ShaddockError("closed", "a client connects once: make a new one"));
        }
        this.#state = "connecting";
        return new Promise((resolve, reject) => {
            this.#connecting = { resolve, reject };
            this.#start().catch((cause) => this.#fail(new ShaddockError("crypto", `no key: ${cause.message}`, { cause })));
        });
    }

    /**
     * Asks and waits for the answer. Answers may come in another order than the requests. A request is sent once: if
     * the connection is lost, it fails, since nobody knows whether the server has done it.
     * @param {string} route `type.handler.method`
     * @param {any} [body] JSON value, or an object with the fields of the route's proto; default `{}`
     * @param {{timeoutMs?: number}} [options]
     * @returns {Promise<any>} the answer's body. An answer such as `{"code":500}` is an answer, not an error
     * @throws {ShaddockError} `timeout`, `closed`, `kicked`, `heartbeat`, `protocol`, `crypto`; {@link WireError} if
     *   it does not fit
     */
    request(route, body, { timeoutMs = this.#options.requestTimeoutMs } = {}) {
        return new Promise((resolve, reject) => {
            this.#mustBeOpen();
            const { timers } = this.#options;
            const id = this.#nextId++;
            this.#sendMessage(messageType.request, route, body, id);
            const timer = timers.set(() => {
                this.#pending.delete(id);
                reject(new ShaddockError("timeout", `${route}: no answer within ${timeoutMs} ms`));
            }, timeoutMs);
            this.#pending.set(id, {
                route,
                resolve: (value) => { timers.clear(timer); resolve(value); },
                reject: (error) => { timers.clear(timer); reject(error); },
            });
        });
    }

    /**
     * Tells, without an answer.
     * @param {string} route `type.handler.method`
     * @param {any} [body] JSON value, or an object with the fields of the route's proto; default `{}`
     * @throws {ShaddockError} `closed` or `kicked`; {@link WireError} if it does not fit
     */
    notify(route, body) {
        this.#mustBeOpen();
        this.#sendMessage(messageType.notify, route, body, 0);
    }

    /**
     * Listens to the life of the connection.
     *
     * | event | argument |
     * |---|---|
     * | `open` | the handshake's reply, of the first connection |
     * | `push` | `{route, body}`: every push, also those of {@link onPush} |
     * | `kick` | `{reason}`: the server is about to close |
     * | `error` | {@link ShaddockError}: why the connection is being closed from this side, or a notify was not sent |
     * | `disconnect` | {@link ShaddockError}: the connection is lost and will be opened again |
     * | `reconnecting` | `{attempt, delayMs, error}`: the next try, counted from 1, comes after so long; why |
     * | `reconnect` | the handshake's reply: the connection is there again. To the server it is a new one |
     * | `close` | {@link ShaddockError}: why; once, and the last event. Not after a failed `connect` |
     *
     * A connection is opened again after any loss but {@link close}, a server that wants a newer client, and a kick
     * with another reason than `shutdown` and `lost`.
     *
     * @param {"open"|"push"|"kick"|"error"|"disconnect"|"reconnecting"|"reconnect"|"close"} event
     * @param {(argument: any) => void} listener
     * @returns {() => void} ends the listening
     */
    on(event, listener) {
        return this.#listeners.add(event, listener);
    }

    /**
     * Listens to the pushes of one route.
     * @param {string} route for example `onChat`
     * @param {(body: any) => void} listener
     * @returns {() => void} ends the listening
     */
    onPush(route, listener) {
        return this.#pushListeners.add(route, listener);
    }

    /** While reconnecting: tries again now, instead of waiting or of the try that is under way. */
    retry() {
        if (this.#state === "reconnecting") {
            this.#dropSocket(this.#closeError);
            this.#openSocket();
        }
    }

    /** Closes, also while reconnecting. Requests that still wait end with `closed`. Safe at any time, more than once. */
    close() {
        this.#end(this.#kickError ?? new ShaddockError("closed", "closed by this client"), false);
    }

    async #start() {
        const { crypto } = this.#options;
        if (crypto) {
            this.#key = crypto === true ? await signingKey() : crypto;
        }
        // It may have been closed meanwhile.
        if (this.#state === "connecting") {
            this.#openSocket();
        }
    }

    #openSocket() {
        const { WebSocket, url, timers, connectTimeoutMs } = this.#options;
        this.#handshakeTimer = timers.set(() => {
            this.#fail(new ShaddockError("timeout", `no handshake with ${url} within ${connectTimeoutMs} ms`));
        }, connectTimeoutMs);
        let socket;
        try {
            socket = new WebSocket(url);
        } catch (cause) {
            this.#fail(new ShaddockError("connect", `${url}: ${cause.message}`, { cause }));
            return;
        }
        this.#socket = socket;
        socket.binaryType = "arraybuffer";
        // What a socket that was given up still says is nobody's.
        const ifCurrent = (action) => (event) => this.#socket === socket && action(event);
        socket.addEventListener("open", ifCurrent(() => this.#sendHandshake()));
        socket.addEventListener("message", ifCurrent(({ data }) => this.#onFrame(data)));
        // A browser says nothing about the cause; the close event follows.
        socket.addEventListener("error", () => {});
        socket.addEventListener("close", ifCurrent(({ code }) => {
            this.#fail(this.#state === "open"
                ? new ShaddockError("closed", `closed by the server (${code})`)
                : new ShaddockError("connect", `${url}: no connection`));
        }));
    }

    #sendHandshake() {
        const { memory, url, user } = this.#options;
        this.#remembered = recall(memory, url);
        const { dict, protos } = this.#remembered;
        // JSON leaves out what is undefined.
        const sys = {
            type: "shaddock-js", version: "0.1.0",
            rsa: this.#key === null ? {} : { rsa_n: this.#key.n, rsa_e: this.#key.e },
            protoVersion: protos?.version, dictVersion: dict?.version,
        };
        this.#sendPackage(packageType.handshake, toBytes(JSON.stringify({ sys, user })));
    }

    #onFrame(data) {
        this.#heartbeat?.heard();
        const socket = this.#socket;
        try {
            if (typeof data === "string") {
                throw new WireError("text frame: expected binary");
            }
            const { packages, then } = data.byteLength === 0
                ? { packages: [], then: "end" } : splitPackages(new Uint8Array(data));
            for (const { type, body } of packages) {
                this.#onPackage(type, body);
                if (this.#socket !== socket) {
                    return;
                }
            }
            if (then !== "end") {
                throw new WireError(then === "bad_type" ? "unknown package type" : "package cut short");
            }
        } catch (cause) {
            if (!(cause instanceof WireError) && !(cause instanceof SyntaxError)) {
                throw cause;
            }
            this.#fail(new ShaddockError("protocol", `the server broke the protocol: ${cause.message}`, { cause }));
        }
    }

    #onPackage(type, body) {
        switch (type) {
        case packageType.handshake:
            this.#onHandshake(JSON.parse(toText(body)));
            break;
        case packageType.heartbeat:
            this.#heartbeat?.received();
            break;
        case packageType.data:
            this.#onMessage(decodeMessage(body));
            break;
        case packageType.kick:
            this.#onKick(body);
            break;
        default:
            throw new WireError(`package type ${type} from a server`);
        }
    }

    #onHandshake(reply) {
        if (this.#state === "open") {
            throw new WireError("a second handshake");
        }
        if (reply?.code === 501) {
            this.#fail(new ShaddockError("client_too_old", "the server wants a newer client", { reply }));
        } else if (reply?.code !== 200) {
            this.#fail(new ShaddockError("handshake", "the server refused the handshake", { reply }));
        } else {
            const sys = reply.sys ?? {};
            this.#agree(sys);
            this.#onOpen({ sys, user: reply.user });
        }
    }

    /** Each handshake replaces what the one before has settled. */
    #agree(sys) {
        const sets = settle(sys, this.#remembered);
        this.#agreement = new Agreement(sets);
        remember(this.#options.memory, this.#options.url, sets);
    }

    #onOpen(said) {
        const { timers } = this.#options;
        this.#clearTimers();
        this.#heartbeat = new Heartbeat(timers, () => this.#sendPackage(packageType.heartbeat),
            () => this.#fail(new ShaddockError("heartbeat", "the server has gone silent")), (said.sys.heartbeat ?? 0) * 1000);
        this.#healthyTimer = timers.set(() => this.#backoff.reset(), this.#backoff.healthyMs);
        this.#state = "open";
        this.#sendPackage(packageType.ack);
        const isFirst = this.#connecting !== null;
        this.#connecting?.resolve(said);
        this.#connecting = null;
        this.#emit(isFirst ? "open" : "reconnect", said);
    }

    #onMessage({ type, id, route, body }) {
        if (type === messageType.response) {
            const waiting = this.#pending.get(id);
            // An unknown id is an answer that came too late.
            if (waiting !== undefined) {
                const answer = this.#agreement.decode(waiting.route, body);
                this.#pending.delete(id);
                waiting.resolve(answer);
            }
        } else if (type === messageType.push) {
            const name = this.#agreement.fullRoute(route);
            const value = this.#agreement.decode(name, body);
            this.#emit("push", { route: name, body: value });
            this.#pushListeners.call(name, value);
        } else {
            throw new WireError(`message type ${type} from a server`);
        }
    }

    #onKick(body) {
        const reason = String((body.length === 0 ? {} : JSON.parse(toText(body)))?.reason ?? "kick");
        // The socket's own close follows; what ends because of it should know why.
        this.#kickError = new ShaddockError("kicked", `closed by the server: ${reason}`, { reason });
        this.#emit("kick", { reason });
    }

    #mustBeOpen() {
        if (this.#state !== "open" || this.#kickError !== null) {
            throw this.#kickError ?? this.#closeError ?? new ShaddockError("closed", `not connected (${this.#state})`);
        }
    }

    #sendMessage(type, route, body, id) {
        // Also before it is signed: what does not fit is said to the caller.
        const bytes = this.#agreement.encode(route, body);
        if (this.#key === null) {
            this.#sendData(type, route, id, bytes);
            return;
        }
        const socket = this.#socket;
        const signing = signed(this.#key, body);
        signing.catch(() => {}); // it is awaited in its turn
        this.#signing = this.#signing.then(() => signing).then((whole) => {
            if (this.#socket === socket) {
                this.#sendData(type, route, id, this.#agreement.encode(route, whole));
            }
        }).catch((cause) => this.#onUnsigned(id, new ShaddockError("crypto", `${route}: not signed: ${cause.message}`, { cause })));
    }

    #onUnsigned(id, error) {
        const waiting = this.#pending.get(id);
        if (waiting === undefined) {
            this.#emit("error", error);
            return;
        }
        this.#pending.delete(id);
        waiting.reject(error);
    }

    #sendData(type, route, id, body) {
        this.#sendPackage(packageType.data, encodeMessage({ type, id, route: this.#agreement.shortRoute(route), body }));
    }

    #sendPackage(type, body) {
        this.#socket.send(encodePackage(type, body));
    }

    /** The connection has failed. A kick's reason explains the close that follows it. */
    #fail(error) {
        const reason = this.#kickError ?? error;
        if (reason.code === "protocol") {
            // Maybe what was remembered is to blame.
            forget(this.#options.memory, this.#options.url);
        }
        this.#end(reason, !isFinal(reason));
    }

    /** The one way out of a connection: to the next one, or to `closed`. */
    #end(reason, mayRetry) {
        if (this.#state === "closed" || this.#state === "idle") {
            this.#state = "closed";
            return;
        }
        const wasOpen = this.#state === "open";
        const connecting = this.#connecting;
        this.#connecting = null;
        const next = mayRetry && connecting === null ? this.#backoff.next() : null;
        this.#state = next === null ? "closed" : "reconnecting";
        this.#closeError = next === null ? reason : null;
        this.#kickError = next === null ? this.#kickError : null;
        this.#dropSocket(reason);
        if (connecting !== null) {
            connecting.reject(reason);
            return;
        }
        if (next !== null) {
            this.#retryTimer = this.#options.timers.set(() => this.retry(), next.delayMs);
        }
        this.#tellEnd(reason, wasOpen, next);
    }

    #tellEnd(reason, wasOpen, next) {
        if (wasOpen && (reason.code === "protocol" || reason.code === "heartbeat")) {
            this.#emit("error", reason);
        }
        if (next === null) {
            this.#emit("close", reason);
            return;
        }
        if (wasOpen) {
            this.#emit("disconnect", reason);
        }
        // A listener may have closed meanwhile.
        if (this.#state === "reconnecting") {
            this.#emit("reconnecting", { ...next, error: reason });
        }
    }

    #dropSocket(reason) {
        this.#clearTimers();
        this.#heartbeat?.stop();
        this.#heartbeat = null;
        const socket = this.#socket;
        this.#socket = null;
        socket?.close();
        const pending = [...this.#pending.values()];
        this.#pending.clear();
        for (const waiting of pending) {
            waiting.reject(reason);
        }
    }

    #clearTimers() {
        const { timers } = this.#options;
        [this.#handshakeTimer, this.#retryTimer, this.#healthyTimer].forEach((timer) => timer !== null && timers.clear(timer));
        this.#handshakeTimer = this.#retryTimer = this.#healthyTimer = null;
    }

    #emit(event, argument) {
        this.#listeners.call(event, argument);
    }
}

export { ShaddockError, WireError, defaultMemory, defaultReconnect, isFinal, signingKey, storageMemory };
