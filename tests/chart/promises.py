"""What every release of the chart has, whatever its values are; and mistakes that break it."""

from __future__ import annotations

import re
from typing import Any, Callable, Iterator

import documents
import references
from documents import Document

PORTS = {"grpc": 47180, "metrics": 47182, "probes": 47183}


def _selector(release: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": "wormhole-relay", "app.kubernetes.io/instance": release,
            "app.kubernetes.io/component": "relay"}


def broken(objects: list[Document], values: dict[str, Any]) -> Iterator[str]:
    """The promises that these objects do not keep. `values` are those that were given; beside them hold the
    chart's defaults."""
    workload = documents.workload(objects)
    yield from _of_presence(objects, values)
    yield from _of_names(objects, workload)
    yield from _of_texts(objects, "")
    yield from _of_selectors(objects, workload)
    yield from _of_images(objects, workload, values)
    yield from _of_the_pod(workload)
    yield from _of_the_spread(workload, values)
    yield from _of_stopping(workload)
    yield from _of_the_shape(workload)
    yield from _of_the_budget(objects, workload, values)
    yield from _of_the_autoscaler(objects, values)
    yield from references.broken(objects, values)
    yield from _of_the_network(objects)
    yield from _of_the_services(objects)
    yield from _of_the_certificate(objects)
    for name, spec in documents.pods(objects):
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{name} gets a token"
        if spec.get("enableServiceLinks") is not False:
            yield f"{name} gets the Services' addresses in its environment"
        for container in spec["containers"]:
            resources = container["resources"]
            if not {"cpu", "memory"} <= resources["requests"].keys():
                yield f"{name} does not ask for cpu and memory"
            if "memory" not in resources["limits"] or "cpu" in resources["limits"]:
                yield f"{name} should have a limit for memory, and none for cpu"
            if container["securityContext"].get("readOnlyRootFilesystem") is not True:
                yield f"{name} can write to its root"


def _of_presence(objects: list[Document], values: dict[str, Any]) -> Iterator[str]:
    """Whether there is of each kind what was asked for. The other promises are of what there is."""
    def on(what: str, unless_said: bool = False, switch: str = "enabled") -> bool:
        return (values.get(what) or {}).get(switch, unless_said)

    extra = [one["kind"] for one in values.get("extraObjects") or []]
    wanted = {
        "Service": 2 + on("metrics", True), "Pod": 1, "ServiceAccount": on("serviceAccount", True, "create"),
        "NetworkPolicy": on("networkPolicy", True), "HorizontalPodAutoscaler": on("autoscaling"),
        "GRPCRoute": on("grpcRoute"), "ServiceMonitor": on("serviceMonitor"),
        "PrometheusRule": on("prometheusRule"), "ConfigMap": bool(values.get("flags")) + on("dashboard"),
        "Certificate": values.get("tls", {}).get("certManager", {}).get("enabled", False)}
    for kind, number in wanted.items():
        there = len(documents.of_kind(objects, kind)) - extra.count(kind)
        if there != number:
            yield f"there are {there} objects of kind {kind}, and should be {int(number)}"


def _of_names(objects: list[Document], workload: Document) -> Iterator[str]:
    """However long the release's name is. A pod of a StatefulSet has the name and a hash in a label."""
    for document in objects:
        longest = 52 if document is workload else 63
        if len(document["metadata"]["name"]) > longest:
            yield f"the name {document['metadata']['name']} has more than {longest} characters"


# What is text in Kubernetes, whatever it looks like.
TEXTS = {"name", "namespace", "secretName", "claimName", "serviceName", "serviceAccountName", "kind", "group",
         "priorityClassName", "storageClassName", "appProtocol", "trafficDistribution", "loadBalancerClass",
         "replacement"}
TEXTS_BY_KEY = {"labels", "annotations", "matchLabels", "selector", "nodeSelector"}


def _of_texts(node: Any, where: str) -> Iterator[str]:
    """A name such as 012 has to be quoted, or YAML makes a number of it."""
    if isinstance(node, list):
        for inner in node:
            yield from _of_texts(inner, where)
    elif isinstance(node, dict):
        for key, inner in node.items():
            if not isinstance(inner, (str, dict, list)) and (
                    key in TEXTS or where in TEXTS_BY_KEY):
                yield f"{key} is {inner!r}, and no text"
            yield from _of_texts(inner, key)


def _of_selectors(objects: list[Document], workload: Document) -> Iterator[str]:
    release = workload["metadata"]["labels"]["app.kubernetes.io/instance"]
    wanted = _selector(release)
    pod = workload["spec"]["template"]["metadata"]["labels"]
    if workload["spec"]["selector"] != {"matchLabels": wanted}:
        yield "the selector is another, and no upgrade could change it"
    if not wanted.items() <= pod.items():
        yield "the selector does not find the pods"
    if {"helm.sh/chart"} & pod.keys():
        yield "a new version of the chart alone would roll the pods"
    for claim in workload["spec"].get("volumeClaimTemplates", []):
        if claim["metadata"]["labels"] != wanted:
            yield "the claim has labels that no upgrade could change"
    for test in documents.of_kind(objects, "Pod"):
        if wanted.items() <= test["metadata"]["labels"].items():
            yield "the Services would take the test's pod for a relay"
    for service in documents.of_kind(objects, "Service"):
        if service["spec"]["selector"] != wanted:
            yield f"the Service {service['metadata']['name']} does not find the pods"


def _of_images(objects: list[Document], workload: Document, values: dict[str, Any]) -> Iterator[str]:
    """Whether relay and test are of the image that was asked for: by its digest, if one was."""
    given = values.get("image", {})
    version = workload["metadata"]["labels"]["app.kubernetes.io/version"]
    wanted = given.get("repository", "wormhole-relay") + (
        f"@{given['digest']}" if given.get("digest") else f":{given.get('tag') or version}")
    for name, spec in documents.pods(objects):
        for container in spec["containers"]:
            if container["image"] != wanted:
                yield f"{name} is of {container['image']}, and should be of {wanted}"


# By the value that says how much they matter.
SPREAD = {"zones": "topology.kubernetes.io/zone", "nodes": "kubernetes.io/hostname"}


def _of_the_spread(workload: Document, values: dict[str, Any]) -> Iterator[str]:
    """Over zones and over nodes, unless that is off."""
    said = {"zones": "ScheduleAnyway", "nodes": "ScheduleAnyway", **values.get("topologySpread", {})}
    wanted = {SPREAD[what]: how for what, how in said.items() if how != "off"}
    spreads = workload["spec"]["template"]["spec"].get("topologySpreadConstraints", [])
    there = {spread["topologyKey"]: spread.get("whenUnsatisfiable") for spread in spreads}
    if there != wanted:
        yield f"the pods are spread over {there}, and should be over {wanted}"
    for spread in spreads:
        if not spread.get("matchLabelKeys"):
            yield "a rollout is spread together with the pods that it replaces"
        if spread.get("maxSkew") != 1:
            yield f"over {spread['topologyKey']} pods may be spread unevenly"


def _of_the_pod(workload: Document) -> Iterator[str]:
    spec = workload["spec"]["template"]["spec"]
    (relay,) = spec["containers"]
    ports = {port["name"]: port["containerPort"] for port in relay["ports"]}
    if ports != {name: PORTS[name] for name in ports} or not {"grpc", "probes"} <= ports.keys():
        yield f"the ports are {ports}"
    services = {"startupProbe": "liveness", "livenessProbe": "liveness",
                "readinessProbe": "readiness"}
    for probe, service in services.items():
        if relay[probe].get("grpc") != {"port": PORTS["probes"], "service": service}:
            yield f"{probe} does not ask the probes' port for {service}"
    for volume in spec.get("volumes", []):
        if "secret" in volume and volume["secret"].get("defaultMode") != 0o440:
            yield f"the files of the secret {volume['name']} are for more than their group to read"
    secrets = {volume["name"] for volume in spec.get("volumes", []) if "secret" in volume}
    for mount in relay.get("volumeMounts", []):
        if mount["name"] in secrets and ("subPath" in mount or not mount.get("readOnly")):
            yield f"the secret {mount['name']} would not be swapped, or could be written"
    if "env" in relay or "envFrom" in relay:
        yield "the environment holds something"
    if ("relay.flags" in str(relay["args"])) != ("checksum/flags" in str(workload)):
        yield "a change of the flag file would not roll the pods"


def _of_stopping(workload: Document) -> Iterator[str]:
    spec = workload["spec"]["template"]["spec"]
    (relay,) = spec["containers"]
    sleep = relay.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    drains = {argument.split("=")[0]: argument.split("=")[1] for argument in relay["args"]
              if argument.startswith("--drain")}
    drain = int(drains["--drain-timeout"].removesuffix("s"))
    if sleep + drain + 2 > spec["terminationGracePeriodSeconds"]:
        yield "the pod is killed while it drains"


def _of_the_shape(workload: Document) -> Iterator[str]:
    spec = workload["spec"]
    (relay,) = spec["template"]["spec"]["containers"]
    kind = next(argument for argument in relay["args"] if argument.startswith("--store="))
    kind = kind.removeprefix("--store=").split(":")[0]
    if kind == "etcd":
        rolling = spec["strategy"].get("rollingUpdate")
        if workload["kind"] != "Deployment" or rolling != {"maxSurge": 1, "maxUnavailable": 0}:
            yield "over etcd it should be a Deployment that never has fewer relays"
    elif kind == "sqlite":
        kept = {"whenDeleted": "Retain", "whenScaled": "Retain"}
        if workload["kind"] != "StatefulSet" or \
                spec["persistentVolumeClaimRetentionPolicy"] != kept:
            yield "over sqlite it should be a StatefulSet whose claim is kept"
        mounts = [mount["mountPath"] for mount in relay["volumeMounts"]]
        if "/var/lib/wormhole" not in mounts:
            yield "the file is on no volume"
    elif spec["strategy"] != {"type": "Recreate"}:
        yield "over memory two relays would be there at once"
    if kind != "etcd" and spec["replicas"] > 1:
        yield f"over {kind} there is more than one relay"


def _of_the_budget(objects: list[Document], workload: Document,
                   values: dict[str, Any]) -> Iterator[str]:
    given = values.get("podDisruptionBudget", {})
    budgets = documents.of_kind(objects, "PodDisruptionBudget")
    autoscalers = documents.of_kind(objects, "HorizontalPodAutoscaler")
    numbers = [one["spec"][f"{which}Replicas"] for one in autoscalers for which in ("min", "max")]
    # Of a workload that does not say Kubernetes makes one.
    fewest, most = numbers or [workload["spec"].get("replicas", 1)] * 2
    if autoscalers and "replicas" in workload["spec"]:
        yield "an upgrade would undo what the autoscaler did"
    if bool(budgets) != (most > 1 and given.get("enabled", True)):
        yield f"there are {len(budgets)} budgets of up to {most} relays"
    for budget in budgets:
        if budget["spec"]["maxUnavailable"] >= max(fewest, 2):
            yield "the budget lets all relays go at once"
        policy = given.get("unhealthyPodEvictionPolicy", "AlwaysAllow")
        if budget["spec"]["unhealthyPodEvictionPolicy"] != policy:
            yield "a relay that is not ready would hold up the drain of its node"


def _of_the_autoscaler(objects: list[Document], values: dict[str, Any]) -> Iterator[str]:
    """One relay goes in two minutes, after ten, unless the values say."""
    wanted = {"stabilizationSeconds": 600, "periodSeconds": 120,
              **values.get("autoscaling", {}).get("scaleDown", {})}
    slowly = {"stabilizationWindowSeconds": wanted["stabilizationSeconds"],
              "policies": [{"type": "Pods", "value": 1, "periodSeconds": wanted["periodSeconds"]}]}
    for scaler in documents.of_kind(objects, "HorizontalPodAutoscaler"):
        if scaler["spec"]["behavior"]["scaleDown"] != slowly:
            yield "relays go faster than their clients find others"


def _of_the_network(objects: list[Document]) -> Iterator[str]:
    for policy in documents.of_kind(objects, "NetworkPolicy"):
        for rule in policy["spec"]["ingress"]:
            (port,) = [port["port"] for port in rule["ports"]]
            if port not in PORTS.values():
                yield f"somebody is let in to port {port}"
            if port != PORTS["grpc"] and not rule.get("from"):
                yield f"everybody is let in to port {port}"


def _of_the_services(objects: list[Document]) -> Iterator[str]:
    services = {service["metadata"]["name"]: service["spec"]
                for service in documents.of_kind(objects, "Service")}
    headless = [name for name, spec in services.items() if spec.get("clusterIP") == "None"]
    if not any(name.endswith("-headless") for name in headless):
        yield "there is no headless Service"
    clients = [name for name in services if name not in headless]
    if len(clients) != 1:
        yield f"for clients there are {clients}"
    for name, spec in services.items():
        (port,) = spec["ports"]
        if port["targetPort"] != ("metrics" if name.endswith("-metrics") else "grpc"):
            yield f"the Service {name} leads to {port['targetPort']}"
    workload = documents.workload(objects)
    if workload["kind"] == "StatefulSet" and workload["spec"]["serviceName"] not in headless:
        yield "the StatefulSet's Service is not there"


def _of_the_certificate(objects: list[Document]) -> Iterator[str]:
    """Clients call the relay by the name of either Service, as whole as they like. A public authority, as that
    of ci/everything.yaml, refuses all of those names."""
    for certificate in documents.of_kind(objects, "Certificate"):
        names = set(certificate["spec"]["dnsNames"])
        public = certificate["spec"]["issuerRef"]["name"] == "letsencrypt"
        inside = {name for name in names if re.fullmatch(r"[^.]+(\.[^.]+(\.svc(\..*)?)?)?", name)}
        if public and (inside or not names):
            yield f"no public authority signs a certificate of {sorted(inside)}"
        for service in documents.of_kind(objects, "Service") if not public else []:
            name, namespace = (service["metadata"][key] for key in ("name", "namespace"))
            whole = f"{name}.{namespace}.svc.cluster.local"
            missing = {name, f"{name}.{namespace}", f"{name}.{namespace}.svc", whole} - names
            if missing and not name.endswith("-metrics"):
                yield f"the certificate does not name {sorted(missing)}"


def _set(path: str, value: Any) -> Callable[[list[Document]], None]:
    return documents.setting(documents.workload, path, value)


def _set_in(kind: str, path: str, value: Any) -> Callable[[list[Document]], None]:
    """In the first object of a kind."""
    return documents.setting(lambda objects: documents.of_kind(objects, kind)[0], path, value)


_POD = "spec template spec"
_RELAY = f"{_POD} containers 0"
# What is planted, in the rendering of which value set, and how.
PLANTED: list[tuple[str, str, Callable[[list[Document]], None]]] = [
    ("too long a name", "sqlite", _set("metadata name", "a" * 53)),
    ("a class whose name is a number", "1e3", _set(f"{_POD} priorityClassName", 31)),
    ("a label that is a number", "1e3", _set("spec template metadata labels a", 31)),
    ("a token", "sqlite", _set(f"{_POD} automountServiceAccountToken", True)),
    ("service links", "sqlite", _set(f"{_POD} enableServiceLinks", None)),
    ("no request", "sqlite", _set(f"{_RELAY} resources requests", {"cpu": 1})),
    ("a limit for cpu", "sqlite", _set(f"{_RELAY} resources limits", {"cpu": 1, "memory": 1})),
    ("a root to write to", "sqlite",
     _set(f"{_RELAY} securityContext readOnlyRootFilesystem", False)),
    ("a selector with a version", "sqlite",
     _set("spec selector matchLabels app.kubernetes.io/version", "0.1.0")),
    ("a label that the selector misses", "sqlite",
     _set("spec template metadata labels app.kubernetes.io/component", "server")),
    ("the chart's version in the pods", "sqlite",
     _set("spec template metadata labels helm.sh/chart", "a")),
    ("a claim with a label", "sqlite",
     _set("spec volumeClaimTemplates 0 metadata labels team", "a")),
    ("a test among the relays", "sqlite",
     _set_in("Pod", "metadata labels app.kubernetes.io/component", "relay")),
    ("a Service of other pods", "sqlite", _set_in("Service", "spec selector team", "a")),
    ("a Service of another port", "sqlite",
     _set_in("Service", "spec ports 0 targetPort", "probes")),
    ("a StatefulSet without its Service", "sqlite", _set("spec serviceName", "a")),
    ("another port", "sqlite", _set(f"{_RELAY} ports", [{"name": "grpc", "containerPort": 1}])),
    ("a liveness that looks at the store", "sqlite",
     _set(f"{_RELAY} livenessProbe grpc service", "readiness")),
    ("a spread over two versions", "etcd",
     _set(f"{_POD} topologySpreadConstraints 0 matchLabelKeys", None)),
    ("no spread", "etcd", _set(f"{_POD} topologySpreadConstraints", None)),
    ("a spread over nodes alone", "sqlite", _set(f"{_POD} topologySpreadConstraints 1", None)),
    ("a spread that would rather have no pod", "etcd",
     _set(f"{_POD} topologySpreadConstraints 1 whenUnsatisfiable", "DoNotSchedule")),
    ("a spread that is uneven", "etcd", _set(f"{_POD} topologySpreadConstraints 0 maxSkew", 2)),
    ("a relay by tag in spite of a digest", "image-digest", _set(f"{_RELAY} image", "wormhole-relay:0.1.0")),
    ("a test by tag in spite of a digest", "image-digest",
     _set_in("Pod", "spec containers 1 image", "wormhole-relay:0.1.0")),
    ("another tag", "image", _set(f"{_RELAY} image", "registry.example.com:5000/wormhole-relay:0.1.0")),
    ("no NetworkPolicy", "etcd", _set_in("NetworkPolicy", "kind", "Namespace")),
    ("no autoscaler", "autoscaling", _set_in("HorizontalPodAutoscaler", "kind", "Namespace")),
    ("no certificate", "tls-cert-manager", _set_in("Certificate", "kind", "Namespace")),
    ("no test", "sqlite", _set_in("Pod", "kind", "Namespace")),
    ("rules that nobody asked for", "sqlite", _set_in("NetworkPolicy", "kind", "PrometheusRule")),
    ("a secret by subPath", "tls",
     _set(f"{_RELAY} volumeMounts", [{"name": "tls", "mountPath": "/var/lib/wormhole",
                                      "readOnly": True, "subPath": "a"}])),
    ("a secret for everybody", "tls",
     _set(f"{_POD} volumes", [{"name": "tls", "secret": {"secretName": "relay-tls"}}])),
    ("a secret in the environment", "etcd-auth", _set(f"{_RELAY} env", [{"name": "A"}])),
    ("no checksum", "flags-numbers", _set("spec template metadata annotations", {})),
    ("too short a grace", "etcd", _set(f"{_POD} terminationGracePeriodSeconds", 16)),
    ("a rollout with fewer relays", "etcd", _set("spec strategy rollingUpdate maxUnavailable", 1)),
    ("a claim that goes", "sqlite",
     _set("spec persistentVolumeClaimRetentionPolicy whenDeleted", "Delete")),
    ("no volume", "sqlite", _set(f"{_RELAY} volumeMounts", [])),
    ("two relays with a memory of their own", "memory", _set("spec strategy type", "RollingUpdate")),
    ("two relays over a file", "sqlite", _set("spec replicas", 2)),
    ("replicas beside an autoscaler", "autoscaling", _set("spec replicas", 3)),
    ("a budget of one", "etcd", _set("spec replicas", 1)),
    ("a budget of all", "etcd", _set_in("PodDisruptionBudget", "spec maxUnavailable", 3)),
    ("an autoscaler without a budget", "autoscaling-of-one",
     _set_in("PodDisruptionBudget", "kind", "Namespace")),
    ("a budget that sick pods hold up", "etcd",
     _set_in("PodDisruptionBudget", "spec unhealthyPodEvictionPolicy", "IfHealthyBudget")),
    ("an autoscaler in a hurry", "autoscaling",
     _set_in("HorizontalPodAutoscaler", "spec behavior scaleDown policies 0 periodSeconds", 15)),
    ("a public certificate of inner names", "tls-cert-manager-public",
     _set_in("Certificate", "spec dnsNames 0", "relay.wormhole.svc")),
    ("the admin port for all", "etcd",
     _set_in("NetworkPolicy", "spec ingress 0 ports 0 port", 47181)),
    ("a certificate of other names", "tls-cert-manager",
     _set_in("Certificate", "spec dnsNames", ["relay.example.com"])),
    ("the metrics for all", "etcd", _set_in("NetworkPolicy", "spec ingress 1 from", [])),
] + references.PLANTED
