/**
 * docs/samples/inventory with a real database: what players did is what its rows say, over reloads and after kill -9.
 * Sanitizers make it many times slower: there it reloads less often.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { WebSocket } from "ws";

import { Client } from "../../../web/client/shaddock.js";
import { postgresFolder, startPostgres } from "../lib/postgres.mjs";
import { startSystem } from "../lib/system.mjs";
import { until } from "../lib/wait.mjs";

const run = promisify(execFile);
const host = process.env.SHADDOCK_HOST_BIN;
const module = join(process.env.SHADDOCK_BIN_DIR, "../samples/inventory.so");
const schema = fileURLToPath(new URL("../../../docs/samples/inventory/schema.sql", import.meta.url));
const reloads = process.env.SHADDOCK_SANITIZED ? 20 : 100;
const items = ["sword", "shield", "potion", "rope"];
const anHour = 3_600_000;

const skip = !existsSync(module) ? "needs the package libpq-dev when it is built"
    : postgresFolder() === null ? "needs the package postgresql" : false;

// A write takes its time, now more, now less, so that one that began earlier may end later. And rows of this test only grow: one that
// shrinks was overwritten by an older one.
const slowAndWatched = `
    create table delay (least float, most float); insert into delay values (0, 0);
    create table stale (player text, item text, was bigint, is_now bigint);
    create function wait() returns trigger language plpgsql as
        $$begin perform pg_sleep((select least + random() * (most - least) from delay)); return null; end$$;
    create trigger wait before insert on items for each statement execute function wait();
    create function watch() returns trigger language plpgsql as
        $$begin if new.count < old.count then insert into stale values (old.player, old.item, old.count, new.count); end if; return new; end$$;
    create trigger watch before update on items for each row execute function watch();`;

let database;

before(async () => {
    if (!skip) {
        database = await startPostgres();
        await database.query(await readFile(schema, "utf8"));
        await database.query(slowAndWatched);
    }
});
after(async () => { await database?.stop(); });

/** One inventory server that clients reach directly. */
async function startInventory(flushMs, handover = "5 s") {
    await database.query("truncate items, stale; update delay set least = 0, most = 0.1");
    const system = await startSystem({
        edit: async (config) => {
            await writeFile(join(config, "servers.json"), JSON.stringify({ development: {
                inventory: [{ id: "inventory-server-1", host: "127.0.0.1", port: 4050, clientPort: 3050, frontend: true }],
            } }));
            await writeFile(join(config, "inventory.json"), JSON.stringify({ database: database.where, flush_ms: flushMs }));
            await writeFile(join(config, "host.yaml"), [
                "types:",
                `  inventory: {modules: ["${module}"]}`,
                `reload: {watch: false, timeout: 20 s, handover: ${handover}}`,
                "web: {port: 3001}",
                "",
            ].join("\n"));
        },
    });
    const moved = JSON.parse(await readFile(join(system.folder, "config/servers.json"), "utf8"));
    return { ...system, clientPort: moved.development.inventory[0].clientPort };
}

const commandOn = (system, ...words) => run(host, [...words, "--run", join(system.folder, "run")]);

async function pidOf(system) {
    // Status 1: it does not serve just now.
    const { stdout } = await commandOn(system, "list", "--json").catch((error) => error);
    const listed = JSON.parse(stdout);
    return (listed.servers ?? listed).find(({ id }) => id === "inventory-server-1")?.pid;
}

/** Nobody is told who this is until they have entered. */
async function connect(system) {
    const client = new Client({ url: `ws://127.0.0.1:${system.clientPort}`, WebSocket, memory: null });
    await client.connect();
    return client;
}
const ask = (client, method, body = {}) => client.request(`inventory.inventoryHandler.${method}`, body);

async function rowsNow() {
    const rows = {};
    for (const [player, item, count] of await database.query("select player, item, count from items order by player, item")) {
        (rows[player] ??= {})[item] = Number(count);
    }
    return rows;
}

/** What players did, as the database should have it. */
class Log {
    rows = {};
    note(player, item, count) {
        const mine = this.rows[player] ??= {};
        mine[item] = (mine[item] ?? 0) + count;
        return mine[item];
    }
    of(player) { return this.rows[player] ?? {}; }
}

/** Comes, takes, goes, and comes again, until told to stop; everything that is answered stands in the log. */
async function play(system, player, log, isOver) {
    while (!isOver()) {
        const client = await connect(system);
        assert.deepEqual((await ask(client, "enter", { player })).items, log.of(player), `what ${player} comes back to`);
        for (let turns = 1 + Math.floor(Math.random() * 40); turns > 0 && !isOver(); --turns) {
            const item = items[Math.floor(Math.random() * items.length)];
            const count = 1 + Math.floor(Math.random() * 9);
            const { count: has } = await ask(client, "take", { item, count });
            assert.equal(has, log.note(player, item, count), `${player}'s ${item}`);
        }
        client.close();
    }
}

test(`rows are exact after ${reloads} reloads with slow writes and players who leave`, { skip, timeout: 300_000 }, async () => {
    const system = await startInventory(20);
    const log = new Log();
    let isOver = false;
    try {
        const players = Array.from({ length: 12 }, (_, i) => play(system, `player${i}`, log, () => isOver));
        for (let i = 0; i < reloads; ++i) {
            await Promise.race([commandOn(system, "reload", "inventory"), ...players]);
        }
        isOver = true;
        await Promise.all(players);
        const last = await connect(system);
        await ask(last, "save");
        assert.deepEqual(await rowsNow(), log.rows);
        assert.deepEqual(await database.query("select * from stale"), []);
        last.close();
        assert.doesNotMatch(await readFile(join(system.folder, "logs/inventory-server-1.log"), "utf8"), /inventory\.flush|PostgreSQL/);
    } finally {
        isOver = true;
        await system.stop();
    }
});

test("a generation that does not get the lock is refused, and the one before it goes on with all that it knew", { skip, timeout: 60_000 }, async () => {
    const system = await startInventory(anHour, "300 ms");
    try {
        const { client } = await newLife(system, 1, {});
        await ask(client, "take", { item: "rope", count: 7 });
        const other = database.query("select pg_advisory_lock(hashtext('inventory-server-1')), pg_sleep(1.5)");
        await until(async () => (await database.query(
            "select 1 from pg_locks where locktype = 'advisory' and not granted")).length > 0, "another who wants the lock");
        await assert.rejects(commandOn(system, "reload", "inventory"), ({ stdout }) => /'keeper'.*on_serving/.test(stdout));
        assert.deepEqual(await rowsNow(), { ann: { rope: 7 } });
        assert.equal((await ask(client, "take", { item: "rope", count: 1 })).count, 8);
        await other;
        await ask(client, "save");
        assert.deepEqual(await rowsNow(), { ann: { rope: 8 } });
        await commandOn(system, "reload", "inventory");
        assert.equal((await ask(client, "take", { item: "rope", count: 1 })).count, 9);
        client.close();
    } finally {
        await system.stop();
    }
    assert.deepEqual(await rowsNow(), { ann: { rope: 9 } });
});

test("killed with -9 between writes: the rows are those of the last acknowledged flush", { skip, timeout: 120_000 }, async () => {
    const system = await startInventory(anHour);
    const log = new Log();
    try {
        for (let life = 1; life <= 3; ++life) {
            const saved = structuredClone(log.rows);
            const { client, pid } = await newLife(system, life, saved.ann ?? {});
            for (const item of items) {
                await ask(client, "take", { item, count: life });
                log.note("ann", item, life);
            }
            await ask(client, "save");
            await ask(client, "take", { item: "lost", count: 1 }); // answered, and never written
            process.kill(pid, "SIGKILL");
            client.close();
            assert.deepEqual(await rowsNow(), log.rows);
        }
    } finally {
        await system.stop();
    }
    assert.deepEqual(await rowsNow(), log.rows, "after the stop");
});

test("killed with -9 in a write: the next life begins with all of it or nothing", { skip, timeout: 120_000 }, async () => {
    const system = await startInventory(anHour);
    const log = new Log();
    try {
        const { client, pid } = await newLife(system, 1, {});
        await database.query("update delay set least = 1, most = 1");
        for (const item of items) {
            await ask(client, "take", { item, count: 1 });
            log.note("ann", item, 1);
        }
        const saving = ask(client, "save").catch(() => "cut off");
        await until(async () => (await database.query(
            "select 1 from pg_stat_activity where state = 'active' and query like 'insert into items%'")).length > 0, "a write");
        process.kill(pid, "SIGKILL");
        assert.equal(await saving, "cut off");
        // Without the lock this would read what the write that still runs is about to replace.
        const next = await newLife(system, 2);
        assert.deepEqual({ ann: next.items }, await rowsNow());
        assert.deepEqual({ ann: next.items }, log.rows);
    } finally {
        await system.stop();
    }
});

test("a server that stops writes what it has", { skip, timeout: 60_000 }, async () => {
    const system = await startInventory(anHour);
    try {
        const { client } = await newLife(system, 1, {});
        await ask(client, "take", { item: "rope", count: 7 });
        assert.deepEqual(await rowsNow(), {});
    } finally {
        await system.stop();
    }
    assert.deepEqual(await rowsNow(), { ann: { rope: 7 } });
});

let pidBefore;

/** Waits for a new process after a kill, and enters as ann, who has `items`. */
async function newLife(system, life, expected) {
    const pid = await until(async () => {
        const now = await pidOf(system);
        return now && (life === 1 || now !== pidBefore) ? now : 0;
    }, "another process", 20_000);
    pidBefore = pid;
    const client = await until(() => connect(system).catch(() => null), "a server that serves", 20_000);
    const { items: has } = await ask(client, "enter", { player: "ann" });
    if (expected) {
        assert.deepEqual(has, expected);
    }
    return { client, pid, items: has };
}
