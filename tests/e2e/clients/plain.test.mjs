/** Clients of other makers without dictionary and protobuf: routes are texts, bodies are JSON. */
import { configure, playScript } from "./suite.mjs";

playScript("plain", {
    edit: (config) => configure(config, {
        gate: { dict: false, proto: false },
        connector: { heartbeat: "1 s", dict: false, proto: false },
    }),
    form: { dict: [], protobuf: [] },
});
