"""Whether the lists of permissions in entra-graph's tables of operations are complete.

    python3 .ci/permission_lists.py FACTS          # what is missing, and reasons that nothing needs
    python3 .ci/permission_lists.py FACTS --write  # adds what is missing to the tables

.ci/permissions.py reads the sources, and checks the other direction: what the tables list is enough. Here each permission that
a source names for an operation must be in its lists, or one that writes what a listed one reads, or have a reason in LEFT_OUT.
"""

import pathlib
import re
import sys

import permissions
from permissions import DECIDED, KINDS, Expected, Facts, Operation

# What the lists leave out: an operation and kind of caller, the permission, and why.
LEFT_OUT = [
    (r"\S+-(check|get)member(group|object)s \w+", r".*", "one list in the sources for objects of every type; those of this type are listed"),
    (r"directory-deleteditems-\S+ \w+", r"(User|Group|Application|Device)\.\S*", "one list in the sources for objects of every type"),
    (r"\S+-(passwordprofile|employeeleavedatetime|customsecurityattributes|isassignabletorole) \w+", r".*", "the sources name those of the other properties too"),
    (r"\S+ \w+", r"(User|Group|GroupMember)\.ReadBasic\.All", "for basic properties alone"),
    (r"\S+ delegated", r"User\.Read(Write)?|UserAuth(enticationMethod|Method-\w+)\.Read(Write)?", "for the signed-in user alone"),
    (r"\S+ delegated", r"Directory\.AccessAsUser\.All", "for what the signed-in user may do, and no longer advised"),
    (r"\S+ \w+", r"Application\.ReadWrite\.OwnedBy", "for what the application owns, of a list or for users"),
    (r"group-\S+ \w+", r"Group-(PreferredDataLocation|NestingSupport)\.ReadWrite\.All|Group\.ManageProtection\.All|Group-XTenantIdentitySync\.Read\.All", "for one property"),
    (r"user-update \w+", r"User-\w+\.ReadWrite\.All|User\.(EnableDisableAccount|ManageIdentities)\.All", "for some properties"),
    (r"\S+ application", r"User\.ReadWrite\.CrossCloud", "for users of another cloud"),
    (r"(user|serviceprincipal)-(update|upsert) \w+", r"CustomSecAttributeAssignment\.ReadWrite\.All|(User|Application)\.Read\.All", "for custom security attributes"),
    (r"synchronization-synchronizationschema-\S+ \w+", r"CustomSecAttributeProvisioning\.Read(Write)?\.All", "for custom security attributes"),
    (r"(application|extensionproperty|serviceprincipal)-\S+ \w+", r"Directory\.Read\.All", "named beside one that writes"),
    (r"(signin-get|directoryaudit-list|directoryaudit-get)\S* \w+", r"Directory\.Read\.All", "named together with AuditLog.Read.All"),
    (r"application-upsert \w+", r"AppRegistration\.Create", "for what does not exist yet"),
    (r"group-upsert delegated", r"Group\.Create", "for applications alone"),
    (r"organization-(get|list) \w+", r"User\.Read\.All", "for a part of the properties"),
    (r"serviceprincipal-delete-approleassign\S+ \w+", r"Application\.ReadWrite\.All", "reports say that it is not enough alone"),
    (r"\S+ \w+", r"OrgContact\.Read", "Microsoft Graph does not offer it"),
]


def covered(name, listed):
    """Whether a list has a permission, or the one that reads what it writes."""
    return any(name in (one, one.replace(".Read.", ".ReadWrite.", 1)) for one in listed)


def missing(operation, row, kind, used):
    """The permissions that are missing in a list, in the order of the sources."""
    order = [name for _, names in (row["lists"][kind] if row else []) for name in names]
    decided = DECIDED.get(operation.name, [])
    order += decided[kind] if isinstance(decided, dict) else decided
    enough = set().union(*Expected(operation, row, kind).groups)
    found = []
    for name in dict.fromkeys(order):
        if name not in enough or covered(name, operation.names[kind] + operation.additional + found):
            continue
        reasons = [
            at for at, (pattern, left_out, _) in enumerate(LEFT_OUT)
            if re.fullmatch(pattern, f"{operation.name} {kind}") and re.fullmatch(left_out, name)
        ]
        used.update(reasons[:1])
        if not reasons:
            found.append(name)
    # One that reads covers one that writes, in whatever order the sources have them.
    return [name for name in found if not covered(name, [other for other in found if other != name])]


def write(added):
    """Adds permissions to the ends of the lists in the tables."""
    for path in sorted((permissions.ROOT / "entra-graph" / "src" / "areas").rglob("*.rs")):
        text = path.read_text()

        def with_added(match):
            row, names = match.group(0), added.get(match.group(1))
            if not names:
                return row
            new = {kind: names.get(kind, []) for kind in KINDS}
            both = re.search(r"both \[([^\]]*)\]", row)
            if both and new["delegated"] != new["application"]:
                lists = ",\n        ".join(f"{kind} [{joined(both.group(1), new[kind])}]" for kind in KINDS)
                return row.replace(both.group(0), lists)
            for kind in ["both"] if both else KINDS:
                found = re.search(rf"\b{kind} \[([^\]]*)\]", row)
                row = row.replace(found.group(0), f"{kind} [{joined(found.group(1), new['delegated' if both else kind])}]")
            return row

        changed = Operation.row.sub(with_added, text)
        if changed != text:
            path.write_text(changed)


def joined(listed, names):
    return ", ".join(re.findall(r'"[^"]+"', listed) + [f'"{name}"' for name in names])


def main():
    facts = Facts(pathlib.Path(sys.argv[1]))
    added, used, count = {}, set(), 0
    for operation in Operation.all():
        row = facts.of(operation)
        if row is None and operation.name not in DECIDED:
            continue
        for kind in KINDS:
            # No list where the sources have none: .ci/permissions.py compares that.
            if not operation.names[kind]:
                continue
            count += 1
            if names := missing(operation, row, kind, used):
                added.setdefault(operation.name, {})[kind] = names
    if "--write" in sys.argv[2:]:
        write(added)
        print(f"{sum(len(names) for kinds in added.values() for names in kinds.values())} permissions added")
        return
    problems = [f"{name}: {kind} lacks {names}" for name, kinds in added.items() for kind, names in kinds.items()]
    problems += [f"nothing is left out by {LEFT_OUT[at][:2]}" for at in range(len(LEFT_OUT)) if at not in used]
    if problems:
        sys.exit("\n".join(problems))
    print(f"permission lists: {count} are complete, with {len(LEFT_OUT)} reasons for what they leave out")


if __name__ == "__main__":
    main()
