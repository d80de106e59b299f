"""A value in higher precision, and how far a result may be from it."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np


class Share(float):
    """Share of a bound that a distance fills, as a number.

    Attributes
    ----------
    ulps : float
        The same distance in units of the last place of the result's dtype.
    """

    ulps: float

    def __new__(cls, share: float, ulps: float) -> "Share":
        """Share of the bound, and the distance in units of the last place."""
        made = super().__new__(cls, share)
        made.ulps = ulps
        return made


NOTHING, EVERYTHING = Share(0.0, 0.0), Share(math.inf, math.inf)


@dataclass(frozen=True)
class Reference:
    """A value in higher precision, and how far a result may be from it.

    Attributes
    ----------
    value : number, or array of numbers
        The value: of mpmath, NumPy (its longest float too) or Python.
    bound : float, or array of float, same shape
        The largest distance of a right result.
    """

    value: Any
    bound: Any

    def share(self, result: np.ndarray) -> Share:
        """Greatest share of the bound that a result fills; Inf if it is no such number.

        A NaN where NaN is right, and an infinity where it is right, fill nothing.
        """
        if np.shape(self.value) != np.shape(result):
            return EVERYTHING
        return max(self.shares(result).values(), default=NOTHING)

    def shares(self, result: np.ndarray) -> dict[tuple[int, ...], Share]:
        """Share of its bound that each element of a result of the same shape fills."""
        values = np.asarray(self.value, dtype=object)
        bounds = np.broadcast_to(np.asarray(self.bound, dtype=float), values.shape)
        return {
            index: _share(values[index], float(bounds[index]), result[index])
            for index in np.ndindex(values.shape)
        }


def _share(value: Any, bound: float, got: Any) -> Share:
    value, got_value = exact(value), exact(got)
    if not (isinstance(value, Fraction) and isinstance(got_value, Fraction)):
        return NOTHING if str(value) == str(got_value) else EVERYTHING
    distance = abs(got_value - value)
    if not distance:
        return NOTHING
    ulps = _ratio(distance, _last_place(got, max(abs(value), abs(got_value))))
    if math.isinf(bound):
        return Share(0.0, ulps)
    return Share(_ratio(distance, Fraction(bound)) if bound > 0 else math.inf, ulps)


def _last_place(like: Any, size: Fraction) -> Fraction:
    """Distance of neighbours of this size in the dtype of a result; of integers, 1."""
    if not isinstance(like, float | np.floating):
        return Fraction(1)
    dtype = np.asarray(like).dtype
    # Beyond the largest number the distance is that of the largest.
    within = min(size, Fraction(*np.finfo(dtype).max.as_integer_ratio()))
    return Fraction(*np.spacing(dtype.type(float(within))).as_integer_ratio())


def _ratio(distance: Fraction, unit: Fraction) -> float:
    try:
        return float(distance / unit)
    except OverflowError:
        return math.inf


def exact(x: Any) -> Fraction | float:
    """A number as a fraction, without rounding; NaN and infinities as the floats that they are."""
    if hasattr(x, "man_exp"):  # of mpmath, which is not imported for this
        return _of_mpmath(x)
    if isinstance(x, bool | np.bool):
        return Fraction(int(x))
    if isinstance(x, int | np.integer | Fraction):
        return x if isinstance(x, Fraction) else Fraction(int(x))
    if not np.isfinite(x):
        return float(x)
    return Fraction(*x.as_integer_ratio())


def _of_mpmath(x: Any) -> Fraction | float:
    mantissa, exponent = x.man_exp
    if not mantissa and float(x):
        return float(x)
    size = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
    return -size if x < 0 else size  # the mantissa has no sign


_ROUNDOFF = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}


def roundoff(dtype: str) -> float:
    """Half the distance from 1 to the next number of a float type of this name."""
    return _ROUNDOFF[dtype]
