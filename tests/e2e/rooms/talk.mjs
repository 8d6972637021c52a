/** People who talk in many rooms all the time, and what became of all they said. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import WebSocket from "ws";
import { Chat, everyone } from "../../../web/client/chat.js";
import { until } from "../lib/wait.mjs";

const periodMs = 20;

/** One who is in a room, and keeps all that happened. */
export async function enterRoom(gatePort, name, room, options = {}) {
    const chat = new Chat({ gateUrl: `ws://127.0.0.1:${gatePort}`, WebSocket, ...options });
    const person = { chat, name, heard: [], events: [] };
    for (const event of ["kick", "disconnect", "close", "offline"]) {
        chat.on(event, (argument) => person.events.push([name, event, argument]));
    }
    chat.on("message", ({ text }) => person.heard.push(text));
    await chat.login(name, room);
    return person;
}

/**
 * Two people in each room; the first says a line every 20 ms and does not wait for the answers.
 * @returns {Promise<{rooms: string[], stop: () => Promise<{sent: number, slowestMs: number}>}>} `stop` throws unless
 *   every line was answered, heard by both in order and once, nobody lost the connection, and a third who enters each
 *   room finds both there
 */
export async function startTalk(gatePort, count = 12) {
    const rooms = Array.from({ length: count }, (_, n) => `room ${n}`);
    const pairs = [];
    for (const room of rooms) {
        pairs.push(await Promise.all(["ann", "bob"].map((name) => enterRoom(gatePort, `${name} ${room}`, room))));
    }
    const answers = rooms.map(() => []);
    let isOver = false;
    const talking = pairs.map(async ([ann], n) => {
        for (let line = 0; !isOver; ++line) {
            const begin = performance.now();
            answers[n].push(ann.chat.send(`${line}`, everyone).then(
                () => ({ ms: performance.now() - begin }), (failed) => ({ failed: `${rooms[n]}, line ${line}: ${failed.message}` })));
            await sleep(periodMs);
        }
    });
    return {
        rooms,
        async stop() {
            isOver = true;
            await Promise.all(talking);
            try {
                const ends = (await Promise.all(answers.flat()));
                assert.deepEqual(ends.flatMap(({ failed }) => failed ?? []), [], "requests that failed");
                for (const [n, pair] of pairs.entries()) {
                    const said = answers[n].map((_, line) => `${line}`);
                    for (const who of pair) {
                        await until(() => who.heard.length >= said.length, `all lines for ${who.name}`);
                        assert.deepEqual(who.heard, said, `what ${who.name} heard`);
                        assert.deepEqual(who.events, []);
                    }
                    const third = await enterRoom(gatePort, `eve ${rooms[n]}`, rooms[n]);
                    const names = (third.chat.members).slice(0, 2).sort();
                    third.chat.leave();
                    assert.deepEqual(names, pair.map(({ name }) => name).sort(), `who is in ${rooms[n]}`);
                }
                return { sent: ends.length, slowestMs: Math.max(...ends.map(({ ms }) => ms ?? 0)) };
            } finally {
                pairs.flat().forEach(({ chat }) => chat.leave());
            }
        },
    };
}
