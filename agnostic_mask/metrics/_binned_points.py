"""What lies above each edge of the bins: the points of curves that are exact."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._metric import PairMetric, over
from agnostic_mask._staged import ratio
from agnostic_mask.metrics._binning import (
    BINS_PER_OCTAVE,
    ScoreHistogram,
    ScoreHistogramOf,
    checked_bins,
    edges,
)


class Points(NamedTuple):
    """Bins in order of falling scores, and the thresholds between them, in float64.

    Of K bins there are K + 1 thresholds: Inf, the edges, -Inf. Each predicts a 1 where a score is
    not below it. All arrays may have leading axes.

    Attributes
    ----------
    xp : module
    p, n : array, shape (K,)
        Weight of positives and negatives in each bin.
    tp, fp : array, shape (K + 1,)
        Weight of positives and negatives that are not below each threshold.
    thresholds : array, shape (K + 1,)
    """

    xp: Any
    p: Array
    n: Array
    tp: Array
    fp: Array
    thresholds: Array

    @property
    def positives(self) -> Array:
        """Weight of all positives, with a dimension of 1."""
        return self.tp[..., -1:]

    @property
    def negatives(self) -> Array:
        """Weight of all negatives, with a dimension of 1."""
        return self.fp[..., -1:]

    def recall(self) -> Array:
        """Share of the positives that are predicted."""
        return ratio(self.xp, self.tp, self.positives)

    def specificity(self) -> Array:
        """Share of the negatives that are not predicted."""
        return ratio(self.xp, self.negatives - self.fp, self.negatives)

    def precision(self) -> Array:
        """Share of positives among what is predicted; of nothing 1."""
        predicted = self.tp + self.fp
        return self.xp.where(predicted == 0, 1.0, ratio(self.xp, self.tp, predicted))

    def precision_within(self) -> Array:
        """The most that the precision can be at a threshold within a bin, shape (K,).

        All positives of the bin would have greater scores than its negatives.
        """
        best = self.tp[..., 1:] + self.fp[..., :-1]
        return self.xp.where(best == 0, 0.0, ratio(self.xp, self.tp[..., 1:], best))


def _points(d: Dispatch, state: ScoreHistogram, bins_per_octave: int) -> Points:
    xp, weights = d.xp, state.table(d.xp)
    n, p = (xp.flip(weights[..., row, :], axis=-1) for row in (0, 1))
    nothing = xp.zeros((*p.shape[:-1], 1), dtype=p.dtype, device=d.device)
    axis = len(p.shape) - 1
    tp, fp = (xp.concat([nothing, d.backend.cumulative_sum(x, axis)], axis=-1) for x in (p, n))
    inside = xp.flip(edges(d, bins_per_octave, p.dtype), axis=0)
    ends = (xp.full((1,), x, dtype=p.dtype, device=d.device) for x in (xp.inf, -xp.inf))
    first, last = ends
    return Points(xp, p, n, tp, fp, xp.concat([first, inside, last]))


@dataclass(frozen=True)
class BinnedMetric(PairMetric):
    """A metric of labels 0 and 1 and scores, which are counted in bins."""

    bins_per_octave: int = field(default=BINS_PER_OCTAVE, kw_only=True)

    def _gathers(self) -> ScoreHistogramOf:
        return ScoreHistogramOf(checked_bins(self.bins_per_octave))

    def _value(self, d: Dispatch, state: ScoreHistogram) -> Any:
        points = _points(d, state, self.bins_per_octave)
        value = self._of_points(points, _unit(d.xp, state))
        known = state.invalid == 0
        return type(value)(*(d.xp.where(over(d.xp, known, x), x, d.xp.nan) for x in value))

    def _of_points(self, points: Points, unit: Array) -> Any:
        """The value as a named tuple; `unit` is what every element is known to weigh at least."""
        raise NotImplementedError


def _unit(xp: Any, state: ScoreHistogram) -> Array:
    """1 where no element had a weight of its own, else 0; with a dimension of 1."""
    weighted = xp.any(state.weight != 0, axis=(-2, -1), keepdims=True)
    return xp.astype(~weighted[..., 0], state.weight.dtype)
