"""Those who connect, and say nothing, half of it, or something else; and those who are many."""

import socket
import time
from collections.abc import Callable

from attack import STRANGER, Target, attack, closing, is_cut, sources
from edge import free_address
from http2 import ATTACH, DATA, END_HEADERS, HEADERS, HEALTH, PREFACE, REFLECTION, SETTINGS, Connection, frame, request
from stranger import Attached, ack, allocate, claim, close, post, say_heads


@attack("150 connections against 64 descriptors", 1500, descriptors=64, once=True)
def _descriptors(target: Target) -> str:
    with closing() as opened:
        for source in sources(target.size):
            try:
                opened.append(target.socket(source))
            except OSError:
                pass
        for one in opened:
            try:
                one.sendall(PREFACE + frame(SETTINGS, 0, 0))
            except OSError:
                pass
    began, refused = time.monotonic(), 0
    while not _is_served(lambda: target.connect("127.0.0.8", 5)):
        refused += 1
        if time.monotonic() - began > 10:
            return "FAILED: not served again"
    took = time.monotonic() - began
    # Who is served at once, and took long himself, says nothing of the relay.
    return f"{'FAILED: ' if refused and took > 1 else ''}served again after {took:.2f} s, {refused} refused before"


def _is_served(connect: Callable[[], Connection]) -> bool:
    try:
        connection = connect()
    except OSError:
        return False
    try:
        return connection.ask_health()
    except OSError:
        return False
    finally:
        connection.close()


def _idle(target: Target, addresses: list[str], most: int) -> str:
    """Connections that have said hello, and nothing since; of which the relay holds so many at most (relay/config)."""
    let_in = 0
    with closing() as opened:
        for source in addresses:
            try:
                one = target.socket(source)
                opened.append(one)
                one.sendall(PREFACE + frame(SETTINGS, 0, 0))
            except OSError:
                pass
        held = sum(_is_held(one) for one in opened)
    return f"{'FAILED: ' if held > most else ''}{held:,} of {len(addresses):,} held"


def _is_held(one: socket.socket) -> bool:
    """Whether it was answered, and is still open."""
    one.settimeout(0.002)
    answered = False
    try:
        while heard := one.recv(4096):
            answered = bool(heard)
        return False
    except TimeoutError:
        return answered
    except OSError:
        return False


@attack("idle connections from one address", 10000)
def _idle_of_one(target: Target) -> str:
    return _idle(target, [STRANGER] * max(target.size, 1600), 1500)


@attack("idle connections from many addresses", 10000)
def _idle_of_many(target: Target) -> str:
    return _idle(target, list(sources(200)) * (max(target.size, 2400) // 200), 2048)


@attack("connects and leaves", 20000)
def _come_and_go(target: Target) -> str:
    done = 0
    for _ in range(target.size):
        try:
            target.socket().close()
            done += 1
        except OSError:
            pass
    return f"{done:,} times"


@attack("silent, half a preface, a preface alone, headers alone, half a message, 1 GiB announced", 200,
        "--handshake-timeout=2s", "--open-timeout=2s", "--idle-timeout=2s")
def _silent(target: Target) -> str:
    headers = frame(HEADERS, END_HEADERS, 1, request(ATTACH, b"http"))
    hello = PREFACE + frame(SETTINGS, 0, 0)
    says = [b"", PREFACE[:10], hello, hello + headers, hello + headers + frame(DATA, 0, 1, b"\x00\x00\x00\x01\x00" + b"x"),
            hello + headers + frame(DATA, 0, 1, b"\x00" + (1 << 30).to_bytes(4, "big") + b"x" * 1000)]
    with closing() as opened:
        for number in range(target.size):
            one = target.socket()
            opened.append(one)
            one.sendall(says[number % len(says)])
        began = time.monotonic()
        stay = sum(not is_cut(one, max(0.01, 45 - (time.monotonic() - began))) for one in opened)
        took = time.monotonic() - began
    return f"FAILED: {stay} stay" if stay else f"the last is cut after {took:.0f} s"


@attack("PROXY headers from outside the trusted networks", 200, "--proxy-from=127.0.3.0/24")
def _foreign_proxy(target: Target) -> str:
    served = 0
    header = b"PROXY TCP4 198.51.100.7 127.0.0.1 1 2\r\n"
    for _ in range(target.size):
        with closing() as opened:
            try:
                one = target.socket()
                opened.append(one)
                one.sendall(header + PREFACE + frame(SETTINGS, 0, 0))
                one.settimeout(5)
                served += b"\x00\x00\x00\x04\x01" in one.recv(4096)  # SETTINGS are acknowledged
            except OSError:
                pass
    return f"FAILED: {served} believed" if served else "none believed"


@attack("256 who trickle at the metrics port", 256)
def _trickle(target: Target) -> str:
    """And a scrape after each round of bytes, which has to come through."""
    worst = 0.0
    with closing() as opened:
        tricklers = [target.socket(address=target.metrics) for _ in range(max(target.size, 256))]
        opened.extend(tricklers)
        for letter in b"GET /met":
            for one in tricklers:
                try:
                    one.sendall(bytes([letter]))
                except OSError:
                    pass
            began = time.monotonic()
            scrape = target.socket("127.0.0.8", target.metrics)
            opened.append(scrape)
            scrape.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            if b"200 OK" not in scrape.recv(64):
                return "FAILED: no scrape"
            worst = max(worst, time.monotonic() - began)
    return f"{'FAILED: ' if worst > 2 else ''}a scrape takes {worst:.2f} s at worst"


def _hold_up(target: Target, address: str) -> str:
    """Every other one trickles, and a check of health after each round of bytes, which has to come through."""
    worst = 0.0
    with closing() as opened:
        strangers = [target.socket(address=address) for _ in range(target.size)]
        opened.extend(strangers)
        for letter in PREFACE[:8]:
            for one in strangers[::2]:
                try:
                    one.sendall(bytes([letter]))
                except OSError:
                    pass
            began = time.monotonic()
            check = Connection(address, source="127.0.0.8")
            opened.append(check)
            if not check.ask_health():
                return "FAILED: no check of health"
            worst = max(worst, time.monotonic() - began)
    return f"{'FAILED: ' if worst > 2 else ''}a check of health takes {worst:.2f} s at worst"


_PROBES, _ADMIN = free_address(), free_address()
_INSPECTION = "/wormhole.rendezvous.v1.InspectionService"


@attack("2,560 who say nothing or trickle at the probe port", 2560, f"--probe-listen={_PROBES}")
def _probes(target: Target) -> str:
    return _hold_up(target, _PROBES)


@attack("2,560 who say nothing or trickle at the admin port", 2560, f"--admin-listen={_ADMIN}")
def _admin(target: Target) -> str:
    return _hold_up(target, _ADMIN)


@attack("calls whose request never comes, beyond what the admin port allows a connection", 40000,
        f"--admin-listen={_ADMIN}", may_be_cut=True)
def _mute_operator(target: Target) -> str:
    """Of each kind that the port has, and of one that it has not, one connection after another, each from an address of its
    own. A check of health comes through while the connection is there."""
    paths = (f"{_INSPECTION}/GetRelay", f"{_INSPECTION}/WatchEvents", HEALTH, REFLECTION, "/nobodys.Service/Method")
    worst = 0.0
    with closing() as opened:
        said = []
        for source, path in zip(sources(len(paths)), paths):
            opened.append(connection := Connection(_ADMIN, source=source))
            said.append(say_heads(connection, request(path, b"http"), max(target.size // 5, 6000)))
            began = time.monotonic()
            # While memory is short it may be cut, like all who are there.
            while not _is_served(lambda: Connection(_ADMIN, source="127.0.0.8")) and time.monotonic() - began < 10:
                time.sleep(0.02)
            worst = max(worst, time.monotonic() - began)
    return f"{'FAILED: ' if worst > 3 else ''}{', '.join(said)}; a check of health takes {worst:.2f} s at worst"


# Of whom none is, or was, anywhere near them.
_CAMPUS = "127.0.4.1"


_HAPPY = 1


def _exchange(target: Target, ends: list[Attached]) -> int:
    """A frame each way, and both leave happy, each on a connection of its own. How many of the two were refused."""
    ends.extend(Attached(target.connect(_CAMPUS)) for _ in range(2))
    streams = [ends[0].open(allocate(), "campus.example")]
    ends[0].settle(1)
    if streams[0] not in ends[0].opened:
        return 2
    streams.append(ends[1].open(claim(ends[0].opened[streams[0]]), "campus.example"))
    ends[1].settle(1)
    if streams[1] not in ends[1].opened:
        return 1
    for end, stream in zip(ends, streams):
        end.say(stream, post(1, b"a frame"))
    for end, stream in zip(ends, streams):
        while not end.hung_up and not end.messages.get(stream):
            end.read()
        end.say(stream, ack(1) + close(_HAPPY))
    for end, stream in zip(ends, streams):
        while not end.hung_up and stream not in end.ended:
            end.read()
    return sum(end.messages.get(stream) != [(1, b"a frame")] for end, stream in zip(ends, streams))


@attack("honest people behind one address (1,000; 100 in a short run), while strangers claim, reset and sit about", 1000,
        tls=True)
def _campus(target: Target) -> str:
    """Half of them allocate, half of them claim, and all stay connected, all of them within a minute."""
    refused = 0
    with closing() as opened:
        for source in sources(100):
            opened.append(target.connect(source))
        strangers = [Attached(connection) for connection in opened[:2]]
        for number in range(target.size // 2):
            for stranger in strangers:
                # Ids that nobody here is given: who claims somebody's id takes his place, which is another attack.
                stranger.open(claim(number + 5000, wait=number % 2 == 0))
                stranger.reset(stranger.open(allocate()))
            ends: list[Attached] = []
            refused += _exchange(target, ends)
            opened.extend(end.connection for end in ends)
    return f"FAILED: {refused} refused" if refused else "none refused"
