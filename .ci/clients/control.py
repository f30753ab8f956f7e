"""The OpenAPI document of the control API, judged by a validator of others, and responses beside their schemas."""

import json
import os
import re
import ssl
import urllib.error
import urllib.request

import jsonschema
import openapi_spec_validator
from jsonschema import validators

URL, TOKEN = os.environ["ENTRA_MOCK_CONTROL_URL"], os.environ["ENTRA_MOCK_CONTROL_TOKEN"]


def send(method, path, body=None, token=TOKEN):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(URL + path, method=method, data=data, headers=headers)
    context = ssl.create_default_context(cafile=os.environ.get("NODE_EXTRA_CA_CERTS"))
    try:
        with urllib.request.urlopen(request, context=context) as response:
            status, text = response.status, response.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    return status, json.loads(text) if text else None


status, document = send("GET", "/openapi.json")
assert status == 200
openapi_spec_validator.validate(document)
operations = [(method.upper(), path, operation) for path, methods in document["paths"].items() for method, operation in methods.items()]
assert len(operations) > 50, len(operations)

formats = jsonschema.FormatChecker()
validator = validators.validator_for({"$schema": "http://json-schema.org/draft-04/schema#"})


def fits(value, response):
    """Whether a body has the schema of a response."""
    schema = dict(response["content"]["application/json"]["schema"], components=document["components"])
    errors = list(validator(schema, format_checker=formats).iter_errors(value))
    assert not errors, errors[0]


# The tenant of this server is used by others too: everything happens in one of its own.
status, tenant = send("POST", "/tenants", {"seed": "contoso"})
assert status == 201, tenant
server, URL = URL, tenant["control"]
made = {
    "user": "adele@contoso.com", "group": "Engineers", "application": "Shop", "collection": "users",
    "relationship": "manager", "id": tenant["id"],
}
steps = [
    ("POST", "/applications", {"displayName": "Shop", "secret": True, "redirectUris": ["https://shop.example/callback"]}),
    ("POST", "/applications/Shop/application-permissions", {"permission": "User.Read.All"}),
    ("POST", "/applications/Shop/certificates", {"certificate": send("GET", "/test-certificate")[1]["pem"]}),
    ("POST", "/users", {"displayName": "Ada Example"}),
    ("POST", "/agent-identities", {"blueprint": "Shop", "displayName": "Agent"}),
    ("POST", "/agent-users", {"agentIdentity": "Agent", "displayName": "Agent User"}),
    ("PUT", "/users/ada.example@contoso.com/password", {"password": "Another-1-password"}),
    ("POST", "/app-role-assignments", {"principal": "adele@contoso.com", "resource": "Shop"}),
    ("POST", "/tokens", {"application": "Shop", "user": "adele@contoso.com", "scopes": ["openid", "User.Read"]}),
    ("POST", "/federated-tokens", {"issuer": "https://issuer.example", "subject": "job"}),
    ("POST", "/managed-identities", {"applications": ["Shop"]}),
    ("POST", "/sign-ins", {"user": "adele@contoso.com", "application": "Shop", "errorCode": 50126}),
    ("POST", "/access-policies", {"control": "requireSecondFactor", "groups": ["Engineers"]}),
    ("POST", "/faults", {"effect": "status", "status": 503, "path": "/nowhere"}),
    ("PUT", "/snapshots/one", None),
    ("POST", "/clock/freeze", {"at": "2027-01-01T00:00:00Z"}),
    ("POST", "/clock/advance", {"by": "1h30m"}),
    ("PATCH", "/settings", {"deltaOddities": ["repeatedItems"], "license": "p1"}),
    ("POST", "/signing-keys/roll", None),
    ("POST", "/journal/expect", {"count": 0}),
]
for method, path, body in steps:
    status, answer = send(method, path, body)
    pattern = [(m, p, o) for m, p, o in operations if m == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", p), path)]
    responses = min(pattern, key=lambda operation: operation[1].count("{"))[2]["responses"]
    assert str(status) in responses, (method, path, status, answer)
    if "content" in responses[str(status)]:
        fits(answer, responses[str(status)])

# Every read, and every error of an operation without its parameters.
reads = errors = 0
for method, path, operation in operations:
    filled = re.sub(r"\{(\w+)\}", lambda match: made.get(match[1], "one"), path)
    if method == "GET":
        status, answer = send(method, filled if path != "/objects/{collection}/{id}" else "/objects/users/" + made["id"])
        assert status in (200, 404), (path, status, answer)
        if status == 200:
            fits(answer, operation["responses"]["200"])
            reads += 1
    status, answer = send(method, re.sub(r"\{\w+\}", "unknown", path), {"surely": "unknown"} if method != "GET" else None)
    if status >= 400:
        fits(answer, operation["responses"]["default"])
        errors += 1
status, answer = send("GET", "/clock", token="wrong")
assert status == 401 and answer["error"]["code"] == "invalidToken", answer
URL = server
status, answer = send("DELETE", f"/tenants/{tenant['id']}")
assert status in (204, 404), answer
# A document whose reads are all missing would pass otherwise.
assert reads >= 20, reads
print(f"control API: {len(operations)} operations in a valid document, {reads} reads and {errors} errors as it says")
