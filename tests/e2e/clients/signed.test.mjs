/** Clients that sign: the gate does not mind, the connectors insist. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startSystem } from "../lib/system.mjs";
import { endProcessAfter } from "../lib/wait.mjs";
import { SignedJsClient, SignedShaddock, SignedTcp } from "./adapters/signed.mjs";
import { Tcp } from "./adapters/tcp.mjs";
import { Person, chat, routes } from "./script.mjs";
import { configure } from "./suite.mjs";

endProcessAfter(60_000);

const form = { dict: [], protobuf: ["onChat"] };

describe("signed bodies", { concurrency: false }, () => {
    let system;
    before(async () => {
        system = await startSystem({
            edit: (config) => configure(config, { connector: { heartbeat: "3 s", dict: true, proto: true, crypto: true } }),
        });
    }, { timeout: 60_000 });
    after(() => system?.stop(), { timeout: 30_000 });

    for (const [index, Clients] of [
        [SignedJsClient, SignedJsClient, SignedJsClient],
        [SignedShaddock, SignedShaddock, SignedShaddock],
        [SignedTcp, SignedTcp, SignedTcp],
        [SignedTcp, SignedShaddock, SignedJsClient],
    ].entries()) {
        test(`together: ${Clients.map(({ kind }) => kind).join("; ")}`, async () => {
            await chat({ gatePort: system.gatePort, Clients, room: `signed${index}`, form });
        });
    }

    test("a client without a key is refused", async () => {
        const person = new Person("keyless", Tcp, form);
        await assert.rejects(person.login(system.gatePort));
        assert.match(person.client.faults.join(), /500/);
        person.leave();
    });

    test("a body that is not signed, or was changed, does not reach the handler", async () => {
        class Careless extends SignedTcp {
            change = (body) => body;
            dress(body) {
                return this.change(super.dress(body));
            }
        }
        const person = new Person("careless", Careless, form);
        try {
            await person.login(system.gatePort);
            const asks = async (change) => {
                person.client.change = change;
                return person.ask(routes.enter, { username: "careless", rid: "signed" });
            };
            assert.deepEqual(await asks(({ username, rid }) => ({ username, rid })), { code: 500 });
            assert.deepEqual(await asks((body) => ({ ...body, username: "another" })), { code: 500 });
            assert.deepEqual(await asks((body) => body), { users: ["careless"] });
        } finally {
            person.leave();
        }
    });
});
