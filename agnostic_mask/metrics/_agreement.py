"""Metrics of how well predicted classes agree with true ones: the matrix itself, and its sums."""

from dataclasses import dataclass, field
from math import nan
from typing import Any, Literal

from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._dtypes import wide_float
from agnostic_mask._staged import ratio, root
from agnostic_mask._state import State
from agnostic_mask.metrics._classes import ClassCounts, ClassMetric, averaged
from agnostic_mask.metrics._confusion import ConfusionCounts, ConfusionOf


@dataclass(frozen=True)
class ConfusionMatrix(ClassMetric):
    """Summed weights of the elements of each true class (rows) and predicted class (columns).

    Takes integer labels y_true of any shape S (or booleans; of two classes also floats 0 and 1),
    and y_pred of shape S: integer labels, or for two classes floating probabilities of class 1;
    or y_pred with one more axis of C floating values, the greatest of which is predicted (of equal
    ones the first).

    Parameters
    ----------
    num_classes : int
        Number C of classes, at least 2; labels are 0 to C - 1.
    threshold : float
        The probability that a prediction of class 1 must exceed.
    from_logits : bool
        Whether y_pred of shape S holds logits; `threshold` stays a probability.
    axis : int
        The class axis of a y_pred that has one.
    ignore_class : int, optional
        A label that leaves its elements out, wherever y_true has it.
    normalize : {"true", "pred", "all"}, optional
        Divide by the sum of each row, of each column, or of all; 0 where that is 0.

    Raises
    ------
    ValueError
        If an option is none of these.

    Notes
    -----
    scikit-learn's `confusion_matrix` with ``labels=range(num_classes)``, and torchmetrics' of class
    labels. Shape (C, C); unless normalized in float64 (where the device has it), in which counts
    are exact up to 2**53; of nothing zeros. An included element with a label out of range, or a NaN
    prediction, is in no cell: this, and every other metric of the matrix, is NaN then. One-hot rows
    are no labels: take ``xp.argmax`` of them.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> confusion = am.metrics.ConfusionMatrix()
    >>> confusion(np.asarray([1, 1, 0]), np.asarray([0.9, 0.2, 0.3]), np.asarray([2.0, 1.0, 0.5]))
    array([[0.5, 0. ],
           [1. , 2. ]])
    """

    normalize: Literal["true", "pred", "all"] | None = field(default=None, kw_only=True)

    def _gathers(self) -> ConfusionOf:
        if self.normalize not in (None, "true", "pred", "all"):
            raise ValueError(
                f"normalize is {self.normalize!r}; expected 'true', 'pred', 'all' or None"
            )
        return super()._gathers()

    def _value(self, d: Dispatch, state: ConfusionCounts) -> Array:
        xp, matrix = d.xp, state.table(d.xp)
        if self.normalize is not None:
            axis = {"true": -1, "pred": -2, "all": (-2, -1)}[self.normalize]
            sums = xp.sum(matrix, axis=axis, keepdims=True)
            matrix = xp.where(sums == 0, 0.0, ratio(xp, matrix, sums))
        return self._signalled(d, state, matrix)

    def _result_dtype(self, d: Dispatch, state: State) -> Any:
        if self.normalize is None:
            return wide_float(d.xp, d.device, d.backend)
        return super()._result_dtype(d, state)


@dataclass(frozen=True)
class Accuracy(ClassMetric):
    """Share of elements whose predicted class is the true one, ``sum(w hit) / sum(w)``.

    Parameters
    ----------
    num_classes, threshold, from_logits, axis, ignore_class
        As of `ConfusionMatrix`, as are errors.

    Notes
    -----
    scikit-learn's `accuracy_score`, Keras's `Accuracy` and its kin, torchmetrics' with
    ``average="micro"``. Of nothing NaN; so it is with an included label out of range or NaN
    prediction.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.Accuracy()(np.asarray([1, 1, 0, 0]), np.asarray([0.9, 0.2, 0.3, 0.1]))
    array(0.75)
    """

    def _of_counts(self, counts: ClassCounts) -> Array:
        return averaged(counts, counts.hits, counts.support, "micro", nan)


@dataclass(frozen=True)
class BalancedAccuracy(ClassMetric):
    """Mean of the classes' recall, ``mean(tp / (tp + fn))``; absent classes are left out.

    Parameters
    ----------
    num_classes, threshold, from_logits, axis, ignore_class
        As of `ConfusionMatrix`, as are errors.

    Notes
    -----
    scikit-learn's `balanced_accuracy_score`: `Recall` with ``average="macro", zero_division=nan``.
    Of nothing NaN. torchmetrics' `Accuracy` with ``average="macro"`` counts classes with a recall
    of 0 if they are predicted without being there.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> balanced = am.metrics.BalancedAccuracy()
    >>> balanced(np.asarray([1, 0, 0, 0, 0]), np.asarray([0.9, 0.7, 0.3, 0.1, 0.2]))
    array(0.875)
    """

    def _of_counts(self, counts: ClassCounts) -> Array:
        return averaged(counts, counts.hits, counts.support, "macro", nan)


@dataclass(frozen=True)
class MatthewsCorrelation(ClassMetric):
    """Matthews's correlation of classes, ``cov(t, p) / sqrt(cov(t, t) cov(p, p))``, from -1 to 1.

    Of two classes ``(tp tn - fp fn) / sqrt((tp + fp) (tp + fn) (tn + fp) (tn + fn))``.

    Parameters
    ----------
    num_classes, threshold, from_logits, axis, ignore_class
        As of `ConfusionMatrix`, as are errors.

    Notes
    -----
    Gorodkin's (2004) for more than two classes: t and p as one-hot rows, cov summed over classes.
    scikit-learn's `matthews_corrcoef`. Where y_true or y_pred is of one class only, and of nothing,
    0 as there; torchmetrics gives 1 if all are right, -1 if all are wrong.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> matthews = am.metrics.MatthewsCorrelation()
    >>> matthews(np.asarray([1, 1, 0, 0]), np.asarray([0.9, 0.2, 0.3, 0.1])).round(4)
    np.float64(0.5774)
    """

    def _of_counts(self, counts: ClassCounts) -> Array:
        xp, rejected = counts.xp, counts.rejected()
        together = xp.sum(counts.hits * rejected - counts.wrong * counts.missed, axis=-1)
        # Of each class its size times that of all others.
        true = xp.sum(counts.support * (counts.wrong + rejected), axis=-1)
        pred = xp.sum(counts.predicted * (counts.missed + rejected), axis=-1)
        spread = root(xp, true * pred)  # one root, so that all right is 1
        value = xp.where(spread == 0, 0.0, ratio(xp, together, spread))
        # Rounding may take a perfect correlation past its ends; NaN stays.
        return xp.where(value > 1, 1.0, xp.where(value < -1, -1.0, value))


@dataclass(frozen=True)
class CohenKappa(ClassMetric):
    """Cohen's kappa, ``1 - sum(D observed) / sum(D expected)``: agreement beyond chance.

    The expected matrix is that of independent classes, ``outer(true, predicted) / total``.

    Parameters
    ----------
    num_classes, threshold, from_logits, axis, ignore_class
        As of `ConfusionMatrix`, as are errors.
    distance : {"linear", "quadratic"}, optional
        How far apart classes i and j are, D: ``|i - j|``, ``(i - j)**2``, or 1 of any two.

    Raises
    ------
    ValueError
        If `distance` is none of these.

    Notes
    -----
    scikit-learn's `cohen_kappa_score`, where `distance` is called `weights`. Where y_true and
    y_pred are of one class, the same for both, and of nothing, NaN as there; torchmetrics' is NaN
    then too.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> kappa = am.metrics.CohenKappa(3, distance="linear")
    >>> kappa(np.asarray([0, 1, 2, 2]), np.asarray([0, 1, 1, 2])).round(4)
    np.float64(0.7143)
    """

    distance: Literal["linear", "quadratic"] | None = field(default=None, kw_only=True)

    def _gathers(self) -> ConfusionOf:
        if self.distance not in (None, "linear", "quadratic"):
            raise ValueError(
                f"distance is {self.distance!r}; expected 'linear', 'quadratic' or None"
            )
        return super()._gathers()

    def _of_counts(self, counts: ClassCounts) -> Array:
        xp = counts.xp
        true = xp.expand_dims(counts.support, axis=-1)
        pred = xp.expand_dims(counts.predicted, axis=-2)
        expected = ratio(xp, true * pred, xp.sum(true, axis=-2, keepdims=True))
        apart = counts.apart
        if self.distance is None:
            apart = xp.astype(~counts.same, apart.dtype)
        elif self.distance == "quadratic":
            apart = apart * apart
        seen, chance = (xp.sum(apart * x, axis=(-2, -1)) for x in (counts.matrix, expected))
        return 1 - ratio(xp, seen, chance)
