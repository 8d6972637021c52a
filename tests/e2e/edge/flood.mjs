/** A worker that writes requests as fast as the server takes them. */
import { workerData } from "node:worker_threads";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, requestOf } from "../lib/edge_client.mjs";

const { port, size } = workerData;
const peer = (await Client.open(port)).discard();
const batch = Buffer.concat(Array.from({ length: Math.ceil(60_000 / (size + 20)) }, (_, i) => requestOf(1 + (i % 100), "", "x".repeat(size))));
while (!peer.isClosed) {
    if (!peer.socket.write(batch)) {
        await Promise.race([once(peer.socket, "drain"), once(peer.socket, "close")]);
    }
    await sleep(0);
}
