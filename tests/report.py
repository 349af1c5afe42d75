"""Counts test cases from the runner's own reports, for tests/run: report.py FOLDER PART...

The folder holds, per configuration, Bazel's build events (`NAME.bep`, JSON lines) and how Bazel
ended (`NAME.status`, its exit code), the files `passed`, `failed` and `skipped` with one check, or
one thing left out, a line, and `begun` and `finished` with the parts of the run that were. Whatever
of it is missing or cut counts as a failure, and so does a part that was asked for and did not
finish. Prints where the time went (time_spent.py), what failed, whether the run was cut off, what
was skipped and why in one line, and last `N passed, N failed`. Exits with 1 when something failed or
nothing ran.
"""

import json
import pathlib
import re
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree

import time_spent

SUFFIXES = (".bep", ".status")  # of the files of a configuration
# Bazel's exit codes when it did all that it was asked: all is well, something did not build, a test
# failed, there was no test.
DONE = ("0", "1", "3", "4")
MOST_NAMED = 5  # of the tests that never ran


class Counts:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = {}  # (case, reason) to the configurations
        self.cut_off = []  # what was asked for and did not finish

    def skip(self, configuration, case, reason):
        self.skipped.setdefault((case, reason), []).append(configuration)


def one_line(text):
    return " ".join(text.split())


def skip_reason(skip):
    """What a test said to GTEST_SKIP(); the place in the source comes before it."""
    return one_line(re.sub(r"^\S*:\d+\n", "", skip.get("message", ""))) or "no reason given"


def add_cases(path, configuration, target, counts):
    """Adds the cases of one test.xml; False when it cannot be read."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return False
    for case in root.iter("testcase"):
        name = f'{target} {case.get("classname", "")}.{case.get("name", "")}'
        skip = case.find("skipped")
        # Bazel's own, for a test that wrote none: whether it took too long is in the status.
        if case.find("error") is not None and not case.get("classname"):
            continue
        if case.find("failure") is not None or case.find("error") is not None:
            counts.failed.append(f"[{configuration}] {name}")
        elif skip is not None:
            counts.skip(configuration, name, skip_reason(skip))
        elif case.get("status") == "notrun":
            counts.skip(configuration, name, "disabled")
        else:
            counts.passed += 1
    return True


def add_result(configuration, target, result, counts):
    """Adds one run of one test target."""
    if result.get("cachedLocally") or result.get("executionInfo", {}).get("cachedRemotely"):
        counts.failed.append(f"[{configuration}] {target} did not run: its result is a cache's")
        return
    before = len(counts.failed)
    read = False
    for output in result.get("testActionOutput", []):
        if output.get("name") == "test.xml":
            uri = urllib.parse.urlparse(output.get("uri", ""))
            read |= add_cases(urllib.parse.unquote(uri.path), configuration, target, counts)
    status = result.get("status")
    if status not in ("PASSED", "FLAKY"):
        # A crash leaves cases that passed, and none that failed.
        if len(counts.failed) == before:
            counts.failed.append(f"[{configuration}] {target} ({status})")
    elif not read:
        counts.failed.append(f"[{configuration}] {target} passed, but its test.xml is unreadable")


class Events:
    """The results in one file of Bazel's build events, added to the counts as they are read."""

    def __init__(self, configuration, counts):
        self.configuration = configuration
        self.counts = counts
        self.waiting = {}  # tests that are still to run; a dictionary for its order
        self.ended = False

    def add(self, event):
        identity = event["id"]
        if "targetConfigured" in identity:
            if "testSize" in event.get("configured", {}):
                self.waiting[identity["targetConfigured"]["label"]] = True
        elif "testResult" in identity:
            label = identity["testResult"]["label"]
            self.waiting.pop(label, None)
            add_result(self.configuration, label, event["testResult"], self.counts)
        elif "targetCompleted" in identity and not event.get("completed", {}).get("success"):
            label = identity["targetCompleted"]["label"]
            self.waiting.pop(label, None)
            self.counts.failed.append(f"[{self.configuration}] {label} did not build")
        self.ended |= event.get("lastMessage", False)

    def read(self, path):
        lines = path.read_text(errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            try:
                self.add(json.loads(line))
            except (ValueError, LookupError, TypeError, AttributeError):
                self.counts.failed.append(
                    f"[{self.configuration}] build event {number} is cut or corrupt")
        self.add_what_is_missing()

    def add_what_is_missing(self):
        if self.waiting:
            named = ", ".join(list(self.waiting)[:MOST_NAMED])
            more = len(self.waiting) - MOST_NAMED
            self.counts.failed.append(
                f"[{self.configuration}] {len(self.waiting)} tests never ran: {named}"
                + (f" and {more} more" if more > 0 else ""))
        if not self.ended:
            self.counts.failed.append(
                f"[{self.configuration}] the build events stop before Bazel's last one")


def add_configuration(folder, configuration, counts):
    """Adds what Bazel did in one configuration."""
    failed, passed = len(counts.failed), counts.passed
    status = "".join(lines_of(folder / f"{configuration}.status")) or "no exit code"
    events = folder / f"{configuration}.bep"
    if not events.exists():
        counts.failed.append(f"[{configuration}] bazel ended with {status}, and left no events")
        return
    Events(configuration, counts).read(events)
    if status not in DONE:
        counts.failed.append(f"[{configuration}] bazel ended with {status} before it was done")
    elif len(counts.failed) > failed:
        return
    elif status != "0":
        counts.failed.append(f"[{configuration}] bazel ended with {status}, and named no failure")
    elif counts.passed == passed:
        counts.failed.append(f"[{configuration}] no test ran")


def lines_of(path):
    return path.read_text().splitlines() if path.exists() else []


def add_parts(folder, parts, counts):
    """Adds the parts that were asked for and did not finish."""
    begun = lines_of(folder / "begun")
    finished = [line.split()[0] for line in lines_of(folder / "finished")]
    for part in parts:
        if part not in finished:
            counts.cut_off.append(f"{part} did not finish" if part in begun else
                                  f"{part} did not begin")
    counts.failed += counts.cut_off


def read_reports(folder, parts):
    counts = Counts()
    configurations = {path.stem for path in folder.iterdir() if path.suffix in SUFFIXES}
    for configuration in sorted(configurations):
        add_configuration(folder, configuration, counts)
    counts.passed += len(lines_of(folder / "passed"))
    counts.failed += lines_of(folder / "failed")
    add_parts(folder, parts, counts)
    if not counts.passed and not counts.failed:
        counts.failed.append("no test ran")
    return counts


def main(folder, parts):
    counts = read_reports(folder, parts)
    skipped = lines_of(folder / "skipped")
    for (case, reason), configurations in counts.skipped.items():
        skipped.append(f'[{", ".join(configurations)}] {case} ({reason})')
    for line in time_spent.report_lines(folder, parts):
        print(line)
    for name in counts.failed:
        print(f"FAILED  {name}")
    if counts.cut_off:
        print("This run was CUT OFF: " + ", ".join(counts.cut_off))
    print("skipped: " + ("; ".join(skipped) or "nothing"))
    print(f"{counts.passed} passed, {len(counts.failed)} failed")
    return 1 if counts.failed else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2:]))
