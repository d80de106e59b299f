"""NumPy again: crossentropy of logits, metrics, confusion matrices, means along an axis."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks._contenders import ours
from benchmarks._contenders.numpy import FIELD, ZERO
from benchmarks._field import Call, Timed
from benchmarks._workloads import BATCHES, CLASSES

SPARSE = "sparse categorical crossentropy"

ours.enter(FIELD)


@FIELD.enter(SPARSE, name="formula, then np.where", nan_safe=True)
def sparse_formula(x: SimpleNamespace) -> Call:
    """The log of the sum of exponentials, less the greatest."""

    def call() -> Any:
        shifted = x.y_pred - x.y_pred.max(axis=1, keepdims=True)
        at_label = np.take_along_axis(shifted, x.y_true[:, np.newaxis], axis=1)[:, 0]
        scores = np.log(np.exp(shifted).sum(axis=1)) - at_label
        return np.where(x.mask, scores, ZERO).sum() / x.mask.sum()

    return call


@FIELD.enter(SPARSE, name="formula of the selected rows", nan_safe=True)
def selected_formula(x: SimpleNamespace) -> Call:
    """A copy of the rows that count, in place as far as can be."""

    def call() -> Any:
        logits, labels = x.y_pred[x.mask], x.y_true[x.mask]
        logits -= logits.max(axis=1, keepdims=True)
        at_label = logits[np.arange(len(labels)), labels]
        np.exp(logits, out=logits)
        return np.mean(np.log(logits.sum(axis=1)) - at_label)

    return call


@FIELD.enter(SPARSE, name="scipy logsumexp", nan_safe=True)
def scipy_formula(x: SimpleNamespace) -> Call:
    """SciPy's logsumexp, then selection."""
    from scipy.special import logsumexp

    def call() -> Any:
        at_label = np.take_along_axis(x.y_pred, x.y_true[:, np.newaxis], axis=1)[:, 0]
        scores = logsumexp(x.y_pred, axis=1) - at_label
        return np.where(x.mask, scores, ZERO).sum() / x.mask.sum()

    return call


@FIELD.enter("streaming metric", name="floor")
def streaming_floor(x: SimpleNamespace) -> Timed:
    """One pass over each batch."""

    def call() -> None:
        for i in range(BATCHES):
            np.dot(x.y_true[i % len(x.y_true)], x.y_pred[i % len(x.y_pred)])

    return Timed(call, lambda: None)


@FIELD.enter("streaming metric", name="by hand")
def streaming_by_hand(x: SimpleNamespace) -> Call:
    """Two numbers that grow, in float64."""

    def call() -> Any:
        total, count = 0.0, 0
        for i in range(BATCHES):
            true, pred = x.y_true[i % len(x.y_true)], x.y_pred[i % len(x.y_pred)]
            total += np.square(pred - true).sum(dtype=np.float64)
            count += pred.size
        return total / count

    return call


@FIELD.enter("confusion matrix", name="bincount of the selected", number="counts", nan_safe=True)
def bincount(x: SimpleNamespace) -> Call:
    """Cells of the elements that count, counted."""

    def call() -> Any:
        cells = CLASSES * x.y_true[x.mask] + x.y_pred[x.mask]
        return np.bincount(cells, minlength=CLASSES**2).reshape(CLASSES, CLASSES)

    return call


@FIELD.enter("confusion matrix", name="np.where, then bincount", number="counts", nan_safe=True)
def where_bincount(x: SimpleNamespace) -> Call:
    """One cell more, for what is excluded."""

    def call() -> Any:
        cells = np.where(x.mask, CLASSES * x.y_true + x.y_pred, CLASSES**2)
        return np.bincount(cells, minlength=CLASSES**2 + 1)[:-1].reshape(CLASSES, CLASSES)

    return call


@FIELD.enter("confusion matrix", name="np.add.at", number="counts", nan_safe=True)
def add_at(x: SimpleNamespace) -> Call:
    """Element by element."""

    def call() -> Any:
        table = np.zeros((CLASSES, CLASSES), dtype=np.int64)
        np.add.at(table, (x.y_true[x.mask], x.y_pred[x.mask]), 1)
        return table

    return call


@FIELD.enter("confusion matrix", name="scikit-learn", number="counts")
def sklearn_confusion(x: SimpleNamespace) -> Call:
    """Its function, with the mask for weights."""
    from sklearn.metrics import confusion_matrix

    labels = np.arange(CLASSES)
    return lambda: confusion_matrix(x.y_true, x.y_pred, labels=labels, sample_weight=x.mask * 1)


def _mean_along(axis: int) -> None:
    kind = f"masked mean, axis {axis}"

    @FIELD.enter(kind, name="np.mean(where=)", nan_safe=True)
    def mean_where(x: SimpleNamespace) -> Call:
        return lambda: np.mean(x.x, axis=axis, where=x.mask)

    @FIELD.enter(kind, name="np.where formula", nan_safe=True)
    def where_mean(x: SimpleNamespace) -> Call:
        return lambda: np.where(x.mask, x.x, ZERO).sum(axis=axis) / x.mask.sum(axis=axis)

    @FIELD.enter(kind, name="multiply by the mask")
    def multiplied_mean(x: SimpleNamespace) -> Call:
        return lambda: (x.x * x.mask).sum(axis=axis) / x.mask.sum(axis=axis)

    @FIELD.enter(kind, name="numpy.ma", nan_safe=True)
    def ma_mean(x: SimpleNamespace) -> Call:
        return lambda: np.ma.array(x.x, mask=~x.mask).mean(axis=axis)


_mean_along(0)
_mean_along(1)
