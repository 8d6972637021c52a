#!/usr/bin/env node
/**
 * How long an author waits: one line of a plugin of 350 lines (arena.cpp) is changed, the module built, `host reload` run, and a
 * client asks until it gets the new answer.
 *
 *   bench/plugin_loop/run.mjs [--rounds N] [--host BIN]...     default: 5 rounds, build/release/bin/host
 *
 * Several hosts, such as one of an older version, are compared in one run, round by round. A project is made by each host's own
 * `host new` and built in the ways that it has: its presets, else the build types. Time on the clock depends on what else the machine
 * does; the CPU time of the build (user + system of cmake, make, compiler and linker) hardly does. Needs `npm ci` in tests/e2e.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";

import { startSystem } from "../../tests/e2e/lib/system.mjs";
import { Client } from "../../web/client/shaddock.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { WebSocket } = createRequire(join(root, "tests/e2e/package.json"))("ws");
const exec = promisify(execFile);
const { values: options } = parseArgs({
    options: {
        host: { type: "string", multiple: true, default: [join(root, "build/release/bin/host")] },
        rounds: { type: "string", default: "5" },
    },
});

const env = { ...process.env, CCACHE_DISABLE: "1" };
const seconds = (since) => (performance.now() - since) / 1000;
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Runs a line of bash; the seconds of CPU that it and its children took. */
async function cpuOf(line, cwd) {
    const { stderr } = await exec("bash", ["-c", `TIMEFORMAT='cpu %U %S'; time { ${line} >&2; }`], { cwd, env, maxBuffer: 1 << 26 });
    const [, user, system] = /cpu ([\d.]+) ([\d.]+)\s*$/.exec(stderr);
    return Number(user) + Number(system);
}

/** The ways in which this host's project is built: the folder of the module, and how to configure and build. */
function waysOf(project, prefix) {
    const target = "--target arena";
    if (existsSync(join(project, "CMakePresets.json"))) {
        return ["dev", "release"].map((name) => ({
            name: `preset ${name}`,
            module: join(project, "build", name, "arena.so"),
            configure: `cmake --preset ${name}`,
            build: `cmake --build --preset ${name} ${target}`,
        }));
    }
    return [["Debug", "-O0 -g"], ["RelWithDebInfo", "-O2 -g"]].map(([type, flags]) => ({
        name: `${type} (${flags})`,
        module: join(project, type, "arena.so"),
        configure: `cmake -B ${type} -DCMAKE_BUILD_TYPE=${type} -DCMAKE_PREFIX_PATH=${prefix}`,
        build: `cmake --build ${type} ${target}`,
    }));
}

/** The configuration that this host came with, installed or in its source tree. */
const configOf = (host) => ["../share/shaddock/config", "../../../config"].map((place) => join(host, "..", place)).find(existsSync);

/** A project of this host with the plugin of this folder in place of its own. */
async function makeProject(host, folder) {
    const project = join(folder, "arena");
    await exec(host, ["new", project, "--type", "arena"]);
    await writeFile(join(project, "plugin.cpp"), await readFile(new URL("arena.cpp", import.meta.url), "utf8"));
    const cmake = await readFile(join(project, "CMakeLists.txt"), "utf8");
    await writeFile(join(project, "CMakeLists.txt"), cmake.replace(" arena_handler.cpp", "").replace(/enable_testing\(\)[^]*/, ""));
    return project;
}

/** A running system that has the module, a client in it, and what one turn of the loop takes. */
async function openLoop(host, project, way) {
    await cpuOf(way.configure, project);
    const first = await cpuOf(way.build, project);
    const system = await startSystem({
        host, env: "production", config: configOf(host),
        edit: async (config) => {
            const yaml = await readFile(join(config, "host.yaml"), "utf8");
            await writeFile(join(config, "host.yaml"), yaml.replace("types:\n", `types:\n  arena: {modules: ["${way.module}"]}\n`));
            const servers = JSON.parse(await readFile(join(config, "servers.json"), "utf8"));
            servers.production.arena = [{ id: "arena-server-1", host: "127.0.0.1", port: 7100 }];
            await writeFile(join(config, "servers.json"), JSON.stringify(servers));
        },
    });
    const gate = new Client({ url: `ws://127.0.0.1:${system.gatePort}`, WebSocket });
    await gate.connect();
    const { port } = await gate.request("gate.gateHandler.queryEntry", { uid: "ada" });
    gate.close();
    const client = new Client({ url: `ws://127.0.0.1:${port}`, WebSocket });
    await client.connect();

    const source = join(project, "plugin.cpp");
    let edits = 0;
    const turn = async () => {
        const text = await readFile(source, "utf8");
        await writeFile(source, text.replace(/"edit \d+"/, `"edit ${++edits}"`));
        const begun = performance.now();
        const cpu = await cpuOf(way.build, project);
        const built = seconds(begun);
        await exec(host, ["reload", "arena", "--run", join(system.folder, "run")], { cwd: system.folder });
        const answer = await client.request("arena.arenaHandler.version", {});
        if (answer.text !== `edit ${edits}`) {
            throw new Error(`expected the answer of edit ${edits}, got ${JSON.stringify(answer)}`);
        }
        return { whole: seconds(begun), built, cpu };
    };
    const close = async () => {
        client.close();
        await system.stop();
    };
    return { name: way.name, first, turn, close, turns: [] };
}

const folder = await mkdtemp(join(tmpdir(), "shaddock-loop-"));
const loops = [];
try {
    for (const [index, given] of options.host.entries()) {
        const host = resolve(given);
        const { stdout } = await exec(host, ["--version"]);
        console.log(`host ${index + 1}: ${given}: ${stdout.split("\n")[0]}`);
        const project = await makeProject(host, await mkdtemp(join(folder, "host-")));
        for (const way of waysOf(project, resolve(host, "../.."))) {
            const loop = await openLoop(host, project, way);
            loops.push(Object.assign(loop, { host: index + 1 }));
        }
    }
    for (let round = 0; round < Number(options.rounds); ++round) {
        for (const loop of loops) {
            loop.turns.push(await loop.turn());
        }
    }
    console.log(`medians of ${options.rounds} rounds, seconds\n`);
    console.log("| host | built as | edit to new answer | of it build | CPU of the build | CPU of the first build |");
    console.log("|---|---|---|---|---|---|");
    for (const { host, name, first, turns } of loops) {
        const of = (key) => median(turns.map((turn) => turn[key])).toFixed(1);
        console.log(`| ${host} | ${name} | ${of("whole")} | ${of("built")} | ${of("cpu")} | ${first.toFixed(1)} |`);
    }
} finally {
    for (const loop of loops) {
        await loop.close();
    }
    await rm(folder, { recursive: true, force: true });
}
