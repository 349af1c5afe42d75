#!/usr/bin/python3
"""The rules follow capabilities and machine."""

import sys
import unittest
from typing import Any

sys.dont_write_bytecode = True

import seccomp


def rule(name: str, **more: Any) -> dict[str, Any]:
    return {"names": [name], "action": "SCMP_ACT_ALLOW", "args": [], "includes": {}, "excludes": {}} | more


class SeccompTest(unittest.TestCase):
    """On a profile of a few rules."""

    def names(self, *rules: dict[str, Any], capabilities: tuple[str, ...] = ()) -> list[str]:
        profile = {
            "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "syscalls": list(rules),
            "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
                        {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": []}],
        }
        made = seccomp.rules(profile, set(capabilities))
        self.assertEqual(made["architectures"], ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"])
        self.assertEqual((made["defaultAction"], made["defaultErrnoRet"]), ("SCMP_ACT_ERRNO", 38))
        return [call["names"][0] for call in made["syscalls"]]

    def test_what_takes_a_capability_is_for_those_who_have_it(self) -> None:
        rules = (rule("chroot", includes={"caps": ["CAP_SYS_CHROOT"]}),
                 rule("no-chroot", excludes={"caps": ["CAP_SYS_CHROOT"]}))
        self.assertEqual(self.names(*rules), ["no-chroot"])
        self.assertEqual(self.names(*rules, capabilities=("CAP_SYS_CHROOT",)), ["chroot"])

    def test_what_is_another_machines_is_left_out(self) -> None:
        self.assertEqual(self.names(rule("a", includes={"arches": ["arm64"]}), rule("b", includes={"arches": ["amd64"]}),
                                    rule("c", excludes={"arches": ["amd64"]})), ["b"])

    def test_arguments_and_errors_are_kept(self) -> None:
        arguments = [{"index": 0, "value": 8, "valueTwo": 0, "op": "SCMP_CMP_EQ"}]
        profile = {"defaultAction": "x", "archMap": [],
                   "syscalls": [rule("a", args=arguments), rule("b", action="SCMP_ACT_ERRNO", errnoRet=1)]}
        self.assertEqual(seccomp.rules(profile, set())["syscalls"], [
            {"names": ["a"], "action": "SCMP_ACT_ALLOW", "args": arguments},
            {"names": ["b"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}])

    def test_debians_own_lets_a_container_without_capabilities_do_little(self) -> None:
        allowed = {name for call in seccomp.default_rules(set())["syscalls"] for name in call["names"]
                   if call["action"] == "SCMP_ACT_ALLOW"}
        self.assertTrue({"read", "openat", "futex", "epoll_wait"} <= allowed)
        self.assertFalse({"bpf", "chroot", "init_module", "settimeofday"} & allowed)


if __name__ == "__main__":
    unittest.main()
