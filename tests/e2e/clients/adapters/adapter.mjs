/**
 * What script.mjs asks of a client, whoever wrote it. An adapter is one person's program: it connects to the gate,
 * disconnects, connects to a connector, and notes down what it is told there.
 *
 * ```js
 * const client = new JsClient(new Map());     // the Map: what a browser would keep across reloads
 * await client.connect(host, port);
 * await client.request(route, body);          // the answer's body
 * client.notify(route, body);
 * client.events;                              // [["onAdd", {...}], ["kick", reason], ["close"]], in order
 * client.faults;                              // what the client complained about; stays empty
 * client.disconnect();                        // no event
 * ```
 */
export class Adapter {
    /** Pushes, kick and close of the present connection, in order. The script may empty it. */
    events = [];
    /** Errors that the client reports: a broken handshake, a missed heartbeat, bytes that it cannot read. */
    faults = [];

    /** @param {Map<string, string>} storage survives this client; the next client of the same person gets it */
    constructor(storage = new Map()) {
        this.storage = storage;
    }

    /** @param {string} text sent by someone @returns {string} what this client shows of it when it comes as protobuf */
    static readsProtobufText(text) {
        return text;
    }

    /** How many requests on one connection it can number. */
    static requestLimit = Infinity;

    /** Whether the client can tell why it was kicked. */
    static knowsKickReason = true;
}

/** @returns {object} an emitter's `emit`, with each event given to `listen(event, ...arguments)` before it goes on */
export function overhear(emitter, listen) {
    const emit = emitter.emit;
    emitter.emit = function emitAndTell(event, ...given) {
        listen(event, ...given);
        // Node's emitters throw an error that nobody listens to; here it is heard.
        return event === "error" ? true : emit.call(this, event, ...given);
    };
    return emitter;
}

/** A heartbeat that comes while a socket closes makes these clients start their timers again; so they hear no more. */
export function deafen(socket) {
    if (socket) {
        socket.onmessage = () => {};
    }
}

/**
 * What the browser codec of pomelo-protobuf makes of correct UTF-8: it knows letters of up to three bytes, and takes one
 * of four (an emoji) for two others. In JSON it does not happen, since the server escapes those letters.
 */
export function readWithBrowserCodec(text) {
    const bytes = Buffer.from(text);
    const read = [];
    for (let at = 0; at < bytes.length;) {
        const [first, second, third] = bytes.subarray(at, at + 3);
        if (first < 0x80) {
            read.push(first);
            at += 1;
        } else if (first < 0xe0) {
            read.push(((first & 0x3f) << 6) + (second & 0x3f));
            at += 2;
        } else {
            read.push(((first & 0x0f) << 12) + ((second & 0x3f) << 6) + (third & 0x3f));
            at += 3;
        }
    }
    return String.fromCharCode(...read);
}
