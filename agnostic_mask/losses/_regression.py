"""Losses of real targets, elementwise."""

from agnostic_mask._array import Array
from agnostic_mask._declare import scores
from agnostic_mask.losses._operands import paired


@scores(harmless=(0.0, 0.0))
def squared_error(y_true: Array, y_pred: Array, /) -> Array:
    """Squared error, ``(y_pred - y_true)**2``.

    Parameters
    ----------
    y_true, y_pred : array, shape S
        Real; integers and half types are brought to a float type.

    Returns
    -------
    array, shape S
        Scores, in the unit of y squared; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.

    Notes
    -----
    Keras's `mean_squared_error` is the mean of these over the last axis.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.losses.squared_error(np.asarray([1.0, 2.0]), np.asarray([1.5, 0.0]))
    array([0.25, 4.  ])
    """
    _, y_true, y_pred = paired(y_true, y_pred)
    residual = y_pred - y_true
    return residual * residual


@scores(harmless=(0.0, 0.0))
def absolute_error(y_true: Array, y_pred: Array, /) -> Array:
    """Absolute error, ``|y_pred - y_true|``.

    Parameters
    ----------
    y_true, y_pred : array, shape S
        Real; integers and half types are brought to a float type.

    Returns
    -------
    array, shape S
        Scores, in the unit of y; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.

    Notes
    -----
    Keras's `mean_absolute_error` is the mean of these over the last axis.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.losses.absolute_error(np.asarray([1.0, 2.0]), np.asarray([1.5, 0.0]))
    array([0.5, 2. ])
    """
    d, y_true, y_pred = paired(y_true, y_pred)
    return d.xp.abs(y_pred - y_true)


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
    if not delta > 0:
        raise ValueError(f"delta is {delta!r}; expected a number above 0")
    d, y_true, y_pred = paired(y_true, y_pred)
    xp = d.xp
    residual = xp.abs(y_pred - y_true)
    # Clipping before squaring keeps the square, and its gradient, finite for large residuals.
    near = xp.where(residual <= delta, residual, delta)
    return near * (residual - near / 2)
