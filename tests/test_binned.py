"""Metrics of bins of scores: exact values within their bounds, whatever the scores are like."""

import functools

import numpy as np
import pytest
import sklearn.metrics as sk
import torch
import torchmetrics

import agnostic_mask as am
from agnostic_mask.conformance.oracle._metrics_binned import ends
from agnostic_mask.metrics import (
    BinnedAveragePrecision,
    BinnedPrecisionRecallCurve,
    BinnedROCAUC,
    BinnedROCCurve,
    MetricSet,
    _binning,
)

from .arrays import backends, host, make, wide

N = 2000
EPS = float(np.finfo(np.float64).eps)
# Sums of N terms on both sides, and a few roundings of ratios.
ROUNDINGS = (2 * N + 16) * EPS


def drawn(rate=0.3, n=N, seed=0):
    """Labels, and logits that tell something of them."""
    rng = np.random.default_rng(seed)
    y_true = (rng.random(n) < rate).astype(np.int64)
    return y_true, rng.normal(0, 2, n) + 2 * y_true


Y, LOGITS = drawn()
WIDE = 10.0 ** (-30 * np.random.default_rng(1).random(N) * (1 - 0.4 * Y))
SCORES = {
    "logits": LOGITS,
    "probabilities": 1 / (1 + np.exp(-LOGITS)),
    "near 1e-4": 1e-4 * (1 + 0.05 * LOGITS),
    "from 1e-30 to 1": WIDE,
    "near 1": 1 - WIDE.clip(1e-12),
    "near -1": WIDE.clip(1e-12) - 1,
    "negative": -WIDE[::-1],
    "many ties": np.round(LOGITS),
    "two values": (LOGITS > 1).astype(float),
    "all in few bins": 1000 + 1e-3 * LOGITS,
    "infinite": np.where(np.abs(LOGITS) > 3, np.copysign(1e300, LOGITS), LOGITS),
    "all right": Y + 0.5,
    "all wrong": -Y - 0.5,
}
WEIGHTS = np.random.default_rng(2).uniform(0.1, 3.0, N)
MASK = np.random.default_rng(3).random(N) < 0.8
EXACT = {
    "auc": (BinnedROCAUC(), sk.roc_auc_score),
    "partial auc": (BinnedROCAUC(0.2), functools.partial(sk.roc_auc_score, max_fpr=0.2)),
    "average precision": (BinnedAveragePrecision(), sk.average_precision_score),
    "few bins": (BinnedROCAUC(bins_per_octave=1), sk.roc_auc_score),
    "many bins": (BinnedAveragePrecision(bins_per_octave=1024), sk.average_precision_score),
}
scores = pytest.mark.parametrize("scores", SCORES)
ranked = pytest.mark.parametrize("name", EXACT)


def inside(bounded, exact, roundings=ROUNDINGS):
    value, low, high = map(float, bounded)
    assert low - roundings <= exact <= high + roundings, f"{exact} is not in [{low}, {high}]"
    assert low - roundings <= value <= high + roundings


@pytest.mark.parametrize("b", [1, 2, 64, 1024])
def test_edges_are_float32_numbers_that_rise(b):
    d = am.dispatch(np.ones(1))
    edges = _binning.edges(d, b, np.float64)
    assert (np.diff(edges) > 0).all()
    assert (edges.astype(np.float32) == edges).all()
    assert (edges.astype(np.float32) == _binning.edges(d, b, np.float32)).all()
    assert edges.size + 1 == _binning.number_of_bins(b)


def numbers(b, dtype):
    """Edges, their neighbours, and numbers of all sizes."""
    edges = _binning.edges(am.dispatch(np.ones(1)), b, np.float64).astype(dtype)
    rng = np.random.default_rng(4)
    size = np.asarray(10.0 ** rng.uniform(-37, 38, 300), dtype)
    some = edges[rng.integers(0, edges.size, 300)]
    around = [np.nextafter(some, dtype(s)) for s in (np.inf, -np.inf)]
    near = np.asarray(1 - 2.0 ** -np.arange(1.0, 26.0), dtype)
    special = np.asarray([0.0, -0.0, np.inf, -np.inf, 1, -1, 0.5, -0.5, 2.0**-126, -(2.0**-126)])
    special = np.concatenate([special, edges[:2], edges[-2:]]).astype(dtype)
    found = np.concatenate([some, *around, size, -size, near, -near, special])
    # Whether a number that is not normal is 0 is up to the framework, which moves it in no bin.
    return found[(found == 0) | (np.abs(found) >= np.finfo(np.float32).tiny)]


@backends
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("b", [1, 64])
def test_each_number_is_in_the_bin_that_its_own_digits_say(backend, dtype, b):
    x = numbers(b, getattr(np, dtype))
    with wide(backend):
        array = make(backend, x, dtype)
        found = host(_binning.bin_of(am.dispatch(array), b, array))
    edges = _binning.edges(am.dispatch(np.ones(1)), b, np.float64)
    lower, upper = np.append(-np.inf, edges), np.append(edges, np.inf)
    assert found.shape == x.shape
    for place, number in zip(found, x, strict=True):
        assert (lower[place], upper[place]) == ends(float(number), b), number


@ranked
@scores
@pytest.mark.parametrize("weighted", [False, True])
def test_the_exact_value_is_within_the_bounds(name, scores, weighted):
    metric, exact = EXACT[name]
    y_pred, weights = SCORES[scores], WEIGHTS if weighted else None
    dirty = np.where(MASK, y_pred, np.nan)
    bounded = metric(Y, dirty, weights, MASK)
    assert bounded.low <= bounded.value <= bounded.high
    left = None if weights is None else weights[MASK]
    inside(bounded, exact(Y[MASK], y_pred[MASK], sample_weight=left))


@pytest.mark.parametrize("name", ["logits", "probabilities", "from 1e-30 to 1", "near 1"])
def test_continuous_scores_cost_little(name):
    y_true, logits = drawn(n=50_000)
    y_pred = {
        "logits": logits,
        "probabilities": 1 / (1 + np.exp(-logits)),
        "from 1e-30 to 1": 10.0 ** (-3 * np.abs(logits)),
        "near 1": 1 - 10.0 ** (-np.abs(logits) / 2),
    }[name]
    area, precision = BinnedROCAUC()(y_true, y_pred), BinnedAveragePrecision()(y_true, y_pred)
    assert area.high - area.low < 0.005
    assert abs(area.value - sk.roc_auc_score(y_true, y_pred)) < 1e-4
    assert precision.high - precision.low < 0.05
    assert abs(precision.value - sk.average_precision_score(y_true, y_pred)) < 2e-3


def test_scores_near_1e_4_where_200_bins_of_equal_width_tell_nothing():
    y_true, logits = drawn(n=20_000)
    y_pred = 1e-4 * np.exp(logits / 8)
    exact = sk.roc_auc_score(y_true, y_pred)
    uniform = torchmetrics.functional.classification.binary_auroc(
        torch.from_numpy(y_pred), torch.from_numpy(y_true), thresholds=200
    )
    assert exact > 0.7
    assert float(uniform) == 0.5
    bounded = BinnedROCAUC()(y_true, y_pred)
    inside(bounded, exact)
    assert bounded.high - bounded.low < 0.02
    assert abs(bounded.value - exact) < 2e-4


@pytest.mark.parametrize("weighted", [False, True])
def test_one_positive_in_a_million(weighted):
    rng = np.random.default_rng(6)
    y_true, y_pred = np.zeros(10**6, np.int64), rng.normal(size=10**6)
    y_true[7], y_pred[7] = 1, 3.5
    weights = np.ones(10**6) if weighted else None
    for metric, exact in EXACT.values():
        bounded = metric(y_true, y_pred, weights)
        inside(bounded, exact(y_true, y_pred), 2e6 * EPS)
    precision = BinnedAveragePrecision()(y_true, y_pred, weights)
    # Of an element that weighs no less than 1 more is known.
    assert precision.low > (0.4 if weighted else 0.85) * precision.high


@pytest.mark.parametrize("name", ["logits", "many ties", "from 1e-30 to 1", "all in few bins"])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_points_of_curves_are_those_of_the_exact_curves(name, weights):
    y_pred, w = SCORES[name], np.ones(N) if weights is None else weights
    fpr, tpr, thresholds = BinnedROCCurve()(Y, y_pred, weights)
    precision, recall, again = BinnedPrecisionRecallCurve()(Y, y_pred, weights)
    assert fpr.shape == tpr.shape == thresholds.shape == (_binning.number_of_bins(64) + 1,)
    assert (again == thresholds).all()
    assert (np.diff(thresholds) < 0).all()
    assert np.isinf(thresholds[[0, -1]]).all()
    order = np.argsort(-y_pred, kind="stable")
    known = [np.append(0, np.cumsum((w * (k == Y))[order])) for k in (0, 1)]
    reached = np.searchsorted(-y_pred[order], -thresholds, side="right")
    fp, tp = (sums[reached] for sums in known)
    np.testing.assert_allclose(fpr, fp / known[0][-1], rtol=0, atol=ROUNDINGS)
    np.testing.assert_allclose(tpr, tp / known[1][-1], rtol=0, atol=ROUNDINGS)
    np.testing.assert_allclose(recall, tp / known[1][-1], rtol=0, atol=ROUNDINGS)
    shares = np.where(tp + fp == 0, 1, tp / np.where(tp + fp == 0, 1, tp + fp))
    np.testing.assert_allclose(precision, shares, rtol=0, atol=ROUNDINGS * shares.size)


def test_curves_of_scores_that_are_told_apart_are_scikit_learn_s():
    y_pred = np.sort(2.0 ** np.random.default_rng(8).integers(-20, 20, N))
    ours = BinnedROCCurve(bins_per_octave=1)(Y, y_pred)
    theirs = sk.roc_curve(Y, y_pred, drop_intermediate=False)
    for found, expected in zip(ours[:2], theirs[:2], strict=True):
        np.testing.assert_allclose(np.unique(found), np.unique(expected), rtol=8 * EPS)
    ours = BinnedPrecisionRecallCurve(bins_per_octave=1)(Y, y_pred)
    theirs = sk.precision_recall_curve(Y, y_pred)
    for found, expected in zip(ours[:2], theirs[:2], strict=True):
        np.testing.assert_allclose(np.unique(found), np.unique(expected), rtol=8 * EPS)


METRICS = MetricSet({name: metric for name, (metric, _) in EXACT.items()})


def in_batches(metric, arrays, size):
    states = metric.zero(like=arrays[1])
    for start in range(0, arrays[0].shape[0], size):
        states = metric.update(states, *(x[start : start + size] for x in arrays))
    return metric.compute(states)


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("weighted", [False, True])
def test_batches_of_any_size_give_the_same_bits(backend, weighted):
    given = (Y, LOGITS, WEIGHTS)[: 3 if weighted else 2]
    arrays = [make(backend, x) for x in given]
    metric = BinnedROCAUC(bins_per_octave=8)  # of few bins, for the sake of time
    whole = metric(*arrays)
    for size in (500,) if backend == "jax" else (1, 7, 1000):
        for x, expected in zip(in_batches(metric, arrays, size), whole, strict=True):
            assert host(x).tobytes() == host(expected).tobytes()


def test_batches_of_ten_thousand_give_the_same_bits_for_all():
    y_true, y_pred = drawn(n=20_000)
    arrays = y_true, y_pred.astype(np.float32)
    whole, parts = METRICS(*arrays), in_batches(METRICS, arrays, 10_000)
    for name, bounded in whole.items():
        assert [x.tobytes() for x in bounded] == [x.tobytes() for x in parts[name]]
    assert len(METRICS.zero(like=arrays[1])) == 3  # one for each number of bins


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_groups_are_the_loop_over_groups(backend):
    n, groups = 60, 3
    rng = np.random.default_rng(9)
    labels = rng.integers(0, groups - 1, n)  # the last group has no element
    y_true, y_pred, mask = Y[:n], LOGITS[:n], MASK[:n]
    for metric in (BinnedROCAUC(0.4, bins_per_octave=1), BinnedROCCurve(bins_per_octave=1)):
        arrays = [make(backend, x) for x in (y_true, y_pred)]
        together = metric(
            *arrays, mask=make(backend, mask), by=make(backend, labels), num_groups=groups
        )
        for group in range(groups):
            alone = metric(*arrays, mask=make(backend, mask & (labels == group)))
            for x, expected in zip(together, alone, strict=True):
                np.testing.assert_array_equal(host(x)[group], host(expected))


def test_pairs_of_negative_weights_count_as_they_are():
    y_true, y_pred = np.asarray([1, 0, 1, 0]), np.asarray([8.0, 4.0, 2.0, 2.0])
    weights = np.asarray([2.0, 3.0, 1.0, -1.0])
    pairs = 2 * 3 + 2 * -1 + 0.5 * 1 * -1
    assert BinnedROCAUC()(y_true, y_pred, weights).value == pairs / (3 * 2)


@pytest.mark.parametrize("metric", [BinnedROCAUC(), BinnedROCAUC(0.5), BinnedAveragePrecision()])
def test_what_cannot_be_told_is_nan(metric):
    y_true, y_pred = np.asarray([1, 0, 1]), np.asarray([0.5, 0.25, 0.75])
    nothing = metric(y_true, y_pred, mask=np.zeros(3, bool))
    assert np.isnan(nothing).all()
    assert np.isnan(metric(np.zeros(3, int), y_pred)).all()
    assert np.isnan(metric(np.asarray([1, 0, 2]), y_pred)).all()
    assert np.isnan(metric(np.asarray([1.0, 0.0, np.nan]), y_pred)).all()
    assert np.isnan(metric(y_true, np.asarray([0.5, np.nan, 0.75]))).all()
    assert np.isnan(metric(y_true, y_pred, np.asarray([1.0, np.nan, 1.0]))).all()
    assert np.isnan(metric(y_true[:0], y_pred[:0])).all()
    only = metric(np.ones(3, int), y_pred)
    assert [float(x) for x in only] == [1.0] * 3 or np.isnan(only).all()
    assert np.isnan(only).all() == isinstance(metric, BinnedROCAUC)


def test_equal_scores_say_what_is_not_known():
    y_true, y_pred = np.asarray([1, 0, 1, 0]), np.full(4, 0.3)
    assert tuple(map(float, BinnedROCAUC()(y_true, y_pred))) == (0.5, 0.0, 1.0)
    value, low, high = map(float, BinnedAveragePrecision()(y_true, y_pred))
    # Both negatives first; two positives after them, each with its own precision.
    assert (value, high) == (0.5, 1.0)
    assert low == pytest.approx((1 / 3 + 2 / 4) / 2, rel=0.05)
    assert low <= (1 / 3 + 2 / 4) / 2


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"max_fpr": 0}, ValueError, "max_fpr is 0; expected a rate above 0"),
        ({"max_fpr": 1.5}, ValueError, "max_fpr is 1.5"),
        ({"max_fpr": "all"}, TypeError, "max_fpr is 'all'"),
        ({"bins_per_octave": 48}, ValueError, "bins_per_octave is 48; expected a power of two"),
        ({"bins_per_octave": 2048}, ValueError, "from 1 to 1024"),
        ({"bins_per_octave": 0}, ValueError, "bins_per_octave is 0"),
        ({"bins_per_octave": True}, ValueError, "bins_per_octave is True"),
        ({"bins_per_octave": [64]}, ValueError, "bins_per_octave is"),
    ],
)
def test_bad_options(options, error, says):
    with pytest.raises(error, match=says):
        BinnedROCAUC(**options)


def test_scores_must_be_floating_and_of_the_labels_shape():
    y_true = np.asarray([0, 1])
    with pytest.raises(am.UnsupportedArrayError, match="y_pred has dtype int64"):
        BinnedROCAUC()(y_true, np.asarray([0, 1]))
    with pytest.raises(am.ShapeMismatchError, match="expected equal shapes"):
        BinnedROCAUC()(y_true, np.asarray([[0.5], [0.25]]))


def test_states_of_other_bins_do_not_merge():
    y_true, y_pred = np.asarray([0, 1]), np.asarray([0.25, 0.5])
    metric, other = BinnedROCAUC(), BinnedROCAUC(bins_per_octave=32)
    state = metric.update(metric.zero(like=y_pred), y_true, y_pred)
    with pytest.raises(am.StateMismatchError, match="64 bins an octave"):
        other.merge(other.zero(like=y_pred), state)
