"""A small etcd on the machine, of this host's package."""

import pathlib

from machine import Machine, wait_for


class Etcd:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._who: list[str] = []
        for name in ("etcd", "etcdctl"):
            machine.put(pathlib.Path("/usr/bin") / name, f"/usr/local/bin/{name}", 0o755)

    def start(self) -> None:
        self._machine.run("systemd-run", "--quiet", "--collect", "--unit=etcd",
                          "etcd", "--data-dir=/var/lib/etcd", "--log-level=error")
        wait_for("etcd answers", lambda: self._machine.succeeds("etcdctl", *self._who, "endpoint", "health"))

    def stop(self) -> None:
        self._machine.run("systemctl", "stop", "etcd")

    def require_password(self, user: str, password: str) -> None:
        """From now on; the user may do what relays need, and nothing else."""
        for words in (["user", "add", "root:root"], ["user", "add", f"{user}:{password}"], ["role", "add", user],
                      ["role", "grant-permission", user, "--prefix=true", "readwrite", "wormhole/"],
                      ["user", "grant-role", user, user], ["user", "grant-role", "root", "root"],
                      ["auth", "enable"]):
            self._machine.run("etcdctl", *words)
        self._who = ["--user=root:root"]
