"""Makes the 60 broken and healthy set-ups of cases.tsv on a standalone server, and runs the example `connection_test` on each.

The example gets the settings of the product by its environment and options, and never learns which case it is. The states
are made through Microsoft Graph where an administrator makes them so, and otherwise (clock, region, conditional access,
replication, keys of other issuers, an application of another tenant) through the control API, each in a tenant of its own.
Usage: connection_cases.py DIRECTORY_OF_PROGRAMS
"""

import base64
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import jwt
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

PROGRAM = pathlib.Path(sys.argv[1]).resolve() / "connection_test"
CASES = pathlib.Path(__file__).parents[2] / "examples/tests/it/connection/cases.tsv"
GRAPH_APP = "00000003-0000-0000-c000-000000000000"
REDIRECT = "https://helpdesk.example/auth/callback"
ISSUER = "https://token.actions.githubusercontent.com"
BRANCH = "repo:contoso/shop:ref:refs/heads/"
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
scratch = tempfile.TemporaryDirectory()
complaints = []


class Tenant:
    """Graph, as the application of an environment file, and the control API."""

    def __init__(self, environment):
        self.environment = environment
        self.controls = environment["ENTRA_MOCK_CONTROL_URL"]
        self.id, self.graph = environment["AZURE_TENANT_ID"], environment["ENTRA_GRAPH_URL"]
        form = {
            "grant_type": "client_credentials",
            "client_id": environment["AZURE_CLIENT_ID"],
            "client_secret": environment["AZURE_CLIENT_SECRET"],
            "scope": "https://graph.microsoft.com/.default",
        }
        self.session = requests.Session()
        self.session.verify = environment.get("REQUESTS_CA_BUNDLE", True)
        url = f"{environment['AZURE_AUTHORITY_HOST'].rstrip('/')}/{self.id}/oauth2/v2.0/token"
        token = self.session.post(url, data=form, timeout=30).json()["access_token"]
        self.session.headers["Authorization"] = "Bearer " + token
        self.api = self.call("GET", f"/servicePrincipals(appId='{GRAPH_APP}')")

    def call(self, method, path, body=None):
        response = self.session.request(method, f"{self.graph}{path}", json=body, timeout=30)
        if not response.ok:
            sys.exit(f"{method} {path}: {response.status_code} {response.text}")
        return response.json() if response.content else None

    def control(self, method, path, body=None):
        headers = {"Authorization": "Bearer " + self.environment["ENTRA_MOCK_CONTROL_TOKEN"]}
        verify = self.environment.get("REQUESTS_CA_BUNDLE", True)
        response = requests.request(method, f"{self.controls}{path}", json=body, headers=headers, verify=verify, timeout=30)
        if not response.ok:
            sys.exit(f"{method} {path}: {response.status_code} {response.text}")
        return response.json() if response.content else None

    def another(self, **options):
        """A new tenant of the same server."""
        made = self.control("POST", "/tenants", {"seed": "contoso", **options})
        of_tenant = {
            "AZURE_TENANT_ID": made["id"],
            "AZURE_CLIENT_ID": made["clientId"],
            "AZURE_CLIENT_SECRET": made["clientSecret"],
            "AZURE_AUTHORITY_HOST": made["uri"],
            "ENTRA_GRAPH_URL": made["graph"],
            "ENTRA_MOCK_CONTROL_URL": made["control"],
        }
        return Tenant(self.environment | of_tenant)

    def permission(self, name, kind):
        """The entry of requiredResourceAccess for a permission of Graph."""
        of = self.api["appRoles" if kind == "Role" else "oauth2PermissionScopes"]
        return {"id": next(one["id"] for one in of if one["value"] == name), "type": kind}


class Product:
    """An application with its service principal, a secret, and one granted permission, and the settings of the product."""

    def __init__(self, tenant, granted=("User.Read.All",), **registration):
        self.tenant = tenant
        body = {"displayName": "Helpdesk", "signInAudience": "AzureADMyOrg", "web": {"redirectUris": [REDIRECT]}, **registration}
        self.app = tenant.call("POST", "/applications", body)
        self.principal = tenant.call("POST", "/servicePrincipals", {"appId": self.app["appId"]})
        for name in granted:
            self.assign(self.principal["id"], tenant.api["id"], tenant.permission(name, "Role")["id"])
        self.secret = self.password = self.file = None
        self.secret_for(None)
        self.tenant_id, self.client_id, self.redirect = tenant.id, self.app["appId"], REDIRECT
        self.needs, self.options, self.reader, self.wait = ["User.Read.All"], [], True, 0

    def call(self, method, path, body=None):
        return self.tenant.call(method, f"/applications/{self.app['id']}{path}", body)

    def assign(self, principal, resource, role):
        body = {"principalId": principal, "resourceId": resource, "appRoleId": role}
        self.tenant.call("POST", f"/servicePrincipals/{resource}/appRoleAssignedTo", body)

    def secret_for(self, lifetime):
        """Adds a secret that is valid for this time, and uses it."""
        credential = {"displayName": "deploy"}
        if lifetime:
            credential["endDateTime"] = (datetime.datetime.now(datetime.timezone.utc) + lifetime).isoformat().replace("+00:00", "Z")
        self.password = self.call("POST", "/addPassword", {"passwordCredential": credential})
        self.secret = self.password["secretText"]

    def without_secrets(self):
        for one in self.call("GET", "")["passwordCredentials"]:
            self.call("POST", "/removePassword", {"keyId": one["keyId"]})
        self.secret = None

    def upload(self, certificate):
        der = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()
        key = {"type": "AsymmetricX509Cert", "usage": "Verify", "key": der, "displayName": "CN=helpdesk"}
        self.call("PATCH", "", {"keyCredentials": [key]})

    def federated(self, registered, presented, issuer=ISSUER):
        self.without_secrets()
        body = {"name": "deploy", "issuer": ISSUER, "subject": BRANCH + registered, "audiences": ["api://AzureADTokenExchange"]}
        self.call("POST", "/federatedIdentityCredentials", body)
        claims = {"iss": issuer, "sub": BRANCH + presented, "aud": "api://AzureADTokenExchange", "iat": NOW, "nbf": NOW, "exp": NOW + datetime.timedelta(hours=1)}
        self.file = ("AZURE_FEDERATED_TOKEN_FILE", write("token.jwt", jwt.encode(claims, KEY, algorithm="RS256")))

    def certificate_of(self, key, certificate):
        self.without_secrets()
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        self.file = ("AZURE_CLIENT_CERTIFICATE_PATH", write("client.pem", (certificate.public_bytes(serialization.Encoding.PEM) + private).decode()))

    def test(self):
        """Starts the example."""
        environment = {name: value for name, value in self.tenant.environment.items() if not name.startswith("AZURE_CLIENT_")}
        environment |= {"AZURE_TENANT_ID": self.tenant_id, "AZURE_CLIENT_ID": self.client_id}
        if self.secret:
            environment["AZURE_CLIENT_SECRET"] = self.secret
        if self.file:
            environment[self.file[0]] = self.file[1]
        if self.reader:
            environment["CONNECTION_READER_CLIENT_ID"] = self.tenant.environment["AZURE_CLIENT_ID"]
            environment["CONNECTION_READER_CLIENT_SECRET"] = self.tenant.environment["AZURE_CLIENT_SECRET"]
        command = [PROGRAM, "--tenant", "env", "--json", "--replication-wait", str(self.wait), "--redirect-uri", self.redirect, *self.options]
        for need in self.needs:
            command += ["--needs", need]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True)


def write(name, text):
    path = pathlib.Path(scratch.name) / name
    path.write_text(text)
    return str(path)


def certificate(begin, end):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "helpdesk")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
    return key, builder.sign(key, hashes.SHA256())


def day(number):
    return NOW + datetime.timedelta(days=number)


KEY, VALID = certificate(day(-1), day(90))
OTHER_KEY, OTHER = certificate(day(-1), day(90))
OLD_KEY, OLD = certificate(day(-30), day(-3))


def needs(product, kind, name, delegated=False):
    """The registration lists a permission that is not granted."""
    access = [{"resourceAppId": GRAPH_APP, "resourceAccess": [product.tenant.permission(name, kind)]}]
    product.call("PATCH", "", {"requiredResourceAccess": access})
    if delegated:
        product.options += ["--needs-delegated", name]
    else:
        product.needs.append(name)


def tasks(product, version):
    """An API with an app role that the product has."""
    role = {"id": "6d9f2c1e-1d71-4883-8f98-567911bfdca6", "value": "Tasks.Read.All", "displayName": "Read tasks", "description": "Reads tasks", "allowedMemberTypes": ["Application"], "isEnabled": True}
    api = Product(product.tenant, granted=[], displayName="Tasks", appRoles=[role])
    product.assign(product.principal["id"], api.principal["id"], role["id"])
    product.options += ["--api", api.app["appId"], "--api-token-version", version]


def assigned(product, who):
    product.tenant.call("PATCH", f"/servicePrincipals/{product.principal['id']}", {"appRoleAssignmentRequired": True})
    product.options += ["--user", "adele@contoso.com"]
    if who:
        product.assign(who, product.principal["id"], "00000000-0000-0000-0000-000000000000")


def user(tenant, name, **properties):
    body = {
        "displayName": name,
        "mailNickname": name.lower(),
        "accountEnabled": True,
        "userPrincipalName": f"{name.lower()}@contoso.com",
        "passwordProfile": {"password": "Correct-horse-5-battery"},
        **properties,
    }
    return tenant.call("POST", "/users", body)["id"]


def group(tenant, number, member):
    body = {
        "displayName": f"Team {number}",
        "mailNickname": f"team-{number}",
        "mailEnabled": False,
        "securityEnabled": True,
        "members@odata.bind": [f"{tenant.graph}/directoryObjects/{member}"],
    }
    return tenant.call("POST", "/groups", body)["id"]


def expired(product):
    product.secret_for(datetime.timedelta(seconds=2))
    # The tenant uses the real time.
    time.sleep(3)


def b15(product):
    """Only an assertion depends on the clock of the machine, so the product has a certificate."""
    product.upload(VALID)
    product.certificate_of(KEY, VALID)
    tenant_time = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=20)
    product.tenant.control("PUT", "/clock", {"now": tenant_time.isoformat().replace("+00:00", "Z")})


def blocked(product):
    policy = {"control": "block", "workloadIdentities": [product.app["appId"]]}
    product.tenant.control("POST", "/access-policies", policy)


def trusted(product, issuer, subject):
    """A federated credential is the only one, and the tenant knows the keys of its issuer."""
    product.without_secrets()
    body = {"name": "deploy", "issuer": issuer, "subject": subject, "audiences": ["api://AzureADTokenExchange"]}
    product.call("POST", "/federatedIdentityCredentials", body)
    token = product.tenant.control("POST", "/federated-tokens", {"issuer": issuer, "subject": subject})["token"]
    product.file = ("AZURE_FEDERATED_TOKEN_FILE", write("trusted.jwt", token))


def lagging(product, code, requests_for_tokens):
    """Some replicas do not know the product yet. The first request for a token after this one is the reader's."""
    for nth in requests_for_tokens:
        fault = {"effect": "signInError", "code": code, "path": "/oauth2/v2.0/token", "nth": nth + 1}
        product.tenant.control("POST", "/faults", fault)
    product.wait = 120


def h11(product):
    """A vendor of another tenant has the application and its credential."""
    vendor = product.tenant.another(name="Fabrikam", domain="fabrikam.com")
    principal = {"replyUrls": [REDIRECT], "appOwnerOrganizationId": vendor.id}
    product.tenant.control("DELETE", f"/objects/applications/{product.app['id']}")
    product.tenant.control("PATCH", f"/objects/servicePrincipals/{product.principal['id']}", principal)
    product.secret = None


def h7(product):
    expired(product)
    product.secret_for(None)


def h18(product):
    tenant = product.tenant
    tenant.call("POST", "/domains", {"id": "federated.example"})
    tenant.call("POST", "/domains/federated.example/verify")
    der = base64.b64encode(VALID.public_bytes(serialization.Encoding.DER)).decode()
    body = {
        "@odata.type": "#microsoft.graph.internalDomainFederation",
        "displayName": "Contoso",
        "issuerUri": "http://federated.example/adfs/services/trust",
        "passiveSignInUri": "https://sts.federated.example/adfs/ls",
        "activeSignInUri": "https://sts.federated.example/adfs/services/trust/2005/usernamemixed",
        "signOutUri": "https://sts.federated.example/adfs/ls",
        "preferredAuthenticationProtocol": "wsFed",
        "federatedIdpMfaBehavior": "rejectMfaByFederatedIdp",
        "signingCertificate": der,
    }
    user(tenant, "Fred", userPrincipalName="fred@federated.example", onPremisesImmutableId="ZnJlZA==")
    tenant.call("POST", "/domains/federated.example/federationConfiguration", body)
    product.options += ["--user", "fred@federated.example"]


def h21(product):
    name = "robin_fabrikam.com#EXT#@contoso.com"
    product.options += ["--user", user(product.tenant, "Robin", userPrincipalName=name, userType="Guest")]


def h25(product):
    product.call("PATCH", "", {"groupMembershipClaims": "SecurityGroup"})
    member = user(product.tenant, "Tilda")
    for number in range(201):
        group(product.tenant, number, member)
    product.options += ["--user", "tilda@contoso.com", "--reads-groups"]


def h26(product):
    claim = {"name": "groups", "source": None, "essential": False, "additionalProperties": ["cloud_displayname"]}
    claims = {"idToken": [claim], "accessToken": [], "saml2Token": []}
    product.call("PATCH", "", {"groupMembershipClaims": "ApplicationGroup", "optionalClaims": claims})
    product.options.append("--reads-groups")


def h27(product):
    body = {"publicClient": {"redirectUris": ["http://localhost"]}, "spa": {"redirectUris": ["https://helpdesk.example/spa"]}}
    product.call("PATCH", "", body)
    product.redirect = "http://localhost:53124"
    product.options += ["--platform", "public"]


def h28(product):
    body = {"displayName": "CN=helpdesk", "endDateTime": day(300).isoformat().replace("+00:00", "Z")}
    product.tenant.call("POST", f"/servicePrincipals/{product.principal['id']}/addTokenSigningCertificate", body)


def adele(product):
    return product.tenant.call("GET", "/users/adele@contoso.com")["id"]


def platform(product, name):
    product.call("PATCH", "", {"web": {"redirectUris": []}, name: {"redirectUris": [REDIRECT]}})


# What each case changes in the tenant and in the settings of the product.
STATES = {
    "B1": lambda p: vars(p).update(tenant_id="5d0f3c1e-1d71-4883-8f98-567911bfdca6"),
    "B2": lambda p: vars(p).update(tenant_id="YOUR_TENANT_ID"),
    "B3": lambda p: p.tenant.control("PATCH", "/settings", {"region": "USGov"}),
    "B4": lambda p: vars(p).update(client_id="535fb089-9ff3-47b6-9bfb-4f1264799865"),
    "B5": lambda p: vars(p).update(client_id=p.app["id"]),
    "B6": lambda p: vars(p).update(client_id="00000000-0000-0000-0000-000000000000"),
    "B7": lambda p: p.tenant.call("DELETE", f"/servicePrincipals/{p.principal['id']}"),
    "B8": lambda p: p.tenant.call("PATCH", f"/servicePrincipals/{p.principal['id']}", {"accountEnabled": False}),
    "B9": lambda p: vars(p).update(secret=p.password["keyId"]),
    "B10": lambda p: vars(p).update(secret=p.secret + "\n"),
    "B11": lambda p: (p.without_secrets(), expired(p)),
    "B12": lambda p: vars(p).update(secret=Product(p.tenant, granted=[], displayName="Other").secret),
    "B13": lambda p: (p.upload(VALID), p.certificate_of(OTHER_KEY, OTHER)),
    "B14": lambda p: p.certificate_of(OLD_KEY, OLD),
    "B15": b15,
    "B16": lambda p: p.federated("main", "develop"),
    "B17": lambda p: p.federated("main", "Main"),
    "B18": lambda p: p.federated("main", "main", issuer="https://gitlab.example"),
    "B19": lambda p: vars(p).update(redirect="https://helpdesk.example/auth/Callback"),
    "B20": lambda p: platform(p, "spa"),
    "B21": lambda p: (vars(p).update(secret=None, needs=[]), p.options.append("--without-secret")),
    "B22": lambda p: platform(p, "publicClient"),
    "B23": lambda p: needs(p, "Role", "Group.Read.All"),
    "B24": lambda p: needs(p, "Scope", "Group.Read.All"),
    "B25": lambda p: needs(p, "Scope", "GroupMember.Read.All", delegated=True),
    "B26": lambda p: assigned(p, None),
    "B27": lambda p: vars(p).update(tenant_id="common"),
    "B28": lambda p: p.options.extend(["--api", "api://misspelt"]),
    "B29": blocked,
    "B30": lambda p: tasks(p, "2"),
    "H1": lambda p: p.needs.clear(),
    "H2": lambda p: None,
    "H3": lambda p: None,
    "H4": lambda p: trusted(p, ISSUER, BRANCH + "main"),
    "H5": lambda p: trusted(p, f"https://login.microsoftonline.com/{p.tenant.id}/v2.0", "9a1f4e57-1d71-4883-8f98-567911bfdca6"),
    "H6": lambda p: (p.upload(VALID), p.certificate_of(KEY, VALID)),
    "H7": h7,
    "H8": lambda p: (p.without_secrets(), p.secret_for(datetime.timedelta(days=5, hours=1))),
    "H9": lambda p: lagging(p, 7000215, [1, 2]),
    "H10": lambda p: lagging(p, 700016, [1, 3]),
    "H11": h11,
    "H12": lambda p: None,
    "H13": lambda p: (needs(p, "Role", "Group.Read.All"), p.needs.remove("Group.Read.All")),
    "H14": lambda p: None,
    "H15": lambda p: tasks(p, "1"),
    "H16": lambda p: None,
    "H17": lambda p: vars(p).update(tenant_id="contoso.com"),
    "H18": h18,
    "H19": lambda p: p.tenant.control("POST", "/access-policies", {"control": "requireSecondFactor"}),
    "H20": lambda p: (blocked(p), p.options.append("--elsewhere")),
    "H21": h21,
    "H22": lambda p: p.options.extend(["--consent-response", f"admin_consent=True&tenant={p.tenant.id}&state=5"]),
    "H23": lambda p: assigned(p, group(p.tenant, "helpdesk", adele(p))),
    "H24": lambda p: assigned(p, adele(p)),
    "H25": h25,
    "H26": h26,
    "H27": h27,
    "H28": h28,
    "H29": lambda p: p.needs.append("AuditLog.Read.All"),
    "H30": lambda p: vars(p).update(reader=False),
}
# The cases whose state belongs to the whole tenant, with what their own tenant needs.
OWN_TENANT = {"B3": {}, "B15": {}, "B29": {}, "H4": {}, "H5": {}, "H9": {}, "H10": {}, "H11": {}, "H19": {}, "H20": {}, "H29": {"license": "free"}}
# These wait for replication in real time, while the others run.
SLOW = ["H9", "H10"]
# What the product is granted, where it is not User.Read.All.
GRANTED = {"H1": [], "H14": ["Directory.Read.All"], "H29": ["User.Read.All", "AuditLog.Read.All"]}


def text_of(finding):
    return "\n".join(str(finding.get(part) or "") for part in ("what", "why", "fix", "call")).lower()


def judge(number, says, findings, code):
    """The same demands as those of the test in the workspace."""
    found = [one for one in findings if all(part in text_of(one) for part in says)]
    errors = [one for one in findings if one["severity"] == "error"]
    if number.startswith("H"):
        return found and not errors
    named = [one for one in found if one["severity"] == "error" and one.get("fix") and (one.get("why") or one.get("code"))]
    # One fault is one finding.
    return named and len(errors) == 1 and code == 1


cases = {}
for row in CASES.read_text().splitlines():
    if not row.startswith("#"):
        number, _, _, says = row.split("\t")
        cases[number] = [part.lower() for part in says.split(" & ")]
if list(cases) != list(STATES):
    sys.exit(f"each case has a state, in the order of the table: {sorted(set(cases) ^ STATES.keys())}")

main = Tenant(dict(os.environ))


def started(number):
    own = OWN_TENANT.get(number)
    product = Product(main if own is None else main.another(**own), granted=GRANTED.get(number, ["User.Read.All"]))
    STATES[number](product)
    return product.test()


def ended(number, test):
    out, errors = test.communicate(timeout=300)
    if not out.startswith("{"):
        sys.exit(f"connection_test fails on {number}: {out}{errors}")
    findings, code = json.loads(out)["findings"], test.returncode
    if not judge(number, cases[number], findings, code):
        said = "\n".join(f"{one['severity']}: {text_of(one)}" for one in findings)
        complaints.append(f"{number} wants {cases[number]}, exit code {code}:\n{said}")


slow = {number: started(number) for number in SLOW}
try:
    for number in STATES:
        if number not in slow:
            ended(number, started(number))
    for number, test in slow.items():
        ended(number, test)
finally:
    for test in slow.values():
        test.kill()
        test.wait()
    scratch.cleanup()

if complaints:
    sys.exit("\n\n".join(complaints))
broken = sum(number.startswith("B") for number in STATES)
print(f"connection_test names {broken} of 30 broken set-ups, and passes {len(STATES) - broken} of 30 healthy ones")
