"""Attacks the shipped relay while honest people use it, and judges what became of both. tests/abuse/run starts it."""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

from abuses import ATTACKS, PLANTED
from attack import Attack
from edge import program
from judge import HEAD, Verdict
from scene import Scene

EDGE = "haproxy"
# What an attack that only an edge holds off does to a relay without one is told, and need not be told at length.
SHARE_WITHOUT_EDGE = 10
# Behind an edge it costs less, so that more of it takes no longer.
MORE_BEHIND_EDGE = 2
# A short run takes about five minutes on two cores. One that takes so many is not short.
MOST_MINUTES = 10


class Runner:
    """Of what the command line asks for."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._has_edge = program(EDGE) is not None
        self.run = self.failed = 0

    def _is_wanted(self, attack: Attack) -> bool:
        return self._options.only in attack.name and (attack.needs_edge or not self._options.behind_edge)

    def _play(self, attack: Attack, share: int, edge: str = "") -> Verdict:
        options = self._options
        with Scene(attack, options.relay, options.sync, share, options.flag, edge) as scene:
            return scene.play()

    def _verdicts(self, attack: Attack) -> Iterator[Verdict]:
        share = self._options.share
        if not attack.needs_edge:
            yield self._play(attack, share)
            return
        yield self._play(attack, max(share, SHARE_WITHOUT_EDGE))
        if self._has_edge:
            yield self._play(attack, max(1, share // MORE_BEHIND_EDGE), EDGE)

    def attack_all(self) -> None:
        for attack in ATTACKS:
            if not self._is_wanted(attack):
                continue
            for verdict in self._verdicts(attack):
                print(verdict.row(), flush=True)
                for cost in verdict.costs:
                    print(f"  without an edge: {verdict.name}: {cost}", flush=True)
                for complaint in verdict.complaints:
                    print(f"  FAILED: {verdict.name}: {complaint}", flush=True)
                self.run += 1
                self.failed += bool(verdict.complaints)
        if not self._has_edge:
            behind = sum(attack.needs_edge and self._is_wanted(attack) for attack in ATTACKS)
            print(f"SKIPPED: {behind} attacks through {EDGE}, which is not installed (deploy/packages test)", flush=True)

    def attack_without_limits(self) -> None:
        """A relay that must not pass, since what would hold the attack off is switched off."""
        for attack, flags, word in PLANTED:
            if not self._is_wanted(attack):
                continue
            planted = replace(attack, name=f"{attack.name}, without {' '.join(flags)}", flags=(*attack.flags, *flags))
            verdict = self._play(planted, SHARE_WITHOUT_EDGE)
            print(verdict.row(), flush=True)
            print(f"  planted: {verdict.name}: {verdict.complaints}", flush=True)
            self.run += 1
            if not any(word in complaint for complaint in verdict.complaints):
                print(f"  FAILED: {verdict.name}: the judge does not find that {word!r} it is too much", flush=True)
                self.failed += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("relay")
    parser.add_argument("sync")
    parser.add_argument("--share", type=int, default=10, help="one in so many of each attack's work")
    parser.add_argument("--only", default="", help="attacks with this in their name")
    parser.add_argument("--behind-edge", action="store_true", help="only those that an edge has to hold off")
    parser.add_argument("--flag", action="append", default=[], help="of the relay, besides; may come again")
    runner = Runner(options := parser.parse_args())
    began = time.monotonic()
    print(HEAD, flush=True)
    runner.attack_all()
    runner.attack_without_limits()
    minutes = (time.monotonic() - began) / 60
    if options.share >= SHARE_WITHOUT_EDGE and minutes > MOST_MINUTES:
        print(f"FAILED: a short run of {minutes:.1f} minutes, more than {MOST_MINUTES}", flush=True)
        runner.failed += 1
    print(f"{runner.run} attacks in {minutes:.1f} minutes, {runner.failed} failed", flush=True)
    return 1 if runner.failed or not runner.run else 0


if __name__ == "__main__":
    sys.exit(main())
