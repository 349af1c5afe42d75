"""The controllers: they bring the pods to what a Deployment or a StatefulSet asks for, step by step."""

import itertools
from typing import Protocol

import rollout
from manifests import Deployment, PodTemplate, StatefulSet, Workload
from pod import Pod


class Pods(Protocol):
    """What controllers need of the cluster."""

    def add_pod(self, name: str, template: PodTemplate) -> Pod: ...

    def now(self) -> float: ...


def _available(pod: Pod, workload: Workload, now: float) -> bool:
    return pod.serves and now - pod.ready_since >= workload.min_ready


class DeploymentController:
    def __init__(self, spec: Deployment, cluster: Pods) -> None:
        self.spec = spec
        self.pods: list[Pod] = []
        self._cluster = cluster
        self._numbers = itertools.count(1)

    def reconcile(self) -> None:
        self.pods = [pod for pod in self.pods if not pod.gone.is_set()]
        # Pods that are being deleted count no more; they may stay as long as their grace.
        living = {pod.name: pod for pod in self.pods if not pod.deleting}
        views = [self._view(pod) for pod in living.values()]
        step = rollout.next_step(self.spec.replicas, self.spec.surge(), self.spec.unavailable(), views)
        for name in step.delete:
            living[name].delete()
        template = self.spec.template
        for _ in range(step.create):
            name = f"{self.spec.name}-{template.revision[:6]}-{next(self._numbers)}"
            self.pods.append(self._cluster.add_pod(name, template))

    def _view(self, pod: Pod) -> rollout.PodView:
        return rollout.PodView(pod.name, pod.template.revision == self.spec.template.revision, pod.ready,
                               _available(pod, self.spec, self._cluster.now()))

    def settled(self) -> bool:
        """All pods are of the newest template and have served for long enough, and no other one is left."""
        return len(self.pods) == self.spec.replicas and all(
            view.new and view.available for view in map(self._view, self.pods))


class StatefulSetController:
    """Replaces one pod at a time, from the last one on, and under the same name."""

    def __init__(self, spec: StatefulSet, cluster: Pods) -> None:
        self.spec = spec
        self.pods: list[Pod] = []
        self._cluster = cluster

    def reconcile(self) -> None:
        self.pods = [pod for pod in self.pods if not pod.gone.is_set()]
        by_name = {pod.name: pod for pod in self.pods}
        for number in range(self.spec.replicas):
            name = f"{self.spec.name}-{number}"
            if name not in by_name:
                self.pods.append(self._cluster.add_pod(name, self.spec.template))
                return
            if self.spec.ordered and not self._available(by_name[name]):
                return  # one that never gets ready holds up all others, and is not replaced either
        self._delete_one()

    def _delete_one(self) -> None:
        for pod in sorted(self.pods, key=_number, reverse=True):
            if pod.deleting:
                return
            if _number(pod) >= self.spec.replicas or pod.template.revision != self.spec.template.revision:
                pod.delete()
                return
            if not self._available(pod):
                return

    def _available(self, pod: Pod) -> bool:
        return _available(pod, self.spec, self._cluster.now())

    def settled(self) -> bool:
        return len(self.pods) == self.spec.replicas and all(
            pod.template.revision == self.spec.template.revision and self._available(pod) for pod in self.pods)


def _number(pod: Pod) -> int:
    return int(pod.name.rsplit("-", 1)[1])
