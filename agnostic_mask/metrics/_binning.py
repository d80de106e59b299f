"""Bins that come from the floating numbers themselves, and what is counted in them.

Every binade of float32, from 2**e to 2**(e + 1), is cut into `bins_per_octave` bins of equal width,
b for short, on both sides of 0. Between 1/2 and 1 it is the distance from 1 whose binades are cut,
down to float32's last bit, so that probabilities near 1 are told apart as those near 0 are. The
edges are all exactly float32 numbers, and the same for every data set: scores in other units, or in
other batches, need no other bins.

An edge belongs to the bin above it. The bin about 0 holds both zeros, -2**-126 and all between that
and 2**-126; the outermost bins hold what is beyond float32, and the infinities.
"""

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from agnostic_mask import _staged
from agnostic_mask._array import Array
from agnostic_mask._cover import Shape
from agnostic_mask._dispatch import Dispatch, resolve_known
from agnostic_mask._dtypes import (
    cast,
    float_name,
    is_float64,
    wide_float,
    widen_half,
)
from agnostic_mask._labels import index_dtype
from agnostic_mask._scoring import check_covers, covers_of, elements
from agnostic_mask._staged import Covers
from agnostic_mask._state import State, state
from agnostic_mask._statistic import Arguments, Statistic, added
from agnostic_mask._totals import Totals
from agnostic_mask.metrics._cells import Cells, in_cells, no_cells
from agnostic_mask.metrics._labelling import TWO_CLASSES, check_scores
from agnostic_mask.metrics._options import integer

BINS_PER_OCTAVE = 64

SLACK = 2.0**-32
"""A share of weights that misses a goal by less reaches it: sums of 2**20 weights that are equal,
but not exactly representable, may be off by as much."""

_LEAST, _PAST = -126, 128  # exponents of float32's binades
_LAST_BIT = -24  # of what is just below 1


class Bounded(NamedTuple):
    """A value from counts in bins, and what the exact value cannot be outside of.

    Attributes
    ----------
    value : array
        The value, had all scores of one bin been equal.
    low, high : array
        The exact value is from `low` to `high`, whatever the scores are within their bins, if no
        weight is negative; but for the rounding of all three to the result's float type.
    """

    value: Array
    low: Array
    high: Array


def checked_bins(bins_per_octave: Any) -> int:
    """The option `bins_per_octave`.

    Raises
    ------
    ValueError
        If it is no power of two from 1 to 1024.
    """
    expected = "a power of two from 1 to 1024: of others the edges are no float32 numbers"
    n = integer("bins_per_octave", bins_per_octave, expected, 1)
    if n not in {2**k for k in range(11)}:
        raise ValueError(f"bins_per_octave is {bins_per_octave!r}; expected {expected}")
    return n


def number_of_bins(b: int) -> int:
    """How many bins there are: one more than edges."""
    whole_binades = (-1 - _LEAST) + _PAST
    of_distances = -1 - _least_distance(b)
    return 2 * b * (whole_binades + of_distances + 1) + 1


def _least_distance(b: int) -> int:
    """Exponent of the least binade of distances from 1 in which there are b float32 numbers."""
    return _LAST_BIT + int(math.log2(b))


def edges(d: Dispatch, b: int, dtype: Any) -> Array:
    """Edges of the bins, rising; `Dispatch.backend.wide` must be entered by the caller.

    Made by exact operations, which takes less time than to hand over a list of them.
    """
    xp = d.xp

    def numbers(values: list[float]) -> Array:
        return xp.asarray(values, dtype=dtype, device=d.device)

    fractions = 1 + xp.arange(b, dtype=dtype, device=d.device) / b

    def binades(least: int, past: int) -> Array:
        powers = numbers([2.0**e for e in range(least, past)])
        every = xp.expand_dims(powers, axis=1) * xp.expand_dims(fractions, axis=0)
        return xp.reshape(every, (-1,))

    least = _least_distance(b)
    nearest = [numbers([m * 2.0**_LAST_BIT for m in range(1, b)])] if b > 1 else []
    distances = xp.concat([*nearest, binades(least, -1), numbers([0.5])])
    positive = xp.concat(
        [binades(_LEAST, -1), 1 - xp.flip(distances, axis=0), binades(0, _PAST)],
    )
    return xp.concat([-xp.flip(positive, axis=0), positive])


def bin_of(d: Dispatch, b: int, x: Array) -> Array:
    """Number of the bin of each element, by comparisons alone, in the dtype of indices.

    `Dispatch.backend.wide` must be entered by the caller.

    Parameters
    ----------
    d : Dispatch
    b : int
        Bins per octave.
    x : array of float, shape S
        No NaN.

    Returns
    -------
    array, shape S
    """
    xp = d.xp
    index = index_dtype(d)
    if 0 in x.shape:
        return xp.zeros(x.shape, dtype=index, device=d.device)
    dtype = xp.float64 if is_float64(xp, x) else xp.float32
    flat = xp.reshape(cast(xp, x, dtype), (-1,))
    found = d.backend.searchsorted(edges(d, b, dtype), flat)
    return xp.reshape(cast(xp, found, index), tuple(x.shape))


@state
@dataclass(frozen=True, eq=False)
class ScoreHistogram(Cells):
    """State of metrics of K bins: what is in each of them, of shape (rows, K).

    With labels row 0 is of label 0 and row 1 of label 1; else there is one row. In no bin is a NaN,
    and what has a label that is neither 0 nor 1.
    """


@dataclass(frozen=True)
class _HistogramOf(Statistic[ScoreHistogram]):
    """Histogram in bins of the floating numbers themselves."""

    state: ClassVar[type[State]] = ScoreHistogram
    rows: ClassVar[int]
    what: ClassVar[str]
    bins_per_octave: int
    made_for: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        made_for = f"histogram of {self.what}, {self.bins_per_octave} bins an octave"
        object.__setattr__(self, "made_for", made_for)

    @property
    def _shape(self) -> Shape:
        return (self.rows, number_of_bins(self.bins_per_octave))

    def zero(self, d: Dispatch, dtype: str) -> ScoreHistogram:
        with d.backend.wide():
            return ScoreHistogram(self.made_for, dtype, **no_cells(d, self._shape))

    def _of(
        self, totals: Totals, row: Array | None, x: Array, valid: Array, covers: Covers
    ) -> dict[str, Array]:
        """Arrays of a state: elements x in rows, where they are valid."""
        d, (_, k) = totals.d, self._shape
        include = covers.inclusion(d, len(x.shape)).include
        there = _staged.among(include, valid)
        cell = bin_of(d, self.bins_per_octave, d.xp.where(there, x, 0.0))
        return in_cells(totals, self._shape, cell if row is None else cell + row * k, valid, covers)

    def merge(self, left: ScoreHistogram, right: ScoreHistogram) -> ScoreHistogram:
        return added(left, right)

    def covered(self, *shapes: Shape) -> Shape | None:
        return shapes[-1] if len(set(shapes)) == 1 else None


@dataclass(frozen=True)
class ScoreHistogramOf(_HistogramOf):
    """Histogram of scores, of each of the labels 0 and 1 by itself."""

    rows: ClassVar[int] = 2
    what: ClassVar[str] = "scores by label"

    def gather(self, batch: Arguments) -> ScoreHistogram:
        d = resolve_known(batch.named(), required=2)
        xp = d.xp
        check_scores(xp, *batch.arrays)
        y_true, y_pred = (widen_half(xp, x) for x in batch.arrays)
        covers = covers_of(xp, batch.weights, batch.mask, soft=False)
        shape = tuple(y_pred.shape)
        check_covers(shape, covers, "y_pred")
        dtype = float_name(xp, d.device, y_pred, y_true)
        with d.backend.wide():
            labelled, true = TWO_CLASSES.true(d, y_true)
            valid = labelled & (y_pred == y_pred)
            arrays = self._of(Totals(d, shape, batch.split), true, y_pred, valid, covers)
        return ScoreHistogram(self.made_for, dtype, **arrays)


@dataclass(frozen=True)
class ValueHistogramOf(_HistogramOf):
    """Histogram of the elements of one array."""

    rows: ClassVar[int] = 1
    what: ClassVar[str] = "x"

    def gather(self, batch: Arguments) -> ScoreHistogram:
        d, parts, covers, dtype, joint, split = elements(batch)
        with d.backend.wide():
            x = self._binned(d, *(_staged.zeroed(d, joint.include, x) for x in parts))
            totals = Totals(d, tuple(x.shape), split)
            arrays = self._of(totals, None, x, x == x, covers)
        return ScoreHistogram(self.made_for, dtype, **arrays)

    def _binned(self, d: Dispatch, *parts: Array) -> Array:
        """What is put into bins."""
        return parts[0]


@dataclass(frozen=True)
class ErrorHistogramOf(ValueHistogramOf):
    """Histogram of absolute errors."""

    what: ClassVar[str] = "absolute errors"

    def _binned(self, d: Dispatch, *parts: Array) -> Array:
        # In float64, where the difference of what float32 holds is not moved across an edge.
        y_true, y_pred = (cast(d.xp, x, wide_float(*d)) for x in parts)
        return d.xp.abs(y_pred - y_true)
