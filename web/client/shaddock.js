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
 * A client serves one connection: after `close` make a new one.
 * @module shaddock
 */
import {
    WireError, decodeMessage, encodeMessage, encodePackage, messageType, packageType, splitPackages, toBytes, toText,
} from "./wire.js";

/** Milliseconds until a request is given up, unless said otherwise. */
export const defaultRequestTimeoutMs = 10_000;

/** Milliseconds from `connect` to the end of the handshake, unless said otherwise. */
export const defaultConnectTimeoutMs = 10_000;

/** How many heartbeat periods may pass in silence. As Pomelo's JavaScript client. */
const silentPeriods = 2;

/** A deadline reached this early is taken as reached: timers are not exact. */
const deadlineSlackMs = 100;

/**
 * What can go wrong; `code` says which:
 *
 * | code | when |
 * |---|---|
 * | `connect` | the server cannot be reached |
 * | `handshake` | the server refused the handshake (`reply.code` 500) |
 * | `client_too_old` | the server wants a newer client (`reply.code` 501) |
 * | `timeout` | no answer in time; of `connect` or `request` |
 * | `heartbeat` | the server has been silent for two heartbeat periods |
 * | `closed` | the connection is closed, or was before the answer came |
 * | `kicked` | the server closed the connection with a reason (`reason`) |
 * | `protocol` | the server sent bytes that break the rules of the wire |
 */
export class ShaddockError extends Error {
    /**
     * @param {string} code a row of the table
     * @param {string} message for a person
     * @param {object} [details] further fields: `reason`, `reply`, `cause`
     */
    constructor(code, message, details = {}) {
        super(message);
        Object.assign(this, details);
        this.name = "ShaddockError";
        this.code = code;
    }
}

/**
 * Bodies as JSON. The place where another form of body (protobuf, chosen per route at the handshake) is put in.
 * @type {{encode: (route: string, body: any) => Uint8Array, decode: (route: string, bytes: Uint8Array) => any}}
 */
export const jsonBodies = Object.freeze({
    encode: (_route, body) => toBytes(JSON.stringify(body ?? {})),
    decode: (_route, bytes) => (bytes.length === 0 ? {} : JSON.parse(toText(bytes))),
});

/**
 * Timers that a client uses. A page may bring others, since browsers slow the built-in ones down in hidden tabs.
 * @type {{set: (callback: () => void, delayMs: number) => any, clear: (handle: any) => void}}
 */
export const plainTimers = Object.freeze({
    set: (callback, delayMs) => setTimeout(callback, delayMs),
    clear: (handle) => clearTimeout(handle),
});

/** One connection to one frontend server. */
export class Client {
    #options;
    #socket = null;
    #state = "idle";
    #connecting = null;
    #listeners = new Map();
    #pushListeners = new Map();
    #pending = new Map();
    #nextId = 1;
    #routeToCode = new Map();
    #codeToRoute = new Map();
    #bodies = jsonBodies;
    #heartbeat = new Heartbeat(plainTimers, () => {}, () => {});
    #closeError = null;

    /**
     * @param {object} options
     * @param {string} options.url `ws://host:port` or `wss://host:port`
     * @param {any} [options.user] given to the application's handshake hook
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
        given.requestTimeoutMs ??= defaultRequestTimeoutMs;
        given.connectTimeoutMs ??= defaultConnectTimeoutMs;
        given.timers ??= plainTimers;
        this.#options = given;
    }

    /** `idle`, `connecting`, `open` or `closed`. */
    get state() {
        return this.#state;
    }

    /**
     * Opens the connection and shakes hands.
     * @returns {Promise<{sys: object, user: any}>} what the server said in the handshake
     * @throws {ShaddockError} `connect`, `handshake`, `client_too_old`, `timeout`, `protocol`, `closed`
     */
    connect() {
        if (this.#state !== "idle") {
            return Promise.reject(new ShaddockError("closed", "a client connects once: make a new one"));
        }
        this.#state = "connecting";
        return new Promise((resolve, reject) => {
            const { timers, connectTimeoutMs, url } = this.#options;
            const timer = timers.set(() => {
                this.#fail(new ShaddockError("timeout", `no handshake with ${url} within ${connectTimeoutMs} ms`));
            }, connectTimeoutMs);
            this.#connecting = {
                resolve: (reply) => { timers.clear(timer); resolve(reply); },
                reject: (error) => { timers.clear(timer); reject(error); },
            };
            this.#openSocket();
        });
    }

    /**
     * Asks and waits for the answer. Answers may come in another order than the requests.
     * @param {string} route `type.handler.method`
     * @param {any} [body] JSON value; default `{}`
     * @param {{timeoutMs?: number}} [options]
     * @returns {Promise<any>} the answer's body. An answer such as `{"code":500}` is an answer, not an error
     * @throws {ShaddockError} `timeout`, `closed`, `kicked`, `heartbeat`, `protocol`; {@link WireError} if it does not fit
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
     * @param {any} [body] JSON value; default `{}`
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
     * | `open` | the handshake's reply |
     * | `push` | `{route, body}`: every push, also those of {@link onPush} |
     * | `kick` | `{reason}`: the server is about to close |
     * | `error` | {@link ShaddockError}: why the connection is being closed from this side |
     * | `close` | {@link ShaddockError}: why; once, and the last event. Not after a failed `connect` |
     *
     * @param {"open"|"push"|"kick"|"error"|"close"} event
     * @param {(argument: any) => void} listener
     * @returns {() => void} ends the listening
     */
    on(event, listener) {
        return addTo(this.#listeners, event, listener);
    }

    /**
     * Listens to the pushes of one route.
     * @param {string} route for example `onChat`
     * @param {(body: any) => void} listener
     * @returns {() => void} ends the listening
     */
    onPush(route, listener) {
        return addTo(this.#pushListeners, route, listener);
    }

    /** Closes. Requests that still wait end with `closed`. Safe at any time, more than once. */
    close() {
        this.#fail(new ShaddockError("closed", "closed by this client"));
    }

    #openSocket() {
        const { WebSocket, url } = this.#options;
        let socket;
        try {
            socket = new WebSocket(url);
        } catch (cause) {
            this.#fail(new ShaddockError("connect", `${url}: ${cause.message}`, { cause }));
            return;
        }
        this.#socket = socket;
        socket.binaryType = "arraybuffer";
        socket.addEventListener("open", () => this.#sendHandshake());
        socket.addEventListener("message", (event) => this.#onFrame(event.data));
        // A browser says nothing about the cause; the close event follows.
        socket.addEventListener("error", () => {});
        socket.addEventListener("close", (event) => {
            const error = this.#state === "connecting"
                ? new ShaddockError("connect", `${url}: no connection`)
                : new ShaddockError("closed", `closed by the server (${event.code})`);
            this.#fail(error);
        });
    }

    #sendHandshake() {
        const request = { sys: { type: "shaddock-js", version: "0.1.0", rsa: {} } };
        if (this.#options.user !== undefined) {
            request.user = this.#options.user;
        }
        this.#sendPackage(packageType.handshake, toBytes(JSON.stringify(request)));
    }

    #onFrame(data) {
        if (this.#state === "closed") {
            return;
        }
        this.#heartbeat.heard();
        try {
            if (typeof data === "string") {
                throw new WireError("text frame: expected binary");
            }
            const { packages, then } = data.byteLength === 0
                ? { packages: [], then: "end" } : splitPackages(new Uint8Array(data));
            for (const { type, body } of packages) {
                this.#onPackage(type, body);
                if (this.#state === "closed") {
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
            this.#heartbeat.received();
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
        if (this.#state !== "connecting") {
            throw new WireError("a second handshake");
        }
        if (reply?.code === 501) {
            this.#fail(new ShaddockError("client_too_old", "the server wants a newer client", { reply }));
            return;
        }
        if (reply?.code !== 200) {
            this.#fail(new ShaddockError("handshake", "the server refused the handshake", { reply }));
            return;
        }
        const sys = reply.sys ?? {};
        this.#learnDictionary(sys);
        this.#heartbeat = new Heartbeat(this.#options.timers, () => this.#sendPackage(packageType.heartbeat),
            () => this.#fail(new ShaddockError("heartbeat", "the server has gone silent")), (sys.heartbeat ?? 0) * 1000);
        this.#state = "open";
        this.#sendPackage(packageType.ack);
        const said = { sys, user: reply.user };
        this.#connecting.resolve(said);
        this.#connecting = null;
        this.#emit("open", said);
    }

    /** Each handshake replaces the dictionary. Maps, because a route may be called `__proto__`. */
    #learnDictionary(sys) {
        const codes = Object.entries(sys.routeToCode ?? sys.dict ?? {});
        this.#routeToCode = new Map(codes);
        this.#codeToRoute = new Map(codes.map(([route, code]) => [code, route]));
        for (const [code, route] of Object.entries(sys.codeToRoute ?? {})) {
            this.#codeToRoute.set(Number(code), route);
        }
    }

    #onMessage({ type, id, route, body }) {
        if (type === messageType.response) {
            const waiting = this.#pending.get(id);
            // An unknown id is an answer that came too late.
            if (waiting !== undefined) {
                const answer = this.#bodies.decode(waiting.route, body);
                this.#pending.delete(id);
                waiting.resolve(answer);
            }
        } else if (type === messageType.push) {
            const name = typeof route === "number" ? this.#codeToRoute.get(route) : route;
            if (name === undefined) {
                throw new WireError(`push with the unknown route code ${route}`);
            }
            const value = this.#bodies.decode(name, body);
            this.#emit("push", { route: name, body: value });
            call(this.#pushListeners.get(name), value);
        } else {
            throw new WireError(`message type ${type} from a server`);
        }
    }

    #onKick(body) {
        const reason = String((body.length === 0 ? {} : JSON.parse(toText(body)))?.reason ?? "kick");
        // The socket's own close follows; what ends because of it should know why.
        this.#closeError = new ShaddockError("kicked", `closed by the server: ${reason}`, { reason });
        this.#emit("kick", { reason });
    }

    #mustBeOpen() {
        if (this.#state !== "open") {
            throw this.#closeError ?? new ShaddockError("closed", `not connected (${this.#state})`);
        }
    }

    #sendMessage(type, route, body, id) {
        const bytes = this.#bodies.encode(route, body);
        const message = encodeMessage({ type, id, route: this.#routeToCode.get(route) ?? route, body: bytes });
        this.#sendPackage(packageType.data, message);
    }

    #sendPackage(type, body) {
        this.#socket.send(encodePackage(type, body));
    }

    /** The one way to `closed`. The first error wins, but a kick's reason explains the close that follows it. */
    #fail(error) {
        if (this.#state === "closed" || this.#state === "idle") {
            this.#state = "closed";
            return;
        }
        const reason = this.#closeError ?? error;
        this.#closeError = reason;
        this.#state = "closed";
        this.#heartbeat.stop();
        this.#socket?.close();
        const pending = [...this.#pending.values()];
        this.#pending.clear();
        for (const waiting of pending) {
            waiting.reject(reason);
        }
        if (this.#connecting !== null) {
            this.#connecting.reject(reason);
            this.#connecting = null;
            return;
        }
        if (reason.code === "protocol" || reason.code === "heartbeat") {
            this.#emit("error", reason);
        }
        this.#emit("close", reason);
    }

    #emit(event, argument) {
        call(this.#listeners.get(event), argument);
    }
}

/**
 * Keeps a connection alive the way Pomelo's JavaScript client does: the server's first heartbeat starts it; each one
 * is answered after one period, and then the server must be heard of, in any form, within two periods.
 */
class Heartbeat {
    #timers;
    #send;
    #silent;
    #periodMs;
    #sendTimer = null;
    #deadlineTimer = null;
    #deadline = 0;

    constructor(timers, send, silent, periodMs = 0) {
        this.#timers = timers;
        this.#send = send;
        this.#silent = silent;
        this.#periodMs = periodMs;
    }

    /** A frame of any kind has come. */
    heard() {
        this.#deadline = Date.now() + silentPeriods * this.#periodMs;
    }

    /** A heartbeat has come. */
    received() {
        if (this.#periodMs === 0) {
            return;
        }
        this.#clearDeadline();
        if (this.#sendTimer === null) {
            this.#sendTimer = this.#timers.set(() => {
                this.#sendTimer = null;
                this.#send();
                this.heard();
                this.#await(silentPeriods * this.#periodMs);
            }, this.#periodMs);
        }
    }

    stop() {
        this.#timers.clear(this.#sendTimer);
        this.#sendTimer = null;
        this.#clearDeadline();
    }

    #await(delayMs) {
        this.#deadlineTimer = this.#timers.set(() => {
            const leftMs = this.#deadline - Date.now();
            if (leftMs > deadlineSlackMs) {
                this.#await(leftMs);
            } else {
                this.#silent();
            }
        }, delayMs);
    }

    #clearDeadline() {
        this.#timers.clear(this.#deadlineTimer);
        this.#deadlineTimer = null;
    }
}

function addTo(listeners, name, listener) {
    const known = listeners.get(name) ?? new Set();
    listeners.set(name, known.add(listener));
    return () => known.delete(listener);
}

function call(listeners, argument) {
    for (const listener of [...(listeners ?? [])]) {
        listener(argument);
    }
}

export { WireError };
