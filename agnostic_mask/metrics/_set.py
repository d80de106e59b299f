"""Several metrics in one pass over the data."""

from collections.abc import Mapping, Sequence
from typing import Any

from agnostic_mask._array import Array
from agnostic_mask._labels import number_of_groups
from agnostic_mask._metric import Metric, PairMetric, ValueMetric, batch_for, zero_of
from agnostic_mask._replay import Replays
from agnostic_mask._state import State, with_leaves
from agnostic_mask._statistic import Arguments, Statistic, gather_all, merged, replayed

States = tuple[State, ...]


class MetricSet:
    """Several metrics of y_true and y_pred in one pass, which gather what they share once.

    One confusion matrix serves precision, recall and F; one set of moments serves R2 and Pearson's
    correlation. Immutable; the verbs are those of a metric, with one tuple of states for all.

    Parameters
    ----------
    metrics : mapping of str to metric
        Metrics of `agnostic_mask.metrics`, and objectives, by the names of their results.

    Raises
    ------
    TypeError
        If one of them is no metric of y_true and y_pred.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> both = am.metrics.MetricSet(
    ...     {"precision": am.metrics.Precision(), "recall": am.metrics.Recall()}
    ... )
    >>> y_true, y_pred = np.asarray([1, 1, 0, 1]), np.asarray([0.9, 0.2, 0.3, 0.8])
    >>> {name: float(x.round(2)) for name, x in both(y_true, y_pred).items()}
    {'precision': 1.0, 'recall': 0.67}
    """

    def __init__(self, metrics: Mapping[str, PairMetric]) -> None:
        if not isinstance(metrics, Mapping) or not metrics:
            what = "empty" if isinstance(metrics, Mapping) else f"a {type(metrics).__name__}"
            raise TypeError(
                f"metrics is {what}; expected a mapping of names to metrics, with at least one"
            )
        for name, metric in metrics.items():
            if not isinstance(metric, PairMetric):
                what = type(metric).__name__
                if isinstance(metric, type):
                    what, mend = f"class, {metric.__name__}", f"write {metric.__name__}()"
                elif isinstance(metric, Metric):
                    takes = "one array" if isinstance(metric, ValueMetric) else "other arguments"
                    mend = f"a {what} takes {takes}, so call it by itself"
                else:
                    mend = "make one of a function fn by agnostic_mask.metrics.MeanScore(fn)"
                raise TypeError(
                    f"metrics[{name!r}] is a {what}; expected a metric of y_true and y_pred: {mend}"
                )
            metric.statistic.check_gathers()
        self._metrics: dict[str, PairMetric] = dict(metrics)
        # In the order in which they were first asked for: the order of the states.
        self._statistics: tuple[Statistic[Any], ...] = tuple(
            dict.fromkeys(metric.statistic for metric in self._metrics.values())
        )
        self._replays = Replays(all(s.replays for s in self._statistics))
        place = {statistic: i for i, statistic in enumerate(self._statistics)}
        self._places = {name: place[metric.statistic] for name, metric in self._metrics.items()}

    @property
    def metrics(self) -> Mapping[str, PairMetric]:
        """The metrics by their names."""
        return dict(self._metrics)

    def __repr__(self) -> str:
        return f"MetricSet({self._metrics!r})"

    def __call__(
        self,
        y_true: Array,
        y_pred: Array,
        weights: Array | None = None,
        mask: Array | None = None,
        *,
        by: Array | None = None,
        num_groups: int | None = None,
        threads: int | None = None,
    ) -> dict[str, Array]:
        """Values of one batch; the arguments are those of every metric in the set.

        Returns
        -------
        dict of str to array
        """
        n = number_of_groups(by, num_groups)
        batch = Arguments((y_true, y_pred), weights, mask, by, n, threads=threads)

        def ordinary(arrays: Sequence[Array | None]) -> dict[str, Array]:
            given = batch.with_arrays(arrays)
            return self.compute(tuple(gather_all(self._statistics, given, self._replays)))

        return replayed(self._replays, "value", batch, (), ordinary)

    def zero(self, like: Any, *, num_groups: int | None = None) -> States:
        """States of no batch.

        Parameters
        ----------
        like : array or tuple of states
            As of a metric.
        num_groups : int, optional
            As of a metric.

        Returns
        -------
        tuple of states
            One for each statistic that the metrics share.
        """
        if isinstance(like, tuple):
            self._check("like", like)
        each = like if isinstance(like, tuple) else (like,) * len(self._statistics)
        pairs = zip(self._statistics, each, strict=True)
        return tuple(zero_of(s, x, num_groups) for s, x in pairs)

    def update(
        self,
        states: States,
        y_true: Array,
        y_pred: Array,
        weights: Array | None = None,
        mask: Array | None = None,
        *,
        by: Array | None = None,
        threads: int | None = None,
    ) -> States:
        """States of the batches before and of this one; see the call for the arguments."""
        self._check("states", states)
        batch = Arguments((y_true, y_pred), weights, mask, by, threads=threads)

        def ordinary(arrays: Sequence[Array | None]) -> States:
            n = batch.number
            own = tuple(with_leaves(states, arrays[n:]))
            given = batch_for(own[0], batch.with_arrays(arrays[:n]))
            return self._merged(own, tuple(gather_all(self._statistics, given, self._replays)))

        return replayed(self._replays, "state", batch, states, ordinary)

    def merge(self, left: States, right: States) -> States:
        """States of the batches of both.

        Raises
        ------
        StateMismatchError
            If one was made for other metrics.
        """
        self._check("the left states", left)
        self._check("the right states", right)
        return self._merged(left, right)

    def compute(self, states: States) -> dict[str, Array]:
        """Values of the batches in the states, by the names of the metrics.

        Raises
        ------
        StateMismatchError
            If the states were made for other metrics.
        """
        self._check("states", states)
        return {name: m.compute(states[self._places[name]]) for name, m in self._metrics.items()}

    def _merged(self, left: States, right: States) -> States:
        pairs = zip(self._statistics, left, right, strict=True)
        return tuple(merged(statistic, a, b) for statistic, a, b in pairs)

    def _check(self, name: str, states: Any) -> None:
        n = len(self._statistics)
        if not isinstance(states, tuple) or len(states) != n:
            what = f"{len(states)} states" if isinstance(states, tuple) else type(states).__name__
            raise TypeError(
                f"{name} is {what}; expected a tuple of {n}, as zero, update or merge of this set "
                f"made it"
            )
        for i, (statistic, state) in enumerate(zip(self._statistics, states, strict=True)):
            statistic.check(f"{name}[{i}]", state)
