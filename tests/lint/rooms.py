"""Compares the folders and arrows that ARCHITECTURE.md lists with what the code does.

An arrow from folder A to folder B is drawn by an #include of B's headers in a file of A, or by a
dependency of a target of A on one of B. Tests, and helpers of tests, draw none. The list is right if
it has every folder with a BUILD file, and every arrow that is drawn and no other, and if each folder
uses only folders that stand below it in the list.
"""

import ast
import os
import re
import subprocess
import sys

ROOTS = ("relay", "client")
PUBLIC = "client/include/wormhole"  # included as "wormhole/..."
ARROW = re.compile(r"^(%s)[a-z_/]* +->" % "|".join(ROOTS))


def tracked():
    """Also files that are new."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *ROOTS]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    return [name for name in names if name and os.path.exists(name)]


def listed(page):
    """The folders in order, and the arrows."""
    folders, arrows = [], set()
    for line in page.split("\n"):
        if ARROW.match(line):
            source, _, *targets = line.split()
            folders.append(source)
            arrows |= {(source, target) for target in targets}
    return folders, arrows


def of_tests(path):
    return "_test." in path or "/testing/" in path or "/testing" == path[-8:]


def included(path, text):
    for header in re.findall(r'^#include "([^"]+)"', text, re.M):
        if header.endswith(".pb.h") or header.endswith(".inc"):
            continue
        folder = os.path.dirname(header)
        if folder == "wormhole":
            folder = PUBLIC
        if folder.split("/")[0] in ROOTS:
            yield folder


class Calls(ast.NodeVisitor):
    """The targets of a BUILD file: keyword arguments of each call that names one."""

    def __init__(self):
        self.targets = []

    def visit_Call(self, node):
        arguments = {argument.arg: argument.value for argument in node.keywords}
        if "name" in arguments:
            rule = getattr(node.func, "id", "")
            if rule != "cc_test" and "testonly" not in arguments:
                self.targets.append(arguments)
        self.generic_visit(node)


def depended_on(text):
    calls = Calls()
    calls.visit(ast.parse(text))
    for arguments in calls.targets:
        for node in ast.walk(arguments.get("deps", ast.Constant(None))):
            label = getattr(node, "value", None)
            if isinstance(label, str) and label.startswith("//"):
                folder = label[2:].split(":")[0]
                if folder.split("/")[0] in ROOTS:
                    yield folder


def drawn():
    folders, by_include, by_build = set(), set(), set()
    for path in tracked():
        folder = os.path.dirname(path)
        if of_tests(path) or of_tests(folder):
            continue
        if path.endswith((".h", ".cc")):
            with open(path) as file:
                by_include |= {(folder, target) for target in included(path, file.read())}
        elif os.path.basename(path) == "BUILD":
            folders.add(folder)
            with open(path) as file:
                by_build |= {(folder, target) for target in depended_on(file.read())}
    without_self = lambda arrows: {arrow for arrow in arrows if arrow[0] != arrow[1]}
    return folders, without_self(by_include), without_self(by_build)


def main():
    with open("ARCHITECTURE.md") as file:
        order, arrows = listed(file.read())
    folders, by_include, by_build = drawn()
    # The public headers are a folder of client's package.
    arrows_of_package = {(a, b.replace(PUBLIC, "client")) for a, b in arrows}
    wrong = []
    for folder in sorted(folders - set(order)):
        wrong.append(f"{folder} has a BUILD file and is not in the list")
    for folder in sorted(set(order) - folders - {PUBLIC}):
        wrong.append(f"{folder} is in the list and has no BUILD file")
    for a, b in sorted(by_include - arrows):
        wrong.append(f"{a} includes headers of {b}: not in the list")
    for a, b in sorted(by_build - arrows_of_package):
        wrong.append(f"a target of {a} depends on one of {b}: not in the list")
    for a, b in sorted(arrows - by_include - by_build):
        wrong.append(f"the list has {a} -> {b}, which nothing draws")
    for a, b in sorted(arrows):
        if a in order and b in order and order.index(b) < order.index(a):
            wrong.append(f"{a} uses {b}, which stands above it")
    for line in wrong:
        print(line)
    print(f"{len(order)} folders, {len(arrows)} arrows in ARCHITECTURE.md, {len(wrong)} wrong")
    return 1 if wrong or not arrows else 0


if __name__ == "__main__":
    sys.exit(main())
