"""Streams: those that never open, those that nobody reads, those that watch, and what may be done with channels."""

import os
import time
from collections.abc import Iterable

from attack import Target, attack, closing, sources
from http2 import ATTACH, HEALTH, REFLECTION, SETTINGS, frame, request
from stranger import Attached, Calls, Forgetful, ack, allocate, claim, close, grpc, opening, post, resume, say_heads


@attack("streams that never open, on one connection", 5000, "--open-timeout=2s", may_be_cut=True)
def _unopened(target: Target) -> str:
    with closing() as opened:
        connection = target.connect()
        opened.append(connection)
        streams = Attached(connection)
        for _ in range(target.size):
            streams.open(None)
        streams.settle(target.size)
        return f"{len(streams.ended):,} ended{', and the connection' if streams.hung_up else ''}"


# --- Those who do not read, and those who watch. ---

_WRITE_TIMEOUT = 4.0
_SLACK = 1.5  # for the relay's clock, which ticks four times a second, and for a machine that is busy
_FRAMES = 12  # fewer than a side's window has


@attack("windows of one byte", 2000, "--write-timeout=4s")
def _slow_reader(target: Target) -> str:
    """Takes one byte of each stream. One of them is a receiver to whom somebody posts, and who comes back later."""
    with closing() as opened:
        crowd = _one_byte_each(target, opened)
        theirs, mine = Attached(target.connect("127.0.0.8")), Forgetful(target.connect(patience=2 * _WRITE_TIMEOUT))
        opened += [theirs.connection, mine.connection]
        author = theirs.open(allocate())
        theirs.settle(1)
        channel, token = theirs.opened[author], os.urandom(32)
        mine.send(frame(SETTINGS, 0, 0, b"\x00\x04\x00\x00\x00\x01"))
        began = time.monotonic()
        receiver = mine.open(claim(channel), token=token)
        frames = [os.urandom(1000) for _ in range(_FRAMES)]
        for number, body in enumerate(frames, start=1):
            theirs.say(author, post(number, body))
        while theirs.posted.get(author) != _FRAMES and author not in theirs.ended:
            theirs.read()
        while receiver not in mine.ended and not mine.hung_up:
            mine.read()
        took = time.monotonic() - began
        again = Attached(target.connect())
        opened.append(again.connection)
        resumed = again.open(resume(channel), token=token)
        while len(again.messages.get(resumed, [])) < _FRAMES and resumed not in again.ended and not again.hung_up:
            again.read()
        if again.messages.get(resumed) != list(enumerate(frames, start=1)):
            return f"FAILED: of {_FRAMES} frames {len(again.messages.get(resumed, []))} come to who resumes"
        if took > _WRITE_TIMEOUT + _SLACK:
            return f"FAILED: a stream that nobody reads ends after {took:.1f} s"
        if b"does not read" not in mine.ended.get(receiver, b""):
            return f"FAILED: it is not told why: {mine.ended.get(receiver)!r}"
        return f"told why after {took:.1f} s, and all {_FRAMES} frames come to who resumes; {sum(one.held() for one in crowd)} of {100 * len(crowd)} others are held"


def _one_byte_each(target: Target, opened: list) -> list[Calls]:  # type: ignore[type-arg]
    """Connections of 100 streams each: waiters, and those who ask for all that reflection has to say."""
    crowd: list[Calls] = []
    for source in sources(max(1, target.size // 100)):
        crowd.append(calls := Calls(target.connect(source)))
        opened.append(calls.connection)
        calls.send(frame(SETTINGS, 0, 0, b"\x00\x04\x00\x00\x00\x01"))
        for number in range(50):
            calls.call(REFLECTION, grpc(b"\x3a\x01*"))
            calls.call(ATTACH, opening(claim(number + 1, wait=True)))
    return crowd


@attack("watchers of health and reflection without end", 5000, "--max-streams-per-address=200", may_be_cut=True)
def _watchers(target: Target) -> str:
    """Each stream is answered; as many stay as one address may have, and those of reflection (relay/reflection)."""
    with closing() as opened:
        crowd: list[Calls] = []
        for _ in range(max(1, target.size // 100)):
            crowd.append(calls := Calls(target.connect()))
            opened.append(calls.connection)
            for _ in range(50):
                calls.call(HEALTH.replace("Check", "Watch"), grpc(b""), is_all=True)
                calls.call(REFLECTION, grpc(b"\x3a\x01*"))
            calls.settle(100)
        held = sum(one.held() for one in crowd)
    return f"{'FAILED: ' if held > 200 + 16 else ''}{held:,} of {100 * len(crowd):,} held"


@attack("calls of health, of reflection and of nobody's methods whose request never comes", 20000, may_be_cut=True)
def _mute_calls(target: Target) -> str:
    """gRPC holds to its limit on streams only who acknowledges it, which this one never does. More than an address may open
    in a minute, also in a short run; and one connection after another, which gRPC begins to read before the relay has seen
    the first call of the one before; each of these from an address of its own."""
    said = []
    with closing() as opened:
        for source, path in zip(sources(3), (HEALTH, REFLECTION, "/nobodys.Service/Method")):
            opened.append(connection := target.connect(source))
            said.append(say_heads(connection, request(path, target.scheme), max(target.size, 6000)))
    return ", ".join(said)


@attack("checks of health whose answer is not read", 500, "--open-timeout=2s")
def _unread_checks(target: Target) -> str:
    """They last as long as one that is not asked may; then the next ones may come."""
    with closing() as opened:
        calls = Calls(target.connect())
        opened.append(calls.connection)
        calls.send(frame(SETTINGS, 0, 0, b"\x00\x04\x00\x00\x00\x00"))
        for _ in range(50):
            calls.call(HEALTH, grpc(b""), is_all=True)
        began = time.monotonic()
        calls.settle(50)
        took = time.monotonic() - began
    return f"{'FAILED: ' if took > 2 + _SLACK else ''}ended after {took:.1f} s"


# --- Channels. ---


# What one address may do in a minute (relay/config); besides, what it may do in a round that takes some seconds.
_ALLOCATIONS, _MORE = 1500, 300
_SCARY = 3


def _open_all(streams: Attached, purposes: Iterable[bytes], app_id: str = "abuse.example") -> None:
    """Fifty at a time, until the relay has had enough."""
    count = 0
    for purpose in purposes:
        streams.open(purpose, app_id)
        count += 1
        if count % 50 == 0:
            streams.settle(count)
        if streams.hung_up:
            return
    streams.settle(count)


@attack("claims of all ids", 20000, may_be_cut=True)
def _claim_storm(target: Target) -> str:
    """Of the app-id that the honest use; their own channels are open while they exchange, and those are left out."""
    with closing() as opened:
        streams = Attached(target.connect())
        opened.append(streams.connection)
        _open_all(streams, (claim(number % 9999 + 10) for number in range(target.size)))
        return f"{len(streams.opened):,} let in, {len(streams.ended):,} refused"


@attack("allocations until the address may no more", 20000, may_be_cut=True)
def _allocate_all(target: Target) -> str:
    with closing() as opened:
        streams = Attached(target.connect())
        opened.append(streams.connection)
        _open_all(streams, (allocate() for _ in range(target.size)))
        failed = "FAILED: " if len(streams.opened) > _ALLOCATIONS + _MORE else ""
        return f"{failed}{len(streams.opened):,} let in, {len(streams.ended):,} refused"


@attack("allocations from many addresses until an app-id is full", 20000, "--max-channels-per-app=1000", may_be_cut=True)
def _fill_app(target: Target) -> str:
    """Another app-id than that of the honest."""
    let_in = refused = 0
    with closing() as opened:
        for source in sources(20):
            streams = Attached(target.connect(source))
            opened.append(streams.connection)
            _open_all(streams, (allocate() for _ in range(target.size // 20)), "full.example")
            let_in, refused = let_in + len(streams.opened), refused + len(streams.ended)
    failed = "FAILED: " if let_in > 1000 or not refused else ""
    return f"{failed}{let_in:,} let in, {refused:,} refused"


@attack("channels that end as soon as they are there", 10000, may_be_cut=True)
def _burn(target: Target) -> str:
    """Each with an id of its own, as long as their quarantine lasts: an id that comes again could be somebody's old code."""
    ids: list[int] = []
    with closing() as opened:
        streams = Attached(target.connect())
        opened.append(streams.connection)
        for number in range(target.size):
            stream = streams.open(allocate(), "burnt.example")
            streams.settle(number + 1)
            if stream not in streams.opened:
                break
            ids.append(streams.opened[stream])
            streams.say(stream, close(_SCARY))
            while stream not in streams.ended and not streams.hung_up:
                streams.read()
    again = len(ids) - len(set(ids))
    return f"FAILED: {again} of {len(ids):,} ids come again" if again else f"{len(ids):,} ids, the longest {max(ids, default=0)}"


@attack("waiters without end", 20000, may_be_cut=True)
def _wait_for_all(target: Target) -> str:
    let_in = refused = 0
    with closing() as opened:
        for source in sources(4):
            streams = Attached(target.connect(source))
            opened.append(streams.connection)
            _open_all(streams, (claim(number + 100000, wait=True) for number in range(target.size // 4)))
            let_in, refused = let_in + len(streams.opened), refused + len(streams.ended)
    return f"{let_in:,} let in, {refused:,} refused"


# What a channel may have posted at once, and then in each second (relay/config), of which a frame takes a KiB more.
_POSTED_AT_ONCE, _POSTED_PER_SECOND, _OVERHEAD = 1 << 20, 256 << 10, 1 << 10


@attack("both sides of a channel post and accept without end", 4000)
def _both_sides(target: Target) -> str:
    """Frames of 60 KB, each accepted before the next one comes."""
    size = 60000
    with closing() as opened:
        streams = Attached(target.connect())
        opened.append(streams.connection)
        author = streams.open(allocate())
        streams.settle(1)
        reader = streams.open(claim(streams.opened[author]))
        streams.settle(2)
        posted, began = 0, time.monotonic()
        while posted < target.size and time.monotonic() - began < 6 and not streams.ended and not streams.hung_up:
            posted += 1
            streams.say(author, post(posted, os.urandom(size)))
            while len(streams.messages.get(reader, [])) < posted and not streams.ended and not streams.hung_up:
                streams.read()
            streams.say(reader, ack(posted))
        took = time.monotonic() - began
        if streams.ended or streams.hung_up:
            return f"FAILED: ended after {posted} frames"
        failed = "FAILED: " if posted * (size + _OVERHEAD) > _POSTED_AT_ONCE + _POSTED_PER_SECOND * (took + 1) else ""
        return f"{failed}{posted * size >> 10:,} KiB posted in {took:.1f} s"


@attack("posts that nobody reads", 4800)
def _hoard(target: Target) -> str:
    """From many channels of few addresses, until all that may be stored is; until the channels expire."""
    body, each, posted, refused = os.urandom(60000), 12, 0, 0
    with closing() as opened:
        for source in sources(4):
            streams = Attached(target.connect(source))
            opened.append(streams.connection)
            authors = [streams.open(allocate(ttl=20), "hoard.example") for _ in range(100)]
            streams.settle(len(authors))
            for number in range(1, each + 1):
                for author in authors:
                    if author in streams.opened and author not in streams.ended:
                        streams.say(author, post(number, body))
                streams.catch_up()
            posted += sum(streams.posted.values())
            refused += len(streams.ended)
    return f"{posted * len(body) >> 20:,} MiB stored, {refused} authors refused"
