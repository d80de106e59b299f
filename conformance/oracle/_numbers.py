"""What the oracle's modules share: precision, roundoff, and looking up by leading axes."""

from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

# A context of its own, so that nobody's working precision is changed.
mp = mpmath.MPContext()
mp.prec = 200

Number = Any
"""An mpmath number of `mp`; mpmath has no types."""


@dataclass(frozen=True)
class Reference:
    """A value in higher precision, and how far a result may be from it.

    Attributes
    ----------
    value : mpf, or array of mpf
        The value.
    bound : float, or array of float, same shape
        The largest distance of a right result.
    """

    value: Any
    bound: Any

    def share(self, result: np.ndarray) -> float:
        """Greatest share of the bound that a result fills; Inf if it is no such number.

        A NaN where NaN is right, and an infinity where it is right, fill nothing.
        """
        values, bounds = np.asarray(self.value, dtype=object), np.asarray(self.bound)
        if values.shape != np.shape(result):
            return float("inf")
        worst = 0.0
        for index in np.ndindex(values.shape):
            worst = max(worst, _share(values[index], float(bounds[index]), result[index]))
        return worst


def _share(value: Number, bound: float, result: Any) -> float:
    got = mp.mpf(float(result)) if not isinstance(result, int | np.integer) else mp.mpf(int(result))
    value = mp.mpf(value)
    if mp.isnan(value) or mp.isnan(got):
        return 0.0 if mp.isnan(value) and mp.isnan(got) else float("inf")
    if mp.isinf(value) or mp.isinf(got):
        return 0.0 if value == got else float("inf")
    distance = abs(got - value)
    if distance == 0:
        return 0.0
    return float(distance / mp.mpf(bound)) if bound > 0 else float("inf")


def compute_dtype(dtype: str) -> str:
    """Dtype in which inputs of a float type called `dtype` are computed."""
    return "float64" if dtype == "float64" else "float32"


def unit_roundoff(dtype: str) -> float:
    """Half the distance from 1 to the next number of a float type."""
    return 2.0**-53 if dtype == "float64" else 2.0**-24


def smallest_normal(dtype: str) -> Number:
    """Least positive number of full precision of a float type."""
    return mp.mpf(2) ** (-1022 if dtype == "float64" else -126)


def at(array: np.ndarray, index: tuple[int, ...]) -> Any:
    """Element of an array that covers leading axes, a dimension of 1 for all."""
    return array[tuple(0 if n == 1 else i for n, i in zip(array.shape, index, strict=False))]


def number(x: Any) -> Number:
    """An element as a number of higher precision, exactly."""
    if isinstance(x, mp.mpf):
        return x
    return mp.mpf(int(x)) if isinstance(x, bool | int | np.bool | np.integer) else mp.mpf(float(x))
