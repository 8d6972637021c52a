/** Starts the real system, `host start`, on free ports and in a folder of its own; for tests. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const readyLimitMs = 30_000;
const stopLimitMs = 15_000;
const blockSize = 32;

/**
 * Copies a config folder, gives every port a free one, starts and waits for `ready: N servers`.
 * @param {object} [options]
 * @param {string} [options.host] the executable; default SHADDOCK_HOST_BIN, else build/release/bin/host
 * @param {string} [options.config] the config folder; default the repository's
 * @param {string} [options.env] the environment; default the host's own
 * @param {string[]} [options.wrap] a program that runs the host, and its arguments
 * @param {(folder: string) => Record<string, string>} [options.environment] what its processes have in their environment besides this one's;
 *   `folder`: the system's
 * @param {(config: string) => Promise<void>} [options.edit] changes the copied config folder before the ports are moved
 * @returns {Promise<{url: string, gatePort: number, folder: string, pid: number, output: () => string,
 *   stop: () => Promise<void>}>} `url` is the page's; `stop` sends SIGTERM and throws unless the system ends with 0
 */
export async function startSystem({
    host = process.env.SHADDOCK_HOST_BIN ?? join(root, "build/release/bin/host"),
    config: original = join(root, "config"),
    env,
    edit = async () => {},
    wrap = [],
    environment = () => ({}),
} = {}) {
    const folder = await mkdtemp(join(tmpdir(), "shaddock-e2e-"));
    const config = join(folder, "config");
    await cp(original, config, { recursive: true });
    await edit(config);
    const { webPort, gatePort, release } = await shiftPorts(config);

    const [program, ...before] = [...wrap, host];
    const child = spawn(program, [...before, "start", ...(env ? ["--env", env] : []), "--config", config, "--run", join(folder, "run")],
        { cwd: folder, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...environment(folder) } });
    let output = "";
    child.stdout.on("data", (bytes) => { output += bytes; });
    child.stderr.on("data", (bytes) => { output += bytes; });
    const ended = new Promise((resolve) => {
        child.once("error", (error) => resolve(`not started: ${error.message}`));
        child.once("exit", async (code, signal) => {
            // What it said last may still be on the way; what it left running may hold the pipe open for ever.
            await Promise.race([once(child, "close"), sleep(500)]);
            resolve(signal ?? code);
        });
    });

    const stop = async () => {
        child.kill("SIGTERM");
        const patience = setTimeout(() => child.kill("SIGKILL"), stopLimitMs);
        const end = await ended;
        clearTimeout(patience);
        release();
        await rm(folder, { recursive: true, force: true });
        if (end !== 0) {
            throw new Error(`${host} start ended with ${end}, expected 0 after SIGTERM. It said:\n${output}`);
        }
    };
    const failed = await Promise.race([
        readyLine(child).then(() => null),
        ended.then((end) => `ended with ${end}`),
        sleep(readyLimitMs, `no ready line within ${readyLimitMs} ms`, { ref: false }),
    ]);
    if (failed !== null) {
        await stop().catch(() => {});
        throw new Error(`${host} start: ${failed}. It said:\n${output}`);
    }
    const url = `http://127.0.0.1:${webPort}/?gate=${gatePort}`;
    return { url, gatePort, folder, pid: child.pid, output: () => output, stop };
}

function readyLine(child) {
    let text = "";
    return new Promise((resolve) => {
        child.stdout.on("data", (bytes) => {
            text += bytes;
            if (/^ready: \d+ servers$/m.test(text)) {
                resolve();
            }
        });
    });
}

async function shiftPorts(config) {
    const servers = JSON.parse(await readFile(join(config, "servers.json"), "utf8"));
    const master = JSON.parse(await readFile(join(config, "master.json"), "utf8"));
    const records = Object.values(servers).flatMap((types) => Object.values(types).flat());
    records.push(...Object.values(master));

    // The same old port in two environments stays one port.
    const old = new Set(records.flatMap(({ port, clientPort }) => [port, clientPort]).filter(Number.isInteger));
    if (old.size + 1 >= blockSize) {
        throw new Error(`${config} names ${old.size} ports, expected fewer than ${blockSize - 1}`);
    }
    const { ports: free, release } = await claimPorts(old.size + 1);
    const webPort = free.pop();
    const moved = new Map([...old].map((port, index) => [port, free[index]]));
    for (const record of records) {
        for (const key of ["port", "clientPort"]) {
            if (moved.has(record[key])) {
                record[key] = moved.get(record[key]);
            }
        }
    }
    await writeFile(join(config, "servers.json"), JSON.stringify(servers, null, 2));
    await writeFile(join(config, "master.json"), JSON.stringify(master, null, 2));
    await replaceIn(join(config, "host.yaml"), ["port: 3001", `port: ${webPort}`]);
    return { webPort, gatePort: moved.get(3014), release };
}

/** An `edit` for load generators: clients may send as fast as they can. */
export async function withoutRates(config) {
    await replaceIn(join(config, "host.yaml"), ["message_rate: 100", "message_rate: 0"], ["byte_rate: 256 KiB", "byte_rate: 0"]);
}

/** An `edit` for tests that read what is sent: bodies are JSON and routes texts. */
export async function withPlainBodies(config) {
    const file = join(config, "host.yaml");
    await writeFile(file, (await readFile(file, "utf8")).replaceAll("proto: true", "proto: false").replaceAll("dict: true", "dict: false"));
}

/** @param {[string, string][]} changes what stands there, and what is to stand there; the first place of each */
export async function replaceIn(file, ...changes) {
    let text = await readFile(file, "utf8");
    for (const [old, now] of changes) {
        if (!text.includes(old)) {
            throw new Error(`${file}: expected "${old}"`);
        }
        text = text.replace(old, now);
    }
    await writeFile(file, text);
}

/** With sanitizers a server has more to do than it can under loads that are none: then it does not refuse for that. */
export async function withoutOverloadIfSanitized(config) {
    if (process.env.SHADDOCK_SANITIZED) {
        await replaceIn(join(config, "host.yaml"), ["overload: 100 ms", "overload: 0 ms"]);
    }
}

/**
 * Ports below those that the kernel gives to connections, in a block that no other test takes: its first port is held
 * until `release`.
 */
export async function claimPorts(count) {
    for (let tries = 0; tries < 100; ++tries) {
        const first = 10_000 + blockSize * Math.floor(Math.random() * 600);
        const servers = [];
        try {
            for (let port = first; port <= first + count; ++port) {
                const server = createServer().listen(port, "127.0.0.1");
                await once(server, "listening");
                servers.push(server);
            }
            const [held, ...tried] = servers;
            await Promise.all(tried.map((server) => once(server.close(), "close")));
            held.unref();
            return { ports: tried.map((_, index) => first + 1 + index), release: () => held.close() };
        } catch (error) {
            servers.forEach((server) => server.close());
            if (error.code !== "EADDRINUSE") {
                throw error;
            }
        }
    }
    throw new Error(`no ${count} free ports in a row were found between 10000 and ${10_000 + blockSize * 600}`);
}
