/** docs/samples/tickets as the gate of the shipped connectors and chats: nobody enters under another's name. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import WebSocket from "ws";
import { Client } from "../../../web/client/shaddock.js";
import { startSystem } from "../lib/system.mjs";
import { endProcessAfter } from "../lib/wait.mjs";

endProcessAfter(90_000);

const sample = join(process.env.SHADDOCK_BIN_DIR, "../samples/tickets.so");
const key = (name) => `${name} ${randomBytes(32).toString("hex")}\n`;
const [first, second] = [key("first"), key("second")];

let system;
let keys;

before(async () => {
    system = await startSystem({
        edit: async (config) => {
            keys = join(config, "ticket_keys");
            await writeFile(keys, first, { mode: 0o600 });
            await writeFile(join(config, "gate.json"), JSON.stringify(
                { ticket_keys: keys, ticket_lifetime: 60, accounts: { ann: "pea", bob: "bean" } }));
            await writeFile(join(config, "connector.json"), JSON.stringify({ ticket_keys: keys }));
            const yaml = join(config, "host.yaml");
            await writeFile(yaml, (await readFile(yaml, "utf8")).replace("[gate.so]", `[${sample}]`));
        },
    });
});
after(() => system?.stop());

async function ask(port, route, message) {
    const client = new Client({ url: `ws://127.0.0.1:${port}`, WebSocket });
    await client.connect();
    try {
        return await client.request(route, message);
    } finally {
        client.close();
    }
}
const login = (uid, password) => ask(system.gatePort, "gate.gateHandler.queryEntry", { uid, password });
const enter = (port, username, ticket) => ask(port, "connector.entryHandler.enter", { username, rid: "hall", ticket });

/** New keys for gate and connectors, without a stop. */
async function use(lines) {
    await writeFile(keys, lines);
    await promisify(execFile)(process.env.SHADDOCK_HOST_BIN, ["reload", "gate", "connector", "--run", join(system.folder, "run")]);
}

test("who logs in gets a ticket, and enters with it under the own name only", async () => {
    assert.deepEqual(await login("ann", "bean"), { code: 401 });
    assert.deepEqual(await login("eve", ""), { code: 401 });
    const { code, port, ticket } = await login("ann", "pea");
    assert.equal(code, 200);
    assert.match(ticket, /^sh1\.first\.\d+\.YW5u\.[\w-]{43}$/);
    assert.deepEqual(await enter(port, "ann", ticket), { users: ["ann"] });
    assert.deepEqual(await enter(port, "bob", ticket), { code: 401 });
    assert.deepEqual(await enter(port, "ann", undefined), { code: 401 });
    assert.deepEqual(await enter(port, "ann", ticket.replace(/.$/, (last) => (last === "A" ? "E" : "A"))), { code: 401 });
});

test("keys change while the system runs, and no ticket is refused meanwhile", async () => {
    const { port, ticket: old } = await login("ann", "pea");
    await use(first + second);
    const { ticket: still } = await login("ann", "pea");
    assert.match(still, /^sh1\.first\./);
    await use(second + first);
    const { ticket: fresh } = await login("ann", "pea");
    assert.match(fresh, /^sh1\.second\./);
    for (const ticket of [old, still, fresh]) {
        assert.deepEqual(await enter(port, "ann", ticket), { users: ["ann"] });
    }
    await use(second);
    assert.deepEqual(await enter(port, "ann", old), { code: 401 });
    assert.deepEqual(await enter(port, "ann", fresh), { users: ["ann"] });
});
