"""What the rendered objects say: to Kubernetes, to the relay, and to Prometheus."""

from __future__ import annotations

import json
import subprocess
from typing import Any, Callable, Iterator

import yaml

import documents
import helm
import pod_security
import promises
import relay_flags
from bench import SHARED, Bench, Check, Planted, Problems, Skip
from documents import Document

# What the image sets (deploy/image/Dockerfile); the command line has to win over it.
IMAGE_ENVIRONMENT = {"WORMHOLE_RELAY_STORE": "sqlite:/var/lib/wormhole/relay.db"}
FLAG_FILE = "/etc/wormhole/flags/relay.flags"


def invalid(bench: Bench, text: str) -> Problems:
    """What the API server's own schemas say of objects; strict."""
    if not (SHARED / "validate.mjs").exists():
        raise Skip("../shared/kubernetes is not beside the project")
    code, said = bench.output("node", SHARED / "validate.mjs", stdin=text, folder=bench.npm)
    bad = [line for line in said.splitlines() if not line.startswith("ok ")]
    if code != 0 and not bad:
        bad = [said]
    return bad


def stream(texts: list[str]) -> str:
    return "\n---\n".join(texts)


def strict(bench: Bench) -> Problems:
    return invalid(bench, stream([one.text for one in bench.renderings_once]))


def strict_planted(bench: Bench) -> Planted:
    text = bench.rendering("everything").text
    for what, old, new in (
            ("an unknown field", "enableServiceLinks:", "enableServiceLink:"),
            ("another type", "minReadySeconds: 10", 'minReadySeconds: "10"'),
            ("an unknown kind", "kind: PodDisruptionBudget", "kind: PodDisruptionBudgets"),
            ("an unknown version", "apiVersion: policy/v1", "apiVersion: policy/v1beta1"),
            ("an unknown field of the Gateway API", "backendRefs:", "backends:"),
            ("an unknown field of the monitoring kinds", "scrapeTimeout:", "timeout:"),
            ("an unknown field of cert-manager", "issuerRef:", "issuer:"),
            ("a key twice", "enableServiceLinks: false",
             "enableServiceLinks: false\n      enableServiceLinks: false")):
        assert old in text, old
        yield what, invalid(bench, text.replace(old, new, 1))
    yield "an object twice", invalid(bench, stream([text, text]))


def _unrestricted(objects: list[Document]) -> Problems:
    return [f"{name}: {problem}" for name, spec in documents.pods(objects)
            for problem in pod_security.problems(spec)]


def restricted(bench: Bench) -> Problems:
    found = []
    for one in bench.renderings_once:
        if len(list(documents.pods(one.documents))) != 2:
            found.append(f"{one.values.name} has not two pods, the relay's and the test's")
        found += _unrestricted(one.documents)
    return found


def restricted_planted(bench: Bench) -> Planted:
    """pod_security_test.py has each control; here, that both pods are looked at."""
    text = bench.rendering("sqlite").text
    yield "of the relay", _unrestricted(documents.load(
        text.replace("drop: [ALL]", "drop: [CHOWN]", 1)))
    head, tail = text.rsplit("drop: [ALL]", 1)
    yield "of the test", _unrestricted(documents.load(head + "drop: [CHOWN]" + tail))


def _promised(bench: Bench, change: Callable[[list[Document]], None] | None = None,
              name: str = "") -> Problems:
    found = []
    for one in bench.renderings_once:
        if name and one.values.name != name:
            continue
        objects = one.documents
        if change:
            change(objects)
        found += [f"{one.values.name}: {what}" for what in promises.broken(objects, one.values.given)]
    return found


def kept_promises(bench: Bench) -> Problems:
    return _promised(bench)


def kept_promises_planted(bench: Bench) -> Planted:
    for what, name, change in promises.PLANTED:
        yield what, _promised(bench, change, name)


def _flag_file(objects: list[Document]) -> str:
    maps = [one["data"] for one in documents.of_kind(objects, "ConfigMap")
            if "relay.flags" in one["data"]]
    return maps[0]["relay.flags"] if maps else ""


def printed_configs(bench: Bench, objects: list[Document]) -> Iterator[
        tuple[str, list[str], subprocess.CompletedProcess[str]]]:
    """Of each pod of relays its name, its command line, and what --print-config says of that and of the flag file,
    which it finds in the bench's folder."""
    file = bench.folder / "relay.flags"
    file.write_text(_flag_file(objects))
    for name, spec in documents.relay_pods(objects):
        given = [argument for container in spec["containers"] if container["name"] == "relay"
                 for argument in container["args"]]
        line = [argument.replace(FLAG_FILE, str(file)) for argument in given]
        yield name, given, subprocess.run([bench.relay, *line, "--print-config"], text=True, check=False,
                                          capture_output=True, env=IMAGE_ENVIRONMENT)


def _wrong_commands(bench: Bench, objects: list[Document], flags: dict[str, Any]) -> Problems:
    """What the relay says of the command line and the flag file that it would be started with."""
    file = bench.folder / "relay.flags"
    found = []
    for name, given, done in printed_configs(bench, objects):
        if done.returncode != 0:
            found.append(f"{name}: {done.stderr.strip()}")
            continue
        printed = relay_flags.of_print_config(done.stdout)
        on_line = dict(argument.removeprefix("--").split("=", 1) for argument in given)
        on_line.pop("flagfile", None)
        for flag, value in {**flags, **on_line}.items():
            source = "command line" if flag in on_line else f"{file}:"
            setting = printed[flag]
            if not relay_flags.same(value, setting.value) or not setting.source.startswith(source):
                found.append(f"{name}: --{flag} should be {value!r} by {source}, and is {setting}")
    return found


def commands(bench: Bench) -> Problems:
    found = []
    for one in bench.renderings_once:
        found += [f"{one.values.name}: {problem}" for problem in _wrong_commands(
            bench, one.documents, one.values.given.get("flags") or {})]
    return found


def commands_planted(bench: Bench) -> Planted:
    text = bench.rendering("flags-numbers").text
    flags = bench.options["flags-numbers"].values["flags"]
    for what, old, new in (
            ("a flag that the relay has not", "--drain-delay=", "--drain-delays="),
            ("a value out of range", "--drain-timeout=10s", "--drain-timeout=10h"),
            ("two listeners on one port", "[::]:47183", "[::]:47182"),
            ("a float in the flag file", 'window-bytes="67108864"', 'window-bytes="6.7108864e+07"'),
            ("another number in the flag file", 'window-frames="4096"', 'window-frames="409"'),
            ("a flag file that does not count", "--flagfile=", "--log-level=info #")):
        assert old in text, old
        yield what, _wrong_commands(bench, documents.load(text.replace(old, new)), flags)
    text = bench.rendering("flags-texts").text
    yield "an escape that is lost", _wrong_commands(
        bench, documents.load(text.replace("\\\\n is", "\\n is")),
        bench.options["flags-texts"].values["flags"])


# Two relays that are down, one of them of another release; a third one serves.
_SERIES = """
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {{series: 'up{{job="{job}",namespace="{namespace}",instance="a"}}', values: 0x10}}
      - {{series: 'up{{job="{job}",namespace="{namespace}",instance="b"}}', values: 1x10}}
      - {{series: 'up{{job="wormhole-relay",namespace="others",instance="c"}}', values: 0x10}}
      - {{series: 'up{{job="{job}",namespace="others",instance="d"}}', values: 0x10}}
    promql_expr_test:
      - expr: count by (job, namespace, alertname) (ALERTS{{alertstate="firing"}})
        eval_time: 8m
        exp_samples:
          - {{labels: '{{job="{job}",namespace="{namespace}",alertname="WormholeRelayDown"}}', value: 1}}
"""


def _wrong_rules(bench: Bench, objects: list[Document]) -> Problems:
    """What promtool says of the rendered rules, and whether they are of the scraped job alone."""
    rules = documents.of_kind(objects, "PrometheusRule")
    monitors = documents.of_kind(objects, "ServiceMonitor")
    if not rules:
        return ["there are no rules"]
    folder = bench.folder / "rules"
    folder.mkdir(exist_ok=True)
    (folder / "rules.yml").write_text(yaml.safe_dump(rules[0]["spec"]))
    (relabeling,) = monitors[0]["spec"]["endpoints"][0]["relabelings"]
    (folder / "test.yml").write_text(_SERIES.format(
        job=relabeling["replacement"], namespace=rules[0]["metadata"]["namespace"]))
    found = []
    for command in (["check", "rules", "rules.yml"], ["test", "rules", "test.yml"]):
        code, said = bench.output("promtool", *command, folder=folder)
        if code != 0:
            found.append(f"promtool {command[0]} rules: {said.strip()}")
    return found


def rules(bench: Bench) -> Problems:
    found = []
    source = yaml.safe_load((helm.ROOT / "deploy/observability/alerts.yml").read_text())
    for name in ("prometheus-rule", "everything"):
        objects = bench.rendering(name).documents
        found += [f"{name}: {what}" for what in _wrong_rules(bench, objects)]
        groups = documents.of_kind(objects, "PrometheusRule")[0]["spec"]["groups"]
        names = [[rule["alert"] for rule in group["rules"]] for group in groups]
        if names != [[rule["alert"] for rule in group["rules"]] for group in source["groups"]]:
            found.append(f"{name} has other alerts than deploy/observability/alerts.yml")
    return found


def rules_planted(bench: Bench) -> Planted:
    text = bench.rendering("prometheus-rule").text
    mine = 'job="prometheus-rule-wormhole-relay",namespace="prometheus-rule"'
    for what, old, new in (
            ("no expression", f"expr: up{{{mine}}} == 0", "expr: up =="),
            ("rules of every release", mine, 'job=~".+"'),
            ("rules of every namespace", ',namespace="prometheus-rule"', ""),
            ("another job than is scraped", 'replacement: "prometheus-rule-', 'replacement: "x-')):
        assert old in text, old
        yield what, _wrong_rules(bench, documents.load(text.replace(old, new)))


def _wrong_dashboard(objects: list[Document]) -> Problems:
    source = json.loads((helm.ROOT / "deploy/observability/dashboard.json").read_text())
    shown = [json.loads(one["data"]["wormhole-relay.json"])
             for one in documents.of_kind(objects, "ConfigMap")
             if "wormhole-relay.json" in one["data"]]
    return [] if shown == [source] else ["it is another than deploy/observability/dashboard.json"]


def dashboard(bench: Bench) -> Problems:
    return [problem for name in ("dashboard", "everything")
            for problem in _wrong_dashboard(bench.rendering(name).documents)]


def dashboard_planted(bench: Bench) -> Planted:
    text = bench.rendering("dashboard").text
    yield "a variable that Helm has replaced", _wrong_dashboard(
        documents.load(text.replace("$instance", "")))


CHECKS = [
    Check("objects are what the API server knows", strict, strict_planted),
    Check("pods are restricted", restricted, restricted_planted),
    Check("what the chart promises of every release", kept_promises, kept_promises_planted),
    Check("the relay takes each command line and flag file", commands, commands_planted),
    Check("rules are valid, and of their release alone", rules, rules_planted),
    Check("the dashboard", dashboard, dashboard_planted),
]
