"""Honest people: pairs of the shipped command line who exchange a message through the relay, one pair after the other."""

import subprocess
import threading
import time

from edge import DIES_WITH_PARENT


class Exchange:
    """Both ends, from the drawing of a code to both messages. Raises AssertionError when it comes to nothing."""

    def __init__(self, program: str, options: list[str]) -> None:
        self._program = program
        self._options = options

    def _start(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen([*DIES_WITH_PARENT, self._program, *words, *self._options, "--timeout", "30s"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self) -> None:
        initiator = self._start("initiate", "--data", "from the initiator")
        receiver = None
        try:
            assert initiator.stderr
            said, code = "", ""
            while not code:
                line = initiator.stderr.readline()
                if not line:
                    raise AssertionError(f"the initiator says: {said}")
                said += line
                if line.startswith("Invitation code: "):
                    code = line.split(": ", 1)[1].strip()
            receiver = self._start("receive", code, "--data", "from the receiver")
            theirs, trouble = receiver.communicate(timeout=60)
            ours, complaint = initiator.communicate(timeout=60)
        finally:
            for side in (initiator, receiver):
                if side is not None:
                    side.kill()
        if (theirs, ours) != ("from the initiator", "from the receiver"):
            raise AssertionError(f"the sides got {theirs!r} and {ours!r}: {trouble}{complaint}")


class Honest:
    """They go on until `stop`, at a pace that leaves the machine to the relay."""

    _PAUSE = 0.15

    def __init__(self, program: str, options: list[str]) -> None:
        self._exchange = Exchange(program, options)
        self._over = threading.Event()
        self.seconds: list[float] = []
        self.failures: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> "Honest":
        self._thread.start()
        return self

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def once(self) -> float:
        """How long one took."""
        began = time.monotonic()
        self._exchange.run()
        return time.monotonic() - began

    def _run(self) -> None:
        while not self._over.wait(self._PAUSE):
            try:
                self.seconds.append(self.once())
            except Exception as failure:  # noqa: BLE001  (whatever it is, it must not end this thread in silence)
                self.failures.append(f"{type(failure).__name__}: {failure}")
