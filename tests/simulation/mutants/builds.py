"""How the simulation is built with a fault in it."""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from mutants import Mutant

_TREE = pathlib.Path(__file__).resolve().parents[3]
_HUNT = "//tests/simulation:hunt"


class CannotBuild(Exception):
    """Why the fault cannot be planted, or what the compiler has to say."""


def planted(text: str, mutant: Mutant) -> str:
    begin = text.index(mutant.after) if mutant.after else 0
    behind = text[begin:]
    if mutant.old not in behind or (not mutant.after and behind.count(mutant.old) != 1):
        raise CannotBuild(f"its place in {mutant.file} is not there, or not the only one")
    return text[:begin] + behind.replace(mutant.old, mutant.new, 1)


def check_places(mutants: "list[Mutant]") -> None:
    """Ends the program when the code has changed where one of them is planted."""
    for mutant in mutants:
        try:
            planted((_TREE / mutant.file).read_text(), mutant)
        except (CannotBuild, ValueError) as why:
            raise SystemExit(f"mutants.py: \"{mutant.name}\" cannot be planted: {why}") from why


def _flags() -> list[str]:
    """Those of tests/run, so that what it has built is not built again."""
    cache = subprocess.run([sys.executable, _TREE / "tests/compile_cache.py", "folder"], check=True,
                           capture_output=True, text=True).stdout.strip()
    return ["-c", "opt", "--config=quick-tests", "--noshow_progress", f"--disk_cache={cache}"]


def _bazel(folder: pathlib.Path, *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["bazel", *command], cwd=folder, check=False, capture_output=True, text=True)


def _checked(done: "subprocess.CompletedProcess[str]") -> str:
    """What it says on its standard output."""
    if done.returncode != 0:
        raise CannotBuild("it does not compile: " + " ".join("\n".join(done.stderr.splitlines()[-20:]).split()))
    return done.stdout


class Copy:
    """The tree as it is committed, copied, where one fault after another is planted. For any fault, and unit tests."""

    def __init__(self) -> None:
        self._kept = tempfile.TemporaryDirectory(prefix="wormhole-mutants-")
        self._folder = pathlib.Path(self._kept.name)
        with subprocess.Popen(["git", "-C", _TREE, "archive", "HEAD"], stdout=subprocess.PIPE) as archive:
            subprocess.run(["tar", "-x", "-C", self._folder], stdin=archive.stdout, check=True)
        self._flags = _flags()

    def program(self, mutant: Mutant | None) -> pathlib.Path:
        if mutant is not None:
            path = self._folder / mutant.file
            path.write_text(planted(path.read_text(), mutant))
        _checked(_bazel(self._folder, "build", *self._flags, _HUNT))
        return self._folder / "bazel-bin/tests/simulation/hunt"

    def mend(self, mutant: Mutant) -> None:
        path = self._folder / mutant.file
        path.write_bytes(subprocess.run(["git", "-C", _TREE, "show", f"HEAD:{mutant.file}"], check=True,
                                        capture_output=True).stdout)

    def failing_test(self, tests: tuple[str, ...]) -> str:
        """Of those for the fault that is planted. Empty: none fails."""
        done = _bazel(self._folder, "test", *self._flags, "--build_tests_only", *tests)
        if done.returncode == 0:
            return ""
        failed = re.search(r"^(//\S+)\s+(?:FAILED|TIMEOUT)", done.stdout, re.MULTILINE)
        return failed[1] if failed else f"bazel ended with {done.returncode}"

    def close(self) -> None:
        _bazel(self._folder, "clean", "--expunge")
        self._kept.cleanup()


class Relinked:
    """The tree where it stands. A fault's file alone is compiled, from a copy and with Bazel's own command, and linked in the
    place of its object; all faults beside each other. For faults in a source file, which they have a few seconds each for."""

    def __init__(self, faults: list[Mutant]) -> None:
        self._kept = tempfile.TemporaryDirectory(prefix="wormhole-mutants-")
        self._folder = pathlib.Path(self._kept.name)
        flags = _flags()
        _checked(_bazel(_TREE, "build", *flags, _HUNT))
        self._root = pathlib.Path(_checked(_bazel(_TREE, "info", *flags, "execution_root")).strip())
        said = _checked(_bazel(_TREE, "aquery", *flags, "--output=jsonproto", f'mnemonic("CppCompile|CppLink", deps({_HUNT}))'))
        self._compile: dict[str, list[str]] = {}  # by the source file
        self._link: list[str] = []
        for action in json.loads(said)["actions"]:
            # What is in the file of parameters stands before it.
            words = [word for word in action["arguments"] if not word.startswith("@")]
            if action["mnemonic"] == "CppCompile":
                self._compile[words[words.index("-c") + 1]] = words
            elif any(word.endswith("/tests/simulation/hunt") for word in words):
                self._link = words
        self._pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count())
        self._programs = {fault.name: self._pool.submit(self._build, number, fault) for number, fault in enumerate(faults)}

    def program(self, mutant: Mutant | None) -> pathlib.Path:
        if mutant is None:
            return _TREE / "bazel-bin/tests/simulation/hunt"
        return self._programs[mutant.name].result()

    def mend(self, mutant: Mutant) -> None:
        """Nothing: the tree has no fault."""

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._kept.cleanup()

    def _build(self, number: int, mutant: Mutant) -> pathlib.Path:
        source, made = self._folder / f"{number}.cc", self._folder / f"{number}.o"
        source.write_text(planted((_TREE / mutant.file).read_text(), mutant))
        command = list(self._compile[mutant.file])
        original = command[command.index("-o") + 1]
        command[command.index("-MF") + 1] = str(made.with_suffix(".d"))
        command[command.index("-c") + 1] = str(source)
        command[command.index("-o") + 1] = str(made)
        self._run(command)
        if self._link.count(original) != 1:
            raise CannotBuild(f"{original} is not linked")
        program = self._folder / f"hunt-{number}"
        link = [str(made) if word == original else word for word in self._link]
        link[link.index("-o") + 1] = str(program)
        self._run(link)
        return program

    def _run(self, command: list[str]) -> None:
        _checked(subprocess.run(command, cwd=self._root, check=False, capture_output=True, text=True))
