"""Losses of the size of an error beside that of its target, elementwise."""

import math

from agnostic_mask._array import Array
from agnostic_mask._declare import scores
from agnostic_mask.losses._numeric import share_of, tiny_of
from agnostic_mask.losses._operands import paired


@scores(harmless=(1.0, 1.0))
def absolute_percentage_error(y_true: Array, y_pred: Array, /) -> Array:
    """Absolute percentage error, ``100 |y_pred - y_true| / |y_true|``.

    Parameters
    ----------
    y_true, y_pred : array, shape S
        Real; integers and half types are brought to a float type.

    Returns
    -------
    array, shape S
        Scores in percent; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.

    Notes
    -----
    A target of 0 has no percentage: the score is Inf, with a gradient of 0, unless the
    prediction is 0 too, which scores 0. Leave such targets out with ``mask=(y_true != 0)``. Below
    the smallest normal number of the dtype, y_true and an error beside it count as 0.

    Keras's `mean_absolute_percentage_error` is the mean over the last axis, and divides by no
    less than 1e-7, which makes errors of smaller targets too small. scikit-learn's does not
    multiply by 100, and divides by no less than 2.2e-16.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([2.0, -4.0, 0.0]), np.asarray([1.0, -5.0, 1.0])
    >>> am.losses.absolute_percentage_error(y_true, y_pred)
    array([50., 25., inf])
    """
    d, y_true, y_pred = paired(y_true, y_pred)
    xp = d.xp
    tiny, size, error = tiny_of(xp, y_true), xp.abs(y_true), xp.abs(y_pred - y_true)
    nothing = size < tiny
    result = 100 * (error / xp.where(nothing, 1.0, size))
    return xp.where(nothing & (error >= tiny), xp.inf, result)


@scores(harmless=(1.0, 1.0))
def symmetric_absolute_percentage_error(y_true: Array, y_pred: Array, /) -> Array:
    """Symmetric absolute percentage error, ``200 |y_pred - y_true| / (|y_true| + |y_pred|)``.

    Parameters
    ----------
    y_true, y_pred : array, shape S
        Real; integers and half types are brought to a float type.

    Returns
    -------
    array, shape S
        Scores in percent, 0 to 200; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.

    Notes
    -----
    The error divided by the mean of both sizes (Makridakis, 1993; the M4 competition). Where
    both are 0 it is 0, with a gradient of 0. Nothing is added to the divisor.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1.0, 0.0, 0.0]), np.asarray([3.0, 1.0, 0.0])
    >>> am.losses.symmetric_absolute_percentage_error(y_true, y_pred)
    array([100., 200.,   0.])
    """
    d, y_true, y_pred = paired(y_true, y_pred)
    xp = d.xp
    # Halves, whose sum does not overflow, but not of small numbers, which would lose digits.
    large = (xp.abs(y_true) > 1) | (xp.abs(y_pred) > 1)
    y_true, y_pred = (xp.where(large, x / 2, x) for x in (y_true, y_pred))
    error, size = xp.abs(y_pred - y_true), xp.abs(y_true) + xp.abs(y_pred)
    return 200 * share_of(xp, error, size)


@scores(harmless=(0.0, 0.0))
def squared_logarithmic_error(y_true: Array, y_pred: Array, /) -> Array:
    """Squared logarithmic error, ``(log(1 + y_pred) - log(1 + y_true))**2``.

    Parameters
    ----------
    y_true, y_pred : array, shape S
        Above -1; integers and half types are brought to a float type.

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
    Where y_true or y_pred is not above -1 the score is NaN; scikit-learn raises there. Keras's
    `mean_squared_logarithmic_error` is the mean over the last axis, and takes numbers below 1e-7
    for that number, so that it does not tell negative predictions apart.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([0.0, 3.0]), np.asarray([0.0, 7.0])
    >>> am.losses.squared_logarithmic_error(y_true, y_pred).round(4)
    array([0.    , 0.4805])
    """
    d, y_true, y_pred = paired(y_true, y_pred)
    xp = d.xp
    outside = (y_true <= -1) | (y_pred <= -1)
    difference = xp.log1p(xp.where(outside, 0.0, y_pred)) - xp.log1p(xp.where(outside, 0.0, y_true))
    return xp.where(outside, math.nan, difference * difference)
