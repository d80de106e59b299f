"""What metrics of a confusion matrix refuse, and what they say."""

import dask.array
import numpy as np
import pytest

import agnostic_mask as am
from agnostic_mask.metrics import (
    F1,
    Accuracy,
    CohenKappa,
    ConfusionMatrix,
    FBeta,
    IoU,
    MeanIoU,
    Precision,
    Recall,
)

from .arrays import backends, make

OPTIONS = {
    "no class": (lambda: Accuracy(0), "num_classes is 0; expected an integer of at least 2"),
    "one class": (lambda: MeanIoU(1), "num_classes is 1; expected an integer of at least 2"),
    "true": (lambda: Accuracy(True), "num_classes is True"),
    "half a class": (lambda: Accuracy(2.5), "num_classes is 2.5"),
    "threshold": (
        lambda: F1(threshold=1.5),
        "threshold is 1.5; expected a probability from 0 to 1",
    ),
    "threshold of logits": (
        lambda: F1(threshold=0.0, from_logits=True),
        "threshold is 0.0; .* for logits too",
    ),
    "threshold of NaN": (lambda: F1(threshold=float("nan")), "threshold is nan"),
    "axis": (lambda: F1(axis=None), "axis is None; expected an integer, the class axis of y_pred"),
    "ignored": (
        lambda: F1(ignore_class=[0, 1]),
        r"ignore_class is \[0, 1\]; expected one integer label, or None; .* make a mask",
    ),
    "ignored float": (lambda: F1(ignore_class=0.5), "ignore_class is 0.5"),
    "average": (lambda: F1(average="samples"), "average is 'samples'; expected 'binary', 'micro'"),
    "binary": (
        lambda: IoU(3),
        "average is 'binary' and num_classes 3; expected one of 'micro', 'macro', 'weighted' and",
    ),
    "zero division": (
        lambda: Recall(zero_division="warn"),
        "zero_division is 'warn'; expected a number such as 0.0, or NaN",
    ),
    "beta": (lambda: FBeta(beta=-1.0), "beta is -1.0; expected a finite number of at least 0"),
    "beta without end": (lambda: FBeta(beta=float("inf")), "beta is inf"),
    "normalize": (
        lambda: ConfusionMatrix(normalize=True),
        "normalize is True; expected 'true', 'pred', 'all' or None",
    ),
    "distance": (
        lambda: CohenKappa(distance="squared"),
        "distance is 'squared'; expected 'linear', 'quadratic' or None",
    ),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_that_is_none_says_what_was_expected(name):
    make_metric, message = OPTIONS[name]
    with pytest.raises(ValueError, match=message):
        make_metric()


@pytest.mark.parametrize("metric", [Accuracy, Precision])
def test_only_the_number_of_classes_may_go_without_its_name(metric):
    with pytest.raises(TypeError, match="positional"):
        metric(2, 0.5)


def test_beta_has_no_default():
    with pytest.raises(TypeError, match="beta"):
        FBeta()


THREE = {"num_classes": 3, "average": "micro"}
SHAPES = {
    "crossed": ((4,), (4, 1), {}, r"y_pred \(4, 1\); .*squeeze\(y_pred, axis=-1\)"),
    "crossed back": ((4, 1), (4,), {}, r"y_true has shape \(4, 1\).*squeeze\(y_true, axis=-1\)"),
    "other lengths": ((4,), (5,), {}, r"y_true has shape \(4,\) and y_pred \(5,\); expected equal"),
    "other number of classes": (
        (4,),
        (4, 5),
        THREE,
        r"one more axis, -1, of length 3: .*If axis -1 is meant, set num_classes=5",
    ),
    "class axis elsewhere": ((4,), (3, 4), THREE, r"y_pred \(3, 4\).*one more axis, -1"),
    "one-hot": ((4, 3), (4,), THREE, r"one-hot rows: xp\.argmax\(y_true, axis=-1\)"),
    "no axis to be one": ((4,), (), THREE, r"y_pred \(\)"),
    "two axes more": ((4,), (4, 3, 3), THREE, r"y_pred \(4, 3, 3\)"),
}


@backends
@pytest.mark.parametrize("name", SHAPES)
def test_shapes_that_do_not_fit(backend, name):
    true, pred, options, message = SHAPES[name]
    y_true, y_pred = make(backend, np.zeros(true, int)), make(backend, np.zeros(pred))
    if name in ("one-hot",):
        y_pred = make(backend, np.zeros(pred, int))
    with pytest.raises(am.ShapeMismatchError, match=message):
        Precision(**options)(y_true, y_pred)


@backends
def test_one_hot_rows_beside_probabilities_of_more_than_two_classes(backend):
    y_true, y_pred = np.eye(3)[[0, 2, 1, 1]], np.full((4, 3), 1 / 3)
    for kind in ("int32", "float32"):
        with pytest.raises(am.AgnosticMaskError, match=r"xp\.argmax\(y_true, axis=-1\)"):
            Precision(**THREE)(make(backend, y_true, kind), make(backend, y_pred))


@pytest.mark.parametrize(
    ("shape", "mend"),
    [
        ((3,), "One probability tells two classes apart"),
        ((), "One probability tells two classes apart"),
        ((2, 3, 4), "One probability tells two classes apart"),
        ((2, 4, 3), "Make labels of one-hot rows"),
    ],
)
def test_only_rows_as_long_as_there_are_classes_are_taken_for_one_hot(shape, mend):
    with pytest.raises(am.ShapeMismatchError, match=mend):
        Accuracy(3)(np.zeros(shape, int), np.zeros(shape))


@backends
@pytest.mark.parametrize("kind", ["bool", "float32"])
def test_labels_of_more_than_two_classes_are_integers(backend, kind):
    labels, good = np.asarray([0, 1, 1]), make(backend, np.asarray([0, 1, 2]))
    with pytest.raises(am.UnsupportedArrayError, match=r"y_true has dtype .* labels from 0 to 2"):
        Accuracy(3)(make(backend, labels, kind), good)
    where = r"y_pred has dtype .* labels from 0 to 2" if kind == "bool" else "a value for each"
    with pytest.raises(am.AgnosticMaskError, match=where):
        Accuracy(3)(good, make(backend, labels, kind))


@backends
def test_integers_along_a_class_axis_are_no_labels(backend):
    y_true, y_pred = make(backend, np.zeros(4, int)), make(backend, np.ones((4, 3), int))
    with pytest.raises(am.UnsupportedArrayError, match=r"make labels of it|Make labels of it: xp"):
        Accuracy(3)(y_true, y_pred)


def test_the_class_axis_is_one_of_y_pred():
    with pytest.raises(am.AxisError, match="axis is 2; expected an integer from -2 to 1"):
        Accuracy(3, axis=2)(np.zeros(4, int), np.zeros((4, 3)))


def test_a_class_axis_without_classes():
    with pytest.raises(am.ShapeMismatchError, match="of length 3"):
        Accuracy(3)(np.zeros(4, int), np.zeros((4, 0)))


@backends
@pytest.mark.parametrize("name", ["mask", "weights"])
def test_covers_lie_over_leading_axes_of_y_true(backend, name):
    covers = {name: make(backend, np.ones(3, bool))}
    y_true, y_pred = make(backend, np.zeros((4, 3), int)), make(backend, np.zeros((4, 3)))
    with pytest.raises(am.ShapeMismatchError, match=rf"{name} has shape \(3,\) and y_true shape"):
        F1()(y_true, y_pred, **covers)


@pytest.mark.parametrize("place", [0, 1])
def test_none_and_lists_are_no_arrays(place):
    arrays = [np.zeros(3, int), np.zeros(3)]
    name = ("y_true", "y_pred")[place]
    for bad in (None, [0, 1, 0], np.ma.zeros(3), np.zeros(3, complex)):
        arrays[place] = bad
        with pytest.raises(am.UnsupportedArrayError, match=name):
            F1()(*arrays)


def test_a_float_mask_belongs_to_weights():
    with pytest.raises(am.UnsupportedArrayError, match="weights=mask"):
        F1()(np.zeros(3, int), np.zeros(3), mask=np.ones(3))


def test_unknown_dask_shapes_are_named():
    x = dask.array.from_array(np.arange(4.0), chunks=2)
    with pytest.raises(am.ShapeMismatchError, match="compute_chunk_sizes"):
        F1()(x, x[x > 1])


def test_other_frameworks_in_one_batch():
    with pytest.raises(am.MixedFrameworksError, match="y_pred"):
        F1()(np.zeros(3, int), make("torch", np.zeros(3)))


def test_states_of_other_metrics_are_told_apart():
    precision, mean = Precision(), am.metrics.MeanSquaredError()
    with pytest.raises(am.StateMismatchError, match="confusion of 2 classes"):
        precision.compute(mean.zero(like=np.ones(1)))
    with pytest.raises(am.StateMismatchError, match="confusion of 3 classes"):
        precision.merge(precision.zero(like=np.ones(1)), Accuracy(3).zero(like=np.ones(1)))
