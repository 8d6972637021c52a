/** Signed bodies of web/client/shaddock.js, checked with Node's own crypto. */
import assert from "node:assert/strict";
import { constants, createPublicKey, verify, webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import WebSocket from "ws";
import { Client, signingKey } from "../../../web/client/shaddock.js";
import { listen, response } from "../lib/fake_pomelo.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";

endProcessAfter(60_000);

const folder = process.env.SHADDOCK_VECTORS ?? fileURLToPath(new URL("../../vectors/", import.meta.url));

/** Whether the signature is the key's over the text. */
function isSigned({ rsa_n: n, rsa_e: e }, text, signature) {
    const toBase64url = (hex) => Buffer.from(hex, "hex").toString("base64url");
    const key = createPublicKey({ format: "jwk", key: { kty: "RSA", n: toBase64url(n), e: toBase64url(e.toString(16).padStart(6, "0")) } });
    return verify("sha256", Buffer.from(text), { key, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(signature, "hex"));
}

let key;
let server;
let client;
const seen = [];

before(async () => { key = await signingKey(webcrypto.subtle); });

afterEach(async () => {
    client?.close();
    seen.length = 0;
    await server?.close();
});

async function connect(crypto, behaviour = {}) {
    server = await listen({ ...behaviour, onMessage: (peer, request) => {
        seen.push({ ...request, rsa: peer.handshake.sys.rsa });
        if (request.id > 0) {
            peer.send(response(request.id, {}));
        }
    } });
    client = new Client({ url: server.url, WebSocket, memory: null, crypto });
    await client.connect();
}

function assertSigned({ rsa, body }, expected) {
    const { __crypto__: signature, ...rest } = body;
    assert.deepEqual(rest, expected);
    assert.ok(isSigned(rsa, JSON.stringify(rest), signature));
}

test("the check itself agrees with the golden vector", () => {
    const vector = JSON.parse(readFileSync(join(folder, "handshake.json"), "utf8")).find(({ name }) => name === "rsa signature");
    assert.ok(isSigned(vector, vector.text, vector.signatureHex));
    assert.ok(!isSigned(vector, `${vector.text} `, vector.signatureHex));
});

describe("with a key", () => {
    test("the handshake tells it, and each body carries its signature", async () => {
        await connect(key);
        const bodies = [{ content: "你好 😀", n: 1 }, {}, JSON.parse('{"b":[1,{}],"2":null,"1":"é","__proto__":3}')];
        for (const body of bodies) {
            await client.request("a.b.c", body);
        }
        await client.request("a.b.c");
        assert.deepEqual(seen[0].rsa, { rsa_n: key.n, rsa_e: 65537 });
        [...bodies, {}].forEach((body, index) => assertSigned(seen[index], body));
    });

    test("what is signed is the body as it was when it was given, in the order in which it was", async () => {
        let count = 0;
        // The first takes longer than those after it.
        const slow = { ...key, sign: async (text) => {
            await new Promise((resolve) => { setTimeout(resolve, count++ === 0 ? 50 : 0); });
            return key.sign(text);
        } };
        await connect(slow);
        const body = { n: 1 };
        const first = client.request("a.b.c", body);
        body.n = 2;
        client.notify("a.b.c", body);
        body.n = 3;
        await Promise.all([first, client.request("a.b.c", body)]);
        [1, 2, 3].forEach((n, index) => assertSigned(seen[index], { n }));
    });

    test("a client proto with the field takes it along", async () => {
        await connect(key, { protos: { client: { "a.b.c": { "required uInt32 n": 1, "optional string __crypto__": 2 } } } });
        await client.request("a.b.c", { n: 7 });
        assertSigned(seen[0], { n: 7 });
    });

    test("a body that is no object is refused at once", async () => {
        await connect(key);
        await assert.rejects(client.request("a.b.c", [1]), { name: "WireError" });
        assert.throws(() => client.notify("a.b.c", "x"), { name: "WireError" });
        await client.request("a.b.c", { n: 1 });
        assertSigned(seen[0], { n: 1 });
    });

    test("one that cannot sign fails the request or tells of the notify, and the next goes on", async () => {
        let isBroken = true;
        await connect({ ...key, sign: (text) => (isBroken ? Promise.reject(new Error("locked")) : key.sign(text)) });
        const errors = [];
        client.on("error", (error) => errors.push(error.code));
        client.notify("a.b.c");
        await assert.rejects(client.request("a.b.c"), { name: "ShaddockError", code: "crypto", message: /locked/ });
        assert.deepEqual(errors, ["crypto"]);
        isBroken = false;
        await client.request("a.b.c", { n: 1 });
        assert.equal(seen.length, 1);
    });

    test("after a close nothing that was being signed is sent", async () => {
        let finish;
        await connect({ ...key, sign: () => new Promise((resolve) => { finish = resolve; }) });
        const asked = assert.rejects(client.request("a.b.c"), { code: "closed" });
        client.close();
        finish("00");
        await asked;
        await until(() => server.peers.size === 0, "closed connection");
        assert.equal(seen.length, 0);
    });
});

describe("true", () => {
    test("makes a key of the client's own", { skip: globalThis.crypto?.subtle === undefined && "no global WebCrypto" }, async () => {
        await connect(true);
        await client.request("a.b.c", { n: 1 });
        assertSigned(seen[0], { n: 1 });
        assert.notEqual(seen[0].rsa.rsa_n, key.n);
    });

    test("without WebCrypto says what is missing", (context) => {
        if (globalThis.crypto !== undefined) {
            context.mock.getter(globalThis, "crypto", () => undefined);
        }
        assert.throws(() => new Client({ url: "ws://127.0.0.1:1", WebSocket, crypto: true }), TypeError);
    });
});
