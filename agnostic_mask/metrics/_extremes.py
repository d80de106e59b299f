"""Metrics that keep the least or the greatest number."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from agnostic_mask import _staged, losses
from agnostic_mask._array import Array
from agnostic_mask._cover import Shape
from agnostic_mask._declare import Bound, declared, described, innermost, is_ours
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._dtypes import cast, wide_float
from agnostic_mask._metric import PairMetric, ValueMetric
from agnostic_mask._scoring import Batch, ScoreFunction, elements, score
from agnostic_mask._state import State, state
from agnostic_mask._statistic import Arguments, Statistic, dispatch_of, joint_dtype, with_arrays
from agnostic_mask._totals import Totals, Which


@state
@dataclass(frozen=True, eq=False)
class Extreme(State):
    """State of metrics that keep an extreme.

    Attributes
    ----------
    made_for, dtype : str
        As of every state. Static.
    value : array, float64, 0-d
        The extreme; of nothing an infinity: +Inf is the least, -Inf the greatest.
    """

    value: Array


@dataclass(frozen=True)
class ExtremeOf(Statistic[Extreme]):
    """Extreme of x, or of the scores of a function."""

    state: ClassVar[type[State]] = Extreme
    which: Which
    made_for: str
    inner: Callable[..., Any] | None = field(repr=False)
    fn: ScoreFunction | None = field(repr=False, compare=False)
    declaration: Bound | None = field(repr=False, compare=False)

    def zero(self, d: Dispatch, dtype: str) -> Extreme:
        xp = d.xp
        with d.backend.wide():
            wide = wide_float(xp, d.device, d.backend)
            return Extreme(
                self.made_for, dtype, xp.full((), self._nothing, dtype=wide, device=d.device)
            )

    def zero_like(self, like: Extreme) -> Extreme:
        d = dispatch_of(like)
        with d.backend.wide():
            return with_arrays(like, {"value": d.xp.full_like(like.value, self._nothing)})

    @property
    def _nothing(self) -> float:
        return float("inf" if self.which == "min" else "-inf")

    def _scored(self, batch: Arguments) -> Batch:
        if self.fn is None:
            return elements(batch)
        return score(self.fn, self.declaration, batch, soft=False)

    def gather(self, batch: Arguments) -> Extreme:
        d, (scores,), _, name, joint, split = self._scored(batch)
        xp = d.xp
        with d.backend.wide():
            shape = tuple(scores.shape)
            totals = Totals(d, shape, split)
            kept = _staged.select(xp, joint.include, scores, self._nothing)
            value = totals.extreme(kept, self.which, self._nothing)
            value = cast(xp, value, wide_float(xp, d.device, d.backend))
            groups = totals.membership(joint.include)
        return Extreme(self.made_for, name, value, **groups)

    def merge(self, left: Extreme, right: Extreme) -> Extreme:
        d = dispatch_of(left, right)
        xp = d.xp
        with d.backend.wide():
            pick = xp.minimum if self.which == "min" else xp.maximum
            value = d.backend.as_array(pick(left.value, right.value))
        return with_arrays(left, {"value": value}, dtype=joint_dtype(left, right))

    @property
    def replays(self) -> bool:
        return self.inner is None or is_ours(self.inner)

    def covered(self, *shapes: Shape) -> Shape | None:
        if self.fn is None:
            return shapes[0]
        return None if self.declaration is None else self.declaration.cut_along(*shapes)


def _of_x(which: Which) -> ExtremeOf:
    return ExtremeOf(which, f"{which} of x", None, None, None)


def _of_scores(fn: ScoreFunction) -> ExtremeOf:
    return ExtremeOf("max", f"max of {described(fn)}", innermost(fn), fn, declared(fn))


@dataclass(frozen=True)
class Min(ValueMetric):
    """Least included element of one array.

    Notes
    -----
    As `agnostic_mask.min`, but always floating: an integer of more than 24 bits may be rounded
    where floats are float32. Weights only include or exclude. Of nothing: +Inf.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.Min()(np.asarray([3.0, 2.0, -1.0]), mask=np.asarray([1, 1, 0]))
    array(2.)
    """

    def _gathers(self) -> ExtremeOf:
        return _of_x("min")

    def _value(self, d: Dispatch, state: Extreme) -> Array:
        return state.value


@dataclass(frozen=True)
class Max(ValueMetric):
    """Greatest included element of one array.

    Notes
    -----
    As `agnostic_mask.max`, but always floating; see `Min`. Of nothing: -Inf.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.Max()(np.asarray([3.0, 2.0, 9.0]), mask=np.asarray([1, 1, 0]))
    array(3.)
    """

    def _gathers(self) -> ExtremeOf:
        return _of_x("max")

    def _value(self, d: Dispatch, state: Extreme) -> Array:
        return state.value


@dataclass(frozen=True)
class MaxScore(PairMetric):
    """Greatest score of a function: of any function, with a mask.

    Parameters
    ----------
    fn : callable
        ``fn(y_true, y_pred) -> scores``, as of `MeanScore`; no ratio of sums.

    Raises
    ------
    TypeError
        If `fn` is not callable, or is a ratio of sums.

    Notes
    -----
    Weights only include or exclude. Of nothing: -Inf. An included NaN gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> metric = am.metrics.MaxScore(am.losses.squared_error)
    >>> metric(np.asarray([1.0, 2.0]), np.asarray([1.0, 4.0]))
    array(4.)
    """

    fn: ScoreFunction

    def _gathers(self) -> ExtremeOf:
        declaration = declared(self.fn) if callable(self.fn) else None
        if not callable(self.fn) or (declaration is not None and declaration.parts is not None):
            what = "a ratio of sums" if callable(self.fn) else f"a {type(self.fn).__name__}"
            raise TypeError(
                f"fn is {what}; expected a function of (y_true, y_pred) that returns scores, such "
                f"as agnostic_mask.losses.squared_error"
            )
        return _of_scores(self.fn)

    def _value(self, d: Dispatch, state: Extreme) -> Array:
        return state.value


@dataclass(frozen=True)
class MaxError(PairMetric):
    """Greatest absolute error, ``max(|p - t|)``, in the unit of y.

    Takes y_true t and y_pred p of equal shape. Weights only include or exclude. Of nothing: -Inf.

    Notes
    -----
    scikit-learn's `max_error`, with a mask.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.MaxError()(np.asarray([1.0, 2.0]), np.asarray([1.0, 4.0]))
    array(2.)
    """

    def _gathers(self) -> ExtremeOf:
        return _of_scores(losses.absolute_error)

    def _value(self, d: Dispatch, state: Extreme) -> Array:
        return state.value
