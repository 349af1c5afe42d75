"""The etcd of deploy/manifests/etcd-for-trying.yaml: it starts by its command line, on Debian's etcd (3.4, the image
has a newer one), answers its probe, and keeps what is written to it on its volume."""

from __future__ import annotations

import ctypes
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import documents
from bench import ROOT, Bench, Check, Planted, Problems
from documents import Document

MANIFEST = ROOT / "deploy/manifests/etcd-for-trying.yaml"
PORTS = ("2379", "2380")
PATIENCE = 20.0  # seconds


def _dies_with_us() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _free_ports() -> list[str]:
    """Of other etcds none has these, as long as nobody takes them meanwhile."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
    ports = [str(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _probed(url: str) -> str:
    """What is wrong with the answer of a readiness probe."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return "" if 200 <= answer.status < 400 else f"{answer.status}"
    except (urllib.error.URLError, OSError) as error:
        return str(error)


def _wrong_etcd(text: str) -> Problems:
    (workload,) = documents.of_kind(documents.load(text), "StatefulSet")
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    with tempfile.TemporaryDirectory() as name:
        # Only volumes can be written to: what is told of another folder ends.
        folders = {mount["mountPath"]: pathlib.Path(name, mount["name"]) for mount in container["volumeMounts"]}
        for folder in folders.values():
            folder.mkdir(mode=0o700)
        return _started(container, folders, _free_ports())


def _started(container: Document, folders: dict[str, pathlib.Path], ports: list[str]) -> Problems:
    line = [*container["command"], *container["args"]]
    for path, folder in folders.items():
        line = [re.sub(rf"(?<==){re.escape(path)}(?=/|$)", str(folder), argument) for argument in line]
    written = [argument for argument in line if argument.startswith("--data-dir=")]
    if not any(argument.startswith(f"--data-dir={folder}") for argument in written for folder in folders.values()):
        return [f"etcd would write to {written}, which is on no volume"]
    for here, there in zip(PORTS, ports):
        line = [re.sub(rf":{here}(?=$|,|/)", f":{there}", argument) for argument in line]
    (port,) = [one["containerPort"] for one in container["ports"]]
    probe = container["readinessProbe"]["httpGet"]
    if probe["port"] not in (port, *[one["name"] for one in container["ports"]]):
        return [f"the probe asks port {probe['port']}, which the container has not"]
    client = f"127.0.0.1:{ports[PORTS.index(str(port))]}"
    with tempfile.TemporaryFile("w+") as log:
        # 0.0.0.0 would let others in, for the seconds that it is there.
        with subprocess.Popen([argument.replace("//0.0.0.0:", "//127.0.0.1:") for argument in line], stdout=log,
                              stderr=log, stdin=subprocess.DEVNULL, preexec_fn=_dies_with_us) as etcd:
            try:
                found = _serves(etcd, client, f"http://{client}{probe['path']}")
            finally:
                etcd.kill()
        log.seek(0)
        return [f"{found}: {log.read()[-500:]}"] if found else []


def _serves(etcd: subprocess.Popen[bytes], client: str, probe: str) -> str:
    until = time.monotonic() + PATIENCE
    while wrong := _probed(probe):
        # Any status is an answer; a connection that is refused may be too early.
        if etcd.poll() is not None:
            return f"etcd ended with {etcd.returncode}"
        if time.monotonic() > until or "HTTP Error" in wrong:
            return f"its probe says {wrong}"
        time.sleep(0.1)

    def control(*arguments: str) -> str:
        return subprocess.run(["etcdctl", f"--endpoints=http://{client}", *arguments], check=False, text=True,
                              env={"ETCDCTL_API": "3", "PATH": "/usr/bin:/usr/local/bin"}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT).stdout.strip()

    said = [control("put", "wormhole/a", "b"), control("get", "--print-value-only", "wormhole/a")]
    return "" if said == ["OK", "b"] else f"a key that was written is {said}"


def starts(bench: Bench) -> Problems:
    del bench
    return _wrong_etcd(MANIFEST.read_text())


def starts_planted(bench: Bench) -> Planted:
    del bench
    text = MANIFEST.read_text()
    for what, old, new in (
            ("a flag that etcd has not", "--auto-compaction-mode", "--auto-compacting-mode"),
            ("a time that is none", "--auto-compaction-retention=5m", "--auto-compaction-retention=5min"),
            ("a cluster without this node", "--initial-cluster=etcd=", "--initial-cluster=other="),
            ("a folder that is not on the volume", "--data-dir=/var/lib/etcd/", "--data-dir=/var/lib/etcd-data/"),
            ("a probe of another path", "path: /health", "path: /healthy"),
            ("a probe of another port", "port: client\n            period", "port: peer\n            period"),
            ("clients' port on another one", "--listen-client-urls=http://0.0.0.0:2379",
             "--listen-client-urls=http://0.0.0.0:2380")):
        assert old in text, old
        yield what, _wrong_etcd(text.replace(old, new))


CHECKS = [Check("the etcd for trying starts, and keeps what is written", starts, starts_planted)]
