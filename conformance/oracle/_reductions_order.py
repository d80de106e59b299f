"""Positions, quantiles and histograms in higher precision, by sorting and by comparing."""

from itertools import pairwise

import numpy as np

from .._reference import Reference
from ._numbers import Number, mp, number, unit_roundoff
from ._reductions_group import Group, Problem, Result


def argmin(g: Group) -> Result:
    """The position of the least, or -1."""
    return mp.mpf(min(zip(g.values, g.positions, strict=True), default=(0, -1))[1]), 0.0


def argmax(g: Group) -> Result:
    """The position of the greatest, or -1."""
    pairs = ((-v, p) for v, p in zip(g.values, g.positions, strict=True))
    return mp.mpf(min(pairs, default=(0, -1))[1]), 0.0


def _product(g: Group, share: float, n: Number) -> Number:
    """A share of n, rounded as the accumulator does: that says on which side of a tie it is."""
    kind = np.float64 if g.acc == mp.mpf(unit_roundoff("float64")) else np.float32
    return mp.mpf(float(kind(share) * kind(float(n))))


def quantile(g: Group) -> Result:
    """An element, or a value between two."""
    return _quantile(g, g.options["q"], g.options.get("method", "linear"))


def median(g: Group) -> Result:
    """The element in the middle, or halfway between two."""
    return _quantile(g, 0.5, "averaged_inverted_cdf")


def _quantile(g: Group, share: float, method: str) -> Result:
    if not g.values or any(w < 0 for w in g.weights):
        return mp.nan, 0.0
    pairs = sorted(zip(g.values, g.weights, strict=True))
    total = mp.fsum(g.weights)
    if method == "linear":  # of the elements, each as often as its weight says
        repeated = [v for v, w in pairs for _ in range(int(w))]
        at = _product(g, share, total - 1)
        j = int(mp.floor(at))
        low, high = repeated[j], repeated[min(j + 1, len(repeated) - 1)]
        part = at - j
        value = low + part * (high - low)
        error = at * abs(high - low) + 3 * (abs(low) * (1 - part) + abs(high) * part)
        return value, 0.0 if part == 0 or low == high else g.u * abs(value) + g.acc * error
    at = _product(g, share, total)
    # Roundings of a sum of as many weights, on either side of the comparison.
    tie = 0 if g.exact else 2 * len(pairs) * g.acc * total
    sums = [mp.fsum(w for _, w in pairs[: i + 1]) for i in range(len(pairs))]
    first = min(sum(s < at - tie for s in sums), len(pairs) - 1)
    low = pairs[first][0]
    if method == "inverted_cdf":
        return low, 0.0
    high = pairs[min(sum(s <= at + tie for s in sums), len(pairs) - 1)][0]
    if low == high:
        return low, 0.0
    return (low + high) / 2, g.u * abs(low + high) / 2 + g.acc * (abs(low) + abs(high)) / 2


def _edges(problem: Problem) -> tuple[list[Number], Number]:
    """Edges, and the bound of each."""
    bins, limits = problem.options.get("bins", 10), problem.options.get("range")
    u, acc = mp.mpf(unit_roundoff(problem.dtype)), mp.mpf(unit_roundoff(problem.accumulator))
    if not isinstance(bins, int):
        return [mp.mpf(e) for e in bins], mp.mpf(0)
    if limits is None:
        values = [number(problem.x[i]) for _, where in problem.members() for i in where]
        limits = (min(values), max(values)) if values else (0, 1)
    low, high = map(mp.mpf, limits)
    if low == high:
        low, high = low - mp.mpf(0.5), high + mp.mpf(0.5)
    edges = [low + (high - low) * i / bins for i in range(bins + 1)]
    return edges, (u + 4 * acc) * max(abs(low), abs(high))


def histogram_edges(problem: Problem) -> Reference:
    """Equal steps."""
    edges, bound = _edges(problem)
    return Reference(np.asarray(edges, dtype=object), np.full(len(edges), float(bound)))


def histogram_counts(problem: Problem) -> Reference:
    """Sums of weights between edges, each of which belongs to the bin on its right."""
    edges, _ = _edges(problem)
    u, acc = mp.mpf(unit_roundoff(problem.dtype)), mp.mpf(unit_roundoff(problem.accumulator))
    values, bounds = [], []
    pairs = [
        (number(problem.x[i]), problem.weight(i)) for _, where in problem.members() for i in where
    ]
    for k, (left, right) in enumerate(pairwise(edges)):
        last = k == len(edges) - 2
        terms = [w for x, w in pairs if left <= x < right or (last and x == right)]
        values.append(mp.fsum(terms))
        error = u * abs(values[-1]) + (len(terms) + 1) * acc * mp.fsum(map(abs, terms))
        bounds.append(0.0 if problem.weights is None else float(error))
    return Reference(np.asarray(values, dtype=object), np.asarray(bounds))
