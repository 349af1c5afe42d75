#!/usr/bin/python3
"""Checks what the archive of //client:dist says of what is in it, and that each check finds what it is there for.

tests/consumers/contents/contents_test.py ARCHIVE
"""

import copy
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import types
import unittest
from collections.abc import Callable
from typing import Any

sys.dont_write_bytecode = True
TREE = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(TREE / "tests/image"), str(TREE / "deploy/sbom")]

import debian_packages
import sbom_checks

ARCHIVE = sys.argv[1] if len(sys.argv) == 2 else ""
DOC = "share/doc/wormhole-sync/"
PROGRAM, SHARED, STATIC = "bin/wormhole-sync", "lib/libwormhole-sync-cc.so.0", "lib/libwormhole-sync-cc.a"
# By what only they have; the program says so itself.
TRACES = {
    b"CRYPTOGAMS by <appro@openssl.org>": "libssl-dev",
    b"inflate 1.": "zlib1g-dev",
    b"grpc.max_reconnect_backoff_ms": "libgrpc-dev",
    b"grpc-c++/": "libgrpc++-dev",
    b"/etc/nsswitch.conf": "libc-ares-dev",
    b"no argument for repetition operator": "libre2-dev",
    b"/data/misc/zoneinfo/current/tzdata": "libabsl-dev",
    b"../../../src/libsodium/": "libsodium-dev",
}
Sbom = dict[str, Any]


def tied(sbom: Sbom, path: str, kind: str) -> set[str]:
    """The names of the packages that a file has that relationship to."""
    names = {one["SPDXID"]: one["name"] for one in sbom["packages"]}
    files = {one["fileName"]: one["SPDXID"] for one in sbom["files"]}
    return {names[one["relatedSpdxElement"]] for one in sbom["relationships"]
            if one["spdxElementId"] == files.get(f"./{path}") and one["relationshipType"] == kind}


def check_files(sbom: Sbom, files: dict[str, bytes]) -> list[str]:
    """All that was compiled is in it, with its checksum."""
    compiled = {path for path, content in files.items() if content.startswith((b"\x7fELF", b"!<arch>"))}
    listed = {one["fileName"].removeprefix("./"): one for one in sbom["files"]}
    wrong = [f"{path} is not in it" for path in sorted(compiled - listed.keys())]
    wrong += [f"{path} is not in the archive" for path in sorted(listed.keys() - compiled)]
    for path in sorted(compiled & listed.keys()):
        actual = {"algorithm": "SHA256", "checksumValue": hashlib.sha256(files[path]).hexdigest()}
        if actual not in listed[path]["checksums"]:
            wrong.append(f"{path} has another checksum")
    return wrong


def check_versions(sbom: Sbom, _files: dict[str, bytes]) -> list[str]:
    """Those that are installed here, where it was built."""
    return [f"{one['name']} is not {one['versionInfo']}" for one in sbom["packages"][1:]
            if debian_packages.package(one["name"]).version != one["versionInfo"]]


def check_shared(sbom: Sbom, files: dict[str, bytes]) -> list[str]:
    """Exactly those whose libraries a program or library names."""
    wrong = []
    for path in (PROGRAM, SHARED):
        with tempfile.NamedTemporaryFile() as place:
            place.write(files[path])
            place.flush()
            said = subprocess.run(["readelf", "--dynamic", "--wide", place.name], check=True, capture_output=True,
                                  encoding="utf-8").stdout
        names = re.findall(r"\(NEEDED\).*\[(.*)\]", said)
        owners = debian_packages.owners([str(pathlib.Path("/usr/lib/x86_64-linux-gnu", name).resolve())
                                         for name in names])
        wanted = {owner.partition(":")[0] for owner in owners.values()}
        if tied(sbom, path, "DYNAMIC_LINK") != wanted:
            wrong.append(f"{path} is linked with {sorted(wanted)}")
    if tied(sbom, STATIC, "DEPENDS_ON") != tied(sbom, SHARED, "DYNAMIC_LINK"):
        wrong.append(f"{STATIC} needs something else than {SHARED}")
    return wrong


def check_inside(sbom: Sbom, files: dict[str, bytes]) -> list[str]:
    """Who left traces in the program is in it, and the library has no archive of somebody's but the compiler's."""
    wrong = [f"there is no {trace!r} in the program, by which {name} would be known" for trace, name in TRACES.items()
             if trace not in files[PROGRAM]]
    wrong += [f"{name} is in the program" for name in sorted(set(TRACES.values()) - tied(sbom, PROGRAM, "STATIC_LINK"))]
    too_much = tied(sbom, SHARED, "STATIC_LINK") - {"libc6-dev", "libgcc-12-dev"}
    wrong += [f"{name} is in the shared library" for name in sorted(too_much)]
    for path in (PROGRAM, SHARED, STATIC):
        # A library of headers alone, of which no linker knows; and one that is compiled into everything.
        missing = {"nlohmann-json3-dev", "libstdc++-12-dev"} - tied(sbom, path, "GENERATED_FROM")
        wrong += [f"headers of {name} are in {path}" for name in sorted(missing)]
    return wrong


def check_texts(sbom: Sbom, files: dict[str, bytes]) -> list[str]:
    """The licence of each package that is inside, and those that it names."""
    text = files[f"{DOC}third-party-licences.txt"].decode()
    inside = {name for path in (PROGRAM, SHARED, STATIC) for kind in ("STATIC_LINK", "GENERATED_FROM")
              for name in tied(sbom, path, kind)}
    wrong = []
    for name in sorted(inside):
        own = pathlib.Path(f"/usr/share/doc/{name}/copyright").read_text(encoding="utf-8", errors="replace").strip("\n")
        if not re.search(rf"^{re.escape(name)} \S+, in ", text, re.M) or own not in text:
            wrong.append(f"there is no licence of {name}")
    for path in set(re.findall(r"/usr/share/common-licenses/[A-Za-z]+-[0-9.]*[0-9]", text)):
        if pathlib.Path(path).exists() and f"\n{path}\n====" not in text:
            wrong.append(f"there is no {path}")
    if files[f"{DOC}LICENSE"] != (TREE / "LICENSE").read_bytes():
        wrong.append("LICENSE is another one")
    return wrong


def of_document(check: Callable[[Any], list[str]]) -> Callable[[Sbom, dict[str, bytes]], list[str]]:
    return lambda sbom, _files: check(types.SimpleNamespace(sbom=sbom))


CHECKS = {
    "files": check_files,
    "versions": check_versions,
    "shared": check_shared,
    "inside": check_inside,
    "texts": check_texts,
    # As of the image's.
    "licences": of_document(sbom_checks.check_licences),
    "identifiers": of_document(sbom_checks.check_identifiers),
}


class ContentsTest(unittest.TestCase):
    """All of it holds, and a mistake is found by the check that is for it."""

    files: dict[str, bytes]
    sbom: Sbom

    @classmethod
    def setUpClass(cls) -> None:
        with tarfile.open(ARCHIVE) as tar:
            cls.files = {one.name.partition("/")[2]: file.read() for one in tar if (file := tar.extractfile(one))
                         and one.isfile()}
        cls.sbom = json.loads(cls.files[f"{DOC}wormhole-sync.spdx.json"])

    def test_all_of_it_holds(self) -> None:
        for name, check in CHECKS.items():
            with self.subTest(name):
                self.assertEqual(check(self.sbom, self.files), [])

    def test_packages_have_an_address(self) -> None:
        for one in self.sbom["packages"][1:]:
            self.assertTrue(one["externalRefs"][0]["referenceLocator"].startswith("pkg:deb/debian/"), one["name"])

    def find(self, name: str, expected: str, change: Callable[[Sbom, dict[str, bytes]], object]) -> None:
        sbom, files = copy.deepcopy(self.sbom), dict(self.files)
        change(sbom, files)
        with self.subTest(f"{name}: {expected}"):
            found = CHECKS[name](sbom, files)
            self.assertTrue([line for line in found if expected in line], f"{found} has no {expected!r}")

    def untie(self, path: str, kind: str, name: str) -> Callable[[Sbom, dict[str, bytes]], object]:
        def apply(sbom: Sbom, _files: dict[str, bytes]) -> None:
            self.assertIn(name, tied(sbom, path, kind))
            file = next(one["SPDXID"] for one in sbom["files"] if one["fileName"] == f"./{path}")
            package = next(one["SPDXID"] for one in sbom["packages"] if one["name"] == name)
            sbom["relationships"].remove(
                {"spdxElementId": file, "relationshipType": kind, "relatedSpdxElement": package})
        return apply

    def test_mistakes_are_found(self) -> None:
        texts = f"{DOC}third-party-licences.txt"
        self.find("files", "lib/another.so is not in it", lambda _, files: files.update({"lib/another.so": b"\x7fELF"}))
        self.find("files", f"{SHARED} is not in the archive", lambda _, files: files.pop(SHARED))
        self.find("files", "has another checksum", lambda _, files: files.update({PROGRAM: b"\x7fELF"}))
        self.find("versions", "is not 0", lambda sbom, _: sbom["packages"][3].update(versionInfo="0"))
        self.find("shared", f"{PROGRAM} is linked with", self.untie(PROGRAM, "DYNAMIC_LINK", "libstdc++6"))
        self.find("shared", f"{STATIC} needs", self.untie(STATIC, "DEPENDS_ON", "libsodium23"))
        self.find("inside", "zlib1g-dev is in the program", self.untie(PROGRAM, "STATIC_LINK", "zlib1g-dev"))
        self.find("inside", f"nlohmann-json3-dev are in {STATIC}",
                  self.untie(STATIC, "GENERATED_FROM", "nlohmann-json3-dev"))
        self.find("texts", "no licence of libre2-dev",
                  lambda _, files: files.update({texts: files[texts].replace(b"\nlibre2-dev ", b"\nlibre3-dev ")}))
        self.find("texts", "there is no /usr/share/common-licenses/Apache-2.0", lambda _, files: files.update(
            {texts: files[texts].replace(b"\n/usr/share/common-licenses/Apache-2.0\n=", b"\n\n=")}))
        self.find("licences", "has no text", lambda sbom, _: sbom["hasExtractedLicensingInfos"].pop())
        self.find("identifiers", "is there twice", lambda sbom, _: sbom["packages"].append(sbom["packages"][0]))


if __name__ == "__main__":
    if not ARCHIVE:
        sys.exit(__doc__)
    unittest.main(argv=sys.argv[:1])
