/** The list of servers changes under people who talk: rooms move, and nobody notices. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { crc32, roomOf } from "../lib/edge_client.mjs";
import { LinkProxy } from "../lib/link_proxy.mjs";
import { until } from "../lib/wait.mjs";
import { Member, startRooms } from "../life/rooms.mjs";
import { enterRoom, startTalk } from "./talk.mjs";

const moveLimitMs = 500;
let system;
before(async () => { system = await startRooms(); });
after(() => system?.stop());

const host = (...words) => system.host(...words);
/** A room of that one of the three chat servers, which falls to that one of two when one is stopped. */
function movingRoom(before, after) {
    for (;;) {
        const room = roomOf(after, 2);
        if (Math.abs(crc32(room)) % 3 === before) {
            return room;
        }
    }
}
const leaves = ({ news }) => news.filter((each) => each.startsWith("-"));

test("a chat server comes, another goes and comes back: no request is lost, no member", { timeout: 60_000 }, async (t) => {
    const talk = await startTalk(system.gatePort);
    for (const words of [
        ["add", "serverType=chat", "id=chat-server-4", "host=127.0.0.1", "port=1"],
        ["stop", "chat-server-2"],
        ["restart", "chat-server-2"],
        ["remove", "chat-server-4"],
    ]) {
        await sleep(200);
        const begin = performance.now();
        await host(...words);
        t.diagnostic(`host ${words.slice(0, 3).join(" ")}: ${Math.round(performance.now() - begin)} ms`);
    }
    await sleep(200);
    const { sent, slowestMs } = await talk.stop();
    t.diagnostic(`${sent} lines, the slowest answer after ${Math.round(slowestMs)} ms`);
    assert.ok(slowestMs < moveLimitMs, `a request waited ${slowestMs} ms`);
    const listed = JSON.parse(await host("list", "--json")).map(({ id }) => id).filter((id) => id.startsWith("chat"));
    assert.deepEqual(listed, ["chat-server-1", "chat-server-2", "chat-server-3"]);
});

test("who is on a connector that stands still while rooms move loses no line, said or heard", { timeout: 60_000 }, async () => {
    const talk = await startTalk(system.gatePort);
    const pids = JSON.parse(await host("list", "--json")).filter(({ type }) => type === "connector").map(({ pid }) => pid);
    for (const [n, words] of [["stop", "chat-server-2"], ["restart", "chat-server-2"]].entries()) {
        await sleep(200);
        process.kill(pids[n], "SIGSTOP");
        const changed = host(...words);
        await sleep(700);
        process.kill(pids[n], "SIGCONT");
        await changed;
    }
    await sleep(200);
    await talk.stop();
});

test("who is lost on a connector that comes late is announced once, and who is there stays", { timeout: 60_000 }, async () => {
    const room = roomOf(1);
    const [ann, bob, cid] = await Promise.all([[0, "ann"], [1, "bob"], [1, "cid"]].map(([n, name]) => Member.enter(system.ports[n], name, room)));
    const late = await system.pid("connector-server-2");
    process.kill(late, "SIGSTOP");
    const stopped = host("stop", "chat-server-2");
    bob.link.close();
    await sleep(700); // the room has moved without that connector
    assert.deepEqual(await ann.link.say("moved"), {});
    process.kill(late, "SIGCONT");
    await stopped;
    await until(() => leaves(ann).length > 0, "bob's leave");
    assert.deepEqual(await ann.link.say("all"), {});
    await until(() => cid.said.includes("all"), "cid hears her");
    await sleep(300);
    assert.deepEqual([ann, cid].map(leaves), [["-bob"], ["-bob"]]);
    assert.deepEqual(cid.said, ["moved", "all"]);
    const dan = await Member.enter(system.ports[2], "dan", room);
    assert.deepEqual(dan.users.toSorted(), ["ann", "cid", "dan"]);
    [ann, cid, dan].forEach(({ link }) => link.close());
    await host("restart", "chat-server-2");
});

test("who is on a connector without a link to the new owner stays, and who is lost there is announced once", { timeout: 60_000 }, async () => {
    const room = movingRoom(1, 1); // from the second chat server to the third
    const proxy = await LinkProxy.before(join(system.folder, "run"), "connector-server-2");
    try {
        await host("restart", "chat-server-3"); // it dials, and so through the proxy
        await until(() => proxy.carries("chat-server-3"), "a link through the proxy");
        const [ann, bob, cid] = await Promise.all([[0, "ann"], [1, "bob"], [1, "cid"]].map(([n, name]) => Member.enter(system.ports[n], name, room)));
        await until(() => ann.users && bob.users && cid.users, "all are there");
        proxy.cut("chat-server-3");
        await host("stop", "chat-server-2");
        bob.link.close();
        await until(async () => (await ann.link.say("moved")).code === undefined, "the room is there");
        await sleep(300);
        assert.deepEqual(leaves(ann), [], "nobody has left who is only not reached");
        proxy.mend("chat-server-3");
        await until(() => leaves(ann).length > 0, "bob's leave");
        await until(async () => (await cid.link.say("back")).code === undefined, "cid is reached");
        await until(() => ann.said.includes("back"), "ann hears it");
        await sleep(300);
        assert.deepEqual([ann, cid].map(leaves), [["-bob"], ["-bob"]]);
        const dan = await Member.enter(system.ports[2], "dan", room);
        assert.deepEqual(dan.users.toSorted(), ["ann", "cid", "dan"]);
        [ann, cid, dan].forEach(({ link }) => link.close());
    } finally {
        await proxy.close();
    }
    await host("restart", "chat-server-2");
});

test("who is in a room that falls to a server of an older build stays, or is kicked with `lost` and comes back by itself", { timeout: 60_000 }, async () => {
    const versionBeforeMoves = 4;
    const ids = ["chat-server-2", "chat-server-3", "connector-server-1", "connector-server-2", "connector-server-3", "gate-server-1"];
    await host("stop", "chat-server-1");
    const rooms = { moving: roomOf(0), staying: null };
    do { // with the same owner among two as among three
        rooms.staying = roomOf(1);
    } while (Math.abs(crc32(rooms.staying)) % 2 !== 0);
    const reconnect = { firstDelayMs: 50 };
    const people = await Promise.all([["ann", rooms.moving], ["bob", rooms.moving], ["cid", rooms.staying]]
        .map(([name, room]) => enterRoom(system.gatePort, name, room, { reconnect })));
    const [ann, bob, cid] = people;
    const came = [];
    people.forEach(({ chat, name }) => chat.on("reconnect", () => came.push(name)));
    // The smallest id dials all others.
    const proxies = await Promise.all(ids.map((id) => LinkProxy.before(join(system.folder, "run"), id)));
    try {
        proxies.forEach((proxy) => proxy.speakAtMost("chat-server-1", versionBeforeMoves));
        await host("restart", "chat-server-1");
        // A frontend that has the list before the link sends its roster there, and nobody needs to be kicked.
        const moved = [ann, bob];
        await until(async () => {
            await ann.chat.send("hello", "*").catch(() => {});
            return moved.every(({ chat, heard }) => heard.includes("hello") && chat.members.length === 2);
        }, "both are there and hear it", 15_000);
        assert.deepEqual(cid.events, [], "whose room has not moved notices nothing");
        for (const { name, events } of moved) {
            const kicks = events.filter(([, event]) => event === "kick").map(([, , kick]) => kick.reason);
            assert.deepEqual(kicks, came.filter((who) => who === name).map(() => "lost"), `${name} comes back from each kick`);
        }
        await cid.chat.send("still here", "*");
    } finally {
        people.forEach(({ chat }) => chat.leave());
        await Promise.all(proxies.map((proxy) => proxy.close()));
    }
});
