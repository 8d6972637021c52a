/**
 * The admin page: asks the master every two seconds who runs and how they do, and draws it.
 * @module admin
 */
import { actions, confirmAction } from "./actions.js";
import { Api } from "./api.js";
import { Chart } from "./chart.js";
import { Details } from "./details.js";
import { byId, setText } from "./dom.js";
import { countText, perSecondText, tookText } from "./formats.js";
import { History } from "./history.js";
import { logLines } from "./log_view.js";
import { Notices } from "./notices.js";
import { ServerTable, tableHead } from "./server_table.js";
import { texts } from "./texts.js";
import { keepToken, takeToken } from "./token.js";

const periodMs = 2_000;

const totals = new Map([
    ["requests", new Chart({ title: texts.chart.requests, format: perSecondText })],
    ["p99", new Chart({ title: texts.chart.p99, format: tookText, least: 1e-3, kind: "time" })],
    ["connections", new Chart({ title: texts.chart.connections, format: countText, least: 5 })],
    ["rooms", new Chart({ title: texts.chart.rooms, format: countText, least: 5 })],
    ["deliveries", new Chart({ title: texts.chart.deliveries, format: perSecondText })],
    ["drops", new Chart({ title: texts.chart.drops, format: perSecondText, kind: "drops" })],
]);
const table = new ServerTable((id) => choose(id === details.id ? null : id));
const details = new Details(act);
const notices = new Notices();

/** Null while the token form shows. */
let api = null;
let history = new History();
let servers = [];
let isLive = false;
let lastAnswer = null;
let timer = 0;
/** Counts rounds; what an older one hears comes too late. */
let round = 0;
/** Whose log is being asked for; null: nobody's. */
let logAsked = null;

byId("totals").append(...[...totals.values()].map(({ element }) => element));
byId("servers-head").append(...tableHead());
byId("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const token = byId("token").value.trim();
    if (token !== "") {
        keepToken(token);
        begin(token);
    }
});
byId("forget").addEventListener("click", () => {
    keepToken(null);
    askForToken("");
});
byId("detail-close").addEventListener("click", () => choose(null));
byId("log-follow").addEventListener("change", () => showLog());
window.addEventListener("hashchange", () => {
    const token = takeToken();
    if (token !== null && window.location.hash === "") {
        begin(token);
    }
});

const given = takeToken();
if (given === null) {
    askForToken("");
} else {
    begin(given);
}

function begin(token) {
    api = new Api(token);
    history = new History();
    servers = [];
    lastAnswer = null;
    byId("entry").hidden = true;
    byId("token").value = "";
    byId("lost").hidden = true;
    refresh();
}

function askForToken(why) {
    clearTimeout(timer);
    ++round;
    api = null;
    choose(null);
    byId("page").hidden = true;
    byId("entry").hidden = false;
    byId("token-error").textContent = why;
    byId("token").focus();
}

/** One round; the next begins a period after its end, so that a slow master is not asked twice at once. */
async function refresh() {
    clearTimeout(timer);
    const mine = ++round;
    try {
        const [list, metrics] = await Promise.all([api.get("/api/servers"), metricsOf(api)]);
        if (mine !== round) {
            return;
        }
        servers = list;
        history.add(performance.now(), list, metrics);
        lastAnswer = new Date();
        isLive = true;
    } catch (cause) {
        if (mine !== round) {
            return;
        }
        if (cause.kind === "token") {
            keepToken(null);
            askForToken(texts.tokenRefused);
            return;
        }
        isLive = false;
        setText(byId("lost-why"), cause.kind === "unreachable" ? "" : cause.message);
    }
    show();
    timer = setTimeout(refresh, periodMs);
    showLog();
}

/** The page shows what it can without them. */
async function metricsOf(asked) {
    try {
        return (await asked.get("/api/metrics")).servers;
    } catch (cause) {
        if (cause.kind === "refused") {
            return null;
        }
        throw cause;
    }
}

function show() {
    byId("page").hidden = false;
    byId("page").classList.toggle("stale", !isLive);
    byId("lost").hidden = isLive;
    const live = byId("live");
    live.dataset.state = isLive ? "live" : "lost";
    setText(live, isLive ? texts.live : texts.noAnswer);
    setText(byId("lost-when"), lastAnswer === null ? texts.nothingKnown : texts.saidAt(lastAnswer.toLocaleTimeString()));
    const ready = servers.filter(({ state }) => state === "ready").length;
    setText(byId("ready-count"), texts.ready(ready, servers.length));
    document.title = texts.title(isLive ? texts.readyShort(ready, servers.length) : texts.noAnswer);
    if (lastAnswer === null) {
        return;
    }
    if (isLive) {
        const now = performance.now();
        for (const [key, chart] of totals) {
            chart.draw(history.totals[key], now);
        }
    }
    table.show(servers, history, details.id);
    showDetails();
}

function showDetails() {
    const server = servers.find(({ id }) => id === details.id);
    if (server) {
        details.show(server, history, performance.now(), isLive);
    } else if (details.id !== null) {
        choose(null);
    }
}

function choose(id) {
    details.open(id);
    if (api === null || lastAnswer === null) {
        return;
    }
    table.show(servers, history, id);
    showDetails();
    if (id !== null) {
        byId("details").scrollIntoView({ block: "nearest" });
        byId("detail-title").focus({ preventScroll: true });
        showLog();
    }
}

async function showLog() {
    const { id } = details;
    if (id === null || id === logAsked || api === null || !isLive || !details.log.isFollowing) {
        return;
    }
    logAsked = id;
    try {
        const { lines } = await api.get(`/api/logs?id=${encodeURIComponent(id)}&lines=${logLines}`);
        if (id === details.id) {
            details.log.show(lines);
        }
    } catch (cause) {
        if (id === details.id && cause.kind !== "token") {
            details.log.fail(cause.message);
        }
    }
    if (id === logAsked) {
        logAsked = null;
    }
}

async function act(name, id) {
    const action = actions[name];
    const server = servers.find((each) => each.id === id);
    const ofType = servers.filter(({ type }) => type === server.type).length;
    const target = await confirmAction(action, server, ofType);
    if (target === null) {
        return;
    }
    const asked = api;
    details.setBusy(true);
    notices.begin(action.doing(target));
    let outcomes;
    try {
        outcomes = await action.run(asked, target);
    } catch (cause) {
        outcomes = [{ isGood: false, text: texts.action.failed(action.label, target, cause.message) }];
    }
    details.setBusy(false);
    notices.end(outcomes);
    if (asked === api) {
        refresh();
    }
}
