/** TLS of our own on the clients' port: wss and TLS over raw TCP, other makers' clients, a browser, and a certificate that changes. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { cp, mkdtemp, open, readFile, rename, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import WebSocket from "ws";
import { startSystem } from "../lib/system.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";
import { JsClient } from "./adapters/jsclient.mjs";
import { Shaddock } from "./adapters/shaddock.mjs";
import { Tcp } from "./adapters/tcp.mjs";
import { encodePackage, packageType } from "./adapters/wire.mjs";
import { Person, chat } from "./script.mjs";
import { configure } from "./suite.mjs";

endProcessAfter(110_000);

const run = promisify(execFile);
const host = "127.0.0.1";
const form = { dict: [], protobuf: [] };
const limitMs = 10_000;

let folder;
let system;
/** Certificates by file; each is its own root. */
let ca;

async function makeCertificate(name) {
    await run("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", join(folder, `${name}.key`),
        "-out", join(folder, `${name}.pem`)]);
    return readFile(join(folder, `${name}.pem`), "utf8");
}

/** The page's WebSocket, which trusts this system. */
class TrustingSocket extends WebSocket {
    constructor(url) {
        super(url, { ca });
    }
}
class SecureShaddock extends Shaddock {
    static kind = "shaddock.js over wss";
    url(at, port) {
        return `wss://${at}:${port}`;
    }
    async options() {
        return { WebSocket: TrustingSocket };
    }
}
/** Its `ws://` is written in the package: it is wrapped from outside. */
class SecureJsClient extends JsClient {
    static kind = "pomelo-jsclient-websocket over wss";
    dial(url) {
        return [url.replace(/^ws:/, "wss:"), { ca }];
    }
}
/** As libpomelo2 does: TLS over raw TCP, 1.2, and it names no server. */
class SecureTcp extends Tcp {
    static kind = "raw TLS 1.2 without a server name";
    dial(at, port) {
        const socket = connectTls({ host: at, port, ca, maxVersion: "TLSv1.2", servername: "", checkServerIdentity: () => undefined });
        socket.setNoDelay(true);
        return socket;
    }
}

before(async () => {
    folder = await mkdtemp(join(tmpdir(), "shaddock-tls-"));
    ca = await makeCertificate("first");
    const tls = { tls_certificate: "chat.pem", tls_key: "chat.key" };
    system = await startSystem({
        edit: async (config) => {
            await configure(config, { gate: tls, connector: { heartbeat: "1 s", ...tls } });
            await cp(join(folder, "first.pem"), join(config, "chat.pem"));
            await cp(join(folder, "first.key"), join(config, "chat.key"));
        },
    }).catch(async (error) => {
        await rm(folder, { recursive: true });
        throw error;
    });
}, { timeout: 60_000 });

after(async () => {
    await system?.stop();
    await rm(folder, { recursive: true, force: true });
}, { timeout: 30_000 });

/** @returns {Promise<import("node:tls").TLSSocket>} after the handshake */
async function dial(options = {}) {
    const socket = connectTls({ host, port: system.gatePort, ca, ...options });
    socket.on("error", () => {});
    await Promise.race([once(socket, "secureConnect"), once(socket, "error").then(([error]) => { throw error; })]);
    return socket;
}

describe("TLS of the clients' port", { concurrency: false }, () => {
    for (const [index, Kind] of [SecureShaddock, SecureJsClient, SecureTcp].entries()) {
        test(`three of ${Kind.kind}`, async () => {
            await chat({ gatePort: system.gatePort, Clients: [Kind, Kind, Kind], room: `tls${index}`, form });
        });
    }

    test("a browser chats through wss", async () => {
        const browser = await chromium.launch({
            executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
            args: ["--no-sandbox", "--disable-gpu", "--ignore-certificate-errors", "--no-first-run", "--disable-background-networking"],
        });
        try {
            const page = await browser.newPage();
            await page.goto(system.url);
            const told = await page.evaluate(async (gateUrl) => {
                const { Chat } = await import("/client/chat.js");
                const person = new Chat({ gateUrl });
                const members = await person.login("ann", "browser");
                const heard = new Promise((resolve) => { person.on("message", resolve); });
                await person.send("hello", "*");
                const message = await heard;
                person.leave();
                return { members, message };
            }, `wss://${host}:${system.gatePort}`);
            assert.deepEqual(told.members, ["ann"]);
            assert.equal(told.message.text, "hello");
        } finally {
            await browser.close();
        }
    });

    test("openssl s_client agrees on 1.2 and on 1.3, trusts the chain, and gets its handshake answered", async () => {
        for (const version of ["-tls1_2", "-tls1_3"]) {
            const client = spawn("openssl", ["s_client", "-quiet", version, "-CAfile", join(folder, "first.pem"), "-verify_return_error",
                "-connect", `${host}:${system.gatePort}`], { stdio: ["pipe", "pipe", "ignore"] });
            client.stdin.write(Buffer.from(encodePackage(packageType.handshake, Buffer.from('{"sys":{"type":"s","version":"1"}}'))));
            const [answer] = await once(client.stdout, "data");
            assert.equal(answer[0], packageType.handshake);
            assert.match(answer.subarray(4).toString(), /"code":200/);
            client.kill();
        }
    });

    test("1.1 is refused, and so is who speaks plainly; a plain WebSocket is told to use wss", async () => {
        await assert.rejects(dial({ minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }));
        const plain = connect(system.gatePort, host);
        plain.write(Buffer.from(encodePackage(packageType.handshake, Buffer.from("{}"))));
        plain.on("error", () => {});
        plain.resume();
        await once(plain, "close");
        const refused = new WebSocket(`ws://${host}:${system.gatePort}`);
        const [, response] = await Promise.race([once(refused, "unexpected-response"), once(refused, "error").then(([error]) => { throw error; })]);
        assert.equal(response.statusCode, 400);
        assert.match((await response.toArray()).join(""), /wss:\/\//);
    });

    test("sessions are resumed, also after the certificate has changed; who is connected stays", async () => {
        const person = new Person("stays", SecureTcp, form);
        await person.login(system.gatePort);
        await person.enter("kept");
        const first = await dial({ maxVersion: "TLSv1.2" });
        const session = first.getSession();
        first.destroy();
        const before13 = await dial();
        const [session13] = await once(before13, "session");
        before13.destroy();

        const second = await makeCertificate("second");
        const config = join(system.folder, "config");
        for (const kind of ["key", "pem"]) {
            await cp(join(folder, `second.${kind}`), join(config, `new.${kind}`));
            await rename(join(config, `new.${kind}`), join(config, `chat.${kind}`));
        }
        const serial = new X509Certificate(second).serialNumber;
        await until(async () => {
            const socket = await dial({ rejectUnauthorized: false });
            const now = socket.getPeerCertificate().serialNumber;
            socket.destroy();
            return now === serial;
        }, "the new certificate", limitMs);
        for (const resumed of [{ maxVersion: "TLSv1.2", session }, { session: session13 }]) {
            const socket = await dial(resumed);
            assert.ok(socket.isSessionReused());
            socket.destroy();
        }
        assert.deepEqual(await person.say("still here", "*"), {});
        person.leave();

        await cp(join(folder, "first.key"), join(config, "chat.key"));
        const log = join(system.folder, "logs/gate-server-1.log");
        await until(async () => /chat\.key: .*the certificate before it stays in use/.test(await readFile(log, "utf8")), "the complaint", limitMs);
        ca = second;
        (await dial()).destroy();
    });

    test("SIGHUP reads a certificate again whose writer has not closed it, and disconnects nobody", async () => {
        const person = new Person("here", SecureTcp, form);
        await person.login(system.gatePort);
        await person.enter("hung up");
        const serialNow = async () => {
            const socket = await dial({ rejectUnauthorized: false });
            const { serialNumber } = socket.getPeerCertificate();
            socket.destroy();
            return serialNumber;
        };
        const before = await serialNow();
        const third = await makeCertificate("third");
        const files = [];
        try {
            for (const kind of ["key", "pem"]) { // no watch of names sees this
                const file = await open(join(system.folder, `config/chat.${kind}`), "r+");
                files.push(file);
                await file.truncate();
                await file.write(await readFile(join(folder, `third.${kind}`)));
            }
            await sleep(300);
            assert.equal(await serialNow(), before);
            process.kill(system.pid, "SIGHUP");
            const wanted = new X509Certificate(third).serialNumber;
            await until(async () => await serialNow() === wanted, "the certificate is read", limitMs);
            assert.deepEqual(await person.say("still here", "*"), {});
        } finally {
            await Promise.all(files.map((file) => file.close()));
            person.leave();
        }
        ca = third;
    });

    test("what is no TLS after its first byte is closed, half a handshake harms nobody", async () => {
        const silent = connect(system.gatePort, host);
        const half = connect(system.gatePort, host);
        half.write(Buffer.from([22, 3, 1, 2, 0, 1, 0]));
        const broken = connect(system.gatePort, host);
        broken.write(Buffer.from([22, 3, 1, 0, 5, 104, 101, 108, 108, 111]));
        broken.resume();
        await once(broken, "close");
        const person = new Person("ann", SecureShaddock, form);
        await person.login(system.gatePort);
        assert.deepEqual(await person.enter("beside"), ["ann"]);
        person.leave();
        silent.destroy();
        half.destroy();
    });
});
