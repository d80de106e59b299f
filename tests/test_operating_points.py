"""Operating points: the best over all thresholds is within the bounds, and what is said is so."""

import numpy as np
import pytest
import torch
import torchmetrics

from agnostic_mask.metrics import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)

from .arrays import backends, host, make
from .peers import keras
from .test_binned import MASK, SCORES, WEIGHTS, N, Y, scores

METRICS = {
    "sensitivity": (SensitivityAtSpecificity, "specificity"),
    "specificity": (SpecificityAtSensitivity, "sensitivity"),
    "precision": (PrecisionAtRecall, "recall"),
    "recall": (RecallAtPrecision, "precision"),
}
points = pytest.mark.parametrize("goal", METRICS)


def rates(y_true, y_pred, weights):
    """All rates at each threshold that tells scores apart, with that which predicts nothing."""
    order = np.argsort(-y_pred, kind="stable")
    last = np.append(np.diff(y_pred[order]) != 0, True)
    positive = np.where(y_true == 1, weights, 0.0)[order]
    negative = np.where(y_true == 0, weights, 0.0)[order]
    tp, fp = (np.append(0, np.cumsum(x)[last]) for x in (positive, negative))
    predicted = tp + fp
    sensitivity = tp / tp[-1]
    return {
        "sensitivity": sensitivity,
        "recall": sensitivity,
        "specificity": (fp[-1] - fp) / fp[-1],
        "precision": np.where(predicted == 0, 1, tp / np.where(predicted == 0, 1, predicted)),
        "predicted": predicted,
    }


def best(goal, least, found):
    """The greatest rate where the other is kept."""
    kept = found[METRICS[goal][1]] >= least
    if goal == "precision":
        kept &= found["predicted"] > 0
    return found[goal][kept].max(initial=0.0)


@points
@scores
@pytest.mark.parametrize("least", [0.0, 0.3183, 0.9517, 1.0])
def test_the_best_over_all_thresholds_is_within_the_bounds(goal, scores, least):
    metric = METRICS[goal][0](least)
    y_true, y_pred, weights = Y, SCORES[scores], np.round(8 * WEIGHTS)  # sums without rounding
    value, low, high, threshold = metric(y_true, np.where(MASK, y_pred, np.nan), weights, MASK)
    y_true, y_pred, weights = (x[MASK] for x in (y_true, y_pred, weights))
    exact = best(goal, least, rates(y_true, y_pred, weights))
    assert value == low
    assert low <= exact <= high
    # What is said of the threshold is so.
    predicted = y_pred >= threshold if threshold < np.inf else np.zeros(y_pred.shape, bool)
    both = np.stack([weights * predicted * (y_true == k) for k in (0, 1)]).sum(axis=1)
    whole = np.stack([weights * (y_true == k) for k in (0, 1)]).sum(axis=1)
    reached = {
        "sensitivity": both[1] / whole[1],
        "recall": both[1] / whole[1],
        "specificity": (whole[0] - both[0]) / whole[0],
        "precision": both[1] / both.sum() if both.sum() else 1.0,
    }
    assert reached[goal] == value
    assert reached[METRICS[goal][1]] >= least


# Powers of two, each in a bin of its own, within 0 and 1.
APART = 2.0 ** -np.random.default_rng(0).integers(1, 30, 200)
LABELS = (np.random.default_rng(1).random(200) < 0.3 + 0.4 * (APART > 2.0**-12)).astype(int)


@points
@pytest.mark.parametrize("least", [0.25, 0.5, 0.7])
def test_of_scores_that_are_told_apart_it_is_torchmetrics_s(goal, least):
    fn = torchmetrics.functional.classification
    peer = {
        "sensitivity": fn.binary_sensitivity_at_specificity,
        "specificity": fn.binary_specificity_at_sensitivity,
        "precision": fn.binary_precision_at_fixed_recall,
        "recall": fn.binary_recall_at_fixed_precision,
    }[goal]
    expected, _ = peer(torch.from_numpy(APART), torch.from_numpy(LABELS), least)
    value, low, high, _ = METRICS[goal][0](least, bins_per_octave=1)(LABELS, APART)
    # In float32 on their side.
    assert float(value) == float(low) == pytest.approx(float(expected), rel=4 * 2.0**-24)
    assert float(low) <= float(high)


@points
def test_of_scores_on_keras_s_thresholds_it_is_keras_s(goal):
    steps = np.random.default_rng(2).integers(1, 32, 400) / 32
    labels = (np.random.default_rng(3).random(400) < steps).astype(int)
    name, least = METRICS[goal][0].__name__, 0.6
    peer = getattr(keras.metrics, name)(least, num_thresholds=65)  # every 1/64, none on a score
    peer.update_state(labels, (steps + 1 / 128).astype(np.float32))
    value = METRICS[goal][0](least)(labels, steps + 1 / 128).value
    assert float(value) == pytest.approx(float(peer.result()), rel=8 * 2.0**-24)


@points
@backends
def test_every_backend_finds_the_same_point(backend, goal):
    metric = METRICS[goal][0](0.6, bins_per_octave=4)
    y_pred = SCORES["probabilities"][:60].astype(np.float32)
    expected = metric(Y[:60], y_pred)
    found = metric(make(backend, Y[:60]), make(backend, y_pred))
    np.testing.assert_array_equal([host(x) for x in found], expected)


def test_no_threshold_reaches_it():
    y_true, y_pred = np.asarray([0, 1, 1]), np.asarray([0.9, 0.5, 0.1])
    assert tuple(RecallAtPrecision(0.9)(y_true, y_pred)) == (0.0, 0.0, 0.0, np.inf)
    assert tuple(SensitivityAtSpecificity(1.0)(y_true, y_pred))[:3] == (0.0, 0.0, 0.0)


def test_bounds_of_one_bin_say_what_is_not_known():
    y_true, y_pred = np.asarray([1, 0, 1, 0]), np.full(4, 0.5)
    assert tuple(SensitivityAtSpecificity(0.9)(y_true, y_pred))[:3] == (0.0, 0.0, 1.0)
    assert tuple(SpecificityAtSensitivity(0.9)(y_true, y_pred))[:3] == (0.0, 0.0, 1.0)
    assert tuple(PrecisionAtRecall(0.9)(y_true, y_pred))[:3] == (0.5, 0.5, 1.0)
    assert tuple(RecallAtPrecision(0.9)(y_true, y_pred))[:3] == (0.0, 0.0, 1.0)


@points
def test_what_cannot_be_told_is_nan(goal):
    metric, y_pred = METRICS[goal][0](0.5), np.asarray([0.5, 0.25, 0.75])
    y_true = np.asarray([1, 0, 1])
    assert np.isnan(metric(y_true, y_pred, mask=np.zeros(3, bool))).all()
    assert np.isnan(metric(np.zeros(3, int), y_pred)).all()
    assert np.isnan(metric(np.asarray([1, 0, 2]), y_pred)).all()
    assert np.isnan(metric(y_true, np.asarray([0.5, np.nan, 0.75]))).all()
    assert np.isnan(metric(y_true, y_pred, np.asarray([1.0, np.nan, 1.0]))).all()
    of_positives = metric(np.ones(3, int), y_pred)
    assert np.isnan(of_positives).all() == (goal in ("sensitivity", "specificity"))


@points
def test_groups_are_the_loop_over_groups(goal):
    by = np.random.default_rng(4).integers(0, 2, N)
    metric = METRICS[goal][0](0.6, bins_per_octave=8)
    together = metric(Y, SCORES["logits"], mask=MASK, by=by, num_groups=3)
    for group in range(3):
        alone = metric(Y, SCORES["logits"], mask=MASK & (by == group))
        np.testing.assert_array_equal([x[group] for x in together], alone)


@points
def test_bad_options(goal):
    metric, name = METRICS[goal]
    with pytest.raises(ValueError, match=f"{name} is 95; expected a number from 0 to 1"):
        metric(95)
    with pytest.raises(TypeError, match=f"{name} is 'all'"):
        metric("all")


@pytest.mark.parametrize("weight", [0.1, 0.3, 0.7, 1e-3, 1 / 3])
@pytest.mark.parametrize("rate", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
def test_equal_weights_change_nothing_where_a_rate_is_just_reached(weight, rate):
    y_true = np.concatenate([np.zeros(10, int), np.ones(10, int)])
    y_pred = np.concatenate([np.arange(1.0, 11), np.arange(1.5, 11.5)])
    weights = np.full(20, weight)
    for metric in (
        SensitivityAtSpecificity(rate),
        SpecificityAtSensitivity(rate),
        PrecisionAtRecall(rate),
        RecallAtPrecision(rate),
    ):
        np.testing.assert_allclose(metric(y_true, y_pred, weights), metric(y_true, y_pred), 1e-14)


def test_a_specificity_of_nine_in_ten_is_reached_by_nine_in_ten():
    y_true, y_pred = np.asarray([0] * 10 + [1]), np.asarray([*range(1, 11), 9.5])
    assert SensitivityAtSpecificity(0.9)(y_true, y_pred).value == 1.0
