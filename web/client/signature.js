/**
 * Keys with which a client signs its bodies, for servers with the option `crypto` (Pomelo's `useCrypto`). Nothing is
 * encrypted, and what the server sends is not signed.
 * @module signature
 */
import { WireError, toBytes } from "./wire.js";

const algorithm = "RSASSA-PKCS1-v1_5";
const publicExponent = 65537;
const modulusBits = 2048;

/**
 * @typedef {object} SigningKey
 * @property {string} n the modulus, in hexadecimal
 * @property {number} e the public exponent
 * @property {(text: string) => string|Promise<string>} sign gives RSASSA-PKCS1-v1_5 with SHA-256 over the text's UTF-8
 *   bytes, in hexadecimal
 */

/**
 * Makes a key that lives as long as the page or process.
 * @param {SubtleCrypto} [subtle] default: the global one, which browsers have on https and localhost only, and Node
 *   from 20 on; Node 18: `webcrypto.subtle` of `node:crypto`
 * @returns {Promise<SigningKey>}
 */
export async function signingKey(subtle = globalThis.crypto.subtle) {
    const { privateKey, publicKey } = await subtle.generateKey(
        { name: algorithm, hash: "SHA-256", modulusLength: modulusBits, publicExponent: Uint8Array.of(1, 0, 1) }, false, ["sign", "verify"]);
    const { n } = await subtle.exportKey("jwk", publicKey);
    const modulus = atob(n.replaceAll("-", "+").replaceAll("_", "/"));
    return Object.freeze({
        n: hexOf(Uint8Array.from(modulus, (byte) => byte.charCodeAt(0))),
        e: publicExponent,
        sign: async (text) => hexOf(new Uint8Array(await subtle.sign(algorithm, privateKey, toBytes(text)))),
    });
}

/**
 * A body with its signature in the field `__crypto__`.
 * @param {SigningKey} key
 * @param {any} [body] an object; what it is when this is called is signed
 * @returns {Promise<object>}
 * @throws {WireError} at once: not an object
 */
export function signed(key, body) {
    const text = JSON.stringify(body ?? {});
    if (!text?.startsWith("{")) {
        throw new WireError("a body that is signed must be an object");
    }
    return new Promise((resolve) => { resolve(key.sign(text)); }).then((signature) => ({ ...JSON.parse(text), __crypto__: signature }));
}

function hexOf(bytes) {
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
