"""The pod of `helm test`: the command lines of its two containers meet through a relay."""

from __future__ import annotations

import contextlib
import ctypes
import pathlib
import signal
import subprocess
from typing import Iterator

import documents
from bench import Bench, Check, Planted, Problems
from documents import Document

SECRETS = "/etc/wormhole/"  # where the containers have them
LISTENING = "listening on "


def _dies_with_us() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _certificates(folder: pathlib.Path) -> None:
    """An authority, and certificates of it for the relay and for a client, in folders that are named as
    the pod's mounts."""
    def openssl(*arguments: str | pathlib.Path) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    ca, ca_key = folder / "ca.crt", folder / "ca.key"
    openssl("req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-subj", "/CN=authority")
    for name in ("tls", "client"):
        own = folder / name
        own.mkdir()
        (own / "ca.crt").write_bytes(ca.read_bytes())
        openssl("req", "-x509", *curve, "-keyout", own / "tls.key", "-out", own / "tls.crt",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                "-addext", "basicConstraints=critical,CA:FALSE", "-CA", ca, "-CAkey", ca_key)


def _token(bench: Bench, folder: pathlib.Path) -> None:
    """A bearer token where the pod has it, and tokens/tokens, the relay's file."""
    def relay(*arguments: str, given: str = "") -> str:
        return subprocess.run([bench.relay, *arguments], check=True, text=True, input=given,
                              stdout=subprocess.PIPE).stdout

    for name in ("token", "tokens"):
        (folder / name).mkdir()
    token = relay("make-token")
    (folder / "token" / "token").write_text(token)
    (folder / "tokens" / "tokens").write_text(
        relay("hash-token", "allocate,claim", "wormhole-sync/helm-test/*", given=token))


@contextlib.contextmanager
def _relay(bench: Bench, *flags: str) -> Iterator[str]:
    """A relay on a port that the kernel picks; yields the port."""
    process = subprocess.Popen(
        [bench.relay, "--listen=127.0.0.1:0", "--store=memory", "--admin-listen=off", *flags],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=_dies_with_us)
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith(LISTENING), line
        yield line.strip().rsplit(":", 1)[1]
    finally:
        process.kill()
        process.wait()


def _exchange(bench: Bench, objects: list[Document], port: str, secrets: pathlib.Path,
              uid: str = "1") -> Problems:
    """Runs the containers as they are, but for the relay's place and that of the secrets."""
    (pod,) = documents.of_kind(objects, "Pod")
    sides = []
    for container in pod["spec"]["containers"]:
        arguments = [argument.replace(SECRETS, f"{secrets}/").replace("$(POD_UID)", uid)
                     for argument in container["args"]]
        arguments = [f"--rendezvous=localhost:{port}" if argument.startswith("--rendezvous=")
                     else argument for argument in arguments]
        sides.append((container["name"], subprocess.Popen(
            [bench.client, *arguments], text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=_dies_with_us)))
    found, names = [], [name for name, _ in sides]
    for name, process in sides:
        output, errors = process.communicate()
        (other,) = [one for one in names if one != name]
        if process.returncode != 0 or output.strip() != f"hello from the one who has to {other}":
            found.append(f"{name} ended with {process.returncode}, got {output!r}: {errors.strip()}")
    return found


def _secrets(bench: Bench) -> pathlib.Path:
    folder = bench.folder / "secrets"
    if not folder.exists():
        folder.mkdir()
        _certificates(folder)
        _token(bench, folder)
    return folder


def _tls_flags(secrets: pathlib.Path) -> list[str]:
    return [f"--tls-cert={secrets}/tls/tls.crt", f"--tls-key={secrets}/tls/tls.key"]


def helm_test(bench: Bench) -> Problems:
    secrets = _secrets(bench)
    found = []
    with _relay(bench) as port:
        objects = bench.rendering("sqlite").documents
        # Twice, as somebody would who is in doubt: Kubernetes makes another pod then, and the number of
        # the first one's code still rests.
        for uid in ("1", "2"):
            found += _exchange(bench, objects, port, secrets, uid)
    with _relay(bench, *_tls_flags(secrets)) as port:
        found += _exchange(bench, bench.rendering("tls").documents, port, secrets)
    with _relay(bench, *_tls_flags(secrets), f"--tls-client-ca={secrets}/tls/ca.crt") as port:
        objects = bench.rendering("test-with-a-certificate").documents
        found += _exchange(bench, objects, port, secrets)
    with _relay(bench, *_tls_flags(secrets), f"--tokens-file={secrets}/tokens/tokens") as port:
        objects = bench.rendering("test-with-a-token").documents
        found += _exchange(bench, objects, port, secrets)
    return found


def helm_test_planted(bench: Bench) -> Planted:
    secrets = _secrets(bench)
    text = bench.rendering("sqlite").text.replace("--timeout=60s", "--timeout=2s")
    with _relay(bench) as port:
        yield "another code", _exchange(bench, documents.load(
            text.replace("--code=4-purity-sausage", "--code=4-purity-absurd")), port, secrets)
        yield "an option that there is not", _exchange(bench, documents.load(
            text.replace("- --wait", "- --waits")), port, secrets)
        yield "an app-id that is not the pod's own", [
            problem for uid in ("1", "2") for problem in _exchange(bench, documents.load(
                text.replace("$(POD_UID)", "same")), port, secrets, uid)]
    with _relay(bench, *_tls_flags(secrets)) as port:
        yield "an authority of others", _exchange(bench, documents.load(
            bench.rendering("tls").text.replace("--tls-ca=/etc/wormhole/tls/ca.crt",
                                                "--tls-ca=/etc/ssl/certs/ca-certificates.crt")),
            port, secrets)
    with _relay(bench, *_tls_flags(secrets), f"--tokens-file={secrets}/tokens/tokens") as port:
        yield "no token", _exchange(bench, bench.rendering("tls").documents, port, secrets)


CHECKS = [Check("the two sides of helm test meet, with TLS and client certificates too", helm_test,
                helm_test_planted)]
