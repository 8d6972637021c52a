/**
 * Stands between the processes of a system: takes the place of a server's socket in the run folder, so that whoever links from then on
 * comes through here. A link may then be cut, or slowed, or be one with an older build.
 */
import { once } from "node:events";
import { link, rename } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";

// host/bus/frame.hpp
const helloHighestAt = 4 + 1 + 4 + 2;
const helloIdAt = helloHighestAt + 2 + 1 + 8 + 8;

export class LinkProxy {
    #path;
    #behind;
    #server;
    #links = new Set();
    #cut = new Set();
    #delayMs = new Map();
    #highest = new Map();

    /** Between `id` and all that dial it after this. */
    static async before(runFolder, id) {
        const proxy = new LinkProxy();
        proxy.#path = join(runFolder, `${id}.sock`);
        proxy.#behind = join(runFolder, `${id}.behind`);
        const before = `${proxy.#path}.new`;
        proxy.#server = createServer((socket) => proxy.#take(socket)).listen(before);
        await once(proxy.#server, "listening");
        // The place is never empty: the server would take it again.
        await link(proxy.#path, proxy.#behind);
        await rename(before, proxy.#path);
        return proxy;
    }

    /** @returns {boolean} whether that server's link comes through here */
    carries(dialler) {
        return [...this.#links].some((link) => link.dialler === dialler);
    }

    /** Ends the link of `dialler`, and every further one until `mend`. */
    cut(dialler) {
        this.#cut.add(dialler);
        this.#links.forEach((link) => link.dialler === dialler && link.end());
    }

    /** Bytes of `dialler`'s link, both ways, come so much later, in order. */
    slow(dialler, ms) {
        this.#delayMs.set(dialler, ms);
    }

    /** From now on links of `dialler` speak no higher version of the bus. */
    speakAtMost(dialler, version) {
        this.#highest.set(dialler, version);
    }

    mend(dialler) {
        this.#cut.delete(dialler);
        this.#delayMs.delete(dialler);
    }

    /** The server has its place again. */
    async close() {
        this.#server.close();
        this.#links.forEach((link) => link.end());
        await rename(this.#behind, this.#path);
    }

    #take(near) {
        const far = connect(this.#behind);
        const link = { dialler: null, end: () => { near.destroy(); far.destroy(); } };
        this.#links.add(link);
        for (const [from, to] of [[near, far], [far, near]]) {
            const later = new Later((bytes) => to.write(bytes), link.end);
            let isFirst = true;
            from.on("error", () => {});
            from.on("data", (bytes) => {
                link.dialler ??= from === near ? diallerOf(bytes) : null;
                if (isFirst && this.#highest.has(link.dialler) && bytes.length > helloIdAt) {
                    bytes.writeUInt16LE(this.#highest.get(link.dialler), helloHighestAt); // both sides begin with it
                }
                isFirst = false;
                this.#cut.has(link.dialler) ? link.end() : later.add(bytes, this.#delayMs.get(link.dialler) ?? 0);
            });
            from.on("close", () => {
                later.end(); // what was sent before the end arrives before it
                this.#links.delete(link);
            });
        }
    }
}

/** Bytes on their way, in order, whatever the delays. */
export class Later {
    #waiting = [];
    #freeAt = 0;
    #isOver = false;
    #timer = null;

    constructor(write, close) {
        Object.assign(this, { write, close });
    }

    add(bytes, delayMs) {
        this.#freeAt = Math.max(performance.now() + delayMs, this.#freeAt);
        this.#waiting.push({ at: this.#freeAt, bytes });
        this.#pump();
    }

    end() {
        this.#isOver = true;
        this.#pump();
    }

    #pump() {
        if (this.#timer !== null) {
            return;
        }
        while (this.#waiting.length > 0 && this.#waiting[0].at <= performance.now()) {
            this.write(this.#waiting.shift().bytes);
        }
        if (this.#waiting.length > 0) {
            this.#timer = setTimeout(() => {
                this.#timer = null;
                this.#pump();
            }, this.#waiting[0].at - performance.now());
        } else if (this.#isOver) {
            this.close();
        }
    }
}

function diallerOf(hello) {
    return hello.length > helloIdAt + 4 ? hello.toString("utf8", helloIdAt + 4, helloIdAt + 4 + hello.readUInt32LE(helloIdAt)) : "";
}
