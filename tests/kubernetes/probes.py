"""A kubelet's native gRPC probe: one question to grpc.health.v1.Health, on a connection of its own.

HTTP/2 by hand, as far as one answer goes, so that the rehearsals need no gRPC for Python.
"""

import asyncio
import struct

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7
_END_STREAM, _END_HEADERS, _ACK = 1, 4, 1
_SERVING = b"\x08\x01"  # HealthCheckResponse.status


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + payload


def _literal(name: str, value: str) -> bytes:
    """A header that goes into no table, without Huffman's code."""
    return b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def _request(service: str, authority: str) -> bytes:
    headers = b"".join(_literal(name, value) for name, value in [
        (":method", "POST"), (":scheme", "http"), (":path", "/grpc.health.v1.Health/Check"),
        (":authority", authority), ("content-type", "application/grpc"), ("te", "trailers"),
        ("user-agent", "kube-probe")])
    message = b"\x0a" + bytes([len(service)]) + service.encode() if service else b""
    return (_PREFACE + _frame(_SETTINGS, 0, 0, b"") + _frame(_HEADERS, _END_HEADERS, 1, headers)
            + _frame(_DATA, _END_STREAM, 1, b"\x00" + struct.pack("!I", len(message)) + message))


async def _ask(address: str, port: int, service: str) -> bool:
    reader, writer = await asyncio.open_connection(address, port)
    try:
        writer.write(_request(service, f"{address}:{port}"))
        message = b""
        while True:
            head = await reader.readexactly(9)
            size, kind, flags, stream = int.from_bytes(head[:3], "big"), head[3], head[4], head[5:]
            payload = await reader.readexactly(size)
            if kind == _SETTINGS and not flags & _ACK:
                writer.write(_frame(_SETTINGS, _ACK, 0, b""))
            elif kind == _PING and not flags & _ACK:
                writer.write(_frame(_PING, _ACK, 0, payload))
            elif kind == _DATA:
                message += payload
            elif kind in (_RST, _GOAWAY):
                return False
            if stream == b"\x00\x00\x00\x01" and flags & _END_STREAM and kind in (_DATA, _HEADERS):
                return message[5:] == _SERVING
    finally:
        writer.close()


async def serving(address: str, port: int, service: str, timeout: float) -> bool:
    """Whether the answer is SERVING, and in time."""
    try:
        # Not wait_for, which forgets that it was cancelled when the answer comes at the same time.
        async with asyncio.timeout(timeout):
            return await _ask(address, port, service)
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False
