/**
 * What a handshake settles between a client and a server: codes for routes, and which bodies are in the protobuf
 * dialect. Pure, no I/O.
 * @module agreement
 */
import { protoCodec } from "./protobuf.js";
import { WireError, toBytes, toText } from "./wire.js";

/**
 * @typedef {{version: string, routeToCode: object, codeToRoute: object}} Dictionary
 * @typedef {{version: string, client: object, server: object}} Protos as the handshake has them
 * @typedef {{dict: Dictionary|null, protos: Protos|null}} Sets what a server uses; null: not used
 */

/** Nothing is settled: routes as text, bodies as JSON. @type {Sets} */
export const noSets = Object.freeze({ dict: null, protos: null });

/**
 * @param {object} sys of the handshake's reply
 * @param {Sets} remembered whose versions the request named; a reply to a version that is still right leaves the set out
 * @returns {Sets}
 * @throws {WireError} the reply leaves out what is not remembered
 */
export function settle(sys, remembered) {
    return {
        dict: choose("dictionary", sys.useDict, told(sys.routeToCode ?? sys.dict, (routeToCode) => ({
            version: sys.dictVersion, routeToCode, codeToRoute: sys.codeToRoute ?? {},
        })), remembered.dict),
        protos: choose("protos", sys.useProto, told(sys.protos, ({ version, client, server }) => ({
            version, client: client ?? {}, server: server ?? {},
        })), remembered.protos),
    };
}

function told(value, make) {
    return value === undefined || value === null ? null : make(value);
}

function choose(what, isUsed, fresh, remembered) {
    if (fresh !== null || !isUsed) {
        return fresh;
    }
    if (remembered === null) {
        throw new WireError(`the server sends no ${what}, and none is remembered`);
    }
    return remembered;
}

/** Routes and bodies as the sets want them. */
export class Agreement {
    #routeToCode = new Map();
    #codeToRoute = new Map();
    #toServer;
    #toClient;

    /**
     * @param {Sets} sets
     * @throws {WireError} one of them is not of its form
     */
    constructor({ dict, protos } = noSets) {
        // Maps, because a route may be called `__proto__`.
        for (const [route, code] of Object.entries(dict?.routeToCode ?? {})) {
            this.#routeToCode.set(route, checkedCode(code));
            this.#codeToRoute.set(code, route);
        }
        for (const [code, route] of Object.entries(dict?.codeToRoute ?? {})) {
            this.#codeToRoute.set(checkedCode(Number(code)), String(route));
        }
        this.#toServer = protoCodec(protos?.client ?? {});
        this.#toClient = protoCodec(protos?.server ?? {});
    }

    /** @param {string} route @returns {string|number} its code if it has one */
    shortRoute(route) {
        return this.#routeToCode.get(route) ?? route;
    }

    /** @param {string|number} route as it came @returns {string} @throws {WireError} a code that is not known */
    fullRoute(route) {
        const name = typeof route === "number" ? this.#codeToRoute.get(route) : route;
        if (name === undefined) {
            throw new WireError(`the route code ${route} is not known`);
        }
        return name;
    }

    /** @param {string} route of a request or notify @param {any} [body] @returns {Uint8Array} @throws {WireError} */
    encode(route, body) {
        const value = body ?? {};
        return this.#toServer.has(route) ? this.#toServer.encode(route, value) : toBytes(JSON.stringify(value));
    }

    /**
     * @param {string} route of the push, or of the request that is answered
     * @param {Uint8Array} bytes none are `{}`
     * @returns {any}
     * @throws {WireError|SyntaxError}
     */
    decode(route, bytes) {
        if (bytes.length === 0) {
            return {};
        }
        return this.#toClient.has(route) ? this.#toClient.decode(route, bytes) : JSON.parse(toText(bytes));
    }
}

function checkedCode(code) {
    if (!Number.isInteger(code) || code < 1 || code > 0xffff) {
        throw new WireError(`dictionary: found the code ${code}, expected 1 to 65535`);
    }
    return code;
}
