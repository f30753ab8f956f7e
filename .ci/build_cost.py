#!/usr/bin/env python3
"""What this SDK costs to build: clean release builds of a small program and of the same one by hand, in turn.

usage: build_cost.py [--all-features] [PAIRS]             CPU seconds of each build, crates and stripped size
       build_cost.py [--all-features] [PAIRS] DIRECTORY   the same beside the package in another directory, with its own lock file

With --all-features, the small program has every feature of entra-auth and entra-graph, as a program has that calls them all. Not in .ci/run: a pair takes four minutes of an idle machine, and the seconds mean nothing on a busy one.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / ".ci" / "build_cost"


def every_feature() -> list[str]:
    """The arguments that switch on each feature of the two crates for a package that depends on them."""
    metadata = ["cargo", "metadata", "--no-deps", "--format-version", "1", "--offline"]
    packages = json.loads(subprocess.run(metadata, cwd=ROOT, check=True, capture_output=True).stdout)["packages"]
    names = {package["name"]: sorted(package["features"]) for package in packages if package["name"] in ("entra-auth", "entra-graph")}
    return ["--features", ",".join(f"{crate}/{feature}" for crate, features in names.items() for feature in features)]


def crates(package: Path, features: list[str]) -> int:
    """The crates below a package for this machine, itself not counted."""
    tree = ["cargo", "tree", "--edges", "normal", "--prefix", "none", *features]
    lines = subprocess.run(tree, cwd=package, check=True, capture_output=True, text=True).stdout.splitlines()
    return len({line.removesuffix(" (*)") for line in lines}) - 1


def build(package: Path, features: list[str]) -> tuple[float, int]:
    """CPU seconds of a clean build, and the bytes of the stripped program."""
    with tempfile.TemporaryDirectory() as target:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            ["cargo", "build", "--quiet", "--release", "--offline", "--jobs", "2", *features],
            cwd=package,
            env=os.environ | {"CARGO_TARGET_DIR": target},
            check=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        programs = [path for path in Path(target, "release").iterdir() if path.is_file() and os.access(path, os.X_OK)]
        program = max(programs, key=lambda path: path.stat().st_size)
        subprocess.run(["strip", program], check=True)
        return seconds, program.stat().st_size


def main(arguments: list[str]) -> None:
    all_features = "--all-features" in arguments
    arguments = [argument for argument in arguments if argument != "--all-features"]
    pairs = int(arguments[0]) if arguments else 3
    packages = [PACKAGES / "small", Path(arguments[1]) if len(arguments) > 1 else PACKAGES / "floor"]
    features = {packages[0]: every_feature() if all_features else [], packages[1]: []}
    for package in packages:
        if package.parent == PACKAGES:
            shutil.copy(ROOT / "Cargo.lock", package / "Cargo.lock")
        subprocess.run(["cargo", "fetch", "--quiet"], cwd=package, check=True)
    times: dict[Path, list[float]] = {package: [] for package in packages}
    sizes: dict[Path, int] = {}
    for pair in range(pairs):
        # The machine may get slower or faster meanwhile: each comes first in turn.
        for package in packages if pair % 2 == 0 else reversed(packages):
            before = os.getloadavg()[0]
            seconds, sizes[package] = build(package, features[package])
            times[package].append(seconds)
            print(f"{package.name}: {seconds:.1f} s, load {before:.1f} before and {os.getloadavg()[0]:.1f} after", flush=True)
    for package in packages:
        least = f"least {min(times[package]):.1f} s, " if pairs else ""
        size = f", {sizes[package]} bytes stripped" if pairs else ""
        print(f"{package.name}: {least}{crates(package, features[package])} crates{size}")
    if pairs:
        small, other = (times[package] for package in packages)
        print(f"ratio of the sums {sum(small) / sum(other):.3f}, of the least {min(small) / min(other):.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
