"""A world of a rehearsal's own: network, processes and mounts that are gone when it ends, however it ends.

Everything hangs on one process, the first of its process namespace. When that one ends, the kernel kills
all others in it; with the last of them the mounts go, with the mounts the network namespaces, with
these their interfaces and rules. Only the cgroups have names outside, and those of rehearsals that
were killed are removed by the next one.
"""

import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable

_NEWNS, _NEWUTS, _NEWPID, _NEWNET = 0x00020000, 0x04000000, 0x20000000, 0x40000000
_PR_SET_PDEATHSIG = 1
_INTERRUPTED = 130  # exit code
_LIBC = ctypes.CDLL(None, use_errno=True)

_CGROUPS = pathlib.Path("/sys/fs/cgroup")
_PREFIX = "wormhole-rehearsal-"

# Where things lie inside; all of it is on a tmpfs that nobody outside sees.
SCRATCH = pathlib.Path("/run/rehearsal")


def die_with_parent() -> None:
    """For a child: no orphan when the parent is killed."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def cgroup_name() -> str:
    """Of this rehearsal's cgroups. Carries the process outside, so that its end can be seen from there."""
    return os.environ["WORMHOLE_REHEARSAL_CGROUP"]


def missing() -> str:
    """What this machine lacks for a rehearsal, in one line; empty if nothing."""
    if os.geteuid() != 0:
        return "needs root, for network namespaces and runc"
    for program in ("runc", "nft", "ip", "haproxy", "nginx", "etcd", "etcdctl", "openssl", "umoci"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    attempt = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "sh", "-c",
         "mount --make-rprivate / && mount -t proc proc /proc && mount -t tmpfs tmpfs /run && mkdir /run/netns"
         " && ip link add name one type veth peer name two && nft add table ip t"
         " && nft 'add chain ip t c { type nat hook output priority -100; }'"],
        capture_output=True, text=True, check=False)
    if attempt.returncode != 0:
        return f"this machine lets nobody make namespaces: {attempt.stderr.strip() or 'refused'}"
    return ""


def run(inside: Callable[[], int]) -> int:
    """Runs `inside` in a world of its own and returns its exit code. SIGTERM ends that world at once."""
    die_with_parent()
    remove_left_cgroups()
    os.environ["WORMHOLE_REHEARSAL_CGROUP"] = f"{_PREFIX}{os.getpid()}"
    # Before other work on this machine: waits are measured here, and a rehearsal computes for a tenth of its time.
    with contextlib.suppress(OSError):
        os.nice(-15)
    if _LIBC.unshare(_NEWNS | _NEWUTS | _NEWPID | _NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        _first_process(inside)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: os.kill(child, signal.SIGTERM))
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        # All of it has been killed; who was in a group is gone in a moment.
        end = time.monotonic() + 5
        while not _remove_cgroups(os.environ["WORMHOLE_REHEARSAL_CGROUP"]) and time.monotonic() < end:
            time.sleep(0.05)


def _first_process(inside: Callable[[], int]) -> None:
    code = 1
    try:
        die_with_parent()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: os._exit(_INTERRUPTED))
        for command in (["mount", "--make-rprivate", "/"], ["mount", "-t", "proc", "proc", "/proc"],
                        ["mount", "-t", "tmpfs", "tmpfs", "/run"], ["ip", "link", "set", "lo", "up"]):
            subprocess.run(command, check=True)
        for folder in (SCRATCH, pathlib.Path("/run/netns"), pathlib.Path("/run/lock")):
            folder.mkdir()
        code = inside()
    except BaseException:  # pylint: disable=broad-except; a fork must never return into its parent's code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def remove_left_cgroups() -> None:
    """Those of rehearsals whose process is no more."""
    names = {path.name for path in _CGROUPS.glob(f"*/{_PREFIX}*")} | {path.name for path in _CGROUPS.glob(f"{_PREFIX}*")}
    for name in names:
        if not pathlib.Path(f"/proc/{name.removeprefix(_PREFIX)}").exists():
            _remove_cgroups(name)


def _remove_cgroups(name: str) -> bool:
    """False if somebody is still in one of them."""
    for top in [*_CGROUPS.glob(f"*/{name}"), *_CGROUPS.glob(name)]:
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                return False
    return True
