"""What every metric has: a statistic that it gathers, and four verbs."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch, resolve
from agnostic_mask._dtypes import cast, is_float64
from agnostic_mask._errors import MixedFrameworksError
from agnostic_mask._registry import kind_of, namespace_name
from agnostic_mask._state import State
from agnostic_mask._statistic import Arguments, Statistic, dispatch_of, gather_all


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
    """

    statistic: Statistic[Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "statistic", self._gathers())

    @abstractmethod
    def _gathers(self) -> Statistic[Any]:
        """What to gather, for the options of this metric, which are checked here."""

    @abstractmethod
    def _value(self, d: Dispatch, state: Any) -> Array:
        """Value of a state in the accumulator's dtype; `d.backend.wide` is entered."""

    def zero(self, like: Any) -> State:
        """State of no batch, which changes nothing when merged.

        Parameters
        ----------
        like : array or state
            An array such as y_pred, for framework, device and float type; or a state, for its
            structure too, which a loop such as `jax.lax.scan` wants from its start.

        Returns
        -------
        state
        """
        return zero_of(self.statistic, like)

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
        merged: State = statistic.merge(left, right)
        return merged

    def compute(self, state: State) -> Array:
        """Value of the batches in the state.

        Raises
        ------
        StateMismatchError
            If the state was made for something else.
        """
        self.statistic.check("state", state)
        d = dispatch_of(state)
        with d.backend.wide():
            value = self._value(d, state)
            return d.backend.as_array(cast(d.xp, value, self._result_dtype(d, state)))

    def _result_dtype(self, d: Dispatch, state: State) -> Any:
        """Dtype of the value of a state: the float type of what was taken in."""
        return getattr(d.xp, state.dtype)

    def _of_batch(self, batch: Arguments) -> Array:
        (state,) = gather_all((self.statistic,), batch)
        return self.compute(state)

    def _updated(self, state: State, batch: Arguments) -> State:
        self.statistic.check("state", state)
        check_together(state, batch)
        (gathered,) = gather_all((self.statistic,), batch)
        merged: State = self.statistic.merge(state, gathered)
        return merged


def zero_of(statistic: Statistic[Any], like: Any) -> State:
    """State of no batch of a statistic, like an array or another state of it."""
    if isinstance(like, State):
        statistic.check("like", like)
        zeros: State = statistic.zero_like(like)
        return zeros
    d = resolve((("like", like),))
    # What is not floating leaves the float type to the batches to come.
    zero: State = statistic.zero(d, "float64" if is_float64(d.xp, like) else "float32")
    return zero


def check_together(state: State, batch: Arguments) -> None:
    """Raise unless a state and a batch are of one framework.

    Raises
    ------
    MixedFrameworksError
    """
    last, y = batch.named()[len(batch.arrays) - 1]
    ours, theirs = kind_of(next(iter(state.arrays().values()))), kind_of(y)
    if ours is not None and theirs is not None and ours.xp is not theirs.xp:
        raise MixedFrameworksError(
            f"the state holds {namespace_name(ours.xp)} arrays and {last} is a "
            f"{namespace_name(theirs.xp)} array; start from zero(like={last}), or bring the batch "
            f"to the state's framework by agnostic_mask.convert"
        )


class PairMetric(Metric):
    """A metric of y_true and y_pred."""

    def __call__(
        self,
        y_true: Array,
        y_pred: Array,
        weights: Array | None = None,
        mask: Array | None = None,
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

        Returns
        -------
        array
            In the float type of y_pred and y_true (at least float32).

        Raises
        ------
        UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError
        """
        return self._of_batch(Arguments((y_true, y_pred), weights, mask))

    def update(
        self,
        state: State,
        y_true: Array,
        y_pred: Array,
        weights: Array | None = None,
        mask: Array | None = None,
    ) -> State:
        """State of the batches before and of this one; see the call for the arguments."""
        return self._updated(state, Arguments((y_true, y_pred), weights, mask))


class ValueMetric(Metric):
    """A metric of one array."""

    def __call__(self, x: Array, weights: Array | None = None, mask: Array | None = None) -> Array:
        """Value of one batch.

        Parameters
        ----------
        x : array, shape S
            Real.
        weights : array of real, optional
            Any sign; 0 excludes. Covers leading axes of S; a dimension of 1 broadcasts.
        mask : array of bool or int, optional
            True or non-zero counts. Covers leading axes likewise.

        Returns
        -------
        array, 0-d
            In the float type of x (at least float32).

        Raises
        ------
        UnsupportedArrayError, MixedFrameworksError, MixedDevicesError, ShapeMismatchError
        """
        return self._of_batch(Arguments((x,), weights, mask))

    def update(
        self, state: State, x: Array, weights: Array | None = None, mask: Array | None = None
    ) -> State:
        """State of the batches before and of this one; see the call for the arguments."""
        return self._updated(state, Arguments((x,), weights, mask))
