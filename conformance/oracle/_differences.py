"""Derivatives of the oracle's own values."""

from collections.abc import Callable

import numpy as np

from .._slopes import slopes
from ._numbers import Number, mp, number

_STEP = mp.mpf(10) ** -24


def differences(
    value: Callable[[np.ndarray], Number], x: np.ndarray, live: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives of a function of mpmath numbers, and where there is one: see `slopes`."""
    numbers = np.empty(x.shape, dtype=object)
    for index in np.ndindex(x.shape):
        numbers[index] = number(x[index])
    return slopes(value, numbers, live, step=_STEP, tolerance=1e-9)
