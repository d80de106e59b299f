"""How far off a metric may be: intervals by resampling, for any, and by a formula, for means."""

from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any, ClassVar, NamedTuple

from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._dtypes import cast
from agnostic_mask._reductions._quantiles import quantile
from agnostic_mask._reductions._sums import std
from agnostic_mask._state import State
from agnostic_mask._statistic import with_arrays
from agnostic_mask.losses._operands import option
from agnostic_mask.metrics._options import integer
from agnostic_mask.metrics._resampled import Resampled
from agnostic_mask.metrics._wrapping import Wrapping, check_wraps, one_value


class Interval(NamedTuple):
    """A metric's value, and how far off it may be.

    Attributes
    ----------
    value : array
        The metric itself.
    low, high : array
        Ends of the confidence interval.
    standard_error : array
        Standard deviation of the value over samples such as this one, in its unit.
    """

    value: Array
    low: Array
    high: Array
    standard_error: Array


def half_width(confidence: float) -> float:
    """Standard errors from the middle of a normal interval to its end.

    Raises
    ------
    ValueError, TypeError
        If `confidence` does not lie between 0 and 1, or is no number.
    """
    check_confidence(confidence)
    return NormalDist().inv_cdf((1 + confidence) / 2)


def check_confidence(confidence: Any) -> None:
    """Raise ValueError or TypeError unless the option lies between 0 and 1."""
    expected = "a number between 0 and 1, such as 0.95"
    option("confidence", confidence, lambda x: 0 < x < 1, expected)


@dataclass(frozen=True)
class BootstrapInterval(Wrapping):
    """Interval of any metric by the bootstrap: its value, low and high end, and standard error.

    Parameters
    ----------
    metric : metric or objective
        Whose result is one array, or has a `value`. Its arguments are taken, and `ids` besides.
    num_replicates : int
        Resamples R, at least 2: 1000 for ends of an interval, 100 for a standard error. A state
        is 1 + R times as large as the metric's.
    confidence : float
        Share of samples whose interval holds the truth, between 0 and 1.
    seed : int
        Which resamples are drawn, from 0 to 2**64 - 1.

    Raises
    ------
    TypeError
        If `metric` is none, is a `MetricSet`, or is a curve.
    ValueError
        If another option is not one of the above.

    Notes
    -----
    The Poisson bootstrap: in each resample a row is there k times, k drawn from Poisson(1), by a
    hash of its id, the number of the resample and the seed. Nothing else decides: neither position
    nor batch, process or framework. A row is one along the leading axis of what is scored. Ids are
    integers, taken modulo 2**64. Rows with one id are resampled together, in whatever batches they
    are: that is the cluster bootstrap (give the id of the patient, not of the visit). Ids that
    start anew in each batch make clusters of rows that have nothing in common.

    `low` and `high` are the quantiles (1 - confidence)/2 and (1 + confidence)/2 of the resamples'
    values, interpolated linearly (the percentile interval), `standard_error` is their standard
    deviation with a correction of 1. Resamples whose value is no finite number are left out, such
    as a mean of nothing; fewer than two are left: NaN. A metric that has a number for nothing, as
    `F1` has its `zero_division`, counts with that, and with it an empty group has an interval
    without width: make it NaN. Where the metric's value itself is no finite number, the others are
    NaN too. Of a result of several arrays, such as that of `BinnedROCAUC`, it is the `value` (with
    few bins: a state is R + 1 of the metric's). Of one row, or where all have one id, there is
    nothing to draw from, and the interval has no width.

    A weight acts within the metric as ever, and a row is resampled as a whole, whatever it weighs.
    States are those of the metric with a leading axis of length 1 + R.

    scikit-learn has no intervals; `scipy.stats.bootstrap` draws by position, with
    ``method="percentile"`` for this interval.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> metric = am.metrics.BootstrapInterval(am.metrics.MeanAbsoluteError(), num_replicates=200)
    >>> y_true, y_pred = np.zeros(50), np.linspace(0, 1, 50)
    >>> interval = metric(y_true, y_pred, ids=np.arange(50))
    >>> bool(interval.low < interval.value < interval.high)
    True
    >>> state = metric.zero(like=y_pred)
    >>> for rows in (slice(0, 20), slice(20, 50)):
    ...     ids = np.arange(rows.start, rows.stop)
    ...     state = metric.update(state, y_true[rows], y_pred[rows], ids=ids)
    >>> bool(np.isclose(metric.compute(state).low, interval.low))
    True
    """

    num_replicates: int = field(default=1000, kw_only=True)
    confidence: float = field(default=0.95, kw_only=True)
    seed: int = field(default=0, kw_only=True)

    result: ClassVar = Interval

    def _gathers(self) -> Resampled:
        check_wraps("BootstrapInterval", self.metric)
        expected = "an integer of at least 2, the number of resamples"
        replicates = integer("num_replicates", self.num_replicates, expected, 2)
        check_confidence(self.confidence)
        expected = "an integer from 0 to 2**64 - 1"
        seed = integer("seed", self.seed, expected, 0)
        if seed >= 2**64:
            raise ValueError(f"seed is {seed}; expected {expected}")
        return Resampled(self.metric.statistic, replicates, seed)

    def __call__(
        self,
        *arrays: Array,
        ids: Array | None = None,
        by: Array | None = None,
        num_groups: int | None = None,
        **named: Array,
    ) -> Interval:
        """Interval of one batch.

        Parameters
        ----------
        *arrays, **named
            What the metric's own call takes: y_true and y_pred, or x; weights, mask.
        ids : array of int, shape (B,)
            For each row of the leading axis of what is scored the number by which it is known, in
            whatever batch it comes: ``numpy.arange(B)``, plus the number of rows before.
        by, num_groups
            As of the metric: labels of groups, and their number.

        Returns
        -------
        Interval
            Four arrays, each of the shape of the metric's result, in its float type.

        Raises
        ------
        UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError
        ValueError
            If `ids` is left out, or only one of `by` and `num_groups` is given.
        """
        if by is not None and num_groups is None:
            num_groups = self.own_groups()
        found: Interval = self._of(self._batch(arrays, named)._replace(ids=ids), by, num_groups)
        return found

    def zero(self, like: Any, *, num_groups: int | None = None) -> State:
        """State of no batch; see `Metric.zero`. A metric between groups has their number."""
        if num_groups is None and not isinstance(like, State):
            num_groups = self.own_groups()
        return super().zero(like, num_groups=num_groups)

    def update(
        self,
        state: State,
        *arrays: Array,
        ids: Array | None = None,
        by: Array | None = None,
        **named: Array,
    ) -> State:
        """State of the batches before and of this one; see the call for the arguments."""
        return self._after(state, self._batch(arrays, named)._replace(ids=ids), by)

    def _value(self, d: Dispatch, state: State) -> Interval:
        xp = d.xp
        each = one_value(self.metric._value(d, state))
        value = each[0, ...]
        trailing = tuple(range(1, len(each.shape)))
        replicates = xp.permute_dims(each[1:, ...], (*trailing, 0))
        low, high, error = _spread(d, replicates, self.confidence, getattr(xp, state.dtype))
        finite = abs(value) < xp.inf
        return Interval(value, *(xp.where(finite, x, xp.nan) for x in (low, high, error)))

    def _finished(self, d: Dispatch, state: State, value: Array) -> Array:
        if state.outside is not None:  # of the sample itself
            state = with_arrays(state, {"outside": state.outside[0, ...]})
        return super()._finished(d, state, value)


def _spread(d: Dispatch, x: Array, confidence: float, dtype: Any) -> tuple[Array, Array, Array]:
    """Two quantiles and the standard deviation, along the last axis, of what is finite."""
    xp = d.xp
    kept = abs(x) < xp.inf
    error = std(x, mask=kept, axis=-1, correction=1.0)
    shares = ((1 - confidence) / 2, (1 + confidence) / 2)
    # In the result's dtype: JAX has no derivative of picking float64 after `wide` was left.
    ends = quantile(cast(xp, x, dtype), shares, mask=kept, axis=-1)
    # Of fewer than two there is no deviation.
    low, high = (xp.where(error == error, ends[i, ...], xp.nan) for i in range(2))
    return low, high, error
