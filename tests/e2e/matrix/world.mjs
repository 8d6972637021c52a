/** A system of real processes for one seed: two connectors, two chat servers, people in two rooms. */
import { spawn, execFile } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { cp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { Client, roomOf } from "../lib/edge_client.mjs";
import { LinkProxy } from "../lib/link_proxy.mjs";
import { NatsProxy } from "../lib/nats_proxy.mjs";
import { NatsServer } from "../lib/nats_server.mjs";
import { replaceIn, startSystem, withPlainBodies } from "../lib/system.mjs";
import { until } from "../lib/wait.mjs";
import { lostOf } from "./faults.mjs";
import { Person } from "./person.mjs";

const run = promisify(execFile);
const chats = ["chat-server-1", "chat-server-2"];
const connectors = ["connector-server-1", "connector-server-2"];
const wholeMs = 15_000;

export class World {
    people = new Map();
    rooms = [];
    /** The reasons of all kicks so far. */
    kicks = [];
    /** In the link of `standBetween`. */
    proxy = null;
    /** Where the servers are linked by NATS; the proxy where their connections are cut. */
    nats = null;
    natsProxy = null;
    #system = null;
    #successor = null;
    #log;
    #failed = null;
    #isOver = false;
    #environment = () => ({});

    /**
     * @param {{random: () => number, silenceMs: number, bus: string, killsStalled?: boolean, isOfMastersLine?: boolean, isApart?: boolean}}
     *   options
     */
    static async start(options) {
        const world = new World();
        world.random = options.random;
        if (options.isOfMastersLine) {
            world.#environment = withLines;
        }
        try {
            await world.#begin(options);
        } catch (error) {
            await world.stop().catch(() => {});
            throw error;
        }
        return world;
    }

    async #begin({ silenceMs, bus, killsStalled = false, isApart = false }) {
        if (bus === "nats") {
            this.nats = await NatsServer.start();
        }
        const edit = async (config) => {
            await shrink(config, silenceMs, killsStalled);
            if (this.nats) {
                this.natsProxy = isApart ? await NatsProxy.before(this.nats.port, join(dirname(config), "run")) : null;
                await linkByNats(config, (this.natsProxy ?? this.nats).url, lostOf(silenceMs));
            }
        };
        this.#system = await startSystem({ edit, environment: this.#environment });
        const { folder, gatePort } = this.#system;
        this.gatePort = gatePort;
        this.historyFile = join(folder, "history.jsonl");
        this.#log = createWriteStream(this.historyFile);
        const { development } = JSON.parse(await readFile(join(folder, "config/servers.json"), "utf8"));
        this.ports = Object.fromEntries(development.connector.map(({ id, clientPort }) => [id, clientPort]));
        this.spare = ["serverType=chat", "id=chat-server-3", "host=127.0.0.1", `port=${development.chat[0].port + 20}`];
        this.rooms = chats.map((_, index) => roomOf(index, chats.length));
    }

    note(event) {
        if (event.e === "kicked") {
            this.kicks.push(event.reason);
        }
        this.#log.write(`${JSON.stringify(event)}\n`);
    }

    fail(error) {
        this.#failed ??= error;
    }

    check() {
        if (this.#failed) {
            throw this.#failed;
        }
    }

    host(...words) {
        return run(process.env.SHADDOCK_HOST_BIN, [...words, "--run", join(this.#system.folder, "run")]).then(({ stdout }) => stdout);
    }

    async list() {
        return JSON.parse(await this.host("list", "--all", "--json").catch((error) => error.stdout || "[]"));
    }

    async pidOf(id) {
        return id === "master" ? (this.#successor ?? this.#system).pid : (await this.list()).find((each) => each.id === id)?.pid;
    }

    newPerson(name, connector = connectors[Math.floor(2 * this.random())]) {
        const person = new Person(this, name, connector, this.ports[connector]);
        this.people.set(name, person);
        return person;
    }

    /** Three in each room, on both connectors. */
    async settle() {
        const names = ["ann", "bob", "cid", "dan", "eva", "fay"];
        await Promise.all(names.map((name, i) => this.newPerson(name, connectors[i % 2]).arrive(this.rooms[Math.floor(i / 3)])));
    }

    /** Somebody says something, again and again; now and then to one other. */
    talk(pauseMs) {
        let isOver = false;
        const loop = (async () => {
            while (!isOver && !this.#isOver) {
                const there = [...this.people.values()].filter(({ isIn }) => isIn);
                const one = there[Math.floor(this.random() * there.length)];
                const others = there.filter(({ room, name }) => room === one?.room && name !== one.name);
                const isPrivate = others.length > 0 && this.random() < 0.2;
                one?.say(isPrivate ? others[Math.floor(this.random() * others.length)].name : "*").catch((error) => this.fail(error));
                await sleep(pauseMs);
            }
        })();
        return async () => {
            isOver = true;
            await loop;
        };
    }

    /** Until everybody has heard everybody in its room, itself too. */
    async whole(except = []) {
        await until(async () => {
            this.check();
            const all = [...this.people.values()].filter((each) => !except.includes(each));
            const said = new Map(await Promise.all(all.map(async (person) => [person.name, person.isIn ? await person.say() : null])));
            await sleep(50);
            return all.every((hearer) => hearer.isIn && all.every((speaker) => speaker.room !== hearer.room ||
                hearer.heard.has(said.get(speaker.name))));
        }, "all are in their rooms and hear each other", wholeMs).catch((error) => {
            const where = [...this.people.values()].map(({ name, room, isIn }) => `${name} ${isIn ? `in ${room}` : "nowhere"}`);
            throw new Error(`${error.message}: ${where.join(", ")}`);
        });
    }

    /** All serve, as `host list` says. */
    async serves() {
        let all = [];
        await until(async () => {
            all = await this.list();
            return all.length > 0 && all.every(({ state }) => state === "ready" || state === "stopped");
        }, "all servers serve", wholeMs).catch((error) => {
            throw new Error(`${error.message}: ${all.map(({ id, state }) => `${id} ${state}`).join(", ") || "no answer of a master"}`);
        });
    }

    /** The master's heir: a new one that adopts what runs. */
    async newMaster() {
        const { folder } = this.#system;
        const child = spawn(process.env.SHADDOCK_HOST_BIN, ["start", "--config", join(folder, "config"), "--run", join(folder, "run")],
            { cwd: folder, stdio: "ignore", env: { ...process.env, ...this.#environment(folder) } });
        this.#successor = child;
        child.ended = new Promise((resolve) => child.once("exit", resolve));
    }

    /** The link of these two comes through `proxy` from now on. The smaller id dials: when it begins anew it comes through. */
    async standBetween(dialler, dialled) {
        this.proxy = await LinkProxy.before(join(this.#system.folder, "run"), dialled);
        await this.host("restart", dialler);
        await until(() => this.proxy.carries(dialler), "the link comes through the proxy");
        await this.#takesAll();
    }

    /** Until everybody is let in everywhere: after a restart rooms wait for who was in them. Nobody in the rooms of the others sees it. */
    async #takesAll() {
        await Promise.all(connectors.flatMap((connector) => chats.map(async (_, index) => {
            const room = roomOf(index, chats.length);
            const client = await Client.open(this.ports[connector]);
            await until(async () => (await client.enter(`probe@${connector}`, room)).users, `${connector} lets somebody into a room of ${chats[index]}`);
            client.close();
        })));
    }

    /** @param {string} what `cut`, or `slow MS` (master_line.cpp) */
    async doToMastersLine(id, what) {
        const file = this.#lineOf(id);
        await writeFile(`${file}.new`, what);
        await rename(`${file}.new`, file);
    }

    mendMastersLine(id) {
        return rm(this.#lineOf(id), { force: true });
    }

    #lineOf(id) {
        return join(linesOf(this.#system.folder), id);
    }

    /** Who may miss messages: the members of rooms of the chat servers that the fault hurts, and the clients of its connectors. */
    hurtOf({ hurt: always, hurtByRestart = [] }, step) {
        const doRoomsMove = ["add", "stop", "remove"].includes(step);
        const hurt = [...always, ...step === "restart" ? hurtByRestart : []];
        const owners = hurt.filter((id) => chats.includes(id));
        const rooms = owners.length > 0 && doRoomsMove ? this.rooms : owners.map((id) => this.rooms[chats.indexOf(id)]);
        return [...rooms, ...hurt.filter((id) => connectors.includes(id)).map((id) => `@${id}`)].join();
    }

    /** Everybody goes; the history is closed. */
    async end() {
        await Promise.all([...this.people.values()].map((person) => person.leave()));
        await sleep(100);
        await new Promise((resolve) => this.#log.end(resolve));
    }

    /** What there is to read of it, for whoever looks for the cause of a failure. */
    async keep(where) {
        const isToRead = async (path) => (await stat(path)).isDirectory() || /\.(jsonl|log|out|json|crash)$/.test(path);
        await cp(this.#system.folder, where, { recursive: true, filter: isToRead }).catch((error) => console.error(`not kept: ${error.message}`));
    }

    async stop() {
        this.#isOver = true;
        this.people.forEach((person) => person.drop());
        await this.proxy?.close().catch(() => {});
        try {
            await this.#stopSystem();
        } finally {
            await this.natsProxy?.close();
            await this.nats?.stop();
        }
    }

    async #stopSystem() {
        if (this.#successor) {
            this.#successor.kill("SIGTERM");
            await this.#successor.ended;
        }
        await this.#system?.stop().catch((error) => {
            if (!this.#successor) {
                throw error;
            }
        });
    }
}

const linesOf = (folder) => join(folder, "lines");
/** For processes whose lines to the master can be cut. */
function withLines(folder) {
    mkdirSync(linesOf(folder), { recursive: true });
    return { SHADDOCK_LINES: linesOf(folder), LD_PRELOAD: join(process.env.SHADDOCK_BIN_DIR, "master_line.so") };
}

/** Two servers of each type, bodies as JSON, and a silence that a test can wait for. */
async function shrink(config, silenceMs, killsStalled) {
    await withPlainBodies(config);
    await replaceIn(join(config, "host.yaml"), ["silence: 5 s", `silence: ${silenceMs} ms`],
        ["heartbeat: 1 s", `heartbeat: ${Math.round(silenceMs / 5)} ms`], ["message_rate: 100", "message_rate: 0"],
        ...(killsStalled ? [["# stalled: kill", "stalled: kill"]] : []));
    const file = join(config, "servers.json");
    const servers = JSON.parse(await readFile(file, "utf8"));
    for (const environment of Object.values(servers)) {
        environment.connector.length = environment.chat.length = 2;
    }
    await writeFile(file, JSON.stringify(servers));
}

async function linkByNats(config, url, lostMs) {
    await replaceIn(join(config, "host.yaml"), ["  kind: direct\n", `  kind: nats
  nats:
    servers: [${url}]
    cluster: matrix
    local_pairs: nats
    host_lost: ${lostMs} ms
`]);
}
