"""Losses of class probabilities and logits."""

import math
from typing import Any

from agnostic_mask import _labels
from agnostic_mask._array import Array
from agnostic_mask._cover import position
from agnostic_mask._declare import scores
from agnostic_mask._dispatch import Dispatch, resolve
from agnostic_mask._dtypes import is_integer, wide_float
from agnostic_mask._errors import ShapeMismatchError
from agnostic_mask.losses._operands import labelled, paired, smoothed


def _log(xp: Any, p: Array) -> Array:
    """Logarithm of a probability, at least that of the smallest normal number of its dtype."""
    tiny = _tiny(xp, p)
    return xp.log(xp.where(p < tiny, tiny, p))


def _log_complement(xp: Any, p: Array) -> Array:
    """Logarithm of ``1 - p``, accurate for small p; at p = 1 as `_log` of 0."""
    certain = p >= 1
    return xp.where(certain, math.log(_tiny(xp, p)), xp.log1p(-xp.where(certain, 0.0, p)))


def _tiny(xp: Any, p: Array) -> float:
    return float(xp.finfo(p.dtype).smallest_normal)


def _sum(d: Dispatch, x: Array, axis: int) -> Array:
    """Sum over the class axis, kept as a dimension of 1: accumulated in float64, in x's dtype."""
    with d.backend.wide():
        wide = wide_float(d.xp, d.device, d.backend)
        total = d.xp.sum(x, axis=axis, keepdims=True, dtype=wide)
        return d.backend.as_array(d.xp.astype(total, x.dtype))


def _log_normaliser(d: Dispatch, logits: Array, axis: int) -> tuple[Array, Array]:
    """Logits less their maximum over `axis`, and the log of the sum of their exponentials."""
    xp = d.xp
    # Dask cannot take the maximum of chunks without elements.
    empty = 0 in logits.shape
    shifted = logits if empty else logits - xp.max(logits, axis=axis, keepdims=True)
    return shifted, xp.log(_sum(d, xp.exp(shifted), axis))


@scores(harmless=(0.5, 0.5))
def binary_crossentropy(
    y_true: Array,
    y_pred: Array,
    /,
    *,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Array:
    """Binary cross-entropy, ``-y log(p) - (1 - y) log(1 - p)``, elementwise.

    Parameters
    ----------
    y_true : array, shape S
        Probability of the positive class, 0 to 1; booleans and integers are taken as such.
    y_pred : array, shape S
        Predicted probability, or logit if `from_logits`.
    from_logits : bool
        Whether `y_pred` holds logits x, with ``p = 1 / (1 + exp(-x))``.
    label_smoothing : float
        Share, 0 to 1, by which `y_true` is moved towards 1/2.

    Returns
    -------
    array, shape S
        Scores in nats; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.
    ValueError
        If `label_smoothing` is out of range.

    Notes
    -----
    A probability below the smallest normal number of the dtype counts as that number, so a
    score is at most 87.4 in float32 and 708.4 in float64 and a term with factor 0 is 0. Keras's
    function of this name clips at 1e-7 and averages over the last axis.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.losses.binary_crossentropy(np.asarray([1, 0]), np.asarray([1.0, 0.5])).round(4)
    array([0.    , 0.6931])
    """
    d, y_true, y_pred = paired(y_true, y_pred)
    xp = d.xp
    y_true = smoothed(y_true, label_smoothing, 2)
    if not from_logits:
        return -(y_true * _log(xp, y_pred)) - (1 - y_true) * _log_complement(xp, y_pred)
    size = xp.abs(y_pred)
    against = xp.where(y_pred > 0, 1 - y_true, y_true)
    # Certain and right costs nothing, however certain: 0 times Inf is not meant.
    distance = xp.where((against == 0) & (size == xp.inf), 0.0, size)
    return against * distance + xp.log1p(xp.exp(-size))


@scores(class_axis="axis", harmless=(0.5, 0.5))
def categorical_crossentropy(
    y_true: Array,
    y_pred: Array,
    /,
    *,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Cross-entropy of distributions over classes, ``-sum(y log(p))`` over `axis`.

    Parameters
    ----------
    y_true : array, shape S
        Probability of each class along `axis`, such as one-hot labels.
    y_pred : array, shape S
        Predicted probability of each class, divided by its sum over `axis`; or logits if
        `from_logits`.
    from_logits : bool
        Whether `y_pred` holds logits, whose softmax over `axis` is the probability.
    label_smoothing : float
        Share, 0 to 1, by which `y_true` is moved towards 1 / (number of classes).
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
    ValueError
        If `label_smoothing` is out of range.

    Notes
    -----
    A probability below the smallest normal number of the dtype counts as that number. Keras's
    function of this name clips at 1e-7.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([[0.0, 1.0]]), np.asarray([[0.5, 0.5]])
    >>> am.losses.categorical_crossentropy(y_true, y_pred).round(4)
    array([0.6931])
    """
    d, y_true, y_pred = paired(y_true, y_pred)
    axis = position(axis, len(y_pred.shape), "y_pred")
    xp = d.xp
    classes = _classes(y_pred, axis)
    y_true = smoothed(y_true, label_smoothing, classes)
    if from_logits:
        shifted, log_sum = _log_normaliser(d, y_pred, axis)
        logs = shifted - log_sum
        # A class that is ruled out by a logit of -Inf costs nothing where it has no share.
        logs = xp.where((logs == -xp.inf) & (y_true == 0), 0.0, logs)
    else:
        logs = _log(xp, y_pred / _sum(d, y_pred, axis))
    return -xp.squeeze(_sum(d, y_true * logs, axis), axis=axis)


def _not_ignored(y_true: Array, *, ignore_class: int | None, **_: Any) -> Array | None:
    if ignore_class is None:
        return None
    d = resolve((("y_true", y_true),))
    # What is not an integer the loss itself refuses, with a better message.
    return ~_labels.equal(d, y_true, ignore_class) if is_integer(d.xp, y_true) else None


@scores(class_axis="axis", harmless=(0.0, 0.5), included=_not_ignored)
def sparse_categorical_crossentropy(
    y_true: Array,
    y_pred: Array,
    /,
    *,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Array:
    """Cross-entropy of integer labels, ``-log(p[label])``.

    Parameters
    ----------
    y_true : array of int, shape S without `axis`
        Labels from 0 to (number of classes) - 1. The score of any other is NaN, unless it is
        `ignore_class`: never another class's.
    y_pred : array, shape S
        Predicted probability of each class, divided by its sum over `axis`; or logits if
        `from_logits`.
    from_logits : bool
        Whether `y_pred` holds logits, whose softmax over `axis` is the probability.
    ignore_class : int, optional
        Label, possibly negative, of rows whose score is 0. An objective leaves them out
        of its denominators too, if it can see the option: give it by `functools.partial`,
        for a lambda hides it.
    axis : int
        The class axis.

    Returns
    -------
    array, shape S without `axis`
        Scores in nats; float32 or float64.

    Raises
    ------
    UnsupportedArrayError
        If `y_true` does not hold integers.
    ShapeMismatchError
        If the shapes do not fit or there are no classes.
    AxisError
        If `axis` is out of range.

    Notes
    -----
    A probability below the smallest normal number of the dtype counts as that number. Keras's
    function of this name clips at 1e-7.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1]), np.asarray([[0.5, 0.5]])
    >>> am.losses.sparse_categorical_crossentropy(y_true, y_pred).round(4)
    array([0.6931])
    """
    d, labels, y_pred, axis = labelled(y_true, y_pred, axis)
    xp = d.xp
    shape = [1] * len(y_pred.shape)
    shape[axis] = _classes(y_pred, axis)
    classes = xp.reshape(xp.arange(shape[axis], device=d.device), tuple(shape))
    labels = xp.expand_dims(labels, axis=axis)
    ignored = None if ignore_class is None else _labels.equal(d, labels, ignore_class)
    valid, labels = _labels.below(d, labels, shape[axis])
    chosen = labels == classes
    if from_logits:
        shifted, log_sum = _log_normaliser(d, y_pred, axis)
        result = log_sum - _sum(d, xp.where(chosen, shifted, 0.0), axis)
    else:
        share = _sum(d, xp.where(chosen, y_pred, 0.0), axis) / _sum(d, y_pred, axis)
        result = -_log(xp, share)
    result = xp.where(valid, result, math.nan)
    if ignored is not None:
        result = xp.where(ignored, 0.0, result)
    return xp.squeeze(result, axis=axis)


def _classes(y_pred: Array, axis: int) -> int:
    n = int(y_pred.shape[axis])
    if n == 0:
        raise ShapeMismatchError(
            f"y_pred has shape {tuple(y_pred.shape)}, with no classes along axis {axis}; expected "
            f"at least one"
        )
    return n
