/**
 * The entry: what is written is handed over on Enter or with the button.
 * @module composer
 */
import { byId } from "./dom.js";

/** Key code of a key press that an input method (Chinese, Japanese) has taken for itself. */
const takenByInputMethod = 229;

/** Where a person writes. */
export class Composer {
    #entry = byId("entry");
    #error = byId("composer-error");
    #button = byId("send");

    /** @param {(text: string) => void} onText called with each text that is not blank */
    constructor(onText) {
        const submit = () => {
            const text = this.#entry.value;
            if (text.trim() === "") {
                return;
            }
            this.#error.textContent = "";
            onText(text);
        };
        byId("composer").addEventListener("submit", (event) => {
            event.preventDefault();
            submit();
            this.focus();
        });
        this.#entry.addEventListener("keydown", (event) => {
            // Enter that picks a word of an input method does not send.
            const isComposing = event.isComposing || event.keyCode === takenByInputMethod;
            if (event.key === "Enter" && !event.shiftKey && !isComposing) {
                event.preventDefault();
                submit();
            }
        });
        this.#entry.addEventListener("input", () => this.#fit());
    }

    /** Whether nothing is written. */
    get isEmpty() {
        return this.#entry.value === "";
    }

    clear() {
        this.#entry.value = "";
        this.#error.textContent = "";
        this.#fit();
    }

    /** @param {string} text comes back after it could not be sent, unless something new is written */
    restore(text) {
        if (this.isEmpty) {
            this.#entry.value = text;
            this.#fit();
        }
    }

    /** @param {string} text why it was not sent */
    showError(text) {
        this.#error.textContent = text;
    }

    clearError() {
        this.#error.textContent = "";
    }

    /** @param {boolean} isOn while off, writing goes on and the button shows that sending does not */
    enable(isOn) {
        this.#button.disabled = !isOn;
    }

    focus() {
        this.#entry.focus();
    }

    /** As many lines as the text has; style.css sets the most. */
    #fit() {
        this.#entry.style.height = "auto";
        this.#entry.style.height = `${this.#entry.scrollHeight + 2}px`;
    }
}
