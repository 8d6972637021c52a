/** Proto files that change while the system runs: who is connected keeps what he was told, who comes is told the new. */
import assert from "node:assert/strict";
import { open, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startSystem } from "../lib/system.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";
import { JsClient } from "./adapters/jsclient.mjs";
import { StrictTcp } from "./adapters/strict_tcp.mjs";
import { Tcp } from "./adapters/tcp.mjs";
import { Person } from "./script.mjs";

endProcessAfter(60_000);

const limitMs = 10_000;
const oldForm = { dict: [], protobuf: ["onChat"] };
const newForm = { dict: [], protobuf: ["onChat", "onAdd"] };

describe("proto files that change", { concurrency: false }, () => {
    let system;
    before(async () => {
        system = await startSystem();
    }, { timeout: 60_000 });
    after(() => system?.stop(), { timeout: 30_000 });

    /** As editors do: whole, under the name at once. */
    async function replaceProtos(text) {
        const file = join(system.folder, "config/serverProtos.json");
        await writeFile(`${file}.new`, text);
        await rename(`${file}.new`, file);
    }

    /** @returns {Promise<string>} the version that a connector tells who comes now */
    async function version(port) {
        const client = new Tcp();
        await client.connect("127.0.0.1", port);
        client.disconnect();
        return client.handshake.sys.protos.version;
    }

    /** @returns {Promise<string>} the next one */
    async function versionOtherThan(old, port) {
        let now = old;
        await until(async () => {
            now = await version(port);
            return now !== old;
        }, "the changed file is read", limitMs);
        return now;
    }

    test("those who are there go on, those who come are told", async () => {
        const room = "reread";
        const alice = new Person("alice", JsClient, oldForm);
        const bob = new Person("bob", StrictTcp, oldForm);
        // He was here before, and has kept what he was told then.
        const carl = new Person("carl", JsClient, newForm);
        const dora = new Person("dora", StrictTcp, newForm);
        const all = [alice, bob, carl, dora];
        try {
            await carl.login(system.gatePort);
            carl.leave();
            await alice.login(system.gatePort);
            await alice.enter(room);
            alice.willSeeCome("bob");
            await bob.login(system.gatePort);
            await bob.enter(room);

            const ports = new Set([alice.port, bob.port, carl.port, system.gatePort]);
            const before = await version(alice.port);
            await replaceProtos(JSON.stringify({
                onChat: { "required string msg": 1, "required string from": 2, "required string target": 3, "optional uInt32 at": 4 },
                onAdd: { "required string user": 1 },
            }));
            for (const port of ports) {
                await versionOtherThan(before, port);
            }

            [alice, bob].forEach((person) => person.willSeeCome("carl"));
            await carl.login(system.gatePort);
            await carl.enter(room);
            [alice, bob, carl].forEach((person) => person.willSeeCome("dora"));
            await dora.login(system.gatePort);
            await dora.enter(room);
            all.forEach((person) => person.willHear("你好", "bob", "*"));
            assert.deepEqual(await bob.say("你好", "*"), {});
            await Promise.all(all.map((person) => person.hasSeenAll()));

            carl.leave();
            [alice, bob, dora].forEach((person) => person.willSeeGo("carl"));
            await Promise.all([alice, bob, dora].map((person) => person.hasSeenAll()));
        } finally {
            all.forEach(({ client }) => client?.disconnect());
        }
    });

    test("SIGHUP reads files again whose writer has not closed them, and disconnects nobody", async () => {
        const alice = new Person("alice", StrictTcp, newForm);
        await alice.login(system.gatePort);
        await alice.enter("hung up");
        const before = await version(alice.port);
        const file = await open(join(system.folder, "config/serverProtos.json"), "r+"); // no watch of names sees this
        try {
            await file.truncate();
            await file.write(JSON.stringify({ onChat: { "required string msg": 1, "required string from": 2, "required string target": 3 } }));
            await sleep(300);
            assert.equal(await version(alice.port), before);
            process.kill(system.pid, "SIGHUP");
            await versionOtherThan(before, alice.port);
            alice.willHear("still here", "alice", "*");
            assert.deepEqual(await alice.say("still here", "*"), {});
            await alice.hasSeenAll();
        } finally {
            await file.close();
            alice.client?.disconnect();
        }
    });

    test("a file that cannot be read changes nothing, the next one does", async () => {
        const before = await version(system.gatePort);
        await replaceProtos("{ half of a file");
        const log = join(system.folder, "logs/gate-server-1.log");
        await until(async () => (await readFile(log, "utf8")).includes("stay in use"), "the file is read", limitMs);
        assert.equal(await version(system.gatePort), before);
        await replaceProtos(JSON.stringify({ onChat: { "required string msg": 1 } }));
        await versionOtherThan(before, system.gatePort);
    });
});
