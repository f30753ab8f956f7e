"""A third reader of the permissions of Microsoft Graph, beside the tables of entra-graph and of entra-mock.

    python3 .ci/permissions.py FACTS          # both crates; needs a standalone server and its environment file
    python3 .ci/permissions.py FACTS --tables # entra-graph's table alone

From graph-permissions.json, graph-additions.json and graph-filter-support.json it takes for each operation of entra-graph
the least permission and all that are enough, for users and for applications. Then

- entra-graph's table names none that is not enough, and first one that a source names first for any object: those for the
  caller's own, or for a part of the objects, may come later, since 403 texts and advice follow the table. Where a page and the
  published list begin differently, either will do: pages of 2021 to 2023 have broader ones. What else differs has a reason in
  ORDER;
- the fake tenant lets the first one of that table and the least one of each source through, and returns 403 to a token with
  every other permission of all operations.

Requests address objects that do not exist, or have empty bodies: Graph checks the permission first, so 404 and 400 mean
that it was enough, and nothing changes.
"""

import datetime
import json
import os
import pathlib
import re
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent
GRAPH_APP = "00000003-0000-0000-c000-000000000000"
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
KINDS = ("delegated", "application")
# Permissions of other services, which neither crate names.
OTHER_SERVICES = ("AgentId", "DeviceManagement", "PrivilegedAccess")
# Delegated permissions for the signed-in user's own object.
OWN = re.compile(r"User\.Read(Write)?|Device\.Read|UserAuthMethod-\w+\.Read(Write)?")

PROVISIONING = [
    "Synchronization.Read.All", "Synchronization.ReadWrite.All", "Application.ReadWrite.OwnedBy",
    "CustomSecAttributeProvisioning.Read.All", "CustomSecAttributeProvisioning.ReadWrite.All",
]

WRITE_SCHEMA = {
    "delegated": ["Synchronization.ReadWrite.All", "CustomSecAttributeProvisioning.ReadWrite.All"],
    "application": ["Application.ReadWrite.OwnedBy", "CustomSecAttributeProvisioning.ReadWrite.All", "Synchronization.ReadWrite.All"],
}

# Where the sources differ or have nothing, what was decided, by the name of the operation: what is enough, least first, for
# each kind of caller where they differ.
DECIDED = {
    # The lists have no row; the page of the schema has these.
    "synchronization-synchronizationschema-get": PROVISIONING,
    "synchronization-synchronizationschema-get-template": PROVISIONING,
    "synchronization-synchronizationschema-get-application": PROVISIONING,
    "synchronization-synchronizationschema-update": WRITE_SCHEMA,
    "synchronization-synchronizationschema-update-application": WRITE_SCHEMA,
    # The pages of the templates have these for applications too.
    "synchronization-synchronization-list-templates-application": PROVISIONING[:3],
    "synchronization-synchronizationtemplate-get-application": PROVISIONING[:3],
    # The published row has device management and `Device.Read.All`; the list has these.
    "device-list-count": ["Device.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"],
    # The page of the photo lists permissions by the owner of the photo; that of users has these.
    "profilephoto-get": ["ProfilePhoto.Read.All", "User.Read", "User.ReadBasic.All", "User.Read.All", "User.ReadWrite.All"],
    # The published list has no row; the page has that of the list.
    "directory-list-administrativeunits-count": ["AdministrativeUnit.Read.All", "Directory.Read.All", "Directory.ReadWrite.All", "AdministrativeUnit.ReadWrite.All"],
    # The page of the delta names the permissions of the list.
    "application-delta": ["Application.Read.All", "Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"],
    "serviceprincipal-delta": ["Application.Read.All", "Application.ReadWrite.OwnedBy", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"],
    # PATCH of a group with members alone takes the permission for members (page "Add members").
    "group-post-members-bind": ["GroupMember.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All"],
    # Properties with permissions of their own: the pages of the resources name them, the lists of operations do not.
    "user-post-users-employeeleavedatetime": ["User.ReadWrite.All", "Directory.ReadWrite.All", "User-LifeCycleInfo.ReadWrite.All"],
    "user-post-users-customsecurityattributes": ["User.ReadWrite.All", "Directory.ReadWrite.All", "CustomSecAttributeAssignment.ReadWrite.All"],
    "serviceprincipal-post-serviceprincipals-customsecurityattributes": ["Application.ReadWrite.All", "Application.ReadWrite.OwnedBy", "CustomSecAttributeAssignment.ReadWrite.All"],
    "user-update-employeeleavedatetime": ["User.ReadWrite.All", "Directory.ReadWrite.All", "User-LifeCycleInfo.ReadWrite.All"],
    "user-update-customsecurityattributes": ["CustomSecAttributeAssignment.ReadWrite.All", "User.Read.All", "Directory.Read.All"],
    "serviceprincipal-update-customsecurityattributes": ["CustomSecAttributeAssignment.ReadWrite.All", "Application.Read.All", "Directory.Read.All"],
    "group-post-groups-isassignabletorole": ["Group.ReadWrite.All", "RoleManagement.ReadWrite.Directory"],
    # What does not exist is created with the permissions of creating.
    "application-upsert": ["Application.ReadWrite.All", "Application.ReadWrite.OwnedBy", "AppRegistration.Create"],
    # An older edition of the page has `Group.Create` as the least for applications.
    "group-upsert": ["Group.Create", "Group.ReadWrite.All", "Directory.ReadWrite.All", "Group-NestingSupport.ReadWrite.All"],
    # The published row has only device management; the list of organizations is what can be read.
    "organization-get": ["User.Read", "Organization.Read.All", "Organization.ReadWrite.All", "User.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"],
    # The published list is by kind of object; the page of users has these.
    "user-delete-manager": ["User.ReadWrite.All", "Directory.ReadWrite.All"],
}


# Permissions that the sources name for an operation, and that the fake tenant deliberately does not take, by the name of the
# operation: they are for a part of its objects or properties, or stand for one half of a pair.
NARROW = [
    # One property of groups.
    (r"group-.*", {"Group-NestingSupport.ReadWrite.All"}),
    # Custom security attributes alone, which need a second permission to find the object.
    (r"(user|serviceprincipal)-(update|upsert)(-(passwordprofile|employeeleavedatetime|customsecurityattributes))?", {"CustomSecAttributeAssignment.ReadWrite.All"}),
    # One list for objects of every type; applications, and users with their groups, have pages of their own.
    (r"(user|device|orgcontact|directoryobject)-(check|get)member\w+", {"Application.Read.All", "User.ReadBasic.All"}),
    # The page names it for the own object, which a list of changes does not have.
    (r"user-delta", {"User.Read"}),
]


# Tables of entra-graph that begin with another permission than each source, by the name of the operation, and why.
ORDER = [
    (r"(authentication-list-\w+methods|\w+authenticationmethod-get) delegated", "the list is in no order; the least for users other than the caller is that of the one method"),
    (r"directory-deleteditems-restore-user(-beta)? \w+", "it is for restoring alone, and the page begins with a broader one"),
    (r"user-update-passwordprofile \w+", "it is for this property alone, and the sources begin with those for the others"),
    (r"provisioningobjectsummary-list application", "it reads this log alone, and the page begins with one for all logs"),
    (r"group-list-transitivememberof delegated", "that of the direct groups; the list begins with one for basic properties, the page with one for the whole directory"),
    (r"organization-get application", "it reads organizations alone, and the sources begin with those of users and devices"),
    (r"orgcontact-get-transitivereports \w+", "the list begins with a name that Microsoft Graph does not offer"),
    (r"user-get-transitivereports application", "it reads users alone, and the list begins with one for the whole directory"),
    (r"serviceprincipal-delete-owners application", "it is for owned objects alone, and the page begins with a broader one"),
]


# Upserts that create an object of any name. Of service principals, the name must be that of an application of the tenant.
CREATES = ("application-upsert", "group-upsert")


def form(path):
    """A path in the form in which it is compared: keys without their names, in lower case."""
    path = path.lower()
    path = re.sub(r"(?<=[a-z])\((appid|deviceid|uniquename|roletemplateid|name)='?\{[^}]*\}'?\)", "/{id}", path)
    path = re.sub(r"\{[^}]*\}", "{id}", path)
    return re.sub(r"^/administrativeunits\b", "/directory/administrativeunits", path)


class Operation:
    """One row of entra-graph's tables."""

    row = re.compile(r'= "([^"]+)" ([A-Z]+)(?:\(\w+\))?( @ \w+)? "([^"]+)"\s*=> \w+(?:\("\w+"\))?,(.*?);', re.S)
    lists = re.compile(r"(both|delegated|application|with) \[([^\]]*)\]")

    def __init__(self, name, method, beta, path, rest):
        self.name, self.method, self.beta, self.path = name, method, bool(beta), path
        named = {kind: re.findall(r'"([^"]+)"', names) for kind, names in self.lists.findall(rest)}
        both = named.get("both", [])
        self.names = {kind: named.get(kind, both) for kind in KINDS}
        self.additional = named.get("with", [])

    @classmethod
    def all(cls):
        for path in sorted((ROOT / "entra-graph" / "src" / "areas").rglob("*.rs")):
            for row in cls.row.findall(path.read_text()):
                yield cls(*row)


class Facts:
    """What the sources say about each operation."""

    def __init__(self, folder):
        self.rows = {}
        published = json.loads((folder / "graph-permissions.json").read_text())
        added = json.loads((folder / "graph-additions.json").read_text())
        catalogue = published["catalogue"] + added["catalogue_additions"]
        self.known = {entry["value"] for entry in catalogue}
        for source in (published, added):
            self.known.update(name if isinstance(name, str) else name["value"] for name in source["used_without_id"])
        for entry in published["paths"]:
            source = "page" if entry.get("source") == "docs" else "list"
            if resources := entry.get("by_subscribed_resource"):
                self.add_by_resource(entry, resources)
                continue
            row = self.add(entry["method"], entry["path"], source, entry.get("delegated_work"), entry.get("application"))
            for kind, least in (("delegated", "least_delegated_work"), ("application", "least_application")):
                if entry.get(least):
                    row["least"][kind] = entry[least]
            # Beside what one property needs, such as custom security attributes.
            row["together"] = row["together"] or "AppRoleAssignment.ReadWrite.All" in entry.get("also_requires", {})
            docs = entry.get("docs") or {}
            if docs:
                self.add(entry["method"], entry["path"], "page", docs.get("delegated_work"), docs.get("application"))
        for entry in added["operations"]:
            if entry.get("by_type"):
                self.add_by_type(entry)
                continue
            row = self.add(entry["method"], entry["path"], "added", entry["delegated"], entry["application"])
            about_attributes = any(name.startswith("CustomSecAttribute") for name in entry["delegated"])
            if entry.get("combine") == "all" and not about_attributes:
                row["groups"] = [{name} for name in entry["delegated"]]
            if entry.get("any_of_sets"):
                common = set.intersection(*(set(names) for names in entry["any_of_sets"]))
                others = set().union(*entry["any_of_sets"]) - common
                row["groups"] = [{name} for name in common] + [others]
            docs = entry.get("docs") or {}
            if docs:
                self.add(entry["method"], entry["path"], "page", docs.get("delegated"), docs.get("application"))
        for page in json.loads((folder / "graph-filter-support.json").read_text())["doc_permission_tables"]:
            for request in page["requests"]:
                # Several tables are for several types of objects: enough, but none is the least for all of them.
                source = "page" if len(page["tables"]) == 1 else "several"
                for table in page["tables"]:
                    self.add(request["method"], request["path"], source, table.get("delegated"), table.get("application"))

    def add_by_type(self, entry):
        """The permissions of each type at one path. The page names the least ones; broader ones of the same resource are
        enough as well, and for reads those of the whole directory."""
        for name, lists in entry["by_type"].items():
            path = entry["path"].replace("{type}", name)
            if path == entry["path"]:
                path = f"{path}#{name.lower()}"
            broader = {}
            for kind in KINDS:
                resources = dict.fromkeys(least.split(".")[0] for least in lists[kind])
                broader[kind] = lists[kind] + [f"{resource}.ReadWrite.All" for resource in resources]
                if "User" in resources and entry["method"] != "GET":
                    broader[kind].append("User.DeleteRestore.All")
                if kind == "application" and "Application" in resources:
                    broader[kind].append("Application.ReadWrite.OwnedBy")
                if resources and entry["method"] == "GET":
                    broader[kind] += ["Directory.Read.All", "Directory.ReadWrite.All"]
            self.add(entry["method"], path, "added", broader["delegated"], broader["application"])

    def add_by_resource(self, entry, resources):
        """The permissions to subscribe to each resource, and those of any of them for what is subscribed already."""
        for name, lists in resources.items():
            path = f"{entry['path']}#{name}" if entry["path"] == "/subscriptions" and entry["method"] == "POST" else entry["path"]
            self.add(entry["method"], path, "several", lists["delegated_work"], lists["application"])

    def add(self, method, path, source, delegated, application):
        row = self.rows.setdefault(
            (method, form(path)),
            {"lists": {kind: [] for kind in KINDS}, "least": {}, "together": False, "groups": None},
        )
        for kind, names in zip(KINDS, (delegated, application)):
            names = [name for name in names or [] if name in self.known and not name.startswith(OTHER_SERVICES)]
            if names:
                row["lists"][kind].append((source, names))
        return row

    def of(self, operation):
        path = form(operation.path)
        if path.startswith("/directory/deleteditems/{id}"):
            # Each type has its own permissions at the same path.
            name = operation.name.removesuffix("-beta").split("-")[-1].removesuffix("s")
            return self.rows.get((operation.method, f"{path}#{name}"))
        if operation.name.startswith("subscription-post-subscriptions-"):
            return self.rows.get((operation.method, f"{path}#{operation.name.split('-')[-1]}"))
        found = self.rows.get((operation.method, path))
        if path.endswith("/$count"):
            # A count takes what its list takes; the pages of counts are older.
            of_list = self.rows.get((operation.method, path.removesuffix("/$count")))
            found = found or of_list
            if of_list and found is not of_list:
                lists = {kind: found["lists"][kind] + of_list["lists"][kind] for kind in KINDS}
                found = {**found, "lists": lists}
        if found is None and path.endswith("/$ref"):
            found = self.rows.get((operation.method, path.removesuffix("/$ref")))
        return found


class Expected:
    """For one kind of caller: groups of names, one of each of which a token needs, and the least tokens of the sources."""

    def __init__(self, operation, row, kind):
        lists = row["lists"][kind] if row else []
        decided = DECIDED.get(operation.name, [])
        if isinstance(decided, dict):
            decided = decided[kind]
        enough = set(decided).union(*(names for _, names in lists))
        if kind == "application":
            enough = {name for name in enough if not OWN.fullmatch(name)}
        self.supported = bool(enough)
        # What each source names first, and what it names first for all objects of anyone.
        narrow = set().union(*(names for pattern, names in NARROW if re.fullmatch(pattern, operation.name)))
        for_all = [
            [name for name in names if not OWN.fullmatch(name) and not name.endswith(".OwnedBy") and name not in narrow]
            for source, names in lists if source != "several"
        ]
        published = (row["least"].get(kind) or [])[:1] if row else []
        self.first = {names[0] for names in [*(names for _, names in lists), *for_all, published, decided] if names}
        self.groups = [enough]
        if row and (row["groups"] or row["together"]):
            self.groups = row["groups"] or together(enough)
        if len(self.groups) > 1:
            order = [name for _, names in lists for name in names]
            self.least = [{min(group, key=order.index) for group in self.groups}]
        else:
            # The published list and each page have an order of their own.
            published = (row["least"].get(kind) or [])[:1] if row else []
            firsts = published + [names[0] for source, names in lists if source != "several"] + decided[:1]
            self.least = [{name} for name in dict.fromkeys(firsts) if name in enough]


def together(enough):
    """The groups of assigning an app role to or of a service principal: the right to assign, and to find both ends."""
    assign = {name for name in enough if name.startswith("AppRoleAssignment.")}
    return [assign, enough - assign]


def check_table(operation, row, failures, used):
    """entra-graph's table names only permissions that are enough, for the same kinds of callers as the sources."""
    for kind in KINDS:
        expected = Expected(operation, row, kind)
        ours = operation.names[kind] + operation.additional
        enough = set().union(*expected.groups)
        if extra := [name for name in ours if name not in enough]:
            failures.append(f"entra-graph, {operation.name}: {kind} {extra} is not enough by the sources")
        reason = next((pattern for pattern, _ in ORDER if re.fullmatch(pattern, f"{operation.name} {kind}")), None)
        if ours and expected.first and len(expected.groups) == 1 and ours[0] not in expected.first:
            if reason is None:
                failures.append(f"entra-graph, {operation.name}: {kind} begins with {ours[0]}, the sources with {sorted(expected.first)}")
            used.add(reason)
        if expected.supported != bool(operation.names[kind]):
            failures.append(f"entra-graph, {operation.name}: {kind} is supported by the sources: {expected.supported}")


class Tenant:
    """The standalone fake tenant, as its environment file describes it."""

    def __init__(self, universe):
        environment = os.environ
        self.graph = environment["ENTRA_GRAPH_URL"].rstrip("/").removesuffix("/v1.0")
        self.token_endpoint = f"{environment['AZURE_AUTHORITY_HOST'].rstrip('/')}/{environment['AZURE_TENANT_ID']}/oauth2/v2.0/token"
        self.user, self.password = environment["ENTRA_USER_UPN"], environment["ENTRA_USER_PASSWORD"]
        authority = environment.get("SSL_CERT_FILE") or environment.get("REQUESTS_CA_BUNDLE")
        self.tls = ssl.create_default_context(cafile=authority)
        self.cache = {}
        self.admin = self.token(environment["AZURE_CLIENT_ID"], environment["AZURE_CLIENT_SECRET"], grant_type="client_credentials")
        api = self.ok("GET", f"/servicePrincipals(appId='{GRAPH_APP}')?$select=id,appRoles,oauth2PermissionScopes")
        self.api = api["id"]
        self.roles = {role["value"]: role["id"] for role in api["appRoles"]}
        self.scopes = {scope["value"] for scope in api["oauth2PermissionScopes"]}
        self.names = {"delegated": universe & self.scopes, "application": universe & set(self.roles)}
        user = self.ok("GET", f"/users/{self.user}")
        self.user_id = user["id"]
        # Permissions are what is tested here, not roles.
        body = {"principalId": self.user_id, "roleDefinitionId": GLOBAL_ADMINISTRATOR, "directoryScopeId": "/"}
        self.send("POST", "/roleManagement/directory/roleAssignments", self.admin, body)

    def call(self, url, data, headers, method):
        request = urllib.request.Request(url, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60, context=self.tls if url.startswith("https") else None) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def token(self, client, secret, **form_fields):
        fields = {"client_id": client, "client_secret": secret, "scope": f"{self.graph}/.default", **form_fields}
        status, body = self.call(self.token_endpoint, urllib.parse.urlencode(fields).encode(), {}, "POST")
        if status != 200:
            sys.exit(f"permissions: no token: {body.decode()}")
        return json.loads(body)["access_token"]

    def send(self, method, path, token, body=None, version="v1.0", upsert=False):
        headers = {"Authorization": f"Bearer {token}"}
        if upsert:
            headers["Prefer"] = "create-if-missing"
        data = None
        if method in ("POST", "PATCH", "PUT"):
            headers["Content-Type"] = "application/json"
            data = json.dumps(body or {}).encode()
        status, answer = self.call(f"{self.graph}/{version}{path}", data, headers, method)
        try:
            return status, json.loads(answer) if answer else {}
        except ValueError:
            return status, {}

    def ok(self, method, path, body=None):
        status, answer = self.send(method, path, self.admin, body)
        if status >= 300:
            sys.exit(f"permissions: {method} {path}: {status} {answer}")
        return answer

    def caller(self, kind, names):
        """A token with exactly these permissions, and the service principal of its application."""
        key = (kind, frozenset(names))
        if key not in self.cache:
            app = self.ok("POST", "/applications", {"displayName": f"{kind} {len(self.cache)}", "signInAudience": "AzureADMyOrg"})
            principal = self.ok("POST", "/servicePrincipals", {"appId": app["appId"]})["id"]
            secret = self.ok("POST", f"/applications/{app['id']}/addPassword")["secretText"]
            if kind == "delegated":
                grant = {"clientId": principal, "consentType": "AllPrincipals", "resourceId": self.api, "scope": " ".join(sorted(names))}
                self.ok("POST", "/oauth2PermissionGrants", grant)
                fields = {"grant_type": "password", "username": self.user, "password": self.password}
            else:
                self.assign(principal, sorted(names))
                fields = {"grant_type": "client_credentials"}
            self.cache[key] = (self.token(app["appId"], secret, **fields), principal)
        return self.cache[key]

    def assign(self, principal, names):
        for start in range(0, len(names), 20):
            requests = [
                {
                    "id": str(at), "method": "POST", "url": f"/servicePrincipals/{principal}/appRoleAssignments",
                    "headers": {"Content-Type": "application/json"},
                    "body": {"principalId": principal, "resourceId": self.api, "appRoleId": self.roles[name]},
                }
                for at, name in enumerate(names[start:start + 20])
            ]
            for answer in self.ok("POST", "/$batch", {"requests": requests})["responses"]:
                if answer["status"] != 201:
                    sys.exit(f"permissions: assignment: {answer}")

    def deleted(self, name, owner):
        """The id of a new deleted object of a type; the owner may write it with a permission for its own."""
        mark = uuid.uuid4().hex[:12]
        bodies = {
            "user": ("/users", {
                "accountEnabled": True, "displayName": mark, "mailNickname": mark, "userPrincipalName": f"{mark}@contoso.com",
                "passwordProfile": {"password": f"Aa1-{mark}"},
            }),
            "group": ("/groups", {
                "displayName": mark, "mailNickname": mark, "mailEnabled": True, "securityEnabled": False, "groupTypes": ["Unified"],
            }),
            "application": ("/applications", {"displayName": mark}),
            "administrativeunit": ("/directory/administrativeUnits", {"displayName": mark}),
        }
        if name == "serviceprincipal":
            app = self.ok("POST", "/applications", {"displayName": mark})
            bodies[name] = ("/servicePrincipals", {"appId": app["appId"]})
        path, body = bodies[name]
        one = self.ok("POST", path, body)["id"]
        if owner and name in ("application", "serviceprincipal"):
            reference = {"@odata.id": f"{self.graph}/v1.0/directoryObjects/{owner}"}
            self.ok("POST", f"{path}/{one}/owners/$ref", reference)
        self.ok("DELETE", f"{path}/{one}")
        return one


def address(operation, tenant, own, owner):
    """The path of a request that changes nothing."""
    path = operation.path
    if path.startswith("/directory/deletedItems/{id}"):
        name = operation.name.removesuffix("-beta").split("-")[-1].removesuffix("s")
        return path.replace("{id}", tenant.deleted(name, owner))
    # The parameters of a function are texts.
    path = re.sub(r"=\{(\w+)\}", r"='{\1}'", path)
    first = tenant.user_id if own else str(uuid.uuid4())
    path = path.replace("{id}", first, 1)
    path = path.replace("{id}", str(uuid.uuid4()))
    return re.sub(r"\{\w+\}", str(uuid.uuid4()), path)


def check_tenant(operation, row, tenant, unavailable, failures):
    """The least permission is enough, and every other one together is not."""
    count = 0
    if operation.path.startswith("/subscriptions") and not operation.name.startswith("subscription-post-subscriptions-"):
        # The permission is that of the resource of the subscription, which must exist: tests of entra-mock have those.
        return count
    options = {"version": "beta" if operation.beta else "v1.0", "upsert": operation.name in CREATES}
    if operation.name == "group-post-members-bind":
        options["body"] = {"members@odata.bind": [f"{tenant.graph}/v1.0/directoryObjects/{tenant.user_id}"]}
    if operation.path == "/subscriptions":
        # Nothing listens at the address, so that no subscription is created.
        expires = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        options["body"] = {
            "changeType": "updated", "notificationUrl": "https://127.0.0.1:9/", "resource": operation.name.split("-")[-1],
            "expirationDateTime": expires,
        }
    for kind in KINDS:
        expected = Expected(operation, row, kind)
        if kind == "application" and operation.path.startswith("/me"):
            continue
        if not expected.supported and not any(Expected(operation, row, other).supported for other in KINDS):
            # Any token is enough.
            status, _ = tenant.send(operation.method, address(operation, tenant, False, None), tenant.caller("application", set())[0], **options)
            count += 1
            if status in (401, 403, 405, 501):
                failures.append(f"entra-mock, {operation.name}: {status} with a token without permissions")
            continue
        # What entra-graph suggests, and what the sources call the least.
        suggested = set(operation.names[kind][:1] + operation.additional[:1])
        for least in [suggested, *expected.least] if expected.supported else []:
            narrow = set().union(*(names for pattern, names in NARROW if re.fullmatch(pattern, operation.name)))
            if not least or least & narrow:
                continue
            if least - (tenant.scopes if kind == "delegated" else set(tenant.roles)):
                # The tenant's Microsoft Graph does not offer it.
                unavailable.update(least)
                continue
            token, principal = tenant.caller(kind, least)
            own = any(map(OWN.fullmatch, least)) and operation.path.startswith("/users/{id}")
            status, answer = tenant.send(operation.method, address(operation, tenant, own, principal), token, **options)
            count += 1
            if status in (401, 403, 405, 501):
                reason = answer.get("error", {}).get("message")
                failures.append(f"entra-mock, {operation.name}: {kind} {sorted(least)} is not enough: {status} {reason}")
        for group in expected.groups:
            # Every other permission of all operations.
            token, principal = tenant.caller(kind, tenant.names[kind] - group)
            status, _ = tenant.send(operation.method, address(operation, tenant, False, None), token, **options)
            count += 1
            if status != 403:
                failures.append(f"entra-mock, {operation.name}: {kind} without {sorted(group)[:6]} has {status}")
    return count


def main():
    facts = Facts(pathlib.Path(sys.argv[1]))
    operations = list(Operation.all())
    failures, ordered = [], set()
    rows = {}
    for operation in operations:
        rows[operation.name] = row = facts.of(operation)
        if row is None and operation.name not in DECIDED:
            failures.append(f"{operation.name}: the sources have no permissions for {operation.method} {operation.path}")
            continue
        check_table(operation, row, failures, ordered)
    failures += [f"ORDER, {pattern}: no table differs" for pattern, _ in ORDER if pattern not in ordered]
    count, unavailable = 0, set()
    if "--tables" not in sys.argv[2:]:
        universe = set()
        for operation in operations:
            for kind in KINDS:
                universe |= set().union(*Expected(operation, rows[operation.name], kind).groups)
        tenant = Tenant(universe)
        for operation in operations:
            if rows[operation.name] is not None or operation.name in DECIDED:
                count += check_tenant(operation, rows[operation.name], tenant, unavailable, failures)
    if failures:
        sys.exit("\n".join(failures))
    if unavailable:
        print("permissions that the tenant does not offer: " + ", ".join(sorted(unavailable)))
    print(f"permissions: {len(operations)} operations agree with the sources, {count} requests to the fake tenant")


if __name__ == "__main__":
    main()
