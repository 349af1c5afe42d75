"""The chart, rendered by Helm as somebody would install it."""

import json
import pathlib
import subprocess
from typing import Any

import manifests

NAMESPACE = "rehearsal"
RELEASE = "wormhole"


class Chart:
    def __init__(self, helm: pathlib.Path, folder: pathlib.Path) -> None:
        self._helm = helm
        self._folder = folder

    def render(self, values_file: str, values: dict[str, Any]) -> manifests.Manifests:
        """With one of the documented value sets (ci/), and these values over it."""
        done = subprocess.run(
            [str(self._helm), "template", RELEASE, str(self._folder), "--namespace", NAMESPACE,
             "-f", str(self._folder / "ci" / values_file), "-f", "-"],
            input=json.dumps(values), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"helm template: {done.stderr.strip()}")
        return manifests.read(done.stdout)
