"""Rules that no other tool checks: dependencies, licences, minimum Rust version, words and paths."""

import json
import re
import subprocess
import sys

MINIMUM_RUST = (1, 88)
LICENCES = {"MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "Unicode-3.0", "CC0-1.0", "Unlicense", "0BSD", "MIT-0", "CDLA-Permissive-2.0", "BSL-1.0", "Apache-2.0 WITH LLVM-exception"}
FORBIDDEN = {"openssl", "openssl-sys", "native-tls", "ring"}
SMALL_APP = 125
complaints = []


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def may_be_used(licence):
    """Whether some way through the SPDX expression uses allowed licences only."""
    licence = licence.replace("/", " OR ")
    tokens = re.findall(r"\(|\)|[^\s()]+", licence)
    words, name = [], []
    for token in tokens + ["OR"]:
        if token in ("(", ")", "AND", "OR"):
            if name:
                words.append(str(" ".join(name) in LICENCES))
                name = []
            words.append(token.lower())
        else:
            name.append(token)
    return eval(" ".join(words[:-1]))  # only the words True, False, and, or, brackets


metadata = json.loads(run("cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"))
# The metadata also lists what an unused weak feature would bring; the tree has what is built.
built = {tuple(line.split()[:2]) for line in run("cargo", "tree", "--locked", "--workspace", "--all-features", "--prefix", "none").splitlines() if line}
for package in metadata["packages"]:
    name = f"{package['name']} {package['version']}"
    if (package["name"], "v" + package["version"]) not in built:
        continue
    if package["name"] in FORBIDDEN:
        complaints.append(f"{name}: not allowed in the tree")
    if not package["license"] or not may_be_used(package["license"]):
        complaints.append(f"{name}: licence {package['license']}")
    rust = package["rust_version"]
    if rust and tuple(int(part) for part in rust.split(".")[:2]) > MINIMUM_RUST:
        complaints.append(f"{name}: needs Rust {rust}")

tree = run("cargo", "tree", "--locked", "-p", "entra-auth", "-p", "entra-graph", "-e", "normal", "--prefix", "none")
crates = {re.sub(r" \(\*\)$", "", line) for line in tree.splitlines() if line}
# The app itself and tokio's runtime come on top.
print(f"a small app with default features: {len(crates) + 1} crates")
if len(crates) + 1 > SMALL_APP:
    complaints.append(f"a small app needs {len(crates) + 1} crates, more than {SMALL_APP}")

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

if complaints:
    sys.exit("\n".join(complaints))
print("house rules kept")
