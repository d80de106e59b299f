"""How a mask or weights lie over an array: on its leading axes, each dimension equal or 1.

Nothing is aligned from the right, so two dimensions that happen to be equal are no trap.
"""

import math
import operator
from typing import Any

from agnostic_mask._array import Array
from agnostic_mask._dtypes import DtypeKind, checked_kind, dtype_kind, widen_half
from agnostic_mask._errors import AxisError, ShapeMismatchError, UnsupportedArrayError

Shape = tuple[int, ...]


def known_shape(name: str, x: Array) -> Shape:
    """Shape of `x`.

    Raises
    ------
    ShapeMismatchError
        If a dimension is unknown, as after boolean indexing of a Dask array.
    """
    shape = tuple(x.shape)
    for n in shape:
        if n is None or n != n:
            raise ShapeMismatchError(
                f"{name} has shape {shape}, with dimensions that are not known; compute "
                f"them first, with Dask: {name}.compute_chunk_sizes()"
            )
    return shape


def check_covers(name: str, shape: Shape, target_name: str, target: Shape) -> None:
    """Raise ShapeMismatchError unless `shape` covers the leading axes of `target`."""
    fits = len(shape) <= len(target)
    if fits:
        for n, full in zip(shape, target, strict=False):
            fits = fits and (n == full or n == 1)
    if fits:
        return
    hint = ""
    trailing = target[len(target) - len(shape) :] if len(shape) <= len(target) else ()
    if trailing and all(n in (1, full) for n, full in zip(shape, trailing, strict=True)):
        missing = ", ".join(["None"] * (len(target) - len(shape)) + ["..."])
        hint = f"; it fits the trailing axes, for which write {name}[{missing}]"
    raise ShapeMismatchError(
        f"{name} has shape {shape} and {target_name} shape {target}; expected {name} to cover "
        f"the leading axes, each dimension equal or 1{hint}"
    )


def check_rows(name: str, shape: Shape, target_name: str, target: Shape) -> None:
    """Raise ShapeMismatchError unless there is one for each row of the leading axis of `target`."""
    if not target:
        raise ShapeMismatchError(
            f"{target_name} has shape (), without an axis of rows that {name} could be of; add "
            f"one: x[None]"
        )
    if shape != target[:1]:
        raise ShapeMismatchError(
            f"{name} has shape {shape} and {target_name} shape {target}; expected {target[:1]}, "
            f"one for each row of the leading axis"
        )


def position(axis: Any, rank: int, of: str) -> int:
    """`axis` counted from the front.

    Raises
    ------
    AxisError
        If it is not an integer, or out of range.
    """
    try:
        index = None if isinstance(axis, bool) else operator.index(axis)
    except TypeError:
        index = None
    if index is None or not -rank <= index < rank:
        among = f"an integer from {-rank} to {rank - 1}" if rank else "no axis at all"
        raise AxisError(f"axis is {axis!r}; expected {among}, for {of} has {rank} dimensions")
    return index % rank


def check_not_crossed(name: str, shape: Shape, other_name: str, other: Shape) -> None:
    """Raise ShapeMismatchError if broadcasting would make more elements than either has.

    (B,) against (B, 1) would give (B, B).
    """
    joint = []
    for i in range(1, max(len(shape), len(other)) + 1):
        n = shape[-i] if i <= len(shape) else 1
        m = other[-i] if i <= len(other) else 1
        if n != m and n != 1 and m != 1:
            return
        joint.append(m if n == 1 else n)
    if size(tuple(joint)) > max(size(shape), size(other)):
        raise ShapeMismatchError(
            f"{name} has shape {shape} and {other_name} {other}, which would be broadcast to "
            f"{tuple(reversed(joint))}; reshape one to the other"
        )


def mask_kind(xp: Any, mask: Array, *, soft: bool) -> DtypeKind:
    """Kind of the mask's dtype.

    Raises
    ------
    UnsupportedArrayError
        If the mask is floating and `soft` is False.
    """
    kind = checked_kind(xp, "mask", mask)
    if kind in ("half", "float32", "float64") and not soft:
        raise UnsupportedArrayError(
            f"mask has dtype {mask.dtype}; expected booleans or integers, where True or "
            f"non-zero counts. For factors write weights=mask; for a mask of zeros and ones "
            f"write mask=(mask != 0)"
        )
    return kind


def as_boolean(mask: Array, kind: DtypeKind) -> Array:
    """The mask as booleans: True where non-zero."""
    return mask if kind == "bool" else mask != 0


def as_factors(xp: Any, weights: Array) -> Array:
    """Weights as numbers that can be compared and multiplied: no booleans, no half types."""
    if dtype_kind(xp, weights.dtype) == "bool":
        return xp.astype(weights, xp.uint8)
    return widen_half(xp, weights)


def expand(xp: Any, x: Array, rank: int, *, skip: int | None = None) -> Array:
    """`x` with dimensions of 1 appended up to `rank`; at position `skip` one is inserted.

    `skip` is where the array that `x` is laid over has an axis that `x` does not know of.
    """
    if len(x.shape) == rank:
        return x
    shape = list(x.shape)
    if skip is not None and skip < len(shape):
        shape.insert(skip, 1)
    shape += [1] * (rank - len(shape))
    return xp.reshape(x, tuple(shape))


def rows(x: Array | None, start: int, stop: int) -> Array | None:
    """Rows of what lies over an array; what covers all rows by a dimension of 1 stays."""
    return x if x is None or not x.shape or x.shape[0] == 1 else x[start:stop, ...]


def size(shape: Shape) -> int:
    """Number of elements of an array of this shape."""
    return math.prod(shape)
