// PnPjs, as it comes from its registry, against the standalone fake tenant.
import { DefaultHeaders, DefaultInit, graphfi } from "@pnp/graph";
import { GroupType } from "@pnp/graph/groups/index.js";
import "@pnp/graph/users/index.js";
import { BrowserFetchWithRetry, DefaultParse } from "@pnp/queryable";

const { AZURE_AUTHORITY_HOST, AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, ENTRA_GRAPH_URL } = process.env;

function check(condition, message) {
  if (!condition) {
    console.error(`PnPjs: ${message}`);
    process.exit(1);
  }
}

const response = await fetch(`${AZURE_AUTHORITY_HOST.replace(/\/$/, "")}/${AZURE_TENANT_ID}/oauth2/v2.0/token`, {
  method: "POST",
  body: new URLSearchParams({
    grant_type: "client_credentials",
    client_id: AZURE_CLIENT_ID,
    client_secret: AZURE_CLIENT_SECRET,
    scope: "https://graph.microsoft.com/.default",
  }),
});
const { access_token: token } = await response.json();
const authorize = (instance) => {
  instance.on.auth.replace(async (url, init) => [url, { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } }]);
  return instance;
};
const graph = graphfi(ENTRA_GRAPH_URL).using(DefaultHeaders(), DefaultInit(ENTRA_GRAPH_URL), BrowserFetchWithRetry(), DefaultParse(), authorize);

const page = await graph.users.top(5).select("id", "userPrincipalName")();
check(page.length === 5 && page.every((user) => user.userPrincipalName), `users: ${JSON.stringify(page)}`);
const one = await graph.users.getById(page[0].id)();
check(one.id === page[0].id, `one user: ${JSON.stringify(one)}`);
let listed = 0;
for await (const users of graph.users.top(20)) listed += users.length;
check(listed >= 60, `all pages have ${listed} users`);

const created = await graph.groups.add("PnP group", "pnp", GroupType.Security);
const id = created.id ?? created.data?.id;
check(id, `created: ${JSON.stringify(created)}`);
const read = await graph.groups.getById(id)();
check(read.displayName === "PnP group", `read: ${JSON.stringify(read)}`);
await graph.groups.getById(id).delete();
const gone = await graph.groups.getById(id)().then(() => 200, (error) => error.status);
check(gone === 404, `a deleted group: ${gone}`);
console.log("PnPjs: users, pages, a group created and deleted");
