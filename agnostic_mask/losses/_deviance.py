"""Losses that are negative log-likelihoods or deviances of a distribution about its mean."""

import math
from typing import Any

from agnostic_mask._array import Array
from agnostic_mask._declare import scores
from agnostic_mask._dtypes import cast, wide_float
from agnostic_mask._errors import ShapeMismatchError
from agnostic_mask.losses._numeric import floored, log, ruled_out, tiny_of
from agnostic_mask.losses._operands import beside_classes, paired, positive, tweedie_power


@scores(harmless=(1.0, 1.0))
def poisson(y_true: Array, y_pred: Array, /, *, log_input: bool = False) -> Array:
    """Poisson loss, ``p - y log(p)``, or ``exp(x) - y x`` of the logarithm x of p, elementwise.

    Parameters
    ----------
    y_true : array, shape S
        Counts; any number of at least 0.
    y_pred : array, shape S
        Predicted mean, of at least 0, or its logarithm if `log_input`.
    log_input : bool
        Whether `y_pred` holds logarithms.

    Returns
    -------
    array, shape S
        Scores in nats, up to a term of y_true alone; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.

    Notes
    -----
    A mean below the smallest normal number of the dtype has that number's logarithm; of a mean
    below 0 the score is NaN. `tweedie_deviance` with ``power=1`` is 0 at its best. Keras's
    function of this name is the mean over the last axis, and adds 1e-7 to p in the logarithm.
    torch's `poisson_nll_loss` takes logarithms unless told otherwise, and adds 1e-8.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.losses.poisson(np.asarray([0.0, 2.0]), np.asarray([0.5, 1.0]))
    array([0.5, 1. ])
    """
    d, y_true, y_pred = paired(y_true, y_pred)
    xp = d.xp
    if log_input:
        return xp.exp(y_pred) - y_true * ruled_out(xp, y_true, y_pred)
    return xp.where(y_pred < 0, math.nan, y_pred - y_true * log(d, y_pred))


@scores(class_axis="axis", dense=False, harmless=(0.0, 1.0))
def gaussian_nll(
    y_true: Array,
    y_pred: Array,
    /,
    *,
    full: bool = False,
    epsilon: float = 1e-6,
    axis: int = -1,
) -> Array:
    """Negative log-likelihood of a normal distribution, ``(log(v) + (y - m)**2 / v) / 2``.

    Parameters
    ----------
    y_true : array, shape S without `axis`
        Targets y.
    y_pred : array, shape S
        Predicted mean m and variance v, in this order, along `axis`, which has length 2.
    full : bool
        Whether to add the constant ``log(2 pi) / 2``.
    epsilon : float
        The least variance, in the unit of y squared; a lesser one counts as that. Above 0.
    axis : int
        The axis of mean and variance.

    Returns
    -------
    array, shape S without `axis`
        Scores in nats; float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes do not fit or `axis` does not have length 2.
    AxisError
        If `axis` is out of range.
    ValueError
        If `epsilon` is not above 0.

    Notes
    -----
    torch's `gaussian_nll_loss`, which calls it `eps`, with two differences: a variance below
    `epsilon` has a gradient of 0, where torch's is that at `epsilon`; and one below 0 scores NaN,
    where torch raises.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.losses.gaussian_nll(np.asarray([3.0]), np.asarray([[1.0, 4.0]])).round(4)
    array([1.1931])
    """
    positive("epsilon", epsilon)
    d, y_true, y_pred, axis = beside_classes("gaussian_nll", y_true, y_pred, axis)
    if y_pred.shape[axis] != 2:
        raise ShapeMismatchError(
            f"y_pred has shape {tuple(y_pred.shape)}; gaussian_nll expects mean and variance "
            f"along axis {axis}, which has length {y_pred.shape[axis]}. Make it of both: "
            f"xp.stack((mean, variance), axis={axis})"
        )
    xp = d.xp
    before = (slice(None),) * axis
    after = (slice(None),) * (len(y_pred.shape) - axis - 1)
    mean, given = (y_pred[(*before, slice(i, i + 1), *after)] for i in range(2))
    variance = xp.where(given < epsilon, epsilon, given)
    residual = y_true - mean
    result = (xp.log(variance) + residual * (residual / variance)) / 2
    result = result + math.log(2 * math.pi) / 2 if full else result
    return xp.squeeze(xp.where(given < 0, math.nan, result), axis=axis)


@scores(harmless=(1.0, 1.0))
def gamma_deviance(y_true: Array, y_pred: Array, /) -> Array:
    """Unit deviance of a gamma distribution, ``2 (log(p / y) + y / p - 1)``, elementwise.

    Parameters
    ----------
    y_true, y_pred : array, shape S
        Above 0.

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
    This is `tweedie_deviance` with ``power=2``; see there.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.losses.gamma_deviance(np.asarray([1.0, 2.0]), np.asarray([1.0, 1.0])).round(4)
    array([0.    , 0.6137])
    """
    return tweedie_deviance(y_true, y_pred, power=2)


@scores(harmless=(1.0, 1.0))
def tweedie_deviance(y_true: Array, y_pred: Array, /, *, power: float = 0.0) -> Array:
    """Unit deviance of a Tweedie distribution, whose variance is its mean to `power`.

    Parameters
    ----------
    y_true : array, shape S
        Real where ``power <= 0``; at least 0 where ``1 <= power < 2``; above 0 where
        ``power >= 2``.
    y_pred : array, shape S
        Predicted mean: real where ``power == 0``, else above 0.
    power : float
        0: normal, the squared error. 1: Poisson. 1 to 2: compound Poisson, with zeros. 2: gamma.
        3: inverse Gaussian. Between 0 and 1 there is no such distribution.

    Returns
    -------
    array, shape S
        Scores, 0 where both are equal (where ``power < 0``: and above 0); float32 or float64.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.
    ValueError
        If `power` lies between 0 and 1, or is not finite.

    Notes
    -----
    With q the power::

        q = 0:  (y - p)**2
        q = 1:  2 (y log(y / p) - y + p)
        q = 2:  2 (log(p / y) + y / p - 1)
        else:   2 (max(y, 0)**(2 - q) / ((1 - q) (2 - q)) - y p**(1 - q) / (1 - q)
                   + p**(2 - q) / (2 - q))

    scikit-learn's `mean_tweedie_deviance` is the mean of these, and raises where y_true or y_pred
    is out of range: here the score is NaN. A mean of 0 counts as the smallest normal number of
    the dtype, so that a model which predicts 0 keeps a score, which may be Inf.

    Terms cancel where p is near y. Where ``q != 0`` they are computed in float64, in which the
    relative error of a score is about ``eps p / |y - p|``: that of float32 scores is theirs. On a
    device without float64, eps is float32's.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([0.0, 4.0]), np.asarray([1.0, 1.0])
    >>> am.losses.tweedie_deviance(y_true, y_pred, power=1.5)
    array([4., 4.])
    """
    tweedie_power(power)
    d, y_true, y_pred = paired(y_true, y_pred)
    xp = d.xp
    if power == 0:
        residual = y_pred - y_true
        return residual * residual
    outside = y_pred < 0
    if power >= 2:
        outside = outside | (y_true < tiny_of(xp, y_true))
    elif power >= 1:
        outside = outside | (y_true < 0)
    y_true, y_pred = (xp.where(outside, 1.0, x) for x in (y_true, floored(d, y_pred)))
    tiny = tiny_of(xp, y_true)
    with d.backend.wide():
        wide = wide_float(xp, d.device, d.backend)
        result = _deviance(xp, cast(xp, y_true, wide), cast(xp, y_pred, wide), power, tiny)
        return cast(xp, xp.where(outside, math.nan, result), y_pred.dtype)


def _deviance(xp: Any, y: Array, p: Array, power: float, tiny: float) -> Array:
    """Deviance where a y below `tiny` counts as 0, or in logarithms as `tiny`."""
    nothing = y < tiny
    ratio = _log_ratio(xp, xp.where(nothing, tiny, y), p)
    if power == 2:
        # The ratio by way of its logarithm has no derivative that overflows before it does.
        return 2 * (xp.expm1(ratio) - ratio)
    if power == 1:
        return 2 * (y * ratio - (y - p))
    # Differences of powers, not of sums of them: what is left where y and p are close is exact.
    a, b = 1 - power, 2 - power
    growth = b * xp.where(nothing, 0.0, ratio)
    far = growth > 1  # where the exponential may overflow, and the powers are far apart
    near = p**b * xp.where(nothing, -1.0, xp.expm1(xp.where(far, 0.0, growth)))
    grown = xp.where(far, xp.where(far, y, 1.0) ** b - p**b, near)
    return (2 / a) * (grown / b - p**a * (y - p))


def _log_ratio(xp: Any, y: Array, p: Array) -> Array:
    """``log(y / p)``, accurate also where both are close."""
    # Derivatives divide by the square of p, which must not be 0.
    close = (xp.abs(y - p) <= p / 4) & (p >= math.sqrt(tiny_of(xp, p)))
    change = xp.where(close, y - p, 0.0) / xp.where(close, p, 1.0)
    return xp.where(close, xp.log1p(change), xp.log(y) - xp.log(p))
