/**
 * Two people with a client of another maker (npm's pomelo-nodejsclient-websocket), on different connectors, who talk in one room.
 * Usage: node strangers.mjs GATE_HOST:PORT. Ends with 0 when each has heard all that both have said, in order.
 */
import assert from "node:assert/strict";

import { NodeJsClient } from "../clients/adapters/nodejsclient.mjs";
import { routes, within } from "../clients/script.mjs";
import { until } from "../lib/wait.mjs";

const [gateHost, gatePort] = process.argv[2].split(":");
const count = 10;
const room = `strangers ${process.pid}`;

/** Of that name, or null when the gate sends it where somebody is already. */
async function login(name, taken) {
    const client = new NodeJsClient();
    await within(client.connect(gateHost, Number(gatePort)), `${name}: the gate's handshake`);
    const { code, host, port } = await within(client.request(routes.queryEntry, { uid: name }), `${name} asks the gate`);
    assert.equal(code, 200);
    client.disconnect();
    const place = `${host}:${port}`;
    if (taken.has(place)) {
        return null;
    }
    taken.add(place);
    await within(client.connect(host, port), `${name}: the connector's handshake`);
    const { users } = await within(client.request(routes.enter, { username: name, rid: room }), `${name} enters`);
    assert.ok(users.includes(name), JSON.stringify(users));
    return client;
}

const taken = new Set();
const people = new Map();
for (let number = 0; people.size < 2; ++number) {
    assert.ok(number < 100, `the gate sends all to ${[...taken].join()}`);
    const name = `stranger${number}`;
    const client = await login(name, taken);
    if (client !== null) {
        people.set(name, client);
    }
}
for (let number = 0; number < count; ++number) {
    for (const [name, client] of people) {
        const answer = await within(client.request(routes.send, { rid: room, content: `${name} ${number}`, from: name, target: "*" }), `${name} says ${number}`);
        assert.notEqual(answer?.code, 500);
    }
}
for (const [name, client] of people) {
    const heard = () => client.events.filter(([event]) => event === "onChat").map(([, { msg }]) => msg);
    await until(async () => heard().length >= 2 * count, `${name} hears all`);
    assert.deepEqual(heard(), Array.from({ length: count }, (_, number) => [...people.keys()].map((each) => `${each} ${number}`)).flat());
    assert.deepEqual(client.faults, []);
    client.disconnect();
}
process.exit(0);
