/**
 * Small live charts: one line over the last minutes, drawn as SVG.
 * @module chart
 */
import { spanMs } from "./history.js";
import { texts } from "./texts.js";

const width = 300;
const height = 72;
const svg = "http://www.w3.org/2000/svg";

/** @param {number} peak @param {number} least @returns {number} a round number that is not below either: 1, 2 or 5 by a power of ten */
export function scaleOf(peak, least) {
    const wanted = Math.max(peak, least);
    const power = 10 ** Math.floor(Math.log10(wanted));
    const step = [1, 2, 5, 10].find((each) => each * power >= wanted * (1 - 1e-9));
    return step * power;
}

/**
 * The runs of points between gaps, in the units of the drawing.
 * @param {{at: number, value: number|null}[]} points @param {number} now the right edge @param {number} top the value at the upper edge
 * @returns {[number, number][][]} x to the right, y downwards
 */
export function runsOf(points, now, top) {
    const runs = [];
    let run = null;
    for (const { at, value } of points) {
        if (value === null) {
            run = null;
            continue;
        }
        if (run === null) {
            run = [];
            runs.push(run);
        }
        const x = width * (1 - (now - at) / spanMs);
        run.push([Math.max(x, 0), height * (1 - Math.min(value / top, 1))]);
    }
    return runs;
}

/** @param {[number, number][]} run @returns {string} the line of a path */
export function lineOf(run) {
    const text = run.map(([x, y]) => `${round(x)},${round(y)}`).join("L");
    return run.length === 1 ? `M${text}h0.01` : `M${text}`;
}

/** One figure with its name, its value now, and its line. */
export class Chart {
    /** The element to put into the page. */
    element = document.createElement("figure");
    #title;
    #format;
    #least;
    #value = part("span", "chart-value");
    #note = part("span", "chart-note");
    #area = shape("path", "chart-area");
    #line = shape("path", "chart-line");
    #cursor = shape("path", "chart-cursor");
    #picture = shape("svg", "chart-picture");
    #points = [];
    #now = 0;
    #pointer = null;

    /**
     * @param {object} what
     * @param {string} what.title
     * @param {(value: number|null) => string} what.format
     * @param {number} [what.least] the value at the upper edge is not below it
     * @param {string} [what.kind] its colour: a class
     */
    constructor({ title, format, least = 1, kind = "" }) {
        this.#title = title;
        this.#format = format;
        this.#least = least;
        this.#picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
        this.#picture.setAttribute("preserveAspectRatio", "none");
        this.#picture.setAttribute("role", "img");
        this.#picture.append(this.#area, this.#line, this.#cursor);
        const caption = part("figcaption", "chart-head");
        caption.append(part("span", "chart-title", title), this.#value);
        this.element.className = `chart ${kind}`;
        this.element.append(caption, this.#picture, this.#note);
        this.#picture.addEventListener("pointermove", ({ offsetX }) => {
            this.#pointer = offsetX / this.#picture.clientWidth;
            this.#read();
        });
        this.#picture.addEventListener("pointerleave", () => {
            this.#pointer = null;
            this.#read();
        });
    }

    /** @param {import("./history.js").Series} series @param {number} now on the clock of its points */
    draw(series, now) {
        this.#points = series.points.filter(({ at }) => at >= now - spanMs);
        this.#now = now;
        const peak = Math.max(0, ...this.#points.map(({ value }) => value ?? 0));
        const runs = runsOf(this.#points, now, scaleOf(peak, this.#least));
        this.#line.setAttribute("d", runs.map(lineOf).join(""));
        this.#area.setAttribute("d", runs.filter((run) => run.length > 1).map((run) =>
            `${lineOf(run)}V${height}H${round(run[0][0])}Z`).join(""));
        const value = this.#format(series.last);
        const highest = this.#points.some((point) => point.value !== null) ? this.#format(peak) : null;
        this.#value.textContent = value;
        this.#picture.setAttribute("aria-label", texts.chart.spoken(this.#title, value, highest));
        this.element.dataset.points = String(this.#points.filter((point) => point.value !== null).length);
        this.#read(highest);
    }

    /** Says what is below the pointer, else the peak. */
    #read(highest = this.#note.dataset.peak || null) {
        this.#note.dataset.peak = highest ?? "";
        const at = this.#pointer === null ? null : this.#now - spanMs * (1 - this.#pointer);
        const near = at === null ? null : nearest(this.#points, at);
        if (near === null) {
            this.#cursor.setAttribute("d", "");
            this.#note.textContent = highest === null ? texts.chart.empty : texts.chart.peak(highest);
            return;
        }
        const x = round(width * (1 - (this.#now - near.at) / spanMs));
        this.#cursor.setAttribute("d", `M${x},0V${height}`);
        this.#note.textContent = texts.chart.past(Math.round((this.#now - near.at) / 1000), this.#format(near.value));
    }
}

function nearest(points, at) {
    let best = null;
    for (const point of points) {
        if (best === null || Math.abs(point.at - at) < Math.abs(best.at - at)) {
            best = point;
        }
    }
    return best;
}

function part(tag, className, text = "") {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = text;
    return made;
}

function shape(tag, className) {
    const made = document.createElementNS(svg, tag);
    made.setAttribute("class", className);
    return made;
}

function round(value) {
    return Math.round(value * 100) / 100;
}
