"""How far off a mean may be."""

from agnostic_mask import _staged
from agnostic_mask._array import Array
from agnostic_mask._dtypes import cast, wide_float
from agnostic_mask._reductions._plan import Axis, plan
from agnostic_mask.metrics._linearised import gathered, mean_and_error


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
    p = plan(x, mask, weights, axis, keepdims, by, num_groups)
    xp, joint = p.d.xp, p.inclusion()
    with p.d.backend.wide():
        wide = wide_float(xp, p.d.device, p.d.backend)
        x = cast(xp, _staged.select(xp, joint.include, p.floats(), 0.0), wide)
        _, weight, centre, first, squares = gathered(p.totals, x, joint)
        count = p.totals.count(joint.include)
        _, error = mean_and_error(xp, count, weight, centre, first, squares)
        return p.finish(error, p.dtype)
