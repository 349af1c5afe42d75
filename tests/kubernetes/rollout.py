"""What a Deployment does next, as Kubernetes' controller decides it. Pure."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class PodView:
    """A pod that is not being deleted."""

    name: str
    new: bool  # of the newest template
    ready: bool
    available: bool  # ready for long enough


@dataclasses.dataclass(frozen=True)
class Step:
    create: int
    delete: tuple[str, ...]


def next_step(replicas: int, surge: int, unavailable: int, pods: list[PodView]) -> Step:
    """Of `pods` in the order in which they were made."""
    new = [pod for pod in pods if pod.new]
    old = [pod for pod in pods if not pod.new]
    if len(new) > replicas:
        return Step(0, tuple(pod.name for pod in _least_worth(new)[:len(new) - replicas]))
    create = max(0, min(replicas - len(new), replicas + surge - len(pods)))
    return Step(create, tuple(_old_to_delete(replicas - unavailable, new, old)))


def _old_to_delete(least_available: int, new: list[PodView], old: list[PodView]) -> list[str]:
    # Those of the new ones that are not there yet must not be paid for with old ones.
    new_not_available = sum(not pod.available for pod in new)
    room = len(new) + len(old) - least_available - new_not_available
    if room <= 0:
        return []
    # Old ones that do not serve go first, and whatever becomes of the new ones.
    broken = [pod.name for pod in old if not pod.available][:room]
    available = sum(pod.available for pod in new + old)
    more = max(0, min(available - least_available, room - len(broken)))
    serving = [pod.name for pod in _least_worth(old) if pod.available]
    return broken + serving[:more]


def _least_worth(pods: list[PodView]) -> list[PodView]:
    """Those first that do not serve, then the youngest."""
    return sorted(reversed(pods), key=lambda pod: (pod.ready, pod.available))
