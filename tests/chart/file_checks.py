"""What is in the repository beside the chart and has to agree with it, and the tools that look at
files: README.md, deploy/manifests, the flags, the versions, scripts and the Dockerfile."""

from __future__ import annotations

import json
import pathlib
import re
import shutil

import yaml

import content_checks
import documents
import helm
import pod_security
import relay_flags
from bench import ROOT, Bench, Check, Planted, Problems

MANIFESTS = ROOT / "deploy/manifests"
README = helm.CHART / "README.md"
PAGE = ROOT / "deploy/README.md"
SHAPES = ("sqlite", "etcd")
# Of the pods that it lets in, Kubernetes asks what restricted asks.
NAMESPACE = """\
apiVersion: v1
kind: Namespace
metadata:
  name: wormhole
  labels:
    pod-security.kubernetes.io/enforce: restricted
    pod-security.kubernetes.io/enforce-version: latest
"""


def _rendered(bench: Bench, shape: str) -> str:
    """What a manifest has to be equal to, with the chart's comments. Without hooks: `helm test` is
    Helm's."""
    values = helm.ValueSet(shape, shape)
    return bench.helm.template("helm", values, "--no-hooks", release="wormhole-relay")


def _manifest(bench: Bench, shape: str) -> str:
    lines = [line for line in _rendered(bench, shape).splitlines()
             if not re.match(r"# Source: | +(helm\.sh/chart|app\.kubernetes\.io/managed-by): ", line)]
    body = re.sub(r"\n\n+", "\n", "\n".join(lines)).strip().removeprefix("---\n")
    return (f"# What deploy/chart renders of ci/{shape}.yaml; `tests/chart/run fix` writes it, "
            f"deploy/README.md says how to use it.\n{NAMESPACE}---\n{body}\n")


def _unlike_the_chart(bench: Bench, shape: str, text: str) -> Problems:
    wanted = [documents.load(NAMESPACE)[0]]
    wanted += [documents.without_helm(one) for one in documents.load(_rendered(bench, shape))]
    found = documents.differences(documents.load(text), wanted)
    return [f"deploy/manifests/{shape}.yaml (first) is not what the chart renders (second); "
            f"`tests/chart/run fix` writes it: {what}" for what in found]


def manifests(bench: Bench) -> Problems:
    return [problem for shape in SHAPES for problem in _unlike_the_chart(
        bench, shape, (MANIFESTS / f"{shape}.yaml").read_text())]


def manifests_planted(bench: Bench) -> Planted:
    text = (MANIFESTS / "etcd.yaml").read_text()
    yield "another number", _unlike_the_chart(
        bench, "etcd", text.replace("replicas: 3", "replicas: 2"))
    yield "a namespace that enforces less", _unlike_the_chart(
        bench, "etcd", text.replace("enforce: restricted", "enforce: baseline"))
    yield "an object less", _unlike_the_chart(bench, "etcd", text.rsplit("\n---\n", 1)[0])


def _badly_applied(bench: Bench, texts: list[str]) -> Problems:
    """What `kubectl kustomize`, the schemas and the standard say of manifests that are applied
    together."""
    folder = bench.folder / "kustomize"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    names = []
    for number, text in enumerate(texts):
        names.append(f"{number}.yaml")
        (folder / names[-1]).write_text(text)
    image = {"name": "wormhole-relay", "newName": "registry.example.com/relay", "newTag": "1"}
    (folder / "kustomization.yaml").write_text(
        yaml.safe_dump({"resources": names, "images": [image]}))
    code, said = bench.output(bench.tools / "kubectl", "kustomize", folder)
    if code != 0:
        return [f"kubectl kustomize: {said.strip()}"]
    objects = documents.load(said)
    wanted = [one for text in texts for one in documents.load(
        text.replace("image: wormhole-relay:0.1.0", "image: registry.example.com/relay:1"))]
    return (documents.differences(objects, wanted)
            + [f"{name}: {what}" for name, spec in documents.pods(objects)
               for what in pod_security.problems(spec)])


def _together() -> list[list[str]]:
    trying = (MANIFESTS / "etcd-for-trying.yaml").read_text()
    sqlite, etcd = ((MANIFESTS / f"{shape}.yaml").read_text() for shape in SHAPES)
    return [[sqlite], [etcd], [etcd, trying]]


def applied(bench: Bench) -> Problems:
    found = [problem for texts in _together() for problem in _badly_applied(bench, texts)]
    (etcd,) = documents.of_kind(documents.load(_together()[2][1]), "StatefulSet")
    (container,) = etcd["spec"]["template"]["spec"]["containers"]
    if not any("--auto-compaction-retention=" in argument for argument in container["args"]):
        found.append("etcd-for-trying.yaml: etcd would keep every change until its space is used up")
    return found


def applied_planted(bench: Bench) -> Planted:
    sqlite, etcd, trying = (MANIFESTS / f"{name}.yaml" for name in (*SHAPES, "etcd-for-trying"))
    yield "no YAML", _badly_applied(bench, [sqlite.read_text() + "\n  a: ]\n"])
    yield "an object twice", _badly_applied(bench, [sqlite.read_text(), etcd.read_text()])
    yield "no kind", _badly_applied(bench, [etcd.read_text().replace("kind: Deployment", "a: b")])
    yield "an etcd with all capabilities", _badly_applied(
        bench, [etcd.read_text(), trying.read_text().replace("drop: [ALL]", "drop: []")])


def _of_the_page(page: str) -> str:
    """The objects that deploy/README.md shows, but for a snapshot, whose kind is no part of Kubernetes."""
    shown = re.findall(r"^```yaml\n# \w+\.yaml\n(apiVersion: .*?)^```$", page, re.S | re.M)
    return content_checks.stream([text for text in shown if "kind: VolumeSnapshot\nmetadata" not in text])


def known(bench: Bench) -> Problems:
    found = [f"deploy/manifests: {what}" for texts in _together()
             for what in content_checks.invalid(bench, content_checks.stream(texts))]
    claim = _of_the_page(PAGE.read_text())
    if len(documents.of_kind(documents.load(claim), "PersistentVolumeClaim")) != 1:
        found.append("deploy/README.md shows no claim that is made of a snapshot")
    return found + [f"deploy/README.md: {what}" for what in content_checks.invalid(bench, claim)]


def known_planted(bench: Bench) -> Planted:
    trying = _together()[2][1]
    yield "an unknown field of etcd's", content_checks.invalid(
        bench, trying.replace("serviceName:", "service:"))
    yield "an unknown field of the page's claim", content_checks.invalid(
        bench, _of_the_page(PAGE.read_text()).replace("dataSource:", "dataSources:"))


def _tables(bench: Bench, values: str, readme: str) -> str:
    """README.md with the tables that readme-generator makes of values.yaml."""
    folder = bench.folder / "readme"
    folder.mkdir(exist_ok=True)
    (folder / "values.yaml").write_text(values)
    (folder / "README.md").write_text(readme)
    code, said = bench.output(bench.npm / "node_modules/.bin/readme-generator", "--values",
                              folder / "values.yaml", "--readme", folder / "README.md")
    if code != 0:
        return said
    return (folder / "README.md").read_text()


def _old_readme(bench: Bench, values: str, readme: str) -> Problems:
    made = _tables(bench, values, readme)
    if made == readme:
        return []
    differing = [line for line in made.splitlines() if line not in readme.splitlines()]
    return ["deploy/chart/README.md has other tables than values.yaml makes; `tests/chart/run fix` "
            "writes them: " + "\n".join(differing[:5])]


def readme(bench: Bench) -> Problems:
    return _old_readme(bench, (helm.CHART / "values.yaml").read_text(), README.read_text())


def readme_planted(bench: Bench) -> Planted:
    values = (helm.CHART / "values.yaml").read_text()
    yield "another default", _old_readme(
        bench, values.replace("minReadySeconds: 5", "minReadySeconds: 6"), README.read_text())
    yield "another description", _old_readme(
        bench, values.replace("@param minReadySeconds For", "@param minReadySeconds Of"),
        README.read_text())
    yield "a value without a description", _old_readme(bench, values + "new: 1\n", README.read_text())


def _other_flags(schema: str, help_text: str) -> Problems:
    """Where the schema's list of flags is not that of --help."""
    listed = json.loads(schema)["properties"]["flags"]["properties"]
    flags = relay_flags.of_help(help_text)
    found = [f"values.schema.json does not list flags.{flag}, which wormhole-relay has"
             for flag in flags.keys() - listed.keys()]
    found += [f"values.schema.json lists flags.{flag}, which wormhole-relay does not have"
              for flag in listed.keys() - flags.keys()]
    for flag in flags.keys() & listed.keys():
        kind = {"[=true|false]": {"type": "boolean"}, "=TIME": {"$ref": "#/definitions/time"},
                "=N": {"type": "integer"}}.get(flags[flag], {})
        if listed[flag] is not True and not kind.items() <= listed[flag].items():
            found.append(f"values.schema.json has flags.{flag} as {listed[flag]}, "
                         f"and wormhole-relay as --{flag}{flags[flag]}")
    return found


def flags(bench: Bench) -> Problems:
    _, text = bench.output(bench.relay, "--help")
    return _other_flags((helm.CHART / "values.schema.json").read_text(), text)


def flags_planted(bench: Bench) -> Planted:
    _, text = bench.output(bench.relay, "--help")
    schema = (helm.CHART / "values.schema.json").read_text()
    yield "a flag that is new", _other_flags(schema, text + "  --new=N  (default 1)\n")
    yield "a flag that is gone", _other_flags(schema, text.replace("  --motd=", "  motd="))
    yield "a time that was a number", _other_flags(schema, text.replace("--heartbeat=TIME",
                                                                        "--heartbeat=N"))


def _other_versions(chart: str, said: str) -> Problems:
    described = yaml.safe_load(chart)
    version = said.split()[-1]
    return [f"Chart.yaml has {key} {described[key]!r}, and the relay is {version}"
            for key in ("version", "appVersion") if described[key] != version]


def versions(bench: Bench) -> Problems:
    _, said = bench.output(bench.relay, "--version")
    return _other_versions((helm.CHART / "Chart.yaml").read_text(), said)


def versions_planted(bench: Bench) -> Planted:
    _, said = bench.output(bench.relay, "--version")
    chart = (helm.CHART / "Chart.yaml").read_text()
    yield "an older chart", _other_versions(chart.replace("\nversion: ", "\nversion: 0."), said)
    yield "an older image", _other_versions(chart.replace("appVersion: ", "appVersion: 0."), said)


def _unknown_metric(values: str) -> Problems:
    """Where autoscaling goes by what README.md's table of metrics does not have."""
    table = (ROOT / "README.md").read_text()
    names = [metric["pods"]["metric"]["name"]
             for metric in yaml.safe_load(values)["autoscaling"]["metrics"]]
    return [f"autoscaling.metrics names {name}, which no relay has" for name in names
            if not re.search(rf"^\|.*`{name}`.*\|", table, re.M)]


def metric(bench: Bench) -> Problems:
    del bench
    return _unknown_metric((helm.CHART / "values.yaml").read_text())


def metric_planted(bench: Bench) -> Planted:
    del bench
    yield "a metric of another name", _unknown_metric(
        (helm.CHART / "values.yaml").read_text().replace("name: wormhole_attached_sides",
                                                         "name: wormhole_attached_side"))


def _bad_scripts(bench: Bench, files: list[pathlib.Path]) -> Problems:
    _, said = bench.output("shellcheck", "--severity=warning", "--format=gcc", *files)
    return said.splitlines()


def scripts(bench: Bench) -> Problems:
    _, listed = bench.output("git", "ls-files", "--cached", "--others", "--exclude-standard",
                             "deploy", "tests")
    files = [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]
    shell = [file for file in files
             if re.match(rb"#!.*\b(ba)?sh\b", file.open("rb").readline())]
    return _bad_scripts(bench, shell) if shell else ["there is no script"]


def scripts_planted(bench: Bench) -> Planted:
    script = bench.folder / "script"
    script.write_text('#!/usr/bin/env bash\ncd "$1"\nrm -r *\n')
    yield "a folder that may not be there", _bad_scripts(bench, [script])


def _bad_dockerfile(bench: Bench, text: str) -> Problems:
    folder = bench.folder / "dockerfile"
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text(text)
    # The tag of the base is in its ARG.
    (folder / ".dockerfilelintrc").write_text("rules:\n  missing_tag: off\n")
    code, said = bench.output(bench.npm / "node_modules/.bin/dockerfilelint", "Dockerfile",
                              folder=folder)
    return [said.strip()] if code != 0 else []


def dockerfile(bench: Bench) -> Problems:
    return _bad_dockerfile(bench, (ROOT / "deploy/image/Dockerfile").read_text())


def dockerfile_planted(bench: Bench) -> Planted:
    text = (ROOT / "deploy/image/Dockerfile").read_text()
    yield "an instruction that there is not", _bad_dockerfile(bench, text + "\nENTRYPIONT a\n")
    yield "packages without a clean-up", _bad_dockerfile(
        bench, text + "\nRUN apt-get update && apt-get install a\n")


def fix(bench: Bench) -> None:
    """Writes what is made of the chart."""
    README.write_text(_tables(bench, (helm.CHART / "values.yaml").read_text(), README.read_text()))
    for shape in SHAPES:
        (MANIFESTS / f"{shape}.yaml").write_text(_manifest(bench, shape))


CHECKS = [
    Check("deploy/manifests are what the chart renders", manifests, manifests_planted),
    Check("kubectl kustomize takes deploy/manifests, and their pods are restricted", applied,
          applied_planted),
    Check("deploy/manifests, and what deploy/README.md shows, are what the API server knows", known, known_planted),
    Check("README.md's tables", readme, readme_planted),
    Check("the schema's flags are those of wormhole-relay", flags, flags_planted),
    Check("the chart's version is the relay's", versions, versions_planted),
    Check("autoscaling goes by a metric of the relay", metric, metric_planted),
    Check("shellcheck over deploy and tests", scripts, scripts_planted),
    Check("dockerfilelint", dockerfile, dockerfile_planted),
]
