#!/usr/bin/env python3
"""Writes the committed tables of facts beside this script from the project's fact files.

    python3 entra-mock/tables/generate.py FACTS          # write the tables
    python3 entra-mock/tables/generate.py FACTS --check  # only say whether they are up to date

types.tsv: one line per property of each entity type that the fake tenant holds and of every
complex type it can reach, base types included: type, property, type of the value, "many" for a
collection, "required" if the metadata does not allow null. Lines with "=enum" list the members.

permissions.tsv: one line per operation: method, path, delegated names, application names, each a
list with blanks between. A name counts if the API's own page or the machine-readable list has it.

segments.tsv: what can stand at which place of a path. Lines with "=set" and "=singleton" name the type of a
collection or object at the root; the other lines list the properties, relationships, functions and actions
below an object of a type.
"""

import json
import pathlib
import re
import sys

ENTITIES = [
    "user", "group", "application", "servicePrincipal", "device", "appRoleAssignment",
    "oAuth2PermissionGrant", "organization", "subscribedSku", "signIn", "directoryAudit",
    "profilePhoto", "delegatedPermissionClassification", "extensionProperty", "federatedIdentityCredential", "licenseDetails", "administrativeUnit",
    "provisioningObjectSummary", "riskyUser", "riskDetection",
    "appManagementPolicy", "applicationTemplate", "selfSignedCertificate", "tenantAppManagementPolicy",
    "userRegistrationDetails", "directoryRole", "unifiedRoleDefinition", "unifiedRoleAssignment", "invitation",
    "domain", "internalDomainFederation", "conditionalAccessPolicy", "namedLocation", "orgContact",
    "attributeSet", "customSecurityAttributeDefinition", "allowedValue",
    "riskyUserHistoryItem", "subscription", "userRegistrationFeatureSummary", "userRegistrationMethodSummary",
]
PATHS = re.compile(
    r"^/(users|groups|me|applications|serviceprincipals|devices|organization|subscribedskus|subscriptions"
    r"|auditlogs|identityprotection|reports/authenticationmethods|oauth2permissiongrants|directoryobjects|directory/deleteditems|directory/administrativeunits|directory/attributesets|directory/customsecurityattributedefinitions"
    r"|contacts|domains|identity/conditionalaccess|invitations|tenantrelationships|directoryroles|directoryroletemplates|rolemanagement/directory|policies|applicationtemplates)(/|\(|$)"
)
# What stands below an object; the rest of Graph is not the fake tenant's.
BELOW = {
    "$count", "$ref", "delta", "members", "owners", "manager", "directreports", "memberof", "transitivememberof",
    "transitivemembers", "createdobjects", "ownedobjects", "owneddevices", "registereddevices", "registeredowners", "registeredusers",
    "approleassignments", "approleassignedto", "oauth2permissiongrants", "photo", "photos", "$value", "licensedetails",
    "checkmembergroups", "checkmemberobjects", "getmembergroups", "getmemberobjects", "assignlicense", "changepassword",
    "revokesigninsessions", "reprocesslicenseassignment", "renew", "restore", "getbyids", "validateproperties", "sponsors", "sponsorof", "scopedrolememberof", "transitivereports",
    "addpassword", "removepassword", "addkey", "removekey", "setverifiedpublisher", "unsetverifiedpublisher", "logo", "federatedidentitycredentials", "extensionproperties",
    "delegatedpermissionclassifications", "getavailableextensionproperties", "getuserownedobjects", "signins", "directoryaudits", "deleteditems", "administrativeunits", "provisioning", "riskyusers", "riskdetections", "authentication", "methods", "authenticationmethods",
    "emailmethods", "externalauthenticationmethods", "fido2methods", "microsoftauthenticatormethods", "passwordmethods",
    "phonemethods", "platformcredentialmethods", "softwareoathmethods", "temporaryaccesspassmethods", "windowshelloforbusinessmethods",
    "userregistrationdetails", "microsoft.graph.{id}", "{id}",
    "findtenantinformationbytenantid(tenantid={id})", "findtenantinformationbydomainname(domainname={id})",
    "directory", "roledefinitions", "roleassignments",
    "appmanagementpolicies", "appliesto", "defaultappmanagementpolicy", "instantiate", "addtokensigningcertificate",
    "reauthorize", "confirmcompromised", "confirmsafe", "dismiss", "history",
    "usersregisteredbyfeature", "usersregisteredbyfeature()", "usersregisteredbymethod", "usersregisteredbymethod()",
    "allowedvalues", "attributesets", "customsecurityattributedefinitions",
    "synchronization", "jobs", "templates", "secrets", "schema", "start", "pause", "restart", "provisionondemand", "validatecredentials", "acquireaccesstoken",
    "conditionalaccess", "policies", "namedlocations", "scopedmembers", "scopedrolemembers", "transitiveroleassignments",
    "domainnamereferences", "federationconfiguration", "forcedelete", "promote", "rootdomain", "serviceconfigurationrecords", "verificationdnsrecords", "verify",
}
# Types whose objects are of derived types: one table has the properties of all of them.
DERIVED = {
    "namedLocation": ["ipNamedLocation", "countryNamedLocation"],
    "ipRange": ["iPv4CidrRange", "iPv4Range"],
    "conditionalAccessExternalTenants": ["conditionalAccessEnumeratedExternalTenants"],
}
OTHER_SERVICES = ("AgentId", "DeviceManagement", "PrivilegedAccess")
# Complex types that the fact files lack, from the pages of Microsoft's documentation.
DOCUMENTED = [
    # customSecurityAttributeStringValueExemption resource type, read 2026-11-29
    {"name": "customSecurityAttributeExemption", "properties": {
        "id": "String", "operator": "customSecurityAttributeComparisonOperator", "value": "String"}},
    # managedIdentity resource type (beta), read 2026-11-29
    {"name": "managedIdentity", "properties": {
        "associatedResourceId": "String", "federatedTokenId": "String", "federatedTokenIssuer": "String", "msiType": "msiType"}},
    {"name": "msiType", "members": ["none", "userAssigned", "systemAssigned", "unknownFutureValue"]},
    # authenticationDetail resource type (beta), read 2026-11-29
    {"name": "authenticationDetail", "properties": {
        "authenticationMethod": "String", "authenticationMethodDetail": "String", "authenticationStepDateTime": "DateTimeOffset",
        "authenticationStepRequirement": "String", "authenticationStepResultDetail": "String", "succeeded": "Boolean"}},
]
# Any access token is enough: their pages say so, and their lists are empty.
OPEN = {"/applicationtemplates", "/applicationtemplates/{id}"}
NAMESPACE = "microsoft.graph."
HERE = pathlib.Path(__file__).parent


def types(facts):
    metadata = json.loads((facts / "graph-csdl.json").read_text())
    additions = json.loads((facts / "graph-additions.json").read_text())
    declared = {}
    for item in additions["types"] + metadata["types"]:
        name = item.get("full_name") or NAMESPACE + item["name"]
        # What only beta has joins the type of v1.0.
        beta = declared.get(name.removeprefix(NAMESPACE), {})
        if beta.get("partial") or beta.get("version") == "beta":
            known = {entry["name"] for entry in item["properties"]}
            optional = {entry["name"] for entry in beta["properties"] if entry.get("nullable", True)}
            item = dict(item, properties=[dict(entry, nullable=entry.get("nullable", True) or entry["name"] in optional) for entry in item["properties"]] + [entry for entry in beta["properties"] if entry["name"] not in known])
        declared[name.removeprefix(NAMESPACE)] = item
    for item in DOCUMENTED:
        properties = [{"name": name, "type": value} for name, value in item.get("properties", {}).items()]
        declared[item["name"]] = dict(item, kind="enum" if "members" in item else "complex", properties=properties)
    lines, done, waiting = [], set(), list(ENTITIES)
    while waiting:
        name = waiting.pop(0)
        item = declared.get(name)
        if name in done or item is None:
            continue
        done.add(name)
        if item["kind"] == "enum":
            members = [member["name"] if isinstance(member, dict) else member for member in item["members"]]
            lines.append((name, "=enum", " ".join(members), "", ""))
            continue
        properties = [entry for derived in DERIVED.get(name, []) for entry in declared[derived]["properties"]]
        base = item
        while base is not None:
            properties += base["properties"]
            parent = base.get("base_type") or base.get("base")
            base = declared.get(parent.removeprefix(NAMESPACE)) if parent else None
        if item.get("open_type"):
            lines.append((name, "=open", "", "", ""))
        for entry in properties:
            value = entry["type"].removeprefix(NAMESPACE).removeprefix("Edm.")
            many = "many" if entry.get("collection") else ""
            required = "" if entry.get("nullable", True) else "required"
            lines.append((name, entry["name"], value, many, required))
            if "." not in value and value[0].islower():
                waiting.append(value)
    return lines


JOBS = "servicePrincipals/{id}/synchronization/jobs"
# The schema of a template is replaced at its application only.
TEMPLATES = "applications/{id}/synchronization/templates"
# Operations that the fact files lack, from the pages of Microsoft's documentation.
PAGES = [
    # Manage custom security attribute assignments (concepts), read 2026-11-29
    ("PATCH", "/servicePrincipals/{id}", ["CustomSecAttributeAssignment.ReadWrite.All"], ["CustomSecAttributeAssignment.ReadWrite.All"]),
    # List existing synchronization templates, and Get synchronizationTemplate, read 2026-11-30
    *(("GET", f"/applications/{{id}}/synchronization/templates{key}",
       ["Synchronization.Read.All", "Synchronization.ReadWrite.All"],
       ["Application.ReadWrite.OwnedBy", "Synchronization.Read.All", "Synchronization.ReadWrite.All"])
      for key in ("", "/{id}")),
    # Get synchronizationSchema, read 2026-11-29; for templates of applications 2026-11-30
    *(("GET", f"/{place}/{{id}}/schema",
       ["Synchronization.Read.All", "Synchronization.ReadWrite.All", "CustomSecAttributeProvisioning.Read.All", "CustomSecAttributeProvisioning.ReadWrite.All"],
       ["CustomSecAttributeProvisioning.Read.All", "Application.ReadWrite.OwnedBy", "CustomSecAttributeProvisioning.ReadWrite.All", "Synchronization.Read.All", "Synchronization.ReadWrite.All"])
      for place in (JOBS, "servicePrincipals/{id}/synchronization/templates", TEMPLATES)),
    # Update synchronizationSchema, read 2026-11-30
    *(("PUT", f"/{place}/{{id}}/schema",
       ["Synchronization.ReadWrite.All", "CustomSecAttributeProvisioning.ReadWrite.All"],
       ["Application.ReadWrite.OwnedBy", "CustomSecAttributeProvisioning.ReadWrite.All", "Synchronization.ReadWrite.All"])
      for place in (JOBS, TEMPLATES)),
]


def permissions(facts):
    rows = {}

    def add(method, path, *lists):
        path = re.sub(r"\((appId|deviceId|uniqueName|roleTemplateId)='?\{[^}]*\}'?\)", "/{id}", path, flags=re.I)
        path = re.sub(r"\{[^}]+\}", "{id}", path)
        # The same resource under its older path; only that one is published for delta.
        path = re.sub(r"^/administrativeUnits\b", "/directory/administrativeUnits", path, flags=re.I)
        if not PATHS.match(path.lower()) or any(part not in BELOW for part in path.lower().split("/")[2:]):
            return
        delegated, application = rows.setdefault((path.lower(), method), (path, set(), set()))[1:]
        for target, names in zip((delegated, application), lists):
            target.update(name for name in names or [] if name and not name.startswith(OTHER_SERVICES))

    published = json.loads((facts / "graph-permissions.json").read_text())
    for entry in published["paths"]:
        docs = entry.get("docs") or {}
        for source in [entry, docs] + list((entry.get("by_subscribed_resource") or {}).values()):
            add(entry["method"], entry["path"], source.get("delegated_work"), source.get("application"))
    additions = json.loads((facts / "graph-additions.json").read_text())
    for entry in additions["operations"]:
        docs = entry.get("docs") or {}
        for source in [entry, docs] + list((entry.get("by_type") or {}).values()):
            add(entry["method"], entry["path"], source.get("delegated"), source.get("application"))
    for entry in PAGES:
        add(*entry)
    pages = json.loads((facts / "graph-filter-support.json").read_text())
    for page in pages["doc_permission_tables"]:
        for request in page["requests"]:
            for table in page["tables"]:
                add(request["method"], request["path"], table.get("delegated"), table.get("application"))
    return [
        (method, path, " ".join(sorted(delegated)), " ".join(sorted(application)))
        for (_, method), (path, delegated, application) in sorted(rows.items())
        if delegated or application or path.lower() in OPEN
    ]


def segments(facts):
    metadata = json.loads((facts / "graph-csdl.json").read_text())
    additions = json.loads((facts / "graph-additions.json").read_text())
    published = json.loads((facts / "graph-permissions.json").read_text())
    declared = {item["full_name"]: item for item in metadata["types"]}
    roots, lines = {}, []
    for entry in metadata["container"]:
        kind = "=set" if entry["kind"] == "entity_set" else "=singleton"
        roots[entry["name"].lower()] = (kind, entry["type"])
        known = entry["type"] if declared.get(entry["type"], {}).get("kind") == "entity" else ""
        lines.append((kind, entry["name"], known.removeprefix(NAMESPACE)))
    below = {}
    for owner in sorted({of for _, of in roots.values() if declared.get(of, {}).get("kind") == "entity"}):
        names, base = below.setdefault(owner, set()), owner
        while base:
            item = declared[base]
            names |= {entry["name"] for entry in item["properties"] + item["navigation"]}
            names |= {entry["name"] for entry in metadata["operations"] if entry["bound_to"] == base and not entry["bound_to_collection"]}
            base = item["base_type"]
    # What permission lists and pages name, such as members of derived types.
    for entry in published["paths"] + additions["operations"]:
        parts = [part for part in re.sub(r"\(([^()]*)\)", r"/{\1}", entry["path"]).split("/") if part]
        kind, owner = roots.get(parts[0].lower(), ("", ""))
        place = {"=set": 2, "=singleton": 1}.get(kind, len(parts))
        if owner in below and len(parts) > place:
            below[owner].add(parts[place])
    for owner, names in sorted(below.items()):
        names = {name for name in names if re.fullmatch(r"\w+", name)}
        lines.append((owner.removeprefix(NAMESPACE), " ".join(sorted(names, key=lambda name: (name.lower(), name)))))
    return lines


def main():
    facts, check = pathlib.Path(sys.argv[1]), "--check" in sys.argv[2:]
    stale = []
    for name, lines in (("types.tsv", types(facts)), ("permissions.tsv", permissions(facts)), ("segments.tsv", segments(facts))):
        text = "".join("\t".join(line).rstrip("\t") + "\n" for line in lines)
        path = HERE / name
        if check:
            if not path.exists() or path.read_text() != text:
                stale.append(name)
        else:
            path.write_text(text)
            print(f"{name}: {len(lines)} lines")
    if stale:
        sys.exit(f"not as the facts say: {', '.join(stale)}; run entra-mock/tables/generate.py")


if __name__ == "__main__":
    main()
