"""Containers of an unpacked image, by runc, as a cluster runs them: nothing is theirs but what they were given."""

import copy
import json
import os
import pathlib
import subprocess
import sys
import time
from typing import Any, Callable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import seccomp

MEMORY = 128 << 20
USER = 65532
_DEADLINE = 60  # seconds; what takes so long does not come any more
_CAPABILITY_SETS = ("bounding", "effective", "inheritable", "permitted", "ambient")


def await_condition(what: str, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + _DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come within {_DEADLINE} s")
        time.sleep(0.01)


def confined(config: dict[str, Any], network: str) -> dict[str, Any]:
    """The image's own configuration, as umoci wrote it, with all that a cluster may take away taken away."""
    config = copy.deepcopy(config)
    config["process"] |= {
        "terminal": False,
        "user": {"uid": USER, "gid": USER},
        "capabilities": {kind: [] for kind in _CAPABILITY_SETS},
        "noNewPrivileges": True,
    }
    config["root"]["readonly"] = True
    # Volumes are the caller's; the control groups are nobody's here.
    config["mounts"] = [mount for mount in config["mounts"]
                        if mount["destination"] not in ("/var/lib/wormhole", "/sys/fs/cgroup")]
    config["linux"]["resources"]["memory"] = {"limit": MEMORY}
    config["linux"]["seccomp"] = seccomp.default_rules(set())
    for namespace in config["linux"]["namespaces"]:
        if namespace["type"] == "network":
            namespace["path"] = network
    return config


def loose(config: dict[str, Any]) -> dict[str, Any]:
    """One that a cluster would refuse: it has what `confined` takes away."""
    config = copy.deepcopy(config)
    everything = ["CAP_CHOWN", "CAP_NET_BIND_SERVICE"]
    config["process"] |= {"user": {"uid": 0, "gid": 0}, "noNewPrivileges": False,
                          "capabilities": {kind: everything for kind in _CAPABILITY_SETS}}
    config["root"]["readonly"] = False
    config["linux"]["namespaces"] = [one for one in config["linux"]["namespaces"] if one["type"] != "network"]
    del config["linux"]["resources"]["memory"], config["linux"]["seccomp"]
    return config


class Container:
    """Started when made; whoever makes it ends it."""

    def __init__(self, folder: pathlib.Path, name: str, config: dict[str, Any], arguments: list[str],
                 volume: pathlib.Path | None = None) -> None:
        """Arguments behind the image's entry point, or in its place if they begin with a path."""
        config = copy.deepcopy(config)
        replaces = bool(arguments) and arguments[0].startswith("/")
        config["process"]["args"] = ([] if replaces else config["process"]["args"]) + arguments
        if volume is not None:
            config["mounts"].append({"destination": "/var/lib/wormhole", "type": "bind", "source": str(volume),
                                     "options": ["bind", "rw", "nosuid", "nodev", "noexec"]})
        # A group's name is seen by all of the machine.
        config["linux"]["cgroupsPath"] = f"/wormhole-image-{os.environ['WORMHOLE_IMAGE_RUN']}-{name}"
        self._runc = ["runc", "--root", str(folder / "runc")]
        self._name = name
        bundle = folder / name
        bundle.mkdir()
        (bundle / "config.json").write_text(json.dumps(config), encoding="utf-8")
        self._files = {stream: bundle / stream for stream in ("stdout", "stderr")}
        pid_file = bundle / "pid"
        with open(self._files["stdout"], "wb") as stdout, open(self._files["stderr"], "wb") as stderr:
            self._process = subprocess.Popen(
                [*self._runc, "run", "--bundle", bundle, "--pid-file", pid_file, name],
                stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)
        await_condition(f"the process of {name}",
                        lambda: self._process.poll() is not None or (pid_file.exists() and bool(pid_file.read_text())))
        self.pid = int(pid_file.read_text()) if pid_file.exists() else 0

    def said(self, stream: str) -> str:
        return self._files[stream].read_text(encoding="utf-8")

    def await_line(self, stream: str, part: str) -> str:
        """The first line that has it. An error if the container ends before."""
        def lines() -> list[str]:
            return [line for line in self.said(stream).splitlines(keepends=True) if part in line and line[-1] == "\n"]
        await_condition(f"'{part}' of {self._name}", lambda: bool(lines()) or self._process.poll() is not None)
        found = lines()
        if not found:
            raise RuntimeError(f"{self._name} ended with {self._process.returncode}: {self.said('stderr')}")
        return found[0].strip()

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self) -> int:
        return self._process.wait(_DEADLINE)

    def end(self) -> None:
        if self._process.poll() is None:
            subprocess.run([*self._runc, "delete", "--force", self._name], check=False, capture_output=True)
            self._process.wait(_DEADLINE)


def _memory_group(pid: int) -> pathlib.Path:
    top = pathlib.Path("/sys/fs/cgroup")
    for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8").splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return top / "memory" / path.lstrip("/")
        if not controllers and (top / "cgroup.controllers").exists():
            return top / path.lstrip("/")
    raise RuntimeError(f"the process {pid} is in no group for memory")


def memory(pid: int, *names: str) -> int:
    """One value of the process's group, which has another name in each version of groups."""
    for name in names:
        file = _memory_group(pid) / name
        if file.exists():
            text = file.read_text(encoding="utf-8").strip()
            return 1 << 62 if text == "max" else int(text)
    raise RuntimeError(f"{_memory_group(pid)} has none of {', '.join(names)}")


def check_confined(pid: int) -> list[str]:
    """What a running process has that it should not have, a line each, by what the kernel says of it."""
    status = dict(line.split(":\t", 1) for line in
                  pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines() if ":\t" in line)
    wrong = [f"{name} is {status[name].split()}" for name in ("Uid", "Gid") if set(status[name].split()) != {str(USER)}]
    wrong += [f"{name} is {status[name]}" for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
              if int(status[name], 16)]
    if status["NoNewPrivs"].strip() != "1":
        wrong.append("it may gain privileges")
    if status["Seccomp"].strip() != "2":
        wrong.append("all system calls are allowed")
    mounts = pathlib.Path(f"/proc/{pid}/mountinfo").read_text(encoding="utf-8").splitlines()
    root = [line.split()[5].split(",") for line in mounts if line.split()[4] == "/"]
    if "ro" not in root[-1]:
        wrong.append("its root can be written to")
    limit = memory(pid, "memory.limit_in_bytes", "memory.max")
    if limit != MEMORY:
        wrong.append(f"its memory ends at {limit} bytes")
    if os.readlink(f"/proc/{pid}/ns/net") == os.readlink("/proc/self/ns/net"):
        wrong.append("it is in our network")
    return wrong
