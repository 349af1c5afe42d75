"""Whether each value of the chart does something: without it an option of options.yaml renders otherwise, or is
refused."""

from __future__ import annotations

import copy
import os
import pathlib
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import yaml

import helm
from bench import Bench, Check, Planted, Problems

# Does something to a release that is there alone (live_checks.py).
ONLY_ALIVE = {"store.allowChange"}


def parameters(text: str) -> set[str]:
    """Those that a values.yaml explains."""
    return set(re.findall(r"^ *## @param (\S+)", text, re.M))


def _has(values: Any, path: str) -> bool:
    for step in path.split("."):
        if not isinstance(values, dict) or step not in values:
            return False
        values = values[step]
    return True


def _without(values: dict[str, Any], path: str) -> dict[str, Any]:
    changed = copy.deepcopy(values)
    holder = changed
    *steps, last = path.split(".")
    for step in steps:
        holder = holder[step]
    del holder[last]
    return changed


def _idle(bench: Bench, paths: set[str], chart: pathlib.Path = helm.CHART) -> Problems:
    """Of these values those that do nothing."""

    def rendered(option: helm.ValueSet, values: dict[str, Any]) -> str:
        try:
            return bench.helm.template("helm", helm.ValueSet(option.name, option.base, values), chart=chart)
        except helm.RenderError as error:
            return str(error)

    def one(path: str) -> str:
        options = [option for option in bench.options.values() if _has(option.values, path)]
        # What is set beside it can hide it: some option shows it, if any does.
        if any(rendered(option, option.values) != rendered(option, _without(option.values, path))
               for option in options):
            return ""
        return f"no option of {[option.name for option in options]} renders otherwise without {path}"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [problem for problem in pool.map(one, sorted(paths)) if problem]


def effects(bench: Bench) -> Problems:
    return _idle(bench, parameters((helm.CHART / "values.yaml").read_text()) - ONLY_ALIVE)


def effects_planted(bench: Bench) -> Planted:
    for what, file, old, new, path in (
            ("a number of the template's own", "deployment.yaml", "{{ int .Values.minReadySeconds }}", "5",
             "minReadySeconds"),
            ("a value that no template reads", "services.yaml", "with .Values.service.trafficDistribution",
             "with .Values.service.nothing", "service.trafficDistribution"),
            ("a value that is taken for another", "_pod.tpl", ".Values.topologySpread.nodes",
             ".Values.topologySpread.zones", "topologySpread.nodes")):
        yield what, _idle(bench, {path}, bench.broken_chart(f"templates/{file}", old, new))


CHECKS = [Check("each value does something", effects, effects_planted)]
