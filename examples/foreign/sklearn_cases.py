"""Functions of scikit-learn, whose array-API code is on within a context."""

import functools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import sklearn
from sklearn import metrics

from agnostic_mask import conformance as c

VALUES = (
    "its validation looks at values, for NaN above all; scikit-learn promises nothing of lazy "
    "arrays: https://github.com/scikit-learn/scikit-learn/issues/26724"
)
FLOAT = "documented to return a Python float"

# sample_weight=k is k samples: https://github.com/scikit-learn/scikit-learn/issues/11316
LAWS = [c.order_invariant, c.weight_is_repetition, c.exclusion_is_removal, c.layout_invariant]


def dispatched(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A function with array-API dispatch on, in whichever thread it is called.

    ``sklearn.set_config`` would be known to the thread alone that called it.
    """

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        with sklearn.config_context(array_api_dispatch=True):
            return fn(*args, **kwargs)

    return call


def _columns(*arrays: np.ndarray) -> Any:
    """The columns of arrays, as lists of exact fractions."""
    return zip(*([list(map(Fraction, map(float, x))) for x in a.T] for a in arrays), strict=True)


def _mean(terms: Any, weights: Any) -> Fraction:
    pairs = list(zip(terms, map(Fraction, map(float, weights)), strict=True))
    return sum(t * w for t, w in pairs) / sum(w for _, w in pairs)


def _squared(y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray) -> list[float]:
    columns = _columns(y_true, y_pred)
    return [
        float(_mean([(a - b) ** 2 for a, b in zip(t, p, strict=True)], sample_weight))
        for t, p in columns
    ]


def _explained(y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray) -> list[float]:
    scores = []
    for t, p in _columns(y_true, y_pred):
        centre = _mean(t, sample_weight)
        left = _mean([(a - b) ** 2 for a, b in zip(t, p, strict=True)], sample_weight)
        scores.append(float(1 - left / _mean([(a - centre) ** 2 for a in t], sample_weight)))
    return scores


def _deviance(y_true: np.ndarray, y_pred: np.ndarray, sample_weight: np.ndarray) -> float:
    """Of power 1.5: 4 (sqrt(y) - sqrt(p))**2 / sqrt(p)."""
    terms = 4 * (np.sqrt(y_true) - np.sqrt(y_pred)) ** 2 / np.sqrt(y_pred)
    return math.fsum(terms * sample_weight) / math.fsum(sample_weight)


mean_squared_error = c.case(
    dispatched(metrics.mean_squared_error),
    y_true=c.floats((8, 5), low=0.1, high=10),
    y_pred=c.floats((8, 5), low=0.1, high=10),
    sample_weight=c.weights(over=("y_true", "y_pred"), axes=1, kind="integer"),
    multioutput="raw_values",
    oracle=_squared,
    laws=[*LAWS, c.thread_safe],
    not_applicable={c.nothing_hidden: VALUES},
    name="sklearn.metrics.mean_squared_error",
)

r2_score = c.case(
    dispatched(metrics.r2_score),
    y_true=c.floats((8, 5), low=0.1, high=10),
    y_pred=c.floats((8, 5), low=0.1, high=10),
    sample_weight=c.weights(over=("y_true", "y_pred"), axes=1, kind="integer"),
    multioutput="raw_values",
    oracle=_explained,
    laws=LAWS,
    not_applicable={c.nothing_hidden: VALUES},
    name="sklearn.metrics.r2_score",
)

mean_tweedie_deviance = c.case(
    dispatched(metrics.mean_tweedie_deviance),
    y_true=c.floats((8,), low=0.1, high=10),
    y_pred=c.floats((8,), low=0.1, high=10),
    sample_weight=c.weights(over=("y_true", "y_pred")),
    power=1.5,
    oracle=_deviance,
    laws=[c.order_invariant, c.scale_invariant, c.exclusion_is_removal, c.layout_invariant],
    not_applicable={c.nothing_hidden: VALUES, c.stays_home: FLOAT, c.dtype_kept: FLOAT},
    name="sklearn.metrics.mean_tweedie_deviance",
)
