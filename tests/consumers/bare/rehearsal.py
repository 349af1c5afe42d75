#!/usr/bin/python3
"""Our packages from their installation to their purge, on a Debian that has what they depend on: rehearsal.py FOLDER
PROGRAM, which is one that exchanges with itself by the library. tests/consumers/bare/run calls it, in namespaces of its own."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.append(str(HERE.parents[1] / "systemd"))

from base import Base, can_be_made  # noqa: E402 pylint: disable=wrong-import-position

# A mount point that each Debian has; this process has a mount namespace of its own.
SCRATCH = pathlib.Path("/mnt")
ROOT = SCRATCH / "root"
CODE = "7-purity-sausage"
PROGRAM = "/packages/program"
FLAGS = "etc/wormhole/relay.flags"
# What a package manager writes down for itself.
UNTOLD = re.compile(r"/(?:proc|dev|tmp|packages|run)(?:/|$)|/var/(?:lib/dpkg|log|cache)(?:/|$)|/etc/ld\.so\.cache$")


class Failed(Exception):
    """What did not happen."""


def expect(truth: bool, complaint: str) -> None:
    if not truth:
        raise Failed(complaint)


def run(*command: str, check: bool = True) -> str:
    """What a command of the root prints, on either output."""
    done = subprocess.run(["chroot", str(ROOT), *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, text=True, timeout=120,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                               "DEBIAN_FRONTEND": "noninteractive"})
    if check and done.returncode != 0:
        raise Failed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def succeeds(*command: str) -> bool:
    return subprocess.run(["chroot", str(ROOT), *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False, timeout=120).returncode == 0


def depends(package: pathlib.Path) -> set[str]:
    said = subprocess.run(["dpkg-deb", "--field", str(package), "Depends"], stdout=subprocess.PIPE, check=True,
                          text=True).stdout
    return {re.split(r"[\s(:|]", item.strip())[0] for item in said.split(",")}


def versions(names: set[str]) -> list[str]:
    """Each with the version that this machine has, by which a newer one is noticed."""
    said = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *sorted(names)], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False, text=True).stdout
    known = dict(line.split(" ") for line in said.splitlines())
    return [f"{name} {known.get(name, '')}".strip() for name in sorted(names)]


def mount(base: pathlib.Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(SCRATCH)], check=True)
    for folder in ("upper", "work", "root"):
        (SCRATCH / folder).mkdir()
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                    f"lowerdir={base},upperdir={SCRATCH}/upper,workdir={SCRATCH}/work", str(ROOT)], check=True)
    subprocess.run(["mount", "-t", "proc", "proc", str(ROOT / "proc")], check=True)
    subprocess.run(["mount", "--bind", "/dev", str(ROOT / "dev")], check=True)


def meet() -> None:
    """The installed command line, twice, at the relay of $WORMHOLE_RENDEZVOUS."""
    call = ["chroot", str(ROOT), "/usr/bin/wormhole-sync"]
    limit = ["--timeout", "30s"]
    with subprocess.Popen([*call, "initiate", "--code", CODE, "--data", "from the initiator", *limit], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as initiator:
        assert initiator.stdout and initiator.stderr
        said = ""
        while "Invitation code" not in said:
            line = initiator.stderr.readline()
            expect(line != "", f"the initiator says: {said}")
            said += line
        theirs = subprocess.run([*call, "receive", CODE, "--data", "from the receiver", *limit], text=True, check=False,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60).stdout
        ours = initiator.stdout.read()
        expect((theirs, ours) == ("from the initiator", "from the receiver"), f"the sides got {theirs!r} and {ours!r}")


def beside_relay(*command: str) -> None:
    """Runs it in a network of its own, beside the installed relay."""
    relay = SCRATCH / "relay"
    relay.write_text(f"#!/bin/sh\nexec chroot {ROOT} /usr/bin/wormhole-relay \"$@\"\n", encoding="ascii")
    relay.chmod(0o755)
    done = subprocess.run(["unshare", "--net", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh",
                           str(HERE.parent / "relay"), *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, text=True, timeout=120,
                          env={**os.environ, "WORMHOLE_RELAY": str(relay)})
    expect(done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")


def files() -> set[str]:
    names = run("find", "/", "-xdev", "-path", "/proc", "-prune", "-o", "-path", "/dev", "-prune", "-o", "-print")
    return {name for name in names.splitlines() if not UNTOLD.match(name)}


class Rehearsal:
    """The steps, in their order: each goes on from where the last one has stopped."""

    def __init__(self, packages: list[pathlib.Path], program: pathlib.Path) -> None:
        self._packages = packages
        self._program = program
        self._names = [package.name.split("_")[0] for package in packages]
        self._before: set[str] = set()

    def steps(self) -> list[Callable[[], None]]:
        return [self.bare, self.install, self.exchange, self.library, self.torn, self.upgrade, self.remove, self.purge]

    def bare(self) -> None:
        """The root has no compiler, and of developers' packages none."""
        for program in ("cc", "c++", "gcc", "g++", "ld", "bazel", "wormhole-sync"):
            expect(not succeeds("sh", "-c", f"command -v {program}"), f"the root has {program}")
        found = re.findall(r"^lib\S*-dev$", run("dpkg-query", "-W", "-f", "${Package}\n"), re.M)
        expect(not found, f"the root has {found}")
        self._before = files()

    def _dpkg(self, *options: str) -> str:
        return run("dpkg", *options)

    def install(self) -> None:
        """dpkg has nothing to complain of, and nothing is enabled."""
        (ROOT / "packages").mkdir()
        for package in self._packages:
            (ROOT / "packages" / package.name).write_bytes(package.read_bytes())
        shutil.copy(self._program, f"{ROOT}{PROGRAM}")
        self._dpkg("--install", *(f"/packages/{package.name}" for package in self._packages))
        expect(self._dpkg("--audit") == "", "dpkg --audit has something to say")
        enabled = [name for name in files() if name.startswith("/etc/systemd") and "wormhole" in name]
        expect(not enabled, f"without being asked for there is {enabled}")

    def exchange(self) -> None:
        """The installed command line through the installed relay."""
        beside_relay(__file__, "--meet")

    def library(self) -> None:
        """A program that was linked elsewhere, with the installed library."""
        beside_relay("chroot", str(ROOT), PROGRAM)

    def torn(self) -> None:
        """A library that is missing in the root is missed, whatever this machine has."""
        for name, command in (("libsodium.so.23", ("wormhole-sync", "--version")),
                              ("libwormhole-sync-cc.so.0", (PROGRAM, "--help"))):
            library = next((ROOT / "usr/lib").glob(f"*/{name}"))
            away = library.with_name("away")
            library.rename(away)
            said = run(*command, check=False)
            expect(f"{name}: cannot open shared object file" in said, f"without {name} {command[0]} says: {said}")
            away.rename(library)

    def upgrade(self) -> None:
        """To a later version, whose flags are other ones: the operator's stay."""
        flags = ROOT / FLAGS
        changed = flags.read_text(encoding="utf-8") + "# of this host\n"
        flags.write_text(changed, encoding="utf-8")
        relay = next(package for package in self._packages if package.name.startswith("wormhole-relay_"))
        later = SCRATCH / "later"
        subprocess.run(["dpkg-deb", "--raw-extract", str(relay), str(later)], check=True)
        control = later / "DEBIAN/control"
        control.write_text(re.sub("^(Version: .*)", r"\1+later", control.read_text(encoding="utf-8"), flags=re.M),
                           encoding="utf-8")
        (later / FLAGS).write_text("# of the later version\n", encoding="utf-8")
        subprocess.run(["dpkg-deb", "-Znone", "--root-owner-group", "--build", str(later), str(ROOT / "packages/later.deb")],
                       check=True, stdout=subprocess.DEVNULL)
        self._dpkg("--force-confdef", "--force-confold", "--install", "/packages/later.deb")
        expect(run("dpkg-query", "-W", "-f", "${Version}", "wormhole-relay").endswith("+later"), "there is no later one")
        expect(flags.read_text(encoding="utf-8") == changed, "the upgrade has replaced the operator's flags")
        expect(succeeds("wormhole-relay", "--version"), "the later relay does not run")

    def remove(self) -> None:
        """The operator's flags and the relay's file stay."""
        # As systemd lays out the folders of a user who exists while the relay runs.
        for name in ("wormhole", "wormhole-backup"):
            (ROOT / "var/lib/private" / name).mkdir(parents=True)
            (ROOT / "var/lib/private" / name / "relay.db").write_text("", encoding="ascii")
            (ROOT / "var/lib" / name).symlink_to(f"private/{name}")
        self._dpkg("--remove", *self._names)
        expect(not (ROOT / "usr/bin/wormhole-relay").exists(), "the program is there after its removal")
        left = {"/" + FLAGS, "/var/lib/private/wormhole/relay.db"}
        expect(left <= files() - self._before, "what the purge leaves would not be noticed")
        for name in (FLAGS, "var/lib/wormhole/relay.db", "var/lib/wormhole-backup/relay.db"):
            expect((ROOT / name).exists(), f"removing the package has removed /{name}")

    def purge(self) -> None:
        """Nothing is left, nor is anything gone that was there before."""
        self._dpkg("--purge", *self._names)
        changed = (files() ^ self._before) - {"/var/lib/private"}
        expect(not changed, f"after the purge these differ: {sorted(changed)}")


def main(folder: str, program: str) -> int:
    # Whoever only runs programs installs no development files.
    packages = sorted(set(pathlib.Path(folder).glob("*.deb")) - set(pathlib.Path(folder).glob("*-dev_*.deb")))
    names = {package.name.split("_")[0] for package in packages}
    try:
        base = Base("bare", versions(set().union(*map(depends, packages)) - names))
    except subprocess.CalledProcessError as error:
        if can_be_made():
            print(f"there is no Debian that has what the packages depend on: {error}")
            return 1
        print("SKIPPED: mmdebstrap makes no Debian here: no mirror is reached")
        return 77
    mount(base.folder)
    for step in Rehearsal(packages, pathlib.Path(program)).steps():
        began = time.monotonic()
        try:
            step()
        except (Failed, subprocess.SubprocessError, OSError) as error:
            print(f"{step.__name__} FAILED: {error}", flush=True)
            return 1
        print(f"{step.__name__}: {time.monotonic() - began:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "--meet":
        meet()
    else:
        sys.exit(main(*sys.argv[1:]))
