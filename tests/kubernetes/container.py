"""A container that runs, by runc."""

import asyncio
import json
import os
import pathlib
import signal
from typing import Any

import own_world


class Container:
    """Ends with the rehearsal's world at the latest."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, pid: int) -> None:
        self.name = name
        self._process = process
        self.pid = pid  # of the container's first process

    @staticmethod
    async def start(name: str, config: dict[str, Any], log: pathlib.Path) -> "Container":
        """What it writes goes to the end of `log`."""
        bundle = own_world.SCRATCH / "bundles" / name
        bundle.mkdir(parents=True)
        (bundle / "config.json").write_text(json.dumps(config))
        pid_file = bundle / "pid"
        with open(log, "ab") as output:
            process = await asyncio.create_subprocess_exec(
                "runc", "--root", str(own_world.SCRATCH / "runc"), "run", "--bundle", str(bundle),
                "--pid-file", str(pid_file), name, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output)
        while process.returncode is None and not (pid_file.exists() and pid_file.read_text()):
            await asyncio.sleep(0.01)
        if process.returncode is not None and not pid_file.exists():
            raise RuntimeError(f"runc did not start {name}: {log.read_text(errors='replace')[-2000:]}")
        return Container(name, process, int(pid_file.read_text()))

    def signal(self, number: signal.Signals) -> None:
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            pass  # it has just ended by itself

    async def wait(self) -> int:
        """Its exit code, as a shell would say it: 137 for SIGKILL."""
        return await self._process.wait()

    def memory_cgroup(self) -> pathlib.Path:
        top = pathlib.Path("/sys/fs/cgroup")
        for line in pathlib.Path(f"/proc/{self.pid}/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if "memory" in controllers.split(","):
                return top / "memory" / path.lstrip("/")
            if controllers == "" and (top / "cgroup.controllers").exists():
                return top / path.lstrip("/")
        raise RuntimeError(f"{self.name} is in no cgroup for memory")
