/** lib/system.mjs with stand-ins for the host: what it starts, what it waits for, what it complains about. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startSystem } from "../lib/system.mjs";
import { endProcessAfter } from "../lib/wait.mjs";

endProcessAfter(60_000);

let folder;

before(async () => { folder = await mkdtemp(join(tmpdir(), "shaddock-standin-")); });
after(() => rm(folder, { recursive: true, force: true }));

/** An executable that runs this script. */
async function standIn(name, script) {
    const file = join(folder, name);
    await writeFile(file, `#!/usr/bin/env node\n${script}`, { mode: 0o755 });
    return file;
}

const keepRunning = "setInterval(() => {}, 1000);";
const sayReady = "console.log('ready: 7 servers');";
const stopsWith = (code) => `process.on('SIGTERM', () => process.exit(${code}));`;

test("gives every port a free one, waits for the ready line, stops", async () => {
    const host = await standIn("good", `
        const { readFileSync } = require("node:fs");
        const config = process.argv[process.argv.indexOf("--config") + 1];
        console.log(process.argv.slice(2).join(" "));
        const read = (name) => JSON.parse(readFileSync(config + "/" + name, "utf8")).development;
        console.log(JSON.stringify({ servers: read("servers.json"), master: read("master.json"),
            yaml: readFileSync(config + "/host.yaml", "utf8") }));
        ${stopsWith(0)} ${sayReady} ${keepRunning}`);
    const system = await startSystem({ host });
    const [command, json] = system.output().split("\n");
    const { servers, master, yaml } = JSON.parse(json);
    await system.stop();

    assert.equal(command, `start --config ${join(system.folder, "config")} --run ${join(system.folder, "run")}`);
    const ports = [master.port, ...Object.values(servers).flat().flatMap(({ port, clientPort }) => [port, clientPort])]
        .filter((port) => port !== undefined);
    const { port: webPort, searchParams } = new URL(system.url);
    assert.equal(new Set(ports).size, ports.length, "no port twice");
    assert.ok(!ports.includes(3014) && !ports.includes(3005));
    assert.equal(servers.gate[0].clientPort, Number(searchParams.get("gate")));
    assert.ok(yaml.includes(`port: ${webPort}`) && !yaml.includes("port: 3001"));
    assert.equal(existsSync(system.folder), false, "the folder is removed");
});

test("a system that does not end with 0 is an error with its output", async () => {
    const host = await standIn("bad-stop", `${stopsWith(3)} ${sayReady} ${keepRunning}`);
    const system = await startSystem({ host });
    await assert.rejects(system.stop(), /ended with 3.*ready: 7 servers/s);
});

test("a system that ends before it is ready is an error with its output", async () => {
    const host = await standIn("bad-start", "console.error('port 3014 is taken'); process.exit(1);");
    await assert.rejects(startSystem({ host }), /ended with 1.*port 3014 is taken/s);
});

test("a host that is not there", async () => {
    await assert.rejects(startSystem({ host: join(folder, "none") }), /not started/);
});
