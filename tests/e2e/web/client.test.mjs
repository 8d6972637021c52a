/** web/client/shaddock.js against a small server of the test's own. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import WebSocket from "ws";
import { Client } from "../../../web/client/shaddock.js";
import { listen, packet, push, response } from "../lib/fake_pomelo.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";

endProcessAfter(60_000);

const servers = [];
const clients = [];

async function serve(behaviour) {
    const server = await listen(behaviour);
    servers.push(server);
    return server;
}

function clientOf(server, options) {
    const client = new Client({ url: server.url, WebSocket, ...options });
    clients.push(client);
    return client;
}

async function connected(behaviour, options) {
    const server = await serve(behaviour);
    const client = clientOf(server, options);
    await client.connect();
    const peer = await until(() => [...server.peers].find(({ packages }) => packages.some(({ type }) => type === 2)), "ack");
    return { server, client, peer };
}

function eventsOf(client) {
    const events = [];
    for (const name of ["open", "push", "kick", "error", "close"]) {
        client.on(name, (argument) => events.push([name, argument]));
    }
    return events;
}

const echo = { onMessage: (peer, { id, body }) => id > 0 && peer.send(response(id, body)) };
const dictionary = {
    useDict: true,
    routeToCode: { "chat.chatHandler.send": 1, onChat: 300, __proto__x: 2 },
    codeToRoute: { 1: "chat.chatHandler.send", 300: "onChat", 2: "__proto__x" },
};

afterEach(async () => {
    clients.splice(0).forEach((client) => client.close());
    await Promise.all(servers.splice(0).map((server) => server.close()));
});

describe("handshake", () => {
    test("says who it is, acks, and gives what the server said", async () => {
        const server = await serve({ handshake: { code: 200, sys: { heartbeat: 7 }, user: { seat: 3 } } });
        const client = clientOf(server, { user: { token: "你" } });
        assert.equal(client.state, "idle");
        const said = await client.connect();
        assert.deepEqual(said, { sys: { heartbeat: 7 }, user: { seat: 3 } });
        assert.equal(client.state, "open");
        const [peer] = server.peers;
        await until(() => peer.packages.length === 2, "handshake and ack");
        assert.deepEqual(peer.packages.map(({ type }) => type), [1, 2]);
        assert.equal(peer.handshake.sys.type, "shaddock-js");
        assert.deepEqual(peer.handshake.user, { token: "你" });
    });

    for (const [reply, code] of [[{ code: 500 }, "handshake"], [{ code: 501 }, "client_too_old"], [{}, "handshake"]]) {
        test(`the answer ${JSON.stringify(reply)} is the error ${code}, and no ack is sent`, async () => {
            const server = await serve({ handshake: reply });
            const client = clientOf(server);
            const events = eventsOf(client);
            await assert.rejects(client.connect(), { name: "ShaddockError", code });
            await until(() => server.peers.size === 0, "closed connection");
            assert.deepEqual(server.everyPeer[0].packages.map(({ type }) => type), [1]);
            assert.deepEqual(events, []);
        });
    }

    test("a server that is not there", async () => {
        const server = await serve();
        await server.close();
        servers.pop();
        await assert.rejects(clientOf(server).connect(), { code: "connect" });
    });

    test("a server that does not answer", async () => {
        const server = await serve({ handshake: null });
        await assert.rejects(clientOf(server, { connectTimeoutMs: 50 }).connect(), { code: "timeout" });
    });

    test("close while connecting", async () => {
        const server = await serve({ handshake: null });
        const client = clientOf(server);
        const connecting = client.connect();
        client.close();
        await assert.rejects(connecting, { code: "closed" });
        await assert.rejects(client.connect(), { code: "closed" });
    });

    test("without any WebSocket it says what is missing", () => {
        assert.throws(() => new Client({ url: "ws://127.0.0.1:1", WebSocket: 1 }), TypeError);
    });
});

describe("request", () => {
    test("gets its answer, with Chinese and emoji as real UTF-8", async () => {
        const { client, peer } = await connected(echo);
        const body = { content: "你好 😀" };
        assert.deepEqual(await client.request("a.b.c", body), body);
        const sent = peer.packages.at(-1).body;
        assert.ok(sent.includes(Buffer.from("你好 😀")));
    });

    test("uses the code of a route that the dictionary has, and text for others", async () => {
        const seen = [];
        const { client } = await connected({
            sys: dictionary,
            onMessage: (peer, message) => { seen.push(message); peer.send(response(message.id, {})); },
        });
        await client.request("chat.chatHandler.send", {});
        await client.request("__proto__", {});
        await client.request("toString", {});
        assert.deepEqual(seen.map(({ code, route }) => [code, route]),
            [[1, "chat.chatHandler.send"], [null, "__proto__"], [null, "toString"]]);
        assert.deepEqual(seen.map(({ id }) => id), [1, 2, 3]);
    });

    test("answers are matched by id, whatever their order", async () => {
        const waiting = [];
        const { client } = await connected({
            onMessage: (peer, { id, body }) => {
                waiting.unshift(response(id, body));
                if (waiting.length === 200) {
                    peer.send(...waiting);
                }
            },
        });
        const asked = Array.from({ length: 200 }, (_, index) => client.request("a.b.c", { index }));
        const answers = await Promise.all(asked);
        assert.deepEqual(answers.map(({ index }) => index), [...answers.keys()]);
    });

    test("ends with timeout, and the answer that comes after it harms nobody", async () => {
        let late;
        const { client } = await connected({
            onMessage: (peer, { id }) => {
                if (id === 1) {
                    late = () => peer.send(response(1, { late: true }));
                } else {
                    late();
                    peer.send(response(id, { id }));
                }
            },
        });
        await assert.rejects(client.request("a.b.c", {}, { timeoutMs: 30 }), { name: "ShaddockError", code: "timeout" });
        assert.deepEqual(await client.request("a.b.c", {}), { id: 2 });
    });

    test("the default timeout can be set for all", async () => {
        const { client } = await connected({}, { requestTimeoutMs: 30 });
        await assert.rejects(client.request("a.b.c"), { code: "timeout" });
    });

    test("an empty answer is {}", async () => {
        const { client } = await connected({ onMessage: (peer, { id }) => peer.send(response(id, "")) });
        assert.deepEqual(await client.request("a.b.c"), {});
    });

    test("before connect and after close: closed", async () => {
        const server = await serve(echo);
        const client = clientOf(server);
        await assert.rejects(client.request("a.b.c"), { code: "closed" });
        assert.throws(() => client.notify("a.b.c"), { code: "closed" });
        await client.connect();
        client.close();
        await assert.rejects(client.request("a.b.c"), { code: "closed" });
    });

    test("a route that does not fit is refused at once", async () => {
        const { client } = await connected(echo);
        await assert.rejects(client.request("r".repeat(256)), { name: "WireError" });
        assert.deepEqual(await client.request("a.b.c", { still: "here" }), { still: "here" });
    });
});

test("notify is sent without an id", async () => {
    const seen = [];
    const { client } = await connected({ onMessage: (_peer, message) => seen.push(message) });
    client.notify("a.b.c", { x: 1 });
    await until(() => seen.length === 1, "notify");
    assert.deepEqual({ type: seen[0].type, id: seen[0].id, body: seen[0].body }, { type: 1, id: 0, body: { x: 1 } });
});

describe("push", () => {
    test("many in one frame arrive in order, by text and by code", async () => {
        const { client, peer } = await connected({ sys: dictionary });
        const all = [];
        const chats = [];
        client.on("push", (one) => all.push(one));
        const stop = client.onPush("onChat", (body) => chats.push(body.n));
        peer.send(push("onChat", { n: 1 }), packet(3), push("onAdd", { user: "小明" }), push(300, { n: 2 }));
        await until(() => all.length === 3, "pushes");
        assert.deepEqual(all.map(({ route }) => route), ["onChat", "onAdd", "onChat"]);
        assert.deepEqual(all[1].body, { user: "小明" });
        assert.deepEqual(chats, [1, 2]);
        stop();
        peer.send(push("onChat", { n: 3 }));
        await until(() => all.length === 4, "push");
        assert.deepEqual(chats, [1, 2]);
    });

    test("a route named like an event of the client is still a push", async () => {
        const { client, peer } = await connected();
        const events = eventsOf(client);
        peer.send(push("close", {}), push("__proto__", {}));
        await until(() => events.length === 2, "pushes");
        assert.deepEqual(events.map(([name, { route }]) => [name, route]), [["push", "close"], ["push", "__proto__"]]);
        assert.equal(client.state, "open");
    });
});

describe("heartbeat", () => {
    const beatsOf = (peer) => peer.packages.filter(({ type }) => type === 3);

    test("is sent one period after each of the server's", async () => {
        const { peer } = await connected({ sys: { heartbeat: 0.05 } });
        await until(() => beatsOf(peer).length >= 3, "three heartbeats");
        const times = [peer.packages.find(({ type }) => type === 2), ...beatsOf(peer)].map(({ at }) => at);
        for (let index = 1; index < times.length; ++index) {
            assert.ok(times[index] - times[index - 1] >= 45, `gap of ${times[index] - times[index - 1]} ms`);
        }
    });

    test("a second one of the server does not make a second one of the client", async () => {
        const { peer } = await connected({ sys: { heartbeat: 0.05 }, answersHeartbeats: false });
        peer.send(packet(3), packet(3));
        await until(() => beatsOf(peer).length === 1, "heartbeat");
        await new Promise((resolve) => setTimeout(resolve, 80));
        assert.equal(beatsOf(peer).length, 1);
    });

    test("none is sent when the server wants none", async () => {
        const { client, peer } = await connected(echo);
        peer.send(packet(3));
        await client.request("a.b.c");
        assert.equal(beatsOf(peer).length, 0);
    });

    test("a server gone silent is given up", async () => {
        const { server, client } = await connected({ sys: { heartbeat: 0.05 }, answersHeartbeats: false });
        const events = eventsOf(client);
        const asked = assert.rejects(client.request("a.b.c"), { code: "heartbeat" });
        await until(() => events.length === 2, "end");
        await asked;
        assert.deepEqual(events.map(([name, { code }]) => [name, code]), [["error", "heartbeat"], ["close", "heartbeat"]]);
        await until(() => server.peers.size === 0, "closed connection");
    });

    test("any frame counts as a sign of life", async () => {
        const { client, peer } = await connected({ sys: { heartbeat: 0.2 }, answersHeartbeats: false });
        const talk = setInterval(() => peer.send(push("onChat", {})), 20);
        try {
            await new Promise((resolve) => setTimeout(resolve, 900));
            assert.equal(client.state, "open");
        } finally {
            clearInterval(talk);
        }
        await until(() => client.state === "closed", "given up");
    });
});

describe("end", () => {
    test("a kick gives its reason to the event, the waiting request, the close and later requests", async () => {
        const { client, peer } = await connected();
        const events = eventsOf(client);
        const asked = assert.rejects(client.request("a.b.c"), { code: "kicked", reason: "slow consumer" });
        await until(() => peer.packages.some(({ type }) => type === 4), "request");
        peer.send(packet(5, { reason: "slow consumer" }));
        peer.socket.close();
        await asked;
        await until(() => client.state === "closed", "end");
        assert.deepEqual(events.map(([name, { reason }]) => [name, reason]),
            [["kick", "slow consumer"], ["close", "slow consumer"]]);
        await assert.rejects(client.request("a.b.c"), { code: "kicked" });
    });

    test("the server closes", async () => {
        const { client, peer } = await connected();
        const events = eventsOf(client);
        const asked = assert.rejects(client.request("a.b.c"), { code: "closed" });
        peer.socket.close(1000);
        await asked;
        assert.deepEqual(events.map(([name, { code }]) => [name, code]), [["close", "closed"]]);
    });

    test("close ends what waits, once", async () => {
        const { server, client } = await connected();
        const events = eventsOf(client);
        const asked = assert.rejects(client.request("a.b.c"), { code: "closed" });
        client.close();
        client.close();
        await asked;
        assert.deepEqual(events.map(([name]) => name), ["close"]);
        await until(() => server.peers.size === 0, "closed connection");
    });

    const broken = {
        "a text frame": (peer) => peer.socket.send("hello"),
        "an unknown package type": (peer) => peer.send(Buffer.from([9, 0, 0, 0])),
        "a package cut short": (peer) => peer.send(Buffer.from([4, 0, 0, 9, 1])),
        "an ack": (peer) => peer.send(packet(2)),
        "a second handshake": (peer) => peer.send(packet(1, { code: 200, sys: {} })),
        "a request": (peer) => peer.send(packet(4, Buffer.from("0001017b7d", "hex"))),
        "a push with an unknown code": (peer) => peer.send(push(77, {})),
        "an answer that is not JSON": (peer) => peer.send(response(1, "{")),
    };
    for (const [name, send] of Object.entries(broken)) {
        test(`${name} from the server closes the connection`, async () => {
            const { server, client, peer } = await connected();
            const events = eventsOf(client);
            const asked = assert.rejects(client.request("a.b.c"), { code: "protocol" });
            send(peer);
            await asked;
            assert.deepEqual(events.map(([event, { code }]) => [event, code]), [["error", "protocol"], ["close", "protocol"]]);
            await until(() => server.peers.size === 0, "closed connection");
        });
    }

    test("an empty frame is no package and no harm", async () => {
        const { client, peer } = await connected(echo);
        peer.socket.send(Buffer.alloc(0));
        assert.deepEqual(await client.request("a.b.c", { x: 1 }), { x: 1 });
    });
});
