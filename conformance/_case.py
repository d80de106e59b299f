"""What the laws ask of a case."""

import inspect
import os
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

import agnostic_mask as am

from ._environments import Environment
from ._reference import Reference
from ._slopes import directions

Host = dict[str, np.ndarray]
"""Named inputs of a call, as NumPy arrays."""

Call = Callable[[Mapping[str, am.Array]], am.Array]
"""A function under test, of named arrays."""

RESHAPES = ("exclusion_is_removal", "weight_is_repetition")
"""Laws that leave elements out, or repeat them."""

REARRANGES = (*RESHAPES, "order_invariant", "cut_invariant")
"""Laws for which a result must not have a place for every element."""

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
    casts_halves : bool
        Whether half types are cast to float32 before anything is computed.
    numpy_scalars : bool
        Whether scalars of NumPy pass for arrays without axes.
    exact_slopes : bool
        Whether `slopes` are known far better than in float64.
    by_itself : bool
        Whether other inputs, that should give the same, are held against the function's own result.
    """

    name: str
    group: str
    covers: str
    floating: tuple[str, ...] = ()
    casts_halves: bool = True
    numpy_scalars: bool = False
    exact_slopes: bool = True
    by_itself: bool = False

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

    def computed_in(self, dtype: str) -> str:
        """Name of the dtype in which inputs of a float type are computed with."""
        return "float32" if dtype in ("float16", "bfloat16") and self.casts_halves else dtype

    def called(self, name: str) -> str:
        """Name that the function has for an input."""
        return name

    def on_host(self, env: Environment, result: Any) -> np.ndarray:
        """Copy a result to NumPy."""
        return env.host(result)

    def finite(self) -> list[str]:
        """Inputs that must have no number beyond the float type under test."""
        return []

    def included(self, exact: Host) -> np.ndarray | None:
        """Which elements count, at the shape of elements; None if the case has no such thing."""
        return None

    def degenerate(self, master: Host, rng: np.random.Generator) -> Iterator[tuple[str, Host]]:
        """Inputs of the smallest shapes, and what these are."""
        for shape in ((), (0, 3)):
            yield f"for shape {shape} the result", self.inputs(rng, shape)

    def home(self) -> str:
        """Where the code under test lies: a file, or a folder and what is in it."""
        return os.path.dirname(inspect.getfile(am))

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
    absent : bool
        Whether what is excluded is absent: it may hold anything, and its derivatives are 0.
    """

    mask: str | None = None
    weights: str | None = None
    kind: str = ""
    ignores: bool = False
    counts_excluded: bool = False
    absent: bool = True

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

    def covered(self, master: Host) -> list[str]:
        """Inputs that hold garbage where they are excluded."""
        kept = ("y_true",) if self.ignores else ()
        return [name for name in VALUES if name in master and name not in kept]

    def excludes(self) -> bool:
        """Whether the mask or the weights of its inputs leave something out."""
        return not self.included(self.inputs(self.rng(0))).all()

    def over(self, elements: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Which of the places of a covered input, which may have an axis more, are `elements`."""
        if x.ndim > elements.ndim:
            axis = self.class_axis(elements.ndim)
            assert axis is not None
            elements = np.expand_dims(elements, axis)
        return np.broadcast_to(elements, x.shape)

    def without_excluded(self, exact: Host) -> tuple[Host, Call]:
        """Other inputs without what is excluded, whose value is the same, and what to call."""
        keep = self.included(exact)
        flat = self.flat(exact, keep.astype(int))
        if "weights" in exact:
            flat["weights"] = self.flat_weights(exact, keep)
        return flat, self.call_flat

    def all_included(self, master: Host) -> Host | None:
        """The same inputs, nothing excluded; None where `without_excluded` leaves it all out."""
        return None

    def with_excluded_steps(self, full: Host) -> Host | None:
        """Inputs of which all is included, with excluded ones along the second axis; or None."""
        return None

    def repeated(self, exact: Host) -> tuple[Host, Call]:
        """Other inputs, with elements as often as integer weights say, and what to call."""
        unmasked = self.unmasked(exact)
        return self.flat(exact, unmasked * spread(exact["weights"], unmasked.shape)), self.call_flat

    def slopes(self, name: str, exact: Host, dtype: str) -> tuple[np.ndarray, np.ndarray]:
        """Derivatives of a result, made one number by `directions`, in higher precision.

        Returns
        -------
        derivatives, smooth : array of the input's shape
            `smooth` is False where there is no derivative.
        """
        from .oracle import differences  # which needs mpmath, as not every case does

        factors = directions(np.shape(self.reference(exact, dtype, "float64").value))

        def value(x: np.ndarray) -> Any:
            reference = self.reference({**exact, name: x}, dtype, "float64")
            return np.sum(np.asarray(reference.value, dtype=object) * factors)

        return differences(value, exact[name], self.live(name, exact))

    def slopes_bound(self, name: str, exact: Host, dtype: str) -> float | np.ndarray:
        """How far off right derivatives may be because the inputs, and what is made of them, round.

        Beside what the derivatives themselves round; 0 where these hardly depend on the inputs.
        """
        return 0.0

    def live(self, name: str, exact: Host) -> np.ndarray:
        """Which elements of an input have a derivative that need not be 0."""
        included = self.included(exact)
        x = exact[name]
        if name != "weights":
            return self.over(included, x)
        shape = x.shape + (1,) * (included.ndim - x.ndim)
        summed = tuple(i for i, n in enumerate(shape) if n == 1 and included.shape[i] != 1)
        return np.asarray(included.any(axis=summed, keepdims=True).reshape(x.shape))

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
        repeats.reshape(-1)[-1:] = 0
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
