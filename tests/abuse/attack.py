"""What an attack is, and what it is let loose on."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import stranger  # noqa: F401  (finds tests/edge)
from http2 import Connection

STRANGER = "127.0.0.9"
PATIENCE = 60.0


@dataclass
class Target:
    """The relay under attack, or the edge before it."""

    address: str
    metrics: str
    trust: object = None
    size: int = 1

    @property
    def scheme(self) -> bytes:
        return b"http" if self.trust is None else b"https"

    def resized(self, size: int) -> "Target":
        return replace(self, size=size)

    def connect(self, source: str = STRANGER, patience: float = PATIENCE) -> Connection:
        return Connection(self.address, self.trust, source, patience)  # type: ignore[arg-type]

    def socket(self, source: str = STRANGER, address: str = "") -> socket.socket:
        host, port = (address or self.address).rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=PATIENCE, source_address=(source, 0))


@dataclass
class Attack:
    name: str
    run: Callable[[Target], str]  # returns a note for the table; one that begins with FAILED is a complaint
    size: int  # about how much work it makes: a tenth of it in a short run
    flags: tuple[str, ...] = ()  # of the relay
    tls: bool = False
    descriptors: int = 0  # most that the relay may have; 0: as many as the system gives
    # Only an edge holds it off: it is run without one, where what it costs is printed, and behind one, where it is judged.
    needs_edge: bool = False
    # To be hung up on, or not to be let in any more, is as good an end as any. Of other attacks it is a failure, since what
    # they look at was not looked at.
    may_be_cut: bool = False
    # Its first round is all of it: what is looked at is how the relay goes on.
    once: bool = False


ATTACKS: list[Attack] = []


def attack(name: str, size: int, *flags: str, tls: bool = False, descriptors: int = 0, needs_edge: bool = False,
           may_be_cut: bool = False, once: bool = False) -> Callable[[Callable[[Target], str]], Callable[[Target], str]]:
    def enlist(run: Callable[[Target], str]) -> Callable[[Target], str]:
        ATTACKS.append(Attack(name, run, size, flags, tls, descriptors, needs_edge, may_be_cut, once))
        return run
    return enlist


def sources(count: int, first: int = 0) -> Iterator[str]:
    """As many addresses of loopback."""
    for number in range(first, first + count):
        yield f"127.1.{number // 250}.{number % 250 + 1}"


@contextmanager
def closing() -> Iterator[list]:  # type: ignore[type-arg]
    opened: list = []  # type: ignore[type-arg]
    try:
        yield opened
    finally:
        for one in opened:
            one.close()


def is_cut(one: socket.socket, patience: float) -> bool:
    """The other end hangs up within this time, whatever it says before."""
    end = time.monotonic() + patience
    try:
        while (left := end - time.monotonic()) > 0:
            one.settimeout(left)
            if not one.recv(65536):
                return True
    except TimeoutError:
        return False
    except OSError:
        return True
    return False
