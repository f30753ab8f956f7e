// A real browser at the examples with pages: users sign in, are rejected, sign out.
// node examples_browser.mjs PROGRAMS SCREENSHOTS [CHROMIUM]
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [programs, directory, executablePath = "/usr/bin/chromium"] = process.argv.slice(2);
mkdirSync(directory, { recursive: true });
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const sizes = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

/** The cookie of a session; each site on a host has a name of its own. */
const SESSION = /^(__Host-)?entra-session-/;

/** Starts an example; returns its name, its URL and a function that stops it. */
async function serve(name, ...options) {
  const child = spawn(join(programs, name), ["--serve", ...options], { stdio: ["ignore", "pipe", "inherit"] });
  process.on("exit", () => child.kill());
  const url = await new Promise((found, failed) => {
    let text = "";
    child.stdout.on("data", (data) => {
      text += data;
      const address = / (?:is|are) at (http:\/\/localhost:\d+)/.exec(text);
      if (address) found(address[1]);
    });
    child.on("exit", (code) => failed(new Error(`${name} ended with ${code}: ${text}`)));
  });
  return { name, url, end: () => child.kill() };
}

/** A browser profile on a desktop or a phone. */
class Visitor {
  static async at({ name, url }, size) {
    const context = await browser.newContext({ viewport: sizes[size], isMobile: size === "phone", hasTouch: size === "phone" });
    const visitor = new Visitor();
    Object.assign(visitor, { name, url, size, context, page: await context.newPage(), blocked: [] });
    context.setDefaultTimeout(10_000);
    visitor.page.on("dialog", (dialog) => {
      visitor.blocked.push(`a script said: ${dialog.message()}`);
      dialog.dismiss();
    });
    visitor.page.on("console", (message) => {
      if (message.type() === "error" && /policy|refused/i.test(message.text())) visitor.blocked.push(message.text());
    });
    await visitor.page.goto(url);
    visitor.passwords = {};
    for (const user of await visitor.page.locator(".sample-user").all()) {
      const [login, password] = await user.locator("code").allTextContents();
      visitor.passwords[login] = password;
    }
    return visitor;
  }

  /** Closes the profile; no content was blocked. */
  async leave() {
    assert.deepEqual(this.blocked, []);
    await this.context.close();
  }

  /** Saves a screenshot, and checks that the page fits and that each field has a name. */
  async shot(name) {
    const wide = await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${this.name} ${name} is ${wide} pixels too wide on a ${this.size}`);
    const unnamed = await this.page.evaluate(() => {
      const fields = [...document.querySelectorAll("input:not([type=hidden], [aria-hidden=true]), button, a")];
      return fields.filter((one) => !one.labels?.length && !one.textContent.trim() && !one.ariaLabel).map((one) => one.outerHTML);
    });
    assert.deepEqual(unnamed, [], `${this.name} ${name} has fields without a name`);
    await this.page.screenshot({ path: join(directory, `${this.name}-${this.size}-${name}.png`), fullPage: true });
  }

  async goto(path) {
    await this.page.goto(this.url + path);
  }

  /** Enters name and password at the tenant's pages. */
  async type(name, password = this.passwords[name]) {
    const { page } = this;
    await page.locator("#login, #passwd").first().waitFor();
    if (await page.locator("#login").isVisible()) {
      await page.fill("#login", name);
      await page.click("#next");
    }
    await page.fill("#passwd", password);
    await page.click("#sign-in");
  }

  heading() {
    return this.page.getByRole("heading", { level: 1 }).textContent();
  }

  async says(text) {
    await this.page.getByText(text).first().waitFor();
  }

  /** Checks path and heading of the page that the browser arrives at. */
  async isAt(path, heading) {
    await this.page.waitForURL(this.url + path);
    assert.equal(await this.heading(), heading);
    assert.ok(!this.page.url().includes("code="));
  }

  async hasNoSession() {
    const names = (await this.context.cookies(this.url)).map((cookie) => cookie.name);
    assert.ok(!names.some((name) => SESSION.test(name) || name.includes("contact-center")), `cookies are left: ${names}`);
  }

  signOut() {
    return this.page.getByRole("button", { name: "Sign out" }).click();
  }
}

/** Users of one tenant at a product that is for members of a group. */
async function groupGate(site, size) {
  const adele = await Visitor.at(site, size);
  const { page, url } = adele;
  const callbacks = [];
  page.on("request", (request) => {
    if (new URL(request.url()).pathname === "/auth/callback") callbacks.push(request.method());
  });
  await adele.shot("front");

  await page.locator("main").getByRole("link", { name: "Sign in" }).click();
  await adele.shot("tenant-user-name");
  const logout = page.url().replace(/authorize.*/, "logout");
  await page.fill("#login", "adele@contoso.com");
  await page.click("#next");
  await adele.shot("tenant-password");
  await adele.type("adele@contoso.com", "not her password");
  await page.locator("#error").waitFor();
  await adele.shot("tenant-wrong-password");
  await adele.type("adele@contoso.com");
  // The administrator has consented for all users.
  await adele.isAt("/desk", "Hello, Adele");
  await adele.says("You are a member of the group Support.");
  await adele.shot("desk");

  // Asked for consent again, she declines it, and tries again.
  const start = await adele.context.request.get(`${url}/auth/sign-in?return=/desk`, { maxRedirects: 0 });
  await page.goto(`${start.headers().location}&prompt=consent`);
  await page.locator("#accept").waitFor();
  await adele.shot("tenant-consent");
  await page.click("#decline");
  await adele.says("AADSTS65004");
  assert.equal(await adele.heading(), "You are not signed in");
  await adele.says("For your administrator");
  await adele.shot("declined");
  await page.getByRole("link", { name: "Try again" }).click();
  await adele.isAt("/desk", "Hello, Adele");

  // Silent single sign-on: without the product's session the tenant asks nothing.
  await adele.context.clearCookies({ name: SESSION });
  await adele.goto("/desk");
  await adele.isAt("/desk", "Hello, Adele");

  // Sign-out ends both sessions: the next sign-in wants the password.
  await adele.signOut();
  await adele.isAt("/auth/signed-out", "You are signed out");
  await adele.shot("signed-out");
  await adele.hasNoSession();
  await adele.goto("/auth/sign-in?return=/desk");
  await adele.type("adele@contoso.com");
  await adele.isAt("/desk", "Hello, Adele");

  // A link asks before it signs the user out.
  await adele.goto("/auth/sign-out");
  await adele.shot("sign-out");
  await page.getByRole("link", { name: "Stay signed in" }).click();
  assert.equal(await adele.heading(), "Welcome back, Adele");
  await adele.shot("welcome");

  // Signed out by another application: the tenant's page tells the product in a hidden frame.
  await page.goto(logout);
  await adele.shot("tenant-signed-out");
  await page.waitForLoadState("networkidle");
  await adele.goto("/");
  assert.equal(await adele.heading(), "Sign in to Helpdesk");
  await adele.leave();

  const felix = await Visitor.at(site, size);
  await felix.goto("/desk");
  await felix.type("felix@contoso.com");
  await felix.says("You do not have access");
  await felix.says("Helpdesk is for members of the group Support.");
  await felix.shot("rejected");
  await felix.leave();

  // A user whose name is a script.
  const mallory = await Visitor.at(site, size);
  await mallory.goto("/desk");
  await mallory.type("mallory@contoso.com");
  await mallory.isAt("/desk", "Hello, <script>document.title='taken over'</script>");
  assert.equal(await mallory.page.title(), "Your desk - Helpdesk");
  assert.equal(await mallory.page.locator("main script, header script").count(), 0);
  await mallory.shot("script");
  // A forged callback: it leads on while a session lives, and signs no user in.
  await mallory.context.clearCookies({ name: SESSION });
  await mallory.goto(`/auth/callback?error=%3Cscript%3Ealert(1)%3C/script%3E&state=${"x".repeat(43)}`);
  await mallory.says("You are not signed in");
  await mallory.shot("foreign-callback");
  await mallory.leave();
  return callbacks;
}

/** Users of two tenants, and one with a password of the product. */
async function severalConnections(site, size) {
  const adele = await Visitor.at(site, size);
  const { page } = adele;
  await adele.shot("front");
  const next = async (login) => {
    await adele.goto("/");
    await page.fill("#login", login);
    await page.getByRole("button", { name: "Next" }).click();
  };
  for (const [login, name, organization] of [
    ["adele@contoso.com", "Adele of Contoso", "Contoso"],
    ["adele@fabrikam.com", "Adele of Fabrikam", "Fabrikam"],
  ]) {
    await next(login);
    await page.locator("#passwd").waitFor();
    assert.ok(page.url().includes("/authorize"), page.url());
    await adele.shot(`tenant-password-${organization}`);
    await adele.type(login);
    await adele.isAt("/home", `Hello, ${name}`);
    await adele.says(`You signed in with ${organization}.`);
    await adele.shot(`home-${organization}`);
    await adele.goto("/");
    assert.equal(await adele.heading(), `Welcome back, ${name}`);
    await adele.shot(`welcome-${organization}`);
    await adele.signOut();
    await page.waitForLoadState("networkidle");
    await adele.hasNoSession();
  }

  // A password of the product, at first a wrong one.
  await next("robin@contact.example.com");
  assert.equal(await adele.heading(), "Enter your password");
  await adele.shot("password");
  await page.fill("#password", "not the password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await adele.shot("password-wrong");
  await page.fill("#password", adele.passwords["robin@contact.example.com"]);
  await page.getByRole("button", { name: "Sign in" }).click();
  await adele.isAt("/home", "Hello, Robin");
  await adele.shot("home-password");
  await adele.signOut();
  await adele.isAt("/", "Sign in to Contact Center");
  await adele.hasNoSession();

  // A user of Contoso who is no user of the product.
  await page.getByRole("link", { name: "Contoso" }).click();
  await adele.type("felix@contoso.com");
  await adele.says("You are not a user of Contact Center.");
  await adele.shot("rejected");
  await adele.hasNoSession();
  await adele.leave();
}

/** Where passwords are not allowed, a login without a connection is asked for its organization. */
async function withoutPasswords(site, size) {
  const robin = await Visitor.at(site, size);
  await robin.page.fill("#login", "robin@contact.example.com");
  await robin.page.getByRole("button", { name: "Next" }).click();
  await robin.says("Choose your organization");
  assert.equal(await robin.page.locator("input[type=password]").count(), 0);
  await robin.shot("without-passwords");
  await robin.leave();
}

/** Two portals with one registration. */
async function portals(site, size) {
  const felix = await Visitor.at(site, size);
  await felix.shot("front");
  await felix.page.getByRole("link", { name: "User portal" }).click();
  await felix.type("felix@contoso.com");
  await felix.isAt("/user", "Hello, Felix");
  await felix.says("+49 171 5550117");
  await felix.shot("user");
  // Signed in at the tenant, and not the manager.
  await felix.goto("/manager");
  await felix.says("The manager portal is for the manager of the phone system.");
  await felix.shot("rejected");
  await felix.goto("/user");
  await felix.signOut();
  await felix.page.waitForLoadState("networkidle");
  await felix.hasNoSession();
  await felix.shot("tenant-signed-out");
  await felix.leave();

  const adele = await Visitor.at(site, size);
  const { page } = adele;
  await page.getByRole("link", { name: "Manager portal" }).click();
  await adele.type("adele@contoso.com");
  await adele.isAt("/manager", "Directory");
  await adele.shot("manager");
  const search = async (text, name) => {
    await page.getByLabel("Name, mail or phone").fill(text);
    await page.getByRole("button", { name: "Search" }).click();
    await page.waitForURL(/text=/);
    await adele.shot(name);
    return page.locator("tbody tr").count();
  };
  assert.equal(await search("+49 89", "by-phone"), 2);
  assert.equal(await search("felix@", "by-mail"), 1);
  assert.equal(await search("zzz", "none"), 0);
  await adele.says("No user matches zzz.");
  assert.equal(await search("<b>x</b>", "markup"), 0);
  assert.equal(await page.locator("main b").count(), 0);
  await adele.leave();
}

// Whatever hangs, this program ends and takes its own with it.
setTimeout(() => {
  console.error("the browser did not come to an end in time");
  process.exit(1);
}, 240_000).unref();

const gate = await serve("sso_group_gate");
const posting = await serve("sso_group_gate", "--form-post");
const contact = await serve("multi_idp_login");
const strict = await serve("multi_idp_login", "--no-passwords");
const phone = await serve("user_lookup");
try {
  const byQuery = await groupGate(gate, "desktop");
  assert.ok(byQuery.length > 3 && byQuery.every((method) => method === "GET"), byQuery.join());
  // The same where responses come as a form, which the tenant's page posts from another site.
  const byForm = await groupGate(posting, "phone");
  assert.deepEqual(byForm, byQuery.map(() => "POST"));
  for (const size of Object.keys(sizes)) {
    await severalConnections(contact, size);
    await withoutPasswords(strict, size);
    await portals(phone, size);
  }
  console.log("a browser signs users in and out at the examples, and rejects others");
} finally {
  for (const site of [gate, posting, contact, strict, phone]) site.end();
  await browser.close();
}
