"""What happened when, in seconds since the rehearsal began."""

import dataclasses
import time


@dataclasses.dataclass(frozen=True)
class Event:
    at: float
    who: str
    what: str

    def __str__(self) -> str:
        return f"{self.at:7.2f}  {self.who}: {self.what}"


class Timeline:
    def __init__(self) -> None:
        self._began = time.monotonic()
        self.began_wall = time.time()
        self.events: list[Event] = []

    def now(self) -> float:
        return time.monotonic() - self._began

    def note(self, who: str, what: str) -> None:
        self.events.append(Event(self.now(), who, what))

    def between(self, begin: float, end: float) -> list[Event]:
        return [event for event in self.events if begin <= event.at <= end]
