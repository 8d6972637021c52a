/** Three machines and a nats-server: what people notice when one of them, the network or NATS fails. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { hostLostS, machineLostS, Machines } from "../lib/machines.mjs";
import { noNatsServer } from "../lib/nats_server.mjs";
import { noNetLab } from "../lib/net_lab.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";

endProcessAfter(280_000);
const outageS = process.env.SHADDOCK_LONG ? 60 : hostLostS + 2;
/** What a person may see when a link between two servers, or a server, fails under it; never a message too much or out of order. */
const faults = ["--reconnect", "--login-timeout", "10", "--allow", "lost,unexpected_close,unanswered,wrong_answer,missing_leave"];
/** With a connector its room's server went, so a leave may be untold (docs/promises.md): who comes back is announced again. */
const machineFaults = [...faults.slice(0, -1), `${faults.at(-1)},out_of_turn`];
/** Its people stay connected while the others have them leave, and are kicked with `lost` when it hears of that. */
const cutOff = [...machineFaults.slice(0, -1), `${machineFaults.at(-1)},unexpected_kick,stray_leave`];

describe("a system on three machines", { skip: noNetLab() ?? noNatsServer() ?? false }, () => {
    let machines;
    before(async () => { machines = await Machines.start(); });
    after(() => machines.close());

    /** People talk for so long; meanwhile something happens. @returns the report */
    async function talkWhile(seconds, happens, options = faults) {
        const talk = machines.load(["--users", "24", "--rooms", "8", "--seconds", String(seconds), "--rate", "4", ...options]);
        talk.catch(() => {}); // told below
        await sleep(1000);
        await happens();
        return talk.catch((failed) => { throw new Error(`${failed.message}\n${failed.stdout}\n${machines.outputs()}`); });
    }

    test("people on different machines talk in one room", () =>
        machines.load(["--users", "40", "--rooms", "6", "--seconds", "4", "--rate", "4", "--switch-every", "2", "--private", "0.2"]));

    test("people with clients of other makers talk in one room, on different machines", () => machines.strangers());

    test("commands reach all machines through whichever master is asked", async () => {
        const rows = async (name) => JSON.parse((await machines.command(name, "list", "--json")).output);
        assert.deepEqual((await rows("door")).map(({ id, machine, state }) => [id, machine, state]), [
            ["gate-1", machines.lab.addressOf("door"), "ready"],
            ["chat-1", machines.lab.addressOf("one"), "ready"], ["connector-1", machines.lab.addressOf("one"), "ready"],
            ["chat-2", machines.lab.addressOf("two"), "ready"], ["connector-2", machines.lab.addressOf("two"), "ready"],
        ]);
        const followed = machines.follow("door", "chat-2", 7);
        await talkWhile(7, async () => {
            for (const [from, ...words] of [["door", "stop", "chat-2"], ["one", "restart", "chat-2"], ["two", "reload", "chat"], ["two", "log", "all", "info"],
                ["door", "health"]]) {
                const { code, output } = await machines.command(from, ...words);
                assert.equal(code, 0, `host ${words.join(" ")} on ${from} said:\n${output}`);
            }
        }, []);
        assert.match((await machines.command("door", "logs", "chat-2", "-n", "200")).output, /it stops|stopping/);
        assert.match(await followed, /chat-2 stops: shutdown\n(.*\n)*.*chat-2 serves/);
        await machines.areWhole(5_000);
    });

    test("a machine that is stopped hands its rooms over, and takes its part again when it is started", async () => {
        await talkWhile(6, async () => {
            const { code, output } = await machines.command("two", "stop");
            assert.equal(code, 0, output);
        }, ["--reconnect", "--allow", "unexpected_close,unexpected_kick"]);
        await machines.areWhole(5_000);
        await machines.begin("two");
        await machines.areWhole();
        await until(async () => (await machines.command("door", "health")).code === 0, "all are in the list again", 10_000);
    });

    test("a new build goes over all machines under load", async () => {
        const rows = async () => JSON.parse((await machines.command("door", "list", "--json")).output);
        const buildIds = (all) => all.filter(({ type }) => type !== "master").map((each) => each.build_id);
        const before = buildIds(await rows());
        const seconds = 12;
        await talkWhile(seconds, async () => {
            await machines.installNewBuild();
            const began = Date.now();
            for (const name of ["one", "two", "door"]) {
                for (const [what, { code, output }] of [["stop", await machines.command(name, "stop")], ["start", await machines.startByHand(name)],
                    ["health", await machines.command(name, "health")]]) {
                    assert.equal(code, 0, `host ${what} on ${name} said:\n${output}`);
                }
            }
            const took = (Date.now() - began) / 1000;
            assert.ok(took < seconds - 2, `people talk for all of the deploy, which took ${took} s`);
        }, ["--reconnect", "--login-timeout", "10", "--allow", "unexpected_close,unexpected_kick"]);
        const after = buildIds(await rows());
        assert.equal(after.length, before.length);
        assert.deepEqual(after.filter((id) => before.includes(id)), [], "each server is of the new build");
        await machines.areWhole(5_000);
    });

    for (const losesStore of [false, true]) {
        test(`nobody loses the connection when NATS is away for ${outageS} s and comes back ${losesStore ? "with nothing in its store" : "with its store"}`, async () => {
            const report = await talkWhile(outageS + 4, async () => {
                await machines.killNats({ losesStore });
                await sleep(outageS * 1000);
                await machines.beginNats();
            }, ["--allow", "lost,wrong_answer"]);
            assert.doesNotMatch(report, /unexpected_close/);
            await machines.areWhole(5_000);
        });
    }

    test("a machine that was cut off for too long comes back with its people", async () => {
        await talkWhile(hostLostS + 8, async () => {
            await machines.lab.cutLink("one");
            await sleep((hostLostS + 2) * 1000);
            await machines.lab.mendLink("one");
        }, machineFaults);
        await machines.areWhole(5_000);
        assert.match(await machines.log("chat-1"), /others may own its rooms by now/);
        assert.match(await machines.log("connector-1"), /has declared this server dead/);
    });

    test("a machine whose way to NATS swallows all that it sends comes back with its people", async () => {
        await talkWhile(hostLostS + 8, async () => {
            await machines.lab.blackhole("one", "nats");
            await sleep((hostLostS + 2) * 1000);
            await machines.lab.mendRoute("one", "nats");
        }, cutOff);
        await machines.areWhole(5_000);
    });

    test("a server that is killed is back at once", async () => {
        await talkWhile(4, () => machines.signal("chat-2", "SIGKILL"));
        await machines.areWhole(5_000);
    });

    test("a server that stands still for too long is replaced", async () => {
        await talkWhile(hostLostS + 8, async () => {
            await machines.signal("chat-1", "SIGSTOP");
            await sleep((hostLostS + 3) * 1000);
            await machines.signal("chat-1", "SIGCONT").catch(() => {}); // its master has killed it by then
        });
        await machines.areWhole(5_000);
    });

    test("the rooms of a machine that is gone move to the others, and come back with it", async () => {
        await talkWhile(machineLostS + 4, async () => {
            await machines.lab.killAll("two");
            await sleep((machineLostS + 2) * 1000);
        }, machineFaults);
        await machines.areWhole(5_000);
        await machines.begin("two");
        await machines.areWhole();
    });
});

describe("servers of three machines without any master", { skip: noNetLab() ?? noNatsServer() ?? false }, () => {
    let machines;
    before(async () => { machines = await Machines.start({ haveMasters: false }); });
    after(() => machines.close());

    test("people talk, also while a server is killed and started again", async () => {
        const talk = machines.load(["--users", "24", "--rooms", "8", "--seconds", "4", ...faults]);
        await machines.signal("chat-2", "SIGKILL");
        machines.beginServer("chat-2");
        await talk;
        await machines.areWhole(5_000);
    });
});

const long = process.env.SHADDOCK_LONG ? false : "takes half a minute: left to SHADDOCK_LONG";
describe("a system on a NATS cluster of three", { skip: noNetLab() ?? noNatsServer() ?? long }, () => {
    let machines;
    before(async () => { machines = await Machines.start({ natsServers: 3 }); });
    after(() => machines.close());

    test("nobody loses the connection while its servers are restarted one after the other", async () => {
        const talk = machines.load(["--users", "24", "--rooms", "8", "--seconds", "22", "--rate", "4", "--allow", "lost,wrong_answer"]);
        talk.catch(() => {}); // told below
        for (const name of machines.natsNames) {
            await sleep(2000);
            await machines.killNats({ name, signal: "SIGTERM" });
            await machines.beginNats(name);
            await sleep(3000);
        }
        assert.doesNotMatch(await talk, /unexpected_close/);
        await machines.areWhole(5_000);
    });
});
