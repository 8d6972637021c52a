/**
 * The admin page in a real browser, with a master that says what the test wants (lib/fake_master.mjs). Screenshots go
 * to SHADDOCK_ARTEFACTS, else build/artefacts.
 */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { act, cellOf, chartOf, choose, hasPoints, openTab, shot, startBrowser, stateOf } from "../lib/admin_tabs.mjs";
import { startFakeMaster } from "../lib/fake_master.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";

endProcessAfter(170_000);

const artefacts = process.env.SHADDOCK_ARTEFACTS ?? fileURLToPath(new URL("../../../build/artefacts/", import.meta.url));
const options = { timeout: 120_000 };
const periodMs = 2_000;

let browser;
let master;
let tabs = [];
const complaints = [];

before(async () => {
    await mkdir(artefacts, { recursive: true });
    browser = await startBrowser();
}, { timeout: 60_000 });
after(() => browser?.close());

beforeEach(async () => { master = await startFakeMaster(); });
afterEach(async () => {
    await Promise.all(tabs.map((page) => page.context().close()));
    tabs = [];
    await master.stop();
    assert.deepEqual(complaints.splice(0), []);
});

async function open(settings, address = master.address) {
    const page = await openTab(browser, address, complaints, settings);
    tabs.push(page);
    return page;
}

/** A tab whose clock only goes on in `rounds`. */
async function openInOwnTime(settings) {
    const page = await openTab(browser, master.address, complaints, settings, async ({ clock }) => {
        const start = new Date("2026-11-21T22:00:00");
        await clock.install({ time: start });
        await clock.pauseAt(new Date(start.getTime() + 1000));
    });
    tabs.push(page);
    await page.locator("#servers tr").first().waitFor();
    return page;
}

/** So many rounds of the page, in which the servers work. */
async function rounds(page, count) {
    for (let round = 0; round < count; ++round) {
        master.pass(periodMs / 1000);
        const points = Number(await chartOf(page, "totals", "Clients").getAttribute("data-points"));
        await page.clock.runFor(periodMs);
        if (points < 150) {
            await hasPoints(chartOf(page, "totals", "Clients"), points + 1);
        }
    }
}

describe("what it shows", options, () => {
    for (const [name, settings] of [
        ["light", {}], ["dark", { colorScheme: "dark" }], ["tablet", { viewport: { width: 1000, height: 900 } }],
        ["phone", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 }],
    ]) {
        test(`${name}: charts of minutes, and nothing is wider than the window`, async () => {
            master.servers[1].kept = 1;
            master.servers[2].state = "draining";
            master.servers[4].generation = 12;
            Object.assign(master.servers[5], { state: "failed", pid: null });
            for (let line = 1; line < 60; ++line) {
                master.logs.push(`2026-11-21 22:4${line % 10}:02.176 ${["info ", "warn ", "debug", "error"][line % 17 % 4]} [chat-server-1] net: line ${line} of its log`);
            }
            const page = await openInOwnTime(settings);
            await choose(page, "chat-server-2");
            await rounds(page, 60);
            assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth), 0);
            await shot(page, artefacts, name);
        });
    }

    test("rates, latency and routes are those of the numbers", async () => {
        const page = await openInOwnTime();
        await choose(page, "chat-server-2");
        const { done } = master.servers[1];
        Object.assign(done, { ok: 1000, failed: 7 });
        await page.clock.runFor(periodMs);
        await hasPoints(chartOf(page, "totals", "Requests"), 1);
        done.ok += 500;
        await page.clock.runFor(periodMs);
        await until(async () => await cellOf(page, "chat-server-2", "Requests/s") === "250", "250 requests per second");
        // Only what comes in at frontends is a client's request.
        assert.equal(await chartOf(page, "totals", "Requests").locator(".chart-value").textContent(), "0/s");
        assert.equal(await chartOf(page, "detail-charts", "Requests").locator(".chart-value").textContent(), "250/s");
        assert.match(await cellOf(page, "chat-server-2", "p99"), /^[\d.]+ ms$/);
        assert.equal(await cellOf(page, "chat-server-2", "Rooms"), "12");
        const rows = await page.locator("#routes tr").evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
        assert.equal(rows[0][0], "chat.chatHandler.send");
        assert.deepEqual(rows[0].slice(1, 3), ["1507", "250"]);
        assert.equal(rows[0][5], "7 timeout");
        assert.deepEqual(rows[1], ["unknown", "3", "0", "\u2013", "\u2013", "3 not_found"]);
    });

    test("says what a point of a chart was", async () => {
        const page = await openInOwnTime();
        await rounds(page, 20);
        const picture = chartOf(page, "totals", "Requests").locator("svg");
        const { width, height } = await picture.boundingBox();
        await picture.hover({ position: { x: width - 10, y: height / 2 } });
        assert.match(await chartOf(page, "totals", "Requests").locator(".chart-note").textContent(), /^\d+ s ago: [\d.]+k?\/s$/);
        await page.mouse.move(0, 0);
        assert.match(await chartOf(page, "totals", "Requests").locator(".chart-note").textContent(), /^5 min, peak /);
    });

    test("what a server says is text, whatever it is", async () => {
        const nasty = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>";
        master.logs.push(nasty);
        master.servers[0].id = nasty;
        master.servers[0].version = nasty;
        const page = await open();
        await choose(page, nasty);
        await page.locator("#log-lines li", { hasText: "<img src=x" }).waitFor();
        assert.equal(await page.locator("#log-lines li").last().textContent(), nasty);
        assert.equal(await page.locator("#page main img, #page main script").count(), 0);
        assert.match(await page.title(), /Shaddock admin/);
    });

    test("does without metrics", async () => {
        master.hasMetrics = false;
        const page = await open();
        await hasPoints(chartOf(page, "totals", "Clients"), 2);
        assert.equal(await chartOf(page, "totals", "Requests").locator(".chart-value").textContent(), "\u2013");
        assert.equal(await cellOf(page, "chat-server-1", "Rooms"), "\u2013");
        // The browser itself reports the 404.
        assert.ok(complaints.splice(0).every((text) => /404/.test(text)));
    });
});

describe("what it does", options, () => {
    test("a refusal is shown with its reason, and who was not asked", async () => {
        const build = { version: "0.1.0", build_id: "5be2a1c09f3d", generation: 1 };
        const asked = [];
        master.answers["/api/reload"] = (body) => {
            asked.push(body);
            return [200, { results: [
                { id: "chat-server-1", type: "chat", ok: false, from: build, reason: "found no ELF file", ms: 3 },
                { id: "chat-server-2", type: "chat", ok: false, skipped: true, from: build, reason: "another has refused", ms: 0 },
            ] }];
        };
        const page = await open();
        await choose(page, "chat-server-1");
        assert.equal(await act(page, "Reload", "all 3 servers of type chat"),
            "chat-server-1: refused: found no ELF file\nchat-server-2: not touched: another has refused");
        assert.deepEqual(asked, [{ targets: ["chat"] }]);
        assert.equal(await page.locator("#outcomes .bad").count(), 2);
        await shot(page, artefacts, "refused", false);
        await page.getByRole("button", { name: "OK" }).click();
        await page.locator("#notices").waitFor({ state: "hidden" });
    });

    test("a call that was refused as a whole says why", async () => {
        master.answers["/api/reload"] = () => [409, { error: "another reload is under way" }];
        const page = await open();
        await choose(page, "gate-server-1");
        assert.equal(await act(page, "Reload"), "Reload gate-server-1: another reload is under way");
        assert.ok(complaints.splice(0).every((text) => /409/.test(text)));
    });

    test("no second action while one is under way", async () => {
        let finish;
        const page = await open();
        await page.route("**/api/restart", async (route) => {
            await new Promise((resolve) => { finish = resolve; });
            await route.fulfill({ json: { results: [{ id: "chat-server-1", ok: true, pid: 5, ms: 12 }] } });
        });
        await choose(page, "chat-server-1");
        await page.locator("#do-restart").click();
        await page.locator("#confirm-go").click();
        await page.getByText("Restarting chat-server-1").waitFor();
        await until(() => finish, "the call");
        assert.equal(await page.locator("#actions button:enabled").count(), 0);
        finish();
        await page.getByText("chat-server-1: ready as process 5 after 12 ms").waitFor();
        await until(async () => await page.locator("#actions button:enabled").count() > 0, "buttons");
    });

    test("only what can be done is offered", async () => {
        Object.assign(master.servers[0], { state: "stopped", pid: null });
        master.servers[1].generation = 2;
        Object.assign(master.servers[2], { state: "draining", draining: { rooms: 2, members: 3 } });
        const stops = master.servers[3];
        stops.state = "draining";
        const page = await open();
        const enabled = () => page.locator("#actions button:enabled").allTextContents();
        await choose(page, "chat-server-1");
        assert.deepEqual(await enabled(), ["Start"]);
        await choose(page, "chat-server-2");
        assert.deepEqual(await enabled(), ["Reload", "Roll back", "Restart", "Stop"]);
        await choose(page, "chat-server-3");
        assert.deepEqual(await enabled(), ["Reload", "Restart", "Stop"]);
        await choose(page, stops.id);
        assert.deepEqual(await enabled(), []);
    });
});

describe("without an answer", options, () => {
    test("it says so, keeps the last state greyed, and goes on when the master answers again", async () => {
        const page = await open();
        await page.getByText("7 of 7 ready").waitFor();
        await choose(page, "chat-server-1");
        await page.route("**/api/**", (route) => route.abort());
        await page.getByText("The master does not answer.").waitFor();
        assert.equal(await page.locator("#servers tr").count(), 7);
        assert.equal(await stateOf(page, "chat-server-1"), "ready");
        assert.equal(await page.locator("#page.stale").count(), 1);
        assert.equal(await page.locator("#actions button:enabled").count(), 0);
        assert.match(await page.title(), /^No answer/);
        await shot(page, artefacts, "lost", false);
        await page.unroute("**/api/**");
        await page.locator("#live[data-state=live]").waitFor();
        await page.locator("#lost").waitFor({ state: "hidden" });
        assert.ok(complaints.splice(0).every((text) => /Failed to load resource/.test(text)));
    });

    test("a new master's token can be given in the same tab", async () => {
        const page = await open({}, master.address.replace(/token=f/, "token=e"));
        await page.getByText("The master does not take this token").waitFor();
        assert.ok(complaints.splice(0).every((text) => /401/.test(text)));
        await page.goto(master.address);
        await page.getByText("7 of 7 ready").waitFor();
        assert.equal(new URL(page.url()).hash, "");
    });
});
