"""The reductions in higher precision: gather the included elements of each result, then apply."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .._reference import Reference
from ._numbers import Number, mp
from ._reductions_group import Group, Problem, Result, accumulated, cast_error, computed
from ._reductions_moments import corrcoef, cov, cumulative_sum, vector_norm
from ._reductions_order import argmax, argmin, histogram_counts, histogram_edges, median, quantile
from ._scores_common import ELEMENTARY
from ._uncertainty import standard_error


def _sum(g: Group) -> Result:
    terms = [w * x for w, x in zip(g.weights, g.values, strict=True)]
    total, absolute = mp.fsum(terms), mp.fsum(map(abs, terms))
    if g.kind != "f" and not g.weighted:
        return total, 0.0
    return total, g.u * abs(total) + accumulated(g) * absolute


def _sum_of_weights(g: Group) -> Result:
    total = mp.fsum(g.weights)
    return total, g.u * abs(total) + accumulated(g) * mp.fsum(map(abs, g.weights))


def _count(g: Group) -> Result:
    return mp.mpf(len(g.values)), 0.0


def _mean(g: Group) -> Result:
    weight = mp.fsum(g.weights)
    if weight == 0:
        return mp.nan, 0.0
    terms = [w * x for w, x in zip(g.weights, g.values, strict=True)]
    value, absolute = mp.fsum(terms) / weight, mp.fsum(map(abs, terms)) / abs(weight)
    shares = mp.fsum(map(abs, g.weights)) / abs(weight)
    roundings = accumulated(g) * (absolute + shares * abs(value))
    return value, g.u * abs(value) + roundings + cast_error(g.kind, g.acc, absolute)


def _var(g: Group) -> Result:
    weight = mp.fsum(g.weights)
    remaining = weight - mp.mpf(g.options.get("correction", 0))
    if not remaining > 0:
        return mp.nan, 0.0
    centre = mp.fsum(w * x for w, x in zip(g.weights, g.values, strict=True)) / weight
    spread = mp.fsum(w * (x - centre) ** 2 for w, x in zip(g.weights, g.values, strict=True))
    # The residuals are about the rounded centre: one rounding each, twice in the square,
    # and one of the square.
    seen = mp.fsum(
        abs(w) * (abs(x - centre) + computed(g) * abs(centre)) ** 2
        for w, x in zip(g.weights, g.values, strict=True)
    )
    error = (3 * computed(g) + 3 * accumulated(g)) * seen
    for w, x in zip(g.weights, g.values, strict=True):
        lost = cast_error(g.kind, g.acc, x)
        error += abs(w) * lost * (2 * abs(x - centre) + lost)
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
    errors = [computed(g) * (ELEMENTARY + abs(x)) + accumulated(g) for x in shifted]
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


def _softmax(problem: Problem) -> Reference:
    values = np.full(problem.x.shape, mp.mpf(0), dtype=object)
    bounds = np.zeros(problem.x.shape)
    for _, where in problem.members():
        g = problem.group(where)
        terms, errors, _, total = _exponentials(g)
        spread = mp.fsum(t * e for t, e in zip(terms, errors, strict=True))
        for index, term, error in zip(where, terms, errors, strict=True):
            values[index] = term / total
            bounds[index] = float(term / total * (error + spread / total + 2 * g.u) + g.tiny)
    return Reference(values, bounds)


def _log_softmax(problem: Problem) -> Reference:
    values = np.full(problem.x.shape, -mp.inf, dtype=object)
    bounds = np.zeros(problem.x.shape)
    for _, where in problem.members():
        g = problem.group(where)
        terms, errors, top, total = _exponentials(g)
        spread = mp.fsum(t * e for t, e in zip(terms, errors, strict=True))
        for index, x in zip(where, g.values, strict=True):
            values[index] = x - top - mp.log(total)
            error = spread / total + ELEMENTARY * g.acc * abs(mp.log(total))
            bounds[index] = float(error + g.u * (abs(x - top) + abs(values[index])))
    return Reference(values, bounds)


OF_GROUPS: Mapping[str, Callable[[Group], Result]] = {
    "sum": _sum,
    "mean": _mean,
    "var": _var,
    "std": _std,
    "count": _count,
    "sum_of_weights": _sum_of_weights,
    "standard_error": standard_error,
    "min": _min,
    "max": _max,
    "any": _any,
    "all": _all,
    "logsumexp": _logsumexp,
    "argmin": argmin,
    "argmax": argmax,
    "median": median,
    "quantile": quantile,
    "vector_norm": vector_norm,
}
"""Reductions of the elements behind each result, told apart by axes alone."""

OF_ARRAYS: Mapping[str, Callable[[Problem], Reference]] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "cumulative_sum": cumulative_sum,
    "cov": cov,
    "corrcoef": corrcoef,
    "histogram counts": histogram_counts,
    "histogram edges": histogram_edges,
}
"""Those whose results have a shape of their own."""


def reduction_reference(
    name: str,
    x: np.ndarray,
    weights: np.ndarray | None,
    mask: np.ndarray | None,
    dtype: str,
    *,
    accumulator: str = "float64",
    **options: Any,
) -> Reference:
    """Value of a masked, weighted reduction in higher precision, and its bound.

    Parameters
    ----------
    name : str
        Key of `OF_GROUPS` or `OF_ARRAYS`.
    x, weights, mask : numpy.ndarray or None
        The inputs, exactly as the result's framework had them.
    dtype : str
        Name of the float type of the computation.
    accumulator : str
        Dtype in which sums accumulate.
    **options
        As of the reduction.

    Returns
    -------
    Reference
    """
    problem = Problem(x, weights, mask, dtype, accumulator, options)
    if name in OF_ARRAYS:
        return OF_ARRAYS[name](problem)
    shares = options.get("q")
    if isinstance(shares, tuple):
        parts = [_of_groups(name, problem._replace(options={**options, "q": q})) for q in shares]
        return Reference(np.stack([p.value for p in parts]), np.stack([p.bound for p in parts]))
    return _of_groups(name, problem)


def _of_groups(name: str, problem: Problem) -> Reference:
    values = np.full(problem.kept(), None, dtype=object)
    bounds = np.zeros(problem.kept())
    for index, where in problem.members():
        values[index], bound = OF_GROUPS[name](problem.group(where))
        bounds[index] = float(bound)
    if not problem.options.get("keepdims", False):
        axes = problem.axes()
        values, bounds = np.squeeze(values, axes), np.squeeze(bounds, axes)
    return Reference(values, bounds)
