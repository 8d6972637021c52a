/** The network of several machines that other tests use: its links break and heal, and it leaves nothing behind. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { NetLab, noNetLab } from "../lib/net_lab.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";

endProcessAfter(60_000);
const run = promisify(execFile);
const names = ["one", "two", "three", "four"];
const port = 4000;
const silentMs = 300;

/** Answers with what it is told. */
const echo = `require("node:net").createServer((socket) => socket.on("error", () => {}).pipe(socket)).listen(${port}, () => console.log("ready"));`;
/** Says a number every 20 ms over one connection, and prints what comes back and how long it took. */
const asker = (address) => `
    const socket = require("node:net").connect(${port}, "${address}", () => setInterval(() => socket.write(performance.now() + "\\n"), 20));
    socket.setNoDelay(true);
    socket.on("data", (bytes) => { for (const sent of bytes.toString().trim().split("\\n")) { console.log(performance.now() - sent); } });
    socket.on("error", ({ code }) => { console.log(code); process.exit(); });`;

describe("a lab of four machines", { skip: noNetLab() ?? false }, () => {
    let lab;
    before(async () => {
        lab = await NetLab.open(names);
        await Promise.all(names.map((name) => once(lab.spawn(name, process.execPath, ["-e", echo]).stdout, "data")));
    });
    after(() => lab.close());

    class Asker {
        answers = [];
        constructor(from, to) {
            this.child = lab.spawn(from, process.execPath, ["-e", asker(lab.addressOf(to))]);
            this.child.stdout.on("data", (bytes) => this.answers.push(...bytes.toString().trim().split("\n")));
        }

        async hears(what) {
            const before = this.answers.length;
            await until(() => this.answers.length > before + 3, `${what}: answers`, 15_000);
        }

        /** Nothing but what was on its way when this began. */
        async hearsNothing() {
            await new Promise((resolve) => setTimeout(resolve, 50));
            const before = this.answers.length;
            await new Promise((resolve) => setTimeout(resolve, silentMs));
            assert.equal(this.answers.length, before);
        }

        stop() {
            this.child.kill("SIGKILL");
        }
    }

    async function withAskers(pairs, body) {
        const askers = pairs.map(([from, to]) => new Asker(from, to));
        try {
            await Promise.all(askers.map((each) => each.hears("at first")));
            await body(...askers);
        } finally {
            askers.forEach((each) => each.stop());
        }
    }

    test("each hears each, and this process's network knows nothing of it", async () => {
        const pairs = names.flatMap((from) => names.filter((to) => to !== from).map((to) => [from, to]));
        await withAskers(pairs, () => {});
        const { stdout } = await run("ip", ["address"]);
        assert.doesNotMatch(stdout, /10\.77\.0\./);
    });

    test("a link that is cut is silent, and its connections go on when it is mended", async () => {
        await withAskers([["one", "two"], ["three", "four"]], async (cut, other) => {
            await lab.cutLink("two");
            await cut.hearsNothing();
            await other.hears("while another link is cut");
            await lab.mendLink("two");
            await cut.hears("mended");
        });
    });

    test("a blackhole swallows one way between two, and nothing else", async () => {
        await withAskers([["one", "two"], ["one", "three"], ["four", "two"]], async (swallowed, beside, behind) => {
            await lab.blackhole("one", "two");
            await swallowed.hearsNothing();
            await Promise.all([beside.hears("another one's"), behind.hears("another one")]);
            await lab.mendRoute("one", "two");
            await swallowed.hears("mended");
        });
    });

    test("what a machine sends is late", async (t) => {
        const why = await lab.noDelay();
        if (why) {
            t.skip(why);
            return;
        }
        await withAskers([["one", "two"], ["three", "four"]], async (late, other) => {
            await lab.delay("two", 100);
            await until(() => Number(late.answers.at(-1)) > 95, "answers are late");
            assert.ok(Number(other.answers.at(-1)) < 90);
            await lab.delay("two", 0);
            await until(() => Number(late.answers.at(-1)) < 90, "and no longer");
        });
    });
});

test("what a test that was killed left behind is removed by the next one", { skip: noNetLab() ?? false }, async () => {
    const library = fileURLToPath(new URL("../lib/net_lab.mjs", import.meta.url));
    const program = `
        const { NetLab } = await import("${library}");
        const lab = await NetLab.open(["left"]);
        console.log(lab.spawn("left", "sleep", ["1000"]).pid);
        setInterval(() => {}, 1000);`;
    const killed = spawn(process.execPath, ["--input-type=module", "-e", program]);
    const [said] = await once(killed.stdout, "data");
    const spaces = async () => (await run("ip", ["netns", "list"])).stdout.split("\n").filter((name) => name.includes(`-${killed.pid}-`));
    assert.equal((await spaces()).length, 2);
    killed.kill("SIGKILL");
    await once(killed, "exit");
    await until(() => {
        try {
            return process.kill(Number(said), 0) && false;
        } catch {
            return true;
        }
    }, "its process ended with it");
    const next = await NetLab.open(["one"]);
    try {
        assert.deepEqual(await spaces(), []);
    } finally {
        await next.close();
    }
});
