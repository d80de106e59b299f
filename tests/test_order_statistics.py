import dask.array
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agnostic_mask as am

from .arrays import backends, close, dtype_of, gradients, host, knowledge, make, wide

NAN, INF = np.nan, np.inf
METHODS = ("linear", "inverted_cdf", "averaged_inverted_cdf")
methods = pytest.mark.parametrize("method", METHODS)


def call(function, backend, x, *options, **named):
    """`function` of arrays of `backend`; mask, weights and arrays of bins are made so too."""
    for name, value in named.items():
        if isinstance(value, np.ndarray):
            named[name] = make(backend, value)
    found = function(make(backend, x), *options, **named)
    return [host(a) for a in found] if isinstance(found, tuple) else host(found)


# -- positions --


@backends
def test_the_first_of_equal_extremes_is_found_and_excluded_ones_are_not(backend):
    x = np.asarray([[7.0, 1.0], [7.0, 7.0], [1.0, 9.0]])
    mask = np.asarray([[False, True], [True, True], [True, False]])
    assert call(am.argmax, backend, x, mask=mask) == 2
    assert call(am.argmin, backend, x, mask=mask) == 1
    assert call(am.argmax, backend, x, mask=mask, axis=0).tolist() == [1, 1]
    assert call(am.argmin, backend, x, mask=mask, axis=1, keepdims=True).tolist() == [[1], [0], [0]]


@backends
def test_the_position_of_nothing_is_minus_one(backend):
    x = np.ones((2, 3))
    for function in (am.argmin, am.argmax):
        mask = np.asarray([[True, False, True], [True, False, True]])
        assert call(function, backend, x, mask=mask, axis=0).tolist() == [0, -1, 0]
        assert call(function, backend, x, mask=np.zeros((2, 3), bool)) == -1
        assert call(function, backend, np.ones((0, 3)), axis=0).tolist() == [-1] * 3


@backends
def test_an_included_nan_is_found_as_by_numpy_and_an_infinity_is_not_nothing(backend):
    x = np.asarray([1.0, NAN, 0.0, NAN])
    assert call(am.argmin, backend, x) == np.argmin(x) == 1
    assert call(am.argmax, backend, x, mask=np.asarray([1, 0, 1, 1])) == 3
    assert call(am.argmax, backend, x, mask=np.asarray([1, 0, 1, 0])) == 0
    assert call(am.argmax, backend, [5.0, -INF, -INF], mask=np.asarray([0, 1, 1])) == 1
    assert call(am.argmin, backend, [5.0, INF, INF], mask=np.asarray([0, 1, 1])) == 1


@backends
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32"])
def test_positions_of_integers_and_booleans(backend, dtype):
    least = 0 if dtype in ("bool", "uint8") else np.iinfo(dtype).min
    x = make(backend, [least, 1, least, 1], dtype)
    mask = make(backend, [False, True, True, True])
    for function, expected in ((am.argmin, 2), (am.argmax, 1)):
        found = function(x, mask=mask)
        assert (dtype_of(found), int(host(found))) == ("int64", expected)


def test_a_position_counts_past_the_chunks_of_dask():
    x = np.zeros((4, 4))
    x[0, 3] = x[2, 1] = 1  # the second lies in the first column of chunks
    lazy = dask.array.from_array(x, chunks=(4, 2))
    assert am.argmax(lazy).compute() == 3


@pytest.mark.parametrize("function", [am.argmin, am.argmax])
def test_positions_are_along_one_axis(function):
    with pytest.raises(am.AxisError, match=r"axis is \(0, 1\); expected a single integer"):
        function(np.ones((2, 2)), axis=(0, 1))


# -- quantiles --


@backends
@methods
def test_quantiles_of_nothing_are_nan(backend, method):
    x = np.ones((2, 3))
    mask = np.asarray([[True, False, True], [True, False, True]])
    found = call(am.quantile, backend, x, 0.5, mask=mask, axis=0, method=method)
    np.testing.assert_array_equal(found, [1.0, NAN, 1.0])
    found = call(am.quantile, backend, np.ones((0, 3)), [0.5, 1.0], axis=0, method=method)
    np.testing.assert_array_equal(found, np.full((2, 3), NAN))
    found = call(am.quantile, backend, np.ones((2, 0)), 0.5, axis=0, method=method)
    assert found.shape == (0,)


@backends
@methods
def test_infinities_are_numbers_and_an_included_nan_comes_through(backend, method):
    x = [INF, 1.0, -INF, 2.0, INF]
    for q, expected in ((0.0, -INF), (0.5, 2.0), (0.75, INF), (1.0, INF)):
        assert call(am.quantile, backend, x, q, method=method) == expected
    mask = np.asarray([True, True, False, True, True])
    x = [INF, 1.0, NAN, 2.0, 4.0]
    assert call(am.quantile, backend, x, 1.0, mask=mask, method=method) == INF
    assert call(am.quantile, backend, x, 0.0, mask=mask, method=method) == 1.0
    assert np.isnan(call(am.quantile, backend, x, 0.0, method=method))
    halfway = call(am.quantile, backend, [INF, -INF], 0.5, method=method)
    np.testing.assert_array_equal(halfway, -INF if method == "inverted_cdf" else NAN)
    weights = np.asarray([1, 2, 0, 1, 0], np.int32)
    assert call(am.quantile, backend, x, 1.0, weights=weights, method=method) == INF


@backends
def test_the_median_of_equal_weights_is_that_without_weights(backend):
    x = np.asarray([6.0, 1.0, 5.0, 2.0, 4.0, 3.0])
    with wide(backend):
        for weight in (1 / 6, 0.1, 1e-30, 1e30):
            weights = make(backend, np.full(6, weight), "float64")
            assert host(am.median(make(backend, x, "float64"), weights=weights)) == 3.5


@backends
def test_the_median_by_weights_has_half_of_them_on_either_side(backend):
    x = np.asarray([10.0, 20.0, 30.0])
    for weights, expected in (
        ([1.0, 1.0, 5.0], 30.0),
        ([2.0, 1.0, 1.0], 15.0),
        ([0.5, 0.25, 0.25], 15.0),
        ([1.0, 0.0, 1.0], 20.0),
        ([0.25, 0.5, 0.125], 20.0),
    ):
        found = call(am.median, backend, x, weights=np.asarray(weights, np.float32))
        assert found == expected


@backends
@methods
def test_quantiles_over_several_axes_keep_the_others(backend, method):
    x = np.random.default_rng(3).normal(size=(3, 4, 2)).astype(np.float32)
    found = call(am.quantile, backend, x, [0.3, 0.6], axis=(0, -1), keepdims=True, method=method)
    expected = np.quantile(x.astype(float), [0.3, 0.6], axis=(0, 2), keepdims=True, method=method)
    close(found, expected, np.abs(x).max())
    found = call(am.quantile, backend, x, 0.3, axis=(), method=method)
    np.testing.assert_array_equal(found, x)


@backends
def test_a_quantile_of_integers_is_a_float(backend):
    found = am.quantile(make(backend, [1, 2], "int32"), 0.5)
    default = "float32" if backend in ("torch", "jax") else "float64"
    assert (dtype_of(found), float(host(found))) == (default, 1.5)
    half = am.median(make(backend, [1.0, 2.0], "float32"))
    assert dtype_of(half) == "float32"


@backends
def test_elements_far_apart_do_not_overflow(backend):
    with wide(backend):
        x = make(backend, [1.5e308, -1.5e308], "float64")
        assert host(am.median(x)) == 0
        assert host(am.quantile(x, 0.75)) == 0.75e308


@backends
def test_weights_that_cannot_be_meant_give_nan(backend):
    x = [1.0, 2.0, 3.0]
    for weights in ([1.0, -1.0, 3.0], [1.0, NAN, 3.0], [1.0, INF, 3.0]):
        assert np.isnan(call(am.median, backend, x, weights=np.asarray(weights, np.float32)))
    mask = np.asarray([True, False, True])
    weights = np.asarray([1.0, -INF, 3.0], np.float32)
    assert call(am.median, backend, x, mask=mask, weights=weights) == 3.0


@gradients
@pytest.mark.parametrize("excluded", [5.0, NAN, INF])
def test_the_gradient_of_a_quantile_flows_to_the_elements_that_were_picked(backend, excluded):
    known = knowledge(backend)
    x = make(backend, [4.0, 1.0, excluded, 2.0, 8.0])
    mask, weights = make(backend, [1, 1, 0, 1, 1]), make(backend, [1, 1, 1, 1, 1], "int32")
    for covers in ({"mask": mask}, {"mask": mask, "weights": weights}):
        for q, method, expected in (
            (0.5, "linear", [0.5, 0, 0, 0.5, 0]),
            (0.25, "linear", [0, 0.25, 0, 0.75, 0]),
            (0.3, "inverted_cdf", [0, 0, 0, 1, 0]),
            (1.0, "averaged_inverted_cdf", [0, 0, 0, 0, 1]),
        ):
            _, (gradient,) = known.value_and_grad(
                lambda x, q=q, m=method, g=covers: am.quantile(x, q, method=m, **g), [x]
            )
            assert host(gradient).tolist() == expected


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    x=st.lists(st.integers(-4, 4), min_size=1, max_size=8),
    seed=st.integers(0, 10**6),
    q=st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 0.55, 0.7, 0.9, 1.0]),
    method=st.sampled_from(METHODS),
)
def test_an_integer_weight_repeats_an_element(x, seed, q, method):
    weights = np.random.default_rng(seed).integers(0, 5, len(x))
    x = np.asarray(x, np.float64)
    found = am.quantile(x, q, weights=weights, method=method)
    repeated = np.repeat(x, weights)
    if repeated.size == 0:
        assert np.isnan(found)
    else:
        assert found == am.quantile(repeated, q, method=method)
        close(found, np.quantile(repeated, q, method=method), 4.0, dtype="float64")


@pytest.mark.parametrize(
    "q", [-0.1, 1.5, NAN, "0.5", None, True, [0.5, 2], np.asarray(0.5)], ids=str
)
def test_a_q_that_is_no_share_is_named(q):
    with pytest.raises(ValueError, match=r"q is .*expected a float from 0 to 1, or a sequence of"):
        am.quantile(np.ones(3), q)


def test_shares_are_any_sequence_of_numbers_and_may_be_named():
    x = np.asarray([1.0, 5.0, 2.0])
    for q, expected in ((range(2), [1, 5]), ((0.5,), [2]), ([0, 0.75], [1, 3.5]), (1, 5)):
        assert am.quantile(x, q).tolist() == am.quantile(x, q=q).tolist() == expected
    with pytest.raises(ValueError, match=r"of an array pass q\.tolist\(\)"):
        am.quantile(x, np.asarray([0.5]))


def test_other_methods_are_refused_with_the_ones_there_are():
    with pytest.raises(ValueError, match="method is 'hazen'; expected one of 'linear', 'inverted"):
        am.quantile(np.ones(3), 0.5, method="hazen")


@backends
def test_linear_interpolation_between_weights_that_are_no_counts_is_refused(backend):
    weights = make(backend, [0.5, 1.0, 2.0])
    with pytest.raises(ValueError, match=r"linear.*expected integers: xp.astype.*method='aver"):
        am.quantile(make(backend, [1.0, 2.0, 3.0]), 0.5, weights=weights)


# -- histograms --


@backends
def test_edges_belong_to_the_bin_on_their_right_and_the_last_one_to_the_last(backend):
    x = [0.0, 1.0, 1.0, 2.0, 3.0, -0.5, 3.5, NAN]
    counts, edges = call(am.histogram, backend, x, bins=[0, 1, 3])
    assert (counts.tolist(), edges.tolist()) == ([1, 4], [0, 1, 3])
    counts, _ = call(am.histogram, backend, x, bins=np.asarray([0.0, 1.0, 3.0], np.float32))
    assert counts.tolist() == [1, 4]
    counts, _ = call(am.histogram, backend, x, bins=[0, 1, 1, 2])  # a bin of no width
    assert counts.tolist() == np.histogram(x[:-1], [0, 1, 1, 2])[0].tolist() == [1, 0, 3]


@backends
def test_membership_is_by_comparison_with_the_edges_themselves(backend):
    edges = np.linspace(0, 1, 11).astype(np.float32)
    x = np.concatenate([edges, np.nextafter(edges[1:], np.float32(-1))])
    counts, found = call(am.histogram, backend, x, bins=10, range=(0, 1))
    np.testing.assert_array_equal(found, edges)
    np.testing.assert_array_equal(counts, np.histogram(x, edges)[0])


@backends
def test_a_range_from_the_elements_leaves_the_excluded_out(backend):
    x = [1.0, NAN, 3.0, 5.0, 1e30]
    mask = np.asarray([True, False, True, True, False])
    counts, edges = call(am.histogram, backend, x, bins=2, mask=mask)
    assert (counts.tolist(), edges.tolist()) == ([1, 2], [1, 3, 5])
    counts, edges = call(am.histogram, backend, x, bins=2, mask=np.zeros(5, bool))
    assert (counts.tolist(), edges.tolist()) == ([0, 0], [0, 0.5, 1])


@backends
@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_range_from_elements_that_are_not_finite_is_nan_and_counts_nothing(backend, bad):
    counts, edges = call(am.histogram, backend, [1.0, bad, 2.0], bins=2)
    assert counts.tolist() == [0, 0]
    assert np.all(np.isnan(edges))
    counts, _ = call(am.histogram, backend, [1.0, bad, 2.0], bins=2, range=(0, 2))
    assert counts.tolist() == [0, 2]


@backends
def test_a_histogram_s_weights_are_summed_in_float64(backend):
    x = np.full((2, 50), 0.5)
    weights = np.full(2, 0.1, np.float32)
    counts, _ = call(am.histogram, backend, x, bins=1, range=(0, 1), weights=weights)
    assert counts.dtype == np.float32
    assert counts[0] == np.float32(100 * float(np.float32(0.1)))


@gradients
def test_the_gradient_of_a_histogram_by_its_weights(backend):
    x, mask = make(backend, [0.5, 1.5, NAN, 0.25]), make(backend, [1, 1, 0, 1])

    def first(w):
        return am.histogram(x, bins=[0, 1, 2], mask=mask, weights=w)[0][0]

    _, (gradient,) = knowledge(backend).value_and_grad(first, [make(backend, [1.0, 2.0, 3.0, 4.0])])
    assert host(gradient).tolist() == [1, 0, 0, 1]


def test_edges_are_never_the_array_that_was_given():
    bins = np.asarray([0.0, 1.0])
    _, edges = am.histogram(np.ones(3), bins=bins)
    assert not np.shares_memory(edges, bins)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bins": 0}, "bins is 0; expected at least 1"),
        ({"bins": [2, 1]}, r"bins is \[2, 1\]; expected at least 2 edges, none below"),
        ({"bins": [1]}, "expected at least 2 edges"),
        ({"bins": ["a", "b"]}, "expected at least 2 edges"),
        ({"bins": [0.0, NAN]}, "expected at least 2 edges"),
        ({"range": (1, 0)}, "range is .*expected a pair of finite Python numbers"),
        ({"range": (0, INF)}, "range is .*expected a pair"),
        ({"range": 3}, "range is 3; expected a pair"),
        ({"bins": [0, 1], "range": (0, 1)}, "range is given with edges as bins"),
    ],
)
def test_bins_and_ranges_that_are_none_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        am.histogram(np.ones(3), **options)


def test_edges_as_an_array_are_checked_as_arrays_are():
    with pytest.raises(am.ShapeMismatchError, match=r"bins has shape \(1, 2\); expected the edges"):
        am.histogram(np.ones(3), bins=np.ones((1, 2)))
    with pytest.raises(am.MixedFrameworksError, match="bins is a torch array"):
        am.histogram(np.ones(3), bins=make("torch", [0.0, 1.0]))
    with pytest.raises(am.UnsupportedArrayError, match="bins has dtype complex"):
        am.histogram(np.ones(3), bins=np.ones(3, complex))


@pytest.mark.parametrize("bins", [2.5, np.float64(2.5), True, "auto", None, {0, 1}], ids=str)
def test_bins_that_are_neither_a_number_nor_edges_are_told_what_may_be(bins):
    with pytest.raises(ValueError, match=r"bins is .*a number of bins, an integer, or their edges"):
        am.histogram(np.ones(3), bins=bins)


@backends
def test_edges_in_a_list_are_those_of_an_array(backend):
    x = np.asarray([0.1, 0.4, 0.7], np.float32)  # 0.1 and 0.4 are greater than in float64
    theirs, _ = np.histogram(x, [0.1, 0.4])
    assert theirs.tolist() == [1]
    for bins in ([0.1, 0.4], (0.1, 0.4)):
        counts, edges = call(am.histogram, backend, x, bins=bins)
        assert (counts.tolist(), edges.dtype) == ([1], np.float32)
    with wide(backend):
        bins = make(backend, [0.1, 0.4], "float64")
        assert host(am.histogram(make(backend, x), bins=bins)[0]).tolist() == [1]
    found, _ = am.histogram(np.arange(5.0), bins=range(1, 4))
    assert found.tolist() == [1, 2]


@backends
def test_bins_as_wide_as_float64(backend):
    with wide(backend):
        x = make(backend, [-1e308, 1e308], "float64")
        for limits in (None, (-1e308, 1e308)):
            counts, edges = am.histogram(x, bins=2, range=limits)
            assert host(counts).tolist() == [1, 1]
            assert host(edges).tolist() == [-1e308, 0, 1e308]
