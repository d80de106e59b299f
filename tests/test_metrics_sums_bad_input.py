import numpy as np
import pytest

import agnostic_mask as am

from .arrays import gradients, host, knowledge, make

M = am.metrics
NAN = float("nan")
LABELS, ONE_HOT = np.asarray([0, 2, 1]), np.eye(3)[[0, 2, 1]]
CLASSES = np.asarray([[0.5, 0.25, 0.25], [0.25, 0.25, 0.5], [0.5, 0.375, 0.125]])
PAIR = np.asarray([1.0, 0.0, 1.0]), np.asarray([0.75, 0.5, 0.25])

ELEMENTWISE = {
    "MAE": M.MeanAbsoluteError(),
    "bias": M.MeanBiasError(),
    "pinball": M.PinballLoss(),
    "Tweedie": M.TweedieDeviance(1.5),
    "MSLE": M.MeanSquaredLogarithmicError(),
    "RMSLE": M.RootMeanSquaredLogarithmicError(),
    "MAPE": M.MeanAbsolutePercentageError(),
    "sMAPE": M.SymmetricMeanAbsolutePercentageError(),
    "WMAPE": M.WeightedMeanAbsolutePercentageError(),
    "log loss": M.BinaryCrossentropy(),
    "log loss, logits": M.BinaryCrossentropy(from_logits=True),
    "Brier": M.BrierScore(),
    "accuracy": M.BinaryAccuracy(),
    "accuracy, logits": M.BinaryAccuracy(from_logits=True),
    "Hamming": M.HammingLoss(),
    "hinge": M.Hinge(),
    "squared hinge": M.SquaredHinge(),
}
DENSE = {
    "log loss": M.CategoricalCrossentropy(),
    "log loss, logits": M.CategoricalCrossentropy(from_logits=True),
    "accuracy": M.CategoricalAccuracy(),
    "cosine": M.CosineSimilarity(),
    "hinge": M.CategoricalHinge(),
}
SPARSE = {
    "log loss": M.SparseCategoricalCrossentropy(),
    "log loss, logits": M.SparseCategoricalCrossentropy(from_logits=True),
    "perplexity": M.Perplexity(),
    "Brier": M.BrierScore(axis=-1),
    "accuracy": M.SparseCategoricalAccuracy(),
    "top 2": M.SparseTopKCategoricalAccuracy(2),
    "top 9": M.SparseTopKCategoricalAccuracy(9),
}
EVERY = [
    *((metric, *PAIR) for metric in ELEMENTWISE.values()),
    *((metric, ONE_HOT, CLASSES) for metric in DENSE.values()),
    *((metric, LABELS, CLASSES) for metric in SPARSE.values()),
]
NAMES = [
    f"{kind} {name}"
    for kind, metrics in (("elementwise", ELEMENTWISE), ("dense", DENSE), ("sparse", SPARSE))
    for name in metrics
]
every = pytest.mark.parametrize(("metric", "y_true", "y_pred"), EVERY, ids=NAMES)


@every
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_an_included_nan_prediction_gives_nan(backend, metric, y_true, y_pred):
    for place in range(y_pred.size):
        spoilt = y_pred.copy()
        spoilt.reshape(-1)[place] = NAN
        assert np.isnan(host(metric(make(backend, y_true), make(backend, spoilt))))


@every
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_what_is_excluded_changes_no_bit(backend, metric, y_true, y_pred):
    mask = make(backend, np.asarray([True, True, False]))
    expected = host(metric(make(backend, y_true), make(backend, y_pred), mask=mask))
    assert not np.isnan(expected)
    for bad_pred, bad_true in ((NAN, NAN), (np.inf, -np.inf), (1e30, 1e30), (-3.0, -3.0)):
        true, pred = y_true.copy(), y_pred.copy()
        true[2], pred[2] = (-100 if true.dtype.kind == "i" else bad_true), bad_pred
        value = host(metric(make(backend, true), make(backend, pred), mask=mask))
        assert value.tobytes() == expected.tobytes()
        value = host(metric(make(backend, true), make(backend, pred), make(backend, [1, 1, 0])))
        assert value.tobytes() == expected.tobytes()


@every
def test_of_nothing_a_metric_is_nan(metric, y_true, y_pred):
    assert np.isnan(metric(y_true, y_pred, mask=np.asarray([False] * 3)))
    assert np.isnan(metric.compute(metric.zero(y_pred)))


@gradients
@pytest.mark.parametrize("name", ["WMAPE", "Brier", "RMSLE", "bias"])
def test_gradients_are_0_where_excluded_and_finite(backend, name):
    metric = ELEMENTWISE[name]
    y_true, mask = make(backend, [1.0, 0.0, NAN]), make(backend, [True, True, False])
    y_pred = make(backend, [0.75, 0.5, np.inf])
    _, (gradient,) = knowledge(backend).value_and_grad(
        lambda p: metric(y_true, p, mask=mask), [y_pred]
    )
    gradient = host(gradient)
    assert np.all(np.isfinite(gradient))
    assert gradient[1] != 0
    assert gradient[2] == 0


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "array_api_strict"])
def test_a_label_out_of_range_gives_nan(backend):
    pred = make(backend, PAIR[1])
    wrong = {
        "accuracy": ([2, 0, 1], [-1, 0, 1], [0.5, 0.0, 1.0], [NAN, 0.0, 1.0]),
        "Hamming": ([2, 0, 1], [-1, 0, 1], [0.5, 0.0, 1.0], [NAN, 0.0, 1.0]),
        "Brier": ([2, 0, 1], [-1, 0, 1], [1.5, 0.0, 1.0], [NAN, 0.0, 1.0]),
    }
    for name, labels in wrong.items():
        for y_true in labels:
            assert np.isnan(host(ELEMENTWISE[name](make(backend, y_true), pred)))
    for metric in SPARSE.values():
        for label in (-1, 3, 2**31 - 1):
            y_true = make(backend, np.asarray([0, label, 1], np.int32))
            assert np.isnan(host(metric(y_true, make(backend, CLASSES))))
    for row in ([0.0, 0.0, 0.0], [0.0, NAN, 1.0]):
        y_true = make(backend, [ONE_HOT[0], row, ONE_HOT[2]])
        assert np.isnan(host(DENSE["accuracy"](y_true, make(backend, CLASSES))))


def test_an_integer_prediction_is_a_label_and_no_probability():
    for metric in (M.BinaryAccuracy(), M.BinaryAccuracy(from_logits=True)):
        assert metric(np.asarray([1, 0]), np.asarray([1, 1])) == 0.5
        assert np.isnan(metric(np.asarray([1, 0]), np.asarray([1, 2])))
    assert M.HammingLoss()(np.asarray([1.0, 0.0]), np.asarray([1, 1])) == 0.5
    assert np.isnan(M.HammingLoss()(np.asarray([1.0, 2.0]), np.asarray([1, 2])))
    assert M.HammingLoss()(np.asarray([1, 2]), np.asarray([1, 2])) == 0


@pytest.mark.parametrize("name", SPARSE)
def test_a_value_a_class_where_labels_are_wanted(name):
    with pytest.raises(am.ShapeMismatchError, match=r"of shape \(3,\)") as info:
        SPARSE[name](ONE_HOT, CLASSES)
    mend = "xp.argmax(y_true, axis=1)" if name == "Brier" else "CategoricalAccuracy and their like"
    assert mend in str(info.value)
    with pytest.raises(am.ShapeMismatchError, match=r"squeeze\(y_true, axis=1\)"):
        SPARSE[name](LABELS[:, None], CLASSES)
    with pytest.raises(am.UnsupportedArrayError, match="expects integer labels"):
        SPARSE[name](LABELS.astype(float), CLASSES)


@pytest.mark.parametrize("name", DENSE)
def test_labels_where_a_value_a_class_is_wanted(name):
    with pytest.raises(am.ShapeMismatchError, match=r"expects y_true of shape \(3, 3\)") as info:
        DENSE[name](LABELS, CLASSES)
    assert "SparseCategoricalAccuracy" in str(info.value)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_shape_that_would_have_to_be_broadcast(name):
    for y_true in (PAIR[0][:, None], PAIR[0][:1], ONE_HOT):
        with pytest.raises(am.ShapeMismatchError, match="expects equal shapes"):
            ELEMENTWISE[name](y_true, PAIR[1])


def test_the_messages_name_the_metric():
    with pytest.raises(am.ShapeMismatchError, match="BrierScore expects equal shapes"):
        M.BrierScore()(LABELS[:2], LABELS)
    with pytest.raises(am.ShapeMismatchError, match=r"class: BrierScore\(axis=-1\)"):
        M.BrierScore()(LABELS, CLASSES)
    with pytest.raises(am.ShapeMismatchError, match="BrierScore expects y_true of shape"):
        M.BrierScore(axis=1)(np.ones(2, int), CLASSES)
    with pytest.raises(am.ShapeMismatchError, match=r"^y_true .* sparse_categorical_accuracy exp"):
        M.SparseCategoricalAccuracy()(np.ones(2, int), CLASSES)
    with pytest.raises(am.UnsupportedArrayError, match="SparseTopKCategoricalAccuracy expects"):
        M.SparseTopKCategoricalAccuracy(2)(np.ones(3), CLASSES)
    with pytest.raises(am.UnsupportedArrayError, match="SparseCategoricalAccuracy expects"):
        M.SparseCategoricalAccuracy()(np.ones(3), CLASSES)


@pytest.mark.parametrize("name", [*DENSE, *(f"sparse {name}" for name in SPARSE)])
def test_no_classes_and_one_class(name):
    sparse = name.startswith("sparse ")
    metric = SPARSE[name.removeprefix("sparse ")] if sparse else DENSE[name]
    with pytest.raises(am.ShapeMismatchError, match="no classes along axis 1"):
        metric(np.zeros(3, int) if sparse else np.zeros((3, 0)), np.zeros((3, 0)))
    y_true = np.zeros(2, int) if sparse else np.ones((2, 1))
    value = metric(y_true, np.asarray([[0.25], [0.75]]))
    expected = {
        "perplexity": 1,
        "Brier": (0.75**2 + 0.25**2) / 2,
        "hinge": 0.5,  # 1 + 0 - p
        "log loss": 0,
        "log loss, logits": 0,
    }
    assert value == expected.get(name.removeprefix("sparse "), 1)


def test_bad_options_are_refused_before_any_data():
    for make_it, name in (
        (lambda: M.PinballLoss(0), "quantile is 0"),
        (lambda: M.PinballLoss(1.0), "quantile is 1.0"),
        (lambda: M.PinballLoss(NAN), "quantile is nan"),
        (lambda: M.TweedieDeviance(0.5), "power is 0.5"),
        (lambda: M.TweedieDeviance(NAN), "power is nan"),
        (lambda: M.BinaryCrossentropy(label_smoothing=1.5), "label_smoothing is 1.5"),
        (lambda: M.CategoricalCrossentropy(label_smoothing=-0.1), "label_smoothing is -0.1"),
        (lambda: M.BinaryAccuracy(threshold=50), "threshold is 50"),
        (lambda: M.BinaryAccuracy(threshold=1, from_logits=True), "threshold is 1"),
        (lambda: M.HammingLoss(threshold=NAN), "threshold is nan"),
        (lambda: M.SparseTopKCategoricalAccuracy(0), "k is 0"),
        (lambda: M.SparseTopKCategoricalAccuracy(2.0), "k is 2.0"),
        (lambda: M.SparseTopKCategoricalAccuracy(True), "k is True"),
        (lambda: M.SparseTopKCategoricalAccuracy("a"), "k is 'a'; expected an integer"),
        (lambda: M.Variance(correction=NAN), "correction is nan; expected a finite"),
        (lambda: M.StandardDeviation(-np.inf), "correction is -inf"),
        (lambda: M.D2TweedieScore(0.5), "power is 0.5"),
        (lambda: M.FBeta(beta=np.inf), "beta is inf"),
    ):
        with pytest.raises(ValueError, match=name):
            make_it()
    assert M.BinaryAccuracy(threshold=1)(np.asarray([0.0]), np.asarray([1.0])) == 1


WITH_AXIS = (
    M.BrierScore,
    M.CategoricalAccuracy,
    M.CategoricalCrossentropy,
    M.CategoricalHinge,
    M.CosineSimilarity,
    M.Perplexity,
    M.SparseCategoricalAccuracy,
    M.SparseCategoricalCrossentropy,
    M.SparseTopKCategoricalAccuracy,
)
WITH_LABEL = (M.F1, M.Perplexity, M.SparseCategoricalAccuracy, M.SparseTopKCategoricalAccuracy)
WITH_LOGITS = (M.BinaryCrossentropy, M.CategoricalCrossentropy, M.Perplexity)
WITH_THRESHOLD = (M.BinaryAccuracy, M.F1, M.HammingLoss)


@pytest.mark.parametrize("value", ["x", 1.5, [0, 1], np.ones(2), True])
def test_an_option_that_is_no_integer_is_named_before_any_data(value):
    for metrics, name in ((WITH_AXIS, "axis"), (WITH_LABEL, "ignore_class")):
        for metric in metrics:
            with pytest.raises(ValueError, match=f"^{name} is .*; expected (an|one) integer"):
                metric(**{name: value})


@pytest.mark.parametrize("value", ["x", None, [0.1, 0.9], np.ones(2), np.ones(2) / 2])
def test_an_option_that_is_no_number_is_named_before_any_data(value):
    for metrics, name in (
        ((M.PinballLoss,), "quantile"),
        ((M.TweedieDeviance, M.D2TweedieScore), "power"),
        ((M.Variance, M.StandardDeviation), "correction"),
        ((M.FBeta,), "beta"),
        (WITH_THRESHOLD, "threshold"),
    ):
        for metric in metrics:
            with pytest.raises(TypeError, match=f"^{name} is .*; expected a"):
                metric(**{name: value})


@pytest.mark.parametrize("value", ["no", 0, None, np.ones(2)])
def test_an_option_that_is_neither_true_nor_false(value):
    for metric in (*WITH_LOGITS, *WITH_THRESHOLD):
        with pytest.raises(TypeError, match=r"^from_logits is .*; expected True or False"):
            metric(from_logits=value)


def test_integers_of_any_type_are_options():
    metric = M.SparseTopKCategoricalAccuracy(np.int64(2), axis=np.int8(-1), ignore_class=np.int8(0))
    same = M.SparseTopKCategoricalAccuracy(2, ignore_class=0)
    assert metric.statistic == same.statistic
    assert metric(LABELS, CLASSES) == same(LABELS, CLASSES)


def test_probabilities_beside_three_classes_are_not_taken_for_labels():
    with pytest.raises(am.ShapeMismatchError, match="leave num_classes at 2") as info:
        M.F1(3, average="macro")(LABELS, PAIR[1])
    assert "astype" not in str(info.value)


def test_an_axis_out_of_range():
    for metric in (M.BrierScore(axis=2), M.SparseCategoricalAccuracy(axis=-3)):
        with pytest.raises(am.AxisError, match="axis is"):
            metric(LABELS, CLASSES)
