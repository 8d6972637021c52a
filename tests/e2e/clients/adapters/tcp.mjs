/** A client on a plain TCP stream that believes nothing: what breaks a rule of the protocol becomes a fault. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { Adapter } from "./adapter.mjs";
import {
    PackageReader, decodeBody, decodeMessage, encodeBody, encodeMessage, encodePackage, messageType, packageType,
} from "./wire.mjs";

export class Tcp extends Adapter {
    static kind = "raw TCP";

    /** How pushes came: `onChat: code, protobuf`; each once. */
    seen = new Set();
    /** The server's answer to the present connection's handshake. */
    handshake = null;
    #connection = null;

    connect(host, port) {
        this.handshake = null;
        return new Promise((resolve, reject) => {
            const connection = new Connection(this, this.dial(host, port), { resolve, reject });
            this.#connection = connection;
        });
    }

    /** @returns {import("node:net").Socket} on its way to the server */
    dial(host, port) {
        return connect({ host, port, noDelay: true });
    }

    /** @param {Connection} connection @returns {boolean} whether it is not one that was left */
    isPresent(connection) {
        return connection === this.#connection;
    }

    /** The `sys` of the handshake. */
    sys() {
        return { type: "tcp", version: "1.0.0" };
    }

    /** @returns {{dict: object, protos: object}} what holds after this handshake */
    learn({ sys }) {
        return {
            routes: new Map(Object.entries(sys.routeToCode ?? {})),
            protos: sys.protos ?? { server: {}, client: {} },
        };
    }

    /** In what pieces a package is written. In two, so that the server sees an incomplete head first. */
    pieces(bytes) {
        return [bytes.subarray(0, 3), bytes.subarray(3)];
    }

    heartbeats = true;

    /** What becomes of a body before it is sent. */
    dress(body) {
        return body;
    }

    request(route, body) {
        return this.#connection.request(route, body);
    }

    notify(route, body) {
        this.#connection.send(0, route, body);
    }

    disconnect() {
        const connection = this.#connection;
        this.#connection = null;
        connection?.close();
    }
}

class Connection {
    #client;
    #socket;
    #opening;
    #reader = new PackageReader();
    #waiting = new Map();
    #nextId = 1;
    #routes = new Map();
    #names = new Map();
    #protos = { server: {}, client: {} };
    #beatTimer = null;
    #answerTimer = null;

    constructor(client, socket, opening) {
        this.#client = client;
        this.#socket = socket;
        this.#opening = opening;
        socket.on("connect", () => this.#write(packageType.handshake, { sys: client.sys() }));
        socket.on("data", (bytes) => this.#onBytes(bytes));
        // A connection that the server cut: `close` follows.
        socket.on("error", (error) => opening.reject(error));
        socket.on("close", () => this.#onClose());
    }

    request(route, body) {
        const id = this.#nextId++;
        return new Promise((resolve) => {
            this.#waiting.set(id, { route, resolve });
            this.send(id, route, body);
        });
    }

    send(id, route, plain) {
        const body = this.#client.dress(plain);
        const protos = this.#protos.client[route];
        const bytes = protos ? encodeBody(protos, body) : Buffer.from(JSON.stringify(body));
        this.#write(packageType.data, encodeMessage(id, this.#routes.get(route) ?? route, bytes));
    }

    close() {
        clearTimeout(this.#beatTimer);
        clearTimeout(this.#answerTimer);
        this.#socket.destroy();
    }

    #write(type, body) {
        const bytes = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
        for (const piece of this.#client.pieces(encodePackage(type, bytes))) {
            this.#socket.write(piece);
        }
    }

    #onClose() {
        clearTimeout(this.#beatTimer);
        clearTimeout(this.#answerTimer);
        if (this.#reader.waiting > 0) {
            this.#fault(new Error("the connection ended inside a package"));
        }
        if (this.#client.isPresent(this)) {
            this.#client.events.push(["close"]);
        }
    }

    #fault(error) {
        if (this.#client.isPresent(this)) {
            this.#client.faults.push(error.message);
        }
        this.#opening.reject(error);
        this.close();
    }

    #onBytes(bytes) {
        try {
            for (const { type, body } of this.#reader.read(bytes)) {
                this.#onPackage(type, body);
            }
        } catch (error) {
            this.#fault(error);
        }
    }

    #onPackage(type, body) {
        const isOpen = this.#client.handshake !== null;
        if (!isOpen) {
            assert.equal(type, packageType.handshake, "the first package is the handshake's answer");
            this.#onHandshake(JSON.parse(body));
        } else if (type === packageType.heartbeat) {
            assert.equal(body.length, 0, "a heartbeat has no body");
            this.#onHeartbeat();
        } else if (type === packageType.data) {
            this.#onMessage(decodeMessage(body));
        } else if (type === packageType.kick) {
            const { reason } = JSON.parse(body);
            this.#client.events.push(["kick", reason]);
        } else {
            assert.fail(`package of type ${type} from a server`);
        }
    }

    #onHandshake(answer) {
        assert.equal(answer.code, 200);
        assert.equal(typeof answer.sys, "object");
        const { sys } = answer;
        checkWhole(sys, ["routeToCode", "codeToRoute", "dictVersion"], "useDict");
        checkWhole(sys.protos ?? {}, ["server", "client", "version"], "protos");
        const { routes, protos } = this.#client.learn(answer);
        this.#routes = routes;
        this.#names = new Map([...routes].map(([route, code]) => [code, route]));
        this.#protos = protos;
        this.#client.handshake = answer;
        this.#write(packageType.ack);
        if (sys.heartbeat !== undefined && this.#client.heartbeats) {
            this.#beatLater();
        }
        this.#opening.resolve();
    }

    /** As in C: `heartbeat` seconds, a beat, at most twice as long for the answer to it, and again. */
    #beatLater() {
        const { heartbeat } = this.#client.handshake.sys;
        this.#beatTimer = setTimeout(() => {
            this.#write(packageType.heartbeat);
            this.#answerTimer = setTimeout(() => this.#fault(new Error("no answer to a heartbeat")), 2000 * heartbeat);
        }, 1000 * heartbeat);
    }

    #onHeartbeat() {
        // The one after the ack answers nothing.
        if (this.#answerTimer !== null) {
            clearTimeout(this.#answerTimer);
            this.#answerTimer = null;
            this.#beatLater();
        }
    }

    #onMessage({ flag, type, id, route, body }) {
        assert.ok(flag < 0x10, `flag ${flag}: bits above the type`);
        assert.ok(body.length > 0, "an empty body cannot be read in C");
        if (type === messageType.response) {
            assert.equal(flag, 4, "a response has no route");
            const asked = this.#waiting.get(id) ?? assert.fail(`a response to ${id}, which was not asked`);
            this.#waiting.delete(id);
            // In C responses are JSON always.
            asked.resolve(JSON.parse(body));
            return;
        }
        assert.equal(type, messageType.push, "what is no response is a push");
        const isCode = typeof route === "number";
        const name = isCode ? this.#names.get(route) ?? assert.fail(`route code ${route} was not told`) : route;
        const protos = this.#protos.server[name];
        this.#client.seen.add(`${name}: ${isCode ? "code" : "text"}, ${protos ? "protobuf" : "JSON"}`);
        this.#client.events.push([name, protos ? decodeBody(protos, body) : JSON.parse(body)]);
    }
}

function checkWhole(object, names, what) {
    const there = names.filter((name) => name in object);
    assert.ok(there.length === 0 || there.length === names.length, `${what}: only ${there} of ${names}`);
}
