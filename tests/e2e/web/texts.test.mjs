/** What the page accepts and says. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { ShaddockError } from "../../../web/client/shaddock.js";
import { clockText, hueOf, problemOf, textOfError } from "../../../web/page/texts.js";

const badLength = "Name/Channel is too long or too short. 20 character max.";
const badCharacter = "Bad character in Name/Channel. Can only have letters, numbers, Chinese characters, and '_'";

describe("problemOf", () => {
    const cases = [
        ["alice", null], ["A_9", null], ["小明", null], ["a".repeat(20), null], ["\u4e00\u9fa5", null],
        ["", badLength], ["a".repeat(21), badLength], ["😀".repeat(11), badLength],
        ["a b", badCharacter], ["a*b", badCharacter], ["é", badCharacter], ["😀", badCharacter], ["\u9fa6", badCharacter],
        ["a\n", badCharacter], ["<b>", badCharacter],
    ];
    for (const [name, problem] of cases) {
        test(`${JSON.stringify(name)}: ${problem === null ? "fine" : problem.slice(0, 13)}`, () => {
            assert.equal(problemOf(name, "room"), problem);
            assert.equal(problemOf("name", name), problem);
        });
    }
});

describe("textOfError", () => {
    const text = (code, during, details) => textOfError(new ShaddockError(code, "", details), during);
    test("the texts of the chat at login", () => {
        assert.equal(text("no_server", "login"), "There is no server to log in, please wait.");
        assert.equal(text("connect", "login"), "There is no server to log in, please wait.");
        assert.equal(text("duplicate", "login"), "Please change your name to login.");
    });
    test("a kick says its reason", () => {
        assert.match(text("kicked", "login", { reason: "maintenance" }), /maintenance/);
    });
    test("every code has a text for every occasion", () => {
        for (const code of ["no_server", "connect", "duplicate", "refused", "timeout", "closed", "heartbeat", "protocol"]) {
            for (const during of ["login", "switch", "send"]) {
                assert.ok(text(code, during).length > 10, `${code} ${during}`);
            }
        }
    });
});

test("clockText is HH:MM", () => {
    assert.equal(clockText(new Date(2026, 0, 1, 7, 5)), "07:05");
    assert.equal(clockText(new Date(2026, 0, 1, 23, 59)), "23:59");
});

test("hueOf is stable and in range", () => {
    for (const name of ["alice", "bob", "小明", "😀", ""]) {
        const hue = hueOf(name, 8);
        assert.ok(Number.isInteger(hue) && hue >= 0 && hue < 8);
        assert.equal(hueOf(name, 8), hue);
    }
});

test("whatever the entry holds, the chat takes: a UTF-16 unit is at most three bytes", async () => {
    const file = (path) => readFile(new URL(`../../../${path}`, import.meta.url), "utf8");
    const [, entry] = (await file("web/index.html")).match(/<textarea[^>]* maxlength="(\d+)"/);
    const [, kib] = (await file("plugins/chat/chat_rooms.hpp")).match(/content_limit = (\d+) \* 1024;/);
    assert.ok(Number(entry) * 3 <= Number(kib) * 1024, `${entry} units, ${kib} KiB`);
});
