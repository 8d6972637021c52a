/** A worker that writes requests as fast as the server takes them. */
import { workerData } from "node:worker_threads";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Peer, request } from "./peer.mjs";

const { port, size } = workerData;
const peer = await Peer.open(port);
const batch = Buffer.concat(Array.from({ length: Math.ceil(60_000 / (size + 20)) }, (_, i) => request(1 + (i % 100), "", Buffer.alloc(size, 120))));
while (!peer.isClosed) {
    if (!peer.socket.write(batch)) {
        await Promise.race([once(peer.socket, "drain"), once(peer.socket, "close")]);
    }
    await sleep(0);
}
