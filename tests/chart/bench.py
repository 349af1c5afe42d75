"""What the checks of the chart have in common: a check, and what all of them are given."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import re
import shutil
import subprocess
from typing import Callable, Iterator, Sequence

import yaml

import helm

ROOT = helm.ROOT
HERE = ROOT / "tests/chart"
SHARED = ROOT.parent / "shared/kubernetes"


class Skip(Exception):
    """A check cannot run here; the message says why."""


Problems = list[str]
# What was planted, and what the check found of it: nothing would be a check that cannot fail.
Planted = Iterator[tuple[str, Problems]]


@dataclasses.dataclass(frozen=True)
class Check:
    """`find` returns what is wrong with the chart, `planted` makes mistakes of the kind that it is
    for. Both may raise Skip."""

    name: str
    find: Callable[[Bench], Problems]
    planted: Callable[[Bench], Planted]


class Bench:
    """The chart, the tools and the programs, for as long as the checks run. What several checks need is
    made once."""

    def __init__(self, folder: pathlib.Path, programs: pathlib.Path) -> None:
        """`programs` is laid out as bazel-bin is."""
        self.folder = folder
        self.relay = programs / "relay/wormhole-relay"
        self.client = programs / "client/cli/wormhole-sync"
        self.helm = helm.Helm(folder)
        self._copies = 0

    @functools.cached_property
    def npm(self) -> pathlib.Path:
        return helm.printed_by("npm_tools")

    @functools.cached_property
    def tools(self) -> pathlib.Path:
        return helm.printed_by("tools")

    @functools.cached_property
    def options(self) -> dict[str, helm.ValueSet]:
        """Each option alone, by its name."""
        options = yaml.safe_load((HERE / "options.yaml").read_text())
        return {name: helm.ValueSet(name, base, values)
                for name, (base, values) in options.items()}

    @functools.cached_property
    def documented(self) -> list[helm.ValueSet]:
        """The value sets that somebody reads of: none, those of deploy/chart/ci and of the page."""
        page = (ROOT / "deploy/README.md").read_text()
        shown = {f"page-{name.removesuffix('.yaml')}": yaml.safe_load(text) for name, text in
                 re.findall(r"^```yaml\n# (\w+\.yaml)\n(.*?)^```$", page, re.S | re.M)}
        return [helm.ValueSet("defaults", None),
                *[helm.ValueSet(path.stem, path.stem)
                  for path in sorted((helm.CHART / "ci").glob("*.yaml"))],
                *[helm.ValueSet(name, None, values) for name, values in shown.items()
                  if "kind" not in values]]

    @property
    def sets(self) -> list[helm.ValueSet]:
        """All that is rendered: the documented value sets, and each option alone."""
        return [*self.documented, *self.options.values()]

    @functools.cached_property
    def renderings(self) -> list[helm.Rendering]:
        return helm.render_all(self.helm, self.sets)

    @property
    def renderings_once(self) -> list[helm.Rendering]:
        """By Helm 4 alone, for checks of what both render alike."""
        return [one for one in self.renderings if one.helm == "helm"]

    def rendering(self, name: str) -> helm.Rendering:
        return next(one for one in self.renderings_once if one.values.name == name)

    def broken_chart(self, file: str, old: str, new: str) -> pathlib.Path:
        """A copy of the chart with a mistake."""
        self._copies += 1
        copy = self.folder / f"copy-{self._copies}" / "wormhole-relay"
        shutil.copytree(helm.CHART, copy)
        text = (copy / file).read_text()
        assert old in text, f"{file} has no {old!r} to plant a mistake in"
        (copy / file).write_text(text.replace(old, new, 1))
        return copy

    def output(self, *command: str | pathlib.Path, stdin: str | None = None,
               folder: pathlib.Path | None = None) -> tuple[int, str]:
        """Exit code of a command, and what it printed on both of its outputs."""
        done = subprocess.run(command, text=True, input=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, cwd=folder or ROOT, check=False)
        return done.returncode, done.stdout


def run_checks(bench: Bench, checks: Sequence[Check]) -> bool:
    """Runs the checks and says what they found; False when something is wrong."""
    good = True
    for check in checks:
        try:
            problems = check.find(bench)
            for what, found in check.planted(bench):
                if not found:
                    problems.append(f"this check does not find what is planted: {what}")
        except Skip as reason:
            print(f"SKIPPED: {check.name}: {reason}", flush=True)
            continue
        except helm.RenderError as error:
            problems = [str(error)]
        print(f"{'ok' if not problems else 'FAILED':8} {check.name}", flush=True)
        for problem in problems:
            print(f"         {problem}", flush=True)
        good = good and not problems
    return good
