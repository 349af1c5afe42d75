"""Endpoints, DNS and the verdict, by times from outside."""

import struct
import unittest

import dns
import verdict
from endpoints import DELAY, Endpoint, Endpoints
from exchange import Kind, Plan, Result
from probes import _request
from timeline import Timeline


class EndpointsTest(unittest.TestCase):
    def test_each_change_comes_later_and_in_order(self) -> None:
        endpoints, one, two = Endpoints(), Endpoint("one", "10.0.0.1"), Endpoint("two", "10.0.0.2")
        endpoints.change(0.0, one, True)
        endpoints.change(0.5, two, True)
        endpoints.change(0.7, one, False)
        self.assertEqual(endpoints.at(DELAY - 0.01), [])
        self.assertEqual(endpoints.at(DELAY), [one])
        self.assertEqual(endpoints.at(DELAY + 0.5), [one, two])
        self.assertEqual(endpoints.at(DELAY + 0.7), [two])

    def test_what_never_served_can_go(self) -> None:
        endpoints = Endpoints()
        endpoints.change(0.0, Endpoint("one", "10.0.0.1"), False)
        self.assertEqual(endpoints.at(DELAY), [])


def question(name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\x00" + struct.pack("!HH", kind, 1)


class DnsTest(unittest.TestCase):
    names = {"relays.cluster.local": ["10.0.0.1", "10.0.0.2"]}

    def answer(self, query: bytes) -> bytes:
        response = dns.answer(query, self.names.get)
        assert response is not None
        return response

    def test_all_addresses_with_their_time_to_live(self) -> None:
        response = self.answer(question("Relays.cluster.local"))
        self.assertEqual(struct.unpack_from("!HHHH", response), (7, 0x8580, 1, 2))
        self.assertTrue(response.endswith(struct.pack("!HHIH", 1, 1, int(dns.TTL), 4) + bytes([10, 0, 0, 2])))

    def test_no_such_name(self) -> None:
        self.assertEqual(self.answer(question("nobody.cluster.local"))[3] & 15, 3)

    def test_a_name_without_an_address_of_that_family(self) -> None:
        response = self.answer(question("relays.cluster.local", kind=28))
        self.assertEqual((response[3] & 15, struct.unpack_from("!H", response, 6)[0]), (0, 0))

    def test_what_is_no_question(self) -> None:
        for packet in (b"", b"\x00" * 5, question("a")[:-3], struct.pack("!HHHHHH", 7, 0x8000, 1, 0, 0, 0)):
            self.assertIsNone(dns.answer(packet, self.names.get))

    def test_a_cache_repeats_itself_for_the_time_to_live(self) -> None:
        now, found = 0.0, ["10.0.0.1"]
        cache = dns.Cache(lambda name: list(found), lambda: now)
        self.assertEqual(cache("a"), ["10.0.0.1"])
        found = []
        now = dns.TTL - 0.01
        self.assertEqual(cache("a"), ["10.0.0.1"])
        now = dns.TTL
        self.assertEqual(cache("a"), [])


class ProbeTest(unittest.TestCase):
    def test_a_request_names_the_service(self) -> None:
        self.assertTrue(_request("readiness", "a:1").endswith(b"\x00\x00\x00\x00\x0b\x0a\x09readiness"))
        self.assertTrue(_request("", "a:1").endswith(b"\x00\x00\x00\x00\x00"))


def result(number: int, kind: Kind, began: float, wait: float, failure: str = "") -> Result:
    plan = Plan(number, kind, "a", "b", pause=1.0)
    return Result(plan, began, began + plan.pause + wait, failure)


class VerdictTest(unittest.TestCase):
    everyday = [result(0, Kind.QUICK, 0.0, 0.1), result(1, Kind.QUICK, 0.0, 0.3), result(2, Kind.CHECK_IN, 0.0, 1.5)]

    def judge(self, *results: Result, control: tuple[Result, ...] = ()) -> verdict.Verdict:
        return verdict.judge(self.everyday + list(results), list(control), disturbed_at=10.0, limit=2.0)

    def test_what_an_exchange_takes_of_itself_is_on_nobodys_account(self) -> None:
        found = self.judge(result(3, Kind.QUICK, 9.5, 2.2), result(4, Kind.CHECK_IN, 9.5, 3.4))
        self.assertAlmostEqual(found.slowest, 1.9)
        self.assertEqual((found.exchanges, found.failed, found.too_slow), (5, [], []))

    def test_finds_the_slow_and_the_failed(self) -> None:
        slow, failed = result(3, Kind.QUICK, 9.5, 2.4), result(4, Kind.QUICK, 9.5, 0.1, "initiator ended with 4")
        found = self.judge(slow, failed)
        self.assertEqual((found.too_slow, found.failed), ([slow], [failed]))

    def test_those_who_wait_long_are_quick_beside_their_pause(self) -> None:
        slow = result(3, Kind.WAITING, 9.5, 2.4)
        self.assertEqual(self.judge(slow).too_slow, [slow])

    def test_what_the_machine_takes_meanwhile_is_on_nobodys_account_either(self) -> None:
        slow = result(3, Kind.QUICK, 20.0, 2.9)
        at_once, later = result(9, Kind.QUICK, 21.0, 1.0), result(9, Kind.QUICK, 30.0, 1.0)
        self.assertEqual(self.judge(slow, control=(at_once,)).too_slow, [])
        self.assertEqual(self.judge(slow, control=(later,)).too_slow, [slow])

    def test_nothing_may_fail_where_nothing_is_done(self) -> None:
        with self.assertRaises(AssertionError):
            self.judge(control=(result(9, Kind.QUICK, 21.0, 1.0, "initiator ended with 4"),))

    def test_says_nothing_without_an_undisturbed_one(self) -> None:
        with self.assertRaises(AssertionError):
            verdict.judge([result(0, Kind.QUICK, 20.0, 0.1)], [], disturbed_at=10.0, limit=2.0)

    def test_relays_lines_in_both_formats(self) -> None:
        text = "2026-11-25T02:16:08.594Z info stream ended app=rehearsal/4 channel=6 seconds=0.250 end=OK"
        line = '{"time":"2026-11-25T02:16:08.594Z","message":"stream ended","app":"rehearsal/4","seconds":0.25}'
        for entry in (text, line):
            self.assertEqual(verdict.line_app(entry), "rehearsal/4")
            self.assertAlmostEqual(verdict.line_time(entry), 1795572968.594)
            self.assertEqual(verdict.line_seconds(entry), 0.25)
        self.assertEqual(verdict.line_app("listening on [::]:47180"), "")
        self.assertEqual(verdict.line_app("{cut"), "")


class TimelineTest(unittest.TestCase):
    def test_between(self) -> None:
        timeline = Timeline()
        timeline.note("pod", "ready")
        self.assertEqual([event.what for event in timeline.between(0, 5)], ["ready"])
        self.assertEqual(timeline.between(5, 9), [])


if __name__ == "__main__":
    unittest.main()
