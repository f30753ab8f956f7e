#!/usr/bin/env python3
"""What this SDK costs to build: clean release builds of a small program and of the same one by hand, in turn.

usage: build_cost.py [PAIRS]          CPU seconds of each build, crates and stripped size
       build_cost.py [PAIRS] DIRECTORY   the same beside the package in another directory, with its own lock file

Not in .ci/run: a pair takes four minutes of an idle machine, and the seconds mean nothing on a busy one.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / ".ci" / "build_cost"


def crates(package: Path) -> int:
    """The crates below a package for this machine, itself not counted."""
    tree = ["cargo", "tree", "--edges", "normal", "--prefix", "none"]
    lines = subprocess.run(tree, cwd=package, check=True, capture_output=True, text=True).stdout.splitlines()
    return len({line.removesuffix(" (*)") for line in lines}) - 1


def build(package: Path) -> tuple[float, int]:
    """CPU seconds of a clean build, and the bytes of the stripped program."""
    with tempfile.TemporaryDirectory() as target:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            ["cargo", "build", "--quiet", "--release", "--offline", "--jobs", "2"],
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
    pairs = int(arguments[0]) if arguments else 3
    packages = [PACKAGES / "small", Path(arguments[1]) if len(arguments) > 1 else PACKAGES / "floor"]
    for package in packages:
        if package.parent == PACKAGES:
            shutil.copy(ROOT / "Cargo.lock", package / "Cargo.lock")
        subprocess.run(["cargo", "fetch", "--quiet"], cwd=package, check=True)
    times: dict[Path, list[float]] = {package: [] for package in packages}
    sizes: dict[Path, int] = {}
    for pair in range(pairs):
        # The machine may get slower or faster meanwhile: each comes first in turn.
        for package in packages if pair % 2 == 0 else reversed(packages):
            seconds, sizes[package] = build(package)
            times[package].append(seconds)
            print(f"{package.name}: {seconds:.1f} s", flush=True)
    for package in packages:
        least = min(times[package])
        print(f"{package.name}: least {least:.1f} s, {crates(package)} crates, {sizes[package]} bytes stripped")
    small, other = (times[package] for package in packages)
    print(f"ratio of the sums {sum(small) / sum(other):.3f}, of the least {min(small) / min(other):.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
