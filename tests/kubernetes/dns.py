"""The cluster's DNS: names of Services and of their pods, as CoreDNS answers them."""

import asyncio
import struct
from collections.abc import Callable
from typing import cast

TTL = 5.0  # CoreDNS's for names of the cluster
_A, _NXDOMAIN = 1, 3


def resolv_conf(namespace: str, server: str) -> str:
    """As Kubernetes writes it into each pod."""
    return (f"search {namespace}.svc.cluster.local svc.cluster.local cluster.local\n"
            f"nameserver {server}\noptions ndots:5\n")


LookUp = Callable[[str], list[str] | None]  # None when there is no such name


class Cache:
    """Stands before a look-up and repeats its answers for their time to live, as caches on nodes do."""

    def __init__(self, look_up: LookUp, now: Callable[[], float]) -> None:
        self._look_up = look_up
        self._now = now
        self._known: dict[str, tuple[float, list[str] | None]] = {}

    def __call__(self, name: str) -> list[str] | None:
        until, addresses = self._known.get(name, (0.0, None))
        if self._now() >= until:
            addresses = self._look_up(name)
            self._known[name] = (self._now() + TTL, addresses)
        return addresses


def answer(query: bytes, look_up: LookUp) -> bytes | None:
    """The response to one question; None if it is not one."""
    try:
        ident, flags, questions = struct.unpack_from("!HHH", query)
        if flags & 0x8000 or questions != 1:
            return None
        name, at = _read_name(query, 12)
        kind, _ = struct.unpack_from("!HH", query, at)
    except (struct.error, IndexError, UnicodeDecodeError):
        return None
    addresses = look_up(name.lower())
    code = _NXDOMAIN if addresses is None else 0
    found = (addresses or []) if kind == _A else []
    head = struct.pack("!HHHHHH", ident, 0x8580 | code, 1, len(found), 0, 0)
    records = b"".join(
        b"\xc0\x0c" + struct.pack("!HHIH", _A, 1, int(TTL), 4) + bytes(int(part) for part in address.split("."))
        for address in found)
    return head + query[12:at + 4] + records


def _read_name(packet: bytes, at: int) -> tuple[str, int]:
    labels = []
    while packet[at] != 0:
        size = packet[at]
        labels.append(packet[at + 1:at + 1 + size].decode("ascii"))
        at += 1 + size
    return ".".join(labels), at + 1


class Server(asyncio.DatagramProtocol):
    def __init__(self, look_up: LookUp) -> None:
        self._look_up = look_up
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        response = answer(data, self._look_up)
        if response is not None and self._transport is not None:
            self._transport.sendto(response, addr)
