"""Metrics of a confusion matrix against scikit-learn, Keras and torchmetrics."""

import functools
import itertools
import math

import numpy as np
import pytest
import sklearn.metrics as sk

import agnostic_mask as am
from agnostic_mask.metrics import (
    F1,
    Accuracy,
    BalancedAccuracy,
    CohenKappa,
    ConfusionMatrix,
    Dice,
    FBeta,
    IoU,
    MatthewsCorrelation,
    MeanIoU,
    Precision,
    Recall,
    Specificity,
)

from .arrays import backends, close, gradients, host, knowledge, make, wide

CLASSES, N = 4, 60
RNG = np.random.default_rng(5)
nan = math.nan


def drawn(true, pred):
    """Labels of which about half are right, with classes of these shares."""
    y_true = RNG.choice(CLASSES, N, p=true)
    y_pred = np.where(RNG.random(N) < 0.5, y_true, RNG.choice(CLASSES, N, p=pred))
    return y_true, y_pred


ONES = np.ones(N, int)
DATA = {
    "all classes": drawn([0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4]),
    "absent classes": drawn([0.5, 0.5, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0]),
    "all right": (RNG.integers(0, 3, N),) * 2,
    "all wrong": ((labels := RNG.integers(0, CLASSES, N)), (labels + 1) % CLASSES),
    "one class, right": (ONES, ONES),
    "one class, wrong": (ONES, 2 * ONES),
    "one class predicted": (labels, ONES),
}
WEIGHTS = RNG.uniform(0.5, 2.0, N).astype(np.float32)
MASK = RNG.random(N) < 0.7
data = pytest.mark.parametrize("data", DATA)
# Sums of up to N weights on both sides, a few roundings of ratios; of float32 results one.
ROUNDINGS = {"float64": 2 * (N + 8), "float32": 1}


def agrees(metric, peer, data, backend="numpy", dtype="float64", scale=1.0):
    """Assert that a metric of float weights is a peer's value of what is left by the mask."""
    y_true, y_pred = (make(backend, x, "int32") for x in DATA[data])
    with wide(backend, dtype):
        value = metric(y_true, y_pred, make(backend, WEIGHTS, dtype), make(backend, MASK))
    kept = (x[MASK] for x in (*DATA[data], WEIGHTS.astype(float)))
    close(value, peer(*kept), scale, dtype=dtype, roundings=ROUNDINGS[dtype])


def of_labels(fn, **options):
    """A function of scikit-learn over all classes, whether they occur or not."""
    return lambda t, p, w: fn(t, p, sample_weight=w, labels=range(CLASSES), **options)


RATIOS = {
    "precision": (Precision, sk.precision_score),
    "recall": (Recall, sk.recall_score),
    "f1": (F1, sk.f1_score),
    "dice": (Dice, sk.f1_score),
    "f0.5": (
        functools.partial(FBeta, beta=0.5),
        functools.partial(sk.fbeta_score, beta=0.5),
    ),
    "f3": (functools.partial(FBeta, beta=3.0), functools.partial(sk.fbeta_score, beta=3.0)),
    "iou": (IoU, sk.jaccard_score),
}
AVERAGES = ("micro", "macro", "weighted", None)


@data
@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("name", RATIOS)
def test_ratios_and_their_averages_are_those_of_scikit_learn(name, average, data):
    ours, theirs = RATIOS[name]
    # scikit-learn's jaccard_score does not take NaN
    # nor does it leave out all that has weight, as nobody's prediction was class 1
    both = name == "iou" or (name, average, data) == ("precision", "weighted", "one class, wrong")
    for zero_division in (0.0, 1.0) if both else (0.0, 1.0, nan):
        metric = ours(CLASSES, average=average, zero_division=zero_division)
        agrees(metric, of_labels(theirs, average=average, zero_division=zero_division), data)


def matthews(t, p, w):
    matrix = sk.confusion_matrix(t, p, sample_weight=w, labels=range(CLASSES))
    return 0.0 if np.count_nonzero(matrix) == 1 else sk.matthews_corrcoef(t, p, sample_weight=w)


def mean_of_occurring(t, p, w):
    return sk.jaccard_score(t, p, sample_weight=w, labels=np.union1d(t, p), average="macro")


def kappa(distance):
    undefined = functools.partial(
        sk.cohen_kappa_score, weights=distance, labels=range(CLASSES), replace_undefined_by=nan
    )

    def peer(t, p, w):
        if np.unique([t, p]).size == 1:
            return nan  # where scikit-learn warns
        return undefined(t, p, sample_weight=w)

    return peer


SINGLE = {
    "accuracy": (Accuracy(CLASSES), lambda t, p, w: sk.accuracy_score(t, p, sample_weight=w)),
    "matthews": (MatthewsCorrelation(CLASSES), matthews),
    "mean iou": (MeanIoU(CLASSES), mean_of_occurring),
    "kappa": (CohenKappa(CLASSES), kappa(None)),
    "linear kappa": (CohenKappa(CLASSES, distance="linear"), kappa("linear")),
    "quadratic kappa": (CohenKappa(CLASSES, distance="quadratic"), kappa("quadratic")),
    "matrix": (ConfusionMatrix(CLASSES), of_labels(sk.confusion_matrix)),
    **{
        f"matrix by {by}": (
            ConfusionMatrix(CLASSES, normalize=by),
            of_labels(sk.confusion_matrix, normalize=by),
        )
        for by in ("true", "pred", "all")
    },
}
# Their formulas subtract: total squared by the product of spreads, 60 here at the most; kappa's
# expected disagreement is at least a fiftieth. A cell is at most 2 N.
SCALES = {"matthews": 60, "kappa": 50, "linear kappa": 50, "quadratic kappa": 50, "matrix": 2 * N}


@data
@pytest.mark.parametrize("name", SINGLE)
def test_other_metrics_are_those_of_scikit_learn(name, data):
    agrees(*SINGLE[name], data, scale=SCALES.get(name, 1))


@pytest.mark.parametrize("data", ["all classes", "all right", "all wrong"])
def test_balanced_accuracy_is_scikit_learn_s(data):
    metric = BalancedAccuracy(CLASSES)
    agrees(metric, lambda t, p, w: sk.balanced_accuracy_score(t, p, sample_weight=w), data)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@backends
def test_every_framework_agrees(backend, dtype):
    members = {
        "precision": Precision(CLASSES, average="macro"),
        "kappa": CohenKappa(CLASSES, distance="linear"),
        "matthews": MatthewsCorrelation(CLASSES),
        "specificity": Specificity(CLASSES, average=None),
    }
    together = am.metrics.MetricSet(members)
    assert len({m.statistic for m in members.values()}) == 1
    y_true, y_pred = (make(backend, x, "int32") for x in DATA["all classes"])
    with wide(backend, dtype):
        found = together(y_true, y_pred, make(backend, WEIGHTS, dtype), make(backend, MASK))
    t, p, w = (x[MASK] for x in (*DATA["all classes"], WEIGHTS.astype(float)))
    expected = {
        "precision": sk.precision_score(t, p, sample_weight=w, average="macro"),
        "kappa": sk.cohen_kappa_score(t, p, sample_weight=w, weights="linear"),
        "matthews": sk.matthews_corrcoef(t, p, sample_weight=w),
        # Recall of what is not of the class.
        "specificity": [sk.recall_score(t != k, p != k, sample_weight=w) for k in range(CLASSES)],
    }
    for name, value in expected.items():
        close(found[name], value, SCALES.get(name, 1), dtype=dtype, roundings=ROUNDINGS[dtype])
        assert str(found[name].dtype).endswith(dtype)


# -- predictions of every kind --


@backends
def test_two_classes_of_probabilities_and_logits(backend):
    y_true = RNG.integers(0, 2, N)
    logits = np.round(RNG.normal(size=N), 1).astype(np.float32)
    for threshold, from_logits in ((0.5, False), (0.3, False), (0.5, True), (0.7, True)):
        options = {"threshold": threshold, "from_logits": from_logits}
        cut = math.log(threshold / (1 - threshold)) if from_logits else threshold
        # Strictly greater, in float32: 0.3 itself is not.
        expected = sk.f1_score(y_true, logits > np.float32(cut))
        value = F1(**options)(make(backend, y_true), make(backend, logits))
        close(value, expected, 1, roundings=1)


@backends
@pytest.mark.parametrize("kind", ["bool", "uint8", "int64", "float32"])
def test_labels_of_every_dtype(backend, kind):
    y_true, y_pred = np.asarray([1, 1, 0, 0, 1]), np.asarray([1, 0, 0, 1, 1])
    with wide(backend, kind):
        value = ConfusionMatrix()(make(backend, y_true, kind), make(backend, y_pred, kind))
    assert host(value).tolist() == [[1, 1], [1, 2]]


@backends
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_the_greatest_of_a_class_axis_is_predicted_and_the_first_of_ties(backend, axis):
    y_true = np.asarray([[2, 0], [1, 2], [0, 1], [1, 1]])
    scores = np.asarray(
        [
            [[0, 1, 3], [2, 2, 1]],
            [[0, 7, 1], [1, 2, 2]],
            [[5, 5, 5], [-3, -1, -2]],
            [[-np.inf, -np.inf, -np.inf], [0, np.inf, np.inf]],
        ]
    )
    expected = sk.confusion_matrix(y_true.ravel(), scores.argmax(axis=-1).ravel())
    moved = np.moveaxis(scores, -1, axis)
    value = ConfusionMatrix(3, axis=axis)(make(backend, y_true), make(backend, moved))
    assert host(value).tolist() == expected.tolist()


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "dask"])  # the standard has none
def test_half_types_count_as_float32(backend):
    y_pred = np.asarray([0.25, 0.75, 0.5], np.float16)
    value = Precision()(make(backend, [0, 1, 1], "int32"), make(backend, y_pred, "float16"))
    assert host(value) == 1
    assert str(value.dtype).endswith("float32")


# -- what is left out, and what is not --


@backends
def test_what_is_excluded_is_absent_and_an_ignored_label_too(backend):
    y_true = np.asarray([0, 1, -1, 1, 0, 7, -1])
    y_pred = np.asarray([0.9, 0.7, np.nan, 0.2, 0.1, 0.3, 0.9], np.float32)
    weights = np.asarray([1, 2, 3, 1, 0.5, np.nan, 1], np.float32)
    mask = np.asarray([1, 1, 1, 1, 1, 0, 1], bool)
    metric = ConfusionMatrix(ignore_class=-1)
    value = metric(*(make(backend, x) for x in (y_true, y_pred, weights, mask)))
    assert host(value).tolist() == [[0.5, 1], [1, 2]]
    right = Accuracy(ignore_class=-1)(*(make(backend, x) for x in (y_true, y_pred, weights, mask)))
    close(right, 2.5 / 4.5, 1, roundings=1)


@backends
@pytest.mark.parametrize("kind", ["int32", "float32"])
def test_an_ignored_label_is_ignored_in_floats_too(backend, kind):
    y_true = make(backend, np.asarray([0, 1, -1, 1]), kind)
    value = Accuracy(ignore_class=-1)(y_true, make(backend, np.asarray([0.1, 0.2, 0.9, 0.7])))
    close(value, 2 / 3, 1, roundings=1)
    ones = make(backend, np.asarray([True, False, True]))
    value = Accuracy(ignore_class=1)(ones, make(backend, np.asarray([0.1, 0.2, 0.9])))
    assert host(value) == 1


SPOILT = {
    "a label above": ([0, 2, 1], [0.1, 0.9, 0.9]),
    "a label below": ([0, -1, 1], [0.1, 0.9, 0.9]),
    "a label between": ([0.0, 0.5, 1.0], [0.1, 0.9, 0.9]),
    "a label of NaN": ([0.0, nan, 1.0], [0.1, 0.9, 0.9]),
    "a predicted label above": ([0, 1, 1], [0, 2, 1]),
    "a prediction of NaN": ([0, 1, 1], [0.1, nan, 0.9]),
    "a row with NaN": ([0, 1, 1], [[2.0, 1.0], [nan, 3.0], [1.0, 2.0]]),
}
EVERY = [
    *(cls(2, average=a) for cls in (Precision, Specificity, F1, IoU) for a in ("binary", "micro")),
    *(cls(2) for cls in (Accuracy, BalancedAccuracy, MatthewsCorrelation, CohenKappa, MeanIoU)),
]


@backends
@pytest.mark.parametrize("name", SPOILT)
def test_an_included_element_of_no_class_is_never_another_s_number(backend, name):
    y_true, y_pred = (np.asarray(x) for x in SPOILT[name])
    for metric in EVERY[:1] + EVERY[-2:]:
        assert np.isnan(host(metric(make(backend, y_true), make(backend, y_pred))))
        mask = make(backend, np.asarray([1, 0, 1], bool))
        value = metric(make(backend, y_true), make(backend, y_pred), mask=mask)
        assert host(value) == 1
    matrix = ConfusionMatrix()(make(backend, y_true), make(backend, y_pred))
    assert np.isnan(host(matrix)).all()


@pytest.mark.parametrize("metric", EVERY, ids=repr)
def test_every_metric_is_nan_then_and_merged_with_anything(metric):
    bad = metric.update(metric.zero(like=np.ones(1)), np.asarray([0, 9]), np.asarray([0.1, 0.9]))
    good = metric.update(metric.zero(like=np.ones(1)), np.asarray([0, 1]), np.asarray([0.1, 0.9]))
    assert np.isnan(metric.compute(metric.merge(good, bad)))
    assert metric.compute(good) == 1


@backends
def test_an_included_weight_of_nan_comes_through(backend):
    arrays = ([0, 1, 1], [0.1, 0.2, 0.9], [1.0, nan, 1.0])
    # Of class 0 precision and recall use no cell that the weight is in.
    for metric in (Recall(), Precision(), ConfusionMatrix()):
        assert np.isnan(host(metric(*(make(backend, np.asarray(x)) for x in arrays)))).all()


# -- nothing, and weights that cancel --

OF_NOTHING = [
    *((cls(), 0.0) for cls in (Precision, Recall, Specificity, F1, Dice, IoU)),
    *((cls(zero_division=1.0), 1.0) for cls in (Precision, Specificity, F1)),
    *((Recall(3, average=a, zero_division=z), z) for a in AVERAGES[:3] for z in (0.0, 1.0, nan)),
    *((cls(), nan) for cls in (Accuracy, BalancedAccuracy, MeanIoU, CohenKappa)),
    (MatthewsCorrelation(), 0.0),
]


@pytest.mark.parametrize(("metric", "expected"), OF_NOTHING, ids=repr)
def test_the_value_of_nothing(metric, expected):
    one = np.ones(1, int)
    for value in (
        metric.compute(metric.zero(like=np.ones(1))),
        metric(one, one, mask=np.zeros(1, bool)),
        metric(one[:0], one[:0]),
    ):
        np.testing.assert_equal(np.asarray(value), np.asarray(expected))


@backends
def test_the_matrix_of_nothing_is_zeros(backend):
    for normalize in (None, "true", "all"):
        metric = ConfusionMatrix(3, normalize=normalize)
        nothing = metric.compute(metric.zero(like=make(backend, np.ones(1))))
        assert host(nothing).tolist() == np.zeros((3, 3)).tolist()


def test_weights_of_both_signs_that_sum_to_0_are_a_division_by_0():
    y_true, y_pred = np.asarray([1, 1, 0]), np.asarray([1, 1, 0])
    weights = np.asarray([0.5, -0.5, 1.0])
    for zero_division in (0.0, 1.0):
        assert Recall(zero_division=zero_division)(y_true, y_pred, weights) == zero_division
        weighted = Recall(2, average="weighted", zero_division=zero_division)
        opposite = np.asarray([1.0, 1.0, -2.0])
        assert weighted(y_true, y_pred, opposite) == zero_division
    assert Recall(2, average="macro", zero_division=nan)(y_true, y_pred, weights) == 1
    assert np.isnan(Accuracy()(y_true, y_pred, np.asarray([1.0, 1.0, -2.0])))


def test_signed_weights_are_subtracted_elements():
    y_true, y_pred = DATA["all classes"]
    signs = np.where(np.arange(N) % 5 == 0, -1.0, 1.0)
    matrix = ConfusionMatrix(CLASSES)(y_true, y_pred, signs)
    plus, minus = signs > 0, signs < 0
    counts = [
        sk.confusion_matrix(y_true[i], y_pred[i], labels=range(CLASSES)) for i in (plus, minus)
    ]
    assert matrix.tolist() == (counts[0] - counts[1]).tolist()


@gradients
def test_weights_have_gradients_and_excluded_ones_none(backend):
    y_true, y_pred = np.asarray([1, 1, 0, 1]), np.asarray([1, 0, 1, 5])
    weights = np.asarray([2.0, 1.0, 3.0, 0.0], np.float32)
    fixed = make(backend, y_true), make(backend, y_pred)
    value, (slope,) = knowledge(backend).value_and_grad(
        lambda w: Recall()(*fixed, w), [make(backend, weights)]
    )
    assert host(value) == np.float32(2 / 3)
    # d (a / (a + b)) = b / (a + b)**2, -a / (a + b)**2
    np.testing.assert_allclose(host(slope), [1 / 9, -2 / 9, 0, 0], rtol=1e-6)


# -- counts --


@backends
def test_counts_are_exact_past_2_to_the_31_and_float32_past_2_to_the_24(backend):
    y_true, y_pred = np.asarray([0, 1, 1, 2, 0, 1]), np.asarray([0, 1, 2, 2, 1, 1])
    metric, matrix = Accuracy(3), ConfusionMatrix(3)
    once = matrix(make(backend, y_true), make(backend, y_pred))
    zero = metric.zero(like=make(backend, y_pred))
    state = one = metric.update(zero, make(backend, y_true), make(backend, y_pred))
    doublings = 40
    for _ in range(doublings):
        state = metric.merge(state, state)
    state = metric.merge(state, one)
    expected = (2**doublings + 1) * host(once).astype(int)
    assert host(matrix.compute(state)).astype(int).tolist() == expected.tolist()
    assert host(state.count).tolist() == expected.tolist()
    close(metric.compute(state), 4 / 6, 1, roundings=1)


def test_rare_classes_keep_their_digits_beside_common_ones():
    # Counts of 1, 2 and 3 beside 10**9: total squared is past what float64 holds exactly.
    metric = MatthewsCorrelation()
    n = 10**9 + 7
    state = metric.zero(like=np.ones(1))
    for cell, count in (((0, 0), n), ((0, 1), 2), ((1, 0), 1), ((1, 1), 3)):
        part = metric.update(
            metric.zero(like=np.ones(1)), *(np.asarray([c]) for c in cell), np.asarray([count])
        )
        state = metric.merge(state, part)
    right = (3 * n - 2 * 1) / math.sqrt((3 + 2) * (3 + 1) * (n + 2) * (n + 1))
    assert abs(float(metric.compute(state)) - right) < 1e-15
    classic = (n + 3) * float(n + 6) - (float(n + 2) * (n + 1) + 4.0 * 5)
    spreads = (
        float(n + 6) ** 2 - float(n + 2) ** 2 - 16.0,
        float(n + 6) ** 2 - float(n + 1) ** 2 - 25.0,
    )
    assert abs(classic / math.sqrt(spreads[0] * spreads[1]) - right) > 1e-10


def test_options_are_all_heeded():
    """Two metrics that differ in one option that decides what is counted share nothing."""
    options = ({"threshold": 0.4}, {"from_logits": True}, {"axis": 0}, {"ignore_class": 0}, {})
    for a, b in itertools.combinations(options, 2):
        assert F1(**a).statistic != F1(**b).statistic
        left, right = (F1(**o).zero(like=np.ones(1)) for o in (a, b))
        with pytest.raises(am.StateMismatchError):
            F1(**a).merge(left, right)
    assert F1(np.int64(3), average="micro").statistic == Dice(3, average="macro").statistic
