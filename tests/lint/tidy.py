#!/usr/bin/python3
"""Runs clang-tidy: `tidy.py [--memory=FOLDER] [--checks=CHECKS] -- ARGUMENT...`

The source files come on standard input, a line each; the arguments are the compiler's. With a folder for memory, a file that was found clean is not read
again until it, a file that it includes, the arguments or .clang-tidy is another. The folder belongs
to one state of the system (tests/compile_cache.py), so that its headers are not compared. A new header that
hides another one by its place in the search path is not noticed.
"""

import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

# What -H writes for each file that is included.
INCLUDED = re.compile(r"^\.+ (.*)$", re.M)


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Memory:
    """What was clean, by file and command; nothing where there is no folder."""

    def __init__(self, folder, command):
        self.folder = folder
        # Of headers that many files include. What somebody writes meanwhile has its old digest, and
        # so is read again in the next run.
        self.digest_of = functools.lru_cache(maxsize=None)(
            lambda path: digest(pathlib.Path(path).read_bytes()))
        self.command = json.dumps(command)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def entry(self, file):
        return self.folder / digest(f"{self.command}\n{file}".encode())

    def knows(self, file):
        """Whether the file was clean, with the contents that it and its headers have now."""
        if self.folder is None:
            return False
        try:
            read = json.loads(self.entry(file).read_text())
            return bool(read) and all(self.digest_of(path) == then
                                      for path, then in read.items())
        except (OSError, ValueError, AttributeError):
            return False  # not there, pruned, cut short, or a header is gone

    def contents(self, file, included):
        """The digests to compare with, of all that the project may change."""
        own = {file, ".clang-tidy"} | {path for path in included if not path.startswith("/usr/")}
        return {path: self.digest_of(path) for path in sorted(own)}

    def note(self, file, contents):
        if self.folder is None:
            return
        written = self.folder / f"{os.getpid()}-{digest(file.encode())}"
        written.write_text(json.dumps(contents))
        written.replace(self.entry(file))


def tidy(file, command, memory):
    """What clang-tidy says of the file; empty if nothing."""
    if memory.knows(file):
        return ""
    began = time.time_ns()
    options, arguments = command
    ran = subprocess.run(["clang-tidy-14", "--quiet", *options, file, "--", *arguments, "-H"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    included = INCLUDED.findall(ran.stderr)
    said = ran.stdout.strip()
    if ran.returncode != 0 or said:
        rest = [line for line in INCLUDED.sub("", ran.stderr).splitlines()
                if line and not re.search("warnings? generated", line)]
        return "\n".join([said, *rest]).strip() or f"{file}: clang-tidy ended with {ran.returncode}"
    contents = memory.contents(file, included)
    # One that somebody has written meanwhile may not have been read as it is now.
    if all(os.stat(path).st_ctime_ns < began for path in contents):
        memory.note(file, contents)
    return ""


def main(words, files):
    parser = argparse.ArgumentParser()
    parser.add_argument("--memory", type=pathlib.Path)
    parser.add_argument("--checks", default="")
    parser.add_argument("arguments", nargs="*")
    asked = parser.parse_args(words)
    command = ([f"--checks={asked.checks}"], asked.arguments)
    memory = Memory(asked.memory, command)
    clean = True
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for said in pool.map(lambda file: tidy(file, command, memory), files):
            if said:
                clean = False
                print(said, flush=True)
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdin.read().split()))
