"""Reads the licences of a package from Debian's copyright file, as SPDX writes them."""

import re
from dataclasses import dataclass, field

# Debian's short names whose licence has one text, which SPDX has under another name or spelling. What
# is not here goes by its own text.
_SPDX = {
    "0bsd": "0BSD",
    "apache-2.0": "Apache-2.0",
    "apache-2.0 with llvm exception": "Apache-2.0 WITH LLVM-exception",
    "artistic": "Artistic-1.0",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "cc0": "CC0-1.0",
    "cc0-1.0": "CC0-1.0",
    "expat": "MIT",
    "gfdl-1.2+": "GFDL-1.2-or-later",
    "gfdl-1.3+": "GFDL-1.3-or-later",
    "gpl-1+": "GPL-1.0-or-later",
    "gpl-2": "GPL-2.0-only",
    "gpl-2+": "GPL-2.0-or-later",
    "gpl-3": "GPL-3.0-only",
    "gpl-3+": "GPL-3.0-or-later",
    "gplv3+": "GPL-3.0-or-later",
    "isc": "ISC",
    "lgpl-2+": "LGPL-2.0-or-later",
    "lgpl-2.1": "LGPL-2.1-only",
    "lgpl-2.1+": "LGPL-2.1-or-later",
    "lgpl-3+": "LGPL-3.0-or-later",
    "lgplv2.1+": "LGPL-2.1-or-later",
    "mpl-1.1": "MPL-1.1",
    "mpl-2.0": "MPL-2.0",
    "zlib": "Zlib",
}


@dataclass
class Licences:
    """An SPDX expression, and the texts of what it names that SPDX does not know."""

    expression: str
    texts: dict[str, str] = field(default_factory=dict)


def _reference(package: str, name: str) -> str:
    """A name of SPDX, in which a plus sign may not stand. Packages use one name for different texts."""
    words = re.sub(r"\+(?=\s|$)", "-or-later", name)
    return "LicenseRef-" + re.sub("[^A-Za-z0-9.-]+", "-", f"{package.replace('+', 'p')}-{words}").strip("-")


def _paragraphs(text: str) -> list[dict[str, str]]:
    """The fields of each paragraph of a file of Debian's copyright format 1.0."""
    result = []
    for block in re.split(r"\n[ \t]*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line[:1] in (" ", "\t"):
                if name:
                    fields[name] += "\n" + line[1:]
            elif ":" in line:
                name, _, value = line.partition(":")
                fields[name] = value.strip()
        if fields:
            result.append(fields)
    return result


class _Expression:
    """Turns Debian's `A or B` into SPDX's, and collects the texts that it needs."""

    def __init__(self, package: str, texts: dict[str, str]) -> None:
        self._package = package
        self._known = texts
        self.texts: dict[str, str] = {}

    def convert(self, short_name: str) -> str:
        whole = short_name.replace("_", " ").strip()
        alternatives = re.split(r"\s+or\s+", whole)
        converted = sorted({self._all_of(part) for part in alternatives})
        return converted[0] if len(converted) == 1 else "(" + " OR ".join(converted) + ")"

    def _all_of(self, names: str) -> str:
        converted = sorted({self._one(part.strip(" ,")) for part in re.split(r"\s+and\s+", names)})
        return converted[0] if len(converted) == 1 else "(" + " AND ".join(converted) + ")"

    def _one(self, name: str) -> str:
        if name.lower() in _SPDX:
            return _SPDX[name.lower()]
        reference = _reference(self._package, name)
        self.texts[reference] = self._known.get(name, "") or f"Debian's copyright file calls it: {name}"
        return reference


def read_licences(package: str, copyright_text: str) -> Licences:
    """All licences that the file names are ANDed: it speaks of the source, not of what of it is in a
    binary. A file in prose is a licence of its own."""
    if not copyright_text.startswith(("Format: http", "Format-Specification:")):
        reference = _reference(package, "copyright")
        return Licences(reference, {reference: copyright_text})
    names: dict[str, str] = {}
    for paragraph in _paragraphs(copyright_text):
        if "License" not in paragraph:
            continue
        name, _, text = paragraph["License"].partition("\n")
        if name and (text or name not in names):
            names[name] = text
    # Only what stands with files; a licence of its own paragraph is the text to a name.
    used = [p["License"].partition("\n")[0] for p in _paragraphs(copyright_text) if "Files" in p and "License" in p]
    expression = _Expression(package, names)
    converted = sorted({expression.convert(name) for name in used if name})
    if not converted:
        reference = _reference(package, "copyright")
        return Licences(reference, {reference: copyright_text})
    return Licences(" AND ".join(converted), expression.texts)
