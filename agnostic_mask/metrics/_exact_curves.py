"""Areas under the ROC and the precision-recall curve, exact: all scores in memory, and in order."""

from collections.abc import Callable
from typing import NamedTuple

from agnostic_mask import _staged
from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch, resolve_known
from agnostic_mask._dtypes import (
    cast,
    float_name,
    wide_float,
    wide_integer,
    widen_half,
)
from agnostic_mask._scoring import check_covers, covers_of
from agnostic_mask._staged import Covers, ratio
from agnostic_mask.metrics._labelling import TWO_CLASSES, check_scores


def roc_auc(
    y_true: Array, y_pred: Array, weights: Array | None = None, mask: Array | None = None
) -> Array:
    """Area under the ROC curve, ``P(s+ > s-) + P(s+ = s-) / 2`` for scores of the two classes.

    The weighted share of pairs of a positive and a negative element in which the positive one has
    the greater score; ties count half.

    Parameters
    ----------
    y_true : array, shape S
        Labels 0 and 1, as integers, booleans or floats.
    y_pred : array of float, shape S
        Scores: probabilities, logits, any numbers that rise with the chance of a 1, infinite ones
        too. They are compared and not computed with, so that their scale does not matter (but JAX
        takes subnormal numbers for 0).
    weights : array of real, optional
        Of the elements, 0 excludes. Covers leading axes of S; a dimension of 1 broadcasts.
    mask : array of bool or int, optional
        True or non-zero counts. Covers leading axes likewise.

    Returns
    -------
    array, 0-d
        In the float type of y_pred (at least float32). NaN where the included elements are of one
        class only, or none; where an included score or weight is NaN; where an included label is
        neither 0 nor 1.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError

    Notes
    -----
    The statistic of Mann and Whitney, by J. A. Hanley and B. J. McNeil, "The meaning and use of the
    area under a receiver operating characteristic (ROC) curve", Radiology 143(1), 1982. It is not a
    sum over elements: they are sorted, so that all must be in memory at once, and a Dask array
    becomes one chunk when it is computed. For data in parts take `BinnedROCAUC`, whose states merge
    and whose error is stated.

    scikit-learn's `roc_auc_score` agrees, but refuses infinite scores. torchmetrics' `AUROC` has no
    weights, is 0 for one class, and puts all scores through a sigmoid if one is not from 0 to 1,
    which makes ties of large logits. Keras's `AUC` counts in 200 bins of equal width from 0 to 1,
    which tell small probabilities, and logits, not apart.

    It changes by steps: the derivative is 0 with respect to y_pred, of which torch says that
    nothing depends on it; that with respect to weights is exact.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1, 0, 1, 0]), np.asarray([0.9, 0.4, 0.4, np.nan])
    >>> am.metrics.roc_auc(y_true, y_pred, mask=np.asarray([True, True, True, False]))
    array(0.75)
    """
    return _area(_Runs.share_of_pairs, y_true, y_pred, weights, mask)


def average_precision(
    y_true: Array, y_pred: Array, weights: Array | None = None, mask: Array | None = None
) -> Array:
    """Mean precision over thresholds at each positive, ``sum(w+ precision(s+)) / sum(w+)``.

    The precision at a score is the share of positives among all elements with that score or a
    greater one; elements of equal scores come in together.

    Parameters
    ----------
    y_true, y_pred, weights, mask
        As of `roc_auc`.

    Returns
    -------
    array, 0-d
        As of `roc_auc`. NaN where no positive is included (of positives alone it is 1); where an
        included score, weight or label is none, as there; and where the weights of all elements
        down to a positive sum to 0, which takes negative ones.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError

    Notes
    -----
    The area under the precision-recall curve as a sum of steps, ``sum((R_n - R_(n-1)) P_n)`` over
    thresholds; if all scores are equal, the share of positives. As for `roc_auc`, all elements are
    sorted in memory; for data in parts take `BinnedAveragePrecision`. Derivatives are as there.

    scikit-learn's `average_precision_score` agrees, but refuses infinite scores, and gives 0 for
    negatives alone. torchmetrics' `AveragePrecision` gives that too, has no weights, and puts all
    scores through a sigmoid if one is not from 0 to 1. Keras's ``AUC(curve="PR")`` counts in 200
    bins and interpolates between them, which is another area.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1, 0, 1, 0]), np.asarray([0.9, 0.4, 0.4, np.nan])
    >>> am.metrics.average_precision(y_true, y_pred, mask=np.asarray([True, True, False, False]))
    array(1.)
    >>> am.metrics.average_precision(y_true[1:3], y_pred[1:3], weights=np.asarray([3.0, 1.0]))
    array(0.25)
    """
    return _area(_Runs.mean_precision, y_true, y_pred, weights, mask)


class _Runs(NamedTuple):
    """Elements by their scores, the greatest first; those of equal scores are a run.

    Attributes
    ----------
    positive, negative : array, shape (N,)
        Weight of each class in each run, or how many elements it has there. A run has the place of
        its last element, and all other places have 0.
    """

    d: Dispatch
    positive: Array
    negative: Array

    def share_of_pairs(self) -> Array:
        """Mean over negatives of the share of positives above, and of half of those beside."""
        xp = self.d.xp
        upto = self._sums(self.positive)
        above = xp.concat([xp.zeros_like(upto[:1]), upto[:-1]], axis=0)
        return self._mean(ratio(xp, above + upto, 2 * upto[-1]), self.negative)

    def mean_precision(self) -> Array:
        """Mean over positives of the share of positives among all down to their scores."""
        hits, misses = self._sums(self.positive), self._sums(self.negative)
        return self._mean(ratio(self.d.xp, hits, hits + misses), self.positive)

    def _sums(self, weights: Array) -> Array:
        """Sums of the weights down to each run, it included."""
        return cast(self.d.xp, self.d.backend.cumulative_sum(weights, 0), wide_float(*self.d))

    def _mean(self, values: Array, weights: Array) -> Array:
        """Mean over the elements of one class."""
        xp, wide = self.d.xp, wide_float(*self.d)
        weights = cast(xp, weights, wide)
        values = xp.where(weights != 0, values, 0.0)  # of other places they may be NaN
        return ratio(xp, xp.sum(values * weights, dtype=wide), xp.sum(weights, dtype=wide))


def _area(
    of: Callable[[_Runs], Array],
    y_true: Array,
    y_pred: Array,
    weights: Array | None,
    mask: Array | None,
) -> Array:
    named = (("y_true", y_true), ("y_pred", y_pred), ("weights", weights), ("mask", mask))
    d = resolve_known(named, required=2)
    xp, shape = d.xp, tuple(y_pred.shape)
    check_scores(xp, y_true, y_pred)
    covers = covers_of(xp, weights, mask, soft=False)
    check_covers(shape, covers, "y_pred")
    dtype = getattr(xp, float_name(xp, d.device, y_pred))
    if 0 in shape:
        return xp.full((), xp.nan, dtype=dtype, device=d.device)
    with d.backend.wide():
        runs, meant = _runs(d, widen_half(xp, y_true), widen_half(xp, y_pred), covers)
        return d.backend.as_array(cast(xp, xp.where(meant, of(runs), xp.nan), dtype))


def _runs(d: Dispatch, y_true: Array, y_pred: Array, covers: Covers) -> tuple[_Runs, Array]:
    """Runs of equal scores, and whether all that is included has a label, a score and a weight."""
    xp, shape = d.xp, tuple(y_pred.shape)
    labelled, true = TWO_CLASSES.true(d, y_true)
    known = labelled & (y_pred == y_pred)
    joint = covers.inclusion(d, len(shape))
    counted, lost = (_staged.among(joint.include, x) for x in (known, ~known))
    member = tuple(xp.reshape(counted & (true == label), (-1,)) for label in (1, 0))
    meant = ~xp.any(lost)
    factors = None
    if joint.factors:
        factors = _staged.zeroed(d, joint.include, joint.factors[0])
        factors = cast(xp, factors, wide_float(*d))
        meant = meant & xp.all(factors == factors)
        factors = xp.reshape(xp.broadcast_to(factors, shape), (-1,))
    # What is left out has a score that says nothing, lest the order of the others depend on it.
    keys = -xp.reshape(xp.where(counted, y_pred, 0.0), (-1,))
    ordered = d.backend.take_along_axis(keys, d.backend.argsort(keys))
    last = d.backend.searchsorted(ordered, keys) - 1
    return _Runs(d, *(_by_run(d, last, x, factors) for x in member)), meant


def _by_run(d: Dispatch, last: Array, member: Array, factors: Array | None) -> Array:
    """Sum of the factors of one class at the last place of each run, or its number of elements."""
    xp, n = d.xp, member.shape[0]
    values = None if factors is None else xp.where(member, factors, 0.0)
    # Elements of the other class have a place of their own, which is dropped.
    sums = d.backend.sum_by_label(xp.where(member, last, n), n + 1, values)[:n]
    return cast(xp, sums, wide_integer(*d)) if factors is None else sums
