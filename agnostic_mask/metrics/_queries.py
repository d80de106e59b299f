"""What is gathered of queries: each scored by all of its candidates, and the scores averaged."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from agnostic_mask import _staged, _tally
from agnostic_mask._array import Array
from agnostic_mask._cover import Shape
from agnostic_mask._declare import described
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._dtypes import wide_float
from agnostic_mask._errors import ShapeMismatchError
from agnostic_mask._metric import PairMetric
from agnostic_mask._scoring import Batch, elements
from agnostic_mask._staged import Covers
from agnostic_mask._state import State
from agnostic_mask._statistic import Arguments, Statistic
from agnostic_mask._tally import Tally

Measure = Callable[..., tuple[Array, Array | None]]
"""``measure(d, include, *parts)``, arrays of shape (..., K): score of each query, and its divisor.

`include` is boolean. What it excludes is 0 in `parts`, as is NaN. Without a divisor the score
is as it is. Called within `d.backend.wide`.
"""


@dataclass(frozen=True)
class QuerySums(Statistic[Tally]):
    """Sums over queries of what a measure makes of the candidates along the last axis of each."""

    state: ClassVar[type[State]] = Tally
    made_for: str
    measure: Measure = field(repr=False, compare=False)
    zero_division: float = field(repr=False, compare=False)

    def zero(self, d: Dispatch, dtype: str) -> Tally:
        return _tally.zero(self.made_for, "mean", d, dtype, ())

    def merge(self, left: Tally, right: Tally) -> Tally:
        return _tally.merge(left, right)

    def covered(self, *shapes: Shape) -> Shape | None:
        # The mask may cover candidates; of one query alone they are the first axis.
        return shapes[-1] if len(shapes[-1]) > 1 else None

    def candidates(self, batch: Arguments) -> Batch:
        """Parts of what is measured, one value for each candidate, and what covers them."""
        return elements(batch)

    def scored(self, batch: Arguments) -> Batch:
        """Scores of the queries, and what covers them."""
        found = self.candidates(batch)
        weights = _of_queries(found)
        with found.d.backend.wide():
            scores, counted = self._scored(found)
        covers = Covers(counted, None, weights)
        joint = covers.inclusion(found.d, len(scores.shape))
        return found._replace(scores=(scores,), covers=covers, joint=joint)

    def gather(self, batch: Arguments) -> Tally:
        return _tally.tally(self.made_for, "mean", self.scored(batch), ratio=False)

    def _scored(self, batch: Batch) -> tuple[Array, Array]:
        """Score of each query, and which queries count."""
        d, parts, xp = batch.d, batch.scores, batch.d.xp
        shape = tuple(parts[0].shape)
        if 0 in shape:  # which Dask cannot reduce
            wide = wide_float(xp, d.device, d.backend)
            none = xp.zeros(shape[:-1], dtype=wide, device=d.device)
            return none, none != 0
        include = batch.joint.include
        if include is None:
            include = xp.ones_like(parts[0], dtype=xp.bool)
        include = xp.broadcast_to(include, shape)
        meant = include
        for x in parts:
            meant = meant & (x == x)
        value, divisor = self.measure(d, include, *(xp.where(meant, x, 0) for x in parts))
        counted = xp.any(include, axis=-1)
        # Included, and NaN: a signal, which must come through.
        signal = xp.any(include & ~meant, axis=-1)
        if divisor is not None:
            empty = divisor == 0
            value = xp.where(empty, self.zero_division, _staged.ratio(xp, value, divisor))
            if self.zero_division != self.zero_division:
                counted = counted & (signal | ~empty)
                value = xp.where(empty, 0.0, value)
        value = xp.where(signal, xp.nan, value)
        return d.backend.as_array(value), d.backend.as_array(counted)


def query_sums(measure: Measure, zero_division: Any = 0.0) -> QuerySums:
    """What to gather for a measure.

    Parameters
    ----------
    measure : callable
        Options are given by `functools.partial`.
    zero_division : float
        Score where the divisor is 0, if there is one; NaN leaves such queries out.

    Raises
    ------
    ValueError
        If `zero_division` is no number.
    """
    if not isinstance(zero_division, int | float):
        raise ValueError(
            f"zero_division is {zero_division!r}; expected a number such as 0.0, or NaN to leave "
            f"such a query out"
        )
    otherwise = float(zero_division)
    made_for = f"mean over queries of {described(measure)}, zero_division={otherwise!r}"
    return QuerySums(made_for, measure, otherwise)


def _of_queries(batch: Batch) -> Array | None:
    """Weights of queries, without a dimension for the candidates.

    Raises
    ------
    ShapeMismatchError
        If there is a weight for each candidate, or the candidates have no axis.
    """
    weights, shape = batch.covers.weights, tuple(batch.scores[0].shape)
    if not shape:
        raise ShapeMismatchError(
            "y_pred has shape (); expected the candidates of a query, or the steps of a sequence, "
            "along the last axis"
        )
    if weights is None or len(weights.shape) < len(shape):
        return weights
    if weights.shape[-1] != 1:
        raise ShapeMismatchError(
            f"weights has shape {tuple(weights.shape)} and reaches the last axis, along which "
            f"the candidates of a query or the steps of a sequence lie; expected one weight for "
            f"each, covering leading axes of {shape[:-1]}. Leave candidates or steps out by a mask"
        )
    return batch.d.backend.as_array(weights[..., 0])


@dataclass(frozen=True)
class QueryMetric(PairMetric):
    """A mean over queries of a score that is made of all candidates of each."""

    def _value(self, d: Dispatch, state: Tally) -> Array:
        return _tally.reduced(d, state, 0.0)
