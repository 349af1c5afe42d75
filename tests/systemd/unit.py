"""A unit of systemd's, as systemctl and the journal show it."""

from machine import Machine


class Unit:
    def __init__(self, machine: Machine, name: str) -> None:
        self._machine = machine
        self.name = name

    def show(self, what: str) -> str:
        return self._machine.run("systemctl", "show", "--value", f"--property={what}", self.name).strip()

    def state(self) -> str:
        return self.show("ActiveState")

    def control(self, verb: str, *options: str, check: bool = True) -> None:
        self._machine.run("systemctl", verb, *options, self.name, check=check)

    def lines(self) -> list[str]:
        """What the process of its last run has said."""
        run = self.show("InvocationID")
        return self._machine.run("journalctl", "--quiet", "--output=cat", f"_SYSTEMD_INVOCATION_ID={run}").splitlines()

    def drop_in(self, *lines: str) -> None:
        """Settings of a test, in the place of those before; they last until it reverts them."""
        self._machine.write(f"/etc/systemd/system/{self.name}.d/test.conf", "\n".join(["[Service]", *lines, ""]))
        self._machine.run("systemctl", "daemon-reload")
