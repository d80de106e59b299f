"""How far off a right result may be: roundings, times what the function makes of them.

A result of numbers x that were each rounded a few times on their way is off by no more than those
roundings times the sum of ``|x_i df/dx_i|``, the function's componentwise condition (Higham,
*Accuracy and Stability of Numerical Algorithms*, 2002, sections 1.6 and 3.1). For a sum that is
the sum of ``|terms|``. Here it is found by differences in higher precision, one element at a time.
"""

from collections.abc import Callable, Iterable

import numpy as np

from .._case import Host

Value = Callable[[Host], np.ndarray]
"""A function of named inputs, in higher precision."""

STEEP = 2.0**6
"""Slope from which on it is looked whether it is one: a jump is steeper the shorter the step."""

STEP = 2.0**-20
"""Relative step of a difference: far above the roundings, far below what bends a function."""


def condition(value: Value, inputs: Host, floating: Iterable[str]) -> np.ndarray:
    """Sum of ``|x_i df/dx_i|`` over all floating elements, at the shape of the result.

    Of the differences to both sides the greater counts; where one leaves the domain, the other.
    Inf where both do. A jump to one side is none of the function's slope, and is left out.
    """
    with np.errstate(all="ignore"):  # at an end of the domain, or where the function overflows
        return _condition(value, inputs, floating)


def _condition(value: Value, inputs: Host, floating: Iterable[str]) -> np.ndarray:
    here = value(inputs)
    if here.dtype.kind not in "iuf":
        return np.zeros(here.shape)  # of booleans: there is but one right answer
    here = here if here.dtype.kind == "f" else here.astype(float)
    total = np.zeros_like(here)
    for name in floating:
        for index in np.ndindex(inputs[name].shape):
            if inputs[name][index] == 0:
                continue
            found = np.fmax(*(_side(value, here, inputs, name, index, s) for s in (1, -1)))
            total = total + np.where(np.isnan(found), np.inf, found)
    return total


def _side(
    value: Value, here: np.ndarray, inputs: Host, name: str, index: tuple[int, ...], sign: int
) -> np.ndarray:
    """Size of the difference to one side, relative to the step."""

    def difference(step: float) -> np.ndarray:
        moved = inputs[name].copy()
        moved[index] *= 1 + sign * step
        return np.asarray(abs(value({**inputs, name: moved}) - here) / step)

    found = difference(STEP)
    steep = found > STEEP * abs(here)
    if not steep.any():
        return found
    # The difference over a jump stays what it is, whatever the step.
    jumps = steep & (difference(STEP / 4) > 3 * found)
    return np.where(jumps, 0.0, found)


def unit(array: np.ndarray) -> float:
    """Half the distance from 1 to the next number of a floating array; 0 for other arrays."""
    return float(np.finfo(array.dtype).eps) / 2 if array.dtype.kind == "f" else 0.0


def least(dtype: str) -> float:
    """What a float type of this name may lose at the end of its range, where numbers become 0.

    The least normal number, as some frameworks have no others; of float16 all have them.
    """
    return {"float16": 2.0**-24, "float64": 2.0**-1022}.get(dtype, 2.0**-126)


def widest(x: np.ndarray, dtype: str) -> np.ndarray:
    """A floating array in NumPy's next wider float than one called `dtype`; others as they are."""
    if x.dtype.kind != "f":
        return x
    return x.astype(np.longdouble if dtype == "float64" else np.float64)
