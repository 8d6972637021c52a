/** Many users on the real system of config/: 3 connectors, 3 chat servers. The load generator checks every reply and every push. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { startSystem, withoutRates } from "../lib/system.mjs";

const run = promisify(execFile);
const bin = process.env.SHADDOCK_BIN_DIR;
const seconds = process.env.SHADDOCK_LONG ? 600 : 30;
let system;

before(async () => { system = await startSystem({ edit: withoutRates }); });
after(async () => { await system?.stop(); });

async function load(...options) {
    const history = join(system.folder, `history-${Math.random().toString(16).slice(2)}.jsonl`);
    const { stdout } = await run(join(bin, "shaddock-load"),
        ["--gate", `127.0.0.1:${system.gatePort}`, "--history", history, ...options], { maxBuffer: 1 << 26 });
    console.log(stdout);
    // What the generator checked as it went, the history checker finds again from the logs alone.
    await run(join(bin, "shaddock-history"), [history], { maxBuffer: 1 << 26 });
}

test(`200 users in 20 rooms chat, whisper and move for ${seconds} s, and every promise holds`, { timeout: (seconds + 120) * 1000 }, async () => {
    await load("--users", "200", "--rooms", "20", "--rate", "1", "--private", "0.2", "--switch-every", "15", "--churn-every", "20",
        "--seconds", String(seconds));
});

test("a room of 100 hears four who talk as fast as they can", { timeout: 120_000 }, async () => {
    await load("--users", "100", "--rooms", "1", "--senders", "4", "--rate", "0", "--pipeline", "4", "--seconds", "3");
});

test("nothing was restarted and nobody complained", () => {
    assert.doesNotMatch(system.output(), /died|restart|crash/);
});
