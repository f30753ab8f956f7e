"""Recomputes the numbers of `saas_usage --json` from raw Graph responses and compares them.

Uses nothing of this workspace: plain HTTP, the environment of a standalone tenant, and the
definitions of the report. Usage: usage_from_raw_responses.py DAYS COMMAND...
"""

import json
import os
import ssl
import subprocess
import sys
import urllib.parse
import urllib.request
from datetime import datetime, timedelta, timezone

GRAPH = os.environ["ENTRA_GRAPH_URL"]
CONTEXT = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])


def call(url, data=None, token=None):
    request = urllib.request.Request(url, data=data)
    if token:
        request.add_header("Authorization", "Bearer " + token)
    with urllib.request.urlopen(request, context=CONTEXT, timeout=120) as response:
        return json.load(response)


def sign_in():
    form = urllib.parse.urlencode({
        "grant_type": "client_credentials",
        "client_id": os.environ["AZURE_CLIENT_ID"],
        "client_secret": os.environ["AZURE_CLIENT_SECRET"],
        "scope": "https://graph.microsoft.com/.default",
    }).encode()
    host = os.environ["AZURE_AUTHORITY_HOST"].rstrip("/")
    return call(f"{host}/{os.environ['AZURE_TENANT_ID']}/oauth2/v2.0/token", form)["access_token"]


def read_all(path, token):
    url = GRAPH + path
    while url:
        page = call(url, token=token)
        yield from page["value"]
        url = page.get("@odata.nextLink")


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def recompute(apps, sign_ins, cutoff):
    """What the report must say if its window begins at the cutoff."""
    seen = {}
    for record in sign_ins:
        if moment(record["createdDateTime"]) >= cutoff:
            seen.setdefault(record["appId"], []).append(record)
    report = {}
    for app in apps:
        records = seen.get(app["appId"], [])
        if not (app["has_assignment"] or records or "WindowsAzureActiveDirectoryIntegratedApp" in app["tags"]):
            continue
        good = [record for record in records if record["status"]["errorCode"] == 0]
        active = {record["userId"] for record in good}
        last = max((moment(record["createdDateTime"]) for record in good), default=None)
        report[app["appId"]] = {
            "displayName": app["displayName"],
            "assigned": len(app["users"]),
            "active": len(active),
            "idle": len(app["users"] - active),
            "lastSignIn": last,
        }
    return report


def read_apps(token):
    members = {}
    apps = []
    for principal in list(read_all("/servicePrincipals?$top=999", token)):
        rows = list(read_all(f"/servicePrincipals/{principal['id']}/appRoleAssignedTo", token))
        users = set()
        for row in rows:
            if row["principalType"] == "User":
                users.add(row["principalId"])
            elif row["principalType"] == "Group":
                group = row["principalId"]
                if group not in members:
                    members[group] = {
                        member["id"]
                        for member in read_all(f"/groups/{group}/members", token)
                        if member["@odata.type"] == "#microsoft.graph.user"
                    }
                users |= members[group]
        apps.append({
            "appId": principal["appId"],
            "displayName": principal["displayName"],
            "tags": principal.get("tags") or [],
            "has_assignment": bool(rows),
            "users": users,
        })
    return apps


def main():
    days, command = int(sys.argv[1]), sys.argv[2:]
    token = sign_in()
    apps = read_apps(token)
    sign_ins = list(read_all("/auditLogs/signIns", token))
    before = datetime.now(timezone.utc) - timedelta(days=days)
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    after = datetime.now(timezone.utc) - timedelta(days=days)
    got = json.loads(printed)
    if set(got) != {"tenant", "days", "requests", "apps"} or got["days"] != days:
        sys.exit(f"unexpected top level: {sorted(got)}, days {got.get('days')}")
    if got["tenant"] != os.environ["AZURE_TENANT_ID"]:
        sys.exit(f"the report is about tenant {got['tenant']}")
    shown = {}
    for app in got["apps"]:
        last = app["lastSignIn"]
        shown[app["appId"]] = {**{key: app[key] for key in ("displayName", "assigned", "active", "idle")},
                               "lastSignIn": moment(last) if last else None}
    if len(shown) != len(got["apps"]):
        sys.exit("an application is listed twice")
    # The window moved on while the command ran: every cut-off in that moment is a right one.
    edges = sorted({moment(record["createdDateTime"]) for record in sign_ins if before <= moment(record["createdDateTime"]) <= after})
    cutoffs = [before, after, *edges]
    candidates = [recompute(apps, sign_ins, cutoff) for cutoff in cutoffs]
    if shown not in candidates:
        for app_id in sorted(set(shown) | set(candidates[0])):
            ours, theirs = shown.get(app_id), candidates[0].get(app_id)
            if ours != theirs:
                print(f"{app_id}: the report says {ours}, the raw responses say {theirs}", file=sys.stderr)
        sys.exit("the report differs from the raw responses")
    totals = {key: sum(app[key] for app in shown.values()) for key in ("assigned", "active", "idle")}
    if not all(totals.values()):
        sys.exit(f"a tenant without anything to compare proves nothing: {totals}")
    print(f"saas_usage agrees with the raw responses: {len(shown)} applications, {totals}, "
          f"{len(sign_ins)} sign-ins read, {got['requests']} requests")


main()
