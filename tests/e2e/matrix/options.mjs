/**
 * What a run does. Words behind `node matrix/matrix.test.mjs`, or the environment, where `node --test` runs it:
 *   --seeds N      SHADDOCK_SEEDS       seeds from 0 on; default as many as there are faults
 *   --seed LIST    SHADDOCK_SEED        these only, such as `17`, or `0-61,80`
 *   --systems N    SHADDOCK_SYSTEMS     systems beside each other; default as many as the machine carries
 *   --bus KIND     SHADDOCK_BUS         direct (default), or nats: each system has a nats-server, and no Unix socket between its servers
 *   --silence MS   SHADDOCK_SILENCE_MS  `bus: silence`; default 1500. 5000 makes what stops stand still for 2 and 7 s
 */
import { cpus } from "node:os";

const buses = ["direct", "nats"];
/** With more the waits of the machine's own making count: docs/performance.md, "The kill matrix". */
const systemsPerCore = 6;

function valueOf(word, variable) {
    const at = process.argv.indexOf(`--${word}`);
    return at > 0 ? process.argv[at + 1] : process.env[variable];
}
function numberOf(word, variable, otherwise) {
    const text = valueOf(word, variable) || otherwise;
    if (!(Number(text) > 0)) {
        throw new Error(`--${word}, ${variable}: '${text}' is not a number above 0`);
    }
    return Number(text);
}

/** @param {string} text as `17`, or `0-61,80` */
function seedsOf(text) {
    return text.split(",").flatMap((each) => {
        const [first, last = first] = each.split("-").map(Number);
        return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}

export const silenceMs = numberOf("silence", "SHADDOCK_SILENCE_MS", 1_500);
export const bus = valueOf("bus", "SHADDOCK_BUS") || "direct";
if (!buses.includes(bus)) {
    throw new Error(`--bus, SHADDOCK_BUS: '${bus}' is none of ${buses.join(", ")}`);
}
export const systems = numberOf("systems", "SHADDOCK_SYSTEMS", systemsPerCore * cpus().length);

/** @returns {{seeds: number[], isWhole: boolean}} `isWhole`: the run has to hit every step */
export function seedsToRun(faultCount) {
    const chosen = valueOf("seed", "SHADDOCK_SEED");
    const seeds = chosen ? seedsOf(chosen) : seedsOf(`0-${numberOf("seeds", "SHADDOCK_SEEDS", faultCount) - 1}`);
    return { seeds, isWhole: !chosen };
}
