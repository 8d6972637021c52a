/**
 * Three times as many requests as the system can do. What it does then stays near its best: what was let in is finished before more is read,
 * and the rest is refused at once or waits unread at the door. The system has one core, all else the other.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { pinMyself, pinned } from "../attacks/watch.mjs";
import { Client } from "../lib/edge_client.mjs";
import { startSystem, withoutRates } from "../lib/system.mjs";

const run = promisify(execFile);
const bin = process.env.SHADDOCK_BIN_DIR;
const seconds = process.env.SHADDOCK_LONG ? 30 : 3;
const users = 200;
const refused = "wrong_answer"; // what the generator calls a 500 without a reason of the chat's
let system;
let connectors;

before(async () => {
    system = await startSystem({ edit: withoutRates, wrap: pinned });
    const servers = JSON.parse(await readFile(join(system.folder, "config/servers.json"), "utf8"));
    connectors = servers.development.connector.map(({ clientPort }) => clientPort);
    await pinMyself();
});
after(async () => { await system?.stop(); });

/** Messages a second to rooms of ten. @returns what was done of them, per second, and the generator's report */
async function load(forSeconds, ...options) {
    const file = join(system.folder, "report.json");
    await run(join(bin, "shaddock-load"), ["--gate", `127.0.0.1:${system.gatePort}`, "--users", String(users), "--rooms", String(users / 10),
        "--seconds", String(forSeconds), "--json", file, "--allow", refused, ...options], { maxBuffer: 1 << 26 });
    const report = JSON.parse(await readFile(file, "utf8"));
    return { ...report, goodput: (report.sent - report.refused) / report.load_s };
}

/** One after the other comes to a connector and asks to enter, while `under` is under way. */
async function newcomers(under) {
    let isOver = false;
    const ends = under.finally(() => { isOver = true; });
    const count = { came: 0, entered: 0, refused: 0, slowestMs: 0 };
    while (!isOver) {
        const client = await Client.open(connectors[count.came % connectors.length]);
        const began = performance.now();
        const { code } = await client.enter(`newcomer${count.came}`, `newcomers${count.came % 7}`);
        count.slowestMs = Math.max(count.slowestMs, performance.now() - began);
        assert.ok(code === undefined || code === 200 || code === 500, `answered ${code}`);
        ++count[code === 500 ? "refused" : "entered"];
        ++count.came;
        client.close();
        await sleep(20);
    }
    return [await ends, count];
}

test("at three times the capacity goodput stays, newcomers hear at once, and it is over within a second", { timeout: 300_000 }, async () => {
    const peak = await load(seconds, "--rate", "0", "--pipeline", "16");
    const [over, who] = await newcomers(load(seconds, "--pipeline", "1000", "--rate", String(Math.ceil(3 * peak.goodput / users))));
    await sleep(1000);
    const calm = await load(1, "--rate", "5");
    console.log(`peak ${peak.goodput.toFixed(0)}/s; asked for three times as many, ${over.goodput.toFixed(0)}/s were done and ` +
        `${(over.refused / over.load_s).toFixed(0)}/s refused; newcomers ${JSON.stringify(who)}; afterwards p99 ${calm.latency.request.p99_us} us`);

    assert.ok(over.goodput >= 0.8 * peak.goodput, `goodput ${over.goodput} of ${peak.goodput}`);
    assert.equal(over.check.clean || Object.keys(over.check.violations).every((name) => name === refused), true, JSON.stringify(over.check.violations));
    assert.ok(who.came >= seconds, `only ${who.came} newcomers were answered`);
    assert.ok(who.slowestMs <= 1000, `a newcomer waited ${who.slowestMs} ms`);
    assert.equal(calm.refused, 0);
    assert.ok(calm.latency.request.p99_us <= 50_000, `afterwards p99 is ${calm.latency.request.p99_us} us`);
    for (const file of await readdir(join(system.folder, "logs"))) {
        assert.doesNotMatch(await readFile(join(system.folder, "logs", file), "utf8"), /link with|is dead|link broken/, file);
    }
});
