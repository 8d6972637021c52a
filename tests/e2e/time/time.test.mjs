/** The tutorial's server type `time`: added by config alone; the gate asks it over the bus, a client through the gate. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";

import { Client } from "../../../web/client/shaddock.js";
import { startSystem } from "../lib/system.mjs";
import { until } from "../lib/wait.mjs";

let system;

before(async () => {
    system = await startSystem({
        edit: async (config) => {
            const file = join(config, "servers.json");
            const servers = JSON.parse(await readFile(file, "utf8"));
            servers.development.time = [
                { id: "time-server-1", host: "127.0.0.1", port: 7000 },
                { id: "time-server-2", host: "127.0.0.1", port: 7001 },
            ];
            await writeFile(file, JSON.stringify(servers));
            await writeFile(join(config, "gate.json"), JSON.stringify({ ask_time: true }));
        },
    });
});
after(async () => { await system?.stop(); });

test("a type that the host has never heard of serves beside the others", () => {
    assert.match(system.output(), /^ready: 9 servers$/m);
    assert.match(system.output(), /time-server-2 +time/);
});

test("the gate asks the time of a server chosen by a number, and logs it", async () => {
    const client = new Client({ url: `ws://127.0.0.1:${system.gatePort}`, WebSocket });
    await client.connect();
    for (let i = 0; i < 10; ++i) {
        const answer = await client.request("gate.gateHandler.queryEntry", { uid: `user${i}` });
        assert.equal(answer.code, 200);
    }
    client.close();
    const log = join(system.folder, "logs", "gate-server-1.log");
    await until(async () => /Remote Time: \d+:\d+:\d+/.test(await readFile(log, "utf8")), "the time in the gate's log");
});
