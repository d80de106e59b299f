"""What every reduction does first and last: check the arguments, and shape the result."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from agnostic_mask import _cover, _staged
from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch, resolve
from agnostic_mask._dtypes import cast, float_name, is_floating, wide_float, widen_half
from agnostic_mask._errors import AxisError, UnsupportedArrayError
from agnostic_mask._labels import number_of_groups
from agnostic_mask._totals import Split, Totals

Axis = int | Sequence[int] | None


class Plan(NamedTuple):
    """A reduction whose arguments were checked.

    `dtype` is the float type of x, else of the weights, else the default: that of results which
    are neither counts nor picked from x. `whole` are the totals over the axes, for each group if
    there are groups. None if x is to be gone through in tiles of `step` rows: then x, the mask and
    the weights are as they were passed, and only the plans of `tile` compute with them.
    """

    d: Dispatch
    x: Array
    shape: _cover.Shape
    mask: Array | None
    weights: Array | None
    axes: tuple[int, ...]
    keepdims: bool
    dtype: Any
    split: Split | None
    whole: Totals | None
    step: int = 0

    @property
    def totals(self) -> Totals:
        """Totals over the axes, of a plan that is not to be gone through in tiles."""
        assert self.whole is not None
        return self.whole

    @property
    def lead(self) -> _cover.Shape:
        """Leading axes of totals: that of the groups, if there are groups."""
        return () if self.split is None or self.split.by is None else (self.split.num_groups,)

    def tile(self, start: int) -> "Plan":
        """The reduction of `step` rows from this one on."""
        stop = min(start + self.step, self.shape[0])
        split = self.split
        if split is not None:
            split = split._replace(by=_cover.rows(split.by, start, stop))
        return _ready(
            self.d,
            self.x[start:stop, ...],
            (stop - start, *self.shape[1:]),
            _cover.rows(self.mask, start, stop),
            _cover.rows(self.weights, start, stop),
            self.axes,
            self.keepdims,
            self.dtype,
            split,
        )

    @property
    def kept(self) -> _cover.Shape:
        """Shape of x with dimensions of 1 over the axes."""
        return tuple([1 if i in self.axes else n for i, n in enumerate(self.shape)])

    def rows(self, x: Array) -> Array:
        """`x`, of the rank of the plan's, with the axes that are reduced as one, the last.

        Totals keep their leading axis.
        """
        lead = len(x.shape) - len(self.shape)
        axes = tuple(lead + i for i in self.axes)
        order = (*(i for i in range(len(x.shape)) if i not in axes), *axes)
        if order != tuple(range(len(order))):
            x = self.d.xp.permute_dims(x, order)
        if len(axes) == 1:
            return x
        lengths = tuple(x.shape)[: len(order) - len(axes)]
        together = _cover.size(tuple(x.shape)[len(lengths) :])
        return self.d.xp.reshape(x, (*lengths, together))

    def inclusion(self) -> _staged.Inclusion:
        """Which elements count, and how much."""
        if self.mask is None and self.weights is None:
            return _staged.Inclusion(None)
        return _staged.inclusion(self.d, len(self.shape), (self.mask,), (self.weights,))

    def floats(self) -> Array:
        """Values of x as floats: integers in the accumulator's dtype, not in the result's.

        float32 would tell no two of them apart whose difference is small beside them.
        """
        xp, d = self.d.xp, self.d
        return self.x if is_floating(xp, self.x) else cast(xp, self.x, wide_float(*d))

    def terms(self, include: Array | None) -> Array:
        """`floats`, excluded ones replaced where they would disturb a sum."""
        return _staged.clean(self.d, self.floats(), include)

    def finish(self, value: Array, dtype: Any, outside: Array | None = None) -> Array:
        """Totals, with dimensions of 1 over the axes, in their final shape and dtype.

        `outside` is how many included elements are in no group, if that is known.
        """
        xp, lead = self.d.xp, self.lead
        shape = (*lead, *self.kept)
        if tuple(value.shape) != shape:
            value = self.d.backend.copy(xp.broadcast_to(value, shape))
        if value is self.x:  # no axis was reduced; a result is never its input
            value = self.d.backend.copy(value)
        if lead and is_floating(xp, value):
            if outside is None:
                outside = self.totals.outside(self.inclusion().include)
            value = self.without_outside(value, outside)
        if self.axes and not self.keepdims:
            axes = tuple([len(lead) + i for i in self.axes]) if lead else self.axes
            value = xp.squeeze(value, axis=axes)
        return self.d.backend.as_array(cast(xp, value, dtype))

    def without_outside(self, value: Array, outside: Array) -> Array:
        """Floats of each group; NaN in all where elements are in none, of this number."""
        return self.d.xp.where(outside > 0, self.d.xp.nan, value)


def normalised_axes(axis: Axis, rank: int) -> tuple[int, ...]:
    """`axis` as increasing positions from the front.

    Raises
    ------
    AxisError
        If an axis is out of range, repeated, or not an integer.
    """
    if axis is None:
        return tuple(range(rank))
    given = tuple(axis) if isinstance(axis, Sequence) and not isinstance(axis, str) else (axis,)
    axes = sorted({_cover.position(a, rank, "x") for a in given})
    if len(axes) != len(given):
        raise AxisError(f"axis is {axis!r}, which names an axis of x twice; name each once")
    return tuple(axes)


def one_axis(axis: Any) -> Any:
    """`axis`, which must not be several.

    Raises
    ------
    AxisError
        If it is a sequence.
    """
    if isinstance(axis, Sequence):
        raise AxisError(f"axis is {axis!r}; expected a single integer")
    return axis


def plan(
    x: Array,
    mask: Array | None,
    weights: Array | None,
    axis: Axis,
    keepdims: bool,
    by: Array | None = None,
    num_groups: int | None = None,
    *,
    tiles: bool = False,
) -> Plan:
    """Check the arguments of a reduction, which can go through a large array in tiles or not."""
    if x is None:
        raise UnsupportedArrayError("x is None; expected an array")
    groups = None
    if by is not None or num_groups is not None:
        groups = number_of_groups(by, num_groups)
    named = (("x", x), ("mask", mask), ("weights", weights), ("by", by))
    d = resolve(named)
    shape = _cover.known_shape("x", x)
    for name, array in named[1:]:
        if array is not None:
            _cover.check_covers(name, _cover.known_shape(name, array), "x", shape)
    axes = normalised_axes(axis, len(shape))
    decides = x if weights is None or is_floating(d.xp, x) else weights
    dtype = getattr(d.xp, float_name(d.xp, d.device, decides))
    split = None if groups is None else Split(by, groups, None)
    if tiles and shape and d.backend.tile_elements is not None:
        step = _rows_of_a_tile(d, (x, mask, weights), shape, axes, groups or 1)
        if step:
            if mask is not None:
                _cover.mask_kind(d.xp, mask, soft=False)
            return Plan(d, x, shape, mask, weights, axes, keepdims, dtype, split, None, step)
    return _ready(d, x, shape, mask, weights, axes, keepdims, dtype, split)


def _ready(
    d: Dispatch,
    x: Array,
    shape: _cover.Shape,
    mask: Array | None,
    weights: Array | None,
    axes: tuple[int, ...],
    keepdims: bool,
    dtype: Any,
    split: Split | None,
) -> Plan:
    """The plan of arrays of which all will be computed with at once."""
    if mask is not None:
        mask = _cover.as_boolean(mask, _cover.mask_kind(d.xp, mask, soft=False))
    if weights is not None:
        weights = _cover.as_factors(d.xp, weights)
    if split is None:
        totals = Totals(d, shape, None, axes)
    else:
        with d.backend.wide():
            totals = Totals(d, shape, split, axes)
    x = widen_half(d.xp, x)
    return Plan(d, x, shape, mask, weights, axes, keepdims, dtype, split, totals)


def _rows_of_a_tile(
    d: Dispatch,
    arrays: tuple[Array | None, ...],
    shape: _cover.Shape,
    axes: tuple[int, ...],
    groups: int,
) -> int:
    """How many rows of the first of `arrays` to compute with at once; 0 for all of them."""
    n, row = shape[0], math.prod(shape[1:])
    step = d.backend.tile_rows(arrays[0], row)
    if step is None or step >= n or not row:
        return 0
    of_row = groups * math.prod([m for i, m in enumerate(shape) if i and i not in axes])
    if 0 in axes:  # nor should totals be merged that are larger than the tiles are
        step = max(step, 4 * of_row // row)
    elif of_row > row:
        step = max(1, step * row // of_row)
    given = [x for x in arrays if x is not None]
    return step if step < n and d.backend.unwatched(*given) else 0
