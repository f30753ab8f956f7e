"""Builds what the READMEs print, exactly as printed, in packages outside of this workspace.

Every Rust block of a README is a whole file: a program with `main`, or a test file. Its dependencies are the
lines of the nearest TOML block above it. Every folder of `examples/` is copied alone into a package with the
dependency lines that its section of `examples/README.md` prints. Programs that use the fake tenant only are
run, and files with tests are tested. Versions come from this workspace's lock file, and what is built goes
to its target folder.
"""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# A workspace of its own, whose packages have the same path at each run.
OUTSIDE = ROOT / "target" / "outside"
READMES = ["README.md", "entra-core/README.md", "entra-auth/README.md", "entra-graph/README.md", "entra-mock/README.md"]
BLOCK = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
complaints = []
packages = {}


def package(name, dependencies, sources, command):
    """Writes a package with the printed dependency lines; paths lead to this checkout."""
    folder = OUTSIDE / name
    dependencies, replaced = re.subn(r'path = "\.\./entra-sdk-rs/(entra-[a-z]+)"', lambda m: f'path = "{ROOT / m[1]}"', dependencies)
    if dependencies.count("path = ") != replaced:
        complaints.append(f"{name}: a path of another form than ../entra-sdk-rs/entra-…")
    for file, text in sources.items():
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text)
    (folder / "Cargo.toml").write_text(f'[package]\nname = "{name}"\nversion = "0.0.0"\nedition = "2024"\n\n{dependencies}')
    packages[name] = command


def blocks_of(path):
    dependencies, number = "", 0
    for block in BLOCK.finditer((ROOT / path).read_text()):
        kind, text = block[1].split(",")[0], block[2]
        if kind == "toml" and "dependencies]" in text:
            dependencies = text
        if kind != "rust":
            continue
        number += 1
        where = f"{path}, Rust block {number}"
        if re.search(r"^\s*#( |$)", text, re.MULTILINE):
            complaints.append(f"{where}: has lines that only rustdoc hides")
        name = re.sub(r"[^a-z]+", "-", path.lower().removesuffix("readme.md")).strip("-") or "root"
        name = f"readme-{name}-{number}"
        tests = "#[tokio::test]" in text or "#[test]" in text
        if not dependencies:
            complaints.append(f"{where}: no dependency lines above it")
        elif "fn main()" in text:
            runs = "FakeTenant" in text and not tests and "env" not in text
            command = ["test"] if tests else ["run"] if runs else ["check"]
            package(name, dependencies, {"src/main.rs": text.encode()}, command)
        elif tests:
            package(name, dependencies, {"src/lib.rs": b"", "tests/it.rs": text.encode()}, ["test", "--test", "it"])
        else:
            complaints.append(f"{where}: is no complete file, a program or tests")
    if number == 0:
        complaints.append(f"{path}: has no Rust block, so nothing of it is checked")


def examples():
    sections = re.split(r"^## ", (ROOT / "examples/README.md").read_text(), flags=re.MULTILINE)
    folders = sorted(main.parent for main in (ROOT / "examples").glob("*/main.rs"))
    if len(folders) < 7:
        complaints.append(f"examples: only {len(folders)} folders were found")
    for folder in folders:
        own = [section for section in sections if section.startswith(f"`{folder.name}`")]
        printed = [block[2] for section in own for block in BLOCK.finditer(section) if block[1] == "toml"]
        if len(printed) != 1:
            complaints.append(f"examples/README.md: {len(printed)} blocks of dependencies in the section `{folder.name}`")
            continue
        sources = {f"src/{file.relative_to(folder)}": file.read_bytes() for file in folder.rglob("*") if file.is_file()}
        # With the tests that the folder has: they need no dependencies of their own.
        package("example-" + folder.name.replace("_", "-"), printed[0], sources, ["check", "--all-targets"])


shutil.rmtree(OUTSIDE, ignore_errors=True)
OUTSIDE.mkdir(parents=True)
for path in READMES:
    blocks_of(path)
examples()
listed = ", ".join(f'"{name}"' for name in packages)
profiles = re.findall(r"^\[profile\.[^\n]*\n(?:(?!\[).*\n?)*", (ROOT / "Cargo.toml").read_text(), re.MULTILINE)
(OUTSIDE / "Cargo.toml").write_text(f'[workspace]\nresolver = "3"\nmembers = [{listed}]\n\n' + "".join(profiles))
shutil.copy(ROOT / "Cargo.lock", OUTSIDE / "Cargo.lock")
only = sys.argv[1:]
for name, (command, *options) in packages.items():
    if only and not any(part in name for part in only):
        continue
    # One at a time: together they would lend each other features.
    cargo = ["cargo", command, "--quiet", "-p", name, *options, "--target-dir", str(ROOT / "target")]
    done = subprocess.run(cargo, cwd=OUTSIDE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    failed = done.returncode != 0 or "warning:" in done.stdout
    print(f"{name}: cargo {command} {'fails' if failed else 'passes'}", flush=True)
    if failed:
        complaints.append(f"{name}: cargo {command} fails or warns:\n{done.stdout}")

if complaints:
    sys.exit("\n".join(complaints))
