/** Broken and hostile clients against real processes, one kind after the other, while three people chat beside them and notice nothing. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startSystem } from "../lib/system.mjs";
import { endProcessAfter } from "../lib/wait.mjs";
import { JsClient } from "./adapters/jsclient.mjs";
import { Shaddock } from "./adapters/shaddock.mjs";
import { Tcp } from "./adapters/tcp.mjs";
import { PackageReader, encodePackage, messageType, packageType } from "./adapters/wire.mjs";
import { Person } from "./script.mjs";
import { configure } from "./suite.mjs";

endProcessAfter(110_000);

const host = "127.0.0.1";
const form = { dict: [], protobuf: [] };
const pauseMs = 20;
/** How long a healthy person may wait, on a machine that runs other tests too. */
const patienceMs = 2_000;
const greeting = encodePackage(packageType.handshake, Buffer.from('{"sys":{"type":"t","version":"1"}}'));
const ack = encodePackage(packageType.ack);
const key = "dGhlIHNhbXBsZSBub25jZQ==";

let system;
let people;
let talk;

/** Says something every few milliseconds, until stopped; everybody hears all of it, in order. */
function startTalk() {
    let isOver = false;
    const speaker = people[0];
    let longestMs = 0;
    const done = (async () => {
        for (let i = 0; !isOver; ++i) {
            people.forEach((person) => person.willHear(`${i}`, speaker.name, "*"));
            const begun = performance.now();
            assert.deepEqual(await speaker.say(`${i}`, "*"), {});
            longestMs = Math.max(longestMs, performance.now() - begun);
            await sleep(pauseMs);
        }
    })();
    done.catch(() => {});
    return async () => {
        isOver = true;
        await done;
        for (const person of people) {
            await person.hasSeenAll();
        }
        return longestMs;
    };
}

before(async () => {
    system = await startSystem({ edit: (config) => configure(config, { gate: {}, connector: { heartbeat: "1 s" } }) });
    people = [Shaddock, JsClient, Tcp].map((Kind, index) => new Person(["ann", "bob", "小红"][index], Kind, form));
    for (const [index, person] of people.entries()) {
        people.slice(0, index).forEach((other) => other.willSeeCome(person.name));
        await person.login(system.gatePort);
        await person.enter("beside");
    }
    talk = startTalk();
}, { timeout: 60_000 });

after(async () => {
    people?.forEach((person) => person.client?.disconnect());
    await system?.stop();
}, { timeout: 30_000 });

/** All that comes until the server closes. @returns {Promise<Buffer>} */
async function answerTo(parts, { port = people[0].port, end = false } = {}) {
    const socket = connect({ port, host, noDelay: true });
    socket.on("error", () => {});
    const came = [];
    socket.on("data", (bytes) => came.push(bytes));
    const closed = once(socket, "close");
    for (const part of [parts].flat()) {
        socket.write(part);
        await sleep(2);
    }
    if (end) {
        socket.end();
    }
    const late = sleep(patienceMs, "late", { ref: false });
    const outcome = await Promise.race([closed, late]);
    socket.destroy();
    assert.notEqual(outcome, "late", `not closed within ${patienceMs} ms; got ${Buffer.concat(came).toString("latin1")}`);
    return Buffer.concat(came);
}

const head = (...lines) => `${lines.join("\r\n")}\r\n\r\n`;
const upgrade = (...more) => head("GET / HTTP/1.1", "Host: chat", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${key}`, ...more);

/** A client's frame, masked unless told. */
function frame(opcode, payload = Buffer.alloc(0), { flags = 0x80, masked = true, length = null } = {}) {
    const body = Buffer.from(payload);
    const mask = Buffer.from([1, 2, 3, 4]);
    const size = length ?? (body.length < 126 ? Buffer.from([body.length]) : Buffer.from([126, body.length >> 8, body.length & 255]));
    const first = Buffer.from([flags | opcode, ...size]);
    first[1] |= masked ? 0x80 : 0;
    return masked ? Buffer.concat([first, mask, body.map((byte, i) => byte ^ mask[i % 4])]) : Buffer.concat([first, body]);
}

/** The code of the close frame at the end. */
function closeCode(bytes) {
    const at = bytes.indexOf("\r\n\r\n") + 4;
    for (let rest = bytes.subarray(at); rest.length >= 2;) {
        const long = (rest[1] & 127) === 126;
        const size = long ? rest.readUInt16BE(2) : rest[1] & 127;
        const begin = long ? 4 : 2;
        if (rest[0] === 0x88) {
            return rest.readUInt16BE(begin);
        }
        rest = rest.subarray(begin + size);
    }
    return null;
}

const words = (count) => Array.from({ length: count }, (_, i) => `X-${i}: ${"a".repeat(100)}`);
const http = [
    ["another method", head("POST / HTTP/1.1", "Host: chat", "Content-Length: 0"), 405],
    ["no upgrade", head("GET / HTTP/1.1", "Host: chat"), 426],
    ["HTTP/1.0", head("GET / HTTP/1.0", "Host: chat", "Upgrade: websocket", "Connection: Upgrade"), 426],
    ["another version of WebSocket", upgrade().replace(": 13", ": 8"), 426],
    ["no host", upgrade().replace("Host: chat\r\n", ""), 400],
    ["two hosts", upgrade("Host: other"), 400],
    ["two keys", upgrade(`Sec-WebSocket-Key: ${key}`), 400],
    ["a short key", upgrade().replace(key, "c2hvcnQ="), 400],
    ["a body", upgrade("Content-Length: 5"), 400],
    ["a chunked body", upgrade("Transfer-Encoding: chunked"), 400],
    ["a folded line", upgrade("X-Long: a", " b"), 400],
    ["a line without a colon", upgrade("nonsense"), 400],
    ["a blank before the colon", upgrade("Host : other"), 400],
    ["a control in a value", upgrade("X: a\x01b"), 400],
    ["a zero byte", upgrade("X: a\0b"), 400],
    ["another version of HTTP", upgrade().replace("HTTP/1.1", "HTTP/3.0"), 400],
    ["no target", head("GET HTTP/1.1", "Host: chat"), 400],
    ["a head without end", `GET / HTTP/1.1\r\n${words(90).join("\r\n")}`, 431],
    ["a request line without end", `GET /${"a".repeat(9000)}`, 431],
];
const violations = [
    ["an unmasked frame", frame(2, greeting, { masked: false }), 1002],
    ["reserved bits", frame(2, greeting, { flags: 0xc0 }), 1002],
    ["a reserved opcode", frame(3, greeting), 1002],
    ["a reserved control", frame(11), 1002],
    ["a continuation of nothing", frame(0, greeting), 1002],
    ["a message within a message", Buffer.concat([frame(2, greeting.subarray(0, 5), { flags: 0 }), frame(2, greeting)]), 1002],
    ["a ping in pieces", frame(9, Buffer.from("a"), { flags: 0 }), 1002],
    ["a long ping", frame(9, Buffer.alloc(126)), 1002],
    ["a close of one byte", frame(8, Buffer.from([3])), 1002],
    ["a close with a code that nobody may send", frame(8, Buffer.from([3, 237])), 1002],
    ["text that is no UTF-8", frame(1, Buffer.from([4, 0, 0, 1, 0xff])), 1007],
    ["a length of 2^62", frame(2, Buffer.alloc(0), { length: Buffer.from([127, 0x40, 0, 0, 0, 0, 0, 0, 0]) }), 1009],
    ["a package that its frame cuts", frame(2, greeting.subarray(0, 10)), 1002],
    ["a package of no type", frame(2, Buffer.from([9, 0, 0, 0])), 1002],
    ["a kick", frame(2, encodePackage(packageType.kick)), 1002],
    ["a package over the limit", frame(2, Buffer.from([4, 2, 0, 0])), 1009],
];
const handshakes = [
    ["nothing", ""], ["no JSON", "{"], ["a list", "[]"], ["no sys", "{}"], ["a number as sys", '{"sys":1}'], ["a text as sys", '{"sys":"sys"}'],
    ["a list as sys", '{"sys":[{"type":"t"}]}'], ["null as sys", '{"sys":null}'], ["a zero byte behind", '{"sys":{}}\0'],
    ["two values", '{"sys":{}}{}'], ["deep nesting", `{"sys":{},"user":${"[".repeat(60)}${"]".repeat(60)}}`],
];
const messages = [
    ["an empty message", Buffer.alloc(0)], ["an id without end", Buffer.from([0, ...Array(12).fill(0xff)])],
    ["a type of none", Buffer.from([0x0e, 1, 1, 97])],
];
const raw = [
    ["a type of none", Buffer.from([9, 0, 0, 0])], ["a kick", encodePackage(packageType.kick)], ["zeros", Buffer.alloc(64)],
    ["a package over the limit", Buffer.from([1, 2, 0, 0])], ["TLS", Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 1, 0])],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], ["another protocol", "SSH-2.0-x\r\n"], ["noise", Buffer.from(Array.from({ length: 999 }, (_, i) => (i * 197 + 70) & 255))],
];

describe("beside people who chat", { concurrency: false }, () => {
    test("shapes of HTTP are answered with their status", async () => {
        for (const [what, bytes, status] of http) {
            assert.match((await answerTo(bytes)).toString(), new RegExp(`^HTTP/1\\.1 ${status} `), what);
        }
    });

    test("what breaks WebSocket is closed with its code", async () => {
        for (const [what, bytes, code] of violations) {
            assert.equal(closeCode(await answerTo([upgrade(), bytes])), code, what);
        }
    });

    test("faults of the handshake are answered 500", async () => {
        for (const [what, body] of handshakes) {
            const [answer, ...more] = new PackageReader().read(await answerTo(encodePackage(packageType.handshake, Buffer.from(body))));
            assert.equal(answer?.type, packageType.handshake, what);
            assert.deepEqual(JSON.parse(answer.body.toString()), { code: 500 }, what);
            assert.deepEqual(more, [], what);
        }
    });

    test("what is no package closes, and so does a malformed message of one who works", async () => {
        for (const [what, bytes] of raw) {
            assert.equal((await answerTo(bytes)).length, 0, what);
        }
        for (const [, bytes] of messages) {
            await answerTo([greeting, ack, encodePackage(packageType.data, bytes)]);
        }
    });

    test("who resets or leaves at any stage harms nobody", async () => {
        const id = 1;
        const route = "connector.entryHandler.enter";
        const request = Buffer.concat([Buffer.from([messageType.request << 1, id, route.length]), Buffer.from(route),
            Buffer.from('{"username":"ghost","rid":"elsewhere"}')]);
        const stages = [upgrade(), greeting, ack, encodePackage(packageType.data, request)];
        for (const port of [system.gatePort, people[0].port]) {
            for (let stage = 0; stage <= stages.length; ++stage) {
                for (const leave of ["resetAndDestroy", "destroy", "end"]) {
                    for (const cut of [0, 3]) {
                        const socket = connect({ port, host, noDelay: true });
                        socket.on("error", () => {});
                        await once(socket, "connect");
                        // Raw packages; the upgrade is the first stage of a page.
                        const parts = stage === 1 ? [stages[0]] : stages.slice(1, stage);
                        const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)));
                        socket.write(bytes.subarray(0, bytes.length - cut));
                        await sleep(1);
                        socket[leave]();
                        setTimeout(() => socket.destroy(), patienceMs).unref();
                    }
                }
            }
        }
    });

    test("they heard everything in order, waited for nothing, and nobody came or went", async () => {
        const longestMs = await talk();
        assert.ok(longestMs < patienceMs, `an answer took ${longestMs} ms`);
    });
});
