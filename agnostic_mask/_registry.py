"""From the type of an array to its namespace and backend.

torch.compile traces through here as the first call of a fresh process, so two rules hold.
Whatever imports, reads metadata or looks into a table that grows stands behind a function from
classes to strings that is a constant of traces, and nothing is read before it has filled it.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from itertools import count
from types import SimpleNamespace
from typing import Any, NamedTuple

import array_api_compat

from agnostic_mask import _state
from agnostic_mask._array import Array
from agnostic_mask._backend import Backend
from agnostic_mask._errors import UnsupportedArrayError
from agnostic_mask._probe import Probe
from agnostic_mask._traced import constant_in_traces

GROUP = "agnostic_mask.backends"


class Kind(NamedTuple):
    """What is known about one class of arrays; `refusal` says why it cannot take part."""

    xp: Any
    backend: Backend
    refusal: str | None


_seen_modules: set[str] = set()
_names: dict[type, str] = {}
_numbers = count()
_kinds = SimpleNamespace()
"""Kinds by the names of `_names`: a trace holds for one size of a table, and for any attributes."""

_backends: dict[str, Backend] = {}


@cache
def _entry_points() -> Mapping[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        if found.setdefault(point.name, point).value != point.value:
            raise RuntimeError(
                f"two installed packages offer the backend {point.name!r}: "
                f"{found[point.name].value!r} and {point.value!r}; uninstall one of them"
            )
    return found


def backend_names() -> tuple[str, ...]:
    """Names of all backends that installed packages offer."""
    return tuple(sorted(_entry_points()))


def backend(name: str) -> Backend:
    """Load the backend called `name`, or the base for one that no package offers."""
    if name not in _backends:
        point = _entry_points().get(name)
        loaded: Backend = Backend(name) if point is None else point.load()
        _state.register_with(loaded)
        _backends[name] = loaded
    return _backends[name]


def probe(name: str) -> Probe:
    """Whether the backend called `name` can run here; whatever it raises is the reason."""
    try:
        return backend(name).probe()
    except Exception as error:  # a plug-in of somebody else's must not hide the others
        return Probe(name, usable=False, reason=f"{type(error).__name__}: {error}")


def _remember(cls: type, xp: Any, found: Backend) -> None:
    remember_kind(cls, Kind(xp, found, found.refuse_type(cls)))


def remember_kind(cls: type, kind: Kind) -> None:
    """Let arrays of a class of this package's own take part."""
    name = f"kind{next(_numbers)}"
    setattr(_kinds, name, kind)  # first, for other threads go by the name
    _names[cls] = name


def _meet(module: str) -> None:
    """Load the backend of the framework that defines a class in `module`, if one does."""
    root = module.partition(".")[0]
    if root in _entry_points():
        known = backend(root)
        for cls in known.array_types():
            _remember(cls, known.namespace(), known)
    _seen_modules.add(module)


@constant_in_traces
def _name_of(cls: type) -> str:
    """Name of the kind of a class; "" if it was not met before and no backend names it."""
    name = _names.get(cls, "")
    if not name and cls.__module__ not in _seen_modules:
        _meet(cls.__module__)
        name = _names.get(cls, "")
    return name


def _known(cls: type) -> Kind | None:
    name = _name_of(cls)
    return getattr(_kinds, name) if name else None


def _learn(x: Array) -> Kind | None:
    try:
        xp = array_api_compat.array_namespace(x)
    except TypeError:
        return None
    _remember(type(x), xp, backend(namespace_name(xp)))
    return _known(type(x))


def namespace_name(xp: Any) -> str:
    """Name under which the backend of the namespace `xp` is found."""
    name: str = xp.__name__
    return name.removeprefix("array_api_compat.").partition(".")[0]


def kind_of(x: Array) -> Kind | None:
    """Kind of the array `x`, or None if `x` is not an array of the standard.

    Cached by type: the first array of a class costs an import, later ones a look-up.
    """
    return _known(type(x)) or _learn(x)


def signature(arrays: Iterable[Any], *, shapes: bool = False) -> tuple[Any, ...] | None:
    """All that checks of metadata see of some arrays, as a key of a table; shapes on request.

    None where it cannot be told: for classes not met before, and within traces.
    """
    key: list[Any] = []
    for x in arrays:
        if x is None:
            key.append(None)
            continue
        cls = type(x)
        kind = _known(cls)
        own = None if kind is None or kind.refusal is not None else kind.backend.signature(x)
        if own is None:
            return None
        key += (cls, own, x.shape) if shapes else (cls, own)
    return tuple(key)


def required_kind(name: str, x: Array) -> Kind:
    """Kind of the array `x`, which the caller passed as argument `name`.

    Raises
    ------
    UnsupportedArrayError
        If `x` is not an array, or is of a class that cannot be computed with.
    """
    kind = kind_of(x)
    if kind is None:
        raise UnsupportedArrayError(
            f"{name} is a {type(x).__module__}.{type(x).__qualname__}, not an array of a "
            f"library that follows the array API standard; make one first, for example "
            f"numpy.asarray({name})"
        )
    if kind.refusal is not None:
        raise UnsupportedArrayError(f"{name} is {kind.refusal}")
    return kind
