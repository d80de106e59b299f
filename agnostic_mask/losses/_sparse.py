"""Losses of integer labels, one a row."""

import math
from typing import Any, NamedTuple

from agnostic_mask import _labels
from agnostic_mask._array import Array
from agnostic_mask._declare import scores
from agnostic_mask._dispatch import Dispatch, resolve
from agnostic_mask._dtypes import is_integer
from agnostic_mask.losses._numeric import (
    class_sum,
    log,
    log_normaliser,
    share_of,
    tiny_of,
)
from agnostic_mask.losses._operands import labelled, option


def not_ignored(y_true: Array, *, ignore_class: int | None, **_: Any) -> Array | None:
    if ignore_class is None:
        return None
    d = resolve((("y_true", y_true),))
    # What is not an integer the loss itself refuses, with a better message.
    return ~_labels.equal(d, y_true, ignore_class) if is_integer(d.xp, y_true) else None


@scores(class_axis="axis", dense=False, harmless=(0.0, 0.5), included=not_ignored)
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
    A probability below the smallest normal number of the dtype counts as that number; so does
    each of a row whose sum is below it, of zeros say. Keras's function of this name clips at 1e-7.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1]), np.asarray([[0.5, 0.5]])
    >>> am.losses.sparse_categorical_crossentropy(y_true, y_pred).round(4)
    array([0.6931])
    """
    name = "sparse_categorical_crossentropy"
    d, labels, y_pred, axis = labelled(name, y_true, y_pred, axis)
    chosen = _chosen(d, labels, y_pred, axis)
    if from_logits:
        top, log_sum = log_normaliser(d, y_pred, axis)
        # Picked before it is shifted, so that a compiler need not keep what is shifted.
        result = log_sum - (_of_label(d, chosen, y_pred, axis) - top)
    else:
        p = _of_label(d, chosen, y_pred, axis)
        result = 0 - log(d, share_of(d.xp, p, class_sum(d, y_pred, axis)))
    return _finished(d, result, chosen, axis, ignore_class)


@scores(class_axis="axis", dense=False, harmless=(0.0, 0.5), included=not_ignored)
def nll(
    y_true: Array,
    y_pred: Array,
    /,
    *,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Array:
    """Negative log-likelihood of integer labels, ``-y_pred[label]`` of log-probabilities.

    Parameters
    ----------
    y_true : array of int, shape S without `axis`
        Labels from 0 to (number of classes) - 1. The score of any other is NaN, unless it is
        `ignore_class`.
    y_pred : array, shape S
        Logarithm of the predicted probability of each class.
    ignore_class : int, optional
        Label, possibly negative, of rows whose score is 0; an objective leaves them out of its
        denominators too. See `sparse_categorical_crossentropy`.
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
    torch's `nll_loss` has the class axis second, calls `ignore_class` `ignore_index`, and
    ignores -100 unless told otherwise. Keras has no such function.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.losses.nll(np.asarray([1, 0]), np.log(np.asarray([[0.5, 0.5], [1.0, 0.5]]))).round(4)
    array([0.6931, 0.    ])
    """
    d, labels, y_pred, axis = labelled("nll", y_true, y_pred, axis)
    chosen = _chosen(d, labels, y_pred, axis)
    result = 0 - _of_label(d, chosen, y_pred, axis)
    return _finished(d, result, chosen, axis, ignore_class)


@scores(class_axis="axis", dense=False, harmless=(0.0, 0.5))
def categorical_generalized_cross_entropy(
    y_true: Array, y_pred: Array, /, *, q: float = 0.5, axis: int = -1
) -> Array:
    """Generalised cross-entropy of integer labels, ``(1 - p[label]**q) / q``.

    Between the cross-entropy, its limit for q towards 0, and the absolute error ``1 - p`` at
    ``q = 1``, which noise in the labels harms less (Zhang and Sabuncu, 2018).

    Parameters
    ----------
    y_true : array of int, shape S without `axis`
        Labels from 0 to (number of classes) - 1. The score of any other is NaN.
    y_pred : array, shape S
        Predicted probability of each class, as it is: not divided by the sum.
    q : float
        Above 0, at most 1.
    axis : int
        The class axis.

    Returns
    -------
    array, shape S without `axis`
        Scores from 0 to 1 / q; float32 or float64.

    Raises
    ------
    UnsupportedArrayError
        If `y_true` does not hold integers.
    ShapeMismatchError
        If the shapes do not fit or there are no classes.
    AxisError
        If `axis` is out of range.
    ValueError
        If `q` is out of range.

    Notes
    -----
    Below the smallest normal number of the dtype a probability counts as 0, where the score
    is 1 / q and the gradient 0. Keras's function of this name has no default for q (its class
    has 0.5), no `axis`, and drops a dimension of 1 from the labels.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1, 0]), np.asarray([[0.75, 0.25], [0.0, 1.0]])
    >>> am.losses.categorical_generalized_cross_entropy(y_true, y_pred)
    array([1., 2.])
    """
    option("q", q, lambda x: 0 < x <= 1, "a number above 0 and at most 1")
    name = "categorical_generalized_cross_entropy"
    d, labels, y_pred, axis = labelled(name, y_true, y_pred, axis)
    chosen = _chosen(d, labels, y_pred, axis)
    p = _of_label(d, chosen, y_pred, axis)
    result = -d.xp.expm1(q * log(d, p)) / q
    result = d.xp.where(p < tiny_of(d.xp, p), 1 / q, result)
    return _finished(d, result, chosen, axis)


class _Chosen(NamedTuple):
    """Labels with a dimension of 1 for classes, which are in range, and as indices that are."""

    labels: Array
    valid: Array
    index: Array


def _chosen(d: Dispatch, labels: Array, y_pred: Array, axis: int) -> _Chosen:
    labels = d.xp.expand_dims(labels, axis=axis)
    valid, index = _labels.below(d, labels, int(y_pred.shape[axis]))
    return _Chosen(labels, valid, index)


def _of_label(d: Dispatch, chosen: _Chosen, values: Array, axis: int) -> Array:
    """The one value of each row that its label names; others may be Inf or NaN."""
    xp, rank = d.xp, len(values.shape)
    index = chosen.index
    if axis != rank - 1:
        order = (*(i for i in range(rank) if i != axis), axis)
        values, index = xp.permute_dims(values, order), xp.permute_dims(index, order)
    found = d.backend.take_along_axis(values, index)
    if axis == rank - 1:
        return found
    return xp.expand_dims(xp.squeeze(found, axis=rank - 1), axis=axis)


def _finished(
    d: Dispatch, result: Array, chosen: _Chosen, axis: int, ignore_class: int | None = None
) -> Array:
    xp = d.xp
    result = xp.where(chosen.valid, result, math.nan)
    if ignore_class is not None:
        result = xp.where(_labels.equal(d, chosen.labels, ignore_class), 0.0, result)
    return xp.squeeze(result, axis=axis)
