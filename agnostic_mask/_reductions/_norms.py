"""Norms of vectors."""

import math
from numbers import Real
from typing import Any

from agnostic_mask import _staged
from agnostic_mask._array import Array
from agnostic_mask._dtypes import cast, wide_float
from agnostic_mask._reductions._extremes import extreme
from agnostic_mask._reductions._plan import Axis, Plan, plan


def vector_norm(
    x: Array,
    /,
    *,
    mask: Array | None = None,
    weights: Array | None = None,
    axis: Axis = None,
    keepdims: bool = False,
    by: Array | None = None,
    num_groups: int | None = None,
    ord: float = 2.0,
) -> Array:
    """Norm of included elements, ``sum(w abs(x)**ord)**(1 / ord)``.

    Parameters
    ----------
    x, mask, weights, axis, keepdims, by, num_groups
        As for `sum`. Weights mean repetition: they are not squared.
    ord : float
        Order of the norm. Inf: the greatest magnitude; -Inf: the least; 0: the sum of the weights
        of elements that are not 0. For the last three, and a negative order, see NumPy's `norm`.

    Returns
    -------
    array
        Float type of x (at least float32), else of the weights, else the default; accumulated in
        float64. Neither overflows nor vanishes where the norm itself does not. Of nothing: 0, or
        Inf for a negative order. NaN where negative weights make the sum negative.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError
    ValueError
        If `ord` is not a real number.

    Notes
    -----
    The array API standard's `linalg.vector_norm`, with a mask and weights. The gradient is 0 where
    the norm or the element is 0.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.vector_norm(np.asarray([3.0, 4.0, np.nan]), mask=np.asarray([True, True, False]))
    array(5.)
    """
    if isinstance(ord, bool) or not isinstance(ord, Real) or math.isnan(ord):
        raise ValueError(f"ord is {ord!r}; expected a real number, as 1, 2 or math.inf")
    p = plan(x, mask, weights, axis, keepdims, by, num_groups)
    xp = p.d.xp
    with p.d.backend.wide():
        joint = p.inclusion()
        if ord == 0:
            ones = cast(xp, p.x != 0, wide_float(xp, p.d.device, p.d.backend))
            return p.finish(p.totals.weighted_sum(ones, joint), p.dtype)
        size = xp.abs(_staged.select(xp, joint.include, p.terms(joint.include), 0.0))
        if math.isinf(ord):
            found = _extreme(p, size, ord)
            return p.finish(xp.where(found == -xp.inf, 0.0, found), p.dtype)
        return p.finish(_root_of_sum(p, size, float(ord)), p.dtype)


def _extreme(p: Plan, size: Array, order: float) -> Array:
    """The greatest size for orders above 0, the least for those below; of nothing: infinite."""
    found = extreme(p._replace(x=size), "max" if order > 0 else "min")
    return p.d.backend.as_array(found)


def _root_of_sum(p: Plan, size: Array, order: float) -> Array:
    xp = p.d.xp
    wide = wide_float(xp, p.d.device, p.d.backend)
    # Squares of what float32 holds stay within float64.
    scale: Any = 1.0
    each: Any = 1.0
    if order != 1 and (order != 2 or size.dtype == wide):
        scale = cast(xp, _extreme(p, size, order), wide)
        scale = xp.where((scale > 0) & (scale < xp.inf), scale, 1.0)
        each = p.totals.of_each(scale)
    powers = _power(xp, cast(xp, size, wide) / each, order)
    total = p.totals.weighted_sum(powers, p.inclusion())
    positive = total > 0
    root = xp.where(positive, total, 1.0)
    root = xp.sqrt(root) if order == 2 else root ** (1 / order)
    nothing = xp.full_like(total, 0.0 if order > 0 else xp.inf)
    nothing = xp.where(total == 0, nothing, xp.nan)
    return xp.where(positive, root * scale, nothing)


def _power(xp: Any, size: Array, order: float) -> Array:
    if order == 2:
        return size * size
    # At 0 frameworks differ in the derivative of a magnitude, and that of a power may be infinite.
    zero = size == 0
    powers = size if order == 1 else xp.where(zero, 1.0, size) ** order
    return xp.where(zero, 0.0 if order > 0 else xp.inf, powers)
