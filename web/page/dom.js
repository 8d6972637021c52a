/**
 * Elements from text. Text only: nothing that a person or a server wrote is ever parsed as HTML.
 * @module dom
 */
import { hueOf } from "./texts.js";

/** How many colours style.css has for names (data-hue 0 to 7). */
const hues = 8;

/** @param {string} id @returns {HTMLElement} of the page; it must be there */
export function byId(id) {
    const found = document.getElementById(id);
    if (found === null) {
        throw new Error(`index.html has no element #${id}`);
    }
    return found;
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {...(string|Node)} children strings become text
 * @returns {HTMLElement}
 */
export function element(tag, className, ...children) {
    const made = document.createElement(tag);
    made.className = className;
    made.append(...children);
    return made;
}

/** @param {string} name @returns {HTMLElement} a coloured circle with the name's first character; for eyes only */
export function avatar(name) {
    const made = element("span", "avatar", [...name][0] ?? "?");
    made.dataset.hue = String(hueOf(name, hues));
    made.setAttribute("aria-hidden", "true");
    return made;
}
