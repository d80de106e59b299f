"""States are frozen dataclasses of arrays that every framework's tree functions can walk."""

from dataclasses import fields
from typing import Any, TypeVar

from agnostic_mask._backend import Backend

_T = TypeVar("_T", bound=type)

_classes: list[type] = []

CONFIGURATION: dict[str, Any] = {"configuration": True}
"""Metadata of a dataclass field that is static: no array, part of the tree's structure."""


def state(cls: _T) -> _T:
    """Declare a frozen dataclass to be a state: a tree whose leaves are its arrays."""
    _classes.append(cls)
    return cls


def field_names(cls: Any, *, configuration: bool) -> tuple[str, ...]:
    """Names of the static fields of a state, or of those that hold arrays."""
    return tuple(f.name for f in fields(cls) if ("configuration" in f.metadata) is configuration)


def register_with(backend: Backend) -> None:
    """Teach a backend that was just loaded every class of states."""
    for cls in _classes:
        backend.register_state(
            cls, field_names(cls, configuration=False), field_names(cls, configuration=True)
        )
