/**
 * Who listens to what.
 * @module listeners
 */

/** Functions by the name of what they listen to. */
export class Listeners {
    #byName = new Map();

    /**
     * @param {string} name
     * @param {(argument: any) => void} listener
     * @returns {() => void} ends the listening
     */
    add(name, listener) {
        const known = this.#byName.get(name) ?? new Set();
        this.#byName.set(name, known.add(listener));
        return () => known.delete(listener);
    }

    /** A listener's error is the page's or the process's, as with any event: it stops neither the others nor the caller. */
    call(name, argument) {
        for (const listener of [...(this.#byName.get(name) ?? [])]) {
            try {
                listener(argument);
            } catch (error) {
                queueMicrotask(() => { throw error; });
            }
        }
    }
}
