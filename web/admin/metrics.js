/**
 * Numbers of servers, as `GET /api/metrics` has them: looked up, compared over time, and turned into rates and
 * quantiles. Nothing here knows of the page.
 * @module metrics
 */

/** @typedef {{bounds: number[], counts: number[], sum: number}} Histogram counts per bucket, one more than bounds */

/** The numbers of one server at one moment. What was not counted is null, never 0. */
export class Reading {
    #families;

    /** @param {object[]} families `{name, kind, labels, bounds?, samples: [[values, number] | [values, counts, sum]]}` */
    constructor(families = []) {
        this.#families = new Map(families.map((family) => [family.name, family]));
    }

    /**
     * @param {string} name of a counter or gauge
     * @param {Object<string, string>} [where] labels that a series must have
     * @returns {number|null} the sum of its series; null: the server has no such number
     */
    sum(name, where = {}) {
        const samples = this.#families.get(name)?.bounds ? null : this.#samples(name, where);
        return samples === null ? null : samples.reduce((sum, [, value]) => sum + value, 0);
    }

    /** @returns {Map<string, number>} the sums of a counter or gauge by the values of one label */
    sumsBy(label, name, where = {}) {
        const sums = new Map();
        const at = this.#families.get(name)?.labels.indexOf(label) ?? -1;
        for (const [values, value] of at < 0 ? [] : this.#samples(name, where)) {
            sums.set(values[at], (sums.get(values[at]) ?? 0) + value);
        }
        return sums;
    }

    /** @returns {Histogram|null} all its series added up */
    histogram(name, where = {}) {
        const samples = this.#samples(name, where);
        if (samples === null || !this.#families.get(name).bounds) {
            return null;
        }
        const { bounds } = this.#families.get(name);
        return mergeHistograms(samples.map(([, counts, sum]) => ({ bounds, counts, sum }))) ?? emptyHistogram(bounds);
    }

    #samples(name, where) {
        const family = this.#families.get(name);
        if (!family) {
            return null;
        }
        const wanted = Object.entries(where).map(([label, value]) => [family.labels.indexOf(label), value]);
        return family.samples.filter(([values]) => wanted.every(([at, value]) => values[at] === value));
    }
}

/**
 * How much a counter grew. One that shrank began anew with its process: all that it has now is new.
 * @param {number|null} before @param {number|null} after
 * @returns {number|null} null unless both are known
 */
export function growth(before, after) {
    if (before === null || after === null) {
        return null;
    }
    return after < before ? after : after - before;
}

/** @returns {number|null} growth per second over `elapsedMs`; null when that is not more than 0 */
export function ratePerSecond(before, after, elapsedMs) {
    const grown = growth(before, after);
    return grown === null || !(elapsedMs > 0) ? null : (grown * 1000) / elapsedMs;
}

/** @returns {Histogram} */
function emptyHistogram(bounds) {
    return { bounds, counts: new Array(bounds.length + 1).fill(0), sum: 0 };
}

/** @param {Histogram} histogram @returns {number} how many values it has taken */
export function total({ counts }) {
    return counts.reduce((sum, count) => sum + count, 0);
}

/** @returns {Histogram|null} what was added since; null unless both are known and have the same bounds */
export function histogramGrowth(before, after) {
    if (before === null || after === null || !hasSameBounds(before, after)) {
        return null;
    }
    if (after.counts.some((count, index) => count < before.counts[index])) {
        return after; // begun anew
    }
    return {
        bounds: after.bounds,
        counts: after.counts.map((count, index) => count - before.counts[index]),
        sum: after.sum - before.sum,
    };
}

/** @param {(Histogram|null)[]} list @returns {Histogram|null} added up; those with other bounds than the first do not count */
export function mergeHistograms(list) {
    const [first, ...rest] = list.filter((each) => each !== null);
    if (!first) {
        return null;
    }
    const merged = { bounds: first.bounds, counts: [...first.counts], sum: first.sum };
    for (const each of rest.filter((other) => hasSameBounds(first, other))) {
        each.counts.forEach((count, index) => { merged.counts[index] += count; });
        merged.sum += each.sum;
    }
    return merged;
}

/**
 * The value below which the share `q` lies, taken as evenly spread within its bucket.
 * @param {Histogram|null} histogram @param {number} q 0 to 1
 * @returns {number|null} in the unit of the bounds; at most the last bound; null when nothing was counted
 */
export function quantile(histogram, q) {
    const count = histogram === null ? 0 : total(histogram);
    if (count === 0) {
        return null;
    }
    const { bounds, counts } = histogram;
    let below = 0;
    for (let index = 0; index < bounds.length; ++index) {
        if (counts[index] > 0 && below + counts[index] >= q * count) {
            const low = index === 0 ? 0 : bounds[index - 1];
            return low + ((bounds[index] - low) * (q * count - below)) / counts[index];
        }
        below += counts[index];
    }
    return bounds.at(-1) ?? null;
}

function hasSameBounds(one, other) {
    return one.bounds.length === other.bounds.length && one.bounds.every((bound, index) => bound === other.bounds[index]);
}
