"""Each complaint of the judge, provoked by a relay that is none: a judge who finds nothing wrong with it shows nothing."""

import threading
import unittest
from collections.abc import Callable
from unittest import mock

import attacker
import judge
from attack import Attack, Target
from attacker import Attacker, Said, note_of
from judge import ENOUGH, MOST_MIB, MOST_SECONDS, Judge, Verdict


class PlantedSpending:
    """What a relay takes: the first number before the attack, the second one after it."""

    def __init__(self, memory: tuple[int, int] = (20, 20), descriptors: tuple[int, int] = (15, 15), peak: int = 30,
                 died: bool = False) -> None:
        self._memory, self._descriptors, self._peak, self._died = memory, descriptors, peak, died
        self._asked: set[str] = set()

    def _one_of(self, what: str, numbers: tuple[int, int]) -> int:
        first = what not in self._asked
        self._asked.add(what)
        return numbers[0 if first else 1]

    def memory(self) -> int:
        return self._one_of("memory", self._memory)

    def descriptors(self) -> int:
        return self._one_of("descriptors", self._descriptors)

    def peak(self) -> int:
        if self._died:
            raise ProcessLookupError("it is gone")
        return self._peak

    def cpu(self) -> float:
        return 0.0


class PlantedHonest:
    """Their exchanges during the attack, and how long those take that the judge asks for himself: three before, one after."""

    def __init__(self, seconds: list[float], failures: tuple[str, ...] = (), after: "float | Exception" = 0.1) -> None:
        self.seconds, self.failures = seconds, list(failures)
        self._next: list[float | Exception] = [0.1, 0.1, 0.1, after]

    def once(self) -> float:
        took = self._next.pop(0)
        if isinstance(took, Exception):
            raise took
        return took

    def start(self) -> "PlantedHonest":
        return self

    def stop(self) -> None:
        pass


def judged(spending: PlantedSpending | None = None, honest: PlantedHonest | None = None, note: str = "",
           only_afterwards: bool = False) -> Verdict:
    return Judge("an attack", spending or PlantedSpending(), honest or PlantedHonest([0.1] * ENOUGH), only_afterwards,
                 patience=0).end(note)


class JudgeTest(unittest.TestCase):
    def assert_one_complaint(self, verdict: Verdict, words: str) -> None:
        self.assertEqual([words in complaint for complaint in verdict.complaints], [True], verdict.complaints)

    def test_a_relay_that_held(self) -> None:
        verdict = judged(note="refused")
        self.assertEqual((verdict.complaints, verdict.costs), ([], []))
        self.assertIn(f"| an attack | 30 | 0.0 | 0.0 | {ENOUGH} | 0.10 | 0.10 | 20 | 15 | refused |", verdict.row())

    def test_memory_at_the_peak(self) -> None:
        self.assertEqual(judged(PlantedSpending(peak=MOST_MIB)).complaints, [])
        self.assert_one_complaint(judged(PlantedSpending(peak=MOST_MIB + 1)), "at the peak")

    def test_memory_afterwards(self) -> None:
        self.assert_one_complaint(judged(PlantedSpending(memory=(20, 60))), "60 MiB are left of what was 20")

    def test_descriptors_afterwards(self) -> None:
        self.assert_one_complaint(judged(PlantedSpending(descriptors=(15, 28))), "28 descriptors are left")

    def test_an_honest_exchange_that_failed(self) -> None:
        self.assert_one_complaint(judged(honest=PlantedHonest([0.1] * 9, ("nobody came",))), "1 honest exchanges failed")

    def test_no_honest_exchanges_at_all(self) -> None:
        self.assert_one_complaint(judged(honest=PlantedHonest([])), "0 did not")

    def test_an_honest_exchange_that_was_slow(self) -> None:
        self.assert_one_complaint(judged(honest=PlantedHonest([0.1] * ENOUGH + [MOST_SECONDS + 0.1])), "took 2.10 s")

    def test_nothing_goes_afterwards(self) -> None:
        self.assert_one_complaint(judged(honest=PlantedHonest([0.1] * ENOUGH, after=AssertionError("no answer"))),
                                  "nothing goes any more: no answer")

    def test_it_is_slow_afterwards(self) -> None:
        self.assert_one_complaint(judged(honest=PlantedHonest([0.1] * ENOUGH, after=MOST_SECONDS + 0.1)),
                                  "afterwards an exchange takes")

    def test_the_relay_died(self) -> None:
        self.assert_one_complaint(judged(PlantedSpending(died=True)), "has died")

    def test_what_the_attack_itself_saw(self) -> None:
        self.assert_one_complaint(judged(note="FAILED: 3 believed"), "3 believed")

    def test_without_an_edge_costs_are_told_and_what_is_left_is_judged(self) -> None:
        verdict = judged(PlantedSpending(memory=(20, 60), peak=500, descriptors=(15, 40)),
                         PlantedHonest([9.0], ("nobody came",)), "FAILED: 3 believed", only_afterwards=True)
        self.assert_one_complaint(verdict, "descriptors are left")
        self.assertEqual(len(verdict.costs), 4, verdict.costs)
        nothing_goes = PlantedHonest([0.1] * ENOUGH, after=AssertionError("no answer"))
        self.assert_one_complaint(judged(honest=nothing_goes, only_afterwards=True), "nothing goes any more")

    def test_a_dead_process_takes_nothing(self) -> None:
        with self.assertRaises(OSError):
            judge.OfProcess(2 ** 22 + 1).peak()


class NoteTest(unittest.TestCase):
    """Which word of several rounds is kept."""

    def test_a_failure_of_any_round_is(self) -> None:
        rounds = [Said("held"), Said("FAILED: first"), Said("held"), Said("FAILED: second")]
        self.assertEqual(note_of(Attack("", lambda _: "", 1), rounds), "FAILED: first")

    def test_else_the_first_is(self) -> None:
        self.assertEqual(note_of(Attack("", lambda _: "", 1), [Said("100 held"), Said("17 held")]), "100 held")

    def test_who_may_be_hung_up_on_and_who_may_not(self) -> None:
        rounds = [Said("held"), Said("ended by a reset", gone=True)]
        self.assertEqual(note_of(Attack("", lambda _: "", 1, may_be_cut=True), rounds), "held")
        self.assertIn("FAILED: ended by a reset", note_of(Attack("", lambda _: "", 1), rounds))


class AttackerTest(unittest.TestCase):
    def said(self, run: Callable[[Target], str], rounds: int = 1, may_be_cut: bool = False) -> str:
        one = Attacker(Attack("", run, 1, may_be_cut=may_be_cut), Target("", ""))
        self.addCleanup(one.end)
        left = iter(range(rounds))
        return one.run(lambda: next(left, None) is None)

    def test_rounds_until_enough_was_seen(self) -> None:
        count = iter(range(9))
        self.assertEqual(self.said(lambda _: f"{next(count)}", rounds=3), "0")

        def fails_at_last(_: Target) -> str:
            return "FAILED: at last" if next(count) == 2 else "held"

        self.assertEqual(self.said(fails_at_last, rounds=9), "FAILED: at last")

    def test_one_round_where_that_is_all_of_it(self) -> None:
        count = iter(range(9))
        left = iter(range(2))
        one = Attacker(Attack("", lambda _: "held" if next(count) == 0 else "FAILED: again", 1, once=True), Target("", ""))
        self.addCleanup(one.end)
        self.assertEqual(one.run(lambda: next(left, None) is None), "held")

    def test_who_is_hung_up_on(self) -> None:
        def hung_up(_: Target) -> str:
            raise ConnectionResetError("a reset")

        self.assertIn("FAILED: ended by a reset", self.said(hung_up))
        self.assertEqual(self.said(hung_up, may_be_cut=True), "ended by a reset")

    def test_who_gets_no_answer(self) -> None:
        def waits(_: Target) -> str:
            raise TimeoutError("timed out")

        self.assertIn("FAILED: the relay neither answers nor hangs up", self.said(waits, may_be_cut=True))

    def test_an_attack_with_a_fault(self) -> None:
        def faulty(_: Target) -> str:
            raise KeyError("channel")

        self.assertIn("FAILED: the attack itself is broken", self.said(faulty, may_be_cut=True))

    def test_an_attack_that_dies_and_one_that_hangs(self) -> None:
        self.assertIn("FAILED: the attack's process has died", self.said(lambda _: exit(3)))
        with mock.patch.object(attacker, "LONGEST_ROUND", 0.05):
            self.assertIn("FAILED: the attack hangs", self.said(lambda _: threading.Event().wait() or ""))


if __name__ == "__main__":
    unittest.main()
