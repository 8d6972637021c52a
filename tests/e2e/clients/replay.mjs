/** Plays one session of the transcript: sends what the clients sent, collects what they receive. */
import assert from "node:assert/strict";
import { until } from "../lib/wait.mjs";
import { decodeMessage, encodePackage, messageType, packageType } from "./adapters/wire.mjs";
import { Peer } from "./peer.mjs";

/** Longer than a silent client is kept. */
const limitMs = 10_000;
/** Once something has not come, so that a failing test does not take minutes. */
const shortLimitMs = 200;
const heartbeat = encodePackage(packageType.heartbeat).toString("hex");
const ack = encodePackage(packageType.ack);
export const plainHandshake = encodePackage(packageType.handshake,
    Buffer.from('{"sys":{"type":"js-websocket","version":"0.0.1","rsa":{},"protoVersion":0},"user":{}}'));

export class Replay {
    /** @type {Map<string, Peer>} */
    peers = new Map();
    #expected = new Map();
    #options;
    #limitMs = limitMs;

    /**
     * @param {object} options
     * @param {(who: string) => {isWebSocket: boolean, port: number}} options.place
     * @param {import("./transcript.mjs").Deviations} options.deviations
     * @param {Record<string, (replay: Replay, who: string) => Promise<void>>} options.acts what the transcript does not
     *   show, by the beginning of the line before which it is done. A handshake has {@link plainHandshake} by default
     */
    constructor(options) {
        this.#options = options;
    }

    /** @param {object[]} lines a session of readSessions */
    async play(lines) {
        for (const [index, entry] of lines.entries()) {
            const { isLeftOut, more } = this.#options.deviations.of(entry, lines.slice(0, index));
            await this.#follow(entry, isLeftOut, lines.slice(index));
            more.forEach(([one, item]) => this.#expected.get(one).push(item));
        }
        await this.settle();
    }

    /** A client that has only connected. */
    async open(who) {
        const { isWebSocket, port } = this.#options.place(who);
        const peer = new Peer(isWebSocket, port);
        this.peers.set(who, peer);
        this.#expected.set(who, []);
        await peer.opened;
        return peer;
    }

    /** Waits until everyone has received as much as must come; what it is `compare` looks at. */
    async settle() {
        await until(() => [...this.peers].every(([who, { received }]) => received.length >= this.#expected.get(who).length),
            "as many packages as expected", this.#limitMs).catch(() => { this.#limitMs = shortLimitMs; });
    }

    close() {
        [...this.peers.values()].forEach((peer) => peer.close());
    }

    /**
     * @param {(item: string) => string} normalise what is received and what is expected
     * @throws {assert.AssertionError} they differ, for whichever client
     */
    compare(normalise) {
        const found = {};
        const expected = {};
        for (const [who, { received, frames }] of this.peers) {
            found[who] = readable(received.map(normalise));
            expected[who] = readable(this.#expected.get(who).map(normalise));
            if (frames !== null) {
                assert.deepEqual(frames, received.filter((item) => !item.startsWith("closed")), `${who}: one package in each frame`);
            }
        }
        assert.deepEqual(found, expected);
    }

    async #follow(entry, isLeftOut, rest) {
        const { kind, who, line, hex } = entry;
        const [, act] = Object.entries(this.#options.acts).find(([beginning]) => line.replace(/^\+\d+ms /, "").startsWith(beginning))
            ?? [];
        if (kind === "note" || kind === "section") {
            assert.ok(act || kind === "section", `line ${entry.number}: nothing is done for it`);
            await this.settle();
            await act?.(this);
        } else if (kind === "timing") {
            assert.ok(isLeftOut, `line ${entry.number}: a time cannot be compared`);
        } else if (kind === "sends") {
            await this.settle();
            await this.#send(who, hex, rest);
        } else if (kind === "handshake") {
            await this.settle();
            await (act ?? shakeHands)(this, who);
            this.#expect(who, encodePackage(packageType.handshake, Buffer.from(entry.json)).toString("hex"), isLeftOut);
        } else if (kind === "package") {
            if (hex === heartbeat) {
                await this.settle();
                this.#acknowledge(who);
            }
            this.#expect(who, hex, isLeftOut);
        } else if (kind === "frame" || kind === "got") {
            // The same package again, as it looked from below; the next line compares it.
            const whole = kind === "frame" ? hex : encodePackage(packageType.data, Buffer.from(hex, "hex")).toString("hex");
            assert.equal(rest[1].hex, whole, `line ${entry.number}: another package than in the next line`);
        } else if (kind === "closed") {
            await this.settle();
            await act?.(this, who);
            this.#expect(who, entry.code ? `closed ${entry.code}` : "closed", isLeftOut);
        }
    }

    #expect(who, item, isLeftOut) {
        if (!isLeftOut) {
            this.#expected.get(who).push(item);
        }
    }

    async #send(who, hex, rest) {
        // Where heartbeats are on, the first one says when the client sent its ack.
        if (!rest.some((later) => later.who === who && later.hex === heartbeat)) {
            this.#acknowledge(who);
        }
        this.peers.get(who).send(Buffer.from(hex, "hex"));
    }

    #acknowledge(who) {
        const peer = this.peers.get(who);
        if (!peer.hasAcked) {
            peer.hasAcked = true;
            peer.ackedAt = Date.now();
            peer.send(ack);
        }
    }
}

async function shakeHands(replay, who) {
    (await replay.open(who)).send(plainHandshake);
}

/** Answers by their id, all else as it came; with the text in it for whoever reads that a test has failed. */
function readable(items) {
    const read = (item) => (item.startsWith("closed") ? item
        : `${item} ${Buffer.from(item, "hex").toString("latin1").replace(/[^\x20-\x7e]/g, ".")}`);
    return {
        answers: items.filter((item) => idOf(item) !== null).sort((one, other) => idOf(one) - idOf(other)).map(read),
        others: items.filter((item) => idOf(item) === null).map(read),
    };
}

/** Of an answer; of anything else null. */
function idOf(item) {
    if (!item.startsWith("04")) {
        return null;
    }
    const { type, id } = decodeMessage(Buffer.from(item.slice(8), "hex"));
    return type === messageType.response ? id : null;
}
