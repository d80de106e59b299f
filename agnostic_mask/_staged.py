"""Staged sums: sum down to what a mask or weights distinguish, exclude, weigh, sum on.

No operand is broadcast to full size, excluded values are selected away and never multiplied,
and every sum accumulates in float64 (`Dispatch.backend.wide` must be entered by the caller).
"""

from typing import Any, NamedTuple

from agnostic_mask import _cover
from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._dtypes import cast, wide_float, wide_integer

Axes = tuple[int, ...]


class Inclusion(NamedTuple):
    """Which elements of an array of rank `rank` count, and how much.

    Attributes
    ----------
    include : array of bool or None
        Which count, expanded to `rank` dimensions; None if all do.
    factors : tuple of arrays
        What elements are multiplied by, expanded likewise, the finest first.
    """

    include: Array | None
    factors: tuple[Array, ...]


class Covers(NamedTuple):
    """What covers the scores of an objective.

    Attributes
    ----------
    mask : array of bool or None
        True counts.
    soft : array of float or None
        A mask of factors, in place of `mask`.
    weights : array of int or float, or None
    """

    mask: Array | None
    soft: Array | None
    weights: Array | None

    def inclusion(self, xp: Any, rank: int) -> Inclusion:
        """Join them over scores of rank `rank`."""
        return inclusion(xp, rank, (self.mask,), (self.soft, self.weights))

    def also(self, xp: Any, mask: Array, rank: int) -> "Covers":
        """Covers that include only what `mask` includes too."""
        joint = inclusion(xp, rank, (self.mask, mask), ()).include
        return self._replace(mask=mask if self.mask is None else joint)


def inclusion(
    xp: Any, rank: int, masks: tuple[Array | None, ...], factors: tuple[Array | None, ...]
) -> Inclusion:
    """Join masks (True counts) and factors (non-zero counts) over an array of rank `rank`."""
    given = sorted((f for f in factors if f is not None), key=lambda f: len(f.shape), reverse=True)
    tests = [m for m in masks if m is not None] + [f != 0 for f in given]
    include = None
    for test in tests:
        test = _cover.expand(xp, test, rank)
        include = test if include is None else include & test
    return Inclusion(include, tuple(_cover.expand(xp, f, rank) for f in given))


def select(xp: Any, include: Array | None, x: Array, other: Array | float) -> Array:
    """`x` where included, else `other`; never a product, so that NaN does not come through."""
    return x if include is None else xp.where(include, x, other)


def among(include: Array | None, x: Array) -> Array:
    """Booleans, False where excluded."""
    return x if include is None else x & include


def sum_over(d: Dispatch, x: Array, axes: Axes, dtype: Any) -> Array:
    """Sum of `x` over `axes`, kept as dimensions of 1, accumulated in `dtype`."""
    if not axes:  # torch would sum over all axes
        return x
    return d.backend.as_array(d.xp.sum(x, axis=axes, dtype=dtype, keepdims=True))


def _not_told_apart(x: Array, by: tuple[Array, ...], axes: Axes) -> Axes:
    return tuple(i for i in axes if x.shape[i] != 1 and all(array.shape[i] == 1 for array in by))


def _present(xp: Any, include: Array, factor: Array, partial: Array) -> Array:
    """`factor`, with 0 in place of those that no included element has, NaN or not.

    Asked as finely as `partial` still tells elements apart.
    """
    summed = tuple(i for i, n in enumerate(partial.shape) if n == 1 and include.shape[i] != 1)
    present = xp.any(include, axis=summed, keepdims=True) if summed else include
    return select(xp, present, factor, 0)


def _weigh(d: Dispatch, x: Array, include: Array, factors: tuple[Array, ...], axes: Axes) -> Array:
    """Apply each factor to `x`, summed over those of `axes` that it and later ones ignore."""
    xp = d.xp
    wide = wide_float(xp, d.device, d.backend)
    for i, factor in enumerate(factors):
        x = sum_over(d, x, _not_told_apart(x, factors[i:], axes), wide)
        # In float64 whether or not something was summed before: were the product rounded to
        # float32 where a part has but one step, a cut would show in the result.
        x = cast(xp, x, wide) * cast(xp, _present(xp, include, factor, x), wide)
    return x


def _finish(d: Dispatch, x: Array, axes: Axes) -> Array:
    wide = wide_float(d.xp, d.device, d.backend)
    return cast(d.xp, sum_over(d, x, tuple(i for i in axes if x.shape[i] != 1), wide), wide)


def weighted_sum(d: Dispatch, x: Array, inclusion: Inclusion, axes: Axes) -> Array:
    """Sum of included elements times their factors over `axes`, in float64.

    Parameters
    ----------
    d : Dispatch
    x : array, float32 or float64
        What is summed. Where `inclusion` does not tell its elements apart, excluded ones must
        be finite (see `clean`).
    inclusion : Inclusion
    axes : tuple of int
        Axes to sum over; the result has dimensions of 1 there.

    Returns
    -------
    array, float64
    """
    xp, include = d.xp, inclusion.include
    if include is None:
        return _finish(d, x, axes)
    x = sum_over(d, x, _not_told_apart(x, (include,), axes), wide_float(xp, d.device, d.backend))
    x = _weigh(d, select(xp, include, x, 0.0), include, inclusion.factors, axes)
    return _finish(d, x, axes)


def clean(xp: Any, x: Array, include: Array | None) -> Array:
    """`x` with 0 where excluded, unless `include` tells all its elements apart anyway.

    A sum over excluded NaN and Inf is selected away as well, but not without a warning.
    """
    if include is None or tuple(include.shape) == tuple(x.shape):
        return x
    return select(xp, include, x, 0.0)


def weighed(d: Dispatch, x: Array, inclusion: Inclusion) -> Array:
    """Included elements times their factors, not summed; 0 where excluded."""
    include = inclusion.include
    if include is None:
        return x
    return _weigh(d, select(d.xp, include, x, 0.0), include, inclusion.factors, ())


def count(d: Dispatch, shape: _cover.Shape, include: Array | None, axes: Axes) -> Array:
    """Number of included elements over `axes` of an array of this shape, as exact integers."""
    xp = d.xp
    integer = wide_integer(xp, d.device, d.backend)
    if include is None:
        kept = tuple(1 if i in axes else n for i, n in enumerate(shape))
        return xp.full(
            kept, _cover.size(tuple(shape[i] for i in axes)), dtype=integer, device=d.device
        )
    counts = sum_over(d, xp.astype(include, xp.uint8), axes, integer)
    return cast(xp, counts, integer) * _repeats(shape, include, axes)


def sum_of_factors(d: Dispatch, shape: _cover.Shape, inclusion: Inclusion, axes: Axes) -> Array:
    """Sum of the factors of included elements over `axes` of an array of this shape, in float64."""
    xp, include, factors = d.xp, inclusion.include, inclusion.factors
    wide = wide_float(xp, d.device, d.backend)
    if include is None or not factors:
        return cast(xp, count(d, shape, include, axes), wide)
    coarser = _not_told_apart(include, factors, axes)
    if coarser:
        integer = wide_integer(xp, d.device, d.backend)
        x = cast(xp, sum_over(d, xp.astype(include, xp.uint8), coarser, integer), wide)
    else:
        x = cast(xp, include, wide)
    x = _finish(d, _weigh(d, x, include, factors, axes), axes)
    return x * _repeats(shape, include, axes)


def _repeats(shape: _cover.Shape, include: Array, axes: Axes) -> int:
    return _cover.size(tuple(shape[i] for i in axes if include.shape[i] == 1))


def ratio(xp: Any, numerator: Array, denominator: Array) -> Array:
    """`numerator / denominator`, NaN where the denominator is 0, without a warning."""
    zero = denominator == 0
    return xp.where(zero, xp.nan, numerator / xp.where(zero, 1.0, denominator))


def root(xp: Any, x: Array) -> Array:
    """Square root, NaN of a negative number without a warning; its gradient is 0 at 0."""
    positive = x > 0
    return xp.where(
        positive, xp.sqrt(xp.where(positive, x, 1.0)), xp.where(x == 0, xp.zeros_like(x), xp.nan)
    )
