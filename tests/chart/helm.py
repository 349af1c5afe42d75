"""The chart as Helm 4 and Helm 3 render it."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import os
import pathlib
import subprocess
import tempfile
from typing import Any, Sequence

import yaml

import documents

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/chart"
HELMS = ("helm", "helm3")


class RenderError(Exception):
    """What Helm said instead of rendering."""


def printed_by(script: str) -> pathlib.Path:
    """The folder that a script of this folder prints."""
    command = [ROOT / "tests/chart" / script]
    return pathlib.Path(subprocess.run(command, check=True, stdout=subprocess.PIPE,
                                       text=True).stdout.strip())


@dataclasses.dataclass(frozen=True)
class ValueSet:
    """What somebody gives Helm: a file of deploy/chart/ci, perhaps with values on top of it."""

    name: str
    base: str | None  # of deploy/chart/ci, without .yaml
    values: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def given(self) -> dict[str, Any]:
        """All values that are given, those of the file too; beside them hold the chart's defaults."""
        file = CHART / "ci" / f"{self.base}.yaml"
        return _over(yaml.safe_load(file.read_text()) if self.base else {}, self.values)


def _over(these: dict[str, Any], those: dict[str, Any]) -> dict[str, Any]:
    """As Helm does it, the second over the first."""
    return these | {name: _over(these[name], value) if isinstance(value, dict) and isinstance(these.get(name), dict)
                    else value for name, value in those.items()}


class Helm:
    """Runs both Helms. A folder of its own keeps their caches out of the user's."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._tools = printed_by("tools")
        self._folder = folder
        self._environment = os.environ | {
            f"HELM_{what}_HOME": str(folder / what.lower()) for what in ("CACHE", "CONFIG", "DATA")}

    def run(self, helm: str, *arguments: str | pathlib.Path,
            stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run([self._tools / helm, *arguments], text=True, input=stdin,
                              capture_output=True, env=self._environment, check=False)

    def with_values(self, helm: str, values: ValueSet,
                    *arguments: str | pathlib.Path) -> subprocess.CompletedProcess[str]:
        """A command that is given a value set."""
        files: list[str | pathlib.Path] = []
        if values.base:
            files += ["--values", CHART / "ci" / f"{values.base}.yaml"]
        with tempfile.NamedTemporaryFile("w", dir=self._folder, suffix=".yaml") as own:
            # JSON, since PyYAML leaves 1e3 without quotes, which is a number to Helm.
            json.dump(values.values, own)
            own.flush()
            return self.run(helm, *arguments, *files, "--values", own.name)

    def template(self, helm: str, values: ValueSet, *arguments: str, release: str = "demo",
                 namespace: str = "wormhole", chart: pathlib.Path = CHART) -> str:
        """The rendered text. RenderError has what Helm said on standard error."""
        done = self.with_values(helm, values, "template", release, chart, "--namespace", namespace,
                                *arguments)
        if done.returncode != 0:
            raise RenderError(done.stderr.strip())
        return done.stdout


@dataclasses.dataclass(frozen=True)
class Rendering:
    """One value set under one Helm."""

    values: ValueSet
    helm: str
    text: str

    @property
    def documents(self) -> list[documents.Document]:
        return documents.load(self.text)


def render_all(helm: Helm, sets: Sequence[ValueSet],
               chart: pathlib.Path = CHART) -> list[Rendering]:
    """Each of the sets under both Helms. Release and namespace have the set's name, so that no object
    is there twice. RenderError names the set."""

    def one(of: tuple[ValueSet, str]) -> Rendering:
        values, which = of
        try:
            text = helm.template(which, values, release=values.name, namespace=values.name,
                                 chart=chart)
        except RenderError as error:
            raise RenderError(f"{values.name} under {which}: {error}") from error
        return Rendering(values, which, text)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(one, [(values, which) for values in sets for which in HELMS]))
