"""A cluster of some nodes on one machine: it takes manifests and does what they say."""

import asyncio
import pathlib
from collections.abc import Callable

import dns
import manifests
import network
import own_world
from controllers import DeploymentController, StatefulSetController
from endpoints import Endpoint, Endpoints
from manifests import Manifests, PodTemplate, Service
from oci import Image
from pod import Kubelet, Node, Pod
from timeline import Timeline

# Kubernetes' defaults: after this long without a word a node's pods count as not ready; and so often an
# eviction that the budget forbids is tried again.
NODE_GRACE = 40.0
_EVICTION_INTERVAL = 5.0
_TICK = 0.1


class Cluster:
    """`harsh` is a cluster whose network drops what is sent to pods that are gone, as some plugins do,
    and whose nodes cache DNS. Elsewhere the sender is told, and CoreDNS is asked each time: kubeadm does not let it
    cache the cluster's own names."""

    def __init__(self, image: Image, namespace: str, logs: pathlib.Path, nodes: int = 3, harsh: bool = False) -> None:
        self.timeline = Timeline()
        self.network = network.Network(silent_when_gone=harsh)
        self.namespace = namespace
        self.nodes = [Node(f"node-{number}") for number in range(1, nodes + 1)]
        self.pods: dict[str, Pod] = {}
        self.names: dict[str, list[str]] = {}  # of what is in the cluster beside the manifests
        self.controllers: dict[str, DeploymentController | StatefulSetController] = {}
        self._services: dict[str, tuple[Service, str, Endpoints]] = {}
        self._budgets: dict[str, manifests.Budget] = {}
        self._names: dns.LookUp = dns.Cache(self._addresses, self.now) if harsh else self._addresses
        self.asked: list[str] = []  # the name in each question to DNS
        self.resolv_conf = own_world.SCRATCH / "resolv.conf"
        self.resolv_conf.write_text(dns.resolv_conf(namespace, network.DNS))
        self._kubelet = Kubelet(image, self.network, {}, self.timeline, self.resolv_conf, logs, self._on_change)

    async def run(self, rehearsal: Callable[[], "asyncio.Future[None]"]) -> None:
        """Runs the rehearsal while the cluster works; a fault of the cluster ends it."""
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: dns.Server(self._answer), local_addr=(network.DNS, 53))
        control = asyncio.create_task(self._control())
        work = asyncio.ensure_future(rehearsal())
        try:
            await asyncio.wait([control, work], return_when=asyncio.FIRST_COMPLETED)
            if control.done():
                work.cancel()
                control.result()
            await work
        finally:
            control.cancel()
            transport.close()

    # --- What somebody with kubectl does.

    def apply(self, wanted: Manifests) -> None:
        self.timeline.note("kubectl", "apply")
        self._kubelet.objects.update(wanted.files)
        for service in wanted.services.values():
            self._add_service(service)
        self._budgets = dict(wanted.budgets)  # those that are not in it any more are deleted
        for name, deployment in wanted.deployments.items():
            self.controllers.setdefault(name, DeploymentController(deployment, self)).spec = deployment
        for name, stateful_set in wanted.stateful_sets.items():
            self.controllers.setdefault(name, StatefulSetController(stateful_set, self)).spec = stateful_set
        for pod in self.pods.values():
            pod.refresh_volumes()

    def set_secret(self, name: str, content: dict[str, bytes]) -> None:
        self._kubelet.objects["secret", name] = content
        for pod in self.pods.values():
            pod.refresh_volumes()

    async def until_settled(self, timeout: float) -> None:
        await self.until(lambda: all(controller.settled() for controller in self.controllers.values()), timeout,
                         "all pods are there, of the newest template, and serve")

    async def until(self, condition: Callable[[], bool], timeout: float, what: str) -> None:
        end = self.now() + timeout
        while not condition():
            if self.now() > end:
                raise AssertionError(f"not within {timeout:.0f} s: {what}")
            await asyncio.sleep(_TICK)

    async def drain(self, node: Node) -> None:
        """As `kubectl drain`: evicts what is there, as the budgets allow it, and waits until it is gone."""
        node.cordoned = True
        self.timeline.note("kubectl", f"drain {node.name}")
        while pods := [pod for pod in self.pods.values() if pod.node is node and not pod.gone.is_set()]:
            refused = [pod for pod in pods if not pod.deleting and not self._evict(pod)]
            await asyncio.sleep(_EVICTION_INTERVAL if refused else _TICK)

    async def vanish(self, node: Node) -> None:
        """Nothing is heard of the node any more. Returns when its pods are no longer endpoints."""
        pods = [pod for pod in self.pods.values() if pod.node is node and not pod.gone.is_set()]
        self.network.silence({pod.address for pod in pods})
        node.vanished = True
        self.timeline.note(node.name, f"vanishes with {', '.join(pod.name for pod in pods)}")
        await asyncio.sleep(NODE_GRACE)
        for pod in pods:
            pod.mark_lost()

    # --- What others look at.

    def now(self) -> float:
        return self.timeline.now()

    def living(self) -> list[Pod]:
        return [pod for pod in self.pods.values() if not pod.gone.is_set()]

    def budget(self) -> manifests.Budget:
        [budget] = self._budgets.values()
        return budget

    def relays(self) -> list[Pod]:
        """Those that a controller has made."""
        return [pod for controller in self.controllers.values() for pod in controller.pods if not pod.gone.is_set()]

    def serving(self) -> list[Pod]:
        return [pod for pod in self.relays() if pod.serves]

    def host(self, service: str) -> str:
        return f"{service}.{self.namespace}.svc.cluster.local"

    def service(self, headless: bool, port: str) -> Service:
        """The one Service of that kind which leads to the pods' port of this name."""
        found = [service for service, _, _ in self._services.values()
                 if service.headless == headless and port in service.ports.values()]
        if len(found) != 1:
            raise AssertionError(f"expected one Service for {port}, found {[service.name for service in found]}")
        return found[0]

    # --- What the cluster does by itself.

    def add_pod(self, name: str, template: PodTemplate, node: Node | None = None) -> Pod:
        """On the node that has the fewest, if none is given."""
        fit = [node] if node else [node for node in self.nodes if not node.cordoned and not node.vanished]
        if not fit:
            raise AssertionError("no node is left")
        living = self.living()
        node = min(fit, key=lambda node: sum(pod.node is node and not pod.deleting for pod in living))
        pod = Pod(self._kubelet, name, template, node)
        self.pods[name] = pod
        return pod

    def _add_service(self, service: Service) -> None:
        if service.name in self._services:
            address, endpoints = self._services[service.name][1:]
        else:
            address, endpoints = f"10.96.1.{len(self._services) + 1}", Endpoints()
        self._services[service.name] = (service, address, endpoints)

    def _on_change(self, pod: Pod) -> None:
        labels = pod.template.labels.items()
        for service, _, endpoints in self._services.values():
            if service.selector.items() <= labels:
                serves = pod.serves or (service.not_ready_too and not pod.gone.is_set())
                endpoints.change(self.now(), Endpoint(pod.name, pod.address), serves)

    async def _control(self) -> None:
        while True:
            for pod in self.pods.values():
                if failure := pod.failed():
                    raise failure
            for controller in self.controllers.values():
                controller.reconcile()
            self._publish()
            await asyncio.sleep(_TICK)

    def _publish(self) -> None:
        for service, address, endpoints in self._services.values():
            if service.headless:
                continue
            pods = endpoints.at(self.now())
            for port, target in service.ports.items():
                self.network.serve(address, port, [
                    (pod.address, self._number(pod.pod, target)) for pod in pods])

    def _number(self, pod: str, port: str | int) -> int:
        return port if isinstance(port, int) else self.pods[pod].template.container.ports[port]

    def _addresses(self, name: str) -> list[str] | None:
        if name in self.names:
            return self.names[name]
        for service, address, endpoints in self._services.values():
            host = self.host(service.name)
            if name == host:
                return [pod.address for pod in endpoints.at(self.now())] or None if service.headless else [address]
            if service.headless and name.endswith(f".{host}"):
                return [pod.address for pod in endpoints.at(self.now()) if f"{pod.pod}.{host}" == name] or None
        return None

    def _answer(self, name: str) -> list[str] | None:
        self.asked.append(name)
        return self._names(name)

    def _evict(self, pod: Pod) -> bool:
        labels = pod.template.labels.items()
        for budget in self._budgets.values():
            if not budget.selector.items() <= labels or (budget.always_allow and not pod.ready):
                continue
            expected = sum(controller.spec.replicas for controller in self.controllers.values()
                           if budget.selector.items() <= controller.spec.template.labels.items())
            healthy = sum(other.serves for other in self.living() if budget.selector.items() <= other.template.labels.items())
            if healthy - 1 < budget.least_healthy(expected):
                self.timeline.note("eviction", f"of {pod.name} refused, {healthy} of {expected} are ready")
                return False
        self.timeline.note("eviction", f"of {pod.name}")
        pod.delete()
        return True
