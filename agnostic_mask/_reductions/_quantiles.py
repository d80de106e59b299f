"""Order statistics: sort with the excluded at the end, and pick by the weight that lies below."""

from collections.abc import Sequence
from numbers import Real
from typing import Any

from agnostic_mask import _cover
from agnostic_mask._array import Array
from agnostic_mask._dtypes import cast, is_floating
from agnostic_mask._reductions._order import Below, Order, order
from agnostic_mask._reductions._plan import Axis, Plan, plan

_METHODS = ("linear", "inverted_cdf", "averaged_inverted_cdf")


def quantile(
    x: Array,
    /,
    q: float | Sequence[float],
    *,
    mask: Array | None = None,
    weights: Array | None = None,
    axis: Axis = None,
    keepdims: bool = False,
    by: Array | None = None,
    num_groups: int | None = None,
    method: str = "linear",
) -> Array:
    """Values below which shares `q` of the included elements lie.

    Parameters
    ----------
    x, mask, weights, axis, keepdims, by, num_groups
        As for `sum`. Weights mean repetition and must not be negative.
    q : float or sequence of float
        From 0 to 1; Python numbers, no array.
    method : {"linear", "inverted_cdf", "averaged_inverted_cdf"}
        With y the n included elements in order, each as often as its weight says, and W the sum of
        the weights:

        - "linear": between ``y[j]`` and ``y[j + 1]`` for ``q (n - 1) = j + g``, at the share g. It
          counts elements, so that weights must be integers.
        - "inverted_cdf": the least element up to which the weights sum to ``q W`` or more.
        - "averaged_inverted_cdf": the same, but halfway to the next one where they sum to
          ``q W`` and no more.

        Sums of weights that are floats count as equal to ``q W`` within their rounding,
        ``n eps W``; so equal weights, whatever they are, give what no weights give.

    Returns
    -------
    array
        For a sequence, with an axis for it in front, after that of groups. Float type of x (at
        least float32), else of the weights, else the default. NaN of nothing, where an included
        element is NaN, and where an included weight is negative or not finite.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError
    ValueError
        If `q` or `method` is not one of the above, or weights that are not integers meet "linear".

    Notes
    -----
    Definitions 7, 1 and 2 of R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages",
    The American Statistician 50(4), 1996, by the names of NumPy. NumPy has weights for
    "inverted_cdf" alone. SciPy's `quantile` agrees for integer weights; for others it takes the
    next element already where the weights sum to exactly ``q W``. Gradients flow to the elements
    that were picked; a quantile is flat in its weights.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> x = np.asarray([3.0, 1.0, np.nan, 2.0])
    >>> am.quantile(x, [0.25, 0.5], mask=np.asarray([True, True, False, True]))
    array([1.5, 2. ])
    """
    shares = _shares(q)
    if method not in _METHODS:
        raise ValueError(f"method is {method!r}; expected one of {', '.join(map(repr, _METHODS))}")
    p = plan(x, mask, weights, axis, keepdims, by, num_groups)
    if method == "linear" and p.weights is not None and is_floating(p.d.xp, p.weights):
        raise ValueError(
            f"weights have dtype {weights.dtype} and method is 'linear', which counts elements; "  # type: ignore[union-attr]
            f"expected integers: xp.astype(weights, xp.int64) makes them of counts; for other "
            f"weights write method='averaged_inverted_cdf'"
        )
    with p.d.backend.wide():
        found = _quantiles(p, shares, method)
        return _shaped(p, found, None if isinstance(q, Real) else len(shares))


def median(
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
    """Median of included elements: with half of the weights on either side.

    Parameters
    ----------
    x, mask, weights, axis, keepdims, by, num_groups
        As for `quantile`.

    Returns
    -------
    array
        As for `quantile`: where two elements qualify, the value halfway between them.

    Raises
    ------
    UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError, AxisError
    ValueError
        As for `sum`.

    Notes
    -----
    ``quantile(x, 0.5, method="averaged_inverted_cdf")``, which without weights is NumPy's `median`;
    torch's takes the lower of two.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.median(np.asarray([1.0, 2.0, 5.0, 9.0]), weights=np.asarray([0.5, 0.5, 0.5, 0.5]))
    array(3.5)
    """
    p = plan(x, mask, weights, axis, keepdims, by, num_groups)
    with p.d.backend.wide():
        return _shaped(p, _quantiles(p, (0.5,), "averaged_inverted_cdf"), None)


def _shares(q: Any) -> tuple[float, ...]:
    given = q if isinstance(q, Sequence) and not isinstance(q, str | bytes) else (q,)
    for share in given:
        if isinstance(share, bool) or not isinstance(share, Real) or not 0 <= float(share) <= 1:
            array = "; of an array pass q.tolist()" if hasattr(q, "shape") else ""
            raise ValueError(
                f"q is {q!r}; expected a float from 0 to 1, or a sequence of such floats{array}"
            )
    return tuple(map(float, given))


def _shaped(p: Plan, found: Array, several: int | None) -> Array:
    """Quantiles, which lie along the last axis, in their final shape and dtype."""
    xp, lead = p.d.xp, p.totals.lead
    if lead:
        found = p.without_outside(found, p.rows(p.totals.outside(p.inclusion().include)))
    if several is None:
        found = found[..., 0]
    else:
        last = len(found.shape) - 1
        found = xp.permute_dims(found, (*range(len(lead)), last, *range(len(lead), last)))
        lead = (*lead, several)
    if p.keepdims:
        found = xp.reshape(found, (*lead, *p.kept))
    return p.d.backend.as_array(cast(xp, found, p.dtype))


def _quantiles(p: Plan, shares: tuple[float, ...], method: str) -> Array:
    """Quantiles along a last axis, of each row; those of groups along a first axis."""
    xp, lead = p.d.xp, p.totals.lead
    if _cover.size(p.shape) == 0 or not shares:
        kept = tuple(n for i, n in enumerate(p.shape) if i not in p.axes)
        return xp.full((*lead, *kept, len(shares)), xp.nan, dtype=p.dtype, device=p.d.device)
    ordered = order(p)
    value = _between(p, ordered, [_place(xp, ordered.below, q, method) for q in shares])
    value = xp.where(_repeated(p, ordered.defined, len(shares)), value, xp.nan)
    if not lead:
        return value
    value = xp.reshape(value, (*value.shape[:-1], len(shares), *lead))
    rank = len(value.shape)
    return xp.permute_dims(value, (rank - 1, *range(rank - 1)))


def _repeated(p: Plan, x: Array, times: int) -> Array:
    """What each group has one of, shape (..., G), for each of several places: (..., times * G).

    Without groups there is one, which is broadcast.
    """
    return p.d.xp.concat([x] * times, axis=-1) if p.totals.lead else x


_Place = tuple[Array, Array, Array]
"""Two places in the order, and how far from the one to the other."""


def _place(xp: Any, below: Below, share: float, method: str) -> _Place:
    if method == "linear":
        at = share * (below.total - 1)
        floor = xp.floor(at)
        return below.less_or_equal(floor), below.less_or_equal(floor + 1), at - floor
    at = share * below.total
    first = below.less(at)
    if method == "inverted_cdf":
        return first, first, xp.zeros_like(at)
    return first, below.less_or_equal(at), xp.full_like(at, 0.5)


def _between(p: Plan, ordered: Order, places: list[_Place]) -> Array:
    """Values at places in the order, interpolated; places beyond its ends are those ends.

    Shape (..., shares * G): for each share all groups.
    """
    xp = p.d.xp
    first, second, share = (xp.concat(parts, axis=-1) for parts in zip(*places, strict=True))
    index = xp.concat([first, second], axis=-1)
    count = _repeated(p, ordered.count, 2 * len(places))
    index = xp.where(index < count, index, count - 1)
    index = xp.where(index < 0, 0, index)
    if p.totals.lead:
        # A group of nothing after the last element has no place at all.
        index = index + _repeated(p, ordered.start, 2 * len(places))
        index = xp.where(index < ordered.values.shape[-1], index, 0)
    picked = p.d.backend.take_along_axis(ordered.values, index)
    picked = cast(xp, picked, share.dtype)
    half = int(share.shape[-1])
    low, high = picked[..., :half], picked[..., half:]
    # Equal ones stay what they are, and Inf is not multiplied by 0.
    alone = (share == 0) | (low == high)
    low = low * xp.where(alone, 1.0, 1 - share)
    high = xp.where(alone, 0.0, high) * share
    # Their sum is NaN as well, but not without a warning.
    low = xp.where((low == -xp.inf) & (high == xp.inf), xp.nan, low)
    return low + high
