// @azure/msal-node: everything that speaks for a person, at the standalone fake tenant.
import { ConfidentialClientApplication, CryptoProvider, PublicClientApplication } from "@azure/msal-node";

const { env } = process;
const host = env.AZURE_AUTHORITY_HOST.replace(/\/$/, "");
const authority = `${host}/${env.AZURE_TENANT_ID}`;
const clientId = env.AZURE_CLIENT_ID;
const redirectUri = env.ENTRA_REDIRECT_URI;
const scopes = ["User.Read"];
const auth = { clientId, authority, knownAuthorities: [new URL(authority).host] };

const confidential = (clientSecret = env.AZURE_CLIENT_SECRET) =>
  new ConfidentialClientApplication({ auth: { ...auth, clientSecret } });

function check(condition, message) {
  if (!condition) {
    console.error(`person's grants in msal-node: ${message}`);
    process.exit(1);
  }
}

async function refused(call, ...codes) {
  try {
    await call();
  } catch (error) {
    const text = `${error.message} ${error.errorMessage} ${error.errorCode} ${error.errorNo}`;
    check(codes.some((code) => text.includes(String(code))), `expected ${codes}, got ${text}`);
    return;
  }
  check(false, `a token where one of ${codes} was expected`);
}

async function me({ accessToken }) {
  const answer = await fetch(`${env.ENTRA_GRAPH_URL}/me`, { headers: { Authorization: `Bearer ${accessToken}` } });
  const body = await answer.json();
  check(body.userPrincipalName === env.ENTRA_USER_UPN, `/me: ${JSON.stringify(body)}`);
}

const unescape = (text) =>
  text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&amp;/g, "&");

// A browser just good enough for the sign-in page.
let cookie = "";
async function browse(url, init = {}) {
  const answer = await fetch(url, { ...init, redirect: "manual", headers: { ...init.headers, cookie } });
  const set = answer.headers.get("set-cookie");
  if (set) cookie = set.split(";")[0];
  return answer;
}
async function signIn(url) {
  let answer = await browse(url);
  for (let page = 0; page < 4; page += 1) {
    if (answer.status === 302) return Object.fromEntries(new URL(answer.headers.get("location")).searchParams);
    const text = await answer.text();
    check(answer.status === 200, `the page says: ${text}`);
    const action = new URL(unescape(/<form[^>]* action="([^"]*)"/.exec(text)[1]), url);
    const fields = text.includes('type="password"')
      ? { login: env.ENTRA_USER_UPN, passwd: env.ENTRA_USER_PASSWORD, step: "password" }
      : { step: "consent" };
    answer = await browse(action, { method: "POST", body: new URLSearchParams(fields) });
  }
  return check(false, "the sign-in came to no end");
}
async function typeCode(response, step = "password") {
  const fields = { otc: response.userCode, login: env.ENTRA_USER_UPN, passwd: env.ENTRA_USER_PASSWORD, step };
  const answer = await browse(response.verificationUri, { method: "POST", body: new URLSearchParams(fields) });
  check((await answer.text()).includes('role="status"'), "the code was not taken");
}

const crypto = new CryptoProvider();
async function code(app, changes = {}) {
  const { verifier, challenge } = await crypto.generatePkceCodes();
  const request = { scopes, redirectUri, codeChallenge: challenge, codeChallengeMethod: "S256", state: "s", ...changes };
  const answer = await signIn(await app.getAuthCodeUrl(request));
  return { scopes, redirectUri, code: answer.code, codeVerifier: verifier };
}

// Authorization code with PKCE, and tokens without the person.
const app = confidential();
const request = await code(app);
const tokens = await app.acquireTokenByCode(request);
check(tokens.account.username === env.ENTRA_USER_UPN, "another person's account");
await me(tokens);
const { account } = tokens;
const silent = await app.acquireTokenSilent({ scopes, account });
check(silent.accessToken === tokens.accessToken, "the silent token did not come from its cache");
await me(await app.acquireTokenSilent({ scopes, account, forceRefresh: true }));
const own = await app.acquireTokenSilent({ scopes: [`${clientId}/.default`], account });
await refused(() => app.acquireTokenByCode(request), 54005);
const wrong = await code(app);
await refused(() => app.acquireTokenByCode({ ...wrong, codeVerifier: "x".repeat(43) }), 501481);
await refused(() => confidential("wrong").acquireTokenByCode(wrong), 7000215);
await refused(() => app.acquireTokenByRefreshToken({ scopes, refreshToken: "garbage" }), 70000);

// On behalf of.
await me(await confidential().acquireTokenOnBehalfOf({ scopes, oboAssertion: own.accessToken }));
await refused(() => confidential().acquireTokenOnBehalfOf({ scopes, oboAssertion: tokens.accessToken }), 50013);

// Device code: the first poll comes before the code is typed.
const device = new PublicClientApplication({ auth });
await me(
  await device.acquireTokenByDeviceCode({
    scopes,
    deviceCodeCallback: (response) => setTimeout(() => typeCode(response), 500),
  }),
);
await refused(
  () => device.acquireTokenByDeviceCode({ scopes, deviceCodeCallback: (response) => typeCode(response, "decline") }),
  "authorization_declined",
  65004,
);

// User name and password.
const password = (password) =>
  new PublicClientApplication({ auth }).acquireTokenByUsernamePassword({ scopes, username: env.ENTRA_USER_UPN, password });
await me(await password(env.ENTRA_USER_PASSWORD));
await refused(() => password("wrong"), 50126);
console.log("msal-node: code, silent, on behalf of, device, password, and their refusals");
