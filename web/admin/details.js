/**
 * One server: its charts, its routes, its log, and the buttons.
 * @module details
 */
import { actions } from "./actions.js";
import { Chart } from "./chart.js";
import { byId, element, setText } from "./dom.js";
import { ageText, buildText, bytesText, coresText, countText, perSecondText, tookText, unknown } from "./formats.js";
import { LogView } from "./log_view.js";
import { showState } from "./server_table.js";
import { texts } from "./texts.js";

const charts = [
    ["requests", { title: texts.chart.requests, format: perSecondText }],
    ["p99", { title: texts.chart.p99, format: tookText, least: 1e-3, kind: "time" }],
    ["connections", { title: texts.chart.connections, format: countText, least: 5 }],
    ["deliveries", { title: texts.chart.deliveries, format: perSecondText }],
    ["lag", { title: texts.chart.lag, format: tookText, least: 1e-3, kind: "time" }],
    ["memory", { title: texts.chart.memory, format: bytesText, least: 16 * 1024 * 1024, kind: "quiet-chart" }],
    ["cpu", { title: texts.chart.cpu, format: coresText, least: 0.1, kind: "quiet-chart" }],
    ["rooms", { title: texts.chart.rooms, format: countText, least: 5 }],
];

const facts = [
    [texts.fact.machine, ({ machine }) => machine ?? texts.thisMachine],
    [texts.fact.process, ({ pid }) => (pid === null ? texts.none : String(pid))],
    [texts.fact.uptime, ({ pid, uptime_s: seconds }) => ageText(pid === null ? null : seconds)],
    [texts.fact.module, ({ module }) => module || unknown],
    [texts.fact.build, (server) => (server.version === "" ? unknown : buildText(server))],
    [texts.fact.generations, ({ ending, kept }) => texts.fact.endingAndKept(ending, kept)],
];

/** Shown above, in the table or as a chart; of the rest the page knows only the names. */
const known = new Set([
    "id", "type", "pid", "state", "uptime_s", "rss_kb", "connections", "module", "version", "build_id", "generation", "ending", "kept",
    "incarnation", "missing", "stopped", "machine",
]);

/** @param {object} server of the list @returns {[string, string][]} what it has beyond that, for a master may be newer than this page */
export function otherFacts(server) {
    return Object.entries(server).filter(([name]) => !known.has(name)).map(([name, value]) => [name, factText(value)]);
}

/** `rooms 2, members 3` of an object. */
function factText(value) {
    return value !== null && typeof value === "object" ? Object.entries(value).map((member) => member.join(" ")).join(", ") : String(value);
}

export class Details {
    #id = null;
    #charts = new Map();
    #buttons = new Map();
    #facts = new Map();
    /** By name. */
    #others = new Map();
    #log = new LogView();
    #isBusy = false;

    /** @param {(name: string, id: string) => void} onAction a button was pressed: a name of `actions` */
    constructor(onAction) {
        for (const [key, what] of charts) {
            const chart = new Chart(what);
            this.#charts.set(key, chart);
            byId("detail-charts").append(chart.element);
        }
        for (const [name, textOf] of facts) {
            const value = element("dd", "");
            this.#facts.set(value, textOf);
            byId("facts").append(element("div", "", element("dt", "", name), value));
        }
        for (const [name, { label }] of Object.entries(actions)) {
            const button = element("button", name === "stop" ? "quiet danger" : "quiet", label);
            button.type = "button";
            button.id = `do-${name}`;
            button.addEventListener("click", () => onAction(name, this.#id));
            this.#buttons.set(name, button);
            byId("actions").append(button);
        }
    }

    /** @returns {string|null} whom it shows */
    get id() {
        return this.#id;
    }

    get log() {
        return this.#log;
    }

    /** @param {string|null} id null: closes */
    open(id) {
        if (id === this.#id) {
            return;
        }
        this.#id = id;
        byId("details").hidden = id === null;
        byId("detail-title").textContent = id ?? "";
        this.#log.clear();
    }

    /** @param {object} server @param {import("./history.js").History} history @param {number} now @param {boolean} isLive */
    show(server, history, now, isLive) {
        showState(byId("detail-state"), server.state);
        const series = history.of(server.id);
        for (const [key, chart] of this.#charts) {
            chart.draw(series[key], now);
        }
        for (const [value, textOf] of this.#facts) {
            setText(value, textOf(server));
        }
        this.#showOthers(otherFacts(server));
        for (const [name, button] of this.#buttons) {
            button.disabled = !isLive || this.#isBusy || !actions[name].canDo(server);
        }
        this.#buttons.get("restart").textContent = server.pid === null ? texts.action.start : actions.restart.label;
        this.#showRoutes(history.routes(server.id));
    }

    /** While a call is under way no other can be begun. */
    setBusy(isBusy) {
        this.#isBusy = isBusy;
        for (const button of this.#buttons.values()) {
            button.disabled ||= isBusy;
        }
    }

    #showOthers(others) {
        for (const [name] of others) {
            if (!this.#others.has(name)) {
                const value = element("dd", "");
                this.#others.set(name, value);
                byId("facts").append(element("div", "", element("dt", "", name), value));
            }
        }
        const texts = new Map(others);
        for (const [name, value] of this.#others) {
            setText(value, texts.get(name) ?? unknown);
        }
    }

    #showRoutes(routes) {
        byId("no-routes").hidden = routes.length > 0;
        byId("routes-table").hidden = routes.length === 0;
        byId("routes").replaceChildren(...routes.map((row) => {
            const failed = [...row.results].filter(([result, count]) => result !== "ok" && count > 0);
            const name = element("th", "", row.route);
            if (row.isPassedOn) {
                name.append(" ", element("span", "soft", texts.route.passedOn));
            }
            name.scope = "row";
            const cells = [
                [texts.route.requests, countText(row.count), "number"],
                [texts.route.perSecond, countText(row.perSecond), "number"],
                [texts.route.p50, tookText(row.p50), "number"],
                [texts.route.p99, tookText(row.p99), "number"],
                [texts.route.failed, failed.length === 0 ? texts.none : failed.map(([result, count]) => `${count} ${result}`).join(", "),
                    failed.length === 0 ? "soft" : "bad"],
            ].map(([label, text, className]) => {
                const cell = element("td", className, text);
                cell.dataset.name = label;
                return cell;
            });
            return element("tr", "", name, ...cells);
        }));
    }
}
