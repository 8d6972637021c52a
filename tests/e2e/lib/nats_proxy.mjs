/**
 * Stands between the servers of a system and its nats-server. Whose connection it is the kernel says: connections of one server may be cut
 * or slowed while those of the others stay as they are.
 */
import { once } from "node:events";
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";

import { Later } from "./link_proxy.mjs";

export class NatsProxy {
    #natsPort;
    #runFolder;
    #server;
    #links = new Set();
    #cut = new Set();
    #delayMs = new Map();

    /** @param {string} runFolder of the system whose servers come through here; others are let through as they are */
    static async before(natsPort, runFolder) {
        const proxy = new NatsProxy();
        proxy.#natsPort = natsPort;
        proxy.#runFolder = runFolder;
        proxy.#server = createServer((socket) => proxy.#take(socket)).listen(0, "127.0.0.1");
        await once(proxy.#server, "listening");
        return proxy;
    }

    get url() {
        return `nats://127.0.0.1:${this.#server.address().port}`;
    }

    carries(id) {
        return [...this.#links].some((link) => link.id === id);
    }

    /** Ends the connections of server `id` (`master`: the master's), and every further one until `mend`. */
    cut(id) {
        this.#cut.add(id);
        this.#links.forEach((link) => link.id === id && link.end());
    }

    /** Bytes of its connections, both ways, come so much later, in order. */
    slow(id, ms) {
        this.#delayMs.set(id, ms);
    }

    mend(id) {
        this.#cut.delete(id);
        this.#delayMs.delete(id);
    }

    close() {
        this.#links.forEach((link) => link.end());
        return new Promise((resolve) => this.#server.close(resolve));
    }

    #take(near) {
        near.on("error", () => {});
        const id = ownerOf(near.remotePort, this.#runFolder);
        if (this.#cut.has(id)) {
            near.destroy();
            return;
        }
        const far = connect(this.#natsPort, "127.0.0.1");
        const link = { id, end: () => { near.destroy(); far.destroy(); } };
        this.#links.add(link);
        for (const [from, to] of [[near, far], [far, near]]) {
            const later = new Later((bytes) => to.write(bytes), link.end);
            from.setNoDelay(true);
            from.on("error", () => {});
            from.on("data", (bytes) => later.add(bytes, this.#delayMs.get(id) ?? 0));
            from.on("close", () => {
                later.end(); // what was sent before the end arrives before it
                this.#links.delete(link);
            });
        }
    }
}

/** @returns {string|null} the id of the server with that run folder that has a TCP connection from that port of this machine */
function ownerOf(port, runFolder) {
    const from = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
    const line = readFileSync("/proc/net/tcp", "utf8").split("\n").map((each) => each.trim().split(/\s+/)).find((words) => words[1] === from);
    const socket = `socket:[${line?.[9]}]`;
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
        const words = commandOf(pid);
        if (words.includes(runFolder) && has(pid, socket)) {
            return words.includes("start") ? "master" : words[words.indexOf("--id") + 1];
        }
    }
    return null;
}

function commandOf(pid) {
    try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    } catch {
        return []; // it has ended meanwhile
    }
}

function has(pid, socket) {
    try {
        const folder = `/proc/${pid}/fd`;
        return readdirSync(folder).some((fd) => readlinkSync(join(folder, fd)) === socket);
    } catch {
        return false; // it has ended, or closed one meanwhile
    }
}
