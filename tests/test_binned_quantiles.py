"""Quantiles of a stream from bins: the exact one is in the bin that is found."""

import numpy as np
import pytest
import sklearn.metrics as sk

import agnostic_mask as am
from agnostic_mask.metrics import BinnedMedianAbsoluteError, BinnedQuantile, Running

from .arrays import backends, host, make

N = 501
RNG = np.random.default_rng(0)
X = {
    "normal": RNG.normal(0, 2, N),
    "all sizes": np.copysign(10.0 ** RNG.uniform(-30, 30, N), RNG.normal(size=N)),
    "ties": np.round(RNG.normal(0, 2, N)),
    "near 1": 1 - 10.0 ** RNG.uniform(-9, 0, N),
    "integers": RNG.integers(-1000, 1000, N),
}
WEIGHTS, MASK = RNG.uniform(0.5, 3.0, N), RNG.random(N) < 0.8
data = pytest.mark.parametrize("name", X)


@data
@pytest.mark.parametrize("q", [0.0, 0.13, 0.5, 0.999, 1.0])
@pytest.mark.parametrize("b", [1, 64])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_the_exact_quantile_is_in_the_bin(name, q, b, weights):
    x = X[name]
    w = None if weights is None else weights[MASK]
    exact = np.quantile(x[MASK].astype(float), q, method="inverted_cdf", weights=w)
    value, low, high = BinnedQuantile(q, bins_per_octave=b)(x, weights, MASK)
    assert low <= exact < high
    assert abs(value - exact) <= abs(exact) / (2 * b) + np.finfo(np.float32).tiny


@data
def test_the_median_error_is_scikit_learn_s(name):
    y_true = X[name].astype(float)
    y_pred = y_true + RNG.normal(0, 1, N)
    value, low, high = BinnedMedianAbsoluteError()(y_true, y_pred)
    exact = sk.median_absolute_error(y_true, y_pred)  # of an odd number one element
    assert low <= exact < high
    assert abs(value - exact) <= exact / 128


@backends
def test_any_backend_and_any_batches_give_the_same_bits(backend):
    x = X["all sizes"].astype(np.float32)
    expected = BinnedQuantile(0.3)(x)
    running = Running(BinnedQuantile(0.3))
    for start in (0, 100, 300):
        stop = {0: 100, 100: 300, 300: N}[start]
        running.update(make(backend, x[start:stop]))
    assert [host(v).tobytes() for v in running.compute()] == [v.tobytes() for v in expected]


def test_ends_of_what_has_none():
    least, most = np.finfo(np.float32).tiny, float(2.0**128 - 2.0**121)
    median = BinnedQuantile(0.5)
    assert tuple(map(float, median(np.asarray([0.0])))) == (0.0, -least, least)
    assert tuple(map(float, median(np.asarray([1e-300])))) == (0.0, -least, least)
    assert tuple(map(float, median(np.asarray([np.inf])))) == (np.inf, most, np.inf)
    assert tuple(map(float, median(np.asarray([-1e300])))) == (-np.inf, -np.inf, -most)
    assert np.isnan(median(np.asarray([1.0, np.nan]))).all()
    assert np.isnan(median(np.asarray([1.0]), mask=np.asarray([False]))).all()
    assert np.isnan(median(np.zeros((0, 2)))).all()


def test_bad_options():
    with pytest.raises(ValueError, match="q is 50; expected a number from 0 to 1"):
        BinnedQuantile(50)
    with pytest.raises(ValueError, match="power of two"):
        BinnedMedianAbsoluteError(bins_per_octave=3)


def test_groups_have_their_own_quantiles():
    x, by = X["normal"], RNG.integers(0, 3, N)
    together = BinnedQuantile(0.25)(x, mask=MASK, by=by, num_groups=4)
    for group in range(4):
        alone = BinnedQuantile(0.25)(x, mask=MASK & (by == group))
        np.testing.assert_array_equal([v[group] for v in together], alone)


@pytest.mark.parametrize("weight", [0.1, 0.3, 0.7, 1e-3, 1 / 3])
def test_equal_weights_change_nothing_where_a_share_is_just_reached(weight):
    x, rng = np.arange(1.0, 11), np.random.default_rng(1)
    for q in np.arange(1, 11) / 10:
        metric, weights = BinnedQuantile(float(q)), np.full(10, weight)
        expected = metric(x)
        assert expected.low == am.quantile(x, float(q), method="inverted_cdf")
        assert metric(x, weights) == expected
        for _ in range(3):  # rows in any order
            state = metric.zero(like=x)
            for i in rng.permutation(10):
                state = metric.update(state, x[[i]], weights[[i]])
            assert metric.compute(state) == expected


@pytest.mark.parametrize("bins", [64.0, True, 3, 0, 2048, "64"])
def test_bins_are_a_power_of_two(bins):
    with pytest.raises(ValueError, match="bins_per_octave is"):
        BinnedQuantile(0.5, bins_per_octave=bins)
