"""The Pod Security Standard "restricted", by its own list of controls.

Baseline's controls come first, since restricted has all of them; the order and the names are the
standard's (https://kubernetes.io/docs/concepts/security/pod-security-standards/).
"""

from __future__ import annotations

from typing import Any, Iterator

Spec = dict[str, Any]

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim",
           "projected", "secret"}
SYSCTLS = {"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range",
           "net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_syncookies",
           "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
           "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout",
           "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"}
SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
PROFILES = {"RuntimeDefault", "Localhost"}
HANDLERS = ("livenessProbe", "readinessProbe", "startupProbe")


def containers(spec: Spec) -> Iterator[Spec]:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(kind) or []


def problems(spec: Spec) -> list[str]:
    """What of the standard a pod's spec breaks; nothing if it is restricted."""
    found = [f"the pod: {what}" for what in _of_the_pod(spec)]
    for container in containers(spec):
        found += [f"container {container['name']}: {what}"
                  for what in _of_a_container(container, spec.get("securityContext") or {})]
    return found


def _of_the_pod(spec: Spec) -> Iterator[str]:
    context = spec.get("securityContext") or {}
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key):
            yield f"Host Namespaces: {key}"
    for volume in spec.get("volumes") or []:
        kinds = set(volume) - {"name"}
        if "hostPath" in kinds:
            yield f"HostPath Volumes: {volume['name']}"
        if not kinds or kinds - VOLUMES:
            yield f"Volume Types: {volume['name']} is {sorted(kinds)}"
    for sysctl in context.get("sysctls") or []:
        if sysctl["name"] not in SYSCTLS:
            yield f"Sysctls: {sysctl['name']}"
    yield from _of_a_context(context)


def _of_a_context(context: Spec) -> Iterator[str]:
    """What neither a pod nor a container may set."""
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield "HostProcess"
    if context.get("appArmorProfile", {}).get("type", "RuntimeDefault") not in PROFILES:
        yield "AppArmor"
    selinux = context.get("seLinuxOptions") or {}
    if selinux.get("type", "") not in SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
        yield "SELinux"
    if context.get("seccompProfile", {}).get("type", "RuntimeDefault") not in PROFILES:
        yield "Seccomp"
    if context.get("runAsNonRoot") is False:
        yield "Running as Non-root"
    if context.get("runAsUser") == 0:
        yield "Running as Non-root user"


def _of_a_container(container: Spec, pod: Spec) -> Iterator[str]:
    context = container.get("securityContext") or {}
    yield from _of_a_context(context)
    if context.get("privileged"):
        yield "Privileged Containers"
    if context.get("procMount", "Default") != "Default":
        yield "/proc Mount Type"
    if any(port.get("hostPort") for port in container.get("ports") or []):
        yield "Host Ports"
    if any(_names_a_host(handler) for handler in _handlers(container)):
        yield "Host Probes / Lifecycle Hooks"
    if context.get("allowPrivilegeEscalation") is not False:
        yield "Privilege Escalation"
    capabilities = context.get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or []):
        yield "Capabilities: not all are dropped"
    if set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"}:
        yield "Capabilities: some are added"
    if not (context.get("runAsNonRoot") or pod.get("runAsNonRoot")):
        yield "Running as Non-root: not said"
    if not (context.get("seccompProfile") or pod.get("seccompProfile")):
        yield "Seccomp: not said"


def _handlers(container: Spec) -> Iterator[Spec]:
    for name in HANDLERS:
        yield container.get(name) or {}
    yield from (container.get("lifecycle") or {}).values()


def _names_a_host(handler: Spec) -> bool:
    return any((handler.get(how) or {}).get("host") for how in ("httpGet", "tcpSocket"))
