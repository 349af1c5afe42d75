"""What must hold of the bill of materials, beside its schema. Each check returns what is wrong, a line each."""

import hashlib
import json
import re
import urllib.parse
from typing import Any

from file_checks import PROGRAMS, packages
from image import Image

PROJECT = "wormhole-sync"
EMBEDDED = "var/lib/db/sbom/wormhole-sync.spdx.json"


def _purls(package: dict[str, Any]) -> list[str]:
    return [one["referenceLocator"] for one in package.get("externalRefs", []) if one["referenceType"] == "purl"]


def check_packages(image: Image) -> list[str]:
    """Exactly those of status.d, each with its version, source, licence and address, and the project."""
    wrong = []
    listed = {package["name"]: package for package in image.sbom["packages"]}
    if len(listed) != len(image.sbom["packages"]):
        wrong.append("a package is there twice")
    known = packages(image)
    wrong += [f"{name} is not in it" for name in sorted(known.keys() | {PROJECT}) if name not in listed]
    wrong += [f"{name} is not in the image" for name in sorted(listed.keys() - known.keys() - {PROJECT})]
    for name in sorted(listed.keys() & known.keys()):
        package, fields = listed[name], known[name]
        if package["versionInfo"] != fields["Version"]:
            wrong.append(f"{name} is {fields['Version']}, and not {package['versionInfo']}")
        wanted = (f"pkg:deb/debian/{urllib.parse.quote(name, safe='')}"
                  f"@{urllib.parse.quote(fields['Version'], safe=':')}?arch={fields['Architecture']}&distro=debian-12")
        if _purls(package) != [wanted]:
            wrong.append(f"{name} has the addresses {_purls(package)}")
        source = fields.get("Source", name).split(" ")[0]
        if f" {source} " not in package.get("sourceInfo", ""):
            wrong.append(f"{name} does not say that its source is {source}")
        said = fields.get("Origin") or fields["Maintainer"]
        supplier = "Organization: Debian" if "debian" in said.lower() else "NOASSERTION"
        if package.get("supplier") != supplier:
            wrong.append(f"{name} has the supplier {package.get('supplier')}, and its entry says {said}")
        if package.get("licenseDeclared", "NOASSERTION") == "NOASSERTION":
            wrong.append(f"{name} has no licence")
    return wrong


def check_licences(image: Image) -> list[str]:
    """A licence that SPDX does not know comes with its text."""
    wrong = []
    texts = {one["licenseId"]: one["extractedText"] for one in image.sbom["hasExtractedLicensingInfos"]}
    used: set[str] = set()
    for package in image.sbom["packages"]:
        used |= set(re.findall(r"LicenseRef-[A-Za-z0-9.-]+", package["licenseDeclared"]))
    wrong += [f"{name} has no text" for name in sorted(used) if not texts.get(name, "").strip()]
    return wrong + [f"nobody uses {name}" for name in sorted(texts.keys() - used)]


def check_programs(image: Image) -> list[str]:
    """The project's programs with their checksums, and all tied to it."""
    wrong = []
    listed = {one["fileName"].removeprefix("./"): one for one in image.sbom["files"]}
    if listed.keys() != PROGRAMS:
        wrong.append(f"its files are {sorted(listed)}")
    for path in sorted(listed.keys() & image.entries.keys()):
        actual = hashlib.sha256(image.entries[path].content).hexdigest()
        if {"algorithm": "SHA256", "checksumValue": actual} not in listed[path]["checksums"]:
            wrong.append(f"{path} has another checksum")
    project = [one["SPDXID"] for one in image.sbom["packages"] if one["name"] == PROJECT]
    tied = {(one["spdxElementId"], one["relationshipType"], one["relatedSpdxElement"])
            for one in image.sbom["relationships"]}
    expected = {("SPDXRef-DOCUMENT", "DESCRIBES", *project)}
    expected |= {(*project, "CONTAINS", one["SPDXID"]) for one in image.sbom["files"]}
    expected |= {(*project, "DEPENDS_ON", one["SPDXID"]) for one in image.sbom["packages"]
                 if one["name"] != PROJECT}
    return wrong + [f"missing or too much: {' '.join(one)}" for one in sorted(tied ^ expected)]


def check_identifiers(image: Image) -> list[str]:
    """Each part has a name of its own."""
    names = [one["SPDXID"] for kind in ("packages", "files") for one in image.sbom[kind]]
    wrong = [f"{name} is there twice" for name in sorted({name for name in names if names.count(name) > 1})]
    return wrong + [f"{name} is no identifier of SPDX" for name in names
                    if not re.fullmatch("SPDXRef-[A-Za-z0-9.-]+", name)]


def check_document(image: Image, created: str) -> list[str]:
    """The image carries the same document."""
    wrong = check_identifiers(image)
    embedded = image.entries.get(EMBEDDED)
    if embedded is None or json.loads(embedded.content) != image.sbom:
        wrong.append(f"the image's own, {EMBEDDED}, is another one")
    if image.sbom["creationInfo"]["created"] != created:
        wrong.append(f"it was made at {image.sbom['creationInfo']['created']}")
    return wrong
