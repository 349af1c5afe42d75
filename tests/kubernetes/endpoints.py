"""Which pods a Service leads to: what was true of them a moment ago."""

import dataclasses

DELAY = 1.0  # from a change of a pod to the last node's rules, as measured on a real cluster


@dataclasses.dataclass(frozen=True)
class Endpoint:
    pod: str
    address: str


class Endpoints:
    """Takes changes as they happen and gives them out DELAY later, in their order."""

    def __init__(self) -> None:
        self._now: set[Endpoint] = set()
        self._coming: list[tuple[float, Endpoint, bool]] = []

    def change(self, now: float, endpoint: Endpoint, serves: bool) -> None:
        self._coming.append((now + DELAY, endpoint, serves))

    def at(self, now: float) -> list[Endpoint]:
        while self._coming and self._coming[0][0] <= now:
            _, endpoint, serves = self._coming.pop(0)
            if serves:
                self._now.add(endpoint)
            else:
                self._now.discard(endpoint)
        return sorted(self._now, key=lambda endpoint: endpoint.address)
