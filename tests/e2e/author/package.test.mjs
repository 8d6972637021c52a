/** The packages: what is in them, the chat system from an unpacked one by its unit's command line, the sandbox, the Dockerfile. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { WebSocket } from "ws";

import { Client } from "../../../web/client/shaddock.js";
import { startSystem } from "../lib/system.mjs";
import { endProcessAfter } from "../lib/wait.mjs";

endProcessAfter(290_000);

const source = fileURLToPath(new URL("../../../", import.meta.url));
const build = join(process.env.SHADDOCK_BIN_DIR, "..");

let folder;
let root;
let unit;
const packages = {};

const exec = promisify(execFile);
async function run(program, ...options) {
    try {
        const { stdout, stderr } = await exec(program, options, { cwd: folder, maxBuffer: 1 << 26 });
        return stdout + stderr;
    } catch (failed) {
        throw new Error(`${program} ${options.join(" ")}: ${failed.code}\n${failed.stdout}\n${failed.stderr}`);
    }
}

/** The value of a key of the unit; the last one. */
const unitValue = (key) => unit.split("\n").filter((line) => line.startsWith(`${key}=`)).at(-1)?.slice(key.length + 1);

before(async () => {
    folder = await mkdtemp(join(tmpdir(), "shaddock-package-"));
    root = join(folder, "root");
    await run("cpack", "--config", join(build, "CPackConfig.cmake"), "-B", join(folder, "packages"));
    for (const file of await readdir(join(folder, "packages"))) {
        const found = /^(shaddock|shaddock-dev)_.*\.deb$/.exec(file);
        if (found) {
            packages[found[1]] = join(folder, "packages", file);
        }
    }
    assert.deepEqual(Object.keys(packages).sort(), ["shaddock", "shaddock-dev"]);
    for (const file of Object.values(packages)) {
        await run("dpkg-deb", "-x", file, root);
    }
    unit = await readFile(join(root, "lib/systemd/system/shaddock.service"), "utf8");
});
after(async () => { await rm(folder, { recursive: true, force: true }); });

test("the packages say what they are and need", async () => {
    const fields = await run("dpkg-deb", "-f", packages.shaddock);
    assert.match(fields, /^Package: shaddock$/m);
    assert.match(fields, /^Depends: .*libc6 .*libssl3 .*libstdc\+\+6 .*libyaml-cpp/m);
    assert.match(await run("dpkg-deb", "-f", packages["shaddock-dev"], "Depends"), /shaddock \(= .*libboost1\.81-dev/);
});

test("files of the configuration are the administrator's, and nothing takes a name of another package", async () => {
    const config = (await readdir(join(source, "config"))).map((file) => `/etc/shaddock/${file}`).sort();
    const conffiles = await run("dpkg-deb", "-I", packages.shaddock, "conffiles");
    assert.deepEqual(conffiles.trim().split("\n").sort(), config);

    const list = await run("dpkg-deb", "-c", packages.shaddock);
    const paths = list.trim().split("\n").map((line) => line.split(/\s+/)[5]);
    assert.ok(list.trim().split("\n").every((line) => / root\/root /.test(line)), list);
    assert.ok(!paths.includes("./usr/bin/host"), "bind9-host has /usr/bin/host");
    assert.ok(paths.includes(`.${unitValue("Documentation").slice("file://".length)}`));
    for (const type of ["gate", "connector", "chat", "time"]) {
        assert.ok(paths.includes(`./usr/lib/shaddock/plugins/${type}.so`), type);
        assert.equal((await stat(join(root, `usr/lib/shaddock/plugins/${type}.so`))).mode & 0o022, 0, "others may write it");
    }
    assert.equal(await readlink(join(root, "usr/bin/shaddock")), "../lib/shaddock/bin/host");
    assert.equal(await readlink(join(root, "usr/lib/shaddock/config")), "/etc/shaddock");
    const yaml = await readFile(join(root, "etc/shaddock/host.yaml"), "utf8");
    assert.equal(yaml.replace("folder: /var/log/shaddock", "folder: logs"), await readFile(join(source, "config/host.yaml"), "utf8"));
});

test("the unit's command line runs the chat system from the unpacked package", async () => {
    const [program, ...options] = unitValue("ExecStart").split(" ");
    assert.equal(program, "/usr/lib/shaddock/bin/host");
    assert.deepEqual(options, ["start", "--env", "production", "--config", "/etc/shaddock", "--run", "/var/lib/shaddock/run"]);
    // Nothing of the source tree is at hand: plugins and page are found beside the program.
    const system = await startSystem({
        host: join(root, program),
        config: join(root, "etc/shaddock"),
        env: "production",
        edit: async (config) => {
            const yaml = await readFile(join(config, "host.yaml"), "utf8");
            await writeFile(join(config, "host.yaml"), yaml.replace("folder: /var/log/shaddock", "folder: logs"));
        },
    });
    try {
        assert.match(system.output(), /^ready: 7 servers$/m);
        assert.match(await (await fetch(system.url)).text(), /<title>/);
        await chat(system.gatePort);
        await neverWritableAndExecutable(system.pid);
        const listed = await run(join(root, "usr/bin/shaddock"), "list", "--run", join(system.folder, "run"));
        assert.match(listed, /chat-server-3 +chat .*ready/);
        // The unit's reload, but for the folder.
        const [, ...reload] = unitValue("ExecReload").replace("/var/lib/shaddock/run", join(system.folder, "run")).split(" ");
        await run(join(root, program), ...reload);
    } finally {
        await system.stop();
    }
});

async function chat(gatePort) {
    const connect = async (port) => {
        const client = new Client({ url: `ws://127.0.0.1:${port}`, WebSocket });
        await client.connect();
        return client;
    };
    const gate = await connect(gatePort);
    const { port } = await gate.request("gate.gateHandler.queryEntry", { uid: "ada" });
    gate.close();
    const client = await connect(port);
    assert.deepEqual((await client.request("connector.entryHandler.enter", { username: "ada", rid: "packages" })).users, ["ada"]);
    assert.ok(await client.request("chat.chatHandler.send", { content: "hi", target: "*", from: "ada", rid: "packages" }));
    client.close();
}

/** What MemoryDenyWriteExecute forbids is not there, in no process of the system. */
async function neverWritableAndExecutable(master) {
    const children = await readFile(`/proc/${master}/task/${master}/children`, "utf8");
    const pids = [master, ...children.trim().split(" ")];
    assert.ok(pids.length > 7, `${pids}`);
    for (const pid of pids) {
        assert.doesNotMatch(await readFile(`/proc/${pid}/maps`, "utf8"), /^\S+ .wx/m);
    }
}

test("the unit is sound, and its sandbox tight", async () => {
    // The death of the master, or of one server, ends nobody else; the next master adopts them.
    for (const line of ["Type=notify", "WatchdogSec=10s", "KillMode=process", "OOMPolicy=continue", "Restart=on-failure"]) {
        assert.ok(unit.split("\n").includes(line), line);
    }
    const here = join(folder, "shaddock.service");
    await writeFile(here, unit.replaceAll("/usr/lib/shaddock", join(root, "usr/lib/shaddock")));
    const verified = await run("systemd-analyze", "verify", "--man=no", here);
    assert.doesNotMatch(verified, /shaddock\.service/, verified);
    // In tenths: below 2.0 systemd calls it OK; network services of Debian are around 9.
    const judged = await run("systemd-analyze", "security", "--offline=true", "--threshold=20", here);
    assert.match(judged, /Overall exposure level.*OK/);
});

test("the packages are enough for `shaddock new`", async () => {
    const said = await run(join(root, "usr/bin/shaddock"), "new", join(folder, "tally"), "--type", "tally");
    assert.ok(said.includes(`cd ${join(folder, "tally")} && cmake --preset dev\n`), said);
    // The presets know where the SDK is.
    await run("cmake", "-S", join(folder, "tally"), "--preset", "dev");
    const cache = await readFile(join(folder, "tally/build/dev/CMakeCache.txt"), "utf8");
    assert.ok(cache.includes(join(root, "usr")), cache);
});

test("the Dockerfile copies, installs and changes what is there", async () => {
    const lines = (await readFile(join(source, "packaging/Dockerfile"), "utf8")).replaceAll(/\\\n/g, " ").split("\n")
        .filter((line) => line !== "" && !line.startsWith("#"));
    const all = (word) => lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
    for (const copied of all("COPY").filter((line) => !line.startsWith("--from"))) {
        await stat(join(source, copied.split(" ")[0]));
    }
    assert.match(all("RUN")[0], /awk '\$1 == "build" \{ print \$2 \}' \/shaddock\/scripts\/packages/);
    assert.match(await readFile(join(source, "scripts/packages"), "utf8"), /^build g\+\+$/m);

    const yaml = await readFile(join(source, "config/host.yaml"), "utf8");
    const changes = [...all("RUN").join("\n").matchAll(/-e 's\/(\^.*?\$)\/.*?\/'/g)].map((found) => new RegExp(found[1], "gm"));
    assert.equal(changes.length, 2);
    for (const change of changes) {
        assert.equal(yaml.match(change)?.length, 1, `${change}`);
    }

    const { production } = JSON.parse(await readFile(join(source, "config/servers.json"), "utf8"));
    const ports = Object.values(production).flat().map(({ clientPort }) => clientPort).filter(Boolean);
    assert.deepEqual(all("EXPOSE")[0].split(" ").map(Number).sort(), [3001, ...ports].sort());
    const command = ["/usr/lib/shaddock/bin/host", ...JSON.parse(all("CMD")[0])].join(" ");
    assert.equal(command, unitValue("ExecStart"));
    assert.deepEqual(all("USER"), ["shaddock"]);
});
