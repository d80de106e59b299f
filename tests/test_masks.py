import dask
import numpy as np
import pytest

import agnostic_mask as am

from .arrays import backends, dtype_of, host, make, wide

INTEGERS = ["int8", "uint8", "int16", "uint16", "int32"]


@backends
@pytest.mark.parametrize("dtype", INTEGERS)
def test_a_sequence_counts_before_its_end(backend, dtype):
    mask = am.sequence_mask(make(backend, [0, 1, 3, 9], dtype), 3)
    assert dtype_of(mask) == "bool"
    assert host(mask).tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 1], [1, 1, 1]]


@backends
def test_lengths_may_have_any_shape(backend):
    assert host(am.sequence_mask(make(backend, np.int32(2)), 3)).tolist() == [True, True, False]
    mask = am.sequence_mask(make(backend, [[1, 2], [0, 3]]), 3)
    expected = np.arange(3) < np.asarray([[1, 2], [0, 3]])[..., None]
    assert host(mask).tolist() == expected.tolist()
    assert tuple(am.sequence_mask(make(backend, np.zeros(0, int)), 3).shape) == (0, 3)


@backends
def test_no_steps_make_an_empty_mask(backend):
    assert tuple(am.sequence_mask(make(backend, [1, 2]), 0).shape) == (2, 0)


@backends
def test_a_negative_length_counts_nothing(backend):
    assert not host(am.sequence_mask(make(backend, [-1, -100]), 3)).any()


@backends
@pytest.mark.parametrize(("dtype", "maxlen"), [("uint8", 300), ("int8", 200), ("int16", 40_000)])
def test_more_steps_than_the_type_of_the_lengths_can_count(backend, dtype, maxlen):
    longest = np.iinfo(dtype).max
    mask = am.sequence_mask(make(backend, [longest, 1], dtype), maxlen)
    assert host(mask).sum(axis=1).tolist() == [longest, 1]


@backends
@pytest.mark.parametrize("dtype", ["uint32", "int64", "uint64"])
def test_a_length_of_billions_is_a_full_sequence(backend, dtype):
    with wide(backend, dtype):
        lengths = make(backend, [np.iinfo(dtype).max, 2**32 - 1, 1], dtype)
    mask = am.sequence_mask(lengths, 3)
    assert host(mask).sum(axis=1).tolist() == [3, 3, 1]


@backends
def test_the_mask_fits_an_objective_over_time(backend):
    y_pred = np.full((2, 3, 2), np.nan, np.float32)
    y_pred[0, :1], y_pred[1, :2] = 2.0, 4.0
    mask = am.sequence_mask(make(backend, [1, 2]), 3)
    objective = am.weighted_masked_objective(am.losses.absolute_error, reduction="mean")
    value = objective(make(backend, np.zeros((2, 3, 2))), make(backend, y_pred), mask=mask)
    assert host(value) == np.float32(10 / 3)


@backends
@pytest.mark.parametrize("dtype", INTEGERS)
def test_each_label_gets_the_weight_of_its_class(backend, dtype):
    labels = make(backend, [[0, 2], [1, 0]], dtype)
    weights = am.class_weights(labels, make(backend, [1.0, 2.0, 5.0]))
    assert host(weights).tolist() == [[1.0, 5.0], [2.0, 1.0]]
    assert dtype_of(weights) == "float32"


@backends
def test_a_label_out_of_range_weighs_nan(backend):
    labels = make(backend, [0, 3, -1, -100, 2**31 - 1, -(2**31)])
    weights = host(am.class_weights(labels, make(backend, [1.0, 2.0, 5.0])))
    np.testing.assert_equal(weights, np.asarray([1.0] + [np.nan] * 5, np.float32))


@backends
@pytest.mark.parametrize("dtype", ["int64", "uint64", "uint32"])
def test_a_label_of_billions_is_never_another_class(backend, dtype):
    with wide(backend, dtype):
        large = 2**31 if dtype == "uint32" else 2**32
        labels = make(backend, [large, large + 1, np.iinfo(dtype).max, 1], dtype)
    weights = host(am.class_weights(labels, make(backend, [1.0, 2.0])))
    np.testing.assert_equal(weights, np.asarray([np.nan] * 3 + [2.0], np.float32))


@backends
def test_labels_of_any_shape(backend):
    table = make(backend, [1.0, 2.0])
    assert host(am.class_weights(make(backend, np.int32(1)), table)) == 2.0
    assert tuple(am.class_weights(make(backend, np.zeros((0, 3), int)), table).shape) == (0, 3)


@backends
@pytest.mark.parametrize(("dtype", "expected"), [("float64", "float64"), ("float32", "float32")])
def test_the_weights_have_the_float_type_of_the_table(backend, dtype, expected):
    with wide(backend, dtype):
        table = make(backend, [0.1, 0.2], dtype)
        weights = am.class_weights(make(backend, [1, 0, 9]), table)
        assert dtype_of(weights) == expected
        assert host(weights)[:2].tolist() == host(table)[::-1].tolist()


@backends
def test_a_table_of_integers_gives_the_default_float_type(backend):
    default = "float32" if backend in ("torch", "jax") else "float64"
    weights = am.class_weights(make(backend, [1, 5]), make(backend, [3, 7]))
    assert dtype_of(weights) == default
    np.testing.assert_equal(host(weights), np.asarray([7.0, np.nan], default))


@backends
@pytest.mark.parametrize("shape", [(), (1, 3), (0,)])
def test_a_table_has_one_dimension_and_a_class(backend, shape):
    with pytest.raises(am.ShapeMismatchError, match="table has shape"):
        am.class_weights(make(backend, [0]), make(backend, np.ones(shape)))


@backends
@pytest.mark.parametrize("dtype", ["float32", "bool"])
def test_lengths_and_labels_are_integers(backend, dtype):
    x = make(backend, [1, 0], dtype)
    with pytest.raises(am.UnsupportedArrayError, match=rf"lengths has dtype .*{dtype}"):
        am.sequence_mask(x, 3)
    with pytest.raises(am.UnsupportedArrayError, match=rf"y_true has dtype .*{dtype}"):
        am.class_weights(x, make(backend, [1.0, 2.0]))


@backends
def test_an_ignored_label_s_nan_weight_does_not_reach_the_loss(backend):
    labels = make(backend, [1, -100])
    y_pred = make(backend, np.full((2, 2), 0.5))
    weights = am.class_weights(labels, make(backend, [1.0, 2.0]))
    objective = am.weighted_masked_objective(
        am.losses.sparse_categorical_crossentropy, reduction="mean"
    )
    value = host(objective(labels, y_pred, weights, mask=labels >= 0))
    assert value == pytest.approx(np.log(2), rel=1e-6)
    assert np.isnan(host(objective(labels, y_pred, weights)))


def refuse(*args, **kwargs):
    raise RuntimeError("a lazy array was computed")


def test_neither_computes_a_dask_array():
    labels, table = make("dask", [0, 1, 1]), make("dask", [1.0, 2.0])
    with dask.config.set(scheduler=refuse):
        mask = am.sequence_mask(labels, 4)
        weights = am.class_weights(labels, table)
    assert host(mask).shape == (3, 4)
    assert host(weights).tolist() == [1.0, 2.0, 2.0]


def test_both_stay_on_their_device():
    import array_api_strict

    device = array_api_strict.Device("device1")
    labels = make("array_api_strict", [0, 5]).to_device(device)
    table = make("array_api_strict", [1.0]).to_device(device)
    assert am.sequence_mask(labels, 2).device == device
    assert am.class_weights(labels, table).device == device
