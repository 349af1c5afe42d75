"""Finds what crashed tests left, for tests/run.

Of each test that failed in a run whose build events (`--build_event_json_file`) are given, prints
where its cores and its binary are, and the stacks in them, when gdb is there. A core that is older
than the run is not looked at; one of a test that passed is of a process that it let crash, and is
removed.

Tests run in their runfiles, where the kernel leaves cores under a core_pattern without a folder.
Not covered: what changes its folder or its limit before it crashes, as the relay's and the client's
binaries do, which hold secrets; and what runs under AddressSanitizer or ThreadSanitizer, which
leave no core and print the stack themselves.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.parse

WORKSPACE = "wormhole_sync"
GDB_SECONDS = 120
MOST_LINES = 200  # of one core's stacks


def core_glob(pattern, with_pid):
    """The names that cores have under this core_pattern, which has no folder."""
    name = re.sub(r"%(.)", lambda match: "%" if match[1] == "%" else "*", pattern)
    return f"{name}*" if with_pid else name


def kernels_glob():
    kernel = pathlib.Path("/proc/sys/kernel")
    with_pid = (kernel / "core_uses_pid").read_text().strip() != "0"
    return core_glob((kernel / "core_pattern").read_text().strip(), with_pid)


class Run:
    """What the build events say of tests that ran."""

    def __init__(self, lines):
        self.began = 0.0  # seconds since 1970
        self.passed = {}  # binary to whether all its runs did
        self.labels = {}
        for line in lines:
            try:
                self.add(json.loads(line))
            except (ValueError, LookupError, TypeError, AttributeError):
                continue  # tests/report.py counts it as a failure

    def add(self, event):
        if "started" in event["id"]:
            self.began = int(event["started"]["startTimeMillis"]) / 1000
        elif "testResult" in event["id"]:
            label, result = event["id"]["testResult"]["label"], event["testResult"]
            binary = binary_of(label, result)
            self.labels[binary] = label
            passed = result["status"] == "PASSED"
            self.passed[binary] = self.passed.get(binary, True) and passed


def binary_of(label, result):
    """bazel-out/CONFIGURATION/testlogs/PACKAGE/NAME/test.log is of bin/PACKAGE/NAME."""
    package, name = label.removeprefix("//").split(":")
    for output in result["testActionOutput"]:
        path = urllib.parse.unquote(urllib.parse.urlparse(output["uri"]).path)
        out, found, _ = path.partition(f"/testlogs/{package}/{name}/")
        if found:
            return pathlib.Path(out) / "bin" / package / name
    raise LookupError(label)


def cores_of(binary, glob, since):
    folder = binary.with_name(f"{binary.name}.runfiles") / WORKSPACE
    return sorted(core for core in folder.glob(glob)
                  if core.is_file() and core.stat().st_mtime >= since)


def gdb(*arguments):
    try:
        done = subprocess.run(["gdb", "-batch", "-nx", *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=GDB_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"gdb has not ended within {GDB_SECONDS} s"  # there are other cores to see to
    return done.stdout.decode(errors="replace")


def crashed_binary(core, binary):
    """That of the core, which may be one that the test has started: what is mapped lowest."""
    if shutil.which("gdb"):
        mappings = gdb(f"--core={core}", "-ex", "info proc mappings")
        lowest = re.search(r"^\s*0x.*\s(/.*)$", mappings, re.MULTILINE)
        if lowest:
            return pathlib.Path(lowest[1])
    return binary


def show(label, core, binary):
    binary = crashed_binary(core, binary)
    print(f"== {label} left a core: {core}")
    print(f"of the binary: {binary}")
    if not shutil.which("gdb"):
        print("for its stacks: install gdb or gdb-minimal, and run gdb BINARY CORE")
        return
    stacks = gdb("-ex", "bt", "-ex", "thread apply all bt", str(binary), str(core)).splitlines()
    print("\n".join(stacks[:MOST_LINES]))
    if len(stacks) > MOST_LINES:
        print(f"and {len(stacks) - MOST_LINES} lines more")


def main(events, glob):
    run = Run(pathlib.Path(events).read_text(errors="replace").splitlines())
    for binary, passed in run.passed.items():
        for core in cores_of(binary, glob, run.began):
            if passed:
                core.unlink()
            else:
                show(run.labels[binary], core, binary)


if __name__ == "__main__":
    main(sys.argv[1], kernels_glob())
