"""Metrics of overlap, for segmentation: intersection over union, and Dice."""

from dataclasses import dataclass
from math import nan

from agnostic_mask._array import Array
from agnostic_mask.metrics._classes import AveragedMetric, ClassCounts, ClassMetric, averaged
from agnostic_mask.metrics._retrieved import weighted_f


def _overlap(counts: ClassCounts) -> tuple[Array, Array]:
    return counts.hits, counts.hits + counts.missed + counts.wrong


@dataclass(frozen=True)
class IoU(AveragedMetric):
    """Intersection over union, ``tp / (tp + fn + fp)``; also called the Jaccard index.

    Parameters
    ----------
    num_classes, threshold, from_logits, axis, ignore_class
        As of `ConfusionMatrix`.
    average, zero_division
        As of `Precision`, as are errors and what is NaN.

    Notes
    -----
    scikit-learn's `jaccard_score` with ``labels=range(num_classes)``. Of nothing, and of a class
    that is neither there nor predicted, `zero_division`. Sums run over all elements together: it
    is no mean of images' values.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> iou = am.metrics.IoU(3, average=None)
    >>> iou(np.asarray([0, 1, 2, 2]), np.asarray([0, 1, 1, 2]))
    array([1. , 0.5, 0.5])
    """

    def _ratio(self, counts: ClassCounts) -> tuple[Array, Array]:
        return _overlap(counts)


@dataclass(frozen=True)
class MeanIoU(ClassMetric):
    """Mean over classes of ``tp / (tp + fn + fp)``; classes that do not occur are left out.

    Parameters
    ----------
    num_classes, threshold, from_logits, axis, ignore_class
        As of `ConfusionMatrix`, as are errors.

    Notes
    -----
    `IoU` with ``average="macro", zero_division=nan``: a class counts if it is there or predicted.
    Of nothing NaN. Keras's `MeanIoU`, where nothing gives 0.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.MeanIoU(9)(np.asarray([0, 1, 0, 1]), np.asarray([0, 1, 1, 1])).round(4)
    np.float64(0.5833)
    """

    def _of_counts(self, counts: ClassCounts) -> Array:
        return averaged(counts, *_overlap(counts), "macro", nan)


@dataclass(frozen=True)
class Dice(AveragedMetric):
    """Dice coefficient, ``2 tp / (2 tp + fn + fp)``: `F1` by its name in segmentation.

    Parameters
    ----------
    num_classes, threshold, from_logits, axis, ignore_class
        As of `ConfusionMatrix`.
    average, zero_division
        As of `Precision`, as are errors and what is NaN.

    Notes
    -----
    It counts predicted classes; `agnostic_mask.losses.dice` takes probabilities as they are.
    Sums run over all elements together: it is no mean of images' values.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> am.metrics.Dice(3, average="macro")(np.asarray([0, 1, 2, 2]), np.asarray([0, 1, 2, 2]))
    array(1.)
    """

    def _ratio(self, counts: ClassCounts) -> tuple[Array, Array]:
        return weighted_f(counts, 1.0)
