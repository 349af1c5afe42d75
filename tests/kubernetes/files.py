"""Config maps, secrets and claims as folders, laid out and replaced as a kubelet does it."""

import os
import pathlib
import shutil
import tempfile

from manifests import Volume

Objects = dict[tuple[str, str], dict[str, bytes]]


class Missing(Exception):
    """An object that a pod mounts is not there; the pod waits for it."""


class VolumeFolder:
    """One volume of one pod."""

    def __init__(self, folder: pathlib.Path, volume: Volume, fs_group: int | None) -> None:
        self._folder = folder
        self._volume = volume
        self._group = fs_group or 0

    @property
    def path(self) -> pathlib.Path:
        return self._folder

    def write(self, objects: Objects) -> bool:
        """Brings the folder to what the objects are now; whether that changed something. A reader sees
        all of the old files or all of the new: each is a link through `..data`, which is replaced."""
        if self._volume.kind == "emptyDir":
            self._folder.mkdir(parents=True, exist_ok=True)
            self._folder.chmod(0o777)
            return False
        wanted = self._wanted(objects)
        data = self._folder / "..data"
        if data.exists() and {p.name: p.read_bytes() for p in data.iterdir()} == wanted:
            return False
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o755)
        new = pathlib.Path(tempfile.mkdtemp(prefix="..", dir=self._folder))
        new.chmod(0o755)
        for name, content in wanted.items():
            path = new / name
            path.write_bytes(content)
            os.chown(path, 0, self._group)
            path.chmod(self._volume.mode | (0o440 if self._group else 0))
        old = data.resolve() if data.exists() else None
        link = self._folder / "..data_tmp"
        link.symlink_to(new.name)
        link.rename(data)
        for name in wanted:
            if not (self._folder / name).is_symlink():
                (self._folder / name).symlink_to(f"..data/{name}")
        if old is not None:
            shutil.rmtree(old)
        return True

    def _wanted(self, objects: Objects) -> dict[str, bytes]:
        volume = self._volume
        content = objects.get((volume.kind, volume.source))
        if content is None:
            if volume.optional:
                return {}
            raise Missing(f"{volume.kind} {volume.source} is not there")
        if not volume.items:
            return content
        absent = [key for key, _ in volume.items if key not in content]
        if absent:
            raise Missing(f"{volume.kind} {volume.source} has no {absent[0]}")
        return {path: content[key] for key, path in volume.items}


def claim(folder: pathlib.Path, fs_group: int | None) -> pathlib.Path:
    """A claim's volume, which outlives its pods: empty at first, and the group's if there is one."""
    if not folder.exists():
        folder.mkdir(parents=True)
        if fs_group is not None:
            os.chown(folder, 0, fs_group)
            folder.chmod(0o2775)
    return folder
