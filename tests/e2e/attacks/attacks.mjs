/**
 * What clients do that mean harm, or that are broken. Each attack runs in a process of its own until it is killed:
 *
 *   node attacks.mjs NAME '{"port":3050,"from":"127.0.0.2","room":"blue"}'
 *
 * says `under way` once it has begun. `port` is a connector's, `room` one that belongs to the server under attack. `strength` is the share
 * of its sockets and members that it has, if not all.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { encodePackage, packageType } from "../clients/adapters/wire.mjs";
import { Client, ack, handshake, heartbeat, host, requestOf, roomOf, routes } from "../lib/edge_client.mjs";

const large = "x".repeat(60 * 1024);

/** Writes `bytes` again and again, as fast as they are taken. */
async function flood(socket, bytes) {
    while (!socket.destroyed) {
        if (!socket.write(bytes)) {
            const over = new AbortController();
            const { signal } = over;
            await Promise.race([once(socket, "drain", { signal }), once(socket, "close", { signal }), sleep(200, undefined, { signal })]).catch(() => {});
            over.abort();
        }
        await sleep(0);
    }
}

/** How many there are of what is `count` at full strength. */
const scaled = ({ strength = 1 }, count) => Math.ceil(count * strength);

/** So many members of a room who read and forget. */
async function crowd(at, count) {
    const { port, from, room } = at;
    const all = [];
    for (let i = 0; i < scaled(at, count); ++i) {
        const member = await Client.open(port, { from });
        await member.enter(`member${i}`, room);
        all.push(member.discard());
    }
    return all;
}

/** Keeps `count` sockets open at what `begin` makes of each; who is thrown out comes again, `againMs` later. 200 begin every `paceMs`. */
async function hold(at, count, begin) {
    const { port, from, againMs = 500, paceMs = 20 } = at;
    let opened = 0;
    const one = () => {
        const socket = connect({ port, host, localAddress: from });
        socket.on("error", () => {});
        socket.resume();
        socket.on("connect", () => begin(socket));
        socket.on("close", () => setTimeout(one, againMs).unref());
    };
    while (opened < scaled(at, count)) {
        one();
        if (++opened % 200 === 0) {
            await sleep(paceMs);
        }
    }
}

export const attacks = {
    /** The smallest requests that there are, without a route. */
    async "tiny requests"(at) {
        const one = (await Client.open(at.port, at)).discard();
        const bytes = Buffer.concat([heartbeat, ...Array.from({ length: 9000 }, (_, i) => requestOf(100 + i % 27, "", ""))]);
        return () => flood(one.socket, bytes);
    },
    /** One who talks as fast as it can to a full room. */
    async "a full room"(at) {
        await crowd(at, 600);
        const talker = await Client.open(at.port, at);
        await talker.enter("talker", at.room);
        talker.discard();
        const bytes = Buffer.concat(Array.from({ length: 500 }, (_, i) => requestOf(100 + i % 27, routes.send, '{"content":"x","target":"*"}')));
        return () => flood(talker.socket, bytes);
    },
    /** Many who talk as fast as they may, to a full room: more than can be delivered. */
    async "a loud room"(at) {
        await crowd(at, 200);
        const bytes = Buffer.concat(Array.from({ length: 100 }, (_, i) => requestOf(100 + i % 27, routes.send, '{"content":"x","target":"*"}')));
        const talkers = [];
        for (let i = 0; i < 60; ++i) {
            const talker = await Client.open(at.port, at);
            await talker.enter(`talker${i}`, at.room);
            talkers.push(talker.discard());
        }
        return () => Promise.all(talkers.map(({ socket }) => flood(socket, bytes)));
    },
    /** 500 messages of 4 KB a second to a full room. */
    async "large messages"(at) {
        await crowd(at, 150);
        const talker = await Client.open(at.port, at);
        await talker.enter("talker", at.room);
        talker.discard();
        const bytes = Buffer.concat(Array.from({ length: 5 },
            (_, i) => requestOf(100 + i, routes.send, JSON.stringify({ content: "x".repeat(3900), target: "*" }))));
        return async () => {
            while (!talker.isClosed) {
                talker.socket.write(bytes);
                await sleep(10);
            }
        };
    },
    /** Sessions that change rooms without a pause. */
    async "room switching"(at) {
        const all = [];
        for (let i = 0; i < scaled(at, 40); ++i) {
            all.push((await Client.open(at.port, at)).discard());
        }
        const rooms = Array.from({ length: 20 }, () => roomOf(0));
        return () => Promise.all(all.map((one, who) => flood(one.socket, Buffer.concat(rooms.map((room, i) =>
            requestOf(100 + i, routes.enter, JSON.stringify({ username: `switcher${who}`, rid: room })))))));
    },
    /** Sessions that walk in and out of a full room: each step is told to all its members. */
    async "walks through a full room"(at) {
        await crowd(at, 300);
        const all = [];
        for (let i = 0; i < 40; ++i) {
            all.push((await Client.open(at.port, at)).discard());
        }
        const rooms = [at.room, roomOf(0), at.room, roomOf(1)];
        return () => Promise.all(all.map((one, who) => flood(one.socket, Buffer.concat(rooms.map((room, i) =>
            requestOf(100 + i, routes.enter, JSON.stringify({ username: `walker${who}`, rid: room })))))));
    },
    /** Large requests, many at once, of many sessions. */
    async "pipelined bodies"(at) {
        const all = [];
        for (let i = 0; i < scaled(at, 60); ++i) {
            all.push((await Client.open(at.port, at)).discard());
        }
        const bytes = Buffer.concat(Array.from({ length: 66 },
            (_, i) => requestOf(100 + i, routes.enter, JSON.stringify({ username: "u", rid: large }))));
        return () => Promise.all(all.map((one) => flood(one.socket, bytes)));
    },
    /** Sockets that never say a word. */
    async "silent sockets"(at) {
        return () => hold(at, 10_500, () => {});
    },
    /** The first half of a large package. */
    async "half packages"(at) {
        const half = encodePackage(packageType.data, Buffer.from(large)).subarray(0, large.length / 2);
        return () => hold(at, 1500, (socket) => socket.write(Buffer.concat([handshake, ack, half])));
    },
    /** Members who do not read, in a room where much is said. */
    async "stalled readers"(at) {
        const members = await crowd(at, 1000);
        members.slice(0, 100).forEach((one) => one.socket.pause());
        const talker = await Client.open(at.port, at);
        await talker.enter("talker", at.room);
        return async () => {
            while (!talker.isClosed) {
                talker.say("x".repeat(2000));
                await sleep(40);
            }
        };
    },
    /** Connections that are reset at each stage, as fast as they can be made. */
    async "resets"(at) {
        const stages = [Buffer.alloc(0), Buffer.from("GET / HTTP/1.1\r\nUpgr"), handshake.subarray(0, 9), handshake,
            Buffer.concat([handshake, ack]), Buffer.concat([handshake, ack, requestOf(1, routes.enter, '{"username":"r","rid":"x"}')])];
        const one = async (stage) => {
            const socket = connect({ port: at.port, host, localAddress: at.from });
            socket.on("error", () => {});
            socket.write(stages[stage % stages.length]);
            await Promise.race([once(socket, "connect"), sleep(200)]).catch(() => {});
            await sleep(1);
            socket.resetAndDestroy();
        };
        return () => Promise.all(Array.from({ length: scaled(at, 30) }, async (_, first) => {
            for (let stage = first; ; ++stage) {
                await one(stage);
            }
        }));
    },
    /** Whole logins, one after the other, each from a new connection. */
    async "logins"(at) {
        return () => Promise.all(Array.from({ length: scaled(at, 20) }, async (_, who) => {
            for (let i = 0; ; ++i) {
                const one = await Client.open(at.port, at);
                await one.enter(`login${who}x${i}`, at.room);
                one.close();
                await sleep(1);
            }
        }));
    },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const [, , name, given] = process.argv;
    const go = await attacks[name](JSON.parse(given));
    console.log("under way");
    await go();
}
