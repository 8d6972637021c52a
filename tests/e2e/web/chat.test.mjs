/** web/client/chat.js against the chat system in small. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import WebSocket from "ws";
import { Chat, connectorUrl, everyone } from "../../../web/client/chat.js";
import { startFakeChat } from "../lib/fake_chat.mjs";
import { FakeTimers } from "../lib/fake_timers.mjs";
import { push } from "../lib/fake_pomelo.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";

endProcessAfter(60_000);

let system;
let chats;

beforeEach(async () => {
    chats = [];
    system = await startFakeChat();
});

afterEach(async () => {
    chats.forEach((chat) => chat.leave());
    await system.stop();
});

/** A chat that writes down its events, `[name, argument]`. */
function newChat(options = {}) {
    const chat = new Chat({ gateUrl: system.gateUrl, WebSocket, ...options });
    chat.events = [];
    for (const name of ["message", "online", "offline", "kick", "disconnect", "reconnecting", "reconnect", "close"]) {
        chat.on(name, (argument) => chat.events.push([name, argument]));
    }
    chat.has = (name, count = 1) => until(() => chat.events.filter(([event]) => event === name).length >= count, name);
    chats.push(chat);
    return chat;
}

async function entered(name, room = "garden") {
    const chat = newChat();
    await chat.login(name, room);
    return chat;
}

describe("login", () => {
    test("goes through the gate and gives the members, oneself included", async () => {
        await entered("alice");
        const bob = newChat();
        assert.deepEqual(await bob.login("bob", "garden"), ["alice", "bob"]);
        assert.deepEqual([bob.name, bob.room, bob.isConnected], ["bob", "garden", true]);
        assert.equal(system.connections(), 2);
        await until(() => system.gateConnections() === 0, "the gate is left");
    });

    test("the others hear of it; the newcomer does not hear of himself", async () => {
        const alice = await entered("alice");
        const bob = await entered("bob");
        await alice.has("online");
        assert.deepEqual(alice.events, [["online", "bob"]]);
        assert.deepEqual(alice.members, ["alice", "bob"]);
        assert.deepEqual(bob.events, []);
    });

    test("a taken name: duplicate, no connection is left over, and another name works", async () => {
        await entered("alice");
        const second = newChat();
        await assert.rejects(second.login("alice", "garden"), { name: "ShaddockError", code: "duplicate" });
        await until(() => system.connections() === 1, "closed connection");
        assert.equal(second.isConnected, false);
        assert.deepEqual(await second.login("alice2", "garden"), ["alice", "alice2"]);
        assert.deepEqual(second.events, []);
    });

    test("no server", async () => {
        system.hooks.noServer = true;
        await assert.rejects(newChat().login("alice", "garden"), { code: "no_server" });
    });

    test("no gate", async () => {
        await assert.rejects(new Chat({ gateUrl: "ws://127.0.0.1:1", WebSocket }).login("alice", "garden"),
            { code: "connect" });
    });

    test("who comes before the answer does is in the list", async () => {
        system.hooks.beforeReply = (peer) => peer.send(push("onAdd", { route: "onAdd", user: "early" }));
        const alice = newChat();
        await alice.login("alice", "garden");
        assert.deepEqual(alice.members, ["alice", "early"]);
        assert.deepEqual(alice.events, [["online", "early"]]);
    });
});

describe("send", () => {
    test("to everyone comes to everyone, the sender included", async () => {
        const [alice, bob] = [await entered("alice"), await entered("bob")];
        await alice.send("你好 😀", everyone);
        await Promise.all([alice.has("message"), bob.has("message")]);
        const message = ["message", { from: "alice", target: "*", text: "你好 😀" }];
        assert.deepEqual(bob.events, [message]);
        assert.deepEqual(alice.events, [["online", "bob"], message]);
    });

    test("to one comes to that one only", async () => {
        const [alice, bob, carol] = [await entered("alice"), await entered("bob"), await entered("carol")];
        await alice.send("psst", "carol");
        await alice.send("all", everyone);
        await Promise.all([alice.has("message"), bob.has("message"), carol.has("message", 2)]);
        const textsOf = (chat) => chat.events.filter(([name]) => name === "message").map(([, { text }]) => text);
        assert.deepEqual([alice, bob, carol].map(textsOf), [["all"], ["all"], ["psst", "all"]]);
    });

    test("to someone who is not there: refused, and one stays connected", async () => {
        const alice = await entered("alice");
        await assert.rejects(alice.send("psst", "nobody"), { code: "refused" });
        await alice.send("still here", everyone);
        await alice.has("message");
    });

    test("whoever speaks is in the list", async () => {
        const alice = await entered("alice");
        system.rooms.get("garden").get("alice").push("onChat", { msg: "hi", from: "missed", target: "*" });
        await alice.has("message");
        assert.deepEqual(alice.members, ["alice", "missed"]);
    });

    test("a strange push body is taken as text", async () => {
        await system.stop();
        system = await startFakeChat({});
        const alice = await entered("alice");
        system.rooms.get("garden").get("alice").send(push("onChat", {}), push("onChat", { msg: { a: 1 }, from: 3 }));
        await alice.has("message", 2);
        assert.deepEqual(alice.events[0], ["message", { from: "", target: "*", text: "" }]);
        assert.equal(alice.events[1][1].from, "3");
    });
});

describe("switchRoom", () => {
    test("keeps the connection; the old room hears one go, the new one hears one come", async () => {
        const [alice, bob, carol] = [await entered("alice"), await entered("bob"), await entered("carol", "kitchen")];
        const connections = system.connections();
        assert.deepEqual(await alice.switchRoom("kitchen"), ["carol", "alice"]);
        assert.equal(system.connections(), connections);
        await Promise.all([bob.has("offline"), carol.has("online")]);
        assert.deepEqual([alice.room, alice.name], ["kitchen", "alice"]);
        assert.deepEqual(bob.events, [["offline", "alice"]]);
        assert.deepEqual(bob.members, ["bob"]);
        assert.deepEqual(carol.events, [["online", "alice"]]);
        await alice.send("hello kitchen", everyone);
        await carol.has("message");
        assert.equal(bob.events.length, 1);
    });

    test("a failure changes nothing", async () => {
        const [alice, bob] = [await entered("alice"), await entered("bob")];
        await entered("alice", "kitchen");
        await assert.rejects(alice.switchRoom("kitchen"), { code: "duplicate" });
        assert.deepEqual([alice.room, alice.members], ["garden", ["alice", "bob"]]);
        await bob.send("hi", "alice");
        await alice.has("message");
    });

    test("news of the old room that come before the answer do not change the new list", async () => {
        const [alice, carol] = [await entered("alice"), await entered("carol", "kitchen")];
        await entered("bob");
        await alice.has("online");
        system.hooks.beforeReply = (peer) => {
            peer.send(push("onAdd", { user: "dave" }), push("onLeave", { user: "bob" }));
        };
        await alice.switchRoom("kitchen");
        assert.deepEqual(alice.members, ["carol", "alice"]);
        assert.deepEqual(alice.events, [["online", "bob"], ["online", "dave"], ["offline", "bob"]]);
        carol.leave();
        await alice.has("offline", 2);
        assert.deepEqual(alice.members, ["alice"]);
    });

    test("news that can only be of the new room count there", async () => {
        const alice = await entered("alice");
        await Promise.all([entered("bob"), entered("carol", "kitchen")]);
        await alice.has("online");
        // bob is in the old room: that he comes can only be true of the new one. carol is not: there she goes.
        system.hooks.beforeReply = (peer) => {
            peer.send(push("onAdd", { user: "bob" }), push("onLeave", { user: "carol" }));
        };
        await alice.switchRoom("kitchen");
        assert.deepEqual(alice.members, ["alice", "bob"]);
    });

    test("one switch at a time", async () => {
        const alice = await entered("alice");
        const first = alice.switchRoom("kitchen");
        await assert.rejects(alice.switchRoom("cellar"), { code: "refused" });
        await first;
        assert.equal(alice.room, "kitchen");
    });

    test("not connected: closed", async () => {
        await assert.rejects(newChat().switchRoom("kitchen"), { code: "closed" });
        await assert.rejects(newChat().send("x", everyone), { code: "closed" });
    });
});

describe("end", () => {
    test("leave is heard by the others and makes no event", async () => {
        const [alice, bob] = [await entered("alice"), await entered("bob")];
        bob.leave();
        await alice.has("offline");
        assert.deepEqual(alice.members, ["alice"]);
        assert.deepEqual(bob.events, []);
    });

    test("a kick gives its reason, and one can log in again", async () => {
        const alice = await entered("alice");
        system.kick("alice", "maintenance");
        await alice.has("close");
        assert.deepEqual(alice.events[0], ["kick", { reason: "maintenance" }]);
        assert.equal(alice.events[1][1].code, "kicked");
        await until(() => system.connections() === 0, "closed connection");
        assert.deepEqual(await alice.login("alice", "garden"), ["alice"]);
    });
});

describe("a lost connection", () => {
    const reconnect = { firstDelayMs: 500, jitter: 0 };
    let timers;
    beforeEach(() => { timers = new FakeTimers(); });

    async function lost(options = { reconnect }) {
        const alice = newChat({ timers, ...options });
        await alice.login("alice", "garden");
        const bob = await entered("bob");
        await alice.has("online");
        alice.events.length = 0;
        system.lose("alice");
        await bob.has("offline");
        return { alice, bob };
    }
    const namesOf = ({ events }) => events.map(([name]) => name);

    test("without the option is gone for good", async () => {
        const { alice } = await lost({});
        await alice.has("close");
        assert.deepEqual(namesOf(alice), ["close"]);
        assert.equal(timers.waiting, 0);
    });

    test("brings one back through the gate into the room, with those who are there now", async () => {
        const { alice, bob } = await lost();
        await alice.has("reconnecting");
        assert.deepEqual(alice.events.map(([name, { code, delayMs }]) => [name, code ?? delayMs]),
            [["disconnect", "closed"], ["reconnecting", 500]]);
        assert.deepEqual([alice.isConnected, alice.members], [false, ["alice", "bob"]]);
        await assert.rejects(alice.send("x", everyone), { code: "closed" });
        bob.leave();
        const carol = await entered("carol");
        timers.pass(500);
        await alice.has("reconnect");
        assert.deepEqual(alice.events.at(-1), ["reconnect", ["carol", "alice"]]);
        assert.deepEqual([alice.name, alice.room, alice.members], ["alice", "garden", ["carol", "alice"]]);
        await carol.has("online");
        await alice.send("back", everyone);
        await carol.has("message");
        await alice.has("message");
    });

    test("news that come before the room's answer are of the new list", async () => {
        const { alice } = await lost();
        await alice.has("reconnecting");
        system.hooks.beforeReply = (peer) => {
            system.hooks.beforeReply = null;
            peer.send(push("onAdd", { user: "early" }), push("onLeave", { user: "bob" }));
        };
        timers.pass(500);
        await alice.has("reconnect");
        assert.deepEqual(alice.members, ["alice", "early"]);
    });

    test("is tried again, longer each time, as long as there is no server or the old self is still there", async () => {
        const { alice } = await lost();
        await alice.has("reconnecting");
        system.hooks.noServer = true;
        timers.pass(500);
        await alice.has("reconnecting", 2);
        system.hooks.noServer = false;
        const ghost = await entered("alice");
        timers.pass(1000);
        await alice.has("reconnecting", 3);
        ghost.leave();
        await until(() => !system.rooms.get("garden").has("alice"), "ghost gone");
        timers.pass(2000);
        await alice.has("reconnect");
        assert.deepEqual(alice.events.map(([name, { code, delayMs, error }]) => [name, delayMs ?? code, error?.code]), [
            ["disconnect", "closed", undefined], ["reconnecting", 500, "closed"], ["reconnecting", 1000, "no_server"],
            ["reconnecting", 2000, "duplicate"], ["reconnect", undefined, undefined]]);
    });

    test("retry does not wait", async () => {
        const { alice } = await lost();
        await alice.has("reconnecting");
        alice.retry();
        alice.retry();
        await alice.has("reconnect");
        await until(() => system.connections() === 2, "no connection too many");
    });

    test("retry gives up a try that hangs", async () => {
        let isHanging = false;
        class Socket extends WebSocket {
            constructor(url) {
                super(url);
                if (isHanging) {
                    this.addEventListener = (name) => name === "error" && super.addEventListener(name, () => {});
                }
            }
        }
        const { alice } = await lost({ reconnect, WebSocket: Socket });
        await alice.has("reconnecting");
        isHanging = true;
        timers.pass(500);
        isHanging = false;
        alice.retry();
        await alice.has("reconnect");
        assert.deepEqual(namesOf(alice), ["disconnect", "reconnecting", "reconnect"]);
    });

    test("ends with the last attempt", async () => {
        const { alice } = await lost({ reconnect: { ...reconnect, attempts: 1 } });
        await alice.has("reconnecting");
        system.hooks.noServer = true;
        timers.pass(500);
        await alice.has("close");
        assert.equal(alice.events.at(-1)[1].code, "no_server");
        assert.deepEqual(namesOf(alice), ["disconnect", "reconnecting", "close"]);
    });

    test("is not opened again after leave, nor after another login", async () => {
        const { alice } = await lost();
        await alice.has("reconnecting");
        alice.leave();
        assert.equal(timers.waiting, 0);
        assert.deepEqual(await alice.login("alice2", "garden"), ["bob", "alice2"]);
        timers.pass(5_000);
        assert.deepEqual(namesOf(alice), ["disconnect", "reconnecting"]);
        assert.equal(system.connections(), 2);
    });

    test("leave while one is on the way back", async () => {
        const { alice } = await lost();
        await alice.has("reconnecting");
        timers.pass(500);
        alice.leave();
        await until(() => system.gateConnections() === 0 && system.connections() === 1, "closed connections");
        assert.deepEqual(namesOf(alice), ["disconnect", "reconnecting"]);
        assert.equal(timers.waiting, 0);
    });

    test("a kick is final", async () => {
        const alice = newChat({ timers, reconnect });
        await alice.login("alice", "garden");
        system.kick("alice", "maintenance");
        await alice.has("close");
        assert.deepEqual(namesOf(alice), ["kick", "close"]);
    });

    test("but not when the server stops or has lost the session: then one comes back into the room", async () => {
        const bob = newChat();
        await bob.login("bob", "garden");
        const alice = newChat({ timers, reconnect });
        await alice.login("alice", "garden");
        for (const [reason, delay] of [["shutdown", 500], ["lost", 1000]]) {
            alice.events.length = 0;
            system.kick("alice", reason);
            await alice.has("reconnecting");
            timers.pass(delay);
            await alice.has("reconnect");
            assert.deepEqual(namesOf(alice), ["kick", "disconnect", "reconnecting", "reconnect"]);
            assert.deepEqual(alice.members, ["bob", "alice"]);
            await alice.send("back", everyone);
            await alice.has("message");
        }
    });
});

describe("login that is overtaken", () => {
    test("by leave: closed, and no connection is left", async () => {
        const alice = newChat();
        const coming = assert.rejects(alice.login("alice", "garden"), { code: "closed" });
        alice.leave();
        await coming;
        await until(() => system.gateConnections() === 0 && system.connections() === 0, "closed connections");
    });

    test("by another login: only the later one counts", async () => {
        const alice = newChat();
        const first = assert.rejects(alice.login("alice", "garden"), { code: "closed" });
        assert.deepEqual(await alice.login("alice", "kitchen"), ["alice"]);
        await first;
        await until(() => system.connections() === 1, "one connection");
        assert.equal(alice.room, "kitchen");
    });
});

describe("connectorUrl", () => {
    const cases = [
        ["ws://127.0.0.1:3014", "127.0.0.1", "ws://127.0.0.1:3050"],
        ["ws://chat.example:3014", "127.0.0.1", "ws://chat.example:3050"],
        ["ws://chat.example:3014", "localhost", "ws://chat.example:3050"],
        ["wss://chat.example:3014", "10.0.0.7", "wss://10.0.0.7:3050"],
        ["ws://localhost:3014", "127.0.0.1", "ws://127.0.0.1:3050"],
        ["ws://[fe80::1]:3014", "127.0.0.1", "ws://[fe80::1]:3050"],
        ["ws://chat.example:3014", "fe80::2", "ws://[fe80::2]:3050"],
    ];
    for (const [gate, host, expected] of cases) {
        test(`${gate} names ${host}: ${expected}`, () => assert.equal(connectorUrl(gate, host, 3050), expected));
    }
});
