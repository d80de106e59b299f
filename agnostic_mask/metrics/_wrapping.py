"""Metrics that are made of another metric, whose arguments they take, and some of their own."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agnostic_mask._array import Array
from agnostic_mask._labels import number_of_groups
from agnostic_mask._metric import Metric, PairMetric, ValueMetric
from agnostic_mask._state import State
from agnostic_mask._statistic import Arguments

COVERS = ("weights", "mask")


@dataclass(frozen=True)
class Wrapping(Metric):
    """A metric that is made of another one.

    Parameters
    ----------
    metric : metric or objective
    """

    metric: Metric

    @abstractmethod
    def __call__(self, *arrays: Array, **named: Array) -> Any:
        """Value of one batch."""

    @abstractmethod
    def update(self, state: State, *arrays: Array, **named: Array) -> State:
        """State of the batches before and of this one."""

    def _batch(self, given: tuple[Array, ...], named: Mapping[str, Array]) -> Arguments:
        """What the wrapped metric's own call would be given.

        Raises
        ------
        TypeError
            As of a call with too many, or unknown, arguments.
        """
        values = values_of(self.metric)
        names = (*values, *COVERS)
        who = type(self).__name__
        found = dict(zip(names, given, strict=False))
        unknown = [n for n in named if n not in names or n in found]
        if unknown or len(given) > len(names):
            what = f"{unknown[0]} unexpectedly" if unknown else f"{len(given)} arrays"
            raise TypeError(f"{who} got {what}; expected ({', '.join(names)}), each at most once")
        found.update(named)
        arrays = tuple(found.get(name) for name in values)
        return Arguments(arrays, found.get("weights"), found.get("mask"))

    def own_groups(self) -> int | None:
        """The number of groups that it is made with, if it is between groups, or of such a one."""
        return self.metric.own_groups() if isinstance(self.metric, Wrapping) else None

    def _of(self, batch: Arguments, by: Array | None, num_groups: int | None) -> Any:
        n = number_of_groups(by, num_groups)
        return self._of_batch(batch._replace(by=by, num_groups=n))

    def _after(self, state: State, batch: Arguments, by: Array | None) -> State:
        return self._updated(state, batch._replace(by=by))


def values_of(metric: Metric) -> tuple[str, ...]:
    """Names of the arrays that a metric takes, without what covers them."""
    while isinstance(metric, Wrapping):
        metric = metric.metric
    return ("x",) if isinstance(metric, ValueMetric) else ("y_true", "y_pred")


def check_wraps(who: str, metric: Any) -> None:
    """Raise TypeError unless `metric` is one whose result is an array, or has a value.

    Raises
    ------
    TypeError
    """
    expected = "expected a metric or an objective whose result is one array, or has a value"
    if isinstance(metric, type):
        raise TypeError(
            f"metric is the class {metric.__name__}; {expected}: write {metric.__name__}()"
        )
    if not isinstance(metric, PairMetric | ValueMetric | Wrapping):
        mend = (
            f"make one {who} of each of its metrics"
            if type(metric).__name__ == "MetricSet"
            else "make one of a function of scores by agnostic_mask.metrics.MeanScore(fn)"
        )
        raise TypeError(f"metric is a {type(metric).__name__}; {expected}: {mend}")
    if metric.result is not None and not hasattr(metric.result, "value"):
        raise TypeError(
            f"metric is a {type(metric).__name__}, whose result is a {metric.result.__name__} of "
            f"several arrays, none of them its value; {expected}"
        )
    metric.statistic.check_gathers()


def one_value(value: Any) -> Array:
    """A metric's value: the result itself, or what is called so of several arrays."""
    return value.value if isinstance(value, tuple) else value  # type: ignore[attr-defined]
