"""TLS: handshakes that stop, that trickle, that are many, and what nobody should speak any more."""

import socket
import ssl
import subprocess
import tempfile
import threading
import time
import warnings

from attack import PATIENCE, Target, attack, closing


# As the flag below has it, and then some.
_HANDSHAKE, _SLACK = 4.0, 3.0


def _hello() -> bytes:
    """What a client says first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="relay")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


@attack("TLS handshakes that stop half-way, or trickle", 2000, "--handshake-timeout=4s", tls=True)
def _half_handshakes(target: Target) -> str:
    """All of them are cut, however lively they seem."""
    hello = _hello()
    with closing() as opened:
        for number in range(target.size):
            one = target.socket()
            opened.append(one)
            one.sendall(hello if number % 2 else hello[:50])
        began, at = time.monotonic(), 50
        left = list(opened)
        while left and time.monotonic() - began < _HANDSHAKE + _SLACK:
            trickle = hello[at:at + 1] or b"x"
            at += 1
            left = [one for number, one in enumerate(left) if not _is_cut_by_now(one, trickle if number % 4 == 0 else b"")]
            time.sleep(0.1)
        took = time.monotonic() - began
    return f"FAILED: {len(left)} of {target.size:,} stay" if left else f"{target.size:,} cut after {took:.0f} s at most"


def _is_cut_by_now(one: socket.socket, more: bytes) -> bool:
    """And says some more if it is not."""
    try:
        one.setblocking(False)
        if more:
            one.sendall(more)
        while one.recv(65536):
            pass
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True


@attack("TLS renegotiation", 200, tls=True)
def _renegotiation(target: Target) -> str:
    """TLS 1.2, where a client could ask for one handshake after the other on a single connection."""
    for _ in range(max(1, target.size // 20)):
        done = subprocess.run(["openssl", "s_client", "-connect", target.address, "-tls1_2", "-alpn", "h2"],
                              input="R\n" * 50, capture_output=True, text=True, errors="replace", timeout=30)
        if "Protocol  : TLSv1.2" not in done.stdout:
            return f"FAILED: no handshake at all: {done.stderr[-200:]}"
        if "RENEGOTIATING" not in done.stdout + done.stderr:
            return f"FAILED: it was not asked for one: {done.stderr[-200:]}"
        # Or what the relay said meanwhile comes where s_client waits for a handshake, which ends it as well.
        if "no renegotiation" not in done.stderr and "unexpected record" not in done.stderr:
            return f"FAILED: it is not refused: {done.stderr[-200:]}"
    return f"refused on {max(1, target.size // 20)} connections"


@attack("TLS handshakes without end", 3000, tls=True)
def _handshakes(target: Target) -> str:
    done = 0
    for _ in range(target.size):
        try:
            target.connect().close()
            done += 1
        except OSError:
            pass
    return f"{done:,} of {target.size:,} handshakes"


def _speaks(connected: socket.socket, version: ssl.TLSVersion, ciphers: str) -> bool:
    """A client with this version and no other shakes hands."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(ciphers)
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2"])
    try:
        with connected, context.wrap_socket(connected):
            return True
    except OSError:
        return False


def _lenient() -> ssl.SSLContext:
    """A server that speaks whatever this machine's OpenSSL still can. Its key is RSA's, as ciphers without forward secrecy need."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lenient",
                        "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    context.set_ciphers("ALL:NULL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that is what it is for
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    return context


def _is_spoken_here(server: ssl.SSLContext, version: ssl.TLSVersion, ciphers: str) -> bool:
    """The client below can say it at all: a lenient server in this process understands."""
    here, there = socket.socketpair()
    there.settimeout(PATIENCE)

    def serve() -> None:
        try:
            with there, server.wrap_socket(there, server_side=True):
                pass
        except OSError:
            pass
    listener = threading.Thread(target=serve)
    listener.start()
    here.settimeout(PATIENCE)
    spoken = _speaks(here, version, ciphers)
    listener.join()
    return spoken


@attack("TLS 1.1, and ciphers that nobody should speak any more", 20, tls=True)
def _old_tls(target: Target) -> str:
    """The same client with TLS 1.2 is served, and speaks the old ones with a server that does, so that it is they that are
    refused."""
    old = {"TLS 1.1": (ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0"),
           "a cipher without forward secrecy": (ssl.TLSVersion.TLSv1_2, "AES128-SHA:AES256-SHA:NULL:@SECLEVEL=0")}
    if not _speaks(target.socket(), ssl.TLSVersion.TLSv1_2, "ECDHE"):
        return "FAILED: no TLS 1.2"
    server = _lenient()
    notes = []
    for name, spoken in old.items():
        if not _is_spoken_here(server, *spoken):
            notes.append(f"{name} SKIPPED: this machine's OpenSSL does not speak it")
            continue
        for _ in range(target.size):
            if _speaks(target.socket(), *spoken):
                return f"FAILED: {name} is spoken"
        notes.append(f"{name} refused")
    return ", ".join(notes)
