"""MSAL for Python, as it comes from its registry, against the standalone fake tenant."""

import os
import sys

import msal
import requests

AUTHORITY = os.environ["AZURE_AUTHORITY_HOST"].rstrip("/") + "/" + os.environ["AZURE_TENANT_ID"]
CLIENT_ID = os.environ["AZURE_CLIENT_ID"]
GRAPH = os.environ["ENTRA_GRAPH_URL"]
SCOPES = ["https://graph.microsoft.com/.default"]


def application(secret, client_id=CLIENT_ID, authority=AUTHORITY):
    return msal.ConfidentialClientApplication(
        client_id, authority=authority, client_credential=secret, instance_discovery=False
    )


def check(condition, message):
    if not condition:
        sys.exit(f"msal for Python: {message}")


def rejected(response, code):
    check("access_token" not in response, f"a token where AADSTS{code} was expected")
    check(code in response.get("error_codes", []), f"expected AADSTS{code}, got {response}")


app = application(os.environ["AZURE_CLIENT_SECRET"])
response = app.acquire_token_for_client(scopes=SCOPES)
check("access_token" in response, f"no token: {response}")
again = app.acquire_token_for_client(scopes=SCOPES)
check(again["access_token"] == response["access_token"], "the second token did not come from its cache")

headers = {"Authorization": "Bearer " + response["access_token"]}
first = requests.get(GRAPH + "/users", params={"$top": "5", "$select": "id,displayName"}, headers=headers, timeout=30)
check(first.status_code == 200, f"users: {first.status_code} {first.text}")
first = first.json()
check(first["@odata.nextLink"].startswith(GRAPH), "the next link leaves the host")
second = requests.get(first["@odata.nextLink"], headers=headers, timeout=30)
check(second.status_code == 200, f"second page: {second.status_code} {second.text}")
second = second.json()
seen = [user["id"] for page in (first, second) for user in page["value"]]
check(len(seen) == 10 and len(set(seen)) == 10, f"two pages of five were expected, got {len(set(seen))} of {len(seen)}")
check(set(second["value"][0]) == {"id", "displayName"}, "the selection was lost on the second page")

rejected(application("not-the-secret").acquire_token_for_client(scopes=SCOPES), 7000215)
unknown = "00000000-0000-0000-0000-00000000abcd"
rejected(application("x", client_id=unknown).acquire_token_for_client(scopes=SCOPES), 700016)
rejected(app.acquire_token_for_client(scopes=["https://graph.microsoft.com/User.Read"]), 1002012)
anonymous = requests.get(GRAPH + "/users", timeout=30)
check(anonymous.status_code == 401, f"without a token: {anonymous.status_code}")
print("msal for Python: a token, two pages, four rejections")
