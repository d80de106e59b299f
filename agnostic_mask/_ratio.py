"""Division that gives NaN where there is nothing to divide by."""

from typing import Any

from agnostic_mask._array import Array


def ratio(xp: Any, numerator: Array, denominator: Array) -> Array:
    """`numerator / denominator`, NaN where the denominator is 0, without a warning."""
    zero = denominator == 0
    return xp.where(zero, xp.nan, numerator / xp.where(zero, 1.0, denominator))
