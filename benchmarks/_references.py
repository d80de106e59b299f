"""What the right numbers are: in float64, by tiles, in plain NumPy, apart from the product."""

import math
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

TILE = 1 << 20  # elements
UNIT = 2.0**-24  # of float32
ROUNDINGS = 16  # of a score, more than any formula here has


class Number(NamedTuple):
    """A right number.

    Parameters
    ----------
    value : array
    scale : array
        Of what float32 roundings are a share: the sum of the terms' magnitudes, by the divisor.
    terms : int
        How many terms are in a sum.
    """

    value: Any
    scale: Any
    terms: int

    @property
    def bound(self) -> Any:
        """How far off a contender may be.

        Sums in float32 are allowed, whose error is a random walk of as many steps as terms (the
        worst case, which grows like the terms themselves, would let anything pass).
        """
        return (ROUNDINGS + 4 * math.sqrt(self.terms)) * UNIT * np.abs(self.scale)


class Verdict(NamedTuple):
    """Whether a contender's number is right, and how far off and how far off it may be."""

    right: bool
    error: float
    bound: float


def judged(answer: Any, number: Number) -> Verdict:
    """The verdict on an answer; errors and bounds as shares of the greatest scale."""
    given, value = np.asarray(answer, dtype=np.float64), np.asarray(number.value)
    greatest = float(np.max(np.abs(number.scale)))
    if given.shape != value.shape:
        return Verdict(False, math.inf, float(np.max(number.bound)) / greatest)
    error = np.abs(given - value)
    right = bool(np.all(error <= number.bound))  # NaN is not right
    return Verdict(right, float(np.max(error)) / greatest, float(np.max(number.bound)) / greatest)


def tiles(rows: int, per_row: int) -> Iterator[slice]:
    """Slices of rows that hold about TILE elements each."""
    step = max(1, TILE // per_row)
    return (slice(begin, begin + step) for begin in range(0, rows, step))


def _squared_error(true: Any, pred: Any) -> Any:
    return np.square(pred - true)


def _binary_crossentropy(true: Any, pred: Any) -> Any:
    return -(true * np.log(pred) + (1 - true) * np.log1p(-pred))


def of_pairs(x: SimpleNamespace) -> dict[str, Number]:
    """Of squared errors and crossentropies, with weights and a mask: each reduction's."""
    score = _binary_crossentropy if x.kind == "binary crossentropy" else _squared_error
    size, flat = x.y_true.size, x.y_true.ndim == 1
    sums = {"wms": 0.0, "wm": 0.0, "m": 0.0}
    for rows in tiles(len(x.y_true), size // len(x.y_true)):
        s = score(x.y_true[rows].astype(np.float64), x.y_pred[rows].astype(np.float64))
        w = x.weights[rows].astype(np.float64)
        wm = x.mask[rows] * (w if flat else w[:, np.newaxis])
        sums["wms"] += float(np.sum(wm * s))
        sums["wm"] += float(np.sum(wm))
        sums["m"] += float(np.count_nonzero(x.mask[rows]))
    mean = sums["wms"] / sums["wm"]
    weighed = np.count_nonzero(x.weights) / x.weights.size
    keras2 = sums["wms"] / size / (sums["m"] / size + 1e-7) / weighed
    return {"mean": Number(mean, mean, size), "keras2": Number(keras2, keras2, size)}


def of_first_vectors(x: SimpleNamespace) -> dict[str, Number]:
    """Of the first of several sets of vectors."""
    return of_pairs(SimpleNamespace(**{n: a if n == "kind" else a[0] for n, a in vars(x).items()}))


def of_logits(x: SimpleNamespace) -> dict[str, Number]:
    """Of a softmax's crossentropy; the terms of a row's sum count as well."""
    total, count = 0.0, 0
    for rows in tiles(*x.y_pred.shape):
        logits = x.y_pred[rows].astype(np.float64)
        top = logits.max(axis=1, keepdims=True)
        log_sum = np.log(np.sum(np.exp(logits - top), axis=1)) + top[:, 0]
        scores = log_sum - np.take_along_axis(logits, x.y_true[rows, np.newaxis], axis=1)[:, 0]
        total += float(np.sum(scores[x.mask[rows]]))
        count += int(np.count_nonzero(x.mask[rows]))
    return {"mean": Number(total / count, total / count, sum(x.y_pred.shape))}


def of_batches(x: SimpleNamespace) -> dict[str, Number]:
    """Of the mean squared error of all batches; each comes as often as any other."""
    batches, size = x.y_true.shape
    total = sum(
        float(np.sum(_squared_error(t.astype(np.float64), p)))
        for t, p in zip(x.y_true, x.y_pred, strict=True)
    )
    mean = total / (batches * size)
    return {"mean": Number(mean, mean, 8 * batches * size)}


def of_weighted_mean(x: SimpleNamespace) -> dict[str, Number]:
    """Of a weighted mean, and of the mean without the weights, which one contender computes."""
    values, weights = x.x.astype(np.float64), x.weights.astype(np.float64)
    found = {}
    for name, w in {"mean": weights, "unweighted": np.ones_like(weights)}.items():
        mean, scale = (float(np.sum(w * v) / np.sum(w)) for v in (values, np.abs(values)))
        found[name] = Number(mean, scale, values.size)
    return found


def of_labels(x: SimpleNamespace) -> dict[str, Number]:
    """Of a confusion matrix: counts, which are exact in float32 too."""
    table = np.zeros(100 * 100, dtype=np.int64)
    for rows in tiles(len(x.y_true), 1):
        kept = x.mask[rows]
        cells = 100 * x.y_true[rows][kept] + x.y_pred[rows][kept]
        table += np.bincount(cells, minlength=100 * 100)
    counts = table.reshape(100, 100).astype(np.float64)
    return {"counts": Number(counts, np.ones_like(counts), 0)}


def of_axis(axis: int) -> Callable[[SimpleNamespace], dict[str, Number]]:
    """Of masked means along an axis."""

    def numbers(x: SimpleNamespace) -> dict[str, Number]:
        along = 0 if axis == 0 else slice(None)
        kept = x.x.shape[1 - axis]
        total, size, count = np.zeros(kept), np.zeros(kept), np.zeros(kept)
        for rows in tiles(*x.x.shape):
            part = np.where(x.mask[rows], x.x[rows].astype(np.float64), 0.0)
            where = slice(None) if along == 0 else rows
            total[where] += part.sum(axis=axis)
            size[where] += np.abs(part).sum(axis=axis)
            count[where] += x.mask[rows].sum(axis=axis)
        return {"mean": Number(total / count, size / count, x.x.shape[axis])}

    return numbers
