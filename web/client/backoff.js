/**
 * How long to wait before each further try: longer each time, and not all at the same moment.
 * @module backoff
 */

/**
 * @typedef {object} ReconnectOptions
 * @property {number} [firstDelayMs] before the first try
 * @property {number} [factor] by which each delay is longer than the one before
 * @property {number} [maxDelayMs] no delay is longer
 * @property {number} [attempts] tries in a row before giving up
 * @property {number} [jitter] 0 to 1: the part of a delay that is left to chance, so that many clients that lost the
 *   same server do not come back at the same moment
 * @property {number} [healthyMs] a connection that lasts so long ends the row: the next delay is the first again
 */

/** What {@link ReconnectOptions} are unless said otherwise. */
export const defaultReconnect = Object.freeze({
    firstDelayMs: 500, factor: 2, maxDelayMs: 30_000, attempts: Infinity, jitter: 0.5, healthyMs: 10_000,
});

/** One row of tries. */
export class Backoff {
    #options;
    #attempt = 0;

    /** @param {boolean|ReconnectOptions} [options] false: no tries; true: the defaults */
    constructor(options = false) {
        const given = options === true ? {} : options || { attempts: 0 };
        this.#options = Object.fromEntries(Object.entries(defaultReconnect).map(([name, value]) => [name, given[name] ?? value]));
    }

    get healthyMs() {
        return this.#options.healthyMs;
    }

    /** @returns {{attempt: number, delayMs: number}|null} the next try, counted from 1; null: give up */
    next() {
        const { firstDelayMs, factor, maxDelayMs, attempts, jitter } = this.#options;
        if (this.#attempt >= attempts) {
            return null;
        }
        const fullMs = Math.min(maxDelayMs, firstDelayMs * factor ** this.#attempt);
        return { attempt: ++this.#attempt, delayMs: Math.round(fullMs * (1 - jitter * Math.random())) };
    }

    reset() {
        this.#attempt = 0;
    }
}
