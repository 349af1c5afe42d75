"""Clients that meet all the time, by all ways into the cluster, until they are told that it is enough."""

import asyncio
import random
from collections.abc import Callable

from exchange import Client, Exchange, Kind, Plan, Result

# Exchanges a second. Each side is a process, some are started again and again, and where starting one is dear
# (a virtual machine whose page faults take 18 us each) 4 kept more than a core busy.
RATE = 2.0
# In turn; most people are on the phone, some take their time.
_KINDS = [Kind.QUICK, Kind.CHECK_IN, Kind.QUICK, Kind.WAITING, Kind.QUICK, Kind.CHECK_IN, Kind.QUICK, Kind.FIRST]


class Load:
    def __init__(self, client: Client, ways: list[str], now: Callable[[], float], long_pause: float,
                 rate: float = RATE, kinds: list[Kind] | None = None, first: int = 0) -> None:
        self.results: list[Result] = []
        self._client = client
        self._ways = ways
        self._now = now
        self._long_pause = long_pause
        self._rate = rate
        self._kinds = kinds or _KINDS
        self._random = random.Random(1)
        self._running: set[asyncio.Task[None]] = set()
        self._first = self._begun = first
        self._beginning = asyncio.create_task(self._begin())

    async def finish(self) -> list[Result]:
        """No new ones; returns when all have ended."""
        self._beginning.cancel()
        if self._running:
            await asyncio.wait(self._running)
        if not self._beginning.cancelled() and self._beginning.done():
            self._beginning.result()
        return self.results

    async def _begin(self) -> None:
        while True:
            task = asyncio.create_task(self._one(self._plan()))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            await asyncio.sleep(1 / self._rate)

    def _plan(self) -> Plan:
        number = self._begun
        self._begun += 1
        kind = self._kinds[(number - self._first) % len(self._kinds)]
        if kind in (Kind.WAITING, Kind.FIRST):
            pause = self._long_pause
        else:
            pause = self._random.uniform(0.1, 1.5)
        return Plan(number, kind, self._random.choice(self._ways), self._random.choice(self._ways), pause)

    async def _one(self, plan: Plan) -> None:
        self.results.append(await Exchange(self._client, plan, self._now).run())
