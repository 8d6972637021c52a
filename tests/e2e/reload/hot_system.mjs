/** The system of the reload proof: two connectors and two chat servers of tests/plugin/hot, and the program that exchanges their modules. */
import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { startSystem } from "../lib/system.mjs";

const run = promisify(execFile);
const bin = process.env.SHADDOCK_BIN_DIR;
const built = join(bin, "../tests/hot");
const builds = ["one", "two", "three"];
const types = ["connector", "chat"];

const servers = {
    development: {
        connector: [
            { id: "connector-server-1", host: "127.0.0.1", port: 4050, clientPort: 3050, frontend: true },
            { id: "connector-server-2", host: "127.0.0.1", port: 4051, clientPort: 3051, frontend: true },
        ],
        chat: [
            { id: "chat-server-1", host: "127.0.0.1", port: 6050 },
            { id: "chat-server-2", host: "127.0.0.1", port: 6051 },
        ],
    },
};

const modulePath = (folder, type) => join(folder, "modules", `hot_${type}.so`);

/**
 * Starts it with the first build of each type. Modules change by `host reload` alone: nobody watches their folder.
 * @param {object} [options]
 * @param {string} [options.drain] `reload: drain` of the chat servers
 * @param {boolean} [options.hasRows] they write what was said into the folder `rows`, slowly; a reload waits for that
 */
export async function startHotSystem({ drain = "0 ms", hasRows = false } = {}) {
    const system = await startSystem({
        edit: async (config) => {
            const folder = dirname(config);
            await mkdir(join(folder, "modules"), { mode: 0o755 });
            for (const type of types) {
                await copyFile(join(built, `hot_${type}_one.so`), modulePath(folder, type));
                await chmod(modulePath(folder, type), 0o755);
            }
            if (hasRows) {
                await mkdir(join(folder, "rows"));
                await writeFile(join(config, "ledger.json"), JSON.stringify({ folder: join(folder, "rows") }));
            }
            await writeFile(join(config, "servers.json"), JSON.stringify(servers));
            await writeFile(join(config, "host.yaml"), [
                "types:",
                `  connector: {modules: ["${modulePath(folder, "connector")}"]}`,
                `  chat: {modules: ["${modulePath(folder, "chat")}"], reload: {drain: ${drain}}}`,
                "connector: {distinctHost: true}",
                "reload: {watch: false, timeout: 20 s}",
                "web: {port: 3001}",
                "",
            ].join("\n"));
        },
    });
    const moved = JSON.parse(await readFile(join(system.folder, "config/servers.json"), "utf8"));
    return { ...system, connectors: moved.development.connector.map(({ clientPort }) => `127.0.0.1:${clientPort}`),
        greeters: moved.development.chat.map(({ port }) => port) };
}

/**
 * Runs shaddock-reload to its end; shows its report.
 * @returns {Promise<string>} the report; throws when it found anything
 */
export async function prove(system, ...options) {
    const all = [
        "--host", process.env.SHADDOCK_HOST_BIN, "--run", join(system.folder, "run"), "--connectors", system.connectors.join(","),
        ...types.flatMap((type) => [
            `--${type}`, builds.map((build) => join(built, `hot_${type}_${build}.so`)).join(","),
            `--${type}-into`, modulePath(system.folder, type),
        ]),
        ...options,
    ];
    try {
        const { stdout } = await run(join(bin, "shaddock-reload"), all, { maxBuffer: 1 << 26 });
        console.log(stdout);
        return stdout;
    } catch (failed) {
        throw new Error(`shaddock-reload ${failed.code}:\n${failed.stdout}\n${failed.stderr}\nthe system said:\n${system.output()}`);
    }
}
