"""MSAL for Python and azure-identity: all grants for a user, at the standalone tenant."""

import logging
import os
import sys
import urllib.parse

import msal
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import AuthorizationCodeCredential, DeviceCodeCredential, OnBehalfOfCredential

from browser import Browser

# azure-identity logs each rejection, and here they are the point.
logging.disable(logging.WARNING)

HOST = os.environ["AZURE_AUTHORITY_HOST"].rstrip("/")
TENANT = os.environ["AZURE_TENANT_ID"]
AUTHORITY = f"{HOST}/{TENANT}"
CLIENT = os.environ["AZURE_CLIENT_ID"]
SECRET = os.environ["AZURE_CLIENT_SECRET"]
REDIRECT = os.environ["ENTRA_REDIRECT_URI"]
GRAPH = os.environ["ENTRA_GRAPH_URL"]
USER, PASSWORD = os.environ["ENTRA_USER_UPN"], os.environ["ENTRA_USER_PASSWORD"]
SCOPES = ["User.Read"]
OWN = [f"{CLIENT}/.default"]


class OwnPort(requests.Session):
    """msal drops the port of a host in the one address that it makes itself."""

    def request(self, method, url, **arguments):
        parts = urllib.parse.urlparse(url)
        if parts.path.startswith("/common/userrealm/"):
            url = urllib.parse.urlunparse(parts._replace(netloc=urllib.parse.urlparse(HOST).netloc))
        return super().request(method, url, **arguments)


def check(condition, message):
    if not condition:
        sys.exit(f"user grants in Python: {message}")


def granted(response):
    check("access_token" in response, f"no token: {response}")
    return response


def rejected(response, *codes):
    check("access_token" not in response, f"a token where one of {codes} was expected")
    check(any(code in response.get("error_codes", []) for code in codes), f"expected {codes}, got {response}")


def me(token):
    response = requests.get(f"{GRAPH}/me", headers={"Authorization": f"Bearer {token}"}, timeout=30)
    check(response.status_code == 200 and response.json()["userPrincipalName"] == USER, f"/me: {response.text}")


def confidential(secret=SECRET):
    return msal.ConfidentialClientApplication(
        CLIENT, authority=AUTHORITY, client_credential=secret, instance_discovery=False
    )


def public():
    return msal.PublicClientApplication(CLIENT, authority=AUTHORITY, instance_discovery=False, http_client=OwnPort())


def code_flow(app, browser, **options):
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=REDIRECT, **options)
    return flow, browser.sign_in(flow["auth_uri"])


browser = Browser(USER, PASSWORD)

# Authorization code with PKCE, silent tokens, a session that needs no page.
app = confidential()
flow, response = code_flow(app, browser)
tokens = granted(app.acquire_token_by_auth_code_flow(dict(flow), response))
check(tokens["id_token_claims"]["preferred_username"] == USER, "another user's ID token")
me(tokens["access_token"])
[account] = app.get_accounts()
silent = granted(app.acquire_token_silent(SCOPES, account))
check(silent["access_token"] == tokens["access_token"], "the silent token did not come from its cache")
fresh = granted(app.acquire_token_silent(SCOPES, account, force_refresh=True))
check(fresh["access_token"] != tokens["access_token"], "a forced refresh gave the old token")
own = granted(app.acquire_token_silent(OWN, account))
flow2, response2 = code_flow(app, browser, prompt="none", login_hint=USER)
granted(app.acquire_token_by_auth_code_flow(flow2, response2))
flow3, response3 = code_flow(app, browser, response_mode="form_post")
granted(app.acquire_token_by_auth_code_flow(flow3, response3))

rejected(app.acquire_token_by_auth_code_flow(dict(flow), response), 54005)
flow4, response4 = code_flow(app, browser)
rejected(app.acquire_token_by_auth_code_flow({**flow4, "code_verifier": "x" * 43}, response4), 501481)
rejected(app.acquire_token_by_auth_code_flow({**flow4, "redirect_uri": REDIRECT + "/x"}, response4), 500112)
rejected(confidential("wrong").acquire_token_by_auth_code_flow(dict(flow4), response4), 7000215)
me(granted(app.acquire_token_by_refresh_token(tokens["refresh_token"], SCOPES))["access_token"])
rejected(app.acquire_token_by_refresh_token("garbage", SCOPES), 70000)
rejected(app.acquire_token_by_refresh_token(tokens["refresh_token"], ["Mail.Read"]), 65001)
rejected(confidential("wrong").acquire_token_by_refresh_token(tokens["refresh_token"], SCOPES), 7000215)
signed_out = Browser(USER, PASSWORD)
_, response5 = code_flow(app, signed_out, prompt="none")
check(response5["error"] == "login_required", f"silent without a session: {response5}")

# On behalf of.
downstream = granted(confidential().acquire_token_on_behalf_of(own["access_token"], SCOPES))
me(downstream["access_token"])
rejected(confidential().acquire_token_on_behalf_of(tokens["access_token"], SCOPES), 50013)
rejected(confidential().acquire_token_on_behalf_of(own["access_token"], ["Mail.Read"]), 65001)

# Device code: pending, approved, declined.
app = public()
flow = app.initiate_device_flow(SCOPES)
check("user_code" in flow, f"no device code: {flow}")
rejected(app.acquire_token_by_device_flow(flow, exit_condition=lambda _: True), 70016)
browser.device(flow["verification_uri"], flow["user_code"])
me(granted(app.acquire_token_by_device_flow(flow))["access_token"])
flow = app.initiate_device_flow(SCOPES)
browser.device(flow["verification_uri"], flow["user_code"], step="decline")
declined = app.acquire_token_by_device_flow(flow)
check(declined.get("error") == "authorization_declined", f"declined: {declined}")

# User name and password.
me(granted(public().acquire_token_by_username_password(USER, PASSWORD, SCOPES))["access_token"])
rejected(public().acquire_token_by_username_password(USER, "wrong", SCOPES), 50126)
rejected(public().acquire_token_by_username_password("signed_out@contoso.com", "x", SCOPES), 50034)

# azure-identity.
HERE = {"authority": HOST, "disable_instance_discovery": True}
GRAPH_SCOPE = "https://graph.microsoft.com/.default"


def authorize():
    app = confidential()
    url = app.get_authorization_request_url([GRAPH_SCOPE], redirect_uri=REDIRECT)
    return browser.sign_in(url)["code"]


def azure_refused(credential, code, scope=GRAPH_SCOPE):
    try:
        credential.get_token(scope)
    except ClientAuthenticationError as error:
        check(str(code) in str(error), f"expected AADSTS{code}, got {error}")
        return
    check(False, f"a token where AADSTS{code} was expected")


code = authorize()
credential = AuthorizationCodeCredential(TENANT, CLIENT, code, REDIRECT, client_secret=SECRET, **HERE)
me(credential.get_token(GRAPH_SCOPE).token)
again = AuthorizationCodeCredential(TENANT, CLIENT, code, REDIRECT, client_secret=SECRET, **HERE)
azure_refused(again, 54005)
credential = DeviceCodeCredential(
    client_id=CLIENT, tenant_id=TENANT, prompt_callback=lambda url, code, _: browser.device(url, code), **HERE
)
me(credential.get_token(GRAPH_SCOPE).token)
credential.get_token(OWN[0])
behalf = {"client_secret": SECRET, **HERE}
me(OnBehalfOfCredential(TENANT, CLIENT, user_assertion=own["access_token"], **behalf).get_token(GRAPH_SCOPE).token)
azure_refused(OnBehalfOfCredential(TENANT, CLIENT, user_assertion=tokens["access_token"], **behalf), 50013)
print("msal and azure-identity for Python: code, silent, on behalf of, device, password, and their rejections")
