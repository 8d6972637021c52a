/** Healthy people beside an attack: what they notice is what counts. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client } from "../lib/edge_client.mjs";

const run = promisify(execFile);

/** The system on one core, all that makes load and measures on the others: else one would measure the other. */
export const systemCore = "0";
const hasCores = cpus().length > 1;
export const pinned = hasCores ? ["taskset", "-c", systemCore] : [];
export async function pinMyself() {
    if (hasCores) {
        await run("taskset", ["-a", "-c", "-p", `1-${cpus().length - 1}`, String(process.pid)]);
    }
}

/** @returns {number} in ms */
export function quantile(numbers, part) {
    const sorted = numbers.toSorted((a, b) => a - b);
    return sorted.length === 0 ? NaN : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}

const beginLimitMs = 30_000;

/** Starts a node program beside this one. @returns {Promise<{line: string, end: () => Promise<void>}>} its first line */
async function beside(file, ...given) {
    const child = spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), ...given], { stdio: ["ignore", "pipe", "inherit"] });
    const end = async () => {
        if (child.exitCode === null) {
            child.kill("SIGKILL");
            await once(child, "exit");
        }
    };
    const line = await Promise.race([
        once(child.stdout, "data").then(String),
        once(child, "exit").then(([code]) => { throw new Error(`${file} ${given[0]} ended with ${code}`); }),
        sleep(beginLimitMs, undefined, { ref: false }),
    ]);
    if (line === undefined) {
        await end();
        throw new Error(`${file} ${given[0]} has not begun within ${beginLimitMs} ms`);
    }
    child.stdout.resume();
    return { line: line.trim(), end };
}
export const startSink = () => beside("sink.mjs");
export const startTlsFlood = (port) => beside("../clients/tls_flood.mjs", String(port));
export const startAttack = (name, at) => beside("attacks.mjs", name, JSON.stringify(at));

/** @param {{folder: string}} system as of startSystem @returns {Promise<number[]>} the clients' ports of its connectors */
export async function connectorPorts(system) {
    const servers = JSON.parse(await readFile(join(system.folder, "config/servers.json"), "utf8"));
    return servers.development.connector.map(({ clientPort }) => clientPort);
}
/** @returns {Promise<string[]>} lines of all logs */
export async function lostLinks(system) {
    const logs = join(system.folder, "logs");
    const texts = await Promise.all((await readdir(logs)).map((name) => readFile(join(logs, name), "utf8")));
    return texts.join("\n").split("\n").filter((line) => /link with .* lost/.test(line));
}

/**
 * @param {{folder: string}} system as of startSystem
 * @returns {Promise<(name: string, server?: string, label?: string) => number>} the sum of a metric, of one server or all; not a number
 *   when none of them has told the master in time
 */
export async function metricsOf(system) {
    const { development: { port } } = JSON.parse(await readFile(join(system.folder, "config/master.json"), "utf8"));
    const token = (await readFile(join(system.folder, "run/token"), "utf8")).trim();
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { Authorization: `Bearer ${token}` } });
    const lines = (await answer.text()).split("\n");
    return (name, server = "", label = "") => {
        const found = lines.filter((line) => line.startsWith(`${name}{`) && line.includes(`"${server}`) && line.includes(label));
        return found.length === 0 ? NaN : found.reduce((sum, line) => sum + Number(line.split(" ").pop()), 0);
    };
}

const everyMs = 25;

/** Two in a room, one of whom says something every 25 ms, and a newcomer every quarter of a second. */
export class Watch {
    /** ms until a request was answered, and until the other one had it. */
    took = [];
    refused = [];
    left = [];
    turnedAway = [];
    logins = 0;
    #isOver = false;
    #all = [];

    /** @param {{ports: number[], room: string}} given the speaker is at the first port, the listener at the last */
    static async begin({ ports, room }) {
        const watch = new Watch();
        const speaker = await Client.open(ports[0]);
        const listener = await Client.open(ports.at(-1));
        watch.#all = [speaker, listener];
        await listener.enter("listener", room);
        await speaker.enter("speaker", room);
        const sent = new Map();
        let next = 0;
        listener.onPush = (route, body) => {
            if (route === "onLeave" || body.includes('"onLeave"')) {
                watch.left.push(body.toString());
            }
            const number = /q(\d+)q/.exec(body.toString())?.[1];
            if (number !== undefined) {
                watch.took.push(performance.now() - sent.get(Number(number)));
            }
        };
        watch.#run(async () => {
            const number = next++;
            const begun = performance.now();
            sent.set(number, begun);
            speaker.say(`q${number}q`).then((answer) => {
                watch.took.push(performance.now() - begun);
                if (answer.code !== undefined && answer.code !== 200 && !watch.#isOver) {
                    watch.refused.push(answer);
                }
            });
            await sleep(everyMs);
        });
        watch.#run(async () => {
            const newcomer = await Client.open(ports[0]);
            const { users, code } = await newcomer.enter(`new${watch.logins++}`, `${room}-door`);
            if (!users && !watch.#isOver) {
                watch.turnedAway.push(code);
            }
            newcomer.close();
            await sleep(10 * everyMs);
        });
        return watch;
    }

    /** Forgets what it has seen. */
    reset() {
        this.took = [];
        this.refused = [];
        this.turnedAway = [];
    }

    get p50() {
        return quantile(this.took, 0.5);
    }
    get p99() {
        return quantile(this.took, 0.99);
    }
    /** @returns {string[]} what they noticed; empty: nothing */
    get harm() {
        const closed = this.#all.filter(({ isClosed }) => isClosed).map(({ kick }) => `closed (${kick ?? "no kick"})`);
        const list = (what, all) => (all.length > 0 ? [`${all.length} ${what}, such as ${JSON.stringify(all[0])}`] : []);
        return [...closed, ...list("requests refused", this.refused), ...list("left the room", this.left),
            ...list("newcomers turned away", this.turnedAway)];
    }

    async end() {
        this.#isOver = true;
        this.#all.forEach((one) => one.close());
        await sleep(0);
    }

    async #run(step) {
        while (!this.#isOver) {
            await step();
        }
    }
}
