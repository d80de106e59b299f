"""Metrics of sequences of tokens, padded to one length."""

import functools
from dataclasses import dataclass, field, replace
from math import log
from typing import Self
from typing import cast as typed

from agnostic_mask import _score_sums
from agnostic_mask._array import Array
from agnostic_mask._cover import Shape, position
from agnostic_mask._declare import Bound, declared, scores
from agnostic_mask._dispatch import Dispatch, resolve
from agnostic_mask._dtypes import is_floating
from agnostic_mask._errors import UnsupportedArrayError
from agnostic_mask._score_sums import ScoreSums
from agnostic_mask._scoring import Batch, ScoreFunction
from agnostic_mask._statistic import Arguments
from agnostic_mask._tally import Tally
from agnostic_mask.losses._sparse import not_ignored
from agnostic_mask.metrics import _query_measures, _score_functions
from agnostic_mask.metrics._log_losses import SparseCategoricalCrossentropy
from agnostic_mask.metrics._options import class_axis, ignored
from agnostic_mask.metrics._queries import QueryMetric, QuerySums, query_sums
from agnostic_mask.metrics._sums import MeanOfScores


@dataclass(frozen=True, kw_only=True)
class BitsPerToken(SparseCategoricalCrossentropy):
    """Mean log loss of integer labels in bits, ``mean(-log2(p[label]))``.

    Takes what `SparseCategoricalCrossentropy` takes, and shares its state, as `Perplexity` does,
    in a `MetricSet`.

    Parameters
    ----------
    from_logits : bool
        Whether y_pred holds logits, whose softmax over `axis` is the probability.
    ignore_class : int, optional
        Label, possibly negative, of tokens that do not count, as if by a mask.
    axis : int
        The class axis. Of length 1 it leaves no choice: every token costs 0.

    Notes
    -----
    `SparseCategoricalCrossentropy` divided by log(2), and the base 2 logarithm of `Perplexity`.
    Padding is left out by a mask, which `agnostic_mask.sequence_mask` makes of lengths, or by
    `ignore_class`. Every token counts alike: long sequences count more. Of nothing, and where a
    label is out of range: NaN.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_pred = np.asarray([[[0.5, 0.5], [0.25, 0.75], [0.0, 1.0]]])
    >>> mask = am.sequence_mask(np.asarray([2]), 3)
    >>> am.metrics.BitsPerToken()(np.asarray([[1, 0, 0]]), y_pred, mask=mask)
    array(1.5)
    """

    def _value(self, d: Dispatch, state: Tally) -> Array:
        return super()._value(d, state) / log(2)


@scores(class_axis="axis", harmless=(0.0, 0.0), included=not_ignored)
def token_accuracy(
    y_true: Array, y_pred: Array, /, *, axis: int, ignore_class: int | None
) -> Array:
    """1 where a token, or the class of the greatest value, is the label, else 0."""
    if tuple(y_true.shape) != tuple(y_pred.shape):
        return _score_functions.sparse_categorical_accuracy(
            y_true, y_pred, k=1, axis=axis, ignore_class=ignore_class
        )
    xp = resolve((("y_true", y_true), ("y_pred", y_pred))).xp
    for name, x in (("y_true", y_true), ("y_pred", y_pred)):
        if is_floating(xp, x):
            raise UnsupportedArrayError(
                f"{name} has dtype {x.dtype} where y_true and y_pred are of one shape, "
                f"{tuple(x.shape)}; expected integer labels of tokens, or y_pred with one more "
                f"axis, {axis}: a value for each class. Convert labels: xp.astype({name}, xp.int64)"
            )
    return 1 - _score_functions.hamming_loss(y_true, y_pred, cut=0.5)


@dataclass(frozen=True)
class _Tokens(Bound):
    """Shapes of tokens: y_pred holds labels as y_true does, or has a class axis beside."""

    @classmethod
    def of(cls, name: str, fn: ScoreFunction) -> Self:
        bound = typed(Bound, declared(fn))
        # Of one shape they are labels both, never a value for each class.
        rows = replace(bound.declaration, dense=False)
        return cls(name, rows, bound.options, bound.parts)

    def class_axis(self, rank: int) -> int | None:
        axis: int = self.options["axis"]
        return axis % rank if -rank <= axis < rank else None  # of labels there is none to find

    def scores_shape(self, y_true: Shape, y_pred: Shape) -> Shape:
        if y_true == y_pred:
            return y_true
        position(self.options["axis"], len(y_pred), "y_pred")
        return super().scores_shape(y_true, y_pred)

    def cut_along(self, y_true: Shape, y_pred: Shape) -> Shape | None:
        return y_true if y_true == y_pred else super().cut_along(y_true, y_pred)


def _hits(name: str, axis: int, ignore_class: int | None) -> ScoreSums:
    axis, ignore_class = class_axis(axis), ignored(ignore_class)
    fn = functools.partial(token_accuracy, axis=axis, ignore_class=ignore_class)
    return replace(_score_sums.score_sums(fn), declaration=_Tokens.of(name, fn))


@dataclass(frozen=True, kw_only=True)
class TokenAccuracy(MeanOfScores):
    """Share of tokens that are right, ``mean(token == y_true)``.

    Takes y_true, the integer labels of tokens of any shape, such as (B, T), and y_pred: integer
    labels of that shape, or values (probabilities, logits) of each class along one more axis, the
    greatest of which is predicted (of equal ones the first). Mask and weights cover tokens, or
    whole sequences.

    Parameters
    ----------
    axis : int
        The class axis of a y_pred that has one.
    ignore_class : int, optional
        Label, possibly negative, of tokens that do not count, as if by a mask.

    Notes
    -----
    Padding is left out by a mask, which `agnostic_mask.sequence_mask` makes of lengths, or by
    `ignore_class`. Tokens are compared place by place; nothing is aligned. With a class axis it is
    `SparseCategoricalAccuracy`; of labels it is `Accuracy` without the confusion matrix, for which
    a large vocabulary leaves no room. Of nothing: NaN; so of a token whose values hold a NaN, and
    beside class values of a label out of range.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([[5, 7, 0], [4, 0, 0]]), np.asarray([[5, 8, 9], [4, 9, 9]])
    >>> am.metrics.TokenAccuracy(ignore_class=0)(y_true, y_pred).round(4)
    np.float64(0.6667)
    """

    axis: int = -1
    ignore_class: int | None = None

    def _gathers(self) -> ScoreSums:
        return _hits("TokenAccuracy", self.axis, self.ignore_class)


@dataclass(frozen=True)
class _SequenceSums(QuerySums):
    """Sums over sequences of what a measure makes of the hits of each one's tokens."""

    tokens: ScoreSums = field(repr=False, compare=False)

    def covered(self, *shapes: Shape) -> Shape | None:
        shape = self.tokens.covered(*shapes)
        return shape if shape is not None and len(shape) > 1 else None

    def candidates(self, batch: Arguments) -> Batch:
        return self.tokens.scored(batch)


@dataclass(frozen=True, kw_only=True)
class ExactMatch(QueryMetric):
    """Share of sequences whose every token is right, ``mean(all(token == y_true))``.

    Takes y_true, the integer labels of tokens, with the steps of a sequence along the last axis,
    shape (..., T), and y_pred: integer labels of that shape, or values (probabilities, logits) of
    each class along one more axis, the greatest of which is predicted (of equal ones the first).

    Parameters
    ----------
    axis : int
        The class axis of a y_pred that has one.
    ignore_class : int, optional
        Label, possibly negative, of tokens that do not count, as if by a mask.

    Raises
    ------
    ShapeMismatchError
        When called: if weights cover tokens, for they are of sequences.

    Notes
    -----
    The mask covers tokens, as that of `agnostic_mask.sequence_mask`, or whole sequences. What a
    prediction has where y_true is padding does not count: mask by the longer of both lengths to
    have a prediction that goes on be wrong. A sequence without an included token is absent; of
    none NaN; NaN too where an included token's values hold a NaN, or beside class values
    its label is out of range. The share of single tokens that are right is `TokenAccuracy`.
    scikit-learn's `accuracy_score` of rows of labels 0 and 1, which is all that it takes in rows.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([[5, 7, 0], [4, 0, 0]]), np.asarray([[5, 8, 9], [4, 9, 9]])
    >>> am.metrics.ExactMatch(ignore_class=0)(y_true, y_pred)
    array(0.5)
    """

    axis: int = -1
    ignore_class: int | None = None

    def _gathers(self) -> _SequenceSums:
        tokens = _hits("ExactMatch", self.axis, self.ignore_class)
        rows = query_sums(_query_measures.all_right)
        made_for = f"{rows.made_for} of {tokens.made_for}"
        return _SequenceSums(made_for, rows.measure, rows.zero_division, tokens)
