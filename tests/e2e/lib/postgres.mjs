/** A PostgreSQL of the test's own, in a temporary folder, on a Unix socket there; for tests. */
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const readyLimitMs = 30_000;

/** Where the programs of the newest PostgreSQL are; null where there is none. */
export function postgresFolder() {
    try {
        const folder = execFileSync("pg_config", ["--bindir"], { encoding: "utf8", stdio: "pipe" }).trim();
        execFileSync(join(folder, "postgres"), ["--version"], { stdio: "pipe" });
        return folder;
    } catch {
        return null;
    }
}

/**
 * @returns {Promise<{where: string, query: (sql: string) => Promise<string[][]>, stop: () => Promise<void>}>} `where` is for
 *   libpq; `query` gives rows of texts
 */
export async function startPostgres() {
    const programs = postgresFolder();
    const folder = await mkdtemp(join(tmpdir(), "shaddock-pg-"));
    // PostgreSQL refuses to run as root.
    const who = process.getuid() === 0 ? { uid: idOf("-u"), gid: idOf("-g") } : {};
    if (who.uid !== undefined) {
        chownSync(folder, who.uid, who.gid);
    }
    const data = join(folder, "data");
    const options = { cwd: folder, ...who };
    await run(join(programs, "initdb"), ["-D", data, "-U", "game", "--auth=trust", "-E", "UTF8", "--no-locale", "--no-sync"], options);
    const server = spawn(join(programs, "postgres"), ["-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"],
        { ...options, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    const ready = new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`postgres is not ready:\n${said}`)), readyLimitMs);
        server.stderr.on("data", (bytes) => {
            said += bytes;
            if (said.includes("database system is ready to accept connections")) {
                clearTimeout(late);
                resolve();
            }
        });
        server.once("exit", (code) => {
            clearTimeout(late);
            reject(new Error(`postgres ended with ${code}:\n${said}`));
        });
    });
    const stop = async () => {
        if (server.exitCode === null && server.signalCode === null) {
            server.kill("SIGINT"); // who is connected is cut off
            await once(server, "exit");
        }
        await rm(folder, { recursive: true, force: true });
    };
    try {
        await ready;
    } catch (failed) {
        await stop();
        throw failed;
    }
    const query = async (sql) => {
        const { stdout } = await run(join(programs, "psql"),
            ["-h", folder, "-U", "game", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-qAt", "-F", "\t", "-c", sql]);
        return stdout.split("\n").filter((line) => line !== "").map((line) => line.split("\t"));
    };
    return { where: `host=${folder} user=game dbname=postgres`, query, stop };
}

function idOf(flag) {
    return Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }));
}
