/**
 * A connector that has few file descriptors, and a crowd that wants them all and keeps what it gets. Who is in chats on, links are made
 * anew, the log names it, nothing spins; and when the crowd has gone, others come in.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { connectorPorts } from "../attacks/watch.mjs";
import { Client, roomOf, routes } from "../lib/edge_client.mjs";
import { startSystem } from "../lib/system.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";

endProcessAfter(100_000);

const run = promisify(execFile);
const server = "connector-server-1";
const descriptors = 110;
const crowdSize = 200;
const cpuMs = 2_000;
/** Of one core, at most: it looks ten times a second whether there is one free. */
const mostCpu = 0.2;

let system;
let port;
let pid;

const pidOf = async (id) => Number(await readFile(join(system.folder, `run/${id}.lock`), "utf8"));

before(async () => {
    system = await startSystem();
    [port] = await connectorPorts(system);
    pid = await pidOf(server);
    await run("prlimit", ["--pid", String(pid), `--nofile=${descriptors}:${descriptors}`]);
}, { timeout: 60_000 });

after(async () => { await system?.stop(); }, { timeout: 30_000 });

async function cpuSeconds() {
    const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1].split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
}
const log = () => readFile(join(system.folder, `logs/${server}.log`), "utf8");
const lines = async (what) => (await log()).split("\n").filter((line) => what.test(line));

test("descriptors run out: clients wait, links do not", { timeout: 90_000 }, async () => {
    const room = roomOf(0);
    const [ann, bob] = [await Client.open(port), await Client.open(port)];
    let heard = 0;
    bob.onPush = (route, body) => { heard += body.includes("hello") ? 1 : 0; };
    assert.ok((await bob.enter("bob", room)).users);
    assert.ok((await ann.enter("ann", room)).users);

    // Each sends a message as soon as it can, so that it need not give way to others.
    const crowd = Array.from({ length: crowdSize }, () => Client.open(port, { from: "127.0.0.2" })
        .then((one) => one.ask(routes.enter, { username: "", rid: "" }).then(() => one)));
    await until(async () => (await lines(/cannot accept/)).length > 0, "the log names it", 10_000);
    assert.match((await lines(/cannot accept/))[0], new RegExp(`port ${port}: cannot accept: Too many open files.* may have ${descriptors} descriptors`));

    const before = await cpuSeconds();
    const slowest = { ms: 0 };
    for (const end = Date.now() + cpuMs; Date.now() < end; await sleep(50)) {
        const begun = Date.now();
        assert.deepEqual(await ann.say("hello"), {});
        slowest.ms = Math.max(slowest.ms, Date.now() - begun);
    }
    const cpu = (await cpuSeconds() - before) / (cpuMs / 1000);
    const open = (await run("ls", [`/proc/${pid}/fd`])).stdout.trim().split("\n").length;
    console.log(`${open} of ${descriptors} descriptors in use; slowest answer ${slowest.ms} ms; ${(cpu * 100).toFixed(0)} % of a core`);
    assert.ok(heard > 10);
    assert.ok(cpu < mostCpu, "it spins");
    assert.ok(open > descriptors / 3 && open < descriptors - 16, "a reserve is left");

    // The owner of the room dies; the link to its next life needs a descriptor.
    const owner = "chat-server-1";
    const old = await pidOf(owner);
    process.kill(old, "SIGKILL");
    await until(async () => {
        const answer = await Promise.race([ann.say("hello again"), sleep(1000, {}, { ref: false })]);
        return answer.code === undefined && await pidOf(owner).catch(() => old) !== old;
    }, "the room is back", 10_000);
    assert.ok((await lines(/cannot accept a link/)).length <= 1);
    assert.deepEqual(await lines(/link with (?!chat-server-1).* lost/), []);
    assert.ok(!ann.isClosed && !bob.isClosed);

    crowd.forEach((one) => one.then((client) => client.close(), () => {}));
    await until(async () => {
        const newcomer = await Promise.race([Client.open(port), sleep(1000, null, { ref: false })]);
        const answer = newcomer && await newcomer.enter(`new${Date.now()}`, `${room}-door`);
        newcomer?.close();
        return answer?.users;
    }, "others come in again", 10_000);
    ann.close();
    bob.close();
});

/** Who says nothing gives way, so that a silent crowd keeps nobody out. */
test("a silent crowd that has all descriptors shuts nobody out", { timeout: 60_000 }, async () => {
    const silent = Array.from({ length: crowdSize }, () => {
        const socket = connect({ port, host: "127.0.0.1", localAddress: "127.0.0.3" });
        socket.on("error", () => {});
        return socket;
    });
    await sleep(1500);
    await until(async () => {
        const newcomer = await Promise.race([Client.open(port), sleep(3000, null, { ref: false })]);
        const answer = newcomer && await newcomer.enter(`late${Date.now()}`, roomOf(1));
        newcomer?.close();
        return answer?.users;
    }, "somebody comes in", 15_000);
    silent.forEach((socket) => socket.destroy());
});
