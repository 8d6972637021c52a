/**
 * What one can do to a server: asked for with a button, confirmed in a dialog that says what happens.
 * @module actions
 */
import { byId } from "./dom.js";
import { reloadOutcome, startOutcome } from "./texts.js";

/** @typedef {import("./texts.js").Outcome} Outcome */

/** By name: what the button and the dialog say, when it can be done, and the call. */
export const actions = {
    reload: {
        label: "Reload",
        doing: (target) => `Reloading ${target}\u2026`,
        what: "Opens the module's file again, checks it in a process of its own, and changes over between two requests. Connections, "
            + "sessions and rooms stay; what was accepted before ends with the old code. A file that is refused changes nothing.",
        canDo: ({ state }) => state === "ready",
        forType: true,
        run: async (api, target) => outcomes(await api.post("/api/reload", { targets: [target] }), reloadOutcome),
    },
    rollback: {
        label: "Roll back",
        doing: (target) => `Rolling back ${target}\u2026`,
        what: "Changes over to the generation before, which is still in memory. No file is read. Once more goes forward again.",
        canDo: ({ state, generation }) => state === "ready" && generation > 1,
        forType: true,
        run: async (api, target) => outcomes(await api.post("/api/reload", { targets: [target], rollback: true }), reloadOutcome),
    },
    restart: {
        label: "Restart",
        doing: (target) => `Restarting ${target}\u2026`,
        what: "Stops the process in order and starts it anew. A frontend kicks its clients first; the rooms of a backend come back "
            + "with their members, what a plugin keeps only in memory does not. A server that is stopped is started.",
        canDo: ({ state }) => state !== "draining" && state !== "starting",
        forType: true,
        run: async (api, target) => outcomes(await api.post("/api/restart", { targets: [target] }), startOutcome),
    },
    drain: {
        label: "Drain and stop",
        doing: (target) => `Draining ${target}\u2026`,
        what: "Takes nothing new, ends the requests in flight, kicks its clients with the reason \u201cshutdown\u201d, and goes. It stays "
            + "stopped until it is started again with Restart.",
        canDo: ({ pid, state }) => pid !== null && state !== "draining",
        forType: false,
        run: async (api, target) => {
            await api.post("/api/stop", { ids: [target] });
            return [{ isGood: true, text: `${target}: stopped` }];
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
    byId("confirm-title").textContent = isChoice ? `${action.label}?` : `${action.label} ${id}?`;
    byId("confirm-what").textContent = action.what;
    byId("confirm-go").textContent = action.label;
    byId("confirm-scope").hidden = !isChoice;
    byId("confirm-one-text").textContent = `only ${id}`;
    byId("confirm-all-text").textContent = `all ${ofType} servers of type ${type}, one after the other`;
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
