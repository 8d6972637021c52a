/** Two people who talk all the time, and notice whatever goes wrong. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import WebSocket from "ws";
import { Chat, everyone } from "../../../web/client/chat.js";
import { until } from "./wait.mjs";

const periodMs = 10;

/**
 * @param {number} gatePort
 * @param {string} [room]
 * @returns {Promise<{stop: () => Promise<{sent: number, slowestMs: number}>}>} `stop` throws unless every line arrived
 *   once and in order, and neither left, came back or was refused anything
 */
export async function startHealthyChat(gatePort, room = "hall") {
    const events = [];
    const [ann, bob] = ["ann", "bob"].map((name) => {
        const chat = new Chat({ gateUrl: `ws://127.0.0.1:${gatePort}`, WebSocket });
        for (const event of ["kick", "disconnect", "close", "offline"]) {
            chat.on(event, (argument) => events.push([name, event, argument]));
        }
        return chat;
    });
    await ann.login("ann", room);
    await bob.login("bob", room);
    const heard = [];
    bob.on("message", ({ text }) => heard.push(text));

    let sent = 0;
    let slowestMs = 0;
    let isOver = false;
    const talking = (async () => {
        while (!isOver) {
            const begin = performance.now();
            await ann.send(`line ${sent++}`, everyone);
            slowestMs = Math.max(slowestMs, performance.now() - begin);
            await sleep(periodMs);
        }
    })();
    // A failure is told by `stop`, not as an unhandled rejection meanwhile.
    talking.catch(() => {});
    return {
        async stop() {
            isOver = true;
            try {
                await talking;
                await until(() => heard.length >= sent, "the last line");
                assert.deepEqual(heard, Array.from({ length: sent }, (_, n) => `line ${n}`));
                assert.deepEqual(events, []);
                return { sent, slowestMs };
            } finally {
                ann.leave();
                bob.leave();
            }
        },
    };
}
