/**
 * Heartbeats, as Pomelo's JavaScript client has them.
 * @module heartbeat
 */

/** How many heartbeat periods may pass in silence. As Pomelo's JavaScript client. */
const silentPeriods = 2;

/** A deadline reached this early is taken as reached: timers are not exact. */
const deadlineSlackMs = 100;

/**
 * Keeps a connection alive the way Pomelo's JavaScript client does: the server's first heartbeat starts it; each one
 * is answered after one period, and then the server must be heard of, in any form, within two periods.
 */
export class Heartbeat {
    #timers;
    #send;
    #silent;
    #periodMs;
    #sendTimer = null;
    #deadlineTimer = null;
    #deadline = 0;

    constructor(timers, send, silent, periodMs = 0) {
        this.#timers = timers;
        this.#send = send;
        this.#silent = silent;
        this.#periodMs = periodMs;
    }

    /** A frame of any kind has come. */
    heard() {
        this.#deadline = Date.now() + silentPeriods * this.#periodMs;
    }

    /** A heartbeat has come. */
    received() {
        if (this.#periodMs === 0) {
            return;
        }
        this.#clearDeadline();
        if (this.#sendTimer === null) {
            this.#sendTimer = this.#timers.set(() => {
                this.#sendTimer = null;
                this.#send();
                this.heard();
                this.#await(silentPeriods * this.#periodMs);
            }, this.#periodMs);
        }
    }

    stop() {
        this.#timers.clear(this.#sendTimer);
        this.#sendTimer = null;
        this.#clearDeadline();
    }

    #await(delayMs) {
        this.#deadlineTimer = this.#timers.set(() => {
            const leftMs = this.#deadline - Date.now();
            if (leftMs > deadlineSlackMs) {
                this.#await(leftMs);
            } else {
                this.#silent();
            }
        }, delayMs);
    }

    #clearDeadline() {
        this.#timers.clear(this.#deadlineTimer);
        this.#deadlineTimer = null;
    }
}
