"""Whether probabilities are what they say: calibration errors, and the curve behind them."""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._metric import PairMetric, over
from agnostic_mask._staged import ratio
from agnostic_mask.metrics._calibration_sums import CalibrationOf, CalibrationSums
from agnostic_mask.metrics._options import class_axis, integer

NUM_BINS = 15


class Reliability(NamedTuple):
    """What a reliability diagram shows of each bin.

    Attributes
    ----------
    confidence, accuracy : array, shape (n,)
        Mean confidence, and share of elements that are right; NaN of a bin without elements.
    weight : array, shape (n,)
        Sum of the weights in the bin; without weights the number of elements.
    """

    confidence: Array
    accuracy: Array
    weight: Array


@dataclass(frozen=True)
class _BinnedCalibration(PairMetric):
    num_bins: int = NUM_BINS
    axis: int = -1

    def _gathers(self) -> CalibrationOf:
        expected = "an integer of at least 1, the number of bins of equal width from 0 to 1"
        n = integer("num_bins", self.num_bins, expected, 1)
        return CalibrationOf(n, class_axis(self.axis))

    def _known(self, d: Dispatch, state: CalibrationSums, value: Array) -> Array:
        """`value`, NaN where an element is in no bin."""
        return d.xp.where(over(d.xp, state.invalid == 0, value), value, d.xp.nan)


@dataclass(frozen=True)
class ExpectedCalibrationError(_BinnedCalibration):
    """Mean gap of accuracy and confidence over bins, ``sum(W_b |acc_b - conf_b|) / sum(W_b)``.

    Parameters
    ----------
    num_bins : int
        Number n of bins of equal width from 0 to 1.
    axis : int
        Class axis of y_pred, where it has one.

    Raises
    ------
    ValueError
        If an option is not one of these.

    Notes
    -----
    Takes y_true of labels 0 and 1 and y_pred of equal shape, the probability of 1; the confidence
    is this probability, the accuracy of a bin its share of positives. Or integer labels of classes
    and y_pred with one more axis, a probability for each class; the confidence is the greatest of
    them, the accuracy the share of elements whose label is that class. Bin i holds confidences from
    i / n to below (i + 1) / n, the last one 1 too. W_b is the weight in a bin, conf_b and acc_b are
    the means there.

    The bins are part of the definition, and what they do has a sign: within a bin gaps above and
    below cancel, so that it is never more than the mean of ``|accuracy - confidence|`` with every
    confidence a bin of its own (Jensen's inequality; A. Kumar, P. Liang and T. Ma, "Verified
    uncertainty calibration", 2019), and never less with bins that cut its bins finer. That is of
    the distribution; of few elements a bin, chance alone makes gaps. By M. P. Naeini, G. F. Cooper
    and M. Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", 2015.

    Of nothing, and where the weights sum to 0: NaN. An included NaN, a confidence that is not from
    0 to 1 (of logits, for one thing), or a label of no class gives NaN. torchmetrics'
    `CalibrationError` with ``norm="l1"``, which has no weights, and puts a confidence of 1 into a
    bin of its own.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1, 0, 1, 1]), np.asarray([0.75, 0.75, 1.0, 0.25])
    >>> am.metrics.ExpectedCalibrationError()(y_true, y_pred)
    array(0.3125)
    """

    def _value(self, d: Dispatch, state: CalibrationSums) -> Array:
        xp = d.xp
        gaps = xp.sum(_gaps(xp, state), axis=-1)
        return self._known(d, state, ratio(xp, gaps, xp.sum(state.weight, axis=-1)))


@dataclass(frozen=True)
class MaximumCalibrationError(_BinnedCalibration):
    """Greatest gap of accuracy and confidence in a bin, ``max(|acc_b - conf_b|)``.

    Parameters
    ----------
    num_bins, axis
        As of `ExpectedCalibrationError`, as are bins and errors.

    Notes
    -----
    Over bins whose weights do not sum to 0. The fewer elements a bin has, the more it is a matter
    of chance. Of nothing: NaN; other NaN are as of `ExpectedCalibrationError`. torchmetrics'
    `CalibrationError` with ``norm="max"``.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1, 0, 1, 1]), np.asarray([0.75, 0.75, 1.0, 0.25])
    >>> am.metrics.MaximumCalibrationError()(y_true, y_pred)
    array(0.75)
    """

    def _value(self, d: Dispatch, state: CalibrationSums) -> Array:
        xp = d.xp
        gaps = ratio(xp, _gaps(xp, state), state.weight)
        worst = xp.max(xp.where(state.weight == 0, -xp.inf, gaps), axis=-1)
        return self._known(d, state, xp.where(worst == -xp.inf, xp.nan, worst))


@dataclass(frozen=True)
class ReliabilityCurve(_BinnedCalibration):
    """Confidence and accuracy of each bin, ``(conf_b, acc_b, W_b)``: the reliability diagram.

    Parameters
    ----------
    num_bins, axis
        As of `ExpectedCalibrationError`, as are bins and errors.

    Notes
    -----
    The result is a `Reliability` of ``confidence``, ``accuracy`` and ``weight``, arrays of shape
    (n,). Of a bin whose weights sum to 0 confidence and accuracy are NaN, and the weight is 0.
    Other NaN are as of `ExpectedCalibrationError`, in all bins. scikit-learn's `calibration_curve`
    of two classes, which leaves such bins out and has no weights.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1, 0, 1, 1]), np.asarray([0.75, 0.75, 1.0, 0.25])
    >>> curve = am.metrics.ReliabilityCurve(num_bins=2)(y_true, y_pred)
    >>> curve.confidence.round(3), curve.accuracy.round(3), curve.weight
    (array([0.25 , 0.833]), array([1.   , 0.667]), array([1., 3.]))
    """

    result: ClassVar = Reliability

    def _value(self, d: Dispatch, state: CalibrationSums) -> Reliability:
        xp = d.xp
        means = (ratio(xp, x, state.weight) for x in (state.confidence, state.hits))
        return Reliability(*(self._known(d, state, x) for x in (*means, state.weight)))


def _gaps(xp: Any, state: CalibrationSums) -> Array:
    """Distance of hits and confidences in each bin."""
    gap = state.hits - state.confidence
    # Not by xp.abs, of whose derivative in float64 JAX makes a part after `wide` was left.
    return xp.where(gap < 0, -gap, gap)
