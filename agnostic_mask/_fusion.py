"""Compile what is gathered of a batch, on request, and say why where that cannot be done.

Compiled code may move a score by a rounding; what is gathered of scores is the same.
"""

import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from agnostic_mask._array import Array
from agnostic_mask._registry import kind_of
from agnostic_mask._statistic import Arguments

_T = TypeVar("_T")

Scores = Callable[..., Any]
"""A score function."""

Gather = Callable[[Arguments, Scores], _T]
"""What is made of a batch by a score function."""


class FusionWarning(UserWarning):
    """What was to be fused is computed in the ordinary way, for the reason that it gives."""


class Fusion:
    """What is made of batches, compiled at the first batch of a framework and form.

    It is safe to call from several threads; one of them compiles. A copy, or a pickle, starts with
    nothing compiled.

    Parameters
    ----------
    name : str
        Of what is fused, for messages.
    scores : callable
        The score function.
    """

    def __init__(self, name: str, scores: Scores) -> None:
        self._name, self._scores = name, scores
        self._lock = threading.RLock()
        # None stands for a form that is computed in the ordinary way.
        self._compiled: dict[tuple[Any, ...], Callable[..., Any] | None] = {}
        self._warned: set[str] = set()

    def __reduce__(self) -> tuple[type["Fusion"], tuple[str, Scores]]:
        return Fusion, (self._name, self._scores)

    def call(self, fn: Gather[_T], batch: Arguments) -> _T:
        """``fn(batch, scores)``; an instance is called with the same `fn` every time."""
        kind = kind_of(batch.arrays[-1])
        if kind is None or kind.refusal is not None or kind.backend.tracing():
            return fn(batch, self._scores)
        arrays = (*batch.arrays, batch.weights, batch.mask, batch.by, batch.repeats, batch.ids)
        key = (kind.backend.name, batch.num_groups, *[_rank(x) for x in arrays])
        if key not in self._compiled:
            with self._lock:
                if key not in self._compiled:
                    compiled = kind.backend.fused(_maker(fn, batch.num_groups), self._scores)
                    if compiled is None:
                        reason = "there is nothing to compile them with"
                        return self._plain(fn, batch, key, reason)
                    found = self._tried(compiled, fn, batch, key, arrays)
                    self._compiled.setdefault(key, compiled)
                    return found
        compiled = self._compiled[key]
        if compiled is None:
            return fn(batch, self._scores)
        return self._tried(compiled, fn, batch, key, arrays)

    def _tried(
        self,
        compiled: Callable[..., Any],
        fn: Gather[_T],
        batch: Arguments,
        key: tuple[Any, ...],
        arrays: tuple[Array | None, ...],
    ) -> _T:
        try:
            found: _T = compiled(*arrays)
        except Exception as error:  # whatever a compiler raises is the reason
            return self._plain(fn, batch, key, _said(error))
        return found

    def _plain(self, fn: Gather[_T], batch: Arguments, key: tuple[Any, ...], reason: str) -> _T:
        found = fn(batch, self._scores)  # which raises, by itself, what is wrong with the batch
        framework = key[0]
        with self._lock:
            new = framework not in self._warned
            if new:
                warnings.warn(
                    f"{self._name} is not fused for {framework} arrays, but computed in the "
                    f"ordinary way, with the same results: {reason}",
                    FusionWarning,
                    stacklevel=_outside(),
                )
            self._warned.add(framework)
            self._compiled[key] = None
        return found


def _maker(fn: Gather[Any], num_groups: int | None) -> Callable[[Scores], Callable[..., Any]]:
    def made_with(scores: Scores) -> Callable[..., Any]:
        def of_arrays(
            y_true: Array,
            y_pred: Array,
            weights: Array | None,
            mask: Array | None,
            by: Array | None,
            repeats: Array | None,
            ids: Array | None,
        ) -> Any:
            batch = Arguments((y_true, y_pred), weights, mask, by, num_groups, repeats, ids)
            return fn(batch, scores)

        return of_arrays

    return made_with


def _rank(x: Any) -> int | None:
    """Rank of an array; what is none is found out in the ordinary way."""
    return None if x is None else len(getattr(x, "shape", ()))


def _said(error: Exception) -> str:
    """Class and first line of an exception; two lines where the first introduces the second."""
    lines = str(error).strip().splitlines() or [""]
    text = " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
    return f"{type(error).__name__}: {text}"


def _outside() -> int:
    """How far up the stack the caller of this package is, for its caller's warning."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and _is_ours(frame.f_globals):
        frame, level = frame.f_back, level + 1
    return level


def _is_ours(names: dict[str, Any]) -> bool:
    return str(names.get("__name__")).partition(".")[0] == "agnostic_mask"
