"""The compile cache that tests/run keeps between runs on one machine: a folder for --disk_cache.

`compile_cache.py folder` makes and prints the folder; where there can be none it says why on its
standard error and exits with 1. `compile_cache.py prune` removes what was not used for longest from
all these folders, when together they have grown beyond MOST_BYTES.

Bazel knows an action by its command and by the files of the workspace that it reads. Headers,
libraries and programs of the system are not among them, so that after an upgrade a cache would give
objects of the old ones: each state of the system has a folder of its own.
"""

import fcntl
import glob
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

MOST_BYTES = 6 << 30
KEPT = 0.75  # of the bound, after pruning, so that not every run has to
# What Bazel looks up in PATH.
PROGRAMS = ("gcc", "g++", "clang-14", "ld", "protoc", "grpc_cpp_plugin")
# Where compilers and linkers look beside the folders of Debian's packages.
LOCAL_FILES = ("/usr/local/include/**", "/usr/local/lib/*")


class NoCache(Exception):
    """Why there is none."""


def root_of(environment):
    """Where the folders are, by the environment's rules for caches."""
    cache = environment.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(cache):
        home = environment.get("HOME", "")
        if not os.path.isabs(home):
            raise NoCache("neither XDG_CACHE_HOME nor HOME names a folder")
        cache = os.path.join(home, ".cache")
    return pathlib.Path(cache) / "wormhole-sync" / "compile"


class Package:
    def __init__(self, line):
        self.name, self.version, provides, needs = line.split("\t")
        self.provides = names_in(provides)
        self.needs = names_in(needs)


def names_in(relations):
    """The packages in a field such as `libc6 (>= 2.36), gcc:any | clang`, alternatives too."""
    words = [relation.split() for relation in re.split(r"[,|]", relations)]
    return [word[0].split(":")[0] for word in words if word]


def with_what_they_need(names, packages):
    """The packages of these names and all that they depend on, as far as they are installed."""
    known = {}
    for package in packages:
        for name in [package.name] + package.provides:
            known.setdefault(name, []).append(package)
    found, waiting = set(), list(names)
    seen = set(waiting)
    while waiting:
        for package in known.get(waiting.pop(), []):
            found.add(f"{package.name} {package.version}")
            waiting += [need for need in package.needs if need not in seen]
            seen.update(package.needs)
    return sorted(found)


def installed_packages():
    fields = "${Package}\t${Version}\t${Provides}\t${Pre-Depends},${Depends}\n"
    listed = subprocess.run(["dpkg-query", "-W", "-f", fields], stdout=subprocess.PIPE, check=True,
                            text=True)
    return [Package(line) for line in listed.stdout.splitlines()]


def needed_packages():
    listed = subprocess.run(["deploy/packages", "list"], stdout=subprocess.PIPE, check=True,
                            text=True)
    return listed.stdout.split()


def state_of(path):
    """The path with what changes when somebody writes the file."""
    status = os.stat(path)
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def programs_in_use(environment):
    named = PROGRAMS + tuple(filter(None, [environment.get("CC")]))
    found = [shutil.which(name) for name in named]
    return [state_of(os.path.realpath(path)) for path in found if path]


def local_files():
    return sorted(state_of(path) for pattern in LOCAL_FILES
                  for path in glob.glob(pattern, recursive=True) if os.path.isfile(path))


def key_of(lines):
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def make_folder(environment, key):
    folder = root_of(environment) / key
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f"probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise NoCache(f"cannot write to {folder}: {error.strerror}") from error
    return folder


def bound(used, free):
    """Never more than half of what would be free without the cache."""
    return min(MOST_BYTES, (used + free) // 2)


def prune(root, most_bytes=None):
    """Removes the files that were not used for longest. Bazel does not mind: it builds again what
    it misses. Of two prunes at once the second does nothing."""
    with open(root / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        files = used_files(root)
        used = sum(size for _, size, _ in files)
        if most_bytes is None:
            most_bytes = bound(used, shutil.disk_usage(root).free)
        if used > most_bytes:
            remove_oldest(files, used - int(most_bytes * KEPT))


def used_files(root):
    """(last use, bytes, path) of every file; without access times the last use is the making."""
    files = []
    for path in filter(os.path.isfile, glob.glob(f"{glob.escape(str(root))}/*/**", recursive=True)):
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            continue  # a Bazel that runs has renamed it
        files.append((max(status.st_atime, status.st_mtime), status.st_blocks * 512, path))
    return files


def remove_oldest(files, too_many_bytes):
    for _, size, path in sorted(files):
        if too_many_bytes <= 0:
            return
        too_many_bytes -= size
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass


def main(command):
    try:
        if command == "folder":
            key = key_of(with_what_they_need(needed_packages(), installed_packages()) +
                         programs_in_use(os.environ) + local_files())
            print(make_folder(os.environ, key))
        elif root_of(os.environ).is_dir():
            prune(root_of(os.environ))
    except NoCache as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
