/**
 * What the page says; labels that are always there are in index.html. formats.js makes numbers readable.
 * @module texts
 */
import { buildText } from "./formats.js";

/** For people; tests and translators find them here. */
export const texts = Object.freeze({
    title: (state) => `${state} \u2013 Shaddock admin`,
    live: "Live",
    noAnswer: "No answer",
    nothingKnown: "Nothing is known yet.",
    saidAt: (time) => `Below is what it said at ${time}.`,
    ready: (count, all) => `${count} of ${all} ready`,
    readyShort: (count, all) => `${count}/${all} ready`,
    tokenRefused: "The master does not take this token. One that was started anew has a new token.",
    logIsEmpty: "The log is empty.",
    none: "none",

    column: Object.freeze({
        server: "Server", state: "State", type: "Type", machine: "Machine", process: "Process", uptime: "Uptime", memory: "Memory", clients: "Clients",
        rooms: "Rooms", requests: "Requests/s", p99: "p99", lag: "Loop lag", build: "Build", generation: "Gen.",
    }),
    keepsOld: (count) => `keeps ${count} old`,
    whatIsOld: "old generations whose work did not end when it was cancelled; a restart frees what they hold",

    chart: Object.freeze({
        requests: "Requests", p99: "p99 latency", connections: "Clients", rooms: "Rooms", deliveries: "Deliveries", drops: "Drops",
        lag: "Loop lag, worst", memory: "Memory", cpu: "Processor",
        empty: "no numbers yet",
        peak: (value) => `5 min, peak ${value}`,
        past: (seconds, value) => `${seconds} s ago: ${value}`,
        spoken: (title, value, peak) => `${title}: now ${value}${peak === null ? "" : `, at most ${peak} in the last 5 minutes`}`,
    }),

    thisMachine: "this one",
    fact: Object.freeze({
        machine: "Machine", process: "Process", uptime: "Uptime", module: "Module", build: "Build", generations: "Old generations",
        endingAndKept: (ending, kept) => `${ending} ending, ${kept} kept`,
    }),

    /** The headings of the same columns are in index.html. */
    route: Object.freeze({ requests: "Requests", perSecond: "per second", p50: "p50", p99: "p99", failed: "Failed", passedOn: "passed on" }),

    action: Object.freeze({
        reload: Object.freeze({
            label: "Reload",
            doing: (target) => `Reloading ${target}\u2026`,
            what: "Opens the module's file again, checks it in a process of its own, and changes over between two requests. Connections, "
                + "sessions and rooms stay; what was accepted before ends with the old code. A file that is refused changes nothing.",
        }),
        rollback: Object.freeze({
            label: "Roll back",
            doing: (target) => `Rolling back ${target}\u2026`,
            what: "Changes over to the generation before, which is still in memory. No file is read. Once more goes forward again.",
        }),
        restart: Object.freeze({
            label: "Restart",
            doing: (target) => `Restarting ${target}\u2026`,
            what: "Stops the process in order and starts it anew. A frontend kicks its clients first; the rooms of a backend come back "
                + "with their members, what a plugin keeps only in memory does not. A server that is stopped is started; one that "
                + "drains takes new rooms again.",
        }),
        stop: Object.freeze({
            label: "Stop",
            doing: (target) => `Stopping ${target}\u2026`,
            what: "Takes nothing new, ends the requests in flight, kicks its clients with the reason \u201cshutdown\u201d, and goes. It stays "
                + "stopped until it is started again with Restart.",
        }),
        start: "Start",
        askType: (label) => `${label}?`,
        askOne: (label, id) => `${label} ${id}?`,
        onlyOne: (id) => `only ${id}`,
        all: (count, type) => `all ${count} servers of type ${type}, one after the other`,
        stopped: (id) => `${id}: stopped`,
        failed: (label, target, why) => `${label} ${target}: ${why}`,
    }),

    call: Object.freeze({
        unreachable: (why) => `the master does not answer (${why})`,
        tokenRefused: "the master does not take this token",
        refused: (path, status) => `${path} was answered with status ${status}`,
    }),
});

/** What each state means, for who does not know the words. */
export const states = {
    starting: "its process runs and sets up",
    ready: "it serves",
    draining: "it ends what it has accepted, and takes nothing new. Where rooms stay: it serves those that it has, takes no new ones, "
        + "and ends when they are empty",
    stopped: "it was stopped and stays so",
    failed: "it died again and again, and stays down",
    stalled: "its loop does not turn",
    silent: "its machine's master does not answer",
    joining: "it serves, and is not in the list that the machines share yet",
};

/** @typedef {{isGood: boolean, text: string}} Outcome */

/** @param {object} line of the answer to `POST /api/reload` @returns {Outcome} */
export function reloadOutcome({ id, ok, skipped, from, to, reason, ms }) {
    if (ok) {
        return { isGood: true, text: `${id}: ${buildText(from)} \u2192 ${buildText(to)} in ${ms} ms` };
    }
    return { isGood: false, text: `${id}: ${skipped ? "not touched" : "refused"}: ${reason}` };
}

/** @param {object} line of the answer to `POST /api/restart` @returns {Outcome} */
export function startOutcome({ id, ok, skipped, pid, reason, ms }) {
    if (ok) {
        return { isGood: true, text: `${id}: ready as process ${pid} after ${ms} ms` };
    }
    return { isGood: false, text: `${id}: ${skipped ? "not touched" : "failed"}: ${reason}` };
}
