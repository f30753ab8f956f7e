// @microsoft/microsoft-graph-client, as it comes from its registry, writes to the standalone fake tenant.
import { Client, BatchRequestContent, BatchResponseContent, PageIterator } from "@microsoft/microsoft-graph-client";

const { AZURE_AUTHORITY_HOST, AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, ENTRA_GRAPH_URL } = process.env;

function check(condition, message) {
  if (!condition) {
    console.error(`microsoft-graph-client: ${message}`);
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
check(token, "no token");

const root = new URL(ENTRA_GRAPH_URL);
const client = Client.init({
  baseUrl: `${root.origin}/`,
  customHosts: new Set([root.hostname]),
  authProvider: (done) => done(null, token),
});

async function failure(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  check(false, "a rejected request was expected");
}

// The rows of a whole delta round, and the link to the next one.
async function round(start) {
  const rows = [];
  const page = await client.api(start).get();
  const iterator = new PageIterator(client, page, (row) => rows.push(row) > 0);
  await iterator.iterate();
  return { rows, link: iterator.getDeltaLink() };
}

const before = { users: await round("/users/delta"), groups: await round("/groups/delta") };
check(before.users.rows.length >= 60, `the first round has ${before.users.rows.length} users`);

const user = (name) => ({
  accountEnabled: true,
  displayName: `Node ${name}`,
  mailNickname: name,
  userPrincipalName: `${name}@contoso.com`,
  passwordProfile: { password: "xWwvJ]6NMw+bWH-d", forceChangePasswordNextSignIn: true },
});
const created = await client.api("/users").post(user("node1"));
check(created.id && created.displayName === "Node node1", `created: ${JSON.stringify(created)}`);
const conflict = await failure(() => client.api("/users").post(user("node1")));
check(conflict.statusCode === 400 && conflict.code === "Request_BadRequest", `a second one: ${conflict.statusCode} ${conflict.code}`);
check(conflict.message.includes("userPrincipalName already exists"), conflict.message);
await client.api(`/users/${created.id}`).update({ jobTitle: "Lead" });
const read = await client.api(`/users/${created.id}`).select("id,jobTitle").get();
check(read.jobTitle === "Lead", `updated: ${JSON.stringify(read)}`);

const group = await client.api("/groups").post({
  displayName: "Node group",
  mailEnabled: false,
  mailNickname: "node",
  securityEnabled: true,
  "owners@odata.bind": [`https://graph.microsoft.com/v1.0/users/${created.id}`],
});
const reference = { "@odata.id": `https://graph.microsoft.com/v1.0/directoryObjects/${created.id}` };
await client.api(`/groups/${group.id}/members/$ref`).post(reference);
const members = await client.api(`/groups/${group.id}/members`).get();
check(members.value.length === 1 && members.value[0].id === created.id, "the member is not there");

const headers = { "Content-Type": "application/json" };
const request = (path, method, body) =>
  new Request(`https://graph.microsoft.com/${path}`, { method, headers, body: body && JSON.stringify(body) });
const batch = new BatchRequestContent([
  { id: "1", request: request("users", "POST", user("node2")) },
  { id: "2", request: request(`users/${created.id}`, "PATCH", { city: "Graz" }), dependsOn: ["1"] },
  { id: "3", request: request("users/nobody@contoso.com", "GET"), dependsOn: ["2"] },
]);
const responses = new BatchResponseContent(await client.api("/$batch").post(await batch.getContent()));
const statuses = ["1", "2", "3"].map((id) => responses.getResponseById(id).status);
check(statuses.join() === "201,204,404", `batch: ${statuses}`);
const second = await responses.getResponseById("1").json();

const changes = await round(before.users.link.replace(ENTRA_GRAPH_URL, ""));
const changed = new Set(changes.rows.map((row) => row.id));
check(changed.size === 2 && changed.has(created.id) && changed.has(second.id), `delta: ${JSON.stringify(changes.rows)}`);
const groups = await round(before.groups.link.replace(ENTRA_GRAPH_URL, ""));
check(groups.rows[0]["members@delta"][0].id === created.id, `group delta: ${JSON.stringify(groups.rows)}`);

await client.api(`/groups/${group.id}/members/${created.id}/$ref`).delete();
await client.api(`/groups/${group.id}`).delete();
await client.api(`/users/${created.id}`).delete();
await client.api(`/users/${second.id}`).delete();
const gone = await failure(() => client.api(`/users/${created.id}`).get());
check(gone.statusCode === 404, `deleted: ${gone.statusCode}`);
const removed = await round(changes.link.replace(ENTRA_GRAPH_URL, ""));
check(removed.rows.length === 2 && removed.rows.every((row) => row["@removed"].reason === "changed"), JSON.stringify(removed.rows));
await client.api(`/directory/deletedItems/${created.id}/restore`).post({});
check((await client.api(`/users/${created.id}`).get()).id === created.id, "not restored");
await client.api(`/users/${created.id}`).delete();
console.log("microsoft-graph-client: create, update, delete, restore, members, a batch with dependencies, delta");
