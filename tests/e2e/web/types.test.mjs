/** The library's .d.ts files: TypeScript accepts what is right and refuses what is wrong; they name all that is there. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import typescript from "typescript";
import { endProcessAfter } from "../lib/wait.mjs";

endProcessAfter(100_000);

const pathOf = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const web = pathOf("../../../web/");
const { exports: entries, types } = JSON.parse(readFileSync(`${web}package.json`, "utf8"));
const modules = Object.entries(entries).filter(([, entry]) => typeof entry === "object");

const files = pathOf("types/");
let folder;

/** Someone's project that uses the library as a package. */
before(async () => {
    folder = await mkdtemp(join(tmpdir(), "shaddock-types-"));
    await mkdir(join(folder, "node_modules"));
    await symlink(web, join(folder, "node_modules/shaddock-web"), "dir");
    await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
});
after(() => rm(folder, { recursive: true, force: true }));

/** @returns {Promise<string>} what `tsc --noEmit --strict` complains about */
async function compile(file, ...lib) {
    const compilerOptions = { noEmit: true, strict: true, target: "es2022", module: "nodenext", types: [], lib };
    await copyFile(files + file, join(folder, file));
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [file] }));
    return promisify(execFile)(process.execPath, [pathOf("../node_modules/typescript/bin/tsc"), "--project", folder])
        .then(() => "", ({ stdout }) => stdout);
}

describe("TypeScript", { timeout: 90_000 }, () => {
    test("accepts each use of the library, and refuses each misuse", async () => {
        assert.equal(await compile("library.ts", "es2022"), "");
    });

    test("accepts the browser's WebSocket and storage", async () => {
        assert.equal(await compile("page.ts", "es2022", "dom"), "");
    });
});

describe("package.json", () => {
    test("names files that are there", () => {
        assert.equal(types, entries["."].types);
        for (const [, entry] of modules) {
            assert.ok(existsSync(web + entry.types) && existsSync(web + entry.default), JSON.stringify(entry));
        }
    });
});

describe("declared is what is there", () => {
    const program = typescript.createProgram(modules.map(([, entry]) => web + entry.types), { lib: ["lib.es2022.d.ts"], types: [] });
    const checker = program.getTypeChecker();
    const used = new Set(readFileSync(`${files}library.ts`, "utf8").match(/\w+/g));
    const isValue = (symbol) => (symbol.flags & typescript.SymbolFlags.Value) !== 0;

    for (const [name, entry] of modules) {
        test(name, async () => {
            const symbol = checker.getSymbolAtLocation(program.getSourceFile(web + entry.types));
            const all = checker.getExportsOfModule(symbol)
                .map((one) => (one.flags & typescript.SymbolFlags.Alias ? checker.getAliasedSymbol(one) : one));
            assert.deepEqual(all.filter((one) => !used.has(one.name)), [], "not used in types/library.ts");
            const declared = all.filter(isValue);
            const there = await import(new URL(entry.default, `file://${web}`));
            assert.deepEqual(declared.map((one) => one.name).sort(), Object.keys(there).sort());
            for (const one of declared.filter(({ flags }) => flags & typescript.SymbolFlags.Class)) {
                assert.deepEqual(declaredMembers(one), membersOf(there[one.name]), one.name);
            }
        });
    }

    /** Methods and getters; an error's fields are its objects' own. */
    function declaredMembers(symbol) {
        const members = [...symbol.members.values()];
        return members.filter(({ flags }) => flags & (typescript.SymbolFlags.Method | typescript.SymbolFlags.Accessor))
            .map(({ name }) => name).sort();
    }

    function membersOf(constructor) {
        return Object.getOwnPropertyNames(constructor.prototype).filter((name) => name !== "constructor").sort();
    }
});
