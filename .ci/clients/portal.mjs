// A real browser at the portal of a standalone server: every page, on a desktop and a phone, light and dark, by mouse and keyboard.
// node portal.mjs ENTRA_MOCK SCREENSHOTS [CHROMIUM]
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [program, directory, executablePath = "/usr/bin/chromium"] = process.argv.slice(2);
mkdirSync(directory, { recursive: true });
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const sizes = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

/** Starts a server; returns what it prints as a map of names to values, and its address. */
async function serve(...options) {
  const child = spawn(program, ["serve", "--port", "0", ...options], { stdio: ["ignore", "pipe", "inherit"] });
  process.on("exit", () => child.kill());
  return new Promise((found, failed) => {
    let text = "";
    child.stdout.on("data", (data) => {
      text += data;
      if (!/AZURE_TENANT_ID/.test(text)) return;
      const value = (name) => new RegExp(`^  ${name} +(\\S+)`, "m").exec(text)?.[1];
      const names = ["Portal", "Graph", "Authority", "Client ID", "Client secret"];
      found({ end: () => child.kill(), ...Object.fromEntries(names.map((name) => [name, value(name)])) });
    });
    child.on("exit", (code) => failed(new Error(`the server ended with ${code}: ${text}`)));
  });
}

async function tokenOf(server) {
  const body = new URLSearchParams({
    grant_type: "client_credentials", scope: "https://graph.microsoft.com/.default",
    client_id: server["Client ID"], client_secret: server["Client secret"],
  });
  const response = await fetch(`${server.Authority}/oauth2/v2.0/token`, { method: "POST", body });
  return (await response.json()).access_token;
}

const get = (server, token, path) => fetch(server.Graph + path, { headers: { authorization: `Bearer ${token}` } });

/** Saves a screenshot; the page fits, every field has a name, every text can be read. */
async function look(page, name, size) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${name} is ${wide} pixels too wide on a ${size}`);
  const problems = await page.evaluate(() => {
    const visible = (one) => one.getClientRects().length > 0;
    const fields = [...document.querySelectorAll("input:not([type=hidden]), select, button, a")].filter(visible);
    const unnamed = fields.filter((one) => !one.labels?.length && !one.textContent.trim()).map((one) => one.outerHTML);
    const channel = (value) => ((value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const light = (colour) => {
      const [red, green, blue] = colour.match(/[\d.]+/g).map(Number).map(channel);
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const behind = (one) => {
      const colour = getComputedStyle(one).backgroundColor;
      return /, 0\)$/.test(colour) && one.parentElement ? behind(one.parentElement) : colour;
    };
    const pale = [...document.querySelectorAll("body *")].filter((one) => {
      const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
      if (!own || !visible(one) || ["SCRIPT", "STYLE"].includes(one.tagName)) return false;
      const [first, second] = [light(getComputedStyle(one).color), light(behind(one))].sort((one, other) => other - one);
      return (first + 0.05) / (second + 0.05) < 4.5;
    });
    return [...unnamed, ...pale.map((one) => `low contrast: ${one.outerHTML.slice(0, 100)}`)];
  });
  assert.deepEqual(problems, [], `${name} on a ${size}`);
  await page.screenshot({ path: join(directory, `portal-${name}-${size}.png`), fullPage: true });
}

/** A new browser profile that has opened the link. */
async function open(link, size, colorScheme) {
  const context = await browser.newContext({ viewport: sizes[size], colorScheme });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  page.blocked = [];
  page.on("console", (message) => message.type() === "error" && page.blocked.push(message.text()));
  page.on("pageerror", (error) => page.blocked.push(String(error)));
  page.on("request", (request) => {
    if (new URL(request.url()).host !== new URL(link).host) page.blocked.push(`an asset of others: ${request.url()}`);
  });
  await page.goto(link);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  assert.ok(!page.url().includes("code="), "the link stays in the address bar");
  return page;
}

const goTo = (page, name) => page.getByRole("navigation").getByRole("link", { name }).click();

async function visit(size, colorScheme) {
  const server = await serve("--portal-write");
  const page = await open(server.Portal, size, colorScheme);
  const shot = (name) => look(page, `${name}-${colorScheme}`, size);
  await shot("overview");

  await goTo(page, "Directory");
  await page.getByLabel("Name, address or id").fill("adele");
  await page.keyboard.press("Enter");
  await page.getByText("Users: 1").waitFor();
  await shot("directory");
  await page.getByRole("link", { name: "Adele" }).click();
  await page.getByText("Member of").waitFor();
  await shot("user");
  await page.getByLabel("New password").fill("Correct-Horse-1");
  await page.getByRole("button", { name: "Set the password" }).click();
  await page.getByText("The password was set, and all sessions were revoked.").waitFor();
  await page.getByRole("button", { name: "Disable the account" }).click();
  await page.getByText("The account is disabled.").waitFor();
  await shot("user-disabled");
  await goTo(page, "Directory");
  await page.getByLabel("Display name").fill("Ida Example");
  await page.getByLabel("Password").fill("Correct-Horse-2");
  await page.getByRole("button", { name: "Add the user" }).click();
  await page.getByText("ida.example@contoso.com was added.").waitFor();
  await shot("user-added");

  await goTo(page, "Applications");
  await shot("applications");
  await page.getByRole("link", { name: "Environment file" }).click();
  await page.getByText("Granted application permissions").waitFor();
  await shot("application");

  await goTo(page, "Requests");
  const token = await tokenOf(server);
  await get(server, token, "/users?$skip=5&$select=id");
  await get(server, `${token}x`, "/groups");
  // The list refreshes by itself, and says so.
  await page.getByText(/new requests?$/).waitFor();
  await page.getByRole("cell", { name: "InvalidAuthenticationToken" }).first().waitFor();
  await shot("requests");
  await page.getByLabel("Rejected only").check();
  await page.getByRole("button", { name: "Filter" }).click();
  await page.locator("#live a").first().click();
  await page.getByText("Why it was rejected").waitFor();
  assert.ok(!(await page.content()).includes(token.split(".")[2]), "the signature is shown");
  await shot("request");

  await goTo(page, "Clock and faults");
  await page.getByRole("button", { name: "Stop the clock" }).click();
  await page.getByText("The clock is stopped.").waitFor();
  await page.getByRole("button", { name: "Move the clock forward" }).click();
  await page.getByText("The clock was moved.").waitFor();
  await page.getByRole("button", { name: "Add a fault" }).click();
  await page.getByText("The fault was added.").waitFor();
  await shot("settings");
  assert.equal((await get(server, token, "/users")).status, 503);

  await goTo(page, "Findings");
  await page.getByText("paging-by-skip").waitFor();
  await shot("findings");

  // By keyboard alone: the first stop is the way past the navigation.
  await page.reload();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "content");
  assert.deepEqual(page.blocked, []);

  // The link works once.
  const other = await browser.newContext();
  const second = await other.newPage();
  assert.equal((await second.goto(server.Portal)).status(), 403);
  await other.close();
  await page.context().close();
  server.end();
}

await visit("desktop", "light");
await visit("phone", "dark");
await browser.close();
console.log("the portal works on a desktop and a phone, light and dark");
process.exit(0);
