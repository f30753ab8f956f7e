"""Sends every documented request of entra-graph's operations to the fake tenant, and compares the responses with the
documented ones: the status, and the names of the properties.

    python3 .ci/documented.py FACTS           # needs a standalone server and its environment file
    python3 .ci/documented.py FACTS --verbose # with every request

The requests and responses are those of graph-examples.json, with the ids of objects that this program creates before. Each
documented name must be in the response. A response to a `$select` must have no other name. documented.json has the
differences, each with its reason, and the requests that are not sent; a row that is no longer needed is an error.
"""

import json
import pathlib
import re
import sys
import urllib.parse
import uuid

import operations
import permissions

HERE = pathlib.Path(__file__).resolve().parent
ROLE = "fe930be7-5e62-47db-91af-98c3a49a38b1"
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# A name with a word for each documented search, and `a` at its start.
NAME = "ad Android Video Web Team wa Graph"
CERTIFICATE = "MIIDYDCCAki..."


class World:
    """Objects of the tenant, made when a request needs them."""

    def __init__(self, tenant):
        self.tenant, self.made = tenant, {}
        self.token = tenant.caller("application", tenant.names["application"])[0]
        self.user_token = tenant.caller("delegated", tenant.names["delegated"])[0]

    def send(self, method, path, body=None, headers=None, me=False, version="v1.0"):
        token = self.user_token if me else self.token
        all_headers = {"Authorization": f"Bearer {token}", **(headers or {})}
        data = None
        if body is not None:
            all_headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        url = f"{self.tenant.graph}/{version}{urllib.parse.quote(path, safe='/?&=$(),:@!%+')}"
        status, text = self.tenant.call(url.replace(" ", "%20"), data, all_headers, method)
        if status == 403 and not me:
            # A few operations are for users only.
            all_headers["Authorization"] = f"Bearer {self.user_token}"
            status, text = self.tenant.call(url.replace(" ", "%20"), data, all_headers, method)
        try:
            return status, json.loads(text) if text else None
        except ValueError:
            return status, text

    def ok(self, method, path, body=None):
        status, answer = self.send(method, path, body)
        if status >= 300:
            sys.exit(f"documented: {method} {path} {body}: {status} {answer}")
        return answer

    def first(self, path):
        found = self.ok("GET", path)["value"]
        if not found:
            sys.exit(f"documented: the tenant has nothing at {path}")
        return found[0]["id"]

    def reference(self, one):
        return {"@odata.id": f"{self.tenant.graph}/v1.0/directoryObjects/{one}"}

    def new(self, kind):
        return getattr(self, f"new_{kind}")()

    def link(self, path, one):
        self.ok("POST", f"{path}/$ref", self.reference(one))

    def new_user(self):
        mark = uuid.uuid4().hex[:12]
        return self.ok("POST", "/users", {
            "accountEnabled": True, "displayName": NAME, "mailNickname": mark, "userPrincipalName": f"{mark}@contoso.com",
            "passwordProfile": {"password": f"Aa1-{mark}"}, "usageLocation": "DE", "businessPhones": ["1"], "mobilePhone": "1",
            "jobTitle": "Buyer", "officeLocation": "1", "preferredLanguage": "en", "givenName": "A", "surname": "B",
        })["id"]

    def new_group(self, unified=False):
        return self.ok("POST", "/groups", {
            "displayName": NAME, "description": "prod", "mailNickname": uuid.uuid4().hex[:12], "mailEnabled": unified,
            "securityEnabled": not unified, "groupTypes": ["Unified"] if unified else [],
        })["id"]

    def new_unified(self):
        return self.new_group(unified=True)

    def new_application(self):
        return self.ok("POST", "/applications", {"displayName": NAME})["id"]

    def new_principal(self):
        app = self.ok("POST", "/applications", {"displayName": NAME})
        return self.ok("POST", "/servicePrincipals", {"appId": app["appId"]})["id"]

    def new_api(self):
        return self.tenant.api

    def new_device(self):
        return self.ok("POST", "/devices", {
            "accountEnabled": True, "displayName": NAME, "deviceId": str(uuid.uuid4()), "operatingSystem": "linux",
            "operatingSystemVersion": "1", "alternativeSecurityIds": [{"type": 2, "key": "base64Y3YxN2E1MWFlYw=="}],
            "extensionAttributes": {"extensionAttribute1": "BYOD-Device"},
        })["id"]

    def new_unit(self):
        return self.ok("POST", "/directory/administrativeUnits", {"displayName": NAME})["id"]

    def new_domain(self, verified=True):
        name = f"{uuid.uuid4().hex[:12]}.com"
        self.ok("POST", "/domains", {"id": name})
        if verified:
            self.ok("POST", f"/domains/{name}/verify", {})
        return name

    def new_role(self):
        return self.ok("POST", "/roleManagement/directory/roleDefinitions", {
            "displayName": f"{NAME} {uuid.uuid4().hex[:12]}", "isEnabled": True,
            "rolePermissions": [{"allowedResourceActions": ["microsoft.directory/applications/basic/read"]}],
        })["id"]

    def new_grant(self):
        client, user = self.new("principal"), self.new("user")
        return self.ok("POST", "/oauth2PermissionGrants", {
            "clientId": client, "consentType": "Principal", "principalId": user, "resourceId": self.tenant.api, "scope": "User.Read",
        })["id"]

    def new_assignment(self):
        return self.ok("POST", "/roleManagement/directory/roleAssignments", {
            "roleDefinitionId": ROLE, "principalId": self.new("user"), "directoryScopeId": "/",
        })["id"]

    def new_deleted(self):
        one = self.new("unified")
        self.ok("DELETE", f"/groups/{one}")
        return one

    def new_directory_role(self):
        status, answer = self.send("POST", "/directoryRoles", {"roleTemplateId": ROLE})
        if status == 201:
            return answer["id"]
        return self.ok("GET", f"/directoryRoles(roleTemplateId='{ROLE}')")["id"]

    def app_role(self, principal, resource, path):
        body = {"principalId": principal, "resourceId": resource, "appRoleId": "00000000-0000-0000-0000-000000000000"}
        return self.ok("POST", path, body)["id"]


# The collection before an id, and the object that stands for it.
OBJECTS = {
    "/users": "user", "/groups": "group", "/applications": "application", "/serviceprincipals": "principal", "/devices": "device",
    "/directory/administrativeunits": "unit", "/domains": "domain", "/rolemanagement/directory/roledefinitions": "role",
    "/rolemanagement/directory/roleassignments": "assignment", "/oauth2permissiongrants": "grant", "/directoryobjects": "user",
    "/directory/deleteditems": "deleted", "/directoryroles": "directory_role",
}
# Collections whose objects the tenant has from the start.
FIRST = (
    "/contacts", "/organization", "/subscribedskus", "/auditlogs/signins", "/auditlogs/directoryaudits", "/applicationtemplates",
    "/directoryroletemplates", "/reports/authenticationmethods/userregistrationdetails",
)
MEMBERS = {
    "members": "user", "owners": "user", "registeredowners": "user", "registeredusers": "user", "scopedrolemembers": "scoped",
    "approleassignments": "approle", "approleassignedto": "approle", "extensionproperties": "extension",
    "federatedidentitycredentials": "federated", "federationconfiguration": "federation",
    "delegatedpermissionclassifications": "classification",
}


class Request:
    """A documented request with the ids of this tenant."""

    def __init__(self, world, example):
        self.world, self.doc, self.method = world, example["doc"], example["http_method"]
        path, _, query = example["path"].partition("?")
        path = re.sub(r"^/(v1\.0|beta)", "", path).rstrip("/")
        self.query = query
        self.me = path == "/me" or path.startswith("/me/")
        skipped = ("authorization", "content-type", "content-length")
        self.headers = {name: value for name, value in (example["request_headers"] or {}).items() if name.lower() not in skipped}
        self.body = example["body"] if self.method in ("POST", "PUT", "PATCH") else None
        if self.body is None and self.method in ("POST", "PUT", "PATCH"):
            self.body = {}
        self.owner = None
        self.path = self.resolve(path)
        if self.body is not None:
            self.body = self.filled(self.body)
        self.prepare()

    def resolve(self, path):
        done, before = [], ""
        if self.me:
            self.owner, self.root = self.world.tenant.user_id, "/users"
        for segment in path.strip("/").split("/"):
            known = OBJECTS.get(before) or (before if before in FIRST else None)
            last = before.rsplit("/", 1)[-1]
            is_key = bool(re.search(r"[{}|]", segment) or GUID.fullmatch(segment) or segment in KEYS or len(segment) > 30 and "." not in segment and segment not in LONG)
            if known and is_key and self.owner is None:
                self.root = before
                self.owner = self.world.first(before) if before in FIRST else self.world.new(self.kind(before))
                segment = self.owner
            elif is_key and last in MEMBERS:
                segment = self.item(last, "/" + "/".join(done))
            done.append(segment)
            before = f"{before}/{segment}".lower() if segment != self.owner else "/{}"
        return "/" + "/".join(done)

    def kind(self, before):
        # A few actions are for one kind of group only.
        if before == "/groups" and re.search(r"group-(renew|update|delete\.|validate)", self.doc):
            return "unified"
        # The documented permission is one of Microsoft Graph.
        if before == "/serviceprincipals" and "delegatedpermissionclassification" in self.doc:
            return "api"
        if before == "/domains" and self.doc in ("domain-verify.md", "domain-list-verificationdnsrecords.md"):
            return "unverified"
        return OBJECTS[before]

    def item(self, name, path):
        """An item of the object's collection, which exists."""
        world, kind = self.world, MEMBERS[name]
        if kind == "user":
            one = world.new("user")
            # A group keeps an owner.
            if name == "owners":
                world.link(path, world.new("user"))
            world.link(path, one)
            return one
        if kind == "scoped":
            role = world.new("directory_role")
            return world.ok("POST", path, {"roleId": role, "roleMemberInfo": {"id": world.new("user")}})["id"]
        if kind == "approle":
            resource = self.owner if name == "approleassignedto" else world.new("principal")
            principal = self.owner if name == "approleassignments" else world.new("user")
            return world.app_role(principal, resource, path)
        if kind == "extension":
            return world.ok("POST", path, {"name": "jobGroup", "dataType": "String", "targetObjects": ["User"]})["id"]
        if kind == "federated":
            return world.ok("POST", path, {
                "name": "testing02", "issuer": "https://login.microsoftonline.com/x/v2.0", "subject": uuid.uuid4().hex,
                "audiences": ["api://AzureADTokenExchange"],
            })["id"]
        if kind == "classification":
            scopes = world.ok("GET", f"/servicePrincipals/{self.owner}")["oauth2PermissionScopes"]
            taken = {one["permissionName"] for one in world.ok("GET", path)["value"]} | {"User.Read"}
            scope = next(one for one in scopes if one["value"] not in taken)
            return world.ok("POST", path, {"permissionId": scope["id"], "permissionName": scope["value"], "classification": "low"})["id"]
        return world.ok("POST", path, {
            "@odata.type": "#microsoft.graph.internalDomainFederation", "issuerUri": f"http://{self.owner}/trust",
            "passiveSignInUri": f"https://sts.{self.owner}/adfs/ls", "displayName": "Contoso",
        })["id"]

    def filled(self, value, name=""):
        """The body with ids of this tenant."""
        world = self.world
        if isinstance(value, dict):
            return {key: self.filled(item, key) for key, item in value.items()}
        if isinstance(value, list):
            if name in ("groupIds", "ids") and "getByIds" not in self.path:
                return [self.joined_group() for _ in value]
            if name == "ids":
                return [world.new("user") for _ in value]
            if name == "addLicenses":
                # The tenant has one licence.
                return [self.filled(item, name) for item in value[:1]]
            if name == "removeLicenses":
                return [self.licensed()] if value and not self.body.get("addLicenses") else []
            if name == "disabledPlans":
                return []
            return [self.filled(item, name) for item in value]
        if not isinstance(value, str):
            return value
        if name in ("@odata.id",) or name.endswith("@odata.bind"):
            kind = "group" if "/groups/" in value else "user"
            return f"{world.tenant.graph}/v1.0/directoryObjects/{world.new(kind)}"
        fill = {
            "roleId": lambda: world.new("directory_role"), "principalId": lambda: self.principal(),
            "resourceId": lambda: self.resource(), "clientId": lambda: world.new("principal"),
            "onBehalfOfUserId": lambda: world.new("user"), "skuId": self.sku, "appId": self.app_id,
            "keyId": self.key_id, "deviceId": lambda: str(uuid.uuid4()), "roleTemplateId": self.template,
            "password": lambda: f"Aa1-{uuid.uuid4().hex}", "endDateTime": lambda: "2027-06-01T00:00:00Z", "userPrincipalName": lambda: f"{uuid.uuid4().hex[:12]}@contoso.com",
            "appRoleId": lambda: "00000000-0000-0000-0000-000000000000",
            "mailNickname": lambda: uuid.uuid4().hex[:12], "currentPassword": lambda: world.tenant.password,
            "directoryScopeId": self.scope, "roleDefinitionId": lambda: ROLE if GUID.fullmatch(value) else value,
        }
        if name == "displayName" and "roleDefinitions" in self.path:
            return f"{value} {uuid.uuid4().hex[:12]}"
        if name == "id" and "roleMemberInfo" in json.dumps(self.body):
            return world.new("user")
        if name == "id" and self.path == "/domains":
            return f"{uuid.uuid4().hex[:12]}.com"
        if name == "issuer" and value == "contoso.onmicrosoft.com":
            return "contoso.com"
        return fill[name]() if name in fill else value

    def principal(self):
        return self.owner if self.path.endswith("/appRoleAssignments") else self.world.new("user")

    def resource(self):
        if self.path.startswith("/oauth2"):
            return self.world.tenant.api
        return self.owner if self.path.endswith("/appRoleAssignedTo") else self.world.new("principal")

    def sku(self):
        return self.world.ok("GET", "/subscribedSkus")["value"][0]["skuId"]

    def app_id(self):
        return self.world.ok("POST", "/applications", {"displayName": NAME})["appId"]

    def joined_group(self):
        """A group with the object as a member."""
        group = self.world.new("group")
        self.world.link(f"/groups/{group}/members", self.owner)
        return group

    def licensed(self):
        sku = self.sku()
        licenses = {"addLicenses": [{"skuId": sku, "disabledPlans": []}], "removeLicenses": []}
        self.world.ok("POST", self.path if not self.me else f"/users/{self.owner}/assignLicense", licenses)
        return sku

    def template(self):
        active = {role["roleTemplateId"] for role in self.world.ok("GET", "/directoryRoles")["value"]}
        templates = self.world.ok("GET", "/directoryRoleTemplates")["value"]
        return next(one["id"] for one in templates if one["id"] not in active)

    def key_id(self):
        path = self.path.rsplit("/", 1)[0]
        return self.world.ok("POST", f"{path}/addPassword", {})["keyId"]

    def scope(self):
        scope = self.body["directoryScopeId"]
        if "administrativeUnits" in scope:
            return f"/administrativeUnits/{self.world.new('unit')}"
        return "/" if scope == "/" else f"/{self.world.new('application')}"

    def prepare(self):
        """What a list must have to be compared."""
        world, last = self.world, self.path.rsplit("/", 1)[-1].lower()
        owner, root = self.owner, getattr(self, "root", None)
        if last in ("getmembergroups", "getmemberobjects"):
            self.joined_group()
        self.fill_query()
        if self.method == "GET" and owner and last == "directreports":
            world.ok("PUT", f"/users/{world.new('user')}/manager/$ref", world.reference(owner))
        if self.method == "GET" and owner and root not in FIRST:
            if last in MEMBERS and not (root == "/domains"):
                if root == "/directory/administrativeunits" and last == "members":
                    for kind in ("user", "group", "device"):
                        world.link(self.path, world.new(kind))
                elif not (MEMBERS[last] == "user" and root == "/directoryroles"):
                    self.item(last, self.path)
                else:
                    world.link(self.path, world.new("user"))
            if last in ("memberof", "transitivememberof"):
                world.link(f"/groups/{world.new('group')}/members", owner)
            if last in ("ownedobjects",):
                world.link(f"/groups/{world.new('group')}/owners", owner)
            if last in ("owneddevices", "registereddevices"):
                name = "registeredOwners" if last == "owneddevices" else "registeredUsers"
                world.link(f"/devices/{world.new('device')}/{name}", owner)
            if last in ("transitivemembers",):
                world.link(f"{self.path.rsplit('/', 1)[0]}/members", world.new("user"))
            if last == "manager":
                world.ok("PUT", f"/users/{owner}/manager/$ref", world.reference(world.new("user")))
            if last == "oauth2permissiongrants":
                client = owner if root == "/serviceprincipals" else world.new("principal")
                user = owner if root == "/users" else world.new("user")
                world.ok("POST", "/oauth2PermissionGrants", {
                    "clientId": client, "consentType": "Principal", "principalId": user, "resourceId": world.tenant.api, "scope": "User.Read",
                })
            if last == "licensedetails":
                world.send("PATCH", f"/users/{owner}", {"usageLocation": "DE"})
                world.send("POST", f"/users/{owner}/assignLicense", {"addLicenses": [{"skuId": self.sku(), "disabledPlans": []}], "removeLicenses": []})
            if last == "domainnamereferences":
                mark = uuid.uuid4().hex[:12]
                world.ok("POST", "/users", {
                    "accountEnabled": True, "displayName": NAME, "mailNickname": mark, "userPrincipalName": f"{mark}@{owner}",
                    "passwordProfile": {"password": f"Aa1-{mark}"},
                })
            if last == "federationconfiguration":
                self.item(last, self.path)
            if root == "/domains" and last == "serviceconfigurationrecords":
                world.ok("PATCH", f"/domains/{owner}", {"supportedServices": ["Email"]})
        if self.method == "GET" and owner is None:
            path = self.path.lower().removesuffix("/delta")
            kind = OBJECTS.get(path) or {"/directory/deleteditems/microsoft.graph.group": "deleted"}.get(path)
            if kind:
                world.new(kind)


def fill_query(self):
    """Ids in filters, and what they select."""
    world = self.world
    if "initiatedBy/user/id eq" in self.query:
        self.query = GUID.sub(world.tenant.user_id, self.query)
    if "resourceId eq" in self.query:
        resource = world.new("principal")
        world.app_role(self.owner, resource, f"/users/{self.owner}/appRoleAssignments")
        self.query = GUID.sub(resource, self.query)
    if "$expand=manager" in self.query:
        one = self.owner
        for _ in range(3):
            above = world.new("user")
            world.ok("PUT", f"/users/{one}/manager/$ref", world.reference(above))
            one = above
    if "membershipRuleProcessingState eq" in self.query:
        world.ok("POST", "/groups", {
            "displayName": NAME, "mailNickname": uuid.uuid4().hex[:12], "mailEnabled": False, "securityEnabled": True,
            "groupTypes": ["DynamicMembership"], "membershipRule": "user.city -eq \"Oslo\"", "membershipRuleProcessingState": "On",
        })
    if "assignedLicenses/any()" in self.query:
        group = world.new("group")
        world.ok("POST", f"/groups/{group}/assignLicense", {"addLicenses": [{"skuId": self.sku(), "disabledPlans": []}], "removeLicenses": []})


Request.fill_query = fill_query
World.new_unverified = lambda self: self.new_domain(verified=False)
# Keys of the examples that look like names.
KEYS = {"contoso.com"}
LONG = {"customSecurityAttributeDefinitions", "delegatedPermissionClassifications", "addTokenSigningCertificate", "serviceConfigurationRecords", "userRegistrationDetails", "getAvailableExtensionProperties"}


def names(value, prefix=""):
    """The names of all properties, with those of complex values and of items below them."""
    found = set()
    if isinstance(value, dict):
        for name, item in value.items():
            found.add(f"{prefix}{name}")
            found |= names(item, f"{prefix}{name}/")
    elif isinstance(value, list):
        for item in value:
            found |= names(item, prefix)
    return found


def without_wrapper(documented, body):
    """Older pages show one object inside of `value`."""
    inner = documented.get("value")
    if isinstance(inner, list) and len(inner) == 1:
        inner = inner[0]
    return inner if isinstance(inner, dict) and "value" not in body else documented


def has_value(body, path):
    """Whether the response has a value at a path, so that the names below it can be compared."""
    values = [body]
    for name in path:
        flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
        values = [item for one in flat if isinstance(one, dict) for key, item in one.items() if key.lower() == name.lower() and item is not None]
    flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return any(isinstance(one, dict) and one for one in flat)


def compare(request, documented, status, body):
    """The differences between a response and the documented one."""
    differences = []
    if documented["status"] and status != documented["status"]:
        return [f"status {documented['status']}"]
    if documented["body"] is None or not isinstance(body, dict):
        return differences
    wanted_body = without_wrapper(documented["body"], body)
    # A few pages write a name with a capital letter.
    actual = {name.lower() for name in names(body)}
    for name in sorted(name for name in names(wanted_body) if name.lower() not in actual):
        parts = name.split("/")
        # Annotations say what a response is, and links are this tenant's.
        if parts[-1].startswith("@") or "@odata." in parts[-1]:
            continue
        if len(parts) > 1 and not has_value(body, parts[:-1]) and not (parts[0] == "value" and len(parts) == 2):
            continue
        differences.append(name)
    if isinstance(body.get("value"), list) and documented["body"].get("value") and not body["value"]:
        differences = ["no items"]
    selected = re.search(r"\$select=([^&]*)", re.sub(r"\([^()]*\)", "", request.query))
    if selected and status < 300:
        wanted = {name.strip().split("/")[0].lower() for name in selected[1].split(",")} | {"id"}
        items = body["value"] if isinstance(body.get("value"), list) else [body]
        for item in items:
            extra = [name for name in item if "@" not in name and name.lower() not in wanted and name not in ("manager",)]
            differences += [f"not selected: {name}" for name in extra]
    return sorted(set(differences))


def pairs(examples):
    """Each documented request with its response. A response names the request that it is for."""
    waiting = {}
    for example in examples:
        key = (example["doc"], example["http_method"], example["path"])
        if example["kind"] == "request":
            waiting.setdefault(key, []).append([example, None])
        elif example["kind"] == "response" and example["path"]:
            open_ones = [pair for pair in waiting.get(key, []) if pair[1] is None]
            if open_ones:
                open_ones[0][1] = example
    return [pair for group in waiting.values() for pair in group]


def is_covered(example, ours):
    path = re.sub(r"^/(v1\.0|beta)", "", example["path"].split("?")[0]).rstrip("/")
    path = GUID.sub("{id}", path)
    path = re.sub(r"^/domains/[^/]+", "/domains/{id}", path)
    path = re.sub(r"^/(oauth2PermissionGrants|roleManagement/directory/roleAssignments)/(?!delta)[^/]+", r"/\1/{id}", path)
    return operations.is_there(example["http_method"], operations.form(path), ours)


def main():
    facts, verbose = pathlib.Path(sys.argv[1]), "--verbose" in sys.argv[2:]
    known = json.loads((HERE / "documented.json").read_text())
    examples = json.loads((facts / "graph-examples.json").read_text())["examples"]
    ours = operations.implemented()
    universe = set(permissions.Facts(facts).known)
    world = World(permissions.Tenant(universe))
    failures, used, sent, compared, outside = [], set(), 0, 0, 0
    for example, documented in pairs(examples):
        if not example["http_method"] or not example["path"] or documented is None:
            continue
        label = f"{example['doc']} {example['http_method']} {example['path']}"
        if not is_covered(example, ours):
            outside += 1
            if example["http_method"] != "GET" and not operations.reason_of_example(example):
                failures.append(f"{label}: neither there nor with a reason in operations.json")
            continue
        skipped = next((row for row in known["not_sent"] if label.startswith(row[0])), None)
        if skipped:
            used.add(skipped[0])
            continue
        request = Request(world, example)
        path = request.path + (f"?{request.query}" if request.query else "")
        status, body = world.send(request.method, path, request.body, request.headers, request.me)
        sent += 1
        found = compare(request, documented, status, body)
        compared += len(names(documented["body"])) if documented["body"] else 0
        if verbose:
            print(label, "->", status, found)
        for difference in found:
            row = next((row for row in known["differences"] if label.startswith(row[0]) and difference in row[1]), None)
            if row:
                used.add(json.dumps(row[:2]))
            else:
                detail = body if status >= 400 else ""
                failures.append(f"{label}: {difference} {'' if not detail else json.dumps(detail)[:300]} ({status})")
    for row in known["not_sent"]:
        if row[0] not in used:
            failures.append(f"documented.json: {row[0]} is not needed")
    for row in known["differences"]:
        if json.dumps(row[:2]) not in used:
            failures.append(f"documented.json: the difference of {row[0]} is not needed")
    if failures:
        sys.exit("\n".join(failures))
    print(f"documented: {sent} requests, {compared} names; {outside} requests of operations that entra-graph does not have")


if __name__ == "__main__":
    main()
