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
        const focused = this.#list.contains(document.activeElement) ? document.activeElement.dataset.name : null;
        this.#count.textContent = String(this.#members.length);
        this.#toggle.textContent = texts.members(this.#members.length);
        const rows = [this.#row(everyone), ...this.#members.map((name) => this.#row(name))];
        this.#list.replaceChildren(...rows);
        [...this.#list.querySelectorAll("button")].find((button) => button.dataset.name === focused)?.focus();
        this.#renderSelect();
    }

    #row(name) {
        if (name === this.#ownName) {
            return element("li", "member own", avatar(name), element("span", "name", name), element("span", "you", "you"));
        }
        const isEveryone = name === everyone;
        const face = isEveryone ? element("span", "avatar everyone", "\u2217") : avatar(name);
        face.setAttribute("aria-hidden", "true");
        const button = element("button", "member", face, element("span", "name", isEveryone ? texts.all : name));
        button.type = "button";
        button.dataset.name = name;
        button.setAttribute("aria-pressed", String(name === this.#target));
        button.title = isEveryone ? "Talk to everyone in the room" : `Talk to ${name} in private`;
        button.addEventListener("click", () => this.#choose(name));
        return element("li", "", button);
    }

    #renderSelect() {
        const others = this.#members.filter((name) => name !== this.#ownName);
        const options = [new Option(texts.all, everyone), ...others.map((name) => new Option(name, name))];
        // A private message must not turn into a public one because its receiver went: the choice stays.
        if (!this.isTargetHere) {
            options.push(new Option(texts.targetOffline(this.#target), this.#target));
        }
        this.#select.replaceChildren(...options);
        this.#select.value = this.#target;
        this.#select.classList.toggle("private", this.#target !== everyone);
    }
}
