"""A mapping of a manifest, read to the last field: what is not known here is an error, never passed over."""

from typing import Any, TypeVar

T = TypeVar("T")


class ManifestError(Exception):
    """A manifest says something that this kubelet does not obey."""


class Fields:
    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise ManifestError(f"{where}: expected a mapping, found {value!r}")
        self._left = dict(value)
        self.where = where

    def take(self, name: str, kind: type[T], default: T | None = None) -> T:
        """The field's value, which has to be there if there is no default."""
        value = self._left.pop(name, None)
        if value is None:
            if default is None:
                raise ManifestError(f"{self.where}: {name} is missing")
            return default
        # JSON has one kind of number, but true is none.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ManifestError(f"{self.where}.{name}: expected {kind.__name__}, found {value!r}")
        return value

    def maybe(self, name: str) -> Any:
        return self._left.pop(name, None)

    def sub(self, name: str) -> "Fields":
        """The mapping under `name`; empty when it is not there."""
        return Fields(self._left.pop(name, None) or {}, f"{self.where}.{name}")

    def subs(self, name: str) -> list["Fields"]:
        items = self.take(name, list, [])
        return [Fields(item, f"{self.where}.{name}[{i}]") for i, item in enumerate(items)]

    def expect(self, name: str, *allowed: Any) -> None:
        """The one or the few values that this kubelet does right; the field may be missing if None is among them."""
        value = self._left.pop(name, None)
        if value not in allowed:
            raise ManifestError(f"{self.where}.{name}: {value!r} is not obeyed here, only {allowed}")

    def only(self, name: str) -> "Fields":
        """The mapping under `name`, beside which there must be nothing."""
        below = self.sub(name)
        self.done()
        return below

    def empty(self) -> bool:
        return not self._left

    def maybe_all(self) -> dict[str, Any]:
        """All that has not been read, which stays to be read."""
        return dict(self._left)

    def ignore(self, *names: str) -> None:
        """Fields that change nothing that a rehearsal looks at."""
        for name in names:
            self._left.pop(name, None)

    def done(self) -> None:
        if self._left:
            raise ManifestError(f"{self.where}: nobody here obeys {', '.join(sorted(self._left))}")
