/** A nats-server of a test's own: on a port that the kernel gives it and that it keeps, with JetStream and a store in a folder of its own. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { until } from "./wait.mjs";

const readyLimitMs = 10_000;

/** @returns {string|null} why there is none on this machine; null: there is one */
export function noNatsServer() {
    return spawnSync("nats-server", ["--version"]).error ? "needs the package nats-server" : null;
}

export class NatsServer {
    port = -1; // for nats-server: any
    #folder;
    #child = null;
    #output = "";

    static async start() {
        const server = new NatsServer();
        server.#folder = await mkdtemp(join(tmpdir(), "shaddock-nats-"));
        await server.begin();
        return server;
    }

    get url() {
        return `nats://127.0.0.1:${this.port}`;
    }

    get pid() {
        return this.#child.pid;
    }

    /** Begins, or begins again: with what is in its store, on the port that it had. */
    async begin() {
        // It does not outlive this process, however that ends.
        const child = spawn("setpriv", ["--pdeathsig", "KILL", "nats-server", "--addr", "127.0.0.1", "--port", String(this.port), "--jetstream", "--store_dir", this.#store,
            "--ports_file_dir", this.#folder], { stdio: ["ignore", "ignore", "pipe"] });
        this.#child = child;
        child.stderr.on("data", (bytes) => { this.#output += bytes; });
        child.ended = new Promise((resolve) => {
            child.once("error", resolve);
            child.once("exit", resolve);
        });
        let isOver = false;
        child.ended.then(() => { isOver = true; });
        await until(async () => {
            if (isOver) {
                throw new Error(`nats-server ended at once. It said:\n${this.#output}`);
            }
            return await this.#readPort() && await this.#greets();
        }, "nats-server is ready", readyLimitMs);
    }

    /** It stands still when this has ended: a thread of it may work on for a moment after the signal. */
    async stall() {
        this.#child.kill("SIGSTOP");
        const state = async () => (await readFile(`/proc/${this.pid}/stat`, "utf8")).split(") ").pop()[0];
        await until(async () => await state() === "T", "nats-server stands still");
    }

    goOn() {
        this.#child.kill("SIGCONT");
    }

    async kill() {
        this.#child.kill("SIGKILL");
        await this.#child.ended;
        await rm(join(this.#folder, this.#portsFile), { force: true }); // it had no time to
    }

    loseStore() {
        return rm(this.#store, { recursive: true, force: true });
    }

    async stop() {
        await this.kill();
        await rm(this.#folder, { recursive: true, force: true });
    }

    get #store() {
        return join(this.#folder, "store");
    }

    get #portsFile() {
        return `nats-server_${this.#child.pid}.ports`;
    }

    /** @returns {Promise<boolean>} whether it has said where it listens */
    async #readPort() {
        if (!(await readdir(this.#folder)).includes(this.#portsFile)) {
            return false;
        }
        const text = await readFile(join(this.#folder, this.#portsFile), "utf8");
        this.port = Number(/nats:\/\/[^"]*:(\d+)/.exec(text)?.[1] ?? this.port);
        return this.port > 0;
    }

    /** @returns {Promise<boolean>} whether it speaks to who connects, and has JetStream */
    #greets() {
        return new Promise((resolve) => {
            const socket = connect(this.port, "127.0.0.1");
            let text = "";
            socket.on("data", (bytes) => {
                text += bytes;
                if (text.includes("\r\n")) {
                    resolve(/^INFO .*"jetstream":true/.test(text));
                    socket.destroy();
                }
            });
            socket.on("error", () => resolve(false));
            socket.on("close", () => resolve(false));
        });
    }
}
