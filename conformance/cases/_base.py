"""What the laws ask of a case."""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

import agnostic_mask as am

from ..oracle import Reference

Host = dict[str, np.ndarray]
"""Named inputs of a call, as NumPy arrays."""

SHAPE = (4, 4)
"""Batch and time of every case: equal, so that weights aligned from the right would fit too."""


class Case(ABC):
    """A public function, options, and how its inputs are covered by a mask and weights.

    Attributes
    ----------
    name : str
        Unique, and readable in a report.
    group : str
        Its row in the report.
    covers : str
        The public function under test.
    floating : tuple of str
        Inputs that are cast to the float type under test.
    """

    name: str
    group: str
    covers: str
    floating: tuple[str, ...] = ()

    def rng(self, seed: int) -> np.random.Generator:
        """Random numbers of this case, the same in every environment."""
        return np.random.default_rng([seed, zlib.crc32(self.name.encode())])

    @abstractmethod
    def inputs(self, rng: np.random.Generator, shape: tuple[int, ...] = SHAPE) -> Host:
        """Inputs whose elements (or rows) have this shape."""

    @abstractmethod
    def call(self, arrays: Mapping[str, am.Array]) -> am.Array:
        """Call the function under test."""

    @abstractmethod
    def reference(self, exact: Host, dtype: str, accumulator: str) -> Reference:
        """What the oracle says of these inputs, of sums in the accumulator's dtype."""

    @abstractmethod
    def result_dtype(self, dtype: str) -> str:
        """Name of the dtype that the result must have for inputs of a float type."""

    def included(self, exact: Host) -> np.ndarray | None:
        """Which elements count, at the shape of elements; None if the case has no such thing."""
        return None

    def smooth(self) -> list[str]:
        """Inputs for which the result has a derivative."""
        return [name for name in ("y_pred", "x", "weights") if name in self.floating]

    def why_not(self, law: str) -> str | None:
        """Why a law does not apply to this case, or None if it does."""
        return None


VALUES = ("y_true", "y_pred", "x")
"""Inputs that a mask and weights cover."""


class CoveredCase(Case):
    """A case whose function takes a mask and weights.

    Attributes
    ----------
    mask, weights : str or None
        What they cover, in letters: "BT", "B1", "B".
    kind : str
        Of the weights: "real", "integer", or none.
    ignores : bool
        Whether y_true itself says what is excluded, and so must stay as it is.
    counts_excluded : bool
        Whether the formula counts weights of excluded elements that are not 0.
    """

    mask: str | None = None
    weights: str | None = None
    kind: str = ""
    ignores: bool = False
    counts_excluded: bool = False

    def class_axis(self, rank: int) -> int | None:
        """Position of the axis along which a row runs, where elements have this rank."""
        return None

    def shape(self, exact: Host) -> tuple[int, ...]:
        """Shape of the elements, which mask and weights cover."""
        name = next(name for name in reversed(VALUES) if name in exact)
        shape = list(exact[name].shape)
        axis = self.class_axis(len(shape) - 1)
        if axis is not None:
            del shape[axis]
        return tuple(shape)

    def unmasked(self, exact: Host) -> np.ndarray:
        """Which elements the mask leaves, whatever the weights."""
        shape = self.shape(exact)
        left = np.ones(shape, dtype=bool)
        if "mask" in exact:
            left &= spread(exact["mask"], shape) != 0
        return left

    def included(self, exact: Host) -> np.ndarray:
        left = self.unmasked(exact)
        if "weights" in exact:
            left &= spread(exact["weights"], left.shape) != 0
        return left

    def told_apart(self, exact: Host) -> np.ndarray:
        """Which elements have a part in the result of their group, where there are groups."""
        return self.included(exact)

    def flat(self, exact: Host, repeats: np.ndarray) -> Host:
        """Inputs as one axis of elements, each as often as `repeats` says, uncovered."""
        shape = repeats.shape
        found: Host = {}
        for name in VALUES:
            if name not in exact:
                continue
            x = exact[name]
            axis = self.class_axis(len(shape))
            if axis is not None and x.ndim > len(shape):
                x = np.moveaxis(x, axis, -1)
            rows = x.reshape(-1, *x.shape[len(shape) :])
            found[name] = np.repeat(rows, repeats.reshape(-1), axis=0)
        return found

    def flat_weights(self, exact: Host, keep: np.ndarray) -> np.ndarray:
        """Weights of what `flat` leaves of the elements to keep."""
        return np.asarray(spread(exact["weights"], keep.shape)[keep])

    def call_flat(self, arrays: Mapping[str, am.Array]) -> am.Array:
        """Call the function on what `flat` gave."""
        return self.call(arrays)


class PartsCase(CoveredCase):
    """A case whose value can be had from parts of the data, by four verbs.

    Attributes
    ----------
    four_operations : bool
        Whether scores are made by the four operations alone, so that they cannot depend on
        position, and a float32 result must not depend on the parts.
    """

    four_operations: bool = False

    @abstractmethod
    def verbs(self) -> Any:
        """What has `zero`, `update`, `merge` and `compute`."""


def covering(
    rng: np.random.Generator, over: str | None, shape: tuple[int, ...]
) -> tuple[int, ...] | None:
    """Shape of a mask or weights described by letters: "BT", "B1", "B"; None for none."""
    if over is None:
        return None
    return tuple(1 if letter == "1" else n for letter, n in zip(over, shape, strict=False))


def random_mask(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A mask that includes about two thirds, at least one and not all where there are two."""
    mask = rng.random(shape) < 0.65
    if mask.size > 1:
        flat = mask.reshape(-1)
        flat[0], flat[-1] = True, False
    return mask


def random_weights(rng: np.random.Generator, shape: tuple[int, ...], kind: str) -> np.ndarray:
    """Weights of kind "real" (a zero and a negative among them) or "integer" (0 to 3)."""
    if kind == "integer":
        repeats = rng.integers(0, 4, shape, dtype=np.int32)
        repeats.reshape(-1)[:1] = 2
        return repeats
    weights = rng.uniform(0.2, 3.0, shape)
    flat = weights.reshape(-1)
    if flat.size > 2:
        flat[1], flat[2] = 0.0, -0.125
    return weights


def spread(cover: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A mask or weights, repeated over all elements of an array that it covers."""
    expanded = cover.reshape(cover.shape + (1,) * (len(shape) - cover.ndim))
    return np.broadcast_to(expanded, shape)
