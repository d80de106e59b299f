import functools
import re

import dask.array
import numpy as np
import pytest
import torch

import agnostic_mask as am

from .arrays import BACKENDS, backends, dtype_of, host, make

OBJECTIVES = {
    r: am.weighted_masked_objective(am.losses.squared_error, reduction=r)
    for r in ("keras2", "keras3", "mean", "sum", "none")
}
MEAN = OBJECTIVES["mean"]
REDUCING = (am.sum, am.mean, am.var, am.std, am.count, am.sum_of_weights)
PICKING = (am.min, am.max, am.any, am.all)
EVERY = (*REDUCING, *PICKING, am.logsumexp)


def raises(error, *words):
    """Expect `error` with a message that has all these words, in this order."""
    return pytest.raises(error, match="(?s)" + ".*".join(map(re.escape, words)))


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (am.UnsupportedArrayError, TypeError),
        (am.MixedFrameworksError, TypeError),
        (am.MixedDevicesError, ValueError),
        (am.ShapeMismatchError, ValueError),
        (am.AxisError, ValueError),
        (am.AxisError, IndexError),
        (am.CopyRequiredError, ValueError),
        (am.StateMismatchError, ValueError),
    ],
)
def test_every_error_is_ours_and_a_builtin(error, builtin):
    assert issubclass(error, am.AgnosticMaskError)
    assert issubclass(error, builtin)


# -- what is not an array, or not one to compute with --

NOT_ARRAYS = {
    "list": ([1.0, 2.0], "list"),
    "tuple": ((1.0, 2.0), "tuple"),
    "float": (1.0, "float"),
    "str": ("ab", "str"),
    "masked": (np.ma.masked_array([1.0, 2.0], [True, False]), "MaskedArray"),
    "matrix": (np.matrix([1.0, 2.0]), "matrix"),
    "recarray": (np.rec.array([(1.0,)], dtype=[("a", "f8")]), "recarray"),
    "object": (np.asarray([1.0, None], dtype=object), "object"),
    "string": (np.asarray(["a", "b"]), "<U1"),
    "bytes": (np.asarray([b"a", b"b"]), "|S1"),
    "datetime": (np.asarray(["2020-01-01", "NaT"], dtype="M8[D]"), "datetime64"),
    "timedelta": (np.asarray([1, 2], dtype="m8[s]"), "timedelta64"),
    "structured": (np.zeros(2, dtype=[("a", "f8")]), "[('a', '<f8')]"),
    "void": (np.zeros(2, dtype="V4"), "V4"),
    "complex64": (np.zeros(2, np.complex64), "complex64"),
    "complex128": (np.zeros(2, np.complex128), "complex128"),
    "longdouble": (np.zeros(2, np.longdouble), np.dtype(np.longdouble).name),
    "torch sparse": (torch.eye(2).to_sparse(), "sparse_coo"),
    "torch nested": (torch.nested.nested_tensor([torch.ones(1)], layout=torch.jagged), "nested"),
    "torch complex": (torch.zeros(2, dtype=torch.complex64), "complex64"),
    "dask masked": (dask.array.from_array(np.ma.masked_array([1.0], [True])), "MaskedArray"),
    "dask matrix": (dask.array.from_array(np.matrix([1.0]), asarray=False), "matrix"),
    "dask object": (
        dask.array.from_array(np.asarray([1, None], dtype=object), chunks=2),
        "object",
    ),
    "dask complex": (dask.array.from_array(np.zeros(2, np.complex64)), "complex64"),
    "strict complex": (make("array_api_strict", [0j]), "complex128"),
    "type": (np.ndarray, "type"),
    "module": (np, "module"),
}
not_arrays = pytest.mark.parametrize("case", NOT_ARRAYS)


@not_arrays
def test_reductions_refuse_what_is_not_an_array_of_numbers(case):
    x, came = NOT_ARRAYS[case]
    for reduce in (*EVERY, am.softmax):
        with raises(am.UnsupportedArrayError, "x ", came):
            reduce(x)


@not_arrays
@pytest.mark.parametrize("name", ["y_true", "y_pred", "weights", "mask"])
def test_the_objective_names_the_argument_that_is_not_an_array_of_numbers(case, name):
    x, came = NOT_ARRAYS[case]
    arrays = {"y_true": np.ones(2), "y_pred": np.ones(2), "weights": None, "mask": None}
    framework = case.split()[0].replace("strict", "array_api_strict")
    if framework in BACKENDS:  # beside arrays of its own framework
        arrays["y_true"] = arrays["y_pred"] = make(framework, [1.0, 1.0])
    arrays[name] = x
    with raises(am.UnsupportedArrayError, name, came):
        MEAN(**arrays)


@not_arrays
def test_losses_helpers_and_convert_refuse_it_too(case):
    x, came = NOT_ARRAYS[case]
    for call in (
        lambda: am.losses.squared_error(x, x),
        lambda: am.losses.categorical_crossentropy(x, x),
        lambda: am.losses.sparse_categorical_crossentropy(x, x),
        lambda: am.sequence_mask(x, 3),
        lambda: am.class_weights(x, x),
        lambda: am.convert(x, like=np.ones(1)),
        lambda: am.convert(np.ones(1), like=x),
        lambda: MEAN.zero(x),
    ):
        with raises(am.UnsupportedArrayError, came):
            call()


def test_none_where_an_array_is_needed_is_named():
    for name, call in {
        "x": lambda: am.sum(None),
        "y_true": lambda: MEAN(None, np.ones(1)),
        "y_pred": lambda: MEAN(np.ones(1), None),
        "y_pred ": lambda: am.losses.huber(np.ones(1), None),
    }.items():
        with raises(am.UnsupportedArrayError, f"{name.strip()} is None", "expected"):
            call()


def test_a_masked_array_s_message_warns_of_its_polarity():
    with raises(am.UnsupportedArrayError, "True where an element is left out", "mask=~"):
        am.sum(np.ma.masked_array([1.0], [True]))


def test_extended_key_types_of_jax_are_refused():
    import jax

    with raises(am.UnsupportedArrayError, "x ", "key<"):
        am.sum(jax.random.key(0))


def test_dispatch_refuses_lists_wherever_they_stand():
    for call in (
        lambda: am.dispatch([1.0]),
        lambda: am.dispatch(np.ones(1), [1.0]),
        lambda: am.dispatch(np.ones(1), mask=[True]),
    ):
        with raises(am.UnsupportedArrayError, "list"):
            call()
    with raises(am.UnsupportedArrayError, "no array"):
        am.dispatch(None, 1.0, axis=(1, 2))


# -- arrays that do not belong together --


@pytest.mark.parametrize("first", BACKENDS)
@pytest.mark.parametrize("second", BACKENDS)
def test_two_frameworks_are_never_mixed(first, second):
    if first == second:
        assert host(MEAN(make(first, [1.0]), make(second, [3.0]))) == 4.0
        return
    a, b = make(first, [1.0]), make(second, [1.0])
    for name, call in {
        "y_pred": lambda: MEAN(a, b),
        "weights": lambda: MEAN(a, a, b),
        "mask": lambda: am.sum(a, mask=b != 0),
        "weights ": lambda: am.mean(a, weights=b),
        "table": lambda: am.class_weights(make(first, [0]), b),
    }.items():
        with raises(am.MixedFrameworksError, name.strip(), second, first, "agnostic_mask.convert"):
            call()


def strict_on(device, x):
    import array_api_strict

    return make("array_api_strict", x).to_device(array_api_strict.Device(device))


@pytest.mark.parametrize(
    ("a", "b", "devices"),
    [
        (strict_on("device1", [1.0]), strict_on("device2", [1.0]), ("device2", "device1")),
        (strict_on("CPU_DEVICE", [1.0]), strict_on("device1", [1.0]), ("device1", "CPU_DEVICE")),
        (torch.ones(1), torch.ones(1, device="meta"), ("meta", "cpu")),
    ],
)
def test_two_devices_are_never_mixed(a, b, devices):
    for name, call in {
        "y_pred": lambda: MEAN(a, b),
        "weights": lambda: MEAN(a, a, b),
        "mask": lambda: am.sum(a, mask=b != 0),
    }.items():
        with raises(am.MixedDevicesError, name, *devices, "agnostic_mask.convert"):
            call()
    sums = OBJECTIVES["sum"]
    with raises(am.MixedDevicesError, "right", "left"):
        sums.merge(sums.zero(a), sums.zero(b))


def test_states_of_two_frameworks_do_not_merge():
    with raises(am.MixedFrameworksError, "right", "left"):
        MEAN.merge(MEAN.zero(np.ones(1)), MEAN.zero(torch.ones(1)))


# -- shapes --


@backends
@pytest.mark.parametrize("name", ["mask", "weights"])
@pytest.mark.parametrize(
    ("shape", "hint"),
    [((3,), True), ((3, 5), True), ((1, 4), False), ((2, 3, 5, 1), False), ((0,), False)],
)
def test_masks_and_weights_cover_leading_axes_or_raise(backend, name, shape, hint):
    x = make(backend, np.ones((2, 4, 3, 5) if shape == (3, 5) else (2, 3, 5)))
    if shape == (3,):
        x = make(backend, np.ones((2, 3)))
    other = make(backend, np.ones(shape) != 0)
    words = [name, str(shape), str(tuple(x.shape)), "leading"]
    if hint:
        words += ["trailing", f"{name}[None"]
    with raises(am.ShapeMismatchError, *words):
        am.sum(x, **{name: other})
    for objective in OBJECTIVES.values():
        with raises(am.ShapeMismatchError, *words):
            objective(x, x, **{name: other})


def test_a_square_array_takes_a_vector_along_its_first_axis():
    x = np.asarray([[1.0, 2.0], [10.0, 20.0]])
    assert am.sum(x, weights=np.asarray([1.0, 0.0])) == 3.0
    assert MEAN(np.zeros((2, 2)), x, mask=np.asarray([False, True])) == 250.0


@pytest.mark.parametrize(
    "loss",
    [am.losses.squared_error, am.losses.absolute_error, am.losses.huber],
)
@pytest.mark.parametrize(
    ("true", "pred"), [((3,), (3, 1)), ((3, 1), (3,)), ((1,), (3,)), ((), (3,)), ((3, 1), (3, 3))]
)
def test_declared_losses_broadcast_nothing(loss, true, pred):
    for call in (loss, am.weighted_masked_objective(loss)):
        with raises(am.ShapeMismatchError, "y_true", str(true), str(pred), "equal shapes"):
            call(np.zeros(true), np.zeros(pred))


@backends
@pytest.mark.parametrize("reduces_itself", [False, True])
def test_an_undeclared_function_never_makes_a_square_of_a_column(backend, reduces_itself):
    def squared(y_true, y_pred):
        scores = (y_true - y_pred) ** 2
        return am.dispatch(scores).xp.mean(scores, axis=-1) if reduces_itself else scores

    objective = am.weighted_masked_objective(squared)
    for true, pred in (((3,), (3, 1)), ((3, 1), (3,))):
        with raises(am.ShapeMismatchError, "y_true", str(true), "y_pred", str(pred)):
            objective(make(backend, np.zeros(true)), make(backend, np.zeros(pred)))


@pytest.mark.parametrize(
    ("loss", "true", "pred"),
    [
        (am.losses.sparse_categorical_crossentropy, (3, 1), (3, 4)),
        (am.losses.sparse_categorical_crossentropy, (4,), (3, 4)),
        (am.losses.sparse_categorical_crossentropy, (3, 4), (3, 4)),
        (am.losses.categorical_crossentropy, (4,), (3, 4)),
        (am.losses.categorical_crossentropy, (3,), (3, 4)),
        (am.losses.categorical_crossentropy, (3, 0), (3, 0)),
    ],
)
def test_class_losses_name_both_shapes(loss, true, pred):
    for call in (loss, am.weighted_masked_objective(loss)):
        with raises(am.ShapeMismatchError, str(pred)):
            call(np.zeros(true, dtype=int), np.zeros(pred))


def test_a_declared_function_must_keep_its_word():
    @am.scores()
    def summed(y_true, y_pred):
        return (y_pred - y_true).sum(axis=-1)

    with raises(am.ShapeMismatchError, "summed", "(3,)", "(3, 2)"):
        am.weighted_masked_objective(summed)(np.zeros((3, 2)), np.zeros((3, 2)))


def unknown(x):
    """A Dask array of the elements of `x`, with a first dimension that is not known."""
    x = make("dask", x)
    return x[x[(slice(None), *[0] * (x.ndim - 1))] >= -1e9]


def test_unknown_dask_dimensions_are_a_named_error():
    x, labels, rows = unknown(np.ones(4)), unknown([0, 1]), unknown(np.ones((2, 3)))
    known = make("dask", np.ones(4))
    for name, call in {
        "x": lambda: am.sum(x),
        "mask": lambda: am.sum(known, mask=x != 0),
        "weights": lambda: am.sum(known, weights=x),
        "y_true": lambda: MEAN(x, known),
        "y_pred": lambda: MEAN(known, x),
        "scores": lambda: am.weighted_masked_objective(lambda t, p: p[p > 0])(known, known),
        "y_true ": lambda: am.losses.sparse_categorical_crossentropy(labels, rows),
        "y_true  ": lambda: am.losses.categorical_crossentropy(rows, rows),
        "y_true   ": lambda: am.class_weights(labels, make("dask", [1.0, 2.0])),
        "table": lambda: am.class_weights(make("dask", [0]), x),
        "lengths": lambda: am.sequence_mask(labels, 3).compute(),
    }.items():
        with raises(am.ShapeMismatchError, name.strip(), "nan", "compute_chunk_sizes"):
            call()


# -- masks, weights and scores of the wrong kind --


@backends
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_float_mask_points_to_weights(backend, dtype):
    if (backend, dtype) == ("array_api_strict", "float16"):
        dtype = "float64"
    x = make(backend, np.ones(2))
    mask = make(backend, [1.0, 0.0], dtype)
    for objective in (OBJECTIVES[r] for r in ("keras3", "mean", "sum", "none")):
        with raises(am.UnsupportedArrayError, "mask", "float", "booleans or integers", "weights"):
            objective(x, x, mask=mask)
    for reduce in (*EVERY, am.softmax):
        with raises(am.UnsupportedArrayError, "mask", "float", "booleans or integers", "weights"):
            reduce(x, mask=mask)


@backends
def test_integer_and_boolean_scores_are_cast_to_float(backend):
    y_true, y_pred = make(backend, [1, 5, 2]), make(backend, [1, 2, 2])
    float_type = "float32" if backend in ("torch", "jax") else "float64"
    for fn, expected in ((lambda t, p: t - p, 1.0), (lambda t, p: t == p, 2 / 3)):
        value = am.weighted_masked_objective(fn, reduction="mean")(y_true, y_pred)
        assert dtype_of(value) == float_type
        assert host(value) == np.dtype(float_type).type(expected)
    value = am.weighted_masked_objective(lambda t, p: t == t, reduction="mean")(
        make(backend, [1.0, 5.0], "float32"), make(backend, [1, 5])
    )
    assert dtype_of(value) == "float32"


BAD_SCORES = {
    "a Python float": (1.0, am.UnsupportedArrayError, "float"),
    "a list": ([1.0, 2.0], am.UnsupportedArrayError, "list"),
    "None": (None, am.UnsupportedArrayError, "NoneType"),
    "a tuple": ((np.ones(2), np.ones(2)), am.UnsupportedArrayError, "tuple"),
    "a masked array": (np.ma.masked_array([1.0, 2.0]), am.UnsupportedArrayError, "MaskedArray"),
    "complex": (np.asarray([1j, 2.0]), am.UnsupportedArrayError, "complex128"),
    "objects": (np.asarray([1, None]), am.UnsupportedArrayError, "object"),
    "a tensor": (torch.ones(2), am.MixedFrameworksError, "torch"),
}


@pytest.mark.parametrize("case", BAD_SCORES)
@pytest.mark.parametrize("declared", [False, True])
def test_what_a_score_function_may_not_return(case, declared):
    scores, error, came = BAD_SCORES[case]

    def my_loss(y_true, y_pred):
        return scores

    fn = am.scores(my_loss) if declared else functools.partial(my_loss)
    with raises(error, "my_loss", came):
        am.weighted_masked_objective(fn)(np.ones(2), np.ones(2))


def test_a_score_function_may_not_move_to_another_device():
    objective = am.weighted_masked_objective(lambda t, p: p.to("meta"))
    with raises(am.MixedDevicesError, "meta", "cpu"):
        objective(torch.ones(2), torch.ones(2))


def test_float_labels_of_a_sparse_loss_are_refused():
    with raises(am.UnsupportedArrayError, "y_true", "float64", "integer labels"):
        am.losses.sparse_categorical_crossentropy(np.zeros(2), np.ones((2, 3)))


def test_extremes_of_booleans_point_to_any_and_all():
    for reduce, other in ((am.min, "all"), (am.max, "any")):
        with raises(am.UnsupportedArrayError, "bool", f"agnostic_mask.{other}"):
            reduce(np.asarray([True]))


# -- options --


@backends
@pytest.mark.parametrize(
    "axis", [2, -3, (0, 2), (0, 0), (0, -2), True, (False,), 1.5, (1.0,), "a", b"a", object()]
)
def test_a_bad_axis_is_an_axis_error(backend, axis):
    x = make(backend, np.ones((2, 3)))
    for reduce in (*EVERY, am.softmax):
        with raises(am.AxisError, "axis is"):
            reduce(x, axis=axis)


@pytest.mark.parametrize("axis", [2, -3, True, 1.5, "a", (0,)])
def test_a_bad_class_axis_is_an_axis_error(axis):
    y_pred = np.ones((2, 3))
    for loss, y_true in (
        (am.losses.categorical_crossentropy, y_pred),
        (am.losses.sparse_categorical_crossentropy, np.zeros(2, dtype=int)),
    ):
        bound = functools.partial(loss, axis=axis)
        for call in (bound, am.weighted_masked_objective(bound)):
            with raises(am.AxisError, "axis", repr(axis)):
                call(y_true, y_pred)


def test_integers_of_numpy_are_integers():
    x, zero = np.ones((2, 3)), np.int64(0)
    assert am.sum(x, axis=zero).tolist() == [2.0, 2.0, 2.0]
    assert am.sum(x, axis=(zero,)).tolist() == [2.0, 2.0, 2.0]
    assert am.sequence_mask(np.asarray([1]), np.asarray([2, 1]).max()).tolist() == [[True, False]]


@pytest.mark.parametrize("maxlen", [-1, 1.0, True, None, "3"])
def test_a_bad_maxlen_is_named(maxlen):
    with raises(ValueError, "maxlen", repr(maxlen), "integer of at least 0"):
        am.sequence_mask(np.asarray([1]), maxlen)


@pytest.mark.parametrize("reduction", ["average", "Mean", "", None, 1, ["mean"]])
def test_a_bad_reduction_is_named_beside_the_good_ones(reduction):
    with raises(ValueError, "reduction", repr(reduction), "keras2, keras3, mean, sum, none"):
        am.weighted_masked_objective(am.losses.huber, reduction=reduction)


@pytest.mark.parametrize("epsilon", [-1e-9, float("nan"), float("-inf")])
def test_a_bad_epsilon_is_named(epsilon):
    with raises(ValueError, "epsilon", repr(epsilon), "at least 0"):
        am.weighted_masked_objective(am.losses.huber, epsilon=epsilon)


@pytest.mark.parametrize("option", ["epsilon", "empty"])
def test_options_that_are_no_numbers_are_named(option):
    with raises(TypeError, option, "'a'"):
        am.weighted_masked_objective(am.losses.huber, **{option: "a"})


@pytest.mark.parametrize("fn", [1, "squared_error", np.ones(2), [am.losses.huber]])
def test_what_is_not_callable_is_named(fn):
    with raises(TypeError, "fn is a", type(fn).__name__, "function"):
        am.weighted_masked_objective(fn)


def test_agnostic_wants_a_parameter_to_fill_in():
    with raises(TypeError, "plain", "xp, device and backend"):

        @am.agnostic
        def plain(x):
            return x


@pytest.mark.parametrize("smoothing", [-0.1, 1.1, float("nan")])
def test_label_smoothing_is_a_share(smoothing):
    for loss in (am.losses.binary_crossentropy, am.losses.categorical_crossentropy):
        with raises(ValueError, "label_smoothing", repr(smoothing)):
            loss(np.ones((1, 2)), np.ones((1, 2)), label_smoothing=smoothing)


@pytest.mark.parametrize("delta", [0, -1.0, float("nan")])
def test_delta_is_above_zero(delta):
    with raises(ValueError, "delta", repr(delta)):
        am.losses.huber(np.ones(1), np.ones(1), delta=delta)


# -- states --


def test_the_unreduced_objective_has_no_state():
    none, one = OBJECTIVES["none"], np.ones(1)
    state = MEAN.zero(one)
    for call in (
        lambda: none.zero(one),
        lambda: none.update(state, one, one),
        lambda: none.merge(state, state),
        lambda: none.compute(state),
    ):
        with raises(ValueError, "'none'", "no state"):
            call()


def test_states_of_other_reductions_are_refused_by_every_verb():
    one = np.ones(1)
    foreign, own = OBJECTIVES["sum"].zero(one), MEAN.zero(one)
    for call in (
        lambda: MEAN.merge(own, foreign),
        lambda: MEAN.merge(foreign, own),
        lambda: MEAN.merge(foreign, foreign),
        lambda: MEAN.update(foreign, one, one),
        lambda: MEAN.compute(foreign),
        lambda: MEAN.zero(foreign),
    ):
        with raises(am.StateMismatchError, "'sum of agnostic_mask.losses.squared_error()'"):
            call()


@pytest.mark.parametrize("name", ["mask", "weights"])
def test_keras2_parts_with_and_without_do_not_merge(name):
    keras2, one = OBJECTIVES["keras2"], np.ones(2)
    zero = keras2.zero(one)
    having = keras2.update(zero, one, one, **{name: one != 0})
    for call in (
        lambda: keras2.update(having, one, one),
        lambda: keras2.merge(keras2.update(zero, one, one), having),
    ):
        with raises(am.StateMismatchError, f"with {name}", "of ones"):
            call()


@pytest.mark.parametrize("name", ["mask", "weights"])
@pytest.mark.parametrize("reduction", ["keras3", "mean", "sum"])
def test_other_parts_with_and_without_do(reduction, name):
    objective, one = OBJECTIVES[reduction], np.ones(2)
    state = objective.update(objective.zero(one), 0 * one, one, **{name: one != 0})
    state = objective.update(state, 0 * one, 3 * one)
    assert objective.compute(state) == {"keras3": 5.0, "mean": 5.0, "sum": 20.0}[reduction]


def test_what_is_no_state_is_named():
    for call in (
        lambda: MEAN.merge(MEAN.zero(np.ones(1)), 1.0),
        lambda: MEAN.merge(None, MEAN.zero(np.ones(1))),
        lambda: MEAN.compute(np.ones(1)),
        lambda: MEAN.update(None, np.ones(1), np.ones(1)),
    ):
        with pytest.raises(TypeError, match="state"):
            call()


# -- nothing to sum: documented values --

NOTHING = {"keras3": 0.0, "mean": np.nan, "sum": 0.0}


@backends
@pytest.mark.parametrize("reduction", ["keras3", "mean", "sum"])
def test_nothing_included_has_its_documented_value(backend, reduction):
    x = make(backend, np.full((2, 3), np.nan))
    clean = make(backend, np.ones((2, 3)))
    nowhere = make(backend, [False, False])
    filled = am.weighted_masked_objective(am.losses.squared_error, reduction=reduction, empty=7.0)
    for arrays in (
        (x, x, None, nowhere),
        (x, x, make(backend, [0.0, 0.0]), make(backend, [True, True])),
        (x, x, make(backend, [np.nan, 3.0]), nowhere),
        (make(backend, np.ones((0, 3))),) * 2,
        (make(backend, np.ones((2, 0))), make(backend, np.ones((2, 0))), None, nowhere),
    ):
        value = host(OBJECTIVES[reduction](*arrays))
        np.testing.assert_equal(value, np.float32(NOTHING[reduction]))
        assert host(filled(*arrays)) == 7.0
    assert host(filled(clean, clean)) == 0.0


@backends
def test_keras2_of_nothing_is_what_its_formula_says(backend):
    x = make(backend, np.full((2, 3), np.nan))
    nowhere, everywhere = make(backend, [False, False]), make(backend, [True, True])
    no_weight = make(backend, [0.0, 0.0])
    keras2 = OBJECTIVES["keras2"]
    exact = am.weighted_masked_objective(am.losses.squared_error, epsilon=0)
    assert host(keras2(x, x, None, nowhere)) == 0.0
    assert np.isnan(host(exact(x, x, None, nowhere)))
    assert np.isnan(host(keras2(x, x, no_weight)))
    assert np.isnan(host(keras2(x, x, no_weight, everywhere)))
    assert np.isnan(host(keras2(make(backend, np.ones((0, 3))), make(backend, np.ones((0, 3))))))


@backends
@pytest.mark.parametrize("reduction", ["keras2", "keras3", "mean", "sum"])
def test_weights_that_sum_to_zero(backend, reduction):
    y_true, y_pred = make(backend, [0.0, 0.0]), make(backend, [1.0, 3.0])
    value = host(OBJECTIVES[reduction](y_true, y_pred, make(backend, [1.0, -1.0])))
    expected = {"keras2": -4.0, "keras3": -4.0, "mean": np.nan, "sum": -8.0}[reduction]
    np.testing.assert_equal(value, np.float32(expected))


@backends
def test_empty_is_not_for_weights_that_sum_to_zero(backend):
    objective = am.weighted_masked_objective(am.losses.squared_error, reduction="mean", empty=0.0)
    arrays = [make(backend, x) for x in ([0.0, 0.0], [1.0, 3.0], [1.0, -1.0])]
    assert np.isnan(host(objective(*arrays)))


@backends
def test_the_unreduced_objective_of_nothing_is_zeros(backend):
    x = make(backend, np.full((2, 3), np.nan))
    value = OBJECTIVES["none"](x, x, mask=make(backend, [False, False]))
    assert host(value).tolist() == [[0.0] * 3] * 2
    assert tuple(OBJECTIVES["none"](*[make(backend, np.ones((0, 3)))] * 2).shape) == (0, 3)


OF_NOTHING = {
    am.sum: 0.0,
    am.mean: np.nan,
    am.var: np.nan,
    am.std: np.nan,
    am.count: 0,
    am.sum_of_weights: 0.0,
    am.min: np.inf,
    am.max: -np.inf,
    am.any: False,
    am.all: True,
    am.logsumexp: -np.inf,
}


@backends
@pytest.mark.parametrize("reduce", OF_NOTHING, ids=lambda f: f.__name__)
def test_reductions_of_nothing_have_their_documented_values(backend, reduce):
    spoilt, empty = make(backend, np.full((2, 3), np.nan)), make(backend, np.ones((2, 0)))
    nowhere, no_weight = make(backend, [False, False]), make(backend, [0.0, 0.0])
    expected = OF_NOTHING[reduce]
    for value in (
        reduce(spoilt, mask=nowhere),
        reduce(spoilt, weights=no_weight),
        reduce(empty),
        reduce(empty, mask=nowhere),
        reduce(make(backend, np.ones((0,)))),
    ):
        np.testing.assert_equal(host(value).item(), expected)
    for value in (
        reduce(spoilt, mask=nowhere, axis=1),
        reduce(empty, axis=1),
        reduce(empty, axis=-1, weights=no_weight),
    ):
        np.testing.assert_equal(host(value).tolist(), [expected] * 2)
    assert tuple(reduce(empty, axis=0).shape) == (0,)


@backends
def test_extremes_of_no_integers_are_the_limits_of_their_type(backend):
    for dtype in ("int8", "uint8", "int16", "int32"):
        x, nowhere = make(backend, [1, 2], dtype), make(backend, [False, False])
        limits = np.iinfo(dtype)
        assert host(am.min(x, mask=nowhere)) == limits.max
        assert host(am.max(x, mask=nowhere)) == limits.min
        assert dtype_of(am.min(x, mask=nowhere)) == dtype


@backends
def test_softmax_of_nothing_is_zeros(backend):
    x = make(backend, np.full((2, 3), np.nan))
    value = am.softmax(x, mask=make(backend, [False, False]), axis=1)
    assert host(value).tolist() == [[0.0] * 3] * 2
    assert tuple(am.softmax(make(backend, np.ones((2, 0))), axis=1).shape) == (2, 0)


# -- mistakes that would give a plausible number --


@backends
def test_a_function_that_already_reduces_is_refused(backend):
    def mse(y_true, y_pred):
        return am.dispatch(y_pred).xp.mean((y_pred - y_true) ** 2)

    objective = am.weighted_masked_objective(mse, reduction="mean")
    x = make(backend, np.ones((2, 3)))
    with raises(am.ShapeMismatchError, "mse returned one number", "(2, 3)", "a score for each"):
        objective(x, x)
    one = make(backend, np.float32(2.0))  # of a single number, one number is its score
    assert host(objective(one, one)) == 0.0


def test_float_labels_are_named_with_ignore_class_too():
    loss = functools.partial(am.losses.sparse_categorical_crossentropy, ignore_class=-100)
    with raises(am.UnsupportedArrayError, "y_true", "float64", "integer labels"):
        am.weighted_masked_objective(loss)(np.zeros(2), np.ones((2, 3)))


def test_the_prediction_is_not_what_a_mixed_call_is_told_to_convert():
    with raises(am.MixedFrameworksError, r"convert(y_true, like=y_pred)"):
        MEAN(np.ones(2), make("torch", np.ones(2)))
