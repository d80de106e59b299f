"""Quantiles of a stream of numbers, from bins of the numbers themselves."""

from dataclasses import dataclass, field
from typing import ClassVar

from agnostic_mask._dispatch import Dispatch
from agnostic_mask._metric import PairMetric, ValueMetric
from agnostic_mask._staged import ratio
from agnostic_mask.losses._operands import share
from agnostic_mask.metrics._binning import (
    BINS_PER_OCTAVE,
    SLACK,
    Bounded,
    ErrorHistogramOf,
    ScoreHistogram,
    ValueHistogramOf,
    checked_bins,
    edges,
)


def _quantile(d: Dispatch, state: ScoreHistogram, bins_per_octave: int, q: float) -> Bounded:
    """The first bin down to which a share q of the weights lies: its middle, and its ends."""
    xp = d.xp
    weights = state.table(xp)[..., 0, :]
    sums = d.backend.cumulative_sum(weights, len(weights.shape) - 1)
    total = sums[..., -1:]
    enough = (ratio(xp, sums, total) >= q - SLACK) & (sums != 0)
    inside = edges(d, bins_per_octave, sums.dtype)
    least, most = (xp.full((1,), x, dtype=sums.dtype, device=d.device) for x in (-xp.inf, xp.inf))
    lower, upper = xp.concat([least, inside]), xp.concat([inside, most])
    # Ends rise from bin to bin, so that the first bin has the least of them.
    low, high = (xp.min(xp.where(enough, x, xp.inf), axis=-1) for x in (lower, upper))
    known = ((total != 0) & (total == total))[..., 0] & (state.invalid == 0)
    middle = low / 2 + high / 2
    return Bounded(*(xp.where(known, x, xp.nan) for x in (middle, low, high)))


@dataclass(frozen=True)
class BinnedQuantile(ValueMetric):
    """Quantile of one array from bins, ``min(x where sum(w of all <= x) >= q sum(w))``.

    Parameters
    ----------
    q : float
        From 0 to 1: 0.5 is the median, 0 the least element.
    bins_per_octave : int
        Power of two from 1 to 1024, b for short, as of `BinnedROCAUC`.

    Raises
    ------
    ValueError, TypeError
        If an option is not one of these.

    Notes
    -----
    The result is a `Bounded` of ``value``, ``low`` and ``high``: the ends of the bin that the exact
    quantile is in, and their middle, which is off by no more than ``1 / (2 b)`` of the quantile
    itself, 0.8 % for the default of 64. If no weight is negative. A share of weights that misses q
    by less than 2**-32 reaches it, since sums of weights are rounded. Numbers between -2**-126 and
    2**-126 are in the bin about 0, whose middle is 0; in the last bin of float32, and of infinity,
    value and one end are infinite.

    The quantile is the inverse of the distribution function: ``numpy.quantile`` with
    ``method="inverted_cdf"`` and weights, which keeps all elements, as `agnostic_mask.quantile`
    does. Of nothing, and where the weights sum to 0: NaN. An included NaN gives NaN. Memory is half
    of that of `BinnedROCAUC`. The derivative is 0.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> value, low, high = am.metrics.BinnedQuantile(0.5)(np.asarray([1.0, 300.0, 7e9]))
    >>> float(value), float(low), float(high)
    (302.0, 300.0, 304.0)
    """

    result: ClassVar = Bounded

    q: float
    bins_per_octave: int = field(default=BINS_PER_OCTAVE, kw_only=True)

    def _gathers(self) -> ValueHistogramOf:
        share("q", self.q)
        return ValueHistogramOf(checked_bins(self.bins_per_octave))

    def _value(self, d: Dispatch, state: ScoreHistogram) -> Bounded:
        return _quantile(d, state, self.bins_per_octave, self.q)


@dataclass(frozen=True)
class BinnedMedianAbsoluteError(PairMetric):
    """Median of the absolute errors ``|p - t|`` from bins, in the unit of y.

    Parameters
    ----------
    bins_per_octave
        As of `BinnedQuantile`.

    Raises
    ------
    ValueError, TypeError
        If it is not one of these.

    Notes
    -----
    Takes y_true t and y_pred p of equal shape. As `BinnedQuantile` of 0.5: a `Bounded` of
    ``value``, ``low`` and ``high``, of which the value is off by no more than ``1 / (2 b)`` of the
    median, the least error up to which half of the weights lie. scikit-learn's
    `median_absolute_error` is exact, and without weights the mean of the two middle errors if their
    number is even. Of nothing, and where the weights sum to 0: NaN.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1.0, 2.0, 3.0]), np.asarray([4.0, 2.5, 1000.0])
    >>> value, low, high = am.metrics.BinnedMedianAbsoluteError()(y_true, y_pred)
    >>> float(value), float(low), float(high)
    (3.015625, 3.0, 3.03125)
    """

    result: ClassVar = Bounded

    bins_per_octave: int = field(default=BINS_PER_OCTAVE, kw_only=True)

    def _gathers(self) -> ErrorHistogramOf:
        return ErrorHistogramOf(checked_bins(self.bins_per_octave))

    def _value(self, d: Dispatch, state: ScoreHistogram) -> Bounded:
        return _quantile(d, state, self.bins_per_octave, 0.5)
