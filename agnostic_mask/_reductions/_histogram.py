"""Counts of elements, or sums of their weights, in bins."""

import math
from collections.abc import Sequence
from itertools import pairwise
from numbers import Integral, Real
from typing import Any

from agnostic_mask import _cover, _staged
from agnostic_mask._array import Array
from agnostic_mask._dispatch import resolve
from agnostic_mask._dtypes import cast, is_floating, wide_float, wide_integer
from agnostic_mask._errors import ShapeMismatchError
from agnostic_mask._reductions._extremes import extreme
from agnostic_mask._reductions._plan import Plan, plan
from agnostic_mask._totals import Totals

_builtin_range = range


def histogram(
    x: Array,
    /,
    *,
    bins: int | Sequence[float] | Array = 10,
    range: tuple[float, float] | None = None,
    mask: Array | None = None,
    weights: Array | None = None,
    by: Array | None = None,
    num_groups: int | None = None,
) -> tuple[Array, Array]:
    """Number of included elements in each bin, or the sum of their weights.

    Parameters
    ----------
    x, mask, weights, by, num_groups
        As for `sum`.
    bins : int, sequence of float, or array, shape (K + 1,)
        The number of bins K, of equal width over `range`, or their edges, which must not decrease.
        Those of an array are not looked at, so that nothing waits for them. Elements are compared
        with edges in float64, whatever the dtype in which edges are returned.
    range : pair of float, optional
        Where equal bins start and end. None: at the least and at the greatest included element;
        half a unit to either side where these are equal; 0 and 1 where nothing is included.

    Returns
    -------
    counts : array, shape (K,), with `by` (G, K)
        Without weights int64, else of the float type of x (at least float32), accumulated in
        float64. A bin includes its left edge, the last one its right edge too. What lies outside
        is left out, and so is NaN.
    edges : array, shape (K + 1,)
        In the float type of x, or a copy of the array they were; the same for all groups. Where
        `range` is None and an included element, of whatever group, is NaN or infinite: NaN, and
        nothing is counted.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError
    ValueError
        If `bins` or `range` is none of the above, or edges and a range are given.

    Notes
    -----
    NumPy's `histogram`, which raises where `range` is None and an element is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> counts, edges = am.histogram(np.asarray([1.0, 2.0, 4.0, np.nan]), bins=3, range=(1, 4))
    >>> counts, edges
    (array([1, 1, 1]), array([1., 2., 3., 4.]))
    """
    p = plan(x, mask, weights, None, False, by, num_groups)
    with p.d.backend.wide():
        edges = _edges(p, bins, range)
        counts = _counts(p, edges)
        return counts, p.d.backend.copy(edges) if edges is bins else cast(p.d.xp, edges, p.dtype)


def _edges(p: Plan, bins: Any, limits: Any) -> Array:
    xp = p.d.xp
    if isinstance(bins, Integral) and not isinstance(bins, bool):
        if bins < 1:
            raise ValueError(f"bins is {bins}; expected at least 1")
        if limits is None:
            return cast(xp, _from_extremes(p, int(bins)), _dtype_of_equal(p))
        given, dtype = _equal(_pair(limits), int(bins)), _dtype_of_equal(p)
    else:
        if limits is not None:
            raise ValueError(
                "range is given with edges as bins; expected one of them, or a number of bins"
            )
        if not isinstance(bins, Sequence) or isinstance(bins, str | bytes):
            return _checked(p, bins)
        given, dtype = _increasing(bins), wide_float(*p.d)
    return xp.asarray(given, dtype=dtype, device=p.d.device)


def _dtype_of_equal(p: Plan) -> Any:
    """In which floats are compared with equal bins' edges as these are returned, like NumPy's."""
    return p.dtype if is_floating(p.d.xp, p.x) else wide_float(*p.d)


def _checked(p: Plan, bins: Array) -> Array:
    if isinstance(bins, Real) or not (hasattr(bins, "dtype") and hasattr(bins, "shape")):
        raise ValueError(
            f"bins is {bins!r}; expected a number of bins, an integer, or their edges in "
            f"increasing order, as a sequence of numbers or an array of one dimension"
        )
    resolve((("x", p.x), ("bins", bins)))
    shape = _cover.known_shape("bins", bins)
    if len(shape) != 1 or shape[0] < 2:
        raise ShapeMismatchError(
            f"bins has shape {shape}; expected the edges, at least 2, along one axis"
        )
    return bins


def _pair(limits: Any) -> tuple[float, float]:
    if isinstance(limits, list | tuple) and len(limits) == 2:
        low, high = limits
        if all(isinstance(n, Real) and math.isfinite(n) for n in limits) and low <= high:
            return (float(low), float(high)) if low < high else (low - 0.5, high + 0.5)
    raise ValueError(
        f"range is {limits!r}; expected a pair of finite Python numbers, the lower first"
    )


def _increasing(bins: Sequence[Any]) -> list[float]:
    numbers = all(isinstance(n, Real) for n in bins)
    if not numbers or len(bins) < 2 or any(not a <= b for a, b in pairwise(bins)):
        raise ValueError(
            f"bins is {bins!r}; expected at least 2 edges, none below the one before it"
        )
    return [float(n) for n in bins]


def _equal(limits: tuple[float, float], n: int) -> list[float]:
    low, high = limits
    half = high / 2 - low / 2  # which cannot overflow, and halving does not round
    return [*(2 * (low / 2 + i * (half / n)) for i in _builtin_range(n)), high]


def _from_extremes(p: Plan, n: int) -> Array:
    xp = p.d.xp
    wide = wide_float(xp, p.d.device, p.d.backend)
    p = p._replace(x=p.floats(), split=None, whole=Totals(p.d, p.shape, None, p.axes))
    low, high = (xp.reshape(cast(xp, extreme(p, which), wide), ()) for which in ("min", "max"))
    finite = (low > -xp.inf) & (high < xp.inf)
    known, empty = finite & (low <= high), finite & (low > high)
    half = xp.where(low == high, 0.5, xp.zeros_like(low))
    low = xp.where(empty, 0.0, xp.where(known, low, xp.nan) - half)
    high = xp.where(empty, 1.0, xp.where(known, high, xp.nan) + half)
    steps = xp.arange(n + 1, dtype=wide, device=p.d.device)
    half = high / 2 - low / 2  # as in `_equal`
    return xp.where(steps == n, high, 2 * (low / 2 + steps * (half / n)))


def _counts(p: Plan, edges: Array) -> Array:
    xp, n, lead = p.d.xp, edges.shape[0] - 1, p.totals.lead
    wide = wide_float(xp, p.d.device, p.d.backend)
    integer = wide_integer(xp, p.d.device, p.d.backend)
    if _cover.size(p.shape) == 0:
        dtype = integer if p.weights is None else p.dtype
        return xp.zeros((*lead, n), dtype=dtype, device=p.d.device)
    joint = p.inclusion()
    edges = cast(xp, edges, wide)
    x = cast(xp, p.x, wide)
    inside = (x >= edges[0]) & (x <= edges[-1])
    inside = _staged.among(joint.include, inside)
    x = xp.where(inside, x, edges[0])
    label = p.d.backend.searchsorted(edges, xp.reshape(x, (-1,))) - 1
    label = xp.where(x == edges[-1], n - 1, xp.reshape(label, p.shape))
    if p.weights is None:
        return p.totals.by_cell(label, n, inside, None)
    weight = xp.where(inside, cast(xp, joint.factors[0], wide), 0.0)
    counts = p.totals.by_cell(label, n, inside, weight)
    if lead:
        outside = xp.reshape(p.totals.outside(joint.include), ())
        counts = p.without_outside(counts, outside)
    return cast(xp, counts, p.dtype)
