"""What the chart does about a release that is there. Helm asks a cluster for it: here, something that
answers as an API server with one workload would."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import pathlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterator

import yaml

import documents
import helm
from bench import Bench, Check, Planted, Problems
from documents import Document

RELEASE, NAMESPACE = "demo", "wormhole"
# By group and version, what the chart renders of the kinds that every cluster has.
KINDS = {"v1": ("ConfigMap", "Pod", "Service", "ServiceAccount"), "apps/v1": ("Deployment", "StatefulSet"),
         "autoscaling/v2": ("HorizontalPodAutoscaler",), "policy/v1": ("PodDisruptionBudget",),
         "networking.k8s.io/v1": ("NetworkPolicy",)}


def _workload(kind: str, store: str, replicas: int) -> Document:
    """As the API server has it. An injected container comes first, as meshes like it."""
    containers = [{"name": "mesh", "args": ["--store=elsewhere"]},
                  {"name": "relay", "args": ["--listen=[::]:47180", f"--store={store}"]}]
    return {"apiVersion": "apps/v1", "kind": kind,
            "metadata": {"name": f"{RELEASE}-wormhole-relay", "namespace": NAMESPACE},
            "spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}}}


def _answers(live: list[Document]) -> dict[str, Any]:
    """What the server says, by path. All else is not found."""
    found: dict[str, Any] = {
        "/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
            {"name": name.split("/")[0], "versions": [version], "preferredVersion": version}
            for name in KINDS if "/" in name
            for version in [{"groupVersion": name, "version": name.split("/")[1]}]]},
    }
    for name, kinds in KINDS.items():
        found[f"/apis/{name}" if "/" in name else f"/api/{name}"] = {
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": [
                {"name": _plural(kind), "singularName": kind.lower(), "namespaced": True, "kind": kind,
                 "verbs": ["get", "list"]} for kind in kinds]}
    for one in live:
        metadata = one["metadata"]
        found[f"/apis/apps/v1/namespaces/{metadata['namespace']}/{_plural(one['kind'])}/"
              f"{metadata['name']}"] = one
    return found


def _plural(kind: str) -> str:
    return f"{kind.lower().removesuffix('y')}ies" if kind.endswith("y") else f"{kind.lower()}s"


@contextlib.contextmanager
def _cluster(folder: pathlib.Path, live: list[Document]) -> Iterator[pathlib.Path]:
    """Yields a kubeconfig for a server on a port that the kernel picks."""
    answers = _answers(live)

    class Handler(http.server.BaseHTTPRequestHandler):
        """Answers GET from the table."""

        def do_GET(self) -> None:  # pylint: disable=invalid-name
            path = self.path.partition("?")[0]
            status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound",
                      "code": 404}
            body = json.dumps(answers.get(path, status)).encode()
            self.send_response(200 if path in answers else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # pylint: disable=redefined-builtin
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    config = folder / f"kubeconfig-{port}"
    config.write_text(yaml.safe_dump({
        "apiVersion": "v1", "kind": "Config", "current-context": "here",
        "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": ""}}]}))
    try:
        yield config
    finally:
        server.shutdown()
        server.server_close()


def _upgrade(bench: Bench, which: str, live: list[Document], base: str,
             values: dict[str, Any], chart: pathlib.Path = helm.CHART) -> list[Document] | str:
    """What an upgrade of a live release would make, or why it is refused."""
    with _cluster(bench.folder, live) as config:
        try:
            text = bench.helm.template(
                which, helm.ValueSet("live", base, values), "--is-upgrade", "--dry-run=server",
                "--disable-openapi-validation", "--kubeconfig", str(config), release=RELEASE,
                namespace=NAMESPACE, chart=chart)
        except helm.RenderError as error:
            return str(error)
    return documents.load(text)


SQLITE = _workload("StatefulSet", "sqlite:/var/lib/wormhole/relay.db", 1)
ETCD = _workload("Deployment", "etcd:etcd.wormhole.svc.cluster.local.:2379", 5)
MEMORY = _workload("Deployment", "memory", 1)
ALLOWED = {"store": {"allowChange": True}}
# Its name, what is there, the value set and the values that are asked for, and, if it is refused, over what the
# release runs.
Upgrade = tuple[str, list[Document], str, dict[str, Any], str]
UPGRADES: list[Upgrade] = [
    ("sqlite again", [SQLITE], "sqlite", {}, ""),
    ("etcd again", [ETCD], "etcd", {}, ""),
    ("nothing yet", [], "sqlite", {}, ""),
    ("etcd without its values", [ETCD], "sqlite", {}, "etcd"),
    ("sqlite with those of etcd", [SQLITE], "etcd", {}, "sqlite"),
    ("memory to etcd", [MEMORY], "etcd", {}, "memory"),
    ("etcd to sqlite, meant", [ETCD], "sqlite", ALLOWED, ""),
]


def _wrong_upgrades(bench: Bench, chart: pathlib.Path = helm.CHART) -> Problems:

    def one(of: tuple[Upgrade, str]) -> str:
        (what, live, base, values, runs_over), which = of
        done = _upgrade(bench, which, live, base, values, chart)
        if not runs_over and isinstance(done, str):
            return f"{which} refuses {what}: {done}"
        if runs_over and not (isinstance(done, str) and "store.allowChange=true" in done and
                              f"runs over {runs_over}," in done):
            return f"{which} takes {what}, or does not say what to do: {str(done)[:300]}"
        return ""

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(one, [(upgrade, which) for upgrade in UPGRADES for which in helm.HELMS])
    return [problem for problem in found if problem]


def same_store(bench: Bench) -> Problems:
    return _wrong_upgrades(bench)


def same_store_planted(bench: Bench) -> Planted:
    yield "a chart that does not look", _wrong_upgrades(
        bench, bench.broken_chart("templates/checks.yaml", "if and .Release.IsUpgrade", "if and false"))


def _wrong_number(bench: Bench, chart: pathlib.Path = helm.CHART) -> Problems:
    """Whether an upgrade of autoscaled relays leaves as many as there are, or the fewest that are wanted."""
    found = []
    for there, wanted in ((5, 5), (1, 3)):
        live = _workload("Deployment", "etcd:a:1", there)
        for which in helm.HELMS:
            done = _upgrade(bench, which, [live], "etcd", {"autoscaling": {"enabled": True}}, chart)
            numbers = [done] if isinstance(done, str) else [
                one["spec"].get("replicas") for one in documents.of_kind(done, "Deployment")]
            if numbers != [wanted]:
                found.append(f"{which} makes {numbers} of {there} relays, and not {wanted}")
    return found


def as_many(bench: Bench) -> Problems:
    return _wrong_number(bench)


def as_many_planted(bench: Bench) -> Planted:
    yield "a chart that leaves the field out", _wrong_number(bench, bench.broken_chart(
        "templates/deployment.yaml", "  replicas: {{ max", "  # {{ max"))


CHECKS = [
    Check("an upgrade to another kind of store is refused unless it is meant", same_store,
          same_store_planted),
    Check("an upgrade leaves as many relays as an autoscaler has made", as_many, as_many_planted),
]
