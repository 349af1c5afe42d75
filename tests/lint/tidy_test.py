"""Tests of tidy.py: what it finds, and when it reads a file again."""

import contextlib
import io
import os
import pathlib
import shutil
import tempfile
import unittest
import unittest.mock

import tidy

CLEAN = '#include "a.h"\nint Twice(int value) { return 2 * value + kOne; }\n'
HEADER = "constexpr int kOne = 1;\n"
CHECKS = "-*,modernize-use-nullptr"


class TidyTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(temporary.name)
        self.write("a.cc", CLEAN)
        self.write("a.h", HEADER)
        self.write(".clang-tidy", "WarningsAsErrors: '*'\n")

    def write(self, name, text):
        pathlib.Path(name).write_text(text)

    def run_it(self, *arguments, memory="memory"):
        """Its status, and what it prints."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            status = tidy.main([f"--memory={memory}", f"--checks={CHECKS}", "--", "-xc++", "-I.",
                                *arguments], ["a.cc"])
        return status, printed.getvalue()

    def kept(self):
        return {path.name: path.stat().st_mtime_ns for path in pathlib.Path("memory").iterdir()}

    def test_a_clean_file_is_read_once(self):
        self.assertEqual(self.run_it(), (0, ""))
        kept = self.kept()
        self.assertEqual(len(kept), 1)
        self.assertEqual(self.run_it(), (0, ""))
        self.assertEqual(self.kept(), kept)

    def test_a_mistake_is_found_each_time(self):
        self.write("a.cc", CLEAN + "int* Nothing() { return 0; }\n")
        for _ in range(2):
            status, printed = self.run_it()
            self.assertEqual(status, 1)
            self.assertIn("use nullptr", printed)
        self.assertEqual(self.kept(), {})

    def test_a_mistake_that_comes_later_is_found(self):
        self.run_it()
        self.write("a.cc", CLEAN + "int* Nothing() { return 0; }\n")
        self.assertEqual(self.run_it()[0], 1)

    def test_a_header_that_changes_is_read(self):
        self.run_it()
        self.write("a.h", "constexpr long* kOne = 0;\n")
        status, printed = self.run_it()
        self.assertEqual(status, 1)
        self.assertIn("error", printed)

    def test_a_header_that_is_gone_is_missed(self):
        self.run_it()
        os.unlink("a.h")
        status, printed = self.run_it()
        self.assertEqual(status, 1)
        self.assertIn("'a.h' file not found", printed)

    def test_other_rules_or_arguments_are_another_question(self):
        self.run_it()
        self.run_it("-DOTHER")
        self.assertEqual(len(self.kept()), 2)
        before = self.kept()
        self.write(".clang-tidy", "WarningsAsErrors: 'modernize-*'\n")
        self.run_it()
        self.assertNotEqual(self.kept(), before)

    def test_a_header_that_is_written_meanwhile_is_read_again(self):
        real = shutil.which("clang-tidy-14")
        self.write("clang-tidy-14", f'#!/bin/sh\n{real} "$@"\nstatus=$?\necho >>a.h\nexit $status\n')
        os.chmod("clang-tidy-14", 0o755)
        with unittest.mock.patch.dict(os.environ, PATH=f"{os.getcwd()}:{os.environ['PATH']}"):
            self.assertEqual(self.run_it(), (0, ""))
        self.assertEqual(self.kept(), {})

    def test_what_is_cut_short_is_forgotten(self):
        self.run_it()
        (entry,) = self.kept()
        self.write(f"memory/{entry}", '{"a.cc')
        self.write("a.cc", CLEAN + "int* Nothing() { return 0; }\n")
        self.assertEqual(self.run_it()[0], 1)

    def test_works_without_memory(self):
        self.assertEqual(tidy.main([f"--checks={CHECKS}", "--", "-xc++", "-I."], ["a.cc"]), 0)


if __name__ == "__main__":
    unittest.main()
