"""Clients with their defaults: run by `entra-mock hosts`, which gives them Microsoft's host names and no address.

python zero_options.py [AZ_PYTHON]
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile

import msal
import requests
from azure.identity import DefaultAzureCredential, EnvironmentCredential
from msgraph import GraphServiceClient

env = os.environ
for name in ("AZURE_AUTHORITY_HOST", "ENTRA_GRAPH_URL"):
    assert name not in env, f"{name} is set"
TENANT, CLIENT, SECRET = env["AZURE_TENANT_ID"], env["AZURE_CLIENT_ID"], env["AZURE_CLIENT_SECRET"]
GRAPH = "https://graph.microsoft.com/.default"

# MSAL checks the authority at Microsoft's own host, which is the tenant here.
app = msal.ConfidentialClientApplication(CLIENT, SECRET, authority=f"https://login.microsoftonline.com/{TENANT}")
token = app.acquire_token_for_client([GRAPH])
assert "access_token" in token, token
users = requests.get("https://graph.microsoft.com/v1.0/users?$select=id", timeout=30,
                     headers={"Authorization": f"Bearer {token['access_token']}"})
assert users.status_code == 200 and users.json()["value"], users.text


async def sdk(credential):
    found = await GraphServiceClient(credential).users.get()
    names = [user.user_principal_name for user in found.value]
    assert env["ENTRA_USER_UPN"] in names, names


for credential in (EnvironmentCredential(), DefaultAzureCredential()):
    asyncio.run(sdk(credential))
print("MSAL, azure-identity (environment and default) and msgraph-sdk for Python: no option")

if len(sys.argv) > 1:
    with tempfile.TemporaryDirectory() as configuration:
        own = {**env, "AZURE_CONFIG_DIR": configuration, "AZURE_CORE_COLLECT_TELEMETRY": "no", "AZURE_CORE_ONLY_SHOW_ERRORS": "yes"}

        def az(*words):
            done = subprocess.run([sys.argv[1], "-m", "azure.cli", *words], env=own, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)

        accounts = az("login", "--service-principal", "--username", CLIENT, "--password", SECRET, "--tenant", TENANT)
        assert [account["cloudName"] for account in accounts] == ["AzureCloud"], accounts
        names = [user["userPrincipalName"] for user in az("ad", "user", "list")]
        assert env["ENTRA_USER_UPN"] in names, names
    print("Azure CLI: no option")
