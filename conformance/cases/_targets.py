"""Targets and predictions for each loss: in its domain, to the ends of it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .._case import Host
from ..oracle import CLASS_AXIS, LABELS

CLASSES = 3

Shape = tuple[int, ...]
Pair = tuple[np.ndarray, np.ndarray]
"""y_true and y_pred."""

Options = Mapping[str, Any]


def _normal(rng: np.random.Generator, shape: Shape, options: Options) -> Pair:
    return rng.normal(0, 2, shape), rng.normal(0, 2, shape)


def _some_close(rng: np.random.Generator, shape: Shape, options: Options) -> Pair:
    y_true, y_pred = rng.normal(0, 2, shape), rng.normal(0, 2, shape)
    near = rng.random(shape) < 0.5
    return y_true, np.where(near, y_true + y_pred / 64, y_pred)


def _no_zeros(rng: np.random.Generator, shape: Shape, options: Options) -> Pair:
    sign = np.where(rng.random(shape) < 0.5, -1.0, 1.0)
    return sign * rng.uniform(0.1, 4, shape), rng.normal(0, 2, shape)


def _some_both_zero(rng: np.random.Generator, shape: Shape, options: Options) -> Pair:
    y_true, y_pred = rng.normal(0, 2, shape), rng.normal(0, 2, shape)
    nothing = rng.random(shape) < 0.25
    return np.where(nothing, 0.0, y_true), np.where(nothing, 0.0, y_pred)


def _above_minus_one(rng: np.random.Generator, shape: Shape, options: Options) -> Pair:
    return rng.uniform(-0.75, 4, shape), rng.uniform(-0.75, 4, shape)


def _signs(rng: np.random.Generator, shape: Shape, options: Options) -> Pair:
    return rng.integers(-1, 2, shape).astype(float), rng.normal(0, 2, shape)


def _counts(rng: np.random.Generator, shape: Shape, options: Options) -> Pair:
    y_true = rng.poisson(1.5, shape).astype(float)
    if options.get("log_input"):
        return y_true, rng.normal(0, 1.5, shape)
    y_pred = rng.uniform(0.1, 4, shape)
    y_pred.reshape(-1)[3:4] = 0.0
    return y_true, y_pred


def _tweedie(rng: np.random.Generator, shape: Shape, options: Options) -> Pair:
    power = options.get("power", 2)
    y_pred = rng.uniform(0.1, 4, shape)
    if power >= 2:
        y_true = rng.uniform(0.1, 4, shape)
    elif power >= 1:
        y_true = rng.poisson(1.5, shape).astype(float)
    else:
        y_true = rng.normal(0, 2, shape)
    close = rng.random(shape) < 0.25
    return np.where(close, y_pred * 1.02, y_true), y_pred


def _binary(rng: np.random.Generator, shape: Shape, options: Options) -> Pair:
    y_true = rng.integers(0, 2, shape).astype(float)
    y_true.reshape(-1)[1::3] = 0.25
    if options.get("from_logits"):
        return y_true, _with_extremes(rng.normal(0, 4, shape))
    y_pred = rng.uniform(0.02, 0.98, shape)
    y_pred.reshape(-1)[:1], y_pred.reshape(-1)[3:4] = 0.0, 1.0
    return y_true, y_pred


def _classes(rng: np.random.Generator, shape: Shape, options: Options) -> Pair:
    if options.get("from_logits"):
        y_pred = _with_extremes(rng.normal(0, 4, (*shape, CLASSES)))
    else:
        y_pred = _shares(rng, shape)
        y_pred[..., 0] *= rng.random(shape) < 0.8
    labels = rng.integers(0, CLASSES, shape).astype(np.int32)
    return np.asarray(labels), y_pred


def _distributions(rng: np.random.Generator, shape: Shape, options: Options) -> Pair:
    labels, y_pred = _classes(rng, shape, options)
    return np.eye(CLASSES)[labels] * 0.75 + _shares(rng, shape) * 0.25, y_pred


def _one_hot(rng: np.random.Generator, shape: Shape, options: Options) -> Pair:
    labels = rng.integers(0, CLASSES, shape)
    return np.eye(CLASSES)[labels], rng.normal(0, 2, (*shape, CLASSES))


def _two_distributions(rng: np.random.Generator, shape: Shape, options: Options) -> Pair:
    both = _shares(rng, shape), _shares(rng, shape)
    if options.get("log_input"):
        return np.log(both[0]), np.log(both[1])
    # Where one is 0 and where both are.
    both[0][..., 0] *= rng.random(shape) < 0.6
    both[1][..., 0] *= rng.random(shape) < 0.6
    return both


def _log_probabilities(rng: np.random.Generator, shape: Shape, options: Options) -> Pair:
    labels = rng.integers(0, CLASSES, shape).astype(np.int32)
    return np.asarray(labels), np.log(_shares(rng, shape))


def _vectors(rng: np.random.Generator, shape: Shape, options: Options) -> Pair:
    return rng.normal(0, 2, (*shape, CLASSES)), rng.normal(0, 2, (*shape, CLASSES))


def _mean_and_variance(rng: np.random.Generator, shape: Shape, options: Options) -> Pair:
    variance = rng.uniform(0, 2, shape)
    variance.reshape(-1)[3:4] = 0.0
    return rng.normal(0, 2, shape), np.stack((rng.normal(0, 2, shape), variance), axis=-1)


def _shares(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    return rng.dirichlet(np.ones(CLASSES), shape).reshape(*shape, CLASSES)


def _with_extremes(logits: np.ndarray) -> np.ndarray:
    flat = logits.reshape(-1)
    flat[1:2], flat[7:8] = 1e4, -1e4
    return logits


_PAIRS: Mapping[str, Callable[[np.random.Generator, Shape, Options], Pair]] = {
    "absolute_percentage_error": _no_zeros,
    "binary_crossentropy": _binary,
    "binary_focal_crossentropy": _binary,
    "categorical_crossentropy": _distributions,
    "categorical_focal_crossentropy": _distributions,
    "categorical_generalized_cross_entropy": _classes,
    "categorical_hinge": _one_hot,
    "charbonnier": _some_close,
    "cosine_similarity": _vectors,
    "dice": _binary,
    "gamma_deviance": _tweedie,
    "gaussian_nll": _mean_and_variance,
    "hinge": _signs,
    "jaccard": _binary,
    "js_divergence": _two_distributions,
    "kl_divergence": _two_distributions,
    "log_cosh": _some_close,
    "nll": _log_probabilities,
    "poisson": _counts,
    "sparse_categorical_crossentropy": _classes,
    "squared_hinge": _signs,
    "squared_logarithmic_error": _above_minus_one,
    "symmetric_absolute_percentage_error": _some_both_zero,
    "tversky": _binary,
    "tweedie_deviance": _tweedie,
}


def targets(
    loss: str, options: Options, rng: np.random.Generator, shape: Shape, axis: int | None
) -> Host:
    """Inputs of a loss, without mask and weights, for scores of a shape.

    Parameters
    ----------
    loss : str
        Name of a function of `agnostic_mask.losses`.
    options : mapping
        Its options.
    rng : numpy.random.Generator
    shape : tuple of int
        Shape of the scores.
    axis : int or None
        Position of the class axis in y_pred.
    """
    y_true, y_pred = _PAIRS.get(loss, _normal)(rng, shape, options)
    if axis is not None:
        y_pred = np.moveaxis(y_pred, -1, axis)
        if y_true.ndim == y_pred.ndim:
            y_true = np.moveaxis(y_true, -1, axis)
    return {"y_true": np.asarray(y_true), "y_pred": np.asarray(y_pred)}


def takes_labels(loss: str) -> bool:
    """Whether y_true holds integer labels."""
    return CLASS_AXIS.get(loss) == LABELS
