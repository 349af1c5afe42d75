"""What must hold of the image's files and settings. Each check returns what is wrong, a line each."""

import hashlib
import os
import pathlib
import re
import subprocess
import tempfile

from image import Image

PROGRAMS = {"usr/bin/wormhole-relay", "usr/bin/wormhole-sync"}
STATE = "var/lib/wormhole"
NONROOT = 65532
_STATUS = "var/lib/dpkg/status.d/"
_LIBRARY = re.compile(r"usr/lib(64)?/([^/]+/)?[^/]+\.so[.0-9]*")
_ELF = b"\x7fELF"
# What programs do not need, but open.
_OPENED = {"usr/bin/wormhole-sync": {"libqrencode.so.4"}}


def check_modes(image: Image) -> list[str]:
    """Nothing runs as somebody else, nothing can be changed, and only the state has another owner."""
    wrong = []
    for path, entry in image.entries.items():
        if entry.kind not in ("file", "folder", "link"):
            wrong.append(f"{path} is a {entry.kind}")
        if path == STATE:
            continue
        if (entry.user, entry.group) != (0, 0):
            wrong.append(f"{path} belongs to {entry.user}:{entry.group}")
        if entry.kind == "link":
            continue
        if entry.mode & 0o7000:
            wrong.append(f"{path} has the mode {entry.mode:o}: nothing is setuid, setgid or sticky")
        if entry.mode & 0o022:
            wrong.append(f"{path} has the mode {entry.mode:o}: others may write to it")
    state = image.entries.get(STATE)
    if state is None:
        return wrong + [f"there is no {STATE}"]
    if (state.user, state.group, state.mode) != (NONROOT, NONROOT, 0o700):
        wrong.append(f"{STATE} belongs to {state.user}:{state.group} with the mode {state.mode:o}")
    return wrong


def check_programs(image: Image) -> list[str]:
    """The two and no other, above all no shell."""
    wrong = [f"there is no {path}" for path in sorted(PROGRAMS - image.files().keys())]
    for path, entry in image.files().items():
        is_program = path in PROGRAMS
        if not is_program and re.search("(^|/)s?bin/", path):
            wrong.append(f"{path} is a program that does not belong here")
        if entry.content.startswith(b"#!"):
            wrong.append(f"{path} is a script")
        if entry.content.startswith(_ELF) and not is_program and not _LIBRARY.fullmatch(path):
            wrong.append(f"{path} is a program or a library where none should be")
        if entry.mode & 0o111 and not entry.content.startswith(_ELF):
            wrong.append(f"{path} may be executed, and is no program")
    return wrong


def _elf_needs(image: Image) -> dict[str, tuple[set[str], bool]]:
    """Of each program and library what it asks for, its loader by its path and libraries by their names,
    and whether it has symbols."""
    needs = {}
    with tempfile.TemporaryDirectory() as folder:
        for path, entry in image.files().items():
            if entry.content.startswith(_ELF):
                place = pathlib.Path(folder, path.replace("/", "@"))
                place.write_bytes(entry.content)
        for place in pathlib.Path(folder).iterdir():
            said = subprocess.run(["readelf", "--dynamic", "--program-headers", "--section-headers", "--wide", place],
                                  capture_output=True, check=True, encoding="utf-8").stdout
            names = set(re.findall(r"\(NEEDED\).*\[(.*)\]", said))
            names |= set(re.findall(r"interpreter: (.*)\]", said))
            needs[place.name.replace("@", "/")] = (names, " .symtab " in said)
    return needs


def check_libraries(image: Image) -> list[str]:
    """All that the loader will be asked for, and nothing else."""
    needs = _elf_needs(image)
    wrong, reached, queue = [], set(), sorted(PROGRAMS & needs.keys())
    for path in queue:
        needs[path][0].update(_OPENED.get(path, ()))
        wrong += [f"{path} does not speak of {name}" for name in sorted(_OPENED.get(path, ()))
                  if name.encode() not in image.entries[path].content]
    folders = [folder for folder in sorted({os.path.dirname(path) for path in image.entries})
               if re.fullmatch("usr/lib(64|/[^/]*-linux-gnu)", folder)]
    while queue:
        path = queue.pop()
        if path in reached:
            continue
        reached.add(path)
        for name in sorted(needs[path][0]):
            places = [name] if name.startswith("/") else [f"{folder}/{name}" for folder in folders]
            found = [real for place in places if (real := image.real_path(place))]
            if not found:
                wrong.append(f"{path} needs {name}, which is not there")
            queue += [real for real in found if real in needs]
    wrong += [f"{path} is needed by nobody" for path in sorted(needs.keys() - reached)]
    wrong += [f"{path} leads nowhere" for path, entry in image.entries.items()
              if entry.kind == "link" and image.real_path(path) is None]
    return wrong + [f"{path} is not stripped" for path in sorted(PROGRAMS & needs.keys()) if needs[path][1]]


def packages(image: Image) -> dict[str, dict[str, str]]:
    """The fields of each package in status.d, by the file's name."""
    result = {}
    for path in image.files():
        if path.startswith(_STATUS) and not path.endswith(".md5sums"):
            fields = re.findall(r"^([A-Z][A-Za-z-]*): ?(.*)$", image.text(path), re.MULTILINE)
            result[path.removeprefix(_STATUS)] = dict(fields)
    return result


def check_packages(image: Image) -> list[str]:
    """Each file of Debian's belongs to a package, and is as that package brought it."""
    wrong, owned = [], {}
    known = packages(image)
    for name, fields in known.items():
        wrong += [f"{_STATUS}{name} has no {key}" for key in ("Package", "Version", "Architecture", "Maintainer")
                  if not fields.get(key)]
        if fields.get("Package") != name:
            wrong.append(f"{_STATUS}{name} is the entry of {fields.get('Package')}")
        if f"{_STATUS}{name}.md5sums" not in image.entries:
            wrong.append(f"{name} has no checksums")
            continue
        if f"usr/share/doc/{name}/copyright" not in image.entries:
            wrong.append(f"{name} has no copyright file")
        for line in image.text(f"{_STATUS}{name}.md5sums").splitlines():
            digest, path = line.split("  ", 1)
            owned[path] = name
            entry = image.files().get(path)
            if entry is None or hashlib.md5(entry.content).hexdigest() != digest:
                wrong.append(f"{path} of {name} is missing or changed")
    for path in image.files():
        if path.endswith(".md5sums") and path.startswith(_STATUS):
            if path.removeprefix(_STATUS).removesuffix(".md5sums") not in known:
                wrong.append(f"{path} has no package")
        elif (_LIBRARY.fullmatch(path) or path.startswith("usr/share/ca-certificates/")) and path not in owned:
            wrong.append(f"{path} belongs to no package")
    return wrong


def check_system_files(image: Image) -> list[str]:
    """What a program asks a system for, and a scanner the image."""
    wrong = [f"there is no {path}" for path in ("etc/debian_version", "usr/share/doc/wormhole-sync/copyright")
             if path not in image.files()]
    for path, part in (("etc/os-release", "ID=debian\n"), ("etc/nsswitch.conf", "hosts: files dns\n"),
                       ("etc/passwd", f"nonroot:x:{NONROOT}:{NONROOT}:"), ("etc/group", f"nonroot:x:{NONROOT}:")):
        real = image.real_path(path)
        if real is None or part not in image.text(real):
            wrong.append(f"{path} has no {part.strip()}")
    bundle = image.text("etc/ssl/certs/ca-certificates.crt")
    pattern = "-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----"
    trusted = sorted(re.findall(pattern, bundle, re.DOTALL))
    brought = sorted(certificate for path in image.files() if path.startswith("usr/share/ca-certificates/")
                     for certificate in re.findall(pattern, image.text(path), re.DOTALL))
    if not trusted or trusted != brought:
        wrong.append(f"of {len(trusted)} trusted certificates, ca-certificates brought {len(brought)}")
    return wrong


def check_config(image: Image, epoch: int, created: str) -> list[str]:
    """What the image says of how it runs, and nothing of where it was built."""
    settings = image.config["config"]
    expected = {
        "User": f"{NONROOT}:{NONROOT}",
        "Entrypoint": ["/usr/bin/wormhole-relay"],
        "Volumes": {f"/{STATE}": {}},
        "ExposedPorts": {"47180/tcp": {}},
    }
    wrong = [f"{name} is {settings.get(name)!r}" for name, value in expected.items() if settings.get(name) != value]
    if f"WORMHOLE_RELAY_STORE=sqlite:/{STATE}/relay.db" not in settings.get("Env", []):
        wrong.append(f"Env is {settings.get('Env')}")
    labels = settings.get("Labels") or {}
    wrong += [f"there is a label {name}" for name in labels if not name.startswith("org.opencontainers.image.")]
    wrong += [f"there is no label {name}" for name in ("title", "version", "licenses", "description")
              if not labels.get(f"org.opencontainers.image.{name}")]
    if image.config.get("history"):
        wrong.append("there is a history")
    if image.config["created"] != created:
        wrong.append(f"it was created at {image.config['created']}")
    # A folder that a layer only passes through has the time 0.
    wrong += [f"{header.name} has the time {header.mtime}" for header in image.headers
              if header.mtime not in ({epoch, 0} if header.isdir() else {epoch})]
    return wrong


def check_places(image: Image, places: list[str]) -> list[str]:
    """No file names a folder of the machine that built it."""
    return [f"{path} names {place}" for path, entry in image.files().items() for place in places
            if place.encode() in entry.content]
