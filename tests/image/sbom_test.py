#!/usr/bin/python3
"""How deploy/sbom reads Debian's copyright files and control entries, on small ones."""

import dataclasses
import importlib.machinery
import json
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "deploy/sbom"))

import debian_packages
import sbom
from licences import Licences, read_licences

# It has no .py at its end, as all that is run.
contents = importlib.machinery.SourceFileLoader("contents", f"{sys.path[0]}/contents").load_module()

FORMAT = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"


def files(*licences: str) -> str:
    return FORMAT + "".join(f"\nFiles: *\nCopyright: somebody\nLicense: {licence}\n" for licence in licences)


class LicencesTest(unittest.TestCase):
    """As SPDX writes them."""

    def expression(self, *licences: str) -> str:
        return read_licences("libx", files(*licences)).expression

    def test_known_names_are_spdx_names(self) -> None:
        self.assertEqual(self.expression("Expat"), "MIT")
        self.assertEqual(self.expression("GPL-2+", "Apache-2.0", "GPL-2+"), "Apache-2.0 AND GPL-2.0-or-later")

    def test_a_choice_is_one(self) -> None:
        self.assertEqual(self.expression("LGPL-3+ or GPL-2+", "Expat"),
                         "(GPL-2.0-or-later OR LGPL-3.0-or-later) AND MIT")
        self.assertEqual(self.expression("Artistic or GPL-1+ and Expat"), "((GPL-1.0-or-later AND MIT) OR Artistic-1.0)")

    def test_another_name_comes_with_its_text(self) -> None:
        own = read_licences("libx++", files("mine-1.0+\n Do as you like.\n .\n But not twice."))
        self.assertEqual(own.expression, "LicenseRef-libxpp-mine-1.0-or-later")
        self.assertEqual(own.texts, {own.expression: "Do as you like.\n.\nBut not twice."})

    def test_the_text_may_stand_apart(self) -> None:
        own = read_licences("libx", files("mine") + "\nLicense: mine\n Do as you like.\n")
        self.assertEqual(own.texts, {"LicenseRef-libx-mine": "Do as you like."})

    def test_a_paragraph_without_files_is_no_licence_of_its_own(self) -> None:
        self.assertEqual(read_licences("libx", files("Expat") + "\nLicense: GPL-3\n The text.\n").expression, "MIT")

    def test_prose_is_taken_whole(self) -> None:
        prose = read_licences("libc6", "This is the Debian package of it.\nLicense: LGPL\n")
        self.assertEqual(prose.expression, "LicenseRef-libc6-copyright")
        self.assertEqual(prose.texts, {prose.expression: "This is the Debian package of it.\nLicense: LGPL\n"})

    def test_a_file_that_names_none_is_taken_whole(self) -> None:
        self.assertEqual(read_licences("libx", FORMAT + "\nFiles: *\nLicense:\n Odd.\n").expression,
                         "LicenseRef-libx-copyright")


class PackageTest(unittest.TestCase):
    """What is read of dpkg's own data."""

    def test_an_installed_one(self) -> None:
        package = debian_packages.package("libstdc++6")
        self.assertEqual((package.name, package.source), ("libstdc++6", "gcc-12"))
        self.assertEqual(debian_packages.owners(["/usr/lib/x86_64-linux-gnu/libc.so.6"]),
                         {"/usr/lib/x86_64-linux-gnu/libc.so.6": "libc6:amd64"})
        self.assertRegex(sbom.purl(package, ("debian", "12")),
                         r"^pkg:deb/debian/libstdc%2B%2B6@[0-9.]+-[0-9]+(%2Bdeb12u\d+)?\?arch=amd64&distro=debian-12$")

    def test_what_is_not_there_or_nobodys_is_refused(self) -> None:
        with self.assertRaisesRegex(debian_packages.PackageError, "not installed: run deploy/packages"):
            debian_packages.package("no-such-package")
        with self.assertRaisesRegex(debian_packages.PackageError, "belongs to no package"):
            debian_packages.owners(["/usr/lib/x86_64-linux-gnu/libnone.so"])

    def test_a_path_is_no_pattern(self) -> None:
        self.assertEqual(debian_packages.owners(["/usr/bin/["]), {"/usr/bin/[": "coreutils"})
        for pattern in ("/usr/lib/x86_64-linux-gnu/libc.so.*", "/usr/lib/x86_64-linux-gnu/libc.so.?",
                        "/usr/lib/x86_64-linux-gnu/libc.so.[6]", r"/usr/lib/x86_64-linux-gnu/libc.so.\6"):
            # It asks dpkg for this file, and not for what it would match.
            self.assertEqual(debian_packages._query("--search", debian_packages._literal(pattern)), "")
            with self.assertRaisesRegex(debian_packages.PackageError, "belongs to no package"):
                debian_packages.owners([pattern])

    def test_the_supplier_is_debian_where_the_package_says_so(self) -> None:
        installed = debian_packages.package("libstdc++6")
        for maintainer, origin, supplier in (
                ("GNU Libc Maintainers <debian-glibc@lists.debian.org>", "", "Organization: Debian"),
                ("Debian Libidn team <help-libidn@gnu.org>", "", "Organization: Debian"),
                ("Somebody <somebody@example.com>", "Debian", "Organization: Debian"),
                ("Somebody <somebody@example.com>", "", "NOASSERTION"),
                ("Somebody <somebody@notdebian.example>", "", "NOASSERTION"),
                ("Debian GCC Maintainers <debian-gcc@lists.debian.org>", "Mine", "NOASSERTION")):
            control = f"Package: x\nMaintainer: {maintainer}\n" + (f"Origin: {origin}\n" if origin else "")
            part = sbom.Part(dataclasses.replace(installed, maintainer=maintainer, control=control), Licences("MIT", {}))
            written = json.loads(sbom.write_sbom(sbom.Subject("x-1", "1", "x"), [], [part], ("debian", "12"), 1))
            self.assertEqual(written["packages"][1]["supplier"], supplier, (maintainer, origin))

    def test_another_system_is_refused(self) -> None:
        self.assertEqual(debian_packages.distribution(), ("debian", "12"))
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
            for text in ('PRETTY_NAME="Ubuntu 22.04"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"\n',
                         "PRETTY_NAME=Debian, testing\nID=debian\n"):
                file.seek(0)
                file.truncate()
                file.write(text)
                file.flush()
                with self.assertRaisesRegex(debian_packages.PackageError, "(Ubuntu 22.04|testing), and not of a release"):
                    debian_packages.distribution(file.name)

    def test_a_file_that_is_not_as_it_was_brought_is_refused(self) -> None:
        checksums = debian_packages.Checksums("libc6:amd64")
        checksums.verify("/usr/lib/x86_64-linux-gnu/libc.so.6")
        checksums._sums["/lib/x86_64-linux-gnu/libc.so.6"] = "0" * 32
        with self.assertRaisesRegex(debian_packages.PackageError, "reinstall that package"):
            checksums.verify("/usr/lib/x86_64-linux-gnu/libc.so.6")


class ContentsTest(unittest.TestCase):
    """What is inside of a program: by its linker's map, and by what its sources include."""

    def test_a_map_names_archives_and_objects_of_others(self) -> None:
        self.assertEqual(
            contents.linked_files("Archive member included because of file (symbol)\n\n"
                                  "bazel-out/bin/libmain.a(main.o)\n   --whole-archive\n"
                                  "/usr/lib/gcc/../libx++.a(a.o)\n   /usr/lib/liby.a(b.o) (symbol)\n"
                                  "LOAD /usr/lib/libz.so\n .text 0x0 0x4 /usr/lib/crti.o\n"),
            {"/usr/lib/libx++.a", "/usr/lib/liby.a", "/usr/lib/crti.o"})

    def test_what_is_not_among_the_sources_is_of_others(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            source, header, made = (f"{folder}/{name}" for name in ("client/a.cc", "client/a.h", "out/wormhole/b.pb.h"))
            for path, text in (
                    (source, '#include "client/a.h"\n  # include <nlohmann/json.hpp>\n#include "wormhole/b.pb.h"\n'),
                    (header, '#include "absl/status/status.h"\n// #include <never>\n'), (made, "#include <vector>\n")):
                pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
                pathlib.Path(path).write_text(text, encoding="utf-8")
            self.assertEqual(contents.foreign_includes([source, header, made]),
                             ["absl/status/status.h", "nlohmann/json.hpp", "vector"])

    def test_what_belongs_to_nobody_is_refused(self) -> None:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as link_map:
            print("/usr/local/lib/libmine.a(mine.o)", file=link_map, flush=True)
            with self.assertRaisesRegex(debian_packages.PackageError, "libmine.a belongs to no package"):
                contents.Contents().binary("/bin/a", "/usr/bin/true", link_map.name, "")

    def test_a_tie_is_to_the_file_where_it_is_known(self) -> None:
        parts = [sbom.Part(debian_packages.package(name), Licences("MIT", {})) for name in ("libc6", "libstdc++6")]
        binary = sbom.Binary("/bin/a", b"a", {"DYNAMIC_LINK": frozenset({"libc6"})})
        written = json.loads(sbom.write_sbom(sbom.Subject("x-1", "1", "x"), [binary], parts, ("debian", "12"), 1))
        self.assertEqual([tuple(one.values()) for one in written["relationships"][2:]],
                         [("SPDXRef-File-bin-2f-a", "DYNAMIC_LINK", "SPDXRef-Package-libc6"),
                          ("SPDXRef-Package-wormhole-sync", "DEPENDS_ON", "SPDXRef-Package-libstdc-2b--2b-6")])


if __name__ == "__main__":
    unittest.main()
