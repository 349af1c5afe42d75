"""The process that attacks. It has the processors when nobody else wants them, so that the relay is measured and not its
attacker; and what it does takes no time of the honest."""

import multiprocessing
import os
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import stranger  # noqa: F401  (finds tests/edge)
from attack import Attack, Target
from edge import die_with_parent

# A round that is longer hangs.
LONGEST_ROUND = 600.0
# How often it is looked whether enough has been seen, when the attack has come to its end before.
_PAUSE = 0.1


@dataclass
class Said:
    """What a round has to say. `gone`: it ended before its time, since it was hung up on or not let in."""

    note: str
    gone: bool = False


def _one_round(attack: Attack, target: Target) -> Said:
    try:
        return Said(attack.run(target))
    except TimeoutError as silent:  # a kind of OSError, and the one that is no end
        return Said(f"FAILED: the relay neither answers nor hangs up: {silent}")
    except OSError as gone:
        return Said(f"ended by {gone}", True)
    except Exception:  # noqa: BLE001  (a fault of the attack's own must not look like a relay that held)
        return Said(f"FAILED: the attack itself is broken: {traceback.format_exc(limit=-3)}")


def note_of(attack: Attack, rounds: list[Said]) -> str:
    """Of all rounds: the first that failed, or else what the first had to say, since later ones find a stranger who is
    refused already."""
    for said in rounds:
        if said.note.startswith("FAILED"):
            return said.note
        if said.gone and not attack.may_be_cut:
            return f"FAILED: {said.note}, which no round of this attack should be"
    return rounds[0].note


class Attacker:
    """To be started before there are other threads: it is a fork of this process."""

    def __init__(self, attack: Attack, target: Target) -> None:
        self._attack = attack
        context = multiprocessing.get_context("fork")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=self._serve, args=(other, target), daemon=True)
        self._process.start()
        other.close()

    def _serve(self, pipe, target: Target) -> None:  # type: ignore[no-untyped-def]
        die_with_parent()
        self._pipe.close()
        os.nice(19)
        while pipe.recv():
            pipe.send(_one_round(self._attack, target))

    def run(self, has_seen_enough: Callable[[], bool]) -> str:
        """Rounds, until there is something to judge by. Returns what they have to say."""
        rounds: list[Said] = []
        while not rounds or not has_seen_enough():
            if rounds and (self._attack.once or rounds[-1].gone or rounds[-1].note.startswith("FAILED")):
                time.sleep(_PAUSE)  # the honest are judged as before
            else:
                rounds.append(self._next_round())
        return note_of(self._attack, rounds)

    def _next_round(self) -> Said:
        self._pipe.send(True)
        try:
            return self._pipe.recv() if self._pipe.poll(LONGEST_ROUND) else Said("FAILED: the attack hangs")
        except EOFError:
            return Said("FAILED: the attack's process has died")

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()
