"""deploy/edge's haproxy and nginx before the shipped relay: what they let through, what they hold off, and that nothing
is lost when the relay behind them goes. tests/edge/run starts it. Prints what attacks cost with them and without."""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest
from collections.abc import Callable

from attacks import huge_header, rapid_reset
from edge import PROJECT, Certificate, Edge, free_address, program, split
from exchange import Exchange
from http2 import ATTACH, END_HEADERS, END_STREAM, HEADERS, REFLECTION, RST_STREAM, Connection, frame, request
from relay import Relay, Usage

RELAY, SYNC = os.environ["WORMHOLE_RELAY"], os.environ["WORMHOLE_SYNC"]
NIGHTLY = "WORMHOLE_NIGHTLY" in os.environ
MIB = 1 << 20
# Of loopback, and nobody's but a stranger's of these tests.
STRANGER, NEIGHBOUR = "127.0.0.9", "127.0.0.10"
# Those that run gives this network, if it could make one: a /48 with four /64, and another.
HAS_IPV6 = "WORMHOLE_EDGE_IPV6" in os.environ
HERE6, SITE, OTHER_SITE = "2001:db8::1", "2001:db8:1", "2001:db8:2"
needs_ipv6 = unittest.skipUnless(HAS_IPV6, "no network of its own with addresses of IPv6")


def await_that(truth: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60
    while not truth():
        if time.monotonic() > end:
            raise AssertionError(f"not within a minute: {what}")
        time.sleep(0.02)


def hangs_up(connection: Connection) -> bool:
    """The other end does, sooner or later; False if it has not within the connection's patience."""
    try:
        while connection.read() is not None:
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


class Scene(unittest.TestCase):
    """Relays and an edge of one kind before them; all end with the test."""

    kind = ""
    # What ../../deploy/README.md tells an operator to start the relay with.
    flags: list[str] = []

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="wormhole-edge-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.address = free_address()
        self.address6 = free_address(HERE6) if HAS_IPV6 else ""
        self.certificate = Certificate(self.folder, split(self.address)[0], HERE6)

    def relay(self, name: str = "relay", *flags: str) -> Relay:
        relay = Relay(RELAY, self.folder / name, [*self.flags, *flags])
        relay.start()
        self.addCleanup(relay.end, signal.SIGKILL)
        return relay

    def edge(self, relays: list[Relay], edits: dict[str, str] | None = None) -> Edge:
        edge = Edge(self.kind, self.folder, self.address, [relay.address for relay in relays], self.certificate, edits,
                    self.address6)
        edge.start()
        self.addCleanup(edge.stop)
        return edge

    def stranger(self, source: str = STRANGER, patience: float = 60) -> Connection:
        address = self.address6 if ":" in source else self.address
        connection = Connection(address, self.certificate.chain, source, patience)
        self.addCleanup(connection.close)
        return connection

    def exchange(self, *options: str) -> Exchange:
        return Exchange(SYNC, self.address, self.certificate.chain, *options)

    def is_refused(self, source: str) -> bool:
        """A connection from there, or its first stream."""
        try:
            connection = self.stranger(source)
        except OSError:
            return True
        try:
            return not connection.ask_health()
        except OSError:
            return True
        finally:
            connection.close()

    def attack(self, what: Callable[[Connection, int], int], size: int) -> tuple[float, int]:
        """By a stranger, on a relay of its own, through the edge if there is a kind. Returns what it cost: seconds of the
        relay's processors, and MiB by which its memory grew."""
        relay = self.relay()
        edge = self.edge([relay]) if self.kind else None
        usage, edges = Usage([relay.pid]), Usage(edge.pids if edge else [])
        cpu, of_edge, before = usage.cpu(), edges.cpu(), usage.peak()
        connection = self.stranger() if edge else Connection(relay.address, None, STRANGER, 300)
        what(connection, size)
        connection.close()
        spent, grown = usage.cpu() - cpu, usage.peak() - before
        print(f"{what.__name__} of {size:,} {'through ' + self.kind if edge else 'without an edge'}: "
              f"relay {spent:.2f} s of CPU and {grown} MiB more"
              + (f"; edge {edges.cpu() - of_edge:.2f} s, {edges.peak()} MiB in all" if edge else ""), flush=True)
        if edge:
            self.assertTrue(self.stranger(NEIGHBOUR).ask_health())
        return spent, grown


class BothKinds(Scene):
    """What has to be true of either."""

    # One line of the file with the word timeout in it.
    limit_of_headers = ""
    # All its limits of silence, a tenth of them.
    a_tenth: dict[str, str] = {}
    three_for_an_address: dict[str, str] = {}

    # What is let through.

    def test_its_own_program_takes_the_file(self) -> None:
        def complaint(edits: dict[str, str]) -> str:
            return Edge(self.kind, self.folder, self.address, ["127.0.0.1:47180"], self.certificate, edits).check()

        self.assertEqual(complaint({}), "")
        self.assertIn("timeuot", complaint({self.limit_of_headers: self.limit_of_headers.replace("timeout", "timeuot")}))

    def test_the_page_names_the_relays_flags(self) -> None:
        page = (PROJECT / "deploy" / "README.md").read_text(encoding="utf-8")
        cells = next(line for line in page.splitlines() if line.startswith("| flags of the relay |")).split("|")
        shown = re.findall(r"`(--[^`]+)`", cells[2 if self.kind == "haproxy" else 3])
        # A test's relay listens where nobody else does.
        self.assertEqual(shown, ["--listen=127.0.0.1:47180", *self.flags])

    def test_an_exchange(self) -> None:
        self.edge([self.relay()])
        self.exchange().begin().finish()

    def test_bearer_tokens_come_through_and_so_does_what_the_relay_says_of_them(self) -> None:
        token, tokens = self.folder / "token", self.folder / "tokens"
        made = subprocess.run([RELAY, "make-token"], check=True, capture_output=True).stdout
        token.write_bytes(made)
        tokens.write_bytes(subprocess.run([RELAY, "hash-token"], input=made, check=True, capture_output=True).stdout)
        self.edge([self.relay("relay", f"--tokens-file={tokens}")])
        self.exchange(f"--bearer-token-file={token}").begin().finish()
        # At once. Behind haproxy gRPC has nothing but the reason of what the relay said.
        with self.assertRaisesRegex(AssertionError, "bearer token .* (wrong or missing|missing, wrong)"):
            self.exchange().begin()

    def test_what_clients_do_not_need_stays_outside(self) -> None:
        self.edge([self.relay()])
        self.assertTrue(self.stranger().ask_health())
        connection = self.stranger()
        connection.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, request(REFLECTION, connection.scheme)))
        while (got := connection.read()) is not None and not (got[2] == 1 and got[0] in (HEADERS, RST_STREAM)):
            pass
        assert got
        # HPACK: 13 is `:status: 404` of the static table.
        self.assertEqual((got[0], got[3][:1]), (HEADERS, b"\x8d"))

    def test_a_thousand_people_behind_one_address(self) -> None:
        self.edge([self.relay()])
        served = 0
        for _ in range(1000):
            connection = self.stranger()  # which stays
            connection.send(frame(HEADERS, END_HEADERS, 1, request(ATTACH, connection.scheme)))
            served += connection.ask_health(3)
        self.assertEqual(served, 1000)

    def test_a_stream_that_waits_longer_than_any_limit_of_silence(self) -> None:
        """All limits are a tenth of the shipped ones, the heartbeat too."""
        relay = self.relay("relay", "--heartbeat=2s")
        self.edge([relay], self.a_tenth)
        began = time.monotonic()
        exchange = self.exchange().begin()
        while time.monotonic() - began < 13:  # twice the longest of them, and more
            time.sleep(0.1)
        exchange.finish()
        relay.end()
        # A stream that was cut and made again would have a line of its own. So has one that asks once more for a close
        # whose answer haproxy has shown as cancelled, now and then; it hears that the channel is closed.
        lines = [line for line in relay.log().splitlines() if "stream ended" in line and "state=attached" in line
                 and not ("purpose=resume" in line and "reason=closed" in line)]
        self.assertEqual(len(lines), 2, lines)

    # What is held off.

    def test_a_header_without_end_costs_the_relay_nothing(self) -> None:
        spent, grown = self.attack(huge_header, 20 * MIB)
        self.assertLess(spent, 0.5)
        self.assertLess(grown, 8)

    def test_streams_that_are_reset_cost_the_relay_little(self) -> None:
        spent, grown = self.attack(rapid_reset, 100_000)
        self.assertLess(spent, 1)
        self.assertLess(grown, 32)

    def test_silent_connections_go(self) -> None:
        self.edge([self.relay()], self.a_tenth)
        silent = self.stranger()
        half = self.stranger()
        half.send(frame(HEADERS, 0, 1, request(ATTACH, half.scheme)))
        idle = self.stranger()
        self.assertTrue(idle.ask_health())
        self.assertEqual([hangs_up(connection) for connection in (silent, half, idle)], [True] * 3)

    def test_one_address_has_a_limit_of_its_own(self) -> None:
        self.edge([self.relay()], self.three_for_an_address)
        held = [self.stranger() for _ in range(3)]
        for connection in held:
            connection.send(frame(HEADERS, END_HEADERS, 1, request(ATTACH, connection.scheme)))
        await_that(lambda: self.is_refused(STRANGER), "the fourth is refused")
        self.assertFalse(self.is_refused(NEIGHBOUR))
        for connection in held:
            connection.close()
        await_that(lambda: not self.is_refused(STRANGER), "it is served again")

    @needs_ipv6
    def test_a_64_of_ipv6_is_an_address(self) -> None:
        self.edge([self.relay()], self.three_for_an_address)
        held = [self.stranger(f"{SITE}:1::{host}") for host in (1, 2, 3)]
        for connection in held:
            connection.send(frame(HEADERS, END_HEADERS, 1, request(ATTACH, connection.scheme)))
        await_that(lambda: self.is_refused(f"{SITE}:1::4"), "the fourth is refused")
        self.assertFalse(self.is_refused(f"{SITE}:2::1"))
        self.assertFalse(self.is_refused(STRANGER))

    # When the relay goes.

    def test_a_relay_that_restarts_loses_nothing(self) -> None:
        relay = self.relay()
        self.edge([relay])
        for number in (signal.SIGTERM, signal.SIGKILL):
            exchange = self.exchange().begin()
            relay.end(number)
            relay.start()
            exchange.finish()

    def test_a_dead_relay_gets_nobody(self) -> None:
        first, second = self.relay("first"), self.relay("second")
        self.edge([first, second])
        self.assertTrue(self.stranger().ask_health())
        first.end(signal.SIGKILL)
        # One that falls between may be lost; from then on none is.
        await_that(lambda: not self.is_refused(STRANGER), "the second relay serves")
        await_that(lambda: all(not self.is_refused(STRANGER) for _ in range(20)), "nobody is sent to the first one")


class HaproxyTest(BothKinds):
    kind = "haproxy"
    flags = ["--proxy-from=127.0.0.1"]
    limit_of_headers = "  timeout http-request 10s\n"
    a_tenth = {"  timeout client 60s\n": "  timeout client 6s\n", "  timeout server 60s\n": "  timeout server 6s\n",
                   limit_of_headers: "  timeout http-request 1s\n",
                   "  timeout http-keep-alive 20s\n": "  timeout http-keep-alive 2s\n"}
    three_for_an_address = {"sc0_conn_cur gt 1500": "sc0_conn_cur gt 3"}

    def test_the_relay_sees_the_clients_address(self) -> None:
        relay = self.relay()
        self.edge([relay])
        clients = [self.stranger(source) for source in (STRANGER, NEIGHBOUR, STRANGER)]
        for connection in clients:
            self.assertTrue(connection.ask_health())
        for connection in clients:
            connection.send(frame(HEADERS, END_HEADERS | END_STREAM, 3, request(ATTACH, connection.scheme)))
            relay.await_log(lambda log, name=connection.source: f"client={name}\n" in log, "logs a client's address")

    @needs_ipv6
    def test_the_relay_sees_the_clients_address_of_ipv6(self) -> None:
        relay = self.relay()
        self.edge([relay])
        connection = self.stranger(f"{SITE}:1::1")
        self.assertTrue(connection.ask_health())
        connection.send(frame(HEADERS, END_HEADERS | END_STREAM, 3, request(ATTACH, connection.scheme)))
        relay.await_log(lambda log: f"client={connection.source}\n" in log, "logs the client's address")

    @needs_ipv6
    def test_a_48_of_ipv6_has_few_only_if_all_of_it_has(self) -> None:
        self.edge([self.relay()], {"sc1_conn_cur gt 64": "sc1_conn_cur gt 3", "fe_conn gt 1536": "fe_conn gt 3"})
        held = [self.stranger(f"{SITE}:{network}::1") for network in (1, 2, 3)]
        self.assertTrue(held[0].ask_health())
        await_that(lambda: self.is_refused(f"{SITE}:4::1"), "the site has many")
        self.assertFalse(self.is_refused(f"{OTHER_SITE}:1::1"))

    def test_a_connection_of_the_relays_goes_with_its_stream(self) -> None:
        """Kept, it would count against the client's limits."""
        self.edge([self.relay("relay", "--max-connections-per-address=3")])
        for _ in range(3):
            connection = self.stranger()
            for number in range(3):
                connection.send(frame(HEADERS, END_HEADERS, 2 * number + 1, request(ATTACH, connection.scheme)))
            await_that(lambda: self.is_refused(STRANGER), "the relay has three connections of this client's")
            self.assertFalse(self.is_refused(NEIGHBOUR))
            connection.close()
            await_that(lambda: not self.is_refused(STRANGER), "the next one gets in")

    def test_streams_that_come_at_once_are_all_answered(self) -> None:
        self.edge([self.relay()])
        for _ in range(20):
            connection = self.stranger()
            connection.send(b"".join(frame(HEADERS, END_HEADERS, 2 * number + 1, request(ATTACH, connection.scheme))
                                     for number in range(20)))
            self.assertTrue(connection.ask_health(41))
            connection.close()

    def test_the_last_quarter_is_for_those_who_have_few(self) -> None:
        self.edge([self.relay()], {"sc1_conn_cur gt 64": "sc1_conn_cur gt 2", "fe_conn gt 1536": "fe_conn gt 4"})
        held = [self.stranger() for _ in range(4)]
        self.assertTrue(held[0].ask_health())
        await_that(lambda: self.is_refused(STRANGER), "who has many is refused")
        self.assertFalse(self.is_refused(NEIGHBOUR))

    def test_requests_too_often_end_the_connection(self) -> None:
        self.edge([self.relay()], {"sc0_http_req_rate gt 4000": "sc0_http_req_rate gt 20"})
        connection = self.stranger()
        answers = 0
        try:
            while answers < 100 and connection.ask_health(2 * answers + 1):
                answers += 1
        except OSError:
            pass
        self.assertEqual(answers, 20)
        self.assertTrue(hangs_up(connection))
        self.assertFalse(self.is_refused(NEIGHBOUR))

    def test_requests_too_often_on_one_connection_end_it_alone(self) -> None:
        self.edge([self.relay()], {"sc2_http_req_rate gt 200": "sc2_http_req_rate gt 20"})
        connection, other = self.stranger(), self.stranger()
        self.assertEqual([connection.ask_health(2 * number + 1) for number in range(20)], [True] * 20)
        connection.send(frame(HEADERS, END_HEADERS, 41, request(ATTACH, connection.scheme)))
        self.assertTrue(hangs_up(connection))
        self.assertTrue(other.ask_health())

    def test_connections_too_often_are_refused_before_their_handshake(self) -> None:
        self.edge([self.relay()], {"sc0_conn_rate gt 2000": "sc0_conn_rate gt 5"})
        for _ in range(5):
            self.stranger()
        self.assertTrue(self.is_refused(STRANGER))
        self.assertFalse(self.is_refused(NEIGHBOUR))

    def test_health_takes_out_a_relay_that_drains(self) -> None:
        first, second = self.relay("first", "--drain-delay=60s", "--drain-timeout=90s"), self.relay("second")
        edge = self.edge([first, second])
        first.signal(signal.SIGTERM)
        # It serves as before, but for its health.
        await_that(lambda: "relays/relay0 is DOWN" in edge.log(), "health takes it out")
        Connection(first.address).close()
        self.assertEqual([self.is_refused(STRANGER) for _ in range(10)], [False] * 10)


class NginxTest(BothKinds):
    kind = "nginx"
    flags = ["--max-connections-per-address=2048", "--max-connections-per-minute=0",
             "--max-stream-opens-per-minute=0", "--max-allocations-per-minute=0", "--max-claims-per-minute=0",
             "--max-failed-claims-per-minute=0", "--max-streams-per-address=0", "--max-channels-per-address=0"]
    limit_of_headers = "    client_header_timeout 10s;\n"
    a_tenth = {"    client_body_timeout 60s;\n": "    client_body_timeout 6s;\n",
                   "    send_timeout 60s;\n": "    send_timeout 6s;\n",
                   "    grpc_read_timeout 60s;\n": "    grpc_read_timeout 6s;\n",
                   "    grpc_send_timeout 60s;\n": "    grpc_send_timeout 6s;\n",
                   limit_of_headers: "    client_header_timeout 1s;\n",
                   "    keepalive_timeout 20s;\n": "    keepalive_timeout 2s;\n"}
    three_for_an_address = {"limit_conn streams 3000": "limit_conn streams 3"}

    def test_none_of_the_relays_limits_by_address_is_left(self) -> None:
        told = subprocess.run([RELAY, "--help"], capture_output=True, text=True, check=True).stdout
        limits = set(re.findall(r"^  (--max-\S+-per-(?:address|minute))\b", told, re.M))
        self.assertEqual(limits, {flag.split("=")[0] for flag in self.flags})

    def test_requests_too_often_are_refused(self) -> None:
        self.edge([self.relay()], {"rate=200r/s": "rate=1r/m", "burst=3000": "burst=4"})
        self.assertEqual([self.is_refused(STRANGER) for _ in range(7)], [False] * 5 + [True] * 2)
        self.assertFalse(self.is_refused(NEIGHBOUR))


class WithoutAnEdgeTest(Scene):
    """What the same costs a relay that strangers reach themselves. The header is the reason for all of this."""

    def test_a_header_without_end(self) -> None:
        spent, _ = self.attack(huge_header, (20 if NIGHTLY else 8) * MIB)
        self.assertGreater(spent, 0.3)

    def test_streams_that_are_reset(self) -> None:
        """Which the relay itself cuts off (--max-stream-opens-per-minute), after those that it has taken."""
        spent, _ = self.attack(rapid_reset, 100_000)
        self.assertLess(spent, 3)


# Not a test by itself.
del BothKinds

if __name__ == "__main__":
    for missing in (name for name in ("haproxy", "nginx") if program(name) is None):
        print(f"SKIPPED: {missing}, which is not installed (deploy/packages test)")
        del globals()[f"{missing.capitalize()}Test"]
    # A connection that is refused in its handshake leaves a socket that nobody can close.
    unittest.main(verbosity=2, warnings="ignore")
