/** web/client/protobuf.js against the golden vectors and, both ways, against Pomelo's own package. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import pomelo from "pomelo-protobuf";
import { maxMessageDepth, protoCodec } from "../../../web/client/protobuf.js";
import { WireError } from "../../../web/client/wire.js";

const folder = process.env.SHADDOCK_VECTORS ?? fileURLToPath(new URL("../../vectors/", import.meta.url));
const vectors = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"), special);
const fromHex = (hex) => new Uint8Array(Buffer.from(hex, "hex"));
const toHex = (bytes) => Buffer.from(bytes).toString("hex");
const codecOf = (protos) => protoCodec(pomelo.parse(protos));
const codecOfFields = (fields) => codecOf({ r: fields });

/** What JSON has no word for. */
function special(_key, value) {
    return typeof value?.$num === "string" ? Number(value.$num) : value;
}

function isUnknownType({ protos, route }) {
    return Object.keys(protos[route]).some((key) => key.includes("uInt64"));
}

describe("golden vectors", () => {
    for (const vector of vectors("protobuf.json")) {
        const { name, protos, route, msg, hex, decoded, browserHex } = vector;
        if (hex === null || isUnknownType(vector)) {
            test(`refuses ${name}`, () => assert.throws(() => codecOf(protos).encode(route, msg), WireError));
            continue;
        }
        test(`encodes ${name}`, () => assert.equal(toHex(codecOf(protos).encode(route, msg)), hex));
        test(`decodes ${name}`, () => assert.deepEqual(codecOf(protos).decode(route, fromHex(hex)), decoded));
        // The browser's truncated doubles and its CESU-8 are a server's business.
        if (browserHex !== undefined && browserHex.length === hex.length) {
            test(`decodes ${name} with the browser client's wire bits`, () => {
                assert.deepEqual(codecOf(protos).decode(route, fromHex(browserHex)), decoded);
            });
        }
    }

    for (const { name, protos, route, hex, expect } of vectors("invalid.json").filter(({ layer }) => layer === "protobuf")) {
        test(`${expect.result}: ${name}`, () => {
            const codec = codecOf(protos);
            if (expect.result === "no_proto") {
                assert.equal(codec.has(route), false);
            }
            if (expect.result !== "ok") {
                assert.throws(() => codec.decode(route, fromHex(hex)), WireError);
                return;
            }
            const value = codec.decode(route, fromHex(hex));
            assert.deepEqual(value, expect.value ?? value);
        });
    }
});

describe("against Pomelo's own package", () => {
    const protos = {
        "message Point": { "required double x": 1, "optional float y": 2 },
        r: {
            "message Item": { "required string name": 1, "repeated sInt32 counts": 2, "optional Point at": 3 },
            "required uInt32 id": 1, "optional int32 delta": 2, "optional string text": 300,
            "repeated string words": 4, "repeated Item items": 5, "repeated double path": 6, "optional Item best": 7,
        },
    };
    const parsed = pomelo.parse(protos);
    const codec = protoCodec(parsed);
    const random = randomOf(20261122);
    const integer = (limit) => Math.floor(random() * limit);
    const maybe = (make) => (integer(3) === 0 ? undefined : make());
    const list = (make) => Array.from({ length: integer(5) }, make);
    const text = () => list(() => ["a", "é", "你", "😀", "\u0000", "\ufeff", "\""][integer(7)]).join("");
    const signed = () => integer(2 ** [4, 12, 31, 50][integer(4)]) * (integer(2) === 0 ? 1 : -1) + 0; // -0 is not told from 0
    const point = () => ({ x: random() * 1e9 - 5e8, y: maybe(() => Math.fround(random())) });
    const item = () => ({ name: text(), counts: list(signed), at: maybe(point) });
    const body = () => withoutAbsent({
        id: integer(2 ** 53), delta: maybe(signed), text: maybe(text), words: list(text), items: list(item),
        path: list(random), best: maybe(item),
    });

    test("1,000 random bodies: the same bytes, and the same values back", () => {
        pomelo.init({ encoderProtos: parsed, decoderProtos: parsed });
        for (let count = 0; count < 1000; ++count) {
            const value = body();
            const theirs = pomelo.encode("r", value);
            const ours = codec.encode("r", value);
            assert.equal(toHex(ours), theirs.toString("hex"), JSON.stringify(value));
            assert.deepEqual(codec.decode("r", ours), value);
            assert.deepEqual(pomelo.decode("r", Buffer.from(ours)), value);
        }
    });

    test("cut anywhere, a body is refused or is fewer fields, never something else", () => {
        for (let count = 0; count < 50; ++count) {
            const whole = codec.encode("r", body());
            for (let length = 0; length < whole.length; ++length) {
                const part = attempt(() => codec.decode("r", whole.subarray(0, length)));
                assert.ok(part instanceof WireError || typeof part === "object");
            }
        }
    });

    test("random bytes never do more than a WireError", () => {
        for (let count = 0; count < 5000; ++count) {
            const bytes = Uint8Array.from({ length: integer(40) }, () => integer(256));
            attempt(() => codec.decode("r", bytes));
        }
    });
});

describe("encode", () => {
    const codec = codecOfFields({ "optional string s": 1, "optional uInt32 n": 2, "repeated uInt32 l": 3, "optional float f": 4 });
    const hex = (value) => toHex(codec.encode("r", value));

    test("nothing is no bytes", () => {
        assert.equal(hex(undefined), "");
        assert.equal(hex({}), "");
        assert.equal(hex({ s: null, n: undefined, l: [], f: null, other: 1 }), "");
    });

    for (const [name, value] of Object.entries({
        "a text": "x", "an array": [], null: null, "a number": 1,
        "an object for a text": { s: {} }, "a number for an array": { l: 1 }, "null in an array": { l: [null] },
        "a text for a number": { n: "x" }, "too large a number": { n: 2 ** 54 }, "infinity for an integer": { n: Infinity },
        "a text for a float": { f: "x" }, "an object for a float": { f: {} },
    })) {
        test(`refuses ${name}`, () => assert.throws(() => codec.encode("r", value), WireError));
    }

    test("the error names the field", () => {
        const nested = codecOf({ on: { "message M": { "required uInt32 x": 1 }, "repeated M m": 1 } });
        assert.throws(() => nested.encode("on", { m: [{ x: 1 }, {}] }), /on\.m\[1\]\.x: required/);
    });

    test("a number is taken as text", () => assert.equal(hex({ s: 12 }), "0a023132"));

    test("a field may be called __proto__", () => {
        const odd = protoCodec(JSON.parse('{"r":{"__proto__":{"option":"required","type":"uInt32","tag":1}}}'));
        const value = odd.decode("r", fromHex("0805"));
        assert.deepEqual(Object.entries(value), [["__proto__", 5]]);
        assert.equal(toHex(odd.encode("r", value)), "0805");
        assert.throws(() => odd.encode("r", {}), WireError);
    });
});

describe("depth", () => {
    const chain = codecOf({ "message Link": { "optional Link next": 1 }, r: { "optional Link next": 1 } });
    const nested = (depth) => (depth === 1 ? {} : { next: nested(depth - 1) });

    test("a message may hold its own kind", () => {
        const value = nested(maxMessageDepth);
        assert.deepEqual(chain.decode("r", chain.encode("r", value)), value);
    });

    test("deeper is refused, both ways", () => {
        assert.throws(() => chain.encode("r", nested(maxMessageDepth + 1)), WireError);
        let bytes = [];
        for (let depth = 0; depth < maxMessageDepth; ++depth) {
            bytes = [0x0a, ...(bytes.length < 128 ? [bytes.length] : [bytes.length % 128 + 128, bytes.length >> 7]), ...bytes];
        }
        assert.throws(() => chain.decode("r", Uint8Array.from(bytes)), /deeper/);
    });
});

describe("protos", () => {
    test("a message of the enclosing one goes before a shared one, and a grandparent's is not seen", () => {
        const codec = codecOf({
            "message M": { "required string s": 1 },
            r: { "message M": { "required uInt32 n": 1 }, "message Inner": { "required M m": 1 }, "required M m": 1, "required Inner i": 2 },
        });
        assert.equal(toHex(codec.encode("r", { m: { n: 5 }, i: { m: { s: "x" } } })), "0a02080512050a030a0178");
    });

    test("a shared message is no route", () => {
        const codec = codecOf({ "message M": { "required string s": 1 } });
        assert.equal(codec.has("message M"), false);
        assert.equal(codec.has("toString"), false);
        assert.throws(() => codec.encode("toString", {}), WireError);
    });

    test("a field of an unknown type harms nobody until it is used", () => {
        const codec = codecOfFields({ "optional uInt64 big": 1, "optional uInt32 small": 2, "optional toString odd": 3 });
        assert.equal(toHex(codec.encode("r", { small: 1 })), "1001");
        assert.throws(() => codec.encode("r", { big: 1 }), /uInt64 is not known/);
        assert.throws(() => codec.encode("r", { odd: {} }), WireError);
        assert.throws(() => codec.decode("r", fromHex("0800")), WireError);
    });

    for (const protos of [null, [], "x", { r: null }, { r: [] }, { r: { f: 1 } }, { r: { f: { option: "some", type: "string", tag: 1 } } },
        { r: { f: { option: "required", type: 1, tag: 1 } } }, { r: { f: { option: "required", type: "string", tag: "1" } } },
        { r: { f: { option: "required", type: "string", tag: 2 ** 29 } } }]) {
        test(`refuses ${JSON.stringify(protos)}`, () => assert.throws(() => protoCodec(protos), WireError));
    }
});

/** What the action gives, or its WireError; any other error is one. */
function attempt(action) {
    try {
        return action();
    } catch (error) {
        assert.ok(error instanceof WireError, error.stack);
        return error;
    }
}

/** As a decoder gives it: without what is absent and without empty arrays. */
function withoutAbsent(value) {
    if (Array.isArray(value)) {
        return value.map(withoutAbsent);
    }
    if (typeof value !== "object") {
        return value;
    }
    const isThere = (one) => one !== undefined && !(Array.isArray(one) && one.length === 0);
    return Object.fromEntries(Object.entries(value).filter(([, one]) => isThere(one))
        .map(([key, one]) => [key, withoutAbsent(one)]));
}

/** Random numbers from 0 to 1, the same in every run (xorshift). */
function randomOf(seed) {
    let state = seed;
    return () => {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        return (state >>> 0) / 2 ** 32;
    };
}
