"""What every reduction does first and last: check the arguments, and shape the result."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from agnostic_mask import _cover, _staged
from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch, resolve
from agnostic_mask._dtypes import cast, float_name, is_floating, wide_float, widen_half
from agnostic_mask._errors import AxisError, UnsupportedArrayError

Axis = int | Sequence[int] | None


class Plan(NamedTuple):
    """A reduction whose arguments were checked.

    `dtype` is the float type of x, else of the weights, else the default: that of results which
    are neither counts nor picked from x.
    """

    d: Dispatch
    x: Array
    shape: _cover.Shape
    mask: Array | None
    weights: Array | None
    axes: tuple[int, ...]
    keepdims: bool
    dtype: Any

    @property
    def kept(self) -> _cover.Shape:
        """Shape of x with dimensions of 1 over the axes."""
        return tuple(1 if i in self.axes else n for i, n in enumerate(self.shape))

    def rows(self, x: Array) -> Array:
        """`x`, of the rank of the plan's, with the axes that are reduced as one, the last."""
        others = [i for i in range(len(self.shape)) if i not in self.axes]
        lengths = tuple(x.shape[i] for i in others)
        together = _cover.size(tuple(x.shape[i] for i in self.axes))
        ordered = self.d.xp.permute_dims(x, (*others, *self.axes))
        return self.d.xp.reshape(ordered, (*lengths, together))

    def inclusion(self) -> _staged.Inclusion:
        """Which elements count, and how much."""
        return _staged.inclusion(self.d.xp, len(self.shape), (self.mask,), (self.weights,))

    def floats(self) -> Array:
        """Values of x as floats: integers in the accumulator's dtype, not in the result's.

        float32 would tell no two of them apart whose difference is small beside them.
        """
        xp, d = self.d.xp, self.d
        return self.x if is_floating(xp, self.x) else cast(xp, self.x, wide_float(*d))

    def terms(self) -> Array:
        """`floats`, excluded ones replaced where they would disturb a sum."""
        return _staged.clean(self.d.xp, self.floats(), self.inclusion().include)

    def finish(self, value: Array, dtype: Any) -> Array:
        """A result with dimensions of 1 over the axes, in its final shape and dtype."""
        xp = self.d.xp
        if tuple(value.shape) != self.kept:
            value = self.d.backend.copy(xp.broadcast_to(value, self.kept))
        if value is self.x:  # no axis was reduced; a result is never its input
            value = self.d.backend.copy(value)
        if self.axes and not self.keepdims:
            value = xp.squeeze(value, axis=self.axes)
        return self.d.backend.as_array(cast(xp, value, dtype))


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


def plan(x: Array, mask: Array | None, weights: Array | None, axis: Axis, keepdims: bool) -> Plan:
    """Check the arguments of a reduction."""
    if x is None:
        raise UnsupportedArrayError("x is None; expected an array")
    named = (("x", x), ("mask", mask), ("weights", weights))
    d = resolve(named)
    shape = _cover.known_shape("x", x)
    for name, array in named[1:]:
        if array is not None:
            _cover.check_covers(name, _cover.known_shape(name, array), "x", shape)
    if mask is not None:
        mask = _cover.as_boolean(mask, _cover.mask_kind(d.xp, mask, soft=False))
    if weights is not None:
        weights = _cover.as_factors(d.xp, weights)
    axes = normalised_axes(axis, len(shape))
    decides = x if weights is None or is_floating(d.xp, x) else weights
    dtype = getattr(d.xp, float_name(d.xp, d.device, decides))
    return Plan(d, widen_half(d.xp, x), shape, mask, weights, axes, keepdims, dtype)
