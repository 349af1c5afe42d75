"""Kubernetes objects as YAML documents: how they are read, found and compared."""

from __future__ import annotations

import json
from typing import Any, Callable, Iterator

import yaml

Document = dict[str, Any]


class _Loader(yaml.CSafeLoader):
    """YAML that refuses a key that is there twice, as the API server does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is there twice", node.start_mark)
        return super().construct_mapping(node, deep)


def load(text: str) -> list[Document]:
    """The objects in a stream of documents, without the empty ones."""
    return [document for document in yaml.load_all(text, Loader=_Loader) if document]


def name_of(document: Document) -> str:
    metadata = document.get("metadata", {})
    return "/".join([document["kind"], metadata.get("namespace", ""), metadata["name"]])


def of_kind(documents: list[Document], kind: str) -> list[Document]:
    return [document for document in documents if document["kind"] == kind]


def workload(documents: list[Document]) -> Document:
    """The one in which the relays are."""
    (found,) = of_kind(documents, "Deployment") + of_kind(documents, "StatefulSet")
    return found


def setting(find: Callable[[list[Document]], Document], path: str,
            value: Any) -> Callable[[list[Document]], None]:
    """A change that sets something in the object that `find` finds: steps with blanks between them; None takes
    it away."""
    def change(objects: list[Document]) -> None:
        *steps, last = path.split(" ")
        holder: Any = find(objects)
        for step in steps:
            holder = holder[int(step)] if isinstance(holder, list) else holder[step]
        key = int(last) if isinstance(holder, list) else last
        if value is None:
            del holder[key]
        else:
            holder[key] = value
    return change


def pods(documents: list[Document]) -> Iterator[tuple[str, Document]]:
    """The specs of all pods, with the names of the objects that they are in."""
    for document in documents:
        if document["kind"] == "Pod":
            yield name_of(document), document["spec"]
        elif "template" in document.get("spec", {}):
            yield name_of(document), document["spec"]["template"]["spec"]


def relay_pods(documents: list[Document]) -> Iterator[tuple[str, Document]]:
    """Those of `pods` that are relays, and not the pod of `helm test`."""
    for name, spec in pods(documents):
        if any(container["name"] == "relay" for container in spec["containers"]):
            yield name, spec


def without_helm(document: Document) -> Document:
    """The object without what says that Helm manages it."""
    copy = json.loads(json.dumps(document))
    for holder in (copy, copy.get("spec", {}).get("template", {})):
        labels = holder.get("metadata", {}).get("labels", {})
        labels.pop("helm.sh/chart", None)
        labels.pop("app.kubernetes.io/managed-by", None)
    return copy


def differences(these: list[Document], those: list[Document]) -> list[str]:
    """Where two sets of objects differ, whatever their order and formatting."""
    left = {name_of(document): document for document in these}
    right = {name_of(document): document for document in those}
    found = [f"{name} is only in the first" for name in left.keys() - right.keys()]
    found += [f"{name} is only in the second" for name in right.keys() - left.keys()]
    found += [f"{name} is there twice" for side, names in ((these, left), (those, right))
              for name in names if [name_of(one) for one in side].count(name) > 1]
    for name in sorted(left.keys() & right.keys()):
        found += [f"{name}: {where}" for where in _unlike(left[name], right[name], "")]
    return found


def _unlike(left: Any, right: Any, path: str) -> Iterator[str]:
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(left.keys() | right.keys()):
            yield from _unlike(left.get(key), right.get(key), f"{path}.{key}")
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (one, other) in enumerate(zip(left, right)):
            yield from _unlike(one, other, f"{path}[{index}]")
    # 1 and 1.0 and True are equal in Python, and not in YAML.
    elif left != right or type(left) is not type(right):
        yield f"{path} is {left!r} and {right!r}"
