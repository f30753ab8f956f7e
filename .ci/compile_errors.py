"""Checks what the compiler says to programs that ask for what Graph does not have.

Each program of `.ci/compile_errors` must fail to compile, with each text after `//~` in the compiler's errors.
"""

import collections
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent
PROGRAMS = ROOT / "compile_errors"

check = subprocess.run(
    ["cargo", "check", "--quiet", "--keep-going", "--bins", "--message-format", "json", "--manifest-path", PROGRAMS / "Cargo.toml"],
    stdout=subprocess.PIPE,
    text=True,
    check=False,
)
errors = collections.defaultdict(str)
for line in check.stdout.splitlines():
    message = json.loads(line)
    if message["reason"] == "compiler-message" and message["message"]["level"] == "error":
        errors[message["target"]["name"]] += message["message"]["rendered"]

complaints = []
programs = sorted((PROGRAMS / "src/bin").glob("*.rs"))
for program in programs:
    said = " ".join(errors[program.stem].split())
    if not said:
        complaints.append(f"{program.name} compiles")
    for line in program.read_text().splitlines():
        wanted = line.removeprefix("//~ ")
        if wanted != line and wanted not in said:
            complaints.append(f"{program.name}: the error lacks: {wanted}\n{errors[program.stem]}")
print(f"{len(programs)} programs that do not compile")
if complaints or not programs:
    # On standard output: the other stream has the compiler's words on programs that are meant to fail.
    print("\n".join(complaints) or "no program was checked")
    sys.exit(1)
