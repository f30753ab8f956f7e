"""Builds what the READMEs print, exactly as printed, in packages outside of this workspace.

Every Rust block of a README is a complete program. Its dependencies are the lines of the nearest TOML block
above it. Every folder of `examples/` is copied alone into a fresh package with the dependency lines that its
section of `examples/README.md` prints.
"""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUTSIDE = ROOT / "target" / "outside"
READMES = ["README.md", "entra-core/README.md", "entra-auth/README.md", "entra-graph/README.md", "entra-mock/README.md"]
BLOCK = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
complaints = []
packages = []


def package(name, dependencies, sources):
    """Writes a package with the printed dependency lines; paths lead to this checkout."""
    folder = OUTSIDE / name
    (folder / "src").mkdir(parents=True)
    dependencies = re.sub(r'path = "\.\./[^"]*?/?(entra-[a-z]+)"', lambda m: f'path = "{ROOT / m[1]}"', dependencies)
    (folder / "Cargo.toml").write_text(f'[package]\nname = "{name}"\nversion = "0.0.0"\nedition = "2024"\n\n{dependencies}')
    for file, text in sources.items():
        target = folder / "src" / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    packages.append(name)


shutil.rmtree(OUTSIDE, ignore_errors=True)
OUTSIDE.mkdir(parents=True)

for path in READMES:
    dependencies, number = "", 0
    for block in BLOCK.finditer((ROOT / path).read_text()):
        kind, text = block[1].split(",")[0], block[2]
        if kind == "toml" and "dependencies]" in text:
            dependencies = text
        if kind != "rust":
            continue
        number += 1
        where = f"{path}, Rust block {number}"
        if re.search(r"^# ?", text.replace("#[", "").replace("#!", ""), re.MULTILINE):
            complaints.append(f"{where}: has lines that only rustdoc hides")
        if "fn main()" not in text:
            complaints.append(f"{where}: is not a complete program")
        elif not dependencies:
            complaints.append(f"{where}: no dependency lines above it")
        else:
            name = re.sub(r"[^a-z]+", "-", path.lower().removesuffix("readme.md")).strip("-") or "root"
            package(f"{name}-{number}", dependencies, {"main.rs": text})

sections = re.split(r"^## ", (ROOT / "examples/README.md").read_text(), flags=re.MULTILINE)
for folder in sorted(main.parent for main in (ROOT / "examples").glob("*/main.rs")):
    printed = [block[2] for section in sections if section.startswith(f"`{folder.name}`") for block in BLOCK.finditer(section) if block[1] == "toml"]
    if not printed:
        complaints.append(f"examples/README.md: no dependency lines in a section `{folder.name}`")
        continue
    sources = {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}
    package(folder.name.replace("_", "-"), printed[0], sources)

listed = ", ".join(f'"{name}"' for name in packages)
(OUTSIDE / "Cargo.toml").write_text(f'[workspace]\nresolver = "3"\nmembers = [{listed}]\n')
shutil.copy(ROOT / "Cargo.lock", OUTSIDE / "Cargo.lock")
for name in packages:
    # One at a time: together they would lend each other features.
    built = subprocess.run(["cargo", "check", "--quiet", "-p", name, "--target-dir", str(ROOT / "target" / "outside-build")], cwd=OUTSIDE)
    print(f"{name}: {'builds' if built.returncode == 0 else 'DOES NOT BUILD'}", flush=True)
    if built.returncode != 0:
        complaints.append(f"{name}: does not build")

if complaints:
    sys.exit("\n".join(complaints))
