/**
 * As libpomelo2, the client in C, which is not on npm: a plain TCP stream; dictionary and protos kept, with their
 * versions sent at the next handshake; where the server breaks a rule the process would end, here it is a fault.
 */
import assert from "node:assert/strict";
import { Tcp } from "./tcp.mjs";

export class StrictTcp extends Tcp {
    static kind = "strict TCP";

    sys() {
        const { dict, protos } = this.#kept();
        const sys = { type: "linux", version: "0.3.5-release" };
        if (dict) {
            sys.dictVersion = dict.dictVersion;
        }
        if (protos) {
            sys.protoVersion = protos.version;
        }
        return sys;
    }

    learn({ sys }) {
        const kept = this.#kept();
        const sent = this.sys();
        if (sys.useDict) {
            assert.equal("routeToCode" in sys, sent.dictVersion === undefined, "a dictionary that is known is not sent again");
            kept.dict = sys.routeToCode ? sys : kept.dict;
            assert.deepEqual(Object.entries(kept.dict.routeToCode).map(([route, code]) => [String(code), route]).sort(),
                Object.entries(kept.dict.codeToRoute).sort(), "both directions of the dictionary say the same");
        } else {
            assert.ok(!("routeToCode" in sys), "a dictionary without useDict");
        }
        if (sys.useProto) {
            assert.equal("protos" in sys, sent.protoVersion === undefined, "protos that are known are not sent again");
            kept.protos = sys.protos ?? kept.protos;
            assert.equal(typeof kept.protos.version, "string");
        } else {
            assert.ok(!("protos" in sys), "protos without useProto");
        }
        this.storage.set("kept", JSON.stringify(kept));
        return {
            routes: new Map(Object.entries(sys.useDict ? kept.dict.routeToCode : {})),
            protos: sys.useProto ? kept.protos : { server: {}, client: {} },
        };
    }

    pieces(bytes) {
        return [bytes];
    }

    #kept() {
        return JSON.parse(this.storage.get("kept") ?? "{}");
    }
}
