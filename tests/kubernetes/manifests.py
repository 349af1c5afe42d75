"""What rendered manifests say, as far as a kubelet and the controllers obey it.

Every field is obeyed, or named here as one that changes nothing in a rehearsal, or an error: a chart that
begins to use something new is not rehearsed as if it had not. Defaults are those of Kubernetes' API.
"""

import base64
import dataclasses
import hashlib
import json
import math
from typing import Any

import yaml

from fields import Fields, ManifestError


@dataclasses.dataclass(frozen=True)
class Probe:
    """A native gRPC probe."""

    port: int
    service: str
    initial_delay: float
    period: float
    timeout: float
    success: int
    failure: int


@dataclasses.dataclass(frozen=True)
class Mount:
    volume: str
    path: str
    read_only: bool


@dataclasses.dataclass(frozen=True)
class Volume:
    """A source of files: a `kind`, and the `name` of the object if it has one."""

    name: str
    kind: str  # configMap, secret, emptyDir, claim
    source: str
    optional: bool = False
    mode: int = 0o644
    items: tuple[tuple[str, str], ...] = ()  # key, path; empty: all keys


@dataclasses.dataclass(frozen=True)
class Container:
    name: str
    args: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    ports: dict[str, int]
    mounts: tuple[Mount, ...]
    startup: Probe | None
    liveness: Probe | None
    readiness: Probe | None
    pre_stop_sleep: float
    memory_limit: int | None
    user: int | None  # None: the image's
    group: int | None
    read_only_root: bool
    default_seccomp: bool


@dataclasses.dataclass(frozen=True)
class PodTemplate:
    labels: dict[str, str]
    container: Container
    volumes: tuple[Volume, ...]
    grace: float
    fs_group: int | None
    revision: str  # the same for the same template


@dataclasses.dataclass(frozen=True)
class Workload:
    """A Deployment or a StatefulSet."""

    name: str
    replicas: int
    template: PodTemplate
    selector: dict[str, str]
    min_ready: float


@dataclasses.dataclass(frozen=True)
class Deployment(Workload):
    max_surge: int | str
    max_unavailable: int | str

    def surge(self) -> int:
        return _share(self.max_surge, self.replicas, up=True)

    def unavailable(self) -> int:
        """Kubernetes takes one when both would be none, or nothing could ever go on."""
        unavailable = _share(self.max_unavailable, self.replicas, up=False)
        return 1 if unavailable == 0 and self.surge() == 0 else unavailable


@dataclasses.dataclass(frozen=True)
class StatefulSet(Workload):
    ordered: bool  # a pod that is not ready holds up all others


@dataclasses.dataclass(frozen=True)
class Service:
    name: str
    headless: bool
    ports: dict[int, str | int]  # the Service's own, and what it leads to: a container port or its name
    selector: dict[str, str]
    not_ready_too: bool


@dataclasses.dataclass(frozen=True)
class Budget:
    name: str
    selector: dict[str, str]
    max_unavailable: int | str | None
    min_available: int | str | None
    always_allow: bool  # pods that are not ready may always be evicted

    def least_healthy(self, expected: int) -> int:
        """How many pods of `expected` have to stay ready."""
        if self.max_unavailable is not None:
            return max(0, expected - _share(self.max_unavailable, expected, up=True))
        return _share(self.min_available or 0, expected, up=True)


@dataclasses.dataclass(frozen=True)
class Manifests:
    namespace: str
    deployments: dict[str, Deployment]
    stateful_sets: dict[str, StatefulSet]
    services: dict[str, Service]
    files: dict[tuple[str, str], dict[str, bytes]]  # of (configMap or secret, name)
    budgets: dict[str, Budget]


def _share(value: int | str, of: int, up: bool) -> int:
    if isinstance(value, int):
        return value
    if not value.endswith("%") or not value[:-1].isdigit():
        raise ManifestError(f"{value!r} is neither a number nor a percentage")
    exact = int(value[:-1]) * of / 100
    return math.ceil(exact) if up else math.floor(exact)


_FACTORS = {"": 1, "k": 1000, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def memory(text: str | int) -> int:
    """Bytes of a quantity such as 128Mi."""
    text = str(text)
    digits = text.rstrip("kKMGi")
    factor = _FACTORS.get(text[len(digits):])
    if not digits.isdigit() or factor is None:
        raise ManifestError(f"memory: {text!r} is no quantity of bytes that is known here")
    return int(digits) * factor


# What a rehearsal has no part in: who may do what, what is watched, and how the cluster is asked for it.
_NOT_REHEARSED = {
    "Namespace", "ServiceAccount", "NetworkPolicy", "ServiceMonitor", "PrometheusRule",
    "HTTPRoute", "GRPCRoute", "Certificate",
}


def read(text: str) -> Manifests:
    """All documents of a rendered chart; pods of Helm's hooks are the chart's tests."""
    manifests = Manifests("", {}, {}, {}, {}, {})
    namespaces = set()
    for document in yaml.safe_load_all(text):
        if document is None:
            continue
        fields = Fields(document, "document")
        kind = fields.take("kind", str)
        fields.ignore("apiVersion", "status")
        meta = fields.sub("metadata")
        name = meta.take("name", str)
        annotations = meta.maybe("annotations") or {}
        namespace = meta.maybe("namespace")
        if namespace:
            namespaces.add(namespace)
        fields.where = f"{kind} {name}"
        if kind in _NOT_REHEARSED or "helm.sh/hook" in annotations:
            continue
        _read_object(kind, name, fields, manifests)
    if len(namespaces) > 1:
        raise ManifestError(f"objects of several namespaces: {sorted(namespaces)}")
    return dataclasses.replace(manifests, namespace=namespaces.pop() if namespaces else "default")


def _read_object(kind: str, name: str, fields: Fields, into: Manifests) -> None:
    if kind == "ConfigMap":
        into.files["configMap", name] = {k: v.encode() for k, v in (fields.maybe("data") or {}).items()}
        fields.ignore("immutable")
    elif kind == "Secret":
        files = {k: base64.b64decode(v) for k, v in (fields.maybe("data") or {}).items()}
        files |= {k: v.encode() for k, v in (fields.maybe("stringData") or {}).items()}
        into.files["secret", name] = files
        fields.ignore("immutable", "type")
    else:
        spec = fields.sub("spec")
        match kind:
            case "Deployment":
                into.deployments[name] = _deployment(name, spec)
            case "StatefulSet":
                into.stateful_sets[name] = _stateful_set(name, spec)
            case "Service":
                into.services[name] = _service(name, spec)
            case "PodDisruptionBudget":
                into.budgets[name] = _budget(name, spec)
            case _:
                raise ManifestError(f"{kind} {name}: nobody here knows objects of this kind")
        spec.done()
    fields.done()


def _labels(fields: Fields) -> dict[str, str]:
    selector = fields.sub("selector")
    labels = selector.take("matchLabels", dict)
    selector.done()
    return labels


def _deployment(name: str, spec: Fields) -> Deployment:
    strategy = spec.sub("strategy")
    strategy.expect("type", "RollingUpdate", None)
    rolling = strategy.sub("rollingUpdate")
    surge, unavailable = rolling.maybe("maxSurge"), rolling.maybe("maxUnavailable")
    rolling.done()
    strategy.done()
    spec.ignore("revisionHistoryLimit", "progressDeadlineSeconds")  # the latter is only told
    return Deployment(
        name=name, replicas=spec.take("replicas", int, 1), template=_template(spec.sub("template")),
        selector=_labels(spec), min_ready=float(spec.take("minReadySeconds", int, 0)),
        max_surge="25%" if surge is None else surge,
        max_unavailable="25%" if unavailable is None else unavailable)


def _stateful_set(name: str, spec: Fields) -> StatefulSet:
    strategy = spec.sub("updateStrategy")
    strategy.expect("type", "RollingUpdate", None)
    strategy.done()
    policy = spec.take("podManagementPolicy", str, "OrderedReady")
    if policy not in ("OrderedReady", "Parallel"):
        raise ManifestError(f"{spec.where}.podManagementPolicy: {policy} is not known here")
    spec.ignore("revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy", "serviceName")
    claims = []
    for claim in spec.subs("volumeClaimTemplates"):
        claims.append(claim.sub("metadata").take("name", str))
        claim.ignore("spec", "apiVersion", "kind")
        claim.done()
    return StatefulSet(
        name=name, replicas=spec.take("replicas", int, 1),
        template=_template(spec.sub("template"), claims),
        selector=_labels(spec), min_ready=float(spec.take("minReadySeconds", int, 0)),
        ordered=policy == "OrderedReady")


def _service(name: str, spec: Fields) -> Service:
    spec.expect("type", "ClusterIP", None)
    # One stack, since this cluster has one; who may come from where is nothing that one node has.
    spec.ignore("ipFamilyPolicy", "ipFamilies", "internalTrafficPolicy")
    address = spec.maybe("clusterIP")
    if address not in (None, "None"):
        raise ManifestError(f"{spec.where}.clusterIP: {address!r} is not given out here")
    ports = {}
    for port in spec.subs("ports"):
        number = port.take("port", int)
        target = port.maybe("targetPort")
        ports[number] = number if target is None else target
        port.expect("protocol", "TCP", None)
        port.ignore("name", "appProtocol")
        port.done()
    return Service(name, address == "None", ports, spec.take("selector", dict),
                   spec.take("publishNotReadyAddresses", bool, False))


def _budget(name: str, spec: Fields) -> Budget:
    policy = spec.take("unhealthyPodEvictionPolicy", str, "IfHealthyBudget")
    return Budget(name, _labels(spec), spec.maybe("maxUnavailable"), spec.maybe("minAvailable"),
                  policy == "AlwaysAllow")


def _template(template: Fields, claims: list[str] | None = None) -> PodTemplate:
    meta = template.sub("metadata")
    labels, annotations = meta.take("labels", dict), meta.maybe("annotations") or {}
    meta.done()
    spec = template.sub("spec")
    template.done()
    everything = json.dumps([labels, annotations, spec.maybe_all()], sort_keys=True)
    # Where a pod may run: any node will do here, as long as nothing forbids one.
    for constraint in spec.subs("topologySpreadConstraints"):
        constraint.expect("whenUnsatisfiable", "ScheduleAnyway")
        constraint.ignore("topologyKey", "maxSkew", "labelSelector", "matchLabelKeys")
        constraint.done()
    spec.ignore("serviceAccountName", "automountServiceAccountToken", "imagePullSecrets", "hostUsers",
                "enableServiceLinks", "dnsPolicy", "restartPolicy", "priorityClassName")
    security = spec.sub("securityContext")
    fs_group = security.maybe("fsGroup")
    security.ignore("fsGroupChangePolicy")
    volumes = [_volume(volume) for volume in spec.subs("volumes")]
    volumes += [Volume(name, "claim", name) for name in claims or []]
    containers = spec.subs("containers")
    if len(containers) != 1:
        raise ManifestError(f"{spec.where}: one container is known here, not {len(containers)}")
    container = _container(containers[0], security)
    grace = float(spec.take("terminationGracePeriodSeconds", int, 30))
    spec.done()
    revision = hashlib.sha256(everything.encode()).hexdigest()[:10]
    return PodTemplate(labels, container, tuple(volumes), grace, fs_group, revision)


def _volume(volume: Fields) -> Volume:
    name = volume.take("name", str)
    found = None
    for kind, key in (("configMap", "name"), ("secret", "secretName")):
        source = volume.sub(kind)
        if not source.empty():
            items = tuple((i.take("key", str), i.take("path", str)) for i in source.subs("items"))
            found = Volume(name, kind, source.take(key, str), source.take("optional", bool, False),
                           source.take("defaultMode", int, 0o644), items)
            source.done()
    if volume.maybe("emptyDir") is not None:
        found = Volume(name, "emptyDir", "")
    volume.done()
    if found is None:
        raise ManifestError(f"{volume.where}: a volume of a kind that is not known here")
    return found


def _container(fields: Fields, pod: Fields) -> Container:
    name = fields.take("name", str)
    fields.where = f"container {name}"
    fields.ignore("image", "imagePullPolicy", "terminationMessagePolicy")
    security = fields.sub("securityContext")
    fields_of_both = _both(security, pod)
    security.expect("allowPrivilegeEscalation", False)
    capabilities = security.sub("capabilities")
    if capabilities.take("drop", list, []) != ["ALL"]:
        raise ManifestError(f"{fields.where}: capabilities are not dropped, and none are given here")
    capabilities.done()
    read_only = security.take("readOnlyRootFilesystem", bool, False)
    security.done()
    resources = fields.sub("resources")
    resources.ignore("requests")  # one node has room for all
    limits = resources.sub("limits")
    limit = limits.maybe("memory")
    limits.done()
    resources.done()
    pre_stop = fields.sub("lifecycle").only("preStop").only("sleep")
    ports = {}
    for port in fields.subs("ports"):
        ports[port.take("name", str)] = port.take("containerPort", int)
        port.expect("protocol", "TCP", None)
        port.done()
    probes = {kind: _probe(fields.sub(f"{kind}Probe"), ports) for kind in ("startup", "liveness", "readiness")}
    result = Container(
        name=name, args=tuple(fields.take("args", list, [])), env=_environment(fields), ports=ports,
        mounts=tuple(_mounts(fields)), **probes,
        pre_stop_sleep=0.0 if pre_stop.empty() else float(pre_stop.take("seconds", int)),
        memory_limit=None if limit is None else memory(limit), read_only_root=read_only, **fields_of_both)
    pre_stop.done()
    fields.done()
    return result


def _both(container: Fields, pod: Fields) -> dict[str, Any]:
    """What may stand in the pod's securityContext or in the container's, which wins."""

    def either(name: str) -> Any:
        own, all_of_them = container.maybe(name), pod.maybe(name)
        return all_of_them if own is None else own

    if either("runAsNonRoot") is not True:
        raise ManifestError(f"{container.where}: runAsNonRoot has to be true")
    seccomp = Fields(either("seccompProfile") or {}, f"{container.where}.seccompProfile")
    profile = seccomp.take("type", str, "Unconfined")
    seccomp.done()
    if profile not in ("RuntimeDefault", "Unconfined"):
        raise ManifestError(f"{seccomp.where}: {profile} is not known here")
    user, group = either("runAsUser"), either("runAsGroup")
    pod.done()
    return {"user": user, "group": group, "default_seccomp": profile == "RuntimeDefault"}


def _environment(fields: Fields) -> tuple[tuple[str, str], ...]:
    result = []
    for variable in fields.subs("env"):
        result.append((variable.take("name", str), variable.take("value", str)))
        variable.done()
    return tuple(result)


def _mounts(fields: Fields) -> list[Mount]:
    result = []
    for mount in fields.subs("volumeMounts"):
        result.append(Mount(mount.take("name", str), mount.take("mountPath", str),
                            mount.take("readOnly", bool, False)))
        mount.done()
    return result


def _probe(fields: Fields, ports: dict[str, int]) -> Probe | None:
    if fields.empty():
        return None
    grpc = fields.sub("grpc")
    port = grpc.maybe("port")
    if port not in ports.values():
        raise ManifestError(f"{fields.where}.grpc.port: {port!r} is no port of the container")
    service = grpc.take("service", str, "")
    grpc.done()
    probe = Probe(port, service, float(fields.take("initialDelaySeconds", int, 0)),
                  float(fields.take("periodSeconds", int, 10)), float(fields.take("timeoutSeconds", int, 1)),
                  fields.take("successThreshold", int, 1), fields.take("failureThreshold", int, 3))
    fields.done()
    return probe
