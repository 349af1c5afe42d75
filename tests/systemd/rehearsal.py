#!/usr/bin/python3
"""deploy/systemd's units under a real systemd, from the first start to a copy that is put back:
rehearsal.py CGROUP RELAY SYNC. tests/systemd/run calls it, in namespaces of its own. It installs the
relay as deploy/README.md says."""

import json
import pathlib
import re
import subprocess
import sys
import time
from collections.abc import Callable

from base import Base, libraries
from etcd import Etcd
from exchange import TRUST, Exchange
from machine import SCRATCH, Failed, Machine, wait_for
from unit import Unit

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
# What the base has beside the programs' libraries: the units' systemd, and deploy/backup's sqlite3.
PACKAGES = ("ca-certificates", "sqlite3", "ssl-cert", "systemd")
UNITS = PROJECT / "deploy" / "systemd"
RELAY = "wormhole-relay.service"
DROP_INS = f"/etc/systemd/system/{RELAY}.d"
CLONE = "/usr/src/wormhole-sync"
PLANTED = "/root/planted.service"
CERTIFICATE = "/etc/ssl/certs/wormhole-relay.pem"
KEY = "/etc/ssl/private/wormhole-relay.key"
FLAGS = "/etc/wormhole/relay.flags"
GET_METRICS = r"exec 3<>/dev/tcp/127.0.0.1/47182; printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3; cat <&3"
COPIES = "/var/lib/private/wormhole-backup"
# What the relay stays open to: it serves on the network, in the host's root, with the key's group.
OPEN = {"DeviceAllow=", "IPAddressDeny=", "PrivateNetwork=", "RestrictAddressFamilies=~AF_(INET|INET6)",
        "RestrictAddressFamilies=~AF_UNIX", "RootDirectory=/RootImage=", "SupplementaryGroups="}
WRITABLE = ("/dev/", "/proc", "/tmp", "/var/lib/private/wormhole", "/var/lib/wormhole", "/var/tmp")


def expect(truth: bool, complaint: str) -> None:
    if not truth:
        raise Failed(complaint)


def installation() -> str:
    """What deploy/README.md has one type, each command on one line."""
    page = (PROJECT / "deploy" / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^## On one host$.*?^```$(.*?)^```$", page, re.S | re.M)
    return block[1].replace("\\\n", " ") if block else ""


def make_certificate(name: str) -> tuple[pathlib.Path, pathlib.Path]:
    """One for localhost that nobody else has signed, and its key."""
    certificate, key = SCRATCH / f"{name}.pem", SCRATCH / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost",
                    "-keyout", str(key), "-out", str(certificate)], check=True, stderr=subprocess.DEVNULL)
    return certificate, key


class Rehearsal:
    """The steps, in their order: each goes on from where the last one has stopped."""

    def __init__(self, machine: Machine, programs: list[str]) -> None:
        self._machine = machine
        self._relay = Unit(machine, RELAY)
        self._programs = programs
        self._flags = (UNITS / "relay.flags").read_text(encoding="utf-8")

    def steps(self) -> list[Callable[[], None]]:
        return [self.install, self.verify, self.exposure, self.start, self.sandbox, self.killed, self.certificates,
                self.stop, self.mistake, self.patience, self.watchdog, self.low_port, self.backup,
                self.etcd_away]

    def install(self) -> None:
        """By the commands of deploy/README.md, in a clone of the project on the machine."""
        for file in [*UNITS.iterdir(), PROJECT / "deploy" / "backup", PROJECT / "deploy" / "restore"]:
            self._machine.put(file, f"{CLONE}/{file.relative_to(PROJECT)}", file.stat().st_mode & 0o777)
        for name, program in zip(("relay/wormhole-relay", "client/cli/wormhole-sync"), self._programs):
            self._machine.put(pathlib.Path(program), f"{CLONE}/bazel-bin/{name}", 0o755)
        certificate, key = make_certificate("first")
        self._machine.put(certificate, f"{CLONE}/relay.pem")
        self._machine.put(key, f"{CLONE}/relay.key", 0o600)
        self._machine.put(certificate, TRUST)
        self._machine.write("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")
        commands = re.findall(r"^\$ sudo (.*)$", installation(), re.M)
        expect(len(commands) > 5, "deploy/README.md does not say how to install it")
        for command in commands:
            if not command.startswith("apt-get "):  # the base has them
                self._machine.run("sh", "-ec", f"cd {CLONE}; {command}")

    def _show_certificate(self, name: str) -> pathlib.Path:
        """Where the relay has it; as a program that renews certificates does."""
        certificate, key = make_certificate(name)
        self._machine.put(key, KEY, 0o640, self._key_group())
        self._machine.put(certificate, CERTIFICATE)
        return certificate

    def _key_group(self) -> int:
        return int(self._machine.run("getent", "group", "ssl-cert").split(":")[2])

    def _plant(self, pattern: str, text: str) -> None:
        """The relay's unit with a mistake in it."""
        unit = (UNITS / RELAY).read_text(encoding="utf-8")
        planted = re.sub(pattern, text, unit, flags=re.M)
        expect(planted != unit, f"the unit has no {pattern} to plant a mistake in")
        self._machine.write(PLANTED, planted)

    def verify(self) -> None:
        """systemd-analyze verify has nothing to say."""
        units = [f"/etc/systemd/system/{unit.name.replace('@', '@relay-x.db')}"
                 for unit in sorted(UNITS.iterdir()) if unit.suffix in (".service", ".timer")]
        said = self._machine.run("systemd-analyze", "verify", *units, check=False)
        expect(said == "", f"systemd-analyze verify says: {said}")
        self._plant("^ProtectSystem=", "ProtectSytem=")
        said = self._machine.run("systemd-analyze", "verify", PLANTED, check=False)
        expect("ProtectSytem" in said, "a name that systemd does not know is not found")

    def _passes(self, unit: str) -> bool:
        return self._machine.succeeds("systemd-analyze", "security", "--offline=true", "--threshold=15", unit)

    def _open_to(self, unit: str) -> set[str]:
        """What systemd-analyze has against the unit."""
        found = json.loads(self._machine.run("systemd-analyze", "security", "--offline=true", "--json=short", unit))
        return {item["name"] for item in found if not item["set"]}

    def exposure(self) -> None:
        """Below the threshold, and open to nothing that it does not need: a line that is lost is found
        even where the threshold leaves room for it."""
        expect(self._passes(RELAY), "the unit is above the threshold of exposure")
        unneeded = self._open_to(RELAY) - OPEN
        expect(not unneeded, f"the relay need not be open to {sorted(unneeded)}")
        self._plant("^SystemCallFilter=.*", "")
        expect(not self._passes(PLANTED), "a unit without SystemCallFilter= is below the threshold")
        self._plant("^(DynamicUser|ProtectSystem)=.*", "")
        expect("ProtectSystem=" in self._open_to(PLANTED), "a unit without ProtectSystem= is not found")
        for unit in ("wormhole-backup.service", "wormhole-restore@relay-x.db.service"):
            expect(self._passes(unit), f"{unit} is above the threshold of exposure")

    def start(self) -> None:
        """It serves as soon as it is installed."""
        expect(self._relay.state() == "active", "systemctl enable --now returns before the relay is active")
        expect(Unit(self._machine, "wormhole-backup.timer").state() == "active", "nobody makes copies")
        Exchange(self._machine).begin().finish()
        expect(Exchange(self._machine, "127.0.0.1:47180").is_refused(), "a name that no certificate has is served")
        page = self._machine.run("bash", "-c", GET_METRICS)
        for metric in ("max_fds", "open_fds", "resident_memory_bytes", "start_time_seconds", "cpu_seconds_total"):
            value = re.search(rf"^process_{metric} (\S+)", page, re.M)
            expect(value is not None and float(value[1]) > 0, f"the sandbox hides process_{metric}")

    def sandbox(self) -> None:
        """What the process really has, whatever the unit says."""
        process = f"/proc/{self._relay.show('MainPID')}"
        status = dict(re.findall(r"^(\w+):\s*(\S+)", self._machine.run("cat", f"{process}/status"), re.M))
        expect((status["CapBnd"], status["CapPrm"]) == ("0" * 16, "0" * 16), "the relay has capabilities")
        expect((status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), "the relay has no filter of system calls")
        expect(status["Uid"] != "0", "the relay is root")
        limits = self._machine.run("cat", f"{process}/limits")
        expect(re.search(r"^Max core file size +0 +0 ", limits, re.M) is not None, f"a core may be written:\n{limits}")
        expect(not self._writable(), f"the relay may write to {sorted(self._writable())}")
        folder = self._machine.run("stat", "--format=%a %u", "/var/lib/private/wormhole").split()
        expect(folder == ["700", status["Uid"]], f"mode and owner of the relay's folder are {folder}")
        limit = self._memory_limit()
        expect(limit in ("", str(1 << 30)), f"the limit of its memory is {limit}")
        self._relay.drop_in("ReadOnlyPaths=")
        self._relay.control("restart")
        expect("/run" in self._writable(), "a unit without ReadOnlyPaths= cannot be told from ours")
        self._heal()

    def _writable(self) -> set[str]:
        """Folders of the host that the relay's process may write to, as far as their modes let it."""
        mounts = self._machine.run("cat", f"/proc/{self._relay.show('MainPID')}/mountinfo").splitlines()
        places = [(line.split()[4], line.split()[5].split(",")) for line in mounts]
        return {place for place, options in places if "rw" in options and not place.startswith(WRITABLE)}

    def _memory_limit(self) -> str:
        """What the kernel goes by; empty where this machine gives containers none."""
        group = self._relay.show("ControlGroup")
        files = [f"/sys/fs/cgroup/memory{group}/memory.limit_in_bytes", f"/sys/fs/cgroup{group}/memory.max"]
        found = [file for file in files if self._machine.succeeds("test", "-e", file)]
        return self._machine.run("cat", found[0]).strip() if found else ""

    def _end_by(self, name: str) -> None:
        process = self._relay.show("MainPID")
        self._relay.control("kill", f"--signal={name}", "--kill-who=main")
        wait_for(f"systemd has started another process than the one that got SIG{name}",
                 lambda: self._relay.state() == "active" and self._relay.show("MainPID") != process)

    def killed(self) -> None:
        """It is started again, and the exchange that was under way is finished."""
        exchange = Exchange(self._machine).begin()
        self._end_by("KILL")
        exchange.finish()

    def certificates(self) -> None:
        """Shown without a restart when they were replaced."""
        process = self._relay.show("MainPID")
        certificate = self._show_certificate("second")
        self._machine.put(certificate, TRUST)
        wait_for("the relay shows its new certificate", lambda: not Exchange(self._machine).is_refused())
        self._machine.put(make_certificate("strange")[0], TRUST)
        expect(Exchange(self._machine).is_refused(), "a certificate that nobody trusts is trusted")
        self._machine.put(certificate, TRUST)
        expect(self._relay.show("MainPID") == process, "the relay was restarted for its certificate")

    def stop(self) -> None:
        """It drains, and the exchange that was under way is finished after its next start."""
        exchange = Exchange(self._machine).begin()
        self._relay.control("stop")
        end = (self._relay.show("Result"), self._relay.show("ExecMainStatus"))
        expect(end == ("success", "0"), f"the relay ends with {end}")
        self._relay.control("start")
        exchange.finish()
        said = self._machine.run("journalctl", "--quiet", "--output=cat", "--unit", RELAY)
        expect(re.search(r" draining;.* streams=1 .*\n(.*\n)*?.* info stopped\n", said) is not None,
               "the relay has not drained:\n" + said)

    def mistake(self) -> None:
        """A wrong flag: one line, and no further start. Without the unit's line for it there are more."""
        self._relay.control("stop")
        self._machine.write(FLAGS, self._flags + "channel-ttl-max=1m\n")
        self._relay.control("start", check=False)
        wait_for("the relay has failed", lambda: self._relay.state() == "failed")
        end = (self._relay.show("ExecMainStatus"), self._relay.show("NRestarts"))
        expect(end == ("2", "0"), f"status and restarts are {end}")
        said = self._relay.lines()
        expect(len(said) == 1 and "--channel-ttl-max" in said[0], "the journal has:\n" + "\n".join(said))
        self._relay.drop_in("RestartPreventExitStatus=")
        self._relay.control("start", check=False)
        wait_for("a unit without RestartPreventExitStatus= starts again",
                 lambda: int(self._relay.show("NRestarts")) > 0)
        self._heal()

    def _heal(self) -> None:
        """As it was installed, and started."""
        self._relay.control("stop", check=False)
        self._relay.control("reset-failed", check=False)
        self._machine.write(FLAGS, self._flags)
        self._relay.drop_in()
        self._relay.control("start")

    def patience(self) -> None:
        """What no flag is to blame for is tried again, more often than systemd does by itself, until it works."""
        self._relay.control("stop")
        self._machine.write(FLAGS, self._flags.replace(KEY, "/nowhere"))
        self._relay.drop_in("RestartSec=10ms")  # to save the test's time
        self._relay.control("start", check=False)
        wait_for("the relay is started again and again", lambda: int(self._relay.show("NRestarts")) > 12)
        self._machine.write(FLAGS, self._flags)
        wait_for("the relay is there when the fault is gone", lambda: self._relay.state() == "active")
        self._heal()

    def watchdog(self) -> None:
        """A relay that hangs is started again."""
        self._relay.drop_in("WatchdogSec=2")  # to save the test's time
        self._relay.control("restart")
        for _ in range(2):
            told = self._relay.show("WatchdogTimestampMonotonic")
            wait_for("the relay tells the watchdog that it is well",
                     lambda last=told: self._relay.show("WatchdogTimestampMonotonic") != last)
        expect(self._relay.show("NRestarts") == "0", "the watchdog ends a relay that is well")
        self._end_by("STOP")
        said = self._machine.run("journalctl", "--quiet", "--output=cat", "--unit", RELAY)
        expect("Watchdog timeout" in said, "it was not the watchdog that has ended it")
        self._heal()
        Exchange(self._machine).begin().finish()

    def low_port(self) -> None:
        """With its drop-in."""
        self._machine.write(FLAGS, self._flags.replace(":47180", ":443"))
        self._machine.put(UNITS / "low-port.conf", f"{DROP_INS}/low-port.conf")
        self._machine.run("systemctl", "daemon-reload")
        self._relay.control("restart")
        Exchange(self._machine, "localhost:443").begin().finish()
        self._machine.run("rm", f"{DROP_INS}/low-port.conf")
        self._heal()

    def backup(self) -> None:
        """A copy while the relay serves; put back, it knows the exchange that waited then."""
        exchange = Exchange(self._machine).begin()
        self._machine.run("systemctl", "start", "wormhole-backup.service")
        copies = self._machine.run("ls", COPIES).split()
        expect(len(copies) == 1, f"the copies are {copies}")
        self._machine.run("systemctl", "start", f"wormhole-restore@{copies[0]}.service")
        expect(self._relay.state() == "inactive", "a copy is put back while the relay runs")
        expect(".old-" in self._machine.run("ls", "/var/lib/private/wormhole"), "the old file was not kept")
        self._relay.control("start")
        exchange.finish()

    def etcd_away(self) -> None:
        """A relay that starts before its etcd waits for it, and nobody ends it for that."""
        etcd = Etcd(self._machine)
        etcd.start()
        etcd.require_password("relay", "not a secret here")
        etcd.stop()
        store = ["store=etcd:localhost:2379"]
        for kind, text in (("user", "relay\n"), ("password", "not a secret here\n")):
            self._machine.write(f"/etc/wormhole/etcd-{kind}", text, 0o640, self._key_group())
            store.append(f"etcd-{kind}-file=/etc/wormhole/etcd-{kind}")
        self._machine.write(FLAGS, re.sub("^store=.*", "\n".join(store), self._flags, flags=re.M))
        self._relay.control("restart", "--no-block")
        wait_for("systemctl status says what the relay waits for", lambda: "etcd" in self._relay.show("StatusText"))
        expect(self._relay.state() == "active", "systemd would end the start of a relay that waits for longer")
        exchange = Exchange(self._machine)
        etcd.start()
        exchange.begin().finish()
        end = (self._relay.state(), self._relay.show("NRestarts"))
        expect(end == ("active", "0"), f"state and restarts are {end}")


def main(cgroup: str, programs: list[str]) -> int:
    base = Base("systemd", [*libraries(programs), *PACKAGES])
    with Machine(base.folder, cgroup) as machine:
        for step in Rehearsal(machine, programs).steps():
            began = time.monotonic()
            try:
                step()
            except (Failed, subprocess.SubprocessError, OSError) as error:
                print(f"{step.__name__} FAILED: {error}", flush=True)
                print(machine.run("journalctl", "--quiet", "--no-hostname", "--lines=30", check=False))
                return 1
            print(f"{step.__name__}: {time.monotonic() - began:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
