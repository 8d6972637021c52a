/**
 * Numbers as people read them.
 * @module formats
 */

export const unknown = "\u2013";

/** @param {number|null} value @returns {string} `0.4`, `12`, `12.3k`, `4.5M` */
export function countText(value) {
    if (value === null) {
        return unknown;
    }
    for (const [unit, size] of [["M", 1e6], ["k", 1e3]]) {
        if (value >= size * (unit === "k" ? 10 : 1)) {
            return `${trimmed(value / size, 1)}${unit}`;
        }
    }
    return trimmed(value, value < 10 ? 1 : 0);
}

/** @param {number|null} value a rate @returns {string} `12/s` */
export function perSecondText(value) {
    return value === null ? unknown : `${countText(value)}/s`;
}

/** @param {number|null} cores @returns {string} `40 %` of one core */
export function coresText(cores) {
    return cores === null ? unknown : `${Math.round(cores * 100)} %`;
}

/** @param {number|null} bytes @returns {string} `512 B`, `9.4 MiB` */
export function bytesText(bytes) {
    if (bytes === null) {
        return unknown;
    }
    let value = bytes;
    for (const unit of ["B", "KiB", "MiB"]) {
        if (value < 1024) {
            return `${trimmed(value, unit === "B" || value >= 100 ? 0 : 1)} ${unit}`;
        }
        value /= 1024;
    }
    return `${trimmed(value, 1)} GiB`;
}

/** @param {number|null} seconds how long something took @returns {string} `50 µs`, `1.2 ms`, `2.1 s` */
export function tookText(seconds) {
    if (seconds === null) {
        return unknown;
    }
    if (seconds < 1e-3) {
        return `${trimmed(seconds * 1e6, 0)} \u00b5s`;
    }
    return seconds < 1 ? `${trimmed(seconds * 1e3, seconds < 0.1 ? 1 : 0)} ms` : `${trimmed(seconds, 1)} s`;
}

/** @param {number|null} seconds an age @returns {string} `12 s`, `3 min`, `2 h 5 min`, `3 d 4 h` */
export function ageText(seconds) {
    if (seconds === null) {
        return unknown;
    }
    const minutes = Math.floor(seconds / 60);
    const hours = Math.floor(minutes / 60);
    if (minutes === 0) {
        return `${Math.floor(seconds)} s`;
    }
    if (hours === 0) {
        return `${minutes} min`;
    }
    return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** @returns {string} `5be2a1c09f3d` of a build id */
export function shortBuild(id) {
    return id === "" ? unknown : id.slice(0, 12);
}

/** @returns {string} `0.1.0 (5be2a1c09f3d, generation 2)` */
export function buildText({ version, build_id: id, generation }) {
    return `${version || unknown} (${shortBuild(id)}, generation ${generation})`;
}

function trimmed(value, digits) {
    return String(Number(value.toFixed(digits)));
}
