"""What became of the exchanges of a rehearsal, and whether that will do."""

import dataclasses
import datetime
import json
import pathlib

from exchange import Kind, Plan, Result
from timeline import Timeline

_LINES = 12  # of a log, of an exchange


@dataclasses.dataclass(frozen=True)
class Verdict:
    exchanges: int
    failed: list[Result]
    slowest: float  # on account of what was done to the relays
    too_slow: list[Result]
    order: list[Result]  # those that did not fail, the slowest first


@dataclasses.dataclass(frozen=True)
class Everyday:
    """What an exchange takes of itself, on this machine and at this time: no longer than the longest of those
    that had ended before anything was done, and of those that met meanwhile at a relay to which nothing was
    done. Check-in mode waits for its ticks, and other work on the machine is on nobody's account."""

    before: list[Result]
    control: list[Result]

    def of(self, result: Result) -> float:
        # Those who wait long are quick ones beside their pause.
        kind = Kind.CHECK_IN if result.plan.kind == Kind.CHECK_IN else Kind.QUICK
        waits = [one.wait for one in self.before if one.plan.kind == kind]
        waits += [one.wait for one in self.control
                  if one.plan.kind == kind and one.ended > result.began and one.began < result.ended]
        return max(waits, default=0.0)


def judge(results: list[Result], control: list[Result], disturbed_at: float, limit: float) -> Verdict:
    before = [result for result in results if not result.failure and result.ended < disturbed_at]
    if not any(result.plan.kind == Kind.QUICK for result in before):
        raise AssertionError("no exchange has ended undisturbed, so that nothing can be said of the others")
    undisturbed = [result for result in control if not result.failure]
    if len(undisturbed) < len(control):
        raise AssertionError("an exchange failed at a relay to which nothing was done")
    return _judge(results, Everyday(before, undisturbed), limit)


def judge_alone(results: list[Result], limit: float) -> Verdict:
    return _judge(results, Everyday([], []), limit)


def longest_stream(plan: Plan, logs: pathlib.Path) -> float:
    """How long the longest of an exchange's streams was open, in seconds; they have to be over."""
    return max((line_seconds(line) for _, _, line in _relays(plan, logs)), default=0.0)


def _judge(results: list[Result], everyday: Everyday, limit: float) -> Verdict:
    failed = [result for result in results if result.failure]
    rest = {id(result): max(0.0, result.wait - everyday.of(result)) for result in results if not result.failure}
    order = sorted((result for result in results if not result.failure), key=lambda result: -rest[id(result)])
    slow = [result for result in order if rest[id(result)] > limit]
    return Verdict(len(results), failed, max(rest.values(), default=0.0), slow, order)


def story(result: Result, timeline: Timeline, logs: pathlib.Path) -> str:
    """All that is known of an exchange: what its sides said, where it was, and what happened meanwhile."""
    plan = result.plan
    lines = [f"exchange {plan.number} ({plan.kind.value}): {result.failure or f'took {result.wait:.2f} s'}",
             f"  from {result.began:.2f} to {result.ended:.2f}, the second side {plan.pause:.1f} s after the code,"
             f" initiator by {plan.initiators_way}, receiver by {plan.receivers_way}"]
    entries = [(at, text) for at, text in result.said]
    where = _relays(plan, logs)
    entries += [(at - timeline.began_wall, f"{pod}: {text}") for pod, at, text in where]
    pods = {pod for pod, _, _ in where}
    for event in timeline.between(result.began, result.ended):
        if event.who in pods or not where:
            entries.append((event.at, f"{event.who}: {event.what}"))
    lines += [f"  {at:8.2f}  {text}" for at, text in sorted(entries)[:4 * _LINES]]
    return "\n".join(lines)


def _relays(plan: Plan, logs: pathlib.Path) -> list[tuple[str, float, str]]:
    """The relays' own lines of the exchange, with the pod and the time."""
    found = []
    for log in sorted(logs.glob("*.log")):
        for line in log.read_text(errors="replace").splitlines():
            if line_app(line) == plan.app:
                found.append((log.stem, line_time(line), line))
    return found


def line_app(line: str) -> str:
    if line.startswith("{"):
        try:
            return str(json.loads(line).get("app", ""))
        except ValueError:
            return ""
    return next((word[4:] for word in line.split() if word.startswith("app=")), "")


def line_seconds(line: str) -> float:
    if line.startswith("{"):
        return float(json.loads(line)["seconds"])
    return next((float(word[8:]) for word in line.split() if word.startswith("seconds=")), 0.0)


def line_time(line: str) -> float:
    text = str(json.loads(line)["time"]) if line.startswith("{") else line.split()[0]
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
