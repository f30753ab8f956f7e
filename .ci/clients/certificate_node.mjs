// @azure/msal-node signs in with a certificate at the standalone fake tenant.
import { createHash, createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { ConfidentialClientApplication } from "@azure/msal-node";

const { AZURE_AUTHORITY_HOST, AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_CERTIFICATE_PATH } = process.env;
const authority = `${AZURE_AUTHORITY_HOST.replace(/\/$/, "")}/${AZURE_TENANT_ID}`;
const scopes = ["https://graph.microsoft.com/.default"];

const pem = readFileSync(AZURE_CLIENT_CERTIFICATE_PATH, "utf8");
const certificate = new X509Certificate(pem.slice(pem.indexOf("-----BEGIN CERTIFICATE")));
const pkcs8 = (key) => key.export({ type: "pkcs8", format: "pem" });
const privateKey = pkcs8(createPrivateKey(pem));
const digest = (algorithm) => createHash(algorithm).update(certificate.raw).digest("hex");

function check(condition, message) {
  if (!condition) {
    console.error(`certificate, Node: ${message}`);
    process.exit(1);
  }
}

function token(clientCertificate) {
  const application = new ConfidentialClientApplication({
    auth: { clientId: AZURE_CLIENT_ID, clientCertificate, authority, knownAuthorities: [new URL(authority).host] },
  });
  return application.acquireTokenByClientCredential({ scopes });
}

async function rejected(clientCertificate, code) {
  try {
    await token(clientCertificate);
  } catch (error) {
    check(`${error.message} ${error.errorMessage}`.includes(`${code}`), `expected AADSTS${code}, got ${error}`);
    return;
  }
  check(false, `a token where AADSTS${code} was expected`);
}

const ways = {
  sha256: { thumbprintSha256: digest("sha256"), privateKey },
  "sha256 with chain": { thumbprintSha256: digest("sha256"), privateKey, x5c: certificate.toString() },
};
for (const [name, clientCertificate] of Object.entries(ways)) {
  const response = await token(clientCertificate);
  check(response.accessToken, `${name}: no token`);
}
const stranger = pkcs8(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey);
await rejected({ thumbprintSha256: digest("sha256"), privateKey: stranger }, 700027);
await rejected({ thumbprintSha256: "00".repeat(32), privateKey }, 700027);
console.log("certificate, Node: two ways in, two rejections");
