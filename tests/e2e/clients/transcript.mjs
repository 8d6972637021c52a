/** Reads tests/vectors/chat-transcript.txt: what clients and servers of the original chat said, in hex. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const vectors = process.env.SHADDOCK_VECTORS ?? fileURLToPath(new URL("../../vectors/", import.meta.url));

/**
 * The forms of a line. `kind`:
 * `section` a heading; `note` what the person at the keyboard did; `timing` a measured time, of nothing else;
 * `sends` a client sends a package; the others a client receives: `handshake` as JSON without its package, `package`
 * whole, `frame` the same package as it stands alone in its WebSocket frame, `got` the same package's body;
 * `closed` the connection ends, with a WebSocket code or not.
 */
const forms = [
    [/^--- (?<text>.*)$/, "section"],
    [/^(?<who>\w+)(?: [\w ]+)? <HS (?<json>\{.*\})$/, "handshake"],
    [/^(?<who>\w+) <HB (?<hex>[0-9a-f]+)$/, "package"],
    [/^(?<who>\w+) <DATA (?<hex>[0-9a-f]+) .*$/, "package"],
    [/^(?<who>\w+) <PKG \d (?<hex>[0-9a-f]+) .*$/, "package"],
    [/^(?<who>\w+) > .* (?<hex>[0-9a-f]+)$/, "sends"],
    [/^(?<who>\w+) frame (?<hex>[0-9a-f]+)$/, "frame"],
    [/^\+\d+ms (?<who>\w+) got package type 4 (?<hex>[0-9a-f]+)$/, "got"],
    [/^(?<who>\w+) WSCLOSED (?<code>\d+)$/, "closed"],
    [/^(?<who>\w+) CLOSED$/, "closed"],
    [/^(?<who>\w+) closed after \d+$/, "timing"],
    [/^\+\d+ms (?<text>.*)$/, "note"],
];

/**
 * @returns {Promise<{number: number, text: string, kind: string, section: string, who?: string, hex?: string,
 *   json?: string, code?: string}[][]>} the lines of each session, without comments and empty lines
 * @throws {Error} a line of no known form
 */
export async function readSessions() {
    const text = await readFile(join(vectors, "chat-transcript.txt"), "utf8");
    const sessions = [];
    let section = "";
    let isComment = false;
    for (const [index, line] of text.split("\n").entries()) {
        if (line === "") {
            continue;
        }
        if (line.startsWith("#")) {
            // A session begins with what is said about it.
            if (!isComment) {
                sessions.push([]);
                section = "";
            }
            isComment = true;
            continue;
        }
        isComment = false;
        const entry = { number: index + 1, line, ...parse(line, index + 1) };
        section = entry.kind === "section" || entry.kind === "note" ? entry.text : section;
        sessions.at(-1).push({ ...entry, section });
    }
    return sessions;
}

function parse(line, number) {
    for (const [form, kind] of forms) {
        const found = form.exec(line);
        if (found) {
            return { kind, ...found.groups };
        }
    }
    throw new Error(`chat-transcript.txt, line ${number}: no known form: ${line}`);
}

/**
 * Where Shaddock differs from the transcript: lines that are left out, and answers that are more.
 * Each must be needed: a deviation that fits no line is an error.
 */
export class Deviations {
    #list;
    #found = new Map();

    /**
     * @param {{section: string, line: RegExp, after?: string, times?: number, more?: [string, string][],
     *   because: string}[]} list of lines in `section`, behind the one that begins with `after`. `more` = what comes
     *   besides: `[who, hex of a package or "closed 1000"]`. A line that a client receives is left out; one that a
     *   client sends is sent, with `more` as its answer. `times`: how many lines fit, default 1
     */
    constructor(list) {
        this.#list = list;
    }

    /** @returns {{isLeftOut: boolean, more: [string, string][]}} */
    of(entry, earlier) {
        const fits = this.#list.filter(({ section, line, after }) => section === entry.section && line.test(entry.line) &&
            (after === undefined || earlier.some((one) => one.section === section && one.line.startsWith(after))));
        for (const one of fits) {
            this.#found.set(one, (this.#found.get(one) ?? 0) + 1);
        }
        return {
            isLeftOut: fits.length > 0 && entry.kind !== "sends",
            more: fits.flatMap(({ more = [] }) => more),
        };
    }

    /** @returns {string[]} those that did not fit as many lines as they say */
    stale() {
        return this.#list
            .filter((one) => (this.#found.get(one) ?? 0) !== (one.times ?? 1))
            .map((one) => `${one.section}, ${one.line}: fits ${this.#found.get(one) ?? 0} lines, not ${one.times ?? 1}`);
    }
}
