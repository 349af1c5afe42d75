"""An etcd in the cluster: one node, with an address and a name as a pod has them."""

import asyncio
import shutil

import own_world
from cluster import Cluster
from network import Sandbox

PORT = 2379


class Etcd:
    """Its data outlive its process, as on a volume."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._data = own_world.SCRATCH / "etcd"
        self._process: asyncio.subprocess.Process | None = None
        self._sandbox: Sandbox | None = None
        self._started = 0
        self.host = cluster.host("etcd-0.etcd")

    @property
    def endpoint(self) -> str:
        return f"{self.host}:{PORT}"

    async def start(self) -> None:
        """Under an address that nobody had, and the name that it always has."""
        self._started += 1
        self._sandbox = self._cluster.network.add(f"etcd-{self._started}")
        address = self._sandbox.address
        with open(own_world.SCRATCH / "etcd.log", "ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                "nsenter", f"--net={self._sandbox.path}", "etcd", "--name=etcd-0", f"--data-dir={self._data}",
                f"--listen-client-urls=http://{address}:{PORT}", f"--advertise-client-urls=http://{address}:{PORT}",
                "--listen-peer-urls=http://127.0.0.1:2380", "--auto-compaction-retention=5m",
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=own_world.die_with_parent)
        while not await self._answers(address):
            if self._process.returncode is not None:
                raise RuntimeError(f"etcd ended: {(own_world.SCRATCH / 'etcd.log').read_text()[-2000:]}")
            await asyncio.sleep(0.1)
        self._cluster.names[self.host] = [address]
        self._cluster.timeline.note("etcd-0", f"serves at {address}")

    async def stop(self) -> None:
        """Deleted, as a pod is: its name leads nowhere, and its address is silent."""
        assert self._process is not None and self._sandbox is not None
        self._cluster.timeline.note("etcd-0", "deleted")
        self._cluster.names[self.host] = []
        self._process.terminate()
        await self._process.wait()
        self._cluster.network.remove(self._sandbox)

    async def control(self, *arguments: str) -> None:
        """Runs etcdctl."""
        assert self._sandbox is not None
        process = await asyncio.create_subprocess_exec(
            shutil.which("etcdctl") or "etcdctl", f"--endpoints=http://{self._sandbox.address}:{PORT}", *arguments,
            env={"ETCDCTL_API": "3"}, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT)
        output, _ = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"etcdctl {' '.join(arguments)}: {output.decode(errors='replace')}")

    @staticmethod
    async def _answers(address: str) -> bool:
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(address, PORT), 1)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True
