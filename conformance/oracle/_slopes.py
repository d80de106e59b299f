"""Derivatives by differences in higher precision."""

from collections.abc import Callable

import numpy as np

from ._numbers import Number, mp, number

_STEP = mp.mpf(10) ** -24


def slopes(
    value: Callable[[np.ndarray], Number], x: np.ndarray, live: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Derivative of a number with respect to each element of an array, by central differences.

    Parameters
    ----------
    value : callable
        A function of arrays of mpmath numbers.
    x : numpy.ndarray
        Where the derivative is taken.
    live : numpy.ndarray of bool, shape of x
        Elements that are moved; the others get a derivative of 0.

    Returns
    -------
    derivatives : array of mpf, shape of x
        0 where an end of the domain leaves none.
    smooth : array of bool, shape of x
        False where the differences to both sides do not agree: a kink, or an end of the domain.
    """
    numbers = np.empty(x.shape, dtype=object)
    for index in np.ndindex(x.shape):
        numbers[index] = number(x[index])
    derivatives = np.full(x.shape, mp.mpf(0), dtype=object)
    smooth = np.ones(x.shape, dtype=bool)
    here = value(numbers)
    for index in np.ndindex(x.shape):
        if not live[index]:
            continue
        sides = []
        for sign in (1, -1):
            moved = numbers.copy()
            moved[index] += sign * _STEP
            sides.append(sign * (value(moved) - here) / _STEP)
        if mp.isnan(sides[0]) or mp.isnan(sides[1]):
            smooth[index] = False
            continue
        derivatives[index] = (sides[0] + sides[1]) / 2
        size = max(abs(sides[0]), abs(sides[1]), mp.mpf(1))
        smooth[index] = abs(sides[0] - sides[1]) <= size * mp.mpf(10) ** -9
    return derivatives, smooth
