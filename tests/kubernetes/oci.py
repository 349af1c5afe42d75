"""A container's runtime configuration: the image's, the manifest's, and what every container gets."""

import dataclasses
import json
import pathlib
import sys
from typing import Any

from manifests import Container

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import seccomp


@dataclasses.dataclass(frozen=True)
class Image:
    """An unpacked image: the folder that `umoci unpack` has made."""

    folder: pathlib.Path

    def rootfs(self) -> pathlib.Path:
        return self.folder / "rootfs"

    def process(self) -> dict[str, Any]:
        return json.loads((self.folder / "config.json").read_text())["process"]


@dataclasses.dataclass(frozen=True)
class Bind:
    source: pathlib.Path
    target: str
    read_only: bool


def _mount(target: str, kind: str, *options: str) -> dict[str, Any]:
    return {"destination": target, "type": kind, "source": kind, "options": list(options)}


_MOUNTS = [
    _mount("/proc", "proc", "nosuid", "noexec", "nodev"),
    _mount("/dev", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
    _mount("/dev/pts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"),
    _mount("/dev/shm", "tmpfs", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
    _mount("/dev/mqueue", "mqueue", "nosuid", "noexec", "nodev"),
    _mount("/sys", "sysfs", "nosuid", "noexec", "nodev", "ro"),
]


def config(image: Image, container: Container, hostname: str, network: str, cgroup: str, fs_group: int | None,
           binds: list[Bind]) -> dict[str, Any]:
    process = image.process()
    user = dict(process["user"])
    if container.user is not None:
        user["uid"] = container.user
    if container.group is not None:
        user["gid"] = container.group
    if fs_group is not None:
        user["additionalGids"] = [fs_group]
    set_here = dict(container.env) | {"HOSTNAME": hostname}
    environment = [one for one in process["env"] if one.split("=")[0] not in set_here]
    no_capabilities = {kind: [] for kind in ("bounding", "effective", "permitted", "inheritable", "ambient")}
    linux: dict[str, Any] = {
        "cgroupsPath": cgroup,
        "namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]
                      + [{"type": "network", "path": network}],
        "resources": {"devices": [{"allow": False, "access": "rwm"}]},
        "maskedPaths": ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
                        "/proc/sched_debug", "/sys/firmware", "/proc/scsi"],
        "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    }
    if container.memory_limit is not None:
        linux["resources"]["memory"] = {"limit": container.memory_limit}
    if container.default_seccomp:
        linux["seccomp"] = seccomp.default_rules(set())
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": user, "args": _entry_point(process) + list(container.args),
            "env": environment + [f"{name}={value}" for name, value in set_here.items()],
            "cwd": process.get("cwd", "/"), "capabilities": no_capabilities, "noNewPrivileges": True,
        },
        "root": {"path": str(image.rootfs()), "readonly": container.read_only_root},
        "hostname": hostname,
        "mounts": _MOUNTS + [
            {"destination": bind.target, "type": "bind", "source": str(bind.source),
             "options": ["rbind", "ro" if bind.read_only else "rw"]} for bind in binds],
        "linux": linux,
    }


def _entry_point(process: dict[str, Any]) -> list[str]:
    return list(process["args"][:1])
