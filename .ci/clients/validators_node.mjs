// jose, which knows nothing of this project, judges the standalone tenant's tokens by its metadata and keys alone.
import { createHash, createHmac, randomBytes } from "node:crypto";
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, errors, exportSPKI, jwtVerify } from "jose";
import { Browser } from "./browser.mjs";

const { env } = process;
const host = env.AZURE_AUTHORITY_HOST.replace(/\/$/, "");
const client = env.AZURE_CLIENT_ID;
const redirect = env.ENTRA_REDIRECT_URI;
const proof = { client_id: client, client_secret: env.AZURE_CLIENT_SECRET };

function check(condition, message) {
  if (!condition) {
    console.error(`jose: ${message}`);
    process.exit(1);
  }
}

// One generation of the tenant's tokens, found as any OpenID Connect client finds it.
async function discover(version) {
  const response = await fetch(`${host}/${env.AZURE_TENANT_ID}${version}/.well-known/openid-configuration`);
  const metadata = await response.json();
  return { metadata, keys: createRemoteJWKSet(new URL(metadata.jwks_uri)) };
}

async function accept({ metadata, keys }, token, { nonce, ...changes } = {}) {
  const { payload } = await jwtVerify(token, keys, {
    algorithms: ["RS256"],
    issuer: metadata.issuer,
    audience: client,
    requiredClaims: ["exp", "iat", "nbf", "sub"],
    ...changes,
  });
  if (nonce !== undefined && payload.nonce !== nonce) throw new errors.JWTClaimValidationFailed("nonce", payload, "nonce");
  return payload;
}

async function rejects(code, where, token, changes) {
  try {
    await accept(where, token, changes);
  } catch (error) {
    const got = error.claim ? `${error.code} ${error.claim}` : error.code;
    check(got === code, `expected ${code}, got ${error.code}: ${error.message}`);
    return;
  }
  check(false, `a token was accepted where ${code} was expected`);
}

async function redeem(metadata, form) {
  const response = await fetch(metadata.token_endpoint, { method: "POST", body: new URLSearchParams({ ...form, ...proof }) });
  return response.json();
}

async function tokensOfAUser(metadata, nonce, scope) {
  const verifier = randomBytes(48).toString("base64url");
  const url = new URL(metadata.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: client, response_type: "code", response_mode: "form_post", redirect_uri: redirect, scope, state: "s", nonce,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256",
  });
  const { code } = await new Browser(env.ENTRA_USER_UPN, env.ENTRA_USER_PASSWORD).signIn(url);
  return redeem(metadata, { grant_type: "authorization_code", code, redirect_uri: redirect, code_verifier: verifier });
}

const encoded = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");

// The token with some of its header or claims replaced, under its old signature or another one.
function changed(token, { head, body, signature }) {
  const old = token.split(".");
  return [
    head ? encoded({ ...decodeProtectedHeader(token), ...head }) : old[0],
    body ? encoded({ ...decodeJwt(token), ...body }) : old[1],
    signature ?? old[2],
  ].join(".");
}

const [v1, v2] = [await discover(""), await discover("/v2.0")];
const nonce = randomBytes(16).toString("base64url");
const userTokens = await tokensOfAUser(v2.metadata, nonce, `openid profile email ${client}/.default`);
check(userTokens.id_token, `no ID token: ${JSON.stringify(userTokens)}`);

// ID token.
const identity = userTokens.id_token;
const claims = await accept(v2, identity, { nonce });
check(claims.tid === env.AZURE_TENANT_ID && claims.preferred_username === env.ENTRA_USER_UPN, "another user");
const hours = (count) => new Date(Date.now() + count * 3_600_000);
await rejects("ERR_JWT_CLAIM_VALIDATION_FAILED nonce", v2, identity, { nonce: "another" });
await rejects("ERR_JWT_CLAIM_VALIDATION_FAILED aud", v2, identity, { audience: "00000000-0000-0000-0000-000000000001" });
await rejects("ERR_JWT_CLAIM_VALIDATION_FAILED iss", v2, identity, { issuer: v1.metadata.issuer });
await rejects("ERR_JWT_EXPIRED exp", v2, identity, { currentDate: hours(3) });
await rejects("ERR_JWT_CLAIM_VALIDATION_FAILED nbf", v2, identity, { currentDate: hours(-3) });
const forged = changed(identity, { body: { preferred_username: "admin@contoso.com" } });
await rejects("ERR_JWS_SIGNATURE_VERIFICATION_FAILED", v2, forged);
const swapped = changed(identity, { signature: userTokens.access_token.split(".")[2] });
await rejects("ERR_JWS_SIGNATURE_VERIFICATION_FAILED", v2, swapped);
await rejects("ERR_JWKS_NO_MATCHING_KEY", v2, changed(identity, { head: { kid: "unknown" } }));
await rejects("ERR_JOSE_ALG_NOT_ALLOWED", v2, changed(identity, { head: { alg: "none" }, signature: "" }));
const pem = await exportSPKI(await v2.keys(decodeProtectedHeader(identity), {}));
const [head, body] = changed(identity, { head: { alg: "HS256" } }).split(".");
const hmac = createHmac("sha256", pem).update(`${head}.${body}`).digest("base64url");
await rejects("ERR_JOSE_ALG_NOT_ALLOWED", v2, `${head}.${body}.${hmac}`);

// Access tokens for an own API, for a user and for an application.
const access = userTokens.access_token;
const own = decodeJwt(access).ver === "1.0" ? v1 : v2;
check((await accept(own, access)).scp !== undefined, "not a user's token");
await rejects("ERR_JWS_SIGNATURE_VERIFICATION_FAILED", own, changed(access, { body: { scp: "everything" } }));
const application = await redeem(v2.metadata, { grant_type: "client_credentials", scope: `${client}/.default` });
check(application.access_token, `no token for the application: ${JSON.stringify(application)}`);
check((await accept(own, application.access_token)).scp === undefined, "not an application's token");
const promoted = changed(application.access_token, { body: { roles: ["Admin"] } });
await rejects("ERR_JWS_SIGNATURE_VERIFICATION_FAILED", own, promoted);
console.log("jose: an ID token and two access tokens accepted, altered, stale and misdirected ones rejected");
