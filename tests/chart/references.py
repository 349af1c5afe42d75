"""Whether the objects of a release find each other: each selector its pods or Service, each name and port what
it names; and mistakes that part them."""

from __future__ import annotations

import re
from typing import Any, Callable, Iterator

import documents
from documents import Document


def broken(objects: list[Document], values: dict[str, Any]) -> Iterator[str]:
    """What leads nowhere. `values` are those that were given; beside them hold the chart's defaults."""
    workload = documents.workload(objects)
    yield from _of_selectors(objects, workload)
    yield from _of_ports(objects, workload)
    yield from _of_volumes(objects)
    yield from _of_accounts(objects)
    yield from _of_the_certificate(objects, workload)
    yield from _of_the_route(objects)
    yield from _of_the_autoscaler(objects, workload)
    yield from _of_the_monitor(objects)
    yield from _of_egress(objects, workload, values)
    yield from _of_the_test(objects)
    yield from _of_the_target(objects, values)


def _matches(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    return selector["matchLabels"].items() <= labels.items()


def _of_selectors(objects: list[Document], workload: Document) -> Iterator[str]:
    template = workload["spec"]["template"]
    labels = template["metadata"]["labels"]
    for kind, field in (("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
        for one in documents.of_kind(objects, kind):
            if not _matches(one["spec"][field], labels):
                yield f"the {kind} does not find the pods"
    for spread in template["spec"].get("topologySpreadConstraints", []):
        if "labelSelector" not in spread or not _matches(spread["labelSelector"], labels):
            yield f"the spread over {spread['topologyKey']} does not count the pods"


def _of_ports(objects: list[Document], workload: Document) -> Iterator[str]:
    (relay,) = workload["spec"]["template"]["spec"]["containers"]
    names = {port["name"] for port in relay["ports"]}
    numbers = {port["containerPort"] for port in relay["ports"]}
    for service in documents.of_kind(objects, "Service"):
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in names:
                yield f"the Service {service['metadata']['name']} leads to a port that no container has"
    for policy in documents.of_kind(objects, "NetworkPolicy"):
        for rule in policy["spec"]["ingress"]:
            for port in rule["ports"]:
                if port["port"] not in numbers:
                    yield f"the NetworkPolicy lets in to port {port['port']}, which no container has"


def _of_volumes(objects: list[Document]) -> Iterator[str]:
    maps = {one["metadata"]["name"] for one in documents.of_kind(objects, "ConfigMap")}
    claimed = {claim["metadata"]["name"] for one in documents.of_kind(objects, "StatefulSet")
               for claim in one["spec"].get("volumeClaimTemplates", [])}
    for name, spec in documents.pods(objects):
        volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
        for volume in volumes.values():
            if "configMap" in volume and volume["configMap"]["name"] not in maps:
                yield f"{name} mounts a ConfigMap that is not there"
        for container in spec["containers"]:
            mounts = container.get("volumeMounts", [])
            for mount in mounts:
                if mount["name"] not in volumes.keys() | claimed:
                    yield f"{name} mounts {mount['name']}, which is no volume"
            for argument in container.get("args", []):
                for folder in re.findall(r"=(/(?:etc|var/lib)/\S+)/[^/]+$", argument):
                    if folder not in [mount["mountPath"] for mount in mounts]:
                        yield f"{name} is told of {folder}, which is not mounted"
                if "$" in argument.replace("$(POD_UID)", ""):
                    yield f"{name} has an argument in which the kubelet would replace something"


def _of_accounts(objects: list[Document]) -> Iterator[str]:
    accounts = [one["metadata"]["name"] for one in documents.of_kind(objects, "ServiceAccount")]
    for name, spec in documents.pods(objects):
        if accounts and spec["serviceAccountName"] not in accounts:
            yield f"{name} runs as a service account that is not there"


def _of_the_certificate(objects: list[Document], workload: Document) -> Iterator[str]:
    mounted = {volume["secret"]["secretName"]
               for volume in workload["spec"]["template"]["spec"].get("volumes", []) if "secret" in volume}
    for certificate in documents.of_kind(objects, "Certificate"):
        if certificate["spec"]["secretName"] not in mounted:
            yield "cert-manager writes a secret that the relay does not read"


def _of_the_route(objects: list[Document]) -> Iterator[str]:
    ports = {(service["metadata"]["name"], port["port"]) for service in documents.of_kind(objects, "Service")
             for port in service["spec"]["ports"]}
    for route in documents.of_kind(objects, "GRPCRoute"):
        for backend in route["spec"]["rules"][0]["backendRefs"]:
            if (backend["name"], backend["port"]) not in ports:
                yield f"the GRPCRoute leads to {backend['name']}:{backend['port']}, where no Service is"


def _of_the_autoscaler(objects: list[Document], workload: Document) -> Iterator[str]:
    for scaler in documents.of_kind(objects, "HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        if (target["kind"], target["name"]) != (workload["kind"], workload["metadata"]["name"]):
            yield "the HorizontalPodAutoscaler scales something else"


def _of_the_monitor(objects: list[Document]) -> Iterator[str]:
    for monitor in documents.of_kind(objects, "ServiceMonitor"):
        found = [service["spec"] for service in documents.of_kind(objects, "Service")
                 if _matches(monitor["spec"]["selector"], service["metadata"]["labels"])]
        ports = [port["name"] for service in found for port in service["ports"]]
        if ports != [endpoint["port"] for endpoint in monitor["spec"]["endpoints"]]:
            yield f"the ServiceMonitor finds the ports {ports}"
        if any(service["ipFamilyPolicy"] != "SingleStack" for service in found):
            yield "a relay with addresses of two families would be scraped twice"


def _of_egress(objects: list[Document], workload: Document, values: dict[str, Any]) -> Iterator[str]:
    given = values.get("networkPolicy", {}).get("egress", {})
    (relay,) = workload["spec"]["template"]["spec"]["containers"]
    store = next(argument for argument in relay["args"] if argument.startswith("--store="))
    etcd = {int(port) for port in re.findall(r":(\d+)(?=,|$)", store)} if "=etcd:" in store else set()
    etcd = set(given.get("etcdPorts", etcd)) if etcd else etcd
    dns = set(given.get("dnsPorts", [53]))
    for policy in documents.of_kind(objects, "NetworkPolicy"):
        rules = policy["spec"].get("egress", [])
        if rules and [{port["port"] for port in rule["ports"]} for rule in rules] != (
                [dns, etcd] if etcd else [dns]):
            yield f"the relay gets out to other ports than those of DNS and etcd, {dns} and {etcd}"


def _of_the_test(objects: list[Document]) -> Iterator[str]:
    """Whether `helm test` is let in to the public port, whoever else is."""
    for policy in documents.of_kind(objects, "NetworkPolicy"):
        peers = policy["spec"]["ingress"][0].get("from")
        for test in documents.of_kind(objects, "Pod"):
            labels = test["metadata"]["labels"]
            if peers and not any(_matches(peer["podSelector"], labels) for peer in peers
                                 if "namespaceSelector" not in peer and "podSelector" in peer):
                yield "the NetworkPolicy does not let the pod of `helm test` in"


def _of_the_target(objects: list[Document], values: dict[str, Any]) -> Iterator[str]:
    """Whether both sides of `helm test` call what was given, or else the clients' Service by its whole name."""
    domain = values.get("clusterDomain", "cluster.local")
    services = [f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.{domain}.:{port['port']}"
                for service in documents.of_kind(objects, "Service") if service["spec"].get("clusterIP") != "None"
                for port in service["spec"]["ports"]]
    given = values.get("tests", {}).get("rendezvous")
    for test in documents.of_kind(objects, "Pod"):
        for container in test["spec"]["containers"]:
            targets = [argument.removeprefix("--rendezvous=") for argument in container["args"]
                       if argument.startswith("--rendezvous=")]
            if targets != ([given] if given else services):
                yield f"`helm test` calls {targets} to {container['name']}, and should call {given or services}"


def _set_in(kind: str, path: str, value: Any, ending: str = "") -> Callable[[list[Document]], None]:
    """Sets something in the first object of a kind whose name has an ending."""
    return documents.setting(
        lambda objects: [one for one in documents.of_kind(objects, kind)
                         if one["metadata"]["name"].endswith(ending)][0], path, value)


_POD = "spec template spec"
_INSTANCE = "matchLabels app.kubernetes.io/instance"
# What is planted, in the rendering of which value set, and how.
PLANTED: list[tuple[str, str, Callable[[list[Document]], None]]] = [
    ("a budget of other pods", "etcd", _set_in("PodDisruptionBudget", f"spec selector {_INSTANCE}", "a")),
    ("a policy of other pods", "etcd", _set_in("NetworkPolicy", f"spec podSelector {_INSTANCE}", "a")),
    ("a spread of other pods", "etcd",
     _set_in("Deployment", f"{_POD} topologySpreadConstraints 0 labelSelector {_INSTANCE}", "a")),
    ("a Service of a port without a name", "etcd",
     _set_in("Service", "spec ports 0 targetPort", "rpc", "-metrics")),
    ("a policy for a port that nobody has", "no-metrics",
     _set_in("NetworkPolicy", "spec ingress 0 ports 0 port", 47182)),
    ("a flag file of others", "flags-numbers",
     _set_in("StatefulSet", f"{_POD} volumes 0 configMap name", "a")),
    ("a mount of no volume", "tls", _set_in("StatefulSet", f"{_POD} containers 0 volumeMounts 1 name", "a")),
    ("a file that is mounted elsewhere", "tls",
     _set_in("StatefulSet", f"{_POD} containers 0 volumeMounts 1 mountPath", "/etc/tls")),
    ("an argument with a dollar", "etcd",
     _set_in("Deployment", f"{_POD} containers 0 args 0", "--motd=$(HOME)")),
    ("an account of others", "etcd", _set_in("Deployment", f"{_POD} serviceAccountName", "a")),
    ("a test with an account of others", "etcd", _set_in("Pod", "spec serviceAccountName", "a")),
    ("a certificate in another secret", "tls-cert-manager",
     _set_in("Certificate", "spec secretName", "a")),
    ("a route to another port", "grpc-route",
     _set_in("GRPCRoute", "spec rules 0 backendRefs 0 port", 1)),
    ("an autoscaler of others", "autoscaling",
     _set_in("HorizontalPodAutoscaler", "spec scaleTargetRef name", "a")),
    ("a monitor of no Service", "service-monitor",
     _set_in("ServiceMonitor", "spec selector matchLabels wormhole-sync/port", "a")),
    ("a monitor of the clients' port", "service-monitor",
     _set_in("ServiceMonitor", "spec endpoints 0 port", "grpc")),
    ("metrics of two families", "service-monitor",
     _set_in("Service", "spec ipFamilyPolicy", "PreferDualStack", "-metrics")),
    ("another port of etcd's", "network-policy-egress",
     _set_in("NetworkPolicy", "spec egress 1 ports 0 port", 2380)),
    ("another port of DNS", "network-policy-egress-ports",
     _set_in("NetworkPolicy", "spec egress 0 ports 0 port", 53)),
    ("a test that is kept out", "network-policy-ingress",
     _set_in("NetworkPolicy", "spec ingress 0 from", [{"ipBlock": {"cidr": "192.0.2.0/24"}}])),
    ("a test that calls another port", "service-port", _set_in("Service", "spec ports 0 port", 47180)),
    ("a test that calls another name", "cluster-domain", _set_in("Service", "metadata name", "relay")),
    ("a test whose other side calls nobody", "sqlite", _set_in("Pod", "spec containers 1 args", ["receive"])),
    ("a test that calls the Service in spite of a name", "test-from-outside",
     _set_in("Pod", "spec containers 0 args",
             ["--rendezvous=test-from-outside-wormhole-relay.test-from-outside.svc.cluster.local.:47180"])),
]
