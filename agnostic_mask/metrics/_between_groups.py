"""Differences between groups: the worst, the best, the gap, the ratio."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from agnostic_mask import _staged
from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._labels import checked_number
from agnostic_mask._metric import zero_of
from agnostic_mask._state import State
from agnostic_mask._statistic import Statistic
from agnostic_mask.metrics._wrapping import Wrapping, check_wraps, one_value

How = Literal["min", "max", "gap", "ratio"]


@dataclass(frozen=True)
class BetweenGroups(Wrapping):
    """Least or greatest value of a metric over groups, ``max - min``, or ``min / max``.

    Parameters
    ----------
    metric : metric or objective
        Whose result is one number a group, or has one as its `value`.
    num_groups : int
        Number of groups; labels run from 0 to num_groups - 1.
    how : {"min", "max", "gap", "ratio"}
        The least value, the greatest, ``max - min``, ``min / max``.

    Raises
    ------
    TypeError
        If `metric` is none, is a `MetricSet`, or is a curve.
    ValueError
        If another option is not one of the above.

    Notes
    -----
    A group without included elements has no part in it; of no group at all: NaN. The NaN of a group
    that has elements comes through, as does a label out of range. The ratio is meant for metrics
    that are not negative; where the greatest is 0 it is NaN. Fairlearn's `MetricFrame` has these as
    `group_min`, `group_max`, `difference` and `ratio` (between groups). States are those of the
    metric with groups. `BootstrapInterval` of it tells how much of a gap is chance.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([1, 1, 0, 1]), np.asarray([0.9, 0.2, 0.3, 0.8])
    >>> gap = am.metrics.BetweenGroups(am.metrics.BinaryAccuracy(), 3, "gap")
    >>> gap(y_true, y_pred, by=np.asarray([0, 0, 2, 2]))
    array(0.5)
    """

    num_groups: int
    how: How

    def _gathers(self) -> Statistic[Any]:
        check_wraps("BetweenGroups", self.metric)
        checked_number(self.num_groups)
        if self.how not in get_args(How):
            expected = ", ".join(map(repr, get_args(How)))
            raise ValueError(f"how is {self.how!r}; expected one of {expected}")
        found: Statistic[Any] = self.metric.statistic
        return found

    def __call__(
        self,
        *arrays: Array,
        by: Array | None = None,
        num_groups: int | None = None,
        **named: Array,
    ) -> Array:
        """Value of one batch.

        Parameters
        ----------
        *arrays, **named
            What the metric's own call takes: y_true and y_pred, or x; weights, mask.
        by : array of int
            Label of the group of each element; as of the metric.
        num_groups : int, optional
            The number that the metric was made with.

        Returns
        -------
        array, 0-d
            In the float type of the metric's result.

        Raises
        ------
        UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError
        ValueError
            If `by` is left out, or `num_groups` is another number.
        """
        self._check(num_groups)
        return self._of(self._batch(arrays, named), by, self.num_groups)

    def zero(self, like: Any, *, num_groups: int | None = None) -> State:
        """State of no batch; see `Metric.zero`. The number of groups is that of the metric."""
        if isinstance(like, State):
            return super().zero(like, num_groups=num_groups)
        self._check(num_groups)
        return zero_of(self.statistic, like, self.num_groups)

    def own_groups(self) -> int:
        """The number of groups that it is made with."""
        return self.num_groups

    def _check(self, num_groups: int | None) -> None:
        if num_groups not in (None, self.num_groups):
            raise ValueError(
                f"num_groups is {num_groups!r}; expected {self.num_groups}, as the metric was made"
            )

    def update(
        self, state: State, *arrays: Array, by: Array | None = None, **named: Array
    ) -> State:
        """State of the batches before and of this one; see the call for the arguments."""
        return self._after(state, self._batch(arrays, named), by)

    def _value(self, d: Dispatch, state: State) -> Array:
        xp, members = d.xp, state.members
        if members is None or members.shape[-1] != self.num_groups:
            n = "no" if members is None else members.shape[-1]
            raise ValueError(
                f"the state has {n} groups; expected {self.num_groups}: pass by, and where a "
                f"number of groups is asked for num_groups={self.num_groups}"
            )
        value = one_value(self.metric._value(d, state))
        if len(value.shape) != len(members.shape):
            shape = tuple(value.shape)[len(members.shape) :]
            raise TypeError(
                f"metric is a {type(self.metric).__name__}, whose result has shape {shape} for "
                f"each group; expected one number, such as an average over classes"
            )
        there = members > 0

        def extreme(find: Callable[..., Array], nothing: float) -> Array:
            return d.backend.as_array(find(xp.where(there & ~nan, value, nothing), axis=-1))

        nan = value != value
        least, greatest = extreme(xp.min, xp.inf), extreme(xp.max, -xp.inf)
        found = {"min": least, "max": greatest}.get(self.how)
        if found is None:
            # What is nowhere lies between infinities.
            none = least > greatest
            low, high = xp.where(none, 0.0, least), xp.where(none, 0.0, greatest)
            found = high - low if self.how == "gap" else _staged.ratio(xp, low, high)
        undefined = xp.any(there & nan, axis=-1) | ~xp.any(there, axis=-1)
        return xp.where(undefined, xp.nan, found)
