/** Clients that harm the servers, and a quiet pair beside them that notices nothing. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { startSystem } from "../lib/system.mjs";
import { Pair, Peer, heartbeat, request } from "./peer.mjs";

const enter = "connector.entryHandler.enter";
const server = "connector-server-1";
const mib = 1024 * 1024;
let system;
let port;
let adminPort;
let pair;

before(async () => {
    system = await startSystem({
        edit: async (config) => {
            // One connector, so that everybody is on it; bodies are JSON; what is measured in seconds is shorter.
            const servers = JSON.parse(await readFile(join(config, "servers.json"), "utf8"));
            servers.development.connector.splice(1);
            servers.development.chat.splice(1);
            await writeFile(join(config, "servers.json"), JSON.stringify(servers));
            const yaml = await readFile(join(config, "host.yaml"), "utf8");
            await writeFile(join(config, "host.yaml"), yaml.replaceAll("proto: true", "proto: false").replaceAll("dict: true", "dict: false")
                .replace("heartbeat: 3 s", "heartbeat: 1 s").replace("input_limit: 64 MiB", "input_limit: 8 MiB"));
        },
    });
    const servers = JSON.parse(await readFile(join(system.folder, "config/servers.json"), "utf8"));
    port = servers.development.connector[0].clientPort;
    adminPort = JSON.parse(await readFile(join(system.folder, "config/master.json"), "utf8")).development.port;
    pair = await Pair.open(port, "quiet");
});
after(async () => {
    pair?.close();
    await system?.stop();
});

/** The sum of a metric's series at the connector. */
async function metric(name, label = "") {
    const token = (await readFile(join(system.folder, "run/token"), "utf8")).trim();
    const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`, { headers: { Authorization: `Bearer ${token}` } })).text();
    return text.split("\n").filter((line) => line.startsWith(`${name}{`) && line.includes(`"${server}"`) && line.includes(label))
        .reduce((sum, line) => sum + Number(line.split(" ").pop()), 0);
}

async function until(isTrue, what) {
    for (const end = Date.now() + 15_000; !(await isTrue());) {
        assert.ok(Date.now() < end, `${what}: not within 15 s`);
        await sleep(100);
    }
}

/** What the pair notices while `harm` goes on must be what it notices without, or 25 ms. */
async function unnoticed(name, harm) {
    await sleep(300);
    pair.reset();
    await sleep(1000);
    const quiet = pair.result();
    pair.reset();
    await harm();
    const beside = pair.result();
    console.log(`${name}: quiet ${JSON.stringify(quiet)}, beside it ${JSON.stringify(beside)}`);
    assert.equal(beside.refused, 0);
    assert.ok(!pair.one.isClosed && !pair.other.isClosed, "the pair was closed");
    assert.ok(beside.p50 <= Math.max(3 * quiet.p50, 25), "the pair waits");
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

/** Many clients of one kind, each with its write. */
async function many(count, write) {
    const peers = [];
    for (let i = 0; i < count; ++i) {
        const peer = await Peer.open(port);
        peer.socket.write(write(i));
        peers.push(peer);
    }
    await sleep(500);
    peers.forEach((peer) => peer.close());
}

test("half packages and pipelined requests: what is held is bounded, and given back", { timeout: 120_000 }, async () => {
    const pid = JSON.parse(await readFile(join(system.folder, `run/${server}.lock`), "utf8"));
    const resident = async () => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))[1]) * 1024;
    const before = await resident();
    const half = Buffer.concat([Buffer.from([4, 0, 0xf0, 0]), Buffer.alloc(50_000, 120)]);
    const junk = "x".repeat(60_000);
    const after = [];
    let most = 0;
    const watch = setInterval(async () => { most = Math.max(most, await resident()); }, 20);
    await unnoticed("half packages and enters", async () => {
        for (let round = 0; round < 3; ++round) {
            await many(400, () => half);
            await many(60, (user) => Buffer.concat(Array.from({ length: 30 },
                (_, i) => request(i + 1, enter, { username: `a${user}`, rid: `r${user}-${i % 2}`, junk }))));
            await until(async () => await metric("shaddock_connections") === 2, "they are gone");
            await until(async () => await metric("shaddock_held_bytes") === 0, "nothing is held");
            after.push(await resident());
        }
    });
    clearInterval(watch);
    console.log(`resident: ${before / mib}, at most ${most / mib}, after each round ${after.map((bytes) => bytes / mib)} MiB`);
    // Sanitizers keep freed memory.
    if (!process.env.SHADDOCK_SANITIZED) {
        assert.ok(most - before < 48 * mib, "8 MiB of input may be held, and what kernel and allocator need beside it");
        assert.ok(after[2] < after[0] + 8 * mib, "it grows");
    }
    assert.ok(await metric("shaddock_drops_total", 'reason="memory"') > 0);
});

test("a package on a slow line is answered: its bytes are a sign of life", { timeout: 60_000 }, async () => {
    const slow = await Peer.open(port);
    const answer = slow.answerOf(1);
    const bytes = request(1, enter, { username: "slow", rid: "hall", pad: "y".repeat(20_000) });
    for (let at = 0; at < bytes.length && !slow.isClosed; at += 500) {
        slow.socket.write(bytes.subarray(at, at + 500));
        await sleep(100);
    }
    slow.socket.write(heartbeat);
    assert.deepEqual((await answer)?.users, ["slow"]);
    slow.close();
});
