// An OpenID provider of another maker (the npm package oidc-provider, OpenID certified), over TLS
// with a CA made on the fly, for the tests that show entra-auth at work with it.
//
//   node oidc_provider.mjs DIRECTORY
//
// writes DIRECTORY/ca.pem and DIRECTORY/client.pem (certificate and key of the second client) and
// prints `ready ISSUER`.
import { execFileSync } from 'node:child_process';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { Provider } from 'oidc-provider';

const directory = process.argv[2];
const at = (name) => join(directory, name);
const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe' });

function authority(name, subject) {
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', subject,
    '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`));
}

authority('ca', '/CN=CA of one test run');
openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-keyout', at('server.key'), '-out', at('server.csr'));
writeFileSync(at('server.ext'), 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n');
openssl('x509', '-req', '-in', at('server.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial',
  '-days', '2', '-extfile', at('server.ext'), '-out', at('server.pem'));
authority('certificate', '/CN=Client of one test run');
const certificate = readFileSync(at('certificate.pem'), 'utf8');
writeFileSync(at('client.pem'), certificate + readFileSync(at('certificate.key'), 'utf8'), { mode: 0o600 });
const jwk = createPublicKey(new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'pem' })).export({ format: 'jwk' });

const server = createServer({ key: readFileSync(at('server.key')), cert: readFileSync(at('server.pem')) });
await new Promise((resolve) => server.listen(0, 'localhost', resolve));
const issuer = `https://localhost:${server.address().port}`;
const scopes = 'openid profile offline_access api:read';
const client = {
  grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
  redirect_uris: ['https://shop.example/callback'],
  response_types: ['code'],
  scope: scopes,
};

const provider = new Provider(issuer, {
  clients: [
    {
      ...client,
      client_id: '22222222-2222-2222-2222-222222222222',
      client_secret: 'secret-of-the-provider-test',
      token_endpoint_auth_method: 'client_secret_post',
    },
    {
      ...client,
      client_id: '33333333-3333-3333-3333-333333333333',
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'PS256',
      jwks: { keys: [{ ...jwk, use: 'sig', alg: 'PS256' }] },
    },
  ],
  scopes: scopes.split(' '),
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'] },
  conformIdTokenClaims: false,
  cookies: { keys: ['keys of one test run'] },
  features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  pkce: { required: () => true },
  ttl: { AccessToken: 3600, ClientCredentials: 3600, IdToken: 3600, RefreshToken: 86400, Grant: 86400, Session: 86400, Interaction: 600, AuthorizationCode: 60 },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  issueRefreshToken: (_, of) => of.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: 'Adele', preferred_username: 'adele@contoso.example' }) }),
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope(scopes);
    await grant.save();
    return grant;
  },
});

const handle = provider.callback();
server.on('request', (request, response) => {
  // Who comes to sign in is Adele, who consents at once.
  if (request.url.startsWith('/interaction/')) {
    provider.interactionFinished(request, response, { login: { accountId: 'adele' }, consent: {} });
  } else {
    handle(request, response);
  }
});
provider.on('server_error', (_, error) => console.error(error));
console.log(`ready ${issuer}`);
