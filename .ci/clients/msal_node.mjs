// @azure/msal-node, as it comes from its registry, against the standalone fake tenant.
import { ConfidentialClientApplication } from "@azure/msal-node";

const { AZURE_AUTHORITY_HOST, AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, ENTRA_GRAPH_URL } = process.env;
const authority = `${AZURE_AUTHORITY_HOST.replace(/\/$/, "")}/${AZURE_TENANT_ID}`;
const scopes = ["https://graph.microsoft.com/.default"];

function application(clientSecret, clientId = AZURE_CLIENT_ID) {
  return new ConfidentialClientApplication({
    auth: { clientId, clientSecret, authority, knownAuthorities: [new URL(authority).host] },
  });
}

function check(condition, message) {
  if (!condition) {
    console.error(`msal-node: ${message}`);
    process.exit(1);
  }
}

async function rejected(call, code) {
  try {
    await call();
  } catch (error) {
    check(String(error.message).includes(`AADSTS${code}`) || String(error.errorMessage).includes(String(code)), `expected AADSTS${code}, got ${error}`);
    return;
  }
  check(false, `a token where AADSTS${code} was expected`);
}

const app = application(AZURE_CLIENT_SECRET);
const { accessToken } = await app.acquireTokenByClientCredential({ scopes });
check(accessToken, "no token");

const headers = { Authorization: `Bearer ${accessToken}` };
const first = await fetch(`${ENTRA_GRAPH_URL}/users?$top=5`, { headers });
check(first.status === 200, `users: ${first.status}`);
const firstPage = await first.json();
const second = await fetch(firstPage["@odata.nextLink"], { headers });
check(second.status === 200, `second page: ${second.status}`);
const secondPage = await second.json();
const ids = new Set([...firstPage.value, ...secondPage.value].map((user) => user.id));
check(ids.size === 10, `two pages of five were expected, got ${ids.size} different users`);

await rejected(() => application("not-the-secret").acquireTokenByClientCredential({ scopes }), 7000215);
await rejected(() => application("x", "00000000-0000-0000-0000-00000000abcd").acquireTokenByClientCredential({ scopes }), 700016);
console.log("msal-node: a token, two pages, two rejections");
