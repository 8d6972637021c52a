/** A plugin's author, from an installed host to an answer: `host new`, README.md's server type, and what the package refuses. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { WebSocket } from "ws";

import { Client } from "../../../web/client/shaddock.js";
import { startSystem } from "../lib/system.mjs";
import { endProcessAfter, until } from "../lib/wait.mjs";

endProcessAfter(580_000);

const root = fileURLToPath(new URL("../../../", import.meta.url));
const build = join(process.env.SHADDOCK_BIN_DIR, "..");
const strict = "-Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Werror";

let folder;
let prefix;
let host;
let readme;
let system;

const exec = promisify(execFile);
/** Runs a command; its output is in the error when it fails. */
async function run(program, ...options) {
    try {
        return (await exec(program, options, { cwd: folder, maxBuffer: 1 << 26 })).stdout;
    } catch (failed) {
        throw new Error(`${program} ${options.join(" ")}: ${failed.code}\n${failed.stdout}\n${failed.stderr}`);
    }
}
const configure = (project, ...options) => run("cmake", "-S", join(folder, project), "-B", join(folder, project, "build"),
    "-G", "Ninja", `-DCMAKE_PREFIX_PATH=${prefix}`, "-DCMAKE_BUILD_TYPE=Debug", ...options);
const compile = (project, ...options) => run("cmake", "--build", join(folder, project, "build"), ...options);
/** The lines that `host new` prints first, as printed but for the generator and the warnings. */
async function buildAsSaid(said) {
    const [begin, ...lines] = cut(said, /\n\n((?: {2}.*\n)+)\n/).trim().split("\n").map((line) => line.trim());
    assert.deepEqual(lines, ["cmake --build --preset dev", "ctest --preset dev"]);
    assert.match(begin, /^cd \S+ && cmake --preset dev$/);
    return run("sh", "-ec", `${begin} -G Ninja '-DCMAKE_CXX_FLAGS=${strict}'\n${lines.join(" -j 2\n")} --no-tests=error`);
}

/** The first match's group, which must be there. */
function cut(text, pattern) {
    const found = pattern.exec(text);
    assert.ok(found, `expected ${pattern} in:\n${text}`);
    return found[1];
}

/** README.md's type, and the guide's CMakeLists.txt for it. */
async function writeHello() {
    const guide = await readFile(join(root, "docs/plugin-guide.md"), "utf8");
    await mkdir(join(folder, "hello"));
    await writeFile(join(folder, "hello/plugin.cpp"), cut(readme, /<!-- file: docs\/samples\/hello\/plugin\.cpp -->\n```cpp\n(.*?)^```$/ms));
    await writeFile(join(folder, "hello/CMakeLists.txt"), cut(guide, /^```cmake\n(cmake_minimum_required.*?project\(hello .*?)^```$/ms));
}

/** A client of a connector. */
async function connect() {
    const gate = new Client({ url: `ws://127.0.0.1:${system.gatePort}`, WebSocket });
    await gate.connect();
    const { port } = await gate.request("gate.gateHandler.queryEntry", { uid: "ada" });
    gate.close();
    const client = new Client({ url: `ws://127.0.0.1:${port}`, WebSocket });
    await client.connect();
    return client;
}

before(async () => {
    folder = await mkdtemp(join(tmpdir(), "shaddock-author-"));
    prefix = join(folder, "prefix");
    host = join(prefix, "bin/host");
    readme = await readFile(join(root, "README.md"), "utf8");
    await run("cmake", "--install", build, "--prefix", prefix);
    await writeHello();
});
after(async () => {
    await system?.stop();
    await rm(folder, { recursive: true, force: true });
});

test("the package refuses what would not load", async () => {
    const refused = async (message, ...options) =>
        assert.rejects(run("cmake", "-S", join(folder, "hello"), "-B", join(folder, `refused-${message.source}`), "-G", "Ninja",
            `-DCMAKE_PREFIX_PATH=${prefix}`, ...options), message);
    await refused(/plugins are C\+\+20/, "-DCMAKE_CXX_STANDARD=17");
    await refused(/-static-libstdc\+\+ aborts/, "-DCMAKE_MODULE_LINKER_FLAGS=-static-libstdc++");
    await refused(/C\+\+11 ABI/, "-DCMAKE_CXX_FLAGS=-D_GLIBCXX_USE_CXX11_ABI=0");
    await refused(/_GLIBCXX_DEBUG/, "-DCMAKE_CXX_FLAGS=-D_GLIBCXX_DEBUG");
});

test("a new project is built, tested and run by what `host new` says", async () => {
    const said = await run(host, "new", join(folder, "tally"), "--type", "tally");
    assert.match(await buildAsSaid(said), /100% tests passed/);
    await configure("hello", `-DCMAKE_CXX_FLAGS=${strict}`);
    await compile("hello");
    await run(host, "check", "--module", join(folder, "tally/build/dev/tally.so"), "--type", "gate").then(
        () => assert.fail("a module of another type was taken"), (failed) => assert.match(failed.message, /found server type 'tally', wanted 'gate'/));

    await copyFile(join(folder, "hello/build/plugins/hello.so"), join(prefix, "lib/shaddock/plugins/hello.so"));
    const lines = [cut(said, /^ {2}(tally: \{modules: .*\})$/m), cut(readme, /under `types:`: `(hello: \{\})`/)];
    const servers = [cut(said, /^ {2}("tally": \[.*\])$/m), cut(readme, /under `development`: `("hello": \[.*?\])`/)];
    system = await startSystem({
        host,
        edit: async (config) => {
            const yaml = await readFile(join(config, "host.yaml"), "utf8");
            await writeFile(join(config, "host.yaml"), yaml.replace("types:\n", `types:\n${lines.map((line) => `  ${line}\n`).join("")}`));
            const json = JSON.parse(await readFile(join(config, "servers.json"), "utf8"));
            Object.assign(json.development, JSON.parse(`{${servers.join(",")}}`));
            await writeFile(join(config, "servers.json"), JSON.stringify(json));
        },
    });
    assert.match(system.output(), /tally-server-1 +tally .*ready/);
});

test("a client of a connector calls both types", async () => {
    const client = await connect();
    try {
        const expected = JSON.parse(cut(readme, /asks `hello\.helloHandler\.greet` with `\{"name":"Ada"\}` and gets `(\{.*?\})`/));
        assert.deepEqual(await client.request("hello.helloHandler.greet", { name: "Ada" }), expected);
        assert.deepEqual(await client.request("tally.tallyHandler.add", { by: 2 }), { total: 2 });
        assert.deepEqual(await client.request("tally.tallyHandler.add", { by: "2" }), { code: 500 });

        const told = [];
        client.onPush("onTotal", (message) => told.push(message));
        assert.deepEqual(await client.request("tally.tallyHandler.watch", { name: "ada" }), { total: 2 });
        await client.request("tally.tallyHandler.add", { by: 3 });
        await until(() => told.length > 0, "the push onTotal");
        assert.deepEqual(told, [{ total: 5 }]);
    } finally {
        client.close();
    }
});

test("a new project of several types is built, tested and run, and its types call each other", async () => {
    await system?.stop();
    const said = await run(host, "new", join(folder, "island"), "--types", "area,big-bag");
    assert.match(await buildAsSaid(said), /100% tests passed/);
    const config = cut(said, /^ {2}host start --config (.*)$/m);
    system = await startSystem({ host, config });
    assert.match(system.output(), /area-server-1 +area .*ready/);

    const client = await connect();
    try {
        assert.deepEqual(await client.request("big-bag.bigBagHandler.add", { by: 7 }), { total: 7 });
        assert.deepEqual(await client.request("area.areaHandler.nextTotal", {}), { total: 7 });
        assert.deepEqual(await client.request("big-bag.bigBagHandler.nextTotal", {}), { total: 0 });
    } finally {
        client.close();
    }
});
