/**
 * Elements from text. Text only: nothing that a server said is ever parsed as HTML.
 * @module dom
 */

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

/** Sets the text only when it changes, so that a selection and a screen reader are left alone. */
export function setText(node, text) {
    if (node.textContent !== text) {
        node.textContent = text;
    }
}
