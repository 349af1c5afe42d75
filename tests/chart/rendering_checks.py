"""What Helm makes of the chart: that it can, under Helm 4 and Helm 3 alike, and what it refuses."""

from __future__ import annotations

import json
import os
import pathlib
import re
import tarfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterator

import yaml

import documents
import helm
from bench import HERE, Bench, Check, Planted, Problems
from effect_checks import parameters

# What the schema leaves open: `global` is what other charts share, extraObjects are of any kind.
OPEN = {"global", "extraObjects[]"}


def _lint(bench: Bench, chart: pathlib.Path) -> Problems:
    found = []
    for values in bench.documented:
        for which in helm.HELMS:
            done = bench.helm.with_values(which, values, "lint", "--strict", chart)
            if done.returncode != 0:
                found.append(f"{values.name} under {which}: {done.stdout}{done.stderr}")
    return found


def lint(bench: Bench) -> Problems:
    return _lint(bench, helm.CHART)


def lint_planted(bench: Bench) -> Planted:
    yield "a chart without a version", _lint(
        bench, bench.broken_chart("Chart.yaml", "\nversion: 0.1.0", ""))
    yield "a default that the schema refuses", _lint(
        bench, bench.broken_chart("values.yaml", "kind: sqlite", "kind: disk"))


def _unlike(one: helm.Rendering, other: helm.Rendering) -> Problems:
    return [f"{one.values.name}: {what}"
            for what in documents.differences(one.documents, other.documents)]


def alike(bench: Bench) -> Problems:
    """Both Helms render equal objects."""
    pairs = zip(bench.renderings[::2], bench.renderings[1::2])
    return [problem for one, other in pairs for problem in _unlike(one, other)]


def alike_planted(bench: Bench) -> Planted:
    one = bench.rendering("etcd")
    for what, old, new in (("another number", "maxSurge: 1", "maxSurge: 2"),
                           ("a float for an integer", "maxSurge: 1", "maxSurge: 1.0"),
                           ("another kind", "kind: ServiceAccount", "kind: Secret")):
        yield what, _unlike(one, helm.Rendering(one.values, "helm3", one.text.replace(old, new)))
    twice = "\n---\n".join(["", *one.text.split("\n---\n")[-1:]])
    yield "an object twice", _unlike(one, helm.Rendering(one.values, "helm3", one.text + twice))


def _at(values: Any, path: str) -> Any:
    for step in path.split("."):
        if not isinstance(values, dict) or step not in values:
            return None
        values = values[step]
    return values


def _not_alone(bench: Bench, text: str, options: list[helm.ValueSet]) -> Problems:
    """Parameters that no option sets to something else than what they are."""
    defaults = yaml.safe_load(text)
    missing = parameters(text)
    for option in options:
        for path in list(missing):
            value = _at(option.values, path)
            # That of OpenShift is null.
            said = value is not None or (path.startswith("podSecurity.") and
                                         path.split(".")[1] in option.values.get("podSecurity", {}))
            if said and value != _at(defaults, path):
                missing.discard(path)
    return [f"options.yaml does not set {path} alone" for path in sorted(missing)]


def every_option(bench: Bench) -> Problems:
    return _not_alone(bench, (helm.CHART / "values.yaml").read_text(),
                      list(bench.options.values()))


def every_option_planted(bench: Bench) -> Planted:
    text = (helm.CHART / "values.yaml").read_text()
    yield "a parameter that is new", _not_alone(
        bench, text + "\n## @param new What is new\nnew: 1\n", list(bench.options.values()))
    yield "an option that sets the default", _not_alone(
        bench, text, [helm.ValueSet("a", None, {"minReadySeconds": 5})])


def _open_objects(schema: dict[str, Any]) -> Iterator[str]:
    """Where a schema takes keys that it does not know."""

    def walk(node: Any, path: str) -> Iterator[str]:
        if not isinstance(node, dict):
            return
        closed = "additionalProperties" in node and node["additionalProperties"] is not True
        if node.get("type") == "object" and not closed:
            yield path
        for name, inner in node.get("properties", {}).items():
            yield from walk(inner, f"{path}.{name}" if path else name)
        yield from walk(node.get("additionalProperties"), f"{path}.*")
        yield from walk(node.get("items"), f"{path}[]")

    yield from walk(schema, "")
    for name, definition in schema["definitions"].items():
        yield from walk(definition, f"definitions.{name}")


def _schema_problems(schema: dict[str, Any], values: str) -> Problems:
    found = [f"values.schema.json leaves {path or 'the root'} open"
             for path in _open_objects(schema) if path not in OPEN]
    known = set(_leaves(schema, ""))
    for path in sorted(parameters(values)):
        if path not in known and not any(leaf.startswith(f"{path}.") for leaf in known):
            found.append(f"values.schema.json does not know {path}")
    named = parameters(values)
    for leaf in sorted(known - {"global"}):
        if not any(leaf == path or leaf.startswith(f"{path}.") for path in named):
            # limits and requests of more kinds may be set, and have no default.
            if not leaf.startswith("resources."):
                found.append(f"values.schema.json has {leaf}, which values.yaml does not explain")
    return found


def _leaves(node: dict[str, Any], path: str) -> Iterator[str]:
    for name, inner in node.get("properties", {}).items():
        where = f"{path}.{name}" if path else name
        if isinstance(inner, dict) and inner.get("properties"):
            yield from _leaves(inner, where)
        elif isinstance(inner, dict) and inner.get("$ref") == "#/definitions/probe":
            yield from (f"{where}.{what}Seconds" for what in ("period", "timeout"))
            yield f"{where}.failureThreshold"
        else:
            yield where


def closed_schema(bench: Bench) -> Problems:
    del bench
    return _schema_problems(json.loads((helm.CHART / "values.schema.json").read_text()),
                            (helm.CHART / "values.yaml").read_text())


def closed_schema_planted(bench: Bench) -> Planted:
    del bench
    text = (helm.CHART / "values.schema.json").read_text()
    values = (helm.CHART / "values.yaml").read_text()
    schema = json.loads(text)
    del schema["properties"]["service"]["additionalProperties"]
    yield "an object that takes any key", _schema_problems(schema, values)
    schema = json.loads(text)
    del schema["definitions"]["peers"]["items"]["properties"]["ipBlock"]["additionalProperties"]
    yield "an object inside a list that takes any key", _schema_problems(schema, values)
    schema = json.loads(text)
    del schema["properties"]["service"]["properties"]["port"]
    yield "a parameter that the schema has not", _schema_problems(schema, values)
    yield "a value that is not explained", _schema_problems(
        json.loads(text), values.replace("## @param service.port ", "## "))


def _refusals(bench: Bench, cases: list[Any]) -> Problems:
    """Of each case whether both Helms refuse it, in one line that has all the words."""

    def one(of: tuple[Any, str]) -> str:
        (base, values, words), which = of
        try:
            bench.helm.template(which, helm.ValueSet("bad", base, values))
        except helm.RenderError as error:
            for line in str(error).splitlines():
                if all(re.search(_pattern(word), line) for word in words):
                    return ""
            return f"{which} refuses {values} without {words} in a line: {error}"
        return f"{which} takes {values}"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(one, [(case, which) for case in cases for which in helm.HELMS])
    return [problem for problem in found if problem]


def _pattern(word: str) -> str:
    """Paths are a/b in Helm 4 and a.b in Helm 3; `x|y` is either."""
    return "|".join(re.escape(one) for one in word.split("|")).replace("/", "[/.]")


def _release_refused(bench: Bench, release: str, fullname: str) -> Problems:
    values = helm.ValueSet("named", "sqlite", {"fullnameOverride": fullname})
    found = []
    for which in helm.HELMS:
        try:
            bench.helm.template(which, values, release=release)
            found.append(f"{which} takes the release {release}")
        except helm.RenderError as error:
            if "or set fullnameOverride" not in str(error):
                found.append(f"{which} does not say what to do about the release {release}: {error}")
    return found


def bad_values(bench: Bench) -> Problems:
    found = _refusals(bench, yaml.safe_load((HERE / "bad_values.yaml").read_text()))
    return found + [problem for release in ("9relays", "relays.of.2026")
                    for problem in _release_refused(bench, release, "")]


def _paths(values: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, inner in values.items():
        yield (name,)
        for rest in _paths(inner) if isinstance(inner, dict) else ():
            yield (name, *rest)


def _crashes(bench: Bench, chart: pathlib.Path) -> Problems:
    """Values that somebody takes away (`NAME: null`) and that a template then does not do without."""
    paths = list(_paths(yaml.safe_load((helm.CHART / "values.yaml").read_text())))

    def one(path: tuple[str, ...]) -> str:
        values: Any = None
        for name in reversed(path):
            values = {name: values}
        try:
            bench.helm.template("helm", helm.ValueSet("null", "everything", values), chart=chart)
        except helm.RenderError as error:
            # The schema's words, or those of the chart's `fail`.
            if not re.search(r"missing property|is empty", str(error)):
                return f"{'.'.join(path)}: null ends in {error}"
        return ""

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [problem for problem in pool.map(one, paths) if problem]


def nulls(bench: Bench) -> Problems:
    return _crashes(bench, helm.CHART)


def nulls_planted(bench: Bench) -> Planted:
    yield "a template that needs a value", _crashes(bench, bench.broken_chart(
        "templates/_pod.tpl", "(.Values.podLabels | default dict)", ".Values.podLabels"))


def _kubernetes_refused(bench: Bench, version: str) -> Problems:
    found = []
    for which in helm.HELMS:
        try:
            bench.helm.template(which, helm.ValueSet("old", "sqlite"), "--kube-version", version)
        except helm.RenderError as error:
            found.append(f"{which} refuses Kubernetes {version}: {error}")
    return found


def kubernetes(bench: Bench) -> Problems:
    """With a suffix, too, as clouds have it."""
    return [problem for version in ("1.30.0", "1.30.5-gke.100", "v1.36.0+k3s1")
            for problem in _kubernetes_refused(bench, version)]


def kubernetes_planted(bench: Bench) -> Planted:
    yield "one that does not know preStop.sleep", _kubernetes_refused(bench, "1.29.9")


def _missing_notes(bench: Bench, values: helm.ValueSet, words: list[str]) -> Problems:
    """What an installation prints; Helm 3 would want a cluster for it."""
    done = bench.helm.with_values("helm", values, "install", "--dry-run=client", "demo", helm.CHART,
                                  "--namespace", "wormhole")
    _, _, notes = done.stdout.partition("\nNOTES:\n")
    return [f"the notes of {values.name} do not say {word!r}" for word in words
            if re.sub(r"\s+", " ", word) not in re.sub(r"\s+", " ", notes)]


def _of_notes(bench: Bench) -> list[tuple[helm.ValueSet, list[str]]]:
    forward = "port-forward {}/demo-wormhole-relay 47181"
    inside = "grpcurl -plaintext localhost:47181 wormhole.rendezvous.v1.InspectionService/GetRelay"
    test = "helm --namespace wormhole test demo"
    options = bench.options
    return [
        (helm.ValueSet("sqlite", "sqlite"), [
            forward.format("statefulset"), inside, test, "NO TLS", "NOBODY SCRAPES",
            "demo-wormhole-relay.wormhole.svc.cluster.local.:47180", "nobody from outside",
            "store-demo-wormhole-relay-0"]),
        (helm.ValueSet("etcd", "etcd"), [
            forward.format("deployment"),
            "dns:///demo-wormhole-relay-headless.wormhole.svc.cluster.local.:47180"]),
        (helm.ValueSet("everything", "everything"), ["gateway at relay.example.com"]),
        (options["no-metrics"], ["NO METRICS"]),
        (options["service-monitor"], ["NO ALERTS"]),
        (options["memory"], ["ONLY FOR TRYING"]),
        (options["stopped"], ["STOPPED"]),
        (options["tls"], ["ca.crt of secret relay-tls"]),
        (options["five"], ["NO TLS TO ETCD", "NO USER AT ETCD"]),
        (options["etcd-auth-in-plaintext"], ["NO TLS TO ETCD"]),
        (options["etcd-tls-without-a-certificate"], ["NO USER AT ETCD"]),
        (options["service-monitor"], ["serviceMonitor.labels is empty", "'{..serviceMonitorSelector}'"]),
        (options["prometheus-rule-of-a-job"], ["as job relays"]),
    ]


def notes(bench: Bench) -> Problems:
    found = [problem for values, words in _of_notes(bench)
             for problem in _missing_notes(bench, values, words)]
    everything = helm.ValueSet("everything", "everything")
    return found + [f"the notes of everything say that something is missing: {word}"
                    for word in ("NO TLS", "NO USER", "NO METRICS", "NOBODY", "NO ALERTS",
                                 "STOPPED")
                    if not _missing_notes(bench, everything, [word])]


def notes_planted(bench: Bench) -> Planted:
    yield "words that are not there", _missing_notes(bench, bench.options["tls"], ["NO TLS"])


def bad_values_planted(bench: Bench) -> Planted:
    yield "a value that is taken", _refusals(bench, [["sqlite", {"minReadySeconds": 1}, []]])
    yield "a name that a Service may have", _release_refused(bench, "9relays", "relays")
    yield "words that nobody says", _refusals(bench, [["sqlite", {"replica": 1}, ["replicas"]]])


def _package(bench: Bench, chart: pathlib.Path) -> Problems:
    """Whether a packaged chart has the files that it links to, and renders as the folder does."""
    found = []
    everything = helm.ValueSet("everything", "everything")
    for which in helm.HELMS:
        target = bench.folder / f"package-{which}"
        done = bench.helm.run(which, "package", chart, "--destination", target)
        if done.returncode != 0:
            return [f"{which} package: {done.stderr}"]
        archive = next(target.glob("*.tgz"))
        with tarfile.open(archive) as tar:
            for name in ("alerts.yml", "dashboard.json"):
                member = tar.getmember(f"wormhole-relay/files/{name}")
                source = (helm.ROOT / "deploy/observability" / name).read_bytes()
                file = tar.extractfile(member)
                if not member.isfile() or file is None or file.read() != source:
                    found.append(f"{which} package has another files/{name}")
        found += [f"{which} package: {what}" for what in documents.differences(
            documents.load(bench.helm.template(which, everything, chart=archive)),
            documents.load(bench.helm.template(which, everything)))]
        archive.unlink()
    return found


def package(bench: Bench) -> Problems:
    return _package(bench, helm.CHART)


def package_planted(bench: Bench) -> Planted:
    yield "other rules", _package(bench, bench.broken_chart("files/alerts.yml", "alert: ", "alert: X"))
    yield "a template that is left out", _package(
        bench, bench.broken_chart(".helmignore", ".git*", "certificate.yaml"))


CHECKS = [
    Check("lint --strict", lint, lint_planted),
    Check("Helm 4 and Helm 3 render equal objects of each value set and each option alone", alike,
          alike_planted),
    Check("each parameter is an option alone", every_option, every_option_planted),
    Check("the schema is closed, and values.yaml explains what it has", closed_schema,
          closed_schema_planted),
    Check("bad values are refused in a line that says what to do", bad_values, bad_values_planted),
    Check("whatever is null is done without, or refused", nulls, nulls_planted),
    Check("Kubernetes 1.30 and later, and none before", kubernetes, kubernetes_planted),
    Check("the notes say how to reach it, and what is missing", notes, notes_planted),
    Check("the packaged chart", package, package_planted),
]
