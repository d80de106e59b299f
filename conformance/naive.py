"""What the usual ways to mask and weigh give on the same data, computed as they are written."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ._reference import Reference
from .compare import LOSSES, Loss, exact
from .datafile import Data

BATCH = 32


@dataclass(frozen=True)
class NaiveResult:
    """What one naive way gave.

    Attributes
    ----------
    name : str
        The way.
    code : str
        How it is written; s are scores, m is the mask, w are weights.
    outcome : float or str or None
        Its value, or what it raised; None if the data has not what it stumbles over.
    why : str
        Why that came out, or what the data lacks.
    distance, share : float
        How far its value is from the higher-precision one, and how many times the bound that is;
        NaN and Inf if there is no value.
    """

    name: str
    code: str
    outcome: float | str | None
    why: str
    distance: float = np.nan
    share: float = np.inf


class _Parts(NamedTuple):
    """Scores of every element, garbage included, and full-size mask and weights, in NumPy."""

    scores: np.ndarray
    mask: np.ndarray
    weights: np.ndarray


class _LacksError(Exception):
    """The data has not what a naive way stumbles over."""


class _Way(NamedTuple):
    """A way: from data to a value, and to the data whose mean that should be."""

    name: str
    code: str
    why: str
    compute: Callable[[Data], float]
    of: Callable[[Data], Data] = lambda data: data


def loss_of(data: Data) -> Loss:
    """The loss whose weighted mean the naive ways are after: the first of its kind."""
    return LOSSES[data.kind][0]


def naive(data: Data, reference: Reference) -> Iterator[NaiveResult]:
    """Weighted mean of a loss over what counts, gone about wrongly in several ways.

    Parameters
    ----------
    data : Data
    reference : Reference
        Of `loss_of` these data under "mean".

    Yields
    ------
    NaiveResult
    """
    for way in _ways(data):
        try:
            part = way.of(data)
            with np.errstate(all="ignore"):  # the warnings are the naive way's own
                value = way.compute(part)
        except _LacksError as lack:
            yield NaiveResult(way.name, way.code, None, str(lack))
        except ValueError as error:
            raised = f"{type(error).__name__}: {error}"
            yield NaiveResult(way.name, way.code, raised, way.why)
        else:
            right = reference if part is data else exact(loss_of(part), "mean", part)
            distance = float(abs(right.value - value))
            share = right.share(np.asarray(value))
            why = f"right on these data, else {way.why}" if share <= 1 else way.why
            if part is not data:
                why += f"; right is {float(right.value):#.9g}"
            yield NaiveResult(way.name, way.code, value, why, distance, share)


def _ways(data: Data) -> Sequence[_Way]:
    shape = data.y_true.shape
    return (
        _Way(
            "multiply by the mask",
            "(s*m*w).sum() / (m*w).sum()",
            "0 * NaN is NaN: the padding comes through",
            _multiplied,
        ),
        _Way(
            "mean of batch means",
            "mean of (s*w).sum() / w.sum()",
            f"batches of {BATCH} count alike, whatever weight is in them",
            _mean_of_batch_means,
        ),
        _Way(
            "right-aligned weights",
            "(s*w).sum() / (m*w).sum()",
            f"{shape[:1]} is laid along the last axis of {shape}",
            _right_aligned,
        ),
        _Way(
            "the same on a square cut",
            "(s*w).sum() / (m*w).sum()",
            "sizes agree, nothing is said",
            _right_aligned,
            _square,
        ),
        _Way(
            "float16 sums",
            "(s*w).sum() / w.sum() in float16",
            "rounded to 11 bits, and infinite past 65504",
            _half,
        ),
    )


def _multiplied(data: Data) -> float:
    if data.mask is None:
        raise _LacksError("there is no mask, so nothing to multiply by")
    s, m, w = _parts(data)
    return float((s * m * w).sum() / (m * w).sum())


def _mean_of_batch_means(data: Data) -> float:
    s, m, w = _clean(data)
    if s.ndim == 0 or len(s) <= BATCH:
        raise _LacksError(f"there is only one batch of {BATCH}")
    starts = range(0, len(s), BATCH)
    batches = [(s[i : i + BATCH], (m * w)[i : i + BATCH]) for i in starts]
    return float(np.mean([(a * b).sum() / b.sum() for a, b in batches], dtype=np.float32))


def _right_aligned(data: Data) -> float:
    if data.weights is None or data.weights.ndim != 1 or data.y_true.ndim < 2:
        raise _LacksError("there are no weights a row for scores of two or more axes")
    s, m, _ = _clean(data)
    return float((s * data.weights).sum() / (m * data.weights).sum())


def _half(data: Data) -> float:
    s, m, w = _clean(data)
    s, w = s.astype(np.float16), (m * w).astype(np.float16)
    return float((s * w).sum() / w.sum())


def _square(data: Data) -> Data:
    """As many rows as steps, spread over the file so that their weights differ."""
    shape = data.y_true.shape
    if len(shape) != 2 or not 1 < shape[1] < shape[0]:
        raise _LacksError("there are not more rows than steps")
    n = shape[1]
    rows = np.arange(n) * (shape[0] // n)

    def cut(x: np.ndarray | None) -> np.ndarray | None:
        return x if x is None or len(x) == 1 else x[rows]

    return replace(
        data,
        y_true=data.y_true[rows],
        y_pred=data.y_pred[rows],
        weights=cut(data.weights),
        mask=cut(data.mask),
    )


def _parts(data: Data) -> _Parts:
    shape = data.y_true.shape
    full = [
        np.ones(shape, np.float32)
        if x is None
        else np.broadcast_to(x.reshape(x.shape + (1,) * (len(shape) - x.ndim)), shape)
        for x in (data.mask, data.weights)
    ]
    return _Parts(_scores(data), *full)


def _clean(data: Data) -> _Parts:
    """The same with 0 in place of garbage: what is naive comes after."""
    s, m, w = _parts(data)
    return _Parts(np.where(data.included, s, 0), m, np.where(data.included, w, 0))


def _scores(data: Data) -> np.ndarray:
    y_true, y_pred = data.y_true, data.y_pred
    scores: np.ndarray
    if data.kind == "values":
        scores = (y_pred - y_true) ** 2
    elif data.kind == "binary":
        scores = -np.log(np.where(y_true == 1, y_pred, 1 - y_pred))
    else:
        labels = np.clip(y_true, 0, y_pred.shape[-1] - 1)
        scores = -np.log(np.take_along_axis(y_pred, labels[..., np.newaxis], axis=-1)[..., 0])
    return scores
