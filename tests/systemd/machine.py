"""A machine whose first process is systemd: a container of runc on a base that it cannot change."""

import json
import os
import pathlib
import shutil
import subprocess
import time
from collections.abc import Callable
from typing import Any

# A mount point that each Debian has; this process has a mount namespace of its own.
SCRATCH = pathlib.Path("/mnt")
# What systemd needs to set up the sandboxes of units, and nothing that reaches beyond the container:
# neither modules nor clocks.
CAPABILITIES = ("AUDIT_WRITE CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK KILL LEASE MKNOD NET_ADMIN "
                "NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_ADMIN SYS_CHROOT SYS_NICE "
                "SYS_PTRACE").split()


class Failed(Exception):
    """What did not happen."""


def wait_for(what: str, condition: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"after {seconds:.0f} s still not: {what}")
        time.sleep(0.05)


def mount(kind: str, folder: pathlib.Path, options: str) -> None:
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", kind, kind, "-o", options, str(folder)], check=True)


def place(destination: str, kind: str, *options: str) -> dict[str, Any]:
    return {"destination": destination, "type": kind, "source": kind, "options": list(options)}


def configuration(cgroup: str) -> dict[str, Any]:
    """runc's config.json."""
    capabilities = ["CAP_" + name for name in CAPABILITIES]
    return {
        "ociVersion": "1.0.2",
        "hostname": "relay-host",
        "root": {"path": "rootfs"},
        "process": {
            "args": ["/lib/systemd/systemd"],
            "cwd": "/",
            "env": ["container=runc", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "user": {"uid": 0, "gid": 0},
            "capabilities": {name: capabilities for name in ("bounding", "effective", "permitted")},
        },
        "mounts": [
            place("/proc", "proc"),
            place("/dev", "tmpfs", "nosuid", "mode=755"),
            place("/dev/pts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666"),
            place("/dev/shm", "tmpfs", "nosuid", "nodev"),
            place("/sys", "sysfs", "nosuid", "noexec", "nodev", "ro"),
            # The machine's own kind, version 1 or 2, in a namespace of its own.
            place("/sys/fs/cgroup", "cgroup", "nosuid", "noexec", "nodev", "rw"),
            place("/run", "tmpfs", "mode=755"),
            place("/tmp", "tmpfs"),
        ],
        "linux": {
            "cgroupsPath": "/" + cgroup,
            "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount", "cgroup")],
            "resources": {"devices": [{"allow": True, "access": "rwm"}]},
            "readonlyPaths": ["/proc/sys"],
        },
    }


class Machine:
    """It runs inside the `with`, its processes in control groups of that name."""

    def __init__(self, base: pathlib.Path, cgroup: str) -> None:
        self._base = base
        self._cgroup = cgroup
        self.root = SCRATCH / "bundle" / "rootfs"

    def __enter__(self) -> "Machine":
        mount("tmpfs", SCRATCH, "mode=755")
        self.root.parent.mkdir()
        for folder in ("upper", "work"):
            (SCRATCH / folder).mkdir()
        mount("overlay", self.root, f"lowerdir={self._base},upperdir={SCRATCH}/upper,workdir={SCRATCH}/work")
        config = self.root.parent / "config.json"
        config.write_text(json.dumps(configuration(self._cgroup)), encoding="ascii")
        began = time.monotonic()
        self._runc("run", "--detach", "--bundle", str(self.root.parent), "machine", check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            wait_for("systemd has come up", self._is_up)
        except BaseException:
            self.__exit__()
            raise
        print(f"systemd is up after {time.monotonic() - began:.1f} s", flush=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._runc("delete", "--force", "machine", check=False)

    def _is_up(self) -> bool:
        return self.run("systemctl", "is-system-running", check=False).strip() in ("running", "degraded")

    def _runc(self, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(["runc", "--root", str(SCRATCH / "runc"), *arguments], text=True, **options)

    def run(self, *command: str, check: bool = True) -> str:
        """What the command prints, on either output."""
        done = self._runc("exec", "machine", *command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, timeout=60)
        if check and done.returncode != 0:
            raise Failed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def succeeds(self, *command: str) -> bool:
        return self._runc("exec", "machine", *command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False, timeout=60).returncode == 0

    def start(self, *command: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(["runc", "--root", str(SCRATCH / "runc"), "exec", "machine", *command],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def put(self, source: pathlib.Path, target: str, mode: int = 0o644, group: int = 0) -> None:
        """A file of the machine's disk, replaced as a whole."""
        place_of = self.root / target.lstrip("/")
        place_of.parent.mkdir(parents=True, exist_ok=True)
        part = place_of.with_name(place_of.name + ".part")
        shutil.copyfile(source, part)
        os.chown(part, 0, group)
        part.chmod(mode)
        part.rename(place_of)

    def write(self, target: str, text: str, mode: int = 0o644, group: int = 0) -> None:
        file = SCRATCH / "text"
        file.write_text(text, encoding="utf-8")
        self.put(file, target, mode, group)
