"""Reductions that are sums, or ratios of sums."""

import functools
import operator
from typing import Any

from agnostic_mask import _staged
from agnostic_mask._array import Array
from agnostic_mask._dtypes import (
    cast,
    dtype_kind,
    is_floating,
    is_integer,
    wide_float,
    wide_integer,
)
from agnostic_mask._reductions._plan import Axis, Plan, plan
from agnostic_mask._reductions._tiles import Passes, added, merged, of_zeroed, reduced
from agnostic_mask._staged import Inclusion


def sum(
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
    """Sum of included elements times their weights, ``sum(w x)``.

    Parameters
    ----------
    x : array, shape S
        Real.
    mask : array of bool or int, optional
        True or non-zero counts. Covers leading axes of S; a dimension of 1 broadcasts.
    weights : array of real, optional
        Any sign; 0 excludes. Covers leading axes of S likewise.
    axis : int or sequence of int, optional
        Axes to reduce; None for all.
    keepdims : bool
        Whether reduced axes stay, with length 1.
    by : array of int, optional
        Label of the group of each element, from 0 to num_groups - 1. Covers leading axes of S
        likewise.
    num_groups : int, optional
        Number of groups G; it goes with `by`.

    Returns
    -------
    array
        Float type of x (at least float32), accumulated in float64. Integers and booleans without
        weights stay integer and exact: int64, or uint64 for uint64. Of nothing: 0. With `by` one
        result for each group, along a leading axis of length G.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError
    ValueError
        If only one of `by` and `num_groups` is given, or the latter is no positive integer.

    Notes
    -----
    Groups, in every reduction that takes `by`: each has the result of its own elements, with all
    others removed. One without any included element has the result of nothing. An included element
    whose label is out of range belongs to no group. Floating results are then NaN in every group
    (along axes that are kept: at that place alone), for which element it was cannot be told;
    integer and boolean results leave it out. `softmax`, `log_softmax` and `cumulative_sum` have a
    result for each element, not for each group, and take no `by`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.sum(np.asarray([1.0, 2.0, np.nan]), mask=np.asarray([True, True, False]))
    array(3.)
    >>> am.sum(np.asarray([1, 2, 5]), by=np.asarray([0, 2, 0]), num_groups=3)
    array([6, 0, 2])
    """
    p = plan(x, mask, weights, axis, keepdims, by, num_groups, tiles=True)
    if p.weights is None and not is_floating(p.d.xp, p.x):
        return reduced(p, _integer_sum)
    return reduced(p, _weighted_sum, p.dtype)


def _weighted_sum(p: Plan) -> Array:
    return merged(p, _total, merge=operator.add)


def _total(p: Plan) -> Array:
    joint = p.inclusion()
    return p.totals.weighted_sum(p.terms(joint.include), joint)


def _integer_sum(p: Plan) -> Array:
    return merged(p, lambda p: p.totals.plain_sum(*exact_terms(p)), merge=operator.add)


def exact_terms(p: Plan) -> tuple[Array, Any]:
    """Integers or booleans, 0 where excluded, and the dtype in which their sum is exact."""
    xp = p.d.xp
    unsigned = dtype_kind(xp, p.x.dtype) == "unsigned" and xp.iinfo(p.x.dtype).bits == 64
    dtype = p.x.dtype if unsigned else wide_integer(xp, p.d.device, p.d.backend)
    x = p.x if is_integer(xp, p.x) else xp.astype(p.x, xp.uint8)
    return _staged.zeroed(p.d, p.inclusion().include, x), dtype


def mean(
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
    """Mean of included elements by their weights, ``sum(w x) / sum(w)``.

    Parameters
    ----------
    x, mask, weights, axis, keepdims, by, num_groups
        As for `sum`.

    Returns
    -------
    array
        Float type of x (at least float32), else of the weights, else the default; accumulated in
        float64. Of nothing, and where the weights sum to 0: NaN.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError
    ValueError
        As for `sum`.

    Notes
    -----
    NumPy's `average`, with a mask.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.mean(np.asarray([1.0, 4.0]), weights=np.asarray([2, 1]))
    array(2.)
    """
    p = plan(x, mask, weights, axis, keepdims, by, num_groups, tiles=True)
    return reduced(p, _mean, p.dtype)


def _mean(p: Plan) -> Array:
    total, weight = merged(p, _total_and_weight, merge=added)
    return _staged.ratio(p.d.xp, total, weight)


def _total_and_weight(p: Plan) -> tuple[Array, Array]:
    joint = p.inclusion()
    total = p.totals.weighted_sum(p.terms(joint.include), joint)
    return total, p.totals.sum_of_factors(joint)


def var(
    x: Array,
    /,
    *,
    mask: Array | None = None,
    weights: Array | None = None,
    axis: Axis = None,
    keepdims: bool = False,
    by: Array | None = None,
    num_groups: int | None = None,
    correction: float = 0.0,
) -> Array:
    """Variance of included elements by their weights.

    ``sum(w (x - mean)**2) / (sum(w) - correction)``, computed about the mean: no squares of x
    are summed, so that a mean far from 0 costs no accuracy.

    Parameters
    ----------
    x, mask, weights, axis, keepdims, by, num_groups
        As for `sum`. Weights mean repetition: an integer weight of k counts as k elements.
    correction : float
        What is subtracted from the sum of the weights: 1 for Bessel's correction.

    Returns
    -------
    array
        Float type of x (at least float32), else of the weights, else the default. NaN where
        the sum of the weights is not above `correction`.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError
    ValueError
        As for `sum`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.var(np.asarray([1.0, 4.0]), weights=np.asarray([2, 1]), correction=1)
    array(3.)
    """
    p = plan(x, mask, weights, axis, keepdims, by, num_groups, tiles=True)
    return reduced(p, functools.partial(_variance, correction=correction), p.dtype)


def std(
    x: Array,
    /,
    *,
    mask: Array | None = None,
    weights: Array | None = None,
    axis: Axis = None,
    keepdims: bool = False,
    by: Array | None = None,
    num_groups: int | None = None,
    correction: float = 0.0,
) -> Array:
    """Standard deviation of included elements by their weights: the square root of `var`.

    Parameters
    ----------
    x, mask, weights, axis, keepdims, by, num_groups, correction
        As for `var`.

    Returns
    -------
    array
        As for `var`, in the unit of x. Its gradient is 0 where the variance is 0.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError
    ValueError
        As for `sum`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.std(np.asarray([1.0, 5.0]))
    array(2.)
    """
    p = plan(x, mask, weights, axis, keepdims, by, num_groups, tiles=True)
    return reduced(p, lambda p: _staged.root(p.d.xp, _variance(p, correction)), p.dtype)


def _variance(p: Plan, correction: float) -> Array:
    xp = p.d.xp
    passes = Passes(p, _wide_terms)
    total, weight = passes(_first_sums, merge=added)
    centre = _staged.ratio(xp, total, weight)
    # The residuals' own mean, next to 0, takes out what rounding the centre did, which shows
    # where the device has no float64.
    shift, squares = passes(_second_sums, centre, merge=added)
    spread = squares - _staged.ratio(xp, shift * shift, weight)
    remaining = weight - correction
    return _staged.ratio(xp, spread, xp.where(remaining > 0, remaining, 0.0))


_Terms = tuple[Array, Inclusion, Inclusion]


def _wide_terms(p: Plan) -> _Terms:
    joint = p.inclusion()
    # In float64, where squares of what float32 holds neither overflow nor vanish.
    wide = wide_float(*p.d)
    x = cast(p.d.xp, _staged.zeroed(p.d, joint.include, p.floats()), wide)
    return x, joint, of_zeroed(joint)


def _first_sums(p: Plan, terms: _Terms) -> tuple[Array, Array]:
    x, joint, zeroed = terms
    return p.totals.weighted_sum(x, zeroed), p.totals.sum_of_factors(joint)


def _second_sums(p: Plan, terms: _Terms, centre: Array) -> tuple[Array, Array]:
    x, joint, zeroed = terms
    totals = p.totals
    residual = _staged.zeroed(p.d, joint.include, x - totals.of_each(centre))
    squares = totals.weighted_sum(residual * residual, zeroed)
    return totals.weighted_sum(residual, zeroed), squares


def count(
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
    """Number of included elements: those with a mask of True and a weight that is not 0.

    Parameters
    ----------
    x, mask, weights, axis, keepdims, by, num_groups
        As for `sum`. Of x only the shape is used.

    Returns
    -------
    array of int64
        Exact, past 2**31 too.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError
    ValueError
        As for `sum`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.count(np.ones((2, 3)), mask=np.asarray([True, False]))
    array(3)
    """
    p = plan(x, mask, weights, axis, keepdims, by, num_groups, tiles=True)
    return reduced(p, _count)


def _count(p: Plan) -> Array:
    return merged(p, lambda p: p.totals.included(p.inclusion()), merge=operator.add)


def sum_of_weights(
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
    """Sum of the weights of included elements, ``sum(w)``: what `mean` divides by.

    Parameters
    ----------
    x, mask, weights, axis, keepdims, by, num_groups
        As for `sum`. Of x only the shape and the float type are used. An element without
        weights weighs 1; a weight that covers several elements counts once for each.

    Returns
    -------
    array
        Float type of x (at least float32), else of the weights, else the default; accumulated in
        float64.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError
    ValueError
        As for `sum`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.sum_of_weights(np.ones((2, 3)), weights=np.asarray([0.5, 2.0]))
    array(7.5)
    """
    p = plan(x, mask, weights, axis, keepdims, by, num_groups, tiles=True)
    return reduced(p, _sum_of_weights, p.dtype)


def _sum_of_weights(p: Plan) -> Array:
    return merged(p, lambda p: p.totals.sum_of_factors(p.inclusion()), merge=operator.add)
