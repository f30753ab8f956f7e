"""Rules that no other tool checks: size of the tree, minimum Rust version, words and paths."""

import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
import module_circles  # noqa: E402  (beside this file)

MINIMUM_RUST = (1, 88)
SMALL_APP = 125
complaints = []


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


metadata = json.loads(run("cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"))
# The metadata also lists what an unused weak feature would bring; the tree has what is built.
built = {tuple(line.split()[:2]) for line in run("cargo", "tree", "--locked", "--workspace", "--all-features", "--prefix", "none").splitlines() if line}
for package in metadata["packages"]:
    name = f"{package['name']} {package['version']}"
    if (package["name"], "v" + package["version"]) not in built:
        continue
    rust = package["rust_version"]
    if rust and tuple(int(part) for part in rust.split(".")[:2]) > MINIMUM_RUST:
        complaints.append(f"{name}: needs Rust {rust}")

tree = run("cargo", "tree", "--locked", "-p", "entra-auth", "-p", "entra-graph", "-e", "normal", "--prefix", "none")
crates = {re.sub(r" \(\*\)$", "", line) for line in tree.splitlines() if line}
# The app itself and tokio's runtime come on top.
print(f"a small app with default features: {len(crates) + 1} crates")
if len(crates) + 1 > SMALL_APP:
    complaints.append(f"a small app needs {len(crates) + 1} crates, more than {SMALL_APP}")

# azure_core brings a copy of its own; with every other feature a user compiles base64 once.
features = {}
for package in metadata["packages"]:
    if package["name"] in ("entra-core", "entra-auth", "entra-graph"):
        features[package["name"]] = sorted(set(package["features"]) - {"azure-core"})
selected = ",".join(f"{name}/{feature}" for name, own in features.items() for feature in own)
packages = [part for name in features for part in ("-p", name)]
tree = run("cargo", "tree", "--locked", *packages, "--features", selected, "-e", "normal,build", "--prefix", "none")
copies = sorted({line.split()[1] for line in tree.splitlines() if line.startswith("base64 ")})
print(f"copies of base64 with every feature but azure-core: {', '.join(copies)}")
if len(copies) != 1:
    complaints.append(f"{len(copies)} copies of base64 in a user's tree: {', '.join(copies)}")
if not any(line.startswith("redis ") for line in tree.splitlines()):
    complaints.append("the tree of every feature lacks redis: the check of base64 proves nothing")

# The test command has the features of the whole workspace, so it tests those that a member turns on.
tree = run("cargo", "tree", "--locked", "--workspace", "-e", "features,no-proc-macro", "--prefix", "none")
for name, own in features.items():
    for feature in sorted(set(own) | ({"azure-core"} if name == "entra-auth" else set())):
        if f'{name} feature "{feature}"' not in tree:
            complaints.append(f"cargo test --workspace does not have the feature {feature} of {name}: list it in examples/Cargo.toml")

readme = open("README.md").read()
for command in ("cargo run --example saas_usage", "cargo test --workspace"):
    if command not in readme:
        complaints.append(f"README.md lacks the command: {command}")
if "1.88" not in readme:
    complaints.append("README.md lacks the minimum Rust version")

patterns = {
    "left-over": r"todo!\(|unimplemented!\(|\bTODO\b|\bFIXME\b|dbg!\(",
    "ignored doc example": r"```(rust,)?ignore\b",
    "path of one machine": r"(^|[^A-Za-z0-9_.])/(home|root|Users)/[a-z]",
    "word for a user": r"(?i)(?<![:/=\"])\b(somebody|nobody|whoever|persons?|people)\b(?![@%/\"])",
    "word for rejecting": r"(?i)(?<!connection )(?<!actively )(?<!::)\brefus(e|ed|es|al|als)\b",
    "word for a count": r"(?i)\bcounts? as none\b",
    "word for a need": r"(?i)\b(who wants|wants to|shall be like)\b|\bthat [\w ]*\basked of\b",
    "bare allow": r"#!?\[allow\((?!.*reason)",
}
for path in run("git", "ls-files", "*.rs", "*.md", "*.toml").split():
    try:
        text = open(path).read()
    except (IsADirectoryError, FileNotFoundError):
        continue
    for what, pattern in patterns.items():
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(pattern, line):
                complaints.append(f"{path}:{number}: {what}: {line.strip()}")



# Each source file is a module: one that no file declares is not compiled, and its tests do not run.
for path in run("git", "ls-files", "*.rs").split():
    folder, file = os.path.split(path)
    is_source = re.search(r"/(src|tests/it)(/|$)", folder) and "/src/bin" not in folder or path.startswith("examples/")
    if not is_source or file in ("lib.rs", "main.rs") or not os.path.exists(path):
        continue
    if file == "mod.rs":
        folder, file = os.path.split(folder)
    name = file.removesuffix(".rs")
    parents = [f"{folder}/{parent}" for parent in ("lib.rs", "main.rs", "mod.rs")] + [f"{folder}.rs"]
    declaration = re.compile(rf"^\s*(pub(\(.*?\))? )?mod {name}\b", re.M)
    if not any(declaration.search(open(parent).read()) for parent in parents if os.path.exists(parent)):
        complaints.append(f"{path}: no file declares this module")


# Each handle and action of an area names its permission in its documentation.
HANDLE = re.compile(
    r"((?:\n    (?:///|#\[)[^\n]*)+)\n    pub (?:async |const )?fn (\w+)[^{;]*?-> (?:Collection|Object|Request|MemberCheck|GetByIds|Update)\b"
)
handles = 0
for path in run("git", "ls-files", "entra-graph/src/areas").split():
    for documentation, name in HANDLE.findall(open(path).read()):
        handles += 1
        if not re.search(r"\b(Needs|Takes) ", documentation):
            complaints.append(f"{path}: {name}: its documentation does not say which permission it needs")
        # A directory role has members of its own, which are never hidden.
        hides = re.fullmatch(r"(transitive_)?(members|member_of)", name) and "role_management" not in path
        if hides and "Member.Read.Hidden" not in documentation:
            complaints.append(f"{path}: {name}: its documentation does not mention hidden memberships")
if handles < 50:
    complaints.append(f"only {handles} handles of entra-graph found: the check of permissions proves nothing")


# Relationships that can be hidden say so where they are expanded: at the constant and its field, and at each function that
# takes such a constant.
MEMBERSHIP = re.compile(r'((?:        ///[^\n]*\n)+)        (\w+): \S+ =\s*\w+\("(?:members|memberOf|transitiveMembers|transitiveMemberOf)"\);')
TAKES_RELATION = re.compile(r"((?:    (?:///|#\[| {4}|\)\])[^\n]*\n)+)    pub fn (\w+)\([^)]*\bNavigationProperty<")
hidden = 0
for path in run("git", "ls-files", "entra-graph/src").split():
    if not path.endswith(".rs") or not os.path.exists(path):
        continue
    code = open(path).read()
    found = TAKES_RELATION.findall(code)
    if path.startswith("entra-graph/src/objects/") and "/types/" not in path and not path.endswith("/directory_role.rs"):
        found += MEMBERSHIP.findall(code)
    for documentation, name in found:
        hidden += 1
        if "Member.Read.Hidden" not in documentation:
            complaints.append(f"{path}: {name}: its documentation does not mention hidden memberships")
if hidden < 15:
    complaints.append(f"only {hidden} expansions of entra-graph found: the check of hidden memberships proves nothing")


def public_calls(code):
    """The public functions of handles and of the client, by the `impl` that they are in."""
    for block in re.finditer(r"^impl\b([^{;]*)\{\n(.*?)^\}", code, re.M | re.S):
        of = re.sub(r"^<(?:[^<>]|<[^<>]*>)*>", "", block[1]).strip()
        if re.match(r"(Object|Collection|GraphClient|AuditLogs|IdentityProtection)\b", of) and " for " not in of:
            yield from re.findall(r"^    pub (?:async |const )*fn (\w+)", block[2], re.M)


# The first page of entra-graph's documentation lists every call of the areas. Each type of authentication method has
# calls of the same form, of which it has one.
table = open("entra-graph/src/lib.rs").read().partition("# Areas and calls")[2].partition("// The floors")[0]
listed = set(re.findall(r"\w+", table))
calls = 0
for path in run("git", "ls-files", "entra-graph/src/areas").split():
    if not os.path.exists(path) or path.endswith("/by_type.rs"):
        continue
    for name in public_calls(open(path).read().split("#[cfg(test)]\nmod ")[0]):
        calls += 1
        if name not in listed:
            complaints.append(f"entra-graph/src/lib.rs: the table of calls lacks {name} of {path}")
if calls < 150:
    complaints.append(f"only {calls} calls of entra-graph found: the check of its table proves nothing")


def fallible(code):
    """Each public function whose caller gets a `Result`, also as an item of a list, with its documentation."""
    lines = code.splitlines(keepends=True)
    at = 0
    for number, line in enumerate(lines):
        found = re.match(r"\s*pub (?:(?:async|const) )*fn (\w+)", line)
        start, at = at, at + len(line)
        if not found:
            continue
        opened = code.index("(", start + re.match(r".*?fn \w+(?:<.*?>)?(?=\()", code[start:], re.S).end())
        end, depth = opened + 1, 1
        while depth:
            depth += {"(": 1, ")": -1}.get(code[end], 0)
            end += 1
        result = re.match(r"\s*->(.*?)(?:\bwhere\b|\{|;)", code[end:], re.S)
        if not result or not re.search(r"\bResult\b", result[1]):
            continue
        above = number
        while above and lines[above - 1].strip() and not re.search(r"(?<!///)[{};]$", lines[above - 1].rstrip()) or above and lines[above - 1].lstrip().startswith("///"):
            above -= 1
        yield found[1], "".join(lines[above:number])


# What can fail says so.
documented = 0
for path in run("git", "ls-files", "entra-*/src/*.rs").split():
    if not os.path.exists(path) or re.search(r"/tests?[/.]|/program/", path):
        continue
    for name, documentation in fallible(open(path).read().split("#[cfg(test)]\nmod ")[0]):
        if "#[doc(hidden)]" in documentation:
            continue
        documented += 1
        if "# Errors" not in documentation:
            complaints.append(f"{path}: {name}: its documentation has no section Errors")
if documented < 150:
    complaints.append(f"only {documented} functions that can fail found: the check of their documentation proves nothing")


def floors(crate):
    """The height of each top-level module, from the list in lib.rs that begins with the ground."""
    heights = {}
    listed = re.search(r"^// The floors, .*?(?=\n\n)", open(f"{crate}/src/lib.rs").read(), re.M | re.S)[0]
    for height, line in enumerate(listed.splitlines()[1:]):
        names = re.match(r"//   (\w+(?:, \w+)*)  ", line)
        if not names:
            complaints.append(f"{crate}/src/lib.rs: this floor cannot be read: {line}")
            continue
        heights.update(dict.fromkeys(names[1].split(", "), height))
    return heights


# Knots that are still there, by the module above them. A module may leave them, none may join. A knot with a reason is
# the nature of the data and stays; the others wait to be untied.
module_circles.check_itself()
KNOWN_CIRCLES = json.loads(open(".ci/module_circles.json").read())
for crate in ("entra-core", "entra-auth", "entra-graph", "entra-mock"):
    paths = module_circles.Crate(module_circles.sources(crate))
    edges = paths.edges()
    for above in sorted(set(edges) | {key.partition("::")[2] for key in KNOWN_CIRCLES if key.partition("::")[0] == crate}):
        known = [set(knot["modules"] if isinstance(knot, dict) else knot) for knot in KNOWN_CIRCLES.get(f"{crate}::{above}" if above else crate, [])]
        found = [set(circle) for circle in module_circles.circles(edges.get(above, {}))]
        for circle in found:
            if not any(circle <= names for names in known):
                complaints.append(f"{crate}, {above or 'top level'}: these modules use each other: {', '.join(sorted(circle))}")
        for names in known:
            if not any(circle <= names for circle in found):
                complaints.append(f".ci/module_circles.json: {crate}::{above}: {', '.join(sorted(names))} is no knot any more: remove it")
    if crate == "entra-graph":
        for module, named in sorted(paths.named.items()):
            for name in sorted({target[0] for target in named if module and target and target[0][0].isupper()}):
                complaints.append(f"{crate}, {'::'.join(module)}: crate::{name}: import it from its module")
        heights = floors(crate)
        for module, used in sorted(edges[""].items()):
            if module not in heights:
                complaints.append(f"{crate}: the floors in lib.rs lack {module}")
                continue
            for name in sorted(used):
                if heights.get(name, 0) > heights[module]:
                    complaints.append(f"{crate}: {module} uses {name}, which is above it")


def arms(code):
    """The patterns of the arms of each `match` in a file, with the place and the head of the match."""
    for start in re.finditer(r"\bmatch\b[^;{}]*\{", code):
        patterns, pattern, depth, in_pattern = [], "", 0, True
        at = start.end()
        while at < len(code) and (depth or code[at] != "}"):
            character = code[at]
            if in_pattern and not depth and code.startswith("=>", at):
                patterns.append(pattern.strip())
                pattern, in_pattern, at = "", False, at + 2
                continue
            depth += {"{": 1, "(": 1, "[": 1, "}": -1, ")": -1, "]": -1}.get(character, 0)
            if in_pattern:
                pattern += character
            elif not depth and character in ",}":
                pattern, in_pattern = "", True
            at += 1
        yield start.start(), start[0], [re.sub(r"^,\s*", "", pattern) for pattern in patterns]


# A kind of object without a decision of its own is an error of the compiler, or its type declares the decision; it is
# never a default. A pattern for the others is `_`, a name, or a tuple of those.
OTHERS = re.compile(r"(_|[a-z]\w*|\((\s*(_|[a-z]\w*)\s*,?)+\))(\s+if\b.*)?", re.S)
decided = 0
for path in run("git", "ls-files", "entra-mock/src/*.rs").split():
    if not os.path.exists(path) or "tests" in path.removesuffix(".rs").split("/"):
        continue
    code = "\n".join(re.sub(r"(^|\s)//.*", "", line) for line in open(path).read().split("#[cfg(test)]\nmod ")[0].splitlines())
    # The name of a type, or of its collection, is the kind as text.
    named = r"\bentity(?:\(\))?\.(?:set|name)\b"
    aliases = re.findall(rf"\blet (\w+) = [^;]*{named};", code)
    if aliases:
        named = rf"(?:{named}|(?<![.\w])(?:{'|'.join(sorted(set(aliases)))})\b)"
    by_text = [start for start, head, patterns in arms(code) if re.search(rf"{named}\s*\{{$", head) and any('"' in pattern for pattern in patterns)]
    by_text += [found.start() for found in re.finditer(rf'\bmatches!\(\s*[^,;]*{named}\s*,\s*"|{named}\s*[!=]=\s*"', code)]
    for start in by_text:
        line = code[:start].count("\n") + 1
        complaints.append(f"{path}:{line}: the name of a type decides by kind: declare the decision in EntityType")
    for start, _, patterns in arms(code):
        if not any(re.search(r"\b(Kind|Behavior)::[A-Z]", pattern) for pattern in patterns):
            continue
        decided += 1
        if any(OTHERS.fullmatch(pattern) for pattern in patterns):
            line = code[:start].count("\n") + 1
            complaints.append(f"{path}:{line}: a match over kinds has an arm for all others: name them, or declare the decision in EntityType")
    for listed in re.finditer(r"\bmatches!\([^;]*?\b(Kind|Behavior)::\w+\s*\|\s*(Kind|Behavior)::", code):
        line = code[: listed.start()].count("\n") + 1
        complaints.append(f"{path}:{line}: matches! over kinds decides for all others: declare the decision in EntityType")
if decided < 5:
    complaints.append(f"only {decided} matches over kinds found: the check of them proves nothing")

if complaints:
    sys.exit("\n".join(complaints))
print("house rules kept")
