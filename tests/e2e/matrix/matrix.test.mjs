/**
 * The kill matrix: real processes, one fault a seed, at one step of somebody's chat, and the history checker over all that seven people
 * did and saw. A seed decides on all that is decided: SHADDOCK_SEED=17 repeats one (options.mjs). What stops stands still for 0.4 and 1.4
 * times `bus: silence`, or until the master kills it.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { steps } from "./faults.mjs";
import { bus, seedsToRun, silenceMs, systems } from "./options.mjs";
import { Plan } from "./plan.mjs";
import { World } from "./world.mjs";

const run = promisify(execFile);
const graceMs = 700;
const plan = new Plan(silenceMs, bus);
const { seeds, isWhole } = seedsToRun(plan.faultCount);
const atATime = Math.min(systems, seeds.length);

const now = () => Number(process.hrtime.bigint());

async function runSeed(seed) {
    const { step, fault, afterMs, random } = plan.of(seed);
    const { before = (there, who) => who.arrive(there.rooms[0]), act } = steps[step];
    const what = [fault.kind, fault.ids.join(" and ")].filter((each) => each !== "").join(": ");
    let world;
    try {
        world = await World.start({ random, silenceMs, bus, ...fault });
        if (fault.link) {
            await world.standBetween(...fault.link);
        }
        await world.settle();
        const actor = world.newPerson("gus");
        await before(world, actor);
        await world.whole(step === "login" || step === "join" ? [actor] : []);
        const quiet = world.talk(25);
        await sleep(100);

        const pids = await Promise.all(fault.ids.map((id) => world.pidOf(id)));
        const from = now();
        const acting = act(world, actor);
        await sleep(afterMs);
        await fault.run(world, pids);
        await acting;
        await world.serves();
        await world.whole();
        fault.check?.(world);
        const to = now();
        await sleep(2 * graceMs); // from here on everything must hold again
        await sleep(300);
        await quiet();
        await world.end();
        world.check();
        await run(join(process.env.SHADDOCK_BIN_DIR, "shaddock-history"), [world.historyFile, "--leave-grace-ms", String(graceMs),
            "--trouble", `${from}-${to}${fault.isTold ? ":told" : ""}:only=${world.hurtOf(fault, step)}`], { maxBuffer: 1 << 26 });
        return `${what}, at ${step}: whole after ${Math.round((to - from) / 1e6)} ms`;
    } catch (error) {
        const kept = join(process.env.SHADDOCK_ARTEFACTS ?? tmpdir(), `matrix-${seed}`);
        await world?.keep(kept);
        error.message = `seed ${seed}: ${what}, ${afterMs} ms into ${step} (SHADDOCK_SEED=${seed} repeats it; history and logs: ${kept})\n` +
            `${error.stdout ?? ""}${error.message}`;
        throw error;
    } finally {
        await world?.stop().catch(() => {});
    }
}

test(`${seeds.length} faults at ${plan.stepCount} steps`, { timeout: seeds.length * 20_000 + 60_000 }, async (t) => {
    const left = [...seeds];
    const failures = [];
    const lateness = monitorEventLoopDelay({ resolution: 10 });
    lateness.enable();
    await Promise.all(Array.from({ length: atATime }, async () => {
        for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
            try {
                console.log(`# seed ${seed}: ${await runSeed(seed)}`);
                plan.note(seed);
            } catch (error) {
                failures.push(error);
                console.error(error.message);
            }
        }
    }));
    t.diagnostic(`${atATime} systems at a time; people were late by ${[50, 99, 100].map((share) =>
        `${Math.round(lateness.percentile(share) / 1e6) - 10} ms (${share} %)`).join(", ")}`);
    assert.equal(failures.length, 0, `${failures.length} of ${seeds.length} seeds failed; the first: ${failures[0]?.message}`);
    assert.deepEqual(isWhole ? plan.missed(seeds.length) : [], [], "steps and faults that no seed has hit");
});
