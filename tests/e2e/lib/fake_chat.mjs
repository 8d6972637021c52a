/**
 * The chat system as the page sees it, in this process: a gate, two connectors, a web server for the folder web/.
 * For working on the page and its tests without the real system.
 */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { listen, packet, push, response } from "./fake_pomelo.mjs";

const webFolder = fileURLToPath(new URL("../../../web/", import.meta.url));
const contentTypes = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml", ".json": "application/json",
};
const dict = {
    "chat.chatHandler.send": 1, "connector.entryHandler.enter": 2, "gate.gateHandler.queryEntry": 3, onChat: 4,
};
/** Proto files of the chat; also for the real system, see browser.test.mjs. */
export const chatProtos = {
    server: { onChat: { "required string msg": 1, "required string from": 2, "required string target": 3 } },
    client: {
        "chat.chatHandler.send": {
            "required string rid": 1, "required string content": 2, "required string from": 3, "required string target": 4,
        },
        "connector.entryHandler.enter": { "required string username": 1, "required string rid": 2 },
    },
};

/**
 * @param {object} [terms] `dict` and `protos` of the connectors; `{}` for texts and JSON
 * @returns {Promise<{url: string, gateUrl: string, rooms: Map, hooks: object,
 *   connections: () => number, gateConnections: () => number, kick: Function, lose: Function, stop: Function}>}
 */
export async function startFakeChat(terms = { dict, protos: chatProtos }) {
    /** room -> (name -> peer) */
    const rooms = new Map();
    /** Tests change these: `noServer`, and `beforeReply(peer, route)`, called before each reply of a connector. */
    const hooks = { noServer: false, beforeReply: null };
    const toOthers = (room, name, packetOf) => {
        for (const [member, peer] of rooms.get(room) ?? []) {
            if (member !== name) {
                peer.send(packetOf);
            }
        }
    };
    const leave = (peer) => {
        rooms.get(peer.room)?.delete(peer.name);
        toOthers(peer.room, peer.name, push("onLeave", { route: "onLeave", user: peer.name }));
    };
    const enter = (peer, { username, rid }) => {
        const room = rooms.get(rid) ?? new Map();
        if (room.has(username) || (peer.name !== undefined && peer.name !== username)) {
            return { code: 500, error: true };
        }
        toOthers(rid, username, push("onAdd", { route: "onAdd", user: username }));
        rooms.set(rid, room.set(username, peer));
        if (peer.name !== undefined) {
            leave(peer);
        }
        peer.name = username;
        peer.room = rid;
        return { users: [...room.keys()] };
    };
    const send = (peer, { content, target }) => {
        const members = rooms.get(peer.room);
        const receivers = target === "*" ? [...(members?.values() ?? [])] : [members?.get(target)];
        if (members === undefined || receivers.includes(undefined) || typeof content !== "string") {
            return { code: 500 };
        }
        receivers.forEach((receiver) => receiver.push("onChat", { msg: content, from: peer.name, target }));
        return {};
    };
    const handlers = { "connector.entryHandler.enter": enter, "chat.chatHandler.send": send };
    const connector = {
        sys: { heartbeat: 3 },
        ...terms,
        onMessage: (peer, request) => {
            const reply = handlers[request.route]?.(peer, request.body) ?? { code: 500 };
            hooks.beforeReply?.(peer, request.route);
            peer.respond(request, reply);
        },
        onClose: (peer) => peer.name !== undefined && leave(peer),
    };
    const connectors = [await listen(connector), await listen(connector)];
    // The same name finds the same connector, as in the real system.
    const connectorOf = (name) => connectors[Buffer.from(name).reduce((sum, byte) => sum + byte, 0) % connectors.length];
    const gate = await listen({
        onMessage: (peer, { id, body }) => {
            const isOk = Boolean(body.uid) && !hooks.noServer;
            peer.send(response(id, isOk ? { code: 200, host: "127.0.0.1", port: connectorOf(body.uid).port } : { code: 500 }));
        },
    });
    const web = await serveFolder(webFolder);
    return {
        url: `http://127.0.0.1:${web.address().port}/?gate=${gate.port}`,
        gateUrl: gate.url,
        rooms,
        hooks,
        gateConnections: () => gate.peers.size,
        connections: () => connectors.reduce((sum, { peers }) => sum + peers.size, 0),
        kick: (name, reason) => {
            for (const peer of connectors.flatMap(({ peers }) => [...peers]).filter((one) => one.name === name)) {
                peer.send(packet(5, { reason }));
                peer.socket.close();
            }
        },
        /** Cuts someone's connection without a word. */
        lose: (name) => {
            for (const peer of connectors.flatMap(({ peers }) => [...peers]).filter((one) => one.name === name)) {
                peer.socket.terminate();
            }
        },
        stop: async () => {
            web.closeAllConnections();
            web.close();
            await Promise.all([gate.close(), ...connectors.map((one) => one.close())]);
        },
    };
}

async function serveFolder(folder) {
    const server = createServer(async (request, reply) => {
        const path = normalize(new URL(request.url, "http://localhost").pathname);
        const file = path === "/" ? "index.html" : path;
        try {
            const bytes = await readFile(join(folder, file));
            reply.writeHead(200, { "content-type": contentTypes[extname(file)] ?? "application/octet-stream" });
            reply.end(bytes);
        } catch {
            reply.writeHead(404).end();
        }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return server;
}
