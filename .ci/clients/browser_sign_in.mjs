// A real browser at the example `web_sign_in`: users sign in, consent, are rejected, sign out.
// node browser_sign_in.mjs PROGRAM SCREENSHOTS [CHROMIUM]
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [program, directory, executablePath = "/usr/bin/chromium"] = process.argv.slice(2);
mkdirSync(directory, { recursive: true });
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const sizes = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

/** The cookie of a session; each site on a host has a name of its own. */
const SESSION = /^(__Host-)?entra-session-/;

/** Starts the program; returns its URL and a function that stops it. */
async function serve(...options) {
  const child = spawn(program, ["--serve", ...options], { stdio: ["ignore", "pipe", "inherit"] });
  process.on("exit", () => child.kill());
  const url = await new Promise((found, failed) => {
    let text = "";
    child.stdout.on("data", (data) => {
      text += data;
      const address = /http:\/\/localhost:\d+/.exec(text);
      if (address) found(address[0]);
    });
    child.on("exit", (code) => failed(new Error(`the program ended with ${code}: ${text}`)));
  });
  return { url, end: () => child.kill() };
}

/** A browser profile on a desktop or a phone. */
class Visitor {
  static async at(url, size) {
    const context = await browser.newContext({ viewport: sizes[size], isMobile: size === "phone", hasTouch: size === "phone" });
    const visitor = new Visitor();
    Object.assign(visitor, { url, size, context, page: await context.newPage(), blocked: [] });
    context.setDefaultTimeout(10_000);
    visitor.page.on("dialog", (dialog) => {
      visitor.blocked.push(`a script said: ${dialog.message()}`);
      dialog.dismiss();
    });
    visitor.page.on("console", (message) => {
      if (message.type() === "error" && /policy|refused/i.test(message.text())) visitor.blocked.push(message.text());
    });
    await visitor.page.goto(url);
    const users = await visitor.page.locator(".sample-user").all();
    visitor.passwords = {};
    for (const user of users) {
      const [name, password] = await user.locator("code").allTextContents();
      visitor.passwords[name] = password;
    }
    return visitor;
  }

  /** Closes the profile; no content was blocked. */
  async leave() {
    assert.deepEqual(this.blocked, []);
    await this.context.close();
  }

  /** Saves a screenshot, and checks that the page fits. */
  async shot(name) {
    const wide = await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${name} is ${wide} pixels too wide on a ${this.size}`);
    await this.page.screenshot({ path: join(directory, `${this.size}-${name}.png`), fullPage: true });
  }

  async choose(company) {
    await this.page.goto(this.url);
    await this.page.getByRole("link", { name: company }).click();
  }

  async type(name, password = this.passwords[name]) {
    if (await this.page.locator("#login").isVisible()) {
      await this.page.fill("#login", name);
      await this.page.click("#next");
    }
    await this.page.fill("#passwd", password);
    await this.page.click("#sign-in");
  }

  heading() {
    return this.page.getByRole("heading", { level: 1 }).textContent();
  }

  async says(text) {
    await this.page.getByText(text).first().waitFor({ timeout: 10_000 });
  }

  /** Checks the heading and the URL of the desk. */
  async isAtTheDesk(name) {
    await this.page.waitForURL(`${this.url}/desk`);
    assert.equal(await this.heading(), `Hello, ${name}`);
    await this.page.getByRole("heading", { name: "You may enter" }).waitFor();
    assert.ok(!this.page.url().includes("code="));
  }

  async isSignedOut() {
    await this.page.goto(`${this.url}/`);
    assert.equal(await this.heading(), "Sign in to Helpdesk");
    const names = (await this.context.cookies(this.url)).map((cookie) => cookie.name);
    assert.ok(!names.some((name) => SESSION.test(name)), `cookies are left: ${names}`);
  }

  async signOut() {
    await this.page.getByRole("button", { name: "Sign out" }).click();
    await this.page.waitForURL(`${this.url}/auth/signed-out`);
    assert.equal(await this.heading(), "You are signed out");
  }
}

async function visit(url, size) {
  const adele = await Visitor.at(url, size);
  const { page } = adele;
  const callbacks = [];
  page.on("request", (request) => {
    if (new URL(request.url()).pathname.startsWith("/auth/callback/")) callbacks.push(request.method());
  });
  await adele.shot("front");

  // Declined consent, and then given; the second time nothing is asked.
  await adele.choose("Contoso");
  await adele.shot("tenant-user-name");
  const logout = page.url().replace(/authorize.*/, "logout");
  await page.fill("#login", "adele@contoso.com");
  await page.click("#next");
  await adele.shot("tenant-password");
  await adele.type("adele@contoso.com", "not her password");
  await page.locator("#error").waitFor();
  await adele.shot("tenant-wrong-password");
  await adele.type("adele@contoso.com");
  await page.locator("#accept").waitFor();
  await adele.shot("tenant-consent");
  await page.click("#decline");
  assert.equal(await adele.heading(), "You are not signed in");
  await adele.says("For your administrator");
  await adele.says("AADSTS65004");
  await adele.shot("declined");
  await page.getByRole("link", { name: "Try again" }).click();
  // The tenant knows her by now, and asks for the consent alone.
  await page.locator("#accept").click();
  await adele.isAtTheDesk("Adele");
  await adele.says("Support");
  await adele.says("Engineering Manager");
  await adele.shot("desk");

  // Silent single sign-on: without the product's session the tenant asks nothing.
  await adele.context.clearCookies({ name: SESSION });
  await page.goto(`${url}/desk`);
  await adele.says("Sign in with your organization");
  await adele.shot("where");
  await page.fill("#email", "adele@nowhere.example");
  await page.getByRole("button", { name: "Next" }).click();
  await adele.says("No organization is set up for this address.");
  await adele.shot("where-unknown");
  await page.fill("#email", "adele@contoso.com");
  await page.getByRole("button", { name: "Next" }).click();
  await adele.isAtTheDesk("Adele");

  // A second company at the same time, where Adele is another user.
  await page.goto(`${url}/auth/sign-in/fabrikam?return=/desk`);
  await adele.type("adele@fabrikam.com");
  await adele.isAtTheDesk("Adele");
  await adele.says('Desk "<b>&amp;</b>"');
  assert.equal(await page.locator("main b").count(), 0);
  await adele.shot("desk-fabrikam");

  // Sign-out ends both sessions: the next sign-in wants the password.
  await adele.signOut();
  await adele.shot("signed-out");
  await adele.isSignedOut();
  await page.goto(`${url}/auth/sign-in/fabrikam?return=/desk`);
  await page.locator("#login, #passwd").first().waitFor();
  assert.ok(page.url().includes("/authorize"), page.url());
  // The other company's session is its own.
  await page.goto(`${url}/auth/sign-in/contoso?return=/desk`);
  await adele.isAtTheDesk("Adele");

  // A link asks before it signs the user out.
  await page.goto(`${url}/auth/sign-out`);
  await adele.shot("sign-out");
  await page.getByRole("link", { name: "Stay signed in" }).click();
  assert.equal(await adele.heading(), "Welcome back, Adele");
  await adele.shot("welcome");

  // Signed out by another application: the tenant's page tells the product in a hidden frame.
  await page.goto(logout);
  await adele.shot("tenant-signed-out");
  await page.waitForLoadState("networkidle");
  await page.goto(`${url}/`);
  assert.equal(await adele.heading(), "Sign in to Helpdesk");
  await adele.leave();
  return callbacks;
}

async function refused(url, size) {
  const felix = await Visitor.at(url, size);
  await felix.choose("Fabrikam");
  await felix.type("felix@fabrikam.com");
  await felix.says("You do not have access");
  assert.equal(await felix.page.locator("b").count(), 0);
  await felix.shot("refused");
  await felix.page.goto(`${url}/desk`);
  assert.equal(await felix.heading(), "Sign in with your organization");
  await felix.leave();

  // A user whose name is a script.
  const mallory = await Visitor.at(url, size);
  const script = "<script>document.title='taken over'</script>";
  await mallory.choose("Contoso");
  await mallory.type("mallory@contoso.com");
  if (await mallory.page.locator("#accept").isVisible()) await mallory.page.click("#accept");
  await mallory.isAtTheDesk(script);
  assert.equal(await mallory.page.title(), "Your desk");
  assert.equal(await mallory.page.locator("main script, header script").count(), 0);
  await mallory.shot("script");
  // A forged callback: it leads on while a session lives, and signs no user in.
  await mallory.context.clearCookies({ name: SESSION });
  await mallory.page.goto(`${url}/auth/callback/contoso?error=%3Cscript%3Ealert(1)%3C/script%3E&state=${"x".repeat(43)}`);
  await mallory.says("You are not signed in");
  await mallory.shot("foreign-callback");
  await mallory.leave();
}

// Whatever hangs, this program ends and takes its own with it.
setTimeout(() => {
  console.error("the browser did not come to an end in time");
  process.exit(1);
}, 180_000).unref();

const product = await serve();
const posting = await serve("--form-post");
try {
  const byQuery = await visit(product.url, "desktop");
  assert.ok(byQuery.length > 3 && byQuery.every((method) => method === "GET"), byQuery);
  // The same where responses come as a form, which the tenant's page posts from another site.
  const byForm = await visit(posting.url, "phone");
  assert.deepEqual(byForm, byQuery.map(() => "POST"));
  for (const size of Object.keys(sizes)) await refused(product.url, size);
  console.log("a browser signs users in and out, and rejects others");
} finally {
  product.end();
  posting.end();
  await browser.close();
}
