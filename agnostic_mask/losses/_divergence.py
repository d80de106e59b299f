"""Divergences of two distributions, and the angle between two vectors, over one axis."""

import math
from typing import Any

from agnostic_mask._array import Array
from agnostic_mask._declare import scores
from agnostic_mask._dispatch import Dispatch
from agnostic_mask.losses._numeric import (
    class_max,
    class_sum,
    log,
    log_complement,
    ruled_out,
    share_of,
    tiny_of,
)
from agnostic_mask.losses._operands import with_classes


@scores(class_axis="axis", dense=True, harmless=(0.5, 0.5))
def kl_divergence(
    y_true: Array,
    y_pred: Array,
    /,
    *,
    log_input: bool = False,
    log_target: bool = False,
    axis: int = -1,
) -> Array:
    """Kullback-Leibler divergence, ``sum(y (log(y) - log(p)))`` over `axis`.

    Parameters
    ----------
    y_true : array, shape S
        Probability of each class along `axis`, or its logarithm if `log_target`.
    y_pred : array, shape S
        Predicted probability of each class, or its logarithm if `log_input`. Neither is divided
        by its sum.
    log_input : bool
        Whether `y_pred` holds log-probabilities.
    log_target : bool
        Whether `y_true` holds log-probabilities.
    axis : int
        The class axis.

    Returns
    -------
    array, shape S without `axis`
        Scores in nats; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ or there are no classes.
    AxisError
        If `axis` is out of range.

    Notes
    -----
    A class with ``y = 0`` adds nothing. A probability below the smallest normal number of the
    dtype counts as that number. Keras's function of this name clips both at 1e-7. torch's
    `kl_div` takes y_pred first, always its logarithm, and leaves the classes apart.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([[0.0, 1.0]]), np.asarray([[0.5, 0.5]])
    >>> am.losses.kl_divergence(y_true, y_pred).round(4)
    array([0.6931])
    """
    d, y_true, y_pred, axis = with_classes("kl_divergence", y_true, y_pred, axis)
    xp = d.xp
    share = xp.exp(y_true) if log_target else y_true
    log_true = y_true if log_target else log(d, y_true)
    log_pred = y_pred if log_input else log(d, y_pred)
    difference = ruled_out(xp, share, log_true) - ruled_out(xp, share, log_pred)
    return xp.squeeze(class_sum(d, share * difference, axis), axis=axis)


@scores(class_axis="axis", dense=True, harmless=(0.5, 0.5))
def js_divergence(y_true: Array, y_pred: Array, /, *, axis: int = -1) -> Array:
    """Jensen-Shannon divergence, ``(KL(y, m) + KL(p, m)) / 2`` with ``m = (y + p) / 2``.

    Parameters
    ----------
    y_true : array, shape S
        Probability of each class along `axis`.
    y_pred : array, shape S
        Predicted probability of each class. Neither is divided by its sum.
    axis : int
        The class axis.

    Returns
    -------
    array, shape S without `axis`
        Scores in nats, 0 to log(2) for distributions; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ or there are no classes.
    AxisError
        If `axis` is out of range.

    Notes
    -----
    Symmetric, and finite wherever the probabilities are (Lin, 1991). SciPy's `jensenshannon`
    is the square root, of vectors divided by their sums. Probabilities below the smallest normal
    number of the dtype count as 0.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([[0.0, 1.0]]), np.asarray([[1.0, 0.0]])
    >>> am.losses.js_divergence(y_true, y_pred).round(4)
    array([0.6931])
    """
    d, y_true, y_pred, axis = with_classes("js_divergence", y_true, y_pred, axis)
    xp = d.xp
    # y / m = 1 + t and p / m = 1 - t: where y and p are close, so is their t to 0.
    t = share_of(xp, y_true - y_pred, y_true + y_pred)
    parts = y_true * log_complement(d, -t) + y_pred * log_complement(d, t)
    return xp.squeeze(class_sum(d, parts, axis), axis=axis) / 2


@scores(class_axis="axis", dense=True, harmless=(1.0, 1.0))
def cosine_similarity(y_true: Array, y_pred: Array, /, *, axis: int = -1) -> Array:
    """Cosine of the angle between two vectors along `axis`, negated: less is better.

    Parameters
    ----------
    y_true, y_pred : array, shape S
        Vectors along `axis`, of any length.
    axis : int
        The axis of a vector's components.

    Returns
    -------
    array, shape S without `axis`
        Scores from -1, the same direction, to 1, the opposite one; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ or the vectors have no components.
    AxisError
        If `axis` is out of range.

    Notes
    -----
    ``-sum(y p) / sqrt(sum(y**2) sum(p**2))``, with Keras's sign. A vector of zeros scores 0, with
    a gradient of 0; any other is scaled first, so that no square overflows or vanishes. Keras
    divides by no length below 1e-7, and torch by none below 1e-8.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([[0.0, 1.0], [1.0, 1.0]]), np.asarray([[3.0, 4.0], [0.0, 0.0]])
    >>> am.losses.cosine_similarity(y_true, y_pred)
    array([-0.8,  0. ])
    """
    d, y_true, y_pred, axis = with_classes("cosine_similarity", y_true, y_pred, axis)
    xp = d.xp
    y_true, none_true = _scaled(d, y_true, axis)
    y_pred, none_pred = _scaled(d, y_pred, axis)
    none = none_true | none_pred
    squares = _length(d, y_true, axis, none) * _length(d, y_pred, axis, none)
    cosine = class_sum(d, y_true * y_pred, axis) / squares
    return xp.squeeze(xp.where(none, 0.0, -cosine), axis=axis)


def _scaled(d: Dispatch, x: Array, axis: int) -> tuple[Array, Array]:
    """Vectors of components up to 2, the greatest at least 1/2; and which of them are zero."""
    xp = d.xp
    top = class_max(d, xp.abs(x), axis)
    none = top < tiny_of(xp, x)
    # A whole power of two: floor has no derivative, so that the scale counts as a constant.
    exponent = xp.floor(xp.log2(xp.where(none, 1.0, top)))
    return x * 2.0 ** -_within_normal(xp, x, exponent), none


def _within_normal(xp: Any, x: Array, exponent: Array) -> Array:
    # The reciprocal of the greatest numbers would be below the smallest normal number.
    most = -math.log2(tiny_of(xp, x))
    return xp.where(exponent > most, most, exponent)


def _length(d: Dispatch, x: Array, axis: int, none: Array) -> Array:
    squares = class_sum(d, x * x, axis)
    return d.xp.sqrt(d.xp.where(none, 1.0, squares))
