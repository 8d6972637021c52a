/**
 * Whole TLS handshakes, 200 a second, each from a new connection and without a session to resume; until it is killed.
 *
 *   node tls_flood.mjs PORT
 */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";

const port = Number(process.argv[2]);
const everyMs = 20;
const atOnce = 4;

async function shakeHands() {
    const socket = connect({ port, host: "127.0.0.1", localAddress: "127.0.0.2", rejectUnauthorized: false });
    socket.on("error", () => {});
    await Promise.race([once(socket, "secureConnect"), once(socket, "close")]);
    // With its last words: the server has not ended its part before them.
    socket.end();
    setTimeout(() => socket.destroy(), 200);
}

await shakeHands();
console.log("under way");
for (let next = performance.now(); ; next += everyMs) {
    for (let i = 0; i < atOnce; ++i) {
        shakeHands();
    }
    await sleep(Math.max(0, next - performance.now()));
}
