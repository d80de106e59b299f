"""Areas under curves in higher precision: by pairs and by thresholds, without any order.

The bounds are of weighted means over one class of ratios of sums. Of a sum of n terms each term
takes at most n - 1 roundings of the accumulator.
"""

from collections.abc import Callable, Mapping

import numpy as np

from .._reference import Reference
from ._numbers import Number, at, mp, number, unit_roundoff

Scored = list[tuple[Number, Number]]
"""Score and weight of each included element of one class."""


def _roc_auc(positive: Scored, negative: Scored, acc: Number) -> tuple[Number, Number]:
    """Share of pairs in order, those of equal scores by half; and the error of that."""
    wins = [
        v * w * (1 if s > t else mp.mpf(0.5)) for s, v in positive for t, w in negative if s >= t
    ]
    above, below = mp.fsum(w for _, w in positive), mp.fsum(w for _, w in negative)
    if above * below == 0:
        return mp.nan, mp.mpf(0)
    value = mp.fsum(wins) / (above * below)
    size = mp.fsum(map(abs, wins)) / abs(above * below)
    # Each pair: a sum over positives, two terms of it added and divided by the whole of it, times a
    # weight, a sum over negatives, divided. Of the two divisors: what their sums are off by.
    roundings = len(positive) + len(negative) + 2
    divisors = _condition(positive, above) + _condition(negative, below)
    return value, acc * size * (roundings + divisors)


def _condition(elements: Scored, total: Number) -> Number:
    """How many roundings of itself a sum of weights is off by."""
    return (len(elements) - 1) * mp.fsum(abs(w) for _, w in elements) / abs(total)


def _average_precision(positive: Scored, negative: Scored, acc: Number) -> tuple[Number, Number]:
    """Mean of precisions; and the error of that for weights that are not negative."""
    total = mp.fsum(w for _, w in positive)
    terms = []
    for score, weight in positive:
        hits = mp.fsum(w for s, w in positive if s >= score)
        misses = mp.fsum(w for s, w in negative if s >= score)
        terms.append(weight * hits / (hits + misses))
    value = mp.fsum(terms) / total
    # Each precision: a sum over positives, and it plus one over negatives, divided. Then times a
    # weight, a sum over positives, divided by one.
    sums = 3 * (len(positive) - 1) + max(len(positive), len(negative)) - 1
    return value, acc * value * (sums + 4)


_CURVES: Mapping[str, Callable[[Scored, Scored, Number], tuple[Number, Number]]] = {
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
}


def curve_reference(
    name: str, exact: Mapping[str, np.ndarray], dtype: str, accumulator: str
) -> Reference:
    """Value of an exact curve metric of `agnostic_mask.metrics` in higher precision, and its bound.

    Parameters
    ----------
    name : str
        Name of the function.
    exact : mapping of str to numpy.ndarray
        y_true of labels 0 and 1, and y_pred; weights and mask if there are any. Excluded elements
        are never looked at.
    dtype, accumulator : str
        Names of the float types of the scores, and in which sums accumulate.

    Returns
    -------
    Reference
        NaN where no positive is included, and of roc_auc where no negative is.
    """
    weights, mask = exact.get("weights"), exact.get("mask")
    classes: tuple[Scored, Scored] = ([], [])
    for index in np.ndindex(exact["y_pred"].shape):
        w = number(1 if weights is None else at(weights, index))
        if w != 0 and (mask is None or at(mask, index) != 0):
            classes[int(exact["y_true"][index])].append((number(exact["y_pred"][index]), w))
    negative, positive = classes
    if not positive or (name == "roc_auc" and not negative):
        return Reference(mp.nan, 0.0)
    u, acc = mp.mpf(unit_roundoff(dtype)), mp.mpf(unit_roundoff(accumulator))
    value, error = _CURVES[name](positive, negative, acc)
    return Reference(value, float(u * abs(value) + error))
