/** What is done to NATS, and to one server's connection with it, in systems whose servers have no Unix socket between them. */
import { setTimeout as sleep } from "node:timers/promises";

const servers = ["chat-server-1", "chat-server-2", "connector-server-1", "connector-server-2", "gate-server-1"];
/** Whose connection is cut or slowed. */
const apart = ["chat-server-1", "connector-server-1", "gate-server-1", "master"];

/** @returns {import("./faults.mjs").Fault[][]} a list for each kind; `lostMs`: after how much silence on NATS a server is dead (`host_lost`) */
export function natsFaults(lostMs) {
    const [short, long] = [0.4 * lostMs, 1.4 * lostMs];
    return [
        [outage("nats stopped for a moment", (nats) => nats.stall(), short, (nats) => nats.goOn())],
        [outage("nats stopped for longer than host_lost", (nats) => nats.stall(), long, (nats) => nats.goOn())],
        [outage("nats killed, and back with its store", (nats) => nats.kill(), short, (nats) => nats.begin())],
        [outage("nats killed, and back without its store", async (nats) => {
            await nats.kill();
            await nats.loseStore();
        }, short, (nats) => nats.begin())],
        apart.map((id) => connection("cut from nats for a moment", id, short)),
        apart.map((id) => connection("cut from nats for longer than host_lost", id, long)),
        apart.map((id) => connection("slow to nats", id, long)),
    ];
}

/** Nobody is dead: who has no NATS judges nobody. */
function outage(kind, begin, ms, end) {
    return {
        kind,
        ids: [],
        hurt: servers,
        isTold: false,
        async run({ nats }) {
            await begin(nats);
            await sleep(ms);
            await end(nats);
        },
    };
}

function connection(kind, id, ms) {
    const isCut = kind.startsWith("cut");
    return {
        kind,
        ids: [id],
        hurt: isCut && id !== "master" ? [id] : [],
        isTold: false,
        isApart: true,
        isFenced: kind.endsWith("host_lost") && id !== "master",
        async run({ natsProxy }) {
            isCut ? natsProxy.cut(id) : natsProxy.slow(id, 100);
            await sleep(ms);
            natsProxy.mend(id);
        },
    };
}
