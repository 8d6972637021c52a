/** A master's admin address with seven servers that one can set up at will: for tests of the admin page's looks. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../../web/admin/", import.meta.url));
const types = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8", svg: "image/svg+xml" };
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    + "form-action 'none'; frame-ancestors 'none'";
const bounds = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.1, 1];
const plan = { chat: 3, connector: 3, gate: 1 };

/**
 * @returns {Promise<{address: string, servers: object[], logs: string[], answers: Object<string, (body: object) => [number, object]>,
 *   hasMetrics: boolean, pass: (seconds: number) => void, stop: () => Promise<void>}>} `servers` is what the list says;
 *   `answers` says what a POST is answered, by its path; `pass` lets the servers work for so long
 */
export async function startFakeMaster() {
    const token = "f".repeat(64);
    const master = {
        servers: Object.entries(plan).flatMap(([type, count]) => Array.from({ length: count }, (_, index) => fakeServer(type, index + 1))),
        logs: ["2026-11-21 22:41:02.176 info  [chat-server-1] server: chat-server-1 serves"],
        answers: {},
        hasMetrics: true,
        pass(seconds) {
            this.servers.forEach((server, index) => work(server, index, seconds));
        },
    };
    const http = createServer(async (request, response) => {
        const { pathname } = new URL(request.url, "http://x");
        if (!pathname.startsWith("/api/")) {
            await sendFile(response, pathname.replace(/^\/admin\/?/, "") || "index.html");
        } else if (request.headers.authorization !== `Bearer ${token}`) {
            sendJson(response, 401, { error: "expected Authorization" });
        } else {
            sendJson(response, ...answer(master, request.method, pathname, await bodyOf(request)));
        }
    }).listen(0, "127.0.0.1");
    await once(http, "listening");
    master.address = `http://127.0.0.1:${http.address().port}/admin#token=${token}`;
    master.stop = async () => {
        http.closeAllConnections();
        await once(http.close(), "close");
    };
    return master;
}

function fakeServer(type, number) {
    const id = `${type}-server-${number}`;
    return {
        id, type, pid: 4000 + number * 7 + type.length, state: "ready", uptime_s: 7500, rss_kb: 11_000 + 900 * number,
        connections: type === "connector" ? 40 * number : 0, module: `${type}.so`, version: "0.1.0",
        build_id: "5be2a1c09f3d5be2a1c09f3d", generation: 1, ending: 0, kept: 0, incarnation: 1,
        done: { ok: 0, failed: 0, pushed: 0, dropped: 0, clock: 0 },
    };
}

/** Loads that swell and ebb, so that charts show something. */
function work(server, index, seconds) {
    const { done } = server;
    done.clock += seconds;
    const load = 40 * (2 + Math.sin(done.clock / 25 + index) + Math.sin(done.clock / 7 + 2 * index));
    done.ok += Math.round(load * seconds);
    done.failed += server.id === "chat-server-2" && Math.sin(done.clock / 11) > 0.9 ? 2 : 0;
    done.pushed += Math.round(load * seconds * 8);
    done.dropped += Math.sin(done.clock / 30) > 0.97 ? 1 : 0;
    server.uptime_s += seconds;
}

function familiesOf({ type, connections, rss_kb: kb, done }) {
    const isFrontend = type !== "chat";
    const one = (name, kind, value) => ({ name, help: "", kind, labels: [], samples: [[[], value]] });
    const all = [
        ...requestsOf("shaddock_requests_total", "shaddock_request_seconds", type === "chat" ? "chat.chatHandler.send" : `${type}.entryHandler.enter`,
            type === "connector" ? { ok: Math.round(done.ok / 40), failed: 0, clock: 0 } : done),
        one("shaddock_channels", "gauge", type === "chat" ? 12 : 0),
        one("shaddock_loop_lag_max_seconds", "gauge", 0.0004 + 0.0003 * Math.sin(done.clock / 9)),
        { name: "shaddock_loop_lag_seconds", help: "", kind: "histogram", labels: [], bounds, samples: [[[], [9, 0, 0, 0, 0, 0, 0, 0], 1]] },
        one("shaddock_cpu_seconds_total", "counter", done.clock * 0.2 + Math.sin(done.clock / 20)),
        one("shaddock_memory_bytes", "gauge", kb * 1024),
    ];
    if (isFrontend) {
        all.push(one("shaddock_connections", "gauge", connections), one("shaddock_deliveries_total", "counter", done.pushed),
            { name: "shaddock_drops_total", help: "", kind: "counter", labels: ["reason"], samples: [[["slow_consumer"], done.dropped]] },
            ...requestsOf("shaddock_forwarded_total", "shaddock_forwarded_seconds", "chat.chatHandler.send",
                type === "connector" ? done : { ok: 0, failed: 0, clock: 0 }));
    }
    return all;
}

function requestsOf(name, latencyName, route, { ok, failed, clock }) {
    const slow = 0.03 + 0.03 * Math.sin(clock / 40);
    const all = ok + failed;
    return [
        {
            name, help: "", kind: "counter", labels: ["route", "result"],
            samples: [[[route, "ok"], ok], [[route, "timeout"], failed], [["unknown", "not_found"], 3]],
        },
        {
            name: latencyName, help: "", kind: "histogram", labels: ["route"], bounds,
            samples: [[[route], [all * 0.2, all * 0.6, all * (0.2 - slow), all * slow, 0, 0, 0, 0].map(Math.round), all / 2000]],
        },
    ];
}

function answer(master, method, path, body) {
    if (method === "POST") {
        return master.answers[path]?.(body) ?? [404, { error: `unknown: ${path}` }];
    }
    if (path === "/api/servers") {
        return [200, master.servers.map(({ done, ...line }) => line)];
    }
    if (path === "/api/metrics" && master.hasMetrics) {
        const running = master.servers.filter(({ pid }) => pid !== null);
        return [200, { servers: running.map((server) => ({ id: server.id, type: server.type, families: familiesOf(server) })) }];
    }
    return path === "/api/logs" ? [200, { id: "", file: "", lines: master.logs }] : [404, { error: `unknown: ${path}` }];
}

async function bodyOf(request) {
    let text = "";
    for await (const bytes of request) {
        text += bytes;
    }
    return text === "" ? null : JSON.parse(text);
}

async function sendFile(response, name) {
    try {
        const bytes = await readFile(new URL(name, `file://${folder}`));
        response.writeHead(200, { "Content-Type": types[name.split(".").pop()], "Content-Security-Policy": policy }).end(bytes);
    } catch {
        response.writeHead(404).end();
    }
}

function sendJson(response, status, value) {
    response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" }).end(JSON.stringify(value));
}
