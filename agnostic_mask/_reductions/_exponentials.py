"""Reductions of exponentials, which cannot overflow."""

from agnostic_mask import _staged
from agnostic_mask._array import Array
from agnostic_mask._dtypes import cast
from agnostic_mask._reductions._plan import Axis, Plan, plan


def logsumexp(
    x: Array,
    /,
    *,
    mask: Array | None = None,
    weights: Array | None = None,
    axis: Axis = None,
    keepdims: bool = False,
    by: Array | None = None,
    num_groups: int | None = None,
) -> Array:
    """Logarithm of the sum of the exponentials of included elements, ``log(sum(w exp(x)))``.

    Parameters
    ----------
    x, mask, weights, axis, keepdims, by, num_groups
        As for `sum`. Weights are SciPy's `b`.

    Returns
    -------
    array
        Float type of x (at least float32), else of the weights, else the default. Of nothing, and
        where the weighted sum is 0: -Inf; where it is negative: NaN.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError
    ValueError
        As for `sum`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> value = am.logsumexp(np.asarray([1000.0, 1000.0, np.nan]), mask=np.asarray([1, 1, 0]))
    >>> round(float(value), 3)
    1000.693
    """
    p = plan(x, mask, weights, axis, keepdims, by, num_groups)
    xp = p.d.xp
    with p.d.backend.wide():
        joint = p.inclusion()
        exponentials, top = _shifted_exponentials(p, joint.include)
        total = p.totals.weighted_sum(exponentials, joint)
        log = xp.log(xp.where(total > 0, total, 1.0)) + cast(xp, top, total.dtype)
        log = xp.where(total == 0, -xp.inf, log)
        log = xp.where(total < 0, xp.nan, log)
        return p.finish(xp.where(xp.isnan(total), xp.nan, log), p.dtype)


def softmax(x: Array, /, *, mask: Array | None = None, axis: Axis = None) -> Array:
    """Exponentials of included elements divided by their sum over `axis`.

    Parameters
    ----------
    x, mask, axis
        As for `sum`.

    Returns
    -------
    array, shape of x
        Float type of x (at least float32), else the default. 0 where excluded, also where nothing
        is included, and where every included element is -Inf.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.softmax(np.asarray([1000.0, 1000.0, np.nan]), mask=np.asarray([True, True, False]))
    array([0.5, 0.5, 0. ])
    """
    p = plan(x, mask, None, axis, keepdims=True)
    xp = p.d.xp
    with p.d.backend.wide():
        joint = p.inclusion()
        exponentials, _ = _shifted_exponentials(p, joint.include)
        total = p.totals.weighted_sum(exponentials, joint)
        total = cast(xp, xp.where(total == 0, 1.0, total), exponentials.dtype)
        # Inf / Inf is NaN too, but not without a warning.
        exponentials = xp.where(exponentials == xp.inf, xp.nan, exponentials)
        return p.d.backend.as_array(cast(xp, exponentials / total, p.dtype))


def log_softmax(x: Array, /, *, mask: Array | None = None, axis: Axis = None) -> Array:
    """Logarithm of `softmax`, ``x - logsumexp(x)``, which cannot vanish.

    Parameters
    ----------
    x, mask, axis
        As for `softmax`.

    Returns
    -------
    array, shape of x
        Float type of x (at least float32). -Inf where excluded, the logarithm of softmax's 0, and
        where every included element is -Inf.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError

    Notes
    -----
    0 times -Inf is NaN: give what you compute from it the same mask, which leaves -Inf out.
    Where every included element is -Inf, SciPy's and torch's give NaN.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.log_softmax(np.asarray([0.0, 1000.0, np.nan]), mask=np.asarray([True, True, False]))
    array([-1000.,     0.,   -inf])
    """
    p = plan(x, mask, None, axis, keepdims=True)
    xp = p.d.xp
    with p.d.backend.wide():
        joint = p.inclusion()
        shifted, _ = _shifted(p, joint.include)
        exponentials = _staged.select(xp, joint.include, xp.exp(shifted), 0.0)
        total = p.totals.weighted_sum(exponentials, joint)
        # Inf - Inf is NaN too, but not without a warning.
        shifted = cast(xp, xp.where(shifted == xp.inf, xp.nan, shifted), total.dtype)
        logarithm = shifted - xp.log(xp.where(total == 0, 1.0, total))
        value = _staged.select(xp, joint.include, cast(xp, logarithm, p.dtype), -xp.inf)
        return p.d.backend.as_array(value)


def _shifted_exponentials(p: Plan, include: Array | None) -> tuple[Array, Array]:
    """``exp(x - top)``, 0 where excluded, and `top`."""
    shifted, top = _shifted(p, include)
    return _staged.select(p.d.xp, include, p.d.xp.exp(shifted), 0.0), top


def _shifted(p: Plan, include: Array | None) -> tuple[Array, Array]:
    """``x - top``, 0 where excluded, and `top`, the greatest included element if finite.

    Each group has its own.
    """
    xp = p.d.xp
    x = p.floats()
    top = p.totals.extreme(_staged.select(xp, include, x, -xp.inf), "max", -xp.inf)
    # An infinite top would leave Inf - Inf; the greatest finite number keeps Inf alone alive.
    top = xp.where(top == xp.inf, float(xp.finfo(x.dtype).max), top)
    top = xp.where(top == -xp.inf, 0.0, top)
    below = _staged.select(xp, include, x, 0.0) - p.totals.of_each(top)
    return _staged.select(xp, include, below, 0.0), top
