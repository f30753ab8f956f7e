// One test of a program that signs in and reads the directory.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newTenant, startServer } from "./entra.mjs";

let server;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

/** The program under test: it would take these values from its configuration. */
async function namesOfUsers({ uri, id, graph, clientId, clientSecret }) {
  const response = await fetch(`${uri}/${id}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: clientId,
      client_secret: clientSecret,
      scope: "https://graph.microsoft.com/.default",
    }),
  });
  const { access_token } = await response.json();
  const users = await fetch(`${graph}/users?$select=displayName`, { headers: { authorization: `Bearer ${access_token}` } });
  return (await users.json()).value.map((user) => user.displayName);
}

test("a new user is listed after one token request", async (t) => {
  const tenant = await newTenant(server, t);
  await tenant.control("POST", "/users", { displayName: "Ada Example" });
  assert.ok((await namesOfUsers(tenant)).includes("Ada Example"));
  await tenant.control("POST", "/journal/expect", { within: "/oauth2/", count: 1 });
});

test("every test has a tenant of its own", async (t) => {
  const tenant = await newTenant(server, t);
  assert.ok(!(await namesOfUsers(tenant)).includes("Ada Example"));
});
