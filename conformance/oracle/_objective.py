"""The objective in higher precision: scores, then the formula of each reduction."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from .._reference import Reference
from ._numbers import (
    Number,
    at,
    compute_dtype,
    mp,
    number,
    smallest_normal,
    unit_roundoff,
)
from ._scores import CLASS_AXIS, DISTRIBUTIONS, SCORES, without_axis


class Term(NamedTuple):
    """One included element: its factor from mask and weights, its score, and the score's error."""

    where: tuple[int, ...]
    factor: Number
    weight: Number
    mask: Number
    score: Number
    error: Number


class Scored(NamedTuple):
    """The included elements of a batch, and what the Keras formulas count of all of them."""

    terms: list[Term]
    shape: tuple[int, ...]
    masked: Number
    weighted: int
    has_mask: bool
    has_weights: bool
    dtype: str


def _rows(
    loss: str, options: Mapping[str, Any], y_true: np.ndarray, y_pred: np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    if loss not in CLASS_AXIS:
        return y_true, y_pred, y_pred.shape
    axis = options.get("axis", -1)
    y_pred = np.moveaxis(y_pred, axis, -1)
    if CLASS_AXIS[loss] == DISTRIBUTIONS:
        y_true = np.moveaxis(y_true, axis, -1)
    return y_true, y_pred, y_pred.shape[:-1]


def _value(row: Any) -> Any:
    return [number(x) for x in row] if isinstance(row, np.ndarray) and row.ndim else number(row)


def _scores(
    loss: str,
    options: Mapping[str, Any],
    y_true: np.ndarray,
    y_pred: np.ndarray,
    include: np.ndarray,
    dtype: str,
) -> Iterator[tuple[tuple[int, ...], Number, Number]]:
    """Index, score and error of each element of the scores that `include` has."""
    u, tiny = mp.mpf(unit_roundoff(dtype)), smallest_normal(compute_dtype(dtype))
    y_true, y_pred, shape = _rows(loss, options, y_true, y_pred)
    for index in np.ndindex(shape):
        if include[index]:
            score, error = SCORES[loss](
                _value(y_true[index]), _value(y_pred[index]), u, tiny, **without_axis(options)
            )
            yield index, score, error


def score(
    loss: str,
    options: Mapping[str, Any],
    y_true: np.ndarray,
    y_pred: np.ndarray,
    weights: np.ndarray | None,
    mask: np.ndarray | None,
    dtype: str,
) -> Scored:
    """Score every included element of a batch in higher precision.

    Parameters
    ----------
    loss : str
        Name of a function of `agnostic_mask.losses`.
    options : mapping
        Its options.
    y_true, y_pred, weights, mask : numpy.ndarray or None
        The inputs, exactly as the result's framework had them. Excluded elements are never
        looked at.
    dtype : str
        Name of the float type that the scores are computed from.

    Returns
    -------
    Scored
    """
    _, _, shape = _rows(loss, options, y_true, y_pred)
    ignore = options.get("ignore_class")
    include = np.zeros(shape, dtype=bool)
    masked, weighted = mp.mpf(0), 0
    for index in np.ndindex(shape):
        m = number(1 if mask is None else at(mask, index))
        if mask is not None and mask.dtype.kind in "iu":
            m = number(m != 0)
        if ignore is not None and y_true[index] == ignore:
            m = mp.mpf(0)
        w = 1 if weights is None else at(weights, index)
        masked += m
        weighted += bool(w != 0)
        include[index] = m != 0 and w != 0
    terms = []
    for index, score, error in _scores(loss, options, y_true, y_pred, include, dtype):
        w = number(1 if weights is None else at(weights, index))
        soft = mask is not None and mask.dtype.kind == "f"
        m = number(at(mask, index)) if soft and mask is not None else mp.mpf(1)
        terms.append(Term(index, w * m, w, m, score, error))
    has_mask = mask is not None or ignore is not None
    return Scored(terms, shape, masked, weighted, has_mask, weights is not None, dtype)


def objective_reference(
    scored: Scored,
    reduction: str,
    *,
    epsilon: float = 1e-7,
    empty: float | None = None,
    accumulator: str = "float64",
) -> Reference:
    """Value of a masked, weighted objective in higher precision, and its bound.

    Parameters
    ----------
    scored : Scored
        A batch.
    reduction : str
    epsilon, empty : float
        As of `agnostic_mask.weighted_masked_objective`.
    accumulator : str
        Dtype in which sums accumulate.

    Returns
    -------
    Reference
    """
    u, acc = mp.mpf(unit_roundoff(scored.dtype)), mp.mpf(unit_roundoff(accumulator))
    if reduction == "none":
        return _unreduced(scored, u)
    terms = scored.terms
    size = mp.mpf(int(np.prod(scored.shape, dtype=int)))
    total = mp.fsum(t.factor * t.score for t in terms)
    absolute = mp.fsum(abs(t.factor * t.score) for t in terms)
    error = mp.fsum(abs(t.factor) * t.error for t in terms)
    # Two products, with the weight and a soft mask, and a sum, all in the accumulator's dtype.
    error += (len(terms) + 2) * acc * absolute
    divisors: list[Number] = []
    slack = 4 * acc  # of the divisions
    if reduction == "keras2":
        divisors.append(size)
        if scored.has_mask and size:
            divisors.append(scored.masked / size + mp.mpf(epsilon))
        if scored.has_weights and size:
            divisors.append(scored.weighted / size)
    elif reduction == "keras3":
        divisors.append(scored.masked)
    elif reduction == "mean":
        weight = mp.fsum(t.factor for t in terms)
        divisors.append(weight)
        if weight:
            slack += len(terms) * acc * mp.fsum(abs(t.factor) for t in terms) / abs(weight)
    if not terms and empty is not None:
        return Reference(mp.mpf(empty), float(u * abs(mp.mpf(empty))))
    if reduction == "keras3" and scored.masked == 0:
        return Reference(mp.mpf(0), 0.0)
    value = total
    for divisor in divisors:
        if divisor == 0:
            return Reference(mp.nan, 0.0)
        value, error = value / divisor, error / abs(divisor)
    return Reference(value, float(u * abs(value) + error + slack * abs(value)))


def _unreduced(scored: Scored, u: Number) -> Reference:
    values = np.full(scored.shape, mp.mpf(0), dtype=object)
    bounds = np.zeros(scored.shape)
    for t in scored.terms:
        values[t.where] = t.factor * t.score
        rounding = u * abs(t.factor * t.score) if scored.has_weights else 0
        bounds[t.where] = float(abs(t.factor) * t.error + rounding)
    return Reference(values, bounds)
