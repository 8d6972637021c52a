/** Chat servers drain under people who talk: their rooms stay, and what is left at the end moves. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { everyone } from "../../../web/client/chat.js";
import { roomOf } from "../lib/edge_client.mjs";
import { LinkProxy } from "../lib/link_proxy.mjs";
import { until } from "../lib/wait.mjs";
import { Member, startRooms } from "../life/rooms.mjs";
import { enterRoom, startTalk } from "./talk.mjs";

let system;
before(async () => { system = await startRooms(["modules: [chat.so]", "modules: [chat.so]\n    rooms: stay"]); });
after(() => system?.stop());

const host = (...words) => system.host(...words);
const lineOf = async (id) => {
    // Status 1: one does not serve just now.
    const listed = await host("list", "--json").catch((error) => error.stdout || Promise.reject(error));
    return JSON.parse(listed).find((line) => line.id === id);
};
/** Calls of the admin API. */
async function openApi() {
    const { origin, hash } = new URL((await host("admin")).trim());
    const headers = { authorization: `Bearer ${hash.replace("#token=", "")}` };
    return {
        get: (path) => fetch(origin + path, { headers }),
        post: (path, body) => fetch(origin + path, { headers, method: "POST", body: JSON.stringify(body) }),
    };
}

test("rooms stay with a server that drains, which ends when they are empty", { timeout: 60_000 }, async () => {
    const talk = await startTalk(system.gatePort);
    await sleep(200);
    assert.match(await host("stop", "chat-server-2", "--within", "30min"), /^draining: chat-server-2: /);
    await until(async () => (await lineOf("chat-server-2")).draining?.rooms, "what stays");
    const { pid, state, draining } = await lineOf("chat-server-2");
    assert.equal(state, "draining");
    assert.equal(draining.members, 2 * draining.rooms);
    assert.ok(draining.ends_in_s > 1700 && draining.ends_in_s <= 1800, `ends in ${draining.ends_in_s} s`);
    assert.match(await host("list"), /chat-server-2 drains: \d+ rooms? with \d+ members (is|are) left, and it ends in \d+ min/);
    assert.equal(await host("health", "chat-server-2"), "healthy: 1 of 1 serve, 1 drains\n");
    assert.match(await (await (await openApi()).get("/metrics")).text(), /shaddock_state\{server="chat-server-2",type="chat",state="draining"\} 1/);
    // New rooms are made by the others.
    const others = await Promise.all(Array.from({ length: 12 }, (_, n) => enterRoom(system.gatePort, `joe ${n}`, `new room ${n}`)));
    assert.deepEqual((await lineOf("chat-server-2")).draining.rooms, draining.rooms);
    await sleep(200);
    assert.equal((await lineOf("chat-server-2")).pid, pid);
    await talk.stop(); // and all have left
    await until(async () => (await lineOf("chat-server-2")).state === "stopped", "the end of the drain", 10_000);
    assert.equal((await lineOf("chat-server-2")).stopped, true);
    await host("health");
    others.forEach(({ chat }) => chat.leave());
    await host("restart", "chat-server-2");
});

test("what is left when the time has passed moves, under the next master too", { timeout: 60_000 }, async (t) => {
    const talk = await startTalk(system.gatePort);
    await sleep(200);
    await host("stop", "chat-server-3", "--within", "2 s");
    await until(async () => (await lineOf("chat-server-3")).draining?.rooms, "what stays");
    await host("restart", "master");
    await until(async () => (await lineOf("chat-server-3")).state === "stopped", "the end of the drain", 10_000);
    await sleep(200);
    const { sent, slowestMs } = await talk.stop();
    t.diagnostic(`${sent} lines, the slowest answer after ${Math.round(slowestMs)} ms`);
    await host("restart", "chat-server-3");
});

test("rooms stay through a crash of their server, and a connector that comes later finds them", { timeout: 60_000 }, async () => {
    const room = roomOf(0);
    const [ann, bob] = await Promise.all([[0, "ann"], [1, "bob"]].map(([n, name]) => Member.enter(system.ports[n], name, room)));
    await host("stop", "chat-server-1", "--within", "5min");
    await until(async () => (await lineOf("chat-server-1")).draining?.rooms === 1, "the room stays");
    const before = await system.pid("chat-server-1");
    process.kill(before, "SIGKILL");
    await until(async () => {
        const { pid, draining } = await lineOf("chat-server-1");
        return pid && pid !== before && draining?.members === 2;
    }, "its next life has the room", 15_000);
    assert.deepEqual(await ann.link.say("again"), {});
    await until(() => bob.said.includes("again"), "bob hears it");
    await host("restart", "connector-server-2");
    const cid = await Member.enter(system.ports[1], "cid", room);
    assert.deepEqual(cid.users.toSorted(), ["ann", "cid"]);
    const dan = await Member.enter(system.ports[1], "dan", roomOf(0));
    assert.deepEqual(dan.users, ["dan"]);
    assert.equal((await lineOf("chat-server-1")).draining.rooms, 1, "the new room is another server's");
    await host("stop", "chat-server-1");
    assert.deepEqual(await ann.link.say("moved"), {});
    await until(() => cid.said.includes("moved"), "cid hears it");
    [ann, cid, dan].forEach(({ link }) => link.close());
    await host("restart", "chat-server-1");
});

test("nothing stays while a server of an older build is linked", { timeout: 60_000 }, async () => {
    const versionBeforeStaying = 5;
    const proxy = await LinkProxy.before(join(system.folder, "run"), "connector-server-2");
    try {
        proxy.speakAtMost("chat-server-1", versionBeforeStaying);
        await host("restart", "chat-server-1"); // it dials, and so through the proxy
        await until(() => proxy.carries("chat-server-1"), "a link through the proxy");
        // Its rooms are not whole before the link through the proxy is up, whichever end dials.
        const enter = ([n, name]) => until(async () => {
            const member = await Member.enter(system.ports[n], name, roomOf(0));
            return member.users ? member : member.link.close();
        }, `${name} is in`);
        const [ann, bob] = await Promise.all([[0, "ann"], [1, "bob"]].map(enter));
        await host("stop", "chat-server-1", "--within", "5min");
        await until(async () => (await lineOf("chat-server-1")).state === "stopped", "it ends, since nothing stays", 10_000);
        assert.deepEqual(await ann.link.say("moved"), {});
        assert.deepEqual(await bob.link.say("moved"), {});
        assert.match(await host("logs", "chat-server-1", "-n", "200"), /connector-server-2 is of a build that does not know of rooms that stay/);
        [ann, bob].forEach(({ link }) => link.close());
    } finally {
        await proxy.close();
    }
    await host("restart", "chat-server-1");
});

test("--within is for types whose rooms stay, and a plain stop ends a drain", { timeout: 60_000 }, async () => {
    await assert.rejects(host("stop", "gate-server-1", "--within", "1min"), /gate-server-1 has clients, whom `host stop` sends away at `connector\.drain`/);
    const people = await Promise.all(Array.from({ length: 12 }, (_, n) => enterRoom(system.gatePort, `ann ${n}`, `a room ${n}`)));
    const [{ id }] = JSON.parse(await host("list", "--json")).filter((line) => line.type === "chat" && line.state === "ready");
    await host("stop", id, "--within", "1min");
    assert.equal((await lineOf(id)).state, "draining");
    assert.match(await host("restart", id), /warning: it no longer drains/);
    const { state, draining } = await lineOf(id);
    assert.deepEqual({ state, draining }, { state: "ready", draining: undefined }, "it is taken back");
    await host("stop", id, "--within", "1min");
    await host("stop", id);
    assert.equal((await lineOf(id)).state, "stopped");
    await Promise.all(people.map(({ chat }) => chat.send("hello", everyone)));
    people.forEach(({ chat }) => chat.leave());
});

test("a server that waits for its restart is not drained", { timeout: 60_000 }, async () => {
    const api = await openApi();
    const others = async () => (await (await api.get("/api/servers")).json())
        .filter(({ id }) => ["chat-server-1", "chat-server-2"].includes(id)).map(({ pid, state }) => `${pid} ${state}`).join();
    const before = await others();
    const restarting = api.post("/api/restart", { targets: ["chat"] }); // one after the other
    await until(async () => (await others()) !== before, "the restart before");
    const refused = await api.post("/api/drain", { ids: ["chat-server-3"], within_ms: 60_000 });
    assert.equal(refused.status, 409);
    assert.match(await refused.text(), /a restart of chat-server-3 is under way/);
    assert.equal((await restarting).status, 200);
});
