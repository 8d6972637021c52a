/** Clients of other makers on the chat's own setting: codes for the handlers' routes, protobuf for what people say. */
import { routes } from "./script.mjs";
import { configure, playScript } from "./suite.mjs";

const serverProtos = { onChat: { "required string msg": 1, "required string from": 2, "required string target": 3 } };

playScript("dictionary and protobuf, as the chat has them", {
    edit: (config) => configure(config, {
        gate: { proto: true },
        connector: { heartbeat: "1 s", dict: true, proto: true },
    }, { "serverProtos.json": serverProtos, "clientProtos.json": {}, "dictionary.json": [] }),
    form: { dict: Object.values(routes), protobuf: ["onChat"] },
});
