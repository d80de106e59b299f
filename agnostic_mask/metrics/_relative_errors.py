"""Metrics of the size of errors beside that of their targets."""

from dataclasses import dataclass

from agnostic_mask import losses
from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._score_sums import ScoreSums, score_sums
from agnostic_mask._scoring import ScoreFunction
from agnostic_mask._staged import root
from agnostic_mask._tally import Tally
from agnostic_mask.metrics import _score_functions
from agnostic_mask.metrics._sums import MeanOfScores


@dataclass(frozen=True)
class MeanSquaredLogarithmicError(MeanOfScores):
    """Mean squared logarithmic error, that of ``(log(1 + p) - log(1 + t))**2``.

    Takes y_true t and y_pred p of equal shape, above -1.

    Notes
    -----
    Of nothing, and where t or p is not above -1: NaN. scikit-learn's `mean_squared_log_error`,
    which raises there; torchmetrics' `MeanSquaredLogError`. Keras's `MeanSquaredLogarithmicError`
    takes numbers below 1e-7 for that number, so that it does not tell negative ones apart.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> metric = am.metrics.MeanSquaredLogarithmicError()
    >>> metric(np.asarray([0.0, 3.0]), np.asarray([0.0, 7.0])).round(4)
    np.float64(0.2402)
    """

    def _fn(self) -> ScoreFunction:
        return losses.squared_logarithmic_error


@dataclass(frozen=True)
class RootMeanSquaredLogarithmicError(MeanOfScores):
    """Root of the mean squared logarithmic error, that of ``(log(1 + p) - log(1 + t))**2``.

    Takes y_true t and y_pred p of equal shape, above -1.

    Notes
    -----
    Of nothing, of a negative mean, and where t or p is not above -1: NaN. scikit-learn's
    `root_mean_squared_log_error`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> metric = am.metrics.RootMeanSquaredLogarithmicError()
    >>> metric(np.asarray([0.0, 3.0]), np.asarray([0.0, 7.0])).round(4)
    np.float64(0.4901)
    """

    def _fn(self) -> ScoreFunction:
        return losses.squared_logarithmic_error

    def _value(self, d: Dispatch, state: Tally) -> Array:
        return root(d.xp, super()._value(d, state))


@dataclass(frozen=True)
class MeanAbsolutePercentageError(MeanOfScores):
    """Mean absolute percentage error, that of ``100 |p - t| / |t|``, in percent.

    Takes y_true t and y_pred p of equal shape.

    Notes
    -----
    Of nothing: NaN. A target of 0 gives Inf, unless its prediction is 0 too: leave such targets out
    with ``mask=(y_true != 0)``. Keras's `MeanAbsolutePercentageError` divides by no less than 1e-7
    and stays finite there. scikit-learn's `mean_absolute_percentage_error` and torchmetrics'
    `MeanAbsolutePercentageError` do not multiply by 100, and divide by no less than 2.2e-16 and
    1.17e-6.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> metric = am.metrics.MeanAbsolutePercentageError()
    >>> metric(np.asarray([2.0, -4.0]), np.asarray([1.0, -5.0]))
    array(37.5)
    """

    def _fn(self) -> ScoreFunction:
        return losses.absolute_percentage_error


@dataclass(frozen=True)
class SymmetricMeanAbsolutePercentageError(MeanOfScores):
    """Symmetric mean absolute percentage error, that of ``200 |p - t| / (|t| + |p|)``.

    Takes y_true t and y_pred p of equal shape; in percent, 0 to 200.

    Notes
    -----
    Of nothing: NaN; where both are 0 the error is 0. torchmetrics'
    `SymmetricMeanAbsolutePercentageError` does not multiply by 100, and divides by no less than
    1.17e-6.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> metric = am.metrics.SymmetricMeanAbsolutePercentageError()
    >>> metric(np.asarray([1.0, 0.0]), np.asarray([3.0, 0.0]))
    array(50.)
    """

    def _fn(self) -> ScoreFunction:
        return losses.symmetric_absolute_percentage_error


@dataclass(frozen=True)
class WeightedMeanAbsolutePercentageError(MeanOfScores):
    """Sum of absolute errors beside that of targets, ``sum(w |p - t|) / sum(w |t|)``.

    Takes y_true t and y_pred p of equal shape. A share, not in percent: 1 is an error as great as
    the targets. Each percentage counts by the size of its target, so that targets of 0 do no harm.

    Notes
    -----
    Of nothing, and where the targets sum to 0: NaN. torchmetrics'
    `WeightedMeanAbsolutePercentageError`, which divides by no less than 1.17e-6. "Weighted" says
    that it weighs by |t|; `weights` come on top.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> metric = am.metrics.WeightedMeanAbsolutePercentageError()
    >>> metric(np.asarray([2.0, -6.0, 0.0]), np.asarray([1.0, -5.0, 2.0]))
    array(0.5)
    """

    def _fn(self) -> ScoreFunction:
        return _score_functions.error_and_size

    def _gathers(self) -> ScoreSums:
        # Not as two means, which weights that sum to 0 would have none of.
        return score_sums(self._fn(), "sum")
