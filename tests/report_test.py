"""Tests of report.py: what it counts, and that nothing broken is counted as good."""

import contextlib
import gzip
import io
import json
import pathlib
import re
import subprocess
import tempfile
import unittest

import report
import time_spent

PASSED = '<testcase name="Passes" classname="Suite" status="run" />'
FAILED = '<testcase name="Fails" classname="Suite"><failure message="no" /></testcase>'
SKIPPED = (
    '<testcase name="Skips" classname="Suite">'
    '<skipped message="a_test.cc:7&#x0A;for another&#x0A;day" /></testcase>'
)
LAST = '{"id":{"progress":{}},"lastMessage":true}'
DISABLED = '<testcase name="DISABLED_Waits" classname="Suite" status="notrun" />'


class ReportTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def result(self, *cases, label="//a:a_test", status="PASSED", **fields):
        """The event of a test that left these cases in its test.xml."""
        xml = self.folder / f"{label.split(':')[1]} {len(list(self.folder.iterdir()))}.xml"
        xml.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
        return json.dumps({
            "id": {"testResult": {"label": label, "run": 1}},
            "testResult": {
                "status": status,
                "testActionOutput": [{"name": "test.xml", "uri": xml.as_uri()}],
                **fields,
            },
        })

    def asked(self, label):
        """The event of a test that is to be run."""
        return json.dumps(
            {"id": {"targetConfigured": {"label": label}}, "configured": {"testSize": "SMALL"}})

    def bazel(self, *events, configuration="opt", status=0, whole=True):
        """Writes down a run of Bazel."""
        last = [LAST] if whole else []
        (self.folder / f"{configuration}.bep").write_text("\n".join([*events, *last]) + "\n")
        (self.folder / f"{configuration}.status").write_text(f"{status}\n")

    def note(self, name, *lines):
        (self.folder / name).write_text("".join(f"{line}\n" for line in lines))

    def check_report(self, *expected, failed, parts=()):
        """Compares the whole output and the exit code."""
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            code = report.main(self.folder, parts)
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
            "FAILED  [opt] build event 1 is cut or corrupt",
            "FAILED  [opt] the build events stop before Bazel's last one", "skipped: nothing",
            "0 passed, 2 failed", failed=True)

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
            "FAILED  [opt] bazel ended with 2 before it was done", "skipped: nothing",
            "0 passed, 1 failed", failed=True)

    def test_a_bazel_that_was_interrupted_is_a_failure(self):
        self.bazel(self.result(PASSED))
        (self.folder / "opt.status").unlink()
        self.check_report(
            "FAILED  [opt] bazel ended with no exit code before it was done",
            "skipped: nothing", "1 passed, 1 failed", failed=True)

    def test_a_bazel_that_named_no_failure_is_a_failure(self):
        self.bazel(self.result(PASSED), status=3)
        self.check_report(
            "FAILED  [opt] bazel ended with 3, and named no failure",
            "skipped: nothing", "1 passed, 1 failed", failed=True)

    def test_a_bazel_that_died_is_said_beside_what_failed_before(self):
        self.bazel(self.result(PASSED, FAILED, status="FAILED"), status=37, whole=False)
        self.check_report(
            "FAILED  [opt] //a:a_test Suite.Fails",
            "FAILED  [opt] the build events stop before Bazel's last one",
            "FAILED  [opt] bazel ended with 37 before it was done",
            "skipped: nothing", "1 passed, 3 failed", failed=True)

    def test_tests_that_never_ran_are_a_failure(self):
        asked = [self.asked(f"//{name}:t") for name in "abcdefgh"]
        self.bazel(*asked, self.result(PASSED, label="//a:t"), self.result(PASSED, label="//b:t"))
        self.check_report(
            "FAILED  [opt] 6 tests never ran: //c:t, //d:t, //e:t, //f:t, //g:t and 1 more",
            "skipped: nothing", "2 passed, 1 failed", failed=True)

    def test_results_from_a_cache_are_failures(self):
        self.bazel(self.result(PASSED, cachedLocally=True),
                   self.result(PASSED, label="//b:b_test", executionInfo={"cachedRemotely": True}),
                   self.result(PASSED, label="//c:c_test", executionInfo={"strategy": "local"}))
        self.check_report(
            "FAILED  [opt] //a:a_test did not run: its result is a cache's",
            "FAILED  [opt] //b:b_test did not run: its result is a cache's",
            "skipped: nothing", "1 passed, 2 failed", failed=True)

    def test_parts_that_did_not_finish_are_named_and_failures(self):
        self.bazel(self.result(PASSED))
        self.note("begun", "lint", "opt", "asan")
        self.note("finished", "lint 66", "opt 90")
        self.note("passed", "lint-format")
        self.check_report(
            "Where the time went, with processes added up that ran side by side, and each part's "
            "slowest tests:",
            "opt: 1.5 min: no profile, 0 from the compile cache, tests 0 s (0)",
            "FAILED  asan did not finish", "FAILED  tsan did not begin",
            "This run was CUT OFF: asan did not finish, tsan did not begin",
            "skipped: nothing", "2 passed, 2 failed",
            failed=True, parts=["lint", "opt", "asan", "tsan"])

    def profile(self, configuration, *events):
        with gzip.open(self.folder / f"{configuration}.profile.gz", "wt") as file:
            json.dump({"traceEvents": [
                {"cat": category, "name": name, "dur": seconds * 1e6}
                for category, name, seconds in events]}, file)

    def test_says_where_the_time_went(self):
        labels = [f"//{name}:t" for name in "abcdefghijkl"]
        self.bazel(*[self.result(PASSED, label=label, testAttemptDurationMillis=str(1000 * n))
                     for n, label in enumerate(labels)],
                   self.result(PASSED, label="//a:t", testAttemptDurationMillis="60500"),
                   json.dumps({"id": {"progress": {}}, "progress": {"stderr": "INFO: 190 processes: "
                               "170 remote cache hit, 16 internal, 4 local.\n"}}))
        process = time_spent.PROCESS
        self.profile("opt", ("action processing", "Compiling a.cc", 9), (process, "CppCompile", 2.5),
                     (process, "CppCompile", 3.5), (process, "CppLink", 1), (process, "Genrule", 2),
                     (process, "TestRunner", 126.5))
        self.note("begun", "opt")
        self.note("finished", "opt 150")
        self.note("times", "4 readme opt", "31 demo opt", "7 lint-buf lint")
        self.check_report(
            "Where the time went, with processes added up that ran side by side, and each part's "
            "slowest tests:",
            "opt: 2.5 min: generating 2 s (1), compiling 6 s (2), linking 1 s (1), "
            "170 from the compile cache, tests 126 s (12), demo 31 s, readme 4 s",
            "     60.5 s  //a:t",
            *[f"     {n:4.1f} s  {labels[n]}" for n in range(11, 2, -1)],
            "skipped: nothing", "13 passed, 0 failed", failed=False, parts=["opt"])

    def test_a_part_of_checks_alone_is_one(self):
        self.note("begun", "kubernetes")
        self.note("finished", "kubernetes 90")
        self.note("passed", "chart")
        self.note("skipped", "[kubernetes] image (no runc)")
        self.note("times", "60 chart kubernetes", "0 image kubernetes")
        self.check_report(
            "Where the time went, with processes added up that ran side by side, and each part's "
            "slowest tests:",
            "kubernetes: 1.5 min: chart 60 s, image 0 s",
            "skipped: [kubernetes] image (no runc)", "1 passed, 0 failed", failed=False,
            parts=["kubernetes"])

    def test_a_profile_that_is_cut_takes_nothing_else_away(self):
        self.bazel(self.result(PASSED))
        self.profile("opt", (time_spent.PROCESS, "CppCompile", 2.5))
        profile = self.folder / "opt.profile.gz"
        profile.write_bytes(profile.read_bytes()[:-9])
        self.note("begun", "opt")
        self.note("finished", "opt 6")
        self.check_report(
            "Where the time went, with processes added up that ran side by side, and each part's "
            "slowest tests:",
            "opt: 0.1 min: no profile, 0 from the compile cache, tests 0 s (0)",
            "skipped: nothing", "1 passed, 0 failed", failed=False, parts=["opt"])


class CheckTest(unittest.TestCase):
    """What tests/run's `check` notes of a command, by its status and what it says."""

    def noted(self, command):
        functions = re.findall(r"^(?:check|note|start|await|skipped)\(\) \{.*?\}$",
                               (pathlib.Path(__file__).parent / "run").read_text(), re.S | re.M)
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                ["bash", "-uc", "\n".join(
                    [*functions, f"reports={folder}", "part=kubernetes", "child=''",
                     'check chart bash -c "$1"']), "run", command],
                check=True, stdout=subprocess.DEVNULL)
            return {name: (pathlib.Path(folder) / name).read_text().splitlines()
                    for name in ("passed", "failed", "skipped")
                    if (pathlib.Path(folder) / name).exists()}

    def test_by_its_status(self):
        self.assertEqual(self.noted("exit 0"), {"passed": ["chart"]})
        self.assertEqual(self.noted("exit 1"), {"failed": ["chart"]})

    def test_what_cannot_run_is_skipped_with_its_reason_and_does_not_pass(self):
        self.assertEqual(self.noted("echo 'SKIPPED: no runc'; exit 77"),
                         {"skipped": ["[kubernetes] chart (no runc)"]})

    def test_what_is_skipped_without_a_reason_fails(self):
        self.assertEqual(self.noted("exit 77"), {"failed": ["chart"]})

    def test_of_a_check_that_did_the_rest_each_reason_is_told(self):
        self.assertEqual(self.noted("echo 'SKIPPED: a'; echo 'SKIPPED: b, c'"),
                         {"passed": ["chart"],
                          "skipped": ["[kubernetes] chart (a)", "[kubernetes] chart (b, c)"]})
        self.assertEqual(self.noted("echo 'SKIPPED: a'; exit 1"),
                         {"failed": ["chart"], "skipped": ["[kubernetes] chart (a)"]})


if __name__ == "__main__":
    unittest.main()
