"""The steps of a rolling update."""

import unittest

from rollout import PodView, Step, next_step


def pods(*kinds: str) -> list[PodView]:
    """Of letters: n new, o old; capital and available, small and not ready, with ' ready but not for long."""
    return [PodView(f"{kind[0]}{i}", kind[0] in "nN", kind[0].isupper() or "'" in kind, kind[0].isupper())
            for i, kind in enumerate(kinds)]


class NextStep(unittest.TestCase):
    def test_first_makes_all(self) -> None:
        self.assertEqual(next_step(3, 1, 0, []), Step(3, ()))

    def test_surges_by_one(self) -> None:
        self.assertEqual(next_step(3, 1, 0, pods("O", "O", "O")), Step(1, ()))

    def test_waits_for_a_new_one(self) -> None:
        self.assertEqual(next_step(3, 1, 0, pods("O", "O", "O", "n")), Step(0, ()))

    def test_ready_is_not_yet_available(self) -> None:
        self.assertEqual(next_step(3, 1, 0, pods("O", "O", "O", "n'")), Step(0, ()))

    def test_then_an_old_one_goes(self) -> None:
        self.assertEqual(next_step(3, 1, 0, pods("O", "O", "O", "N")), Step(0, ("O2",)))

    def test_and_the_next_comes(self) -> None:
        self.assertEqual(next_step(3, 1, 0, pods("O", "O", "N")), Step(1, ()))

    def test_ends(self) -> None:
        self.assertEqual(next_step(3, 1, 0, pods("N", "N", "N")), Step(0, ()))

    def test_unavailable_without_surge(self) -> None:
        self.assertEqual(next_step(3, 0, 1, pods("O", "O", "O")), Step(0, ("O2",)))
        self.assertEqual(next_step(3, 0, 1, pods("O", "O")), Step(1, ()))

    def test_old_ones_that_do_not_serve_go_first(self) -> None:
        self.assertEqual(next_step(3, 0, 1, pods("o", "O", "O")), Step(0, ("o0",)))

    def test_a_new_one_that_never_serves_costs_no_old_one(self) -> None:
        self.assertEqual(next_step(3, 1, 1, pods("O", "O", "n", "n")), Step(0, ()))

    def test_scales_down_those_that_do_not_serve_and_the_youngest(self) -> None:
        self.assertEqual(next_step(1, 1, 0, pods("n", "N", "N")), Step(0, ("n0", "N2")))


if __name__ == "__main__":
    unittest.main()
