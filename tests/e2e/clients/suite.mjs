/** One system, and all kinds of clients that play the script on it. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startSystem } from "../lib/system.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";
import { ClientWebSocket } from "./adapters/client_websocket.mjs";
import { JsClient } from "./adapters/jsclient.mjs";
import { NodeJsClient } from "./adapters/nodejsclient.mjs";
import { Shaddock } from "./adapters/shaddock.mjs";
import { StrictTcp } from "./adapters/strict_tcp.mjs";
import { Tcp } from "./adapters/tcp.mjs";
import { Person, chat, routes } from "./script.mjs";

const kinds = [JsClient, NodeJsClient, ClientWebSocket, Shaddock, Tcp, StrictTcp];

const heartbeatMs = 1_000;
const many = 200;
const timeoutMs = 2 * heartbeatMs;

/**
 * Sets the options of a server type's connections.
 * @param {string} config folder
 * @param {Record<string, object>} types `{connector: {heartbeat: "1 s", dict: true}}`
 * @param {Record<string, any>} [files] further files of the folder, `{"dictionary.json": []}`
 */
export async function configure(config, types, files = {}) {
    const path = join(config, "host.yaml");
    let text = await readFile(path, "utf8");
    for (const [type, options] of Object.entries(types)) {
        const entry = new RegExp(`^  ${type}:\n(    .*\n)+`, "m");
        assert.match(text, entry);
        const lines = Object.entries(options).map(([key, value]) => `      ${key}: ${value}\n`).join("");
        text = text.replace(entry, `  ${type}:\n    modules: [${type}.so]\n    connector:\n${lines}`);
    }
    await writeFile(path, text);
    for (const [name, content] of Object.entries(files)) {
        await writeFile(join(config, name), JSON.stringify(content));
    }
}

/**
 * Runs the script with every kind of client, and with kinds mixed, on one system.
 * @param {string} title
 * @param {{edit: (config: string) => Promise<void>, form: object}} setting `edit` as in startSystem; `form` as in
 *   script.mjs. Heartbeats must be of one second
 */
export function playScript(title, { edit, form }) {
    endProcessAfter(100_000);

    describe(title, { concurrency: false }, () => {
        let system;
        let idle;
        before(async () => {
            system = await startSystem({ edit });
            // Node does not call `after` when `before` fails.
            idle = await startIdling(system.gatePort, form).catch(async (error) => {
                await system.stop();
                throw error;
            });
        }, { timeout: 60_000 });
        after(async () => {
            idle?.people.forEach((person) => person.leave());
            idle?.silent.client.disconnect();
            await system?.stop();
        }, { timeout: 30_000 });

        for (const [index, Kind] of kinds.entries()) {
            test(`three of ${Kind.kind}`, async () => {
                await chat({ gatePort: system.gatePort, Clients: [Kind, Kind, Kind], room: `room${index}`, form });
            });
        }
        for (const [index, Clients] of [[JsClient, StrictTcp, NodeJsClient], [Shaddock, ClientWebSocket, Tcp]].entries()) {
            test(`together: ${Clients.map(({ kind }) => kind).join(", ")}`, async () => {
                await chat({ gatePort: system.gatePort, Clients, room: `mixed${index}`, form });
            });
        }
        test("each of many requests gets its answer", async () => {
            await manyRequests(system.gatePort, form);
        });
        test("pushes have the form that the system was set up for", async () => {
            await pushesHaveTheirForm(system.gatePort, form);
        });
        test("the browsers' client asks in the form that the system was set up for", async () => {
            await requestsHaveTheirForm(system.gatePort, form);
        });
        test("the handshake tells what the client does not know yet", async () => {
            await handshakesTellWhatIsNew(system.gatePort, form);
        });
        test("heartbeats keep a connection, nothing else does", async () => {
            await idle.end();
        });
    });
}

/** One of each kind who does nothing from now on, and one whose client sends no heartbeats. */
async function startIdling(gatePort, form) {
    const people = kinds.map((Kind) => new Person("idler", Kind, form));
    for (const [index, person] of people.entries()) {
        await person.login(gatePort);
        assert.deepEqual(await person.enter(`idle${index}`), ["idler"]);
    }
    const since = Date.now();

    class Silent extends Tcp {
        heartbeats = false;
    }
    const silent = new Person("silent", Silent, form);
    await silent.login(gatePort);
    const silentSince = Date.now();
    silent.closed = until(() => silent.client.events.length > 0, "the silent one is closed", 60_000)
        .then(() => Date.now() - silentSince);

    const end = async () => {
        assert.deepEqual(await Promise.all([silent.closed, silent.client.events]), [await silent.closed, [["close"]]]);
        const tookMs = await silent.closed;
        assert.ok(tookMs > timeoutMs - 100 && tookMs < 2 * timeoutMs, `the silent one was closed after ${tookMs} ms`);
        // The time that passes is what is tested.
        await sleep(Math.max(0, since + 2 * timeoutMs - Date.now()));
        for (const person of people) {
            person.willHear("still here", "idler", "*");
            assert.deepEqual(await person.say("still here", "*"), {});
            await person.hasSeenAll();
        }
    };
    return { people, silent, end };
}

/** More than fit into an id of one byte. */
async function manyRequests(gatePort, form) {
    for (const [index, Kind] of kinds.filter(({ requestLimit }) => requestLimit > many).entries()) {
        const person = new Person("asker", Kind, form);
        try {
            await person.login(gatePort);
            await person.enter(`many${index}`);
            const targets = Array.from({ length: many }, (_none, count) => (count % 3 === 0 ? "nobody" : "asker"));
            const answers = await Promise.all(targets.map((target, count) => person.say(`${count}`, target)));
            assert.deepEqual(answers, targets.map((target) => (target === "nobody" ? { code: 500 } : {})));
            targets.forEach((target, count) => target === "asker" && person.willHear(`${count}`, "asker", "asker"));
            await person.hasSeenAll();
        } finally {
            person.client?.disconnect();
        }
    }
}

async function pushesHaveTheirForm(gatePort, form) {
    const watcher = new Person("watcher", Tcp, form);
    const other = new Person("other", StrictTcp, form);
    try {
        await watcher.login(gatePort);
        await watcher.enter("forms");
        watcher.willSeeCome("other");
        await other.login(gatePort);
        await other.enter("forms");
        watcher.willHear("x", "other", "*");
        await other.say("x", "*");
        watcher.willSeeGo("other");
        other.leave();
        await watcher.hasSeenAll();
        const expected = ["onAdd", "onChat", "onLeave"].map((route) =>
            `${route}: ${formOf(route, form)}`);
        assert.deepEqual([...watcher.client.seen].sort(), expected);
    } finally {
        watcher.client?.disconnect();
        other.client?.disconnect();
    }
}

async function requestsHaveTheirForm(gatePort, form) {
    const person = new Person("asker", JsClient, form);
    try {
        await person.login(gatePort);
        for (const route of [routes.enter, routes.send]) {
            await person.ask(route, { username: "asker", rid: "asking", content: "", target: "*", from: "" });
            const [flag] = person.client.sent.at(-1).subarray(4);
            const isJson = person.client.sent.at(-1).toString("latin1").endsWith("}");
            assert.equal(`${(flag & 1) === 1 ? "code" : "text"}, ${isJson ? "JSON" : "protobuf"}`, formOf(route, form), route);
        }
    } finally {
        person.client?.disconnect();
    }
}

async function handshakesTellWhatIsNew(gatePort, form) {
    const asker = new Person("asker", Tcp, form);
    await asker.login(gatePort);
    asker.leave();
    const partsFor = async (versions) => {
        class Presenting extends Tcp {
            sys() {
                return { ...super.sys(), ...versions };
            }
        }
        const client = new Presenting();
        await client.connect("127.0.0.1", asker.port);
        client.disconnect();
        return client.handshake.sys;
    };
    const dictParts = ["codeToRoute", "dict", "dictVersion", "routeToCode"];
    const allOfDict = form.dict.length > 0 ? [...dictParts, "useDict"] : [];
    const allOfProtos = form.protobuf.length > 0 ? ["protos", "useProto"] : [];
    const keys = (sys) => Object.keys(sys).sort();
    const without = (parts, gone) => parts.filter((part) => !gone.includes(part));
    const sorted = (...parts) => ["heartbeat", ...parts.flat()].sort();

    const first = await partsFor({});
    assert.deepEqual(keys(first), sorted(allOfDict, allOfProtos));
    assert.deepEqual(await partsFor({ dictVersion: "old", protoVersion: 0 }), first);
    const dictVersion = first.dictVersion ?? "any";
    const protoVersion = first.protos?.version ?? "any";
    assert.deepEqual(keys(await partsFor({ dictVersion })), sorted(without(allOfDict, dictParts), allOfProtos));
    assert.deepEqual(keys(await partsFor({ protoVersion })), sorted(allOfDict, without(allOfProtos, ["protos"])));
    assert.deepEqual(keys(await partsFor({ dictVersion, protoVersion })),
        sorted(without(allOfDict, dictParts), without(allOfProtos, ["protos"])));
}

function formOf(route, { dict, protobuf }) {
    return `${dict.includes(route) ? "code" : "text"}, ${protobuf.includes(route) ? "protobuf" : "JSON"}`;
}
