"""What every metric has: a statistic that it gathers, and four verbs."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch, resolve
from agnostic_mask._dtypes import cast, is_float64, wide_integer
from agnostic_mask._errors import MixedFrameworksError
from agnostic_mask._labels import checked_number, number_of_groups
from agnostic_mask._registry import kind_of, namespace_name
from agnostic_mask._replay import Replays
from agnostic_mask._state import State, with_leaves
from agnostic_mask._statistic import (
    Arguments,
    Statistic,
    dispatch_of,
    gather_all,
    merged,
    repeated,
    replayed,
    with_arrays,
)


@dataclass(frozen=True)
class Metric(ABC):
    """A metric: immutable, without any state of its own.

    Call it for the value of one batch. For a data set in parts, `zero`, `update`, `merge` and
    `compute` give the value of the whole, however it is cut. Weights come before the mask; both may
    be left out. States of torch tensors that require gradients carry them on: update under
    `torch.no_grad` where none are wanted.

    Attributes
    ----------
    statistic : object
        What is gathered of each batch. Metrics with equal statistics share it in a `MetricSet`.
    result : type or None
        Class of the named tuple that the value is; None where it is one array.
    """

    result: ClassVar[type[tuple[Any, ...]] | None] = None
    statistic: Statistic[Any] = field(init=False, repr=False, compare=False)
    _replays: Replays = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        statistic = self._gathers()
        object.__setattr__(self, "statistic", statistic)
        object.__setattr__(self, "_replays", Replays(statistic.replays))

    @abstractmethod
    def _gathers(self) -> Statistic[Any]:
        """What to gather, for the options of this metric, which are checked here."""

    @abstractmethod
    def _value(self, d: Dispatch, state: Any) -> Any:
        """Value of a state in the accumulator's dtype, or a named tuple of values.

        `d.backend.wide` is entered. Of a grouped state every array has a leading axis.
        """

    def zero(self, like: Any, *, num_groups: int | None = None) -> State:
        """State of no batch, which changes nothing when merged.

        Parameters
        ----------
        like : array or state
            An array such as y_pred, for framework, device and float type; or a state, for its
            structure too, which a loop such as `jax.lax.scan` wants from its start.
        num_groups : int, optional
            Number of groups G, to be updated with labels `by`. A state has its own.

        Returns
        -------
        state
        """
        return zero_of(self.statistic, like, num_groups)

    def merge(self, left: State, right: State) -> State:
        """State of the batches of both.

        Raises
        ------
        StateMismatchError
            If one was made for something else, or they cannot be merged.
        MixedFrameworksError, MixedDevicesError
            If their arrays do not belong together.
        """
        statistic = self.statistic
        for name, state in (("the left state", left), ("the right state", right)):
            statistic.check(name, state)
        both: State = merged(statistic, left, right)
        return both

    def compute(self, state: State) -> Array:
        """Value of the batches in the state.

        Returns
        -------
        array
            Of a grouped state with a leading axis for the groups. A group without any element has
            the value of nothing; if an included element has a label out of range, all are NaN.

        Raises
        ------
        StateMismatchError
            If the state was made for something else.
        """
        self.statistic.check("state", state)
        return self._computed(state)

    def _computed(self, state: State) -> Array:
        d = dispatch_of(state)
        with d.backend.wide():
            value = self._value(d, state)
            if isinstance(value, tuple):
                return type(value)(*(self._finished(d, state, x) for x in value))
            return self._finished(d, state, value)

    def _finished(self, d: Dispatch, state: State, value: Array) -> Array:
        if state.outside is not None:
            value = d.xp.where(over(d.xp, state.outside > 0, value), d.xp.nan, value)
        return d.backend.as_array(cast(d.xp, value, self._result_dtype(d, state)))

    def _result_dtype(self, d: Dispatch, state: State) -> Any:
        """Dtype of the value of a state: the float type of what was taken in."""
        return getattr(d.xp, state.dtype)

    def _of_batch(self, batch: Arguments) -> Array:
        def ordinary(arrays: Sequence[Array | None]) -> Array:
            given = batch.with_arrays(arrays)
            (state,) = gather_all((self.statistic,), given, self._replays)
            return self._computed(state)

        return replayed(self._replays, "value", batch, (), ordinary)

    def _updated(self, state: State, batch: Arguments) -> State:
        before = (state,)
        self.statistic.check("state", state)

        def ordinary(arrays: Sequence[Array | None]) -> State:
            n = batch.number
            (own,) = with_leaves(before, arrays[n:])
            given = batch_for(own, batch.with_arrays(arrays[:n]))
            (gathered,) = gather_all((self.statistic,), given, self._replays)
            both: State = merged(self.statistic, own, gathered)
            return both

        return replayed(self._replays, "state", batch, before, ordinary)


def over(xp: Any, x: Array, value: Array) -> Array:
    """`x`, one for each state, with dimensions of 1 for those of the states' values."""
    trailing = (1,) * (len(value.shape) - len(x.shape))
    return xp.reshape(x, (*x.shape, *trailing)) if trailing else x


def zero_of(statistic: Statistic[Any], like: Any, num_groups: int | None) -> State:
    """State of no batch of a statistic, like an array or another state of it."""
    if isinstance(like, State):
        if num_groups is not None:
            raise ValueError(
                f"num_groups is {num_groups}, and like is a state, which has its own groups; leave "
                f"num_groups out, or pass an array as like"
            )
        statistic.check("like", like)
        zeros: State = statistic.zero_like(like)
        return zeros
    d = resolve((("like", like),))
    # What is not floating leaves the float type to the batches to come.
    zero: State = statistic.zero(d, "float64" if is_float64(d.xp, like) else "float32")
    return zero if num_groups is None else _of_groups(d, zero, num_groups, statistic.copies)


def _of_groups(d: Dispatch, state: State, num_groups: int, copies: int | None) -> State:
    """The same for each group, whose axis follows that of the resamples."""
    n = checked_number(num_groups)
    xp, lead = d.xp, () if copies is None else (copies,)
    with d.backend.wide():
        arrays = repeated(d, state, len(lead), n)
        integer = wide_integer(xp, d.device, d.backend)
        arrays["members"] = xp.zeros((*lead, n), dtype=integer, device=d.device)
        arrays["outside"] = xp.zeros(lead, dtype=integer, device=d.device)
        return with_arrays(state, arrays)


def batch_for(state: State, batch: Arguments) -> Arguments:
    """A batch that the state can be updated with, in the state's groups.

    Raises
    ------
    MixedFrameworksError
        If they are not of one framework.
    ValueError
        If only one of the two has groups.
    """
    if state.members is None and batch.by is not None:
        raise ValueError(
            "by is given, and the state has no groups; start from zero(like, num_groups=...)"
        )
    if state.members is not None:
        n = int(state.members.shape[-1])
        if batch.by is None:
            raise ValueError(
                f"by is None, and the state has {n} groups; expected the label of the group of "
                f"each element, an integer array with values from 0 to {n - 1}"
            )
        batch = batch._replace(num_groups=n)
    last, y = batch.named()[len(batch.arrays) - 1]
    ours, theirs = kind_of(next(iter(state.arrays().values()))), kind_of(y)
    if ours is not None and theirs is not None and ours.xp is not theirs.xp:
        raise MixedFrameworksError(
            f"the state holds {namespace_name(ours.xp)} arrays and {last} is a "
            f"{namespace_name(theirs.xp)} array; start from zero(like={last}), or bring the batch "
            f"to the state's framework by agnostic_mask.convert"
        )
    return batch


class PairMetric(Metric):
    """A metric of y_true and y_pred."""

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
    ) -> Array:
        """Value of one batch.

        Parameters
        ----------
        y_true, y_pred : array
            Of one framework and device; shapes as the metric says.
        weights : array of real, optional
            Any sign; 0 excludes. Covers leading axes of the elements, or rows, that are scored;
            a dimension of 1 broadcasts.
        mask : array of bool or int, optional
            True or non-zero counts. Covers leading axes likewise.
        by : array of int, optional
            Label of the group of each element, from 0 to num_groups - 1. Covers leading axes
            likewise.
        num_groups : int, optional
            Number of groups G; it goes with `by`.
        threads : int, optional
            How many threads go through a large batch, where it is cut into tiles. None: what
            the environment variable AGNOSTIC_MASK_THREADS says, else as many as there are
            processors, at most 4. Results are the same to the bit.

        Returns
        -------
        array
            In the float type of y_pred and y_true (at least float32). With `by` one value for each
            group, along a leading axis of length G; see `compute`.

        Raises
        ------
        UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError
        ValueError
            If only one of `by` and `num_groups` is given, or `threads` is no positive integer.
        """
        n = number_of_groups(by, num_groups)
        return self._of_batch(Arguments((y_true, y_pred), weights, mask, by, n, threads=threads))

    def update(
        self,
        state: State,
        y_true: Array,
        y_pred: Array,
        weights: Array | None = None,
        mask: Array | None = None,
        *,
        by: Array | None = None,
        threads: int | None = None,
    ) -> State:
        """State of the batches before and of this one; see the call for the arguments."""
        batch = Arguments((y_true, y_pred), weights, mask, by, threads=threads)
        return self._updated(state, batch)


class ValueMetric(Metric):
    """A metric of one array."""

    def __call__(
        self,
        x: Array,
        weights: Array | None = None,
        mask: Array | None = None,
        *,
        by: Array | None = None,
        num_groups: int | None = None,
        threads: int | None = None,
    ) -> Array:
        """Value of one batch.

        Parameters
        ----------
        x : array, shape S
            Real.
        weights : array of real, optional
            Any sign; 0 excludes. Covers leading axes of S; a dimension of 1 broadcasts.
        mask : array of bool or int, optional
            True or non-zero counts. Covers leading axes likewise.
        by, num_groups, threads
            As of metrics of y_true and y_pred: labels of groups, their number, and threads.

        Returns
        -------
        array, 0-d, or shape (G,)
            In the float type of x (at least float32).

        Raises
        ------
        UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError
        ValueError
            If only one of `by` and `num_groups` is given, or `threads` is no positive integer.
        """
        n = number_of_groups(by, num_groups)
        return self._of_batch(Arguments((x,), weights, mask, by, n, threads=threads))

    def update(
        self,
        state: State,
        x: Array,
        weights: Array | None = None,
        mask: Array | None = None,
        *,
        by: Array | None = None,
        threads: int | None = None,
    ) -> State:
        """State of the batches before and of this one; see the call for the arguments."""
        return self._updated(state, Arguments((x,), weights, mask, by, threads=threads))
