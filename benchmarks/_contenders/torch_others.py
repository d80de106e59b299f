"""torch again: crossentropy of logits, metrics, confusion matrices, means along an axis."""

from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as nn

from benchmarks._contenders import ours
from benchmarks._contenders.torch import FIELD, compiled
from benchmarks._field import Call, Timed
from benchmarks._workloads import BATCHES, CLASSES

SPARSE = "sparse categorical crossentropy"
STREAMING = "streaming metric"
UPDATE = "one metric update"
CONFUSION = "confusion matrix"

ours.enter(FIELD)
FIELD.enter(SPARSE, name="ours, torch.compile", nan_safe=True, compiled=True)(
    ours.masked(compiled(ours.sparse))
)


def sparse_formula(labels: Any, logits: Any, mask: Any) -> Any:
    """Scores selected, then averaged."""
    scores = nn.cross_entropy(logits, labels, reduction="none")
    return torch.where(mask, scores, 0.0).sum() / mask.sum()


def ignoring(labels: Any, logits: Any, mask: Any) -> Any:
    """With labels that torch leaves out."""
    return nn.cross_entropy(logits, torch.where(mask, labels, -100))


@FIELD.enter(SPARSE, name="cross_entropy, then where", nan_safe=True)
def sparse(x: SimpleNamespace) -> Call:
    """The framework's own function, of every row."""
    return lambda: sparse_formula(x.y_true, x.y_pred, x.mask)


@FIELD.enter(SPARSE, name="cross_entropy, then where, torch.compile", nan_safe=True, compiled=True)
def sparse_compiled(x: SimpleNamespace) -> Call:
    """The same, compiled."""
    fn = compiled(sparse_formula)
    return lambda: fn(x.y_true, x.y_pred, x.mask)


@FIELD.enter(SPARSE, name="cross_entropy(ignore_index=)", nan_safe=True)
def sparse_ignoring(x: SimpleNamespace) -> Call:
    """The framework's own way to leave rows out."""
    return lambda: ignoring(x.y_true, x.y_pred, x.mask)


@FIELD.enter(STREAMING, name="by hand")
def streaming_by_hand(x: SimpleNamespace) -> Call:
    """A tensor and a number that grow, in float64."""

    def call() -> Any:
        total, count = torch.zeros((), dtype=torch.float64), 0
        for i in range(BATCHES):
            true, pred = x.y_true[i % len(x.y_true)], x.y_pred[i % len(x.y_pred)]
            total += torch.sum((pred - true) ** 2, dtype=torch.float64)
            count += pred.numel()
        return total / count

    return call


def _streamed(x: SimpleNamespace, metric: Any) -> Call:
    def call() -> Any:
        metric.reset()
        for i in range(BATCHES):
            metric.update(x.y_pred[i % len(x.y_pred)], x.y_true[i % len(x.y_true)])
        return metric.compute()

    return call


@FIELD.enter(STREAMING, name="torchmetrics MeanSquaredError")
def torchmetrics_mse(x: SimpleNamespace) -> Call:
    """Its metric."""
    from torchmetrics import MeanSquaredError

    return _streamed(x, MeanSquaredError())


@FIELD.enter(STREAMING, name="torcheval MeanSquaredError")
def torcheval_mse(x: SimpleNamespace) -> Call:
    """Its metric."""
    from torcheval.metrics import MeanSquaredError

    return _streamed(x, MeanSquaredError())


def _updated(x: SimpleNamespace, metric: Any, **options: Any) -> Timed:
    def answer() -> Any:
        metric.reset()
        metric.update(x.x, **options)
        return metric.compute()

    return Timed(lambda: metric.update(x.x, **options), answer)


@FIELD.enter(UPDATE, name="torchmetrics MeanMetric")
def torchmetrics_mean(x: SimpleNamespace) -> Timed:
    """Its metric, which looks for NaN."""
    from torchmetrics import MeanMetric

    return _updated(x, MeanMetric(), weight=x.weights)


@FIELD.enter(UPDATE, name="torchmetrics MeanMetric, nan_strategy disable", number="unweighted")
def torchmetrics_mean_plain(x: SimpleNamespace) -> Timed:
    """Its metric, as told not to look for NaN: then it drops the weights as well."""
    from torchmetrics import MeanMetric

    return _updated(x, MeanMetric(nan_strategy="disable"), weight=x.weights)


@FIELD.enter(UPDATE, name="torcheval Mean")
def torcheval_mean(x: SimpleNamespace) -> Timed:
    """Its metric."""
    from torcheval.metrics import Mean

    return _updated(x, Mean(), weight=x.weights)


@FIELD.enter(CONFUSION, name="where, then bincount", number="counts", nan_safe=True)
def where_bincount(x: SimpleNamespace) -> Call:
    """One cell more, for what is excluded."""

    def call() -> Any:
        cells = torch.where(x.mask, CLASSES * x.y_true + x.y_pred, CLASSES**2).reshape(-1)
        return torch.bincount(cells, minlength=CLASSES**2 + 1)[:-1].reshape(CLASSES, CLASSES)

    return call


@FIELD.enter(CONFUSION, name="torchmetrics", number="counts", nan_safe=True)
def torchmetrics_confusion(x: SimpleNamespace) -> Call:
    """Its function, with labels to ignore where the mask excludes."""
    from torchmetrics.functional.classification import multiclass_confusion_matrix

    def call() -> Any:
        true = torch.where(x.mask, x.y_true, -1)
        return multiclass_confusion_matrix(x.y_pred, true, CLASSES, ignore_index=-1)

    return call


@FIELD.enter(CONFUSION, name="torcheval", number="counts", nan_safe=True)
def torcheval_confusion(x: SimpleNamespace) -> Call:
    """Its function of the elements that count."""
    from torcheval.metrics.functional import multiclass_confusion_matrix

    return lambda: multiclass_confusion_matrix(x.y_pred[x.mask], x.y_true[x.mask], CLASSES)


def _mean_along(axis: int) -> None:
    kind = f"masked mean, axis {axis}"

    @FIELD.enter(kind, name="where formula", nan_safe=True)
    def where(x: SimpleNamespace) -> Call:
        return lambda: torch.where(x.mask, x.x, 0.0).sum(axis) / x.mask.sum(axis)

    @FIELD.enter(kind, name="multiply by the mask")
    def multiply(x: SimpleNamespace) -> Call:
        return lambda: (x.x * x.mask).sum(axis) / x.mask.sum(axis)

    @FIELD.enter(kind, name="torch.masked", nan_safe=True)
    def masked(x: SimpleNamespace) -> Call:
        return lambda: torch.masked.mean(x.x, axis, mask=x.mask)


_mean_along(0)
_mean_along(1)
