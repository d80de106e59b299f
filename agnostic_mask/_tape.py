"""A tape: what is done with arrays, as a program that does it again with others like them."""

import operator
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from agnostic_mask._array import Array
from agnostic_mask._backend import Backend
from agnostic_mask._state import State


class NotRecordedError(Exception):
    """What is done depends on values, or cannot be told from arrays alone."""


class _Now(threading.local):
    tape: "Tape | None" = None


now = _Now()
"""The tape on which this thread records."""


def running() -> "Tape":
    """The tape on which this thread records, of which recorded arrays are."""
    if now.tape is None:
        raise NotRecordedError("an array outlived its tape")
    return now.tape


class Recorded:
    """An array on a tape: its value, and the name that it has there."""

    __array_ufunc__ = None
    backend: Backend

    def __init__(self, value: Array, name: str) -> None:
        self.value, self.name = value, name

    shape = property(lambda self: self.value.shape)
    dtype = property(lambda self: self.value.dtype)
    device = property(lambda self: self.value.device)
    ndim = property(lambda self: len(self.value.shape))

    def _refused(self, *_: Any) -> Any:
        raise NotRecordedError("a value was looked at")

    __bool__ = __float__ = __int__ = __index__ = __complex__ = __len__ = __iter__ = _refused


_INFIX = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "**",
    "and_": "&",
    "or_": "|",
    "xor": "^",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "lshift": "<<",
    "rshift": ">>",
    "matmul": "@",
}
_SIGNS = {getattr(operator, name): sign for name, sign in _INFIX.items()}


def _method(fn: Callable[..., Any], reverse: bool = False) -> Callable[..., Any]:
    def called(self: Recorded, *others: Any) -> Any:
        args = (*others, self) if reverse else (self, *others)
        return running().done(fn, args, {}, f"operator.{fn.__name__}")

    return called


for _name in (*_INFIX, "getitem", "neg", "invert", "abs"):
    _fn = getattr(operator, _name)
    setattr(Recorded, f"__{_name.rstrip('_')}__", _method(_fn))
    if _name in _INFIX:
        setattr(Recorded, f"__r{_name.rstrip('_')}__", _method(_fn, reverse=True))


def values_of(x: Any) -> Any:
    """What recorded arrays stand for, also within tuples, lists, mappings and states."""
    if isinstance(x, Recorded):
        return x.value
    if isinstance(x, State):
        fixed = {name: getattr(x, name) for name in x.configuration}
        return type(x)(**fixed, **{name: values_of(a) for name, a in x.arrays().items()})
    if isinstance(x, dict):
        return {name: values_of(a) for name, a in x.items()}
    if isinstance(x, tuple | list):
        parts = map(values_of, x)
        return type(x)(parts) if type(x) in (tuple, list) else type(x)(*parts)
    return x


def _among(x: Any) -> list[Recorded]:
    if isinstance(x, Recorded):
        return [x]
    if isinstance(x, tuple | list):
        return [found for part in x for found in _among(part)]
    return []


class _Step(NamedTuple):
    """Lines of a program: the names that they give values to, and those that they need."""

    gives: tuple[str, ...]
    needs: frozenset[str]
    lines: tuple[str, ...]


class Tape:
    """What is done with recorded arrays, in order; `cls` is the class of these."""

    def __init__(self, cls: type[Recorded]) -> None:
        self._class = cls
        self._steps: list[_Step] = []
        self._constants: dict[str, Any] = {}
        self._number = 0

    def new(self, value: Array) -> Recorded:
        """A recorded array of this value."""
        self._number += 1
        return self._class(value, f"x{self._number}")

    def _constant(self, x: Any) -> str:
        name = f"c{len(self._constants)}"
        self._constants[name] = x
        return name

    def _written(self, x: Any) -> str:
        """An argument in the program."""
        if isinstance(x, Recorded):
            return x.name
        if isinstance(x, tuple | list) and _among(x):
            parts = "".join(f"{self._written(part)}, " for part in x)
            return f"[{parts}]" if isinstance(x, list) else f"({parts})"
        return self._constant(x)

    def done(
        self,
        fn: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        name: str,
    ) -> Any:
        """Do an operation, and note it if it is one of recorded arrays.

        Parameters
        ----------
        fn : callable
        args, kwargs
            Its arguments, recorded arrays among them.
        name : str
            Of `fn`, by which the backend may know a shorter way for these arrays.
        """
        arrays = _among((*args, *kwargs.values()))
        plain = [values_of(x) for x in args], {k: values_of(x) for k, x in kwargs.items()}
        result = fn(*plain[0], **plain[1])
        needs = {x.name for x in arrays if x.name not in self._constants}
        if not hasattr(result, "dtype") or not hasattr(result, "shape"):
            if needs:
                raise NotRecordedError("a result that is no array")
            return result
        if type(result) in self._class.backend.array_types():  # NumPy has one False for all
            for x in arrays:
                if x.value is result:
                    return x
        if not needs:  # the same for all arrays like these
            return self._class(result, self._constant(result))
        shorter = None
        if args and isinstance(args[0], Recorded):
            shorter = self._class.backend.settled(name, *plain[0], **plain[1])
        if shorter is not None:
            # What is left to decide, these arguments have decided.
            text = f"{self._constant(shorter)}({', '.join(self._written(x) for x in arrays)})"
        else:
            written = [self._written(x) for x in args]
            sign = _SIGNS.get(fn)
            if sign is not None:
                text = f"{written[0]} {sign} {written[1]}"
            else:
                written += [f"{k}={self._written(x)}" for k, x in kwargs.items()]
                text = f"{self._constant(fn)}({', '.join(written)})"
        found = self.new(result)
        self._steps.append(_Step((found.name,), frozenset(needs), (f"{found.name} = {text}",)))
        return found

    def trusted(self, backend: Backend, scored: Callable[[], tuple[Any, ...]]) -> Any:
        """What a backend trusts only if nothing was raised; else the program ends in None."""
        outer, self._steps = self._steps, []
        found: list[tuple[Any, ...]] = []

        def values() -> tuple[Any, ...]:
            found.append(scored())
            return tuple(map(values_of, found[0]))

        try:
            if backend.trusted(values) is None:
                return None  # and harmless values are recorded, which do for any other values too
        finally:
            inner, self._steps = self._steps, outer
        names = tuple(x.name for x in _among(found[0]))
        if len(names) != len(found[0]) or any(name in self._constants for name in names):
            raise NotRecordedError("scores that do not come from the arrays")
        steps = _freed(_needed(inner, names), names)
        given = {name for step in steps for name in step.gives}
        needs = frozenset(name for s in steps for name in s.needs) - given
        together = "".join(f"{name}, " for name in names)
        lines = ["def scored():", *(f"    {x}" for s in steps for x in s.lines)]
        lines += [f"    return ({together})", f"found = {self._constant(backend.trusted)}(scored)"]
        lines += ["if found is None:", "    return None", f"({together}) = found"]
        self._steps.append(_Step(names, needs, tuple(lines)))
        return found[0]

    def program(self, given: Sequence[Recorded | None], result: Any) -> Callable[..., Any]:
        """The operations that a result needs, as a function of the arrays.

        It returns None where it cannot be trusted.
        """
        wanted: list[str] = []
        returned = self._result(result, wanted)
        steps = _freed(_needed(self._steps, wanted), wanted)
        lines = [line for step in steps for line in step.lines]
        names = [f"_{i}" if x is None else x.name for i, x in enumerate(given)]
        source = "\n    ".join([f"def replayed({', '.join(names)}):", *lines, f"return {returned}"])
        exec(compile(source, "<recorded by agnostic_mask>", "exec"), self._constants)
        made: Callable[..., Any] = self._constants.pop("replayed")
        return made

    def _result(self, x: Any, wanted: list[str]) -> str:
        if isinstance(x, Recorded) and x.name in self._constants:
            # Every call has a result of its own.
            return f"{self._constant(self._class.backend.copy)}({x.name})"
        if isinstance(x, Recorded):
            wanted.append(x.name)
            return x.name
        if isinstance(x, State):
            return self._state(x, wanted)
        if isinstance(x, dict):
            parts = [f"{name!r}: {self._result(a, wanted)}" for name, a in x.items()]
            return f"{{{', '.join(parts)}}}"
        if isinstance(x, tuple | list):
            parts = [self._result(part, wanted) for part in x]
            if isinstance(x, list):
                return f"[{', '.join(parts)}]"
            if type(x) is tuple:
                return f"({''.join(f'{part}, ' for part in parts)})"
            return f"{self._constant(type(x))}({', '.join(parts)})"
        if x is None or isinstance(x, str):
            return repr(x)
        raise NotRecordedError(f"a {type(x).__name__} in the result")

    def _state(self, x: State, wanted: list[str]) -> str:
        names = (*x.configuration, *x.array_fields)
        parts = [f"{name!r}: {self._result(getattr(x, name), wanted)}" for name in names]
        return f"{self._constant(partial(_state_of, type(x)))}({{{', '.join(parts)}}})"


def _state_of(cls: type[State], fields: dict[str, Any]) -> State:
    """A state of all its fields, without the checks of a frozen class."""
    x = object.__new__(cls)
    x.__dict__.update(fields)
    return x


def _freed(steps: Sequence[_Step], wanted: Sequence[str]) -> list[_Step]:
    """The same, but each array that they make is let go after the last step that needs it.

    So the next takes its memory, which is in the cache.
    """
    made = {name for step in steps for name in step.gives}
    later, found = set(wanted), []
    for step in reversed(steps):
        last = sorted(name for name in step.needs if name in made and name not in later)
        later |= step.needs
        found.append(step._replace(lines=(*step.lines, f"del {', '.join(last)}")) if last else step)
    return found[::-1]


def _needed(steps: Sequence[_Step], wanted: Sequence[str]) -> list[_Step]:
    """Those steps without which something wanted would be missing, in their order."""
    missing, kept = set(wanted), []
    for step in reversed(steps):
        if missing & set(step.gives):
            kept.append(step)
            missing |= step.needs
    return kept[::-1]
