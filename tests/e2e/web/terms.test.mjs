/** Dictionary, protobuf bodies and remembered versions of web/client/shaddock.js, against a server with Pomelo's codec. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import WebSocket from "ws";
import { Client, defaultMemory, storageMemory } from "../../../web/client/shaddock.js";
import { listen, push, response } from "../lib/fake_pomelo.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";

endProcessAfter(60_000);

const dict = { "chat.chatHandler.send": 1, "connector.entryHandler.enter": 2, onAdd: 3 };
const protos = {
    client: { "chat.chatHandler.send": { "required string content": 1, "optional uInt32 copies": 2 } },
    server: {
        "message Person": { "required string name": 1, "optional sInt32 karma": 2 },
        onChat: { "required string msg": 1, "required string from": 2, "optional double at": 3 },
        onAdd: { "repeated Person users": 1 },
        "chat.chatHandler.send": { "required uInt32 code": 1, "optional string note": 2 },
    },
};
const sent = { code: 200, note: "你好 😀" };
const terms = { dict, protos, onMessage: (peer, request) => peer.respond(request, request.id % 2 === 1 ? sent : {}) };

const servers = [];
const clients = [];

async function serve(behaviour) {
    const server = await listen(behaviour);
    servers.push(server);
    return server;
}

async function connected(server, memory, options = {}) {
    const client = new Client({ url: server.url, WebSocket, memory, ...options });
    clients.push(client);
    const said = await client.connect();
    const peer = server.everyPeer.at(-1);
    await until(() => peer.packages.some(({ type }) => type === 2), "ack");
    return { client, peer, said, asked: peer.handshake.sys };
}

afterEach(async () => {
    clients.splice(0).forEach((client) => client.close());
    await Promise.all(servers.splice(0).map((server) => server.close()));
});

describe("bodies", () => {
    test("a request whose route has a client proto goes as protobuf, its answer comes by the server proto", async () => {
        const seen = [];
        const server = await serve({ ...terms, onMessage: (peer, request) => { seen.push(request); peer.respond(request, sent); } });
        const { client } = await connected(server, null);
        const body = { content: "你好 😀", copies: 300, unknown: 1 };
        assert.deepEqual(await client.request("chat.chatHandler.send", body), sent);
        assert.deepEqual(seen[0].body, { content: "你好 😀", copies: 300 });
        assert.equal(seen[0].code, 1);
        assert.equal(seen[0].bytes.toString("hex"), `0a0b${Buffer.from("你好 😀").toString("hex")}10ac02`);
    });

    test("so does a notify; a route without protos stays JSON, both ways", async () => {
        const seen = [];
        const server = await serve({ ...terms, onMessage: (peer, request) => { seen.push(request); request.id > 0 && peer.respond(request, { users: ["a"] }); } });
        const { client } = await connected(server, null);
        client.notify("chat.chatHandler.send", { content: "x" });
        assert.deepEqual(await client.request("connector.entryHandler.enter", { rid: "花园" }), { users: ["a"] });
        assert.deepEqual(seen.map(({ code, body }) => [code, body]), [[1, { content: "x" }], [2, { rid: "花园" }]]);
        assert.equal(seen[1].bytes.toString(), '{"rid":"花园"}');
    });

    test("pushes come as protobuf by text and by code, and as JSON", async () => {
        const { client, peer } = await connected(await serve(terms), null);
        const seen = [];
        client.on("push", (one) => seen.push(one));
        const chat = { msg: "你好 😀", from: "小明", at: 0.5 };
        const add = { users: [{ name: "a", karma: -3 }, { name: "b" }] };
        peer.push("onChat", chat);
        peer.push("onAdd", add);
        peer.push("onLeave", { user: "a" });
        await until(() => seen.length === 3, "pushes");
        assert.deepEqual(seen, [{ route: "onChat", body: chat }, { route: "onAdd", body: add }, { route: "onLeave", body: { user: "a" } }]);
    });

    test("an empty body is {} for either form", async () => {
        const { client, peer } = await connected(await serve({ ...terms, onMessage: (one, { id }) => one.send(response(id, "")) }), null);
        const seen = [];
        client.on("push", ({ body }) => seen.push(body));
        peer.send(push("onChat", ""), push("onLeave", ""));
        assert.deepEqual(await client.request("chat.chatHandler.send", { content: "" }), {});
        assert.deepEqual(seen, [{}, {}]);
    });

    test("a body that does not fit its proto is refused at once, and harms nothing", async () => {
        const { client } = await connected(await serve(terms), null);
        await assert.rejects(client.request("chat.chatHandler.send", {}), { name: "WireError", message: /content: required/ });
        assert.throws(() => client.notify("chat.chatHandler.send", { content: {} }), { name: "WireError" });
        assert.equal(client.state, "open");
    });

    test("protobuf that breaks the rules closes the connection", async () => {
        const { client, peer } = await connected(await serve(terms), null);
        const closed = new Promise((resolve) => { client.on("close", resolve); });
        peer.send(push("onChat", Buffer.from("0aff", "hex")));
        assert.equal((await closed).code, "protocol");
    });

    test("a listener that sends what does not fit blames itself, not the server", async (context) => {
        const { client, peer } = await connected(await serve(terms), null);
        const seen = [];
        // Where the page or the process would hear of it.
        const report = context.mock.method(globalThis, "queueMicrotask", () => {});
        client.onPush("onLeave", () => client.notify("chat.chatHandler.send", {}));
        client.onPush("onLeave", (body) => seen.push(body));
        peer.push("onLeave", { user: "a" });
        await until(() => seen.length === 1, "the other listener");
        assert.throws(report.mock.calls[0].arguments[0], { name: "WireError" });
        assert.deepEqual([seen, client.state], [[{ user: "a" }], "open"]);
    });
});

describe("versions", () => {
    test("none is presented the first time; afterwards both, and nothing is sent again", async () => {
        const server = await serve(terms);
        const memory = new Map();
        const first = await connected(server, memory);
        assert.deepEqual(Object.keys(first.asked), ["type", "version", "rsa"]);
        const { dictVersion, protos: { version } } = first.said.sys;

        const second = await connected(server, memory);
        assert.deepEqual([second.asked.dictVersion, second.asked.protoVersion], [dictVersion, version]);
        assert.deepEqual(second.said.sys, { useDict: true, useProto: true });
        assert.deepEqual(await second.client.request("chat.chatHandler.send", { content: "x" }), sent);
        const chat = new Promise((resolve) => { second.client.onPush("onAdd", resolve); });
        second.peer.push("onAdd", { users: [{ name: "a" }] });
        assert.deepEqual(await chat, { users: [{ name: "a" }] });
    });

    test("a server whose sets have changed sends them, and those are remembered", async () => {
        const server = await serve({ ...terms });
        const memory = new Map();
        await connected(server, memory);
        const changed = { ...terms, dict: { ...dict, more: 9 }, protos: { ...protos, client: {} } };
        Object.assign(server.behaviour, changed);
        const second = await connected(server, memory);
        assert.equal(second.said.sys.routeToCode.more, 9);
        assert.deepEqual(second.said.sys.protos.client, {});
        assert.deepEqual((await connected(server, memory)).said.sys, { useDict: true, useProto: true });
    });

    test("each of two servers with different sets keeps its own", async () => {
        const memory = new Map();
        const both = [await serve(terms), await serve({ ...terms, dict: { other: 1 }, protos: { server: protos.server } })];
        for (const server of both) {
            await connected(server, memory);
        }
        for (const server of both) {
            const { said, client } = await connected(server, memory);
            assert.deepEqual(said.sys, { useDict: true, useProto: true });
            assert.deepEqual(await client.request("chat.chatHandler.send", { content: "x" }), sent);
        }
        assert.deepEqual([...memory.keys()], both.map(({ url }) => `shaddock:${url}`));
    });

    test("the dictionary alone and the protos alone", async () => {
        for (const part of [{ dict }, { protos }]) {
            const memory = new Map();
            const server = await serve({ ...terms, dict: undefined, protos: undefined, ...part });
            await connected(server, memory);
            const { said, asked } = await connected(server, memory);
            assert.deepEqual(said.sys, part.dict ? { useDict: true } : { useProto: true });
            assert.equal("dictVersion" in asked, "dict" in part);
            assert.equal("protoVersion" in asked, "protos" in part);
        }
    });

    test("a server that uses none any more gets JSON and text, and is forgotten", async () => {
        const memory = new Map();
        const server = await serve({ ...terms });
        await connected(server, memory);
        const seen = [];
        Object.assign(server.behaviour, { dict: undefined, protos: undefined, onMessage: (peer, request) => {
            seen.push(request);
            peer.respond(request, {});
        } });
        const { client } = await connected(server, memory);
        await client.request("chat.chatHandler.send", { content: "x" });
        assert.deepEqual(seen.map(({ code, body }) => [code, body]), [[null, { content: "x" }]]);
        assert.equal(memory.size, 0);
    });

    test("sets without a version are used, but not remembered", async () => {
        const memory = new Map();
        const { client, peer } = await connected(await serve({
            sys: { useDict: true, routeToCode: { onChat: 7 }, useProto: true, protos: { version: "", server: {}, client: {} } },
        }), memory);
        const seen = [];
        client.onPush("onChat", (body) => seen.push(body));
        peer.send(push(7, { x: 1 }));
        await until(() => seen.length === 1, "push");
        assert.equal(memory.size, 0);
    });

    test("a reply that leaves out what nobody has: protocol, and the next connection asks for all", async () => {
        for (const sys of [{ useDict: true }, { useProto: true }]) {
            const memory = new Map();
            const server = await serve({ sys });
            const client = new Client({ url: server.url, WebSocket, memory });
            await assert.rejects(client.connect(), { name: "ShaddockError", code: "protocol", message: /none is remembered/ });
            Object.assign(server.behaviour, terms, { sys: {} });
            await connected(server, memory);
        }
    });

    for (const sys of [{ routeToCode: { a: 0 } }, { routeToCode: { a: "1" } }, { codeToRoute: { x: "a" }, routeToCode: {} },
        { routeToCode: "abc" }, { protos: { client: 1 } }, { protos: { server: { r: 1 } } }]) {
        test(`sets that are none are the server's fault: ${JSON.stringify(sys)}`, async () => {
            const server = await serve({ sys });
            await assert.rejects(new Client({ url: server.url, WebSocket, memory: null }).connect(), { code: "protocol" });
        });
    }

    test("in Node all clients of a process remember together", async () => {
        const server = await serve(terms);
        await connected(server, undefined);
        assert.ok(defaultMemory.has(`shaddock:${server.url}`));
        assert.deepEqual((await connected(server, undefined)).said.sys, { useDict: true, useProto: true });
        const { said } = await connected(server, null);
        assert.ok(said.sys.protos, "null remembers nothing");
    });
});

describe("a bad memory never harms", () => {
    const stored = async (server) => {
        const memory = new Map();
        await connected(server, memory);
        return JSON.parse(memory.get(`shaddock:${server.url}`));
    };
    const damages = {
        "not JSON": () => "{", "an array": () => "[1]", null: () => "null", "a number": () => "7", empty: () => "",
        "cut off": (sets) => JSON.stringify(sets).slice(0, 100),
        "codes that are none": (sets) => JSON.stringify({ ...sets, dict: { ...sets.dict, routeToCode: { a: -1 } } }),
        "protos that are none": (sets) => JSON.stringify({ ...sets, protos: { ...sets.protos, server: { onChat: 1 } } }),
        "sets without versions": (sets) => JSON.stringify({ dict: { ...sets.dict, version: 1 }, protos: {} }),
    };
    for (const [name, damage] of Object.entries(damages)) {
        test(`${name}: nothing is presented, all comes anew`, async () => {
            const server = await serve(terms);
            const memory = new Map([[`shaddock:${server.url}`, damage(await stored(server))]]);
            const { asked, client } = await connected(server, memory);
            assert.deepEqual(Object.keys(asked), ["type", "version", "rsa"]);
            assert.deepEqual(await client.request("chat.chatHandler.send", { content: "x" }), sent);
            assert.deepEqual((await connected(server, memory)).said.sys, { useDict: true, useProto: true });
        });
    }

    test("the right version with wrong contents: the connection ends, the next one asks for all", async () => {
        const server = await serve(terms);
        const sets = await stored(server);
        delete sets.protos.server.onChat.msg;
        const memory = new Map([[`shaddock:${server.url}`, JSON.stringify(sets)]]);
        const { client, peer } = await connected(server, memory);
        const closed = new Promise((resolve) => { client.on("close", resolve); });
        peer.push("onChat", { msg: "x", from: "y" });
        assert.equal((await closed).code, "protocol");
        const { said } = await connected(server, memory);
        assert.ok(said.sys.protos);
    });

    test("one that throws at everything", async () => {
        const fail = () => { throw new Error("no"); };
        const { client } = await connected(await serve(terms), { get: fail, set: fail, delete: fail });
        assert.deepEqual(await client.request("chat.chatHandler.send", { content: "x" }), sent);
    });
});

describe("storageMemory", () => {
    const storageOf = (map, limit = Infinity) => ({
        getItem: (key) => map.get(key) ?? null,
        setItem: (key, value) => {
            if (value.length > limit) {
                throw new Error("QuotaExceededError");
            }
            map.set(key, value);
        },
        removeItem: (key) => map.delete(key),
    });

    test("keeps in the storage", () => {
        const map = new Map();
        const memory = storageMemory(() => storageOf(map));
        assert.equal(memory.get("k") ?? null, null);
        memory.set("k", "v");
        assert.deepEqual([memory.get("k"), map.get("k")], ["v", "v"]);
        memory.delete("k");
        assert.equal(map.size, 0);
    });

    test("where the storage is full, what is new counts as long as the page lives", () => {
        const map = new Map([["k", "old"]]);
        const memory = storageMemory(() => storageOf(map, 3));
        memory.set("k", "longer");
        assert.equal(memory.get("k"), "longer");
        memory.set("k", "new");
        assert.equal(memory.get("k"), "new");
    });

    test("where there is none, the page's own", () => {
        for (const open of [() => undefined, () => { throw new Error("SecurityError"); }]) {
            const memory = storageMemory(open);
            memory.set("k", "v");
            assert.equal(memory.get("k"), "v");
            memory.delete("k");
            assert.equal(memory.get("k") ?? null, null);
        }
    });
});
