"""What the rehearsals share: a cluster with the chart installed, the ways to it, and clients that meet there."""

import asyncio
import dataclasses
import pathlib
from collections.abc import Awaitable, Callable
from typing import Any

import chart
import verdict
from cluster import Cluster
from etcd import Etcd
from exchange import Client, Exchange, Kind, Plan, Result
from ingress import Ingress
from load import Load
from manifests import Manifests
from oci import Image
from pod import Node

_SLOWEST = 5  # exchanges whose story is kept, whether they were too slow or not
_CONTROL_RATE = 0.5
_CONTROL_NUMBERS = 100_000  # of its exchanges, so that their app-ids are others
SETTLES = 90.0  # seconds, for a few pods one after the other


@dataclasses.dataclass(frozen=True)
class Setup:
    """What a rehearsal is given."""

    image: pathlib.Path  # unpacked
    sync: pathlib.Path  # the client program
    helm: pathlib.Path
    chart: pathlib.Path
    logs: pathlib.Path


@dataclasses.dataclass(frozen=True)
class Limits:
    slowest: float  # seconds on account of what is done


class Stage:
    def __init__(self, setup: Setup, harsh: bool = False) -> None:
        self.cluster = Cluster(Image(setup.image), chart.NAMESPACE, setup.logs, harsh=harsh)
        self.etcd = Etcd(self.cluster)
        self.logs = setup.logs
        self.client = Client(setup.sync, ("--plaintext",))
        self.tls_name: str | None = None  # of the control group's relay, where certificates have to have it
        self.results: list[Result] = []
        self.verdict: verdict.Verdict | None = None
        self._chart = chart.Chart(setup.helm, setup.chart)
        self._values_file = ""
        self._values: dict[str, Any] = {}

    # --- The cluster.

    async def install_over_etcd(self, values: dict[str, Any] | None = None) -> None:
        await self.etcd.start()
        await self.install("etcd.yaml", _merged(self.etcd_values(), values or {}))

    async def install(self, values_file: str, values: dict[str, Any]) -> None:
        self._values_file, self._values = values_file, values
        self.cluster.apply(self.render({}))
        await self.cluster.until_settled(SETTLES)

    async def upgrade(self, changed: dict[str, Any]) -> None:
        """And waits until it is done."""
        self.cluster.apply(self.render(changed))
        await self.cluster.until_settled(SETTLES)

    def render(self, changed: dict[str, Any]) -> Manifests:
        return self._chart.render(self._values_file, _merged(self._values, changed))

    def new_version(self) -> dict[str, Any]:
        """Values of pods that are other ones, and do the same."""
        return {"podAnnotations": {"rehearsal/version": "2"}}

    def etcd_values(self) -> dict[str, Any]:
        """Where etcd is. With the last dot, so that the search path is left out."""
        host, port = self.etcd.endpoint.split(":")
        return {"store": {"etcd": {"endpoints": [f"{host}.:{port}"]}}}

    # --- The ways to it.

    def by_name(self) -> str:
        """The headless name, with the last dot, so that the search path is left out."""
        return f"dns:///{self.cluster.host(self.cluster.service(True, 'grpc').name)}.:{self._port(True)}"

    def by_service(self) -> str:
        """The Service's name, which is looked for along the search path."""
        return f"{self.cluster.host(self.cluster.service(False, 'grpc').name)}:{self._port(False)}"

    async def by_haproxy(self) -> str:
        headless = self.cluster.host(self.cluster.service(True, "grpc").name)
        ingress = Ingress("haproxy", f"{headless}:{self._port(True)}", self.logs)
        await ingress.start()
        return ingress.way

    async def by_nginx(self) -> str:
        ingress = Ingress("nginx", self.by_service(), self.logs)
        await ingress.start()
        return ingress.way

    def _port(self, headless: bool) -> int:
        service = self.cluster.service(headless, "grpc")
        return next(port for port, target in service.ports.items() if target == "grpc")

    async def all_ways(self) -> list[str]:
        return [self.by_name(), self.by_service(), await self.by_haproxy()]

    # --- The clients.

    async def measure(self, ways: list[str], disturb: Callable[[], Awaitable[None]], limits: Limits,
                      long_pause: float = 8.0) -> None:
        """Exchanges go on before, during and for some seconds after what is done."""
        control = await self._control_group()
        clients = Load(self.client, ways, self.cluster.now, long_pause)
        await self._until_everyday(clients)
        began = self.cluster.now()
        self.cluster.timeline.note("rehearsal", "begins")
        await disturb()
        self.cluster.timeline.note("rehearsal", "is over")
        await asyncio.sleep(2.0)  # of exchanges that begin after it
        results = await clients.finish()
        self._say(verdict.judge(results, await control.finish(), began, limits.slowest))

    async def _control_group(self) -> Load:
        """Exchanges at a relay of its own, to which nothing is done."""
        [controller] = self.cluster.controllers.values()
        template = controller.spec.template
        arguments = [one for one in template.container.args if not one.startswith(("--store=", "--etcd-"))]
        container = dataclasses.replace(template.container, args=(*arguments, "--store=memory"))
        template = dataclasses.replace(template, labels={}, container=container)
        pod = self.cluster.add_pod("control", template, Node("control"))
        await self.cluster.until(lambda: pod.ready, SETTLES, "the control group's relay is ready")
        host = pod.address if self.tls_name is None else self.tls_name
        if self.tls_name is not None:
            self.cluster.names[self.tls_name] = [pod.address]
        return Load(self.client, [f"{host}:{container.ports['grpc']}"], self.cluster.now, 0.0,
                    rate=_CONTROL_RATE, kinds=[Kind.QUICK, Kind.CHECK_IN], first=_CONTROL_NUMBERS)

    async def _until_everyday(self, clients: Load) -> None:
        """Until enough exchanges have ended to say what one takes when nothing happens."""

        def enough() -> bool:
            kinds = [result.plan.kind for result in clients.results]
            return kinds.count(Kind.QUICK) >= 12 and kinds.count(Kind.CHECK_IN) >= 3

        await self.cluster.until(enough, 60, "exchanges end while nothing is done")

    async def meet(self, plans: list[Plan]) -> None:
        """These exchanges and no others."""
        exchanges = [Exchange(self.client, plan, self.cluster.now) for plan in plans]
        self.results = list(await asyncio.gather(*(exchange.run() for exchange in exchanges)))

    def judge_alone(self, limits: Limits) -> None:
        """What `meet` has brought, by itself: nobody knows what such exchanges take when nothing is done."""
        self._say(verdict.judge_alone(self.results, limits.slowest))

    def _say(self, found: verdict.Verdict) -> None:
        self.verdict = found
        stories = [verdict.story(result, self.cluster.timeline, self.logs) for result in found.order[:_SLOWEST]]
        (self.logs / "slowest").write_text("\n".join(stories) + "\n")
        for result in found.failed + found.too_slow:
            print(verdict.story(result, self.cluster.timeline, self.logs), flush=True)


def _merged(values: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    result = dict(values)
    for name, value in changed.items():
        old = result.get(name)
        result[name] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result
