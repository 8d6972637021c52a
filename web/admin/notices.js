/**
 * What became of an action: what is being done, then how it ended. Stays until it is put away or the next begins.
 * @module notices
 */
import { byId, element } from "./dom.js";

export class Notices {
    constructor() {
        byId("notice-close").addEventListener("click", () => { byId("notices").hidden = true; });
    }

    /** @param {string} text what is being done */
    begin(text) {
        this.#show([element("li", "busy", text)]);
    }

    /** @param {import("./texts.js").Outcome[]} list */
    end(list) {
        this.#show(list.map(({ isGood, text }) => element("li", isGood ? "good" : "bad", text)));
    }

    #show(items) {
        byId("notices").hidden = false;
        byId("outcomes").replaceChildren(...items);
    }
}
