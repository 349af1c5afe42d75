"""deploy/edge's haproxy.cfg and nginx.conf, started before relays on this host.

They run as they are shipped, but for what an operator edits (addresses, certificate, relays) and what takes a host
of its own (user, chroot, pid, log). Each such place has to be in the file, or Edge raises.

    certificate = Certificate(folder, edge_host)
    with Edge("haproxy", folder, free_address(), [relay.address], certificate) as edge:
        ...  # TLS with HTTP/2 at edge.address; edge.pids are those that do its work
"""

import ctypes
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import time
from types import TracebackType

PROJECT = pathlib.Path(__file__).resolve().parents[2]
SHIPPED = {"haproxy": PROJECT / "deploy/edge/haproxy.cfg", "nginx": PROJECT / "deploy/edge/nginx.conf"}
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
# Before the words of a command that is started often: a preexec_fn has each start copy all of Python first, which takes
# longer than the command where page faults are dear.
DIES_WITH_PARENT = ["setpriv", "--pdeathsig", "KILL", "--"]


def die_with_parent() -> None:
    """For a child: no orphan when the parent is killed."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def program(kind: str) -> str | None:
    """Where it is, or None. Debian has both in /usr/sbin, which not every PATH has."""
    return shutil.which(kind, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def free_address(host: str = "") -> str:
    """HOST:PORT where nobody listens; without a host also where nobody will: few others know this address of
    loopback's."""
    host = host or f"127.{random.randrange(64, 128)}.{random.randrange(256)}.{random.randrange(1, 255)}"
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as taken:
        taken.bind((host, 0))
        return f"[{host}]:{taken.getsockname()[1]}" if ":" in host else f"{host}:{taken.getsockname()[1]}"


def split(address: str) -> tuple[str, int]:
    """The host, without brackets, and the port."""
    host, port = address.rsplit(":", 1)
    return host.strip("[]"), int(port)


class Certificate:
    """One for these IP addresses, which clients trust by itself."""

    def __init__(self, folder: pathlib.Path, *hosts: str) -> None:
        names = ",".join(f"IP:{host}" for host in hosts)
        self.chain, self.key, self.both = folder / "edge.pem", folder / "edge.key", folder / "edge-with-key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=edge", "-addext", f"subjectAltName={names}",
                        "-keyout", str(self.key), "-out", str(self.chain)], check=True, capture_output=True)
        self.both.write_bytes(self.chain.read_bytes() + self.key.read_bytes())


class Edge:
    """It has ended, with all of its processes, when `stop` returns or this process ends."""

    def __init__(self, kind: str, folder: pathlib.Path, address: str, relays: list[str], certificate: Certificate,
                 edits: dict[str, str] | None = None, address6: str = "") -> None:
        """`edits` are further texts of the shipped file, and what stands there instead. `address6` is where it
        listens for IPv6, if it does."""
        self.kind, self.address, self._address6 = kind, address, address6
        self._folder = folder / kind
        self._folder.mkdir(parents=True, exist_ok=True)
        self._configuration = self._folder / "configuration"
        make = self._for_haproxy if kind == "haproxy" else self._for_nginx
        text = SHIPPED[kind].read_text(encoding="utf-8")
        for before, after in {**make(relays, certificate), **(edits or {})}.items():
            if text.count(before) != 1:
                raise ValueError(f"{SHIPPED[kind]} has {text.count(before)} times what is edited in it: {before!r}")
            text = text.replace(before, after)
        self._configuration.write_text(text, encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def check(self) -> str:
        """What its own program complains of; empty if nothing."""
        done = subprocess.run(self._command() + ["-c" if self.kind == "haproxy" else "-t"], capture_output=True,
                              text=True, check=False)
        if done.returncode == 0 and "[WARNING]" not in done.stderr and "[warn]" not in done.stderr:
            return ""
        return f"exit code {done.returncode}: {done.stderr}"

    def start(self) -> None:
        with open(self._folder / "log", "ab") as log:
            self._process = subprocess.Popen(self._command() + (["-db"] if self.kind == "haproxy" else []),
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             preexec_fn=die_with_parent)
        end = time.monotonic() + 30
        while True:
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.kind} does not listen at {self.address}: {self.log()[-2000:]}")
            try:
                socket.create_connection(split(self.address), timeout=5).close()
                return
            except OSError:
                time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> "Edge":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.stop()

    @property
    def pids(self) -> list[int]:
        assert self._process
        return [self._process.pid]

    def log(self) -> str:
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")

    def _command(self) -> list[str]:
        path = program(self.kind)
        if path is None:
            raise FileNotFoundError(f"{self.kind} is not installed (deploy/packages test)")
        if self.kind == "haproxy":
            return [path, "-f", str(self._configuration)]
        return [path, "-p", str(self._folder), "-e", "stderr", "-c", str(self._configuration)]

    def _for_haproxy(self, relays: list[str], certificate: Certificate) -> dict[str, str]:
        return {
            "  log /dev/log local0 notice\n": "  log stdout format raw local0 notice\n",
            "  chroot /var/lib/haproxy\n": "",
            "  user haproxy\n": "",
            "  group haproxy\n": "",
            "/run/haproxy/admin.sock": str(self._folder / "socket"),
            "  bind :443 ssl crt /etc/haproxy/wormhole-relay.pem": f"  bind {self.address} ssl crt {certificate.both}",
            "  bind :::443 v6only ssl crt /etc/haproxy/wormhole-relay.pem alpn h2\n":
                f"  bind {self._address6} v6only ssl crt {certificate.both} alpn h2\n" if self._address6 else "",
            "\n  server relay 127.0.0.1:47180\n": "\n" + "".join(
                f"  server relay{number} {relay}\n" for number, relay in enumerate(relays)),
        }

    def _for_nginx(self, relays: list[str], certificate: Certificate) -> dict[str, str]:
        folders = "".join(f"  {name}_temp_path {self._folder / name};\n"
                          for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return {
            # One process, which dies with this one; a master's workers would stay.
            "user www-data;\nworker_processes auto;\n": "daemon off;\nmaster_process off;\n",
            "/run/nginx.pid": str(self._folder / "pid"),
            "/var/log/nginx/error.log": "stderr",
            "  access_log off;\n": f"  access_log off;\n{folders}",
            "listen 443 ": f"listen {self.address} ",
            "    listen [::]:443 ssl http2 backlog=4096;\n":
                f"    listen {self._address6} ssl http2 backlog=4096;\n" if self._address6 else "",
            "/etc/ssl/certs/wormhole-relay.pem": str(certificate.chain),
            "/etc/ssl/private/wormhole-relay.key": str(certificate.key),
            "    server 127.0.0.1:47180 max_fails=1 fail_timeout=1s;\n": "".join(
                f"    server {relay} max_fails=1 fail_timeout=1s;\n" for relay in relays),
        }
