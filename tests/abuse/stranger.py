"""A client of the relay that keeps to no rule: streams, requests and frames byte by byte, from any address of loopback."""

import os
import pathlib
import sys
import time
from collections.abc import Iterator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "edge"))

from http2 import (ACK, ATTACH, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM,  # noqa: E402
                   SETTINGS, Connection, frame, request)

WINDOW_UPDATE = 8


def varint(value: int) -> bytes:
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def _message(field: int, body: bytes) -> bytes:
    """protobuf: a field that has bytes."""
    return bytes([field << 3 | 2]) + varint(len(body)) + body


def _number(field: int, value: int) -> bytes:
    return bytes([field << 3]) + varint(value)


def grpc(message: bytes) -> bytes:
    return b"\x00" + len(message).to_bytes(4, "big") + message


def fields(message: bytes) -> Iterator[tuple[int, "int | bytes"]]:
    """protobuf: the numbers and values of a message that has numbers and bytes alone."""
    at = 0

    def number() -> int:
        nonlocal at
        value, shift = 0, 0
        while True:
            byte, at = message[at], at + 1
            value |= (byte & 127) << shift
            shift += 7
            if not byte & 128:
                return value

    while at < len(message):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
        elif key & 7 == 2:
            size = number()
            yield key >> 3, message[at:at + size]
            at += size
        else:
            raise ValueError(f"a field of kind {key & 7}")


def opening(purpose: bytes, app_id: str = "abuse.example", token: bytes = b"") -> bytes:
    """AttachRequest{Open} of a side that nobody has been yet, unless it has the token of one."""
    return grpc(_message(1, _message(1, app_id.encode()) + _message(2, token or os.urandom(32)) + purpose))


def allocate(channel: int = 0, ttl: int = 0) -> bytes:
    """`ttl` are seconds; 0 is what the relay gives who does not ask."""
    return _message(4, (_message(1, _number(1, ttl)) if ttl else b"") + (_number(3, channel) if channel else b""))


def claim(channel: int, wait: bool = False) -> bytes:
    return _message(5, _number(1, channel) + (_number(2, 1) if wait else b""))


def resume(channel: int) -> bytes:
    return _message(6, _number(1, channel))


def close(mood: int) -> bytes:
    return grpc(_message(5, _number(1, mood)))


def post(number: int, body: bytes) -> bytes:
    return grpc(_message(2, _number(1, number) + _message(2, body)))


def ack(number: int) -> bytes:
    return grpc(_message(3, _number(1, number)))


def say_heads(connection: "Connection", head: bytes, most: int) -> str:
    """Begins so many calls, and says and reads nothing more. For the table: how many."""
    sent = 0
    try:
        while sent < most:
            connection.send(b"".join(frame(HEADERS, END_HEADERS, 2 * number + 1, head)
                                     for number in range(sent, sent + 100)))
            sent += 100
        return f"{sent:,} calls"
    except OSError:
        return f"hung up after {sent:,} calls"


class Calls:
    """What a connection's streams have come to. Reads all that comes, and gives windows back for it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.answered: set[int] = set()  # streams with a message, or an end
        self.ended: dict[int, bytes] = {}  # what the trailers say, or what a reset does, by stream
        self.hung_up = False
        self._next = 1
        self._pinged = False
        # What the other end lets be sent: gRPC hangs up on who sends more.
        self._window, self._initial = 65535, 65535
        self._windows: dict[int, int] = {}  # what it has given and taken of a stream's
        self._begun: dict[int, bytes] = {}  # what has come of a message, by stream

    def call(self, path: str, said: bytes = b"", is_all: bool = False) -> int:
        """A stream that says this, and nothing more if that is all."""
        stream, self._next = self._next, self._next + 2
        self._widen(0, -len(said))
        self._widen(stream, -len(said))
        self.send(frame(HEADERS, END_HEADERS, stream, request(path, self.connection.scheme)) +
                  (frame(DATA, END_STREAM if is_all else 0, stream, said) if said else b""))
        return stream

    def reset(self, stream: int) -> None:
        self.send(frame(RST_STREAM, 0, stream, b"\x00\x00\x00\x08"))
        self._end(stream, b"reset")

    def send(self, data: bytes) -> None:
        try:
            self.connection.send(data)
        except TimeoutError:
            raise
        except OSError:
            self.hung_up = True

    def settle(self, streams: int) -> None:
        """Until so many streams have been answered, one way or the other."""
        while not self.hung_up and len(self.answered) < streams:
            self.read()

    def catch_up(self) -> None:
        """Until the other end has worked off what was sent. It may have more to say later."""
        self._pinged = True
        self.send(frame(PING, 0, 0, b"caughtup"))
        while self._pinged and not self.hung_up:
            self.read()

    def held(self) -> int:
        """Streams that were begun and have not been ended."""
        self.catch_up()
        return 0 if self.hung_up else self._next // 2 - len(self.ended)

    def read(self) -> None:
        """One frame. Raises TimeoutError when none comes for as long as the connection has patience."""
        try:
            got = self.connection.read()
        except TimeoutError:
            raise
        except OSError:
            got = None
        if got is None or got[0] == GOAWAY:
            self.hung_up = True
            return
        kind, flags, stream, payload = got
        if kind == SETTINGS and not flags & ACK:
            self._note_settings(payload)
        elif kind == WINDOW_UPDATE:
            self._widen(stream, int.from_bytes(payload, "big"))
        elif kind == PING:
            self._pinged &= not flags & ACK
        elif kind == DATA:
            self._take(stream, payload)
        elif kind == RST_STREAM:
            self._end(stream, b"reset")
        elif kind == HEADERS and flags & END_STREAM:
            self._end(stream, payload)

    def _note_settings(self, payload: bytes) -> None:
        for at in range(0, len(payload), 6):
            if payload[at:at + 2] == b"\x00\x04":
                self._initial = int.from_bytes(payload[at + 2:at + 6], "big")
        self.send(frame(SETTINGS, ACK, 0))

    def _widen(self, stream: int, size: int) -> None:
        if stream == 0:
            self._window += size
        else:
            self._windows[stream] = self._windows.get(stream, 0) + size

    def say(self, stream: int, message: bytes) -> None:
        """As fast as the other end's windows let it."""
        for at in range(0, len(message), 16000):
            piece = message[at:at + 16000]
            while min(self._window, self._initial + self._windows.get(stream, 0)) < len(piece):
                if self.hung_up or stream in self.ended:
                    return
                self.read()
            self._widen(0, -len(piece))
            self._widen(stream, -len(piece))
            self.send(frame(DATA, 0, stream, piece))

    def _end(self, stream: int, why: bytes) -> None:
        self.ended.setdefault(stream, why)
        self.answered.add(stream)

    def _take(self, stream: int, payload: bytes) -> None:
        self.give_back(stream, len(payload))
        begun = self._begun.get(stream, b"") + payload
        while len(begun) >= 5 and len(begun) >= 5 + int.from_bytes(begun[1:5], "big"):
            size = 5 + int.from_bytes(begun[1:5], "big")
            self.answered.add(stream)
            self.note(stream, begun[5:size])
            begun = begun[size:]
        self._begun[stream] = begun

    def give_back(self, stream: int, size: int) -> None:
        if size:
            windows = size.to_bytes(4, "big")
            self.send(frame(WINDOW_UPDATE, 0, 0, windows) + frame(WINDOW_UPDATE, 0, stream, windows))

    def note(self, stream: int, message: bytes) -> None:
        """A message has come."""


class Attached(Calls):
    """Attach streams."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.opened: dict[int, int] = {}  # the channel, by stream
        self.posted: dict[int, int] = {}  # the last frame that is durable, by stream
        self.messages: dict[int, list[tuple[int, bytes]]] = {}  # number and frame, by stream

    def open(self, purpose: bytes | None, app_id: str = "abuse.example", token: bytes = b"") -> int:
        """A stream that says what it is for; or nothing at all."""
        return self.call(ATTACH, b"" if purpose is None else opening(purpose, app_id, token))

    def note(self, stream: int, message: bytes) -> None:
        """An AttachResponse."""
        for kind, body in fields(message):
            said = dict(fields(bytes(body))) if kind in (1, 2, 3) else {}  # type: ignore[arg-type]
            if kind == 1:  # Opened
                self.opened[stream] = int(said.get(2, 0))
            elif kind == 2:  # Message
                self.messages.setdefault(stream, []).append((int(said[1]), bytes(said[2])))  # type: ignore[arg-type]
            elif kind == 3:  # Posted
                self.posted[stream] = int(said[1])


class Forgetful(Attached):
    """Never gives a window back: with windows of one byte it has one byte of each stream."""

    def give_back(self, stream: int, size: int) -> None:
        pass
