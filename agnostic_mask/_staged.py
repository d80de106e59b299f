"""Staged sums: sum down to what a mask or weights distinguish, exclude, weigh, sum on.

No operand is broadcast to full size, excluded values are selected away and never multiplied,
and every sum accumulates in float64 (`Dispatch.backend.wide` must be entered by the caller).
"""

from typing import Any, NamedTuple

from agnostic_mask import _cover
from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._dtypes import cast, wide_float, wide_integer
from agnostic_mask._selected import ratio as ratio

Axes = tuple[int, ...]


class Inclusion:
    """Which elements of an array of rank `rank` count, and how much.

    Attributes
    ----------
    include : array of bool or None
        Which count, expanded to `rank` dimensions; None if all do.
    factors : tuple of arrays
        What elements are multiplied by, expanded likewise, the finest first.
    own : bool
        Whether those that count are just those whose factor, the only one, is not 0.
    """

    __slots__ = ("_counts", "_present", "factors", "include", "own")

    def __init__(
        self, include: Array | None, factors: tuple[Array, ...] = (), *, own: bool = False
    ) -> None:
        self.include, self.factors, self.own = include, factors, own
        self._counts: dict[Axes | None, Array] = {}
        self._present: dict[tuple[int, Axes], Array] = {}

    def counts(self, d: Dispatch, axes: Axes) -> Array:
        """How many of `include` count over `axes`, kept as dimensions of 1; counted once."""
        found = self._counts.get(axes)
        if found is None:
            integer = wide_integer(d.xp, d.device, d.backend)
            if axes:
                found = d.backend.count(self.include, axes, integer, keepdims=True)
            else:
                found = cast(d.xp, self.include, integer)
            self._counts[axes] = found
        return found

    def whole_count(self, d: Dispatch) -> Array:
        """How many of `include` count, 0-d; counted once."""
        found = self._counts.get(None)
        if found is None:
            integer = wide_integer(d.xp, d.device, d.backend)
            found = d.backend.count(self.include, None, integer, keepdims=False)
            self._counts[None] = found
        return found

    def present(self, d: Dispatch, i: int, axes: Axes) -> Array:
        """Factor i in float64, with 0 in place of those that no included element has, NaN or not.

        Asked as finely as elements are told apart after a sum over `axes`; found once.
        """
        found = self._present.get((i, axes))
        if found is None:
            found = self.factors[i]
            if axes:
                found = zeroed(d, self.counts(d, axes) > 0, found)
            # Where just those count whose factor is not 0, only a derivative can tell.
            elif not (self.own and d.backend.unwatched(found)):
                found = zeroed(d, self.include, found)
            found = cast(d.xp, found, wide_float(d.xp, d.device, d.backend))
            self._present[(i, axes)] = found
        return found


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

    def inclusion(self, d: Dispatch, rank: int) -> Inclusion:
        """Join them over scores of rank `rank`."""
        return inclusion(d, rank, (self.mask,), (self.soft, self.weights))

    def also(self, d: Dispatch, mask: Array, rank: int) -> "Covers":
        """Covers that include only what `mask` includes too."""
        joint = inclusion(d, rank, (self.mask, mask), ()).include
        return self._replace(mask=mask if self.mask is None else joint)


def inclusion(
    d: Dispatch, rank: int, masks: tuple[Array | None, ...], factors: tuple[Array | None, ...]
) -> Inclusion:
    """Join masks (True counts) and factors (non-zero counts) over an array of rank `rank`."""
    include = None
    for mask in masks:
        if mask is not None:
            mask = _cover.expand(d.xp, mask, rank)
            include = mask if include is None else d.backend.both(include, mask)
    given = [f for f in factors if f is not None]
    if len(given) > 1:
        given.sort(key=lambda f: len(f.shape), reverse=True)
    expanded = tuple([_cover.expand(d.xp, f, rank) for f in given])
    own = include is None and len(expanded) == 1
    for factor in expanded:
        test = factor != 0
        include = test if include is None else d.backend.both(include, test)
    return Inclusion(include, expanded, own=own)


def select(xp: Any, include: Array | None, x: Array, other: Array | float) -> Array:
    """`x` where included, else `other`; never a product, so that NaN does not come through."""
    return x if include is None else xp.where(include, x, other)


def zeroed(d: Dispatch, include: Array | None, x: Array) -> Array:
    """`x`, 0 where excluded."""
    return x if include is None else d.backend.zeroed(x, include)


def among(include: Array | None, x: Array) -> Array:
    """Booleans, False where excluded."""
    return x if include is None else x & include


def sum_over(d: Dispatch, x: Array, axes: Axes, dtype: Any) -> Array:
    """Sum of `x` over `axes`, kept as dimensions of 1, accumulated in `dtype`."""
    return d.backend.sum(x, axes, dtype, keepdims=True) if axes else x  # torch would sum over all


def _not_told_apart(x: Array, by: tuple[Array, ...], axes: Axes) -> Axes:
    shape = x.shape
    if shape == by[-1].shape:  # the coarsest
        return ()
    shapes = [array.shape for array in by]
    return tuple([i for i in axes if shape[i] != 1 and all(s[i] == 1 for s in shapes)])


def _weigh(d: Dispatch, x: Array, inclusion: Inclusion, axes: Axes) -> Array:
    """Apply each factor to `x`, summed over those of `axes` that it and later ones ignore."""
    include, factors = inclusion.include, inclusion.factors
    assert include is not None
    for i in range(len(factors)):
        coarser = _not_told_apart(x, factors[i:], axes)
        if coarser:
            x = sum_over(d, x, coarser, wide_float(d.xp, d.device, d.backend))
        shape = x.shape
        summed = (
            ()
            if shape == include.shape
            else tuple([k for k, n in enumerate(include.shape) if n != 1 and shape[k] == 1])
        )
        # In float64 whether or not something was summed before: were the product rounded to
        # float32 where a part has but one step, a cut would show in the result.
        x = x * inclusion.present(d, i, summed)
    return x


def _finish(d: Dispatch, x: Array, axes: Axes, keepdims: bool) -> Array:
    wide = wide_float(d.xp, d.device, d.backend)
    if not keepdims:
        return d.backend.sum(x, None, wide, keepdims=False)
    shape = x.shape
    return cast(d.xp, sum_over(d, x, tuple([i for i in axes if shape[i] != 1]), wide), wide)


def weighted_sum(
    d: Dispatch, x: Array, inclusion: Inclusion, axes: Axes, *, keepdims: bool = True
) -> Array:
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
    keepdims : bool
        False for a sum over all axes, which then is 0-d.

    Returns
    -------
    array, float64
    """
    include = inclusion.include
    if include is not None:
        coarser = _not_told_apart(x, (include,), axes)
        if coarser:
            x = sum_over(d, x, coarser, wide_float(d.xp, d.device, d.backend))
        x = zeroed(d, include, x)
        if inclusion.factors:
            x = _weigh(d, x, inclusion, axes)
    return _finish(d, x, axes, keepdims)


def clean(d: Dispatch, x: Array, include: Array | None) -> Array:
    """`x` with 0 where excluded, unless `include` tells all its elements apart anyway.

    A sum over excluded NaN and Inf is selected away as well, but not without a warning.
    """
    if include is None or tuple(include.shape) == tuple(x.shape):
        return x
    return zeroed(d, include, x)


def weighed(d: Dispatch, x: Array, inclusion: Inclusion) -> Array:
    """Included elements times their factors, not summed; 0 where excluded."""
    if inclusion.include is None:
        return x
    return _weigh(d, zeroed(d, inclusion.include, x), inclusion, ())


def count(
    d: Dispatch, shape: _cover.Shape, inclusion: Inclusion, axes: Axes, *, keepdims: bool = True
) -> Array:
    """Number of included elements over `axes` of an array of this shape, as exact integers.

    `keepdims` is as of `weighted_sum`.
    """
    xp, include = d.xp, inclusion.include
    integer = wide_integer(xp, d.device, d.backend)
    if include is None:
        kept = tuple(1 if i in axes else n for i, n in enumerate(shape)) if keepdims else ()
        number = _cover.size(tuple(shape[i] for i in axes))
        return xp.full(kept, number, dtype=integer, device=d.device)
    # As far as factors do not tell elements apart, sums of factors are made of these counts too.
    coarser = _not_told_apart(include, inclusion.factors, axes) if inclusion.factors else ()
    if not (coarser or keepdims):
        x = inclusion.whole_count(d)
    else:
        x = inclusion.counts(d, coarser or axes)
        if coarser and coarser != axes:
            x = sum_over(d, x, axes, integer)
        x = cast(xp, x if keepdims else xp.reshape(x, ()), integer)
    return _repeated(x, shape, include, axes)


def sum_of_factors(
    d: Dispatch, shape: _cover.Shape, inclusion: Inclusion, axes: Axes, *, keepdims: bool = True
) -> Array:
    """Sum of the factors of included elements over `axes` of an array of this shape, in float64.

    `keepdims` is as of `weighted_sum`.
    """
    xp, include, factors = d.xp, inclusion.include, inclusion.factors
    wide = wide_float(xp, d.device, d.backend)
    if include is None or not factors:
        return cast(xp, count(d, shape, inclusion, axes, keepdims=keepdims), wide)
    coarser = _not_told_apart(include, factors, axes)
    if coarser or len(factors) > 1:
        x = cast(xp, inclusion.counts(d, coarser), wide)
        x = _weigh(d, x, inclusion, axes)
    else:  # whose product with 1 or 0 this is
        x = inclusion.present(d, 0, ())
    return _repeated(_finish(d, x, axes, keepdims), shape, include, axes)


def _repeated(x: Array, shape: _cover.Shape, include: Array, axes: Axes) -> Array:
    """Totals of `include` over `axes`, along some of which it stands for several elements."""
    own = tuple(include.shape)
    if own == shape:
        return x
    return x * _cover.size(tuple(shape[i] for i in axes if own[i] == 1))


def root(xp: Any, x: Array) -> Array:
    """Square root, NaN of a negative number without a warning; its gradient is 0 at 0."""
    positive = x > 0
    return xp.where(
        positive, xp.sqrt(xp.where(positive, x, 1.0)), xp.where(x == 0, xp.zeros_like(x), xp.nan)
    )
