"""Areas under the ROC and the precision-recall curve, and these curves, from bins of scores."""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from agnostic_mask._array import Array
from agnostic_mask._staged import ratio
from agnostic_mask.losses._operands import option
from agnostic_mask.metrics._binned_points import BinnedMetric, Points
from agnostic_mask.metrics._binning import Bounded, ScoreHistogramOf


class ROCCurve(NamedTuple):
    """Points of a ROC curve, in order of falling thresholds.

    Attributes
    ----------
    fpr, tpr : array, shape (P,)
        Shares of the negatives and of the positives with a score that is not below each threshold.
    thresholds : array, shape (P,)
        From Inf, which no score is said to reach, to -Inf.
    """

    fpr: Array
    tpr: Array
    thresholds: Array


class PrecisionRecallCurve(NamedTuple):
    """Points of a precision-recall curve, in order of falling thresholds.

    Attributes
    ----------
    precision, recall : array, shape (P,)
        Share of positives among what has a score that is not below each threshold (1 if nothing
        has), and share of the positives that have.
    thresholds : array, shape (P,)
        From Inf, which no score is said to reach, to -Inf.
    """

    precision: Array
    recall: Array
    thresholds: Array


@dataclass(frozen=True)
class BinnedROCAUC(BinnedMetric):
    """Area under the ROC curve from bins, ``P(s+ > s-) + P(s+ = s-) / 2``, with its bounds.

    The weighted share of pairs of a positive and a negative element in which the positive one has
    the greater score. Pairs within a bin count half in the value, not at all in `low`, and fully in
    `high`.

    Parameters
    ----------
    max_fpr : float, optional
        Above 0, at most 1. Only the part of the curve up to this false positive rate counts, which
        McClish standardised to be 1/2 by chance and 1 at best: with m for `max_fpr` and A for the
        area of that part ``(1 + (A - m**2 / 2) / (m - m**2 / 2)) / 2``.
    bins_per_octave : int
        Power of two from 1 to 1024: into how many bins numbers between two powers of 2 are told
        apart, b for short.

    Raises
    ------
    ValueError, TypeError
        If an option is not one of these.

    Notes
    -----
    Takes y_true of labels 0 and 1, as integers, booleans or floats, and floating y_pred of equal
    shape: probabilities, logits, any scores. The result is a `Bounded` of ``value``, ``low`` and
    ``high``: the area of the exact scores, as of `roc_auc`, is from `low` to `high`, if no weight
    is negative.

    The bins are no option of the data: they follow the floating numbers, so that scores are told
    apart by their size, 1 in b, near 0 as anywhere, and probabilities near 1 by their distance from
    1, down to 2**-24. What they cost is in the result: for normally distributed logits `high - low`
    is about 0.002 with b = 64, and the value mostly within 1e-4; both shrink as 1 / b. Scores that
    crowd cost more, and those that differ by less than 1 / b of their size, as around 1000, share
    bins: the bounds say so; subtract what they have in common. If all scores are equal: 0.5, from 0
    to 1.

    A state has 4 rows of ``2 b (277 - log2(b))`` numbers of 8 bytes, 1.1 MB for b =
    64, and that for each group. Of one class only, and of nothing: NaN. An included label that is
    neither 0 nor 1, or a NaN score, gives NaN. The derivative is 0 with respect to y_pred.

    scikit-learn's `roc_auc_score(max_fpr)` is the exact value. Keras's `AUC` and torchmetrics'
    `AUROC(thresholds=200)` count in bins of equal width from 0 to 1: 200 of them give 0.5 for
    scores that are all near 1e-4, and do not say how far they are off. The partial area by D. K.
    McClish, "Analyzing a portion of the ROC curve", Medical Decision Making 9(3), 1989.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1, 0, 1, 0]), np.asarray([9e-6, 3e-6, 4e-6, 4e-6])
    >>> am.metrics.BinnedROCAUC()(y_true, y_pred)
    Bounded(value=array(0.875), low=array(0.75), high=array(1.))
    """

    result: ClassVar = Bounded

    max_fpr: float | None = None

    def _gathers(self) -> ScoreHistogramOf:
        if self.max_fpr is not None:
            option(
                "max_fpr",
                self.max_fpr,
                lambda x: not isinstance(x, bool) and 0 < x <= 1,
                "a rate above 0 and up to 1, or None",
            )
        return super()._gathers()

    def _of_points(self, points: Points, unit: Array) -> Bounded:
        xp, before = points.xp, points.tp[..., :-1]
        width, share = points.n, 1.0
        if self.max_fpr is not None:
            left = self.max_fpr * points.negatives - points.fp[..., :-1]
            width = xp.where(left < points.n, xp.where(left > 0, left, 0.0), points.n)
            share = xp.where(points.n == 0, 0.0, ratio(xp, width, points.n))
        pairs = (points.positives * points.negatives)[..., 0]

        def area(within: Any) -> Array:
            heights = before + points.p * within
            return self._standard(ratio(xp, xp.sum(width * heights, axis=-1), pairs))

        return Bounded(area(share / 2), area(0.0), area(1.0))

    def _standard(self, area: Array) -> Array:
        m = self.max_fpr
        if m is None:
            return area
        chance = m * m / 2
        return (1 + (area - chance) / (m - chance)) / 2


@dataclass(frozen=True)
class BinnedAveragePrecision(BinnedMetric):
    """Mean precision over thresholds at each positive, from bins, with its bounds.

    ``sum(w+ precision(s+)) / sum(w+)``, where the precision at a score is the share of positives
    among all elements with that score or a greater one. The value takes scores of one bin for
    equal.

    Parameters
    ----------
    bins_per_octave
        As of `BinnedROCAUC`.

    Raises
    ------
    ValueError, TypeError
        If it is not one of these.

    Notes
    -----
    Takes what `BinnedROCAUC` takes, in the same bins. With TP and FP for the weight of positives
    and negatives in higher bins, p and n for that in a bin, its share of the sum is::

        value  p (TP + p) / (TP + p + FP + n)
        high   p (TP + p) / (TP + p + FP)
        low    p - (FP + n) log((TP + FP + n + p) / (TP + FP + n))

    `high` has all positives of the bin before its negatives, and tied; `low` has all its negatives
    first, and then the integral of an increasing function, which is less than its sum by steps.
    Where no element has a weight, every step is known to be 1, and the integral of that sum about
    its midpoints is closer: both sums in the logarithm are half more. The exact value, as of
    `average_precision`, is from `low` to `high`, if no weight is negative. For normally distributed
    logits ``high - low`` is about 0.01 with b = 64, and the value off by a tenth of that, mostly
    below: it has for all positives of a bin the precision at its end. Where scores crowd, or
    positives are few, both may be several times as much.

    Without positives, and of nothing: NaN. Of positives alone: 1. Other NaN, and memory, are as of
    `BinnedROCAUC`. scikit-learn's `average_precision_score` is the exact value. torchmetrics'
    `AveragePrecision(thresholds=200)` counts in bins of equal width from 0 to 1. Keras's
    ``AUC(curve="PR")`` does so too, and interpolates between them, which is another area.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1, 0, 1, 0]), np.asarray([4.0, 3.0, 2.0, 1.0])
    >>> [float(x.round(3)) for x in am.metrics.BinnedAveragePrecision()(y_true, y_pred)]
    [0.833, 0.832, 0.833]
    """

    result: ClassVar = Bounded

    def _of_points(self, points: Points, unit: Array) -> Bounded:
        xp, p = points.xp, points.p
        after = points.fp[..., 1:]
        shares = p * points.precision()[..., 1:], p * points.precision_within()
        first = points.tp[..., :-1] + after + unit / 2
        # No negative has come yet: a precision of 1.
        gone = xp.where(after == 0, 0.0, after * _log1p(xp, ratio(xp, p, first)))
        low = xp.where(p < gone, 0.0, p - gone)
        value, high = (self._mean(points, x) for x in shares)
        return Bounded(value, self._mean(points, low), high)

    def _mean(self, points: Points, shares: Array) -> Array:
        return ratio(points.xp, points.xp.sum(shares, axis=-1), points.positives[..., 0])


def _log1p(xp: Any, x: Array) -> Array:
    """log(1 + x), of negative weights' ratios NaN without a warning."""
    return xp.log1p(xp.where(x > -1, x, xp.nan))


@dataclass(frozen=True)
class BinnedROCCurve(BinnedMetric):
    """Points of the ROC curve, ``(FP / N, TP / P)``, at the edges of the bins.

    Parameters
    ----------
    bins_per_octave
        As of `BinnedROCAUC`.

    Raises
    ------
    ValueError, TypeError
        If it is not one of these.

    Notes
    -----
    Takes what `BinnedROCAUC` takes. The result is a `ROCCurve` of ``fpr``, ``tpr`` and
    ``thresholds``, each of ``2 b (277 - log2(b)) + 2`` points, 34 690 for the default of 64: as
    many for every data set, since a result's shape does not depend on data. Each is an exact point
    of the exact curve: predict a 1 where a score is not below the threshold. What lies between two
    of them is not known. Of many points most are equal; ``numpy.unique`` finds those that are not.

    A rate of a class that does not occur is NaN; other NaN are as of `BinnedROCAUC`. scikit-learn's
    `roc_curve` has a point for each score, torchmetrics' `ROC` the same or at thresholds of equal
    distance from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1, 0, 1, 0]), np.asarray([0.9, 0.4, 0.6, 0.2])
    >>> fpr, tpr, thresholds = am.metrics.BinnedROCCurve()(y_true, y_pred)
    >>> np.unique(np.stack([fpr, tpr]), axis=1)
    array([[0. , 0. , 0. , 0.5, 1. ],
           [0. , 0.5, 1. , 1. , 1. ]])
    """

    result: ClassVar = ROCCurve

    def _of_points(self, points: Points, unit: Array) -> ROCCurve:
        fpr = ratio(points.xp, points.fp, points.negatives)
        return ROCCurve(fpr, points.recall(), _for_each(points))


@dataclass(frozen=True)
class BinnedPrecisionRecallCurve(BinnedMetric):
    """Points of the precision-recall curve, ``(TP / P, TP / (TP + FP))``, at the edges of the bins.

    Parameters
    ----------
    bins_per_octave
        As of `BinnedROCAUC`.

    Raises
    ------
    ValueError, TypeError
        If it is not one of these.

    Notes
    -----
    Takes what `BinnedROCAUC` takes. The result is a `PrecisionRecallCurve` of ``precision``,
    ``recall`` and ``thresholds``; their number, and what is exact, are as of `BinnedROCCurve`. The
    precision of thresholds that no score reaches is 1, as scikit-learn has it for the last point.
    Without positives the recall is NaN; other NaN are as of `BinnedROCAUC`.

    scikit-learn's `precision_recall_curve` has a point for each score, in order of rising
    thresholds; torchmetrics' `PrecisionRecallCurve` the same, or at thresholds of equal distance
    from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1, 0, 1, 0]), np.asarray([0.9, 0.4, 0.6, 0.2])
    >>> precision, recall, thresholds = am.metrics.BinnedPrecisionRecallCurve()(y_true, y_pred)
    >>> np.unique(np.stack([recall, precision]), axis=1).round(2)
    array([[0.  , 0.5 , 1.  , 1.  , 1.  ],
           [1.  , 1.  , 0.5 , 0.67, 1.  ]])
    """

    result: ClassVar = PrecisionRecallCurve

    def _of_points(self, points: Points, unit: Array) -> PrecisionRecallCurve:
        return PrecisionRecallCurve(points.precision(), points.recall(), _for_each(points))


def _for_each(points: Points) -> Array:
    """The thresholds of each group, in an array of its own."""
    return points.xp.broadcast_to(points.thresholds, points.tp.shape)
