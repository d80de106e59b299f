"""Short arrays: what a call does with them is recorded once, and replayed for others like them.

Nothing in this package decides by the values of elements, so that a call on arrays of the same
framework, dtypes and shapes does the same operations. For short arrays, and for tiles of long ones,
to find out which ones costs as much as to do them: after a few calls they are recorded, those that
the result does not need are dropped, and later calls do the others, one after another. They are
those of the ordinary way, and so is every bit of the result.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from agnostic_mask import _registry
from agnostic_mask._array import Array
from agnostic_mask._recorder import class_for
from agnostic_mask._tape import Tape, now, values_of

_T = TypeVar("_T")

_LONGEST = 2**18
"""Elements of an array up to which what Python does shows beside what is computed."""

_OFTEN = 3
"""Calls on arrays like these before one is recorded, which takes as long as twenty."""

_MANY = 128
"""Kinds of calls of one metric, after which those that came before are forgotten."""


class Replays:
    """What was recorded of the calls of one metric; no part of its value.

    Parameters
    ----------
    allowed : bool
        Whether what is done never depends on the values of elements.
    """

    def __init__(self, allowed: bool) -> None:
        self._allowed = allowed
        self._found: dict[Any, Any] = {}
        self._often = _OFTEN

    def __reduce__(self) -> tuple[type["Replays"], tuple[bool]]:
        return Replays, (self._allowed,)

    def call(
        self,
        what: Any,
        arrays: Sequence[Array | None],
        ordinary: Callable[[Sequence[Array | None]], _T],
        *,
        long: bool = False,
    ) -> _T:
        """``ordinary(arrays)``, perhaps by what was recorded of it.

        Parameters
        ----------
        what : hashable
            All that decides on what is done, besides the metadata of the arrays.
        arrays : sequence of arrays or None
            None for those that were not given; the first always is.
        ordinary : callable
        long : bool
            Whether it is worth while for long arrays too.
        """
        if not self._allowed:
            return ordinary(arrays)
        kind = _registry.kind_of(arrays[0])
        like = None if kind is None else kind.backend.likeness(arrays)
        if kind is None or like is None:
            return ordinary(arrays)
        key = (kind.backend.name, what, like)
        found = self._found.get(key, 0)
        result: _T | None = None
        if callable(found):
            result = found(*arrays)
        elif found is not None and found >= self._often:
            self._found[key], result = _recorded(kind, arrays, ordinary)
        elif found is not None:
            if len(self._found) >= _MANY:
                self._found.clear()
                self._often *= 2  # for so many kinds one may not come again often enough
            short = all(x is None or math.prod(x.shape) <= _LONGEST for x in arrays)
            self._found[key] = found + 1 if short or long else None
        return ordinary(arrays) if result is None else result


def _recorded(
    kind: _registry.Kind,
    arrays: Sequence[Array | None],
    ordinary: Callable[[Sequence[Array | None]], Any],
) -> tuple[Callable[..., Any] | None, Any]:
    """What a call does as a function of its arrays, and its result; None if it is not recorded."""
    tape = Tape(class_for(kind))
    given = [None if x is None else tape.new(x) for x in arrays]
    now.tape = tape
    try:
        result = ordinary(given)
        return tape.program(given, result), values_of(result)
    except Exception:  # the ordinary way will raise it again, unless it is of the tape's alone
        return None, None
    finally:
        now.tape = None
