"""Finds every copy of the version, and says where it is not the one of deploy/version.bzl.

Pages, manifests, the chart and Debian's changelog cannot read that file. In C++ a copy is wrong even where it is right: there is
proto/version/version.h. Tests may use whatever they like.

Before it looks at the tree it looks at the mistakes below, and fails if one of them is not found.
"""

import re
import runpy
import subprocess
import sys
from collections.abc import Iterator

_NUMBER = r"(?P<version>\d+\.\d+\.\d+)(?![\d.])"
# By the end of a file's path, what stands before a copy there.
_COPIES = (
    ("", re.compile(r"\b(?:lib)?wormhole-(?:relay|sync)(?:-[a-z]+\d*)?[:_-]" + _NUMBER)),
    (".yaml", re.compile(r"app\.kubernetes\.io/version: \"?" + _NUMBER)),
    ("/Chart.yaml", re.compile(r"^(?:appV|v)ersion: " + _NUMBER, re.M)),
    (".md", re.compile(r"^ *\"version\": \"" + _NUMBER, re.M)),
    # Of older versions there are entries below.
    ("/debian/changelog", re.compile(r"\A[a-z-]+ \(" + _NUMBER)),
)
_IN_CODE = re.compile(r"\bk\w*Version\w*(?:\[\])? *(?:=|\{) *\"" + _NUMBER)
# Where one would be missed, and how many there are.
_EXPECTED = {"deploy/chart/Chart.yaml": 2, "deploy/manifests/etcd.yaml": 1, "deploy/manifests/sqlite.yaml": 1}
_LEFT_OUT = re.compile(r"^tests/|_test\.|/testing/")


def complaints(path: str, text: str, version: str) -> Iterator[str]:
    def where(found: re.Match[str]) -> str:
        return f"{path}:{text.count(chr(10), 0, found.start('version')) + 1}"

    if path.endswith((".cc", ".h")):
        for found in _IN_CODE.finditer(text):
            yield f"{where(found)}: a version of its own, {found['version']}: include proto/version/version.h"
    for found in copies(path, text):
        if found["version"] != version:
            yield f"{where(found)}: {found['version']}, and deploy/version.bzl has {version}"
    if (missing := _EXPECTED.get(path, 0) - len(copies(path, text))) > 0:
        yield f"{path}: {missing} of its versions are missing"


def copies(path: str, text: str) -> list[re.Match[str]]:
    return [found for end, pattern in _COPIES if path.endswith(end) for found in pattern.finditer(text)]


# Each with how many complaints there are, by a version of 1.2.3.
PLANTED = (
    ("deploy/chart/Chart.yaml", "version: 1.2.3\nappVersion: 1.2.3\n", 0),
    ("deploy/chart/Chart.yaml", "version: 1.2.4\nappVersion: 1.2.3\n", 1),
    ("deploy/chart/Chart.yaml", "version: 1.2.3\n", 1),
    ("deploy/manifests/a.yaml", "  app.kubernetes.io/version: 1.2.33\n  image: wormhole-relay:1.2.2\n", 2),
    ("README.md", "tar -xf wormhole-sync-1.2.30-linux-x86_64.tar.gz\n$ helm push wormhole-relay-1.2.3.tgz\n", 1),
    ("README.md", "```\n  \"version\": \"0.1.0\",\n", 1),
    ("README.md", "apt install ./libwormhole-sync-cc0_1.2.4_amd64.deb", 1),
    ("README.md", "since 0.9.0 of Kubernetes", 0),
    ("deploy/debian/changelog", "wormhole-sync (1.2.2-1) unstable\n\nwormhole-sync (1.2.3)", 1),
    ("client/a.h", "constexpr char kVersion[] = \"1.2.3\";\nconstexpr std::string_view kRelayVersion = \"1.2.3\";", 2),
)


def planted() -> Iterator[str]:
    for path, text, expected in PLANTED:
        found = list(complaints(path, text, "1.2.3"))
        if len(found) != expected:
            yield f"of planted mistakes in {path}, {text!r}, this was found: {found}"


def main() -> int:
    found = list(planted())
    version = runpy.run_path("deploy/version.bzl")["VERSION"]
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], check=True,
                            capture_output=True, text=True).stdout
    count = 0
    for path in sorted(path for path in set(listed.split("\0")) if path and not _LEFT_OUT.search(path)):
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue  # not text, or deleted and not yet committed
        count += len(copies(path, text))
        found += complaints(path, text, version)
    print("\n".join(found + [f"{count} copies of the version, {version}; {len(found)} complaints"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
