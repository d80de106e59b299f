"""What others get wrong of metrics that are sums: their answer, ours, and the right one."""

import functools
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import pytest
import scipy.special
import torch
import torchmetrics.functional.classification as tmc

import agnostic_mask as am

M = am.metrics


def keras_value(metric, y_true, y_pred):
    metric.update_state(torch.tensor(y_true), torch.tensor(y_pred))
    return float(metric.result())


def ours(metric, y_true, y_pred, **covers):
    return float(metric(np.asarray(y_true), np.asarray(y_pred), **covers))


def test_in_keras_a_model_that_tells_nothing_apart_is_always_right():
    labels, y_pred = [0, 1, 2, 3], [[0.25] * 4] * 4
    assert keras_value(keras.metrics.SparseTopKCategoricalAccuracy(1), labels, y_pred) == 1
    assert ours(M.SparseTopKCategoricalAccuracy(1), labels, y_pred) == 0.25


def test_torchmetrics_top_2_may_leave_out_the_top_1():
    y_pred, label = torch.zeros(1, 4), torch.tensor([0])
    hit = functools.partial(tmc.multiclass_accuracy, y_pred, label, 4, average="micro")
    assert (hit(top_k=1), hit(top_k=2)) == (1, 0)
    assert [ours(M.SparseTopKCategoricalAccuracy(n), [0], np.zeros((1, 4))) for n in (1, 2)] == [
        1,
        1,
    ]


def test_keras_counts_nan_as_an_answer():
    nan = float("nan")
    rows = [[nan, 0.5, 0.5], [0.2, 0.3, nan]]
    assert keras_value(keras.metrics.SparseCategoricalAccuracy(), [0, 2], rows) == 1
    assert np.isnan(ours(M.SparseCategoricalAccuracy(), [0, 2], rows))
    assert keras_value(keras.metrics.BinaryAccuracy(), [[0.0]], [[nan]]) == 1
    assert np.isnan(ours(M.BinaryAccuracy(), [0.0], [nan]))


def test_keras_takes_a_row_without_a_class_for_class_0():
    assert keras_value(keras.metrics.CategoricalAccuracy(), [[0.0, 0.0]], [[0.9, 0.1]]) == 1
    assert np.isnan(ours(M.CategoricalAccuracy(), [[0.0, 0.0]], [[0.9, 0.1]]))


def test_keras_s_threshold_of_logits_is_no_probability():
    # The sigmoid of 0.2 is 0.55
    assert keras_value(keras.metrics.BinaryAccuracy(), [[1.0]], [[0.2]]) == 0
    assert ours(M.BinaryAccuracy(from_logits=True), [1.0], [0.2]) == 1


def test_torchmetrics_tells_logits_from_probabilities_by_the_batch():
    metric = tmc.binary_accuracy
    logits, labels = torch.tensor([0.2, 3.0]), torch.tensor([1, 1])
    assert (metric(logits[:1], labels[:1]), metric(logits, labels)) == (0, 1)
    assert ours(M.BinaryAccuracy(from_logits=True), [1, 1], [0.2, 3.0]) == 1
    # Its hinge loss of -1 and 1 too takes sigmoids; and -1 for 1
    far, signs = torch.tensor([-3.0, 3.0]), torch.tensor([-1, 1])
    peer = tmc.binary_hinge_loss(far, signs)
    assert peer == pytest.approx(1 - scipy.special.expit([-3.0, 3.0]).mean())
    assert ours(M.Hinge(), [-1, 1], [-3.0, 3.0]) == 0


def test_in_keras_s_hinge_a_label_s_meaning_depends_on_its_batch():
    y_pred = [[-2.0], [2.0]]
    assert keras_value(keras.metrics.Hinge(), [[0.0], [1.0]], y_pred) == 0
    with_minus = keras_value(keras.metrics.Hinge(), [[0.0], [1.0], [-1.0]], [*y_pred, [-2.0]])
    assert with_minus == pytest.approx(1 / 3)
    assert ours(M.Hinge(), [0.0, 1.0, -1.0], [-2.0, 2.0, -2.0]) == 0


def test_keras_hides_targets_of_0_and_negative_predictions():
    peer = keras_value(keras.metrics.MeanAbsolutePercentageError(), [[0.0], [1.0]], [[1.0], [1.0]])
    assert peer == pytest.approx(5e8)
    assert ours(M.MeanAbsolutePercentageError(), [0.0, 1.0], [1.0, 1.0]) == np.inf
    t = np.asarray([0.0, 1.0])
    assert ours(M.MeanAbsolutePercentageError(), t, [1.0, 1.0], mask=t != 0) == 0
    peer = keras_value(keras.metrics.MeanSquaredLogarithmicError(), [[0.0]], [[-0.5]])
    assert peer == 0
    assert ours(M.MeanSquaredLogarithmicError(), [0.0], [-0.5]) == pytest.approx(np.log(2) ** 2)


def test_keras_lets_no_log_loss_be_above_16():
    assert keras_value(keras.metrics.BinaryCrossentropy(), [[1.0]], [[1e-30]]) < 16.2
    assert ours(M.BinaryCrossentropy(), [1.0], [1e-30]) == pytest.approx(30 * np.log(10))


def test_keras_s_root_mean_squared_error_ignores_the_mask():
    y_pred, mask = torch.tensor([[1.0], [7.0]]), torch.tensor([[True], [False]])
    y_pred._keras_mask = mask
    peer = keras.metrics.RootMeanSquaredError()
    peer.update_state(torch.zeros(2, 1), y_pred)
    assert float(peer.result()) == 5
    metric = M.RootMeanSquaredError()
    assert metric(torch.zeros(2, 1), y_pred, mask=mask) == 1


def test_a_mean_of_batches_perplexities_is_not_the_perplexity():
    metric = M.Perplexity()
    y_true, y_pred = np.asarray([0, 0]), np.asarray([[1.0, 0.0], [0.25, 0.75]])
    parts = [metric(y_true[i : i + 1], y_pred[i : i + 1]) for i in (0, 1)]
    assert np.mean(parts) == pytest.approx(2.5)
    state = metric.zero(y_pred)
    for i in (0, 1):
        state = metric.update(state, y_true[i : i + 1], y_pred[i : i + 1])
    assert metric.compute(state) == pytest.approx(2.0)
    assert metric(y_true, y_pred) == pytest.approx(2.0)
