// Reads users and groups with their members by delta, with @microsoft/microsoft-graph-client as it comes from its
// registry, into a copy in the file that is named. The next call goes on with the changes.
import { readFileSync, writeFileSync, existsSync } from "node:fs";
import { Client, PageIterator } from "@microsoft/microsoft-graph-client";

const { AZURE_AUTHORITY_HOST, AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, ENTRA_GRAPH_URL } = process.env;
const file = process.argv[2];

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
const root = new URL(ENTRA_GRAPH_URL);
const client = Client.init({
  baseUrl: `${root.origin}/`,
  customHosts: new Set([root.hostname]),
  authProvider: (done) => done(null, token),
});

const copy = existsSync(file)
  ? JSON.parse(readFileSync(file, "utf8"))
  : { links: { users: "/users/delta?$select=displayName", groups: "/groups/delta?$select=displayName,members" }, users: {}, groups: {}, members: {} };
for (const set of ["users", "groups"]) {
  const rows = [];
  const iterator = new PageIterator(client, await client.api(copy.links[set]).get(), (row) => rows.push(row) > 0);
  await iterator.iterate();
  copy.links[set] = iterator.getDeltaLink();
  for (const row of rows) {
    if (row["@removed"]) {
      delete copy[set][row.id];
      delete copy.members[row.id];
      continue;
    }
    copy[set][row.id] = row.displayName;
    for (const member of row["members@delta"] ?? []) {
      const members = (copy.members[row.id] ??= {});
      if (member["@removed"]) delete members[member.id];
      else members[member.id] = member["@odata.type"];
    }
  }
}
writeFileSync(file, JSON.stringify(copy));
