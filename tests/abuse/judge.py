"""What an attack did to the relay, and whether that may be. judge_test.py shows that it finds what may not."""

import pathlib
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from typing import Protocol

import stranger  # noqa: F401  (finds tests/edge)
from relay import Usage

# What README.md promises of a relay with the flags that it ships with.
MOST_MIB = 256
# An honest exchange meanwhile, of two processes that are started for it; or so many times what it takes when nobody
# attacks, on a machine that is slow itself.
MOST_SECONDS = 2.0
MOST_TIMES = 4.0
# Memory and descriptors afterwards, of what they were before; and what the allocator, and gRPC's threads, may keep.
BACK_WITHIN = 1.10
KEPT_MIB = 16
KEPT_DESCRIPTORS = 2
PATIENCE = 30.0
# Honest exchanges during an attack, at least.
ENOUGH = 5


class Spending(Protocol):
    """What a process takes. Raises OSError when there is none any more."""

    def memory(self) -> int: ...
    def peak(self) -> int: ...
    def cpu(self) -> float: ...
    def descriptors(self) -> int: ...


class OfProcess(Usage):
    """As Spending."""

    def __init__(self, pid: int) -> None:
        super().__init__([pid])
        self._pid = pid

    def peak(self) -> int:
        # A process that has ended and waits for its parent has none.
        peak = super().peak()
        if peak == 0:
            raise ProcessLookupError(f"{self._pid} has ended")
        return peak

    def descriptors(self) -> int:
        return len(list(pathlib.Path(f"/proc/{self._pid}/fd").iterdir()))


class Exchanging(Protocol):
    """honest.Honest is one."""

    seconds: list[float]
    failures: list[str]

    def once(self) -> float: ...
    def start(self) -> object: ...
    def stop(self) -> None: ...


@dataclass
class Verdict:
    name: str
    peak: int = 0
    cpu: float = 0.0
    lasted: float = 0.0
    honest: int = 0
    failed: int = 0
    median: float = 0.0
    worst: float = 0.0
    left_mib: int = 0
    left_descriptors: int = 0
    note: str = ""
    complaints: list[str] = field(default_factory=list)
    costs: list[str] = field(default_factory=list)  # complaints that only an edge could avert

    def row(self) -> str:
        return (f"| {self.name} | {self.peak} | {self.cpu:.1f} | {self.lasted:.1f} | {self.honest}"
                f"{f' of {self.honest + self.failed}' if self.failed else ''} | {self.median:.2f} | {self.worst:.2f} "
                f"| {self.left_mib} | {self.left_descriptors} | {self.note} |")


HEAD = ("| attack | peak MiB | relay's CPU, s | of s | honest | median s | worst s | MiB after | descriptors after | |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")


class Judge:
    """Of one attack on a relay that was started for it. With `only_afterwards` what the attack costs is told, and is no
    complaint: only that the relay serves as before when it is over, and holds no descriptor."""

    def __init__(self, name: str, spending: Spending, honest: Exchanging, only_afterwards: bool = False,
                 patience: float = PATIENCE) -> None:
        self.verdict = Verdict(name)
        self._spending, self._honest = spending, honest
        self._only_afterwards, self._patience = only_afterwards, patience
        self._enough = 1 if only_afterwards else ENOUGH
        # Warms both up: the relay's first exchange takes memory that it keeps.
        self._usual = min(honest.once() for _ in range(3))
        self._before = (spending.memory(), spending.descriptors())
        self._cpu, self._began = spending.cpu(), time.monotonic()
        honest.start()

    def has_seen_enough(self) -> bool:
        """Of honest exchanges during the attack; where they are not judged one will do."""
        return len(self._honest.seconds) + len(self._honest.failures) >= self._enough

    def end(self, note: str) -> Verdict:
        """The attack is over, and its connections are closed. It has a note for the table."""
        verdict = self.verdict
        verdict.lasted, verdict.note = time.monotonic() - self._began, note
        self._honest.stop()
        verdict.honest, verdict.failed = len(self._honest.seconds), len(self._honest.failures)
        verdict.median = statistics.median(self._honest.seconds) if self._honest.seconds else 0
        verdict.worst = max(self._honest.seconds, default=0)
        try:
            verdict.cpu = self._spending.cpu() - self._cpu
            verdict.peak = self._spending.peak()
            self._await_calm()
        except OSError as gone:
            verdict.complaints.append(f"the relay has died: {gone}")
            return verdict
        (verdict.costs if self._only_afterwards else verdict.complaints).extend(self._complaints_of_meanwhile())
        verdict.complaints += self._complaints_of_rest() + self._complaints_of_service()
        return verdict

    def _bound(self) -> float:
        return max(MOST_SECONDS, MOST_TIMES * self._usual)

    def _await_calm(self) -> None:
        end = time.monotonic() + self._patience
        while True:
            self.verdict.left_mib = self._spending.memory()
            self.verdict.left_descriptors = self._spending.descriptors()
            if not self._complaints_of_rest() or time.monotonic() > end:
                return
            time.sleep(0.1)

    def _complaints_of_rest(self) -> list[str]:
        mib, numbers = self._before
        complaints = []
        # Without the edge that they need, attacks leave a few MiB more behind, in a heap full of holes.
        if not self._only_afterwards and self.verdict.left_mib > BACK_WITHIN * mib + KEPT_MIB:
            complaints.append(f"{self.verdict.left_mib} MiB are left of what was {mib} before")
        if self.verdict.left_descriptors > BACK_WITHIN * numbers + KEPT_DESCRIPTORS:
            complaints.append(f"{self.verdict.left_descriptors} descriptors are left of what were {numbers} before")
        return complaints

    def _complaints_of_meanwhile(self) -> list[str]:
        verdict = self.verdict
        complaints = []
        if verdict.note.startswith("FAILED"):
            complaints.append(verdict.note)
        if verdict.peak > MOST_MIB:
            complaints.append(f"{verdict.peak} MiB at the peak, more than {MOST_MIB}")
        if verdict.failed or verdict.honest < self._enough:
            complaints.append(f"{verdict.failed} honest exchanges failed, {verdict.honest} did not: "
                              f"{self._honest.failures[:1]}")
        if verdict.worst > self._bound():
            complaints.append(f"an honest exchange took {verdict.worst:.2f} s, more than {self._bound():.2f}")
        return complaints

    def _complaints_of_service(self) -> list[str]:
        try:
            took = self._honest.once()
        except (AssertionError, subprocess.TimeoutExpired) as failure:
            return [f"afterwards nothing goes any more: {failure}"]
        if took > self._bound():
            return [f"afterwards an exchange takes {took:.2f} s, more than {self._bound():.2f}"]
        return []
