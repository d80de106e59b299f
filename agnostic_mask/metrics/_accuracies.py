"""Metrics that count which predictions are right, or wrong."""

import functools
from dataclasses import dataclass, field

from agnostic_mask._scoring import ScoreFunction
from agnostic_mask.metrics import _score_functions
from agnostic_mask.metrics._options import class_axis, cut, ignored, integer
from agnostic_mask.metrics._sums import MeanOfScores


@dataclass(frozen=True, kw_only=True)
class BinaryAccuracy(MeanOfScores):
    """Share of predictions on the right side of a threshold, ``mean((p > threshold) == t)``.

    Takes y_true t, the label 0 or 1, and y_pred p of equal shape: a probability if floating, else
    a label too.

    Parameters
    ----------
    threshold : float
        Probability, 0 to 1, that is exceeded where the prediction is 1.
    from_logits : bool
        Whether a floating y_pred holds logits; the threshold remains a probability.

    Raises
    ------
    ValueError
        If `threshold` is out of range, or is one that no logit has.

    Notes
    -----
    Of nothing: NaN; so of a NaN prediction and of a label other than 0 and 1, which Keras's
    `BinaryAccuracy` counts as some answer. It has no logits: there its threshold is itself one.
    torchmetrics' `BinaryAccuracy` takes the sigmoid of what is not from 0 to 1, batch by batch.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.BinaryAccuracy()(np.asarray([1, 0, 0, 1]), np.asarray([0.9, 0.1, 0.7, 0.6]))
    array(0.75)
    """

    threshold: float = 0.5
    from_logits: bool = False

    def _fn(self) -> ScoreFunction:
        return functools.partial(
            _score_functions.binary_accuracy, cut=cut(self.threshold, self.from_logits)
        )


@dataclass(frozen=True, kw_only=True)
class HammingLoss(MeanOfScores):
    """Share of elements that are predicted wrongly, ``mean(prediction != t)``.

    Takes y_true t and y_pred of equal shape. A floating y_pred is a probability, compared with the
    threshold, and t a label 0 or 1. Integers and booleans are labels, of any number of classes if
    both are.

    Parameters
    ----------
    threshold : float
        Probability, 0 to 1, that is exceeded where the prediction is 1.
    from_logits : bool
        Whether a floating y_pred holds logits; the threshold remains a probability.

    Raises
    ------
    ValueError
        If `threshold` is out of range, or is one that no logit has.

    Notes
    -----
    Of nothing: NaN; so of a NaN prediction, and beside floats of a label other than 0 and 1. Every
    element counts for itself, of several labels of a row too: scikit-learn's `hamming_loss`,
    torchmetrics' `MultilabelHammingDistance` with ``average="micro"``.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.HammingLoss()(np.asarray([[1, 0], [0, 1]]), np.asarray([[0.9, 0.1], [0.7, 0.6]]))
    array(0.25)
    """

    threshold: float = 0.5
    from_logits: bool = False

    def _fn(self) -> ScoreFunction:
        return functools.partial(
            _score_functions.hamming_loss, cut=cut(self.threshold, self.from_logits)
        )


@dataclass(frozen=True, kw_only=True)
class CategoricalAccuracy(MeanOfScores):
    """Share of rows predicted right, ``mean(argmax(y_pred) == argmax(y_true))``.

    Takes y_true and y_pred of equal shape, with a value for each class along `axis`: one-hot labels
    or probabilities, and probabilities or logits. Mask and weights cover rows.

    Parameters
    ----------
    axis : int
        The class axis. Of length 1 it leaves no choice: every row is right.

    Notes
    -----
    Of equal values the first counts, in both. Of nothing: NaN; so of a row with a NaN, and of a
    row of zeros in y_true, which names no class: Keras's `CategoricalAccuracy` takes it for class
    0, and NaN for the greatest of all.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> y_true, y_pred = np.asarray([[1, 0], [0, 1]]), np.asarray([[0.9, 0.1], [0.8, 0.2]])
    >>> am.metrics.CategoricalAccuracy()(y_true, y_pred)
    array(0.5)
    """

    axis: int = -1

    def _fn(self) -> ScoreFunction:
        return functools.partial(_score_functions.categorical_accuracy, axis=class_axis(self.axis))


@dataclass(frozen=True, kw_only=True)
class SparseCategoricalAccuracy(MeanOfScores):
    """Share of rows predicted right, ``mean(argmax(y_pred) == y_true)``.

    Takes y_true, an integer label for each row, and y_pred, with a probability or logit for each
    class along `axis`. Mask and weights cover rows.

    Parameters
    ----------
    axis : int
        The class axis. Of length 1 it leaves no choice: every row is right.
    ignore_class : int, optional
        Label, possibly negative, of rows that do not count, as if by a mask.

    Notes
    -----
    Of equal values the first counts. Of nothing: NaN; so of a row with a NaN, and of a label out of
    range, which Keras's `SparseCategoricalAccuracy` counts as wrong, where NaN is the greatest of
    all. scikit-learn's `accuracy_score` of the argmax.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> metric = am.metrics.SparseCategoricalAccuracy(ignore_class=-1)
    >>> y_pred = np.asarray([[0.9, 0.1], [0.8, 0.2], [0.5, 0.5]])
    >>> metric(np.asarray([0, 1, -1]), y_pred)
    array(0.5)
    """

    axis: int = -1
    ignore_class: int | None = None

    def _fn(self) -> ScoreFunction:
        return _among_first(1, self.axis, self.ignore_class)


@dataclass(frozen=True)
class SparseTopKCategoricalAccuracy(MeanOfScores):
    """Share of rows whose label is among the k greatest of y_pred.

    Takes y_true, an integer label for each row, and y_pred, with a probability or logit for each
    class along `axis`. Mask and weights cover rows.

    Parameters
    ----------
    k : int
        How many classes are looked at, at least 1. With 1 it is `SparseCategoricalAccuracy`; with
        as many as there are classes, or more, every row is right.
    axis : int
        The class axis.
    ignore_class : int, optional
        Label, possibly negative, of rows that do not count, as if by a mask.

    Raises
    ------
    ValueError
        If `k` is not an integer of at least 1.

    Notes
    -----
    Of equal values the class of lower number comes first, so that never more than k are looked at.
    Keras's `SparseTopKCategoricalAccuracy` counts all that equal the k-th: a model that tells
    nothing apart is always right. scikit-learn's `top_k_accuracy_score` takes those of higher
    number first, torchmetrics' `top_k` takes whichever torch finds.

    Of nothing, of a row with a NaN and of a label out of range: NaN.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> metric = am.metrics.SparseTopKCategoricalAccuracy(2)
    >>> metric(np.asarray([2, 1]), np.asarray([[0.5, 0.2, 0.3], [0.5, 0.1, 0.4]]))
    array(0.5)
    """

    k: int = 5
    axis: int = field(default=-1, kw_only=True)
    ignore_class: int | None = field(default=None, kw_only=True)

    def _fn(self) -> ScoreFunction:
        k = integer("k", self.k, "an integer of at least 1", 1)
        return _among_first(k, self.axis, self.ignore_class)


def _among_first(k: int, axis: int, ignore_class: int | None) -> ScoreFunction:
    return functools.partial(
        _score_functions.sparse_categorical_accuracy,
        k=k,
        axis=class_axis(axis),
        ignore_class=ignored(ignore_class),
    )
