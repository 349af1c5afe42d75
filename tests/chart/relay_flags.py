"""What wormhole-relay says of its own flags: --help and --print-config."""

from __future__ import annotations

import dataclasses
import re

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
# Of --help, but of no use in a file or on a relay that serves.
_OTHER = {"flagfile", "print-config", "help", "version"}


@dataclasses.dataclass(frozen=True)
class Setting:
    value: str
    source: str  # "default", "command line", FILE:LINE or a variable's name


def of_help(text: str) -> dict[str, str]:
    """The flags that --help lists, with how it says what they take: "=TIME", "[=true|false]"."""
    flags = dict(re.findall(r"^  --([a-z-]+)(\[=true\|false\]|=\S+)?", text, re.M))
    return {name: takes for name, takes in flags.items() if name not in _OTHER}


def of_print_config(text: str) -> dict[str, Setting]:
    found = {}
    for name, value, source in re.findall(r'^(?:# )?--([a-z-]+)="(.*)" +# (.*)$', text, re.M):
        found[name] = Setting(_unescaped(value), source)
    return found


def _unescaped(text: str) -> str:
    """C's escapes, as absl writes them."""
    def one(match: re.Match[str]) -> str:
        escape = match.group(1)
        return chr(int(escape, 8)) if escape.isdigit() else _ESCAPES.get(escape, escape)

    return re.sub(r"\\([0-7]{3}|.)", one, text)


def same(given: object, printed: str) -> bool:
    """Whether the relay took a value for what it is: 90s is 1m30s, and a switch is true or false."""
    text = str(given).lower() if isinstance(given, bool) else str(given)
    seconds = _seconds(text)
    return text == printed or (seconds is not None and seconds == _seconds(printed))


def _seconds(text: str) -> float | None:
    if not re.fullmatch(r"(\d+(\.\d+)?(ms|s|m|h|d))+", text):
        return None
    return sum(float(number) * _UNITS[unit]
               for number, unit in re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", text))
