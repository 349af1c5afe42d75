"""The rehearsals: what is done to the relays, and what must hold."""

import asyncio
import dataclasses
import pathlib
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import chart
import ingress
import own_world
import verdict
from etcd import Etcd
from exchange import Kind, Plan
from manifests import Manifests
from pod import Pod
from stage import SETTLES, Limits, Stage
from tls import Authority


class Broken(Exception):
    """What must hold did not."""


# --- Updates.


async def rolling_update(stage: Stage) -> None:
    """On the harshest network: what is sent to pods that are gone vanishes, and names are cached for their time."""
    await stage.install_over_etcd()
    await _roll(stage, {})


async def rolling_update_without_pre_stop(stage: Stage) -> None:
    """A mutant: clients are led to relays that are gone already, and the measure has to find that. Half a second is what
    the update proper takes at most."""
    values = {"shutdown": {"preStopSeconds": 0}}
    await stage.install_over_etcd(values)
    await _roll(stage, values, slowest=1.0)


async def rolling_update_on_a_network_that_answers(stage: Stage) -> None:
    await rolling_update(stage)


async def _roll(stage: Stage, changed: dict[str, Any], slowest: float = 2.0) -> None:
    await stage.measure(await stage.all_ways(), lambda: stage.upgrade(stage.new_version() | changed),
                        Limits(slowest=slowest), long_pause=30.0)


async def sqlite_replaced(stage: Stage) -> None:
    """The one relay goes, and another one comes on the same volume."""
    await _replace_one(stage, {}, Limits(slowest=4.0))


async def sqlite_replaced_with_pre_stop(stage: Stage) -> None:
    """A mutant: new clients find nobody while the only relay waits for its end."""
    await _replace_one(stage, {"shutdown": {"preStopSeconds": 5}}, Limits(slowest=4.0))


async def sqlite_replaced_on_a_silent_network(stage: Stage) -> None:
    """Here a client's try to connect to the pod that is gone hangs for five seconds, and what a proxy has lost
    of a client's words for fifteen."""
    await _replace_one(stage, {}, Limits(slowest=30.0), haproxy=True)


async def _replace_one(stage: Stage, values: dict[str, Any], limits: Limits, haproxy: bool = False) -> None:
    """Through haproxy only where fifteen seconds are borne: while it has no relay it answers with 503, and Debian's
    (2.6.12) now and then loses the next stream on a connection on which it did."""
    await stage.install("sqlite.yaml", values)
    ways = await stage.all_ways() if haproxy else [stage.by_name(), stage.by_service()]
    await stage.measure(ways, lambda: stage.upgrade(stage.new_version()), limits)


# --- Versions that never get ready.

_WATCHED = 25.0  # seconds, in which a good version would have replaced all pods


async def wrong_service_in_probe(stage: Stage) -> None:
    await stage.install_over_etcd()
    broken = _with_wrong_readiness(stage.render({}))
    await _never_ready(stage, lambda: stage.cluster.apply(broken))


def _with_wrong_readiness(manifests: Manifests) -> Manifests:
    [(name, deployment)] = manifests.deployments.items()
    template = deployment.template
    assert template.container.readiness is not None
    readiness = dataclasses.replace(template.container.readiness, service="nobody")
    template = dataclasses.replace(template, revision="nobody",
                                   container=dataclasses.replace(template.container, readiness=readiness))
    return dataclasses.replace(manifests, deployments={name: dataclasses.replace(deployment, template=template)})


async def etcd_password_refused(stage: Stage) -> None:
    await stage.etcd.start()
    await _ask_for_passwords(stage.etcd)
    for name, password in (("right", b"opensesame"), ("wrong", b"guess")):
        stage.cluster.set_secret(name, {"username": b"relay", "password": password})
    values = stage.etcd_values()
    values["store"]["etcd"] |= {"authSecretName": "right", "plaintextPassword": True}
    await stage.install("etcd.yaml", values)
    await _never_ready(stage, lambda: stage.cluster.apply(
        stage.render({"store": {"etcd": {"authSecretName": "wrong"}}})))


async def _ask_for_passwords(etcd: Etcd) -> None:
    for command in (["user", "add", "root:root"], ["user", "grant-role", "root", "root"], ["role", "add", "relay"],
                    ["role", "grant-permission", "relay", "--prefix=true", "readwrite", "wormhole/"],
                    ["user", "add", "relay:opensesame"], ["user", "grant-role", "relay", "relay"], ["auth", "enable"]):
        await etcd.control(*command)


async def _never_ready(stage: Stage, apply: Callable[[], None]) -> None:
    old = {pod.name for pod in stage.cluster.serving()}

    async def watch() -> None:
        apply()
        await asyncio.sleep(_WATCHED)
        now = {pod.name: pod for pod in stage.cluster.relays()}
        new = [pod for name, pod in now.items() if name not in old]
        if len(new) != 1 or new[0].ready:
            raise Broken(f"it did not stop at one new pod that is not ready, but at {[pod.name for pod in new]}")
        if not all(name in now and now[name].serves for name in old):
            raise Broken("an old pod was given up for a version that never got ready")

    await stage.measure(await stage.all_ways(), watch, Limits(slowest=2.0))


# --- Crashes.


async def crashes(stage: Stage) -> None:
    """Each pod in turn is killed, then each hits its memory limit."""
    await stage.install_over_etcd()

    async def crash() -> None:
        for pod in stage.cluster.serving():
            await _ends(stage, pod, lambda pod=pod: _kill(pod))
        for pod in stage.cluster.serving():
            await _ends(stage, pod, lambda pod=pod: _fill_memory(pod))

    await stage.measure(await stage.all_ways(), crash, Limits(slowest=15.0))


async def _kill(pod: Pod) -> None:
    assert pod.container is not None
    pod.container.signal(signal.SIGKILL)


async def _fill_memory(pod: Pod) -> None:
    assert pod.container is not None
    eater = await asyncio.create_subprocess_exec(
        sys.executable, str(pathlib.Path(__file__).with_name("memory_eater.py")), str(pod.container.memory_cgroup()),
        stdin=asyncio.subprocess.DEVNULL, preexec_fn=own_world.die_with_parent)
    # With the relay gone, runc ends whoever else is in the group.
    await eater.wait()


async def _ends(stage: Stage, pod: Pod, end: Callable[[], Awaitable[None]]) -> None:
    before = pod.restarts
    await end()
    # The second restart of a container waits for ten seconds, as it does in Kubernetes.
    await stage.cluster.until(lambda: pod.restarts > before and pod.ready, 40, f"{pod.name} is back")
    await asyncio.sleep(2.0)  # of exchanges with all pods, before the next one goes


async def node_vanishes(stage: Stage) -> None:
    """Nobody is told: what was there is silent, and endpoints name it on."""
    await _vanish(stage, {}, Limits(slowest=45.0))


async def node_vanishes_with_short_heartbeats(stage: Stage) -> None:
    await _vanish(stage, {"flags": {"heartbeat": "5s"}}, Limits(slowest=30.0))


async def _vanish(stage: Stage, values: dict[str, Any], limits: Limits) -> None:
    """What keeps clients: one that waits learns of it when its next heartbeat has been without an answer of TCP
    for ten seconds, and its next try may lead to the same address, where it hangs for five. The pause is
    short, so that those who have waited since just before it happened are met just after it."""
    await stage.install_over_etcd(values)
    await stage.measure(await stage.all_ways(), lambda: stage.cluster.vanish(stage.cluster.nodes[0]), limits,
                        long_pause=3.0)


# --- Maintenance.


async def drain_and_scale(stage: Stage) -> None:
    await stage.install_over_etcd()
    fewest = len(stage.cluster.serving())

    async def count() -> None:
        nonlocal fewest
        while True:
            fewest = min(fewest, len(stage.cluster.serving()))
            await asyncio.sleep(0.05)

    async def maintain() -> None:
        counting = asyncio.create_task(count())
        least = stage.cluster.budget().least_healthy(len(stage.cluster.serving()))
        await asyncio.gather(*(stage.cluster.drain(node) for node in stage.cluster.nodes[:2]))
        await stage.cluster.until_settled(SETTLES)
        counting.cancel()
        if fewest < least:
            raise Broken(f"{fewest} pods served while two nodes were drained, and the budget wants {least}")
        refused = [event for event in stage.cluster.timeline.events if "refused" in event.what]
        if not refused:
            raise Broken("the budget held nothing up, though two nodes were drained at once")
        for replicas in (1, 5):
            await stage.upgrade({"replicas": replicas})

    await stage.measure(await stage.all_ways(), maintain, Limits(slowest=4.0))


async def etcd_replaced(stage: Stage) -> None:
    """Its pod comes back under its name with another address."""
    await stage.install_over_etcd()

    async def replace() -> None:
        await stage.etcd.stop()
        await asyncio.sleep(2.0)  # as long as etcd is away
        await stage.etcd.start()
        # A relay that has lost its store is not ready, and is again once it has found it.
        await asyncio.sleep(5.0)
        await stage.cluster.until(lambda: len(stage.cluster.serving()) == 3, 60, "all relays are ready again")

    # The relays find it within some 14 s; a client may then wait for as long to try again.
    await stage.measure(await stage.all_ways(), replace, Limits(slowest=40.0))


async def certificates_rotated(stage: Stage) -> None:
    authority = Authority(own_world.SCRATCH / "tls")
    name = f"{chart.RELEASE}-wormhole-relay"
    names = [f"{host}.{chart.NAMESPACE}.svc.cluster.local" for host in (name, f"{name}-headless")]
    stage.tls_name = "control"
    names.append(stage.tls_name)
    stage.cluster.set_secret("relay-tls", authority.secret(names))
    stage.client = dataclasses.replace(stage.client, options=("--tls-ca", str(authority.certificate)))
    await stage.install_over_etcd({"tls": {"secretName": "relay-tls"}})

    async def rotate() -> None:
        for _ in range(5):
            stage.cluster.set_secret("relay-tls", authority.secret(names))
            for pod in stage.cluster.serving():
                await _shows_newest(stage, authority, pod)

    await stage.measure([stage.by_name(), stage.by_service()], rotate, Limits(slowest=2.0))


async def _shows_newest(stage: Stage, authority: Authority, pod: Pod) -> None:
    port = pod.template.container.ports["grpc"]
    end = stage.cluster.now() + 30
    while await asyncio.to_thread(authority.serial_at, pod.address, port) != authority.newest_serial:
        if stage.cluster.now() > end:
            raise Broken(f"{pod.name} does not show the new certificate")
        await asyncio.sleep(0.25)


# --- Time.

_IDLE = 70.0  # two limits of the ingresses, and some


async def idle_behind_ingresses(stage: Stage) -> None:
    """Sides that wait for long, behind proxies that cut silent streams after 30 s, keep the stream they have."""
    await _idle(stage, {})


async def idle_with_long_heartbeats(stage: Stage) -> None:
    """A mutant: streams are silent for longer than the proxies bear it."""
    await _idle(stage, {"flags": {"heartbeat": "45s"}})


async def _idle(stage: Stage, values: dict[str, Any]) -> None:
    await stage.install_over_etcd(values)
    ways = [await stage.by_haproxy(), await stage.by_nginx()]
    plans = [Plan(2 * number + (kind == Kind.FIRST), kind, way, way, _IDLE)
             for number, way in enumerate(ways) for kind in (Kind.WAITING, Kind.FIRST)]
    await stage.meet(plans)
    for result in stage.results:
        longest = verdict.longest_stream(result.plan, stage.logs)
        if not result.failure and longest <= 2 * ingress.IDLE:
            result.failure = f"no stream lasted for longer than {longest:.1f} s: the one that waited was lost"
    stage.judge_alone(Limits(slowest=2.0))


# --- Names.


async def names_asked(stage: Stage) -> None:
    """A name with the last dot costs a connection two questions to DNS, for the two families; without it each search
    domain is tried first."""
    await stage.install("sqlite.yaml", {})
    by_name, by_service = stage.by_name(), stage.by_service()
    results = []
    for number, (way, questions) in enumerate(((by_name, 2), (by_service.replace(":", ".:"), 2),
                                               (by_name.replace(".:", ":"), 8), (by_service, 8))):
        stage.cluster.asked.clear()
        # Both sides have a connection.
        await stage.meet([Plan(number, Kind.QUICK, way, way, 0.0)])
        results += stage.results
        if len(stage.cluster.asked) != 2 * questions:
            raise Broken(f"two connections to {way} asked {stage.cluster.asked}, and not {questions} questions each")
    stage.results = results
    stage.judge_alone(Limits(slowest=2.0))


Act = Callable[[Stage], Awaitable[None]]


@dataclasses.dataclass(frozen=True)
class Rehearsal:
    name: str
    act: Act
    harsh: bool = False
    mutant: bool = False  # something is planted that has to be found
    nightly: str = ""  # why it is not for every day


def _all() -> list[Rehearsal]:
    # The longest first, so that none of them is the last one to begin.
    everyday = [names_asked, idle_behind_ingresses, idle_with_long_heartbeats, rolling_update,
                rolling_update_without_pre_stop, crashes, node_vanishes, etcd_replaced, drain_and_scale, etcd_password_refused, wrong_service_in_probe, certificates_rotated,
                sqlite_replaced, sqlite_replaced_with_pre_stop]
    nightly: dict[Act, str] = {
        rolling_update_on_a_network_that_answers: "is the gentler form of rolling_update",
        node_vanishes_with_short_heartbeats: "is there for its number: what a heartbeat of 5 s gains",
        sqlite_replaced_on_a_silent_network: "is there for its number: what such a network costs clients"}
    harsh = (rolling_update, rolling_update_without_pre_stop, sqlite_replaced_on_a_silent_network)
    mutants = (idle_with_long_heartbeats, rolling_update_without_pre_stop, sqlite_replaced_with_pre_stop)
    return [Rehearsal(act.__name__, act, act in harsh, act in mutants, nightly.get(act, ""))
            for act in [*everyday, *nightly]]


ALL = {rehearsal.name: rehearsal for rehearsal in _all()}
