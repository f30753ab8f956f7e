// @azure/msal-browser, as it comes from its registry, in Chromium against the standalone fake tenant: a
// single-page application signs a user in with a code and PKCE, calls Graph from the page and renews its tokens.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { signIn, withPage } from "./chromium.mjs";

const env = process.env;
const script = createRequire(import.meta.url).resolve("@azure/msal-browser").replace(/[^/]*$/, "msal-browser.min.js");
const authority = `${env.AZURE_AUTHORITY_HOST.replace(/\/$/, "")}/${env.AZURE_TENANT_ID}`;

/** The application: everything in it is what a browser runs. */
const application = (redirectUri) => `<!doctype html><meta charset="utf-8"><title>Single-page application</title>
<script src="/msal.js"></script>
<script type="module">
  const scopes = ["User.Read"];
  const client = new msal.PublicClientApplication({
    auth: {
      clientId: ${JSON.stringify(env.AZURE_CLIENT_ID)}, authority: ${JSON.stringify(authority)},
      knownAuthorities: [${JSON.stringify(new URL(authority).host)}], redirectUri: ${JSON.stringify(redirectUri)},
    },
    cache: { cacheLocation: "sessionStorage" },
  });
  await client.initialize();
  const get = async (path, token) => {
    const headers = { Authorization: "Bearer " + token, "Content-Type": "application/json" };
    const response = await fetch(${JSON.stringify(env.ENTRA_GRAPH_URL)} + path, { headers });
    return { status: response.status, body: await response.json(), id: response.headers.get("request-id") };
  };
  try {
    const signedIn = await client.handleRedirectPromise();
    if (!signedIn) {
      await client.loginRedirect({ scopes, prompt: "select_account" });
    } else {
      const account = signedIn.account;
      const me = await get("/me", signedIn.accessToken);
      const cached = await client.acquireTokenSilent({ scopes, account });
      const renewed = await client.acquireTokenSilent({ scopes, account, forceRefresh: true });
      const again = await get("/me", renewed.accessToken);
      const invalid = await get("/me", "not-a-token");
      const rejected = await client
        .acquireTokenSilent({ scopes: ["https://graph.microsoft.com/No.Such.Scope"], account, forceRefresh: true })
        .then(() => "a token", (error) => error.errorCode + " " + error.message);
      window.result = {
        username: account.username, homeAccountId: account.homeAccountId, me, again, invalid, rejected,
        fromCache: cached.fromCache, sameToken: cached.accessToken === signedIn.accessToken,
        renewed: renewed.accessToken !== signedIn.accessToken, renewedFromCache: renewed.fromCache,
      };
    }
  } catch (error) {
    window.result = { error: String(error) };
  }
</script>`;

function check(condition, message) {
  if (!condition) {
    console.error(`msal-browser: ${message}`);
    process.exit(1);
  }
}

const server = createServer(async (request, response) => {
  const path = new URL(request.url, "http://localhost").pathname;
  if (path === "/msal.js") {
    response.setHeader("Content-Type", "text/javascript");
    response.end(await readFile(script));
  } else if (path === "/spa") {
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.end(application(`http://localhost:${server.address().port}/spa`));
  } else {
    response.statusCode = 404;
    response.end();
  }
});
await new Promise((listening) => server.listen(0, "localhost", listening));
const url = `http://localhost:${server.address().port}/spa`;

const result = await withPage(async (page) => {
  const problems = [];
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  await page.goto(url);
  await page.waitForURL((address) => address.origin === new URL(authority).origin);
  await signIn(page, env.ENTRA_USER_UPN, env.ENTRA_USER_PASSWORD);
  await page.waitForFunction("window.result", undefined, { timeout: 20_000 }).catch((error) => {
    throw new Error(`${error.message}\n${problems.join("\n")}`);
  });
  return page.evaluate("window.result");
});
server.close();

check(!result.error, result.error);
check(result.username.toLowerCase() === env.ENTRA_USER_UPN.toLowerCase(), `the account is ${result.username}`);
check(result.homeAccountId === `${result.me.body.id}.${env.AZURE_TENANT_ID}`, `the account id is ${result.homeAccountId}`);
check(result.me.status === 200 && result.me.id, `/me from the page: ${JSON.stringify(result.me)}`);
check(result.fromCache && result.sameToken, "a cached token was expected");
check(result.renewed && !result.renewedFromCache, "a new token was expected");
check(result.again.status === 200, `/me with the new token: ${result.again.status}`);
check(result.invalid.status === 401, `an invalid token: ${result.invalid.status}`);
check(result.rejected.includes("AADSTS70011"), `an unknown scope: ${result.rejected}`);
console.log("msal-browser in Chromium: sign-in with PKCE, Graph from the page, a cached and a renewed token, two rejections");
