"""What a mean and its linearised standard error are made of."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from agnostic_mask import _staged
from agnostic_mask._array import Array
from agnostic_mask._cover import Shape
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._dtypes import cast, wide_float, wide_integer
from agnostic_mask._score_sums import ScoreSums
from agnostic_mask._scoring import Batch, elements
from agnostic_mask._staged import Inclusion
from agnostic_mask._state import State, state
from agnostic_mask._statistic import Arguments, Statistic, dispatch_of, joint_dtype, with_arrays
from agnostic_mask._totals import Totals
from agnostic_mask.metrics._moments import joint_centre, masses, mean_by_mass
from agnostic_mask.metrics._queries import QuerySums
from agnostic_mask.metrics._sums import ValueSums

Source = ScoreSums | ValueSums | QuerySums


@state
@dataclass(frozen=True, eq=False)
class Deviations(State):
    """State of means with standard errors: scores s, weights w, all about a centre near the mean.

    All arrays have the groups' (or clusters') axis before those below, if there is one.

    Attributes
    ----------
    made_for, dtype : str
        As of every state. Static.
    count : array, int64, 0-d
        Number of included elements.
    mass : array, float64, 0-d
        sum(|w|).
    weight : array, float64, 0-d
        sum(w).
    centre : array, float64, 0-d
        The mean by |w|.
    first : array, float64, 0-d
        sum(w (s - centre)).
    squares : array, float64, shape (3,)
        sum(w**2 (s - centre)**k) for k of 0, 1 and 2.
    """

    count: Array
    mass: Array
    weight: Array
    centre: Array
    first: Array
    squares: Array


@dataclass(frozen=True)
class DeviationsOf(Statistic[Deviations]):
    """Deviations of the scores of which another statistic gathers a mean."""

    state: ClassVar[type[State]] = Deviations
    source: Source
    made_for: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "made_for", f"deviations of {self.source.made_for}")

    def zero(self, d: Dispatch, dtype: str) -> Deviations:
        xp = d.xp
        with d.backend.wide():
            wide = wide_float(xp, d.device, d.backend)
            shapes: tuple[Shape, ...] = ((), (), (), (), (3,))
            arrays = (xp.zeros(shape, dtype=wide, device=d.device) for shape in shapes)
            integer = wide_integer(xp, d.device, d.backend)
            count = xp.zeros((), dtype=integer, device=d.device)
            return Deviations(self.made_for, dtype, count, *arrays)

    @property
    def replays(self) -> bool:
        return self.source.replays

    def _scored(self, batch: Arguments) -> Batch:
        return elements(batch) if isinstance(self.source, ValueSums) else self.source.scored(batch)

    def gather(self, batch: Arguments) -> Deviations:
        d, (scores,), _, name, joint, split = self._scored(batch)
        xp, shape = d.xp, tuple(scores.shape)
        with d.backend.wide():
            totals = Totals(d, shape, split)
            wide = wide_float(xp, d.device, d.backend)
            x = _staged.zeroed(d, joint.include, cast(xp, scores, wide))
            *arrays, squares = gathered(totals, x, joint)
            arrays = [totals.included(joint), *arrays, xp.stack(squares, axis=-1)]
            arrays = [d.backend.as_array(a) for a in arrays]
            groups = totals.membership(joint.include)
        return Deviations(self.made_for, name, *arrays, **groups)

    def merge(self, left: Deviations, right: Deviations) -> Deviations:
        d = dispatch_of(left, right)
        xp = d.xp
        with d.backend.wide():
            centre = joint_centre(xp, (left.mass, left.centre), (right.mass, right.centre))
            ours, theirs = _moved(xp, left, centre), _moved(xp, right, centre)
            arrays = {
                "count": left.count + right.count,
                "mass": left.mass + right.mass,
                "weight": left.weight + right.weight,
                "centre": centre,
                "first": ours[0] + theirs[0],
                "squares": ours[1] + theirs[1],
            }
            arrays = {name: d.backend.as_array(x) for name, x in arrays.items()}
        return with_arrays(left, arrays, dtype=joint_dtype(left, right))

    def check_gathers(self) -> None:
        self.source.check_gathers()

    def covered(self, *shapes: Shape) -> Shape | None:
        return self.source.covered(*shapes)


Squares = tuple[Array, Array, Array]
"""sum(w**2 (s - centre)**k) for k of 0, 1 and 2."""


def gathered(
    totals: Totals, x: Array, joint: Inclusion
) -> tuple[Array, Array, Array, Array, Squares]:
    """Mass, weight, centre, first and squares of floats, which are 0 where excluded."""
    mass = totals.sum_of_factors(masses(joint))
    centre = mean_by_mass(totals, x, joint, mass)
    residual = _staged.zeroed(totals.d, joint.include, x - totals.of_each(centre))
    # Factor by factor, for excluded weights have no square to be looked at.
    twice = Inclusion(joint.include, joint.factors * 2)
    squares = (
        totals.sum_of_factors(twice),
        totals.weighted_sum(residual, twice),
        totals.weighted_sum(residual * residual, twice),
    )
    weight, first = totals.sum_of_factors(joint), totals.weighted_sum(residual, joint)
    return mass, weight, centre, first, squares


def _shift(xp: Any, side: Deviations, centre: Array) -> Array:
    """From another centre to that of a state, 0 of nothing."""
    return xp.where(side.mass == 0, 0.0, side.centre - centre)


def _moved(xp: Any, side: Deviations, centre: Array) -> tuple[Array, Array]:
    """First and squares about another centre."""
    e = _shift(xp, side, centre)
    none, one, two = powers(side.squares)
    squares = (none, one + none * e, two + 2 * e * one + none * e * e)
    return side.first + side.weight * e, xp.stack(squares, axis=-1)


def powers(squares: Array) -> Squares:
    """The three sums that a state has along its last axis."""
    return squares[..., 0], squares[..., 1], squares[..., 2]


def mean_and_error(
    xp: Any, count: Array, weight: Array, centre: Array, first: Array, squares: Squares
) -> tuple[Array, Array]:
    """Mean, and its standard error, of independent elements."""
    shift = _staged.ratio(xp, first, weight)
    none, one, two = squares
    # A sum of squares, which rounding might leave below 0.
    spread = two - 2 * shift * one + shift * shift * none
    spread = xp.where(spread < 0, 0.0, spread)
    return centre + shift, _error(xp, spread, count, weight)


def mean_and_error_of_clusters(xp: Any, state: Deviations) -> tuple[Array, Array]:
    """Mean, and its standard error, of elements in independent clusters, the last axis."""
    mass = xp.sum(state.mass, axis=-1, keepdims=True)
    centre = xp.sum(state.mass * state.centre, axis=-1, keepdims=True)
    centre = xp.where(mass == 0, 0.0, _staged.ratio(xp, centre, mass))
    first = state.first + state.weight * _shift(xp, state, centre)
    weight = xp.sum(state.weight, axis=-1, keepdims=True)
    shift = _staged.ratio(xp, xp.sum(first, axis=-1, keepdims=True), weight)
    residual = first - shift * state.weight
    spread = xp.sum(residual * residual, axis=-1)
    there = xp.astype(state.count > 0, weight.dtype)
    mean = (centre + shift)[..., 0]
    return mean, _error(xp, spread, xp.sum(there, axis=-1), weight[..., 0])


def _error(xp: Any, spread: Array, count: Array, weight: Array) -> Array:
    n = xp.astype(count, spread.dtype)
    enough = n > 1
    variance = spread * (n / xp.where(enough, n - 1, 1.0))
    error = _staged.root(xp, _staged.ratio(xp, variance, weight * weight))
    # One alone says nothing of its own error.
    return xp.where(enough, error, xp.nan)
