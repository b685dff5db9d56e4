// Copyright: (c) 2026, the lync.remediation authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
//
// node look.mjs CHROMIUM FOLDER: opens the pages of the folder as a person does, from file://, and prints what is wrong
// with them as a list in JSON, with how long the largest takes.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const [executablePath, folder] = process.argv.slice(2);
const quiet = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const wrong = [];
const times = {};
const must = (holds, what) => holds || wrong.push(what);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", ...quiet] });

const open = async (name, options = {}, hash = "") => {
  const context = await browser.newContext({ viewport: { width: 1000, height: 900 }, bypassCSP: true, ...options });
  const page = await context.newPage();
  const own = `file://${join(folder, `${name}.html`)}`;
  page.on("pageerror", (error) => wrong.push(`${name}: ${error}`));
  page.on("console", (message) => message.type() === "error" && wrong.push(`${name}: ${message.text()}`));
  page.on("dialog", (dialog) => { wrong.push(`${name}: a script of a value ran`); dialog.dismiss(); });
  page.on("request", (request) => must(request.url().split("#")[0] === own, `${name} asks for ${request.url()}`));
  await page.goto(own + hash);
  await page.waitForFunction(() => document.querySelector("#findings .list").childElementCount > 0);
  return page;
};
const text = (page, selector) => page.locator(selector).innerText();

const everySize = async (name) => {
  for (const colorScheme of ["light", "dark"]) {
    const page = await open(name, { colorScheme });
    for (const width of [400, 1000, 1600]) {
      await page.setViewportSize({ width, height: 900 });
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      must(beyond <= 0, `${name} is ${beyond} pixels too wide for ${width}`);
    }
    await page.click("#open-all", { force: true }).catch(() => {});
    await page.addScriptTag({ path: axe });
    const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    for (const each of found.violations) wrong.push(`${name}, ${colorScheme}: ${each.id} at ${each.nodes.slice(0, 2).map((node) => node.html.slice(0, 140)).join(" | ")}`);
    await page.context().close();
  }
};

const byKeyboard = async () => {
  const page = await open("three");
  await page.keyboard.press("Tab");
  must((await page.evaluate(() => document.activeElement.className)) === "skip", "the first stop is not the link past the head");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  must((await page.locator(".count.drifted").getAttribute("aria-pressed")) === "true", "a count is not pressed by Enter");
  must((await page.locator(".count.unknown").getAttribute("aria-pressed")) === "false", "another count stays pressed");
  must(/filter hides \d+/.test(await text(page, ".hides")), "the filter does not say what it hides");
  must(page.url().endsWith("#status=drifted"), `the filter is not in the link ${page.url()}`);
  await page.locator(".finding summary").first().focus();
  const before = await page.locator(".finding").first().evaluate((element) => element.open);
  await page.keyboard.press("Enter");
  must((await page.locator(".finding").first().evaluate((element) => element.open)) !== before, "Enter does not open a finding");
  await page.context().close();
};

const byLink = async () => {
  const waived = await open("three", {}, "#status=waived");
  must((await waived.locator(".finding").count()) === 1, "the link's filter is not used");
  must(/waived/.test(await text(waived, ".finding .severity").then((word) => word.toLowerCase())), "another finding is shown");
  const id = await waived.locator(".finding").getAttribute("data-id");
  await waived.context().close();
  const one = await open("three", {}, `#finding=${id}`);
  must(await one.locator(`.finding[data-id="${id}"]`).evaluate((element) => element.open), "a link to a finding does not open it");
  await one.context().close();
  const many = await open("forty");
  const member = await many.evaluate(() => JSON.parse(document.getElementById("data").textContent).findings.filter((each) => each.noun === "CsVoiceRoute").at(-1).id);
  await many.context().close();
  const grouped = await open("forty", {}, `#finding=${member}`);
  must(await grouped.locator(`#finding-${member}`).evaluate((element) => element.open), "a link to one of several equal findings does not open it");
  await grouped.context().close();
};

const copiesAndPrints = async () => {
  const page = await open("three");
  const wanted = await page.evaluate(() => JSON.parse(document.getElementById("data").textContent).findings.find((each) => each.put_back).put_back);
  const button = page.locator("button.copy", { hasText: "copy" }).and(page.locator(`[data-line=${JSON.stringify(wanted)}]`)).first();
  await button.click();
  await page.waitForFunction(() => [...document.querySelectorAll(".copy")].some((each) => each.textContent === "copied"));
  await page.locator("[data-run]").last().click();
  must(/as wanted/.test(await text(page, ".run-shown")), "a run of the strip does not show its counts");
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  await page.emulateMedia({ media: "print" });
  must((await page.locator(".finding:not([open])").count()) === 0, "a finding is not open on paper");
  must(!(await page.locator(".filters").isVisible()), "the filters are on paper");
  await page.context().close();
};

const large = async (name) => {
  let start = Date.now();
  const page = await open(name);
  times.open = Date.now() - start;
  start = Date.now();
  await page.fill("#search", "pstngatewaylist deployment003");
  await page.waitForFunction(() => /filter hides/.test(document.querySelector(".hides").textContent));
  times.filter = Date.now() - start;
  must(/^\d+ of \d{4} findings/.test(await text(page, ".hides")), "the filter does not say how many are left");
  await page.context().close();
};

const pages = readdirSync(folder).map((file) => file.replace(".html", ""));
for (const name of pages.filter((each) => each !== "many")) await everySize(name);
await byKeyboard();
await byLink();
await copiesAndPrints();
if (pages.includes("many")) await large("many");
await browser.close();
console.log(JSON.stringify({ wrong, times }));
