"""Metrics in higher precision: those of means, variances, deviances and extremes."""

from collections.abc import Callable, Sequence
from typing import Any

from ._elements import Elements
from ._numbers import Number, mp
from ._rough import Rough, summed_exact

Result = tuple[Any, Any]

STEPS = 16
"""Roundings of a term: a residual, products, and what moves it from the centre of a part."""


def _finished(e: Elements, x: Rough) -> Result:
    return x.value, float(x.error + e.u * abs(x.value)) if mp.isfinite(x.value) else 0.0


class _Column:
    """Weighted mean of numbers, and how far they lie from it."""

    def __init__(self, e: Elements, x: Sequence[Number]) -> None:
        self.e, self.x = e, x
        self.weight = summed_exact(e.weights, e.acc)
        self.mass = mp.fsum(abs(w) for w in e.weights)
        total = mp.fsum(w * v for w, v in zip(e.weights, x, strict=True))
        self.mean = total / self.weight.value if self.weight.value else mp.nan
        middle = mp.fsum(abs(w) * v for w, v in zip(e.weights, x, strict=True))
        self.centre = middle / self.mass if self.mass else mp.nan
        # Those of a constant are exactly 0.
        self.constant = all(v == x[0] for v in x)
        self.residuals = [mp.mpf(0) if self.constant else v - self.mean for v in x]

    def about_centre(self) -> Number:
        """Sum of the absolute terms that squares are summed of."""
        return self._sizes([v - self.centre for v in self.x])

    def about_zero(self) -> Number:
        """The same about 0."""
        return self._sizes(self.x)

    def _sizes(self, x: Sequence[Number]) -> Number:
        return mp.fsum(abs(w) * v * v for w, v in zip(self.e.weights, x, strict=True))

    def about_mean(self) -> Rough:
        """Sum of squares about the mean."""
        return _product(self, self)

    def squares(self) -> Rough:
        """Sum of squares about 0."""
        value = mp.fsum(w * v * v for w, v in zip(self.e.weights, self.x, strict=True))
        return Rough(value, _steps(self.e) * self.about_zero() * 2, self.e.acc)


def _steps(e: Elements) -> Number:
    return (len(e.weights) + STEPS) * e.acc


def _product(a: _Column, b: _Column) -> Rough:
    """Sum of products about the means.

    First moments about the centre are products too, divided by the weights, which may cancel. Each
    number itself may be a rounded difference.
    """
    e = a.e
    if a.weight.value == 0:
        return Rough(mp.nan, mp.mpf(0), e.acc)
    value = mp.fsum(w * x * y for w, x, y in zip(e.weights, a.residuals, b.residuals, strict=True))
    if a.constant or b.constant:
        return Rough(mp.mpf(0), mp.mpf(0), e.acc)
    terms = mp.sqrt(a.about_centre() * b.about_centre()) * (1 + 2 * a.mass / abs(a.weight.value))
    moved = mp.sqrt(a.about_zero() * b.about_centre()) + mp.sqrt(a.about_centre() * b.about_zero())
    return Rough(value, _steps(e) * terms + 2 * e.acc * moved, e.acc)


class _Pairs:
    """Columns of y_true, y_pred and their difference."""

    def __init__(self, e: Elements) -> None:
        self.true, self.pred = _Column(e, e.true), _Column(e, e.pred)
        self.residual = _Column(e, [t - p for t, p in zip(e.true, e.pred, strict=True)])


def _unexplained(e: Elements, left: Rough, whole: Rough) -> Result:
    if whole.value == 0:
        return (mp.ninf if left.value > 0 else mp.nan), 0.0
    return _finished(e, Rough(mp.mpf(1), mp.mpf(0), e.acc).minus(left.over(whole)))


def _variance(e: Elements) -> Rough:
    column = _Column(e, e.pred)
    remaining = column.weight.minus(Rough(mp.mpf(e.options.get("correction", 0)), mp.mpf(0), e.acc))
    if remaining.value <= 0:
        return Rough(mp.nan, mp.mpf(0), e.acc)
    return column.about_mean().over(remaining)


def _r2(e: Elements) -> Result:
    pairs = _Pairs(e)
    return _unexplained(e, pairs.residual.squares(), pairs.true.about_mean())


def _explained(e: Elements) -> Result:
    pairs = _Pairs(e)
    return _unexplained(e, pairs.residual.about_mean(), pairs.true.about_mean())


def _pearson(e: Elements) -> Result:
    pairs = _Pairs(e)
    apart = pairs.true.about_mean().root().times(pairs.pred.about_mean().root())
    return _finished(e, _product(pairs.true, pairs.pred).over(apart).within(-1, 1))


def _concordance(e: Elements) -> Result:
    pairs = _Pairs(e)
    weight, residual = pairs.true.weight, pairs.residual
    if weight.value == 0:
        return mp.nan, 0.0
    size = mp.fsum(abs(w * r) for w, r in zip(e.weights, residual.x, strict=True))
    error = 2 * _steps(e) * size / abs(weight.value)
    mean = Rough(residual.mean, error, e.acc)
    whole = pairs.true.about_mean().plus(pairs.pred.about_mean())
    whole = whole.plus(weight.times(mean.times(mean)))
    return _finished(e, _product(pairs.true, pairs.pred).scaled(2).over(whole))


def _deviance(y: Number, m: Number, power: Number) -> Number:
    """Unit deviance, y and m in the domain of the power."""
    if power == 0:
        return (y - m) ** 2
    if power == 1:
        return 2 * ((y * mp.log(y / m) if y else mp.mpf(0)) - y + m)
    if power == 2:
        return 2 * (mp.log(m / y) + y / m - 1)
    a, b = 1 - power, 2 - power
    return 2 * (max(y, mp.mpf(0)) ** b / (a * b) - y * m**a / a + m**b / b)


def _deviance_terms(y: Number, m: Number, power: Number) -> Number:
    """What a unit deviance is the sum of, in absolute value, by its change where that is small."""
    if power == 0:
        return (y - m) ** 2
    if m > 0 and abs(y - m) <= m / 2:
        return abs(y - m) * m ** (1 - power)
    if power in (1, 2):
        logs = abs(mp.log(y)) + abs(mp.log(m)) if y > 0 else mp.mpf(0)
        return 2 * (y * logs + y + m) if power == 1 else 2 * (logs + y / m + 1)
    a, b = 1 - power, 2 - power
    return 2 * (abs(max(y, mp.mpf(0)) ** b / (a * b)) + abs(y * m**a / a) + abs(m**b / b))


def _d2(e: Elements) -> Result:
    """A term's error; moved from the centre of a part, the weights' first moment times a slope."""
    power = mp.mpf(e.options.get("power", 0))
    column = _Column(e, e.true)
    mean, steps = column.mean, _steps(e)
    if column.weight.value == 0 or (power != 0 and mean < 0):
        return mp.nan, 0.0

    def total(pred: Sequence[Number]) -> Rough:
        each = list(zip(e.weights, e.true, pred, strict=True))
        value = mp.fsum(w * _deviance(t, p, power) for w, t, p in each)
        return Rough(
            value, mp.fsum(abs(w) * _deviance_terms(t, p, power) for w, t, p in each) * steps, e.acc
        )

    if column.constant:
        return _unexplained(e, total(e.pred), Rough(mp.mpf(0), mp.mpf(0), e.acc))
    centre = column.centre
    around = mp.fsum(abs(w * (t - centre)) for w, t in zip(e.weights, e.true, strict=True))
    slope = abs(mp.log(centre)) + 1 if power == 1 else abs(centre ** (1 - power) / (1 - power))
    whole = total([mean] * len(e.true))
    signed = abs(mean - centre) / max(abs(mean), abs(centre))
    moved = 2 * slope * around * (e.acc + signed) * e.acc
    return _unexplained(e, total(e.pred), whole._replace(error=whole.error * 2 + moved))


def _picked(values: Sequence[Number], pick: Callable[..., Number], of_nothing: Number) -> Number:
    if any(mp.isnan(v) for v in values):
        return mp.nan
    return pick(values, default=of_nothing)


def _max_error(e: Elements) -> Result:
    errors = [abs(p - t) for t, p in zip(e.true, e.pred, strict=True)]
    value = _picked(errors, max, mp.ninf)
    return _finished(e, Rough(value, mp.mpf(0), e.acc))


MOMENTS: dict[str, Callable[[Elements], Result]] = {
    "ConcordanceCorrelation": _concordance,
    "D2TweedieScore": _d2,
    "ExplainedVariance": _explained,
    "Max": lambda e: (_picked(e.pred, max, mp.ninf), 0.0),
    "MaxError": _max_error,
    "MaxScore": _max_error,
    "Min": lambda e: (_picked(e.pred, min, mp.inf), 0.0),
    "PearsonCorrelation": _pearson,
    "R2Score": _r2,
    "StandardDeviation": lambda e: _finished(e, _variance(e).root()),
    "Variance": lambda e: _finished(e, _variance(e)),
}
