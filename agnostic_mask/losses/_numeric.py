"""Logarithms, powers, ratios and class sums that hold to the ends of their range.

What is below the smallest normal number of its dtype counts as that number, or as 0: some
frameworks flush it to 0, others do not.
"""

import math
from typing import Any

from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._dtypes import wide_float


def tiny_of(xp: Any, x: Array) -> float:
    """Smallest normal number of the dtype of `x`."""
    return float(xp.finfo(x.dtype).smallest_normal)


def floored(d: Dispatch, x: Array) -> Array:
    """`x`, or the smallest normal number where it is below that; NaN stays."""
    return d.backend.clipped(x, tiny_of(d.xp, x), math.inf)


def log(d: Dispatch, x: Array) -> Array:
    """Logarithm, at least that of the smallest normal number."""
    return d.xp.log(floored(d, x))


def log_complement(d: Dispatch, x: Array) -> Array:
    """Logarithm of ``1 - x``, accurate for small x; at x = 1 as `log` of 0."""
    below = 1 - float(d.xp.finfo(x.dtype).eps) / 2
    logs = d.xp.log1p(-d.backend.clipped(x, -1.0, below))
    # By a product, since NumPy selects by a mask as slowly as it takes logarithms.
    missing = math.log(tiny_of(d.xp, x)) - math.log1p(-below)
    return logs + missing * d.xp.astype(x >= 1, x.dtype)


def power(d: Dispatch, x: Array, exponent: float) -> Array:
    """`x` to an exponent of at least 0, with a finite derivative at 0 for any."""
    return d.xp.ones_like(x) if exponent == 0 else floored(d, x) ** exponent


def share_of(xp: Any, part: Array, whole: Array) -> Array:
    """``part / whole``, where ``|part| <= whole``; 0 where nothing is there to be shared."""
    # Both are lifted where the square of the whole, which derivatives divide by, would be 0.
    root = math.sqrt(tiny_of(xp, whole))
    small = whole < root
    part = xp.where(small, xp.where(small, part, 0.0) / root, part)
    whole = xp.where(small, xp.where(small, whole, 0.0) / root, whole)
    nothing = whole < root
    return xp.where(nothing, 0.0, part) / xp.where(nothing, 1.0, whole)


def class_numbers(d: Dispatch, x: Array, axis: int) -> Array:
    """Number of each class, as a row along the class axis."""
    shape = tuple(n if i == axis else 1 for i, n in enumerate(x.shape))
    return d.xp.reshape(d.xp.arange(shape[axis], device=d.device), shape)


def class_sum(d: Dispatch, x: Array, axis: int) -> Array:
    """Sum over the class axis, kept as a dimension of 1: accumulated in float64, in x's dtype."""
    with d.backend.wide():
        wide = wide_float(d.xp, d.device, d.backend)
        total = d.backend.sum(x, (axis % len(x.shape),), wide, keepdims=True)
        return d.xp.astype(total, x.dtype)


def class_max(d: Dispatch, x: Array, axis: int) -> Array:
    """Maximum over the class axis, kept as a dimension of 1."""
    # Dask cannot take the maximum of chunks without elements; their sum has the same shape.
    if 0 in x.shape:
        return class_sum(d, x, axis)
    return d.backend.as_array(d.xp.max(x, axis=axis, keepdims=True))


def log_normaliser(d: Dispatch, logits: Array, axis: int) -> tuple[Array, Array]:
    """Maximum of logits over `axis`, and the log of the sum of exponentials of what they lack."""
    top = class_max(d, logits, axis)
    return top, d.xp.log(class_sum(d, d.xp.exp(logits - top), axis))


def ruled_out(xp: Any, share: Array, logs: Array) -> Array:
    """Logarithms, with 0 for the -Inf of a class that has no share: 0 times Inf is not meant."""
    return xp.where((logs == -xp.inf) & (share == 0), 0.0, logs)
