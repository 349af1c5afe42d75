"""A bill of materials of what is shipped, as SPDX 2.3 has it."""

import hashlib
import json
import re
import urllib.parse
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import debian_packages
from debian_packages import Package
from licences import Licences

_NAMESPACE = "https://spdx.org/spdxdocs/wormhole-sync"


@dataclass(frozen=True)
class Part:
    """A package of Debian, with the licences of its copyright file."""

    package: Package
    licences: Licences


@dataclass(frozen=True)
class Binary:
    """A program or library of the project: its path where it is shipped, what it holds, and the names of the packages
    that it has to do with, by the relationship."""

    path: str
    content: bytes
    packages: dict[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """What the document is of, and what wrote it."""

    name: str
    version: str
    tool: str


def purl(package: Package, distribution: tuple[str, str]) -> str:
    name, release = distribution
    return (f"pkg:deb/{name}/{urllib.parse.quote(package.name, safe='')}"
            f"@{urllib.parse.quote(package.version, safe=':')}"
            f"?arch={package.architecture}&distro={name}-{release}")


def _id(kind: str, name: str) -> str:
    return f"SPDXRef-{kind}-" + re.sub("[^A-Za-z0-9.-]", lambda match: f"-{ord(match.group()):x}-", name)


def _person(maintainer: str) -> str:
    """`Name <address>` as SPDX writes it; most maintainers are teams."""
    return "Organization: " + maintainer.replace("<", "(").replace(">", ")")


def _supplier(package: Package) -> str:
    """Debian, if the package's own entry says so. dpkg does not keep where a package came from, and a machine may have
    some from elsewhere."""
    said = debian_packages.field(package.control, "Origin") or package.maintainer
    return "Organization: Debian" if re.search(r"\bdebian\b", said, re.IGNORECASE) else "NOASSERTION"


def _debian_package(part: Part, distribution: tuple[str, str]) -> dict[str, Any]:
    package = part.package
    entry = {
        "SPDXID": _id("Package", package.name),
        "name": package.name,
        "versionInfo": package.version,
        "supplier": _supplier(package),
        "originator": _person(package.maintainer),
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "sourceInfo": f"built from the source package {package.source} {package.source_version}",
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": part.licences.expression,
        "copyrightText": "NOASSERTION",
        "summary": package.summary,
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": purl(package, distribution),
        }],
    }
    if package.homepage:
        entry["homepage"] = package.homepage
    return entry


def _file(binary: Binary) -> dict[str, Any]:
    return {
        "SPDXID": _id("File", binary.path.strip("/")),
        "fileName": "." + binary.path,
        "fileTypes": ["BINARY"],
        "checksums": [
            {"algorithm": "SHA1", "checksumValue": hashlib.sha1(binary.content).hexdigest()},
            {"algorithm": "SHA256", "checksumValue": hashlib.sha256(binary.content).hexdigest()},
        ],
        # Ours; with others' inside nobody has concluded what becomes of it.
        "licenseConcluded": "NOASSERTION" if binary.packages else "Apache-2.0",
        "licenseInfoInFiles": ["NOASSERTION"],
        "copyrightText": "NOASSERTION",
    }


def _project(version: str, binaries: list[Binary]) -> dict[str, Any]:
    sums = sorted(hashlib.sha1(binary.content).hexdigest() for binary in binaries)
    return {
        "SPDXID": _id("Package", "wormhole-sync"),
        "name": "wormhole-sync",
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": True,
        "packageVerificationCode": {
            "packageVerificationCodeValue": hashlib.sha1("".join(sums).encode()).hexdigest(),
        },
        "licenseConcluded": "Apache-2.0",
        "licenseDeclared": "Apache-2.0",
        "licenseInfoFromFiles": ["NOASSERTION"],
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "APPLICATION",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": f"pkg:generic/wormhole-sync@{urllib.parse.quote(version, safe='')}",
        }],
    }


def _relationship(element: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": element, "relationshipType": kind, "relatedSpdxElement": other}


def _ties(project: str, binaries: list[Binary], parts: list[Part]) -> list[dict[str, str]]:
    """What each package has to do with a file; with the project if it is not known with which."""
    ids = {part.package.name: _id("Package", part.package.name) for part in parts}
    tied = [_relationship(_file(binary)["SPDXID"], kind, ids[name])
            for binary in binaries for kind, names in sorted(binary.packages.items()) for name in sorted(names)]
    known = {name for binary in binaries for names in binary.packages.values() for name in names}
    return tied + [_relationship(project, "DEPENDS_ON", identifier) for name, identifier in ids.items()
                   if name not in known]


def write_sbom(subject: Subject, binaries: list[Binary], parts: list[Part], distribution: tuple[str, str],
               created: int) -> str:
    """The document's text. What it was made of decides its name, so that it is the same each time."""
    project = _project(subject.version, binaries)
    packages = [_debian_package(part, distribution) for part in parts]
    files = [_file(binary) for binary in binaries]
    texts = {name: text for part in parts for name, text in part.licences.texts.items()}
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": subject.name,
        "creationInfo": {
            "created": datetime.fromtimestamp(created, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": [f"Tool: {subject.tool}"],
        },
        "packages": [project, *packages],
        "files": files,
        "hasExtractedLicensingInfos": [
            {"licenseId": name, "extractedText": text} for name, text in sorted(texts.items())
        ],
        "relationships": [
            _relationship("SPDXRef-DOCUMENT", "DESCRIBES", project["SPDXID"]),
            *(_relationship(project["SPDXID"], "CONTAINS", file["SPDXID"]) for file in files),
            *_ties(project["SPDXID"], binaries, parts),
        ],
    }
    content = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    document["documentNamespace"] = f"{_NAMESPACE}-{subject.version}-{content[:32]}"
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
