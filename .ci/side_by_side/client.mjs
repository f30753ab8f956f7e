// microsoft-graph-client by its documented ways: run.py starts it with the root of the service and a case.
import { Client, PageIterator } from "@microsoft/microsoft-graph-client";

const [root, which] = process.argv.slice(2);
const client = Client.initWithMiddleware({
  authProvider: { getAccessToken: async () => (await (await fetch(`${root}/token`)).json()).token },
  baseUrl: `${root}/`,
  defaultVersion: "v1.0",
  customHosts: new Set(["127.0.0.1"]),
});

async function run() {
  if (which === "post") {
    await client.api("/users").post({ displayName: "Adele" });
    return 0;
  }
  const headers = { ConsistencyLevel: "eventual" };
  const first = await client.api("/users").headers(headers).count(true).get();
  let items = 0;
  const keep = () => {
    items += 1;
    return true;
  };
  await new PageIterator(client, first, keep, { headers }).iterate();
  return items;
}

try {
  console.log(JSON.stringify({ items: await run(), error: null }));
} catch (error) {
  console.log(JSON.stringify({ items: 0, error: `${error.code ?? error.name}: ${error.message}` }));
}
process.exit(0);
