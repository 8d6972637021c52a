/** Timers for the client's option `timers` that go only when a test says so. */
export class FakeTimers {
    nowMs = 0;
    #timers = new Set();

    set = (callback, delayMs) => {
        const timer = { callback, at: this.nowMs + delayMs };
        this.#timers.add(timer);
        return timer;
    };

    clear = (timer) => this.#timers.delete(timer);

    /** How many wait. */
    get waiting() {
        return this.#timers.size;
    }

    /** Lets so much time pass; what is due is called in its order. */
    pass(delayMs) {
        const end = this.nowMs + delayMs;
        for (;;) {
            const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at);
            if (next === undefined) {
                break;
            }
            this.nowMs = next.at;
            this.#timers.delete(next);
            next.callback();
        }
        this.nowMs = end;
    }
}
