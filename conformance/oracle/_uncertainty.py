"""Intervals, and differences between groups, in higher precision."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from .._reference import Reference
from ._elements import Elements
from ._metrics import METRICS, elements_of
from ._numbers import Number, mp, number
from ._reductions_group import Group
from ._rough import Rough, summed, summed_exact
from ._scores import SCORES, without_axis
from ._scores_common import ELEMENTARY

Exact = Mapping[str, np.ndarray]

SCORE_OF: Mapping[str, str | None] = {
    "Mean": None,
    "MeanSquaredError": "squared_error",
    "RootMeanSquaredError": "squared_error",
    "Perplexity": "sparse_categorical_crossentropy",
}
"""Function of which a metric is a mean; None for x itself."""


def fmix32(x: int) -> int:
    """The finaliser of MurmurHash3, of unsigned numbers of 32 bits."""
    x %= 2**32
    x ^= x >> 16
    x = x * 0x85EBCA6B % 2**32
    x ^= x >> 13
    x = x * 0xC2B2AE35 % 2**32
    return x ^ x >> 16


def poisson_count(identity: int, replicate: int, seed: int) -> int:
    """How often the row of an id is in a resample; replicate 0 is the sample itself."""
    if replicate == 0:
        return 1
    golden = 0x9E3779B9
    first = fmix32(fmix32(seed % 2**32 + golden) ^ seed // 2**32)
    second = fmix32(first + golden)
    third = fmix32(second + golden)
    upper, lower = divmod(identity % 2**64, 2**32)
    key = fmix32(fmix32(replicate) ^ first) + second
    mixed = fmix32(fmix32(lower + third) ^ key % 2**32)
    # As a signed number, plus 2**31.
    hashed = fmix32(mixed + fmix32(upper ^ third)) ^ 2**31
    at_most, count = mp.mpf(0), 0
    while True:
        at_most += mp.exp(-1) / mp.factorial(count)
        threshold = int(mp.nint(at_most * 2**32))
        if threshold >= 2**32 or hashed < threshold:
            return count
        count += 1


def _metric(metric: str, e: Elements) -> tuple[Number, Number]:
    value, bound = METRICS[metric](e)
    return mp.mpf(value), mp.mpf(bound)


def bootstrap_reference(
    field: str,
    metric: str,
    elements: Callable[[np.ndarray], Elements],
    ids: np.ndarray,
    *,
    num_replicates: int,
    seed: int,
    confidence: float = 0.95,
) -> Reference:
    """A field of a bootstrap interval, and its bound.

    `elements` gives those of the sample with the weights of each row multiplied by a number.
    """
    found = []
    for r in range(num_replicates + 1):
        counts = np.asarray([poisson_count(int(i), r, seed) for i in ids], dtype=int)
        e = elements(counts)
        found.append(_metric(metric, e))
    value, bound = found[0]
    if field == "value":
        return _reference(value, bound)
    kept = [(v, b) for v, b in found[1:] if mp.isfinite(v)]
    if not mp.isfinite(value) or len(kept) < 2:
        return _reference(mp.nan, 0.0)
    values, most, n = sorted(v for v, _ in kept), max(b for _, b in kept), len(kept)
    size = max(map(abs, values))
    if field == "standard_error":
        mean = mp.fsum(values) / n
        error = mp.sqrt(mp.fsum((v - mean) ** 2 for v in values) / (n - 1))
        # What each value is off by, the mean of them, and the root's own sum.
        off = most * mp.sqrt(mp.mpf(n) / (n - 1)) + (n + 8) * e.acc * size
        return _reference(error, off + e.u * error)
    share = (1 + mp.mpf(confidence) * (1 if field == "high" else -1)) / 2
    place = share * (n - 1)
    j = int(mp.floor(place))
    end = values[j] + (place - j) * (values[min(j + 1, n - 1)] - values[j])
    # A quantile moves no further than what it is a quantile of.
    return _reference(end, most + 8 * n * e.acc * size + e.u * abs(end))


def normal_reference(
    field: str, metric: str, groups: Iterable[Elements], clustered: bool, confidence: float = 0.95
) -> Reference:
    """A field of a normal interval, and its bound; of clusters, if so, else of their elements."""
    clusters = [_scored(metric, e) for e in groups if e.weights]
    if not clusters:
        return _reference(mp.nan, 0.0)
    e = clusters[0][0]
    weights = [w for of, _ in clusters for w in of.weights]
    scores = [s for _, scored in clusters for s in scored]
    weight = summed_exact(weights, e.acc)
    total = summed((s.scaled(w) for w, s in zip(weights, scores, strict=True)), e.acc)
    mean = total.over(weight)
    squares, n = [], len(weights)
    for of, scored in clusters:
        terms = [s.minus(mean).scaled(w) for w, s in zip(of.weights, scored, strict=True)]
        sums = [summed(terms, e.acc)] if clustered else terms
        squares += [s.times(s) for s in sums]
    n = len(squares)
    spread = summed(squares, e.acc)
    if n < 2 or mp.isnan(mean.value):
        error = Rough(mp.nan, mp.mpf(0), e.acc)
    else:
        variance = spread.scaled(mp.mpf(n) / (n - 1))
        size = Rough(abs(weight.value), weight.error, e.acc)
        error = variance.root().over(size)
    value, error = _transformed(metric, mean, error)
    z = mp.sqrt(2) * mp.erfinv(mp.mpf(confidence))
    fields = {
        "value": value,
        "standard_error": error,
        "low": value.minus(error.scaled(z)),
        "high": value.plus(error.scaled(z)),
    }
    x = fields[field]
    return _reference(x.value, x.error + e.u * abs(x.value))


def _scored(metric: str, e: Elements) -> tuple[Elements, list[Rough]]:
    """Elements and their scores."""
    score = SCORE_OF[metric]
    if score is None:
        return e, [Rough(x, mp.mpf(0), e.acc) for x in e.true]
    options = without_axis(e.options)
    pairs = zip(e.true, e.pred, strict=True)
    found = (SCORES[score](t, p, e.u, e.tiny, **options) for t, p in pairs)
    return e, [Rough(value, error, e.acc) for value, error in found]


def _transformed(metric: str, mean: Rough, error: Rough) -> tuple[Rough, Rough]:
    if metric.startswith("Root"):
        value = mean.root()
        return value, error.over(value.scaled(2))
    if metric == "Perplexity":
        size = mp.exp(mean.value)
        value = Rough(size, size * (mp.expm1(mean.error) + ELEMENTARY * mean.acc), mean.acc)
        return value, error.times(value)
    return mean, error


def between_groups_reference(how: str, metric: str, groups: Iterable[Elements]) -> Reference:
    """Least or greatest value of groups, their difference or ratio, and its bound."""
    there = [e for e in groups if e.weights]
    found = [_metric(metric, e) for e in there]
    if not found or any(mp.isnan(v) for v, _ in found):
        return _reference(mp.nan, 0.0)
    e, most = there[0], max(b for _, b in found)
    low, high = (Rough(pick(v for v, _ in found), most, e.acc) for pick in (min, max))
    x = {"min": low, "max": high}.get(how)
    if x is None:
        x = high.minus(low) if how == "gap" else low.over(high)
    return _reference(x.value, x.error + e.u * abs(x.value))


def standard_error(g: Group) -> tuple[Number, Number]:
    """Of a mean: of the elements behind one result of a reduction."""
    weight = summed_exact(g.weights, g.acc)
    scores = [Rough(x, mp.mpf(0), g.acc) for x in g.values]
    n = len(scores)
    if n < 2 or weight.value == 0:
        return mp.nan, 0.0
    pairs = list(zip(g.weights, scores, strict=True))
    mean = summed((s.scaled(w) for w, s in pairs), g.acc).over(weight)
    terms = [s.minus(mean).scaled(w) for w, s in pairs]
    variance = summed((t.times(t) for t in terms), g.acc).scaled(mp.mpf(n) / (n - 1))
    error = variance.root().over(Rough(abs(weight.value), weight.error, g.acc))
    return error.value, error.error + g.u * abs(error.value)


def _reference(value: Number, bound: Number) -> Reference:
    values = np.asarray(value, dtype=object)
    return Reference(values, np.asarray(float(bound) if mp.isfinite(value) else 0.0))


def elements_with_counts(
    exact: Exact, shape: tuple[int, ...], counts: np.ndarray, **how: Any
) -> Elements:
    """Included elements, the weights of each row multiplied by its count."""
    times = np.broadcast_to(counts.reshape(-1, *(1,) * (len(shape) - 1)), shape)
    weights = exact.get("weights")
    if weights is not None:
        expanded = weights.reshape(weights.shape + (1,) * (len(shape) - weights.ndim))
        times = np.frompyfunc(lambda w, n: number(w) * int(n), 2, 1)(expanded, times)
    return elements_of(exact={**exact, "weights": np.asarray(times)}, **how)


def elements_by_label(
    exact: Exact, shape: tuple[int, ...], labels: np.ndarray, **how: Any
) -> list[Elements]:
    """Included elements of each label."""
    spread = np.broadcast_to(
        labels.reshape(labels.shape + (1,) * (len(shape) - labels.ndim)), shape
    )
    mask = exact.get("mask")
    left = np.ones(shape, dtype=bool)
    if mask is not None:
        left &= mask.reshape(mask.shape + (1,) * (len(shape) - mask.ndim)) != 0
    return [
        elements_of(exact={**exact, "mask": left & (spread == label)}, **how)
        for label in np.unique(labels)
    ]
