// A real browser without a window, from the system: Debian's chromium, or what ENTRA_CHROMIUM names.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

/** Gives a page of a fresh browser to the work, and closes it whatever comes. */
export async function withPage(work) {
  const places = [process.env.ENTRA_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const executablePath = places.find((place) => place && existsSync(place));
  if (!executablePath) throw new Error("there is no chromium; install it or name it in ENTRA_CHROMIUM");
  // Chromium's sandbox rejects the superuser, whom a container often has.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const browser = await chromium.launch({ executablePath, args });
  try {
    const page = await browser.newPage({ ignoreHTTPSErrors: true });
    page.setDefaultTimeout(30_000);
    return await work(page);
  } finally {
    await browser.close();
  }
}

/** Signs in on the page that is open, as far as the sign-in service asks, until it has left. */
export async function signIn(page, user, password) {
  const service = new URL(page.url()).origin;
  for (let step = 0; step < 8; step += 1) {
    if (new URL(page.url()).origin !== service) return;
    const form = page.locator("#login:visible, #passwd:visible, #approve, #accept").first();
    await form.waitFor();
    const id = await form.getAttribute("id");
    const before = await page.content();
    if (id === "login") await page.fill("#login", user);
    if (id === "passwd") await page.fill("#passwd", password);
    const button = { login: "#next", passwd: "#sign-in", approve: "#approve", accept: "#accept" }[id];
    await Promise.all([page.waitForEvent("load"), page.click(button)]);
    const problem = page.locator("[role=alert]");
    if (before !== (await page.content()) && (await problem.count()) > 0) {
      throw new Error(`the page says: ${await problem.first().textContent()}`);
    }
  }
  throw new Error("the sign-in came to no end");
}
