"""What the oracle's modules share: precision, roundoff, and looking up by leading axes."""

from typing import Any

import mpmath
import numpy as np

# A context of its own, so that nobody's working precision is changed.
mp = mpmath.MPContext()
mp.prec = 200

Number = Any
"""An mpmath number of `mp`; mpmath has no types."""


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
