import functools
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import pytest
import scipy.special
import sklearn.metrics as sk
import torch
import torchmetrics
import torchmetrics.functional as tm
import torchmetrics.functional.classification as tmc

import agnostic_mask as am

from .arrays import close, gradients, host, knowledge, make, wide

M = am.metrics
RNG = np.random.default_rng(5)
ROWS = (6, 4)
REAL = RNG.normal(size=ROWS), RNG.normal(size=ROWS)
POSITIVE = RNG.uniform(0.2, 4, ROWS), RNG.uniform(0.2, 4, ROWS)
BINARY = RNG.integers(0, 2, ROWS)
PROBABILITY, DISTANCE = RNG.uniform(0.02, 0.98, ROWS), 2 * RNG.normal(size=ROWS)
LABELS = RNG.integers(0, 3, ROWS)
ONE_HOT = np.eye(3)[LABELS]
LOGITS = 3 * RNG.normal(size=(*ROWS, 3))
CLASSES = scipy.special.softmax(LOGITS, axis=-1)
GUESSES = np.where(RNG.random(ROWS) < 0.5, LABELS, RNG.integers(0, 3, ROWS))
MASK = RNG.random(ROWS) < 0.7
MASK[0] = [True, True, False, False]
WEIGHTS = RNG.uniform(0.5, 2.0, ROWS[0])
COUNTS = RNG.integers(1, 4, ROWS[0])


def weighted(fn, **options):
    """A function of scikit-learn."""
    return lambda t, p, w: fn(t, p, sample_weight=w, **options)


def averaged(fn):
    """A mean of scores that SciPy or NumPy has."""
    return lambda t, p, w: np.average(fn(t, p), weights=w)


def normal(p):
    """Probabilities whose sums are 1 to float64's eps, without which scikit-learn warns."""
    return p / p.sum(axis=-1, keepdims=True)


def log_loss(t, p, w):
    labels = t if t.ndim == 1 else t.argmax(axis=-1)
    p = normal(p) if p.ndim == 2 else p
    return sk.log_loss(
        labels, p, sample_weight=w, labels=np.arange(max(2, p.shape[-1] * (p.ndim - 1)))
    )


def of_classes(fn):
    return lambda t, p, w: fn(t if t.ndim == 1 else t.argmax(-1), p.argmax(-1), sample_weight=w)


def cosines(t, p):
    return (t * p).sum(-1) / np.sqrt((t * t).sum(-1) * (p * p).sum(-1))


def right_class(t, p):
    """The value of the right class of one-hot rows, and the greatest of the others."""
    return p[t == 1], np.where(t == 1, -np.inf, p).max(-1)


sigmoid, softmax = scipy.special.expit, functools.partial(scipy.special.softmax, axis=-1)

# The metric, what it is by others, data, and how far scores are from the units of the result: a
# score carries at most 12 roundings, of numbers that are at most so great.
SAME = {
    "MAE": (M.MeanAbsoluteError(), weighted(sk.mean_absolute_error), REAL, 3),
    "MSE": (M.MeanSquaredError(), weighted(sk.mean_squared_error), REAL, 9),
    "RMSE": (M.RootMeanSquaredError(), weighted(sk.root_mean_squared_error), REAL, 3),
    "bias": (M.MeanBiasError(), averaged(lambda t, p: p - t), REAL, 3),
    "pinball": (M.PinballLoss(0.2), weighted(sk.mean_pinball_loss, alpha=0.2), REAL, 3),
    "MSLE": (
        M.MeanSquaredLogarithmicError(),
        weighted(sk.mean_squared_log_error),
        POSITIVE,
        8,
    ),
    "RMSLE": (
        M.RootMeanSquaredLogarithmicError(),
        weighted(sk.root_mean_squared_log_error),
        POSITIVE,
        8,
    ),
    "MAPE": (
        M.MeanAbsolutePercentageError(),
        lambda t, p, w: 100 * sk.mean_absolute_percentage_error(t, p, sample_weight=w),
        POSITIVE,
        1,
    ),
    "sMAPE": (
        M.SymmetricMeanAbsolutePercentageError(),
        averaged(lambda t, p: 200 * np.abs(p - t) / (np.abs(t) + np.abs(p))),
        REAL,
        1,
    ),
    "WMAPE": (
        M.WeightedMeanAbsolutePercentageError(),
        lambda t, p, w: np.sum(w * np.abs(p - t)) / np.sum(w * np.abs(t)),
        REAL,
        3,
    ),
    "normal": (M.TweedieDeviance(), weighted(sk.mean_tweedie_deviance), REAL, 9),
    "Poisson": (M.TweedieDeviance(1), weighted(sk.mean_poisson_deviance), POSITIVE, 20),
    "gamma": (M.TweedieDeviance(2), weighted(sk.mean_gamma_deviance), POSITIVE, 40),
    "Tweedie": (
        M.TweedieDeviance(1.5),
        weighted(sk.mean_tweedie_deviance, power=1.5),
        POSITIVE,
        40,
    ),
    "cosine": (M.CosineSimilarity(), averaged(cosines), (LOGITS, CLASSES), 1),
    "binary log loss": (M.BinaryCrossentropy(), log_loss, (BINARY, PROBABILITY), 4),
    "binary log loss, logits": (
        M.BinaryCrossentropy(from_logits=True),
        lambda t, p, w: log_loss(t, sigmoid(p), w),
        (BINARY, DISTANCE),
        6,
    ),
    "log loss": (M.CategoricalCrossentropy(), log_loss, (ONE_HOT, CLASSES), 12),
    "log loss, logits": (
        M.CategoricalCrossentropy(from_logits=True),
        lambda t, p, w: log_loss(t, softmax(p), w),
        (ONE_HOT, LOGITS),
        12,
    ),
    "sparse log loss": (M.SparseCategoricalCrossentropy(), log_loss, (LABELS, CLASSES), 12),
    "sparse log loss, logits": (
        M.SparseCategoricalCrossentropy(from_logits=True),
        lambda t, p, w: log_loss(t, softmax(p), w),
        (LABELS, LOGITS),
        12,
    ),
    "perplexity": (
        M.Perplexity(from_logits=True),
        lambda t, p, w: np.exp(log_loss(t, softmax(p), w)),
        (LABELS, LOGITS),
        100,  # log losses times a perplexity below 8
    ),
    "Brier": (
        M.BrierScore(),
        weighted(sk.brier_score_loss, scale_by_half=True),
        (BINARY, PROBABILITY),
        1,
    ),
    "Brier, classes": (
        M.BrierScore(axis=-1),
        lambda t, p, w: sk.brier_score_loss(
            t, normal(p), sample_weight=w, scale_by_half=False, labels=[0, 1, 2]
        ),
        (LABELS, CLASSES),
        2,
    ),
    "binary accuracy": (
        M.BinaryAccuracy(threshold=0.3),
        lambda t, p, w: sk.accuracy_score(t, p > 0.3, sample_weight=w),
        (BINARY, PROBABILITY),
        1,
    ),
    "binary accuracy, logits": (
        M.BinaryAccuracy(threshold=0.3, from_logits=True),
        lambda t, p, w: sk.accuracy_score(t, sigmoid(p) > 0.3, sample_weight=w),
        (BINARY, DISTANCE),
        1,
    ),
    "Hamming": (
        M.HammingLoss(),
        lambda t, p, w: sk.hamming_loss(t, p > 0.5, sample_weight=w),
        (BINARY, PROBABILITY),
        1,
    ),
    "Hamming, labels": (M.HammingLoss(), weighted(sk.hamming_loss), (LABELS, GUESSES), 1),
    "accuracy": (M.CategoricalAccuracy(), of_classes(sk.accuracy_score), (ONE_HOT, CLASSES), 1),
    "sparse accuracy": (
        M.SparseCategoricalAccuracy(),
        of_classes(sk.accuracy_score),
        (LABELS, LOGITS),
        1,
    ),
    "top 2": (
        M.SparseTopKCategoricalAccuracy(2),
        weighted(sk.top_k_accuracy_score, k=2, labels=[0, 1, 2]),
        (LABELS, LOGITS),
        1,
    ),
    "hinge": (M.Hinge(), weighted(sk.hinge_loss), (BINARY, DISTANCE), 7),
    "squared hinge": (
        M.SquaredHinge(),
        averaged(lambda t, p: np.maximum(1 - (2 * t - 1) * p, 0) ** 2),
        (BINARY, DISTANCE),
        49,
    ),
    "categorical hinge": (
        M.CategoricalHinge(),
        averaged(
            lambda t, p: np.maximum(
                1 + np.maximum(right_class(t, p)[1], 0) - right_class(t, p)[0], 0
            )
        ),
        (ONE_HOT, LOGITS),
        20,
    ),
}


def left(mask, *arrays):
    """What a mask leaves of arrays that it covers, and of weights of rows."""
    return [np.broadcast_to(x[:, None], ROWS)[mask] if x.ndim == 1 else x[mask] for x in arrays]


def typed(backend, x, dtype):
    return make(backend, x, x.dtype if x.dtype.kind == "i" else dtype)


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", SAME)
def test_a_metric_of_what_a_mask_leaves_is_that_of_the_world(backend, dtype, case):
    metric, peer, (y_true, y_pred), scale = SAME[case]
    floats = [x if x.dtype.kind == "i" else x.astype(dtype) for x in (y_true, y_pred, WEIGHTS)]
    expected = peer(*(x if x.dtype.kind == "i" else x.astype(float) for x in left(MASK, *floats)))
    with wide(backend, "float64"):
        arrays = [typed(backend, x, dtype) for x in floats]
        value = metric(*arrays, make(backend, MASK))
    result = dtype if floats[1].dtype.kind == "f" else "float32"
    close(value, expected, abs(expected) + scale, dtype=result, roundings=12)


# -- Keras and torchmetrics, whose weights are repetitions where they have none --


def by_keras(metric):
    def value(t, p, w):
        metric.reset_state()
        # Keras 3 adds up scores in float32; an axis of length 1 keeps its mean over the last away
        t, p = (torch.from_numpy(np.array(x, np.float32)) for x in (t, p))
        shape = (lambda x: x[:, None]) if p.ndim == 1 else (lambda x: x)
        metric.update_state(shape(t), shape(p), torch.from_numpy(np.array(w, np.float32)))
        return float(metric.result())

    return value


def by_torchmetrics(fn):
    def value(t, p, w):
        t, p = (torch.from_numpy(np.repeat(x, w.astype(int), axis=0)) for x in (t, p))
        return float(fn(p, t))

    return value


k = keras.metrics
PEERS = {
    "MAE": [by_keras(k.MeanAbsoluteError()), by_torchmetrics(tm.mean_absolute_error)],
    "MSE": [by_keras(k.MeanSquaredError()), by_torchmetrics(tm.mean_squared_error)],
    "RMSE": [
        by_keras(k.RootMeanSquaredError()),
        by_torchmetrics(functools.partial(tm.mean_squared_error, squared=False)),
    ],
    "MSLE": [
        by_keras(k.MeanSquaredLogarithmicError()),
        by_torchmetrics(tm.mean_squared_log_error),
    ],
    "MAPE": [
        by_keras(k.MeanAbsolutePercentageError()),
        by_torchmetrics(lambda p, t: 100 * tm.mean_absolute_percentage_error(p, t)),
    ],
    "sMAPE": [
        by_torchmetrics(lambda p, t: 100 * tm.symmetric_mean_absolute_percentage_error(p, t))
    ],
    "WMAPE": [by_torchmetrics(tm.weighted_mean_absolute_percentage_error)],
    "Poisson": [by_torchmetrics(functools.partial(tm.tweedie_deviance_score, power=1))],
    "gamma": [by_torchmetrics(functools.partial(tm.tweedie_deviance_score, power=2))],
    "cosine": [
        by_keras(k.CosineSimilarity()),
        by_torchmetrics(functools.partial(tm.cosine_similarity, reduction="mean")),
    ],
    "binary log loss": [by_keras(k.BinaryCrossentropy())],
    "binary log loss, logits": [by_keras(k.BinaryCrossentropy(from_logits=True))],
    "log loss": [by_keras(k.CategoricalCrossentropy())],
    "sparse log loss, logits": [by_keras(k.SparseCategoricalCrossentropy(from_logits=True))],
    "perplexity": [by_torchmetrics(lambda p, t: tm.text.perplexity(p[None], t[None]))],
    "binary accuracy": [
        by_keras(k.BinaryAccuracy(threshold=0.3)),
        by_torchmetrics(functools.partial(tmc.binary_accuracy, threshold=0.3)),
    ],
    "Hamming": [by_torchmetrics(tmc.binary_hamming_distance)],
    "accuracy": [by_keras(k.CategoricalAccuracy())],
    "sparse accuracy": [
        by_keras(k.SparseCategoricalAccuracy()),
        by_torchmetrics(functools.partial(tmc.multiclass_accuracy, num_classes=3, average="micro")),
    ],
    "top 2": [by_keras(k.SparseTopKCategoricalAccuracy(2))],
    "hinge": [by_keras(k.Hinge())],
    "squared hinge": [by_keras(k.SquaredHinge())],
    "categorical hinge": [by_keras(k.CategoricalHinge())],
}


@pytest.mark.parametrize("case", PEERS)
def test_a_metric_is_that_of_keras_and_of_torchmetrics(case):
    metric, _, (y_true, y_pred), scale = SAME[case]
    y_true, y_pred, counts = left(MASK, y_true, y_pred, COUNTS)
    value = metric(y_true, y_pred, counts)
    for peer in PEERS[case]:
        expected = peer(y_true, y_pred, counts)
        # On their side up to 50 terms are added in float32
        close(np.asarray(value), expected, abs(expected) + scale, roundings=60)


def test_hamming_is_that_of_scikit_learn_and_torchmetrics_with_several_labels_a_row():
    y_true, y_pred = BINARY, (PROBABILITY > 0.5).astype(int)
    value = M.HammingLoss()(y_true, y_pred, WEIGHTS)
    assert value == pytest.approx(sk.hamming_loss(y_true, y_pred, sample_weight=WEIGHTS))
    peer = torchmetrics.classification.MultilabelHammingDistance(4, average="micro")
    value = M.HammingLoss()(y_true, PROBABILITY)
    assert value == pytest.approx(
        float(peer(torch.from_numpy(PROBABILITY), torch.from_numpy(y_true)))
    )


@pytest.mark.parametrize("backend", ["numpy", "torch", "dask", "array_api_strict"])
def test_the_class_axis_may_be_any(backend):
    labels, one_hot, classes = (make(backend, x) for x in (LABELS, ONE_HOT, CLASSES))
    first = [am.dispatch(x).xp.moveaxis(x, -1, 0) for x in (one_hot, classes)]
    mask = make(backend, MASK)
    for metric, axes in (
        (functools.partial(M.SparseTopKCategoricalAccuracy, 2), (labels, labels)),
        (M.SparseCategoricalAccuracy, (labels, labels)),
        (M.CategoricalAccuracy, (one_hot, first[0])),
        (M.BrierScore, (labels, labels)),
        (M.CosineSimilarity, (one_hot, first[0])),
        (M.CategoricalHinge, (one_hot, first[0])),
        (M.Perplexity, (labels, labels)),
    ):
        last = host(metric(axis=-1)(axes[0], classes, mask=mask))
        close(metric(axis=0)(axes[1], first[1], mask=mask), last, 1 + abs(last))


def test_an_ignored_class_is_as_masked():
    ignored = np.where(MASK, LABELS, -7)
    for metric, y_pred in (
        (M.SparseCategoricalCrossentropy, CLASSES),
        (M.Perplexity, CLASSES),
        (M.SparseCategoricalAccuracy, CLASSES),
        (M.SparseTopKCategoricalAccuracy, CLASSES),
    ):
        expected = metric()(LABELS, y_pred, WEIGHTS, MASK)
        assert metric(ignore_class=-7)(ignored, y_pred, WEIGHTS) == expected


def test_labels_of_any_two_integer_types_are_compared_by_value():
    metric = M.HammingLoss()
    big = np.asarray([2**64 - 1, 3, 2], np.uint64)
    assert metric(big, np.asarray([-1, 3, 2], np.int64)) == pytest.approx(1 / 3)
    assert metric(np.asarray([-1, 3, 2], np.int8), big) == pytest.approx(1 / 3)
    assert metric(big, big.copy()) == 0
    assert metric(np.asarray([True, False]), np.asarray([1, 1], np.uint8)) == 0.5


@pytest.mark.parametrize("backend", ["numpy", "torch", "dask", "array_api_strict"])
def test_of_equal_values_the_class_of_lower_number_comes_first(backend):
    y_pred = make(backend, [[1.0, 1.0, 0.0, 1.0]] * 4)
    labels = make(backend, [0, 1, 2, 3])
    found = []
    for count in (1, 2, 3, 4, 9):
        hits = M.SparseTopKCategoricalAccuracy(count)
        found.append([float(host(hits(labels[i : i + 1], y_pred[i : i + 1, :]))) for i in range(4)])
    assert found == [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 1], [1, 1, 1, 1], [1, 1, 1, 1]]
    one_hot = make(backend, np.eye(4))
    assert float(host(M.CategoricalAccuracy()(one_hot, y_pred))) == 0.25
    tied = make(backend, [[0.5, 0.5, 0.0, 0.0]] * 4)
    assert float(host(M.CategoricalAccuracy()(tied, y_pred))) == 1


def test_metrics_of_one_kind_share_what_is_gathered():
    both = M.MetricSet(
        {
            "log loss": M.SparseCategoricalCrossentropy(from_logits=True),
            "perplexity": M.Perplexity(from_logits=True),
            "accuracy": M.SparseCategoricalAccuracy(),
            "top 1": M.SparseTopKCategoricalAccuracy(1),
        }
    )
    assert len(both.zero(LOGITS)) == 2
    values = both(LABELS, LOGITS)
    assert values["perplexity"] == np.exp(values["log loss"])
    assert values["top 1"] == values["accuracy"]


def test_weights_that_sum_to_0_leave_a_ratio_of_sums():
    metric = M.WeightedMeanAbsolutePercentageError()
    y_true, y_pred = np.asarray([4.0, 1.0]), np.asarray([1.0, 2.0])
    assert metric(y_true, y_pred, np.asarray([1, -1])) == (3 - 1) / (4 - 1)


# -- traced --

OF_ROWS = {
    "log loss": M.SparseCategoricalCrossentropy(ignore_class=1),
    "perplexity": M.Perplexity(),
    "Brier": M.BrierScore(axis=-1),
    "accuracy": M.SparseCategoricalAccuracy(),
    "top 2": M.SparseTopKCategoricalAccuracy(2, ignore_class=1),
}
OF_PAIRS = {
    "accuracy": M.CategoricalAccuracy(),
    "hinge": M.CategoricalHinge(),
    "cosine": M.CosineSimilarity(),
    "Hamming": M.HammingLoss(),
    "WMAPE": M.WeightedMeanAbsolutePercentageError(),
    "RMSLE": M.RootMeanSquaredLogarithmicError(),
    "bias": M.MeanBiasError(),
}


@gradients
def test_metrics_compile_as_a_whole(backend):
    rows = [make(backend, x) for x in (LABELS, CLASSES, ONE_HOT)]
    mask = make(backend, MASK)

    def values(labels, classes, one_hot, mask):
        first = {name: metric(labels, classes, mask=mask) for name, metric in OF_ROWS.items()}
        return [
            *first.values(),
            *(metric(one_hot, classes, mask=mask) for metric in OF_PAIRS.values()),
        ]

    compiled = knowledge(backend).compiled(values)
    for eager, traced in zip(values(*rows, mask), compiled(*rows, mask), strict=True):
        # Both are as far from the exact value as a score may be
        close(traced, host(eager), 12 + abs(host(eager)), roundings=12)
