"""Reductions that say where: indices of extremes. Weights only include or exclude."""

from typing import Any, Literal

from agnostic_mask import _cover, _staged
from agnostic_mask._array import Array
from agnostic_mask._dtypes import dtype_kind, wide_integer
from agnostic_mask._reductions._extremes import extreme
from agnostic_mask._reductions._plan import Plan, one_axis, plan


def argmin(
    x: Array,
    /,
    *,
    mask: Array | None = None,
    weights: Array | None = None,
    axis: int | None = None,
    keepdims: bool = False,
    by: Array | None = None,
    num_groups: int | None = None,
) -> Array:
    """Index of the least included element, the first of equal ones.

    Parameters
    ----------
    x, mask, weights, keepdims, by, num_groups
        As for `min`; x may be boolean.
    axis : int, optional
        Axis along which to search. None: all elements, counted in the order of the axes.

    Returns
    -------
    array of int64
        Index among all elements, excluded ones too. Of nothing: -1. An included NaN is found
        before any number, as by NumPy.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError
    ValueError
        As for `sum`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.argmin(np.asarray([3.0, 2.0, -1.0]), mask=np.asarray([1, 1, 0]))
    array(1)
    """
    return _position(x, mask, weights, axis, keepdims, by, num_groups, "min")


def argmax(
    x: Array,
    /,
    *,
    mask: Array | None = None,
    weights: Array | None = None,
    axis: int | None = None,
    keepdims: bool = False,
    by: Array | None = None,
    num_groups: int | None = None,
) -> Array:
    """Index of the greatest included element, the first of equal ones.

    Parameters
    ----------
    x, mask, weights, axis, keepdims, by, num_groups
        As for `argmin`.

    Returns
    -------
    array of int64
        As for `argmin`. Of nothing: -1.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError
    ValueError
        As for `sum`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.argmax(np.asarray([[3, 2], [7, 9]]), mask=np.asarray([True, False]), axis=0)
    array([0, 0])
    """
    return _position(x, mask, weights, axis, keepdims, by, num_groups, "max")


def _position(
    x: Array,
    mask: Array | None,
    weights: Array | None,
    axis: int | None,
    keepdims: bool,
    by: Array | None,
    num_groups: int | None,
    which: Literal["min", "max"],
) -> Array:
    p = plan(x, mask, weights, one_axis(axis), keepdims, by, num_groups)
    if dtype_kind(p.d.xp, p.x.dtype) == "bool":
        p = p._replace(x=p.d.xp.astype(p.x, p.d.xp.uint8))
    with p.d.backend.wide():
        return _first(p, which)


def _first(p: Plan, which: Literal["min", "max"]) -> Array:
    xp = p.d.xp
    integer = wide_integer(xp, p.d.device, p.d.backend)
    if _cover.size(p.shape) == 0:
        shape = (*p.totals.lead, *p.kept)
        return p.finish(xp.full(shape, -1, dtype=integer, device=p.d.device), integer)
    # Where one is NaN so is the extreme, which then equals nothing.
    hit = (p.x == p.totals.of_each(extreme(p, which))) | (p.x != p.x)
    include = p.inclusion().include
    hit = _staged.among(include, hit)
    # The least index of a hit, not an argmax of hits, of which Dask does not take the first.
    beyond = _cover.size(tuple(p.shape[i] for i in p.axes))
    index = xp.where(hit, _indices(p, integer), beyond)
    first = p.totals.extreme(index, "min", beyond)
    return p.finish(xp.where(first == beyond, -1, first), integer)


def _indices(p: Plan, integer: Any) -> Array:
    """Index of each element among those that are searched with it, in dimensions that matter."""
    xp, step = p.d.xp, 1
    index = xp.zeros((1,) * len(p.shape), dtype=integer, device=p.d.device)
    for i in reversed(p.axes):
        along = tuple(n if i == j else 1 for j, n in enumerate(p.shape))
        steps = xp.arange(p.shape[i], dtype=integer, device=p.d.device) * step
        index = index + xp.reshape(steps, along)
        step = step * p.shape[i]
    return index
