"""A root file system of Debian's packages alone, for those who try ours on it: made once by mmdebstrap and kept in
the user's cache, one of a kind at a time."""

import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess

OPTIONS = ("--quiet", "--variant=minbase", "--dpkgopt=path-exclude=/usr/share/doc/*",
           "--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=path-exclude=/usr/share/man/*")


def cache_folder(kind: str) -> pathlib.Path:
    cache = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(cache):
        cache = os.path.expanduser("~/.cache")
    return pathlib.Path(cache) / "wormhole-sync" / kind


def output(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


def libraries(programs: list[str]) -> list[str]:
    """The packages of the libraries that the programs load, with their versions here."""
    files: set[str] = set()
    for program in programs:
        for path in re.findall(r"=> (/\S+)", output("ldd", program)):
            # dpkg knows a file by one of the two names that it has since /lib is a link.
            files |= {path, path.removeprefix("/usr"), os.path.realpath(path)}
    owners = subprocess.run(["dpkg-query", "-S", *sorted(files)], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, check=False, text=True).stdout
    names = sorted({line.split(":")[0] for line in owners.splitlines()})
    return output("dpkg-query", "-W", "-f", "${Package} ${Version}\n", *names).splitlines()


def codename() -> str:
    found = re.search(r"^VERSION_CODENAME=(\w+)", pathlib.Path("/etc/os-release").read_text(encoding="utf-8"), re.M)
    assert found, "/etc/os-release names no release of Debian"
    return found[1]


def can_be_made() -> bool:
    """Whether a base without further packages could be: without Debian's mirror none can."""
    return subprocess.run(["mmdebstrap", "--simulate", "--quiet", "--variant=minbase", codename(), "/dev/null"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


class Base:
    """In `folder`, for as long as this lives: no other run removes it. Beside what is essential it has the packages
    of `needed`, each a name or a name and the version that this machine has: with another one it is made anew."""

    def __init__(self, kind: str, needed: list[str]) -> None:
        key = hashlib.sha256("\n".join([*needed, *OPTIONS]).encode()).hexdigest()[:16]
        cache = cache_folder(kind)
        cache.mkdir(parents=True, exist_ok=True)
        self.folder = cache / key
        self._lock = open(cache / f"{key}.lock", "a", encoding="ascii")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        if not self.folder.exists():
            self._make(sorted({line.split()[0] for line in needed}))
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        remove_others(cache, key)

    def _make(self, names: list[str]) -> None:
        print("making the base, which is kept for later runs", flush=True)
        part = self.folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        subprocess.run(["mmdebstrap", *OPTIONS, f"--include={','.join(names)}", codename(), str(part)], check=True,
                       stdin=subprocess.DEVNULL)
        part.rename(self.folder)


def remove_others(cache: pathlib.Path, key: str) -> None:
    """All other bases but those that a run of another tree uses now."""
    for lock in cache.glob("*.lock"):
        if lock.stem == key:
            continue
        with open(lock, "a", encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            for folder in (lock.with_suffix(""), lock.with_suffix(".part")):
                shutil.rmtree(folder, ignore_errors=True)
            lock.unlink()
