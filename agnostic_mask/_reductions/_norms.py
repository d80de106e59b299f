"""Norms of vectors."""

import functools
import math
import operator
from numbers import Real
from typing import Any

from agnostic_mask import _staged
from agnostic_mask._array import Array
from agnostic_mask._dtypes import cast, is_floating, wide_float
from agnostic_mask._reductions._extremes import extreme_of
from agnostic_mask._reductions._plan import Axis, Plan, plan
from agnostic_mask._reductions._tiles import Passes, merged, of_zeroed, reduced
from agnostic_mask._staged import Inclusion


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
    p = plan(x, mask, weights, axis, keepdims, by, num_groups, tiles=True)
    return reduced(p, functools.partial(_norm, order=float(ord)), p.dtype)


def _norm(p: Plan, order: float) -> Array:
    if order == 0:
        return merged(p, _weight_of_others_than_0, merge=operator.add)
    passes = Passes(p, _sizes)
    if math.isinf(order):
        found = _extreme(passes, order)
        return p.d.xp.where(found == -p.d.xp.inf, 0.0, found)
    return _root_of_sum(passes, order)


def _weight_of_others_than_0(p: Plan) -> Array:
    ones = cast(p.d.xp, p.x != 0, wide_float(*p.d))
    return p.totals.weighted_sum(ones, p.inclusion())


_Sizes = tuple[Array, Inclusion]


def _sizes(p: Plan) -> _Sizes:
    joint = p.inclusion()
    return p.d.xp.abs(_staged.zeroed(p.d, joint.include, p.floats())), joint


def _extreme(passes: Passes[_Sizes], order: float) -> Array:
    """The greatest size for orders above 0, the least for those below; of nothing: infinite."""
    xp = passes.plan.d.xp

    def gather(p: Plan, sizes: _Sizes) -> Array:
        size, joint = sizes
        return extreme_of(p, size, joint.include, "max" if order > 0 else "min")

    return passes(gather, merge=xp.maximum if order > 0 else xp.minimum)


def _root_of_sum(passes: Passes[_Sizes], order: float) -> Array:
    d = passes.plan.d
    xp, wide = d.xp, wide_float(*d)
    scale: Any = 1.0
    # Squares of what float32 holds stay within float64.
    wide_enough = is_floating(xp, passes.plan.x) and passes.plan.dtype != wide
    if order != 1 and not (order == 2 and wide_enough):
        scale = cast(xp, _extreme(passes, order), wide)
        scale = xp.where((scale > 0) & (scale < xp.inf), scale, 1.0)

    def gather(p: Plan, sizes: _Sizes, scale: Any) -> Array:
        size, joint = cast(xp, sizes[0], wide), sizes[1]
        if not isinstance(scale, float):
            size = size / p.totals.of_each(scale)
        powers = _power(xp, size, order)
        return p.totals.weighted_sum(powers, joint if order < 0 else of_zeroed(joint))

    total = passes(gather, scale, merge=operator.add)
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
