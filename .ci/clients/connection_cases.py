"""Makes broken and healthy set-ups in a standalone tenant through Microsoft Graph, and runs the example `connection_test` on each.

The example gets the settings of the product by its environment, and never learns which case it is.
Usage: connection_cases.py DIRECTORY_OF_PROGRAMS
"""

import os
import pathlib
import subprocess
import sys

import requests

PROGRAM = pathlib.Path(sys.argv[1]).resolve() / "connection_test"
HOST, TENANT, GRAPH = os.environ["AZURE_AUTHORITY_HOST"], os.environ["AZURE_TENANT_ID"], os.environ["ENTRA_GRAPH_URL"]
GRAPH_APP = "00000003-0000-0000-c000-000000000000"
REDIRECT = "https://helpdesk.example/auth/callback"
complaints = []


def token():
    form = {
        "grant_type": "client_credentials",
        "client_id": os.environ["AZURE_CLIENT_ID"],
        "client_secret": os.environ["AZURE_CLIENT_SECRET"],
        "scope": "https://graph.microsoft.com/.default",
    }
    return requests.post(f"{HOST}/{TENANT}/oauth2/v2.0/token", data=form, timeout=30).json()["access_token"]


session = requests.Session()
session.headers["Authorization"] = "Bearer " + token()


def call(method, path, body=None):
    response = session.request(method, f"{GRAPH}{path}", json=body, timeout=30)
    if not response.ok:
        sys.exit(f"{method} {path}: {response.status_code} {response.text}")
    return response.json() if response.content else None


class Product:
    """An application with its service principal, a secret, and one granted permission."""

    def __init__(self, granted=("User.Read.All",), **registration):
        body = {"displayName": "Helpdesk", "signInAudience": "AzureADMyOrg", "web": {"redirectUris": [REDIRECT]}, **registration}
        self.app = call("POST", "/applications", body)
        self.principal = call("POST", "/servicePrincipals", {"appId": self.app["appId"]})
        self.password = call("POST", f"/applications/{self.app['id']}/addPassword", {"passwordCredential": {"displayName": "deploy"}})
        graph = call("GET", f"/servicePrincipals(appId='{GRAPH_APP}')")
        for name in granted:
            role = next(role["id"] for role in graph["appRoles"] if role["value"] == name)
            assignment = {"principalId": self.principal["id"], "resourceId": graph["id"], "appRoleId": role}
            call("POST", f"/servicePrincipals/{graph['id']}/appRoleAssignedTo", assignment)
        self.settings = {"tenant": TENANT, "client": self.app["appId"], "secret": self.password["secretText"], "redirect": REDIRECT, "needs": ["User.Read.All"]}


def run(name, product, code, says):
    settings = product.settings
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AZURE_CLIENT_")}
    environment |= {"AZURE_TENANT_ID": settings["tenant"], "AZURE_CLIENT_ID": settings["client"]}
    if settings["secret"]:
        environment["AZURE_CLIENT_SECRET"] = settings["secret"]
    command = [PROGRAM, "--tenant", "env", "--replication-wait", "0", "--redirect-uri", settings["redirect"]]
    for need in settings["needs"]:
        command += ["--needs", need]
    ended = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    if ended.returncode != code or says not in ended.stdout:
        complaints.append(f"{name}: exit code {ended.returncode}, wanted {code} and {says!r}:\n{ended.stdout}{ended.stderr}")


def with_settings(**changes):
    product = Product()
    product.settings |= changes
    return product


run("healthy", Product(), 0, "✔ User.Read.All is granted")
run("tenant of no cloud", with_settings(tenant="5d0f3c1e-1d71-4883-8f98-567911bfdca6"), 1, "no such tenant here")
run("placeholder", with_settings(tenant="YOUR_TENANT_ID"), 1, "configuration not filled in")
run("client id of zeros", with_settings(client="00000000-0000-0000-0000-000000000000"), 1, "configuration not filled in")
run("line feed", with_settings(secret="not-the-secret-of-it\n"), 1, "line feed")
run("redirect URI in other letters", with_settings(redirect=REDIRECT.upper().replace("HTTPS", "https")), 1, "is not registered")
run("permission that is not granted", with_settings(needs=["Device.Read.All"]), 1, "Device.Read.All is not granted")
run("wider permission", Product(granted=["Directory.Read.All"]), 0, "User.Read.All is covered by Directory.Read.All")
run("single-tenant application at common", with_settings(tenant="common"), 1, "single-tenant app at /common")
product = Product()
product.settings["secret"] = product.password["keyId"]
run("secret ID", product, 1, '"Secret ID" pasted in place of "Value"')
product = Product()
call("PATCH", f"/servicePrincipals/{product.principal['id']}", {"accountEnabled": False})
run("disabled", product, 1, "is disabled by an administrator")
product = Product()
call("DELETE", f"/servicePrincipals/{product.principal['id']}")
run("no service principal", product, 1, "no enterprise application")
product = Product()
product.settings["secret"] = ""
run("no secret", product, 2, "the test was given none")

if complaints:
    sys.exit("\n\n".join(complaints))
print("connection_test names 10 broken set-ups, and passes 2 healthy ones")
