"""What one result of a reduction is made of, gathered by a loop over single elements."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ._numbers import Number, at, mp, number, smallest_normal, unit_roundoff

Index = tuple[int, ...]
Result = tuple[Any, Any]
"""A value and its bound."""


class Group(NamedTuple):
    """Included elements of one result, their weights, and the dtypes' numbers.

    Attributes
    ----------
    values, weights : list of mpf
    positions : list of int
        Indices of the elements among all over which is reduced.
    u, acc : mpf
        Unit roundoff of the dtype of computation, and of the accumulator's.
    tiny : mpf
        Least positive number of full precision.
    kind : str
        Kind of the elements' dtype, as NumPy's `dtype.kind`.
    weighted, exact : bool
        Whether there are weights, and whether these are integers, or there are none.
    limits : pair of mpf
        Least and greatest element that the dtype has.
    options : mapping
        Of the reduction.
    """

    values: list[Number]
    weights: list[Number]
    positions: list[int]
    u: Number
    acc: Number
    tiny: Number
    kind: str
    weighted: bool
    exact: bool
    limits: tuple[Number, Number]
    options: Mapping[str, Any]


def accumulated(g: Group) -> Number:
    """Roundings of a sum of elements times their weights, all in the accumulator's dtype."""
    return (len(g.values) + 1) * g.acc


def computed(g: Group) -> Number:
    """Unit roundoff of what elements become: integers go to the accumulator's dtype at once."""
    return g.u if g.kind == "f" else g.acc


def cast_error(kind: str, acc: Number, x: Number) -> Number:
    """What an element loses when it becomes a float: only an integer loses anything."""
    return acc * abs(x) if kind != "f" else mp.mpf(0)


class Problem(NamedTuple):
    """Arguments of a reduction, exactly as its framework had them, and the dtypes it runs in."""

    x: np.ndarray
    weights: np.ndarray | None
    mask: np.ndarray | None
    dtype: str
    accumulator: str
    options: Mapping[str, Any]

    def axes(self) -> tuple[int, ...]:
        """Axes over which is reduced."""
        axis: int | Sequence[int] | None = self.options.get("axis")
        given = range(self.x.ndim) if axis is None else [axis] if isinstance(axis, int) else axis
        return tuple(sorted({a % self.x.ndim for a in given}))

    def kept(self) -> tuple[int, ...]:
        """Shape of x with dimensions of 1 over the axes."""
        return tuple(1 if i in self.axes() else n for i, n in enumerate(self.x.shape))

    def included(self, index: Index) -> bool:
        """Whether an element counts."""
        weighs = self.weights is None or at(self.weights, index) != 0
        return weighs and (self.mask is None or bool(at(self.mask, index) != 0))

    def weight(self, index: Index) -> Number:
        """Weight of an element."""
        return number(1 if self.weights is None else at(self.weights, index))

    def members(self) -> Iterator[tuple[Index, list[Index]]]:
        """Each place of a result with dimensions of 1, and the included elements behind it."""
        axes = self.axes()
        found: dict[Index, list[Index]] = {i: [] for i in np.ndindex(self.kept())}
        for index in np.ndindex(self.x.shape):
            if self.included(index):
                found[tuple(0 if i in axes else n for i, n in enumerate(index))].append(index)
        yield from found.items()

    def group(self, where: list[Index]) -> Group:
        """Elements at these indices."""
        limits = (-mp.inf, mp.inf)
        if self.x.dtype.kind in "iu":
            numbers = np.iinfo(self.x.dtype)
            limits = (mp.mpf(int(numbers.min)), mp.mpf(int(numbers.max)))
        axes = self.axes()
        lengths = tuple(self.x.shape[i] for i in axes)
        positions = [
            int(np.ravel_multi_index(tuple(i[a] for a in axes), lengths)) if axes else 0
            for i in where
        ]
        return Group(
            [number(self.x[i]) for i in where],
            [self.weight(i) for i in where],
            positions,
            mp.mpf(unit_roundoff(self.dtype)),
            mp.mpf(unit_roundoff(self.accumulator)),
            smallest_normal(self.dtype),
            self.x.dtype.kind,
            self.weights is not None,
            self.weights is None or self.weights.dtype.kind in "biu",
            limits,
            self.options,
        )
