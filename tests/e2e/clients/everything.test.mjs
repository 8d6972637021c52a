/** Clients of other makers with codes and protobuf wherever they can be: all pushes, and what clients ask. */
import { routes } from "./script.mjs";
import { configure, playScript } from "./suite.mjs";

const pushes = ["onChat", "onAdd", "onLeave"];
const serverProtos = {
    onChat: { "required string msg": 1, "required string from": 2, "required string target": 3 },
    onAdd: { "required string user": 1 },
    onLeave: { "required string user": 1 },
};
const clientProtos = {
    [routes.queryEntry]: { "required string uid": 1 },
    [routes.enter]: { "required string username": 1, "required string rid": 2 },
    [routes.send]: {
        "required string rid": 1,
        "required string content": 2,
        "required string from": 3,
        "required string target": 4,
        // Browsers label numbers with the wire type of a text; the server must not mind.
        "optional uInt32 seq": 5,
    },
};

playScript("dictionary and protobuf, for everything", {
    edit: (config) => configure(config, {
        gate: { dict: true, proto: true },
        connector: { heartbeat: "1 s", dict: true, proto: true },
    }, { "serverProtos.json": serverProtos, "clientProtos.json": clientProtos, "dictionary.json": pushes }),
    form: { dict: [...Object.values(routes), ...pushes], protobuf: [...Object.keys(clientProtos), ...pushes] },
});
