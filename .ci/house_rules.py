"""Rules that no other tool checks: size of the tree, minimum Rust version, words and paths."""

import json
import os
import re
import subprocess
import sys

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


def module_edges(crate):
    """Which top-level module of a crate uses which other, and the names that are taken from the crate root.

    Tests may look at everything, so they do not count.
    """
    edges, through_root = {}, []
    files = [path for path in run("git", "ls-files", f"{crate}/src/*.rs").split() if os.path.exists(path)]
    names = {path.split("/")[2].removesuffix(".rs") for path in files} - {"lib", "main"}
    for path in files:
        parts = path.split("/")[2:]
        if any(part in ("tests", "tests.rs") for part in parts) or parts[0] in ("lib.rs", "main.rs"):
            continue
        module = parts[0].removesuffix(".rs")
        text = open(path).read().split("#[cfg(test)]\nmod ")[0]
        code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//"))
        # From a module's own file, `super` is the crate root.
        above = "super::" * (len(parts) - (parts[-1] == "mod.rs"))
        used = set(re.findall(r"(?<!\$)\bcrate::(\w+)", code)) | set(re.findall(r"(?<!:)\b" + above + r"(\w+)", code))
        for group in re.findall(r"\buse crate::\{(.*?)\};", code, re.S):
            depth, name = 0, ""
            for character in group + ",":
                depth += {"{": 1, "}": -1}.get(character, 0)
                if character == "," and depth == 0:
                    used.update(re.findall(r"^\s*(\w+)", name))
                    name = ""
                else:
                    name += character
        edges.setdefault(module, set()).update((used & names) - {module})
        through_root += [f"{path}: crate::{name}" for name in sorted(used - names) if name[0].isupper()]
    return edges, through_root


def circles(edges):
    """The sets of modules that use each other, directly or through others."""
    def reach(start):
        found, todo = set(), [start]
        while todo:
            for name in edges.get(todo.pop(), ()):
                if name not in found:
                    found.add(name)
                    todo.append(name)
        return found

    reached = {module: reach(module) for module in edges}
    knots = {frozenset(other for other in edges if other in reached[module] and module in reached[other]) for module in edges if module in reached[module]}
    return sorted(sorted(knot) for knot in knots)


# Knots that are still there. A module may leave them, none may join.
KNOWN_CIRCLES = {}
for crate in ("entra-core", "entra-auth", "entra-graph", "entra-mock"):
    edges, through_root = module_edges(crate)
    for circle in circles(edges):
        if not any(set(circle) <= set(known) for known in KNOWN_CIRCLES.get(crate, [])):
            complaints.append(f"{crate}: these modules use each other: {', '.join(circle)}")
    if crate == "entra-graph":
        complaints += [f"{name}: import it from its module" for name in through_root]

if complaints:
    sys.exit("\n".join(complaints))
print("house rules kept")
