#!/usr/bin/python3
"""Makes the library's reference of the headers as they are, and with something planted that Doxygen must warn of."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Header, what stands there, what takes its place.
PLANTED = (
    ("wormhole.h", "// The side that shows the code.", "void Undocumented();\n\n// The side that shows the code."),
    ("wormhole.h", "  void Cancel();", "  void Cancel();\n  void Undocumented();"),
    ("wormhole.h", "// Whose state this is.", "struct Undocumented {\n  int member;  // documented\n};\n\n// Whose state this is."),
    ("outcome.h", "  kInvalidArgument = 1,", "  kUndocumented = 99,\n  kInvalidArgument = 1,"),
    ("options.h", "  int threads = 2;", "  int threads = 2;\n  int undocumented = 0;"),
    ("schedule.h", "// One entry or more;", "using Undocumented = int;\n\n// One entry or more;"),
    ("options.h", "// What a Client is made with.", "// \\nosuchcommand What a Client is made with."),
)


class ReferenceTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.client = pathlib.Path(folder.name) / "client"
        shutil.copytree(ROOT / "client/include", self.client / "include")
        shutil.copy(ROOT / "client/reference", self.client)
        (self.client.parent / "deploy").mkdir()
        shutil.copy(ROOT / "deploy/version.bzl", self.client.parent / "deploy")

    def make(self):
        """Its status, and what it prints."""
        command = [self.client / "reference", self.client / "made"]
        run = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return run.returncode, run.stdout

    def test_the_headers_as_they_are(self):
        status, printed = self.make()
        self.assertEqual((status, printed), (0, "%s/made/index.html\n" % self.client))
        pages = "".join(page.read_text() for page in (self.client / "made").glob("*.html"))
        # Above a name, behind one, and at the top of a file; none that belongs to nothing.
        for text in ("Two keep one slow callback", "the two codes differ", "Thread safety: every object"):
            self.assertIn(text, pages)
        self.assertNotIn("// Internal.", pages)

    def test_what_is_planted_is_found(self):
        for header, old, new in PLANTED:
            with self.subTest(header=header, new=new):
                path = self.client / "include/wormhole" / header
                text = path.read_text()
                self.assertEqual(text.count(old), 1)
                path.write_text(text.replace(old, new))
                status, printed = self.make()
                self.assertNotEqual(status, 0)
                self.assertRegex(printed, r"error: .*([uU]ndocumented|nosuchcommand)")
                path.write_text(text)

    def test_what_it_says_of_a_bad_call(self):
        for arguments in (["--help"], ["a", "b"]):
            run = subprocess.run([self.client / "reference", *arguments], text=True, capture_output=True, check=False)
            self.assertEqual((run.returncode, run.stderr), (1, "usage: client/reference [FOLDER]\n"))
        blocked = self.client / "a file"
        blocked.write_text("")
        run = subprocess.run([self.client / "reference", blocked], text=True, capture_output=True, check=False)
        self.assertEqual(run.returncode, 1)
        self.assertEqual(run.stderr.count("\n"), 1)
        without = dict(os.environ, PATH="/nonexistent")
        run = subprocess.run(
            [self.client / "reference", self.client / "made"], env=without, text=True, capture_output=True, check=False
        )
        self.assertIn("install Debian's package doxygen", run.stderr)


if __name__ == "__main__":
    unittest.main()
