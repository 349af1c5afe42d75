"""Manifests are read to the last field."""

import copy
import unittest
from typing import Any

import yaml

import manifests
from fields import ManifestError

POD: dict[str, Any] = {
    "metadata": {"labels": {"app": "relay"}},
    "spec": {
        "terminationGracePeriodSeconds": 30,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 7, "fsGroup": 8, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{
            "name": "relay", "image": "relay:1", "args": ["--store=memory"],
            "ports": [{"name": "grpc", "containerPort": 1}, {"name": "probes", "containerPort": 2}],
            "readinessProbe": {"grpc": {"port": 2, "service": "readiness"}, "periodSeconds": 3},
            "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
            "resources": {"limits": {"memory": "128Mi"}},
            "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                "capabilities": {"drop": ["ALL"]}},
            "volumeMounts": [{"name": "tls", "mountPath": "/tls", "readOnly": True}],
        }],
        "volumes": [{"name": "tls", "secret": {"secretName": "relay-tls", "items": [{"key": "tls.crt", "path": "crt"}]}}],
    },
}
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "relay", "namespace": "here"},
    "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "relay"}}, "template": POD,
             "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}},
}


def read(document: dict[str, Any]) -> manifests.Manifests:
    return manifests.read(yaml.safe_dump(document))


def changed(path: str, value: Any) -> dict[str, Any]:
    """DEPLOYMENT with another value at a path such as `spec.template.spec.containers.0.name`."""
    document = copy.deepcopy(DEPLOYMENT)
    *way, last = path.split(".")
    at: Any = document
    for name in way:
        at = at[int(name)] if name.isdigit() else at[name]
    at[last] = value
    return document


class ReadTest(unittest.TestCase):
    def test_what_is_obeyed(self) -> None:
        deployment = read(DEPLOYMENT).deployments["relay"]
        container = deployment.template.container
        self.assertEqual((deployment.replicas, deployment.surge(), deployment.unavailable()), (3, 1, 0))
        self.assertEqual(deployment.min_ready, 0.0)
        self.assertEqual((container.user, container.group, deployment.template.fs_group), (7, None, 8))
        self.assertEqual((container.memory_limit, container.pre_stop_sleep), (128 << 20, 5.0))
        self.assertEqual(container.readiness, manifests.Probe(2, "readiness", 0.0, 3.0, 1.0, 1, 3))
        self.assertEqual(deployment.template.volumes[0].items, (("tls.crt", "crt"),))
        self.assertTrue(container.default_seccomp and container.read_only_root)

    def test_nothing_is_passed_over(self) -> None:
        container = "spec.template.spec.containers.0"
        for path, value in {
            "spec.paused": True,
            "spec.strategy.type": "Recreate",
            "spec.template.spec.hostNetwork": True,
            "spec.template.spec.initContainers": [],
            "spec.template.spec.securityContext.sysctls": [],
            "spec.template.spec.securityContext.runAsNonRoot": False,
            f"{container}.command": ["/bin/sh"],
            f"{container}.livenessProbe": {"httpGet": {"port": 2}},
            f"{container}.readinessProbe.grpc.port": 3,
            f"{container}.readinessProbe.terminationGracePeriodSeconds": 3,
            f"{container}.lifecycle.postStart": {"sleep": {"seconds": 1}},
            f"{container}.lifecycle.preStop": {"exec": {"command": ["sleep"]}},
            f"{container}.resources.limits": {"cpu": "1"},
            f"{container}.resources.limits.memory": "128Q",
            f"{container}.securityContext.privileged": True,
            f"{container}.securityContext.allowPrivilegeEscalation": True,
            f"{container}.securityContext.capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
            f"{container}.volumeMounts.0.subPath": "a",
            "spec.template.spec.volumes": [{"name": "tls", "hostPath": {"path": "/"}}],
            "spec.template.spec.topologySpreadConstraints": [{"whenUnsatisfiable": "DoNotSchedule"}],
            "kind": "DaemonSet",
            "spec.replicas": "3",
        }.items():
            with self.subTest(path), self.assertRaises(ManifestError):
                read(changed(path, value))

    def test_a_template_has_another_revision_when_anything_in_it_changes(self) -> None:
        first = read(DEPLOYMENT).deployments["relay"].template.revision
        self.assertEqual(first, read(changed("spec.replicas", 5)).deployments["relay"].template.revision)
        for path, value in {"spec.template.spec.containers.0.image": "relay:2",
                            "spec.template.metadata.annotations": {"a": "b"}}.items():
            self.assertNotEqual(first, read(changed(path, value)).deployments["relay"].template.revision)

    def test_surge_is_rounded_up_and_unavailable_down(self) -> None:
        rolling = {"maxSurge": "25%", "maxUnavailable": "25%"}
        deployment = read(changed("spec.strategy.rollingUpdate", rolling)).deployments["relay"]
        self.assertEqual((deployment.surge(), deployment.unavailable()), (1, 0))
        none = read(changed("spec.strategy.rollingUpdate", {"maxSurge": 0, "maxUnavailable": 0}))
        self.assertEqual(none.deployments["relay"].unavailable(), 1)

    def test_one_namespace(self) -> None:
        other = copy.deepcopy(DEPLOYMENT) | {"metadata": {"name": "other", "namespace": "there"}}
        with self.assertRaises(ManifestError):
            manifests.read(yaml.safe_dump_all([DEPLOYMENT, other]))

    def test_budget(self) -> None:
        budget = manifests.Budget("b", {}, 1, None, True)
        self.assertEqual([budget.least_healthy(replicas) for replicas in (0, 1, 3)], [0, 0, 2])
        self.assertEqual(manifests.Budget("b", {}, None, "50%", True).least_healthy(3), 2)


if __name__ == "__main__":
    unittest.main()
