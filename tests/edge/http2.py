"""HTTP/2 as a stranger may write it: frames byte by byte, over TLS or plaintext."""

import pathlib
import socket
import ssl
import struct

from edge import split

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEALTH = "/grpc.health.v1.Health/Check"
ATTACH = "/wormhole.rendezvous.v1.RendezvousService/Attach"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
SERVING = b"\x00\x00\x00\x00\x02\x08\x01"


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _length(size: int) -> bytes:
    """HPACK's integer of seven bits."""
    if size < 127:
        return bytes([size])
    size -= 127
    out = b"\x7f"
    while size >= 128:
        out += bytes([size & 127 | 128])
        size >>= 7
    return out + bytes([size])


def field(name: bytes, value: bytes) -> bytes:
    """HPACK: a field that goes into no table."""
    return b"\x00" + _length(len(name)) + name + _length(len(value)) + value


def request(path: str, scheme: bytes) -> bytes:
    return (field(b":method", b"POST") + field(b":scheme", scheme) + field(b":path", path.encode()) +
            field(b":authority", b"edge") + field(b"te", b"trailers") +
            field(b"content-type", b"application/grpc"))


class Connection:
    """Raises OSError where the other end has hung up."""

    def __init__(self, address: str, trust: pathlib.Path | None = None, source: str = "127.0.0.1",
                 patience: float = 20) -> None:
        host, port = split(address)
        self._socket = socket.create_connection((host, port), timeout=patience, source_address=(source, 0))
        self.scheme = b"http"
        source_port = self._socket.getsockname()[1]
        # As the relay's log has it.
        self.source = f"[{source}]:{source_port}" if ":" in source else f"{source}:{source_port}"
        if trust is not None:
            context = ssl.create_default_context(cafile=str(trust))
            context.set_alpn_protocols(["h2"])
            plain = self._socket
            try:
                self._socket = context.wrap_socket(plain, server_hostname=host)
            except OSError:
                plain.close()
                raise
            self.scheme = b"https"
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        try:
            self.send(PREFACE + frame(SETTINGS, 0, 0))
        except OSError:
            self.close()
            raise

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def read(self) -> tuple[int, int, int, bytes] | None:
        """The next frame: kind, flags, stream, payload. None when there are no more."""
        while len(self._buffer) < 9 or len(self._buffer) < 9 + int.from_bytes(self._buffer[:3], "big"):
            data = self._socket.recv(65536)
            if not data:
                return None
            self._buffer += data
        size = 9 + int.from_bytes(self._buffer[:3], "big")
        head, payload = self._buffer[:9], self._buffer[9:size]
        self._buffer = self._buffer[size:]
        return head[3], head[4], int.from_bytes(head[5:9], "big") & 0x7fffffff, payload

    def ask_health(self, stream: int = 1) -> bool:
        """Whether the relay says that it serves."""
        self.send(frame(HEADERS, END_HEADERS, stream, request(HEALTH, self.scheme)) +
                  frame(DATA, END_STREAM, stream, b"\x00\x00\x00\x00\x00"))
        body = b""
        while (got := self.read()) is not None:
            kind, flags, at, payload = got
            if kind == SETTINGS and not flags & ACK:
                self.send(frame(SETTINGS, ACK, 0))
            if at == stream and kind == DATA:
                body += payload
            if at == stream and (kind == RST_STREAM or (kind in (DATA, HEADERS) and flags & END_STREAM)):
                break
        return body == SERVING

    def close(self) -> None:
        self._socket.close()
