"""Where the time of a run went, for tests/report.py.

The folder of reports holds, per part of the run, Bazel's build events (`NAME.bep`) and its profile
(`NAME.profile.gz`), and the files `finished`, with `NAME SECONDS` of each part that came to its end,
and `times`, with `SECONDS CHECK NAME` of each check that is not a Bazel test. All of it is optional,
and what of it cannot be read is said to be unknown: whether the run was good is report.py's.
"""

import collections
import gzip
import json
import re

SLOWEST = 10  # tests that are named, per part
PROCESS = "Remote execution process wall time"  # Bazel's name for local processes as well
KINDS = {"CppCompile": "compiling", "CppLink": "linking"}
CACHE_HITS = re.compile(r"\d+ processes: .*?(\d+) (?:remote|disk) cache hit")


class Events:
    """What the build events say of times."""

    def __init__(self, path):
        self.tests = collections.Counter()  # labels with the seconds that their runs took
        self.cached = 0  # actions whose outputs the compile cache had
        for line in path.read_text(errors="replace").splitlines():
            try:
                self.add(json.loads(line))
            except (ValueError, LookupError, TypeError, AttributeError):
                continue  # report.py counts what is cut or corrupt

    def add(self, event):
        if "testResult" in event["id"]:
            seconds = int(event["testResult"]["testAttemptDurationMillis"]) / 1000
            self.tests[event["id"]["testResult"]["label"]] += seconds
        elif "progress" in event["id"]:
            for hits in CACHE_HITS.findall(event["progress"].get("stderr", "")):
                self.cached += int(hits)


def process_lines(path):
    """What Bazel started but tests, by kind, from its profile."""
    seconds, count = collections.Counter(), collections.Counter()
    try:
        with gzip.open(path, "rt") as file:
            for event in json.load(file)["traceEvents"]:
                if event.get("cat") == PROCESS and event["name"] != "TestRunner":
                    kind = KINDS.get(event["name"], "generating")
                    seconds[kind] += event["dur"] / 1e6
                    count[kind] += 1
    except (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError):
        return ["no profile"]
    return [f"{kind} {seconds[kind]:.0f} s ({count[kind]})"
            for kind in ("generating", "compiling", "linking") if count[kind]]


def words_of(path):
    """The lines of a file, each cut into words."""
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def part_lines(folder, part, minutes):
    """What is said of one part; `minutes` as text."""
    spent, slowest = [], []
    if (folder / f"{part}.bep").exists():
        events = Events(folder / f"{part}.bep")
        tests = events.tests
        spent = process_lines(folder / f"{part}.profile.gz")
        spent += [f"{events.cached} from the compile cache",
                  f"tests {sum(tests.values()):.0f} s ({len(tests)})"]
        slowest = [f"{seconds:9.1f} s  {label}" for label, seconds in tests.most_common(SLOWEST)]
    checks = [(int(seconds), check) for seconds, check, name in words_of(folder / "times")
              if name == part]
    spent += [f"{check} {seconds} s" for seconds, check in sorted(checks, reverse=True)]
    return [f"{part}: {minutes}: {', '.join(spent)}"] + slowest if spent else []


def report_lines(folder, parts):
    """The lines to print for these parts, in their order."""
    finished = dict(words_of(folder / "finished"))
    lines = []
    for part in parts:
        minutes = f"{int(finished[part]) / 60:.1f} min" if part in finished else "not finished"
        lines += part_lines(folder, part, minutes)
    if lines:
        lines.insert(0, "Where the time went, with processes added up that ran side by side, "
                        "and each part's slowest tests:")
    return lines
