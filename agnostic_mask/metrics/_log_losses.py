"""Metrics of predicted probabilities: log losses, and the squared distance from what came."""

import functools
from dataclasses import dataclass, replace
from typing import Self
from typing import cast as typed

from agnostic_mask import losses
from agnostic_mask._array import Array
from agnostic_mask._cover import Shape
from agnostic_mask._declare import Bound, declared
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._errors import ShapeMismatchError
from agnostic_mask._score_sums import ScoreSums
from agnostic_mask._scoring import ScoreFunction
from agnostic_mask._tally import Tally
from agnostic_mask.losses._operands import share
from agnostic_mask.metrics import _score_functions
from agnostic_mask.metrics._options import class_axis, flag, ignored
from agnostic_mask.metrics._sums import MeanOfScores


@dataclass(frozen=True, kw_only=True)
class BinaryCrossentropy(MeanOfScores):
    """Log loss of two classes, the mean of ``-y log(p) - (1 - y) log(1 - p)``, in nats.

    Takes y_true y, the label or probability of the positive class, and y_pred p, its predicted
    probability, of equal shape.

    Parameters
    ----------
    from_logits : bool
        Whether y_pred holds logits x, with ``p = 1 / (1 + exp(-x))``.
    label_smoothing : float
        Share, 0 to 1, by which y_true is moved towards 1/2.

    Raises
    ------
    ValueError
        If `label_smoothing` is out of range.

    Notes
    -----
    Of nothing: NaN. scikit-learn's `log_loss` of one probability. A probability counts as at least
    the smallest normal number of its dtype; Keras's `BinaryCrossentropy` clips at 1e-7, so that
    nothing costs more than 16.1, scikit-learn at the dtype's eps.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> metric = am.metrics.BinaryCrossentropy()
    >>> metric(np.asarray([1, 0]), np.asarray([1.0, 0.5])).round(4)
    np.float64(0.3466)
    """

    from_logits: bool = False
    label_smoothing: float = 0.0

    def _fn(self) -> ScoreFunction:
        share("label_smoothing", self.label_smoothing)
        return functools.partial(
            losses.binary_crossentropy,
            from_logits=flag("from_logits", self.from_logits),
            label_smoothing=self.label_smoothing,
        )


@dataclass(frozen=True, kw_only=True)
class CategoricalCrossentropy(MeanOfScores):
    """Log loss of one-hot labels, the mean of ``-sum(y log(p))`` over classes, in nats.

    Takes y_true y, the probability of each class along `axis`, such as one-hot labels, and y_pred
    of equal shape, whose probabilities p are divided by their sum. Mask and weights cover rows.

    Parameters
    ----------
    from_logits : bool
        Whether y_pred holds logits, whose softmax over `axis` is the probability.
    label_smoothing : float
        Share, 0 to 1, by which y_true is moved towards 1 / (number of classes).
    axis : int
        The class axis. Of length 1 it leaves no choice: every row costs 0.

    Raises
    ------
    ValueError
        If `label_smoothing` is out of range.

    Notes
    -----
    Of nothing: NaN. scikit-learn's `log_loss`, which takes labels. A probability counts as at least
    the smallest normal number of its dtype; Keras's `CategoricalCrossentropy` clips at 1e-7.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> metric = am.metrics.CategoricalCrossentropy()
    >>> metric(np.asarray([[0, 1], [1, 0]]), np.asarray([[0.5, 0.5], [1.0, 0.0]])).round(4)
    np.float64(0.3466)
    """

    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1

    def _fn(self) -> ScoreFunction:
        share("label_smoothing", self.label_smoothing)
        return functools.partial(
            losses.categorical_crossentropy,
            from_logits=flag("from_logits", self.from_logits),
            label_smoothing=self.label_smoothing,
            axis=class_axis(self.axis),
        )


@dataclass(frozen=True, kw_only=True)
class SparseCategoricalCrossentropy(MeanOfScores):
    """Log loss of integer labels, the mean of ``-log(p[label])``, in nats.

    Takes y_true, an integer label for each row, and y_pred, whose probabilities p along `axis` are
    divided by their sum. Mask and weights cover rows.

    Parameters
    ----------
    from_logits : bool
        Whether y_pred holds logits, whose softmax over `axis` is the probability.
    ignore_class : int, optional
        Label, possibly negative, of rows that do not count, as if by a mask.
    axis : int
        The class axis. Of length 1 it leaves no choice: every row costs 0.

    Notes
    -----
    Of nothing, and where a label is out of range: NaN. scikit-learn's `log_loss`. A probability
    counts as at least the smallest normal number of its dtype; Keras's
    `SparseCategoricalCrossentropy` clips at 1e-7.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> metric = am.metrics.SparseCategoricalCrossentropy(ignore_class=-1)
    >>> y_pred = np.asarray([[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]])
    >>> metric(np.asarray([1, 0, -1]), y_pred).round(4)
    np.float64(0.3466)
    """

    from_logits: bool = False
    ignore_class: int | None = None
    axis: int = -1

    def _fn(self) -> ScoreFunction:
        return functools.partial(
            losses.sparse_categorical_crossentropy,
            from_logits=flag("from_logits", self.from_logits),
            ignore_class=ignored(self.ignore_class),
            axis=class_axis(self.axis),
        )


@dataclass(frozen=True, kw_only=True)
class Perplexity(SparseCategoricalCrossentropy):
    """Exponential of the mean log loss of integer labels, ``exp(-mean(log(p[label])))``.

    The number of classes among which an even guess would do as well. Takes what
    `SparseCategoricalCrossentropy` takes, and shares its state in a `MetricSet`.

    Parameters
    ----------
    from_logits : bool
        Whether y_pred holds logits, whose softmax over `axis` is the probability.
    ignore_class : int, optional
        Label, possibly negative, of rows that do not count, as if by a mask.
    axis : int
        The class axis. Of length 1 it leaves no choice: the perplexity is 1.

    Notes
    -----
    Padding of sequences is left out by a mask, which `agnostic_mask.sequence_mask` makes of
    lengths, or by `ignore_class`. Of nothing, and where a label is out of range: NaN; Inf where the
    exponential overflows. It is taken once, of the mean over all tokens: a mean of the perplexities
    of batches, or of sequences, is another number. `BitsPerToken` is its logarithm to base 2.
    torchmetrics' `Perplexity` with ``from_logits=True``, its `ignore_index` the `ignore_class`; it
    has no weights.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.Perplexity()(np.asarray([1, 0]), np.asarray([[0.5, 0.5], [0.5, 0.5]])).round(4)
    np.float64(2.0)
    """

    def _value(self, d: Dispatch, state: Tally) -> Array:
        return d.xp.exp(super()._value(d, state))


@dataclass(frozen=True)
class _BrierShapes(Bound):
    """Which shapes go together, with a word on the axis where it is left out or not meant."""

    @classmethod
    def of(cls, fn: ScoreFunction) -> Self:
        bound = typed(Bound, declared(fn))
        return cls("BrierScore", bound.declaration, bound.options, bound.parts)

    def scores_shape(self, y_true: Shape, y_pred: Shape) -> Shape:
        axis = self.class_axis(len(y_pred))
        if axis is None:
            if y_pred[:-1] == y_true != y_pred:
                raise ShapeMismatchError(
                    f"y_true has shape {y_true} and y_pred {y_pred}; BrierScore without an axis "
                    f"expects equal shapes. For a probability of each class: BrierScore(axis=-1)"
                )
        elif y_true == y_pred:
            rows = y_pred[:axis] + y_pred[axis + 1 :]
            raise ShapeMismatchError(
                f"y_true has shape {y_true}, as y_pred; BrierScore with an axis expects labels of "
                f"shape {rows}. Make labels of one-hot rows: xp.argmax(y_true, axis={axis})"
            )
        return super().scores_shape(y_true, y_pred)


@dataclass(frozen=True, kw_only=True)
class BrierScore(MeanOfScores):
    """Mean squared distance of predicted probabilities from the labels, ``(p - y)**2``.

    Takes y_true y, the label 0 or 1 (or a probability), and y_pred p of equal shape; with an `axis`
    an integer label for each row, and a probability for each class along it.

    Parameters
    ----------
    axis : int, optional
        The class axis; the score of a row then is the sum over classes of ``(p - o)**2``, with o 1
        for the label's class and 0 for the others (Brier, 1950). Of length 1 it is ``(p - 1)**2``.

    Notes
    -----
    From 0 to 1, with an `axis` to 2: then two classes have twice the score of the one probability.
    Of nothing, and where a label is out of range: NaN. Probabilities are taken as they are.
    scikit-learn's `brier_score_loss` with an `axis` for ``scale_by_half=False``, without for True.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.BrierScore()(np.asarray([1, 0]), np.asarray([0.5, 0.0]))
    array(0.125)
    >>> am.metrics.BrierScore(axis=-1)(np.asarray([1]), np.asarray([[0.5, 0.5]]))
    array(0.5)
    """

    axis: int | None = None

    def _fn(self) -> ScoreFunction:
        axis = None if self.axis is None else class_axis(self.axis)
        return functools.partial(_score_functions.brier_score, axis=axis)

    def _gathers(self) -> ScoreSums:
        return replace(super()._gathers(), declaration=_BrierShapes.of(self._fn()))
