// A helper for node:test: one entra-mock server for the file, and a tenant of its own for each test.
//
// Copy this file into your tests. It needs the program `entra-mock` on the path, or its place in ENTRA_MOCK, and no
// package. The server uses plain HTTP. MSAL demands HTTPS, and Node.js reads its certificates when it starts, so for MSAL
// run the tests with `entra-mock run -- node --test`, whose server is used then.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";

/** Starts a server, unless `entra-mock run` has started one; `stop()` ends it. */
export async function startServer() {
  if (process.env.ENTRA_MOCK_CONTROL_TOKEN) return { settings: process.env, stop: async () => {} };
  const directory = await mkdtemp(join(tmpdir(), "entra-mock-"));
  const file = join(directory, "tenant.env");
  const program = process.env.ENTRA_MOCK ?? "entra-mock";
  const child = spawn(program, ["serve", "--port", "0", "--env-file", file], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  if (!String(line).startsWith("ready ")) throw new Error("entra-mock did not start");
  const settings = Object.fromEntries(
    [...(await readFile(file, "utf8")).matchAll(/^export (\w+)='(.*)'$/gm)].map(([, name, value]) => [name, value]),
  );
  const stop = async () => {
    child.kill();
    await once(child, "exit");
    await rm(directory, { recursive: true });
  };
  return { settings, stop };
}

/** Makes a tenant for one test and removes it at the end. */
export async function newTenant(server, test) {
  const token = server.settings.ENTRA_MOCK_CONTROL_TOKEN;
  const control = (url) => async (method, path, body) => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    const value = text ? JSON.parse(text) : undefined;
    if (!response.ok) throw new Error(`${method} ${path}: ${value.error.message}; fix: ${value.error.fix}`);
    return value;
  };
  const ofServer = control(server.settings.ENTRA_MOCK_CONTROL_URL);
  const tenant = await ofServer("POST", "/tenants", { seed: "contoso" });
  test.after(() => ofServer("DELETE", `/tenants/${tenant.id}`));
  return { ...tenant, control: control(tenant.control) };
}
