"""Norms, running sums, covariances and correlations in higher precision."""

import math
from typing import NamedTuple

import numpy as np

from .._reference import Reference
from ._numbers import Number, mp, number, unit_roundoff
from ._reductions_group import Group, Index, Problem, Result, accumulated, cast_error
from ._scores_common import ELEMENTARY


def vector_norm(g: Group) -> Result:
    """Roundings of a quotient, which its power multiplies, of that power, the sum and the root."""
    order = g.options.get("ord", 2)
    sizes = [abs(x) for x in g.values]
    if math.isinf(order):
        return (max if order > 0 else min)(sizes, default=mp.mpf(0 if order > 0 else "inf")), 0.0
    if order == 0:
        terms = [w for w, x in zip(g.weights, sizes, strict=True) if x != 0]
        return mp.fsum(terms), (g.u + accumulated(g)) * mp.fsum(map(abs, terms))
    p = mp.mpf(order)
    terms = [w * x**p for w, x in zip(g.weights, sizes, strict=True)]
    total, absolute = mp.fsum(terms), mp.fsum(map(abs, terms))
    if total <= 0:
        return (mp.mpf(0 if order > 0 else "inf") if total == 0 else mp.nan), 0.0
    value = total ** (1 / p)
    terms_error = accumulated(g) + (ELEMENTARY + abs(p)) * g.acc
    relative = terms_error * absolute / total / abs(p) + (ELEMENTARY + 1) * g.acc
    return value, value * (g.u + relative)


def cumulative_sum(problem: Problem) -> Reference:
    """Each sum for itself: its terms' absolute values bound it."""
    (axis,) = problem.axes()
    initial = int(problem.options.get("include_initial", False))
    shape = [n + initial if i == axis else n for i, n in enumerate(problem.x.shape)]
    values, bounds = np.full(shape, mp.mpf(0), dtype=object), np.zeros(shape)
    exact = problem.x.dtype.kind != "f" and problem.weights is None
    u, acc = mp.mpf(unit_roundoff(problem.dtype)), mp.mpf(unit_roundoff(problem.accumulator))
    for index in np.ndindex(*shape):
        terms = []
        for step in range(index[axis] + 1 - initial):
            at = (*index[:axis], step, *index[axis + 1 :])
            if problem.included(at):
                terms.append(problem.weight(at) * number(problem.x[at]))
        values[index] = mp.fsum(terms)
        error = u * abs(values[index]) + (len(terms) + 1) * acc * mp.fsum(map(abs, terms))
        bounds[index] = 0.0 if exact else float(error)
    return Reference(values, bounds)


class _Spread(NamedTuple):
    """Sums of products of two variables' residuals, the rounding of each, and of the weights."""

    sums: np.ndarray
    errors: np.ndarray
    weight: Number
    weight_error: Number
    equal: list[bool]


def _spreads(problem: Problem) -> tuple[tuple[int, ...], list[_Spread]]:
    """For each data set a spread, and the shape of the data sets; a lone variable has none."""
    axes = problem.axes()
    others = [i for i in range(problem.x.ndim) if i not in axes]
    batch = tuple(problem.x.shape[i] for i in others[:-1])
    variables = problem.x.shape[others[-1]] if others else 1
    found = []
    for place in np.ndindex(*batch):
        columns: list[list[Index]] = [[] for _ in range(variables)]
        for index in np.ndindex(problem.x.shape):
            if tuple(index[i] for i in others[:-1]) == place and problem.included(index):
                columns[index[others[-1]] if others else 0].append(index)
        found.append(_spread(problem, columns))
    return batch, found


def _spread(problem: Problem, columns: list[list[Index]]) -> _Spread:
    u, acc = mp.mpf(unit_roundoff(problem.dtype)), mp.mpf(unit_roundoff(problem.accumulator))
    u = u if problem.x.dtype.kind == "f" else acc  # in which integers are computed
    weights = [problem.weight(i) for i in columns[0]] if columns else []
    weight, absolute = mp.fsum(weights), mp.fsum(map(abs, weights))
    n, steps = len(columns), len(weights) + 8
    residuals, seen, lost, equal = [], [], [], []
    for column in columns:
        x = [number(problem.x[i]) for i in column]
        centre = mp.fsum(w * v for w, v in zip(weights, x, strict=True)) / (weight or 1)
        # Residuals are about the rounded mean, whose error is taken out again, and are rounded
        # themselves, at most to the dtype of computation.
        size = mp.fsum(abs(w * v) for w, v in zip(weights, x, strict=True)) / (abs(weight) or 1)
        residuals.append([v - centre for v in x])
        seen.append([abs(v - centre) + steps * acc * size for v in x])
        lost.append([cast_error(problem.x.dtype.kind, acc, v) for v in x])
        equal.append(len(set(x)) < 2)
    sums, errors = (
        np.full((n, n), mp.mpf(0), dtype=object),
        np.full((n, n), mp.mpf(0), dtype=object),
    )
    for i, j in np.ndindex(n, n):
        for w, a, b, c, d, e, f in zip(
            weights, residuals[i], residuals[j], seen[i], seen[j], lost[i], lost[j], strict=True
        ):
            sums[i, j] += w * a * b
            errors[i, j] += (2 * u + steps * acc) * abs(w) * c * d
            errors[i, j] += abs(w) * (abs(a) * f + abs(b) * e + e * f)
    return _Spread(sums, errors, weight, steps * acc * absolute, equal)


def _assembled(problem: Problem, batch: tuple[int, ...], parts: list[Reference]) -> Reference:
    n = parts[0].value.shape[0] if parts else 0
    values = np.stack([p.value for p in parts]).reshape(*batch, n, n)
    bounds = np.stack([p.bound for p in parts]).reshape(*batch, n, n)
    if len(problem.axes()) == problem.x.ndim:
        return Reference(values[0, 0], bounds[0, 0])
    return Reference(values, bounds)


def cov(problem: Problem) -> Reference:
    """A weighted sum of products over what remains of the weights."""
    correction = mp.mpf(problem.options.get("correction", 1))
    u = mp.mpf(unit_roundoff(problem.dtype))
    batch, spreads = _spreads(problem)
    parts = []
    for s in spreads:
        values, bounds = np.full(s.sums.shape, mp.nan, dtype=object), np.zeros(s.sums.shape)
        remaining = s.weight - correction
        for index in np.ndindex(s.sums.shape):
            if remaining > 0:
                value = s.sums[index] / remaining
                error = s.errors[index] + abs(value) * s.weight_error
                values[index], bounds[index] = value, float(u * abs(value) + error / remaining)
        parts.append(Reference(values, bounds))
    return _assembled(problem, batch, parts)


def corrcoef(problem: Problem) -> Reference:
    """A sum of products over two roots of sums."""
    u, acc = mp.mpf(unit_roundoff(problem.dtype)), mp.mpf(unit_roundoff(problem.accumulator))
    batch, spreads = _spreads(problem)
    parts = []
    for s in spreads:
        values, bounds = np.full(s.sums.shape, mp.nan, dtype=object), np.zeros(s.sums.shape)
        for i, j in np.ndindex(s.sums.shape):
            if s.equal[i] or s.equal[j] or not (s.sums[i, i] > 0 and s.sums[j, j] > 0):
                continue
            values[i, j] = s.sums[i, j] / mp.sqrt(s.sums[i, i] * s.sums[j, j])
            own = s.errors[i, i] / s.sums[i, i] / 2 + s.errors[j, j] / s.sums[j, j] / 2
            error = s.errors[i, j] / mp.sqrt(s.sums[i, i] * s.sums[j, j])
            error += abs(values[i, j]) * (own + u + 4 * acc)
            bounds[i, j] = 0.0 if i == j else float(error)
            values[i, j] = mp.mpf(1) if i == j else values[i, j]
        parts.append(Reference(values, bounds))
    return _assembled(problem, batch, parts)
