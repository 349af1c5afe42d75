"""Tests of cores.py: whose cores are shown, and which are left alone or removed."""

import contextlib
import io
import json
import os
import pathlib
import tempfile
import unittest
from unittest import mock

import cores


class CoresTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.out = pathlib.Path(temporary.name) / "k8-opt"
        self.events = [json.dumps({"id": {"started": {}}, "started": {"startTimeMillis": "1000000"}})]

    def ran(self, label, status):
        """A test that ran; the folder in which it did."""
        package, name = label[2:].split(":")
        log = self.out / "testlogs" / package / name / "test.log"
        self.events.append(json.dumps({
            "id": {"testResult": {"label": label}},
            "testResult": {
                "status": status, "testActionOutput": [{"name": "test.log", "uri": log.as_uri()}]},
        }))
        folder = self.out / "bin" / package / f"{name}.runfiles" / "wormhole_sync"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @staticmethod
    def leave_core(folder, name="core", at=1001):
        core = folder / name
        core.write_bytes(b"no core that gdb knows")
        os.utime(core, (at, at))
        return core

    def shown(self, glob="core"):
        """What is printed, where there is no gdb."""
        events = self.out.parent / "events"
        events.write_text("\n".join(self.events) + "\n{cut")
        output = io.StringIO()
        with contextlib.redirect_stdout(output), mock.patch("shutil.which", return_value=None):
            cores.main(events, glob)
        return output.getvalue()

    def test_of_a_test_that_failed_core_and_binary_are_named(self):
        core = self.leave_core(self.ran("//a/b:c_test", "FAILED"))
        shown = self.shown()
        self.assertIn(f"//a/b:c_test left a core: {core}\n", shown)
        self.assertIn(f"of the binary: {self.out}/bin/a/b/c_test\n", shown)
        self.assertIn("install gdb", shown)
        self.assertTrue(core.exists())

    def test_what_a_test_that_passed_let_crash_is_removed(self):
        core = self.leave_core(self.ran("//a:a_test", "PASSED"))
        self.assertEqual(self.shown(), "")
        self.assertFalse(core.exists())

    def test_one_run_of_several_that_failed_counts(self):
        self.leave_core(self.ran("//a:a_test", "FAILED"))
        self.ran("//a:a_test", "PASSED")
        self.assertIn("//a:a_test left a core", self.shown())

    def test_what_is_older_than_the_run_is_left_alone(self):
        failed = self.leave_core(self.ran("//a:a_test", "FAILED"), at=999)
        passed = self.leave_core(self.ran("//b:b_test", "PASSED"), at=999)
        self.assertEqual(self.shown(), "")
        self.assertTrue(failed.exists() and passed.exists())

    def test_names_are_those_of_the_kernels_pattern(self):
        folder = self.ran("//a:a_test", "TIMEOUT")
        core = self.leave_core(folder, name="core.a_test.17")
        self.leave_core(folder, name="core_test.cc")
        shown = self.shown(cores.core_glob("core.%e.%p", with_pid=False))
        self.assertEqual(shown.count("left a core"), 1)
        self.assertIn(str(core), shown)

    def test_patterns(self):
        self.assertEqual(cores.core_glob("core", with_pid=False), "core")
        self.assertEqual(cores.core_glob("core", with_pid=True), "core*")
        self.assertEqual(cores.core_glob("100%%-%e", with_pid=False), "100%-*")


if __name__ == "__main__":
    unittest.main()
