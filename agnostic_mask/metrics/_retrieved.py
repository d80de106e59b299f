"""Metrics of what was found and what was missed: precision, recall and their kin."""

from dataclasses import dataclass, field

from agnostic_mask._array import Array
from agnostic_mask.losses._operands import not_negative
from agnostic_mask.metrics._classes import AveragedMetric, ClassCounts
from agnostic_mask.metrics._confusion import ConfusionOf


@dataclass(frozen=True)
class Precision(AveragedMetric):
    """Share of the predictions of a class that are right, ``tp / (tp + fp)``.

    Parameters
    ----------
    num_classes, threshold, from_logits, axis, ignore_class
        As of `ConfusionMatrix`.
    average : {"binary", "micro", "macro", "weighted"} or None
        "binary": the value of class 1, of two classes. "micro": the ratio of the sums over all
        classes. "macro": the mean of the classes' values. "weighted": their mean by the summed
        weights of the elements of each class. None: the values of all classes, shape (C,).
    zero_division : float
        Value of a class whose divisor is 0, for one thing because it never occurs. NaN leaves such
        a class out of "macro" and "weighted".

    Raises
    ------
    ValueError
        If an option is not one of these, or `average` is "binary" with more than two classes.

    Notes
    -----
    scikit-learn's `precision_score` with ``labels=range(num_classes)``. Of nothing, and where the
    weights of an average sum to 0, `zero_division`; scikit-learn then takes the plain mean. An
    included label out of range, or a NaN prediction, gives NaN. torchmetrics leaves classes that
    neither occur nor are predicted out of "macro". Keras's `Precision` has one class, and ignores
    masks.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.Precision()(np.asarray([1, 1, 0]), np.asarray([0.9, 0.2, 0.7]))
    array(0.5)
    >>> each = am.metrics.Precision(3, average=None)
    >>> each(np.asarray([0, 1, 2, 2]), np.asarray([0, 1, 1, 2]))
    array([1. , 0.5, 1. ])
    """

    def _ratio(self, counts: ClassCounts) -> tuple[Array, Array]:
        return counts.hits, counts.predicted


@dataclass(frozen=True)
class Recall(AveragedMetric):
    """Share of a class that was predicted as such, ``tp / (tp + fn)``; also called sensitivity.

    Parameters
    ----------
    num_classes, threshold, from_logits, axis, ignore_class
        As of `ConfusionMatrix`.
    average, zero_division
        As of `Precision`, as are errors and what is NaN.

    Notes
    -----
    scikit-learn's `recall_score` with ``labels=range(num_classes)``. Of nothing, and of a class
    that does not occur, `zero_division`. torchmetrics leaves classes that neither occur nor are
    predicted out of "macro". Keras's `Recall` has one class, and ignores masks.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.Recall()(np.asarray([1, 1, 0]), np.asarray([0.9, 0.2, 0.7]))
    array(0.5)
    """

    def _ratio(self, counts: ClassCounts) -> tuple[Array, Array]:
        return counts.hits, counts.support


@dataclass(frozen=True)
class Specificity(AveragedMetric):
    """Share of what is not of a class that was predicted so, ``tn / (tn + fp)``.

    Parameters
    ----------
    num_classes, threshold, from_logits, axis, ignore_class
        As of `ConfusionMatrix`.
    average, zero_division
        As of `Precision`, as are errors and what is NaN.

    Notes
    -----
    Of two classes the recall of class 0. Of nothing, and of a class that every element has,
    `zero_division`. torchmetrics' `Specificity`, where "macro" leaves out classes that neither
    occur nor are predicted; "weighted" goes by the weight of the class itself, as there.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> specificity = am.metrics.Specificity()
    >>> specificity(np.asarray([1, 0, 0, 0]), np.asarray([0.9, 0.2, 0.3, 0.7])).round(4)
    np.float64(0.6667)
    """

    def _ratio(self, counts: ClassCounts) -> tuple[Array, Array]:
        rejected = counts.rejected()
        return rejected, rejected + counts.wrong


def weighted_f(counts: ClassCounts, beta: float) -> tuple[Array, Array]:
    """Numerator and denominator of F of each class."""
    hits = (1 + beta**2) * counts.hits
    return hits, hits + beta**2 * counts.missed + counts.wrong


@dataclass(frozen=True)
class FBeta(AveragedMetric):
    """F measure, ``(1 + b**2) tp / ((1 + b**2) tp + b**2 fn + fp)``, with b the option `beta`.

    Parameters
    ----------
    num_classes, threshold, from_logits, axis, ignore_class
        As of `ConfusionMatrix`.
    beta : float
        How much more recall counts than precision, of whom it is the harmonic mean; at least 0.
    average, zero_division
        As of `Precision`, as are errors and what is NaN.

    Raises
    ------
    ValueError
        If `beta` is below 0 or not finite.

    Notes
    -----
    scikit-learn's `fbeta_score` with ``labels=range(num_classes)``. Of nothing, and of a class that
    is neither there nor predicted, `zero_division`. "macro" is the mean of the classes' F, not the
    F of mean precision and mean recall.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> f2 = am.metrics.FBeta(beta=2.0)
    >>> f2(np.asarray([1, 1, 0]), np.asarray([0.9, 0.2, 0.3])).round(4)
    np.float64(0.5556)
    """

    beta: float = field(kw_only=True)

    def _gathers(self) -> ConfusionOf:
        not_negative("beta", self.beta)
        return super()._gathers()

    def _ratio(self, counts: ClassCounts) -> tuple[Array, Array]:
        return weighted_f(counts, float(self.beta))


@dataclass(frozen=True)
class F1(AveragedMetric):
    """F measure with ``beta=1``, ``2 tp / (2 tp + fn + fp)``.

    Parameters
    ----------
    num_classes, threshold, from_logits, axis, ignore_class
        As of `ConfusionMatrix`.
    average, zero_division
        As of `Precision`, as are errors and what is NaN.

    Notes
    -----
    scikit-learn's `f1_score` with ``labels=range(num_classes)``; see `FBeta`, and `Dice`.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.F1()(np.asarray([1, 1, 0]), np.asarray([0.9, 0.2, 0.7]))
    array(0.5)
    """

    def _ratio(self, counts: ClassCounts) -> tuple[Array, Array]:
        return weighted_f(counts, 1.0)
