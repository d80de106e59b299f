"""Metrics that are sums, or ratios of sums: of one array, or of the scores of any function."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar
from typing import cast as typed

from agnostic_mask import _tally
from agnostic_mask._array import Array
from agnostic_mask._cover import Shape
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._metric import PairMetric, ValueMetric
from agnostic_mask._score_sums import ScoreSums, score_sums
from agnostic_mask._scoring import ScoreFunction, elements
from agnostic_mask._state import State
from agnostic_mask._statistic import Arguments, Statistic
from agnostic_mask._tally import Reduction, Tally


@dataclass(frozen=True)
class ValueSums(Statistic[Tally]):
    """Sums of the elements of one array, and of what a reduction divides them by."""

    state: ClassVar[type[State]] = Tally
    reduction: Reduction
    made_for: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "made_for", f"{self.reduction} of x")

    def zero(self, d: Dispatch, dtype: str) -> Tally:
        return _tally.zero(self.made_for, self.reduction, d, dtype, ())

    def gather(self, batch: Arguments) -> Tally:
        return _tally.tally(self.made_for, self.reduction, elements(batch), ratio=False)

    def merge(self, left: Tally, right: Tally) -> Tally:
        return _tally.merge(left, right)

    def covered(self, *shapes: Shape) -> Shape | None:
        return shapes[0]


@dataclass(frozen=True)
class Mean(ValueMetric):
    """Mean of one array by its weights, ``sum(w x) / sum(w)``.

    Notes
    -----
    As `agnostic_mask.mean`. Of nothing, and where the weights sum to 0: NaN. Keras's `Mean`,
    torchmetrics' `MeanMetric`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.Mean()(np.asarray([1.0, 4.0]), np.asarray([2, 1]))
    array(2.)
    """

    def _gathers(self) -> ValueSums:
        return ValueSums("mean")

    def _value(self, d: Dispatch, state: Tally) -> Array:
        return _tally.reduced(d, state, 0.0)


@dataclass(frozen=True)
class Sum(ValueMetric):
    """Sum of one array times its weights, ``sum(w x)``.

    Notes
    -----
    As `agnostic_mask.sum`, but always floating. Of nothing: 0. Keras's `Sum`, torchmetrics'
    `SumMetric`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.Sum()(np.asarray([1.0, 4.0]), np.asarray([2, 1]))
    array(6.)
    """

    def _gathers(self) -> ValueSums:
        return ValueSums("sum")

    def _value(self, d: Dispatch, state: Tally) -> Array:
        return _tally.reduced(d, state, 0.0)


@dataclass(frozen=True)
class MeanScore(PairMetric):
    """Mean of the scores of a function by the weights: any function becomes a metric.

    Parameters
    ----------
    fn : callable
        ``fn(y_true, y_pred) -> scores``, one score for each element or row, such as the functions
        of `agnostic_mask.losses`; options are given by `functools.partial`. Declare functions of
        your own by `agnostic_mask.scores`.

    Raises
    ------
    TypeError
        If `fn` is not callable.

    Notes
    -----
    ``sum(w s) / sum(w)``, of nothing NaN: the objective of `fn` with the reduction "mean". A ratio
    of sums gives its ratio. States of two lambdas of one module cannot be told apart.

    Examples
    --------
    >>> import functools
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> metric = am.metrics.MeanScore(functools.partial(am.losses.huber, delta=0.5))
    >>> metric(np.asarray([1.0, 2.0]), np.asarray([1.0, 4.0]))
    array(0.4375)
    """

    fn: ScoreFunction

    def _gathers(self) -> ScoreSums:
        if not callable(self.fn):
            raise TypeError(
                f"fn is a {type(self.fn).__name__}; expected a function of (y_true, y_pred) that "
                f"returns scores, such as agnostic_mask.losses.squared_error"
            )
        return score_sums(self.fn)

    def _value(self, d: Dispatch, state: Tally) -> Array:
        return typed(ScoreSums, self.statistic).finished(d, state)


@dataclass(frozen=True)
class MeanOfScores(PairMetric):
    """A mean of scores under a name of its own, perhaps transformed at the end."""

    def _fn(self) -> Callable[..., Any]:
        """The function whose scores are averaged."""
        raise NotImplementedError

    def _gathers(self) -> ScoreSums:
        return score_sums(self._fn())

    def _value(self, d: Dispatch, state: Tally) -> Array:
        return typed(ScoreSums, self.statistic).finished(d, state)
