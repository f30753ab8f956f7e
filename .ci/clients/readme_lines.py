"""Runs the lines of the README for other languages, as they are there, against the standalone fake tenant, and compares
the versions in its table of clients with those that CI installs.

python readme_lines.py README FOLDER_WITH_NODE_MODULES
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

readme, folder = Path(sys.argv[1]).read_text(), Path(sys.argv[2])


def block(language, start):
    found = re.findall(rf"```{language}\n({re.escape(start)}.*?)```", readme, re.S)
    assert len(found) == 1, f"{len(found)} blocks of {language} in the README start with {start!r}"
    return found[0]


def installed():
    """The versions of the clients, by the names in the table."""
    versions = {}
    for file in ("requirements.txt", "requirements-azure-cli.txt"):
        versions |= dict(re.findall(r"^([\w-]+)==([\d.]+)$", Path(".ci/clients", file).read_text(), re.M))
    lock = json.loads(Path(".ci/clients/package-lock.json").read_text())["packages"]
    versions |= {name.removeprefix("node_modules/"): package.get("version", "") for name, package in lock.items()}
    versions |= dict(re.findall(r'^name = "(azure_identity)"\nversion = "([^"]+)"$', Path("Cargo.lock").read_text(), re.M))
    for manifest in (".ci/openid_client/Cargo.toml", ".ci/side_by_side/graph_rs/Cargo.toml"):
        versions |= dict(re.findall(r'^(openidconnect|graph-rs-sdk) = { version = "=?([\d.]+)"', Path(manifest).read_text(), re.M))
    return {**versions, "Azure CLI": versions["azure-cli"]}


versions = installed()
rows = re.findall(r"^\| (@?[\w/ -]+?) (\d[\d.]*)(?: \([^|]*\))? \|", readme, re.M)
assert len(rows) == 13, rows
for name, version in rows:
    found = versions[name]
    assert found == version or found.startswith(version + "."), f"{name}: the README says {version}, CI has {found}"

names = {}
exec(compile(block("python", "import msal"), "README", "exec"), names)
token = names["app"].acquire_token_for_client(["https://graph.microsoft.com/.default"])
assert "access_token" in token, token
users = asyncio.run(names["graph"].users.get())
assert users.value, "no users"

script = folder / "readme_lines.mjs"
script.write_text(block("javascript", "import {") + """
const scopes = ["https://graph.microsoft.com/.default"];
const token = await app.acquireTokenByClientCredential({ scopes });
const users = await graph.api("/users").get();
if (!token.accessToken || !users.value.length) throw new Error("no token or no users");
""")
subprocess.run(["node", str(script)], check=True)


def first_test(start):
    """Runs the lines of a first test in an empty folder, but for the one that installs packages."""
    program = Path(os.environ["ENTRA_MOCK"]).resolve()
    with tempfile.TemporaryDirectory() as parent:
        Path(parent, "entra-sdk-rs").symlink_to(Path.cwd())
        empty = Path(parent, "project")
        empty.mkdir()
        Path(empty, ".venv").symlink_to(sys.prefix)
        environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
        del environment["ENTRA_MOCK"]
        output = ""
        for line in block("text", start).splitlines():
            if line.startswith("$ ") and "pip install" not in line:
                done = subprocess.run(line[2:], shell=True, cwd=empty, env=environment, capture_output=True, text=True)
                output = done.stdout + done.stderr
                assert done.returncode == 0, f"{line}: {output}"
    return output


passed = first_test("$ python3 -m venv")
assert re.search(r"\b2 passed\b", passed), passed
passed = first_test("$ cp ../entra-sdk-rs/examples/other_languages/node")
assert re.search(r"^(# |ℹ )fail 0$", passed, re.M), passed
print("lines of the README: Python and Node.js, and the first tests")
