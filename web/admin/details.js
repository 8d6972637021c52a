/**
 * One server: its charts, its routes, its log, and the buttons.
 * @module details
 */
import { actions } from "./actions.js";
import { Chart } from "./chart.js";
import { byId, element, setText } from "./dom.js";
import { LogView } from "./log_view.js";
import { showState } from "./server_table.js";
import { ageText, buildText, bytesText, countText, tookText, unknown } from "./texts.js";

const perSecond = (value) => (value === null ? countText(null) : `${countText(value)}/s`);
const cores = (value) => (value === null ? countText(null) : `${Math.round(value * 100)} %`);

const charts = [
    ["requests", { title: "Requests", format: perSecond }],
    ["p99", { title: "p99 latency", format: tookText, least: 1e-3, kind: "time" }],
    ["connections", { title: "Clients", format: countText, least: 5 }],
    ["deliveries", { title: "Deliveries", format: perSecond }],
    ["lag", { title: "Loop lag, worst", format: tookText, least: 1e-3, kind: "time" }],
    ["memory", { title: "Memory", format: bytesText, least: 16 * 1024 * 1024, kind: "quiet-chart" }],
    ["cpu", { title: "Processor", format: cores, least: 0.1, kind: "quiet-chart" }],
    ["rooms", { title: "Rooms", format: countText, least: 5 }],
];

const facts = [
    ["Process", ({ pid }) => (pid === null ? "none" : String(pid))],
    ["Uptime", ({ pid, uptime_s: seconds }) => ageText(pid === null ? null : seconds)],
    ["Module", ({ module }) => module || unknown],
    ["Build", (server) => (server.version === "" ? unknown : buildText(server))],
    ["Old generations", ({ ending, kept }) => `${ending} ending, ${kept} kept`],
];

export class Details {
    #id = null;
    #charts = new Map();
    #buttons = new Map();
    #facts = new Map();
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
            const button = element("button", name === "drain" ? "quiet danger" : "quiet", label);
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
        for (const [name, button] of this.#buttons) {
            button.disabled = !isLive || this.#isBusy || !actions[name].canDo(server);
        }
        this.#buttons.get("restart").textContent = server.pid === null ? "Start" : actions.restart.label;
        this.#showRoutes(history.routes(server.id));
    }

    /** While a call is under way no other can be begun. */
    setBusy(isBusy) {
        this.#isBusy = isBusy;
        for (const button of this.#buttons.values()) {
            button.disabled ||= isBusy;
        }
    }

    #showRoutes(routes) {
        byId("no-routes").hidden = routes.length > 0;
        byId("routes-table").hidden = routes.length === 0;
        byId("routes").replaceChildren(...routes.map((row) => {
            const failed = [...row.results].filter(([result, count]) => result !== "ok" && count > 0);
            const name = element("th", "", row.route);
            if (row.isPassedOn) {
                name.append(" ", element("span", "soft", "passed on"));
            }
            name.scope = "row";
            const cells = [
                ["Requests", countText(row.count), "number"],
                ["per second", countText(row.perSecond), "number"],
                ["p50", tookText(row.p50), "number"],
                ["p99", tookText(row.p99), "number"],
                ["Failed", failed.length === 0 ? "none" : failed.map(([result, count]) => `${count} ${result}`).join(", "),
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
