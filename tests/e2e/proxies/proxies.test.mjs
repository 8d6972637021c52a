/** nginx and HAProxy before gate and connectors, with the very configurations of docs/operations.md. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { promisify } from "node:util";
import WebSocket from "ws";
import { JsClient } from "../clients/adapters/jsclient.mjs";
import { Shaddock } from "../clients/adapters/shaddock.mjs";
import { Tcp } from "../clients/adapters/tcp.mjs";
import { PackageReader, encodePackage, packageType } from "../clients/adapters/wire.mjs";
import { chat } from "../clients/script.mjs";
import { configure } from "../clients/suite.mjs";
import { claimPorts, startSystem } from "../lib/system.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";

endProcessAfter(110_000);

const run = promisify(execFile);
const host = "127.0.0.1";
const limitMs = 10_000;
const form = { dict: [], protobuf: [] };
/** As they stand in the docs; the gate first. */
const publicPorts = [4430, 4431, 4432, 4433];
const clientPorts = [3014, 3050, 3051, 3052];
const path = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

let folder;
let ca;
const docs = await readFile(new URL("../../../docs/operations.md", import.meta.url), "utf8");

class SecureShaddock extends Shaddock {
    static kind = "shaddock.js over wss";
    url(at, port) {
        return `wss://${at}:${port}`;
    }
    async options() {
        return { WebSocket: class extends WebSocket { constructor(url) { super(url, { ca }); } } };
    }
}
class SecureJsClient extends JsClient {
    static kind = "pomelo-jsclient-websocket over wss";
    dial(url) {
        return [url.replace(/^ws:/, "wss:"), { ca }];
    }
}
class SecureTcp extends Tcp {
    static kind = "raw TCP over TLS";
    dial(at, port) {
        const socket = connectTls({ host: at, port, ca, servername: "" });
        socket.setNoDelay(true);
        return socket;
    }
}

before(async () => {
    folder = await mkdtemp(join(tmpdir(), "shaddock-proxies-"));
    await run("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", "/CN=chat", "-addext", `subjectAltName=IP:${host}`, "-keyout", join(folder, "chat.key"), "-out", join(folder, "chat.pem")]);
    ca = await readFile(join(folder, "chat.pem"), "utf8");
    await writeFile(join(folder, "both.pem"), ca + await readFile(join(folder, "chat.key"), "utf8"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** The block of the docs, with our ports and files. */
function configurationOf(kind, outer, inner) {
    const block = docs.match(new RegExp(`^\`\`\`${kind}\n([^]*?)^\`\`\``, "m"));
    assert.ok(block, `docs/operations.md has a block of ${kind}`);
    let text = block[1].replace("/etc/ssl/chat.key", join(folder, "chat.key"))
        .replaceAll("/etc/ssl/chat.pem", join(folder, kind === "haproxy" ? "both.pem" : "chat.pem"));
    const moved = new Map([...publicPorts.map((port, i) => [port, outer[i]]), ...clientPorts.map((port, i) => [port, inner[i]])]);
    text = text.replace(/\d{4}/g, (digits) => moved.get(Number(digits)) ?? digits);
    return text;
}

/** nginx with the block within what Debian's nginx.conf has around it. */
async function startNginx(kind, outer, inner) {
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join("\n");
    const block = configurationOf(kind, outer, inner);
    const file = join(folder, `${kind}.conf`);
    await writeFile(file, `daemon off;\nmaster_process off;\npid ${folder}/${kind}.pid;\nerror_log stderr;\n${kind === "nginx-stream"
        ? `load_module /usr/lib/nginx/modules/ngx_stream_module.so;\nevents {}\n${block}`
        : `events {}\nhttp {\naccess_log off;\n${temporary}\n${block}}\n`}`);
    return startProxy("nginx", ["-p", folder, "-c", file, "-e", "stderr"], outer);
}

async function startHaproxy(outer, inner) {
    const file = join(folder, "haproxy.cfg");
    await writeFile(file, configurationOf("haproxy", outer, inner));
    return startProxy("haproxy", ["-db", "-f", file], outer);
}

async function startProxy(program, options, ports) {
    const child = spawn(program, options, { env: path, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    child.stdout.on("data", (bytes) => { said += bytes; });
    child.stderr.on("data", (bytes) => { said += bytes; });
    let end = null;
    child.once("error", (error) => { end = error.message; });
    child.once("exit", (code) => { end ??= `ended with ${code}`; });
    const isUp = async () => {
        assert.equal(end, null, `${program}: ${end}; it said:\n${said}`);
        const tries = await Promise.all(ports.map((port) => new Promise((resolve) => {
            const socket = connect(port, host, () => { socket.destroy(); resolve(true); });
            socket.on("error", () => resolve(false));
        })));
        return tries.every(Boolean);
    };
    await until(isUp, `${program} listens`, limitMs);
    return async () => {
        if (end === null) {
            child.kill("SIGKILL");
            await once(child, "exit");
        }
    };
}

/** A system whose frontends are told as `outer`. */
async function startBehind(outer, connector) {
    let inner;
    const system = await startSystem({
        edit: async (config) => {
            await configure(config, { gate: connector, connector: { heartbeat: "1 s", ...connector } });
            const file = join(config, "servers.json");
            const servers = JSON.parse(await readFile(file, "utf8"));
            for (const types of Object.values(servers)) {
                for (const [index, record] of [...types.gate, ...types.connector].entries()) {
                    Object.assign(record, { clientHost: host, publicPort: outer[index] });
                }
            }
            await writeFile(file, JSON.stringify(servers));
            const yaml = join(config, "host.yaml");
            await writeFile(yaml, (await readFile(yaml, "utf8")).replace("  level: info", "  level: debug"));
        },
    });
    const servers = JSON.parse(await readFile(join(system.folder, "config/servers.json"), "utf8"));
    const types = Object.values(servers)[0];
    inner = [...types.gate, ...types.connector].map((record) => record.clientPort);
    return { system, inner, log: (id) => readFile(join(system.folder, `logs/${id}.log`), "utf8") };
}

const gateLog = "gate-server-1";
const cameFrom = (address) => new RegExp(`session \\d+ is connection \\d+ of ${address.replaceAll(".", "\\.")}\\b`);

/** Shakes hands in raw packages. @returns {Promise<number>} the answer's code; 0: closed */
async function greet(socket, first = Buffer.alloc(0)) {
    socket.on("error", () => {});
    const reader = new PackageReader();
    socket.write(Buffer.concat([first, Buffer.from(encodePackage(packageType.handshake, Buffer.from('{"sys":{"type":"t","version":"1"}}')))]));
    try {
        return await new Promise((resolve) => {
            socket.on("close", () => resolve(0));
            socket.on("data", (bytes) => {
                for (const { body } of reader.read(bytes)) {
                    socket.write(Buffer.from(encodePackage(packageType.ack)));
                    resolve(JSON.parse(Buffer.from(body).toString()).code);
                }
            });
        });
    } catch {
        return 0;
    }
}

describe("behind nginx, where wss ends", { concurrency: false }, () => {
    let claimed;
    let outer;
    let behind;
    let stop;
    before(async () => {
        claimed = await claimPorts(publicPorts.length);
        outer = claimed.ports;
        behind = await startBehind(outer, { trusted_proxies: "[127.0.0.1]", connections_per_address: 3 });
        stop = await startNginx("nginx", outer, behind.inner);
    }, { timeout: 60_000 });
    after(async () => {
        await stop?.();
        await behind?.system.stop();
        claimed?.release();
    });

    for (const [index, Kind] of [SecureShaddock, SecureJsClient].entries()) {
        test(`three of ${Kind.kind}`, async () => {
            await chat({ gatePort: outer[0], Clients: [Kind, Kind, Kind], room: `nginx${index}`, form });
        });
    }

    test("each client counts by its own address, whatever it says itself, and stands in the log with it", async () => {
        const sockets = [];
        const open = async (address, headers = {}) => {
            const socket = new WebSocket(`wss://${host}:${outer[0]}`, { ca, localAddress: address, headers });
            sockets.push(socket);
            const ends = [once(socket, "open").then(() => 101), once(socket, "unexpected-response").then(([, answer]) => answer.statusCode)];
            socket.on("error", () => {});
            const status = await Promise.race(ends);
            if (status === 101) {
                socket.send(encodePackage(packageType.handshake, Buffer.from('{"sys":{"type":"t","version":"1"}}')));
                socket.send(encodePackage(packageType.ack));
            }
            return status;
        };
        for (let i = 0; i < 3; ++i) {
            assert.equal(await open("127.0.0.5", { "X-Forwarded-For": `198.51.100.${i}` }), 101);
        }
        assert.equal(await open("127.0.0.5", { "X-Forwarded-For": "198.51.100.9" }), 503);
        assert.equal(await open("127.0.0.6"), 101);
        await until(async () => cameFrom("127.0.0.6").test(await behind.log(gateLog)), "the session in the log", limitMs);
        const log = await behind.log(gateLog);
        assert.match(log, cameFrom("127.0.0.5"));
        assert.match(log, /address_limit: 1 since the last line of this kind, the last of them 127\.0\.0\.5/);
        sockets.forEach((socket) => socket.terminate());
    });

    test("a network that is written to deny.txt is turned away at once, and comes back when it is taken out", async () => {
        const file = join(behind.system.folder, "config/deny.txt");
        const status = () => new Promise((resolve) => {
            const socket = new WebSocket(`wss://${host}:${outer[0]}`, { ca, localAddress: "127.0.0.64" });
            socket.on("open", () => { socket.terminate(); resolve(101); });
            socket.on("unexpected-response", (request, answer) => { request.destroy(); resolve(answer.statusCode); });
            socket.on("error", () => {});
        });
        assert.equal(await status(), 101);
        await writeFile(file, "127.0.0.64/26 # since this test\n");
        await until(async () => await status() === 403, "the refusal", limitMs);
        await writeFile(file, "");
        await until(async () => await status() === 101, "the return", limitMs);
    });
});

describe("behind HAProxy and nginx that speak the PROXY protocol", { concurrency: false }, () => {
    let claimed;
    let outer;
    let plain;
    let behind;
    const stops = [];
    before(async () => {
        claimed = await claimPorts(2 * publicPorts.length);
        outer = claimed.ports.slice(0, publicPorts.length);
        plain = claimed.ports.slice(publicPorts.length);
        behind = await startBehind(outer, { trusted_proxies: "[127.0.0.1]", proxy_protocol: true, connections_per_address: 3 });
        stops.push(await startHaproxy(outer, behind.inner));
        stops.push(await startNginx("nginx-stream", plain, behind.inner));
    }, { timeout: 60_000 });
    after(async () => {
        await Promise.all(stops.map((stop) => stop()));
        await behind?.system.stop();
        claimed?.release();
    });

    for (const [index, Kind] of [SecureShaddock, SecureTcp].entries()) {
        test(`three of ${Kind.kind}`, async () => {
            await chat({ gatePort: outer[0], Clients: [Kind, Kind, Kind], room: `haproxy${index}`, form });
        });
    }

    test("nginx passes raw TCP on with the client's address, which counts", async () => {
        const sockets = Array.from({ length: 4 }, () => connect({ port: plain[0], host, localAddress: "127.0.0.7" }));
        const codes = [];
        for (const socket of sockets) {
            codes.push(await greet(socket));
        }
        assert.deepEqual(codes, [200, 200, 200, 500]);
        await until(async () => cameFrom("127.0.0.7").test(await behind.log(gateLog)), "the session in the log", limitMs);
        sockets.forEach((socket) => socket.destroy());
    });

    test("who comes without a header, or brings one from elsewhere, is closed", async () => {
        assert.equal(await greet(connect(behind.inner[0], host)), 0);
        const lie = Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 1000 443\r\n");
        assert.equal(await greet(connect({ port: behind.inner[0], host, localAddress: "127.0.0.8" }), lie), 0);
        assert.equal(await greet(connect(behind.inner[0], host), lie), 200);
        await until(async () => cameFrom("192.0.2.1").test(await behind.log(gateLog)), "the session in the log", limitMs);
    });
});
