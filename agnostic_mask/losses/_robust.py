"""Losses of real targets that grow linearly with a large residual, elementwise."""

import math
from typing import Any

from agnostic_mask._array import Array
from agnostic_mask._declare import scores
from agnostic_mask.losses._operands import paired, positive


@scores(harmless=(0.0, 0.0))
def huber(y_true: Array, y_pred: Array, /, *, delta: float = 1.0) -> Array:
    """Huber loss: squared near zero, linear beyond `delta`.

    With ``r = |y_pred - y_true|``: ``r**2 / 2`` if ``r <= delta``, else
    ``delta * (r - delta / 2)`` (Huber, 1964).

    Parameters
    ----------
    y_true, y_pred : array, shape S
        Real; integers and half types are brought to a float type.
    delta : float
        Where the linear part begins, in the unit of y; above 0.

    Returns
    -------
    array, shape S
        Scores, in the unit of y squared; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.
    ValueError
        If `delta` is not above 0.

    Notes
    -----
    Keras's `huber` is the mean of these over the last axis.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.losses.huber(np.asarray([1.0, 2.0]), np.asarray([1.5, 0.0]))
    array([0.125, 1.5  ])
    """
    positive("delta", delta)
    d, y_true, y_pred = paired(y_true, y_pred)
    xp = d.xp
    residual = xp.abs(y_pred - y_true)
    near = _clipped(xp, residual, delta)
    return near * (residual - near / 2)


@scores(harmless=(0.0, 0.0))
def smooth_l1(y_true: Array, y_pred: Array, /, *, beta: float = 1.0) -> Array:
    """Smooth L1 loss: squared near zero, absolute error less ``beta / 2`` beyond `beta`.

    With ``r = |y_pred - y_true|``: ``r**2 / (2 beta)`` if ``r <= beta``, else
    ``r - beta / 2`` (Girshick, 2015). It is `huber` with ``delta=beta``, divided by beta.

    Parameters
    ----------
    y_true, y_pred : array, shape S
        Real; integers and half types are brought to a float type.
    beta : float
        Where the linear part begins, in the unit of y; above 0.

    Returns
    -------
    array, shape S
        Scores, in the unit of y; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.
    ValueError
        If `beta` is not above 0.

    Notes
    -----
    torch's `smooth_l1_loss`, which also takes ``beta=0``: that is `absolute_error`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.losses.smooth_l1(np.asarray([1.0, 2.0]), np.asarray([1.5, 0.0]), beta=0.5)
    array([0.25, 1.75])
    """
    positive("beta", beta)
    d, y_true, y_pred = paired(y_true, y_pred)
    xp = d.xp
    residual = xp.abs(y_pred - y_true)
    near = _clipped(xp, residual, beta)
    return near / beta * (residual - near / 2)


@scores(harmless=(0.0, 0.0))
def log_cosh(y_true: Array, y_pred: Array, /) -> Array:
    """Logarithm of the hyperbolic cosine of the residual, ``log(cosh(y_pred - y_true))``.

    About ``r**2 / 2`` for small residuals r and ``|r| - log(2)`` for large ones.

    Parameters
    ----------
    y_true, y_pred : array, shape S
        Real; integers and half types are brought to a float type.

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
    Keras's `log_cosh` is the mean of these over the last axis. It subtracts log(2) from a number
    near to it, so in float32 it is off by up to 6e-8: of a residual of 1e-4, whose score is
    5e-9, nothing is left. Here small scores are exact to a few units in the last place.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.losses.log_cosh(np.asarray([0.0, 0.0]), np.asarray([1.0, 1000.0])).round(4)
    array([4.338000e-01, 9.993069e+02])
    """
    d, y_true, y_pred = paired(y_true, y_pred)
    xp = d.xp
    residual = xp.abs(y_pred - y_true)
    is_near = residual < 1
    # With e = exp(-r) - 1: cosh(r) = 1 + e**2 / (2 (1 + e)).
    e = xp.expm1(-xp.where(is_near, residual, 1.0))
    far = xp.where(is_near, 1.0, residual)
    log_far = far + xp.log1p(xp.exp(-2 * far)) - math.log(2)
    return xp.where(is_near, xp.log1p(e * e / (2 * (1 + e))), log_far)


@scores(harmless=(0.0, 0.0))
def charbonnier(y_true: Array, y_pred: Array, /, *, epsilon: float = 1e-3) -> Array:
    """Charbonnier loss, ``sqrt((y_pred - y_true)**2 + epsilon**2)``.

    A smooth absolute error, of which `epsilon` is the least value (Charbonnier et al., 1994).

    Parameters
    ----------
    y_true, y_pred : array, shape S
        Real; integers and half types are brought to a float type.
    epsilon : float
        Where it bends, in the unit of y; above 0.

    Returns
    -------
    array, shape S
        Scores, in the unit of y; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.
    ValueError
        If `epsilon` is not above 0.

    Notes
    -----
    Nothing is squared that could overflow. The default is that of Lai et al. (2017).

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.losses.charbonnier(np.asarray([1.0, 2.0]), np.asarray([1.0, 5.0]), epsilon=4.0)
    array([4., 5.])
    """
    positive("epsilon", epsilon)
    d, y_true, y_pred = paired(y_true, y_pred)
    xp = d.xp
    residual = xp.abs(y_pred - y_true)
    is_near = residual <= epsilon
    least = xp.where(is_near, residual, epsilon)
    most = xp.where(is_near, epsilon, residual)
    ratio = least / most
    return most * xp.sqrt(1 + ratio * ratio)


def _clipped(xp: Any, residual: Array, bound: float) -> Array:
    # Clipping before squaring keeps the square, and its gradient, finite for large residuals.
    return xp.where(residual <= bound, residual, bound)
