/** Which fault a seed brings, at which step, and what a run of many seeds must have met. */
import { faultsOf, steps } from "./faults.mjs";

/** Mulberry32. */
function randomOf(seed) {
    let state = seed + 0x9e3779b9;
    return () => {
        state = (state + 0x6d2b79f5) | 0;
        let value = Math.imul(state ^ (state >>> 15), 1 | state);
        value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
        return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
    };
}

function leastCommonMultiple(one, other) {
    let common = one;
    while (common % other !== 0) {
        common += one;
    }
    return common;
}

export class Plan {
    #steps = Object.keys(steps);
    #faults;
    #hit = new Set();

    constructor(silenceMs, bus) {
        this.#faults = faultsOf(silenceMs, bus);
    }

    get faultCount() {
        return this.#faults.length;
    }

    get stepCount() {
        return this.#steps.length;
    }

    /**
     * One step and one fault after the other: so many seeds as there are faults meet each, and so many as there are pairs of a step and a
     * fault meet each pair once.
     */
    of(seed) {
        const random = randomOf(seed);
        const round = Math.floor(seed / leastCommonMultiple(this.stepCount, this.faultCount));
        return {
            step: this.#steps[seed % this.stepCount],
            fault: this.#faults[(seed + round) % this.faultCount],
            afterMs: Math.floor(30 * random()),
            random,
        };
    }

    /** This seed has got through its step, in the fault. */
    note(seed) {
        const { step, fault } = this.of(seed);
        this.#hit.add(step).add(fault.kind).add(this.#pair(step, fault));
    }

    /** @returns {string[]} the steps, the kinds of faults and, where the run was long enough, their pairs that `seedCount` seeds have not hit */
    missed(seedCount) {
        const each = seedCount < this.faultCount ? [] : this.#faults.map(({ kind }) => kind);
        const pairs = this.#steps.flatMap((step) => this.#faults.map((fault) => this.#pair(step, fault)));
        const wanted = [...seedCount < this.stepCount ? [] : this.#steps, ...each, ...seedCount < pairs.length ? [] : pairs];
        return [...new Set(wanted)].filter((one) => !this.#hit.has(one));
    }

    #pair(step, { kind, ids }) {
        return `${kind} (${ids.join(" and ")}) at ${step}`;
    }
}
