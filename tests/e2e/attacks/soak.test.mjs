/**
 * All attacks at once, moderate ones, each begun anew every ten seconds, while two people chat through another connector and the same
 * chat servers. Nothing happens to the two, no process is restarted or grows, and nothing is left of the attackers once they are gone.
 *
 * For 2 minutes; SHADDOCK_LONG: 10 minutes; SHADDOCK_SOAK=SECONDS: so long.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startSystem } from "../lib/system.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";
import { attacks } from "./attacks.mjs";
import { roomOf } from "../lib/edge_client.mjs";
import { Watch, connectorPorts, lostLinks, metricsOf, pinMyself, pinned, quantile, startAttack } from "./watch.mjs";

const seconds = Number(process.env.SHADDOCK_SOAK ?? (process.env.SHADDOCK_LONG ? 600 : 120));
const strength = 0.1;
const roundMs = 10_000;
const sampleMs = 500;
const goneLimitMs = 5_000;
/**
 * How far a process may grow from the middle third of the time to the last: this part, and what a server keeps before it gives memory
 * back to the system. What clients hold comes and goes with them; what stays is seen where it is least.
 */
const growth = { part: 0.1, bytes: 16 * 1024 * 1024 };

endProcessAfter(seconds * 1000 + 110_000);

let system;
let ports;

before(async () => {
    await pinMyself();
    system = await startSystem({ wrap: pinned });
    ports = await connectorPorts(system);
}, { timeout: 60_000 });

after(async () => { await system?.stop(); }, { timeout: 30_000 });

/** @returns {Promise<Map<string, number>>} pids of the processes by the ids of their servers */
async function processes() {
    const children = (await readFile(`/proc/${system.pid}/task/${system.pid}/children`, "utf8")).trim().split(" ");
    const named = await Promise.all(children.map(async (pid) => {
        const line = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
        return [line.includes("--id") ? line[line.indexOf("--id") + 1] : "not a server", Number(pid)];
    }));
    return new Map([["master", system.pid], ...named.sort()]);
}
async function residentBytes(pid) {
    return 1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))[1]);
}

/** One attack again and again until `isOver`. @returns {Promise<string>} how often it was begun */
async function attackAgainAndAgain(name, at, isOver) {
    let begun = 0;
    let failures = 0;
    while (!isOver()) {
        try {
            const attack = await startAttack(name, at);
            ++begun;
            for (const end = Date.now() + roundMs; Date.now() < end && !isOver();) {
                await sleep(100);
            }
            await attack.end();
        } catch (error) {
            // It may find no way in beside the others.
            ++failures;
            console.log(`  ${error.message}`);
        }
    }
    assert.ok(begun > 0, `${name} was never begun`);
    return `${name} ${begun}${failures > 0 ? ` (${failures} failed)` : ""}`;
}

/** The least resident bytes of each process in the first, the middle and the last third. */
function thirds(samples) {
    const part = Math.floor(samples.length / 3);
    return [0, 1, 2].map((which) => quantile(samples.slice(which * part, (which + 1) * part), 0));
}
const mib = (bytes) => (bytes / 1024 / 1024).toFixed(1).padStart(8);

test(`all attacks at once for ${seconds} s leave nothing behind`, { timeout: seconds * 1000 + 100_000 }, async () => {
    const before = await processes();
    const watch = await Watch.begin({ ports: [ports[1]], room: roomOf(0) });
    const end = Date.now() + seconds * 1000;
    const isOver = () => Date.now() >= end;
    const at = { port: ports[0], from: "127.0.0.2", room: roomOf(0), strength };
    const under = Object.keys(attacks).map(async (name, index) => {
        await sleep(index * 200);
        return attackAgainAndAgain(name, at, isOver);
    });
    const resident = new Map([...before.keys()].map((name) => [name, []]));
    const most = { connections: 0, held: 0 };
    while (!isOver()) {
        for (const [name, pid] of before) {
            resident.get(name).push(await residentBytes(pid));
        }
        const now = await metricsOf(system);
        most.connections = Math.max(most.connections, now("shaddock_connections", "connector-server-1") || 0);
        most.held = Math.max(most.held, now("shaddock_held_bytes") || 0);
        await sleep(sampleMs);
    }
    const begun = await Promise.all(under);

    let left;
    const goneAt = Date.now();
    await until(async () => {
        const now = await metricsOf(system);
        left = { held: now("shaddock_held_bytes"), attacked: now("shaddock_connections", "connector-server-1"),
            ours: now("shaddock_connections", "connector-server-2") };
        // Besides the two there may be a newcomer.
        return left.held === 0 && left.attacked === 0 && left.ours <= 3;
    }, "attackers are gone and hold nothing", goneLimitMs).catch((error) => { throw new Error(`${error.message}: ${JSON.stringify(left)}`); });
    const goneMs = Date.now() - goneAt;

    const rows = [...resident].map(([name, samples]) => [name, ...thirds(samples)]);
    console.log([
        `begun: ${begun.join(", ")}`,
        `at most ${most.connections} connections and ${most.held} bytes held; nothing ${goneMs} ms after the end`,
        `the two: p50 ${watch.p50.toFixed(1)}, p99 ${watch.p99.toFixed(1)} ms; ${watch.took.length} answers and pushes, ${watch.logins} logins`,
        `${"at least, MiB".padEnd(20)}   first   middle     last`,
        ...rows.map(([name, ...each]) => `${name.padEnd(20)}${each.map(mib).join(" ")}`),
    ].join("\n"));
    const { harm } = watch;
    await watch.end();
    assert.deepEqual(harm, []);
    assert.deepEqual(await processes(), before, "no process was restarted");
    assert.deepEqual(await lostLinks(system), []);
    assert.doesNotMatch(system.output(), /died|restart|crash/);
    const grown = rows.filter(([, , middle, last]) => last > middle * (1 + growth.part) + growth.bytes);
    assert.deepEqual(grown, [], "processes grew");
});
