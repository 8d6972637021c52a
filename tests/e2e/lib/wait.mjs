/** Waiting with a deadline, for tests. */

/**
 * @template T
 * @param {() => T|Promise<T>} condition asked again every 10 ms until it is truthy
 * @param {string} what for the error
 * @param {number} [limitMs]
 * @returns {Promise<T>}
 */
export async function until(condition, what, limitMs = 5_000) {
    const end = Date.now() + limitMs;
    for (;;) {
        const value = await condition();
        if (value) {
            return value;
        }
        if (Date.now() > end) {
            throw new Error(`${what}: not within ${limitMs} ms`);
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
}

/** Ends this process with 1 if it still runs then: a test file that hangs fails. Node 18 has no option for that. */
export function endProcessAfter(limitMs) {
    setTimeout(() => {
        console.error(`still running after ${limitMs} ms`);
        process.exit(1);
    }, limitMs).unref();
}
