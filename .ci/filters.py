"""The filters, sort orders and searches that entra-graph offers beside the documented ones.

    python3 .ci/filters.py FACTS

Reads the declarations in entra-graph/src/objects, and graph-filter-support.json and graph-odata.md. Of a directory object, a
property that the documented table does not list supports no filter at all. So every operator that a declaration has must be in
the table in the same mode, on the page of the type, or in DIFFERENT with its reason. What is documented and missing here, and that
nothing is sent that is not declared, is the part of `entra-graph/tests/it/filters.rs`.
"""

import json
import pathlib
import re
import sys

from models import ROOT, blocks

MODES = {"default": "", "advanced": "+"}
# Types of directory objects that the table lacks; their pages have the operators.
PAGES_ALONE = ["directoryRole"]
# What `endsWith` is documented for, always in the advanced mode; the table has no column for it.
ENDS_WITH = {"mail", "otherMails", "userPrincipalName", "proxyAddresses"}
# Type, property and operator for which the declaration differs, and why. "*" is any type.
DIFFERENT = {
    ("*", "assignedLicenses/skuId", "eq"): "in the default mode, page 2 of a large result fails (msgraph-sdk-java 368)",
    ("user", "identities/issuerAssignedId", "eq"): "an identity is found by its issuer and this together; the table has a row for the issuer",
    ("user", "signInActivity/lastSignInDateTime", "*"): "documented with the property itself, not in the table",
    ("user", "signInActivity/lastNonInteractiveSignInDateTime", "*"): "documented with the property itself, not in the table",
    ("user", "signInActivity/lastSuccessfulSignInDateTime", "*"): "documented with the property itself, not in the table",
}
PROPERTY = re.compile(r'=\s*[A-Z0-9_]+\(\s*"([^"]+)"(?:\s*,\s*"([^"]*)")?\s*,?\s*\)')
NESTED = re.compile(r'nested\(\s*"([^"]+)",\s*"([^"]*)",?\s*\)')


def declared():
    """By type and path, the operators as declared, `+` behind those of the advanced mode."""
    found = {}
    for path in sorted((ROOT / "entra-graph" / "src" / "objects").glob("*.rs")):
        text = re.sub(r"^\s*//.*$", "", path.read_text(), flags=re.M)
        for _, macro, name, odata, body in blocks(text):
            if macro != "entity" or not odata:
                continue
            own = found.setdefault(odata.removeprefix("#microsoft.graph."), {})
            for wire, row in PROPERTY.findall(body):
                own[wire] = set(row.split())
            described = re.search(rf"impl Described for {name} \{{(.*?)\n\}}", text, re.S)
            for wire, row in NESTED.findall(described.group(1) if described else ""):
                own[wire] = set(row.split())
    return found


def path_of(key):
    """A path of the table as the declarations write it: without range variables, numbered names by their stem."""
    key = re.sub(r"/any\((\w):\1(/\w+)?\)", r"\2", key)
    if key == "extensionAttributes1-15":
        key = "extensionAttributes/extensionAttribute1-15"
    return key.replace("extensionAttribute1-15", "extensionAttribute*")


def documented(facts):
    """By type, path and operator, the forms that are documented: in the mode of the table, or in any if a page alone names it."""
    support = json.loads((facts / "graph-filter-support.json").read_text())
    found = {}
    for kind in [*support["filter_operators"], *PAGES_ALONE]:
        own = found.setdefault(kind, {})
        for key, operators in support["filter_operators"].get(kind, {}).items():
            for operator, mode in operators.items():
                own[path_of(key), operator] = {operator + MODES[mode]} if mode in MODES else set()
        for name, note in support["property_notes"][kind].items():
            named = set(note["filter"] if isinstance(note.get("filter"), list) else [])
            if note.get("filter_null"):
                named.add("null")
            for operator in named:
                if not own.get((name, operator)):
                    own[name, operator] = {operator, operator + "+"}
            if name in ENDS_WITH:
                own[name, "endsWith"] = {"endsWith+"}
        for name, mode in support["orderby"].get(kind, {}).items():
            own[name, "orderby"] = {"orderby" + MODES[mode]}
    text = (facts / "graph-odata.md").read_text()
    for part in re.search(r"\$search marked in property tables\*\*: (.*)", text).group(1).split(";"):
        kind, names = part.strip().split(": ")
        for name in names.split(", "):
            found[kind][name.strip(), "search"] = {"search"}
    return found


def main():
    facts = pathlib.Path(sys.argv[1])
    ours, theirs = declared(), documented(facts)
    problems, used, checked = [], set(), 0
    for kind, known in sorted(theirs.items()):
        if kind not in ours:
            problems.append(f"{kind} is not declared")
            continue
        for path, row in sorted(ours[kind].items()):
            for form in sorted(row):
                checked += 1
                operator = form.rstrip("+")
                allowed = known.get((path, operator), set())
                if form in allowed:
                    continue
                reasons = {(of, path, by) for of in (kind, "*") for by in (operator, "*")} & set(DIFFERENT)
                used |= reasons
                if not reasons:
                    problems.append(f"{kind}: {path}: {form} is declared, documented is {' or '.join(sorted(allowed)) or 'none'}")
        # A sort or a search that is documented for a property that is there.
        for (path, operator), forms in sorted(known.items()):
            if operator in ("orderby", "search") and path in ours[kind] and not forms & ours[kind][path]:
                problems.append(f"{kind}: {path}: {operator} is documented, not declared")
    problems += [f"no difference needs the reason of {key}" for key in DIFFERENT if key not in used]
    if problems:
        sys.exit("\n".join(problems))
    print(f"filters: {checked} operators of {len(theirs)} types as documented, {len(DIFFERENT)} differences with a reason")


if __name__ == "__main__":
    main()
