#!/usr/bin/python3
"""Runs the image in containers that have no more than a restricted pod gives them.

tests/image/container_test.py LAYOUT, as root and as the first process of namespaces of its own (tests/image/run
sees to that); what it starts and mounts is gone with it.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest
from typing import Any

sys.dont_write_bytecode = True

import container
from container import Container

LAYOUT = sys.argv[1] if len(sys.argv) > 1 else ""
RELAY = "10.99.0.1"
SCRATCH = pathlib.Path("/run/image")


def run(*command: str | pathlib.Path) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def make_networks() -> None:
    """One for the relay, one for its clients, and a wire."""
    for name in ("relay", "clients"):
        run("ip", "netns", "add", name)
        run("ip", "-n", name, "link", "set", "lo", "up")
    run("ip", "-n", "relay", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", "clients")
    for name, address in (("relay", f"{RELAY}/24"), ("clients", "10.99.0.2/24")):
        run("ip", "-n", name, "address", "add", address, "dev", "eth0")
        run("ip", "-n", name, "link", "set", "eth0", "up")


class ContainerTest(unittest.TestCase):
    """Each test has containers and a volume of its own."""

    config: dict[str, Any]

    @classmethod
    def setUpClass(cls) -> None:
        run("mount", "--make-rprivate", "/")
        run("mount", "-t", "tmpfs", "tmpfs", "/run")
        SCRATCH.mkdir()
        make_networks()
        run("umoci", "unpack", "--image", f"{LAYOUT}:latest", SCRATCH / "image")
        cls.config = json.loads((SCRATCH / "image/config.json").read_text(encoding="utf-8"))
        cls.config["root"]["path"] = str(SCRATCH / "image/rootfs")

    def setUp(self) -> None:
        self.folder = SCRATCH / self.id().rpartition(".")[2]
        self.volume = self.folder / "volume"
        self.volume.mkdir(parents=True)
        os.chown(self.volume, container.USER, container.USER)
        self.volume.chmod(0o700)

    def start(self, name: str, config: dict[str, Any], *arguments: str, volume: pathlib.Path | None = None) -> Container:
        started = Container(self.folder, name, config, list(arguments), volume)
        self.addCleanup(started.end)
        return started

    def start_relay(self, name: str = "relay") -> Container:
        relay = self.start(name, container.confined(self.config, "/run/netns/relay"), volume=self.volume)
        self.assertEqual(relay.await_line("stdout", "listening on"), "listening on [::]:47180")
        return relay

    def start_client(self, name: str, *arguments: str) -> Container:
        return self.start(name, container.confined(self.config, "/run/netns/clients"), "/usr/bin/wormhole-sync",
                          *arguments, "--rendezvous", f"{RELAY}:47180", "--plaintext", "--timeout", "50s")

    def start_initiator(self) -> tuple[Container, str]:
        """It waits at the relay; and the code that it gives."""
        initiator = self.start_client("initiator", "initiate", "--qr", "--data", "from the initiator")
        said = initiator.await_line("stderr", "Invitation code")
        return initiator, re.findall(r"\d+(?:-[a-z]+)+", said)[0]

    def finish_exchange(self, initiator: Container, code: str) -> None:
        receiver = self.start_client("receiver", "receive", code, "--data", "from the receiver")
        self.assertEqual((receiver.wait(), initiator.wait()), (0, 0),
                         receiver.said("stderr") + initiator.said("stderr"))
        self.assertEqual(receiver.said("stdout"), "from the initiator")
        self.assertEqual(initiator.said("stdout"), "from the receiver")

    def test_it_serves_with_nothing_but_its_volume(self) -> None:
        relay = self.start_relay()
        self.assertEqual(container.check_confined(relay.pid), [])
        initiator, code = self.start_initiator()
        self.assertEqual(container.check_confined(initiator.pid), [])
        self.assertIn("\u2588\u2588\u2588\u2588", initiator.await_line("stderr", "\u2588"))  # libqrencode is there
        self.finish_exchange(initiator, code)
        peak = container.memory(relay.pid, "memory.max_usage_in_bytes", "memory.peak")
        print(f"one exchange; the relay's memory at most {peak / (1 << 20):.0f} MiB of 128")
        relay.signal(signal.SIGTERM)
        self.assertEqual(relay.wait(), 0, relay.said("stderr"))

    def test_a_container_that_has_more_is_found(self) -> None:
        started = self.start("loose", container.loose(container.confined(self.config, "/run/netns/relay")),
                             "--store=memory", "--listen=127.0.0.1:0")
        started.await_line("stdout", "listening on")
        found = " ".join(container.check_confined(started.pid))
        for part in ("Uid", "Gid", "CapPrm", "CapEff", "CapBnd", "privileges", "system calls", "can be written",
                     "its memory ends", "our network"):
            self.assertIn(part, found)

    def test_sigterm_drains_and_the_next_relay_on_the_volume_goes_on(self) -> None:
        relay = self.start_relay()
        initiator, code = self.start_initiator()
        relay.signal(signal.SIGTERM)
        self.assertEqual(relay.wait(), 0, relay.said("stderr"))
        self.assertIn("draining", relay.said("stderr"))
        self.assertNotIn("were cut", relay.said("stderr"))
        self.assertEqual(sorted(path.name for path in self.volume.iterdir()), ["relay.db", "relay.db.lock"])
        self.start_relay("next")
        self.finish_exchange(initiator, code)

    def refusal(self, volume: pathlib.Path | None) -> str:
        """The one line of a relay that ends at once; where a container may open few files it warns of that before."""
        relay = self.start("relay", container.confined(self.config, "/run/netns/relay"), volume=volume)
        self.assertEqual(relay.wait(), 1)
        lines = [line for line in relay.said("stderr").splitlines() if " warn this process may open fewer files" not in line]
        self.assertEqual(len(lines), 1, lines)
        return lines[0]

    def test_without_the_volume_it_says_what_to_mount(self) -> None:
        self.assertIn(f"mount a volume that user {container.USER} may write to at /var/lib/wormhole",
                      self.refusal(None))

    def test_a_volume_of_somebody_else_is_named_with_who_needs_it(self) -> None:
        os.chown(self.volume, 0, 0)
        self.assertIn(f"let user {container.USER} write to the folder /var/lib/wormhole", self.refusal(self.volume))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    unittest.main(argv=sys.argv[:1])
