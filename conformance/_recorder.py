"""What a function asks of an array namespace, whatever the library.

A recorded array is computed by NumPy and has a namespace of its own, so that a function takes its
way for any library of the standard: by `array_api_compat.array_namespace`, by the copies of it that
SciPy and scikit-learn have, by array_api_extra. What NumPy calls in turn is not seen.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from types import ModuleType
from typing import Any

import numpy as np

import agnostic_mask as am

NAME = "recorded_namespace"
"""Name of the namespace, under which it can be imported for as long as it records."""

ARRAY = "array."
"""What names of methods and attributes of arrays begin with."""


@dataclass(frozen=True)
class Call:
    """A function, or a method of an array, that was called, or an attribute that was read.

    Attributes
    ----------
    name : str
        In the namespace, ``"sum"`` or ``"linalg.qr"``; of an array, ``"array.reshape"``.
    positional : int or None
        Number of arguments by position, without the array whose method it is; None for an
        attribute, which was not called.
    keywords : tuple of str
        Names of the others.
    host : bool
        Whether a NumPy array was among the arguments.
    """

    name: str
    positional: int | None = None
    keywords: tuple[str, ...] = ()
    host: bool = False

    def __str__(self) -> str:
        if self.positional is None:
            return self.name
        arguments = ["..."] * self.positional + [f"{name}=..." for name in self.keywords]
        return f"{self.name}({', '.join(arguments)})"


def namespace_calls(fn: Callable[..., Any], *arrays: Any) -> list[Call]:
    """Every distinct call that a function makes of the namespace of its arrays, in order.

    Parameters
    ----------
    fn : callable
        Called once, by position.
    *arrays : numpy.ndarray or object
        Its arguments; NumPy arrays are passed as recorded arrays. One recording runs at a time.

    Returns
    -------
    list of Call

    Raises
    ------
    Exception
        Whatever `fn` raises: a TypeError where it makes a NumPy array of a recorded one, or
        computes with one of each, as arrays of a device do not allow.
    """
    with _recording() as calls:
        fn(*(RecordedArray(x.copy()) if isinstance(x, np.ndarray) else x for x in arrays))
    return list(dict.fromkeys(calls))


_one_at_a_time = Lock()
_calls: list[Call] | None = None


@contextmanager
def _recording() -> Iterator[list[Call]]:
    global _calls
    with _one_at_a_time:
        before, _calls = sys.modules.get(NAME), []
        sys.modules[NAME] = NAMESPACE
        try:
            yield _calls
        finally:
            _calls = None
            if before is None:
                del sys.modules[NAME]
            else:
                sys.modules[NAME] = before


def _note(call: Call) -> None:
    if _calls is not None:
        _calls.append(call)


def _called(name: str, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Note a call, and have NumPy make it."""
    host = any(isinstance(x, np.ndarray) for x in (*args, *kwargs.values()))
    _note(Call(name, len(args), tuple(kwargs), host))
    return _wrapped(fn(*_bare(args), **_bare(kwargs)))


def _bare(x: Any) -> Any:
    match x:
        case RecordedArray():
            return x.recorded
        case list():
            return [_bare(item) for item in x]
        case tuple():
            return tuple(map(_bare, x))
        case dict():
            return {name: _bare(item) for name, item in x.items()}
    return x


def _wrapped(x: Any) -> Any:
    match x:
        case np.ndarray() | np.generic():
            return RecordedArray(np.asarray(x))
        case list():
            return [_wrapped(item) for item in x]
        case tuple() if hasattr(x, "_fields"):
            return type(x)(*map(_wrapped, x))
        case tuple():
            return tuple(map(_wrapped, x))
    return x


class RecordedNamespace(ModuleType):
    """A namespace, or a part of one, whose functions are NumPy's and note that they are called."""

    def __init__(self, name: str, prefix: str, numpy: Any) -> None:
        super().__init__(name)
        self._prefix, self._numpy = prefix, numpy

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__array_namespace_info__":
            raise AttributeError(name)
        found = getattr(self._numpy, name)
        path = f"{self._prefix}{name}"
        if isinstance(found, ModuleType):
            return RecordedNamespace(f"{self.__name__}.{name}", f"{path}.", found)
        if isinstance(found, type) or not callable(found):
            _note(Call(path))
            return found

        def function(*args: Any, **kwargs: Any) -> Any:
            return _called(path, found, args, kwargs)

        function.__name__ = name
        return function


NAMESPACE = RecordedNamespace(NAME, "", am.dispatch(np.zeros(())).xp)


class RecordedArray:
    """An array, computed by NumPy, whose methods and attributes note that they are asked for.

    Parameters
    ----------
    recorded : numpy.ndarray
    """

    __array_ufunc__ = None  # so that NumPy leaves an operator to this class, which refuses

    def __init__(self, recorded: np.ndarray) -> None:
        self.recorded = recorded

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return NAMESPACE

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise TypeError(
            "a NumPy array was asked for, as numpy.asarray does, of an array that stands for one "
            "on a device: the computation left the framework"
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self.recorded, name)
        if not callable(found):
            _note(Call(f"{ARRAY}{name}"))
            return _wrapped(found)

        def method(*args: Any, **kwargs: Any) -> Any:
            return _called(f"{ARRAY}{name}", found, args, kwargs)

        return method

    def __repr__(self) -> str:
        return f"RecordedArray({self.recorded!r})"


_OF_ELEMENTS = ("__getitem__", "__setitem__")


def _operator(name: str) -> Callable[..., Any]:
    def operator(self: RecordedArray, *args: Any) -> Any:
        if name not in _OF_ELEMENTS and any(isinstance(x, np.ndarray) for x in args):
            raise TypeError(f"{name} of a NumPy array and an array that stands for one on a device")
        return _called(f"{ARRAY}{name}", getattr(self.recorded, name), args, {})

    return operator


_ARITHMETIC = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
_BITWISE = ("and", "or", "xor", "lshift", "rshift")
_BINARY = [f"__{way}{name}__" for name in (*_ARITHMETIC, *_BITWISE) for way in ("", "r", "i")]
_COMPARISONS = [f"__{name}__" for name in ("lt", "le", "eq", "ne", "gt", "ge")]
_OF_ONE = ("neg", "pos", "abs", "invert", "bool", "int", "float", "complex", "index", "len")
for _name in (*_BINARY, *_COMPARISONS, *(f"__{n}__" for n in _OF_ONE), *_OF_ELEMENTS):
    setattr(RecordedArray, _name, _operator(_name))
RecordedArray.__hash__ = None  # type: ignore[assignment]
