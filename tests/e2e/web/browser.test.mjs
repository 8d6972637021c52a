/**
 * People chat in a real browser. Against SHADDOCK_WEB_URL (the page, with `?gate=PORT`) if that is set; else against a
 * system that this test starts (lib/system.mjs); with SHADDOCK_FAKE=1 against the fake system, to work on the page.
 * Screenshots go to SHADDOCK_ARTEFACTS, else build/artefacts.
 */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { chatProtos, startFakeChat } from "../lib/fake_chat.mjs";
import { startSystem } from "../lib/system.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";

endProcessAfter(240_000);

const artefacts = process.env.SHADDOCK_ARTEFACTS ?? fileURLToPath(new URL("../../../build/artefacts/", import.meta.url));
const limitMs = 10_000;
// Rooms of this run only: the system may be one that others use too.
const run = Date.now().toString(36).slice(-6);
const garden = `花园_${run}`;
const kitchen = `kitchen_${run}`;

let stopSystem = async () => {};
let webUrl;
let browser;
/** What pages complained about; must stay empty. */
const complaints = [];

before(async () => {
    await mkdir(artefacts, { recursive: true });
    webUrl = process.env.SHADDOCK_WEB_URL;
    if (!webUrl) {
        const system = process.env.SHADDOCK_FAKE === "1" ? await startFakeChat() : await startSystem({ edit: speakAll });
        webUrl = system.url;
        stopSystem = system.stop;
    }
    browser = await chromium.launch({
        executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
        args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"],
    });
}, { timeout: 60_000 });

after(async () => {
    await browser?.close();
    await stopSystem();
}, { timeout: 30_000 });

/** Dictionary and protobuf on all frontends of the real system. */
async function speakAll(config) {
    const file = join(config, "host.yaml");
    const yaml = await readFile(file, "utf8");
    assert.match(yaml, /^  dict: false$[^]*^  proto: false$/m);
    await writeFile(file, yaml.replace(/^  (dict|proto): false$/gm, "  $1: true"));
    await writeFile(join(config, "dictionary.json"), JSON.stringify(["onChat"]));
    await writeFile(join(config, "serverProtos.json"), JSON.stringify(chatProtos.server));
    await writeFile(join(config, "clientProtos.json"), JSON.stringify(chatProtos.client));
}

/**
 * Runs in a page before its scripts: `lastSocket` is the newest WebSocket; while `isOffline`, new ones never open.
 */
function breakableSockets() {
    const Original = window.WebSocket;
    window.WebSocket = function (url) {
        const nowhere = Object.assign(new EventTarget(), { close() {} });
        window.lastSocket = window.isOffline ? nowhere : new Original(url);
        return window.lastSocket;
    };
}

/**
 * A browser of its own for one person, at the login view, with a script that runs before the page's. `sockets` are the
 * WebSockets that it has opened, with the frames `sent` and `received`.
 */
async function openPage(options = {}, script = () => {}) {
    const context = await browser.newContext({ viewport: { width: 1100, height: 720 }, colorScheme: "light", ...options });
    const page = await context.newPage();
    await page.addInitScript(script);
    page.setDefaultTimeout(limitMs);
    page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
    page.on("request", (request) => {
        if (new URL(request.url()).origin !== new URL(webUrl).origin) {
            complaints.push(`fetched from elsewhere: ${request.url()}`);
        }
    });
    const sockets = [];
    page.on("websocket", (socket) => {
        sockets.push(socket);
        Object.assign(socket, { sent: [], received: [] });
        socket.on("framesent", ({ payload }) => socket.sent.push(Buffer.from(payload)));
        socket.on("framereceived", ({ payload }) => socket.received.push(Buffer.from(payload)));
    });
    await page.goto(webUrl);
    const person = { page, sockets };
    return Object.assign(person, bind(person, { submit, join: joinRoom, say, sees, doesNotSee, members, hasMembers, shot }));
}

async function submit({ page }, name, room) {
    await page.locator("#login-name").fill(name);
    await page.locator("#login-room").fill(room);
    await page.getByRole("button", { name: "Join" }).click();
}

async function joinRoom(person, name, room) {
    await person.submit(name, room);
    await person.page.locator("#connection[data-state=connected]").waitFor();
}

async function say({ page }, text) {
    await page.getByRole("textbox", { name: "Message" }).fill(text);
    await page.keyboard.press("Enter");
}

/** A row of the log has exactly this text, without its time. */
async function sees({ page }, ...rows) {
    for (const row of rows) {
        await until(async () => (await rowsOf(page)).includes(row), `row "${row}"`, limitMs);
    }
}

async function doesNotSee({ page }, part) {
    const rows = await rowsOf(page);
    assert.ok(!rows.some((row) => row.includes(part)), `a row has "${part}": ${JSON.stringify(rows)}`);
}

function rowsOf(page) {
    return page.locator("#messages > li").evaluateAll((rows) => rows.map((row) => [
        row.querySelector(".notice-text")?.textContent ?? row.querySelector(".head").textContent,
        row.querySelector(".text")?.textContent ?? "",
    ].join("")));
}

function members({ page }) {
    return page.locator("#members .name").allTextContents().then(([, ...names]) => names);
}

async function hasMembers(person, ...names) {
    await until(async () => JSON.stringify(await person.members()) === JSON.stringify(names), `members ${names}`, limitMs);
    assert.equal(await person.page.locator("#members-count").textContent(), String(names.length));
}

async function shot({ page }, name) {
    await page.waitForTimeout(200); // let what moves come to rest
    await page.screenshot({ path: join(artefacts, `page-${name}.png`) });
}

function bind(person, functions) {
    return Object.fromEntries(Object.entries(functions).map(([name, call]) => [name, (...rest) => call(person, ...rest)]));
}

/** The request and the reply of a connection's first two frames. */
function handshakeOf({ sent, received }) {
    const [request, reply] = [sent, received].map(([frame]) => JSON.parse(frame.subarray(4, 4 + frame.readUIntBE(1, 3))));
    return { request, reply };
}

const options = { timeout: 180_000 };
const toOwnSystem = { skip: process.env.SHADDOCK_WEB_URL ? "another system may be set up otherwise" : false };

describe("log in", options, () => {
    let person;
    before(async () => { person = await openPage(); });
    after(() => person.page.close());

    const errorOf = async (name, room) => {
        await person.submit(name, room);
        return person.page.locator("#login-error").textContent();
    };
    const badLength = "Name/Channel is too long or too short. 20 character max.";
    const badCharacter = "Bad character in Name/Channel. Can only have letters, numbers, Chinese characters, and '_'";

    test("is called Chat of Shaddock and begins in the name field", async () => {
        assert.equal(await person.page.title(), "Chat of Shaddock");
        assert.equal(await person.page.getByRole("heading", { level: 1 }).textContent(), "Chat of Shaddock");
        assert.equal(await person.page.evaluate(() => document.activeElement.id), "login-name");
        await person.shot("login");
    });

    test("refuses bad names and rooms with the reason, without a connection", async () => {
        assert.equal(await errorOf("", garden), badLength);
        assert.equal(await errorOf("a".repeat(21), garden), badLength);
        assert.equal(await errorOf("alice", ""), badLength);
        assert.equal(await errorOf("alice*", garden), badCharacter);
        assert.equal(await errorOf("alice", "a room"), badCharacter);
        assert.equal(await errorOf("😀", garden), badCharacter);
        assert.equal(person.sockets.length, 0);
        await person.shot("login-error");
    });

    test("says when there is no server", async () => {
        const url = new URL(webUrl);
        url.searchParams.set("gate", "1");
        const lonely = await openPage();
        const known = complaints.length;
        await lonely.page.goto(url.href);
        await lonely.submit("alice", garden);
        await lonely.page.getByText("There is no server to log in, please wait.").waitFor();
        await lonely.page.close();
        // The browser itself writes the failed connection to the console.
        complaints.splice(known);
    });
});

describe("chat", options, () => {
    let alice;
    let bob;

    before(async () => {
        alice = await openPage();
        bob = await openPage({ colorScheme: "dark" });
    });

    test("two people meet in a room and see each other", async () => {
        await alice.join("alice", garden);
        await alice.hasMembers("alice");
        assert.equal(await alice.page.locator("#room-title").textContent(), garden);
        assert.equal(await alice.page.locator("#connection").textContent(), "Connected");
        assert.equal(await alice.page.evaluate(() => document.activeElement.id), "entry");

        await bob.join("bob", garden);
        await bob.hasMembers("alice", "bob");
        await alice.hasMembers("alice", "bob");
        await alice.sees("bob is online now.");
        await bob.doesNotSee("bob is online");
        assert.equal(alice.sockets.length, 2, "one to the gate, one to the connector");
    });

    test("they talk to all, in Chinese and with emoji", async () => {
        await alice.say("hello");
        await bob.say("你好，今天的柚子很甜 🍊👋🏽");
        const rows = ["alice says to all: hello", "bob says to all: 你好，今天的柚子很甜 🍊👋🏽"];
        await Promise.all([alice.sees(...rows), bob.sees(...rows)]);
        assert.match(await alice.page.locator("#messages .message time").first().textContent(), /^\d\d:\d\d$/);
    });

    test("the entry is empty after sending, keeps lines apart, and ignores what is blank", async () => {
        assert.equal(await alice.page.locator("#entry").inputValue(), "");
        const before = (await rowsOf(alice.page)).length;
        await alice.say("   ");
        await alice.say(" \n ");
        await alice.page.locator("#entry").fill("one");
        await alice.page.keyboard.press("Shift+Enter");
        await alice.page.keyboard.type("two");
        await alice.page.getByRole("button", { name: "Send" }).click();
        await alice.sees("alice says to all: one\ntwo");
        assert.equal((await rowsOf(alice.page)).length, before + 1);
    });

    test("what looks like HTML is shown as text", async () => {
        const attack = "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>&amp;";
        await bob.say(attack);
        await alice.sees(`bob says to all: ${attack}`);
        assert.equal(await alice.page.locator("#messages img, #messages script").count(), 0);
        assert.ok(!(await alice.page.title()).includes("hacked"));
    });

    test("a private message reaches one only; its sender sees it too", async () => {
        const carol = await openPage();
        await carol.join("carol", garden);
        await alice.hasMembers("alice", "bob", "carol");
        await alice.page.locator("button.member", { hasText: "bob" }).click();
        assert.equal(await alice.page.locator("#target").inputValue(), "bob");
        await alice.say("bring a basket 🧺");
        await Promise.all([alice, bob].map((one) => one.sees("alice says to bob: bring a basket 🧺")));
        await bob.page.locator("#target").selectOption("alice");
        await bob.say("I will");
        await alice.sees("bob says to alice: I will");
        await alice.page.locator("#target").selectOption("*");
        await alice.say("see you all");
        await carol.sees("alice says to all: see you all");
        await carol.doesNotSee("basket");
        await carol.doesNotSee("I will");
        await alice.shot("room-light");
        await bob.shot("room-dark");

        await carol.page.close();
        await Promise.all([alice, bob].map((one) => one.sees("carol is offline now.")));
        await Promise.all([alice, bob].map((one) => one.hasMembers("alice", "bob")));
    });

    test("a private message does not become public when its receiver goes", async () => {
        const dave = await openPage();
        await dave.join("dave", garden);
        await alice.hasMembers("alice", "bob", "dave");
        await alice.page.locator("#target").selectOption("dave");
        await dave.page.getByRole("button", { name: "Leave" }).click();
        await dave.page.getByRole("heading", { name: "Chat of Shaddock" }).waitFor();
        await alice.sees("dave is offline now.");
        await alice.say("for dave only");
        await alice.page.getByText("dave is offline now. Choose who gets the message.").waitFor();
        assert.equal(await alice.page.locator("#entry").inputValue(), "for dave only");
        await alice.page.locator("#entry").fill("");
        await alice.page.locator("button.member", { hasText: "all" }).click();
        await dave.page.close();
        await bob.doesNotSee("for dave only");
    });

    test("a name that is taken in the room", async () => {
        const second = await openPage();
        await second.submit("alice", garden);
        await second.page.getByText("Please change your name to login.").waitFor();
        await second.shot("login-duplicate");
        await second.join("alice2", garden);
        await second.hasMembers("alice", "bob", "alice2");
        await second.page.close();
        await alice.hasMembers("alice", "bob");
    });

    test("someone switches rooms on the same connection", async () => {
        const erin = await openPage();
        await erin.join("erin", kitchen);
        const before = alice.sockets.length;
        const open = alice.sockets.filter((socket) => !socket.isClosed());
        assert.equal(open.length, 1);

        await alice.page.getByRole("button", { name: "Switch room" }).click();
        assert.equal(await alice.page.evaluate(() => document.activeElement.id), "switch-room");
        await alice.page.getByRole("dialog").getByLabel("Room").fill("not a room");
        await alice.page.keyboard.press("Enter");
        await alice.page.locator("#switch-error", { hasText: "Bad character" }).waitFor();
        await alice.shot("switch-room");
        await alice.page.getByRole("dialog").getByLabel("Room").fill(kitchen);
        await alice.page.keyboard.press("Enter");

        await alice.hasMembers("erin", "alice");
        assert.equal(await alice.page.locator("#room-title").textContent(), kitchen);
        await bob.sees("alice is offline now.");
        await bob.hasMembers("bob");
        await erin.sees("alice is online now.");
        assert.equal(alice.sockets.length, before, "no new connection");
        assert.equal(open[0].isClosed(), false, "the same connection");

        await alice.say("hello kitchen");
        await erin.sees("alice says to all: hello kitchen");
        await bob.page.locator("#target").selectOption("*");
        await bob.say("quiet here");
        await bob.sees("bob says to all: quiet here");
        await alice.say("still here");
        await alice.sees("alice says to all: still here");
        await alice.doesNotSee("quiet here");
        await bob.doesNotSee("kitchen");

        await alice.page.getByRole("button", { name: "Switch room" }).click();
        await alice.page.getByRole("dialog").getByLabel("Room").fill(garden);
        await alice.page.keyboard.press("Enter");
        await alice.hasMembers("bob", "alice");
        await bob.sees("alice is online now.");
        await erin.sees("alice is offline now.");
        await erin.page.close();
    });

    test("the connection is kept alive with heartbeats", async () => {
        const socket = alice.sockets.at(-1);
        let beats = 0;
        socket.on("framesent", ({ payload }) => { beats += Buffer.from(payload).toString("hex") === "03000000" ? 1 : 0; });
        await until(() => beats >= 2, "two heartbeats", 15_000);
        assert.equal(socket.isClosed(), false);
    });

    test("someone closes the tab", async () => {
        await bob.page.close();
        await alice.sees("bob is offline now.");
        await alice.hasMembers("alice");
    });

    test("a lost connection is opened again by itself, into the same room", async () => {
        const frank = await openPage({}, breakableSockets);
        await frank.join("frank", garden);
        await frank.hasMembers("alice", "frank");
        await frank.page.evaluate(() => window.lastSocket.close());
        await alice.sees("frank is offline now.");
        await until(() => frank.sockets.length === 4, "the gate and a connector again", limitMs);
        await frank.page.locator("#connection[data-state=connected]").waitFor();
        await frank.hasMembers("alice", "frank");
        assert.equal(await frank.page.locator("#lost").isVisible(), false);
        await frank.say("back again");
        await alice.sees("frank says to all: back again");
        await frank.page.close();
    });

    test("a kick that says shutdown or lost is a lost connection too", async () => {
        const heidi = await openPage({}, breakableSockets);
        await heidi.join("heidi", garden);
        for (const [index, reason] of ["shutdown", "lost"].entries()) {
            await heidi.page.evaluate((text) => {
                const body = new TextEncoder().encode(JSON.stringify({ reason: text }));
                const kick = new Uint8Array([5, 0, 0, body.length, ...body]);
                window.lastSocket.dispatchEvent(new MessageEvent("message", { data: kick.buffer }));
                window.lastSocket.close();
            }, reason);
            await until(() => heidi.sockets.length === 4 + 2 * index, "the gate and a connector again", limitMs);
            await heidi.page.locator("#connection[data-state=connected]").waitFor();
            await heidi.hasMembers("alice", "heidi");
            await heidi.say(`back after ${reason}`);
            await alice.sees(`heidi says to all: back after ${reason}`);
        }
        await heidi.page.close();
        await alice.sees("heidi is offline now.");
        await alice.hasMembers("alice");
    });

    test("while it is lost that is shown, and one can try at once", async () => {
        const grace = await openPage({}, breakableSockets);
        await grace.join("grace", garden);
        await grace.page.evaluate(() => {
            window.isOffline = true;
            window.lastSocket.close();
        });
        await grace.page.getByText("The connection is lost.").waitFor();
        await grace.page.getByText("Trying again now.").waitFor();
        assert.equal(await grace.page.locator("#send").isDisabled(), true);
        await grace.say("is anybody here?");
        await grace.page.getByText("You are not connected.").waitFor();
        await grace.shot("disconnected");
        await alice.sees("grace is offline now.");
        await grace.page.evaluate(() => { window.isOffline = false; });
        await grace.page.getByRole("button", { name: "Reconnect" }).click();
        await grace.page.locator("#connection[data-state=connected]").waitFor();
        await grace.hasMembers("alice", "grace");
        await grace.page.close();
        await alice.sees("grace is offline now.");
        await alice.hasMembers("alice");
    });

    test("over the wire go codes and protobuf, and after a reload the versions instead of the sets", toOwnSystem, async () => {
        const hana = await openPage();
        await hana.join("hana", garden);
        const first = handshakeOf(hana.sockets.at(-1));
        assert.deepEqual(Object.keys(first.request.sys), ["type", "version", "rsa"]);
        const { protos, routeToCode, dictVersion } = first.reply.sys;
        assert.deepEqual(Object.keys(protos.client), Object.keys(chatProtos.client));

        await hana.page.reload();
        await alice.sees("hana is offline now.");
        const known = hana.sockets.length;
        await hana.join("hana", garden);
        assert.equal(hana.sockets.length, known + 2);
        const second = handshakeOf(hana.sockets.at(-1));
        assert.deepEqual([second.request.sys.protoVersion, second.request.sys.dictVersion], [protos.version, dictVersion]);
        assert.deepEqual(second.reply.sys, { heartbeat: 3, useDict: true, useProto: true });

        const text = "第二次见面 🍊👋🏽";
        await hana.say(text);
        await Promise.all([hana, alice].map((one) => one.sees(`hana says to all: ${text}`)));
        const { sent, received } = hana.sockets.at(-1);
        const withText = (frames) => frames.filter((frame) => frame.includes(text)).map((frame) => frame.subarray(4));
        const fieldOf = (tag, value) => [tag * 8 + 2, Buffer.byteLength(value), ...Buffer.from(value)];
        const [request] = withText(sent);
        assert.deepEqual([...request], [1, request[1], 0, routeToCode["chat.chatHandler.send"],
            ...fieldOf(1, garden), ...fieldOf(2, text), ...fieldOf(3, "hana"), ...fieldOf(4, "*")]);
        const [push] = withText(received);
        assert.deepEqual([...push.subarray(0, 3)], [7, 0, routeToCode.onChat]);
        assert.ok(push.includes(Buffer.from(fieldOf(1, text))));
        await alice.say("welcome back 🌳");
        await hana.sees("alice says to all: welcome back 🌳");
        await hana.page.close();
        await alice.sees("hana is offline now.");
    });

    test("a page whose storage is refused, or full of nonsense, works all the same", toOwnSystem, async () => {
        const ivan = await openPage({}, () => {
            Object.defineProperty(window, "localStorage", { get: () => { throw new DOMException("no", "SecurityError"); } });
        });
        await ivan.join("ivan", garden);
        await ivan.say("nothing is kept here");
        await alice.sees("ivan says to all: nothing is kept here");
        await ivan.page.close();

        const judy = await openPage();
        await judy.join("judy", garden);
        const keys = await judy.page.evaluate(() => Object.keys(localStorage).map((key) => {
            localStorage.setItem(key, localStorage.getItem(key).slice(0, 50));
            return key;
        }));
        assert.ok(keys.includes(`shaddock:${judy.sockets.at(-1).url().replace(/\/$/, "")}`), `${keys}`);
        await judy.page.reload();
        await alice.sees("judy is offline now.");
        await judy.join("judy", garden);
        assert.deepEqual(Object.keys(handshakeOf(judy.sockets.at(-1)).request.sys), ["type", "version", "rsa"]);
        await judy.say("all is well");
        await alice.sees("judy says to all: all is well");
        await judy.page.close();
        await alice.sees("judy is offline now.");
    });

    test("the library signs with a key of the browser's own", async () => {
        const isValid = await alice.page.evaluate(async () => {
            const { signingKey } = await import("/client/shaddock.js");
            const toBytes = (hex) => Uint8Array.from(hex.match(/../g), (byte) => parseInt(byte, 16));
            const toBase64url = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/[+]/g, "-").replace(/[/]/g, "_").replace(/=/g, "");
            const { n, e, sign } = await signingKey();
            const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
            const key = await crypto.subtle.importKey("jwk", { kty: "RSA", n: toBase64url(toBytes(n)), e: "AQAB" }, algorithm, false, ["verify"]);
            const text = '{"content":"你好 🍊"}';
            return e === 65537 && crypto.subtle.verify(algorithm, key, toBytes(await sign(text)), new TextEncoder().encode(text));
        });
        assert.equal(isValid, true);
    });

    test("it works on a phone, and with the keyboard alone", async () => {
        const phone = await openPage({ viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true });
        await phone.shot("phone-login");
        await phone.join("小明", garden);
        await alice.hasMembers("alice", "小明");
        await alice.say("Have you seen the tree behind the house? It carries more fruit than ever.");
        await phone.say("我也想去！🌳");
        await phone.sees("小明 says to all: 我也想去！🌳");
        await phone.shot("phone-room");
        assert.equal(await phone.page.evaluate(() => document.documentElement.scrollWidth), 360, "nothing sticks out");
        const small = await phone.page.locator("button:visible, input:visible, select:visible, textarea:visible")
            .evaluateAll((controls) => controls.filter((one) => one.getBoundingClientRect().height < 44).map(({ id }) => id));
        assert.deepEqual(small, [], "controls under 44 px");

        await phone.page.getByRole("button", { name: "2 members" }).tap();
        await phone.shot("phone-members");
        await phone.page.locator("button.member", { hasText: "alice" }).tap();
        assert.equal(await phone.page.locator("#target").inputValue(), "alice");
        assert.equal(await phone.page.locator("#members-panel").isVisible(), false);

        await phone.page.getByRole("button", { name: "2 members" }).focus();
        await phone.page.keyboard.press("Enter");
        await phone.page.keyboard.press("Tab"); // Switch room
        assert.equal(await phone.page.getByRole("button", { name: "2 members" }).getAttribute("aria-expanded"), "true");
        await phone.page.getByRole("button", { name: "Leave" }).tap();
        assert.equal(await phone.page.evaluate(() => document.activeElement.id), "login-name");
        await phone.page.close();
        await alice.sees("小明 is offline now.");
    });

    test("no page complained, and nothing came from elsewhere", () => {
        assert.deepEqual(complaints, []);
    });
});
