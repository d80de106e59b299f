import numpy as np
import pytest

import agnostic_mask as am

from .arrays import backends, close, dtype_of, gradients, host, knowledge, make, wide

NAN, INF = np.nan, np.inf


def call(function, backend, x, dtype=None, **named):
    for name, value in named.items():
        if isinstance(value, np.ndarray):
            named[name] = make(backend, value, dtype if value.dtype.kind == "f" else None)
    return host(function(make(backend, x, dtype), **named))


# -- norms --


@backends
@pytest.mark.parametrize("scale", [1e200, 1e-200])
@pytest.mark.parametrize("order", [2, 3, 0.5, -2])
def test_norms_neither_overflow_nor_vanish(backend, scale, order):
    x = np.asarray([3.0, 4.0])
    with wide(backend):
        found = call(am.vector_norm, backend, scale * x, "float64", ord=order)
    expected = scale * np.linalg.norm(x, order)
    # The elements, what they are divided by, powers and the root of a few roundings each.
    close(found, expected, 3 * expected, dtype="float64")


@backends
@pytest.mark.parametrize("scale", [1e30, 1e-30])
def test_norms_of_float32_whose_squares_leave_it(backend, scale):
    x = np.asarray([3.0, 4.0]) * scale
    close(call(am.vector_norm, backend, x), 5 * scale, 5 * scale)


@backends
def test_norms_of_nothing_of_zeros_and_of_infinities(backend):
    nothing = np.zeros(2, bool)
    for order, of_nothing in ((2, 0), (1, 0), (3, 0), (0, 0), (INF, 0), (-1, INF), (-INF, INF)):
        assert call(am.vector_norm, backend, [1.0, NAN], mask=nothing, ord=order) == of_nothing
        assert call(am.vector_norm, backend, [0.0, 0.0], ord=order) == 0
        assert call(am.vector_norm, backend, [-INF, 1.0], ord=2) == INF
        assert np.isnan(call(am.vector_norm, backend, [NAN, 1.0], ord=2))
    assert call(am.vector_norm, backend, [0.0, 2.0], ord=-1) == 0
    assert call(am.vector_norm, backend, np.ones((0, 2)), axis=0).tolist() == [0, 0]


@backends
def test_weights_that_cancel_make_no_norm(backend):
    weights = np.asarray([1.0, -2.0], np.float32)
    assert np.isnan(call(am.vector_norm, backend, [1.0, 1.0], weights=weights))
    assert call(am.vector_norm, backend, [2.0, 1.0], weights=weights, ord=1) == 0


@gradients
@pytest.mark.parametrize("order", [2, 1, 3, 0.5, -1])
def test_the_gradient_of_a_norm_is_zero_at_zero_and_where_excluded(backend, order):
    known = knowledge(backend)
    mask = make(backend, [True, True, False])
    for x in ([0.0, 0.0, 1.0], [0.0, 2.0, NAN], [0.0, 2.0, 3e38]):
        _, (gradient,) = known.value_and_grad(
            lambda x: am.vector_norm(x, mask=mask, ord=order), [make(backend, x)]
        )
        expected = [0.0, 1.0 if x[1] and order > 0 else 0.0, 0.0]
        np.testing.assert_allclose(host(gradient), expected, rtol=1e-6)


@pytest.mark.parametrize("order", ["fro", None, NAN, True, 1j])
def test_an_order_that_is_no_number_is_named(order):
    with pytest.raises(ValueError, match=r"ord is .*expected a real number"):
        am.vector_norm(np.ones(2), ord=order)


# -- running sums --


@backends
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32"])
def test_running_sums_of_integers_are_exact(backend, dtype):
    largest = 1 if dtype == "bool" else np.iinfo(dtype).max
    x = make(backend, [largest] * 4, dtype)
    found = am.cumulative_sum(x, mask=make(backend, [True, False, True, True]))
    assert dtype_of(found) == "int64"
    assert host(found).tolist() == [largest, largest, 2 * largest, 3 * largest]


@backends
def test_a_running_sum_loses_nothing_on_the_way(backend):
    x = np.asarray([2.0**24, 1.0, 1.0, -(2.0**24)], np.float32)
    assert call(am.cumulative_sum, backend, x).tolist() == [2.0**24, 2.0**24, 2.0**24 + 2, 2]


@backends
def test_a_running_sum_may_start_with_that_of_nothing(backend):
    x = np.asarray([[1.0, 2.0], [NAN, 4.0]])
    mask = np.asarray([[True, True], [False, True]])
    found = call(am.cumulative_sum, backend, x, mask=mask, axis=0, include_initial=True)
    assert found.tolist() == [[0, 0], [1, 2], [1, 6]]
    found = call(am.cumulative_sum, backend, np.ones((0, 2)), axis=0, include_initial=True)
    assert found.tolist() == [[0, 0]]


@backends
def test_an_included_nan_stays_in_all_later_sums(backend):
    found = call(am.cumulative_sum, backend, [1.0, NAN, 2.0])
    np.testing.assert_array_equal(found, [1.0, NAN, NAN])


@gradients
def test_the_gradient_of_running_sums(backend):
    mask = make(backend, [True, False, True])
    directions = make(backend, [1.0, 10.0, 100.0])

    def total(x, w):
        sums = am.cumulative_sum(x, mask=mask, weights=w)
        return am.sum(sums * directions)

    _, (by_x, by_w) = knowledge(backend).value_and_grad(
        total, [make(backend, [1.0, NAN, 3.0]), make(backend, [2.0, 4.0, 5.0])]
    )
    assert host(by_x).tolist() == [222, 0, 500]
    assert host(by_w).tolist() == [111, 0, 300]


def test_the_axis_of_running_sums_is_named_unless_there_is_one():
    for x, axis in ((np.ones((2, 2)), None), (np.ones(()), None)):
        with pytest.raises(am.AxisError, match=r"axis is None .*expected the one axis"):
            am.cumulative_sum(x, axis=axis)
    with pytest.raises(am.AxisError, match=r"axis is \(0,\); expected a single integer"):
        am.cumulative_sum(np.ones(2), axis=(0,))


# -- logarithms --


@backends
def test_log_softmax_is_minus_infinity_where_excluded(backend):
    x = np.asarray([[1000.0, NAN], [0.0, INF]])
    mask = np.asarray([[True, False], [True, False]])
    found = call(am.log_softmax, backend, x, mask=mask, axis=0)
    assert found.tolist() == [[0, -INF], [-1000, -INF]]
    assert call(am.log_softmax, backend, [-INF, 5.0]).tolist() == [-INF, 0]
    assert call(am.log_softmax, backend, [-INF, -INF]).tolist() == [-INF, -INF]


@backends
def test_the_share_of_an_infinity_is_nan(backend):
    np.testing.assert_array_equal(call(am.log_softmax, backend, [INF, 1.0]), [NAN, -INF])
    np.testing.assert_array_equal(call(am.softmax, backend, [INF, 1.0]), [NAN, 0])


@gradients
@pytest.mark.parametrize("excluded", [5.0, 1e4, NAN, INF])
def test_the_gradient_of_log_softmax_is_zero_where_excluded(backend, excluded):
    mask = make(backend, [True, True, False])
    _, (gradient,) = knowledge(backend).value_and_grad(
        lambda x: am.log_softmax(x, mask=mask)[0], [make(backend, [2.0, 2.0, excluded])]
    )
    assert host(gradient).tolist() == [0.5, -0.5, 0]


# -- covariances --


@backends
def test_covariances_far_from_zero(backend):
    x = np.asarray([[1e7, -1e7], [1e7 + 1, -1e7 - 2], [1e7 + 2, -1e7 - 4]], np.float32)
    assert call(am.cov, backend, x).tolist() == [[1, -2], [-2, 4]]
    assert call(am.corrcoef, backend, x).tolist() == [[1, -1], [-1, 1]]


@backends
def test_sequences_of_features(backend):
    x = np.random.default_rng(5).normal(size=(3, 4, 2)).astype(np.float32)
    mask = np.asarray([[1, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0]], bool)
    dirty = np.where(mask[..., None], x, NAN)
    expected = np.cov(x[mask].astype(float), rowvar=False)
    close(call(am.cov, backend, dirty, mask=mask, axis=(0, 1)), expected, np.abs(expected).max())
    # One matrix a sequence.
    found = call(am.cov, backend, x, axis=1, correction=0)
    expected = np.stack([np.cov(s.astype(float), rowvar=False, ddof=0) for s in x])
    close(found, expected, np.abs(expected).max())


@backends
def test_one_variable_has_a_variance_and_no_matrix(backend):
    x = np.asarray([1.0, 4.0, NAN])
    mask = np.asarray([True, True, False])
    assert call(am.cov, backend, x, mask=mask).shape == ()
    assert call(am.cov, backend, x, mask=mask) == call(am.var, backend, x, mask=mask, correction=1)
    assert call(am.corrcoef, backend, x, mask=mask) == 1
    assert call(am.cov, backend, np.ones((2, 2)), axis=None) == 0


@backends
def test_correlations_are_one_with_themselves_and_never_beyond(backend):
    rng = np.random.default_rng(6)
    x = rng.normal(size=(50, 1)).astype(np.float32) * np.asarray(
        [[0.1, 0.3, -0.7, 1e-3]], np.float32
    )
    found = call(am.corrcoef, backend, x)
    assert np.all(np.diag(found) == 1)
    assert np.all(np.abs(found) <= 1)
    np.testing.assert_array_equal(found, found.T)
    signs = np.sign([1, 1, -1, 1])
    close(found, np.outer(signs, signs), np.ones((4, 4)))


@backends
@pytest.mark.parametrize("scale", [2.0**660, 2.0**-660])
def test_correlations_do_not_know_the_scale(backend, scale):
    x = np.random.default_rng(8).normal(size=(9, 3))
    with wide(backend):
        found = call(am.corrcoef, backend, x * scale, "float64")
        np.testing.assert_array_equal(found, call(am.corrcoef, backend, x, "float64"))
    # Some roundings of each of the 9 residuals, and of their mean.
    terms = np.abs(x - x.mean(0)).T @ np.abs(x - x.mean(0)) / x.std(0) / x.std(0)[:, None] / 9
    close(found, np.corrcoef(x, rowvar=False), terms, dtype="float64", roundings=20)


@gradients
def test_gradients_of_correlations_on_any_scale(backend):
    x = np.random.default_rng(8).normal(size=(9, 2))
    found = {}
    with wide(backend):
        for scale in (1.0, 2.0**660):
            _, (gradient,) = knowledge(backend).value_and_grad(
                lambda x: am.corrcoef(x)[0, 1], [make(backend, x * scale, "float64")]
            )
            found[scale] = host(gradient) * scale
    np.testing.assert_array_equal(found[1.0], found[2.0**660])


@backends
def test_a_variable_that_does_not_vary_has_no_correlation(backend):
    rng = np.random.default_rng(0)
    # Equal elements, of which rounding leaves a third of the variables a spread.
    x = np.tile(rng.normal(size=60).astype(np.float32), (56, 1))
    x[:, :2] = rng.normal(size=(56, 2))
    weights = rng.uniform(0.1, 3, 56).astype(np.float32)
    found = call(am.corrcoef, backend, x, weights=weights)
    assert np.all(np.isnan(found[2:]))
    assert np.all(np.isnan(found[:, 2:]))
    assert np.all(np.isfinite(found[:2, :2]))
    assert np.all(np.isnan(call(am.corrcoef, backend, x, mask=np.zeros(56, bool))))


@backends
def test_covariances_of_no_more_than_the_correction_are_nan(backend):
    x = np.asarray([[1.0, 2.0], [3.0, 4.0]])
    one = np.asarray([True, False])
    assert np.all(np.isnan(call(am.cov, backend, x, mask=one)))
    assert call(am.cov, backend, x, mask=one, correction=0).tolist() == [[0, 0], [0, 0]]
    assert np.all(np.isnan(call(am.cov, backend, np.ones((0, 2)))))


@pytest.mark.parametrize("function", [am.cov, am.corrcoef])
def test_masks_that_tell_variables_apart_are_refused(function):
    x = np.ones((4, 3))
    with pytest.raises(
        am.ShapeMismatchError, match=r"mask has shape \(4, 3\) .*one element for each"
    ):
        function(x, mask=np.ones((4, 3), bool))
    with pytest.raises(
        am.ShapeMismatchError, match=r"weights has shape \(4,\) .*whose axis 0 holds"
    ):
        function(x, weights=np.ones(4), axis=1)
    with pytest.raises(am.AxisError, match="axis is 0"):
        function(np.ones(()))


@gradients
def test_gradients_of_correlations_stay_finite_where_a_variable_does_not_vary(backend):
    x = [[0.1, 1.0, 5.0], [0.1, 3.0, 4.0], [0.1, 4.0, 6.0]]
    _, (gradient,) = knowledge(backend).value_and_grad(
        lambda x: am.corrcoef(x)[1, 2], [make(backend, x)]
    )
    assert np.all(np.isfinite(host(gradient)))
    assert np.all(host(gradient)[:, 0] == 0)
