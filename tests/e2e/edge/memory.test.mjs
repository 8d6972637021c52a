/**
 * Thousands of clients from several addresses who each send the first half of a large package, and come again when they are thrown out.
 * With the limits as shipped 64 MiB of it are kept and no more; others are served; afterwards nothing is held.
 *
 * 3,000 of them; SHADDOCK_LONG: 10,000.
 */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Watch, connectorPorts, lostLinks, metricsOf, pinMyself, pinned, startAttack } from "../attacks/watch.mjs";
import { roomOf } from "../lib/edge_client.mjs";
import { startSystem } from "../lib/system.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";

const isLong = Boolean(process.env.SHADDOCK_LONG);
const addresses = isLong ? 6 : 2;
/** Of each address; an attack at full strength has 1,500. */
const strength = isLong ? 1.12 : 1;
/** No more than the rate of handshakes allows, with room for others: else it would not be memory that is short. */
const [paceMs, againMs] = isLong ? [800, 20_000] : [400, 5_000];
const attackMs = isLong ? 30_000 : 7_000;
const limit = 64 * 1024 * 1024;
const server = "connector-server-1";

endProcessAfter(110_000);

let system;
let port;

before(async () => {
    await pinMyself();
    system = await startSystem({
        wrap: pinned,
        edit: async (config) => {
            // Places are not what shall be short.
            const file = join(config, "host.yaml");
            const text = await readFile(file, "utf8");
            assert.match(text, /connections_limit: 10000\n/);
            await writeFile(file, text.replace("connections_limit: 10000", "connections_limit: 12000"));
        },
    });
    [port] = await connectorPorts(system);
}, { timeout: 60_000 });

after(async () => { await system?.stop(); }, { timeout: 30_000 });

test(`${Math.ceil(addresses * strength * 1500)} half packages at once are held within ${limit} bytes`, { timeout: 90_000 }, async () => {
    const watch = await Watch.begin({ ports: [port], room: roomOf(0) });
    const attack = await Promise.all(Array.from({ length: addresses }, (_, i) =>
        startAttack("half packages", { port, from: `127.0.0.${i + 2}`, strength, paceMs, againMs })));
    const most = { held: 0, connections: 0 };
    for (const end = Date.now() + attackMs; Date.now() < end; await sleep(100)) {
        const now = await metricsOf(system);
        const held = ["input", "unanswered"].map((what) => now("shaddock_held_bytes", server, `"${what}"`) || 0);
        most.held = Math.max(most.held, held[0] + held[1]);
        most.connections = Math.max(most.connections, now("shaddock_connections", server) || 0);
    }
    const { harm, p99 } = watch;
    await Promise.all(attack.map((one) => one.end()));
    console.log(`at most ${most.held} bytes held of ${most.connections} connections; p99 beside it ${p99.toFixed(1)} ms`);
    assert.deepEqual(harm, []);
    assert.ok(most.held > limit / 2, "it is an attack");
    assert.ok(most.held <= limit, "more than the limit is held");
    const dropped = (await metricsOf(system))("shaddock_drops_total", server, 'reason="memory"');
    assert.ok(dropped > 0);
    await until(async () => {
        const now = await metricsOf(system);
        return now("shaddock_held_bytes", server) === 0 && now("shaddock_connections", server) <= 3;
    }, "nothing is held", 10_000);
    await watch.end();
    assert.deepEqual(await lostLinks(system), []);
});
