"""Intervals of means by a formula for their standard error."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import log
from typing import Any, ClassVar

from agnostic_mask import _cover, _staged
from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._dtypes import is_integer
from agnostic_mask._errors import UnsupportedArrayError
from agnostic_mask._metric import Metric, zero_of
from agnostic_mask._objective import Objective
from agnostic_mask._registry import required_kind
from agnostic_mask._score_sums import ScoreSums
from agnostic_mask._state import State
from agnostic_mask._statistic import Arguments
from agnostic_mask.metrics._errors_of_values import CosineSimilarity, RootMeanSquaredError
from agnostic_mask.metrics._intervals import Interval, half_width
from agnostic_mask.metrics._linearised import (
    Deviations,
    DeviationsOf,
    Source,
    mean_and_error,
    mean_and_error_of_clusters,
    powers,
)
from agnostic_mask.metrics._log_losses import Perplexity
from agnostic_mask.metrics._options import integer
from agnostic_mask.metrics._queries import QueryMetric, QuerySums
from agnostic_mask.metrics._relative_errors import RootMeanSquaredLogarithmicError
from agnostic_mask.metrics._sequences import BitsPerToken
from agnostic_mask.metrics._sums import Mean, MeanOfScores, MeanScore
from agnostic_mask.metrics._wrapping import Wrapping, check_wraps

Transform = Callable[[Any, Array], tuple[Array, Array | float]]
"""``transform(xp, mean)``: the metric's value, and its derivative's size, by which errors grow."""


def _as_it_is(xp: Any, mean: Array) -> tuple[Array, float]:
    return mean, 1.0


def _root(xp: Any, mean: Array) -> tuple[Array, Array]:
    value = _staged.root(xp, mean)
    return value, _staged.ratio(xp, xp.ones_like(value), 2 * value)


def _exponential(xp: Any, mean: Array) -> tuple[Array, Array]:
    value = xp.exp(mean)
    return value, value


TRANSFORMS: Mapping[Any, Transform] = {
    Mean._value: _as_it_is,
    MeanScore._value: _as_it_is,
    MeanOfScores._value: _as_it_is,
    QueryMetric._value: _as_it_is,
    Objective._value: _as_it_is,
    RootMeanSquaredError._value: _root,
    RootMeanSquaredLogarithmicError._value: _root,
    Perplexity._value: _exponential,
    BitsPerToken._value: lambda xp, mean: (mean / log(2), 1 / log(2)),
    CosineSimilarity._value: lambda xp, mean: (0 - mean, 1.0),
}
"""What metrics make of a mean of scores, by the method in which they do."""


@dataclass(frozen=True)
class NormalInterval(Wrapping):
    """Interval of a mean by its standard error, ``value ± z standard_error``.

    With scores s of mean m and weights w the standard error is the root of
    ``sum(w**2 (s - m)**2) / sum(w)**2 * n / (n - 1)`` for n independent elements, and of
    ``sum_c(sum_in_c(w (s - m))**2) / sum(w)**2 * C / (C - 1)`` for C independent clusters c.

    Parameters
    ----------
    metric : metric or objective
        A mean of scores, or of one array: `Mean`, `MeanScore`, `MeanSquaredError`,
        `BinaryAccuracy`, the crossentropies and others that are ``sum(w s) / sum(w)``, objectives
        with the reduction "mean"; means over queries or sequences, such as `NDCG`; roots and
        exponentials of means: `RootMeanSquaredError`, `Perplexity`. For all others there is
        `BootstrapInterval`.
    confidence : float
        Share of samples whose interval holds the truth, between 0 and 1.
    num_clusters : int, optional
        Number of labels of clusters, which the verbs then take as `clusters`.

    Raises
    ------
    TypeError
        If `metric` is none of the above.
    ValueError
        If another option is not one of the above.

    Notes
    -----
    The linearised (Taylor) variance of a ratio (Cochran, "Sampling techniques", 3rd edition, 1977,
    section 6; what survey packages compute). Here weights say how much an element counts, not how
    often it was seen: one of weight 2 is one observation that counts twice, and n is the number of
    elements that are included. Where a weight of 2 stands for two observations the standard error
    is smaller: repeat them. Elements of negative weight count among the n. z is the normal
    distribution's quantile at (1 + confidence)/2, 1.96 for 0.95. Without weights it is SciPy's
    `sem`.

    Elements in a cluster may depend on each other; clusters may not. C counts the clusters in which
    something is included. Clusters of one element each give the first formula. An included element
    whose label is out of range makes all results NaN. For groups (`by`) and clusters together there
    is `BootstrapInterval` with `ids` of clusters.

    Of a root or an exponential the standard error is that of the mean times the derivative (the
    delta method); of a root of 0 it is NaN. Of one element, or cluster, the standard error is NaN.
    The interval's ends may lie beyond what the metric can be, such as an accuracy above 1.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> metric = am.metrics.NormalInterval(am.metrics.Mean())
    >>> interval = metric(np.asarray([1.0, 2.0, 3.0, 6.0]))
    >>> [round(float(x), 3) for x in interval]
    [3.0, 0.883, 5.117, 1.08]
    """

    confidence: float = field(default=0.95, kw_only=True)
    num_clusters: int | None = field(default=None, kw_only=True)
    result: ClassVar = Interval
    _z: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        # Here, where no compiler traces it.
        object.__setattr__(self, "_z", half_width(self.confidence))

    def _gathers(self) -> DeviationsOf:
        check_wraps("NormalInterval", self.metric)
        if self.num_clusters is not None:
            integer("num_clusters", self.num_clusters, "an integer of at least 1", 1)
        source = _mean_of(self.metric)
        if source is not None:
            return DeviationsOf(source)
        raise TypeError(
            f"metric is {self.metric!r}; expected a mean of scores or of one array, for which "
            f"there is a formula. Of any metric there is BootstrapInterval; accuracies that are "
            f"means of scores are BinaryAccuracy and SparseCategoricalAccuracy"
        )

    def __call__(
        self,
        *arrays: Array,
        clusters: Array | None = None,
        by: Array | None = None,
        num_groups: int | None = None,
        **named: Array,
    ) -> Interval:
        """Interval of one batch.

        Parameters
        ----------
        *arrays, **named
            What the metric's own call takes: y_true and y_pred, or x; weights, mask.
        clusters : array of int, optional
            Label of the cluster of each element, from 0 to num_clusters - 1; with `num_clusters`
            alone. Covers leading axes of what is scored; a dimension of 1 broadcasts.
        by, num_groups
            As of the metric: labels of groups, and their number. Not with clusters.

        Returns
        -------
        Interval
            Four arrays, each of the shape of the metric's result, in its float type.

        Raises
        ------
        UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError
        ValueError
            If only one of `clusters` and the option `num_clusters` is given, or one of `by` and
            `num_groups`, or all of them.
        """
        batch = self._batch(arrays, named)
        labels, groups = self._labels(batch, clusters, by, num_groups)
        found: Interval = self._of(batch, labels, groups)
        return found

    def zero(self, like: Any, *, num_groups: int | None = None) -> State:
        """State of no batch; see `Metric.zero`. Clusters are not given here, but are an option."""
        if self.num_clusters is None or isinstance(like, State):
            return super().zero(like, num_groups=num_groups)
        if num_groups != self.num_clusters:  # as it is where a state is read from a file
            self._no_groups(num_groups)
        return zero_of(self.statistic, like, self.num_clusters)

    def update(
        self,
        state: State,
        *arrays: Array,
        clusters: Array | None = None,
        by: Array | None = None,
        **named: Array,
    ) -> State:
        """State of the batches before and of this one; see the call for the arguments."""
        batch = self._batch(arrays, named)
        return self._after(state, batch, self._labels(batch, clusters, by, None)[0])

    def _labels(
        self, batch: Arguments, clusters: Array | None, by: Array | None, num_groups: int | None
    ) -> tuple[Array | None, int | None]:
        """Labels by which totals are told apart, of clusters or of groups, and their number."""
        if (clusters is None) != (self.num_clusters is None):
            what, other = "num_clusters", "clusters"
            if clusters is None:
                what, other = other, what
            raise ValueError(
                f"{what} is None, and {other} is given; expected both: the option num_clusters, "
                f"and with every batch the labels clusters, from 0 to num_clusters - 1"
            )
        if clusters is None:
            return by, num_groups
        self._no_groups(num_groups if by is None else by)
        self._check_clusters(batch, clusters)
        return clusters, self.num_clusters

    def _no_groups(self, groups: Any) -> None:
        if groups is not None:
            raise ValueError(
                "by or num_groups is given beside clusters; expected one of the two. For both "
                "there is BootstrapInterval, with ids=clusters"
            )

    def _check_clusters(self, batch: Arguments, clusters: Array) -> None:
        kind = required_kind("clusters", clusters)
        if not is_integer(kind.xp, clusters):
            raise UnsupportedArrayError(
                f"clusters has dtype {clusters.dtype}; expected integer labels, from 0 to "
                f"num_clusters - 1. Number other values first: "
                f"numpy.unique(x, return_inverse=True)[1]"
            )
        if all(hasattr(x, "shape") for x in batch.arrays):
            shape = self.statistic.covered(*(tuple(x.shape) for x in batch.arrays))
            if shape is not None:
                _cover.check_covers("clusters", tuple(clusters.shape), "what is scored", shape)

    def _value(self, d: Dispatch, state: Deviations) -> Interval:
        xp = d.xp
        if self.num_clusters is None:
            arrays = (state.count, state.weight, state.centre, state.first)
            mean, error = mean_and_error(xp, *arrays, powers(state.squares))
        else:
            mean, error = mean_and_error_of_clusters(xp, state)
        value, slope = TRANSFORMS[type(self.metric)._value](xp, mean)
        error = slope * error
        return Interval(value, value - self._z * error, value + self._z * error, error)


def _mean_of(metric: Metric) -> Source | None:
    """Sums of a metric that makes of their mean what there is a formula for, else None."""
    sums: Any = metric.statistic
    if type(metric)._value not in TRANSFORMS or not isinstance(sums, Source):
        return None
    if isinstance(metric, Objective) and metric.empty is not None:
        return None
    if isinstance(sums, QuerySums):
        return sums
    declaration = sums.declaration if isinstance(sums, ScoreSums) else None
    parts = None if declaration is None else declaration.parts
    return sums if sums.reduction == "mean" and parts is None else None
