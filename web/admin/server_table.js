/**
 * The servers, one row each; a row stays the same element as long as its server is there.
 * @module server_table
 */
import { byId, element, setText } from "./dom.js";
import { ageText, bytesText, countText, shortBuild, tookText, unknown } from "./formats.js";
import { states, texts } from "./texts.js";

const { column } = texts;
const columns = [
    [column.type, ({ type }) => type],
    [column.machine, ({ machine }) => machine ?? unknown],
    [column.process, ({ pid }) => (pid === null ? unknown : String(pid))],
    [column.uptime, ({ pid, uptime_s: seconds }) => ageText(pid === null ? null : seconds)],
    [column.memory, ({ pid, rss_kb: kb }) => bytesText(pid === null ? null : kb * 1024)],
    [column.clients, ({ pid, connections }) => countText(pid === null ? null : connections)],
    [column.rooms, (server, series) => countText(series.rooms.last)],
    [column.requests, (server, series) => countText(series.requests.last)],
    [column.p99, (server, series) => tookText(series.p99.last)],
    [column.lag, (server, series) => tookText(series.lag.last)],
    [column.build, ({ version, build_id: id }) => (version === "" ? unknown : `${version} ${shortBuild(id)}`)],
    [column.generation, ({ version, generation }) => (version === "" ? unknown : String(generation))],
];
const numbers = new Set([
    column.process, column.uptime, column.memory, column.clients, column.rooms, column.requests, column.p99, column.lag, column.generation,
]);

/** The state as a colour and a word. */
export function showState(node, state) {
    node.className = "state";
    node.dataset.state = state;
    node.title = states[state] ?? "";
    setText(node, state);
}

/** Masters and silent machines may have one id on several machines. */
const keyOf = ({ id, machine = "" }) => `${machine}/${id}`;

export class ServerTable {
    #rows = new Map();
    #onChoose;

    /** @param {(id: string) => void} onChoose a person wants to see this one */
    constructor(onChoose) {
        this.#onChoose = onChoose;
    }

    /** @param {object[]} servers @param {import("./history.js").History} history @param {string|null} chosen an id */
    show(servers, history, chosen) {
        byId("servers").parentElement.classList.toggle("several", servers.some(({ machine }) => machine !== undefined));
        const keys = new Set(servers.map(keyOf));
        for (const [key, { row }] of this.#rows) {
            if (!keys.has(key)) {
                row.remove();
                this.#rows.delete(key);
            }
        }
        servers.forEach((server, index) => {
            const known = this.#rows.get(keyOf(server)) ?? this.#add(server);
            const body = byId("servers");
            if (body.children[index] !== known.row) {
                body.insertBefore(known.row, body.children[index] ?? null);
            }
            const isChosen = server.id === chosen;
            known.row.classList.toggle("chosen", isChosen);
            known.button.setAttribute("aria-expanded", String(isChosen));
            showState(known.state, server.state);
            const series = history.of(server.id);
            columns.forEach(([, textOf], at) => setText(known.cells[at], textOf(server, series)));
            setText(known.warning, server.kept > 0 ? texts.keepsOld(server.kept) : "");
        });
    }

    #add(server) {
        const { id } = server;
        const button = element("button", "link", id);
        button.type = "button";
        button.setAttribute("aria-controls", "details");
        const warning = element("span", "warning");
        warning.title = texts.whatIsOld;
        const state = element("span", "state");
        const cells = columns.map(([name]) => {
            const cell = element("td", numbers.has(name) ? "number" : "");
            cell.dataset.name = name;
            return cell;
        });
        const heading = element("th", "", button, warning);
        heading.scope = "row";
        const stateCell = element("td", "", state);
        stateCell.dataset.name = column.state;
        const row = element("tr", "", heading, stateCell, ...cells);
        row.addEventListener("click", () => this.#onChoose(id));
        const made = { row, button, state, cells, warning };
        this.#rows.set(keyOf(server), made);
        return made;
    }
}

/** The heading, from the same list as the cells. */
export function tableHead() {
    return [column.server, column.state, ...columns.map(([name]) => name)].map((name) => {
        const cell = element("th", numbers.has(name) ? "number" : "", name);
        cell.scope = "col";
        cell.dataset.name = name;
        return cell;
    });
}
