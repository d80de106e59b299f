"""Losses of real targets, elementwise: powers of the residual, and the quantile loss."""

from agnostic_mask._array import Array
from agnostic_mask._declare import scores
from agnostic_mask.losses._operands import option, paired


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
def pinball(y_true: Array, y_pred: Array, /, *, quantile: float = 0.5) -> Array:
    """Pinball (quantile) loss, ``max(q r, (q - 1) r)`` of ``r = y_true - y_pred``.

    The best constant is the quantile q of y_true (Koenker and Bassett, 1978).

    Parameters
    ----------
    y_true, y_pred : array, shape S
        Real; integers and half types are brought to a float type.
    quantile : float
        Between 0 and 1, neither of them.

    Returns
    -------
    array, shape S
        Scores, in the unit of y; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.
    ValueError
        If `quantile` is out of range.

    Notes
    -----
    scikit-learn's `mean_pinball_loss` is the mean of these, its `alpha` the quantile. At
    ``quantile=0.5`` it is half the absolute error.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.losses.pinball(np.asarray([1.0, 2.0]), np.asarray([2.0, 1.0]), quantile=0.75)
    array([0.25, 0.75])
    """
    option("quantile", quantile, lambda x: 0 < x < 1, "a number between 0 and 1")
    d, y_true, y_pred = paired(y_true, y_pred)
    residual = y_true - y_pred
    return d.xp.where(residual < 0, (quantile - 1) * residual, quantile * residual)
