/**
 * The messages and notices of the room, newest at the bottom.
 * @module message_list
 */
import { everyone } from "../client/chat.js";
import { avatar, byId, element } from "./dom.js";
import { clockText, texts } from "./texts.js";

/** Rows kept; older ones go, so that a page left open for days stays light. */
const rowLimit = 500;

/** This near to the bottom counts as reading the newest. */
const nearBottomPx = 80;

/** Shows rows, and follows the newest one while the reader is at the bottom. */
export class MessageList {
    #log = byId("log");
    #list = byId("messages");
    #toNewest = byId("to-newest");

    constructor() {
        this.#toNewest.addEventListener("click", () => this.#scrollToNewest());
        this.#log.addEventListener("scroll", () => {
            if (this.#isAtBottom()) {
                this.#toNewest.hidden = true;
            }
        });
        // A keyboard that slides in on a phone takes room away: stay with the newest row.
        new ResizeObserver(() => {
            if (this.#toNewest.hidden) {
                this.#scrollToNewest();
            }
        }).observe(this.#log);
    }

    /**
     * @param {object} message
     * @param {string} message.from
     * @param {string} message.target everyone or a name
     * @param {string} message.text
     * @param {string} ownName
     */
    addMessage({ from, target, text }, ownName) {
        const isOwn = from === ownName;
        const isPrivate = target !== everyone;
        const now = new Date();
        const time = element("time", "time", clockText(now));
        time.dateTime = now.toISOString();
        const head = element("p", "head", element("span", "from", from), " says to ",
            element("span", "target", isPrivate ? target : texts.all), ": ");
        const row = element("li", "message", avatar(from),
            element("div", "bubble", head, element("p", "text", text), time));
        row.classList.toggle("own", isOwn);
        row.classList.toggle("private", isPrivate);
        this.#append(row, isOwn);
    }

    /** @param {string} text who came or went, or where one is */
    addNotice(text) {
        const time = element("time", "time", clockText(new Date()));
        this.#append(element("li", "notice", element("span", "notice-text", text), " ", time), false);
    }

    clear() {
        this.#list.replaceChildren();
        this.#toNewest.hidden = true;
    }

    #append(row, follow) {
        const wasAtBottom = this.#isAtBottom();
        this.#list.append(row);
        while (this.#list.childElementCount > rowLimit) {
            this.#list.firstElementChild.remove();
        }
        if (wasAtBottom || follow) {
            this.#scrollToNewest();
        } else {
            this.#toNewest.hidden = false;
        }
    }

    #isAtBottom() {
        const { scrollHeight, scrollTop, clientHeight } = this.#log;
        return scrollHeight - scrollTop - clientHeight < nearBottomPx;
    }

    #scrollToNewest() {
        this.#log.scrollTop = this.#log.scrollHeight;
        this.#toNewest.hidden = true;
    }
}
