/**
 * Plays the clients of tests/vectors/chat-transcript.txt against the real system, as it is shipped, and compares what it
 * answers with what the original chat answered, byte by byte.
 *
 * What counts: of each client all packages, pushes in order, answers by their id (in what order answers come, and
 * whether before or after a push, is free in the original too). What does not: ports, as free ones are used here; times.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startSystem } from "../lib/system.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";
import { encodePackage, packageType } from "./adapters/wire.mjs";
import { Replay, plainHandshake } from "./replay.mjs";
import { Deviations, readSessions } from "./transcript.mjs";

endProcessAfter(100_000);

/** By so much A falls silent before the others do. */
const outliveMs = 500;
const heartbeat = encodePackage(packageType.heartbeat);

const dataPackage = (...parts) => packageHex(packageType.data, Buffer.concat(parts.map((part) => Buffer.from(part))));
const response = (id, body) => dataPackage([4, id], JSON.stringify(body));
const failed = (id) => response(id, { code: 500 });
const refused = (id) => response(id, { code: 500, error: true });
const push = (route, body) => dataPackage([6, route.length], route, body);
const presence = (route, user) => push(route, JSON.stringify({ route, user }));
const text = (tag, value) => [(tag << 3) | 2, value.length, ...Buffer.from(value)];
const chat = (msg, from, target) => push("onChat", [...text(1, msg), ...text(2, from), ...text(3, target)]);
const kicked = packageHex(packageType.kick, Buffer.from('{"reason":"attack"}'));

function packageHex(type, body) {
    return encodePackage(type, body).toString("hex");
}

/** Lines with which one of `who` receives `hex`, as a frame or a package. */
const receives = (who, hex) => new RegExp(`^(${who}) (<DATA|frame) ${hex}`);

const sessions = await readSessions();
const [sys] = sessions[0].filter(({ who, kind }) => who === "A" && kind === "handshake").map(({ json }) => JSON.parse(json).sys);
const handshakeOf = (body) => encodePackage(packageType.handshake, Buffer.from(body));

const firstDeviations = [
    {
        section: "gate",
        line: /^gate > gate.gateHandler.queryEntry \{"uid":\["a"\]\}/,
        more: [["gate", failed(4)]],
        because: "a handler's exception is answered",
    },
    {
        section: "gate",
        line: /^gate > gate.gateHandler.queryEntry notjson/,
        more: [["gate", failed(5)]],
        because: "the exception before does not leave the socket deaf; so it is in the second session, too",
    },
    {
        section: "gate",
        line: /^gate > gate.gateHandler.constructor/,
        more: [["gate", kicked], ["gate", "closed 1000"]],
        because: "likewise",
    },
    {
        section: "connector",
        line: receives("B", presence("onAdd", "bob")),
        times: 4,
        because: "nobody is told about himself (the first time); D, the second bob, does not come in (the second time)",
    },
    {
        section: "connector",
        after: "D >",
        line: receives("D", ""),
        more: [["D", refused(1)]],
        because: "a name is taken in its room wherever its owner is connected",
    },
    {
        section: "connector",
        after: "D >",
        line: receives("A|Cc", presence("onAdd", "bob")),
        times: 2,
        because: "D is not in the room",
    },
    {
        section: "send",
        line: receives("D", ""),
        times: 3,
        because: "D is not in the room",
    },
    {
        section: "send",
        line: receives("A", response(7, {})),
        more: [["A", failed(7)]],
        because: "a message without content is refused",
    },
    {
        section: "send",
        line: receives("A|B|Cc", push("onChat", "")),
        times: 4,
        because: "no client can read an empty body as protobuf",
    },
    {
        section: "bad routes",
        line: /^A > abc /,
        more: [["A", failed(12)]],
        because: "each request is answered",
    },
    {
        section: "bad routes",
        line: /^A > chat.chatHandler.toString /,
        more: [["A", failed(15)]],
        because: "each request is answered",
    },
    {
        section: "re-enter",
        line: receives("Cc", response(2, { users: ["carol2"] })),
        more: [["Cc", refused(2)]],
        because: "one connection is one name; the original makes a ghost of the first",
    },
    {
        section: "re-enter",
        line: /^Cc > chat.chatHandler.send /,
        more: ["A", "B", "Cc"].map((who) => [who, chat("where", "carol", "*")]),
        because: "so carol still is in her room, and heard there",
    },
    {
        section: "leave",
        line: receives("D", presence("onLeave", "bob")),
        because: "D is not in the room",
    },
    {
        section: "leave",
        after: "D CLOSED",
        line: receives("A|Cc", presence("onLeave", "bob")),
        times: 2,
        because: "D is not in the room",
    },
    {
        section: "protocol abuse",
        line: /^X1 WSCLOSED/,
        more: [["X1", handshakeOf(JSON.stringify({ code: 200, sys })).toString("hex")]],
        because: "several packages in one frame are read one after the other, and the handshake behind them is answered",
    },
    {
        section: "protocol abuse",
        line: /^X7 > connector.entryHandler.enter /,
        more: [["X7", response(1, { users: ["q"] })]],
        because: "the client in the transcript did not wait for the answer",
    },
    {
        section: "heartbeat timeout of A (no hb sent)",
        line: /^--- heartbeat timeout/,
        more: ["Cc", "E"].map((who) => [who, heartbeat.toString("hex")]),
        because: "here all clients connect within milliseconds: a heartbeat lets two outlive A, as in the original",
    },
    {
        section: "heartbeat timeout of A (no hb sent)",
        line: /^A closed after /,
        because: "a time",
    },
];

const secondDeviations = [
    {
        section: "",
        line: receives("Z", refused(1)),
        more: [["Z", failed(1)]],
        because: "enter without a room is refused at once; the original answers when it reads the request a second time",
    },
    {
        section: "enter by new user with no chat server",
        line: receives("N", response(1, { users: {} })),
        more: [["N", failed(1)]],
        because: "who is in no room is told so",
    },
];

/** What the transcript does not show, before the line that begins so. */
const acts = {
    "B WSCLOSED": (replay) => replay.peers.get("B").close(),
    "D CLOSED": (replay) => replay.peers.get("D").close(),
    "X1 WSCLOSED": async (replay) => {
        const peer = await replay.open("X1");
        peer.send(Buffer.from("0300000003000000", "hex"));
        peer.send(plainHandshake);
    },
    "X2 <HS": async (replay) => (await replay.open("X2")).send(handshakeOf("{}")),
    "X3 <HS": async (replay) => (await replay.open("X3")).send(handshakeOf("notjson")),
    // Only servers kick.
    "X4 CLOSED": (replay) => replay.peers.get("X4").send(encodePackage(packageType.kick)),
    "X5 CLOSED": async (replay) => (await replay.open("X5")).send(Buffer.from("06000000", "hex")),
    "X6 3byte first <HS": async (replay) => {
        const peer = await replay.open("X6");
        peer.send(plainHandshake.subarray(0, 3));
        peer.send(plainHandshake.subarray(3));
    },
    "X8 hs with same versions <HS": async (replay) => {
        const { dictVersion, protos: { version: protoVersion } } = sys;
        const versions = { type: "js-websocket", version: "0.0.1", dictVersion, protoVersion };
        (await replay.open("X8")).send(handshakeOf(JSON.stringify({ sys: versions })));
    },
    "--- heartbeat timeout of A": async (replay) => {
        // Their ends are not shown.
        ["X1", "X6", "X7", "X8"].forEach((who) => replay.peers.get(who).leave());
        await until(() => Date.now() > replay.peers.get("A").ackedAt + outliveMs, "time to pass");
        ["Cc", "E"].forEach((who) => replay.peers.get(who).send(heartbeat));
    },
    // What the original waits for: a master's news, a timeout of 30 s. Here nothing takes time.
    "700ms later": () => {},
    "enter by new user": () => {},
    "waiting 31 s": () => {},
    end: () => {},
};

describe("the transcript of the original chat", { concurrency: false }, () => {
    let system;
    const ports = {};
    before(async () => {
        system = await startSystem();
        const { development } = JSON.parse(await readFile(join(system.folder, "config/servers.json"), "utf8"));
        [...development.gate, ...development.connector].forEach(({ id, clientPort }) => { ports[id] = clientPort; });
    }, { timeout: 60_000 });
    after(() => system?.stop(), { timeout: 30_000 });

    async function replay(session, deviations, options) {
        const place = (who) => ({
            isWebSocket: ["gate", "B", "X1"].includes(who),
            port: ports[{ gate: "gate-server-1", D: "connector-server-2" }[who] ?? "connector-server-1"],
        });
        const known = new Deviations(deviations);
        const play = new Replay({ place, deviations: known, ...options });
        try {
            await play.play(session);
            play.compare(withoutPort);
            assert.deepEqual(known.stale(), [], "deviations that do not occur");
        } finally {
            play.close();
        }
    }

    test("is of two sessions", () => {
        assert.equal(sessions.length, 2);
    });

    test("first session: gate, rooms, bad routes, abuse, heartbeats", async () => {
        await replay(sessions[0], firstDeviations, { acts });
    });

    test("second session: all chat servers are killed", async () => {
        let goOn = () => {};
        const kill = () => { goOn = killChatServers(system.pid); };
        try {
            await replay(sessions[1], secondDeviations, { acts: { ...acts, "kill -9 all chat servers": kill } });
        } finally {
            goOn();
        }
    });
});

/** Of all numbers of a port only that there is one. */
function withoutPort(item) {
    const text = Buffer.from(item.slice(8), "hex").toString("latin1");
    const shown = text.replace(/"port":\d+/, '"port":0');
    return shown === text ? item : packageHex(packageType.data, Buffer.from(shown, "latin1"));
}

/**
 * The chat servers end as by kill -9. The master, which would start them again at once, is stopped meanwhile: the
 * original's master does not.
 * @returns {() => void} lets the master go on
 */
function killChatServers(master) {
    process.kill(master, "SIGSTOP");
    const children = readFileSync(`/proc/${master}/task/${master}/children`, "utf8").trim().split(" ").map(Number);
    const chats = children.filter((child) => readFileSync(`/proc/${child}/cmdline`, "utf8").includes("\0chat-server-"));
    assert.equal(chats.length, 3);
    chats.forEach((chat) => process.kill(chat, "SIGKILL"));
    return () => process.kill(master, "SIGCONT");
}
