"""Inputs of a case: what to make, said in a few words, and made from a seed."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import agnostic_mask as am

from .._case import random_mask, random_weights

Shape = tuple[int, ...]
Made = dict[str, np.ndarray]
"""Inputs that were made before, by name."""


class Input:
    """An input that is made anew for each seed."""

    floating: bool = False
    """Whether it is cast to the float type that is under test."""

    def made(self, rng: np.random.Generator, before: Made) -> np.ndarray:
        """Make it; those that it lies over were made before."""
        raise NotImplementedError

    def known_shape(self) -> Shape | None:
        """Its shape, where it is known before it is made."""
        return None


@dataclass(frozen=True)
class Floats(Input):
    """Floating numbers, uniform between two."""

    floating = True

    shape: Shape
    low: float
    high: float

    def made(self, rng: np.random.Generator, before: Made) -> np.ndarray:
        """Make them, in float64."""
        return np.asarray(rng.uniform(self.low, self.high, self.shape))

    def known_shape(self) -> Shape:
        """Its shape."""
        return self.shape


@dataclass(frozen=True)
class Integers(Input):
    """Integers from one number up to, and without, another."""

    shape: Shape
    low: int
    high: int

    def made(self, rng: np.random.Generator, before: Made) -> np.ndarray:
        """Make them, in int32, which every framework has."""
        return np.asarray(rng.integers(self.low, self.high, self.shape, dtype=np.int32))

    def known_shape(self) -> Shape:
        """Its shape."""
        return self.shape


@dataclass(frozen=True)
class Cover(Input):
    """What lies over the leading axes of other inputs: the first gives the shape."""

    over: tuple[str, ...]
    axes: int | None = None

    def shape(self, before: Made) -> Shape:
        """Its shape, given those of the inputs beneath."""
        whole = before[self.over[0]].shape
        return whole if self.axes is None else whole[: self.axes]


@dataclass(frozen=True)
class Masks(Cover):
    """A mask of booleans."""

    def made(self, rng: np.random.Generator, before: Made) -> np.ndarray:
        """Make it: about two thirds are True, at least one, and not all where there are two."""
        return random_mask(rng, self.shape(before))


@dataclass(frozen=True)
class Weights(Cover):
    """Weights of one of three kinds."""

    kind: str = field(default="positive", kw_only=True)

    @property
    def floating(self) -> bool:  # type: ignore[override]
        """Whether they are cast: not those that say how often an element counts."""
        return self.kind != "integer"

    def made(self, rng: np.random.Generator, before: Made) -> np.ndarray:
        """Make them; one at least is 0 where there are three."""
        kind = "integer" if self.kind == "integer" else "real"
        made = random_weights(rng, self.shape(before), kind)
        return np.asarray(abs(made) if self.kind == "positive" else made)


def floats(shape: int | Sequence[int], low: float = -1.0, high: float = 1.0) -> Input:
    """Floating numbers, uniform in an interval, cast to the float type that is under test.

    Parameters
    ----------
    shape : int or sequence of int
    low, high : float
        The interval. Keep it within the domain of the function.

    Examples
    --------
    >>> from agnostic_mask import conformance as c
    >>> c.floats((8, 5), low=0.1, high=10)
    Floats(shape=(8, 5), low=0.1, high=10)
    """
    _interval(low, high)
    return Floats(_shape(shape), low, high)


def integers(shape: int | Sequence[int], low: int, high: int) -> Input:
    """Integers of int32 from `low` up to, and without, `high`: labels, counts.

    Parameters
    ----------
    shape : int or sequence of int
    low, high : int

    Examples
    --------
    >>> from agnostic_mask import conformance as c
    >>> labels = c.integers((8,), 0, 3)
    """
    _interval(low, high)
    whole = isinstance(low, int | np.integer) and isinstance(high, int | np.integer)
    if not whole or low < -(2**31) or high > 2**31:
        raise ValueError(f"low={low!r} and high={high!r}: expected integers of int32")
    return Integers(_shape(shape), low, high)


def masks(over: str | Sequence[str], *, axes: int | None = None) -> Input:
    """A boolean mask, True where an element counts.

    Parameters
    ----------
    over : str or sequence of str
        Inputs that the mask covers: where it is False they may hold anything. The first gives
        the shape.
    axes : int, optional
        How many leading axes the mask has; all by default. With 1 it excludes whole rows.

    Examples
    --------
    >>> from agnostic_mask import conformance as c
    >>> rows = c.masks(over=("x", "y"), axes=1)
    """
    return Masks(_over(over), _axes(axes))


def weights(over: str | Sequence[str], *, axes: int | None = None, kind: str = "positive") -> Input:
    """Weights of elements; those of weight 0 are excluded.

    Parameters
    ----------
    over : str or sequence of str
        Inputs that the weights cover. The first gives the shape.
    axes : int, optional
        How many leading axes the weights have; all by default.
    kind : {"positive", "real", "integer"}
        Not below 0, the default; of both signs; or integers from 0 to 3, which say how often an
        element counts. Of three or more one at least is 0.

    Examples
    --------
    >>> from agnostic_mask import conformance as c
    >>> repeats = c.weights(over="x", axes=1, kind="integer")
    """
    if kind not in ("positive", "real", "integer"):
        raise ValueError(f'kind={kind!r}: expected "positive", "real" or "integer"')
    return Weights(_over(over), _axes(axes), kind=kind)


@dataclass(frozen=True)
class Fixed(Input):
    """The same array for every seed."""

    array: np.ndarray

    @property
    def floating(self) -> bool:  # type: ignore[override]
        """Whether it holds floats, which are cast."""
        return bool(self.array.dtype.kind == "f")

    def made(self, rng: np.random.Generator, before: Made) -> np.ndarray:
        """Give it."""
        return self.array

    def known_shape(self) -> Shape:
        """Its shape."""
        return self.array.shape


@dataclass(frozen=True)
class Drawn(Input):
    """What a strategy of hypothesis draws."""

    floating = True  # if what is drawn holds floats

    strategy: Any

    def drawn(self, name: str, draw: Callable[[Any], Any]) -> np.ndarray:
        """Draw an array by this function of a strategy."""
        array = draw(self.strategy)
        if not isinstance(array, np.ndarray):
            raise TypeError(
                f"{name}: its strategy gave a {type(array).__name__}; expected a NumPy array, as "
                f"hypothesis.extra.numpy.arrays gives"
            )
        return checked(name, array)


def input_of(name: str, value: Any) -> Input | None:
    """The input that an argument of a case stands for; None for an option."""
    if isinstance(value, Input):
        return value
    if type(value) is np.ndarray:
        return Fixed(checked(name, value))
    if type(value).__module__.startswith("hypothesis."):
        return Drawn(value)
    if isinstance(value, np.generic):
        return None
    if hasattr(value, "__array_namespace__") or hasattr(value, "__dlpack__"):
        raise TypeError(
            f"{name} is a {type(value).__module__}.{type(value).__qualname__}; expected a plain "
            f"NumPy array, of which every framework's own is made, or c.floats(...) and the like"
        )
    return None


def _shape(shape: int | Sequence[int]) -> Shape:
    given = shape if isinstance(shape, Sequence) else (shape,)
    try:
        made = tuple(operator.index(n) for n in given)
    except TypeError:
        made = (-1,)
    if min(made, default=0) < 0:
        raise ValueError(f"shape={shape!r}: expected integers of at least 0, as in (8, 5)")
    return made


def _interval(low: float, high: float) -> None:
    real = all(isinstance(x, int | float | np.integer | np.floating) for x in (low, high))
    if not (real and low < high and np.isfinite(float(high) - float(low))):
        raise ValueError(f"low={low!r} and high={high!r}: expected finite numbers, low < high")


def _over(over: str | Sequence[str]) -> tuple[str, ...]:
    names = tuple(over) if isinstance(over, list | tuple) else (over,)
    if not names or not all(isinstance(name, str) for name in names):
        raise ValueError(f'over={over!r}: expected the name of an input, or several: over="x"')
    return names


def _axes(axes: int | None) -> int | None:
    if axes is not None and (not isinstance(axes, int) or isinstance(axes, bool) or axes < 1):
        raise ValueError(f"axes={axes!r}: expected a number of leading axes, 1 at least, or None")
    return axes


def checked(name: str, x: np.ndarray) -> np.ndarray:
    """An array that may be an input: bool, integer or floating."""
    if x.dtype.kind not in "biuf":
        raise am.UnsupportedArrayError(
            f"{name} is an array of dtype {x.dtype}; expected booleans, integers or floats (of "
            f"complex numbers, the real and the imaginary part as inputs of their own)"
        )
    return x
