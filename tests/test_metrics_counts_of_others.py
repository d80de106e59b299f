"""Where metrics of a confusion matrix are those of Keras and torchmetrics, and where not."""

import math

import numpy as np
import pytest
import sklearn.metrics as sk
import torch
import torchmetrics

from agnostic_mask.metrics import (
    BalancedAccuracy,
    ConfusionMatrix,
    MatthewsCorrelation,
    MeanIoU,
    Precision,
    Recall,
    Specificity,
)

from .arrays import close
from .peers import keras
from .test_metrics_counts import CLASSES, DATA, MASK, ROUNDINGS, WEIGHTS, N, data

nan = math.nan
t_metrics = torchmetrics.functional.classification


@data
@pytest.mark.parametrize("average", ["micro", "weighted", None])
def test_specificity_is_torchmetrics_s(average, data):
    y_true, y_pred = DATA[data]
    value = Specificity(CLASSES, average=average)(y_true, y_pred)
    peer = t_metrics.multiclass_specificity(
        torch.from_numpy(y_pred), torch.from_numpy(y_true), CLASSES, average or "none"
    )
    # In float32 on their side.
    close(value, peer.numpy(), 1, roundings=4)


def test_of_two_classes_specificity_is_the_recall_of_class_0():
    y_true, y_pred = DATA["all classes"][0] % 2, DATA["all classes"][1] % 2
    expected = sk.recall_score(y_true, y_pred, pos_label=0, sample_weight=WEIGHTS.astype(float))
    value = Specificity()(y_true, y_pred, WEIGHTS.astype(float))
    close(value, expected, 1, dtype="float64", roundings=ROUNDINGS["float64"])


def test_what_torchmetrics_leaves_out_of_macro_averages():
    # Class 3 neither occurs nor is predicted: scikit-learn counts it, torchmetrics does not.
    y_true, y_pred = np.asarray([0, 0, 1, 2]), np.asarray([0, 1, 1, 2])
    tensors = torch.from_numpy(y_pred), torch.from_numpy(y_true), 4
    ours = Precision(4, average="macro")(y_true, y_pred)
    assert ours == sk.precision_score(
        y_true, y_pred, labels=range(4), average="macro", zero_division=0
    )
    theirs = t_metrics.multiclass_precision(*tensors, average="macro")
    assert (float(ours), float(theirs)) == (0.625, pytest.approx(2.5 / 3))
    without = Precision(4, average="macro", zero_division=nan)(y_true, y_pred)
    assert without == pytest.approx(2.5 / 3)


@pytest.mark.parametrize(("right", "theirs"), [(True, 1.0), (False, -1.0)])
def test_the_correlation_of_one_class_is_0_where_torchmetrics_has_an_end(right, theirs):
    y_true = np.ones(5, int)
    y_pred = y_true if right else 1 - y_true
    value = MatthewsCorrelation()(y_true, y_pred)
    peer = t_metrics.binary_matthews_corrcoef(torch.from_numpy(y_pred), torch.from_numpy(y_true))
    assert (float(value), float(peer)) == (0.0, theirs)


@data
@pytest.mark.parametrize("ignored", [None, 1])
def test_mean_iou_is_keras_s(data, ignored):
    y_true, y_pred = DATA[data]
    if ignored is not None:
        y_true = np.where(y_true == ignored, 3, y_true)  # something is left
        y_true = np.where(MASK, y_true, ignored)
    peer = keras.metrics.MeanIoU(CLASSES, ignore_class=ignored, dtype="float32")
    peer.update_state(y_true, y_pred, WEIGHTS)
    value = MeanIoU(CLASSES, ignore_class=ignored)(y_true, y_pred, WEIGHTS)
    # float32 sums on their side
    close(value, float(peer.result()), 1, roundings=N)


def test_keras_s_precision_and_recall_ignore_masks():
    y_true, y_pred = np.asarray([1, 0, 1, 0]), np.asarray([0.9, 0.8, 0.3, 0.9], np.float32)
    mask = np.asarray([1, 0, 1, 0], bool)
    for cls, ours, theirs in ((Precision, 1.0, 1 / 3), (Recall, 0.5, 0.5)):
        tensor = torch.from_numpy(y_pred.copy())
        tensor._keras_mask = torch.from_numpy(mask)
        peer = getattr(keras.metrics, cls.__name__)()
        peer.update_state(torch.from_numpy(y_true), tensor)
        assert float(peer.result()) == pytest.approx(theirs)
        assert cls()(y_true, y_pred, mask=mask) == ours


@data
def test_a_class_predicted_without_being_there_counts_in_torchmetrics_s_macro_accuracy(data):
    y_true, y_pred = DATA[data]
    peer = t_metrics.multiclass_accuracy(
        torch.from_numpy(y_pred), torch.from_numpy(y_true), CLASSES, average="macro"
    )
    occurring = np.union1d(y_true, y_pred)
    expected = sk.recall_score(y_true, y_pred, labels=occurring, average="macro", zero_division=0)
    close(np.asarray(peer.double()), expected, 1, roundings=4)
    there = sk.recall_score(y_true, y_pred, labels=np.unique(y_true), average="macro")
    close(BalancedAccuracy(CLASSES)(y_true, y_pred), there, 1, dtype="float64")


def test_counts_of_others_stick_at_2_to_the_24():
    # One element more, 2**24 times taken in: what is in float32 does not move.
    n = 2.0**24
    keras_s = keras.metrics.Precision()
    keras_s.true_positives.assign([n])
    keras_s.update_state([1], [0.9])
    assert keras_s.true_positives.value.item() == n
    torch_s = torchmetrics.MeanMetric()
    torch_s.update(torch.tensor(1.0), weight=torch.tensor(n))
    torch_s.update(torch.tensor(0.0), weight=torch.tensor(1.0))
    assert float(torch_s.weight) == n
    confusion = ConfusionMatrix()
    state = confusion.zero(like=np.ones(1, np.float32))
    state = confusion.update(state, np.ones(1, int), np.ones(1, int))
    for _ in range(24):
        state = confusion.merge(state, state)
    state = confusion.update(state, np.ones(1, int), np.ones(1, int))
    assert confusion.compute(state)[1, 1] == n + 1
