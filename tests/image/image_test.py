#!/usr/bin/python3
"""Checks an image that deploy/image/build wrote, and that each check finds what it is there for.

tests/image/image_test.py LAYOUT EPOCH [FOLDER...]: none of the folders is named in the image.
"""

import copy
import pathlib
import sys
import unittest
from datetime import datetime, timezone
from typing import Callable

sys.dont_write_bytecode = True

import file_checks
import sbom_checks
from image import Entry, Image, read_image

LAYOUT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 2 else pathlib.Path()
EPOCH = int(sys.argv[2]) if len(sys.argv) > 2 else 0
PLACES = sys.argv[3:]
CREATED = datetime.fromtimestamp(EPOCH, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
LIBRARY = "usr/lib/x86_64-linux-gnu/libsodium.so.23.3.0"

Check = Callable[[Image], list[str]]
Mistake = Callable[[Image], object]


def checks() -> dict[str, Check]:
    return {
        "modes": file_checks.check_modes,
        "programs": file_checks.check_programs,
        "libraries": file_checks.check_libraries,
        "packages": file_checks.check_packages,
        "system files": file_checks.check_system_files,
        "config": lambda image: file_checks.check_config(image, EPOCH, CREATED),
        "places": lambda image: file_checks.check_places(image, PLACES),
        "SBOM's packages": sbom_checks.check_packages,
        "SBOM's licences": sbom_checks.check_licences,
        "SBOM's programs": sbom_checks.check_programs,
        "SBOM itself": lambda image: sbom_checks.check_document(image, CREATED),
    }


class ImageTest(unittest.TestCase):
    """All of it holds, and a mistake is found by the check that is for it."""

    image: Image

    @classmethod
    def setUpClass(cls) -> None:
        cls.image = read_image(LAYOUT)

    def test_all_of_it_holds(self) -> None:
        for name, check in checks().items():
            with self.subTest(name):
                self.assertEqual(check(self.image), [])

    def find(self, name: str, mistake: Mistake, expected: str) -> None:
        """With the mistake the check says something that has `expected` in it."""
        image = Image(dict(self.image.entries), copy.deepcopy(self.image.config), self.image.manifest,
                      copy.deepcopy(self.image.sbom), list(self.image.headers))
        mistake(image)
        with self.subTest(f"{name}: {expected}"):
            self.assertTrue([line for line in checks()[name](image) if expected in line],
                            f"{checks()[name](image)} has no {expected!r}")

    def put(self, path: str, mode: int = 0o644, user: int = 0, content: bytes = b"", kind: str = "file",
            target: str = "") -> Mistake:
        return lambda image: image.entries.update({path: Entry(kind, mode, user, user, target, content)})

    def drop(self, path: str) -> Mistake:
        return lambda image: image.entries.pop(path)

    def change(self, path: str, old: bytes, new: bytes) -> Mistake:
        def apply(image: Image) -> None:
            entry = copy.copy(image.entries[path])
            self.assertIn(old, entry.content)
            entry.content = entry.content.replace(old, new, 1)
            image.entries[path] = entry
        return apply

    def test_modes_that_let_too_much_in_are_found(self) -> None:
        elf = self.image.entries["usr/bin/wormhole-sync"].content
        self.find("modes", self.put("usr/bin/wormhole-sync", 0o4755, 0, elf), "setuid")
        self.find("modes", self.put("usr/share/a", 0o666), "others may write")
        self.find("modes", self.put("usr/share/a", user=65532), "belongs to 65532")
        self.find("modes", self.put("dev/null", kind="type b'3'"), "type b'3'")
        self.find("modes", self.put("var/lib/wormhole", 0o700, kind="folder"), "belongs to 0:0")
        self.find("modes", self.put("var/lib/wormhole", 0o755, 65532, kind="folder"), "mode 755")
        self.find("modes", self.drop("var/lib/wormhole"), "there is no var/lib/wormhole")

    def test_other_programs_are_found(self) -> None:
        elf = self.image.entries["usr/bin/wormhole-sync"].content
        self.find("programs", self.put("usr/bin/dash", 0o755, 0, elf), "does not belong")
        self.find("programs", self.put("usr/sbin/a", 0o644), "does not belong")
        self.find("programs", self.put("usr/share/a", 0o644, 0, b"#!/bin/sh\n"), "is a script")
        self.find("programs", self.put("usr/libexec/a", 0o644, 0, elf), "where none should be")
        self.find("programs", self.put("usr/share/a", 0o755), "is no program")
        self.find("programs", self.drop("usr/bin/wormhole-sync"), "there is no usr/bin/wormhole-sync")

    def test_libraries_that_are_missing_or_too_many_are_found(self) -> None:
        folder = "usr/lib/x86_64-linux-gnu/"
        self.find("libraries", self.drop(LIBRARY), "needs libsodium.so.23, which is not there")
        self.find("libraries", self.drop(LIBRARY), "libsodium.so.23 leads nowhere")
        self.find("libraries", self.drop(f"{folder}libsodium.so.23"), "needs libsodium.so.23")
        # One that only a library asks for, and the loader itself.
        self.find("libraries", self.drop(f"{folder}libffi.so.8"), "needs libffi.so.8")
        self.find("libraries", self.drop("usr/lib64/ld-linux-x86-64.so.2"), "needs /lib64/ld-linux-x86-64.so.2")
        # One that a program opens.
        self.find("libraries", self.drop(f"{folder}libqrencode.so.4"), "wormhole-sync needs libqrencode.so.4")
        self.find("libraries", self.change("usr/bin/wormhole-sync", b"libqrencode.so.4", b"libqrencode.so.5"),
                  "does not speak of libqrencode.so.4")
        extra = self.image.entries[LIBRARY].content
        self.find("libraries", self.put(f"{folder}libextra.so.1", 0o644, 0, extra), "needed by nobody")

    def test_a_program_with_its_symbols_is_found(self) -> None:
        built = pathlib.Path(__file__).resolve().parents[2] / "bazel-bin/client/cli/wormhole-sync"
        self.find("libraries", self.put("usr/bin/wormhole-sync", 0o755, 0, built.read_bytes()), "not stripped")

    def test_files_that_are_no_packages_own_are_found(self) -> None:
        status = "var/lib/dpkg/status.d/libsodium23"
        folder = "usr/lib/x86_64-linux-gnu/"
        self.find("packages", self.put(f"{folder}libextra.so.1"), "belongs to no package")
        self.find("packages", self.put("usr/share/ca-certificates/mine/mine.crt"), "belongs to no package")
        self.find("packages", self.change(LIBRARY, b"libsodium", b"libsodius"), "missing or changed")
        self.find("packages", self.drop(LIBRARY), "missing or changed")
        self.find("packages", self.drop(status), "has no package")
        self.find("packages", self.drop(f"{status}.md5sums"), "has no checksums")
        self.find("packages", self.drop("usr/share/doc/libsodium23/copyright"), "no copyright")
        self.find("packages", self.change(status, b"Version:", b"Verzion:"), "has no Version")
        self.find("packages", self.change(status, b"Package: libsodium23", b"Package: libsodium24"), "is the entry of")

    def test_what_the_system_lacks_is_found(self) -> None:
        bundle = "etc/ssl/certs/ca-certificates.crt"
        extra = b"-----BEGIN CERTIFICATE-----\nmine\n-----END CERTIFICATE-----\n-----BEGIN"
        self.find("system files", self.drop("etc/debian_version"), "no etc/debian_version")
        self.find("system files", self.drop("usr/lib/os-release"), "ID=debian")
        self.find("system files", self.change("etc/nsswitch.conf", b" dns", b""), "nsswitch")
        self.find("system files", self.change("etc/passwd", b":65532:", b":1000:"), "etc/passwd")
        self.find("system files", self.change(bundle, b"-----BEGIN", extra), "trusted certificates")

    def test_settings_that_are_other_are_found(self) -> None:
        def setting(name: str, value: object) -> Mistake:
            return lambda image: image.config["config"].update({name: value})
        self.find("config", setting("User", ""), "User")
        self.find("config", setting("Volumes", None), "Volumes")
        self.find("config", setting("Env", []), "Env")
        self.find("config", setting("Labels", {"io.buildah.version": "1.28.2"}), "label io.buildah.version")
        self.find("config", setting("Labels", {}), "no label version")
        self.find("config", lambda image: image.config.update(history=[{"created_by": "COPY"}]), "history")
        self.find("config", lambda image: image.config.update(created="2020-01-01T00:00:00Z"), "created")

        def later(image: Image) -> None:
            image.headers[-1] = copy.copy(image.headers[-1])
            image.headers[-1].mtime += 1
        self.find("config", later, "has the time")

    def test_a_builders_folder_is_found(self) -> None:
        self.assertTrue(PLACES)
        self.find("places", self.put("usr/share/a", content=f"at {PLACES[0]}/relay".encode()), "usr/share/a names")

    def test_what_the_bill_of_materials_lacks_is_found(self) -> None:
        def without(name: str) -> Mistake:
            return lambda image: image.sbom.update(
                packages=[one for one in image.sbom["packages"] if one["name"] != name])

        def of_sodium(**values: object) -> Mistake:
            return lambda image: next(one for one in image.sbom["packages"]
                                      if one["name"] == "libsodium23").update(values)
        packages = "SBOM's packages"
        self.find(packages, without("libsodium23"), "libsodium23 is not in it")
        self.find(packages, without("wormhole-sync"), "wormhole-sync is not in it")
        self.find(packages, self.drop("var/lib/dpkg/status.d/libsodium23"), "libsodium23 is not in the image")
        self.find(packages, lambda image: image.sbom["packages"].append(image.sbom["packages"][1]), "twice")
        self.find(packages, of_sodium(versionInfo="1"), "libsodium23 is")
        self.find(packages, of_sodium(externalRefs=[]), "addresses []")
        self.find(packages, of_sodium(sourceInfo=""), "its source is libsodium")
        self.find(packages, of_sodium(supplier="NOASSERTION"), "has the supplier NOASSERTION")
        self.find(packages, self.change("var/lib/dpkg/status.d/libsodium23", b"\nMaintainer: ",
                                        b"\nOrigin: Mine\nMaintainer: "), "its entry says Mine")
        self.find(packages, of_sodium(licenseDeclared="NOASSERTION"), "no licence")
        self.find("SBOM's licences", of_sodium(licenseDeclared="LicenseRef-x"), "LicenseRef-x has no text")
        self.find("SBOM's licences", of_sodium(licenseDeclared="MIT"), "nobody uses LicenseRef-libsodium23")

    def test_programs_that_are_not_its_own_are_found(self) -> None:
        programs = "SBOM's programs"
        self.find(programs, self.put("usr/bin/wormhole-relay", content=b"x"), "another checksum")
        self.find(programs, lambda image: image.sbom["files"].pop(), "its files are")
        self.find(programs, lambda image: image.sbom["relationships"].pop(), "missing or too much")

    def test_a_document_that_is_not_the_images_is_found(self) -> None:
        self.find("SBOM itself", lambda image: image.sbom.update(name="x"), "another one")
        self.find("SBOM itself", self.drop(sbom_checks.EMBEDDED), "another one")
        self.find("SBOM itself", lambda image: image.sbom["packages"][1].update(SPDXID="SPDXRef-a+"), "identifier")
        self.find("SBOM itself", lambda image: image.sbom["packages"][1].update(
            SPDXID=image.sbom["packages"][2]["SPDXID"]), "is there twice")
        self.find("SBOM itself", lambda image: image.sbom["creationInfo"].update(created="x"), "was made at x")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    unittest.main(argv=sys.argv[:1])
