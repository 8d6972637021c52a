/**
 * Several machines in one: network namespaces, each with an address on a bridge that is in a namespace of its own. Nothing of it shows in
 * this process's network. Linux and root only.
 */
import { execFile, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

import { until } from "./wait.mjs";

const run = promisify(execFile);
const prefix = "shaddock-lab";
const hub = "hub";

/** @returns {string|null} why there can be none on this machine; null: there can */
export function noNetLab() {
    const name = `${prefix}-try-${process.pid}`;
    const { error, status, stderr } = spawnSync("ip", ["netns", "add", name], { encoding: "utf8" });
    if (error) {
        return "needs the package iproute2";
    }
    if (status !== 0) {
        return `this machine lets us make no network namespace: ${stderr.trim()}`;
    }
    spawnSync("ip", ["netns", "del", name]);
    return null;
}

/** When that process began, in ticks of the kernel; null: there is none. */
function beginOf(pid) {
    try {
        const text = readFileSync(`/proc/${pid}/stat`, "utf8");
        return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
    } catch {
        return null;
    }
}

export class NetLab {
    #tag = `${prefix}-${process.pid}-${beginOf(process.pid)}`;
    #names;
    #children = [];

    /**
     * Removes what earlier ones have left, whose process has ended, and makes one namespace for each name.
     * @param {string[]} names of at most 12 letters
     */
    static async open(names) {
        await removeLeftovers();
        const lab = new NetLab();
        lab.#names = names;
        try {
            await lab.#make();
        } catch (error) {
            await lab.close();
            throw error;
        }
        return lab;
    }

    addressOf(name) {
        return `10.77.0.${this.#names.indexOf(name) + 1}`;
    }

    /**
     * A process on that machine. Its pid is the program's; it does not outlive this process, nor `close`.
     * @param {import("node:child_process").SpawnOptions} [options]
     */
    spawn(name, program, words = [], options = {}) {
        const child = spawn("nsenter", [`--net=/run/netns/${this.#space(name)}`, "setpriv", "--pdeathsig", "KILL", program, ...words], options);
        this.#children.push(child);
        return child;
    }

    /** Ends all processes of that machine at once. */
    async killAll(name) {
        await killThoseIn(this.#space(name));
    }

    /** Pulls its plug: nothing comes or goes, and nobody is told. */
    cutLink(name) {
        return this.#ip(hub, "link", "set", `to-${name}`, "down");
    }

    async mendLink(name) {
        await this.#ip(hub, "link", "set", `to-${name}`, "up");
        await until(async () => /state UP/.test((await this.#ip(name, "link", "show", "eth0")).stdout), `${name} has its link again`);
    }

    /** What `from` sends to `to` is gone; the other way is open. New connections there fail, old ones are silent. */
    blackhole(from, to) {
        return this.#ip(from, "route", "add", "blackhole", `${this.addressOf(to)}/32`);
    }

    mendRoute(from, to) {
        return this.#ip(from, "route", "del", "blackhole", `${this.addressOf(to)}/32`);
    }

    /** All that it sends comes so much later; 0: no longer. Throws where the kernel has no netem. */
    async delay(name, ms) {
        const words = ms === 0 ? ["del", "dev", "eth0", "root"] : ["replace", "dev", "eth0", "root", "netem", "delay", `${ms}ms`];
        await run("tc", ["-n", this.#space(name), "qdisc", ...words]);
    }

    /** @returns {Promise<string|null>} why `delay` cannot; null: it can */
    async noDelay() {
        try {
            await this.delay(this.#names[0], 1);
            await this.delay(this.#names[0], 0);
        } catch (error) {
            return `needs the kernel's sch_netem: ${error.stderr.trim()}`;
        }
        return null;
    }

    /** Ends its processes and removes all of it. */
    async close() {
        for (const child of this.#children) {
            child.kill("SIGKILL");
        }
        await Promise.all([hub, ...this.#names].map((name) => removeSpace(this.#space(name))));
    }

    async #make() {
        await Promise.all([hub, ...this.#names].map((name) => run("ip", ["netns", "add", this.#space(name)])));
        // Without a delay of its own a port that comes up forwards at once.
        await this.#ip(hub, "link", "add", "name", "bridge", "type", "bridge", "forward_delay", "0", "stp_state", "0");
        await this.#ip(hub, "link", "set", "bridge", "up");
        for (const name of this.#names) {
            await this.#ip(hub, "link", "add", "name", `to-${name}`, "type", "veth", "peer", "name", "eth0", "netns", this.#space(name));
            await this.#ip(hub, "link", "set", `to-${name}`, "master", "bridge", "up");
            await this.#ip(name, "address", "add", `${this.addressOf(name)}/24`, "dev", "eth0");
            await this.#ip(name, "link", "set", "lo", "up");
            await this.#ip(name, "link", "set", "eth0", "up");
        }
        await Promise.all(this.#names.map((name) => this.mendLink(name)));
    }

    #space(name) {
        return `${this.#tag}-${name}`;
    }

    #ip(name, ...words) {
        return run("ip", ["-n", this.#space(name), ...words]);
    }
}

async function namesOfSpaces() {
    const { stdout } = await run("ip", ["netns", "list"]);
    return stdout.split("\n").map((line) => line.split(" ")[0]).filter((name) => name.startsWith(`${prefix}-`));
}

/** Those of processes that have ended without `close`. */
async function removeLeftovers() {
    for (const name of await namesOfSpaces()) {
        const [, pid, begin] = /^shaddock-lab-(\d+)-(\d+)-/.exec(name) ?? [];
        if (pid && beginOf(pid) !== begin) {
            await removeSpace(name);
        }
    }
}

async function killThoseIn(name) {
    const { stdout } = await run("ip", ["netns", "pids", name]).catch(() => ({ stdout: "" }));
    for (const pid of stdout.split("\n").filter((line) => line !== "")) {
        try {
            process.kill(Number(pid), "SIGKILL");
        } catch (error) {
            if (error.code !== "ESRCH") {
                throw error;
            }
        }
    }
}

/** With the processes that are in it: they would keep it alive. */
async function removeSpace(name) {
    await killThoseIn(name);
    await run("ip", ["netns", "del", name]).catch((error) => {
        if (!/No such file/.test(error.stderr)) {
            throw error;
        }
    });
}
