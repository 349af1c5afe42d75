#!/usr/bin/python3
"""Holds what the two libraries export against what the public headers declare, in both directions.

    tests/consumers/exports/exports.py SHARED STATIC

A function that the headers declare for programs, and do not define, is exported by both libraries; nothing else is.
"""

import json
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

INCLUDE = "client/include"
FUNCTIONS = {"FunctionDecl", "CXXMethodDecl", "CXXConstructorDecl", "CXXDestructorDecl", "CXXConversionDecl"}
# Declared in the headers and defined in no library, one wrongly and one rightly in the list.
PLANTED = "namespace wormhole { inline namespace v0 { void Planted(int); inline void Defined() {} } }"


def run(*command: str, source: str = "") -> str:
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout


def syntax_tree(source: str) -> dict[str, Any]:
    command = ["clang++-14", "-xc++", "-std=c++17", "-fsyntax-only", "-I" + INCLUDE, "-Xclang", "-ast-dump=json", "-"]
    return json.loads(run(*command, source=source))


def is_house(node: dict[str, Any]) -> bool:
    return node.get("kind") == "NamespaceDecl" and node.get("name") == "wormhole"


def internal_classes(tree: dict[str, Any]) -> set[str]:
    """Those that the headers have to name, in wormhole and not in v0."""
    return {
        node["name"]
        for house in filter(is_house, tree["inner"])
        for node in house.get("inner", [])
        if node.get("kind") == "CXXRecordDecl" and "name" in node
    }


def is_for_programs(node: dict[str, Any], access: str, internal: set[str]) -> bool:
    """Whether a function of the headers is one that programs call, by themselves or in what a compiler makes."""
    if node.get("isImplicit") or node.get("explicitlyDeleted") or node.get("explicitlyDefaulted"):
        return False
    if node.get("inline") or any(child.get("kind") == "CompoundStmt" for child in node.get("inner", [])):
        return False
    kind = node["type"]["qualType"]
    return access == "public" or (access == "protected" and not any(name in kind for name in internal))


def functions(node: dict[str, Any], access: str, internal: set[str]) -> Iterator[str]:
    if node.get("tagUsed") == "class":
        access = "private"
    for child in node.get("inner", []):
        kind = child.get("kind")
        if kind == "AccessSpecDecl":
            access = child["access"]
        elif kind in FUNCTIONS and is_for_programs(child, access, internal):
            yield child["mangledName"]
        elif kind == "NamespaceDecl" or (kind == "CXXRecordDecl" and access == "public"):
            yield from functions(child, "public", internal)


def declared(source: str) -> set[str]:
    tree = syntax_tree(source)
    internal = internal_classes(tree)
    names = [name for house in filter(is_house, tree["inner"]) for name in functions(house, "public", internal)]
    return demangled(names)


def demangled(names: list[str]) -> set[str]:
    # A constructor has two names, for whole objects and for bases, which read the same.
    return set(run("c++filt", source="\n".join(names)).splitlines())


def exported(library: str) -> set[str]:
    """Of a static library, what objects that are linked with it see."""
    shared = ".so" in library
    lines = run("nm", "--defined-only", "--extern-only", *(["-D"] if shared else []), library).splitlines()
    symbols = [line.split() for line in lines if len(line.split()) == 3]
    # A is the name of the version.
    return demangled([name.split("@")[0] for _, kind, name in symbols if kind != "A"])


def faults(wanted: set[str], library: str, shown: set[str]) -> list[str]:
    return [f"{library} does not export {name}" for name in sorted(wanted - shown)] + [
        f"{library} exports what no public header declares: {name}" for name in sorted(shown - wanted)
    ]


def main() -> None:
    headers = sorted(path.name for path in pathlib.Path(INCLUDE, "wormhole").glob("*.h"))
    source = "".join(f'#include "wormhole/{name}"\n' for name in headers)
    wanted = declared(source)
    found: list[str] = []
    for library in sys.argv[1:]:
        shown = exported(library)
        found += faults(wanted, library, shown)
        print(f"{library}: {len(shown)} functions")
        if faults(wanted | {"planted"}, library, shown) == faults(wanted, library, shown):
            found.append("a function that is not exported is not found")
        if faults(wanted, library, shown | {"planted"}) == faults(wanted, library, shown):
            found.append("a symbol that is not public is not found")
    if declared(source + PLANTED) - wanted != {"wormhole::v0::Planted(int)"}:
        found.append("a function that the headers declare is not found, or one that they define is")
    print("\n".join(found))
    sys.exit(1 if found or len(wanted) < 20 else 0)


if __name__ == "__main__":
    main()
