"""Calibration: against torchmetrics and scikit-learn, and what bins do to it."""

import itertools

import numpy as np
import pytest
import torch
import torchmetrics
from sklearn.calibration import calibration_curve

import agnostic_mask as am
from agnostic_mask.metrics import (
    ExpectedCalibrationError,
    MaximumCalibrationError,
    MetricSet,
    ReliabilityCurve,
)

from .arrays import backends, host, make

N, CLASSES = 600, 4
RNG = np.random.default_rng(0)
P = RNG.beta(0.7, 0.7, N)
Y = (RNG.random(N) < P**1.5).astype(np.int64)
ROWS = RNG.dirichlet(np.full(CLASSES, 0.5), N)
LABELS = np.where(RNG.random(N) < 0.6, ROWS.argmax(axis=1), RNG.integers(0, CLASSES, N))
WEIGHTS, MASK = RNG.integers(0, 4, N), RNG.random(N) < 0.8
DATA = {"binary": (Y, P), "classes": (LABELS, ROWS)}
data = pytest.mark.parametrize("data", DATA)
NORMS = {"l1": ExpectedCalibrationError, "max": MaximumCalibrationError}
# A float32 sum of N terms on their side.
FLOAT32 = N * 2.0**-24


def theirs(name, norm, n, y_true, y_pred):
    fn = torchmetrics.functional.classification
    t, p = torch.from_numpy(y_true), torch.from_numpy(y_pred)
    if name == "binary":
        return float(fn.binary_calibration_error(p, t, n_bins=n, norm=norm))
    return float(fn.multiclass_calibration_error(p, t, CLASSES, n_bins=n, norm=norm))


@data
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("n", [1, 10, 15])
def test_errors_are_torchmetrics_s_of_what_weights_and_mask_leave(data, norm, n):
    y_true, y_pred = DATA[data]
    dirty = y_pred.copy()
    dirty[~MASK] = np.nan
    value = NORMS[norm](n)(y_true, dirty, WEIGHTS, MASK)
    repeats = WEIGHTS * MASK
    expected = theirs(data, norm, n, np.repeat(y_true, repeats), np.repeat(y_pred, repeats, axis=0))
    assert float(value) == pytest.approx(expected, rel=0, abs=2 * FLOAT32)
    assert value > 0.02


def test_the_curve_is_scikit_learn_s_with_its_empty_bins():
    y_pred = P[P < 0.7]
    confidence, accuracy, weight = ReliabilityCurve(10)(Y[P < 0.7], y_pred)
    accurate, confident = calibration_curve(Y[P < 0.7], y_pred, n_bins=10)
    there = weight > 0
    assert there.sum() == 7
    np.testing.assert_allclose(confidence[there], confident, rtol=N * 2.0**-52)
    np.testing.assert_allclose(accuracy[there], accurate, rtol=4 * 2.0**-52)
    assert np.isnan(confidence[~there]).all()
    assert np.isnan(accuracy[~there]).all()
    assert weight.sum() == y_pred.size


@data
def test_the_curve_makes_both_errors(data):
    confidence, accuracy, weight = ReliabilityCurve()(*DATA[data])
    gaps = np.abs(accuracy - confidence)
    expected = ExpectedCalibrationError()(*DATA[data])
    there = weight > 0
    assert float((gaps * weight)[there].sum() / weight.sum()) == pytest.approx(float(expected))
    assert np.nanmax(gaps) == pytest.approx(float(MaximumCalibrationError()(*DATA[data])))


@data
def test_finer_bins_never_show_a_smaller_error(data):
    errors = [float(ExpectedCalibrationError(n)(*DATA[data])) for n in (1, 2, 4, 8, 16, 64)]
    assert all(a <= b + N * 2.0**-52 for a, b in itertools.pairwise(errors))
    assert errors[-1] > 1.2 * errors[0]


def test_an_edge_belongs_to_the_bin_above_but_for_1():
    y_pred = np.asarray([0.0, 0.2, np.nextafter(0.4, 0), 0.4, 0.6, 0.8, 1.0])
    weight = ReliabilityCurve(5)(np.ones(7, int), y_pred).weight
    np.testing.assert_array_equal(weight, [1, 2, 1, 1, 2])
    narrow = ReliabilityCurve(5)(np.ones(7, int), y_pred.astype(np.float32)).weight
    np.testing.assert_array_equal(narrow, [1, 1, 2, 1, 2])  # just below 0.4 is float32's 0.4


@backends
@data
def test_every_backend_and_any_batches_give_the_same_bits(backend, data):
    y_true, y_pred = DATA[data][0][:60], DATA[data][1][:60].astype(np.float32)
    both = MetricSet(
        {"expected": ExpectedCalibrationError(), "greatest": MaximumCalibrationError()}
    )
    expected = both(y_true, y_pred)
    states = both.zero(like=make(backend, y_pred))
    for start, stop in ((0, 30), (30, 60)):
        states = both.update(states, *(make(backend, x[start:stop]) for x in (y_true, y_pred)))
    for name, x in both.compute(states).items():
        assert host(x).tobytes() == expected[name].tobytes()


def test_classes_may_lie_along_any_axis():
    expected = ExpectedCalibrationError()(LABELS, ROWS)
    assert ExpectedCalibrationError(axis=0)(LABELS, ROWS.T) == expected
    y_true, y_pred = LABELS.reshape(30, 20), np.moveaxis(ROWS.reshape(30, 20, CLASSES), -1, 1)
    mask = MASK.reshape(30, 20)
    inside = ExpectedCalibrationError(axis=1)(y_true, y_pred, mask=mask)
    assert inside == ExpectedCalibrationError()(LABELS, ROWS, mask=MASK)


def test_groups_are_the_loop_over_groups():
    by = RNG.integers(0, 3, N)
    for metric in (ExpectedCalibrationError(), MaximumCalibrationError(8), ReliabilityCurve(4)):
        together = metric(LABELS, ROWS, mask=MASK, by=by, num_groups=4)
        for group in range(4):
            alone = metric(LABELS, ROWS, mask=MASK & (by == group))
            found = (
                together[group] if not isinstance(alone, tuple) else [x[group] for x in together]
            )
            # A sum by group takes its elements in another order than a sum of all.
            np.testing.assert_allclose(found, alone, rtol=N * 2.0**-52)


@pytest.mark.parametrize("metric", [ExpectedCalibrationError(), MaximumCalibrationError()])
def test_what_cannot_be_told_is_nan(metric):
    y_true, y_pred = np.asarray([1, 0, 1]), np.asarray([0.5, 0.25, 0.75])
    assert np.isnan(metric(y_true, y_pred, mask=np.zeros(3, bool)))
    assert np.isnan(metric(y_true[:0], y_pred[:0]))
    assert np.isnan(metric(np.asarray([1, 0, 2]), y_pred))
    assert np.isnan(metric(y_true, np.asarray([0.5, np.nan, 0.75])))
    assert np.isnan(metric(y_true, np.asarray([0.5, 1.25, 0.75])))
    assert np.isnan(metric(y_true, np.asarray([0.5, -0.25, 0.75])))
    assert np.isnan(metric(y_true, y_pred, np.asarray([1.0, np.nan, 1.0])))
    rows = np.asarray([[0.5, 0.5], [0.25, 0.75], [np.nan, 0.5]])
    assert np.isnan(metric(y_true, rows))
    assert np.isnan(metric(np.asarray([1, 0, -1]), rows))
    assert np.isfinite(metric(y_true, rows, mask=np.asarray([1, 1, 0])))


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: ExpectedCalibrationError(0), ValueError, "num_bins is 0"),
        (lambda: ExpectedCalibrationError(2.5), ValueError, "num_bins is 2.5"),
        (lambda: ExpectedCalibrationError(axis="last"), ValueError, "axis is 'last'"),
        (lambda: ExpectedCalibrationError()(Y, Y), am.UnsupportedArrayError, "y_pred has dtype"),
        (
            lambda: ExpectedCalibrationError()(Y, P[:, None]),
            am.ShapeMismatchError,
            "1 classes along axis -1; expected at least 2",
        ),
        (
            lambda: ExpectedCalibrationError()(Y[:5], ROWS),
            am.ShapeMismatchError,
            "y_true has shape",
        ),
        (lambda: ExpectedCalibrationError(axis=3)(LABELS, ROWS), am.AxisError, "axis is 3"),
        (
            lambda: ExpectedCalibrationError()(LABELS.astype(float), ROWS),
            am.UnsupportedArrayError,
            "expected integer labels from 0 to 3",
        ),
    ],
)
def test_bad_input(call, error, says):
    with pytest.raises(error, match=says):
        call()
