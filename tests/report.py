"""Counts test cases from the runner's own reports, for tests/run.

The folder given holds, per configuration, Bazel's build events (`NAME.bep`, JSON lines) and how
Bazel ended (`NAME.status`, its exit code), and the files `passed`, `failed` and `skipped` with one
check, or one thing left out, a line. Whatever of it is missing or cut counts as a failure. Prints
what failed, then what was skipped and why in one line, and last `N passed, N failed`. Exits with 1
when something failed or nothing ran.
"""

import json
import pathlib
import re
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree

SUFFIXES = (".bep", ".status")  # of the files of a configuration


class Counts:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = {}  # (case, reason) to the configurations

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


def add_event(configuration, event, counts):
    identity = event["id"]
    if "testResult" in identity:
        label = identity["testResult"]["label"]
        add_result(configuration, label, event["testResult"], counts)
    elif "targetCompleted" in identity and not event.get("completed", {}).get("success"):
        label = identity["targetCompleted"]["label"]
        counts.failed.append(f"[{configuration}] {label} did not build")


def add_events(configuration, path, counts):
    """Adds the results in one file of Bazel's build events."""
    lines = path.read_text(errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            add_event(configuration, json.loads(line), counts)
        except (ValueError, LookupError, TypeError, AttributeError):
            counts.failed.append(f"[{configuration}] build event {number} is cut or corrupt")


def add_configuration(folder, configuration, counts):
    """Adds what Bazel did in one configuration."""
    failed, passed = len(counts.failed), counts.passed
    status = "".join(lines_of(folder / f"{configuration}.status")) or "no exit code"
    events = folder / f"{configuration}.bep"
    if not events.exists():
        counts.failed.append(f"[{configuration}] bazel ended with {status}, and left no events")
        return
    add_events(configuration, events, counts)
    if len(counts.failed) > failed:
        return
    if status != "0":
        counts.failed.append(f"[{configuration}] bazel ended with {status}, and named no failure")
    elif counts.passed == passed:
        counts.failed.append(f"[{configuration}] no test ran")


def lines_of(path):
    return path.read_text().splitlines() if path.exists() else []


def read_reports(folder):
    counts = Counts()
    configurations = {path.stem for path in folder.iterdir() if path.suffix in SUFFIXES}
    for configuration in sorted(configurations):
        add_configuration(folder, configuration, counts)
    counts.passed += len(lines_of(folder / "passed"))
    counts.failed += lines_of(folder / "failed")
    if not counts.passed and not counts.failed:
        counts.failed.append("no test ran")
    return counts


def main(folder):
    counts = read_reports(folder)
    skipped = lines_of(folder / "skipped")
    for (case, reason), configurations in counts.skipped.items():
        skipped.append(f'[{", ".join(configurations)}] {case} ({reason})')
    for name in counts.failed:
        print(f"FAILED  {name}")
    print("skipped: " + ("; ".join(skipped) or "nothing"))
    print(f"{counts.passed} passed, {len(counts.failed)} failed")
    return 1 if counts.failed else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
