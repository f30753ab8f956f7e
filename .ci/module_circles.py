"""Which modules of a crate use each other, directly or through others: siblings, and a module with its own children.

A path leads to the module that defines what it names: imports on the way, such as the `pub use` of a parent, are
followed. Tests may look at everything, so they do not count. The code of a module itself takes part among its
children under the name `own code`:

- It uses a child where it names something of it beyond `mod` and `use`: what it only re-exports is not its concern.
- A child uses it by a call of a function of the same file. To use the types, traits and constants of a parent is what
  children are for: `impl` blocks of one type in several files, or the helpers of a parent that only declares its
  children, are no circle. But a parent that calls into a child which calls back cannot be read without the child,
  nor the child without the parent; the function belongs into a third module, below both.
"""

import os
import re
import subprocess

OWN = "own code"
USE = re.compile(r"^[ ]*(?:pub(?:\([^)]*\))? )?use ([^;]*);", re.M)
FUNCTION = re.compile(r"^(?:pub(?:\([^)]*\))? )?(?:(?:async|const) )*fn (\w+)", re.M)


def without_tests(text):
    """The code of a file, without its tests and comments."""
    code = text.split("#[cfg(test)]\nmod ")[0]
    return "\n".join(line for line in code.splitlines() if not line.lstrip().startswith("//"))


def sources(crate):
    """The code of each module by its path, such as `("store", "links")`; that of the root is `()`."""
    found = {}
    files = subprocess.run(("git", "ls-files", "-co", "--exclude-standard", f"{crate}/src/*.rs"), check=True, stdout=subprocess.PIPE, text=True)
    for path in files.stdout.split():
        parts = path.removesuffix(".rs").split("/")[2:]
        if os.path.exists(path) and "tests" not in parts:
            module = tuple(parts[:-1] if parts[-1] in ("lib", "main", "mod") else parts)
            found[module] = without_tests(open(path).read())
    return found


def imports(code):
    """What each `use` of a file brings, by its name there: `{a::{B, c::D as E}}` is `B` and `E`."""
    found = []

    def expand(prefix, group):
        depth, part = 0, ""
        for character in group + ",":
            depth += {"{": 1, "}": -1}.get(character, 0)
            if character != "," or depth:
                part += character
                continue
            nested = re.match(r"\s*([\w:]*?)(?:::)?\{(.*)\}\s*$", part, re.S)
            if nested:
                expand(prefix + [name for name in nested[1].split("::") if name], nested[2])
            elif part.strip():
                path, _, alias = part.strip().partition(" as ")
                path = prefix + path.split("::")
                if path[-1] == "self" and len(path) > 1:
                    path.pop()
                found.append((alias or path[-1], path))
            part = ""

    for tree in USE.findall(code):
        expand([], tree)
    return found


class Crate:
    """The modules of a crate, with what each of them names."""

    def __init__(self, modules):
        self.modules = modules
        self.functions = {module: set(FUNCTION.findall(code)) for module, code in modules.items()}
        self.imported = {module: {} for module in modules}
        self.named = {module: set() for module in modules}
        for module, code in modules.items():
            self.read(module, code)

    def read(self, module, code):
        children = {other[len(module)] for other in self.modules if len(other) == len(module) + 1 and other[:-1] == module}
        body = USE.sub("", code)
        for name, path in imports(code):
            inside = path[0] in children
            if not inside and path[0] not in ("crate", "super", "self"):
                continue
            target = module + tuple(path) if inside else self.absolute(module, path)
            self.imported[module][name] = target
            own_child = len(target) > len(module) and target[: len(module)] == module
            if not own_child or re.search(rf"(?<![\w.]){re.escape(name)}\b", body):
                self.named[module].add(target)
        for path in re.findall(r"(?<![\w$:])(?:crate|super|self)(?:::\w+)+", body):
            self.named[module].add(self.absolute(module, path.split("::")))
        # A module that is in scope is the beginning of paths: `child::function()`.
        scope = {child: module + (child,) for child in children}
        scope |= {name: target for name, target in self.imported[module].items() if target in self.modules}
        for name, target in scope.items():
            for rest in re.findall(rf"(?<![\w:.$]){re.escape(name)}((?:::\w+)+)", body):
                self.named[module].add(target + tuple(rest.split("::")[1:]))

    @staticmethod
    def absolute(module, path):
        start, *rest = path
        above = [] if start == "crate" else list(module)
        while start == "super":
            above = above[:-1]
            start = rest.pop(0) if rest[:1] == ["super"] else ""
        return tuple(above + rest)

    def resolve(self, target, steps=0):
        """The module that defines something, and what is left of the path there."""
        length = next(length for length in range(len(target), -1, -1) if target[:length] in self.modules)
        module, rest = target[:length], target[length:]
        followed = self.imported[module].get(rest[0]) if rest and rest[0] not in self.functions[module] else None
        if followed is None or steps == 8:
            return module, rest
        return self.resolve(followed + rest[1:], steps + 1)

    def edges(self):
        """Which module uses which, among the children of each module and its own code; the root has no code of its own."""
        found = {}
        for module in filter(None, self.modules):
            for named in self.named[module]:
                target, rest = self.resolve(named)
                shared = 0
                while shared < min(len(module), len(target)) and module[shared] == target[shared]:
                    shared += 1
                if shared < len(module):
                    user = module[shared]
                elif shared < len(target):
                    user = OWN
                else:
                    continue
                if shared < len(target):
                    used = target[shared]
                elif target and rest and rest[0] in self.functions[target]:
                    used = OWN
                else:
                    continue
                among = found.setdefault("::".join(module[:shared]), {})
                among.setdefault(user, set()).add(used)
                among.setdefault(used, set())
        return found


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


def knots(modules):
    """All circles of a crate, by the module above them."""
    return {above: found for above, among in Crate(modules).edges().items() if (found := circles(among))}


def check_itself():
    """What this file must find and must not find, as small crates; an error says what it does wrong."""
    calls_back = {(): "", ("p",): "mod c;\nfn go() {\n    c::work();\n}\nfn help() {}", ("p", "c"): "use super::help;\npub fn work() {\n    help();\n}"}
    cases = {
        "a parent that calls a child which calls back": (calls_back, {"p": [["c", OWN]]}),
        "a parent that only declares": (calls_back | {("p",): "mod c;\nfn help() {}"}, {}),
        "a parent that only re-exports": (calls_back | {("p",): "mod c;\npub use c::work;\nfn help() {}"}, {}),
        "a child that uses a type": (
            {(): "", ("p",): "mod c;\nstruct Own;\nfn go() {\n    c::work();\n}", ("p", "c"): "use super::Own;\nimpl Own {}\npub fn work() {}"},
            {},
        ),
        "a circle through a sibling": (
            {
                (): "",
                ("p",): "mod c;\nmod d;\nuse c::work;\nfn go() {\n    work();\n}\nfn help() {}",
                ("p", "c"): "pub fn work() {\n    super::d::more();\n}",
                ("p", "d"): "pub fn more() {\n    super::help();\n}",
            },
            {"p": [["c", "d", OWN]]},
        ),
        "a call back by a whole path": (calls_back | {("p", "c"): "pub fn work() {\n    crate::p::help();\n}"}, {"p": [["c", OWN]]}),
        "a call back from a grandchild": (
            calls_back | {("p", "c"): "mod deep;\npub fn work() {}", ("p", "c", "deep"): "use super::super::help;"},
            {"p": [["c", OWN]]},
        ),
        "a function of the name of a child": (
            {
                (): "",
                ("p",): "mod plan;\nmod c;\npub fn plan() {\n    c::work();\n}",
                ("p", "plan"): "pub struct Plan;",
                ("p", "c"): "use super::plan::Plan;\npub fn work() {}",
            },
            {},
        ),
        "siblings": ({(): "", ("a",): "use crate::b::B;\npub struct A;", ("b",): "use crate::a::A;\npub struct B;"}, {"": [["a", "b"]]}),
        "siblings through a parent": (
            {
                (): "",
                ("p",): "mod a;\nmod b;\npub use a::A;\npub use b::B;",
                ("p", "a"): "use super::B;\npub struct A(B);",
                ("p", "b"): "use super::A;\npub struct B(A);",
            },
            {"p": [["a", "b"]]},
        ),
        "tests": ({(): "", ("a",): "pub struct A;", ("b",): without_tests("use crate::a::A;\n// use crate::c::C;\n#[cfg(test)]\nmod tests {\n use crate::b::B;\n}")}, {}),
    }
    for name, (modules, expected) in cases.items():
        found = knots(modules)
        assert found == expected, f"module_circles.py: {name}: {found} is not {expected}"
