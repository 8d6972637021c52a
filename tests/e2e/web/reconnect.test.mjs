/** How web/client/shaddock.js comes back after a loss: real sockets, a clock of the test's own. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import WebSocket from "ws";
import { Backoff, defaultReconnect } from "../../../web/client/backoff.js";
import { Client } from "../../../web/client/shaddock.js";
import { FakeTimers } from "../lib/fake_timers.mjs";
import { listen, packet, response } from "../lib/fake_pomelo.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";

endProcessAfter(60_000);

const exact = { firstDelayMs: 500, factor: 2, maxDelayMs: 3_000, jitter: 0, healthyMs: 10_000 };

let server;
let timers;
let client;
let events;
/** Whether new sockets lead nowhere. */
let isUnreachable;

class Socket extends WebSocket {
    constructor(url) {
        super(isUnreachable ? "ws://127.0.0.1:1" : url);
    }
}

beforeEach(async () => {
    isUnreachable = false;
    timers = new FakeTimers();
    server = await listen({ onMessage: (peer, { id, body }) => id > 0 && !body.mute && peer.send(response(id, body)) });
});

afterEach(async () => {
    client.close();
    assert.equal(timers.waiting, 0, "no timer is left over");
    await server.close();
});

async function connect(options) {
    client = new Client({ url: server.url, WebSocket: Socket, timers, reconnect: exact, ...options });
    events = [];
    for (const name of ["open", "kick", "error", "disconnect", "reconnecting", "reconnect", "close"]) {
        client.on(name, (argument) => events.push([name, argument.code ?? argument.delayMs ?? argument.reason ?? null]));
    }
    await client.connect();
    await peerOf(1);
}

/** The server's side of the connection of that number, once it is up. */
function peerOf(number) {
    return until(() => server.everyPeer[number - 1]?.packages.some(({ type }) => type === 2)
        && server.everyPeer[number - 1], `connection ${number}`);
}

const has = (...expected) => until(() => events.length >= expected.length, `events ${expected}, found ${events}`)
    .catch(() => {}).then(() => assert.deepEqual(events.splice(0), expected));

/** Loses the connection of that number; the first delay is then running. */
async function lose(number) {
    (await peerOf(number)).socket.terminate();
    await until(() => client.state === "reconnecting", "loss");
}

describe("a lost connection", () => {
    test("without the option is closed for good", async () => {
        await connect({ reconnect: undefined });
        (await peerOf(1)).socket.terminate();
        await has(["open", null], ["close", "closed"]);
        assert.equal(client.state, "closed");
    });

    test("is opened again after the first delay, and works", async () => {
        await connect({ user: { token: 7 } });
        await lose(1);
        await has(["open", null], ["disconnect", "closed"], ["reconnecting", 500]);
        timers.pass(499);
        assert.equal(server.everyPeer.length, 1);
        timers.pass(1);
        const peer = await peerOf(2);
        await has(["reconnect", null]);
        assert.equal(client.state, "open");
        assert.deepEqual(peer.handshake.user, { token: 7 });
        assert.deepEqual(await client.request("a.b.c", { x: 1 }), { x: 1 });
        const ids = server.everyPeer.flatMap(({ packages }) => packages).filter(({ type }) => type === 4).map(({ body }) => body[1]);
        assert.deepEqual(ids, [1]);
    });

    test("fails what waits; nothing is sent twice, and what is asked meanwhile fails too", async () => {
        await connect();
        const asked = assert.rejects(client.request("a.b.c", { mute: 1 }), { name: "ShaddockError", code: "closed" });
        await until(() => server.everyPeer[0].packages.some(({ type }) => type === 4), "request");
        await lose(1);
        await asked;
        await assert.rejects(client.request("a.b.c"), { code: "closed" });
        assert.throws(() => client.notify("a.b.c"), { code: "closed" });
        timers.pass(500);
        const peer = await peerOf(2);
        assert.deepEqual(await client.request("a.b.c", { x: 1 }), { x: 1 });
        assert.equal(peer.packages.filter(({ type }) => type === 4).length, 1);
    });

    test("ids go on, so that no late answer is taken for another", async () => {
        await connect();
        await client.request("a.b.c");
        await lose(1);
        timers.pass(500);
        const peer = await peerOf(2);
        await client.request("a.b.c");
        assert.equal(peer.packages.find(({ type }) => type === 4).body[1], 2);
    });

    test("the delays grow to their limit while the server cannot be reached", async () => {
        await connect();
        isUnreachable = true;
        await lose(1);
        await has(["open", null], ["disconnect", "closed"], ["reconnecting", 500]);
        for (const [waited, next] of [[500, 1000], [1000, 2000], [2000, 3000], [3000, 3000], [3000, 3000]]) {
            timers.pass(waited);
            await has(["reconnecting", next]);
        }
        isUnreachable = false;
        timers.pass(3000);
        await has(["reconnect", null]);
    });

    test("a connection that lasts makes the next delay the first again, a short one does not", async () => {
        await connect();
        await lose(1);
        timers.pass(500);
        await peerOf(2);
        timers.pass(9_999);
        await lose(2);
        timers.pass(1000);
        await peerOf(3);
        timers.pass(10_000);
        await lose(3);
        assert.deepEqual(events.filter(([name]) => name === "reconnecting").map(([, delayMs]) => delayMs), [500, 1000, 500]);
    });

    test("after the last attempt it is closed", async () => {
        await connect({ reconnect: { ...exact, attempts: 2 } });
        isUnreachable = true;
        await lose(1);
        timers.pass(500);
        await has(["open", null], ["disconnect", "closed"], ["reconnecting", 500], ["reconnecting", 1000]);
        timers.pass(1000);
        await has(["close", "connect"]);
        assert.equal(client.state, "closed");
    });

    test("a server that does not answer the handshake, or refuses it, is tried again", async () => {
        await connect({ connectTimeoutMs: 700 });
        server.behaviour.handshake = null;
        await lose(1);
        timers.pass(500);
        await until(() => server.everyPeer[1]?.handshake, "handshake");
        timers.pass(700);
        server.behaviour.handshake = { code: 500 };
        timers.pass(1000);
        await has(["open", null], ["disconnect", "closed"], ["reconnecting", 500], ["reconnecting", 1000], ["reconnecting", 2000]);
        server.behaviour.handshake = undefined;
        timers.pass(2000);
        await has(["reconnect", null]);
    });

    test("so is one that breaks the protocol", async () => {
        await connect();
        server.everyPeer[0].send(packet(2));
        await has(["open", null], ["error", "protocol"], ["disconnect", "protocol"], ["reconnecting", 500]);
        timers.pass(500);
        await has(["reconnect", null]);
    });

    test("retry does not wait, neither for the delay nor for a try that hangs", async () => {
        await connect();
        client.retry();
        assert.equal(client.state, "open");
        server.behaviour.handshake = null;
        await lose(1);
        client.retry();
        await until(() => server.everyPeer[1]?.handshake, "handshake");
        server.behaviour.handshake = undefined;
        client.retry();
        await peerOf(3);
        await until(() => client.state === "open", "connection");
        timers.pass(20_000);
        assert.deepEqual([client.state, server.everyPeer.length], ["open", 3]);
        await has(["open", null], ["disconnect", "closed"], ["reconnecting", 500], ["reconnect", null]);
    });

    test("the dictionary is the new connection's", async () => {
        server.behaviour.dict = { "a.b.c": 5 };
        await connect({ memory: new Map() });
        await lose(1);
        server.behaviour.dict = { "a.b.c": 6 };
        timers.pass(500);
        await peerOf(2);
        await client.request("a.b.c");
        assert.equal(server.everyPeer[1].packages.at(-1).body.readUInt16BE(2), 6);
    });
});

describe("no reconnect", () => {
    test("after close", async () => {
        await connect();
        client.close();
        await has(["open", null], ["close", "closed"]);
    });

    test("after close while waiting, which ends it", async () => {
        await connect();
        await lose(1);
        client.close();
        assert.equal(client.state, "closed");
        timers.pass(60_000);
        await has(["open", null], ["disconnect", "closed"], ["reconnecting", 500], ["close", "closed"]);
        assert.equal(server.everyPeer.length, 1);
    });

    test("after close by a listener of disconnect", async () => {
        await connect();
        client.on("disconnect", () => client.close());
        (await peerOf(1)).socket.terminate();
        await has(["open", null], ["disconnect", "closed"], ["close", "closed"]);
    });

    test("after close while trying", async () => {
        await connect();
        await lose(1);
        server.behaviour.handshake = null;
        timers.pass(500);
        await until(() => server.everyPeer[1]?.handshake, "handshake");
        client.close();
        await until(() => server.peers.size === 0, "closed connection");
        assert.equal(events.at(-1)[0], "close");
    });

    test("after a kick", async () => {
        await connect();
        const peer = await peerOf(1);
        peer.send(packet(5, { reason: "maintenance" }));
        peer.socket.close();
        await has(["open", null], ["kick", "maintenance"], ["close", "kicked"]);
    });

    test("but after a kick that is not about this client it comes back, and speaks", async () => {
        await connect();
        for (const [index, reason] of ["shutdown", "lost"].entries()) {
            const peer = await peerOf(index + 1);
            const asked = assert.rejects(client.request("a.b.c", { mute: 1 }), { code: "kicked", reason });
            peer.send(packet(5, { reason }));
            peer.socket.close();
            await asked;
            await until(() => client.state === "reconnecting", "loss");
            timers.pass(1000);
            await peerOf(index + 2);
            await until(() => client.state === "open", "open");
            assert.deepEqual(await client.request("a.b.c", { x: index }), { x: index });
        }
        await has(["open", null], ["kick", "shutdown"], ["disconnect", "kicked"], ["reconnecting", 500], ["reconnect", null],
            ["kick", "lost"], ["disconnect", "kicked"], ["reconnecting", 1000], ["reconnect", null]);
    });

    test("when the server wants a newer client", async () => {
        await connect();
        server.behaviour.handshake = { code: 501 };
        await lose(1);
        timers.pass(500);
        await has(["open", null], ["disconnect", "closed"], ["reconnecting", 500], ["close", "client_too_old"]);
        await assert.rejects(client.request("a.b.c"), { code: "client_too_old" });
    });

    test("when the first connection fails: that is told to who asked", async () => {
        isUnreachable = true;
        client = new Client({ url: server.url, WebSocket: Socket, timers, reconnect: true });
        await assert.rejects(client.connect(), { code: "connect" });
        assert.equal(client.state, "closed");
    });
});

describe("Backoff", () => {
    const delaysOf = (options, count) => {
        const backoff = new Backoff(options);
        return Array.from({ length: count }, () => backoff.next()?.delayMs ?? null);
    };

    test("false is never, true is the defaults", () => {
        assert.deepEqual([delaysOf(false, 1), delaysOf(undefined, 1)], [[null], [null]]);
        assert.deepEqual(delaysOf({ firstDelayMs: undefined, jitter: 0 }, 2), [500, 1000]);
        const delays = delaysOf(true, 12);
        delays.forEach((delayMs, index) => {
            const full = Math.min(defaultReconnect.maxDelayMs, defaultReconnect.firstDelayMs * 2 ** index);
            assert.ok(delayMs <= full && delayMs >= full * (1 - defaultReconnect.jitter) - 1, `${index}: ${delayMs}`);
        });
    });

    test("jitter spreads", () => {
        const delays = Array.from({ length: 50 }, () => delaysOf({ firstDelayMs: 1000, jitter: 1 }, 1)[0]);
        assert.ok(new Set(delays).size > 25);
        assert.deepEqual(delaysOf({ firstDelayMs: 100, jitter: 0 }, 3), [100, 200, 400]);
    });

    test("attempts are counted, reset begins anew", () => {
        const backoff = new Backoff({ ...exact, attempts: 2 });
        assert.deepEqual([backoff.next(), backoff.next(), backoff.next()],
            [{ attempt: 1, delayMs: 500 }, { attempt: 2, delayMs: 1000 }, null]);
        backoff.reset();
        assert.deepEqual(backoff.next(), { attempt: 1, delayMs: 500 });
    });
});
