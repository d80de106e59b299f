"""States: frozen dataclasses of arrays that every framework's tree functions can walk."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeVar

from agnostic_mask._array import Array
from agnostic_mask._backend import Backend

_T = TypeVar("_T", bound="type[State]")
_S = TypeVar("_S", bound="State")

_classes: "list[type[State]]" = []

CONFIGURATION: dict[str, Any] = {"configuration": True}
"""Metadata of a dataclass field that is static: no array, part of the tree's structure."""


def state(cls: _T) -> _T:
    """Declare a frozen dataclass to be a state: a tree whose leaves are its arrays."""
    # Kept on the class, since torch.compile does not trace through `fields`.
    cls.array_fields = tuple(f.name for f in fields(cls) if f.metadata != CONFIGURATION)
    cls.configuration = tuple(f.name for f in fields(cls) if f.metadata == CONFIGURATION)
    _classes.append(cls)
    return cls


@dataclass(frozen=True, eq=False)
class State:
    """What is known of the batches so far: an immutable tree of arrays.

    Attributes
    ----------
    made_for : str
        What the state was gathered for, with every option that decides on it. States merge only
        if it is equal. Static.
    dtype : str
        Float type of results: "float32" or "float64". Static.
    members : array, int64, shape (G,), or None
        Of a grouped state the number of included elements of each group; every other array of it
        has a leading axis for the groups.
    outside : array, int64, 0-d, or None
        Of a grouped state the number of included elements whose label is out of range.
    """

    array_fields: ClassVar[tuple[str, ...]]
    configuration: ClassVar[tuple[str, ...]]

    made_for: str = field(metadata=CONFIGURATION)
    dtype: str = field(metadata=CONFIGURATION)
    members: Array | None = field(default=None, kw_only=True)
    outside: Array | None = field(default=None, kw_only=True)

    def arrays(self) -> dict[str, Array]:
        """The fields that hold an array, by name."""
        found = {}
        for name in self.array_fields:
            x = getattr(self, name)
            if x is not None:
                found[name] = x
        return found


def leaves(states: Iterable[State]) -> tuple[Array | None, ...]:
    """All arrays of states, None for those that they do not have, in one order."""
    return tuple([getattr(state, name) for state in states for name in state.array_fields])


def with_leaves(states: Sequence[_S], arrays: Iterable[Array | None]) -> list[_S]:
    """States like others, with these arrays in the order of `leaves`."""
    remaining = iter(arrays)
    found = []
    for state in states:
        fields = {name: getattr(state, name) for name in state.configuration}
        fields.update({name: next(remaining) for name in state.array_fields})
        found.append(type(state)(**fields))
    return found


def configurations(states: Iterable[State]) -> tuple[Any, ...]:
    """All that states hold besides arrays."""
    return tuple([getattr(state, name) for state in states for name in state.configuration])


def register_with(backend: Backend) -> None:
    """Teach a backend that was just loaded every class of states."""
    for cls in _classes:
        backend.register_state(cls, cls.array_fields, cls.configuration)
