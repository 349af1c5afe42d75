"""What dpkg knows of the packages of this machine: who owns a file, and what it should hold."""

import hashlib
import os
import re
import subprocess
from dataclasses import dataclass


class PackageError(Exception):
    """Says what is wrong with which file or package, and what to do."""


@dataclass(frozen=True)
class Package:
    """An installed package, by its entry in dpkg's database."""

    name: str
    version: str
    architecture: str
    source: str
    source_version: str
    maintainer: str
    homepage: str
    summary: str
    control: str  # the whole entry


def _query(*arguments: str) -> str:
    # Without the caller's settings: DPKG_ADMINDIR would name another machine's database.
    return subprocess.run(
        ["dpkg-query", *arguments],
        check=False,
        capture_output=True,
        encoding="utf-8",
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
    ).stdout


def both_names(path: str) -> list[str]:
    """A library is in /usr/lib, but many packages of Debian 12 still call that folder /lib."""
    return [path, path.removeprefix("/usr")] if re.match("/usr/lib(32|64)?/", path) else [path]


def field(control: str, name: str) -> str:
    """One line's field of a control entry, empty where it is not there."""
    found = re.search(rf"^{name}: *(.*)$", control, re.MULTILINE)
    return found.group(1) if found else ""


def package(name: str) -> Package:
    control = _query("--status", name)
    if not control:
        raise PackageError(f"the package {name} is not installed: run deploy/packages build")
    # Held back or not, the image has the same.
    control = re.sub(r"^Status: .*$", "Status: install ok installed", control, flags=re.MULTILINE)
    version = field(control, "Version")
    # `Source: glibc`, or `Source: gcc-12 (12.2.0-14)` where the versions differ.
    source, _, source_version = field(control, "Source").partition(" ")
    return Package(
        name=field(control, "Package"),
        version=version,
        architecture=field(control, "Architecture"),
        source=source or field(control, "Package"),
        source_version=source_version.strip("()") or version,
        maintainer=field(control, "Maintainer"),
        homepage=field(control, "Homepage"),
        summary=field(control, "Description"),
        control=control.rstrip("\n") + "\n",
    )


def _literal(path: str) -> str:
    """dpkg-query takes what it searches for as a pattern: an unescaped `*` would find other files, too."""
    return re.sub(r"([*?\[\\])", r"\\\1", path)


def owners(paths: list[str]) -> dict[str, str]:
    """The package of each file, which are named as realpath does. Whatever belongs to none is refused:
    nobody would know its version, its licence, or when it has to be replaced."""
    lines = _query("--search", *(_literal(name) for path in paths for name in both_names(path)))
    found: dict[str, str] = {}
    for line in lines.splitlines():
        names, _, path = line.partition(": ")
        if path and not names.startswith("diversion by "):
            found[path] = names.split(",")[0]
    result = {}
    for path in paths:
        package_names = [found[name] for name in both_names(path) if name in found]
        if not package_names:
            raise PackageError(
                f"{path} belongs to no package of Debian: remove it, or what names it in /etc/ld.so.conf.d, "
                "and build again")
        result[path] = package_names[0]
    return result


class Checksums:
    """The MD5 sums that a package brought along for its files; that is what dpkg has."""

    def __init__(self, package_name: str) -> None:
        self._package = package_name
        self._sums: dict[str, str] = {}
        path = _query("--control-path", package_name, "md5sums").strip()
        if not path:
            raise PackageError(f"{package_name} has no checksums: reinstall it")
        with open(path, encoding="utf-8") as file:
            for line in file:
                digest, name = line.rstrip("\n").split("  ", 1)
                self._sums["/" + name] = digest

    def verify(self, path: str) -> str:
        """The sum of a file, which has to be the package's own. Configuration files have none there."""
        with open(path, "rb") as file:
            actual = hashlib.md5(file.read()).hexdigest()
        expected = [self._sums[name] for name in both_names(path) if name in self._sums]
        if expected and actual != expected[0]:
            raise PackageError(f"{path} is not as {self._package} brought it: reinstall that package")
        return actual


def files_of(package_name: str) -> list[str]:
    return [path for path in _query("--listfiles", package_name).splitlines() if os.path.isfile(path)]


def libraries(program: str) -> set[str]:
    """The paths at which the loader finds what a program or a library needs, itself among them."""
    # No LD_LIBRARY_PATH of the caller's.
    run = subprocess.run(["/usr/bin/ldd", program], check=False, capture_output=True, encoding="utf-8",
                         env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    if run.returncode != 0:
        raise PackageError(f"ldd {program}: {(run.stderr or run.stdout).strip()}")
    missing = re.findall(r"^\s*(\S+) => not found$", run.stdout, re.MULTILINE)
    if missing:
        raise PackageError(f"{program} needs {', '.join(missing)}: run deploy/packages build")
    return set(re.findall(r"^\s*(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)$", run.stdout, re.MULTILINE))


def distribution(os_release: str = "/usr/lib/os-release") -> tuple[str, str]:
    """('debian', '12'). Other systems are refused, because the addresses of packages say that they are Debian's."""
    values = {}
    with open(os_release, encoding="utf-8") as file:
        for line in file:
            key, _, value = line.strip().partition("=")
            values[key] = value.strip('"')
    if values.get("ID") != "debian" or not values.get("VERSION_ID"):
        raise PackageError(f"{os_release} is of {values.get('PRETTY_NAME', 'another system')}, and not of a release of "
                           "Debian: build on Debian 12, or without --prebuilt in a container of it")
    return values["ID"], values["VERSION_ID"]
