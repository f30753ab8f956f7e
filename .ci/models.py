"""The models of entra-graph beside Microsoft's metadata: every property, type, nullability and member of an enumeration.

    python3 .ci/models.py FACTS

Reads the declarations in entra-graph/src/objects, and graph-csdl.json and graph-additions.json. A property or member of
a covered type that is missing here must be in models.json with its reason, and must not be of the tier `mission`. A type of
that tier without a model, a type that is not compared, another type of a property, and an enumeration as plain text must have
a reason there too.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RULES = json.loads((pathlib.Path(__file__).parent / "models.json").read_text())
NAMESPACE = "microsoft.graph."
PLAIN = {
    "String": "String", "Boolean": "bool", "Int16": "i32", "Int32": "i32", "Int64": "i64", "Double": "f64", "Single": "f64",
    "DateTimeOffset": "Timestamp", "Guid": "String", "Duration": "String", "Binary": "String", "Date": "String",
    "TimeOfDay": "String", "Stream": "String",
}
PROPERTY = re.compile(
    r'^\s*(\w+): (.+?)(?: as (.+?))?\s*=\s*[A-Z0-9_]+\(\s*"([^"]+)"(?:\s*,\s*"[^"]*")?\s*,?\s*\)(?: (set|create|update)( never null)?)?;', re.M
)
MEMBER = re.compile(r'^\s*(\w+) = "([^"]+)";', re.M)


def declarations():
    """The models and open enumerations of the source: name, wire type, properties or members."""
    models, enums = {}, {}
    for path in sorted((ROOT / "entra-graph" / "src" / "objects").rglob("*.rs")):
        text = re.sub(r"^\s*//.*$", "", path.read_text(), flags=re.M)
        shared = shared_properties(text)
        beta_from = text.find("mod beta {")
        for place, macro, name, odata, body in blocks(text):
            # A line that is broken after the equals sign belongs to the one before.
            body = re.sub(r"=\s*\n\s*", "= ", body)
            if macro == "open_enum":
                enums[name] = [wire for _, wire in MEMBER.findall(body)]
                continue
            relations = body.find("relations {")
            own = body[:relations] if relations >= 0 else body
            found = PROPERTY.findall(own)
            if macro in shared:
                found += shared[macro]
            wire = odata.removeprefix("#microsoft.graph.") if odata else None
            beta = 0 <= beta_from < place
            models[("beta " if beta else "") + name] = (wire, {
                wire_name: (kind.strip(), access, bool(never)) for _, kind, _, wire_name, access, never in found
            })
    return models, enums


def shared_properties(text):
    """Properties that a macro of the same file adds to each type it declares."""
    found = {}
    for name, body in re.findall(r"macro_rules! (\w+) \{(.*?)\n\}", text, re.S):
        body = re.sub(r"=\s*\n\s*", "= ", body)
        if properties := PROPERTY.findall(body):
            found[name] = properties
    return found


def blocks(text):
    """Each use of a declaring macro: its place, macro, name, OData type, body."""
    for match in re.finditer(r"\b(entity|complex|open_enum|sign_in)! \{", text):
        body = balanced(text, match.end())
        head = re.match(r'\s*(?:#\[[^\]]*\]\s*)*(\w+)\s*(?::\s*"([^"]*)"\s*,\s*always \[[^\]]*\](?:, id unfiltered)?\s*)?\{', body)
        if head:
            yield match.start(), match.group(1), head.group(1), head.group(2), balanced(body, head.end()) + relations_after(body, head.end())


def relations_after(body, start):
    inner = balanced(body, start)
    rest = body[start + len(inner) + 1:]
    return "\nrelations {" + rest if "relations" in rest else ""


def balanced(text, start):
    depth = 1
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return text[start:at]
    return text[start:]


def metadata(facts):
    types = {}
    published = json.loads((facts / "graph-csdl.json").read_text())["types"]
    added = json.loads((facts / "graph-additions.json").read_text())["types"]
    for item in added + published:
        name = item["name"]
        beta = item.get("version") == "beta"
        types.setdefault(("beta " if beta else "") + name, item)
        if not beta:
            types[name] = item
    return types


def properties_of(types, name):
    """The properties of a type with those of its base types; a type of beta has those of v1.0 too."""
    item, found = types.get(name), {}
    if name.startswith("beta "):
        found.update(properties_of(types, name.removeprefix("beta ")))
    while item is not None:
        for entry in item.get("properties", []):
            found.setdefault(entry["name"], (entry, item))
        base = item.get("base_type") or item.get("base")
        item = types.get(base.removeprefix(NAMESPACE)) if base else None
    return found


def derives(types, name, base):
    item = types.get(name)
    while item is not None:
        parent = (item.get("base_type") or item.get("base") or "").removeprefix(NAMESPACE)
        if parent == base:
            return True
        item = types.get(parent)
    return False


def csdl_name(name, wire):
    if wire:
        return wire
    renamed = RULES["names"].get(name)
    return renamed or name[0].lower() + name[1:]


def rust_type(entry, enums, types):
    """The types that may stand for a property."""
    kind = entry["type"].removeprefix("Edm.").removeprefix(NAMESPACE)
    if kind in PLAIN:
        plain = {PLAIN[kind]}
        if entry["name"] in ("secretText", "password"):
            plain.add("Secret")
    else:
        names = {kind[0].upper() + kind[1:]}
        names |= {rust for rust, csdl in RULES["names"].items() if csdl == kind}
        plain = names | {f"Box<{name}>" for name in names}
        if types.get(kind, {}).get("kind") == "enum" and not any(name in enums for name in names):
            plain.add(f"String as {kind}")
    return {f"Vec<{name}>" for name in plain} if entry.get("collection") else plain


def main():
    facts = pathlib.Path(sys.argv[1])
    models, enums = declarations()
    types = metadata(facts)
    failures, counts, used = [], {"types": 0, "properties": 0, "settable": 0, "members": 0, "left out": 0}, set()
    reasons, covered = set(), set()

    def left_out(key, tier, what):
        used.add(key)
        if key not in RULES["left_out"]:
            failures.append(f"{key}: {what}, and models.json gives no reason")
        elif tier == "mission" and not RULES["left_out"][key].startswith("Not readable"):
            failures.append(f"{key}: left out, but of the tier `mission`")
        counts["left out"] += 1

    for name, (wire, properties) in sorted(models.items()):
        plain = name.removeprefix("beta ")
        csdl = ("beta " if name.startswith("beta ") else "") + csdl_name(plain, wire)
        covered.add(csdl)
        if csdl in RULES["beyond"]:
            reasons.add(("beyond", csdl))
            continue
        documented = properties_of(types, csdl)
        if not documented and not types.get(csdl):
            failures.append(f"{name}: the metadata has no type {csdl}")
            continue
        counts["types"] += 1
        for property_name, (entry, owner) in documented.items():
            # Every entity has its id as a field of its own.
            if property_name == "id" and types[csdl]["kind"] == "entity":
                continue
            key = f"{csdl}.{property_name}"
            if property_name not in properties:
                left_out(key, owner.get("tier"), "not declared")
                continue
            counts["properties"] += 1
            ours = properties[property_name][0].replace(" ", "")
            expected = rust_type(entry, enums, types)
            as_text = {ours.replace("String", f"String as {name}"): name for name in RULES["plain_enums"]}
            if text := expected & as_text.keys():
                reasons.update(("plain_enums", as_text[one]) for one in text)
            elif ours not in expected and ours in RULES["types"].get(key, {"ours": []})["ours"]:
                reasons.add(("types", key))
            elif ours not in expected:
                failures.append(f"{key}: {ours} stands for {entry['type']}, expected {sorted(expected)}")
            # Only an update clears, and a collection is cleared by no elements.
            _, access, never_null = properties[property_name]
            if access in ("set", "update") and not entry.get("collection"):
                counts["settable"] += 1
                if never_null == entry.get("nullable", True):
                    failures.append(f"{key}: declared {'without' if never_null else 'with'} null, unlike the metadata")
            elif never_null:
                failures.append(f"{key}: declared as never null, and no update sets it alone")
        # One model can stand for several types that derive from it.
        derived = {entry for other in types for entry in properties_of(types, other) if derives(types, other, csdl)}
        for property_name in properties.keys() - documented.keys() - derived:
            key = f"{csdl}.{property_name}"
            reasons.add(("documented_elsewhere", key))
            if key not in RULES["documented_elsewhere"]:
                failures.append(f"{key}: not in the metadata")
    for name, members in sorted(enums.items()):
        csdl = csdl_name(name, None)
        item = types.get(csdl) or types.get("beta " + csdl)
        covered.add(csdl)
        if csdl in RULES["beyond"]:
            reasons.add(("beyond", csdl))
            continue
        if item is None:
            failures.append(f"{name}: the metadata has no enumeration {csdl}")
            continue
        documented = [entry if isinstance(entry, str) else entry["name"] for entry in item["members"]]
        for member in documented:
            # What a client sees instead of a later member without asking for it; `Other` stands for it.
            if member == "unknownFutureValue":
                continue
            counts["members"] += 1
            if member not in members:
                left_out(f"{csdl}.{member}", item.get("tier"), "no such member")
        for member in set(members) - set(documented):
            if f"{csdl}.{member}" not in RULES["documented_elsewhere"]:
                failures.append(f"{csdl}.{member}: not in the metadata")
    for name, item in types.items():
        if item.get("tier") == "mission" and item["name"] not in covered and not name.startswith("beta "):
            reasons.add(("without_model", name))
            if name not in RULES["without_model"]:
                failures.append(f"{name}: of the tier `mission`, without a model, and models.json gives no reason")
    for table in ("beyond", "types", "plain_enums", "documented_elsewhere", "without_model"):
        for key in RULES[table]:
            if (table, key) not in reasons:
                failures.append(f"models.json, {table}: {key} needs no reason, or does not exist")
    for key in RULES["left_out"].keys() - used:
        failures.append(f"models.json leaves out {key}, which is there or does not exist")
    if failures:
        sys.exit("\n".join(failures))
    print("models: " + ", ".join(f"{count} {what}" for what, count in counts.items()))


if __name__ == "__main__":
    main()
