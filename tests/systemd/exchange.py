"""Two sides who meet at the relay, on the machine itself."""

import subprocess

from machine import Failed, Machine

TRUST = "/root/trust.pem"  # what the sides trust
# Exit codes of wormhole-sync.
UNREACHABLE = 5
NO_SUCH_CODE = 7


class Exchange:
    """It has a code of its own."""

    _count = 100

    def __init__(self, machine: Machine, rendezvous: str = "localhost:47180") -> None:
        self._machine = machine
        self._options = ["--rendezvous", rendezvous, "--tls-ca", TRUST, "--timeout", "30s"]
        Exchange._count += 1
        self._code = f"{Exchange._count}-purity-sausage"
        self._initiator: subprocess.Popen[str] | None = None

    def begin(self) -> "Exchange":
        """The initiator has come to the relay, and waits there."""
        self._initiator = self._machine.start("wormhole-sync", "initiate", "--code", self._code, "--data",
                                              "from the initiator", *self._options)
        assert self._initiator.stderr
        said = ""
        while "Invitation code" not in said:
            line = self._initiator.stderr.readline()
            if not line:
                raise Failed(f"the initiator says: {said}")
            said += line
        return self

    def finish(self) -> None:
        """The receiver comes, and both have the other's data."""
        assert self._initiator
        receiver = self._machine.start("wormhole-sync", "receive", self._code, "--data", "from the receiver",
                                       *self._options)
        theirs, trouble = receiver.communicate(timeout=60)
        ours, complaint = self._initiator.communicate(timeout=60)
        if (theirs, ours) != ("from the initiator", "from the receiver"):
            raise Failed(f"the sides got {theirs!r} and {ours!r}: {trouble}{complaint}")

    def is_refused(self) -> bool:
        """The relay's certificate is not for this."""
        side = self._machine.start("wormhole-sync", "receive", self._code, "--data", "x", *self._options)
        complaint = side.communicate(timeout=60)[1]
        if side.returncode not in (UNREACHABLE, NO_SUCH_CODE):
            raise Failed(f"the receiver ends with {side.returncode}: {complaint}")
        return side.returncode == UNREACHABLE
