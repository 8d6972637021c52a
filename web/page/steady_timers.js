/**
 * Timers that keep time in a hidden tab. Browsers slow a hidden page's timers down to one a minute; a heartbeat that
 * late means a closed connection. A worker's timers go on.
 * @module steady_timers
 */
import { plainTimers } from "../client/shaddock.js";

/**
 * @returns {{set: (callback: () => void, delayMs: number) => object, clear: (handle: object) => void}} for the
 *   client's option `timers`; as good as plain ones where the worker cannot be had
 */
export function steadyTimers() {
    const waiting = new Map();
    let lastId = 0;
    const fire = (id) => {
        const timer = waiting.get(id);
        waiting.delete(id);
        timer?.callback();
    };
    const worker = startWorker(fire);
    return {
        set: (callback, delayMs) => {
            const id = ++lastId;
            waiting.set(id, { callback });
            worker?.postMessage({ id, delayMs });
            // The plain timer is the net below the worker: whichever is first fires.
            return { id, plain: plainTimers.set(() => fire(id), delayMs) };
        },
        clear: (handle) => {
            if (handle !== null) {
                waiting.delete(handle.id);
                plainTimers.clear(handle.plain);
            }
        },
    };
}

function startWorker(fire) {
    try {
        const worker = new Worker(new URL("./timer_worker.js", import.meta.url));
        worker.addEventListener("message", (event) => fire(event.data));
        return worker;
    } catch {
        return null;
    }
}
