"""Losses of margins: of a signed label, or between the right class and the others."""

from agnostic_mask._array import Array
from agnostic_mask._declare import scores
from agnostic_mask._dispatch import Dispatch
from agnostic_mask.losses._numeric import class_max, class_sum
from agnostic_mask.losses._operands import paired, with_classes


def _missing(y_true: Array, y_pred: Array) -> tuple[Dispatch, Array]:
    """What is missing to a margin of 1."""
    d, y_true, y_pred = paired(y_true, y_pred)
    sign = d.xp.where(y_true == 0, -1.0, y_true)
    return d, _above_zero(d, 1 - sign * y_pred)


def _above_zero(d: Dispatch, x: Array) -> Array:
    return d.xp.where(x < 0, 0.0, x)


@scores(harmless=(1.0, 0.0))
def hinge(y_true: Array, y_pred: Array, /) -> Array:
    """Hinge loss, ``max(1 - y_true * y_pred, 0)``, elementwise.

    Parameters
    ----------
    y_true : array, shape S
        Labels: -1 or 0 (or False), and 1. Every 0 is taken for -1.
    y_pred : array, shape S
        Signed distances from the boundary.

    Returns
    -------
    array, shape S
        Scores; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.

    Notes
    -----
    Keras's `hinge` is the mean of these over the last axis. It takes 0 for -1 only if all of
    y_true is 0 or 1, so that a label's meaning depends on its batch.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.losses.hinge(np.asarray([1, -1, 0]), np.asarray([0.25, 0.5, -2.0]))
    array([0.75, 1.5 , 0.  ])
    """
    return _missing(y_true, y_pred)[1]


@scores(harmless=(1.0, 0.0))
def squared_hinge(y_true: Array, y_pred: Array, /) -> Array:
    """Squared hinge loss, ``max(1 - y_true * y_pred, 0)**2``, elementwise.

    Parameters
    ----------
    y_true : array, shape S
        Labels: -1 or 0 (or False), and 1. Every 0 is taken for -1.
    y_pred : array, shape S
        Signed distances from the boundary.

    Returns
    -------
    array, shape S
        Scores; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.

    Notes
    -----
    Keras's `squared_hinge` is the mean of these over the last axis; see `hinge` for labels of 0.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.losses.squared_hinge(np.asarray([1, -1, 0]), np.asarray([0.25, 0.5, -2.0]))
    array([0.5625, 2.25  , 0.    ])
    """
    _, missing = _missing(y_true, y_pred)
    return missing * missing


@scores(class_axis="axis", dense=True, harmless=(0.0, 0.0))
def categorical_hinge(y_true: Array, y_pred: Array, /, *, axis: int = -1) -> Array:
    """Margin of the right class, ``max(1 + max((1 - y) p) - sum(y p), 0)`` over `axis`.

    Parameters
    ----------
    y_true : array, shape S
        One-hot labels: 0, and 1 for the right class along `axis`.
    y_pred : array, shape S
        Score of each class.
    axis : int
        The class axis.

    Returns
    -------
    array, shape S without `axis`
        Scores; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ or there are no classes.
    AxisError
        If `axis` is out of range.

    Notes
    -----
    Keras's formula. The right class has 0 in the inner maximum, so that scores below 0 of all
    other classes count as 0.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([[0, 1, 0]]), np.asarray([[0.5, 1.0, 2.0]])
    >>> am.losses.categorical_hinge(y_true, y_pred)
    array([2.])
    """
    d, y_true, y_pred, axis = with_classes("categorical_hinge", y_true, y_pred, axis)
    right = class_sum(d, y_true * y_pred, axis)
    other = class_max(d, (1 - y_true) * y_pred, axis)
    return d.xp.squeeze(_above_zero(d, other - right + 1), axis=axis)
