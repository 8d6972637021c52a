/** What people do in the chat, for three clients of any kind, with all that each of them must be told and nothing else. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../lib/wait.mjs";

export const routes = {
    queryEntry: "gate.gateHandler.queryEntry",
    enter: "connector.entryHandler.enter",
    send: "chat.chatHandler.send",
};

const limitMs = 5_000;
const host = "127.0.0.1";
const failed = { code: 500 };

/** Ends with an error if `promise` has no end in time; a third party's client may wait for ever. */
export async function within(promise, what) {
    const late = sleep(limitMs, null, { ref: false }).then(() => { throw new Error(`${what}: not within ${limitMs} ms`); });
    return Promise.race([promise, late]);
}

/** One person and the client in use. */
export class Person {
    /** What the client must have told, in order. */
    expected = [];
    /** Of the connector. */
    port = 0;
    #storage = new Map();
    #form;

    /**
     * @param {string} name
     * @param {typeof import("./adapters/adapter.mjs").Adapter} Client
     * @param {object} form as in {@link chat}
     */
    constructor(name, Client, form) {
        this.name = name;
        this.Client = Client;
        this.#form = form;
    }

    /** Starts the client, which keeps what an earlier one stored; asks the gate and connects to the connector. */
    async login(gatePort) {
        this.client = new this.Client(this.#storage);
        this.expected = [];
        await within(this.client.connect(host, gatePort), `${this.name}: the gate's handshake`);
        const entry = await this.ask(routes.queryEntry, { uid: this.name });
        assert.deepEqual(entry, { code: 200, host, port: entry.port });
        this.client.disconnect();
        this.port = entry.port;
        await within(this.client.connect(entry.host, entry.port), `${this.name}: the connector's handshake`);
    }

    ask(route, body) {
        return within(this.client.request(route, body), `${this.name}: ${route}`);
    }

    /** @returns the names in the room, in whatever order */
    async enter(room) {
        const answer = await this.ask(routes.enter, { username: this.name, rid: room });
        assert.deepEqual(Object.keys(answer), ["users"], `${this.name} enters ${room}: ${JSON.stringify(answer)}`);
        return answer.users.sort();
    }

    say(content, target, room = "") {
        return this.ask(routes.send, this.message(content, target, room));
    }

    /** What a client sends to `send`; only `content` and `target` count. */
    message(content, target, room = "") {
        return { rid: room, content, from: "someone else", target, seq: 300 };
    }

    willSee(route, body) {
        this.expected.push([route, body]);
    }

    willSeeCome(name) {
        this.willSee("onAdd", this.#presence("onAdd", name));
    }

    willSeeGo(name) {
        this.willSee("onLeave", this.#presence("onLeave", name));
    }

    willHear(msg, from, target) {
        const read = this.#form.protobuf.includes("onChat") ? this.Client.readsProtobufText(msg) : msg;
        this.willSee("onChat", { msg: read, from, target });
    }

    #presence(route, user) {
        return this.#form.protobuf.includes(route) ? { user } : { route, user };
    }

    /** Waits until as much was told as must be, and compares. */
    async hasSeenAll() {
        const { client, expected } = this;
        await until(() => client.events.length >= expected.length || client.faults.length > 0,
            `${this.name}: ${JSON.stringify(expected)}; so far ${JSON.stringify(client.events)}`, limitMs).catch(() => {});
        assert.deepEqual(client.faults, [], `${this.name}: the client's complaints`);
        assert.deepEqual(client.events, expected, `${this.name}: what the client has told`);
    }

    leave() {
        this.client.disconnect();
    }
}

/**
 * The script. `form` says how the system was set up.
 * @param {{gatePort: number, Clients: Function[], room: string,
 *   form: {dict: string[], protobuf: string[]}}} given `Clients`: three classes of adapters; `form.dict` and
 *   `form.protobuf`: the routes, of pushes and of requests, that have a code, and a proto
 */
export async function chat({ gatePort, Clients, room, form }) {
    const [First, Second, Third] = Clients;
    const alice = new Person("alice", First, form);
    const bob = new Person("bob", Second, form);
    const hong = new Person("小红", Third, form);
    const all = [alice, bob, hong];
    const scene = { alice, bob, hong, all, room, otherRoom: `${room}-厨房`, gatePort, form, settle };
    async function settle() {
        await Promise.all(all.filter(({ client }) => client).map((person) => person.hasSeenAll()));
    }
    try {
        await comeTogether(scene);
        await talk(scene);
        await refuse(scene);
        await goAround(scene);
        await part(scene);
    } finally {
        all.forEach(({ client }) => client?.disconnect());
    }
}

async function comeTogether({ all, room, gatePort, settle }) {
    for (const [index, person] of all.entries()) {
        const here = all.slice(0, index);
        here.forEach((other) => other.willSeeCome(person.name));
        await person.login(gatePort);
        assert.deepEqual(await person.enter(room), all.slice(0, index + 1).map(({ name }) => name).sort());
        await settle();
    }
}

/** To everyone, of which the speaker is one; to one, who alone hears it; to oneself; to nobody. */
async function talk({ alice, bob, hong, all, room, settle }) {
    const tell = (from, target, text, hearers) => hearers.forEach((person) => person.willHear(text, from.name, target));

    const greeting = "你好 😀 hello";
    tell(alice, "*", greeting, all);
    assert.deepEqual(await alice.say(greeting, "*", room), {});
    await settle();

    tell(hong, "*", "a notify", all);
    hong.client.notify(routes.send, hong.message("a notify", "*"));
    await settle();

    // Lengths of more than one byte: as much as the page allows, and nearly all that the chat takes.
    for (const long of ["长".repeat(2_000), "x".repeat(30_000)]) {
        tell(bob, "*", long, all);
        assert.deepEqual(await bob.say(long, "*", room), {});
        await settle();
    }

    // At once: they come in this order.
    for (let count = 1; count <= 30; count += 1) {
        tell(alice, "*", `${count}`, all);
        alice.client.notify(routes.send, alice.message(`${count}`, "*"));
    }
    await settle();

    tell(alice, bob.name, "psst", [bob]);
    assert.deepEqual(await alice.say("psst", bob.name), {});
    tell(bob, hong.name, "嘘", [hong]);
    assert.deepEqual(await bob.say("嘘", hong.name), {});
    tell(hong, hong.name, "to myself", [hong]);
    assert.deepEqual(await hong.say("to myself", hong.name), {});
    assert.deepEqual(await bob.say("gone", "nobody"), failed);
    // What all hear comes behind what only one should have heard.
    tell(bob, "*", "so much for that", all);
    assert.deepEqual(await bob.say("so much for that", "*"), {});
    await settle();
}

async function refuse({ alice, bob, hong, all, room, gatePort, form, settle }) {
    const twin = new Person("alice", bob.Client, form);
    try {
        await twin.login(gatePort);
        assert.deepEqual(await twin.say("before enter", "*"), failed);
        assert.deepEqual(await twin.ask(routes.enter, { username: "alice", rid: room }), { code: 500, error: true });
        // The connection is as good as before.
        twin.name = "dave";
        all.forEach((person) => person.willSeeCome("dave"));
        assert.equal((await twin.enter(room)).length, 4);
        await settle();
        all.forEach((person) => person.willSeeGo("dave"));
        await twin.hasSeenAll();
    } finally {
        twin.client?.disconnect();
    }
    await settle();

    // Asked at once: the answers may come in any order.
    const wrong = ["chat.nope.send", "chat.chatHandler.nope", "connector.nope.x", "connector.entryHandler.nope", "nosuch.a.b",
        "a.b", "a.b.c.d", "abc", "chat.chatHandler.toString"];
    for (const person of [alice, bob, hong]) {
        const answers = await Promise.all(wrong.map((route) => person.ask(route, {})));
        assert.deepEqual(answers, wrong.map(() => failed));
    }
}

/** From room to room on one connection. */
async function goAround({ alice, bob, hong, room, otherRoom, settle }) {
    [alice, hong].forEach((person) => person.willSeeGo("bob"));
    assert.deepEqual(await bob.enter(otherRoom), ["bob"]);
    await settle();

    bob.willSeeCome("alice");
    hong.willSeeGo("alice");
    assert.deepEqual(await alice.enter(otherRoom), ["alice", "bob"]);
    await settle();

    [alice, bob].forEach((person) => person.willHear("here?", "alice", "*"));
    assert.deepEqual(await alice.say("here?", "*"), {});
    hong.willHear("alone", "小红", "*");
    assert.deepEqual(await hong.say("alone", "*"), {});
    // She stayed there.
    assert.deepEqual(await bob.say("psst", hong.name), failed);
    await settle();

    bob.willSeeGo("alice");
    hong.willSeeCome("alice");
    assert.deepEqual(await alice.enter(room), ["alice", "小红"]);
    await settle();
}

/** Kicked, gone, come back, gone again. */
async function part({ alice, bob, hong, room, gatePort, settle }) {
    alice.willSeeGo("小红");
    hong.expected.push(hong.Client.knowsKickReason ? ["kick", "attack"] : ["kick"], ["close"]);
    let answer = "none";
    hong.client.request("chat.chatHandler.constructor", {}).then((given) => { answer = given; }, () => {});
    await settle();
    assert.equal(answer, "none", "who is kicked gets no answer");

    bob.willHear("last words", "bob", "*");
    assert.deepEqual(await bob.say("last words", "*"), {});
    await settle();
    bob.leave();

    // What a client kept of the first visit is good for the next.
    hong.client.disconnect();
    await hong.login(gatePort);
    alice.willSeeCome("小红");
    assert.deepEqual(await hong.enter(room), ["alice", "小红"]);
    [alice, hong].forEach((person) => person.willHear("welcome back 再见", "alice", "*"));
    assert.deepEqual(await alice.say("welcome back 再见", "*"), {});
    await settle();
    alice.willSeeGo("小红");
    hong.leave();
    await alice.hasSeenAll();

    await bob.login(gatePort);
    alice.willSeeCome("bob");
    assert.deepEqual(await bob.enter(room), ["alice", "bob"]);
    await alice.hasSeenAll();
    alice.leave();
    bob.willSeeGo("alice");
    await bob.hasSeenAll();
    bob.leave();
}
