/**
 * What one can do to a server: asked for with a button, confirmed in a dialog that says what happens.
 * @module actions
 */
import { byId } from "./dom.js";
import { reloadOutcome, startOutcome, texts } from "./texts.js";

/** @typedef {import("./texts.js").Outcome} Outcome */

/** Its rooms stay, and it serves until they are empty. */
const drains = ({ state, draining }) => state === "draining" && Boolean(draining);
const serves = (server) => server.state === "ready" || drains(server);
const stops = (server) => server.state === "draining" && !drains(server);

/** By name: what the button and the dialog say (texts.js), when it can be done, and the call. */
export const actions = {
    reload: {
        ...texts.action.reload,
        canDo: serves,
        forType: true,
        run: async (api, target) => outcomes(await api.post("/api/reload", { targets: [target] }), reloadOutcome),
    },
    rollback: {
        ...texts.action.rollback,
        canDo: (server) => serves(server) && server.generation > 1,
        forType: true,
        run: async (api, target) => outcomes(await api.post("/api/reload", { targets: [target], rollback: true }), reloadOutcome),
    },
    restart: {
        ...texts.action.restart,
        canDo: (server) => !stops(server) && server.state !== "starting",
        forType: true,
        run: async (api, target) => outcomes(await api.post("/api/restart", { targets: [target] }), startOutcome),
    },
    stop: {
        ...texts.action.stop,
        canDo: (server) => server.pid !== null && !stops(server),
        forType: false,
        run: async (api, target) => {
            await api.post("/api/stop", { ids: [target] });
            return [{ isGood: true, text: texts.action.stopped(target) }];
        },
    },
};

function outcomes({ results }, read) {
    return results.map(read);
}

/**
 * Asks whether to do it, and to whom.
 * @param {object} action one of `actions` @param {{id: string, type: string}} server @param {number} ofType how many servers its type has
 * @returns {Promise<string|null>} an id or a type; null: do nothing
 */
export function confirmAction(action, { id, type }, ofType) {
    const dialog = byId("confirm");
    const isChoice = action.forType && ofType > 1;
    byId("confirm-title").textContent = isChoice ? texts.action.askType(action.label) : texts.action.askOne(action.label, id);
    byId("confirm-what").textContent = action.what;
    byId("confirm-go").textContent = action.label;
    byId("confirm-scope").hidden = !isChoice;
    byId("confirm-one-text").textContent = texts.action.onlyOne(id);
    byId("confirm-all-text").textContent = texts.action.all(ofType, type);
    byId("confirm-one").checked = true;
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((resolve) => {
        dialog.addEventListener("close", () => {
            const target = isChoice && byId("confirm-all").checked ? type : id;
            resolve(dialog.returnValue === "go" ? target : null);
        }, { once: true });
    });
}
