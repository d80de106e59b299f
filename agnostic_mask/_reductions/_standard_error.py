"""How far off a mean may be."""

from agnostic_mask import _staged
from agnostic_mask._array import Array
from agnostic_mask._dtypes import cast, wide_float
from agnostic_mask._reductions._plan import Axis, Plan, plan
from agnostic_mask._reductions._tiles import merged, reduced
from agnostic_mask.metrics._linearised import (
    Deviations,
    DeviationsOf,
    Squares,
    gathered,
    mean_and_error,
    powers,
)
from agnostic_mask.metrics._sums import ValueSums


def standard_error(
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
    """Standard error of `mean`: ``sqrt(sum(w**2 (x - m)**2) / sum(w)**2 * n / (n - 1))``.

    Parameters
    ----------
    x, mask, weights, axis, keepdims, by, num_groups
        As for `sum`. Weights say how much an element counts, not how often it was seen: n is the
        number of included elements.

    Returns
    -------
    array
        Float type of x (at least float32), else of the weights, else the default. NaN of fewer
        than two elements, and where the weights sum to 0.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError
    ValueError
        As for `sum`.

    Notes
    -----
    Of independent elements. Without weights it is SciPy's `sem`; with weights it is the linearised
    variance of a ratio (Cochran, "Sampling techniques", 3rd edition, 1977, section 6). Where a
    weight of 2 stands for two observations the error is smaller: repeat them. Of data in parts, and
    of elements in clusters, see `agnostic_mask.metrics.NormalInterval`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.standard_error(np.asarray([1.0, 2.0, 3.0, np.nan]), mask=np.asarray([1, 1, 1, 0]))
    array(0.57735027)
    """
    p = plan(x, mask, weights, axis, keepdims, by, num_groups, tiles=True)
    return reduced(p, _error, p.dtype)


_OF_VALUES = DeviationsOf(ValueSums("mean"))


def _error(p: Plan) -> Array:
    if p.step:
        state = merged(p, _state, merge=_OF_VALUES.merge)
        count, squares = state.count, powers(state.squares)
        weight, centre, first = state.weight, state.centre, state.first
    else:
        count, (_, weight, centre, first, squares) = _gathered(p)
    return mean_and_error(p.d.xp, count, weight, centre, first, squares)[1]


def _gathered(p: Plan) -> tuple[Array, tuple[Array, Array, Array, Array, Squares]]:
    joint = p.inclusion()
    x = cast(p.d.xp, _staged.zeroed(p.d, joint.include, p.floats()), wide_float(*p.d))
    return p.totals.included(joint), gathered(p.totals, x, joint)


def _state(p: Plan) -> Deviations:
    count, (mass, weight, centre, first, squares) = _gathered(p)
    three = p.d.xp.stack(p.d.xp.broadcast_arrays(*squares), axis=-1)
    return Deviations(_OF_VALUES.made_for, "", count, mass, weight, centre, first, three)
