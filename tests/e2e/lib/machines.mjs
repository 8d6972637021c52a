/** A system on several machines: network namespaces, each with a run folder of its own; a nats-server on one of them. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { NetLab } from "./net_lab.mjs";
import { until } from "./wait.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const host = process.env.SHADDOCK_HOST_BIN;
const bin = process.env.SHADDOCK_BIN_DIR;
export const hostLostS = 3;
export const machineLostS = 6;

/** Which servers stand where. */
const servers = {
    gate: [["gate-1", "door"]],
    connector: [["connector-1", "one"], ["connector-2", "two"]],
    chat: [["chat-1", "one"], ["chat-2", "two"]],
};
const names = ["door", "one", "two", "nats", "users"];

export class Machines {
    #folder;
    #program = host;
    /** By the machine's name. */
    #nats = new Map();
    #natsNames;
    #children = new Map();
    #haveMasters;
    lab;

    /**
     * Everything runs and is linked when it returns.
     * @param {{haveMasters?: boolean, natsServers?: number}} [options] true: `host start` on each machine; false: each server by itself, as systemd or Kubernetes
     *   start them; `natsServers`: more than one are a cluster, of which each keeps the list
     */
    static async start({ haveMasters = true, natsServers = 1 } = {}) {
        const made = new Machines();
        made.#natsNames = ["nats", ...Array.from({ length: natsServers - 1 }, (_, n) => `nats${n + 2}`)];
        made.#haveMasters = haveMasters;
        made.#folder = await mkdtemp(join(tmpdir(), "shaddock-machines-"));
        made.lab = await NetLab.open([...names, ...made.#natsNames.slice(1)]);
        try {
            await made.#configure();
            await Promise.all(made.#natsNames.map((name) => made.beginNats(name)));
            await Promise.all(["door", "one", "two"].map((name) => made.begin(name)));
            await made.areWhole();
        } catch (error) {
            await made.close();
            throw error;
        }
        return made;
    }

    async close() {
        await this.lab.close();
        await rm(this.#folder, { recursive: true, force: true });
    }

    async begin(name) {
        await mkdir(join(this.#folder, name), { recursive: true });
        if (this.#haveMasters) {
            this.#spawn(name, name, this.#program, ["start", ...this.#place(name)]);
            return;
        }
        for (const [id, where] of Object.values(servers).flat()) {
            if (where === name) {
                this.beginServer(id);
            }
        }
    }

    /** From now on machines begin with another build of host and plugins: the same code under build ids of its own. */
    async installNewBuild() {
        const from = dirname(dirname(host));
        const to = join(this.#folder, "new");
        await Promise.all(["bin", "plugins"].map((each) => mkdir(join(to, each), { recursive: true })));
        const plugins = (await readdir(join(from, "plugins"))).filter((name) => name.endsWith(".so"));
        const note = join(to, "note");
        for (const file of ["bin/host", ...plugins.map((name) => `plugins/${name}`)]) {
            await promisify(execFile)("objcopy", ["--dump-section", `.note.gnu.build-id=${note}`, join(from, file), join(to, "whole")]);
            const bytes = await readFile(note);
            randomBytes(16).copy(bytes, bytes.length - 16);
            await writeFile(note, bytes);
            await promisify(execFile)("objcopy", ["--update-section", `.note.gnu.build-id=${note}`, join(from, file), join(to, file)]);
        }
        this.#program = join(to, "bin", "host");
    }

    /** `host start -D`, as an operator types it. */
    startByHand(name) {
        return this.#command(name, ["start", "-D", ...this.#place(name)]);
    }

    /** Without masters. */
    beginServer(id) {
        const [type] = Object.entries(servers).find(([, all]) => all.some(([each]) => each === id));
        const name = this.#machineOf(id);
        this.#spawn(name, id, this.#program, ["--type", type, "--id", id, ...this.#place(name)]);
    }

    /** A command, on that machine. @returns {Promise<{code: number, output: string}>} */
    command(name, ...words) {
        return this.#command(name, [...words, "--run", join(this.#folder, name, "run")]);
    }

    /** `host logs -f` on that machine, for so long. @returns {Promise<string>} what it has printed */
    async follow(name, id, seconds) {
        return (await this.#command(name, ["-s", "INT", String(seconds), this.#program, "logs", id, "-f", "-n", "1", "--run", join(this.#folder, name, "run")],
            "timeout")).output;
    }

    #command(name, words, program = this.#program) {
        return this.#run(name, program, words, { cwd: join(this.#folder, name) });
    }

    /** @returns {Promise<{code: number, output: string}>} */
    async #run(name, program, words, options = {}) {
        const child = this.lab.spawn(name, program, words, { ...options, stdio: ["ignore", "pipe", "pipe"] });
        let output = "";
        child.stdout.on("data", (bytes) => { output += bytes; });
        child.stderr.on("data", (bytes) => { output += bytes; });
        const code = await new Promise((resolve) => child.once("close", resolve));
        return { code, output };
    }

    async signal(id, name) {
        const pid = Number(await readFile(join(this.#folder, this.#machineOf(id), "run", `${id}.lock`), "utf8"));
        process.kill(pid, name);
    }

    /** @returns {string[]} where a server of NATS runs */
    get natsNames() {
        return this.#natsNames;
    }

    async beginNats(name = "nats") {
        const words = ["--addr", this.lab.addressOf(name), "--port", "4222", "--jetstream", "--store_dir", this.#storeOf(name)];
        if (this.#natsNames.length > 1) {
            const routes = this.#natsNames.map((each) => `nats://${this.lab.addressOf(each)}:6222`);
            words.push("--server_name", name, "--cluster_name", "lab", "--cluster", `nats://${this.lab.addressOf(name)}:6222`, "--routes", routes.join());
        }
        const server = this.#spawn(name, name, "nats-server", words);
        this.#nats.set(name, server);
        await until(() => / Server is ready/.test(server.output), `${name} is ready`, 10_000);
    }

    async killNats({ name = "nats", signal = "SIGKILL", losesStore = false } = {}) {
        const server = this.#nats.get(name);
        server.kill(signal);
        await server.ended;
        if (losesStore) {
            await rm(this.#storeOf(name), { recursive: true, force: true });
        }
    }

    /** Whoever comes now gets in, in every room, and hears all: asked again until it is so. */
    async areWhole(limitMs = 15_000) {
        let last = "nothing was tried";
        await until(async () => {
            try {
                await this.load(["--users", "16", "--rooms", "8", "--count", "1", "--settle-ms", "100", "--login-timeout", "2", "--drain-ms", "2000"]);
                return true;
            } catch (failed) {
                last = `${failed.message}\n${failed.stdout}`;
                return false;
            }
        }, "the system is whole", limitMs).catch((error) => {
            throw new Error(`${error.message}; the last try said:\n${last}\n${this.outputs()}`);
        });
    }

    /** The checking load generator on a machine of its own. @returns {Promise<string>} its report; throws when it has found anything */
    async load(options) {
        const { code, output } = await this.#run("users", join(bin, "shaddock-load"), ["--gate", `${this.lab.addressOf("door")}:3014`, ...options]);
        if (code !== 0) {
            throw Object.assign(new Error(`shaddock-load ended with ${code}`), { stdout: output });
        }
        return output;
    }

    /** The program of nats/ with clients of other makers, on the machine of those who talk. Throws unless it ends with 0. */
    async strangers() {
        const { code, output } = await this.#run("users", process.execPath, [join(root, "tests/e2e/nats/strangers.mjs"), `${this.lab.addressOf("door")}:3014`]);
        if (code !== 0) {
            throw new Error(`it ended with ${code}:\n${output}\n${this.outputs()}`);
        }
    }

    /** What the processes have said, for people. */
    outputs() {
        return [...this.#children].map(([id, { output }]) => `== ${id}\n${output.split("\n").slice(-25).join("\n")}`).join("\n");
    }

    /** What a server has logged. */
    log(id) {
        return readFile(join(this.#folder, this.#machineOf(id), "logs", `${id}.log`), "utf8");
    }

    #storeOf(name) {
        return join(this.#folder, name, "store");
    }

    #machineOf(id) {
        return Object.values(servers).flat().find(([each]) => each === id)[1];
    }

    #place(name) {
        return ["--config", join(this.#folder, "config"), "--run", join(this.#folder, name, "run")];
    }

    #spawn(name, id, program, words) {
        const child = this.lab.spawn(name, program, words, { cwd: join(this.#folder, name), stdio: ["ignore", "pipe", "pipe"] });
        child.output = "";
        child.stdout.on("data", (bytes) => { child.output += bytes; });
        child.stderr.on("data", (bytes) => { child.output += bytes; });
        child.ended = new Promise((resolve) => child.once("exit", resolve));
        this.#children.set(id, child);
        return child;
    }

    async #configure() {
        const config = join(this.#folder, "config");
        await cp(join(root, "config"), config, { recursive: true });
        await Promise.all(this.#natsNames.map((name) => mkdir(join(this.#folder, name))));
        const nats = this.#natsNames.map((name) => `'nats://${this.lab.addressOf(name)}:4222'`);
        const records = Object.fromEntries(Object.entries(servers).map(([type, all]) => [type, all.map(([id, where]) => ({
            id, host: this.lab.addressOf(where), ...(type === "chat" ? { port: 6050 } : { frontend: true, clientPort: type === "gate" ? 3014 : 3050 }),
            ...(type === "connector" ? { port: 4050 } : {}),
        }))]));
        await writeFile(join(config, "servers.json"), JSON.stringify(records));
        const file = join(config, "host.yaml");
        const text = await readFile(file, "utf8");
        await writeFile(file, text.replace("  kind: direct\n", `  kind: nats
  nats: {servers: [${nats.join(", ")}], replicas: ${nats.length}, cluster: lab, host_lost: ${hostLostS} s, machine_lost: ${machineLostS} s}
`).replace("port: 3001", "port: 0").replace("  # stalled: kill", "  stalled: kill"));
    }
}
