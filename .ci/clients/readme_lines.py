"""Runs the lines of the README for other languages, as they are there, against the standalone fake tenant, and compares
the versions in its table of clients with those that CI installs.

python readme_lines.py README FOLDER_WITH_NODE_MODULES
"""

import asyncio
import json
import re
import subprocess
import sys
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
print("lines of the README: Python and Node.js")
