// @azure/msal-node: all grants for a user, at the standalone fake tenant.
import { ConfidentialClientApplication, CryptoProvider, PublicClientApplication } from "@azure/msal-node";
import { Browser } from "./browser.mjs";

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
    console.error(`user grants in msal-node: ${message}`);
    process.exit(1);
  }
}

async function rejected(call, ...codes) {
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
  const response = await fetch(`${env.ENTRA_GRAPH_URL}/me`, { headers: { Authorization: `Bearer ${accessToken}` } });
  const body = await response.json();
  check(body.userPrincipalName === env.ENTRA_USER_UPN, `/me: ${JSON.stringify(body)}`);
}

const browser = new Browser(env.ENTRA_USER_UPN, env.ENTRA_USER_PASSWORD);
const crypto = new CryptoProvider();
async function authorizationResponse(app, verifier, changes = {}, user = browser) {
  const challenge = await crypto.hashString(verifier);
  const request = { scopes, redirectUri, codeChallenge: challenge, codeChallengeMethod: "S256", state: "s", ...changes };
  return user.signIn(await app.getAuthCodeUrl(request));
}
async function code(app, changes = {}) {
  const { verifier } = await crypto.generatePkceCodes();
  const { code } = await authorizationResponse(app, verifier, changes);
  return { scopes, redirectUri, code, codeVerifier: verifier };
}

// Authorization code with PKCE, and tokens without the user.
const app = confidential();
const request = await code(app);
const tokens = await app.acquireTokenByCode(request);
check(tokens.account.username === env.ENTRA_USER_UPN, "another user's account");
await me(tokens);
const { account } = tokens;
const silent = await app.acquireTokenSilent({ scopes, account });
check(silent.accessToken === tokens.accessToken, "the silent token did not come from its cache");
await me(await app.acquireTokenSilent({ scopes, account, forceRefresh: true }));
const own = await app.acquireTokenSilent({ scopes: [`${clientId}/.default`], account });
await rejected(() => app.acquireTokenByCode(request), 54005);
const wrong = await code(app);
await rejected(() => app.acquireTokenByCode({ ...wrong, codeVerifier: "x".repeat(43) }), 501481);
await rejected(() => app.acquireTokenByCode({ ...wrong, codeVerifier: undefined }), 501481);
await rejected(() => app.acquireTokenByCode({ ...wrong, redirectUri: `${redirectUri}/x` }), 500112);
await rejected(() => confidential("wrong").acquireTokenByCode(wrong), 7000215);
await rejected(() => app.acquireTokenByCode({ ...wrong, code: "garbage" }), 9002313);
for (const changes of [{ prompt: "none", loginHint: account.username }, { responseMode: "form_post" }]) {
  await me(await app.acquireTokenByCode(await code(app, changes)));
}
const stranger = new Browser(env.ENTRA_USER_UPN, env.ENTRA_USER_PASSWORD);
const silently = await authorizationResponse(app, "x".repeat(43), { prompt: "none" }, stranger);
check(silently.error === "login_required" && silently.state === "s", `silent without a session: ${JSON.stringify(silently)}`);

// Refresh: by the token itself, and in another process that has the cache alone.
const cache = app.getTokenCache().serialize();
const { secret: refreshToken } = Object.values(JSON.parse(cache).RefreshToken)[0];
await me(await app.acquireTokenByRefreshToken({ scopes, refreshToken }));
const elsewhere = confidential();
elsewhere.getTokenCache().deserialize(cache);
const [known] = await elsewhere.getTokenCache().getAllAccounts();
check(known.homeAccountId === account.homeAccountId, "the cache has another account");
await me(await elsewhere.acquireTokenSilent({ scopes, account: known, forceRefresh: true }));
await rejected(() => app.acquireTokenSilent({ scopes: ["Mail.Read"], account, forceRefresh: true }), 65001);
await rejected(() => confidential("wrong").acquireTokenByRefreshToken({ scopes, refreshToken }), 7000215);
await app.getTokenCache().removeAccount(account);
await rejected(() => app.acquireTokenSilent({ scopes, account }), "no_tokens_found", "no_account");
await rejected(() => app.acquireTokenByRefreshToken({ scopes, refreshToken: "garbage" }), 70000);

// On behalf of.
await me(await confidential().acquireTokenOnBehalfOf({ scopes, oboAssertion: own.accessToken }));
await rejected(() => confidential().acquireTokenOnBehalfOf({ scopes, oboAssertion: tokens.accessToken }), 50013);
await rejected(() => confidential().acquireTokenOnBehalfOf({ scopes: ["Mail.Read"], oboAssertion: own.accessToken }), 65001);
await rejected(() => confidential("wrong").acquireTokenOnBehalfOf({ scopes, oboAssertion: own.accessToken }), 7000215);

// Device code: the first poll comes before the code is typed.
const device = new PublicClientApplication({ auth });
const typed = (response, step) => browser.device(response.verificationUri, response.userCode, step);
await me(
  await device.acquireTokenByDeviceCode({
    scopes,
    deviceCodeCallback: (response) => setTimeout(() => typed(response), 500),
  }),
);
await rejected(
  () => device.acquireTokenByDeviceCode({ scopes, deviceCodeCallback: (response) => typed(response, "decline") }),
  "authorization_declined",
  65004,
);

// User name and password.
const password = (password, username = env.ENTRA_USER_UPN) =>
  new PublicClientApplication({ auth }).acquireTokenByUsernamePassword({ scopes, username, password });
await me(await password(env.ENTRA_USER_PASSWORD));
await rejected(() => password("wrong"), 50126);
await rejected(() => password("x", "nobody@contoso.com"), 50034);
console.log("msal-node: code, silent, refresh, on behalf of, device, password, and their rejections");
