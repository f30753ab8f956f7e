"""One test of a program that signs in with MSAL and reads the directory."""

import msal
import requests


def names_of_users(tenant):
    """The program under test: it would take these four values from its configuration."""
    app = msal.ConfidentialClientApplication(
        tenant.clientId,
        client_credential=tenant.clientSecret,
        authority=f"{tenant.uri}/{tenant.id}",
        instance_discovery=False,
    )
    token = app.acquire_token_for_client(["https://graph.microsoft.com/.default"])
    response = requests.get(
        f"{tenant.graph}/users?$select=displayName", headers={"Authorization": "Bearer " + token["access_token"]}
    )
    response.raise_for_status()
    return {user["displayName"] for user in response.json()["value"]}


def test_a_new_user_is_listed_after_one_token_request(tenant):
    tenant.control("POST", "/users", displayName="Ada Example")
    assert "Ada Example" in names_of_users(tenant)
    tenant.control("POST", "/journal/expect", within="/oauth2/", count=1)


def test_every_test_has_a_tenant_of_its_own(tenant):
    assert "Ada Example" not in names_of_users(tenant)
