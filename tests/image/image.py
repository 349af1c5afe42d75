"""An image in an OCI layout, read into memory."""

import hashlib
import json
import pathlib
import tarfile
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Entry:
    """What one path of the image is."""

    kind: str  # file, folder, link, or what else a tar may have
    mode: int
    user: int
    group: int
    target: str = ""  # of a link
    content: bytes = b""


@dataclass
class Image:
    """Paths have no slash in front."""

    entries: dict[str, Entry]
    config: dict[str, Any]
    manifest: dict[str, Any]
    sbom: dict[str, Any]
    headers: list[tarfile.TarInfo] = field(default_factory=list)  # of all layers, in their order

    def files(self) -> dict[str, Entry]:
        return {path: entry for path, entry in self.entries.items() if entry.kind == "file"}

    def text(self, path: str) -> str:
        return self.entries[path].content.decode()

    def real_path(self, path: str) -> str | None:
        """Where a path leads to, without a link on the way; None where to nothing."""
        steps, done = path.strip("/").split("/"), ""
        for _ in range(100):
            if not steps:
                return done if done in self.entries else None
            place = f"{done}/{steps.pop(0)}".lstrip("/")
            entry = self.entries.get(place)
            if entry is None:
                return None
            if entry.kind != "link":
                done = place
                continue
            folder = "" if entry.target.startswith("/") else done
            for step in entry.target.strip("/").split("/"):
                if step == "..":
                    folder = folder.rpartition("/")[0]
                elif step != ".":
                    folder = f"{folder}/{step}".lstrip("/")
            steps, done = folder.split("/") + steps, ""
        return None


def _kind(header: tarfile.TarInfo) -> str:
    if header.isfile():
        return "file"
    if header.isdir():
        return "folder"
    return "link" if header.issym() else f"type {header.type!r}"


def _blob(layout: pathlib.Path, descriptor: dict[str, Any]) -> pathlib.Path:
    algorithm, _, digest = descriptor["digest"].partition(":")
    path = layout / "blobs" / algorithm / digest
    if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        raise ValueError(f"{path} has another checksum than its name says")
    return path


def read_image(layout: pathlib.Path, tag: str = "latest") -> Image:
    index = json.loads((layout / "index.json").read_text(encoding="utf-8"))
    tagged = [one for one in index["manifests"]
              if one.get("annotations", {}).get("org.opencontainers.image.ref.name") == tag]
    if len(tagged) != 1:
        raise ValueError(f"{layout} has {len(tagged)} images with the tag {tag}")
    manifest = json.loads(_blob(layout, tagged[0]).read_text(encoding="utf-8"))
    config = json.loads(_blob(layout, manifest["config"]).read_text(encoding="utf-8"))
    sbom = json.loads(layout.with_name(layout.name + ".spdx.json").read_text(encoding="utf-8"))
    image = Image({}, config, manifest, sbom)
    for layer in manifest["layers"]:
        with tarfile.open(_blob(layout, layer)) as tar:
            for header in tar:
                image.headers.append(header)
                file = tar.extractfile(header) if header.isfile() else None
                image.entries[header.name.strip("/")] = Entry(
                    _kind(header), header.mode & 0o7777, header.uid, header.gid, header.linkname,
                    file.read() if file else b"")
    return image
