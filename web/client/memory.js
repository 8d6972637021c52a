/**
 * What a client remembers between connections: each server's dictionary and protos with their versions, so that the
 * next handshake need not carry them. One text per server under the key `shaddock:<url>`, for example
 * `shaddock:ws://127.0.0.1:3050`. Nothing in a memory can harm a client: what cannot be read is forgotten.
 * @module memory
 */
import { Agreement, noSets } from "./agreement.js";

const keyPrefix = "shaddock:";

/**
 * Where texts are kept; a `Map` is one.
 * @typedef {object} Memory
 * @property {(key: string) => string|null|undefined} get
 * @property {(key: string, value: string) => any} set
 * @property {(key: string) => any} delete
 */

/**
 * The browser's local storage. Where that cannot be had, is full or is refused, as long as the page lives.
 * @param {() => Storage} [open] gives the storage; may throw
 * @returns {Memory}
 */
export function storageMemory(open = () => globalThis.localStorage) {
    const instead = new Map();
    return {
        get: (key) => instead.get(key) ?? attempt(() => open().getItem(key)),
        set: (key, value) => {
            instead.set(key, value);
            attempt(() => {
                open().setItem(key, value);
                instead.delete(key);
            });
        },
        delete: (key) => {
            instead.delete(key);
            attempt(() => open().removeItem(key));
        },
    };
}

/** What clients use unless told otherwise: local storage in a page, else as long as the process lives. @type {Memory} */
export const defaultMemory = globalThis.document === undefined ? new Map() : storageMemory();

/**
 * @param {Memory|null} memory
 * @param {string} url of the server
 * @returns {import("./agreement.js").Sets}
 */
export function recall(memory, url) {
    try {
        const { dict, protos } = JSON.parse(memory?.get(keyPrefix + url) ?? "{}");
        const sets = { dict: versioned(dict), protos: versioned(protos) };
        new Agreement(sets); // throws unless they can be used
        return sets;
    } catch {
        forget(memory, url);
        return noSets;
    }
}

/**
 * @param {Memory|null} memory
 * @param {string} url
 * @param {import("./agreement.js").Sets} sets those without a version are left out: the server could not tell them
 */
export function remember(memory, url, { dict, protos }) {
    const sets = { dict: versioned(dict), protos: versioned(protos) };
    if (sets.dict === null && sets.protos === null) {
        forget(memory, url);
        return;
    }
    const text = JSON.stringify(sets);
    attempt(() => {
        if (memory?.get(keyPrefix + url) !== text) {
            memory?.set(keyPrefix + url, text);
        }
    });
}

/** @param {Memory|null} memory @param {string} url */
export function forget(memory, url) {
    attempt(() => memory?.delete(keyPrefix + url));
}

function versioned(set) {
    return typeof set?.version === "string" && set.version !== "" ? set : null;
}

function attempt(action) {
    try {
        return action();
    } catch {
        return undefined;
    }
}
