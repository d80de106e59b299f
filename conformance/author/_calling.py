"""Calls of functions of anybody's, by what their parameters are."""

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .._case import Host


def described(result: Any) -> str:
    """What came in place of an array, and what to do."""
    dtype = getattr(result, "dtype", None)
    if dtype is not None and "complex" in str(dtype):
        return (
            f"an array of {dtype}; expected real numbers. Make a case of its real part and one of "
            f"its imaginary part"
        )
    return (
        f"a {type(result).__name__}; expected one array. Make a case of a function that returns "
        f"one of its arrays: lambda x: f(x)[0]"
    )


def of_inputs(fn: Callable[..., Any], named: Host) -> Any:
    """What a function gives of inputs by name; of a single one by position, if it takes it so."""
    named = dict(named)
    if len(named) == 1 and _takes_one(fn):
        return fn(*named.values())
    return fn(*first(positional_only(fn), named), **named)


def first(positional: Mapping[str, Any], named: dict[str, Any]) -> list[Any]:
    """Take the arguments that go by position alone out of those by name.

    One that is left out before another is filled in by its default.
    """
    given = [i for i, name in enumerate(positional) if name in named]
    names = list(positional)[: max(given, default=-1) + 1]
    return [named.pop(name, positional[name]) for name in names]


def _takes_one(fn: Callable[..., Any]) -> bool:
    try:
        inspect.signature(fn).bind(None)
    except TypeError:
        return False
    except ValueError:  # of some functions in C
        return True
    return True


def positional_only(fn: Callable[..., Any]) -> dict[str, Any]:
    """Names of the parameters that go by position alone, and their defaults."""
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):  # of some functions in C
        return {}
    return {p.name: p.default for p in parameters if p.kind is p.POSITIONAL_ONLY}


def root_of(fn: Callable[..., Any]) -> str:
    """Name of the package, or else the module, that a function is of."""
    return str(getattr(unwrapped(fn), "__module__", "")).partition(".")[0]


def versions(fns: Iterable[Callable[..., Any]]) -> dict[str, str]:
    """Versions that packages of functions say of themselves, by name."""
    roots = dict.fromkeys(map(root_of, fns))
    found = {root: getattr(sys.modules.get(root), "__version__", None) for root in roots}
    return {root: version for root, version in found.items() if isinstance(version, str)}


def name_of(fn: Callable[..., Any]) -> str:
    """Name of a function, of a partial one that of what it calls."""
    fn = unwrapped(fn)
    return str(getattr(fn, "__name__", type(fn).__name__))


def unwrapped(fn: Any) -> Any:
    while isinstance(fn, functools.partial):
        fn = fn.func
    return fn
