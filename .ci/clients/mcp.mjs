// The unmodified TypeScript SDK for MCP with its OAuth client, at the example mcp_server.
// Usage: mcp.mjs PROGRAM
import { spawn } from "node:child_process";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Browser } from "./browser.mjs";

function check(condition, message) {
  if (!condition) throw new Error(`MCP SDK: ${message}`);
}

const server = spawn(process.argv[2], ["--serve"], { stdio: ["ignore", "pipe", "inherit"] });

async function started() {
  let text = "";
  for await (const chunk of server.stdout) {
    text += chunk;
    if (text.includes("listening, with")) return text;
  }
  throw new Error(`the server stops: ${text}`);
}

/** Stores in memory what a client stores on a disk, and signs the user in. */
class Provider {
  constructor(clientId, browser) {
    this.information = { client_id: clientId };
    this.browser = browser;
  }
  get redirectUrl() {
    return "http://localhost:33418/callback";
  }
  get clientMetadata() {
    return { redirect_uris: [this.redirectUrl], client_name: "example" };
  }
  // Entra has no dynamic registration: the client ID is configured.
  clientInformation() {
    return this.information;
  }
  saveClientInformation(information) {
    this.information = information;
  }
  tokens() {
    return this.saved;
  }
  saveTokens(tokens) {
    this.saved = tokens;
  }
  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }
  codeVerifier() {
    return this.verifier;
  }
  async redirectToAuthorization(url) {
    this.authorizationUrl = url;
    this.callback = await this.browser.signIn(url.href);
  }
}

try {
  const text = await started();
  const url = /An MCP server at (\S+)/.exec(text)[1];
  const [, clientId, user, password] = /client id (\S+) with redirect URI \S+, user (\S+), password (\S+)/.exec(text);
  const provider = new Provider(clientId, new Browser(user, password));

  const first = new StreamableHTTPClientTransport(new URL(url), { authProvider: provider });
  try {
    await new Client({ name: "example", version: "1" }).connect(first);
    check(false, "connected without a token");
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
  }
  const asked = provider.authorizationUrl.searchParams;
  check(asked.get("resource") === url, `resource is ${asked.get("resource")}`);
  check(asked.get("scope").includes(`${url}/Notes.Use`), `scope is ${asked.get("scope")}`);
  check(provider.callback.code, `no code: ${JSON.stringify(provider.callback)}`);
  await first.finishAuth(provider.callback.code);

  async function connect() {
    const client = new Client({ name: "example", version: "1" });
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { authProvider: provider }));
    return client;
  }
  const client = await connect();
  const { tools } = await client.listTools();
  check(tools.map(({ name }) => name).sort().join() === "add_note,list_notes", JSON.stringify(tools));
  await client.callTool({ name: "add_note", arguments: { text: "from TypeScript" } });
  const notes = await client.callTool({ name: "list_notes", arguments: {} });
  check(notes.content[0].text.includes("from TypeScript"), JSON.stringify(notes));
  await client.close();

  // A token that is rejected: the SDK uses its refresh token, with the same resource.
  check(provider.saved.refresh_token, "no refresh token");
  provider.saved = { ...provider.saved, access_token: "not.a.token" };
  delete provider.authorizationUrl;
  const again = await connect();
  check((await again.listTools()).tools.length === 2, "no tools after a refresh");
  check(!provider.authorizationUrl, "the user has to sign in again");
  await again.close();
  console.log("the MCP SDK finds the metadata, signs a user in, calls the tools and refreshes its token");
} finally {
  server.kill();
}
