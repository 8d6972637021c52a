/** Clients that harm the servers, and a quiet pair beside them that notices nothing. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { replaceIn, startSystem, withoutOverloadIfSanitized, withPlainBodies } from "../lib/system.mjs";
import { Watch, metricsOf } from "../attacks/watch.mjs";
import { Client, heartbeat, requestOf, roomOf, routes } from "../lib/edge_client.mjs";

const server = "connector-server-1";
const mib = 1024 * 1024;
/** A route that nobody serves: the answer is 500, and costs as much. */
const dear = "chat.chatHandler.dear";
/** Attacks on memory in a row. */
const rounds = 10;
let system;
let port;
let watch;

before(async () => {
    system = await startSystem({
        edit: async (config) => {
            // One connector, so that everybody is on it; bodies are JSON; what is measured in seconds is shorter.
            const servers = JSON.parse(await readFile(join(config, "servers.json"), "utf8"));
            servers.development.connector.splice(1);
            servers.development.chat.splice(1);
            await writeFile(join(config, "servers.json"), JSON.stringify(servers));
            await withPlainBodies(config);
            await withoutOverloadIfSanitized(config);
            await replaceIn(join(config, "host.yaml"), ["heartbeat: 3 s", "heartbeat: 2 s"], ["input_limit: 64 MiB", "input_limit: 8 MiB"],
                ["# route_cost: {connector.entryHandler.enter: 10}", `route_cost: {${dear}: 100}`]);
        },
    });
    const servers = JSON.parse(await readFile(join(system.folder, "config/servers.json"), "utf8"));
    port = servers.development.connector[0].clientPort;
    watch = await Watch.begin({ ports: [port], room: roomOf(0, 1) });
});
after(async () => {
    await watch?.end();
    await system?.stop();
});

/** The sum of a metric's series at the connector. */
async function metric(name, label = "") {
    return (await metricsOf(system))(name, server, label) || 0;
}

async function until(isTrue, what) {
    for (const end = Date.now() + 15_000; !(await isTrue());) {
        assert.ok(Date.now() < end, `${what}: not within 15 s`);
        await sleep(100);
    }
}

/** What two people notice while `harm` goes on must be what they notice without, or 25 ms. */
async function unnoticed(name, harm) {
    await sleep(300);
    watch.reset();
    await sleep(1000);
    const quiet = watch.p50;
    watch.reset();
    await harm();
    console.log(`${name}: p50 ${watch.p50.toFixed(1)} ms, quiet ${quiet.toFixed(1)}; ${watch.took.length} answers and pushes`);
    assert.deepEqual(watch.harm, []);
    assert.ok(process.env.SHADDOCK_SANITIZED || watch.p50 <= Math.max(3 * quiet, 25), "they wait");
}

for (const size of [1, 4000]) {
    test(`one client that sends requests of ${size} bytes as fast as it can`, { timeout: 60_000 }, async () => {
        await unnoticed(`flood of ${size}`, async () => {
            const worker = new Worker(new URL("flood.mjs", import.meta.url), { workerData: { port, size } });
            try {
                await until(async () => await metric("shaddock_throttled") === 1, "the flood is not read");
                await sleep(1500);
            } finally {
                await worker.terminate();
            }
        });
        assert.ok(await metric("shaddock_throttled_total") > 0);
        assert.ok(await metric("shaddock_turn_max_seconds") > 0);
    });
}

/** Many clients of one kind, from several addresses, each with its write. */
async function many(count, write) {
    const peers = [];
    while (peers.length < count) {
        peers.push(...await Promise.all(Array.from({ length: 10 }, () => Client.open(port, { from: `127.0.0.${2 + peers.length % 4}`, beats: false }))));
    }
    peers.forEach((peer, i) => peer.socket.write(write(i)));
    await sleep(250);
    peers.forEach((peer) => peer.close());
}

test("half packages and pipelined requests: what is held is bounded, and given back", { timeout: 150_000 }, async (t) => {
    const pid = JSON.parse(await readFile(join(system.folder, `run/${server}.lock`), "utf8"));
    const resident = async () => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))[1]) * 1024;
    const before = await resident();
    const half = Buffer.concat([Buffer.from([4, 0, 0xf0, 0]), Buffer.alloc(50_000, 120)]);
    const junk = "x".repeat(60_000);
    const after = [];
    let most = 0;
    const watch = setInterval(async () => { most = Math.max(most, await resident()); }, 20);
    t.after(() => clearInterval(watch));
    await unnoticed("half packages and enters", async () => {
        for (let round = 0; round < rounds; ++round) {
            await many(400, () => half);
            await many(60, (user) => Buffer.concat(Array.from({ length: 30 },
                (_, i) => requestOf(i + 1, routes.enter, JSON.stringify({ username: `a${user}`, rid: `r${user}-${i % 2}`, junk })))));
            await until(async () => await metric("shaddock_connections") <= 3, "they are gone");
            await until(async () => await metric("shaddock_held_bytes") === 0, "nothing is held");
            after.push(await resident());
        }
    });
    console.log(`resident: ${before / mib}, at most ${most / mib}, after each round ${after.map((bytes) => bytes / mib)} MiB`);
    // Sanitizers keep freed memory.
    if (!process.env.SHADDOCK_SANITIZED) {
        assert.ok(most - before < 48 * mib, "8 MiB of input may be held, and what kernel and allocator need beside it");
        // Up to 16 MiB that are free stay with the server until it next looks (base::memory_return): so the most of each half counts, in
        // which some round was measured before that. The rest is the allocator's noise.
        const [early, late] = [after.slice(0, rounds / 2), after.slice(rounds / 2)].map((part) => Math.max(...part));
        assert.ok(late < early + 8 * mib, `it grows: ${early / mib} MiB after the first rounds, then ${late / mib}`);
    }
    assert.ok(await metric("shaddock_drops_total", 'reason="memory"') > 0);
});

test("a package on a slow line is answered: its bytes are a sign of life", { timeout: 60_000 }, async () => {
    const slow = await Client.open(port, { beats: false });
    const answer = slow.answerOf(1);
    const bytes = requestOf(1, routes.enter, JSON.stringify({ username: "slow", rid: "hall", pad: "y".repeat(30_000) }));
    for (let at = 0; at < bytes.length && !slow.isClosed; at += 500) {
        slow.socket.write(bytes.subarray(at, at + 500));
        await sleep(100);
    }
    slow.socket.write(heartbeat);
    assert.deepEqual((await answer)?.users, ["slow"]);
    slow.close();
});

test("a route that costs as much as 100 messages is served three times at once, then once a second", { timeout: 60_000 }, async () => {
    const one = await Client.open(port);
    const begun = performance.now();
    const took = await Promise.all(Array.from({ length: 6 }, () => one.ask(dear, {}).then(() => performance.now() - begun)));
    const after = await Promise.all(Array.from({ length: 50 }, () => one.ask("chat.chatHandler.cheap", {}).then(() => performance.now() - begun)));
    one.close();
    console.log(`answered after ${took.map((ms) => ms.toFixed(0))} ms; another route after ${Math.max(...after).toFixed(0)} ms`);
    // The burst is 300 messages, the rate 100 a second; what brings it below nothing is still read.
    assert.ok(took[2] < took[4] && took[4] > 500 && took[5] > 1_500, "the dear ones wait");
    assert.ok(took[5] < 6_000);
    assert.ok(Math.max(...after) - took[5] < 3_000, "the others cost one each");
});
