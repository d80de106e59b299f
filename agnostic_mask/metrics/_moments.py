"""Centred moments: sums of products about a centre that the data itself gives.

About any centre c the sums W = sum(w), S = sum(w (x - c)) and Q = sum(w (x - c)**2) hold all that
means and variances need, and move to another centre exactly:

    S' = S + W e,   Q' = Q + 2 e S + W e**2,   e = c - c'

The centre is the mean by |w|, which exists wherever anything is included, whatever the signs of
the weights; there Q is no larger than it must be, so that a mean far from 0 costs no accuracy
(Chan, Golub and LeVeque, 1983, who centre on the mean by w).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from agnostic_mask import _staged
from agnostic_mask._array import Array
from agnostic_mask._cover import Shape
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._dtypes import cast, wide_float
from agnostic_mask._scoring import elements
from agnostic_mask._staged import Inclusion
from agnostic_mask._state import State, state
from agnostic_mask._statistic import Arguments, Statistic, dispatch_of, joint_dtype, with_arrays
from agnostic_mask._totals import Totals


@state
@dataclass(frozen=True, eq=False)
class Moments(State):
    """State of metrics that are made of means and variances of k columns.

    All arrays have the groups' axis before those below, if there is one.

    Attributes
    ----------
    made_for, dtype : str
        As of every state. Static.
    mass : array, float64, 0-d
        sum(|w|).
    weight : array, float64, 0-d
        sum(w).
    centre : array, float64, shape (k,)
        A number near the mean of each column, of which it is the mean by |w|.
    first : array, float64, shape (k,)
        sum(w (x - centre)).
    second : array, float64, shape (k, k)
        sum(w (x - centre) (y - centre)) of each two columns x and y.
    """

    mass: Array
    weight: Array
    centre: Array
    first: Array
    second: Array


@dataclass(frozen=True)
class MomentsOf(Statistic[Moments]):
    """Moments of x; or of y_true, y_pred and y_true - y_pred together."""

    state: ClassVar[type[State]] = Moments
    made_for: str
    columns: int = field(repr=False)

    def zero(self, d: Dispatch, dtype: str) -> Moments:
        xp, k = d.xp, self.columns
        with d.backend.wide():
            wide = wide_float(xp, d.device, d.backend)
            shapes: tuple[Shape, ...] = ((), (), (k,), (k,), (k, k))
            arrays = (xp.zeros(shape, dtype=wide, device=d.device) for shape in shapes)
            return Moments(self.made_for, dtype, *arrays)

    def gather(self, batch: Arguments) -> Moments:
        d, parts, _, name, joint, split = elements(batch)
        xp = d.xp
        with d.backend.wide():
            wide = wide_float(xp, d.device, d.backend)
            shape = tuple(parts[0].shape)
            totals = Totals(d, shape, split)
            # In float64, where squares of what float32 holds neither overflow nor vanish.
            columns = [_staged.zeroed(d, joint.include, cast(xp, x, wide)) for x in parts]
            if len(columns) == 2:
                columns.append(columns[0] - columns[1])
            arrays = _gathered(totals, columns, joint)
            groups = totals.membership(joint.include)
        return Moments(self.made_for, name, *arrays, **groups)

    def merge(self, left: Moments, right: Moments) -> Moments:
        d = dispatch_of(left, right)
        xp = d.xp
        with d.backend.wide():
            mass = left.mass + right.mass
            sides = [(xp.expand_dims(side.mass, axis=-1), side.centre) for side in (left, right)]
            centre = joint_centre(xp, sides[0], sides[1])
            moved = [_moved(xp, side, centre) for side in (left, right)]
            arrays = {
                "mass": mass,
                "weight": left.weight + right.weight,
                "centre": centre,
                "first": moved[0][0] + moved[1][0],
                "second": moved[0][1] + moved[1][1],
            }
            arrays = {name: d.backend.as_array(x) for name, x in arrays.items()}
        return with_arrays(left, arrays, dtype=joint_dtype(left, right))

    def covered(self, *shapes: Shape) -> Shape | None:
        return shapes[-1] if len(set(shapes)) == 1 else None


def joint_centre(xp: Any, left: tuple[Array, Array], right: tuple[Array, Array]) -> Array:
    """Mean of two centres by their masses; one of mass 0 is passed over, and equal ones stay."""
    (mass, centre), (other_mass, other) = left, right
    share = _staged.ratio(xp, other_mass, mass + other_mass)
    joint = centre + (other - centre) * share
    return xp.where(other_mass == 0, centre, xp.where(mass == 0, other, joint))


def masses(inclusion: Inclusion) -> Inclusion:
    """The same inclusion with factors without their signs."""
    return Inclusion(inclusion.include, tuple(abs(f) for f in inclusion.factors))


def mean_by_mass(totals: Totals, x: Array, joint: Inclusion, mass: Array) -> Array:
    """Mean of included elements by their masses, 0 of nothing; exactly x where x is constant."""
    xp = totals.d.xp
    top = totals.extreme(_staged.select(xp, joint.include, x, -xp.inf), "max", -xp.inf)
    top = xp.where(top == -xp.inf, 0.0, top)
    below = _staged.zeroed(totals.d, joint.include, x - totals.of_each(top))
    mean = _staged.ratio(xp, totals.weighted_sum(below, masses(joint)), mass)
    return top + xp.where(mass == 0, 0.0, mean)


def _gathered(totals: Totals, columns: Sequence[Array], joint: Inclusion) -> list[Array]:
    xp, once = totals.d.xp, totals.once()
    # One centre serves all resamples, since any near the mean will do.
    mass = once.sum_of_factors(masses(joint))
    centres = [mean_by_mass(once, x, joint, mass) for x in columns]
    residuals = [
        _staged.zeroed(totals.d, joint.include, x - once.of_each(c))
        for x, c in zip(columns, centres, strict=True)
    ]
    first = [totals.weighted_sum(r, joint) for r in residuals]
    second = [
        [totals.weighted_sum(a * b, joint) for b in residuals[: i + 1]]
        for i, a in enumerate(residuals)
    ]
    k = range(len(columns))
    rows = [xp.stack([second[max(i, j)][min(i, j)] for j in k], axis=-1) for i in k]
    arrays = (
        mass if once is totals else totals.sum_of_factors(masses(joint)),
        totals.sum_of_factors(joint),
        totals.for_each_resample(xp.stack(centres, axis=-1)),
        xp.stack(first, axis=-1),
        xp.stack(rows, axis=-2),
    )
    return [totals.d.backend.as_array(x) for x in arrays]


def _moved(xp: Any, side: Moments, centre: Array) -> tuple[Array, Array]:
    """First and second moments about another centre."""
    # The centre of nothing is far from large numbers, whose squares are Inf.
    mass, weight = (xp.expand_dims(x, axis=-1) for x in (side.mass, side.weight))
    e = xp.where(mass == 0, 0.0, side.centre - centre)
    first = side.first + weight * e
    cross = xp.expand_dims(e, axis=-1) * xp.expand_dims(side.first, axis=-2)
    square = xp.expand_dims(e, axis=-1) * xp.expand_dims(e, axis=-2)
    weight = xp.expand_dims(weight, axis=-1)
    second = side.second + cross + xp.matrix_transpose(cross) + weight * square
    return first, second


class Centred:
    """Means, variances and covariances of a state's columns, times the sum of the weights."""

    def __init__(self, d: Dispatch, state: Moments) -> None:
        self.xp, self.state = d.xp, state
        self.weight = state.weight

    def _ratio(self, x: Array) -> Array:
        return _staged.ratio(self.xp, x, self.weight)

    def mean(self, i: int) -> Array:
        """Mean of a column."""
        return self.state.centre[..., i] + self._ratio(self.state.first[..., i])

    def spread(self, i: int, j: int) -> Array:
        """sum(w (x - mean(x)) (y - mean(y))) of two columns."""
        product = self.state.first[..., i] * self.state.first[..., j]
        square = self.state.second[..., i, j]
        spread = square - self._ratio(product)
        # A resample has the centre of the sample: where its numbers are all equal, and so none is
        # off their mean, rounding leaves something.
        rounding = abs(square) * (8 * float(self.xp.finfo(square.dtype).eps))
        return self.xp.where(abs(spread) <= rounding, 0.0, spread)

    def squares(self, i: int) -> Array:
        """sum(w x**2) of a column, about 0."""
        c, s = self.state.centre[..., i], self.state.first[..., i]
        return self.state.second[..., i, i] + 2 * c * s + self.weight * c * c
