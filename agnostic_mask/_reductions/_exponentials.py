"""Reductions of exponentials, which cannot overflow."""

import operator

from agnostic_mask import _staged
from agnostic_mask._array import Array
from agnostic_mask._dtypes import cast
from agnostic_mask._reductions._plan import Axis, Plan, plan
from agnostic_mask._reductions._tiles import Passes, of_zeroed, reduced
from agnostic_mask._staged import Inclusion


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
    p = plan(x, mask, weights, axis, keepdims, by, num_groups, tiles=True)
    return reduced(p, _logsumexp, p.dtype)


def _logsumexp(p: Plan) -> Array:
    xp = p.d.xp
    passes = Passes(p, _floats)
    top = _finite(p, passes(_greatest, merge=xp.maximum))
    total = passes(_sum_of_exponentials, top, merge=operator.add)
    log = xp.log(xp.where(total > 0, total, 1.0)) + cast(xp, top, total.dtype)
    log = xp.where(total == 0, -xp.inf, log)
    log = xp.where(total < 0, xp.nan, log)
    return xp.where(xp.isnan(total), xp.nan, log)


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
        floats = _floats(p)
        exponentials = _exponentials(p, floats, _finite(p, _greatest(p, floats)))
        total = p.totals.weighted_sum(exponentials, Inclusion(None))
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
        _, joint = floats = _floats(p)
        shifted = _shifted(p, floats, _finite(p, _greatest(p, floats)))
        exponentials = _staged.zeroed(p.d, joint.include, xp.exp(shifted))
        total = p.totals.weighted_sum(exponentials, Inclusion(None))
        # Inf - Inf is NaN too, but not without a warning.
        shifted = cast(xp, xp.where(shifted == xp.inf, xp.nan, shifted), total.dtype)
        logarithm = shifted - xp.log(xp.where(total == 0, 1.0, total))
        value = _staged.select(xp, joint.include, cast(xp, logarithm, p.dtype), -xp.inf)
        return p.d.backend.as_array(value)


_Floats = tuple[Array, Inclusion]


def _floats(p: Plan) -> _Floats:
    return p.floats(), p.inclusion()


def _greatest(p: Plan, floats: _Floats) -> Array:
    """Greatest included element of each group."""
    x, joint = floats
    return p.totals.extreme(
        _staged.select(p.d.xp, joint.include, x, -p.d.xp.inf), "max", -p.d.xp.inf
    )


def _finite(p: Plan, top: Array) -> Array:
    """`top`, a finite number if it is infinite."""
    xp = p.d.xp
    # An infinite top would leave Inf - Inf; the greatest finite number keeps Inf alone alive.
    top = xp.where(top == xp.inf, float(xp.finfo(top.dtype).max), top)
    return xp.where(top == -xp.inf, 0.0, top)


def _shifted(p: Plan, floats: _Floats, top: Array) -> Array:
    """``x - top``, 0 where excluded."""
    x, joint = floats
    below = _staged.zeroed(p.d, joint.include, x) - p.totals.of_each(top)
    return _staged.zeroed(p.d, joint.include, below)


def _exponentials(p: Plan, floats: _Floats, top: Array) -> Array:
    """``exp(x - top)``, 0 where excluded."""
    exponentials = p.d.xp.exp(_shifted(p, floats, top))
    return _staged.zeroed(p.d, floats[1].include, exponentials)


def _sum_of_exponentials(p: Plan, floats: _Floats, top: Array) -> Array:
    return p.totals.weighted_sum(_exponentials(p, floats, top), of_zeroed(floats[1]))
