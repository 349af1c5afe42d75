"""Two sides who meet at a relay, through an edge."""

import pathlib
import subprocess

from edge import DIES_WITH_PARENT


class Exchange:
    """It has a code of its own."""

    _count = 100

    def __init__(self, program: str, rendezvous: str, trust: pathlib.Path, *options: str) -> None:
        self._program = program
        self._options = ["--rendezvous", rendezvous, "--tls-ca", str(trust), "--timeout", "60s", *options]
        Exchange._count += 1
        self._code = f"{Exchange._count}-purity-sausage"
        self._initiator: subprocess.Popen[str] | None = None

    def _start(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen([*DIES_WITH_PARENT, self._program, *words, *self._options],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def begin(self) -> "Exchange":
        """The initiator has its channel, and waits there."""
        self._initiator = self._start("initiate", "--code", self._code, "--data", "from the initiator")
        assert self._initiator.stderr
        said = ""
        while "Invitation code" not in said:
            line = self._initiator.stderr.readline()
            if not line:
                raise AssertionError(f"the initiator says: {said}")
            said += line
        return self

    def finish(self) -> None:
        """The receiver comes, and both have the other's data."""
        assert self._initiator
        receiver = self._start("receive", self._code, "--data", "from the receiver")
        theirs, trouble = receiver.communicate(timeout=120)
        ours, complaint = self._initiator.communicate(timeout=120)
        if (theirs, ours) != ("from the initiator", "from the receiver"):
            raise AssertionError(f"the sides got {theirs!r} and {ours!r}: {trouble}{complaint}")
