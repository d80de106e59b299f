"""Namespace and backend of arrays on a tape, which record what they are asked to do."""

from collections.abc import Callable
from typing import Any

from agnostic_mask import _registry
from agnostic_mask._array import Array
from agnostic_mask._backend import Backend
from agnostic_mask._tape import NotRecordedError, Recorded, running, values_of


class _Namespace:
    """An array namespace that records what is done with recorded arrays."""

    def __init__(self, xp: Any) -> None:
        self._xp = xp
        self.__name__ = xp.__name__

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._xp, name)
        if callable(found) and not isinstance(found, type) and name[:2] != "__":
            inner = found

            def found(*args: Any, **kwargs: Any) -> Any:
                return running().done(inner, args, kwargs, f"xp.{name}")

        setattr(self, name, found)
        return found


_COMPUTED = (
    "zeroed",
    "both",
    "clipped",
    "ratio",
    "sum",
    "count",
    "sum_by_label",
    "extreme_by_label",
    "cumulative_sum",
    "products",
    "argsort",
    "searchsorted",
    "take",
    "take_along_axis",
    "as_array",
    "copy",
)
_ASKED = ("device", "has_dtype", "refuse", "wide", "tile_rows")


class _Knowledge(Backend):
    """A backend that records what another is asked to do with recorded arrays."""

    def __init__(self, real: Backend, xp: _Namespace) -> None:
        super().__init__(real.name)
        self.real, self._namespace, self.tile_elements = real, xp, real.tile_elements

    def namespace(self) -> Any:
        return self._namespace

    def unwatched(self, *arrays: Array) -> bool:
        return True  # which was asked of the arrays before they were recorded

    def begin_thread(self, x: Array) -> Callable[[], None] | None:
        raise NotRecordedError("a batch in tiles")

    def trusted(self, scored: Callable[[], tuple[Array, ...]]) -> tuple[Array, ...] | None:
        found: tuple[Array, ...] = running().trusted(self.real, scored)
        return found


def _forwarded(name: str, records: bool) -> Callable[..., Any]:
    def called(self: _Knowledge, *args: Any, **kwargs: Any) -> Any:
        fn = getattr(self.real, name)
        if records:
            return running().done(fn, args, kwargs, name)
        return fn(*map(values_of, args), **kwargs)

    return called


for _name in _COMPUTED:
    setattr(_Knowledge, _name, _forwarded(_name, records=True))
for _name in _ASKED:
    setattr(_Knowledge, _name, _forwarded(_name, records=False))


_classes: dict[str, type[Recorded]] = {}


def class_for(kind: _registry.Kind) -> type[Recorded]:
    """The class of recorded arrays of a framework, by which the dispatcher knows it."""
    name = kind.xp.__name__
    if name not in _classes:
        xp = _Namespace(kind.xp)
        cls = type("Recorded", (Recorded,), {"backend": kind.backend})
        _registry.remember_kind(cls, _registry.Kind(xp, _Knowledge(kind.backend, xp), None))
        _classes[name] = cls
    return _classes[name]
