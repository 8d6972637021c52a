/**
 * What the page remembers to draw: a few minutes of figures per server and of the whole system.
 * @module history
 */
import { growth, histogramGrowth, mergeHistograms, quantile, ratePerSecond, Reading } from "./metrics.js";

/** How far back charts reach, in milliseconds. */
export const spanMs = 300_000;

/** Points in the order of their times; those older than the span go. A value null is a gap. */
export class Series {
    #points = [];

    add(at, value) {
        this.#points.push({ at, value });
        // One point before the span stays, so that the line begins at the edge.
        while (this.#points.length > 2 && this.#points[1].at < at - spanMs) {
            this.#points.shift();
        }
    }

    /** @returns {{at: number, value: number|null}[]} */
    get points() {
        return this.#points;
    }

    /** @returns {number|null} */
    get last() {
        return this.#points.at(-1)?.value ?? null;
    }
}

/** The figures of one server between two readings; null where unknown. */
const perServer = ["requests", "deliveries", "drops", "p99", "connections", "rooms", "members", "lag", "memory", "cpu"];
/** What adds up over servers. */
const added = ["requests", "deliveries", "drops", "connections", "rooms"];

export class History {
    /** By server id. */
    #servers = new Map();
    #totals = seriesOf([...added, "p99"]);
    #at = null;

    /**
     * @param {number} at when, in milliseconds of any clock that only goes forward
     * @param {object[]} list of `GET /api/servers`
     * @param {object[]|null} metrics `servers` of `GET /api/metrics`; null: not to be had
     */
    add(at, list, metrics) {
        const elapsedMs = this.#at === null ? 0 : at - this.#at;
        this.#at = at;
        const families = new Map((metrics ?? []).map(({ id, families: own }) => [id, own]));
        const recent = list.map((server) => this.#addServer(at, elapsedMs, server, families.get(server.id)));
        // A client's request comes in at one frontend, whoever else has a part in it.
        const entries = recent.filter(({ isFrontend }) => isFrontend);
        for (const key of added) {
            this.#totals[key].add(at, sumOf((key === "requests" ? entries : recent).map((figures) => figures[key])));
        }
        this.#totals.p99.add(at, quantile(mergeHistograms(entries.map(({ latency }) => latency)), 0.99));
        const ids = new Set(list.map(({ id }) => id));
        for (const id of this.#servers.keys()) {
            if (!ids.has(id)) {
                this.#servers.delete(id);
            }
        }
    }

    /**
     * @returns {Object<string, Series>} requests and their p99 as the frontends see them, deliveries and drops, all per
     *   second, p99 in seconds; connections, rooms
     */
    get totals() {
        return this.#totals;
    }

    /** @returns {Object<string, Series>|null} also members, lag in seconds, memory in bytes, cpu in cores */
    of(id) {
        return this.#servers.get(id)?.series ?? null;
    }

    /** @returns {Object[]} per route: route, count, perSecond, results (Map), p50, p99, isPassedOn; since the process began */
    routes(id) {
        const { before, now, elapsedMs } = this.#servers.get(id) ?? {};
        return now ? routesOf(before, now, elapsedMs) : [];
    }

    #addServer(at, elapsedMs, server, families) {
        const known = this.#servers.get(server.id) ?? { series: seriesOf(perServer), now: null };
        known.before = known.life === server.incarnation ? known.now : null;
        // What a process that began since the last reading has counted, it has counted since then.
        const before = known.before ?? (known.now ? zero : null);
        known.now = families ? new Reading(families) : null;
        known.life = server.incarnation;
        known.elapsedMs = elapsedMs;
        this.#servers.set(server.id, known);

        const figures = figuresOf(server, before, known.now, elapsedMs);
        for (const key of perServer) {
            known.series[key].add(at, figures[key]);
        }
        return figures;
    }
}

/** A reading in which every number is 0. */
const zero = { sum: () => 0, sumsBy: () => new Map(), histogram: () => null };

/** Requests that a server answers itself, and those that it passes on as a frontend. */
const requestNames = ["shaddock_requests_total", "shaddock_forwarded_total", "shaddock_refused_total"];
const latencyNames = ["shaddock_request_seconds", "shaddock_forwarded_seconds"];

function figuresOf(server, before, now, elapsedMs) {
    const rate = (name) => (before && now ? ratePerSecond(before.sum(name) ?? 0, now.sum(name), elapsedMs) : null);
    const gauge = (name) => now?.sum(name) ?? null;
    const latency = mergeHistograms(latencyNames.map((name) => latencyBetween(before, now, name)));
    const isRunning = server.pid !== null;
    return {
        isFrontend: gauge("shaddock_connections") !== null,
        requests: sumOf(requestNames.map(rate)),
        deliveries: rate("shaddock_deliveries_total"),
        drops: rate("shaddock_drops_total"),
        latency,
        p99: quantile(latency, 0.99),
        connections: isRunning ? server.connections : null,
        rooms: gauge("shaddock_channels"),
        members: gauge("shaddock_members"),
        lag: gauge("shaddock_loop_lag_max_seconds"),
        memory: isRunning ? server.rss_kb * 1024 : null,
        cpu: rate("shaddock_cpu_seconds_total"),
    };
}

function latencyBetween(before, now, name) {
    const after = now?.histogram(name) ?? null;
    return before === zero ? after : histogramGrowth(before?.histogram(name) ?? null, after);
}

function routesOf(before, now, elapsedMs) {
    const answered = rowsOf(before, now, elapsedMs, "shaddock_requests_total", "shaddock_request_seconds");
    const passedOn = rowsOf(before, now, elapsedMs, "shaddock_forwarded_total", "shaddock_forwarded_seconds");
    const rows = [...answered, ...passedOn.map((row) => ({ ...row, isPassedOn: true }))];
    return rows.sort((one, other) => other.count - one.count || one.route.localeCompare(other.route));
}

function rowsOf(before, now, elapsedMs, name, latencyName) {
    const earlier = before?.sumsBy("route", name) ?? null;
    return [...now.sumsBy("route", name)].map(([route, count]) => {
        const latency = now.histogram(latencyName, { route });
        const grown = earlier === null ? null : growth(earlier.get(route) ?? 0, count);
        return {
            route,
            count,
            perSecond: grown === null ? null : ratePerSecond(0, grown, elapsedMs),
            results: now.sumsBy("result", name, { route }),
            p50: quantile(latency, 0.5),
            p99: quantile(latency, 0.99),
            isPassedOn: false,
        };
    });
}

function seriesOf(keys) {
    return Object.fromEntries(keys.map((key) => [key, new Series()]));
}

/** @returns {number|null} of those that are known; null when none is */
function sumOf(values) {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}
