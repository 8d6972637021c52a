/**
 * The newest lines of a server's log, followed while one looks at its end.
 * @module log_view
 */
import { byId, element } from "./dom.js";
import { texts } from "./texts.js";

/** How many lines are asked for. */
export const logLines = 200;

export class LogView {
    #shown = [];

    get isFollowing() {
        return byId("log-follow").checked;
    }

    clear() {
        this.#shown = [];
        byId("log-lines").replaceChildren();
        this.#say("");
    }

    /** @param {string[]} lines the oldest first */
    show(lines) {
        this.#say(lines.length === 0 ? texts.logIsEmpty : "");
        const start = overlap(this.#shown, lines);
        const list = byId("log-lines");
        if (start === 0) {
            list.replaceChildren();
        }
        list.append(...lines.slice(start).map((line) => element("li", `line ${levelOf(line)}`, line)));
        while (list.children.length > lines.length) {
            list.firstElementChild.remove();
        }
        this.#shown = lines;
        if (this.isFollowing) {
            byId("log").scrollTop = byId("log").scrollHeight;
        }
    }

    /** @param {string} why there are no lines */
    fail(why) {
        this.#say(why);
    }

    #say(text) {
        byId("log-note").textContent = text;
        byId("log-note").hidden = text === "";
    }
}

/**
 * How many lines at the beginning of `now` are the last ones of `before`: only what follows is new.
 * @param {string[]} before @param {string[]} now @returns {number} 0: nothing in common
 */
export function overlap(before, now) {
    for (let skipped = 0; skipped < before.length; ++skipped) {
        const common = before.length - skipped;
        if (common <= now.length && before.slice(skipped).every((line, index) => line === now[index])) {
            return common;
        }
    }
    return 0;
}

/** @param {string} line of a log @returns {string} `error`, `warn`, `info`, `debug`, or empty */
export function levelOf(line) {
    return /^\S+ \S+ (error|warn|info|debug) /.exec(line)?.[1] ?? /"level":"(error|warn|info|debug)"/.exec(line)?.[1] ?? "";
}
