import functools
import re

import numpy as np
import pytest

import agnostic_mask as am

from .arrays import BACKENDS, backends, make

L, partial = am.losses, functools.partial
ELEMENTWISE = (
    L.absolute_percentage_error,
    L.binary_focal_crossentropy,
    L.charbonnier,
    L.gamma_deviance,
    L.hinge,
    L.log_cosh,
    L.pinball,
    L.poisson,
    L.smooth_l1,
    L.squared_hinge,
    L.squared_logarithmic_error,
    L.symmetric_absolute_percentage_error,
    L.tweedie_deviance,
)
OF_CLASSES = (
    L.categorical_crossentropy,
    L.categorical_focal_crossentropy,
    L.categorical_hinge,
    L.cosine_similarity,
    L.js_divergence,
    L.kl_divergence,
)
OF_LABELS = (
    L.categorical_generalized_cross_entropy,
    L.nll,
    L.sparse_categorical_crossentropy,
)
UNIT = "a number from 0 to 1"
ABOVE = "a number above 0"
BAD = [
    (L.binary_crossentropy, "pos_weight", (-0.5, np.inf, np.nan), "at least 0"),
    (L.binary_focal_crossentropy, "alpha", (-0.1, 1.1, np.nan), UNIT),
    (L.binary_focal_crossentropy, "gamma", (-1.0, np.inf, np.nan), "at least 0"),
    (L.binary_focal_crossentropy, "label_smoothing", (-0.1, 1.1, np.nan), UNIT),
    (L.categorical_focal_crossentropy, "alpha", (-0.1, 1.1, np.nan), UNIT),
    (L.categorical_focal_crossentropy, "gamma", (-1.0, np.inf, np.nan), "at least 0"),
    (L.categorical_focal_crossentropy, "label_smoothing", (-0.1, 1.1, np.nan), UNIT),
    (L.categorical_generalized_cross_entropy, "q", (0, -0.5, 1.5, np.nan), "at most 1"),
    (L.charbonnier, "epsilon", (0, -1e-3, np.nan), ABOVE),
    (L.gaussian_nll, "epsilon", (0, -1e-6, np.nan), ABOVE),
    (L.pinball, "quantile", (0, 1, -0.5, 1.5, np.nan), "between 0 and 1"),
    (L.smooth_l1, "beta", (0, -1.0, np.nan), ABOVE),
    (L.tweedie_deviance, "power", (0.5, 1e-9, np.nan, np.inf, -np.inf), "at most 0 or at least 1"),
]


def raises(error, *words):
    """Expect an error whose message has each of the words."""
    return pytest.raises(error, match="".join(f"(?=.*{re.escape(w)})" for w in words))


def targets_of(loss, y_pred):
    """Targets that fit rows of two values."""
    if loss in OF_LABELS:
        return np.zeros(y_pred.shape[:-1], int)
    return np.zeros(y_pred.shape[:-1]) if loss is L.gaussian_nll else np.ones(y_pred.shape)


@pytest.mark.parametrize(
    ("loss", "option", "value", "expected"),
    [(loss, option, value, expected) for loss, option, values, expected in BAD for value in values],
)
def test_bad_options_are_named(loss, option, value, expected):
    y_pred = np.ones((3, 2))
    with raises(ValueError, f"{option} is {value!r}", expected):
        loss(targets_of(loss, y_pred), y_pred, **{option: value})


@pytest.mark.parametrize(("loss", "name", "values", "expected"), BAD)
def test_options_that_are_no_numbers_are_named(loss, name, values, expected):
    y_pred = np.ones((3, 2))
    for value in ("a", None, np.ones(2)):
        with raises(TypeError, f"{name} is {value!r}", expected):
            loss(targets_of(loss, y_pred), y_pred, **{name: value})


def test_ends_of_the_options_that_are_allowed():
    one, rows, label = np.ones(1), np.asarray([[0.25, 0.75]]), np.asarray([0])
    assert L.categorical_generalized_cross_entropy(label, rows, q=1)[0] == pytest.approx(0.75)
    assert L.binary_crossentropy(one, one / 2, pos_weight=0).tolist() == [0]
    assert L.tweedie_deviance(one, one, power=1).tolist() == [0]
    for alpha in (0, 1):
        value = L.categorical_focal_crossentropy(rows, rows, alpha=alpha, gamma=0)
        assert value.tolist() == (alpha * L.categorical_crossentropy(rows, rows)).tolist()


@pytest.mark.parametrize("loss", ELEMENTWISE)
def test_elementwise_losses_broadcast_nothing(loss):
    for call in (loss, am.weighted_masked_objective(loss)):
        for true, pred in (((3,), (3, 1)), ((), (3,)), ((3, 1), (3, 3))):
            with raises(am.ShapeMismatchError, "y_true", str(true), str(pred), "equal shapes"):
                call(np.ones(true), np.ones(pred))


@pytest.mark.parametrize("loss", [*OF_CLASSES, *OF_LABELS, L.gaussian_nll])
@pytest.mark.parametrize("true", [(3,), (4, 1), (2, 4), (4, 2, 1), ()])
def test_losses_of_classes_name_both_shapes(loss, true):
    kind = int if loss in OF_LABELS else float
    for call in (loss, am.weighted_masked_objective(loss)):
        with raises(am.ShapeMismatchError, f"y_true has shape {true}", "(4, 2)", loss.__name__):
            call(np.zeros(true, kind), np.ones((4, 2)))


@pytest.mark.parametrize("loss", OF_CLASSES)
def test_labels_are_pointed_to_the_sparse_loss(loss):
    expected = f"{loss.__name__} expects y_true of shape (4, 2) (a value a class)"
    for call in (loss, am.weighted_masked_objective(loss)):
        for labels in (np.zeros(4, int), np.zeros((4, 1), int)):
            with raises(am.ShapeMismatchError, expected, "sparse_categorical_crossentropy"):
                call(labels, np.ones((4, 2)))


@pytest.mark.parametrize("loss", OF_LABELS)
def test_a_value_a_class_is_pointed_to_the_dense_loss(loss):
    y_pred = np.ones((4, 2))
    words = loss.__name__, "categorical_crossentropy"
    for call in (loss, am.weighted_masked_objective(loss)):
        with raises(am.ShapeMismatchError, *words, "expects y_true of shape (4,)"):
            call(np.zeros((4, 2), int), y_pred)
        with raises(am.UnsupportedArrayError, *words, "float64", "integer labels", "xp.astype"):
            call(np.zeros(4), y_pred)
    with raises(am.UnsupportedArrayError, *words, "float64", "integer labels"):
        loss(np.zeros((4, 2)), y_pred)


@pytest.mark.parametrize("loss", [*OF_LABELS, L.gaussian_nll])
def test_a_column_of_labels_is_told_to_drop_its_axis(loss):
    kind = float if loss is L.gaussian_nll else int
    for call in (loss, am.weighted_masked_objective(loss)):
        with raises(am.ShapeMismatchError, "(4, 1)", "(4,)", "xp.squeeze(y_true, axis=1)") as e:
            call(np.zeros((4, 1), kind), np.ones((4, 2)))
        assert "a value a class" not in str(e.value)


def test_an_ignored_class_leaves_the_message_as_it_is():
    objective = am.weighted_masked_objective(
        partial(L.sparse_categorical_crossentropy, ignore_class=-1), reduction="mean"
    )
    with raises(am.ShapeMismatchError, "expects y_true of shape (4,)", "categorical_crossentropy"):
        objective(np.zeros((4, 2), int), np.ones((4, 2)))


def test_a_function_that_does_not_say_takes_labels_and_values_a_class():
    @am.scores(class_axis=-1)
    def first(y_true, y_pred):
        return y_pred[..., 0]

    objective = am.weighted_masked_objective(first, reduction="mean")
    y_pred = np.ones((4, 2))
    assert objective(np.ones((4, 2)), y_pred) == objective(np.zeros(4, int), y_pred) == 1
    with raises(am.ShapeMismatchError, "(4, 2) (a value a class) or (4,) (a label)"):
        objective(np.ones(3), y_pred)


@pytest.mark.parametrize("loss", [*OF_CLASSES, *OF_LABELS])
def test_no_classes_are_an_error_and_one_is_none(loss):
    kind = int if loss in OF_LABELS else float
    for true, pred in (((4, 0), (4, 0)),) if kind is float else (((4,), (4, 0)),):
        with raises(am.ShapeMismatchError, str(pred), "no classes along axis 1"):
            loss(np.zeros(true, kind), np.ones(pred))
    y_pred = np.full((4, 1), 0.5)
    assert loss(targets_of(loss, y_pred), y_pred).shape == (4,)


@pytest.mark.parametrize("axis", [2, -3, True, 1.5, "a", (0,)])
@pytest.mark.parametrize("loss", [*OF_CLASSES, *OF_LABELS, L.gaussian_nll])
def test_a_bad_class_axis_is_an_axis_error(loss, axis):
    bound, y_pred = partial(loss, axis=axis), np.ones((3, 2))
    for call in (bound, am.weighted_masked_objective(bound)):
        with raises(am.AxisError, "axis", repr(axis)):
            call(targets_of(loss, y_pred), y_pred)


@pytest.mark.parametrize("length", [0, 1, 3])
def test_a_normal_distribution_has_mean_and_variance(length):
    words = ("no classes",) if length == 0 else ("mean and variance", "xp.stack", f"{length}")
    for call in (L.gaussian_nll, am.weighted_masked_objective(L.gaussian_nll)):
        with raises(am.ShapeMismatchError, f"(4, {length})", *words):
            call(np.zeros(4), np.ones((4, length)))


@backends
def test_integers_and_booleans_are_brought_to_a_float_type(backend):
    for loss in ELEMENTWISE:
        floats = loss(make(backend, [1.0, 1.0]), make(backend, [0.5, 0.25]))
        for kind in (bool, np.int8, np.int32, np.uint8):
            found = loss(make(backend, np.asarray([1, 1], kind)), make(backend, [0.5, 0.25]))
            assert found.dtype == floats.dtype
            assert bool(am.all(found == floats))


def test_another_framework_s_array_is_refused():
    torch_s, numpy_s = (make(name, [[0.5, 0.5]]) for name in BACKENDS[1::-1])
    for loss in (*ELEMENTWISE, *OF_CLASSES):
        with raises(am.MixedFrameworksError, "y_pred", "torch", "numpy"):
            loss(numpy_s, torch_s)
