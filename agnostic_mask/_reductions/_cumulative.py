"""Sums up to each element."""

from agnostic_mask import _staged
from agnostic_mask._array import Array
from agnostic_mask._dtypes import cast, is_floating, wide_float
from agnostic_mask._errors import AxisError
from agnostic_mask._reductions._plan import one_axis, plan
from agnostic_mask._reductions._sums import exact_terms


def cumulative_sum(
    x: Array,
    /,
    *,
    mask: Array | None = None,
    weights: Array | None = None,
    axis: int | None = None,
    include_initial: bool = False,
) -> Array:
    """Sums of included elements times their weights, up to each element along an axis.

    Parameters
    ----------
    x, mask, weights
        As for `sum`; x has at least one dimension.
    axis : int, optional
        May be left out where x has one dimension.
    include_initial : bool
        Whether the result starts with the sum of nothing, 0, and so is longer by one.

    Returns
    -------
    array, shape of x
        At an excluded element: the sum up to the included one before it. Dtypes as for `sum`:
        accumulated in float64, integers without weights stay exact integers.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.cumulative_sum(np.asarray([1.0, np.nan, 2.0]), mask=np.asarray([True, False, True]))
    array([1., 1., 3.])
    """
    p = plan(x, mask, weights, one_axis(axis), False)
    xp = p.d.xp
    if len(p.axes) != 1:
        raise AxisError(
            f"axis is {axis!r} and x has {len(p.shape)} dimensions; expected the one axis to sum "
            f"along"
        )
    with p.d.backend.wide():
        if p.weights is None and not is_floating(xp, p.x):
            terms, wide = exact_terms(p)
            dtype = wide
        else:
            wide, dtype = wide_float(xp, p.d.device, p.d.backend), p.dtype
            terms = _staged.weighed(p.d, p.floats(), p.inclusion())
        (along,) = p.axes
        terms = cast(xp, terms, wide)
        sums = p.d.backend.cumulative_sum(terms, along)
        if include_initial:
            first = tuple(1 if i == along else n for i, n in enumerate(p.shape))
            sums = xp.concat([xp.zeros(first, dtype=wide, device=p.d.device), sums], axis=along)
        return cast(xp, sums, dtype)
