"""Derivatives by differences in higher precision."""

from collections.abc import Callable
from typing import Any

import numpy as np

Number = Any
"""A number of higher precision."""


def slopes(
    value: Callable[[np.ndarray], Number],
    x: np.ndarray,
    live: np.ndarray,
    *,
    step: Number,
    tolerance: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Derivative of a number with respect to each element of an array, by central differences.

    Parameters
    ----------
    value : callable
        A function of arrays like `x`.
    x : numpy.ndarray
        Where the derivative is taken: numbers of higher precision.
    live : numpy.ndarray of bool, shape of x
        Elements that are moved; the others get a derivative of 0.
    step : number, or array of numbers, shape of x
        By how much an element is moved to each side.
    tolerance : float
        By how much the differences to both sides may differ, relative to the greater of them and
        1, where there is a derivative.

    Returns
    -------
    derivatives : array of numbers, shape of x
        0 where an end of the domain leaves none.
    smooth : array of bool, shape of x
        False where the differences to both sides do not agree: a kink, or an end of the domain.
    """
    derivatives = np.zeros_like(x)
    smooth = np.ones(x.shape, dtype=bool)
    here, steps = value(x), np.broadcast_to(np.asarray(step, dtype=x.dtype), x.shape)
    for index in np.ndindex(x.shape):
        if not live[index]:
            continue
        sides = []
        for sign in (1, -1):
            moved = x.copy()
            moved[index] += sign * steps[index]
            sides.append(sign * (value(moved) - here) / steps[index])
        if any(side != side for side in sides):  # NaN, of whichever kind of number
            smooth[index] = False
            continue
        derivatives[index] = (sides[0] + sides[1]) / 2
        size = max(abs(sides[0]), abs(sides[1]), 1)
        smooth[index] = abs(sides[0] - sides[1]) <= size * tolerance
    return derivatives, smooth


def directions(shape: tuple[int, ...]) -> np.ndarray:
    """Factors that make one number of a result with axes; 1 for a result without."""
    return np.cos(np.arange(int(np.prod(shape, dtype=int)))).reshape(shape)
