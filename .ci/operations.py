#!/usr/bin/env python3
"""Writes entra-graph/OPERATIONS.md: every documented operation of this SDK's areas that entra-graph does not have, with
the reason.

    python3 .ci/operations.py FACTS          # write the file
    python3 .ci/operations.py FACTS --check  # only say whether it is up to date

What is documented comes from graph-permissions.json, graph-additions.json, the permission tables of older pages in
graph-filter-support.json and the requests of graph-examples.json; what is there from the tables of operations in
entra-graph/src/areas. A documented operation that is neither there nor has a reason is an error, and so is a reason that no
operation needs.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / "entra-graph" / "OPERATIONS.md"
# The areas of this SDK, by the start of the path.
AREAS = re.compile(
    r"^/(users|groups|me|applications|serviceprincipals|applicationtemplates|oauth2permissiongrants|devices"
    r"|directoryobjects|directoryroles|directoryroletemplates|rolemanagement/directory|administrativeunits"
    r"|directory/administrativeunits|directory/deleteditems|directory/attributesets"
    r"|directory/customsecurityattributedefinitions|organization|domains|subscribedskus|subscriptions|contacts|invitations"
    r"|tenantrelationships/findtenant|identity/conditionalaccess|identityprotection|auditlogs"
    r"|reports/authenticationmethods|schemaextensions|policies/(default)?appmanagementpolic)"
)
# Methods and paths, and why an operation that matches is not there. The first match counts.
USED = set()
REASONS = json.loads((pathlib.Path(__file__).parent / "operations.json").read_text())


def documented(facts):
    """Method and path of every documented operation, by the form in which they are compared."""
    found = {}
    published = json.loads((facts / "graph-permissions.json").read_text())["paths"]
    added = json.loads((facts / "graph-additions.json").read_text())["operations"]
    pages = json.loads((facts / "graph-filter-support.json").read_text())["doc_permission_tables"]
    older = [request for page in pages for request in page["requests"]]
    examples = json.loads((facts / "graph-examples.json").read_text())["examples"]
    shown = [
        {"method": one["http_method"], "path": re.sub(r"^/(v1\.0|beta)|\?.*$", "", one["path"])}
        for one in examples if one["http_method"] and one["path"]
    ]
    for row in published + added + older + shown:
        path = row["path"].rstrip("/")
        if AREAS.match(path.lower()):
            found.setdefault((row["method"], form(path)), path)
    return found


def form(path):
    """A path in the form in which it is compared: keys and casts without their names, in lower case."""
    path = path.lower()
    # An alternate key addresses the same object as its id; a function keeps its parameters.
    path = re.sub(r"(?<=[a-z])\((appid|deviceid|uniquename|roletemplateid|name)='?\{[^}]*\}'?\)", "/{id}", path)
    # Examples have keys, and the older lists a few as well.
    path = re.sub(r"/[0-9a-f]{8}-[0-9a-f-]{20,28}(?=/|$)", "/{id}", path)
    path = re.sub(r"^/domains/[^/{]+", "/domains/{id}", path)
    path = re.sub(r"^/(oauth2permissiongrants|rolemanagement/directory/roleassignments)/[^/{]{30,}$", r"/\1/{id}", path)
    # The template of a role in a segment of its own, and an empty list of parameters.
    path = re.sub(r"/roletemplateid=(\{[^}]*\}+|[0-9a-f-]{36})", "/{id}", path)
    path = path.removesuffix("()")
    path = re.sub(r"\{[^}]*\}", "{id}", path)
    path = re.sub(r"^/administrativeunits\b", "/directory/administrativeunits", path)
    return path


def implemented():
    """Method and path of every operation in the tables of entra-graph."""
    row = re.compile(r'= "[^"]+" ([A-Z]+)(?:\([A-Za-z]+\))?(?: @ [A-Za-z]+)? "([^"]+)"')
    found = set()
    for path in sorted((ROOT / "entra-graph" / "src" / "areas").rglob("*.rs")):
        for method, target in row.findall(path.read_text()):
            found.add((method, form(target)))
    return found


def is_there(method, path, ours):
    if (method, path) in ours:
        return True
    # The signed-in user is a user.
    if path.startswith("/me") and (method, path.replace("/me", "/users/{id}", 1)) in ours:
        return True
    # The lists publish a change of references without the last segment.
    if method in ("POST", "PUT", "DELETE") and (method, path + "/$ref") in ours:
        return True
    # A cast, a count and an item of a list are options of the list.
    for suffix in ("/$count", "/microsoft.graph.{id}", "/graph.{id}"):
        if method == "GET" and path.endswith(suffix) and (method, path.removesuffix(suffix)) in ours:
            return True
    return False


def reason(method, path):
    for pattern, text in REASONS:
        if re.fullmatch(pattern, f"{method} {path}"):
            USED.add(pattern)
            return text
    return None


def reason_of_example(example):
    """Why entra-graph does not have the operation of a documented example, if it is one of its areas."""
    path = re.sub(r"^/(v1\.0|beta)", "", example["path"].split("?")[0]).rstrip("/")
    path = form(re.sub(r"[0-9a-f]{8}-[0-9a-f-]{20,28}", "{id}", path))
    if not AREAS.match(path):
        return "no area of this SDK"
    return reason(example["http_method"], path)


def main():
    facts, check = pathlib.Path(sys.argv[1]), "--check" in sys.argv[2:]
    ours = implemented()
    groups, unknown, count = {}, [], 0
    for (method, path), shown in sorted(documented(facts).items(), key=lambda item: (item[0][1], item[0][0])):
        count += 1
        if is_there(method, path, ours):
            continue
        text = reason(method, path)
        if text is None:
            unknown.append(f"{method} {path}")
            continue
        groups.setdefault(text, []).append(f"`{method} {shown}`")
    if unused := [pattern for pattern, text in REASONS if pattern not in USED]:
        sys.exit("no operation needs the reason of:\n" + "\n".join(unused))
    if unknown:
        sys.exit("no reason for:\n" + "\n".join(unknown))
    missing = sum(len(rows) for rows in groups.values())
    lines = [
        "# What entra-graph does not have",
        "",
        f"Of {count} documented operations of its areas, entra-graph has {count - missing}. The others are below, by the",
        "reason why they are not there; `graph.raw(..)` sends each of them with the same retries and errors.",
        "`.ci/operations.py` writes this file from Microsoft's published lists and the tables of operations in `src/areas`.",
        "",
    ]
    for text in sorted(groups):
        lines += [f"## {text}", "", *(f"- {row}" for row in groups[text]), ""]
    content = "\n".join(lines)
    if check:
        if not TARGET.exists() or TARGET.read_text() != content:
            sys.exit("entra-graph/OPERATIONS.md is out of date: python3 .ci/operations.py FACTS")
        print(f"operations: {count} documented, {missing} with a reason why not")
    else:
        TARGET.write_text(content)
        print(f"{count} documented, {count - missing} there, {missing} not")


if __name__ == "__main__":
    main()
