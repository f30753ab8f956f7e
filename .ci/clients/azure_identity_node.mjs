// @azure/identity for Node.js, as it comes from its registry, against the standalone fake tenant.
import { ClientCertificateCredential, ClientSecretCredential, EnvironmentCredential } from "@azure/identity";

const { AZURE_AUTHORITY_HOST, AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH, ENTRA_GRAPH_URL } = process.env;
const options = { authorityHost: AZURE_AUTHORITY_HOST, disableInstanceDiscovery: true };
const scope = "https://graph.microsoft.com/.default";

function check(condition, message) {
  if (!condition) {
    console.error(`azure-identity for Node: ${message}`);
    process.exit(1);
  }
}

const credentials = {
  secret: new ClientSecretCredential(AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, options),
  certificate: new ClientCertificateCredential(AZURE_TENANT_ID, AZURE_CLIENT_ID, { certificatePath: AZURE_CLIENT_CERTIFICATE_PATH }, options),
  environment: new EnvironmentCredential(options),
};
for (const [name, credential] of Object.entries(credentials)) {
  const { token, expiresOnTimestamp } = await credential.getToken(scope);
  check(expiresOnTimestamp > Date.now(), `${name}: the token has expired`);
  const response = await fetch(`${ENTRA_GRAPH_URL}/users?$top=1`, { headers: { Authorization: `Bearer ${token}` } });
  check(response.status === 200, `${name}: users: ${response.status}`);
}
for (const [secret, scopes, code] of [
  ["not-the-secret", scope, 7000215],
  [AZURE_CLIENT_SECRET, "https://graph.microsoft.com/User.Read", 1002012],
  [AZURE_CLIENT_SECRET, "api://unknown/.default", 500011],
]) {
  const credential = new ClientSecretCredential(AZURE_TENANT_ID, AZURE_CLIENT_ID, secret, options);
  const message = await credential.getToken(scopes).then(() => "a token", (error) => error.message);
  check(message.includes(String(code)), `expected ${code}, got ${message}`);
}
console.log("azure-identity for Node: a secret, a certificate, the environment, three rejections");
