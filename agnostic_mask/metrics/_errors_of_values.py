"""Metrics of real targets: means, and ratios of sums, of errors."""

import functools
from dataclasses import dataclass

from agnostic_mask import losses
from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._scoring import ScoreFunction
from agnostic_mask._staged import root
from agnostic_mask._tally import Tally
from agnostic_mask.losses._operands import option, tweedie_power
from agnostic_mask.metrics import _score_functions
from agnostic_mask.metrics._options import class_axis
from agnostic_mask.metrics._sums import MeanOfScores


@dataclass(frozen=True)
class MeanAbsoluteError(MeanOfScores):
    """Mean absolute error, ``sum(w |p - t|) / sum(w)``, in the unit of y.

    Takes y_true t and y_pred p of equal shape.

    Notes
    -----
    Of nothing: NaN. scikit-learn's `mean_absolute_error`, Keras's and torchmetrics'
    `MeanAbsoluteError`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.MeanAbsoluteError()(np.asarray([1.0, 2.0]), np.asarray([1.0, 4.0]))
    array(1.)
    """

    def _fn(self) -> ScoreFunction:
        return losses.absolute_error


@dataclass(frozen=True)
class MeanSquaredError(MeanOfScores):
    """Mean squared error, ``sum(w (p - t)**2) / sum(w)``, in the unit of y squared.

    Takes y_true t and y_pred p of equal shape.

    Notes
    -----
    Of nothing: NaN. scikit-learn's `mean_squared_error`, Keras's and torchmetrics'
    `MeanSquaredError`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.MeanSquaredError()(np.asarray([1.0, 2.0]), np.asarray([1.0, 4.0]))
    array(2.)
    """

    def _fn(self) -> ScoreFunction:
        return losses.squared_error


@dataclass(frozen=True)
class RootMeanSquaredError(MeanOfScores):
    """Root of the mean squared error, ``sqrt(sum(w (p - t)**2) / sum(w))``, in the unit of y.

    Takes y_true t and y_pred p of equal shape.

    Notes
    -----
    Of nothing, and of a negative mean, as negative weights can make one: NaN. scikit-learn's
    `root_mean_squared_error`, Keras's `RootMeanSquaredError`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.RootMeanSquaredError()(np.asarray([1.0, 2.0]), np.asarray([4.0, 6.0])).round(4)
    np.float64(3.5355)
    """

    def _fn(self) -> ScoreFunction:
        return losses.squared_error

    def _value(self, d: Dispatch, state: Tally) -> Array:
        return root(d.xp, super()._value(d, state))


@dataclass(frozen=True)
class MeanBiasError(MeanOfScores):
    """Mean error with its sign, ``sum(w (p - t)) / sum(w)``, in the unit of y.

    Takes y_true t and y_pred p of equal shape. Above 0 where predictions are too high on the whole.

    Notes
    -----
    Of nothing: NaN. It is the mean of y_pred less that of y_true.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.MeanBiasError()(np.asarray([1.0, 2.0]), np.asarray([0.0, 5.0]))
    array(1.)
    """

    def _fn(self) -> ScoreFunction:
        return _score_functions.error


@dataclass(frozen=True)
class PinballLoss(MeanOfScores):
    """Mean pinball loss, that of ``max(q r, (q - 1) r)`` with ``r = t - p``, in the unit of y.

    Takes y_true t and y_pred p of equal shape. The best constant is the quantile q of y_true.

    Parameters
    ----------
    quantile : float
        Between 0 and 1, neither of them.

    Raises
    ------
    ValueError
        If `quantile` is out of range.

    Notes
    -----
    Of nothing: NaN. scikit-learn's `mean_pinball_loss`, its `alpha` the quantile. Half the mean
    absolute error at ``quantile=0.5``.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> metric = am.metrics.PinballLoss(quantile=0.75)
    >>> metric(np.asarray([1.0, 2.0]), np.asarray([2.0, 1.0]))
    array(0.5)
    """

    quantile: float = 0.5

    def _fn(self) -> ScoreFunction:
        option("quantile", self.quantile, lambda x: 0 < x < 1, "a number between 0 and 1")
        return functools.partial(losses.pinball, quantile=self.quantile)


@dataclass(frozen=True)
class TweedieDeviance(MeanOfScores):
    """Mean deviance of a Tweedie distribution, whose variance is its mean to `power`.

    Takes y_true and y_pred of equal shape. Their ranges and the formula are those of
    `agnostic_mask.losses.tweedie_deviance`.

    Parameters
    ----------
    power : float
        0: normal, the mean squared error. 1: Poisson. 1 to 2: compound Poisson. 2: gamma.
        3: inverse Gaussian. Between 0 and 1 there is no such distribution.

    Raises
    ------
    ValueError
        If `power` lies between 0 and 1, or is not finite.

    Notes
    -----
    Of nothing, and where y_true or y_pred is out of range: NaN. scikit-learn's
    `mean_tweedie_deviance`, which raises out of range; with ``power=1`` its
    `mean_poisson_deviance`, with ``power=2`` its `mean_gamma_deviance`. torchmetrics'
    `TweedieDevianceScore`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.TweedieDeviance(1.5)(np.asarray([0.0, 4.0]), np.asarray([1.0, 1.0]))
    array(4.)
    """

    power: float = 0.0

    def _fn(self) -> ScoreFunction:
        tweedie_power(self.power)
        return functools.partial(losses.tweedie_deviance, power=self.power)


@dataclass(frozen=True, kw_only=True)
class CosineSimilarity(MeanOfScores):
    """Mean cosine of the angle between two vectors, ``sum(t p) / sqrt(sum(t**2) sum(p**2))``.

    Takes y_true t and y_pred p of equal shape, with vectors along `axis`. From -1, opposite
    directions, to 1, the same; more is better.

    Parameters
    ----------
    axis : int
        The axis of a vector's components.

    Notes
    -----
    Of nothing: NaN. A vector of zeros has the cosine 0; one component alone has the product of the
    signs. Mask and weights cover vectors. The sign is that of Keras's metric `CosineSimilarity`,
    opposite to the loss `agnostic_mask.losses.cosine_similarity`. torchmetrics' `CosineSimilarity`
    is it with ``reduction="mean"``; it sums unless told otherwise.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([[0.0, 1.0], [1.0, 1.0]]), np.asarray([[3.0, 4.0], [0.0, 0.0]])
    >>> am.metrics.CosineSimilarity()(y_true, y_pred)
    array(0.4)
    """

    axis: int = -1

    def _fn(self) -> ScoreFunction:
        return functools.partial(losses.cosine_similarity, axis=class_axis(self.axis))

    def _value(self, d: Dispatch, state: Tally) -> Array:
        return 0 - super()._value(d, state)
