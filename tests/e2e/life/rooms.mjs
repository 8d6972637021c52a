/** Rooms of the real system whose members note all that they hear; for the tests of lives and deaths. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { replaceIn, startSystem, withPlainBodies } from "../lib/system.mjs";
import { Client } from "../lib/edge_client.mjs";

const run = promisify(execFile);

/** @param {[string, string][]} changes of host.yaml. Bodies are JSON and routes texts; nobody is held up by rates */
export async function startRooms(...changes) {
    const system = await startSystem({
        edit: async (config) => {
            await withPlainBodies(config);
            await replaceIn(join(config, "host.yaml"), ["message_rate: 100", "message_rate: 0"], ["handshake_rate: 2000", "handshake_rate: 0"],
                ["connections_per_address: 2000", "connections_per_address: 0"], ...changes);
        },
    });
    const list = JSON.parse(await readFile(join(system.folder, "config/servers.json"), "utf8")).development;
    const host = (...words) => run(process.env.SHADDOCK_HOST_BIN, [...words, "--run", join(system.folder, "run")]).then(({ stdout }) => stdout);
    // Status 1: one does not serve just now.
    const listed = () => host("list", "--json").catch((error) => error.stdout || Promise.reject(error));
    const server = async (id) => JSON.parse(await listed()).find((each) => each.id === id);
    return {
        ...system,
        host,
        ports: list.connector.map(({ clientPort }) => clientPort),
        /** @returns {Promise<number>} the process of that server */
        pid: async (id) => (await server(id)).pid,
        /** Which life of it the master knows. */
        incarnation: async (id) => (await server(id)).incarnation,
    };
}

/** A member of a room, and what it has heard: `+name`, `-name`, or what was said. */
export class Member {
    heard = [];

    static async enter(port, name, room) {
        const member = new Member();
        member.name = name;
        member.link = await Client.open(port);
        member.link.onPush = (route, body) => {
            const push = JSON.parse(body.toString());
            const texts = { onAdd: () => `+${push.user}`, onLeave: () => `-${push.user}`, onChat: () => push.msg };
            member.heard.push(texts[route]());
        };
        const answer = await member.link.enter(name, room);
        member.users = answer.users;
        member.answer = answer;
        return member;
    }

    get news() {
        return this.heard.filter((each) => /^[+-]/.test(each));
    }

    get said() {
        return this.heard.filter((each) => !/^[+-]/.test(each));
    }
}

/** Says `0`, `1`, ... with so many unanswered at a time, and notes which were taken (`{}`) and how long answers took. */
export class Talker {
    taken = [];
    refused = 0;
    slowestMs = 0;
    #next = 0;
    #isOver = false;
    #loops;

    constructor(member, atATime = 1, pauseMs = 2) {
        this.#loops = Array.from({ length: atATime }, () => this.#talk(member, pauseMs));
    }

    async stop() {
        this.#isOver = true;
        await Promise.all(this.#loops);
    }

    async #talk(member, pauseMs) {
        while (!this.#isOver) {
            const text = String(this.#next++);
            const begin = performance.now();
            const answer = await member.link.say(text);
            this.slowestMs = Math.max(this.slowestMs, performance.now() - begin);
            if (answer.code === undefined) {
                this.taken.push(text);
            } else {
                ++this.refused;
            }
            await new Promise((resolve) => setTimeout(resolve, pauseMs));
        }
    }
}
