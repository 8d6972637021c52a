/** What is done to processes and the links between them, at a step of somebody's chat. */
import { setTimeout as sleep } from "node:timers/promises";

import { until } from "../lib/wait.mjs";
import { natsFaults } from "./faults_nats.mjs";

const isGone = (error) => { if (error.code !== "ESRCH") { throw error; } };
function signal(pid, name) {
    try {
        process.kill(pid, name);
    } catch (error) {
        isGone(error);
    }
}
function isOver(pid) {
    try {
        process.kill(pid, 0);
        return false;
    } catch (error) {
        isGone(error);
        return true;
    }
}

/** So long a chat server that begins anew waits for who was in its rooms (docs/promises.md). */
const recoveryMs = 1_500;

const roles = [["chat-server-1"], ["connector-server-1"], ["gate-server-1"], ["master"]];
/** Each role with each other one, and with another of its own. */
const pairs = [["chat-server-1", "connector-server-1"], ["chat-server-1", "gate-server-1"], ["chat-server-1", "master"],
    ["connector-server-1", "gate-server-1"], ["connector-server-1", "master"], ["gate-server-1", "master"],
    ["chat-server-1", "chat-server-2"], ["connector-server-1", "connector-server-2"]];
/** The one that dials, and the one that is dialled. */
const links = [["chat-server-1", "connector-server-1"], ["chat-server-1", "gate-server-1"], ["connector-server-1", "gate-server-1"],
    ["chat-server-1", "chat-server-2"], ["connector-server-1", "connector-server-2"]];
/** Whose line to the master is cut or slowed. */
const reporters = ["chat-server-1", "connector-server-1", "gate-server-1"];

/**
 * @typedef {object} Fault
 * @property {string} kind
 * @property {string[]} ids to whom it happens
 * @property {string[]} hurt at which of them messages may be lost that were answered well; at all others none may
 * @property {string[]} [hurtByRestart] as `hurt`, where a chat server is restarted meanwhile
 * @property {boolean} isTold who comes and goes meanwhile is told later
 * @property {string[]} [link] cut or slowed: a proxy has to stand there
 * @property {boolean} [isOfMastersLine] servers have to be started so that the line between them and the master can be cut or slowed
 * @property {boolean} [isApart] a proxy has to stand between the servers and NATS
 * @property {boolean} [isFenced] others declare dead who goes on afterwards
 * @property {boolean} [killsStalled] in a system with `supervision: {stalled: kill}`
 * @property {(world: World, pids: number[]) => Promise<void>} run ends when its cause is gone; `pids`: the processes of `ids` as they were
 *   before the step
 * @property {(world: World, pids: number[]) => Promise<void>} [check] what must have come of it, once all is whole
 */

/**
 * @param {string} bus what links the servers: `direct`, or `nats`
 * @returns {Fault[]} every kind of fault for each role, pair and link; neighbours are of different kinds
 */
export function faultsOf(silenceMs, bus = "direct") {
    const [short, long] = [0.4 * silenceMs, 1.4 * silenceMs];
    const everybody = [...roles, ...pairs];
    return interleaved([
        everybody.map((ids) => killed(ids)),
        everybody.map((ids) => stopped("stop for a moment", ids, short, [])),
        everybody.map((ids) => stopped("stop for longer than the silence", ids, long, ids)),
        everybody.filter((ids) => ids.join() !== "master").map((ids) => stalled(ids, silenceMs)),
        ...bus === "nats" ? natsFaults(lostOf(silenceMs)) : socketFaults(silenceMs, short, long),
    ]);
}

/** @returns {number} `host_lost` in systems on NATS; the host takes no less than 2 s */
export function lostOf(silenceMs) {
    return Math.max(2_000, silenceMs);
}

/** Of the Unix sockets between the servers, and of those to the master. */
function socketFaults(silenceMs, short, long) {
    return [
        links.map((link) => between("cut for a moment", link, short)),
        links.map((link) => between("cut for longer than the silence", link, long)),
        links.map((link) => between("slow", link, long)),
        reporters.map((id) => onMastersLine("cut from the master for a moment", id, short)),
        reporters.map((id) => onMastersLine("cut from the master for longer than the silence", id, long)),
        reporters.map((id) => onMastersLine("slow to the master", id, long)),
        reporters.map((id) => cutUntilKilled(id, silenceMs)),
    ];
}

/** Those of each list evenly over the whole. */
function interleaved(lists) {
    return lists.flatMap((list) => list.map((each, i) => ({ each, at: (i + 0.5) / list.length })))
        .sort((one, other) => one.at - other.at).map(({ each }) => each);
}

function killed(ids) {
    return {
        kind: "kill",
        ids,
        hurt: ids,
        isTold: ids.every((id) => !id.startsWith("connector")),
        async run(world, pids) {
            pids.forEach((pid) => signal(pid, "SIGKILL"));
            if (ids.includes("master")) {
                await until(() => isOver(pids[ids.indexOf("master")]), "the master has ended"); // else the next one finds it running
                await world.newMaster();
            }
        },
    };
}

function stopped(kind, ids, ms, hurt) {
    return {
        kind,
        ids,
        hurt,
        hurtByRestart: ms < recoveryMs ? [] : ids,
        isTold: false,
        async run(world, pids) {
            pids.forEach((pid) => signal(pid, "SIGSTOP"));
            await sleep(ms);
            pids.forEach((pid) => signal(pid, "SIGCONT"));
        },
    };
}

/**
 * Whoever stands still is killed by the master. Where the master stands still too, the others have declared it dead when it goes on: a
 * connector then sends its clients away, who come back.
 */
function stalled(ids, silenceMs) {
    const others = (pids) => pids.filter((_, i) => ids[i] !== "master");
    const isFenced = ids.includes("master");
    return {
        kind: "stop until killed",
        ids,
        hurt: ids,
        isTold: false,
        killsStalled: true,
        isFenced,
        async run(world, pids) {
            pids.forEach((pid) => signal(pid, "SIGSTOP"));
            if (isFenced) {
                await sleep(2.5 * silenceMs);
            } else {
                await until(() => others(pids).every(isOver), `${ids.join(" and ")} killed, who stood still`, 10 * silenceMs);
            }
            pids.forEach((pid) => signal(pid, "SIGCONT"));
        },
        check(world) {
            const isLost = world.kicks.some((body) => JSON.parse(body).reason === "lost");
            if (isFenced && ids.includes("connector-server-1") && !isLost) {
                throw new Error("connector-server-1 was declared dead, and told nobody of its clients that they are lost");
            }
        },
    };
}

function between(kind, link, ms) {
    const [dialler, dialled] = link;
    const carriesPushes = dialler.startsWith("chat") && dialled.startsWith("connector");
    return {
        kind,
        ids: link,
        hurt: kind !== "slow" && carriesPushes ? link : [],
        isTold: false,
        link,
        async run(world) {
            kind === "slow" ? world.proxy.slow(dialler, 100) : world.proxy.cut(dialler);
            await sleep(ms);
            world.proxy.mend(dialler);
        },
    };
}

/** The server works, and nobody but the master misses anything of it: others tell it of a new list. */
function onMastersLine(kind, id, ms) {
    return {
        kind,
        ids: [id, "master"],
        hurt: [],
        isTold: false,
        isOfMastersLine: true,
        async run(world) {
            await world.doToMastersLine(id, kind.startsWith("slow") ? "slow 100" : "cut");
            await sleep(ms);
            await world.mendMastersLine(id);
        },
    };
}

/** Whoever does not report is killed by the master, and the next life of it cannot report either until the line is mended. */
function cutUntilKilled(id, silenceMs) {
    return {
        kind: "cut from the master until killed",
        ids: [id, "master"],
        hurt: [id],
        isTold: false,
        killsStalled: true,
        isOfMastersLine: true,
        async run(world, [pid]) {
            await world.doToMastersLine(id, "cut");
            await until(() => isOver(pid), `${id} killed, of which the master heard nothing`, 10 * silenceMs);
            await world.mendMastersLine(id);
        },
    };
}

/** What is done while the fault strikes. Before it the actor is in the first room, unless `before` says otherwise. */
export const steps = {
    login: { before: () => {}, act: (world, actor) => actor.arrive(world.rooms[0]) },
    join: {
        before: (world, actor) => actor.logIn(),
        act: async (world, actor) => { await actor.enter(world.rooms[0]) || await actor.arrive(world.rooms[0]); },
    },
    chat: { act: (world, actor) => actor.say() },
    private: { act: (world, actor) => actor.say("ann") },
    switch: {
        before: (world, actor) => actor.arrive(world.rooms[1]),
        act: async (world, actor) => { await actor.enter(world.rooms[0]); },
    },
    leave: {
        act: async (world, actor) => {
            await actor.leave(0);
            world.people.delete(actor.name);
        },
    },
    reload: { act: (world) => world.host("reload", "chat").catch(() => {}) },
    restart: { act: (world) => world.host("restart", "chat-server-2").catch(() => {}) },
    add: { act: (world) => world.host("add", ...world.spare).catch(() => {}) },
    stop: { act: (world) => world.host("stop", "chat-server-2").catch(() => {}) },
    remove: { act: (world) => world.host("remove", "chat-server-2").catch(() => {}) },
};
