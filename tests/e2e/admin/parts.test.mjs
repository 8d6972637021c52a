/** The parts of the admin page that need no browser: numbers, history, formats, texts, chart geometry. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lineOf, runsOf, scaleOf } from "../../../web/admin/chart.js";
import { otherFacts } from "../../../web/admin/details.js";
import { ageText, bytesText, countText, tookText, unknown } from "../../../web/admin/formats.js";
import { History, Series, spanMs } from "../../../web/admin/history.js";
import { levelOf, overlap } from "../../../web/admin/log_view.js";
import { growth, histogramGrowth, mergeHistograms, quantile, ratePerSecond, Reading, total } from "../../../web/admin/metrics.js";
import { reloadOutcome, startOutcome } from "../../../web/admin/texts.js";
import { tokenOf } from "../../../web/admin/token.js";

const bounds = [0.001, 0.01, 0.1];
const histogram = (...counts) => ({ bounds, counts, sum: 0 });

const isNear = (value, expected) => assert.ok(Math.abs(value - expected) < 1e-9 * expected, `${value}, expected ${expected}`);

/** The families of a server that has answered so many requests, all within 1 to 10 ms. */
function familiesOf({ ok = 0, failed = 0, deliveries = 0, rooms = 0, passedOn = 0, isFrontend = true }) {
    const ofFrontend = [
        { name: "shaddock_connections", kind: "gauge", labels: [], samples: [[[], 3]] },
        { name: "shaddock_forwarded_total", kind: "counter", labels: ["route", "result"], samples: [[["other.a.b", "ok"], passedOn]] },
        { name: "shaddock_forwarded_seconds", kind: "histogram", labels: ["route"], bounds, samples: [[["other.a.b"], [0, 0, passedOn, 0], passedOn / 20]] },
    ];
    return [
        ...(isFrontend ? ofFrontend : []),
        {
            name: "shaddock_requests_total", kind: "counter", labels: ["route", "result"],
            samples: [[["chat.chatHandler.send", "ok"], ok], [["chat.chatHandler.send", "timeout"], failed], [["unknown", "not_found"], 0]],
        },
        {
            name: "shaddock_request_seconds", kind: "histogram", labels: ["route"], bounds,
            samples: [[["chat.chatHandler.send"], [0, ok + failed, 0, 0], 0.005 * (ok + failed)]],
        },
        { name: "shaddock_deliveries_total", kind: "counter", labels: [], samples: [[[], deliveries]] },
        { name: "shaddock_channels", kind: "gauge", labels: [], samples: [[[], rooms]] },
    ];
}

const server = (over = {}) => ({ id: "chat-1", type: "chat", pid: 7, state: "ready", connections: 3, rss_kb: 1024, incarnation: 1, ...over });

describe("a server's details", () => {
    test("show also what the page does not know", () => {
        assert.deepEqual(otherFacts(server({ links: 5, of_a_later_version: "x" })), [["links", "5"], ["of_a_later_version", "x"]]);
        assert.deepEqual(otherFacts(server({ draining: { rooms: 2, members: 3 } })), [["draining", "rooms 2, members 3"]]);
    });
});

describe("Reading", () => {
    const reading = new Reading(familiesOf({ ok: 5, failed: 2, rooms: 4 }));
    test("adds up series, all or those with a label", () => {
        assert.equal(reading.sum("shaddock_requests_total"), 7);
        assert.equal(reading.sum("shaddock_requests_total", { result: "ok" }), 5);
        assert.equal(reading.sum("shaddock_requests_total", { route: "unknown" }), 0);
        assert.equal(reading.sum("shaddock_channels"), 4);
    });
    test("knows no number that is not there", () => {
        assert.equal(reading.sum("shaddock_other"), null);
        assert.equal(reading.histogram("shaddock_other"), null);
        assert.equal(reading.histogram("shaddock_channels"), null);
        assert.equal(reading.sum("shaddock_request_seconds"), null);
        assert.equal(new Reading().sum("shaddock_channels"), null);
    });
    test("sums by a label", () => {
        assert.deepEqual([...reading.sumsBy("route", "shaddock_requests_total")], [["chat.chatHandler.send", 7], ["unknown", 0]]);
        assert.deepEqual([...reading.sumsBy("result", "shaddock_requests_total", { route: "unknown" })], [["not_found", 0]]);
        assert.deepEqual([...reading.sumsBy("color", "shaddock_requests_total")], []);
    });
    test("merges the series of a histogram", () => {
        assert.deepEqual(reading.histogram("shaddock_request_seconds").counts, [0, 7, 0, 0]);
        assert.equal(total(reading.histogram("shaddock_request_seconds", { route: "unknown" })), 0);
    });
});

describe("rates", () => {
    test("a counter that shrank began anew", () => {
        assert.equal(growth(10, 15), 5);
        assert.equal(growth(10, 4), 4);
        assert.equal(growth(null, 4), null);
        assert.equal(growth(4, null), null);
    });
    test("are per second, over the time that passed", () => {
        assert.equal(ratePerSecond(10, 15, 2000), 2.5);
        assert.equal(ratePerSecond(0, 0, 2000), 0);
        assert.equal(ratePerSecond(10, 15, 0), null);
        assert.equal(ratePerSecond(null, 15, 2000), null);
    });
});

describe("histograms", () => {
    test("a quantile lies within its bucket", () => {
        isNear(quantile(histogram(0, 100, 0, 0), 0.5), 0.0055);
        isNear(quantile(histogram(50, 50, 0, 0), 0.5), 0.001);
        isNear(quantile(histogram(98, 0, 2, 0), 0.99), 0.055);
        isNear(quantile(histogram(10, 0, 0, 0), 1), 0.001);
    });
    test("above the last bound there is only the bound", () => {
        assert.equal(quantile(histogram(0, 0, 0, 5), 0.5), 0.1);
    });
    test("of nothing there is no quantile", () => {
        assert.equal(quantile(histogram(0, 0, 0, 0), 0.5), null);
        assert.equal(quantile(null, 0.5), null);
    });
    test("grow; one that shrank in any bucket began anew", () => {
        assert.deepEqual(histogramGrowth(histogram(1, 2, 0, 0), histogram(1, 5, 1, 0)).counts, [0, 3, 1, 0]);
        assert.deepEqual(histogramGrowth(histogram(9, 0, 0, 0), histogram(1, 9, 0, 0)).counts, [1, 9, 0, 0]);
        assert.equal(histogramGrowth(null, histogram(1, 0, 0, 0)), null);
        assert.equal(histogramGrowth({ bounds: [1], counts: [0, 0], sum: 0 }, histogram(1, 0, 0, 0)), null);
    });
    test("are added up without changing one of them", () => {
        const first = histogram(1, 0, 0, 0);
        assert.deepEqual(mergeHistograms([null, first, histogram(0, 2, 0, 1)]).counts, [1, 2, 0, 1]);
        assert.deepEqual(first.counts, [1, 0, 0, 0]);
        assert.equal(mergeHistograms([null]), null);
    });
});

describe("History", () => {
    const answer = (numbers, id = "chat-1") => ({ id, families: familiesOf(numbers) });
    test("makes rates of what grew between two readings", () => {
        const history = new History();
        history.add(1000, [server()], [answer({ ok: 10, rooms: 2 })]);
        assert.equal(history.totals.requests.last, null);
        assert.equal(history.totals.rooms.last, 2);
        history.add(3000, [server()], [answer({ ok: 30, failed: 4, deliveries: 50, rooms: 3 })]);
        assert.equal(history.totals.requests.last, 12);
        assert.equal(history.of("chat-1").deliveries.last, 25);
        assert.ok(history.totals.p99.last > 0.009 && history.totals.p99.last <= 0.01);
    });
    test("counts a request of a client once, where it comes in", () => {
        const history = new History();
        const list = [server({ id: "front" }), server({ id: "back" })];
        const round = (at, handled, passedOn) => history.add(at, list, [
            answer({ passedOn }, "front"), answer({ ok: handled, isFrontend: false }, "back")]);
        round(0, 100, 100);
        round(2000, 120, 120);
        assert.equal(history.of("front").requests.last, 10);
        assert.equal(history.of("back").requests.last, 10);
        assert.equal(history.totals.requests.last, 10);
        assert.ok(history.totals.p99.last > 0.09, "as the frontend sees it");
        assert.deepEqual(history.routes("front").map(({ route, count, isPassedOn }) => [route, count, isPassedOn])[0], ["other.a.b", 120, true]);
    });
    test("adds servers up; who is down does not count", () => {
        const history = new History();
        const list = [server(), server({ id: "chat-2", pid: null, connections: 0, incarnation: 0 })];
        history.add(0, list, [answer({ rooms: 2 })]);
        assert.equal(history.totals.connections.last, 3);
        assert.equal(history.of("chat-2").connections.last, null);
        assert.equal(history.of("chat-2").rooms.last, null);
    });
    test("counts from nothing after a restart", () => {
        const history = new History();
        history.add(0, [server()], [answer({ ok: 1000 })]);
        history.add(2000, [server({ incarnation: 2 })], [answer({ ok: 2000 })]);
        assert.equal(history.of("chat-1").requests.last, 1000);
        history.add(4000, [server({ incarnation: 2 })], [answer({ ok: 2000 })]);
        assert.equal(history.of("chat-1").requests.last, 0);
        assert.equal(history.of("chat-1").p99.last, null);
    });
    test("does without metrics, and has gaps where they are missing", () => {
        const history = new History();
        history.add(0, [server()], null);
        history.add(2000, [server()], [answer({ ok: 5 })]);
        assert.equal(history.totals.connections.last, 3);
        assert.equal(history.totals.requests.last, null);
        history.add(4000, [server()], [answer({ ok: 9 })]);
        assert.equal(history.totals.requests.last, 2);
    });
    test("forgets a server that is gone from the list", () => {
        const history = new History();
        history.add(0, [server(), server({ id: "chat-2" })], null);
        history.add(2000, [server()], null);
        assert.equal(history.of("chat-2"), null);
        assert.deepEqual(history.routes("chat-2"), []);
    });
    test("lists routes, the busiest first, with their outcomes", () => {
        const history = new History();
        history.add(0, [server()], [answer({ ok: 5, failed: 1 })]);
        history.add(2000, [server()], [answer({ ok: 10, failed: 2 })]);
        const [first, second] = history.routes("chat-1").filter(({ isPassedOn }) => !isPassedOn);
        assert.equal(first.route, "chat.chatHandler.send");
        assert.equal(first.count, 12);
        assert.equal(first.perSecond, 3);
        assert.deepEqual([...first.results], [["ok", 10], ["timeout", 2]]);
        isNear(first.p50, 0.0055);
        assert.equal(second.count, 0);
        assert.equal(second.p99, null);
    });
});

test("a series keeps the span and one point before it", () => {
    const series = new Series();
    for (let at = 0; at <= 2 * spanMs; at += 2000) {
        series.add(at, at);
    }
    assert.equal(series.points.length, spanMs / 2000 + 2);
    assert.equal(series.last, 2 * spanMs);
});

describe("a chart", () => {
    test("has a round number at its upper edge", () => {
        const cases = [[0, 1, 1], [1, 1, 1], [1.2, 1, 2], [3, 1, 5], [7, 1, 10], [120, 1, 200], [0.0032, 0.001, 0.005], [4, 5, 5]];
        for (const [peak, least, scale] of cases) {
            isNear(scaleOf(peak, least), scale);
        }
    });
    test("begins a new line after a gap", () => {
        const points = [{ at: 0, value: 0 }, { at: spanMs / 2, value: null }, { at: spanMs, value: 5 }];
        assert.deepEqual(runsOf(points, spanMs, 10), [[[0, 72]], [[300, 36]]]);
        assert.deepEqual(runsOf([], 0, 1), []);
    });
    test("draws a dot for a single point", () => {
        assert.equal(lineOf([[1, 2]]), "M1,2h0.01");
        assert.equal(lineOf([[1, 2], [3.456, 4]]), "M1,2L3.46,4");
    });
});

describe("formats and texts", () => {
    const check = (format, cases) => {
        for (const [value, text] of cases) {
            assert.equal(format(value), text);
        }
    };
    test("counts", () => check(countText, [[null, unknown], [0, "0"], [0.44, "0.4"], [12.4, "12"], [9999, "9999"], [12340, "12.3k"], [4.5e6, "4.5M"]]));
    test("bytes", () => check(bytesText, [[null, unknown], [512, "512 B"], [1536, "1.5 KiB"], [9.4 * 1048576, "9.4 MiB"], [3 * 2 ** 30, "3 GiB"]]));
    test("latencies", () => check(tookText, [[null, unknown], [5e-5, "50 \u00b5s"], [0.0012, "1.2 ms"], [0.34, "340 ms"], [2.12, "2.1 s"]]));
    test("ages", () => check(ageText, [[null, unknown], [12, "12 s"], [200, "3 min"], [7500, "2 h 5 min"], [273600, "3 d 4 h"]]));
    test("levels of log lines", () => check(levelOf, [
        ["2026-11-21 22:41:02.176 warn  [chat-server-1] server: x", "warn"], ["{\"time\":\"x\",\"level\":\"error\"}", "error"], ["boom", ""],
    ]));
    test("outcomes", () => {
        const build = (generation) => ({ version: "0.1.0", build_id: "5be2a1c09f3d77", generation });
        assert.deepEqual(reloadOutcome({ id: "c", ok: true, from: build(1), to: build(2), ms: 61.4 }), {
            isGood: true, text: "c: 0.1.0 (5be2a1c09f3d, generation 1) \u2192 0.1.0 (5be2a1c09f3d, generation 2) in 61.4 ms",
        });
        assert.deepEqual(reloadOutcome({ id: "c", ok: false, from: build(1), reason: "no ELF file", ms: 1 }),
            { isGood: false, text: "c: refused: no ELF file" });
        assert.deepEqual(reloadOutcome({ id: "c", ok: false, skipped: true, from: build(1), reason: "not asked", ms: 0 }),
            { isGood: false, text: "c: not touched: not asked" });
        assert.deepEqual(startOutcome({ id: "c", ok: true, pid: 5, ms: 340 }), { isGood: true, text: "c: ready as process 5 after 340 ms" });
        assert.deepEqual(startOutcome({ id: "c", ok: false, reason: "port taken", ms: 3 }), { isGood: false, text: "c: failed: port taken" });
    });
});

test("only the lines that are new are added to a log", () => {
    assert.equal(overlap([], ["a"]), 0);
    assert.equal(overlap(["a", "b"], ["a", "b", "c"]), 2);
    assert.equal(overlap(["a", "b"], ["b", "c"]), 1);
    assert.equal(overlap(["a", "b"], ["x", "y"]), 0);
    assert.equal(overlap(["a", "a"], ["a", "a"]), 2);
});

test("a token is taken from a fragment that is nothing else", () => {
    const token = "0123456789abcdef".repeat(4);
    assert.equal(tokenOf(`#token=${token}`), token);
    for (const other of ["", "#", "#token=", `#x&token=${token}`, `?token=${token}`, "#token=<script>", `#token=${"a".repeat(300)}`]) {
        assert.equal(tokenOf(other), null);
    }
});
