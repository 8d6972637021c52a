/**
 * What can go wrong.
 * @module error
 */

/**
 * A failure; `code` says which:
 *
 * | code | when |
 * |---|---|
 * | `connect` | the server cannot be reached |
 * | `handshake` | the server refused the handshake (`reply.code` 500) |
 * | `client_too_old` | the server wants a newer client (`reply.code` 501) |
 * | `timeout` | no answer in time; of `connect` or `request` |
 * | `heartbeat` | the server has been silent for two heartbeat periods |
 * | `closed` | the connection is closed, or was before the answer came |
 * | `kicked` | the server closed the connection with a reason (`reason`) |
 * | `protocol` | the server sent bytes that break the rules of the wire |
 * | `crypto` | a body could not be signed (`cause`) |
 */
export class ShaddockError extends Error {
    /**
     * @param {string} code a row of the table
     * @param {string} message for a person
     * @param {object} [details] further fields: `reason`, `reply`, `cause`
     */
    constructor(code, message, details = {}) {
        super(message);
        Object.assign(this, details);
        this.name = "ShaddockError";
        this.code = code;
    }
}

/** Reasons of kicks that are not about the client: the server stops, or has lost what it knew of the session. */
const passingReasons = new Set(["shutdown", "lost"]);

/**
 * Whether there is no reconnect after an error: the server does not want this client.
 * @param {ShaddockError} error
 * @returns {boolean}
 */
export function isFinal(error) {
    return error.code === "client_too_old" || (error.code === "kicked" && !passingReasons.has(error.reason));
}
