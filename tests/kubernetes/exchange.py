"""One exchange: two runs of wormhole-sync, each with its own process and its own way to the relays."""

import asyncio
import dataclasses
import enum
import pathlib
from collections.abc import Callable

TIMEOUT = 120.0
_OF_THIS_TEST = "other users of this machine can see"  # wormhole-sync warns of it, and is right


class Kind(enum.Enum):
    QUICK = "quick"  # people on the phone
    WAITING = "waiting"  # the initiator waits long for the receiver
    FIRST = "receiver first"  # a code agreed beforehand; the receiver waits long for the initiator
    CHECK_IN = "check-in"  # no stream between the ticks of a schedule


@dataclasses.dataclass(frozen=True)
class Plan:
    number: int
    kind: Kind
    initiators_way: str  # a target
    receivers_way: str
    pause: float  # until the second side comes
    tick: float = 0.5  # of check-in mode
    timeout: float = TIMEOUT

    @property
    def app(self) -> str:
        """An app-id of its own, by which the relays' logs can be searched."""
        return f"rehearsal/{self.number}"


@dataclasses.dataclass
class Result:
    plan: Plan
    began: float
    ended: float = 0.0
    failure: str = ""
    said: list[tuple[float, str]] = dataclasses.field(default_factory=list)

    @property
    def wait(self) -> float:
        """How long somebody waited beyond what was planned."""
        return self.ended - self.began - self.plan.pause


class Side:
    """A run of wormhole-sync."""

    def __init__(self, role: str, process: asyncio.subprocess.Process, result: Result, now: Callable[[], float]) -> None:
        self.code: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.data = b""
        self.data_at = 0.0
        self._role = role
        self._process = process
        self._result = result
        self._now = now
        self._readers = asyncio.gather(self._read_errors(), self._read_data())

    async def end(self) -> str:
        """Empty, or how it failed."""
        await self._readers
        code = await self._process.wait()
        if not self.code.done():
            self.code.cancel()
        return "" if code == 0 else f"{self._role} ended with {code}"

    async def _read_errors(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            text = line.decode(errors="replace").rstrip()
            if _OF_THIS_TEST not in text:
                self._result.said.append((self._now(), f"{self._role}: {text}"))
            if text.startswith("Invitation code: ") and not self.code.done():
                self.code.set_result(text.removeprefix("Invitation code: "))
        if not self.code.done():
            self.code.cancel()

    async def _read_data(self) -> None:
        assert self._process.stdout is not None
        while chunk := await self._process.stdout.read(4096):
            self.data += chunk
            self.data_at = self._now()


@dataclasses.dataclass(frozen=True)
class Client:
    """How wormhole-sync is called."""

    program: pathlib.Path
    options: tuple[str, ...]  # how the relay is spoken to


class Exchange:
    def __init__(self, client: Client, plan: Plan, now: Callable[[], float]) -> None:
        self._client = client
        self._plan = plan
        self._now = now
        self._result = Result(plan, now())

    async def run(self) -> Result:
        result = self._result
        try:
            async with asyncio.timeout(self._plan.timeout + self._plan.pause + 30):
                await (self._receiver_first() if self._plan.kind == Kind.FIRST else self._initiator_first())
        except TimeoutError:
            result.failure = "did not end"
        result.ended = result.ended or self._now()
        return result

    async def _initiator_first(self) -> None:
        initiator = await self._start("initiate", self._plan.initiators_way)
        try:
            code = await initiator.code
        except asyncio.CancelledError:
            if asyncio.current_task().cancelling():  # type: ignore[union-attr]
                raise
            self._result.failure = await initiator.end() or "initiator gave no code"
            return
        await asyncio.sleep(self._plan.pause)
        receiver = await self._start("receive", self._plan.receivers_way, code)
        await self._finish(initiator, receiver)

    async def _receiver_first(self) -> None:
        code = f"{self._plan.number + 1000}-able-zoo"
        receiver = await self._start("receive", self._plan.receivers_way, "--wait", code)
        await asyncio.sleep(self._plan.pause)
        initiator = await self._start("initiate", self._plan.initiators_way, "--code", code)
        await self._finish(initiator, receiver)

    async def _start(self, command: str, way: str, *words: str) -> Side:
        plan = self._plan
        arguments = [command, *words, "--rendezvous", way, "--app-id", plan.app, "--data", self._data(command),
                     "--timeout", f"{plan.timeout + plan.pause:.0f}s", "--verbose", *self._client.options]
        if plan.kind == Kind.CHECK_IN:
            arguments += ["--check-in", "--schedule", f"0:{plan.tick:g}"]
        # It ends with the namespace at the latest. Not by a preexec_fn, which would have each start copy all of Python.
        process = await asyncio.create_subprocess_exec(
            str(self._client.program), *arguments, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        role = "initiator" if command == "initiate" else "receiver"
        return Side(role, process, self._result, self._now)

    def _data(self, command: str) -> str:
        return f"{self._plan.app} from {command}"

    async def _finish(self, initiator: Side, receiver: Side) -> None:
        failures = [failure for failure in await asyncio.gather(initiator.end(), receiver.end()) if failure]
        for side, other in ((initiator, "receive"), (receiver, "initiate")):
            if not failures and side.data.decode(errors="replace") != self._data(other):
                failures.append(f"wrong data: {side.data!r}")
        self._result.failure = "; ".join(failures)
        if not failures:
            self._result.ended = max(initiator.data_at, receiver.data_at)
