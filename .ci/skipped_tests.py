"""The tests that were skipped in every run, from the logs of `cargo test -- --show-output`: each with its reason."""

import re
import sys

skipped, ran = {}, set()
for path in sys.argv[1:]:
    text = open(path, errors="replace").read()
    here = {}
    for name, output in re.findall(r"^---- (\S+) stdout ----\n(.*?)(?=^---- |^successes:|\Z)", text, re.M | re.S):
        for reason in re.findall(r"^skipped: (.*)", output, re.M | re.I):
            here.setdefault(name, reason)
    passed = set(re.findall(r"^test (\S+) (?:- should panic )?\.\.\. ok$", text, re.M))
    if not passed:
        sys.exit(f"{path}: no test is in this log")
    ran |= passed - set(here)
    skipped.update(here)
for name, reason in sorted(skipped.items()):
    if name not in ran:
        print(f"{name}: {reason}")
