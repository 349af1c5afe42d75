"""A relay for one attack, with an edge before it or without, honest people and a stranger. All of it ends with it."""

import contextlib
import pathlib
import resource
import tempfile
from types import TracebackType

from attack import Attack, Target
from attacker import Attacker
from edge import Certificate, Edge, free_address
from honest import Honest
from judge import Judge, OfProcess, Verdict
from relay import Relay

APP_ID = "abuse.example"


class LimitedRelay(Relay):
    """In memory, and with no more descriptors than it is given."""

    def __init__(self, program: str, folder: pathlib.Path, flags: list[str], most_descriptors: int) -> None:
        super().__init__(program, folder, flags, store="memory")
        self._most = most_descriptors

    def prepare(self) -> None:
        super().prepare()
        if self._most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self._most, self._most))


class Scene:
    """`edge` is haproxy, or nothing: the relay itself is reached then."""

    def __init__(self, attack: Attack, relay_program: str, sync: str, share: int, more_flags: list[str],
                 edge: str = "") -> None:
        self._attack, self._edge_kind = attack, edge
        self._stack = contextlib.ExitStack()
        folder = pathlib.Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="wormhole-abuse-")))
        metrics = free_address()
        flags = [f"--metrics-listen={metrics}", "--core-dumps", *attack.flags, *more_flags]
        if edge:
            flags.append("--proxy-from=127.0.0.1")
        self._relay = LimitedRelay(relay_program, folder, flags, attack.descriptors)
        self._target = Target(self._relay.address, metrics, size=max(1, attack.size // share))
        self._edge: Edge | None = None
        if edge:
            self._put_edge_before(folder)
        elif attack.tls:
            self._give_certificate(folder)
        options = ["--rendezvous", self._target.address, "--app-id", APP_ID]
        options += ["--tls-ca", str(self._target.trust)] if self._target.trust else ["--plaintext"]
        self._honest = Honest(sync, options)

    def _put_edge_before(self, folder: pathlib.Path) -> None:
        address = free_address()
        certificate = Certificate(folder, address.rsplit(":", 1)[0])
        self._edge = Edge(self._edge_kind, folder, address, [self._relay.address], certificate)
        self._target.address, self._target.trust = address, certificate.chain

    def _give_certificate(self, folder: pathlib.Path) -> None:
        certificate = Certificate(folder, self._relay.address.rsplit(":", 1)[0])
        self._relay.add_flags([f"--tls-cert={certificate.chain}", f"--tls-key={certificate.key}"])
        self._target.trust = certificate.chain

    def __enter__(self) -> "Scene":
        self._stack.enter_context(self._relay)
        if self._edge is not None:
            self._stack.enter_context(self._edge)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._stack.close()

    def play(self) -> Verdict:
        """The attack, until the judge has seen enough of it."""
        name = f"{self._attack.name} ({self._edge_kind})" if self._edge else self._attack.name
        attacker = Attacker(self._attack, self._target)
        self._stack.callback(attacker.end)
        judge = Judge(name, OfProcess(self._relay.pid), self._honest,
                      only_afterwards=self._attack.needs_edge and self._edge is None)
        note = attacker.run(judge.has_seen_enough)
        verdict = judge.end(note)
        if self._edge is not None:
            self._look_at_edge(self._edge.pids[0], verdict)
        return verdict

    def _look_at_edge(self, pid: int, verdict: Verdict) -> None:
        try:
            spent = OfProcess(pid)
            verdict.note += f"; {self._edge_kind}: {spent.peak()} MiB, {spent.cpu():.1f} s of CPU"
        except OSError as gone:
            verdict.complaints.append(f"{self._edge_kind} has died: {gone}")
