/**
 * The admin page in a real browser, against the real system, while people chat. Screenshots go to SHADDOCK_ARTEFACTS,
 * else build/artefacts.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import WebSocket from "ws";
import { Chat, everyone } from "../../../web/client/chat.js";
import { act, cellOf, chartOf, choose, hasPoints, hasState, openTab, rowOf, shot, startBrowser, stateOf } from "../lib/admin_tabs.mjs";
import { startSystem } from "../lib/system.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";

endProcessAfter(270_000);

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../../", import.meta.url));
const host = process.env.SHADDOCK_HOST_BIN ?? join(root, "build/release/bin/host");
const artefacts = process.env.SHADDOCK_ARTEFACTS ?? join(root, "build/artefacts");
const limitMs = 15_000;
const options = { timeout: 180_000 };

let system;
let browser;
/** What `host admin` printed. */
let address;
/** What pages complained about; must stay empty. */
const complaints = [];
const people = [];
let isTalking = true;
let talk = null;

before(async () => {
    await mkdir(artefacts, { recursive: true });
    system = await startSystem({ host });
    address = (await run(host, ["admin", "--run", join(system.folder, "run")])).stdout.trim();
    for (const [name, room] of [["alice", "garden"], ["bob", "garden"], ["carol", "kitchen"], ["dora", "attic"]]) {
        const person = new Chat({ gateUrl: `ws://127.0.0.1:${system.gatePort}`, WebSocket, reconnect: true });
        await person.login(name, room);
        people.push(person);
    }
    talk = keepTalking();
    browser = await startBrowser();
}, { timeout: 90_000 });

after(async () => {
    isTalking = false;
    await talk;
    people.forEach((person) => person.leave());
    await browser?.close();
    await system?.stop();
}, { timeout: 60_000 });

async function keepTalking() {
    for (let count = 0; isTalking; ++count) {
        // Whose server is being replaced says nothing: the page is what is tested.
        await Promise.allSettled(people.map((person) => person.send(`message ${count}`, everyone)));
        await sleep(20 + 60 * (1 + Math.sin(count / 40)));
    }
}

const open = (url = address, settings = {}) => openTab(browser, url, complaints, settings);
const allReady = (page) => page.locator("#ready-count", { hasText: "7 of 7 ready" }).waitFor();

describe("the token", options, () => {
    test("comes with the address, leaves it at once, and is kept for the tab", async () => {
        assert.match(address, /^http:\/\/127\.0\.0\.1:\d+\/admin#token=[0-9a-f]{64}$/);
        const page = await open();
        await allReady(page);
        assert.equal(new URL(page.url()).hash, "");
        assert.equal(await page.evaluate(() => sessionStorage.length), 1);
        assert.equal(await page.evaluate(() => localStorage.length + document.cookie.length), 0);
        await page.reload();
        await allReady(page);
        await page.getByRole("button", { name: "Sign out" }).click();
        await page.getByLabel("Token").waitFor();
        assert.equal(await page.evaluate(() => sessionStorage.length), 0);
        await page.context().close();
    });

    test("is asked for when it is missing or wrong; the form says where it lies", async () => {
        const page = await open(address.replace(/#.*/, ""));
        await page.getByLabel("Token").waitFor();
        assert.match(await page.locator("#token-form").textContent(), /host admin.*run\/token/s);
        assert.equal(await page.evaluate(() => document.activeElement.id), "token");
        await shot(page, artefacts, "token", false);
        const known = complaints.length;
        await page.getByLabel("Token").fill("0".repeat(64));
        await page.keyboard.press("Enter");
        await page.getByText("The master does not take this token").waitFor();
        assert.equal(await page.evaluate(() => sessionStorage.length), 0);
        // The browser itself reports a 401, possibly after the page has shown it.
        while (complaints.length === known) {
            await sleep(5);
        }
        assert.ok(complaints.splice(known).every((text) => /401/.test(text)));
        await page.getByLabel("Token").fill(await readFile(join(system.folder, "run/token"), "utf8"));
        await page.getByRole("button", { name: "Open" }).click();
        await allReady(page);
        await page.context().close();
    });
});

describe("the page", options, () => {
    let page;
    before(async () => {
        page = await open();
        await allReady(page);
    });
    after(() => page.context().close());

    test("lists the servers with what they have", async () => {
        const ids = await page.locator("#servers .link").allTextContents();
        assert.deepEqual(ids, ["chat-server-1", "chat-server-2", "chat-server-3", "connector-server-1", "connector-server-2",
            "connector-server-3", "gate-server-1"]);
        for (const id of ids) {
            assert.equal(await stateOf(page, id), "ready");
            assert.match(await cellOf(page, id, "Process"), /^\d+$/);
            assert.match(await cellOf(page, id, "Uptime"), /^\d+ (s|min)$/);
            assert.match(await cellOf(page, id, "Memory"), /^[\d.]+ MiB$/);
            assert.match(await cellOf(page, id, "Build"), /^\d+\.\d+\.\d+ [0-9a-f]{12}$/);
            assert.equal(await cellOf(page, id, "Gen."), "1");
        }
        const clients = await page.locator("#servers td[data-name=Clients]").allTextContents();
        assert.equal(clients.reduce((sum, text) => sum + Number(text), 0), people.length);
    });

    test("says where each server runs once there are several machines, also where they have one id", async () => {
        const machines = page.locator("#servers td[data-name=Machine]");
        assert.equal(await machines.first().isVisible(), false);
        const second = await openTab(browser, address, complaints, {}, (tab) => tab.route("**/api/servers", async (route) => {
            const answer = await route.fetch();
            const servers = await answer.json();
            await route.fulfill({ response: answer, json: ["10.0.0.1", "10.0.0.2"].flatMap((machine) => servers.map((each) => ({ ...each, machine }))) });
        }));
        const names = second.locator("#servers td[data-name=Machine]");
        await until(async () => await names.count() === 2 * await machines.count(), "both machines' servers", limitMs);
        assert.deepEqual([...new Set(await names.allTextContents())], ["10.0.0.1", "10.0.0.2"]);
        assert.equal(await second.getByRole("columnheader", { name: "Machine" }).isVisible(), true);
        await second.context().close();
    });

    test("draws what comes in", async () => {
        const clients = chartOf(page, "totals", "Clients");
        await hasPoints(clients, 3);
        assert.match(await clients.locator(".chart-line").getAttribute("d"), /^M[\d.]+,[\d.]+(L[\d.]+,[\d.]+){2}/);
        assert.equal(await clients.locator(".chart-value").textContent(), String(people.length));
        assert.equal(await clients.getByRole("img").getAttribute("aria-label"), "Clients: now 4, at most 4 in the last 5 minutes");
    });

    test("shows rates, latency, rooms and lag of a system at work", async () => {
        for (const title of ["Requests", "Deliveries", "Rooms", "p99 latency"]) {
            const chart = chartOf(page, "totals", title);
            await hasPoints(chart, 3);
            const peak = await chart.locator(".chart-note").textContent();
            assert.match(peak, /^5 min, peak (?!0[^.])[\d.]+/, title);
        }
        await hasPoints(chartOf(page, "totals", "Drops"), 3);
        const rooms = await page.locator("#servers td[data-name=Rooms]").allTextContents();
        assert.equal(rooms.slice(0, 3).reduce((sum, text) => sum + Number(text), 0), 3);
        assert.match(await cellOf(page, "chat-server-1", "Loop lag"), /^[\d.]+ (\u00b5s|ms)$/);
    });

    test("shows one server, with the lines of its log", async () => {
        await choose(page, "chat-server-1");
        assert.equal(await page.evaluate(() => document.activeElement.id), "detail-title");
        await page.locator("#log-lines li", { hasText: "chat-server-1 serves" }).first().waitFor();
        await hasPoints(chartOf(page, "detail-charts", "Memory"), 2);
    });

    test("shows requests by route", async () => {
        const owner = (await page.locator("#servers tr").evaluateAll((rows) => rows.map((row) => [
            row.querySelector(".link").textContent, row.querySelector("[data-name=Rooms]").textContent])))
            .find(([id, rooms]) => id.startsWith("chat") && rooms !== "0")[0];
        await choose(page, owner);
        const route = page.locator("#routes tr", { hasText: "chat.chatHandler.send" });
        await route.waitFor();
        const [requests, rate, p50, p99, failed] = await route.locator("td").allTextContents();
        assert.ok(Number(requests) > 0 && Number(rate) > 0, `${requests}, ${rate}/s`);
        assert.match(`${p50}, ${p99}`, /^[\d.]+ (\u00b5s|ms), [\d.]+ (\u00b5s|ms)$/);
        assert.equal(failed, "none");
        await shot(page, artefacts, "at-work");
        await choose(page, "chat-server-1");
    });

    test("reloads it, and rolls back", async () => {
        assert.match(await act(page, "Reload", "only chat-server-1"), /^chat-server-1: .*generation 1\) \u2192 .*generation 2\) in [\d.]+ ms$/);
        await until(async () => await cellOf(page, "chat-server-1", "Gen.") === "2", "generation 2", limitMs);
        assert.equal(await cellOf(page, "chat-server-2", "Gen."), "1");
        await page.locator("#log-lines li", { hasText: "generation 2" }).first().waitFor();
        assert.match(await act(page, "Roll back", "only chat-server-1"), /generation 2\) \u2192 .*in [\d.]+ ms$/);
        await until(async () => await cellOf(page, "chat-server-1", "Gen.") === "3", "generation 3", limitMs);
    });

    test("does nothing when one thinks better of it", async () => {
        const before = await cellOf(page, "chat-server-1", "Gen.");
        await page.locator("#do-reload").click();
        await page.getByText("Opens the module's file again").waitFor();
        await shot(page, artefacts, "confirm", false);
        await page.keyboard.press("Escape");
        await page.locator("#confirm").waitFor({ state: "hidden" });
        await page.locator("#do-stop").click();
        await page.getByRole("button", { name: "Cancel" }).click();
        await page.locator("#confirm").waitFor({ state: "hidden" });
        // Three more answers of the master show no change.
        const points = Number(await chartOf(page, "totals", "Clients").getAttribute("data-points"));
        await hasPoints(chartOf(page, "totals", "Clients"), points + 3);
        assert.equal(await stateOf(page, "chat-server-1"), "ready");
        assert.equal(await cellOf(page, "chat-server-1", "Gen."), before);
    });

    test("reloads all of a type", async () => {
        const said = await act(page, "Reload", "all 3 servers of type chat");
        assert.equal(said.split("\n").filter((line) => /^chat-server-\d: .*\u2192/.test(line)).length, 3, said);
    });

    test("restarts it", async () => {
        const before = await cellOf(page, "chat-server-1", "Process");
        assert.match(await act(page, "Restart", "only chat-server-1"), /^chat-server-1: ready as process \d+/);
        await until(async () => await cellOf(page, "chat-server-1", "Process") !== before, "another process", limitMs);
        await hasState(page, "chat-server-1", "ready");
    });

    test("stops a server, and starts it again", async () => {
        await choose(page, "chat-server-3");
        assert.equal(await act(page, "Stop"), "chat-server-3: stopped");
        await hasState(page, "chat-server-3", "stopped");
        await page.getByText("6 of 7 ready").waitFor();
        assert.deepEqual(await page.locator("#actions button:enabled").allTextContents(), ["Start"]);
        await shot(page, artefacts, "stopped");
        assert.match(await act(page, "Start", "only chat-server-3"), /^chat-server-3: ready as process \d+/);
        await hasState(page, "chat-server-3", "ready");
    });

    test("is used with the keyboard alone", async () => {
        await rowOf(page, "connector-server-1").getByRole("button").focus();
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { name: "connector-server-1" }).waitFor();
        await page.keyboard.press("Tab");
        assert.equal(await page.evaluate(() => document.activeElement.id), "do-reload");
        await page.keyboard.press("Enter");
        await page.locator("#confirm[open]").waitFor();
        await page.keyboard.press("Escape");
        await page.getByRole("button", { name: "Close" }).press("Enter");
        await page.locator("#details").waitFor({ state: "hidden" });
    });

    test("fits a phone", async () => {
        const phone = await open(address, { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 });
        await choose(phone, "connector-server-1");
        await phone.locator("#log-lines li").first().waitFor();
        assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth - window.innerWidth), 0);
        await phone.context().close();
    });
});

test("answers carry what keeps others out", options, async () => {
    const page = await fetch(address.replace(/#.*/, ""));
    assert.equal(page.status, 200);
    assert.match(page.headers.get("content-security-policy"), /default-src 'none'; script-src 'self'.*frame-ancestors 'none'/);
    assert.equal(page.headers.get("x-frame-options"), "DENY");
    assert.equal(page.headers.get("access-control-allow-origin"), null);
    const html = await page.text();
    assert.ok(!/<script(?![^>]* src=)/.test(html) && !/ on\w+=| style=/.test(html), "no inline script or style");
    assert.equal((await fetch(new URL("/admin/", new URL(system.url).origin))).status, 404, "not on the chat page's port");
});

test("no page has complained, and nothing came from elsewhere", () => {
    assert.deepEqual(complaints, []);
});
