"""The Azure CLI against the fake tenant: the recipe of the README, then reads and writes of the directory.

All commands run in this process, as `az` does for each: a process for every command takes a second each.
"""

import contextlib
import io
import json
import os
import tempfile
from urllib.parse import urlsplit

CONFIGURATION = tempfile.TemporaryDirectory()
os.environ["AZURE_CONFIG_DIR"] = CONFIGURATION.name
os.environ["AZURE_CORE_COLLECT_TELEMETRY"] = "no"
os.environ["AZURE_CORE_INSTANCE_DISCOVERY"] = "false"  # of the recipe: `az config set core.instance_discovery=false`
os.environ["AZURE_CORE_ONLY_SHOW_ERRORS"] = "yes"

from azure.cli.core import get_default_cli  # noqa: E402  (reads the variables above)

env = os.environ
ORIGIN = env["AZURE_AUTHORITY_HOST"]
TENANT, CLIENT, SECRET = env["AZURE_TENANT_ID"], env["AZURE_CLIENT_ID"], env["AZURE_CLIENT_SECRET"]
commands = 0


def run(*words):
    """Runs a command. Returns its exit code, its result and what it wrote to the standard error."""
    global commands
    commands += 1
    cli = get_default_cli()
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        try:
            code = cli.invoke([*words, "--output", "json"], out_file=io.StringIO())
        except SystemExit as end:
            code = end.code
    return code, cli.result.result if cli.result else None, f"{errors.getvalue()}{cli.result.error if cli.result else ''}"


def az(*words):
    """Runs a command that must succeed, and returns its result."""
    code, result, errors = run(*words)
    assert code == 0, f"az {' '.join(words)}: {code}\n{errors}"
    return result


def fails(expected, *words):
    """Runs a command that must fail with this text."""
    code, _, errors = run(*words)
    assert code != 0 and expected in errors, f"az {' '.join(words)}: {code}\n{errors}"


def missing(*words):
    """Runs a command that must not find its object, for which `az` has an exit code of its own."""
    code, _, _ = run(*words)
    assert code == 3, f"az {' '.join(words)}: {code}"


def names(objects):
    return {one["displayName"] for one in objects}


def login():
    az("cloud", "register", "--name", "FakeEntra", "--endpoint-resource-manager", ORIGIN)
    az("cloud", "set", "--name", "FakeEntra")
    fails("AADSTS7000215", "login", "--service-principal", "--username", CLIENT, "--password", "wrong", "--tenant", TENANT)
    accounts = az("login", "--service-principal", "--username", CLIENT, "--password", SECRET, "--tenant", TENANT)
    assert [account["tenantId"] for account in accounts] == [TENANT], accounts
    assert az("account", "show")["user"]["name"] == CLIENT
    assert [account["state"] for account in az("account", "list", "--refresh")] == ["Enabled"]
    assert az("account", "get-access-token")["tenant"] == TENANT
    assert az("account", "get-access-token", "--resource-type", "ms-graph")["accessToken"].count(".") == 2


def users(domain):
    admin = f"admin@{domain}"
    assert admin in {user["userPrincipalName"] for user in az("ad", "user", "list")}
    found = az("ad", "user", "list", "--filter", f"userPrincipalName eq '{admin}'")
    assert len(found) == 1, found
    upn = f"azure.cli@{domain}"
    made = az("ad", "user", "create", "--display-name", "Azure CLI", "--password", "Correct-Horse-1", "--user-principal-name", upn)
    az("ad", "user", "update", "--id", upn, "--display-name", "Azure CLI 2", "--account-enabled", "false")
    assert az("ad", "user", "show", "--id", made["id"])["displayName"] == "Azure CLI 2"
    fails("already exists", "ad", "user", "create", "--display-name", "Twin", "--password", "Correct-Horse-1", "--user-principal-name", upn)
    return made["id"]


def groups(user):
    group = az("ad", "group", "create", "--display-name", "Made by az", "--mail-nickname", "made-by-az")["id"]
    az("ad", "group", "member", "add", "--group", group, "--member-id", user)
    az("ad", "group", "owner", "add", "--group", group, "--owner-object-id", user)
    assert az("ad", "group", "member", "check", "--group", "Made by az", "--member-id", user) == {"value": True}
    assert [one["id"] for one in az("ad", "group", "member", "list", "--group", group)] == [user]
    assert [one["id"] for one in az("ad", "group", "owner", "list", "--group", group)] == [user]
    assert group in {one if isinstance(one, str) else one["id"] for one in az("ad", "user", "get-member-groups", "--id", user)}
    az("ad", "group", "member", "remove", "--group", group, "--member-id", user)
    assert az("ad", "group", "member", "list", "--group", group) == []
    assert names(az("ad", "group", "list", "--display-name", "Made by az")) == {"Made by az"}
    az("ad", "group", "delete", "--group", group)
    missing("ad", "group", "show", "--group", group)


GRAPH = "00000003-0000-0000-c000-000000000000"
USER_READ, USER_READ_ALL = "e1fe6dd8-ba31-4d61-89e7-88639da4683d", "df021288-bdef-4463-88db-98f22de89214"


def applications(user):
    app = az("ad", "app", "create", "--display-name", "App of az", "--web-redirect-uris", "https://app.example/callback",
             "--enable-id-token-issuance", "true")
    client, registration = app["appId"], app["id"]
    assert app["web"]["redirectUris"] == ["https://app.example/callback"], app
    az("ad", "app", "update", "--id", client, "--identifier-uris", f"api://{client}")
    assert az("ad", "app", "show", "--id", f"api://{client}")["id"] == registration
    assert names(az("ad", "app", "list", "--display-name", "App of az")) == {"App of az"}
    az("ad", "app", "owner", "add", "--id", client, "--owner-object-id", user)
    assert [one["id"] for one in az("ad", "app", "owner", "list", "--id", client)] == [user]

    secret = az("ad", "app", "credential", "reset", "--id", client, "--years", "1")["password"]
    second = az("ad", "app", "credential", "reset", "--id", client, "--append", "--display-name", "second")["password"]
    assert secret != second
    kept = az("ad", "app", "credential", "list", "--id", client)
    assert len(kept) == 2 and all(one.get("secretText") is None for one in kept), kept
    second_id = next(one["keyId"] for one in kept if one["displayName"] == "second")
    az("ad", "app", "credential", "delete", "--id", client, "--key-id", second_id)
    assert len(az("ad", "app", "credential", "list", "--id", client)) == 1
    for _ in range(2):  # the second certificate is added to the first one, whose key is not sent back
        az("ad", "app", "credential", "reset", "--id", client, "--cert", f"@{certificate()}", "--append")
    assert len(az("ad", "app", "credential", "list", "--id", client, "--cert")) == 2

    trust = {"name": "pipeline", "issuer": "https://token.actions.githubusercontent.com",
             "subject": "repo:contoso/shop:ref:refs/heads/main", "audiences": ["api://AzureADTokenExchange"]}
    az("ad", "app", "federated-credential", "create", "--id", client, "--parameters", json.dumps(trust))
    listed = az("ad", "app", "federated-credential", "list", "--id", client)
    assert [one["subject"] for one in listed] == [trust["subject"]], listed
    az("ad", "app", "federated-credential", "delete", "--id", client, "--federated-credential-id", "pipeline")

    az("ad", "app", "permission", "add", "--id", client, "--api", GRAPH, "--api-permissions", f"{USER_READ}=Scope", f"{USER_READ_ALL}=Role")
    wanted = az("ad", "app", "permission", "list", "--id", client)
    assert len(wanted[0]["resourceAccess"]) == 2, wanted
    service = az("ad", "sp", "create", "--id", client)
    az("ad", "app", "permission", "grant", "--id", client, "--api", GRAPH, "--scope", "User.Read")
    assert [one["scope"] for one in az("ad", "app", "permission", "list-grants", "--id", client)] == ["User.Read"]
    az("ad", "app", "permission", "delete", "--id", client, "--api", GRAPH, "--api-permissions", USER_READ_ALL)
    return client, registration, service["id"], secret


def certificate():
    """A certificate as `--cert @FILE` takes it: PEM without its key."""
    path = os.path.join(CONFIGURATION.name, f"certificate-{len(os.listdir(CONFIGURATION.name))}.pem")
    from datetime import datetime, timedelta, timezone

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "az")])
    now = datetime.now(timezone.utc)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=90)).sign(key, hashes.SHA256()))
    with open(path, "wb") as file:
        file.write(made.public_bytes(serialization.Encoding.PEM))
    return path


def service_principals(client, service):
    assert az("ad", "sp", "show", "--id", client)["id"] == service
    az("ad", "sp", "update", "--id", client, "--set", "appRoleAssignmentRequired=true")
    assert az("ad", "sp", "show", "--id", service)["appRoleAssignmentRequired"] is True
    assert service in {one["id"] for one in az("ad", "sp", "list", "--display-name", "App of az")}
    az("ad", "sp", "credential", "reset", "--id", client)
    assert len(az("ad", "sp", "credential", "list", "--id", client)) == 1
    made = az("ad", "sp", "create-for-rbac", "--name", "Pipeline of az")
    assert made["tenant"] == TENANT, made
    graph = az("rest", "--url", f"{ORIGIN}/v1.0/servicePrincipals(appId='{GRAPH}')?$select=id,displayName",
               "--resource", f"{ORIGIN}/")
    assert graph["displayName"] == "Microsoft Graph", graph
    return made["appId"], made["password"]


def login_again(client, secret):
    """An application that az has made signs in, and has no permission."""
    az("login", "--service-principal", "--username", client, "--password", secret, "--tenant", TENANT)
    fails("Insufficient privileges", "ad", "user", "list")
    az("logout", "--username", client)
    az("login", "--service-principal", "--username", CLIENT, "--certificate", env["AZURE_CLIENT_CERTIFICATE_PATH"], "--tenant", TENANT)


def main():
    login()
    domain = env["ENTRA_USER_UPN"].split("@")[1]
    user = users(domain)
    groups(user)
    client, registration, service, _ = applications(user)
    pipeline, password = service_principals(client, service)
    login_again(pipeline, password)
    az("ad", "sp", "delete", "--id", service)
    for app in (registration, pipeline):
        az("ad", "app", "delete", "--id", app)
    az("ad", "user", "delete", "--id", user)
    missing("ad", "user", "show", "--id", user)
    from azure.cli.core import __version__

    print(f"azure-cli {__version__}: {commands} commands at {urlsplit(ORIGIN).netloc}")


if __name__ == "__main__":
    main()
