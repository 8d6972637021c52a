#!/usr/bin/env node
/**
 * What TLS costs a frontend: processor time of the gate per request (one at a time, and 16 in flight), per handshake (full and
 * resumed), memory of an idle connection, and what a crowd of handshakes does to those who are connected. Plain and TLS take
 * turns on the same port of the same process. Needs `npm ci` in tests/e2e.
 *
 *   bench/tls.mjs [--host BIN] [--rounds N] [--seconds S]     default: build/release/bin/host, 5 rounds of 2 s
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";

import { PackageReader, encodePackage, packageType } from "../tests/e2e/clients/adapters/wire.mjs";
import { configure } from "../tests/e2e/clients/suite.mjs";
import { startSystem } from "../tests/e2e/lib/system.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const run = promisify(execFile);
const { values: options } = parseArgs({
    options: {
        host: { type: "string", default: join(root, "build/release/bin/host") },
        rounds: { type: "string", default: "5" },
        seconds: { type: "string", default: "2" },
    },
});
const rounds = Number(options.rounds);
const spanMs = 1000 * Number(options.seconds);
const at = "127.0.0.1";
const idle = 500;
const handshakesPerSecond = 200;

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const quantile = (numbers, part) => numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) * part)];

const folder = await mkdtemp(join(tmpdir(), "shaddock-tls-"));
const key = join(folder, "key.pem");
const certificate = join(folder, "cert.pem");
await run("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=bench",
    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]);
const ca = await readFile(certificate);
const system = await startSystem({
    host: options.host,
    edit: (config) => configure(config, { gate: { tls_certificate: certificate, tls_key: key, tls_only: false, handshake_rate: 0, message_rate: 0, byte_rate: 0 } }),
});
const port = system.gatePort;
const gate = await pidOf("gate-server-1");

async function pidOf(id) {
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
        const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
        if (line.includes(`\0${id}\0`) && line.includes(system.folder)) {
            return Number(pid);
        }
    }
    throw new Error(`no process of ${id}`);
}
/** Seconds of processor time, in steps of 10 ms. */
async function cpu() {
    const fields = (await readFile(`/proc/${gate}/stat`, "utf8")).split(") ")[1].split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
}
async function memoryKib() {
    return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${gate}/status`, "utf8"))[1]);
}

async function dial(isSecure, more = {}) {
    const socket = isSecure ? connectTls({ host: at, port, ca, ...more }) : connect({ host: at, port });
    socket.setNoDelay(true);
    await once(socket, isSecure ? "secureConnect" : "connect");
    return socket;
}

/** A Pomelo client over raw packages that answers nothing but counts answers. */
class Asker {
    #socket;
    #reader = new PackageReader();
    #waiting = [];
    static async open(isSecure) {
        const one = new Asker();
        one.#socket = await dial(isSecure);
        one.#socket.on("data", (bytes) => {
            for (const { type } of one.#reader.read(bytes)) {
                if (type === packageType.data || type === packageType.handshake) {
                    one.#waiting.shift()?.();
                }
            }
        });
        await one.#say(packageType.handshake, Buffer.from('{"sys":{"type":"bench","version":"1"}}'));
        one.#socket.write(encodePackage(packageType.handshakeAck ?? packageType.ack, Buffer.alloc(0)));
        return one;
    }
    #say(type, body) {
        return new Promise((resolve) => {
            this.#waiting.push(resolve);
            this.#socket.write(encodePackage(type, body));
        });
    }
    ask(count = 1) {
        const route = "gate.gateHandler.queryEntry";
        const body = Buffer.concat([Buffer.from([0, 1, route.length]), Buffer.from(route), Buffer.from('{"uid":"ann"}')]);
        const one = encodePackage(packageType.data, body);
        const answers = Array.from({ length: count }, () => new Promise((resolve) => this.#waiting.push(resolve)));
        this.#socket.write(Buffer.concat(Array.from({ length: count }, () => one)));
        return Promise.all(answers);
    }
    close() {
        this.#socket.destroy();
    }
}

/** @returns {Promise<number>} microseconds of the gate's processor time per step of `work`, which answers how many it did */
async function cost(work) {
    const before = await cpu();
    const end = performance.now() + spanMs;
    let done = 0;
    while (performance.now() < end) {
        done += await work();
    }
    return 1e6 * (await cpu() - before) / done;
}

async function requests(isSecure, inFlight) {
    const asker = await Asker.open(isSecure);
    const us = await cost(async () => {
        await asker.ask(inFlight);
        return inFlight;
    });
    asker.close();
    return us;
}
async function connections(isSecure, session) {
    return cost(async () => {
        const sockets = await Promise.all(Array.from({ length: 4 }, () => dial(isSecure, { session: session?.() })));
        sockets.forEach((socket) => socket.destroy());
        return sockets.length;
    });
}
async function memoryOfIdle(isSecure) {
    const before = await memoryKib();
    const all = [];
    for (let i = 0; i < idle; ++i) {
        all.push(await Asker.open(isSecure));
    }
    const kib = (await memoryKib() - before) / idle;
    all.forEach((one) => one.close());
    await sleep(200);
    return kib;
}

/** p50 and p99, in ms, of somebody who asks every 5 ms, while full handshakes come at the rate, if any. */
async function beside(rate) {
    const asker = await Asker.open(false);
    const end = performance.now() + spanMs;
    let isOver = false;
    const crowd = (async () => {
        const start = performance.now();
        for (let made = 0; !isOver && rate > 0; ++made) {
            await sleep(Math.max(0, start + made * 1000 / rate - performance.now()));
            dial(true).then((socket) => socket.destroy(), () => {});
        }
    })();
    const took = [];
    while (performance.now() < end) {
        const begun = performance.now();
        await asker.ask();
        took.push(performance.now() - begun);
        await sleep(5);
    }
    isOver = true;
    await crowd;
    asker.close();
    return { p50: quantile(took, 0.5), p99: quantile(took, 0.99) };
}

const first = await dial(true);
const [ticket] = await once(first, "session");
first.destroy();

const rows = {
    "request, one at a time, us": [() => requests(false, 1), () => requests(true, 1)],
    "request, 16 in flight, us": [() => requests(false, 16), () => requests(true, 16)],
    "connection (TLS: full handshake), us": [() => connections(false), () => connections(true)],
    "connection (TLS: resumed), us": [() => connections(false), () => connections(true, () => ticket)],
};
console.log(`# ${cpus()[0].model}, ${cpus().length} cores; P-256; medians of ${rounds} rounds of ${spanMs} ms; the gate's processor time`);
console.log(`${"".padEnd(40)}${"plain".padStart(10)}${"TLS".padStart(10)}${"ratio".padStart(8)}`);
for (const [name, [plain, secure]] of Object.entries(rows)) {
    const found = { plain: [], secure: [] };
    for (let round = 0; round < rounds; ++round) {
        found.plain.push(await plain());
        found.secure.push(await secure());
    }
    const [a, b] = [median(found.plain), median(found.secure)];
    console.log(`${name.padEnd(40)}${a.toFixed(1).padStart(10)}${b.toFixed(1).padStart(10)}${(b / a).toFixed(2).padStart(8)}`);
}
const kib = [await memoryOfIdle(false), await memoryOfIdle(true)];
console.log(`${"memory of an idle connection, KiB".padEnd(40)}${kib.map((one) => one.toFixed(1).padStart(10)).join("")}`);
console.log(`# somebody asks every 5 ms, beside ${handshakesPerSecond} full handshakes/s; ms`);
for (const rate of [0, handshakesPerSecond, 0, handshakesPerSecond]) {
    const { p50, p99 } = await beside(rate);
    console.log(`${`${rate} handshakes/s`.padEnd(40)}${`p50 ${p50.toFixed(2)}`.padStart(10)}${`p99 ${p99.toFixed(2)}`.padStart(12)}`);
}
await system.stop();
await rm(folder, { recursive: true });
process.exit(0);
