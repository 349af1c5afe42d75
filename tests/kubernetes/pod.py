"""A pod from its creation to its end: its container, started again when it ends, and its probes."""

import asyncio
import contextlib
import dataclasses
import itertools
import pathlib
import signal
from collections.abc import Awaitable, Callable

import own_world
import oci
import probes
from container import Container
from files import Missing, Objects, VolumeFolder, claim
from manifests import PodTemplate, Probe, Volume
from network import Network, Sandbox
from timeline import Timeline

# The kubelet's: between the restarts of a container that ends again and again.
_FIRST_BACK_OFF, _LONGEST_BACK_OFF = 10.0, 300.0
# And what a container gets at least after a preStop hook that took all of the grace.
_LEAST_GRACE = 2.0
_IDS = itertools.count(1)


@dataclasses.dataclass
class Node:
    name: str
    cordoned: bool = False
    vanished: bool = False


@dataclasses.dataclass(frozen=True)
class Kubelet:
    """What all pods of a cluster share."""

    image: oci.Image
    network: Network
    objects: Objects
    timeline: Timeline
    resolv_conf: pathlib.Path
    logs: pathlib.Path
    on_change: Callable[["Pod"], None]


class Pod:
    def __init__(self, kubelet: Kubelet, name: str, template: PodTemplate, node: Node) -> None:
        self.name = name
        self.template = template
        self.node = node
        self.ready = False
        self.ready_since = 0.0
        self.restarts = 0
        self.deleting = False
        self.gone = asyncio.Event()
        self.sandbox: Sandbox | None = None
        self._id = f"{name}-{next(_IDS)}"  # a StatefulSet's pods have the names of those before them
        self.container: Container | None = None
        self._kubelet = kubelet
        self._deleted = asyncio.Event()
        self._volumes: list[VolumeFolder] = []
        self._life = asyncio.create_task(self._live())

    @property
    def address(self) -> str:
        return self.sandbox.address if self.sandbox else ""

    @property
    def serves(self) -> bool:
        """What endpoints go by."""
        return self.ready and not self.deleting

    def log(self) -> pathlib.Path:
        return self._kubelet.logs / f"{self.name}.log"

    def delete(self) -> None:
        if self.deleting:
            return
        self.deleting = True
        self._note("deleted")
        self._kubelet.on_change(self)
        self._deleted.set()

    def refresh_volumes(self) -> None:
        """After an object has changed. A real kubelet takes up to a minute until it does this."""
        for folder in self._volumes:
            if folder.write(self._kubelet.objects):
                self._note("its files were replaced")

    def failed(self) -> BaseException | None:
        """Why the kubelet itself could not go on; a fault of the rehearsal."""
        if self._life.done() and not self._life.cancelled():
            return self._life.exception()
        return None

    # --- Its life.

    async def _live(self) -> None:
        kubelet = self._kubelet
        self.sandbox = kubelet.network.add(self._id)
        self._note(f"created on {self.node.name} at {self.address}, template {self.template.revision}")
        binds = await self._until_mounted()
        back_off = 0.0
        while binds is not None and not self.deleting:
            await self._run_once(binds)
            if not self.deleting:
                self.restarts += 1
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(back_off):
                        await self._deleted.wait()
                back_off = min(_LONGEST_BACK_OFF, 2 * back_off or _FIRST_BACK_OFF)
        kubelet.network.remove(self.sandbox)
        self._note("gone")
        self.gone.set()

    async def _run_once(self, binds: list[oci.Bind]) -> None:
        kubelet, template = self._kubelet, self.template
        assert self.sandbox is not None
        name = f"{self._id}-{self.restarts}"
        config = oci.config(kubelet.image, template.container, self.name, self.sandbox.path,
                            f"/{own_world.cgroup_name()}/{name}", template.fs_group, binds)
        container = await Container.start(name, config, self.log())
        self.container = container
        self._note("container started")
        watchers = [asyncio.create_task(self._probe(container)), asyncio.create_task(self._stop_when_deleted(container))]
        code = await container.wait()
        self.container = None
        for watcher in watchers:
            watcher.cancel()
        self._note(f"container ended with {code}")
        self._set_ready(False)
        for result in await asyncio.gather(*watchers, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    async def _stop_when_deleted(self, container: Container) -> None:
        await self._deleted.wait()
        await self._stop(container)

    async def _stop(self, container: Container) -> None:
        grace, sleep = self.template.grace, self.template.container.pre_stop_sleep
        if sleep:
            await asyncio.sleep(min(sleep, grace))
        self._note("SIGTERM")
        container.signal(signal.SIGTERM)
        await asyncio.sleep(max(grace - sleep, _LEAST_GRACE))
        self._note("SIGKILL, since its grace is over")
        container.signal(signal.SIGKILL)

    # --- Probes.

    async def _probe(self, container: Container) -> None:
        spec = self.template.container
        if spec.startup is not None and not await self._until_started(spec.startup):
            self._note("its startup probe failed")
            return await self._stop(container)
        loops: list[Awaitable[None]] = []
        if spec.liveness is not None:
            loops.append(self._watch_liveness(spec.liveness, container))
        if spec.readiness is not None:
            loops.append(self._watch_readiness(spec.readiness))
        else:
            self._set_ready(True)
        await asyncio.gather(*loops)

    async def _ask(self, probe: Probe) -> bool:
        return await probes.serving(self.address, probe.port, probe.service, probe.timeout)

    async def _until_started(self, probe: Probe) -> bool:
        await asyncio.sleep(probe.initial_delay)
        for _ in range(probe.failure):
            if await self._ask(probe):
                return True
            await asyncio.sleep(probe.period)
        return False

    async def _watch_liveness(self, probe: Probe, container: Container) -> None:
        await asyncio.sleep(probe.initial_delay)
        failures = 0
        while failures < probe.failure:
            failures = 0 if await self._ask(probe) else failures + 1
            await asyncio.sleep(probe.period)
        self._note("its liveness probe failed")
        await self._stop(container)

    async def _watch_readiness(self, probe: Probe) -> None:
        await asyncio.sleep(probe.initial_delay)
        good = bad = 0
        while True:
            if await self._ask(probe):
                good, bad = good + 1, 0
                if good >= probe.success:
                    self._set_ready(True)
            else:
                good, bad = 0, bad + 1
                if bad >= probe.failure:
                    self._set_ready(False)
            await asyncio.sleep(probe.period)

    def _set_ready(self, ready: bool) -> None:
        if ready == self.ready or self.node.vanished:
            return
        self.ready = ready
        self.ready_since = self._kubelet.timeline.now()
        self._note("ready" if ready else "not ready")
        self._kubelet.on_change(self)

    def mark_lost(self) -> None:
        """The node has said nothing for so long that its pods count as not ready."""
        self.ready = False
        self._note("not ready, since nobody has heard of its node")
        self._kubelet.on_change(self)

    # --- Files.

    async def _until_mounted(self) -> list[oci.Bind] | None:
        """None when the pod was deleted before."""
        said = ""
        while not self.deleting:
            try:
                return self._binds()
            except Missing as missing:
                if str(missing) != said:
                    said = str(missing)
                    self._note(f"waits: {said}")
                await asyncio.sleep(0.5)
        return None

    def _binds(self) -> list[oci.Bind]:
        folder = own_world.SCRATCH / "pods" / self._id
        volumes = {volume.name: volume for volume in self.template.volumes}
        self._volumes = []
        paths = {}
        for volume in volumes.values():
            paths[volume.name] = self._fill(folder, volume)
        hosts = folder / "hosts"
        folder.mkdir(parents=True, exist_ok=True)
        hosts.write_text(f"127.0.0.1 localhost\n{self.address} {self.name}\n")
        return [oci.Bind(self._kubelet.resolv_conf, "/etc/resolv.conf", True), oci.Bind(hosts, "/etc/hosts", True)] + [
            oci.Bind(paths[mount.volume], mount.path, mount.read_only or volumes[mount.volume].kind in ("configMap", "secret"))
            for mount in self.template.container.mounts]

    def _fill(self, folder: pathlib.Path, volume: Volume) -> pathlib.Path:
        if volume.kind == "claim":
            return claim(own_world.SCRATCH / "claims" / f"{volume.source}-{self.name}", self.template.fs_group)
        filled = VolumeFolder(folder / volume.name, volume, self.template.fs_group)
        filled.write(self._kubelet.objects)
        self._volumes.append(filled)
        return filled.path

    def _note(self, what: str) -> None:
        self._kubelet.timeline.note(self.name, what)
