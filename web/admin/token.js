/**
 * The secret that opens the API: it comes in the address's fragment, which browsers send to nobody, and stays in this tab.
 * @module token
 */

const key = "shaddock-admin-token";

/** @param {string} fragment `#token=..` @returns {string|null} */
export function tokenOf(fragment) {
    return /^#token=([\w-]{8,256})$/.exec(fragment)?.[1] ?? null;
}

/** Takes it out of the address bar, at once and also out of this tab's history. @returns {string|null} of the address, else the one kept */
export function takeToken() {
    const given = tokenOf(window.location.hash);
    if (given !== null) {
        window.history.replaceState(null, "", window.location.pathname);
        keepToken(given);
    }
    return given ?? window.sessionStorage.getItem(key);
}

/** @param {string|null} token null: forgotten */
export function keepToken(token) {
    if (token === null) {
        window.sessionStorage.removeItem(key);
    } else {
        window.sessionStorage.setItem(key, token);
    }
}
