"""Metrics of variance: how much of y_true a prediction explains, and how they go together."""

from dataclasses import dataclass
from typing import Any

from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._metric import PairMetric, ValueMetric
from agnostic_mask._staged import ratio, root
from agnostic_mask.metrics._moments import Centred, Moments, MomentsOf
from agnostic_mask.metrics._options import finite

_TRUE, _PRED, _RESIDUAL = 0, 1, 2


@dataclass(frozen=True)
class _OfValues(ValueMetric):
    correction: float = 0.0

    def _gathers(self) -> MomentsOf:
        finite("correction", self.correction)
        return MomentsOf("moments of x", 1)


class _OfPairs(PairMetric):
    def _gathers(self) -> MomentsOf:
        return MomentsOf("moments of y_true, y_pred and their difference", 3)


@dataclass(frozen=True)
class Variance(_OfValues):
    """Variance by the weights, ``sum(w (x - mean)**2) / (sum(w) - correction)``.

    Parameters
    ----------
    correction : float
        What is subtracted from the sum of the weights: 1 for Bessel's correction. Finite.

    Raises
    ------
    ValueError
        If `correction` is not finite.

    Notes
    -----
    As `agnostic_mask.var`. NaN where the sum of the weights is not above `correction`, so also of
    nothing. States hold centred moments: a mean far from 0 costs no accuracy, in one batch or many.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.Variance(correction=1.0)(np.asarray([1.0, 4.0]), np.asarray([2, 1]))
    array(3.)
    """

    def _value(self, d: Dispatch, state: Moments) -> Array:
        return _variance(d, state, self.correction)


@dataclass(frozen=True)
class StandardDeviation(_OfValues):
    """Standard deviation by the weights: the square root of the variance.

    Parameters
    ----------
    correction : float
        As of `Variance`.

    Notes
    -----
    As `agnostic_mask.std`; NaN where the variance is NaN or negative, in the unit of x.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.StandardDeviation()(np.asarray([1.0, 5.0]))
    array(2.)
    """

    def _value(self, d: Dispatch, state: Moments) -> Array:
        return root(d.xp, _variance(d, state, self.correction))


def _variance(d: Dispatch, state: Moments, correction: float) -> Array:
    xp = d.xp
    remaining = state.weight - correction
    spread = Centred(d, state).spread(0, 0)
    return ratio(xp, spread, xp.where(remaining > 0, remaining, 0.0))


@dataclass(frozen=True)
class R2Score(_OfPairs):
    """Coefficient of determination, ``1 - sum(w (t - p)**2) / sum(w (t - mean(t))**2)``.

    Takes y_true t and y_pred p of equal shape.

    Notes
    -----
    The formula's own values at its ends: of a constant y_true NaN if every prediction is right,
    else -Inf; of nothing, and where the weights sum to 0, NaN. That is scikit-learn's `r2_score`
    with ``force_finite=False``. Sums are about the mean: one far from 0 costs no accuracy.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.R2Score()(np.asarray([1.0, 2.0, 3.0]), np.asarray([1.0, 2.0, 4.0]))
    array(0.5)
    """

    def _value(self, d: Dispatch, state: Moments) -> Array:
        m = Centred(d, state)
        return unexplained(d.xp, m.squares(_RESIDUAL), m.spread(_TRUE, _TRUE))


@dataclass(frozen=True)
class ExplainedVariance(_OfPairs):
    """Share of variance that is explained, ``1 - var(t - p) / var(t)``.

    Takes y_true t and y_pred p of equal shape; unlike `R2Score` a constant bias costs nothing.

    Notes
    -----
    Of a constant y_true and of nothing as `R2Score`. scikit-learn's `explained_variance_score`
    with ``force_finite=False``.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.ExplainedVariance()(np.asarray([1.0, 2.0, 3.0]), np.asarray([2.0, 3.0, 4.0]))
    array(1.)
    """

    def _value(self, d: Dispatch, state: Moments) -> Array:
        m = Centred(d, state)
        return unexplained(d.xp, m.spread(_RESIDUAL, _RESIDUAL), m.spread(_TRUE, _TRUE))


def unexplained(xp: Any, left: Array, whole: Array) -> Array:
    """``1 - left / whole``, -Inf where only the divisor is 0, NaN where both are."""
    zero = whole == 0
    value = 1 - left / xp.where(zero, 1.0, whole)
    worst = xp.where(left > 0, -xp.inf, xp.full_like(left, xp.nan))
    return xp.where(zero, worst, value)


@dataclass(frozen=True)
class PearsonCorrelation(_OfPairs):
    """Pearson's correlation, ``cov(t, p) / sqrt(var(t) var(p))``, from -1 to 1.

    Takes y_true t and y_pred p of equal shape.

    Notes
    -----
    NaN where either is constant, and of nothing. SciPy's `pearsonr`, with weights and a mask.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.PearsonCorrelation()(np.asarray([1.0, 2.0, 3.0]), np.asarray([2.0, 4.0, 6.0]))
    array(1.)
    """

    def _value(self, d: Dispatch, state: Moments) -> Array:
        xp, m = d.xp, Centred(d, state)
        spreads = m.spread(_TRUE, _TRUE), m.spread(_PRED, _PRED)
        value = ratio(xp, m.spread(_TRUE, _PRED), root(xp, spreads[0]) * root(xp, spreads[1]))
        # Rounding may take a perfect correlation past its ends; NaN stays.
        return xp.where(value > 1, 1.0, xp.where(value < -1, -1.0, value))


@dataclass(frozen=True)
class ConcordanceCorrelation(_OfPairs):
    """Lin's concordance, ``2 cov(t, p) / (var(t) + var(p) + (mean(t) - mean(p))**2)``.

    Takes y_true t and y_pred p of equal shape. It is 1 only where they are equal (Lin, 1989).

    Notes
    -----
    NaN where both are constant and equal, and of nothing. Variances divide by sum(w), as in
    torchmetrics' `ConcordanceCorrCoef` but for its correction of 1.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.ConcordanceCorrelation()(np.asarray([1.0, 3.0]), np.asarray([2.0, 4.0]))
    array(0.66666667)
    """

    def _value(self, d: Dispatch, state: Moments) -> Array:
        m = Centred(d, state)
        apart = m.mean(_RESIDUAL)  # not a difference of means, which may be far from 0
        whole = m.spread(_TRUE, _TRUE) + m.spread(_PRED, _PRED) + m.weight * apart * apart
        return ratio(d.xp, 2 * m.spread(_TRUE, _PRED), whole)
