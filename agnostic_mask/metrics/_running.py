"""The imperative face: an object that keeps a state for its caller."""

from typing import Any

from agnostic_mask._labels import checked_number
from agnostic_mask._metric import PairMetric, ValueMetric
from agnostic_mask._registry import kind_of
from agnostic_mask.metrics._set import MetricSet
from agnostic_mask.metrics._wrapping import Wrapping


class Running:
    """A metric, a set of metrics or an objective that keeps its own state.

    Parameters
    ----------
    metric : metric, MetricSet or objective
        What to compute.
    num_groups : int, optional
        Number of groups, where `update` is called with their labels `by`.

    Raises
    ------
    TypeError
        If `metric` is none of these.
    ValueError
        If `num_groups` is no positive integer.

    Notes
    -----
    `state` is the state of the batches so far, None before the first, for `merge`,
    `agnostic_mask.states.pack` and `save`. The object itself is not called: `metric` is, for the
    value of one batch. Not for compiled loops, nor for several threads: those pass states from call
    to call.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> mean = am.metrics.Running(am.metrics.Mean())
    >>> mean.update(np.asarray([1.0, 2.0]))
    >>> mean.update(np.asarray([6.0]))
    >>> mean.compute()
    array(3.)
    """

    def __init__(
        self,
        metric: PairMetric | ValueMetric | Wrapping | MetricSet,
        *,
        num_groups: int | None = None,
    ) -> None:
        if not isinstance(metric, PairMetric | ValueMetric | Wrapping | MetricSet):
            what, mend = f"a {type(metric).__name__}", ""
            if isinstance(metric, type):
                what, mend = f"the class {metric.__name__}", f": write {metric.__name__}()"
            raise TypeError(
                f"metric is {what}; expected a metric, a MetricSet or an objective{mend}"
            )
        self.metric = metric
        self._num_groups = None if num_groups is None else checked_number(num_groups)
        self._state: Any = None

    def __repr__(self) -> str:
        return f"Running({self.metric!r})"

    @property
    def state(self) -> Any:
        """State of the batches so far, None before the first; for `merge` and `pack`."""
        return self._state

    def update(self, *arrays: Any, **covers: Any) -> None:
        """Take in a batch; the arguments are those of the metric's own `update`."""
        state = self._state
        if state is None:
            given = [*arrays[:2], *(covers[n] for n in ("x", "y_true", "y_pred") if n in covers)]
            like = [x for x in given if kind_of(x) is not None]
            if not like:
                self.metric(*arrays, **covers)  # which says what is wrong with them
            if covers.get("by") is not None:
                self._check_groups()
            state = self.metric.zero(like=like[-1], num_groups=self._num_groups)
        self._state = self.metric.update(state, *arrays, **covers)

    def _check_groups(self) -> None:
        own = self.metric.own_groups() if isinstance(self.metric, Wrapping) else None
        if self._num_groups is None and own is None:
            raise ValueError(
                "by is given, and num_groups is None; expected the number of groups where the "
                "running metric was made: Running(metric, num_groups=...)"
            )

    def compute(self) -> Any:
        """Value of the batches so far.

        Raises
        ------
        ValueError
            Before the first batch, which says what framework to compute in.
        """
        if self._state is None:
            raise ValueError(
                "nothing was taken in yet, so that there is no framework to compute in; call "
                "update first, or metric.compute(metric.zero(like=array)) for the value of nothing"
            )
        return self.metric.compute(self._state)

    def reset(self) -> None:
        """Forget all batches."""
        self._state = None
