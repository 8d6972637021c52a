/**
 * Who is in the room, and to whom the next message goes: two views of one choice.
 * @module member_list
 */
import { everyone } from "../client/chat.js";
import { avatar, byId, element } from "./dom.js";
import { texts } from "./texts.js";

/** The member list and the target choice. */
export class MemberList {
    #panel = byId("members-panel");
    #toggle = byId("members-toggle");
    #list = byId("members");
    #count = byId("members-count");
    #select = byId("target");
    #members = [];
    #ownName = "";
    #target = everyone;
    #onChoice;

    /** @param {() => void} onChoice called when a person has chosen a target */
    constructor(onChoice) {
        this.#onChoice = onChoice;
        this.#select.addEventListener("change", () => this.#choose(this.#select.value));
        this.#toggle.addEventListener("click", () => this.#open(!this.#panel.classList.contains("open")));
        this.#panel.addEventListener("keydown", (event) => {
            if (event.key === "Escape") {
                this.#open(false);
                this.#toggle.focus();
            }
        });
    }

    /** Everyone or a name. */
    get target() {
        return this.#target;
    }

    /** Whether the target can be reached now. */
    get isTargetHere() {
        return this.#target === everyone || this.#members.includes(this.#target);
    }

    /** @param {string[]} members @param {string} ownName */
    show(members, ownName) {
        if (ownName !== this.#ownName) {
            this.#list.replaceChildren();
        }
        this.#members = members;
        this.#ownName = ownName;
        this.#render();
    }

    /** The next message goes to everyone. */
    resetTarget() {
        this.#open(false);
        this.#target = everyone;
        this.#render();
    }

    #choose(target) {
        this.#target = target;
        this.#open(false);
        this.#render();
        this.#onChoice();
    }

    #open(isOpen) {
        this.#panel.classList.toggle("open", isOpen);
        this.#toggle.setAttribute("aria-expanded", String(isOpen));
    }

    #render() {
        this.#count.textContent = String(this.#members.length);
        this.#toggle.textContent = texts.members(this.#members.length);
        arrange(this.#list, [everyone, ...this.#members], (name) => this.#row(name));
        for (const button of this.#list.querySelectorAll("button")) {
            button.setAttribute("aria-pressed", String(button.dataset.name === this.#target));
        }
        this.#renderSelect();
    }

    #row(name) {
        if (name === this.#ownName) {
            return element("li", "member own", avatar(name), element("span", "name", name),
                element("span", "you", texts.you));
        }
        const isEveryone = name === everyone;
        const face = isEveryone ? element("span", "avatar everyone", "\u2217") : avatar(name);
        face.setAttribute("aria-hidden", "true");
        const button = element("button", "member", face, element("span", "name", isEveryone ? texts.all : name));
        button.type = "button";
        button.dataset.name = name;
        button.title = isEveryone ? texts.talkToAll : texts.talkTo(name);
        button.addEventListener("click", () => this.#choose(name));
        return element("li", "", button);
    }

    #renderSelect() {
        const names = [everyone, ...this.#members.filter((name) => name !== this.#ownName)];
        // A private message must not turn into a public one because its receiver went: the choice stays.
        if (!this.isTargetHere) {
            names.push(this.#target);
        }
        arrange(this.#select, names, (name) => new Option("", name));
        for (const option of this.#select.options) {
            const label = this.#labelOf(option.value);
            if (option.text !== label) {
                option.text = label;
            }
        }
        this.#select.value = this.#target;
        this.#select.classList.toggle("private", this.#target !== everyone);
    }

    #labelOf(name) {
        if (name === everyone) {
            return texts.all;
        }
        return this.#members.includes(name) ? name : texts.targetOffline(name);
    }
}

/** What each child of a list stands for. */
const nameOf = new WeakMap();

/**
 * Makes a list show these names, and leaves alone what is right already: the focus and an open drop-down stay.
 * @param {HTMLElement} list
 * @param {string[]} names
 * @param {(name: string) => HTMLElement} make
 */
function arrange(list, names, make) {
    const wanted = new Set(names);
    const present = new Map();
    for (const child of [...list.children]) {
        if (wanted.has(nameOf.get(child))) {
            present.set(nameOf.get(child), child);
        } else {
            child.remove();
        }
    }
    names.forEach((name, index) => {
        const child = present.get(name) ?? make(name);
        nameOf.set(child, name);
        if (list.children[index] !== child) {
            list.insertBefore(child, list.children[index] ?? null);
        }
    });
}
