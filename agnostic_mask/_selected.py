"""Ratios and bounds by selection: without a warning, and with derivatives that are finite."""

import math
from typing import Any

from agnostic_mask._array import Array


def ratio(xp: Any, numerator: Array, denominator: Array) -> Array:
    """`numerator / denominator`, NaN where the denominator is 0, without a warning."""
    zero = denominator == 0
    return xp.where(zero, xp.nan, numerator / xp.where(zero, 1.0, denominator))


def clipped(xp: Any, x: Array, low: float, high: float) -> Array:
    """`x`, or the bound that it is beyond, which has no derivative; NaN stays."""
    # Not by a minimum, whose derivative JAX makes by a product, which may be 0 times Inf.
    x = xp.where(x < low, low, x)
    return x if high == math.inf else xp.where(x > high, high, x)
