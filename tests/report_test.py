"""Tests of report.py: what it counts, and that nothing broken is counted as good."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest

import report

PASSED = '<testcase name="Passes" classname="Suite" status="run" />'
FAILED = '<testcase name="Fails" classname="Suite"><failure message="no" /></testcase>'
SKIPPED = (
    '<testcase name="Skips" classname="Suite">'
    '<skipped message="a_test.cc:7&#x0A;for another&#x0A;day" /></testcase>'
)
DISABLED = '<testcase name="DISABLED_Waits" classname="Suite" status="notrun" />'


class ReportTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def result(self, *cases, label="//a:a_test", status="PASSED"):
        """The event of a test that left these cases in its test.xml."""
        xml = self.folder / f"{label.split(':')[1]} {len(list(self.folder.iterdir()))}.xml"
        xml.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
        return json.dumps({
            "id": {"testResult": {"label": label, "run": 1}},
            "testResult": {
                "status": status,
                "testActionOutput": [{"name": "test.xml", "uri": xml.as_uri()}],
            },
        })

    def bazel(self, *events, configuration="opt", status=0):
        """Writes down a run of Bazel."""
        (self.folder / f"{configuration}.bep").write_text("\n".join(events) + "\n")
        (self.folder / f"{configuration}.status").write_text(f"{status}\n")

    def check_report(self, *expected, failed):
        """Compares the whole output and the exit code."""
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            code = report.main(self.folder)
        self.assertEqual(output.getvalue().splitlines(), list(expected))
        self.assertEqual(code, 1 if failed else 0)

    def test_counts_cases_and_checks(self):
        self.bazel(self.result(PASSED, PASSED), self.result(PASSED, label="//b:b_test"))
        (self.folder / "passed").write_text("lint-format\nlint-buf\n")
        self.check_report("skipped: nothing", "5 passed, 0 failed", failed=False)

    def test_an_empty_folder_is_a_failure(self):
        self.check_report(
            "FAILED  no test ran", "skipped: nothing", "0 passed, 1 failed", failed=True)

    def test_a_configuration_without_tests_is_a_failure(self):
        self.bazel(self.result(PASSED))
        self.bazel('{"id":{"started":{}}}', configuration="asan")
        self.check_report(
            "FAILED  [asan] no test ran", "skipped: nothing", "1 passed, 1 failed", failed=True)

    def test_names_what_failed(self):
        self.bazel(self.result(PASSED, FAILED, status="FAILED"), status=3)
        (self.folder / "failed").write_text("lint-tidy\ninterrupted by SIGINT\n")
        self.check_report(
            "FAILED  [opt] //a:a_test Suite.Fails", "FAILED  lint-tidy",
            "FAILED  interrupted by SIGINT", "skipped: nothing", "1 passed, 3 failed", failed=True)

    def test_a_crash_without_a_failed_case_is_a_failure(self):
        self.bazel(self.result(PASSED, status="TIMEOUT"), status=3)
        self.check_report(
            "FAILED  [opt] //a:a_test (TIMEOUT)", "skipped: nothing", "1 passed, 1 failed",
            failed=True)

    def test_of_a_test_that_wrote_nothing_the_status_counts(self):
        written_by_bazel = '<testcase name="a/a_test"><error message="exited with code 142" /></testcase>'
        self.bazel(self.result(written_by_bazel, status="TIMEOUT"), status=3)
        self.check_report(
            "FAILED  [opt] //a:a_test (TIMEOUT)", "skipped: nothing", "0 passed, 1 failed",
            failed=True)

    def test_names_what_was_skipped_and_why(self):
        self.bazel(self.result(PASSED, SKIPPED, DISABLED))
        self.bazel(self.result(PASSED, SKIPPED), configuration="tsan")
        (self.folder / "skipped").write_text("[tsan] 23 targets (tag no-tsan)\n")
        self.check_report(
            "skipped: [tsan] 23 targets (tag no-tsan); "
            "[opt, tsan] //a:a_test Suite.Skips (for another day); "
            "[opt] //a:a_test Suite.DISABLED_Waits (disabled)",
            "2 passed, 0 failed", failed=False)

    def test_a_truncated_event_is_a_failure_and_the_others_count(self):
        whole = self.result(PASSED)
        self.bazel(whole, "17", '{"id":{"testResult":{}}}', whole[:40])
        self.check_report(
            *[f"FAILED  [opt] build event {n} is cut or corrupt" for n in (2, 3, 4)],
            "skipped: nothing", "1 passed, 3 failed", failed=True)

    def test_events_that_are_no_text_are_a_failure(self):
        self.bazel(self.result(PASSED))
        (self.folder / "opt.bep").write_bytes(b"\xff\xfe\n")
        self.check_report(
            "FAILED  [opt] build event 1 is cut or corrupt", "skipped: nothing",
            "0 passed, 1 failed", failed=True)

    def test_missing_events_are_a_failure(self):
        (self.folder / "asan.status").write_text("37\n")
        self.check_report(
            "FAILED  [asan] bazel ended with 37, and left no events", "skipped: nothing",
            "0 passed, 1 failed", failed=True)

    def test_an_unreadable_test_xml_is_a_failure(self):
        event = self.result(PASSED)
        next(self.folder.glob("*.xml")).write_text("<testsuites><tests")
        self.bazel(event)
        self.check_report(
            "FAILED  [opt] //a:a_test passed, but its test.xml is unreadable", "skipped: nothing",
            "0 passed, 1 failed", failed=True)

    def test_a_target_that_does_not_build_is_a_failure(self):
        built = {"id": {"targetCompleted": {"label": "//a:a"}}, "completed": {"success": True}}
        broken = {"id": {"targetCompleted": {"label": "//b:b_test"}}, "completed": {}}
        self.bazel(json.dumps(built), json.dumps(broken), self.result(PASSED), status=1)
        self.check_report(
            "FAILED  [opt] //b:b_test did not build", "skipped: nothing", "1 passed, 1 failed",
            failed=True)

    def test_a_bazel_that_ends_before_any_test_is_a_failure(self):
        self.bazel('{"id":{"started":{}}}', status=2)
        self.check_report(
            "FAILED  [opt] bazel ended with 2, and named no failure", "skipped: nothing",
            "0 passed, 1 failed", failed=True)

    def test_a_bazel_that_was_interrupted_is_a_failure(self):
        self.bazel(self.result(PASSED))
        (self.folder / "opt.status").unlink()
        self.check_report(
            "FAILED  [opt] bazel ended with no exit code, and named no failure",
            "skipped: nothing", "1 passed, 1 failed", failed=True)


if __name__ == "__main__":
    unittest.main()
