"""Reductions that pick: extremes and truth values. Weights only include or exclude."""

import functools
import operator
from typing import Any, Literal

from agnostic_mask import _staged
from agnostic_mask._array import Array
from agnostic_mask._dtypes import dtype_kind, is_floating
from agnostic_mask._errors import UnsupportedArrayError
from agnostic_mask._reductions._plan import Axis, Plan, plan
from agnostic_mask._reductions._tiles import merged, reduced


def min(
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
    """Least included element.

    Parameters
    ----------
    x, mask, axis, keepdims, by, num_groups
        As for `sum`; x must not be boolean.
    weights : array of real, optional
        An element of weight 0 is excluded; other weights make no difference.

    Returns
    -------
    array
        Dtype of x (half types as float32). Of nothing: +Inf, or the largest integer of the dtype,
        so that the least of parts is the least of the whole. An included NaN gives NaN.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError
    ValueError
        As for `sum`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.min(np.asarray([3.0, 2.0, -1.0]), mask=np.asarray([1, 1, 0]))
    array(2.)
    """
    return _extreme(plan(x, mask, weights, axis, keepdims, by, num_groups, tiles=True), "min")


def max(
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
    """Greatest included element.

    Parameters
    ----------
    x, mask, weights, axis, keepdims, by, num_groups
        As for `min`.

    Returns
    -------
    array
        Dtype of x (half types as float32). Of nothing: -Inf, or the least integer of the dtype.
        An included NaN gives NaN.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError
    ValueError
        As for `sum`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.max(np.asarray([[3, 2], [7, 9]]), mask=np.asarray([True, False]), axis=0)
    array([3, 2])
    """
    return _extreme(plan(x, mask, weights, axis, keepdims, by, num_groups, tiles=True), "max")


def _extreme(p: Plan, which: Literal["min", "max"]) -> Array:
    xp = p.d.xp
    if dtype_kind(xp, p.x.dtype) == "bool":
        other = "all" if which == "min" else "any"
        raise UnsupportedArrayError(
            f"x has dtype {p.x.dtype}; expected numbers. For booleans take agnostic_mask.{other}"
        )
    gather = functools.partial(extreme, which=which)
    merge = xp.minimum if which == "min" else xp.maximum
    return reduced(p, lambda whole: merged(whole, gather, merge=merge))


def extreme(p: Plan, which: Literal["min", "max"]) -> Array:
    """Least or greatest included element of each group, with dimensions of 1 over the axes."""
    return extreme_of(p, p.x, p.inclusion().include, which)


def extreme_of(p: Plan, x: Array, include: Array | None, which: Literal["min", "max"]) -> Array:
    """`extreme` of another array than the plan's."""
    xp = p.d.xp
    nothing = _of_nothing(xp, x, which)
    other = xp.asarray(nothing, dtype=x.dtype, device=p.d.device)
    return p.totals.extreme(_staged.select(xp, include, x, other), which, nothing)


def _of_nothing(xp: Any, x: Array, which: Literal["min", "max"]) -> Any:
    if is_floating(xp, x):
        return xp.inf if which == "min" else -xp.inf
    limits = xp.iinfo(x.dtype)
    return int(limits.max if which == "min" else limits.min)


def any(
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
    """Whether any included element is True, or not 0.

    Parameters
    ----------
    x, mask, weights, axis, keepdims, by, num_groups
        As for `min`; x may be boolean. NaN is not 0.

    Returns
    -------
    array of bool
        Of nothing: False.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError
    ValueError
        As for `sum`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.any(np.asarray([False, True]), mask=np.asarray([True, False]))
    array(False)
    """
    p = plan(x, mask, weights, axis, keepdims, by, num_groups, tiles=True)
    return reduced(p, lambda whole: merged(whole, _any, merge=operator.or_))


def all(
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
    """Whether every included element is True, or not 0.

    Parameters
    ----------
    x, mask, weights, axis, keepdims, by, num_groups
        As for `min`; x may be boolean. NaN is not 0.

    Returns
    -------
    array of bool
        Of nothing: True.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError
    ValueError
        As for `sum`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.all(np.asarray([False, True]), mask=np.asarray([False, True]))
    array(True)
    """
    p = plan(x, mask, weights, axis, keepdims, by, num_groups, tiles=True)
    return reduced(p, lambda whole: merged(whole, _all, merge=operator.and_))


def _any(p: Plan) -> Array:
    truth, include = _truth(p)
    return p.totals.truth(_staged.among(include, truth), "any")


def _all(p: Plan) -> Array:
    truth, include = _truth(p)
    truth = truth if include is None else truth | ~include
    return p.totals.truth(truth, "all")


def _truth(p: Plan) -> tuple[Array, Array | None]:
    boolean = dtype_kind(p.d.xp, p.x.dtype) == "bool"
    return p.x if boolean else p.x != 0, p.inclusion().include
