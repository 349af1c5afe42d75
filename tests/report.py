"""Counts test cases from the runner's own reports, for tests/run.

The folder given holds, per configuration, Bazel's build events (`NAME.bep`, JSON lines), and the
files `passed` and `failed` with one check a line. Prints what failed, what was skipped and why, and
last `N passed, N failed`. Exits with 1 when something failed or nothing ran.
"""

import json
import pathlib
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree


class Counts:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []


def add_cases(path, target, counts):
    """Adds the cases of one test.xml; returns how many there were."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return 0
    cases = list(root.iter("testcase"))
    for case in cases:
        name = f'{target} {case.get("classname", "")}.{case.get("name", "")}'
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            counts.failed.append(name)
        elif skip is not None:
            counts.skipped.append(f'{name} ({skip.get("message", "no reason given").strip()})')
        elif case.get("status") != "notrun":
            counts.passed += 1
    return len(cases)


def add_events(path, counts):
    """Adds the results in one file of Bazel's build events."""
    configuration = path.stem
    for line in path.read_text().splitlines():
        event = json.loads(line)
        label = event.get("id", {}).get("testResult", {}).get("label")
        if label:
            result = event["testResult"]
            target = f"[{configuration}] {label}"
            before = len(counts.failed)
            seen = 0
            for output in result.get("testActionOutput", []):
                if output.get("name") == "test.xml":
                    uri = urllib.parse.urlparse(output.get("uri", ""))
                    seen += add_cases(urllib.parse.unquote(uri.path), target, counts)
            if result.get("status") not in ("PASSED", "FLAKY"):
                if len(counts.failed) == before:
                    counts.failed.append(f'{target} ({result.get("status")})')
            elif seen == 0:
                counts.passed += 1
        elif "targetCompleted" in event.get("id", {}):
            completed = event.get("completed", {})
            if not completed.get("success"):
                target = event["id"]["targetCompleted"]["label"]
                counts.failed.append(f"[{configuration}] {target} did not build")


def main():
    folder = pathlib.Path(sys.argv[1])
    counts = Counts()
    for path in sorted(folder.glob("*.bep")):
        add_events(path, counts)
    for name, take in (("passed", None), ("failed", counts.failed)):
        path = folder / name
        for check in path.read_text().split() if path.exists() else []:
            if take is None:
                counts.passed += 1
            else:
                take.append(check)
    for path in sorted(folder.glob("*.status")):
        # Bazel failed, and no event above says where: that is a failure too.
        if not any(f"[{path.stem}]" in name for name in counts.failed):
            counts.failed.append(path.read_text().strip())
    if not counts.passed and not counts.failed:
        counts.failed.append("no test ran")
    for name in counts.failed:
        print(f"FAILED  {name}")
    print("skipped: " + ("; ".join(counts.skipped) or "nothing"))
    print(f"{counts.passed} passed, {len(counts.failed)} failed")
    return 1 if counts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
