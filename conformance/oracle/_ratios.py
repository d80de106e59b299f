"""Losses that are ratios of sums, in higher precision: each part reduced, then the ratio."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .._reference import Reference
from ._numbers import Number, mp, number, unit_roundoff
from ._objective import objective_reference, score
from ._rough import Rough

Part = Callable[[Number, Number], tuple[Number, int]]
"""A number of y_true and y_pred, and how many roundings it takes."""


def _both(t: Number, p: Number) -> tuple[Number, int]:
    return t * p, 1


def _sizes(t: Number, p: Number) -> tuple[Number, int]:
    return t + p, 1


def _only_pred(t: Number, p: Number) -> tuple[Number, int]:
    return (1 - t) * p, 2


def _only_true(t: Number, p: Number) -> tuple[Number, int]:
    return t * (1 - p), 2


def _dice(both: Rough, sizes: Rough, smooth: Rough) -> Rough:
    return both.scaled(2).plus(smooth).over(sizes.plus(smooth))


def _jaccard(both: Rough, sizes: Rough, smooth: Rough) -> Rough:
    return both.plus(smooth).over(sizes.minus(both).plus(smooth))


def _tversky(
    both: Rough,
    only_pred: Rough,
    only_true: Rough,
    smooth: Rough,
    *,
    alpha: float = 0.5,
    beta: float = 0.5,
) -> Rough:
    whole = both.plus(only_pred.scaled(alpha)).plus(only_true.scaled(beta))
    return both.plus(smooth).over(whole.plus(smooth))


RATIOS: Mapping[str, tuple[tuple[Part, ...], Callable[..., Rough]]] = {
    "dice": ((_both, _sizes), _dice),
    "jaccard": ((_both, _sizes), _jaccard),
    "tversky": ((_both, _only_pred, _only_true), _tversky),
}
"""The parts of each loss, and the share of the region that was found, made of their sums."""


def ratio_reference(
    loss: str,
    options: Mapping[str, Any],
    exact: Mapping[str, np.ndarray],
    reduction: str,
    dtype: str,
    accumulator: str,
) -> Reference:
    """Value of the objective of a ratio of sums in higher precision, and its bound.

    Parameters
    ----------
    loss : str
        Name of a function of `agnostic_mask.losses`.
    options : mapping
        Its options.
    exact : mapping of str to numpy.ndarray
        y_true and y_pred; weights and mask if there are any.
    reduction : str
    dtype, accumulator : str
        Names of the float types of the parts, and in which sums accumulate.

    Returns
    -------
    Reference
    """
    y_true, y_pred = exact["y_true"], exact["y_pred"]
    u, acc = mp.mpf(unit_roundoff(dtype)), mp.mpf(unit_roundoff(accumulator))
    # Any elementwise loss tells which elements are included, and with which factors.
    batch = score(
        "squared_error", {}, y_true, y_pred, exact.get("weights"), exact.get("mask"), dtype
    )
    parts, found = RATIOS[loss]
    sums = []
    for part in parts:
        terms = []
        for term in batch.terms:
            value, roundings = part(number(y_true[term.where]), number(y_pred[term.where]))
            terms.append(term._replace(score=value, error=roundings * u * abs(value)))
        reduced = objective_reference(
            batch._replace(terms=terms), reduction, accumulator=accumulator
        )
        sums.append(Rough(reduced.value, mp.mpf(reduced.bound), acc))
    others = {name: x for name, x in options.items() if name != "smooth"}
    smooth = Rough(mp.mpf(options.get("smooth", 0.0)), mp.mpf(0), acc)
    share = found(*sums, smooth, **others)
    value = 1 - share.value
    return Reference(value, float(share.error + (u + acc) * abs(value)))
