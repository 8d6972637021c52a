/** Clients that sign what they send, for connectors with the option `crypto`. */
import { generateKeyPairSync, sign, webcrypto } from "node:crypto";
import { signingKey } from "../../../../web/client/signature.js";
import { JsClient } from "./jsclient.mjs";
import { Shaddock } from "./shaddock.mjs";
import { Tcp } from "./tcp.mjs";

/** What browsers' clients find as `window.rsa`: a key of its own for each page, signatures in hex. */
class Rsa {
    #key;

    /** @param {number} bits @param {string} exponent hex */
    generate(bits, exponent) {
        const { privateKey } = generateKeyPairSync("rsa", { modulusLength: bits, publicExponent: parseInt(exponent, 16) });
        this.#key = privateKey;
        this.n = BigInt(`0x${Buffer.from(privateKey.export({ format: "jwk" }).n, "base64url").toString("hex")}`);
        this.e = parseInt(exponent, 16);
    }

    signString(text, hash) {
        return sign(hash, Buffer.from(text), this.#key).toString("hex");
    }
}

export class SignedJsClient extends JsClient {
    static kind = `${JsClient.kind}, signing`;

    constructor(storage) {
        super(storage, { encrypt: true, rsa: new Rsa() });
    }
}

export class SignedShaddock extends Shaddock {
    static kind = `${Shaddock.kind}, signing`;

    async options() {
        return { crypto: await signingKey(webcrypto.subtle) };
    }
}

export class SignedTcp extends Tcp {
    static kind = `${Tcp.kind}, signing`;
    #rsa = new Rsa();

    constructor(storage) {
        super(storage);
        this.#rsa.generate(1024, "10001");
    }

    sys() {
        return { ...super.sys(), rsa: { rsa_n: this.#rsa.n.toString(16), rsa_e: this.#rsa.e } };
    }

    dress(body) {
        return { ...body, __crypto__: this.#rsa.signString(JSON.stringify(body), "sha256") };
    }
}
