"""Intervals of means by their standard error, against SciPy, and formulas written out."""

import numpy as np
import pytest
import scipy.stats

import agnostic_mask as am

from .arrays import backends, host, make

M = am.metrics
RNG = np.random.default_rng(8)
X = RNG.normal(0, 2, (12, 5))
MASK = RNG.random((12, 5)) < 0.7
WEIGHTS = RNG.uniform(0.2, 3.0, 12)
CLUSTERS = RNG.integers(0, 6, 12)
Z = scipy.stats.norm.ppf(0.975)


def weighted_error(x, w):
    """The linearised standard error of a weighted mean, written out."""
    x, w = np.asarray(x, np.longdouble), np.asarray(w, np.longdouble)
    mean = (w * x).sum() / w.sum()
    return np.sqrt((w**2 * (x - mean) ** 2).sum() / w.sum() ** 2 * x.size / (x.size - 1))


def clustered_error(x, w, of):
    x, w = np.asarray(x, np.longdouble), np.asarray(w, np.longdouble)
    mean = (w * x).sum() / w.sum()
    totals = np.asarray([(w * (x - mean))[of == c].sum() for c in np.unique(of)])
    return np.sqrt((totals**2).sum() / w.sum() ** 2 * totals.size / (totals.size - 1))


def covered(x=X):
    """Included elements, their weights and clusters."""
    weights, clusters = (np.broadcast_to(a[:, None], x.shape) for a in (WEIGHTS, CLUSTERS))
    return x[MASK], weights[MASK], clusters[MASK]


@backends
def test_without_weights_it_is_scipy_s(backend):
    found = M.NormalInterval(M.Mean())(make(backend, X), mask=make(backend, MASK))
    x = X[MASK]
    expected = x.mean(), x.mean() - Z * scipy.stats.sem(x), x.mean() + Z * scipy.stats.sem(x)
    np.testing.assert_allclose([host(a) for a in found[:3]], expected, rtol=1e-5)
    np.testing.assert_allclose(host(found.standard_error), scipy.stats.sem(x), rtol=1e-5)
    reduced = am.standard_error(make(backend, X), mask=make(backend, MASK))
    np.testing.assert_allclose(host(reduced), scipy.stats.sem(x), rtol=1e-5)


@pytest.mark.parametrize("far", [0.0, 1e8])
def test_weights_are_linearised(far):
    x = X + far
    expected = weighted_error(*covered(x)[:2])
    # Numbers far from 0 are rounded themselves, to 1e-8.
    found = M.NormalInterval(M.Mean())(x, WEIGHTS, MASK)
    np.testing.assert_allclose(found.standard_error, float(expected), rtol=1e-14 + 1e-15 * far)
    reduced = am.standard_error(x, weights=WEIGHTS, mask=MASK)
    np.testing.assert_allclose(reduced, float(expected), rtol=1e-14 + 1e-15 * far)


def test_a_mean_far_from_0_costs_nothing_in_batches_either():
    metric = M.NormalInterval(M.Mean())
    x, state = X + 1e8, metric.zero(like=X)
    for i in range(12):
        state = metric.update(state, x[i : i + 1], WEIGHTS[i : i + 1], MASK[i : i + 1])
    expected = weighted_error(*covered(x)[:2])
    np.testing.assert_allclose(metric.compute(state).standard_error, float(expected), rtol=1e-7)


@backends
def test_clusters_are_summed(backend):
    metric = M.NormalInterval(M.MeanSquaredError(), num_clusters=8)
    arrays = [make(backend, x) for x in (np.zeros_like(X), X, WEIGHTS, MASK)]
    found = metric(*arrays, clusters=make(backend, CLUSTERS))
    x, w, of = covered()
    np.testing.assert_allclose(host(found.value), (w * x**2).sum() / w.sum(), rtol=1e-5)
    error = float(clustered_error(x**2, w, of))
    np.testing.assert_allclose(host(found.standard_error), error, rtol=1e-5)
    np.testing.assert_allclose(host(found.high - found.low), 2 * Z * error, rtol=1e-5)


def test_clusters_of_one_element_are_elements():
    apart = M.NormalInterval(M.Mean(), num_clusters=60)
    found = apart(X, WEIGHTS, MASK, clusters=np.arange(60).reshape(12, 5))
    np.testing.assert_allclose(found, M.NormalInterval(M.Mean())(X, WEIGHTS, MASK), rtol=1e-14)


def test_clusters_far_apart_in_parts():
    metric = M.NormalInterval(M.Mean(), num_clusters=6)
    x = X + 1e6 * CLUSTERS[:, None]
    states = [
        metric.update(
            metric.zero(like=X), x[i::3], WEIGHTS[i::3], MASK[i::3], clusters=CLUSTERS[i::3]
        )
        for i in range(3)
    ]
    found = metric.compute(metric.merge(metric.merge(*states[:2]), states[2]))
    expected = float(clustered_error(*covered(x)))
    np.testing.assert_allclose(found.standard_error, expected, rtol=1e-12)


def test_a_label_out_of_range_makes_all_nan_unless_it_is_excluded():
    metric = M.NormalInterval(M.Mean(), num_clusters=5)
    assert np.isnan(metric(X, WEIGHTS, MASK, clusters=CLUSTERS)).all()
    kept = np.broadcast_to((CLUSTERS < 5)[:, None], X.shape)
    assert np.isfinite(metric(X, WEIGHTS, MASK & kept, clusters=CLUSTERS)).all()


def test_one_element_or_cluster_says_nothing_of_its_error():
    value, *others = M.NormalInterval(M.Mean())(np.asarray([3.0]))
    assert value == 3.0
    assert np.isnan(others).all()
    metric = M.NormalInterval(M.Mean(), num_clusters=3)
    value, *others = metric(np.asarray([3.0, 5.0]), clusters=np.asarray([1, 1]))
    assert value == 4.0
    assert np.isnan(others).all()
    assert np.isnan(M.NormalInterval(M.Mean())(X, mask=np.zeros_like(MASK))).all()


def test_an_element_of_weight_2_is_one_observation():
    once = M.NormalInterval(M.Mean())(X[0], np.full(5, 2.0))
    twice = M.NormalInterval(M.Mean())(np.repeat(X[0], 2))
    assert once.value == twice.value
    np.testing.assert_allclose(once.standard_error, scipy.stats.sem(X[0]), rtol=1e-14)
    assert twice.standard_error < 0.75 * once.standard_error


def test_roots_and_exponentials_by_their_derivative():
    t, p = np.zeros(60), X.ravel()
    square = M.NormalInterval(M.MeanSquaredError())(t, p)
    root = M.NormalInterval(M.RootMeanSquaredError())(t, p)
    np.testing.assert_allclose(root.value, square.value**0.5, rtol=1e-14)
    slope = 0.5 * square.value**-0.5
    np.testing.assert_allclose(root.standard_error, square.standard_error * slope, rtol=1e-14)
    chances = np.stack([np.full(60, 0.5), np.linspace(0.1, 0.4, 60), np.linspace(0.4, 0.1, 60)], -1)
    labels = np.arange(60) % 3
    loss = M.NormalInterval(M.SparseCategoricalCrossentropy())(labels, chances)
    for metric, value, slope in (
        (M.Perplexity(), np.exp(loss.value), np.exp(loss.value)),
        (M.BitsPerToken(), loss.value / np.log(2), 1 / np.log(2)),
    ):
        found = M.NormalInterval(metric)(labels, chances)
        np.testing.assert_allclose(found.value, value, rtol=1e-14)
        np.testing.assert_allclose(found.standard_error, loss.standard_error * slope, rtol=1e-14)
    cosine = M.NormalInterval(M.CosineSimilarity())(X, X[::-1])
    each = -am.losses.cosine_similarity(X, X[::-1])
    np.testing.assert_allclose(cosine.value, each.mean(), rtol=1e-13)
    np.testing.assert_allclose(cosine.standard_error, scipy.stats.sem(each), rtol=1e-13)


MEANS = {
    "of one array": (M.Mean(), (X,)),
    "of a function": (M.MeanScore(am.losses.huber), (X, X[::-1])),
    "MAE": (M.MeanAbsoluteError(), (X, X[::-1])),
    "an objective": (am.weighted_masked_objective(am.losses.huber, reduction="mean"), (X, X[::-1])),
    "accuracy": (M.BinaryAccuracy(), (X > 0, (X[::-1] > 0).astype(float))),
    "Brier": (M.BrierScore(), (X > 0, abs(X) / 10)),
    "deviance": (M.TweedieDeviance(2.0), (abs(X) + 1, abs(X[::-1]) + 1)),
    "log loss": (M.BinaryCrossentropy(), (X > 0, abs(X) / 10)),
}


@pytest.mark.parametrize("name", MEANS)
def test_the_value_is_the_metric_s_own(name):
    metric, arrays = MEANS[name]
    found = M.NormalInterval(metric)(*arrays, WEIGHTS, MASK)
    np.testing.assert_allclose(found.value, metric(*arrays, WEIGHTS, MASK), rtol=1e-14)
    assert found.low < found.value < found.high


NOT_MEANS = {
    "a confusion": M.F1(),
    "accuracy of a confusion": M.Accuracy(),
    "moments": M.R2Score(),
    "a sum": M.Sum(),
    "a ratio of sums": M.MeanScore(am.losses.dice),
    "Keras 2": am.weighted_masked_objective(am.losses.huber),
    "with a value of nothing": am.weighted_masked_objective(
        am.losses.huber, reduction="mean", empty=0.0
    ),
}


def test_means_over_queries_have_the_error_of_their_queries():
    rng = np.random.default_rng(3)
    y_true, y_pred = rng.integers(0, 3, (30, 5)), rng.random((30, 5))
    mask = am.sequence_mask(rng.integers(0, 6, 30), 5)  # of some no candidate is left
    weights = rng.uniform(0.5, 2.0, 30)
    ndcg = M.NDCG()
    each = np.asarray([ndcg(t, p, mask=m) for t, p, m in zip(y_true, y_pred, mask, strict=True)])
    expected = am.standard_error(each, weights=weights, mask=mask.any(axis=1))
    found = M.NormalInterval(ndcg)(y_true, y_pred, weights, mask)
    np.testing.assert_allclose(found.standard_error, expected, rtol=1e-12)
    np.testing.assert_allclose(found.value, ndcg(y_true, y_pred, weights, mask), rtol=1e-14)


@pytest.mark.parametrize("name", NOT_MEANS)
def test_what_is_no_mean_has_no_formula(name):
    with pytest.raises(TypeError, match="BootstrapInterval"):
        M.NormalInterval(NOT_MEANS[name])


def test_clusters_that_do_not_fit():
    metric = M.NormalInterval(M.Mean(), num_clusters=6)
    plain = M.NormalInterval(M.Mean())
    with pytest.raises(ValueError, match="clusters is None, and num_clusters is given"):
        metric(X)
    with pytest.raises(ValueError, match="num_clusters is None, and clusters is given"):
        plain(X, clusters=CLUSTERS)
    with pytest.raises(ValueError, match="BootstrapInterval, with ids=clusters"):
        metric(X, clusters=CLUSTERS, by=CLUSTERS, num_groups=6)
    with pytest.raises(ValueError, match="beside clusters"):
        metric.zero(like=X, num_groups=3)
    with pytest.raises(am.UnsupportedArrayError, match="clusters has dtype float64"):
        metric(X, clusters=CLUSTERS * 1.0)
    with pytest.raises(am.UnsupportedArrayError, match="clusters is a builtins"):
        metric(X, clusters=[0] * 12)
    with pytest.raises(am.ShapeMismatchError, match="clusters has shape"):
        metric(X, clusters=np.arange(5))
    for bad in (0, -1, 2.0, True):
        with pytest.raises(ValueError, match="num_clusters is"):
            M.NormalInterval(M.Mean(), num_clusters=bad)


def test_standard_errors_along_axes_and_of_groups():
    found = am.standard_error(X, mask=MASK, weights=WEIGHTS, axis=0)
    for j in range(5):
        kept = MASK[:, j]
        expected = float(weighted_error(X[kept, j], WEIGHTS[kept]))
        np.testing.assert_allclose(found[j], expected, rtol=1e-14)
    found = am.standard_error(X, mask=MASK, weights=WEIGHTS, by=CLUSTERS, num_groups=7)
    x, w, of = covered()
    for g in range(6):
        np.testing.assert_allclose(
            found[g], float(weighted_error(x[of == g], w[of == g])), rtol=1e-13
        )
    assert np.isnan(found[6])


def test_of_integers_no_digit_is_lost():
    x = np.asarray([2**30, 2**30 + 1, 2**30 + 3], np.int32)
    np.testing.assert_allclose(am.standard_error(x), scipy.stats.sem(x), rtol=1e-12)


def test_states_of_clusters_are_saved(tmp_path):
    metric = am.metrics.NormalInterval(am.metrics.Mean(), num_clusters=3)
    x, clusters = np.asarray([1.0, 2.0, 4.0, 8.0]), np.asarray([0, 0, 1, 2])
    state = metric.update(metric.zero(like=x), x, clusters=clusters)
    am.states.save(tmp_path / "clusters.npz", state)
    loaded = am.states.load(tmp_path / "clusters.npz", metric, like=x)
    assert metric.compute(loaded) == metric(x, clusters=clusters)
