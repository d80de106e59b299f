"""The best that one rate can be while another is kept, over all thresholds."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from agnostic_mask._array import Array
from agnostic_mask.losses._operands import share
from agnostic_mask.metrics._binned_points import BinnedMetric, Points
from agnostic_mask.metrics._binning import SLACK, ScoreHistogramOf


class OperatingPoint(NamedTuple):
    """The best rate over thresholds that are edges of bins, and over all others.

    Attributes
    ----------
    value, low : array
        The best rate that a threshold at an edge of a bin reaches, for certain: it is known of all
        edges.
    high : array
        What a threshold within a bin reaches at most, if no weight is negative: the best over all
        thresholds is from `low` to `high`.
    threshold : array
        The greatest edge that reaches `low`: predict a 1 where a score is not below it. Inf:
        predict none.
    """

    value: Array
    low: Array
    high: Array
    threshold: Array


class _Choice(NamedTuple):
    """Which thresholds keep the one rate, and what the other is at them.

    Attributes
    ----------
    kept : array of bool, shape (K + 1,)
    goal : array, shape (K + 1,)
    within : array of bool, shape (K,)
        Whether a threshold within a bin may keep it.
    best : array, shape (K,)
        What the other rate then is at most.
    """

    kept: Array
    goal: Array
    within: Array
    best: Array


@dataclass(frozen=True)
class _BinnedOperatingPoint(BinnedMetric):
    result: ClassVar = OperatingPoint

    def _of_points(self, points: Points, unit: Array) -> OperatingPoint:
        xp = points.xp
        kept, goal, within, best = self._choice(points)
        reached = xp.where(kept, goal, -xp.inf)
        low = xp.max(reached, axis=-1)
        high = xp.maximum(low, xp.max(xp.where(within, best, -xp.inf), axis=-1))
        at = kept & (goal == xp.expand_dims(low, axis=-1))
        threshold = xp.max(xp.where(at, points.thresholds, -xp.inf), axis=-1)
        known = self._known(points) & (low > -xp.inf)
        low, high, threshold = (xp.where(known, x, xp.nan) for x in (low, high, threshold))
        return OperatingPoint(low, low, high, threshold)

    def _choice(self, points: Points) -> _Choice:
        raise NotImplementedError

    def _known(self, points: Points) -> Array:
        """Whether the rates exist: both classes occur, and no weight is NaN."""
        product = points.positives * points.negatives
        return ((product != 0) & (product == product))[..., 0]


@dataclass(frozen=True)
class SensitivityAtSpecificity(_BinnedOperatingPoint):
    """Greatest sensitivity with a given specificity, ``max(TP / P where TN / N >= specificity)``.

    Parameters
    ----------
    specificity : float
        From 0 to 1.
    bins_per_octave
        As of `BinnedROCAUC`.

    Raises
    ------
    ValueError, TypeError
        If an option is not one of these.

    Notes
    -----
    Takes what `BinnedROCAUC` takes, in the same bins. The result is an `OperatingPoint` of
    ``value``, ``low``, ``high`` and ``threshold``. `low`, which is the value, is reached at the
    threshold. `high` is the sensitivity at the next edge, below which the specificity is lost: if
    the scores of that bin are in the best of orders, a threshold within it reaches that. To predict
    no 1 at all, at a threshold of Inf, keeps every specificity. A rate that misses the given one by
    less than 2**-32 reaches it, since sums of weights are rounded, and so is ``1 - 0.9``.

    Of one class only, and of nothing: NaN. Other NaN, and memory, are as of `BinnedROCAUC`. Keras's
    metric of this name takes the best of 200 thresholds of equal distance from 0 to 1, and 0 where
    none keeps the specificity; torchmetrics has `SensitivityAtSpecificity`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1, 0, 1, 0]), np.asarray([9e-6, 3e-6, 2e-6, 1e-6])
    >>> point = am.metrics.SensitivityAtSpecificity(0.75)(y_true, y_pred)
    >>> float(point.value), bool(3e-6 < point.threshold <= 9e-6)
    (0.5, True)
    """

    specificity: float

    def _gathers(self) -> ScoreHistogramOf:
        share("specificity", self.specificity)
        return super()._gathers()

    def _choice(self, points: Points) -> _Choice:
        kept, goal = points.specificity() >= self.specificity - SLACK, points.recall()
        return _Choice(kept, goal, kept[..., :-1], goal[..., 1:])


@dataclass(frozen=True)
class SpecificityAtSensitivity(_BinnedOperatingPoint):
    """Greatest specificity with a given sensitivity, ``max(TN / N where TP / P >= sensitivity)``.

    Parameters
    ----------
    sensitivity : float
        From 0 to 1.
    bins_per_octave
        As of `BinnedROCAUC`.

    Raises
    ------
    ValueError, TypeError
        If an option is not one of these.

    Notes
    -----
    As `SensitivityAtSpecificity`, of which it is the mirror: `high` is the specificity at the edge
    above the bin in which the sensitivity is reached. To predict a 1 everywhere keeps every
    sensitivity. Keras's metric of this name, and torchmetrics'.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1, 0, 1, 0]), np.asarray([9e-6, 3e-6, 2e-6, 1e-6])
    >>> float(am.metrics.SpecificityAtSensitivity(0.75)(y_true, y_pred).value)
    0.5
    """

    sensitivity: float

    def _gathers(self) -> ScoreHistogramOf:
        share("sensitivity", self.sensitivity)
        return super()._gathers()

    def _choice(self, points: Points) -> _Choice:
        kept, goal = points.recall() >= self.sensitivity - SLACK, points.specificity()
        return _Choice(kept, goal, kept[..., 1:], goal[..., :-1])


@dataclass(frozen=True)
class PrecisionAtRecall(_BinnedOperatingPoint):
    """Greatest precision with a given recall, ``max(TP / (TP + FP) where TP / P >= recall)``.

    Parameters
    ----------
    recall : float
        From 0 to 1. Of thresholds that predict no 1 at all there is no precision, so that they do
        not count for 0 either.
    bins_per_octave
        As of `BinnedROCAUC`.

    Raises
    ------
    ValueError, TypeError
        If an option is not one of these.

    Notes
    -----
    As `SensitivityAtSpecificity`; `high` is the greatest ``TP / (TP + FP)`` over bins in which the
    recall may be kept, with TP at the edge below the bin and FP at the one above. To predict a 1
    everywhere keeps every recall. Without positives, and of nothing: NaN. Keras's metric of this
    name, and torchmetrics' `PrecisionAtFixedRecall`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1, 0, 1, 0]), np.asarray([9e-6, 3e-6, 2e-6, 1e-6])
    >>> float(am.metrics.PrecisionAtRecall(0.75)(y_true, y_pred).value.round(4))
    0.6667
    """

    recall: float

    def _gathers(self) -> ScoreHistogramOf:
        share("recall", self.recall)
        return super()._gathers()

    def _choice(self, points: Points) -> _Choice:
        kept = points.recall() >= self.recall - SLACK
        predicted = points.tp + points.fp != 0
        within = kept[..., 1:] & predicted[..., 1:]
        return _Choice(kept & predicted, points.precision(), within, points.precision_within())

    def _known(self, points: Points) -> Array:
        return _some_positive(points)


@dataclass(frozen=True)
class RecallAtPrecision(_BinnedOperatingPoint):
    """Greatest recall with a given precision, ``max(TP / P where TP / (TP + FP) >= precision)``.

    Parameters
    ----------
    precision : float
        From 0 to 1.
    bins_per_octave
        As of `BinnedROCAUC`.

    Raises
    ------
    ValueError, TypeError
        If an option is not one of these.

    Notes
    -----
    As `SensitivityAtSpecificity`; `high` is the greatest recall at the edge below a bin whose
    precision may be kept, with TP there and FP at the edge above. Where no threshold keeps the
    precision, 0 at a threshold of Inf: to predict no 1 at all is never wrong. Without positives,
    and of nothing: NaN. Keras's metric of this name is 0 there too; torchmetrics' has another
    threshold.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1, 0, 1, 0]), np.asarray([9e-6, 3e-6, 2e-6, 1e-6])
    >>> float(am.metrics.RecallAtPrecision(0.75)(y_true, y_pred).value)
    0.5
    """

    precision: float

    def _gathers(self) -> ScoreHistogramOf:
        share("precision", self.precision)
        return super()._gathers()

    def _choice(self, points: Points) -> _Choice:
        recall = points.recall()
        kept = points.precision() >= self.precision - SLACK
        within = points.precision_within() >= self.precision - SLACK
        return _Choice(kept, recall, within, recall[..., 1:])

    def _known(self, points: Points) -> Array:
        return _some_positive(points)


def _some_positive(points: Points) -> Array:
    """Whether there is a positive, and no weight is NaN."""
    total = points.positives + points.negatives
    return ((points.positives != 0) & (total == total))[..., 0]
