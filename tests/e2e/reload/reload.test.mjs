/**
 * Modules are exchanged under load, and nobody notices. SHADDOCK_LONG: the whole proof, 1,000 reloads.
 * Sanitizers make everything many times slower and keep freed memory: there only what was answered counts, not how fast or in how much memory.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { prove, startHotSystem } from "./hot_system.mjs";

const isLong = Boolean(process.env.SHADDOCK_LONG);
const isSanitized = Boolean(process.env.SHADDOCK_SANITIZED);
let system;

before(async () => { system = await startHotSystem(); });
after(async () => { await system?.stop(); });

const whole = ["--reloads", "1000", "--windows", "5", "--seconds", "10"];
// A few reloads do not drown what a server's memory moves by itself in the same time.
const short = ["--reloads", "60", "--windows", "3", "--seconds", "1", "--every-ms", "0", "--memory-slack-kib", "2048"];
const sanitized = ["--reloads", "30", "--windows", "3", "--seconds", "1", "--every-ms", "0", "--rate", "500",
    "--allow", "rate,latency,memory,maps"];

const [name, options] = isSanitized ? ["30 reloads at 500 requests/s, with sanitizers", sanitized]
    : isLong ? ["1,000 reloads at 5,000 requests/s", whole] : ["60 reloads at 5,000 requests/s", short];

test(`${name}: every answer and push, once, in order, by one version`, { timeout: 900_000 }, async () => {
    const report = await prove(system, ...options);
    assert.match(report, /^clean$/m);
});

test("nothing was restarted and nobody complained", () => {
    assert.doesNotMatch(system.output(), /died|restart|crash/);
});
