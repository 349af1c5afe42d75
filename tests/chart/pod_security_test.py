"""Each control of the standard finds what it is for; a pod that keeps all of them has no problem."""

import copy
import unittest

import pod_security

GOOD = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "volumes": [{"name": "secret", "secret": {"secretName": "a"}}],
    "containers": [{
        "name": "relay",
        "livenessProbe": {"grpc": {"port": 1}},
        "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }],
}
CONTAINER = ("containers", 0)
CONTEXT = (*CONTAINER, "securityContext")
BROKEN = [
    (("hostNetwork",), True), (("hostPID",), True), (("hostIPC",), True),
    (("volumes",), [{"name": "host", "hostPath": {"path": "/"}}]),
    (("volumes",), [{"name": "nfs", "nfs": {"server": "a", "path": "/"}}]),
    (("securityContext", "sysctls"), [{"name": "kernel.msgmax", "value": "1"}]),
    (("securityContext", "windowsOptions"), {"hostProcess": True}),
    (("securityContext", "appArmorProfile"), {"type": "Unconfined"}),
    (("securityContext", "seLinuxOptions"), {"type": "spc_t"}),
    (("securityContext", "seLinuxOptions"), {"user": "root"}),
    (("securityContext", "seccompProfile"), {"type": "Unconfined"}),
    (("securityContext", "seccompProfile"), None),
    (("securityContext", "runAsNonRoot"), None),
    (("securityContext", "runAsUser"), 0),
    ((*CONTEXT, "runAsNonRoot"), False),
    ((*CONTEXT, "runAsUser"), 0),
    ((*CONTEXT, "seccompProfile"), {"type": "Unconfined"}),
    ((*CONTEXT, "privileged"), True),
    ((*CONTEXT, "procMount"), "Unmasked"),
    ((*CONTEXT, "allowPrivilegeEscalation"), None),
    ((*CONTEXT, "allowPrivilegeEscalation"), True),
    ((*CONTEXT, "capabilities"), {"drop": ["CHOWN"]}),
    ((*CONTEXT, "capabilities"), {"drop": ["ALL"], "add": ["SYS_ADMIN"]}),
    ((*CONTAINER, "ports"), [{"containerPort": 1, "hostPort": 1}]),
    ((*CONTAINER, "livenessProbe"), {"httpGet": {"host": "10.0.0.1", "port": 1}}),
    ((*CONTAINER, "lifecycle"), {"preStop": {"tcpSocket": {"host": "10.0.0.1", "port": 1}}}),
]


class PodSecurityTest(unittest.TestCase):
    def test_a_restricted_pod_has_no_problem(self) -> None:
        self.assertEqual(pod_security.problems(GOOD), [])

    def test_a_mistake_is_found(self) -> None:
        for path, value in BROKEN:
            spec = copy.deepcopy(GOOD)
            holder = spec
            for step in path[:-1]:
                holder = holder[step]
            if value is None:
                del holder[path[-1]]
            else:
                holder[path[-1]] = value
            with self.subTest(path=path, value=value):
                self.assertNotEqual(pod_security.problems(spec), [])

    def test_so_it_is_in_a_container_that_begins_before_the_others(self) -> None:
        spec = copy.deepcopy(GOOD)
        spec["initContainers"] = [{"name": "first"}]
        self.assertTrue(any("first" in one for one in pod_security.problems(spec)))


if __name__ == "__main__":
    unittest.main()
