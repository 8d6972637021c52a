/** Clients of other makers on the system as it is shipped: codes for the handlers' routes, protobuf for what people say. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { routes } from "./script.mjs";
import { playScript } from "./suite.mjs";

/** Nothing but that heartbeats come sooner. */
async function hurry(config) {
    const path = join(config, "host.yaml");
    const text = await readFile(path, "utf8");
    assert.match(text, /^ +heartbeat: 3 s$/m);
    await writeFile(path, text.replace("heartbeat: 3 s", "heartbeat: 1 s"));
}

playScript("as shipped", { edit: hurry, form: { dict: Object.values(routes), protobuf: ["onChat"] } });
