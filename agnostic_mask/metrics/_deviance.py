"""How much of the deviance of y_true a prediction explains, for distributions of Tweedie's."""

from dataclasses import dataclass, field
from typing import Any, ClassVar
from typing import cast as typed

from agnostic_mask import _staged, losses
from agnostic_mask._array import Array
from agnostic_mask._cover import Shape
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._dtypes import cast, wide_float
from agnostic_mask._metric import PairMetric
from agnostic_mask._scoring import elements
from agnostic_mask._state import State, state
from agnostic_mask._statistic import Arguments, Statistic, dispatch_of, joint_dtype, with_arrays
from agnostic_mask._totals import Totals
from agnostic_mask.losses._operands import tweedie_power
from agnostic_mask.metrics._association import unexplained
from agnostic_mask.metrics._moments import joint_centre, masses, mean_by_mass


@state
@dataclass(frozen=True, eq=False)
class Deviances(State):
    """State of metrics that compare a deviance with that of a constant; d is the unit deviance.

    Attributes
    ----------
    made_for, dtype : str
        As of every state. Static.
    mass, weight : array, float64, 0-d
        sum(|w|) and sum(w).
    centre : array, float64, 0-d
        A number near the mean of y_true, of which it is the mean by |w|.
    first : array, float64, 0-d
        sum(w (y_true - centre)).
    spread : array, float64, 0-d
        sum(w d(y_true, centre)).
    deviance : array, float64, 0-d
        sum(w d(y_true, y_pred)).
    """

    mass: Array
    weight: Array
    centre: Array
    first: Array
    spread: Array
    deviance: Array


@dataclass(frozen=True)
class DeviancesOf(Statistic[Deviances]):
    """Deviances of y_true from y_pred and from its own mean.

    A unit deviance is ``d(t, m) = 2 (f(t) - f(m) - f'(m) (t - m))`` of a convex f with
    ``f''(m) = m**-power``. So it moves to another centre, or mean, c' by

        sum(w d(t, c')) = sum(w d(t, c)) + W d(c, c') + 2 (f'(c) - f'(c')) sum(w (t - c))
    """

    state: ClassVar[type[State]] = Deviances
    power: float
    made_for: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        made_for = f"deviances of y_true from y_pred and its mean, power={self.power!r}"
        object.__setattr__(self, "made_for", made_for)

    def zero(self, d: Dispatch, dtype: str) -> Deviances:
        xp = d.xp
        with d.backend.wide():
            wide = wide_float(xp, d.device, d.backend)
            return Deviances(
                self.made_for, dtype, *(xp.zeros((), dtype=wide, device=d.device) for _ in range(6))
            )

    def gather(self, batch: Arguments) -> Deviances:
        d, parts, _, name, joint, split = elements(batch)
        xp = d.xp
        with d.backend.wide():
            wide = wide_float(xp, d.device, d.backend)
            shape = tuple(parts[0].shape)
            # 1 lies in the domain of every power.
            true, pred = (_staged.select(xp, joint.include, cast(xp, x, wide), 1.0) for x in parts)
            totals = Totals(d, shape, split)
            once = totals.once()
            # One centre serves all resamples, since any near the mean will do.
            mass = once.sum_of_factors(masses(joint))
            centre = mean_by_mass(once, true, joint, mass)
            around = _staged.zeroed(d, joint.include, true - once.of_each(centre))
            at = once.of_each(_at(xp, mass, centre))
            arrays = (
                mass if once is totals else totals.sum_of_factors(masses(joint)),
                totals.sum_of_factors(joint),
                totals.for_each_resample(centre),
                totals.weighted_sum(around, joint),
                totals.weighted_sum(self.from_centre(xp, true, at), joint),
                totals.weighted_sum(_unit_deviance(xp, true, pred, self.power), joint),
            )
            found = (d.backend.as_array(x) for x in arrays)
            return Deviances(self.made_for, name, *found, **totals.membership(joint.include))

    def merge(self, left: Deviances, right: Deviances) -> Deviances:
        d = dispatch_of(left, right)
        xp = d.xp
        with d.backend.wide():
            centre = joint_centre(xp, (left.mass, left.centre), (right.mass, right.centre))
            moved = [self._moved(xp, side, centre) for side in (left, right)]
            arrays = {
                "mass": left.mass + right.mass,
                "weight": left.weight + right.weight,
                "centre": centre,
                "first": moved[0][0] + moved[1][0],
                "spread": moved[0][1] + moved[1][1],
                "deviance": left.deviance + right.deviance,
            }
            arrays = {name: d.backend.as_array(x) for name, x in arrays.items()}
        return with_arrays(left, arrays, dtype=joint_dtype(left, right))

    def covered(self, *shapes: Shape) -> Shape | None:
        return shapes[-1] if len(set(shapes)) == 1 else None

    def from_centre(self, xp: Any, x: Array, centre: Array) -> Array:
        """Unit deviance from a centre, which may be 0, and below 0 where the power is."""
        if self.power >= 0:
            return _unit_deviance(xp, x, xp.zeros_like(x) + centre, self.power)
        a, b = 1 - self.power, 2 - self.power
        below = centre <= 0  # where f is 0, and its slope
        alone = 2 * xp.where(x > 0, x, 0.0) ** b / (a * b)
        at = xp.zeros_like(x) + xp.where(below, 1.0, centre)
        return xp.where(below, alone, _unit_deviance(xp, x, at, self.power))

    def _moved(self, xp: Any, side: Deviances, centre: Array) -> tuple[Array, Array]:
        """`first` and `spread` about another centre."""
        before, after = (_at(xp, side.mass, c) for c in (side.centre, centre))
        first = side.first + side.weight * (before - after)
        slope = _slope(xp, before, self.power) - _slope(xp, after, self.power)
        apart = side.weight * self.from_centre(xp, before, after)
        return first, side.spread + apart + 2 * slope * side.first

    def about_mean(self, xp: Any, side: Deviances) -> Array:
        """sum(w d(y_true, mean)), NaN where there is no such mean."""
        mean = side.centre + _staged.ratio(xp, side.first, side.weight)
        here, centre = (_at(xp, side.mass, c) for c in (mean, side.centre))
        spread = side.spread - side.weight * self.from_centre(xp, here, centre)
        return spread if self.power == 0 else xp.where(mean < 0, xp.nan, spread)


def _at(xp: Any, mass: Array, centre: Array) -> Array:
    """A centre; 1 for that of nothing, which is 0, where deviances and slopes may be infinite."""
    return xp.where(mass == 0, 1.0, centre)


def _slope(xp: Any, m: Array, power: float) -> Array:
    """f'(m): an integral of ``m**-power``."""
    if power == 0:
        return m
    if power < 0:
        return xp.where(m < 0, 0.0, m) ** (1 - power) / (1 - power)
    tiny = float(xp.finfo(m.dtype).smallest_normal)  # as a mean of 0 counts in unit deviances
    m = xp.where(m < tiny, tiny, m)
    return xp.log(m) if power == 1 else m ** (1 - power) / (1 - power)


def _unit_deviance(xp: Any, y: Array, m: Array, power: float) -> Array:
    """Unit deviance, exactly 0 where both are equal, also where they are 0."""
    return xp.where(y == m, 0.0, losses.tweedie_deviance(y, m, power=power))


@dataclass(frozen=True)
class D2TweedieScore(PairMetric):
    """Share of a Tweedie deviance that is explained, ``1 - sum(w d(t, p)) / sum(w d(t, mean(t)))``.

    Takes y_true t and y_pred p of equal shape; d is `agnostic_mask.losses.tweedie_deviance`.

    Parameters
    ----------
    power : float
        0: normal, then this is `R2Score`. 1: Poisson. 2: gamma. 3: inverse Gaussian; see there for
        the values that y_true and y_pred may have.

    Raises
    ------
    ValueError
        If `power` lies between 0 and 1, or is not finite.

    Notes
    -----
    scikit-learn's `d2_tweedie_score`. Of a constant y_true NaN if every prediction is right, else
    -Inf; of nothing, where the weights sum to 0, and of included values out of range NaN. States
    hold deviances from a centre c of their own: with ``power=0`` a mean far from 0 costs no
    accuracy. With another power a deviance is what cancelling terms leave, in float64: its relative
    error is about ``2.2e-16 m / |t - m|`` for m the prediction or c, whatever the float type.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> d2 = am.metrics.D2TweedieScore(power=1)
    >>> d2(np.asarray([1.0, 2.0, 6.0]), np.asarray([1.5, 2.0, 5.0])).round(4)
    np.float64(0.9162)
    """

    power: float = 0.0

    def _gathers(self) -> DeviancesOf:
        tweedie_power(self.power)
        return DeviancesOf(float(self.power))

    def _value(self, d: Dispatch, state: Deviances) -> Array:
        spread = typed(DeviancesOf, self.statistic).about_mean(d.xp, state)
        return unexplained(d.xp, state.deviance, spread)
