"""The shipped relay, and what it costs."""

import os
import pathlib
import signal
import subprocess
import threading
import time
from types import TracebackType

from edge import die_with_parent, free_address


class Usage:
    """Of some processes: what they have taken of the processors and of memory."""

    def __init__(self, pids: list[int]) -> None:
        self._pids = pids

    def cpu(self) -> float:
        """Seconds since they started."""
        ticks = 0
        for pid in self._pids:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def _of_status(self, name: str) -> int:
        """MiB."""
        total = 0
        for pid in self._pids:
            for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
                if line.startswith(f"{name}:"):
                    total += int(line.split()[1])
        return total // 1024

    def memory(self) -> int:
        return self._of_status("VmRSS")

    def peak(self) -> int:
        return self._of_status("VmHWM")


class Relay:
    """On SQLite unless told otherwise, in plaintext, with the log's addresses whole."""

    def __init__(self, program: str, folder: pathlib.Path, flags: list[str], store: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.address = free_address()
        self._log = folder / "relay.log"
        self._command = [program, f"--listen={self.address}", f"--store={store or f'sqlite:{folder}/store.sqlite3'}",
                         "--log-addresses", *flags]
        if not any(flag.startswith("--admin-listen=") for flag in flags):
            self._command.append("--admin-listen=off")
        self._process: subprocess.Popen[bytes] | None = None

    def add_flags(self, flags: list[str]) -> None:
        """Before it starts."""
        self._command += flags

    def prepare(self) -> None:
        """In the new process, before it is a relay."""
        die_with_parent()

    def start(self) -> None:
        before = self.log().count("listening on")
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             preexec_fn=self.prepare)
        self.await_log(lambda log: log.count("listening on") > before, "listens")

    def end(self, number: int = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=60)
            self._process = None

    def signal(self, number: int) -> None:
        assert self._process
        self._process.send_signal(number)

    def __enter__(self) -> "Relay":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.end(signal.SIGKILL)

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    def await_log(self, condition, what: str, patience: float = 60) -> str:  # type: ignore[no-untyped-def]
        end = time.monotonic() + patience
        while not condition(self.log()):
            if time.monotonic() > end or (self._process is not None and self._process.poll() is not None):
                raise AssertionError(f"the relay never {what}; its log:\n{self.log()[-3000:]}")
            time.sleep(0.02)
        return self.log()
