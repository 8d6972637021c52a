/** The admin page in a real browser, for tests: tabs that note down every complaint, and what one does in them. */
import { join } from "node:path";
import { chromium } from "playwright-core";
import { until } from "./wait.mjs";

const limitMs = 15_000;

/** Debian's Chromium, or CHROMIUM. It asks nobody for anything. */
export function startBrowser() {
    return chromium.launch({
        executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
        args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"],
    });
}

/**
 * A tab in a session of its own. `complaints` takes scripts' errors, warnings, breaches of the security policy, requests
 * to another origin, and tokens in an address. `prepare` is given the tab before it goes anywhere.
 */
export async function openTab(browser, address, complaints, settings = {}, prepare = async () => {}) {
    const context = await browser.newContext({ viewport: { width: 1400, height: 1000 }, colorScheme: "light", ...settings });
    const page = await context.newPage();
    page.setDefaultTimeout(limitMs);
    await page.addInitScript(() => document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
        console.error(`security policy: ${violatedDirective} ${blockedURI}`)));
    page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
    page.on("request", (request) => {
        const { origin, search } = new URL(request.url());
        if (origin !== new URL(address).origin) {
            complaints.push(`fetched from elsewhere: ${request.url()}`);
        }
        if (/token/.test(search)) {
            complaints.push(`a token in a query: ${request.url()}`);
        }
    });
    await prepare(page);
    await page.goto(address);
    return page;
}

export const rowOf = (page, id) => page.locator("#servers tr", { has: page.getByRole("button", { name: id, exact: true }) });
export const cellOf = (page, id, name) => rowOf(page, id).locator(`td[data-name="${name}"]`).textContent();
export const stateOf = (page, id) => rowOf(page, id).locator(".state").textContent();
export const chartOf = (page, where, title) => page.locator(`#${where} .chart`, { hasText: title });

export async function hasState(page, id, state) {
    await until(async () => await stateOf(page, id) === state, `${id} ${state}`, limitMs);
}

export async function hasPoints(chart, count) {
    await until(async () => Number(await chart.getAttribute("data-points")) >= count, `${count} points`, 30_000);
}

/** Opens the part of the page about one server, unless it is open: a second click closes it. */
export async function choose(page, id) {
    const title = page.getByRole("heading", { name: id });
    if (!await title.isVisible()) {
        await page.getByRole("button", { name: id, exact: true }).click();
    }
    await title.waitFor();
}

/** Presses a button of the open server, and confirms. @returns {Promise<string>} what became of it */
export async function act(page, label, target = null) {
    await page.locator("#actions").getByRole("button", { name: label }).click();
    if (target !== null) {
        await page.getByLabel(target).check();
    }
    // The outcomes of the action before stand there until this one begins.
    await page.locator("#outcomes li").evaluateAll((items) => items.forEach((item) => { item.dataset.isOld = ""; }));
    await page.locator("#confirm-go").click();
    await page.locator("#outcomes li:not([data-is-old]):not(.busy)").first().waitFor({ timeout: 60_000 });
    return (await page.locator("#outcomes li").allTextContents()).join("\n");
}

export async function shot(page, folder, name, isWhole = true) {
    if (isWhole) {
        await page.evaluate(() => window.scrollTo(0, 0));
    }
    await page.waitForTimeout(200); // let what moves come to rest
    await page.screenshot({ path: join(folder, `admin-${name}.png`), fullPage: isWhole });
}
