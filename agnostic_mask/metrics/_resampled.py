"""What is gathered of a sample and of its resamples, all in one pass."""

from dataclasses import dataclass, field
from math import prod
from typing import Any

from agnostic_mask._array import Array
from agnostic_mask._cover import Shape
from agnostic_mask._dispatch import Dispatch, resolve_known
from agnostic_mask._dtypes import is_integer
from agnostic_mask._errors import ShapeMismatchError, UnsupportedArrayError
from agnostic_mask._resample import poisson_counts
from agnostic_mask._state import State
from agnostic_mask._statistic import Arguments, Statistic, repeated, with_arrays

BLOCK = 2**22
"""Elements of a temporary array that is as large as the resamples' elements together."""


@dataclass(frozen=True)
class Resampled(Statistic[Any]):
    """What another statistic gathers, of a sample and of its resamples.

    Every array of a state has a leading axis of length R = 1 + num_replicates, the sample first.
    """

    inner: Statistic[Any]
    num_replicates: int
    seed: int
    made_for: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        made_for = f"{self.inner.made_for}, {self.num_replicates} resamples of seed {self.seed}"
        # Those of the inner one, with one more axis.
        found = {"made_for": made_for, "state": self.inner.state, "copies": self.num_replicates + 1}
        for name, value in found.items():
            object.__setattr__(self, name, value)

    def zero(self, d: Dispatch, dtype: str) -> State:
        state: State = self.inner.zero(d, dtype)
        with d.backend.wide():
            arrays = repeated(d, state, 0, self.num_replicates + 1)
            return with_arrays(state, arrays, made_for=self.made_for)

    def zero_like(self, like: State) -> State:
        zero: State = self.inner.zero_like(like)
        return zero

    def gather(self, batch: Arguments) -> State:
        d = resolve_known(batch.named(), required=len(batch.arrays))
        ids = checked_ids(d, batch.ids)
        # Where batches are not cut into tiles, resamples are made a few at a time; but all at once
        # where the length of the batch is a symbol, that of a trace for any length.
        elements, at_once = prod(batch.arrays[-1].shape), self.num_replicates + 1
        if isinstance(elements, int):
            at_once = max(2, BLOCK // max(1, elements))
        parts = []
        for start in range(0, self.num_replicates + 1, at_once):
            rows = range(start, min(start + at_once, self.num_replicates + 1))
            counts = poisson_counts(d, ids, self.num_replicates, self.seed, rows)
            parts.append(self.inner.gather(batch._replace(ids=None, repeats=counts)))
        with d.backend.wide():
            arrays = parts[0].arrays()
            if len(parts) > 1:
                each = [part.arrays() for part in parts]
                arrays = {name: d.xp.concat([x[name] for x in each]) for name in arrays}
            state: State = with_arrays(parts[0], arrays, made_for=self.made_for)
            return state

    def merge(self, left: State, right: State) -> State:
        both: State = self.inner.merge(left, right)
        return with_arrays(both, {}, made_for=self.made_for)

    def check_gathers(self) -> None:
        self.inner.check_gathers()

    @property
    def replays(self) -> bool:
        return self.inner.replays

    def covered(self, *shapes: Shape) -> Shape | None:
        return self.inner.covered(*shapes)


def checked_ids(d: Dispatch, ids: Array | None) -> Array:
    """The ids of a batch.

    Raises
    ------
    ValueError
        If there are none.
    UnsupportedArrayError
        If they are no integers.
    ShapeMismatchError
        If they have not one axis.
    """
    if ids is None:
        raise ValueError(
            "ids is None; expected an integer for each row of the leading axis, by which a row is "
            "known in whatever batch it comes: numpy.arange(n), plus the number of rows before it "
            "in the batches so far"
        )
    if not is_integer(d.xp, ids):
        raise UnsupportedArrayError(
            f"ids has dtype {ids.dtype}; expected integers. Number other names first: "
            f"numpy.unique(names, return_inverse=True)[1] of all of them"
        )
    if len(ids.shape) != 1:
        raise ShapeMismatchError(
            f"ids has shape {tuple(ids.shape)}; expected one axis, with one id for each row of the "
            f"leading axis of what is scored"
        )
    return ids
