/** The nats-server and the proxy before it that other tests use: what is done to them is what clients of NATS see. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { NatsProxy } from "../lib/nats_proxy.mjs";
import { NatsServer, noNatsServer } from "../lib/nats_server.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";

endProcessAfter(60_000);

/** Says one thing to NATS and reads until an answer matches; false: the connection ended, or nothing came in time. */
function ask(port, words, answer, limitMs = 1_000) {
    return new Promise((resolve) => {
        const socket = connect(port, "127.0.0.1", () => socket.write(`CONNECT {"verbose":false,"pedantic":false}\r\n${words}`));
        const patience = setTimeout(() => socket.destroy(), limitMs);
        let text = "";
        socket.on("data", (bytes) => {
            text += bytes;
            if (answer.test(text)) {
                resolve(true);
                socket.destroy();
            }
        });
        socket.on("error", () => {});
        socket.on("close", () => {
            clearTimeout(patience);
            resolve(false);
        });
    });
}
const request = (subject, body) => `SUB back 1\r\nPUB ${subject} back ${Buffer.byteLength(body)}\r\n${body}\r\n`;
const isAlive = (port, limitMs) => ask(port, "PING\r\n", /PONG/, limitMs);
const keep = (port) => ask(port, request("$JS.API.STREAM.CREATE.kept", '{"name":"kept","subjects":["kept"],"storage":"file"}'), /"created":/);
const isKept = (port) => ask(port, request("$JS.API.STREAM.INFO.kept", ""), /"created":/);

describe("a nats-server of a test's own", { skip: noNatsServer() ?? false }, () => {
    let nats;
    before(async () => { nats = await NatsServer.start(); });
    after(() => nats.stop());

    test("stands still for a while and goes on", async () => {
        assert.equal(await isAlive(nats.port), true);
        await nats.stall();
        assert.equal(await isAlive(nats.port, 200), false);
        nats.goOn();
        assert.equal(await isAlive(nats.port), true);
    });

    test("comes back on its port with its store, or without it", async () => {
        const { port, pid } = nats;
        assert.equal(await keep(port), true);
        await nats.kill();
        assert.equal(await isAlive(port), false);
        await nats.begin();
        assert.deepEqual([nats.port, nats.pid === pid], [port, false]);
        assert.equal(await isKept(port), true);
        await nats.kill();
        await nats.loseStore();
        await nats.begin();
        assert.equal(nats.port, port);
        assert.equal(await isKept(port), false);
        assert.equal(await isAlive(port), true);
    });

    test("two at a time are two", async () => {
        const other = await NatsServer.start();
        try {
            assert.notEqual(other.port, nats.port);
            assert.equal(await keep(nats.port), true);
            assert.deepEqual([await isKept(nats.port), await isKept(other.port)], [true, false]);
        } finally {
            await other.stop();
        }
    });
});

/** A process that a proxy takes for that server, which pings NATS and says how long each answer took; `end` when the connection has. */
class Server {
    answers = [];
    #child;

    constructor(id, folder, port) {
        const program = `
            const socket = require("node:net").connect(${port}, "127.0.0.1");
            let sent;
            const ping = () => { sent = performance.now(); socket.write("PING\\r\\n"); };
            socket.on("data", (bytes) => { if (/PONG/.test(bytes)) { console.log(performance.now() - sent); setTimeout(ping, 10); } });
            socket.on("error", () => {});
            socket.on("close", () => console.log("end"));
            socket.write("CONNECT {}\\r\\n");
            ping();`;
        this.#child = spawn(process.execPath, ["-e", program, "--", "--id", id, "--run", folder], { stdio: ["ignore", "pipe", "inherit"] });
        this.#child.stdout.on("data", (bytes) => this.answers.push(...bytes.toString().trim().split("\n")));
    }

    stop() {
        this.#child.kill("SIGKILL");
    }
}

test("a proxy before it cuts and slows one server's connection, and no other", { skip: noNatsServer() ?? false }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "shaddock-proxy-"));
    const nats = await NatsServer.start();
    const proxy = await NatsProxy.before(nats.port, folder);
    const port = Number(new URL(proxy.url).port);
    const [one, other] = ["chat-server-1", "chat-server-2"].map((id) => new Server(id, folder, port));
    try {
        await until(() => one.answers.length > 3 && other.answers.length > 3, "both are answered");
        assert.deepEqual(["chat-server-1", "chat-server-2", "chat-server-3"].map((id) => proxy.carries(id)), [true, true, false]);
        proxy.slow("chat-server-1", 100);
        await until(() => Number(one.answers.at(-1)) > 190, "the slow one's answers take 200 ms");
        assert.ok(Number(other.answers.at(-1)) < 90, `the other's take ${other.answers.at(-1)} ms`);
        proxy.mend("chat-server-1");
        await until(() => Number(one.answers.at(-1)) < 90, "it is as fast as before");
        proxy.cut("chat-server-1");
        await until(() => one.answers.at(-1) === "end", "its connection ends");
        const count = other.answers.length;
        await until(() => other.answers.length > count + 3, "the other's goes on");
        const again = new Server("chat-server-1", folder, port);
        await until(() => again.answers.at(-1) === "end", "it does not get through while it is cut");
        proxy.mend("chat-server-1");
        const third = new Server("chat-server-1", folder, port);
        await until(() => third.answers.length > 3, "then it does");
        third.stop();
    } finally {
        one.stop();
        other.stop();
        await proxy.close();
        await nats.stop();
        await rm(folder, { recursive: true });
    }
});
