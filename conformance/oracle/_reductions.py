"""The reductions in higher precision: gather the included elements of each result, then apply."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ._numbers import Number, Reference, at, mp, number, smallest_normal, unit_roundoff
from ._scores import ELEMENTARY


class Group(NamedTuple):
    """What one result is made of: included elements, their weights, and the dtype's numbers."""

    values: list[Number]
    weights: list[Number]
    u: Number
    weighted: bool
    correction: float
    kind: str
    tiny: Number
    acc: Number
    limits: tuple[Number, Number]


Result = tuple[Any, Any]
"""A value and its bound."""


def _accumulated(g: Group) -> Number:
    """Roundings of a sum of elements times their weights, all in the accumulator's dtype."""
    return (len(g.values) + 1) * g.acc


def _sum(g: Group) -> Result:
    terms = [w * x for w, x in zip(g.weights, g.values, strict=True)]
    total, absolute = mp.fsum(terms), mp.fsum(map(abs, terms))
    if g.kind != "f" and not g.weighted:
        return total, 0.0
    return total, g.u * abs(total) + _accumulated(g) * absolute


def _sum_of_weights(g: Group) -> Result:
    total = mp.fsum(g.weights)
    return total, g.u * abs(total) + _accumulated(g) * mp.fsum(map(abs, g.weights))


def _count(g: Group) -> Result:
    return mp.mpf(len(g.values)), 0.0


def _mean(g: Group) -> Result:
    weight = mp.fsum(g.weights)
    if weight == 0:
        return mp.nan, 0.0
    terms = [w * x for w, x in zip(g.weights, g.values, strict=True)]
    value, absolute = mp.fsum(terms) / weight, mp.fsum(map(abs, terms)) / abs(weight)
    shares = mp.fsum(map(abs, g.weights)) / abs(weight)
    accumulated = _accumulated(g) * (absolute + shares * abs(value))
    # Integers become floats first; beyond the float's precision that rounds.
    cast = g.u * absolute if g.kind != "f" else 0
    return value, g.u * abs(value) + accumulated + cast


def _var(g: Group) -> Result:
    weight = mp.fsum(g.weights)
    remaining = weight - mp.mpf(g.correction)
    if not remaining > 0:
        return mp.nan, 0.0
    centre = mp.fsum(w * x for w, x in zip(g.weights, g.values, strict=True)) / weight
    spread = mp.fsum(w * (x - centre) ** 2 for w, x in zip(g.weights, g.values, strict=True))
    # The residuals are about the rounded centre: one rounding each, twice in the square,
    # and one of the square.
    seen = mp.fsum(
        abs(w) * (abs(x - centre) + g.u * abs(centre)) ** 2
        for w, x in zip(g.weights, g.values, strict=True)
    )
    error = (3 * g.u + 3 * _accumulated(g)) * seen
    value = spread / remaining
    return value, g.u * abs(value) + error / remaining


def _std(g: Group) -> Result:
    variance, bound = _var(g)
    if mp.isnan(variance):
        return mp.nan, 0.0
    if variance < 0:
        return mp.nan, 0.0
    root = mp.sqrt(variance)
    slope = bound / (2 * root) if root > mp.sqrt(mp.mpf(bound)) else mp.sqrt(mp.mpf(bound))
    return root, g.u * root + slope


def _min(g: Group) -> Result:
    return min(g.values, default=g.limits[1]), 0.0


def _max(g: Group) -> Result:
    return max(g.values, default=g.limits[0]), 0.0


def _any(g: Group) -> Result:
    return mp.mpf(any(x != 0 for x in g.values)), 0.0


def _all(g: Group) -> Result:
    return mp.mpf(all(x != 0 for x in g.values)), 0.0


def _exponentials(g: Group) -> tuple[list[Number], list[Number], Number, Number]:
    """Weighted exponentials less the top, their relative errors, the top, and the sum."""
    top = max(g.values, default=mp.mpf(0))
    shifted = [x - top for x in g.values]
    terms = [w * mp.exp(x) for w, x in zip(g.weights, shifted, strict=True)]
    errors = [g.u * (ELEMENTARY + abs(x)) + _accumulated(g) for x in shifted]
    return terms, errors, top, mp.fsum(terms)


def _logsumexp(g: Group) -> Result:
    terms, errors, top, total = _exponentials(g)
    if total == 0:
        return -mp.inf, 0.0
    if total < 0:
        return mp.nan, 0.0
    value = mp.log(total) + top
    error = mp.fsum(abs(t) * e for t, e in zip(terms, errors, strict=True)) / total
    return value, g.u * abs(value) + error


REDUCTIONS: Mapping[str, Callable[[Group], Result]] = {
    "sum": _sum,
    "mean": _mean,
    "var": _var,
    "std": _std,
    "count": _count,
    "sum_of_weights": _sum_of_weights,
    "min": _min,
    "max": _max,
    "any": _any,
    "all": _all,
    "logsumexp": _logsumexp,
}


def reduction_reference(
    name: str,
    x: np.ndarray,
    weights: np.ndarray | None,
    mask: np.ndarray | None,
    dtype: str,
    *,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
    correction: float = 0.0,
    accumulator: str = "float64",
) -> Reference:
    """Value of a masked, weighted reduction in higher precision, and its bound.

    Parameters
    ----------
    name : str
        Name of the reduction, "softmax" included.
    x, weights, mask : numpy.ndarray or None
        The inputs, exactly as the result's framework had them.
    dtype : str
        Name of the float type of the computation.
    axis, keepdims, correction
        As of the reduction.
    accumulator : str
        Dtype in which sums accumulate.

    Returns
    -------
    Reference
    """
    given = range(x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
    axes = {a % x.ndim for a in given}
    kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    members: dict[tuple[int, ...], list[tuple[int, ...]]] = {i: [] for i in np.ndindex(kept)}
    for index in np.ndindex(x.shape):
        included = mask is None or at(mask, index) != 0
        if included and (weights is None or at(weights, index) != 0):
            members[tuple(0 if i in axes else n for i, n in enumerate(index))].append(index)
    u, tiny = mp.mpf(unit_roundoff(dtype)), smallest_normal(dtype)
    acc = mp.mpf(unit_roundoff(accumulator))
    limits = (-mp.inf, mp.inf)
    if x.dtype.kind in "iu":
        limits = (mp.mpf(int(np.iinfo(x.dtype).min)), mp.mpf(int(np.iinfo(x.dtype).max)))

    def group(where: list[tuple[int, ...]]) -> Group:
        values = [number(x[i]) for i in where]
        factors = [number(1 if weights is None else at(weights, i)) for i in where]
        weighted = weights is not None
        kind = x.dtype.kind
        return Group(values, factors, u, weighted, correction, kind, tiny, acc, limits)

    if name == "softmax":
        return _softmax(x.shape, [(where, group(where)) for where in members.values()])
    values = np.full(kept, None, dtype=object)
    bounds = np.zeros(kept)
    for index, where in members.items():
        values[index], bound = REDUCTIONS[name](group(where))
        bounds[index] = float(bound)
    if not keepdims:
        values, bounds = np.squeeze(values, tuple(axes)), np.squeeze(bounds, tuple(axes))
    return Reference(values, bounds)


def _softmax(
    shape: tuple[int, ...], groups: Sequence[tuple[list[tuple[int, ...]], Group]]
) -> Reference:
    values = np.full(shape, mp.mpf(0), dtype=object)
    bounds = np.zeros(shape)
    for where, g in groups:
        terms, errors, _, total = _exponentials(g)
        spread = mp.fsum(t * e for t, e in zip(terms, errors, strict=True))
        for index, term, error in zip(where, terms, errors, strict=True):
            values[index] = term / total
            bounds[index] = float(term / total * (error + spread / total + 2 * g.u) + g.tiny)
    return Reference(values, bounds)
