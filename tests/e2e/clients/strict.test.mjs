/** The strict TCP clients see the faults of a server that has them: else their silence in the other tests says nothing. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { endProcessAfter, until } from "../lib/wait.mjs";
import { StrictTcp } from "./adapters/strict_tcp.mjs";
import { Tcp } from "./adapters/tcp.mjs";
import { encodePackage, packageType } from "./adapters/wire.mjs";

endProcessAfter(60_000);

const proto = { msg: { option: "required", type: "string", tag: 1 }, seq: { option: "optional", type: "uInt32", tag: 2 },
    __messages: {}, __tags: { 1: "msg", 2: "seq" } };
const dict = { routeToCode: { onChat: 4 }, codeToRoute: { 4: "onChat" }, dictVersion: "d1", useDict: true };
const protos = { protos: { server: { onChat: proto }, client: {}, version: "p1" }, useProto: true };
const both = { ...dict, ...protos };

const handshake = (sys, code = 200) => encodePackage(packageType.handshake, Buffer.from(JSON.stringify({ code, sys })));
const data = (...bytes) => encodePackage(packageType.data, Buffer.concat(bytes.map((part) => Buffer.from(part))));
const heartbeat = encodePackage(packageType.heartbeat);

/**
 * Connects `client` to a server that writes `bytes` at once, whatever it is told.
 * @returns {Promise<string[]>} the client's faults, when there are any or an event has come
 */
async function faultsAfter(client, bytes) {
    const server = createServer((socket) => {
        socket.on("error", () => {});
        socket.write(Buffer.concat(bytes));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
        const { port } = server.address();
        const opened = await client.connect("127.0.0.1", port).then(() => true, () => false);
        if (opened && bytes.length > 1) {
            await until(() => client.faults.length + client.events.length > 0, "a fault or an event");
        }
        return client.faults;
    } finally {
        client.disconnect();
        server.close();
    }
}

const good = {
    "JSON under a text": [handshake({}), data([6, 6], "onChat", '{"msg":"x"}')],
    "protobuf under a code": [handshake(both), data([7, 0, 4], [0x0a, 1, 0x78, 0x10, 5])],
    "a kick": [handshake({}), encodePackage(packageType.kick, Buffer.from('{"reason":"x"}'))],
};
const bad = {
    "a handshake refused": [handshake({}, 500)],
    "half of a dictionary": [handshake({ ...dict, codeToRoute: undefined })],
    "half of the protos": [handshake({ useProto: true, protos: { server: {}, client: {} } })],
    "data before the handshake": [data([6, 1], "a", "{}")],
    "a second handshake": [handshake({}), handshake({})],
    "an ack from a server": [handshake({}), encodePackage(packageType.ack)],
    "an unknown package": [handshake({}), encodePackage(6)],
    "a heartbeat with a body": [handshake({}), encodePackage(packageType.heartbeat, Buffer.from("x"))],
    "a code that was not told": [handshake(both), data([7, 0, 5], [0x0a, 1, 0x78])],
    "a code without a dictionary": [handshake({}), data([7, 0, 4], "{}")],
    "an empty body": [handshake({}), data([6, 6], "onChat")],
    "JSON where a proto is": [handshake(both), data([7, 0, 4], '{"msg":"x"}')],
    "protobuf where none is": [handshake(dict), data([7, 0, 4], [0x0a, 1, 0x78])],
    "a required field is missing": [handshake(both), data([7, 0, 4], [0x10, 5])],
    "a wrong wire type": [handshake(both), data([7, 0, 4], [0x0a, 1, 0x78, 0x12, 5])],
    "a text that is cut": [handshake(both), data([7, 0, 4], [0x0a, 9, 0x78])],
    "a text that is not UTF-8": [handshake(both), data([7, 0, 4], [0x0a, 1, 0xff])],
    "a flag above the type": [handshake({}), data([0x16, 6], "onChat", "{}")],
    "a response that nobody waits for": [handshake({}), data([4, 9], "{}")],
    "a request from a server": [handshake({}), data([0, 1, 1], "a", "{}")],
};

for (const Client of [Tcp, StrictTcp]) {
    describe(Client.kind, { concurrency: false }, () => {
        for (const [what, bytes] of Object.entries(good)) {
            test(`takes ${what}`, async () => {
                const client = new Client();
                assert.deepEqual(await faultsAfter(client, bytes), []);
                assert.equal(client.events.length, 1);
            });
        }
        for (const [what, bytes] of Object.entries(bad)) {
            test(`does not take ${what}`, async () => {
                const client = new Client();
                assert.equal((await faultsAfter(client, bytes)).length, 1, JSON.stringify(client.events));
            });
        }
        test("does not take silence for a heartbeat's answer", async () => {
            const client = new Client();
            assert.deepEqual(await faultsAfter(client, [handshake({ heartbeat: 0.02 })]), []);
            const waiting = faultsAfter(client, [handshake({ heartbeat: 0.02 }), heartbeat]);
            assert.deepEqual(await waiting, ["no answer to a heartbeat"]);
        });
    });
}

describe("what the client in C has kept", { concurrency: false }, () => {
    const visit = async (storage, sys) => faultsAfter(new StrictTcp(storage), [handshake(sys)]);

    test("is not sent to it again", async () => {
        const storage = new Map();
        assert.deepEqual(await visit(storage, both), []);
        assert.deepEqual(await visit(storage, { useDict: true, useProto: true }), []);
        assert.equal((await visit(storage, both)).length, 1, "again");
    });

    test("must be sent to it once", async () => {
        assert.equal((await visit(new Map(), { useDict: true })).length, 1);
        assert.equal((await visit(new Map(), { useProto: true })).length, 1);
    });
});
