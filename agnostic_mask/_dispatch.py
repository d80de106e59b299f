"""Find the framework in the arrays of a call, and refuse what cannot be computed with."""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from agnostic_mask._backend import Backend
from agnostic_mask._cover import known_shape
from agnostic_mask._dtypes import checked_kind
from agnostic_mask._errors import (
    MixedDevicesError,
    MixedFrameworksError,
    UnsupportedArrayError,
)
from agnostic_mask._probe import Probe
from agnostic_mask._registry import (
    backend_names,
    namespace_name,
    probe,
    required_kind,
    signature,
)

_F = TypeVar("_F", bound=Callable[..., Any])


class Dispatch(NamedTuple):
    """What the arrays of a call have in common.

    Attributes
    ----------
    xp : module
        Their array namespace.
    device : object
        Their device; None where the framework places arrays by itself (JAX).
    backend : Backend
        What is known about their framework.
    """

    xp: Any
    device: Any
    backend: Backend


def resolve(arrays: Iterable[tuple[str, Any]]) -> Dispatch:
    """Namespace, device and backend of named arrays; those that are None are passed over.

    Parameters
    ----------
    arrays : iterable of (str, array or None)
        The arguments' names, for messages, and the arguments.

    Returns
    -------
    Dispatch

    Raises
    ------
    UnsupportedArrayError
        If there is no array, or one that cannot be computed with.
    MixedFrameworksError, MixedDevicesError
        If two arrays do not belong together.
    """
    named = tuple(arrays)
    key = signature([x for _, x in named])
    if key is None:  # within a trace, to which the table would be one of its conditions
        return _checked(named)
    found = _checked_before.get(key)
    if found is None:
        found = _checked_before[key] = _checked(named)
    return found


_checked_before: dict[tuple[Any, ...], Dispatch] = {}


def resolved_before(arrays: Iterable[Any]) -> Dispatch | None:
    """What `resolve` found for arrays of these classes and metadata; None if it is to be asked."""
    key = signature(arrays)
    return None if key is None else _checked_before.get(key)


def _checked(named: Iterable[tuple[str, Any]]) -> Dispatch:
    first_name, xp, device, found = "", None, None, None
    for name, x in named:
        if x is None:
            continue
        kind = required_kind(name, x)
        if found is None:
            first_name, xp, found = name, kind.xp, kind.backend
            device = found.device(x)
        elif kind.xp is not xp:
            # A conversion ends gradients, so it is not y_pred that is moved.
            moved, like = (first_name, name) if name == "y_pred" else (name, first_name)
            raise MixedFrameworksError(
                f"{name} is a {namespace_name(kind.xp)} array and {first_name} a "
                f"{namespace_name(xp)} array; bring them to one framework first: "
                f"agnostic_mask.convert({moved}, like={like})"
            )
        elif (other := found.device(x)) != device:
            raise MixedDevicesError(
                f"{name} is on device {other} and {first_name} on {device}; bring them to "
                f"one device first: agnostic_mask.convert({name}, like={first_name})"
            )
        refusal = found.refuse(x)
        if refusal is not None:
            raise UnsupportedArrayError(f"{name} is {refusal}")
        checked_kind(xp, name, x)
    if found is None:
        raise UnsupportedArrayError(
            "there is no array among the arguments; expected at least one, of a library "
            "that follows the array API standard"
        )
    return Dispatch(xp, device, found)


def resolve_known(named: Sequence[tuple[str, Any]], required: int) -> Dispatch:
    """What named arrays have in common, of which the first few must be given.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError
        As of `resolve`, and if one that is required is None.
    ShapeMismatchError
        If a dimension is unknown.
    """
    for name, x in named[:required]:
        if x is None:
            raise UnsupportedArrayError(f"{name} is None; expected an array")
    found = resolved_before([x for _, x in named])
    if found is not None:  # a framework whose arrays have a signature knows their shapes
        return found
    found = resolve(named)
    for name, x in named:
        if x is not None:
            known_shape(name, x)
    return found


_NOT_ARRAYS = (bool, int, float, complex, str, bytes, type(None))


def _is_option(value: object) -> bool:
    """Whether an argument is no array and does not look like one either."""
    return not (hasattr(value, "dtype") and hasattr(value, "shape"))


def _arrays_among(
    positional: Iterable[tuple[str, Any]], keywords: Mapping[str, Any]
) -> Iterable[tuple[str, Any]]:
    for name, value in positional:
        if not isinstance(value, _NOT_ARRAYS) and not callable(value):
            yield name, value
    for name, value in keywords.items():
        if isinstance(value, list) or not _is_option(value):
            yield name, value


def dispatch(*args: Any, **kwargs: Any) -> Dispatch:
    """Find namespace, device and backend of the arrays among the arguments.

    Parameters
    ----------
    *args
        Arrays; None, Python scalars, strings and callables are passed over.
    **kwargs
        Arrays and options. Whatever has no dtype and shape is an option, but for lists.

    Returns
    -------
    Dispatch
        A named tuple ``(xp, device, backend)``.

    Raises
    ------
    UnsupportedArrayError
        If there is no array among the arguments, or one that cannot be computed with: a
        list, `numpy.ma`, `numpy.matrix`, a dtype that is not a real number's.
    MixedFrameworksError
        If two arrays belong to different frameworks.
    MixedDevicesError
        If two arrays lie on different devices.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> xp, device, backend = am.dispatch(np.ones(3), None)
    >>> backend.name, device
    ('numpy', 'cpu')
    """
    return resolve(_arrays_among(((f"argument {i}", x) for i, x in enumerate(args)), kwargs))


def agnostic(fn: _F) -> _F:
    """Hand a function the namespace of the arrays that it is called with.

    Parameters
    ----------
    fn : callable
        A function with one or more of the keyword-only parameters `xp`, `device` and
        `backend`, which are filled in at each call as by `dispatch`. Its callers do not pass
        them.

    Returns
    -------
    callable
        `fn` without those parameters.

    Raises
    ------
    TypeError
        If `fn` has none of these parameters.

    Notes
    -----
    Errors name the parameters of `fn` as its signature does; see `dispatch` for them.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> @am.agnostic
    ... def geometric_mean(x, /, *, xp):
    ...     return xp.exp(xp.mean(xp.log(x)))
    >>> float(geometric_mean(np.asarray([2.0, 8.0])))
    4.0
    """
    signature = inspect.signature(fn)
    wanted = [
        name
        for name in Dispatch._fields
        if name in signature.parameters
        and signature.parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
    ]
    if not wanted:
        raise TypeError(
            f"{getattr(fn, '__name__', fn)} has none of the keyword-only parameters xp, device "
            f"and backend that agnostic fills in; write for example: def f(x, /, *, xp)"
        )
    kept = [p for name, p in signature.parameters.items() if name not in wanted]
    names = [p.name for p in kept if p.kind is not inspect.Parameter.KEYWORD_ONLY]

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        labels = (names[min(i, len(names) - 1)] if names else "x" for i in range(len(args)))
        found = resolve(_arrays_among(zip(labels, args, strict=True), kwargs))
        extra = {name: getattr(found, name) for name in wanted}
        return fn(*args, **kwargs, **extra)

    wrapper.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
    return wrapper  # type: ignore[return-value]


def available_backends() -> Mapping[str, Probe]:
    """Say of every installed backend whether it can run here.

    Returns
    -------
    mapping of str to Probe
        By name: whether it is usable, its version, its devices, and the reason if it is not
        usable. Reading an entry imports its framework.

    Examples
    --------
    >>> import agnostic_mask as am
    >>> am.available_backends()["numpy"].usable
    True
    """
    return _Probes()


class _Probes(Mapping[str, Probe]):
    """Probes by name, each made when it is read."""

    def __init__(self) -> None:
        self._names = backend_names()
        self._made: dict[str, Probe] = {}

    def __getitem__(self, name: str) -> Probe:
        if name not in self:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = probe(name)
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return repr(dict(self))
