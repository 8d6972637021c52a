/**
 * Broken clients one after the other, against real processes: a healthy chat beside them notices nothing.
 * The forms of HTTP and WebSocket stand in tests/unit/net and tests/unit/protocol.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import { startHealthyChat } from "../lib/healthy_chat.mjs";
import { RawClient, ack, handshake, pack, packageType, request } from "../lib/raw_client.mjs";
import { startSystem } from "../lib/system.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";

endProcessAfter(110_000);

const { data, kick } = packageType;
const forms = ["tcp", "ws"];
const failed = '{"code":500}';
/** Nobody may wait longer for an answer; far above what is usual, because the machine of a test is busy. */
const slowestAllowedMs = 1_000;

let system;
let ports;
let chat;
let pids;

/** @returns {Promise<Map<string, number>>} pids by id */
async function runningServers() {
    const host = process.env.SHADDOCK_HOST_BIN;
    const { stdout } = await promisify(execFile)(host, ["list", "--json", "--run", join(system.folder, "run")]);
    return new Map(JSON.parse(stdout).map(({ id, pid }) => [id, pid]));
}

before(async () => {
    system = await startSystem({
        edit: async (config) => {
            const protos = '{"connector.entryHandler.move":{"required double x":1,"required string name":2}}';
            await writeFile(join(config, "clientProtos.json"), protos);
        },
    });
    const servers = JSON.parse(await readFile(join(system.folder, "config/servers.json"), "utf8")).development;
    const master = JSON.parse(await readFile(join(system.folder, "config/master.json"), "utf8")).development;
    ports = {
        gate: servers.gate[0].clientPort,
        connectors: servers.connector.map(({ clientPort }) => clientPort),
        master: master.port,
        web: Number(new URL(system.url).port),
    };
    pids = await runningServers();
});
after(() => system?.stop());

beforeEach(async () => { chat = await startHealthyChat(system.gatePort); });
afterEach(async () => {
    const { sent, slowestMs } = await chat.stop();
    assert.ok(sent > 0);
    assert.ok(slowestMs < slowestAllowedMs, `an answer took ${slowestMs} ms`);
    assert.deepEqual(await runningServers(), pids, "the same processes");
});

/** Does `what` over both framings, at a connector. */
async function overBoth(what) {
    for (const form of forms) {
        await what(ports.connectors[0], form);
    }
}

test("handshakes that are none are answered 500 and closed", async () => {
    const bodies = ["", "{", "null", "[]", "1", "{}", '{"sys":null}', '{"sys":1}', '{"sys":"x"}', '{"sys":[]}', '{"sys":[{}]}',
        '{"sys":true}', '{"sys":{}}\0', '{"sys":{},}', `{"sys":{},"user":${"[".repeat(100)}${"]".repeat(100)}}`,
        "{".repeat(60_000), "\xef\xbb\xbf{}", Buffer.alloc(300, 0xff)];
    await overBoth(async (port, form) => {
        for (const body of bodies) {
            const client = await RawClient.open(port, form);
            client.send(pack(packageType.handshake, body));
            await client.closed();
            assert.deepEqual(client.packages, [[packageType.handshake, failed]], String(body).slice(0, 40));
        }
    });
});

test("packages out of turn are passed over, and then all goes well", async () => {
    await overBoth(async (port, form) => {
        const client = await RawClient.open(port, form);
        client.send(ack, pack(packageType.heartbeat), request("a.b.c", "{}"), handshake, handshake);
        await client.until(() => client.has(packageType.handshake, '"code":200'), "handshake");
        client.send(request("a.b.c", "{}"), ack, ack, handshake, request("a.b.c", "{}", 2));
        await client.until(() => client.has(data), "answer");
        const answers = client.packages.filter(([type]) => type === data);
        assert.deepEqual(answers, [[data, `\x04\x02${failed}`]], "only what came behind the ack is read");
        client.end();
    });
});

test("lengths and types that cannot be close the connection", async () => {
    const heads = [[0, 0, 0, 0], [6, 0, 0, 0], [255, 0, 0, 0], [5, 0, 0, 0], [4, 255, 255, 255], [4, 1, 0, 1], [1, 255, 255, 255]];
    await overBoth(async (port, form) => {
        for (const head of heads) {
            const client = await RawClient.ready(port, form);
            client.send(Buffer.from(head));
            await client.closed();
        }
    });
    const cut = await RawClient.ready(ports.connectors[0], "ws");
    cut.send(request("a.b.c", "{}").subarray(0, 9));
    await cut.closed();
});

test("malformed messages close, what is not a client's to send is dropped", async () => {
    const malformed = [[], [8], [10], [12, 1, 1, 97], [14], [0, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 97],
        [0, 0x80, 0x80, 0x80, 0x80, 0x10, 1, 97], [0, 0x80], [0, 1], [0, 1, 200, 97, 98], [1, 1, 0], [2, 9, 97], [3, 0]];
    await overBoth(async (port, form) => {
        for (const message of malformed) {
            const client = await RawClient.ready(port, form);
            client.send(pack(data, Buffer.from(message)));
            await client.closed();
        }
        const client = await RawClient.ready(port, form);
        client.send(pack(data, Buffer.from([4, 1, 123, 125])), pack(data, Buffer.from([6, 1, 97])), request("a.b.c", "{}", 9));
        await client.until(() => client.has(data), "answer");
        assert.deepEqual(client.packages.at(-1), [data, `\x04\x09${failed}`]);
        client.end();
    });
});

test("a body in the dialect that cannot be read is answered, and said at warn once", async () => {
    // What the npm browser client makes of {x: 1, name: "bobbob"} in a buffer that is too short.
    const clipped = Buffer.from("090000000000000840120662", "hex");
    await overBoth(async (port, form) => {
        const client = await RawClient.ready(port, form);
        for (const id of [1, 2, 3]) {
            client.send(request("connector.entryHandler.move", clipped, id));
            await client.until(() => client.has(data, `\x04${String.fromCharCode(id)}${failed}`), "answer");
        }
        client.send(request("a.b.c", "{}", 4));
        await client.until(() => client.has(data, `\x04\x04${failed}`), "answer to the next one");
        client.end();
    });
    const log = await readFile(join(system.folder, "logs/connector-server-1.log"), "utf8");
    assert.equal(log.match(/warn.*'connector\.entryHandler\.move' of connection \d+ .*: malformed protobuf: /g)?.length, 1, log);
});

test("routes, bodies and names that nobody serves are answered 500", async () => {
    const enter = (username, rid) => ["connector.entryHandler.enter", JSON.stringify({ username, rid })];
    const asked = [["", "{}"], ["a", "{}"], ["a.b", "{}"], ["a.b.c.d", "{}"], ["..", "{}"], ["a..b", "{}"], ["chat.chatHandler.nope", "{}"],
        ["nobody.is.there", "{}"], ["__proto__.constructor.x", "{}"], ["master.a.b", "{}"], ["x".repeat(255), "{}"],
        ["connector.entryHandler.\0", "{}"], ["connector.entryHandler.enter", ""], ["connector.entryHandler.enter", "{"],
        ["connector.entryHandler.enter", Buffer.alloc(100, 0xff)], ["connector.entryHandler.enter", "[".repeat(60_000)],
        ["chat.chatHandler.send", '{"content":"x","target":"*"}'], enter("a\u0085b", "r"), enter("a\u202eb", "r"),
        enter("ann", "a\u2028b"), enter("ann", "\u2066a"), enter("张".repeat(65), "r"), enter("a*b", "r"), enter("", "r")];
    await overBoth(async (port, form) => {
        const client = await RawClient.ready(port, form);
        for (const [at, [route, body]] of asked.entries()) {
            client.send(request(route, body, at + 1));
            await client.until(() => client.has(data, `\x04${String.fromCharCode(at + 1)}`), `answer to ${route}`);
            assert.ok(client.has(data, `\x04${String.fromCharCode(at + 1)}${failed}`), `${route} ${body}`);
        }
        client.send(pack(data, Buffer.from([1, 99, 0xff, 0xff, 123, 125])));
        await client.until(() => client.has(data, `\x04\x63${failed}`), "answer to an unknown code");
        client.send(request("connector.entryHandler.constructor", "{}"));
        await client.closed();
        assert.ok(client.has(kick, "attack"));
    });
});

test("resets at every stage leave nothing behind", async () => {
    const port = ports.connectors[0];
    const enter = (number) => request("connector.entryHandler.enter", JSON.stringify({ username: `r${number}`, rid: "resets" }));
    const say = request("chat.chatHandler.send", '{"content":"x","target":"*"}', 2);
    const stages = [
        async () => {},
        async (client) => client.send(handshake.subarray(0, 10)),
        async (client) => client.send(handshake),
        async (client) => client.send(handshake, ack),
        async (client, number) => client.send(handshake, ack, enter(number)),
        async (client, number) => client.send(handshake, ack, enter(number), say, say.subarray(0, 12)),
        async (client, number) => {
            client.send(handshake, ack, enter(number));
            await client.until(() => client.has(data), "answer");
            client.stall();
            client.send(...Array.from({ length: 50 }, () => say));
        },
    ];
    for (const form of forms) {
        for (const [at, stage] of stages.entries()) {
            await Promise.all(Array.from({ length: 5 }, async (_, number) => {
                const client = await RawClient.open(port, form);
                await stage(client, `${form}${at}-${number}`);
                client.reset();
            }));
        }
    }
    for (const head of ["GET ", "GET / HTTP/1.1\r\nUpgrade: websocket\r\n"]) {
        const client = await RawClient.open(port);
        client.send(head);
        client.reset();
    }
    // Nobody is left in the room: one who comes is alone.
    let tries = 0;
    await until(async () => {
        const last = await RawClient.ready(port);
        last.send(enter(`last${++tries}`));
        await last.until(() => last.has(data), "answer");
        const isAlone = last.has(data, `{"users":["rlast${tries}"]}`);
        last.end();
        return isAlone;
    }, "an empty room");
});

test("random bytes, and silence, on any socket harm nobody", async () => {
    let seed = Date.now() >>> 0;
    const first = seed;
    const random = (below) => {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        return Math.floor(seed / 2 ** 32 * below);
    };
    const run = join(system.folder, "run");
    const places = [ports.gate, ...ports.connectors, ports.master, ports.web];
    for (const name of await readdir(run)) {
        if ((await stat(join(run, name))).isSocket()) {
            places.push(join(run, name));
        }
    }
    assert.ok(places.length > 12, `${places}`);
    const open = async (place) => {
        const socket = typeof place === "number" ? connect(place, "127.0.0.1") : connect(place);
        socket.on("error", () => {});
        socket.resume();
        await once(socket, "connect");
        return socket;
    };
    const silent = [];
    for (const place of places) {
        for (let n = 0; n < 3; ++n) {
            silent.push(await open(place));
        }
        for (let n = 0; n < 20; ++n) {
            const socket = await open(place);
            const bytes = Buffer.from(Array.from({ length: 1 + random(2_000) }, () => random(256)));
            if (n % 4 === 1) {
                bytes[0] = random(6); // as a package, or a frame of the bus
            } else if (n % 4 === 2) {
                bytes.write("POST /api/stop HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n");
            } else if (n % 4 === 3) {
                bytes.fill(0, 0, 3); // a length that is not long
            }
            socket.end(bytes);
        }
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.deepEqual(await runningServers(), pids, `seed ${first}`);
    silent.forEach((socket) => socket.destroy());
    for (const id of pids.keys()) {
        const log = await readFile(join(system.folder, `logs/${id}.log`), "utf8").catch(() => "");
        assert.ok(!/ (error|critical) /.test(log), `seed ${first}, ${id}: ${log}`);
        assert.ok(!/link broken|was silent/.test(log), `seed ${first}, ${id}: ${log}`);
    }
});

test("2,000 Chinese characters, which the page lets people write, are a message", async () => {
    const client = await RawClient.ready(ports.connectors[1]);
    client.send(request("connector.entryHandler.enter", '{"username":"writer","rid":"long"}'));
    await client.until(() => client.has(data, "writer"), "answer");
    client.send(request("chat.chatHandler.send", JSON.stringify({ content: "张".repeat(2_000), target: "*" }), 2));
    await client.until(() => client.has(data, "\x04\x02{}"), "answer");
    client.end();
});
