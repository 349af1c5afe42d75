"""Finds every place that names a port of the relay, and says where it is not the port of what it is for.

Each of the relay's ports has one number, in pages, examples, scrape files, manifests and defaults. What a
number is for is said by the nearest word of a role: on its line the last one before it, else the first one
after it; else in the rest of its item of a list, else in the lines above, else in those below. A number that nothing near
explains is wrong too: a reader would have to guess as well. Tests may use whatever they like.

Before it looks at the tree it looks at the mistakes below, and fails if one of them is not found.
"""

import re
import subprocess
import sys
from collections.abc import Iterator

ROLES = {47180: "public", 47181: "admin", 47182: "metrics", 47183: "probes"}
# The first alternative that fits decides, so that --admin-listen is not a `listen`.
WORDS = re.compile(
    r"(?P<admin>\badmin(?:[-_]listen)?|\b[\w.]*InspectionService|port-forward|channelz)"
    r"|(?P<metrics>metrics(?:[-_]listen)?|scrape|\btargets:|prometheus)"
    r"|(?P<probes>\bprob(?:e|es|ing)(?:[-_]listen)?\b|\bprobes?[A-Z]|liveness|readiness)"
    r"|(?P<public>\blisten\b|rendezvous|\bpublic|\bclients?\b|name: grpc|grpc\.health|dns:///|EXPOSE|--relay\b)",
    re.IGNORECASE)
# What the public port may be called where nothing else is said.
PLAIN_WORDS = re.compile(r"\brelay\b|\bService\b|ADDRESS:PORT")
# What a flag says: a role, and after the address a number. The public port may be 443 somewhere.
FLAG = re.compile(r"(?P<role>admin|metrics|probe)[-_]listen\"?[=:, ]+\"?(?:\[[^\]\s]*\]|[\w.*-]*):(?P<port>\d+)",
                  re.IGNORECASE)
NUMBER = re.compile(r"(?<![0-9A-Za-z])4718\d(?![0-9A-Za-z])")
AROUND = 4  # lines, before and after
# Here only one of them is ever meant.
WHOLE_FILES = {"client/": "public", "proto/": "public"}
PAGES = ("README.md", "deploy/README.md")  # each has them all
LEFT_OUT = re.compile(r"_test\.cc$|/testing/|^proto/vectors/|\.svg$|^tests/(?!.*\.md$)")


def role_at(lines: list[str], row: int, column: int) -> str:
    """Of the number there; empty if nothing says it."""
    on_line = list(WORDS.finditer(lines[row]))
    before = [word for word in on_line if word.start() < column]
    if before or on_line:
        return str((before[-1:] or on_line)[0].lastgroup)
    item = item_of(lines, row)
    above, below = range(row - 1, max(0, row - AROUND) - 1, -1), range(row + 1, min(len(lines), row + AROUND + 1))
    for near in sorted(item, key=lambda other: abs(other - row)) + list(above) + list(below):
        if words := list(WORDS.finditer(lines[near])):
            return str(words[-1 if near < row else 0].lastgroup)
    return "public" if any(PLAIN_WORDS.search(lines[near]) for near in (row, *above)) else ""


def item_of(lines: list[str], row: int) -> range:
    """The rows of the item of a YAML list that this row is in; of this row alone if it is in none."""
    def indent(line: str) -> int:
        return len(line) - len(line.lstrip())

    first = row
    while first > 0 and not lines[first].lstrip().startswith("- "):
        first -= 1
    dash = indent(lines[first])
    if first < row and any(indent(line) <= dash for line in lines[first + 1:row + 1] if line.strip()):
        return range(row, row + 1)
    last = row + 1
    while last < len(lines) and indent(lines[last]) > dash:
        last += 1
    return range(first, last)


def documents(path: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Parts in which a word has nothing to do with a number of another part, with the row of the first line. A
    NetworkPolicy has no place for a word beside a number; the chart's template, which has, is looked at."""
    row = 0
    for document in re.split(r"^(?=---$)", text, flags=re.M) if path.endswith(".yaml") else [text]:
        lines = document.split("\n")
        if not ("/manifests/" in path and "kind: NetworkPolicy" in lines):
            yield row, lines
        row += document.count("\n")


def complaints(path: str, text: str) -> Iterator[str]:
    fixed = next((role for folder, role in WHOLE_FILES.items() if path.startswith(folder)), "")
    for first, lines in documents(path, text):
        for row, line in enumerate(lines):
            where = f"{path}:{first + row + 1}"
            for number in NUMBER.finditer(line):
                meant = fixed or role_at(lines, row, number.start())
                port = ROLES.get(int(number[0]), "no")
                if meant != port:
                    yield f"{where}: {number[0]} is the {port} port's; here it is {meant or 'nobody knows what'}'s: {line}"
            for flag in FLAG.finditer(line):
                port = int(flag["port"])
                if port != 0 and port not in ROLES:
                    role = flag["role"].lower()
                    yield f"{where}: {port} should be {next(n for n, r in ROLES.items() if r.startswith(role))}: {line}"


# Each with the numbers that are wrong in it.
PLANTED = (
    ("In Kubernetes, with `--probe-listen=[::]:47182`:", ["47182"]),
    ("`--metrics-listen=[::]:9090` serves", ["9090"]),
    ("| `--admin-listen` | `127.0.0.1:47180` | for `--listen` see above", ["47180"]),
    ("livenessProbe: {grpc: {port: 47181, service: x}}", ["47181"]),
    ("ports:\n  - name: grpc\n    port: 47180\n  - port: 47182\n    name: probes\n", ["47182"]),
    ("a: 1\nports:\n  - port: 47181\n", ["47181"]),
    ("ports:\n  - name: grpc\n    containerPort: 47184\n", ["47184"]),
    ("a: 1\nb: 2\nport: 47180\n", ["47180"]),
    ("  std::string admin_listen = \"127.0.0.1:47182\";", ["47182"]),
    ("$ grpcurl -plaintext localhost:47180 \\\n    a.InspectionService/GetRelay", ["47180"]),
    ("scrape_configs:\n  - targets:\n      - 127.0.0.1:47183", ["47183"]),
    ("wormhole-relay --listen=[::]:47180 --admin-listen=[::]:47181 --probe-listen=[::]:47183 --metrics-listen=off", []),
)


def planted() -> Iterator[str]:
    for text, numbers in PLANTED:
        found = list(complaints("planted.yaml", text))
        if [number for number in numbers if not any(number in line for line in found)] or len(found) != len(numbers):
            yield f"of a planted mistake, {text!r}, this was found: {found}"


def main() -> int:
    found = list(planted())
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], check=True,
                            capture_output=True, text=True).stdout
    mentions = 0
    for path in sorted(path for path in set(listed.split("\0")) if path and not LEFT_OUT.search(path)):
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue  # not text, or deleted and not yet committed
        mentions += len(NUMBER.findall(text))
        found += complaints(path, text)
        if path in PAGES:
            found += [f"{path}: the {role} port, {port}, is missing" for port, role in ROLES.items() if str(port) not in text]
    print("\n".join(found + [f"{mentions} mentions of the relay's ports, {len(found)} wrong"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
