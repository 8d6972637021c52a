/**
 * Modules are exchanged under load, and nobody notices. SHADDOCK_LONG: the whole proof, 1,000 reloads.
 * Sanitizers make everything many times slower and keep freed memory: there only what was answered counts, not how fast or in how much memory.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { promisify } from "node:util";

import { startSystem } from "../lib/system.mjs";
import { prove, startHotSystem } from "./hot_system.mjs";

const run = promisify(execFile);
const bin = process.env.SHADDOCK_BIN_DIR;
const isLong = Boolean(process.env.SHADDOCK_LONG);
const isSanitized = Boolean(process.env.SHADDOCK_SANITIZED);

const whole = ["--reloads", "1000", "--windows", "5", "--seconds", "10"];
// A few reloads do not drown what a server's memory moves by itself in the same time; and p99.9 of a second says nothing: it is shown only.
const short = ["--reloads", "60", "--windows", "3", "--seconds", "1", "--memory-slack-kib", "2048", "--allow", "latency"];
const sanitized = ["--reloads", "30", "--windows", "3", "--seconds", "1", "--rate", "500",
    "--allow", "rate,latency,memory,maps"];
// New requests wait for those under way: that is what draining is.
const drained = ["--reloads", "20", "--windows", "1", "--seconds", "1", "--memory-slack-kib", "2048",
    "--rate", isSanitized ? "500" : "6000", "--allow", "rate,latency,memory,maps", "--drained"];

const [name, options] = isSanitized ? ["30 reloads at 500 requests/s, with sanitizers", sanitized]
    : isLong ? ["1,000 reloads at 5,000 requests/s", whole] : ["60 reloads at 5,000 requests/s", short];

async function proveOn(settings, ...wanted) {
    const system = await startHotSystem(settings);
    try {
        const rows = settings.hasRows ? ["--rows", join(system.folder, "rows")] : [];
        assert.match(await prove(system, ...wanted, ...rows), /^clean$/m);
        // Nothing was restarted and nobody complained.
        assert.doesNotMatch(system.output(), /died|restart|crash/);
    } finally {
        await system.stop();
    }
}

test(`${name}: every answer and push, once, in order, by one version`, { timeout: 900_000 }, async () => {
    await proveOn({}, ...options);
});

test("with `reload: drain` a plugin's state crosses without a gap, and no row is lost or stale", { timeout: 300_000 }, async () => {
    await proveOn({ drain: "200 ms", hasRows: true }, ...drained);
});

test("a component that binds a TCP port is reloaded again and again", { timeout: 120_000 }, async () => {
    const system = await startHotSystem();
    try {
        const reloads = isLong ? 100 : 15;
        for (let generation = 1; generation <= reloads + 1; ++generation) {
            if (generation > 1) {
                await run(process.env.SHADDOCK_HOST_BIN, ["reload", "chat", "--run", join(system.folder, "run")]);
            }
            for (const port of system.greeters) {
                assert.equal(await text(connect(port, "127.0.0.1")), `${generation}\n`);
            }
        }
    } finally {
        await system.stop();
    }
});

test("the chat goes on: people talk, whisper, move and leave while every type is reloaded", { timeout: 300_000 }, async () => {
    const system = await startSystem();
    try {
        const history = join(system.folder, "history.jsonl");
        let isOver = false;
        const load = run(join(bin, "shaddock-load"), ["--gate", `127.0.0.1:${system.gatePort}`, "--history", history, "--users", "100",
            "--rooms", "20", "--rate", isSanitized ? "1" : "10", "--private", "0.2", "--switch-every", "5", "--churn-every", "10",
            "--seconds", isLong ? "60" : "6"], { maxBuffer: 1 << 26 }).finally(() => { isOver = true; });
        let reloads = 0;
        while (!isOver) {
            await run(process.env.SHADDOCK_HOST_BIN, ["reload", "chat", "connector", "gate", "--run", join(system.folder, "run")]);
            ++reloads;
        }
        console.log((await load).stdout, `${reloads} reloads of all 7 servers`);
        assert.ok(reloads > 1);
        await run(join(bin, "shaddock-history"), [history], { maxBuffer: 1 << 26 });
    } finally {
        await system.stop();
    }
});
