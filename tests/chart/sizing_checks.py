"""Whether relays let in as many sides as it is said that they hold, and as autoscaling waits for: by their own
limits, and by what deploy/README.md says that a side takes."""

from __future__ import annotations

import dataclasses
import re
from typing import Callable, Iterator

import documents
import helm
import relay_flags
from bench import ROOT, Bench, Check, Planted, Problems
from content_checks import printed_configs
from documents import Document

PAGE = ROOT / "deploy/README.md"
# Of three relays that have what the autoscaler wants each, two, when one is gone.
WITH_ONE_LESS = 1.5
# The relay refuses newcomers from seven eighths of its --max-memory on, and those whom it has let in may take a little
# more: its pod is not to be killed for that.
REFUSES_FROM, OF_THE_POD = 7 / 8, 3 / 4
METRIC = "wormhole_attached_sides"


@dataclasses.dataclass(frozen=True)
class Limits:
    """Those in force. Of numbers 0 is none."""

    connections: int
    streams: int
    memory: int  # MiB
    killed_at: int  # bytes


@dataclasses.dataclass(frozen=True)
class Prices:
    """In bytes, of a relay and of each side that has a connection of its own."""

    process: int
    side: int
    side_with_tls: int

    def of(self, sides: float, tls: bool) -> float:
        return self.process + sides * (self.side_with_tls if tls else self.side)


def prices(page: str) -> Prices:
    process = re.search(r"^\| memory \| of the process \| (\d+) MB \|", page, re.M)
    side = re.search(r"its own connection \| (\d+) KB; (\d+) KB when the relay ends TLS \|", page)
    assert process and side, "deploy/README.md does not say what a side takes"
    return Prices(int(process[1]) * 10**6, int(side[1]) * 1000, int(side[2]) * 1000)


def bytes_of(quantity: str | int) -> int:
    """Of Kubernetes' quantities those that are memory."""
    found = re.fullmatch(r"(\d+)([kKMGTPE]?)(i?)", str(quantity))
    assert found, quantity
    return int(found[1]) * (1024 if found[3] else 1000) ** " KMGTPE".index(found[2].upper() or " ")


def too_many(sides: float, tls: bool, limits: Limits, price: Prices) -> Iterator[str]:
    """What keeps a relay from holding so many sides that have connections of their own."""
    for what, most in (("max-connections", limits.connections), ("max-streams", limits.streams)):
        if most and sides > most:
            yield f"{what} is {most}"
    if limits.memory:
        newcomers = limits.memory * 2**20 * REFUSES_FROM
        if price.of(sides, tls) > newcomers:
            yield f"max-memory is {limits.memory} MiB, and they take {price.of(sides, tls) / 2**20:.0f}"
        if limits.memory * 2**20 > limits.killed_at * OF_THE_POD:
            yield f"max-memory is {limits.memory} MiB, and the pod is killed at {limits.killed_at / 2**20:.0f}"


def _in_force(bench: Bench, objects: list[Document]) -> Limits:
    ((_, _, done),) = printed_configs(bench, objects)
    found = relay_flags.of_print_config(done.stdout)
    (relay,) = documents.workload(objects)["spec"]["template"]["spec"]["containers"]
    return Limits(*(int(found[f"max-{what}"].value) for what in ("connections", "streams", "memory")),
                  killed_at=bytes_of(relay["resources"]["limits"]["memory"]))


def _unreachable(bench: Bench, objects: list[Document], price: Prices) -> Problems:
    """Why a relay never has as many sides as autoscaling waits for, or cannot take those of one that is gone."""
    (relay,) = documents.workload(objects)["spec"]["template"]["spec"]["containers"]
    tls = any(argument.startswith("--tls-cert=") for argument in relay["args"])
    limits = _in_force(bench, objects)
    found = []
    for scaler in documents.of_kind(objects, "HorizontalPodAutoscaler"):
        for metric in scaler["spec"]["metrics"]:
            if metric["type"] == "Pods" and metric["pods"]["metric"]["name"] == METRIC:
                sides = int(metric["pods"]["target"]["averageValue"]) * WITH_ONE_LESS
                found += [f"autoscaling goes by {sides / WITH_ONE_LESS:.0f} sides a relay, {sides:.0f} with one "
                          f"less, but {why}" for why in too_many(sides, tls, limits, price)]
    # Also where nothing scales.
    return found or list(too_many(0, tls, limits, price))


def reachable(bench: Bench) -> Problems:
    price = prices(PAGE.read_text())
    # Of an option that turns TLS on beside autoscaling there is none: the default has to fit both.
    with_tls = helm.ValueSet("autoscaling-with-tls", "etcd", {
        "autoscaling": {"enabled": True}, "tls": {"secretName": "relay-tls"}})
    rendered = [*bench.renderings_once,
                helm.Rendering(with_tls, "helm", bench.helm.template("helm", with_tls))]
    return [f"{one.values.name}: {why}" for one in rendered
            for why in _unreachable(bench, one.documents, price)]


def reachable_planted(bench: Bench) -> Planted:
    price = prices(PAGE.read_text())

    def of(name: str, old: str, new: str) -> Problems:
        text = bench.rendering(name).text
        assert old in text, old
        return _unreachable(bench, documents.load(text.replace(old, new)), price)

    yield "more sides than connections", of("autoscaling", 'averageValue: "1200"', 'averageValue: "1366"')
    yield "a flag file that lets in fewer", of("everything", 'max-connections="6500"', 'max-connections="5999"')
    yield "fewer streams", of("everything", 'max-connections="6500"', 'max-connections="6500"\n    max-streams="5999"')
    yield "more sides than memory", of("everything", 'max-memory="768"', 'max-memory="512"')
    yield "a pod that is killed first", of("everything", "memory: 1Gi", "memory: 800Mi")
    yield "a pod that is killed first, where nothing scales", of("sqlite", "memory: 512Mi", "memory: 256M")


ROW = re.compile(r"^\| ([\d,]+) \| (\d+) \| (\d+) \| (\d+) \| (\d+\wi) \|", re.M)


def _wrong_sizes(page: str, defaults: Limits) -> Problems:
    """Where a row of the page's table, each with TLS, does not hold what it says; the first are the defaults."""
    rows = [(int(row[0].replace(",", "")), Limits(int(row[1]), int(row[2]), int(row[3]), bytes_of(row[4])))
            for row in ROW.findall(page)]
    found = [f"{sides} sides: {why}" for sides, limits in rows
             for why in too_many(sides, True, limits, prices(page))]
    if not rows or rows[0][1] != defaults:
        found.append(f"the first row of the table of sizes has not the defaults, {defaults}")
    return found


def sizes(bench: Bench) -> Problems:
    return _wrong_sizes(PAGE.read_text(), _in_force(bench, bench.rendering("defaults").documents))


def sizes_planted(bench: Bench) -> Planted:
    page = PAGE.read_text()
    defaults = _in_force(bench, bench.rendering("defaults").documents)
    changes: list[tuple[str, Callable[[str], str]]] = [
        ("sides that take more", lambda text: text.replace("; 107 KB", "; 127 KB")),
        ("more sides", lambda text: text.replace("| 1,900 |", "| 2,000 |")),
        ("another default", lambda text: text.replace("| 1,900 | 2048 |", "| 1,900 | 2047 |")),
        ("no table", lambda text: ROW.sub("", text))]
    for what, change in changes:
        yield what, _wrong_sizes(change(page), defaults)


CHECKS = [
    Check("relays hold what autoscaling goes by, and are not killed before they refuse", reachable,
          reachable_planted),
    Check("deploy/README.md's table of sizes", sizes, sizes_planted),
]
