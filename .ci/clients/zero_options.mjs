// Clients with their defaults: run by `entra-mock hosts`, which gives them Microsoft's host names and no address.
import assert from "node:assert/strict";
import { DefaultAzureCredential } from "@azure/identity";
import { ConfidentialClientApplication } from "@azure/msal-node";
import { Client } from "@microsoft/microsoft-graph-client";
import { TokenCredentialAuthenticationProvider } from "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";

const { env } = process;
for (const name of ["AZURE_AUTHORITY_HOST", "ENTRA_GRAPH_URL"]) assert.equal(env[name], undefined, name);
const scopes = ["https://graph.microsoft.com/.default"];

const auth = {
  clientId: env.AZURE_CLIENT_ID, clientSecret: env.AZURE_CLIENT_SECRET,
  authority: `https://login.microsoftonline.com/${env.AZURE_TENANT_ID}`,
};
const token = await new ConfidentialClientApplication({ auth }).acquireTokenByClientCredential({ scopes });
assert.ok(token.accessToken);

const authProvider = new TokenCredentialAuthenticationProvider(new DefaultAzureCredential(), { scopes });
const users = await Client.initWithMiddleware({ authProvider }).api("/users").get();
assert.ok(users.value.some((user) => user.userPrincipalName === env.ENTRA_USER_UPN), JSON.stringify(users));
console.log("MSAL, @azure/identity (default) and microsoft-graph-client for Node.js: no option");
