/**
 * The admin API of the master that served this page; docs/operations.md has its forms.
 * @module api
 */
import { texts } from "./texts.js";

const answerLimitMs = 5_000;

/** Why a call came to nothing. `kind`: `token` (refused), `unreachable` (no answer), `refused` (the answer says why). */
export class ApiError extends Error {
    constructor(kind, text) {
        super(text);
        this.kind = kind;
    }
}

export class Api {
    #token;

    /** @param {string} token */
    constructor(token) {
        this.#token = token;
    }

    /** @returns {Promise<any>} the answer's JSON; throws ApiError */
    get(path) {
        return this.#call(path, { signal: AbortSignal.timeout(answerLimitMs) });
    }

    /** Answers when it is done, which may take minutes. @returns {Promise<any>} throws ApiError */
    post(path, body) {
        return this.#call(path, { method: "POST", body: JSON.stringify(body) });
    }

    async #call(path, options) {
        let answer;
        let body;
        try {
            answer = await fetch(path, {
                ...options,
                cache: "no-store",
                credentials: "omit",
                headers: { Authorization: `Bearer ${this.#token}` },
            });
            body = await answer.text();
        } catch (cause) {
            throw new ApiError("unreachable", texts.call.unreachable(cause.message));
        }
        if (answer.status === 401) {
            throw new ApiError("token", texts.call.tokenRefused);
        }
        const said = jsonOf(body);
        if (!answer.ok || said === undefined) {
            throw new ApiError("refused", said?.error || texts.call.refused(path, answer.status));
        }
        return said;
    }
}

function jsonOf(text) {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}
