// The page of `saas_usage` on a phone: no text leaves its card.
// node report_page.mjs PAGE [CHROMIUM]
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [file, executablePath = "/usr/bin/chromium"] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
for (const width of [320, 390, 1280]) {
  const page = await browser.newPage({ viewport: { width, height: 844 } });
  await page.goto(pathToFileURL(file).href);
  const outside = await page.evaluate(() => {
    document.querySelectorAll("details").forEach((details) => (details.open = true));
    const found = [];
    for (const element of document.querySelectorAll("main *")) {
      const card = element.closest(".figures > div, .card, section, footer");
      const box = element.getBoundingClientRect();
      if (card && card !== element && box.width > 1 && box.right > card.getBoundingClientRect().right) found.push(element.outerHTML.slice(0, 120));
    }
    return { found, times: document.querySelectorAll("time").length, wide: document.documentElement.scrollWidth - innerWidth };
  });
  assert.ok(outside.times > 10, "a page without dates proves nothing");
  assert.ok(outside.wide <= 0, `the page is ${outside.wide} pixels too wide at ${width}`);
  assert.deepEqual(outside.found, [], `outside of their card at ${width} pixels`);
  await page.close();
}
await browser.close();
console.log("the report fits its cards at 320, 390 and 1280 pixels");
