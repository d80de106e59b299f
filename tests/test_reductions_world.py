"""The newer reductions against other libraries, which get what is left when the mask removes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch

import agnostic_mask as am

from .arrays import BACKENDS, backends, close, host, make, wide

EAGER = ("numpy", "torch", "array_api_strict")
N, F = 12, 3
RNG = np.random.default_rng(21)
X = RNG.normal(1.0, 2.0, (N, F)).astype(np.float32)
MASK = RNG.random(N) < 0.7
WEIGHTS = RNG.uniform(0.25, 2.0, N).astype(np.float32)
WEIGHTS[[1, 5]] = 0
REPEATS = RNG.integers(0, 4, N).astype(np.int32)
METHODS = ("linear", "inverted_cdf", "averaged_inverted_cdf")
SHARES = (0.0, 0.1, 0.3, 0.5, 0.75, 1.0)
both_types = pytest.mark.parametrize("dtype", ["float32", "float64"])
everywhere = pytest.mark.parametrize(  # JAX compiles for each type, which takes its time
    ("backend", "dtype"), [*((b, "float32") for b in BACKENDS), *((b, "float64") for b in EAGER)]
)


def kept(weights=None):
    """Rows that count, in float64, and their weights."""
    keep = MASK if weights is None else MASK & (weights != 0)
    return X[keep].astype(np.float64), None if weights is None else weights[keep]


def call(function, backend, *options, weights=None, dtype="float32", **named):
    """The package's own, with NaN where rows are left out."""
    keep = MASK if weights is None else MASK & (weights != 0)
    x = np.where(keep[:, None], X, np.nan)
    with wide(backend, dtype):
        arrays = {"mask": make(backend, MASK)}
        if weights is not None:
            arrays["weights"] = make(backend, weights, weights.dtype)
        found = function(make(backend, x, dtype), *options, **arrays, **named)
        return [host(a) for a in found] if isinstance(found, tuple) else host(found)


def jaxed(function, *arrays, **options):
    with jax.enable_x64(True):
        return np.asarray(function(*map(jnp.asarray, arrays), **options))


def torched(function, *arrays, **options):
    return function(*map(torch.from_numpy, arrays), **options).numpy()


def test_the_sample_excludes_rows_by_mask_and_by_weight_and_keeps_some():
    assert 3 <= kept(WEIGHTS)[0].shape[0] < kept()[0].shape[0] < N
    assert kept(REPEATS)[1].max() > 1


# -- positions --


@everywhere
@pytest.mark.parametrize("name", ["argmin", "argmax"])
def test_positions_are_numpy_s_of_what_is_left(backend, dtype, name):
    rows = np.flatnonzero(MASK)
    found = call(getattr(am, name), backend, axis=0, dtype=dtype)
    np.testing.assert_array_equal(found, rows[getattr(np, name)(X[MASK], axis=0)])
    flat = getattr(np, name)(X[MASK])
    found = call(getattr(am, name), backend, dtype=dtype)
    assert found == rows[flat // F] * F + flat % F


# -- norms, running sums, logarithms --


@everywhere
@pytest.mark.parametrize("order", [2, 1, 0, 3, 0.5, -1, np.inf, -np.inf], ids=str)
def test_norms_are_numpy_s_torch_s_and_jax_s(backend, dtype, order):
    x, _ = kept()
    found = call(am.vector_norm, backend, axis=0, ord=order, dtype=dtype)
    for theirs in (
        np.linalg.norm(x, ord=order, axis=0),
        torched(torch.linalg.vector_norm, x, ord=order, dim=0),
        jaxed(jnp.linalg.vector_norm, x, ord=order, axis=0),
    ):
        close(found, theirs, np.abs(theirs), dtype=dtype)


@backends
@pytest.mark.parametrize("order", [2, 3, 0])
def test_norms_of_repeated_elements(backend, order):
    x, repeats = kept(REPEATS)
    theirs = np.linalg.norm(np.repeat(x, repeats, axis=0), ord=order, axis=0)
    close(call(am.vector_norm, backend, weights=REPEATS, axis=0, ord=order), theirs, theirs)


@everywhere
def test_running_sums_are_numpy_s(backend, dtype):
    counts = (MASK & (WEIGHTS != 0))[:, None]
    terms = np.where(counts, X.astype(np.float64) * WEIGHTS[:, None], 0.0)
    found = call(am.cumulative_sum, backend, weights=WEIGHTS, axis=0, dtype=dtype)
    absolute = np.cumulative_sum(np.abs(terms), axis=0)
    close(found, np.cumulative_sum(terms, axis=0), absolute, dtype=dtype)


@everywhere
def test_log_softmax_is_scipy_s_torch_s_and_jax_s(backend, dtype):
    x, _ = kept()
    found = call(am.log_softmax, backend, axis=0, dtype=dtype)
    assert np.all(found[~MASK] == -np.inf)
    for theirs in (
        scipy.special.log_softmax(x, axis=0),
        torched(torch.log_softmax, x, dim=0),
        jaxed(jax.nn.log_softmax, x, axis=0),
    ):
        close(found[MASK], theirs, np.abs(x).max() + np.abs(theirs), dtype=dtype)


def test_log_softmax_is_jax_s_where():
    x = jnp.asarray(X)
    theirs = jax.nn.log_softmax(x, axis=0, where=jnp.asarray(MASK)[:, None])
    close(am.log_softmax(x, mask=jnp.asarray(MASK), axis=0), theirs, np.abs(X).max() + 3)


# -- moments --


@everywhere
@pytest.mark.parametrize("correction", [0, 1])
def test_covariances_are_numpy_s_torch_s_and_jax_s(backend, dtype, correction):
    x, repeats = kept(REPEATS)
    found = call(am.cov, backend, weights=REPEATS, dtype=dtype, correction=correction)
    theirs = np.cov(x, rowvar=False, fweights=repeats, ddof=correction)
    scale = np.sqrt(np.outer(np.diag(theirs), np.diag(theirs)))
    close(found, theirs, scale, dtype=dtype)
    options = {"fweights": torch.from_numpy(repeats), "correction": correction}
    close(found, torched(torch.cov, x.T, **options), scale, dtype=dtype)
    options = {"fweights": jnp.asarray(repeats), "ddof": correction, "rowvar": False}
    close(found, jaxed(jnp.cov, x, **options), scale, dtype=dtype)


@everywhere
def test_correlations_are_numpy_s_torch_s_and_jax_s(backend, dtype):
    x, _ = kept()
    found = call(am.corrcoef, backend, dtype=dtype)
    for theirs in (
        np.corrcoef(x, rowvar=False),
        torched(torch.corrcoef, x.T),
        jaxed(jnp.corrcoef, x, rowvar=False),
    ):
        close(found, theirs, np.ones((F, F)), dtype=dtype)


@pytest.mark.parametrize("variables", [1, 2])
def test_numpy_s_own_layout(variables):
    x = X.T[:variables]
    found = am.cov(x, mask=MASK[None, :], axis=1)
    close(found, np.atleast_2d(np.cov(x[:, MASK])), 8.0)
    found = am.corrcoef(x, mask=MASK[None, :], axis=1)
    close(found, np.atleast_2d(np.corrcoef(x[:, MASK].astype(float))), 1.0)


def test_correlations_of_repeated_observations():
    x, repeats = kept(REPEATS)
    found = call(am.corrcoef, "numpy", weights=REPEATS)
    close(found, np.corrcoef(np.repeat(x, repeats, axis=0), rowvar=False), np.ones((F, F)))


# -- quantiles --


@everywhere
@pytest.mark.parametrize("method", METHODS)
def test_quantiles_are_numpy_s_and_scipy_s(backend, dtype, method):
    x, _ = kept()
    found = call(am.quantile, backend, SHARES, axis=0, method=method, dtype=dtype)
    terms = np.abs(x).max()
    close(found, np.quantile(x, SHARES, axis=0, method=method), terms, dtype=dtype)
    theirs = scipy.stats.quantile(x, np.asarray(SHARES)[:, None], axis=0, method=method)
    close(found, theirs.reshape(found.shape), terms, dtype=dtype)
    flat = call(am.quantile, backend, 0.3, method=method, dtype=dtype)
    close(flat, np.quantile(x, 0.3, method=method), terms, dtype=dtype)


@backends
@pytest.mark.parametrize("method", METHODS)
def test_quantiles_with_integer_weights_are_scipy_s_and_those_of_repeated_elements(backend, method):
    x, repeats = kept(REPEATS)
    found = call(am.quantile, backend, SHARES, weights=REPEATS, axis=0, method=method)
    repeated = np.repeat(x, repeats, axis=0)
    close(found, np.quantile(repeated, SHARES, axis=0, method=method), np.abs(x).max())
    spread = np.broadcast_to(repeats[:, None], x.shape)
    for share, row in zip(SHARES, found, strict=True):
        theirs = scipy.stats.quantile(x, share, axis=0, method=method, weights=spread)
        close(row, theirs, np.abs(x).max())


@backends
def test_quantiles_with_real_weights_are_numpy_s(backend):
    x, weights = kept(WEIGHTS)
    options = {"axis": 0, "method": "inverted_cdf"}
    found = call(am.quantile, backend, SHARES, weights=WEIGHTS, **options)
    theirs = np.quantile(x, SHARES, weights=weights.astype(float), **options)
    np.testing.assert_array_equal(found, theirs)


@both_types
def test_quantiles_are_torch_s_and_jax_s(dtype):
    x, _ = kept()
    found = call(am.quantile, "numpy", SHARES, axis=0, dtype=dtype)
    theirs = torched(torch.quantile, x, np.asarray(SHARES), dim=0)
    close(found, theirs, np.abs(x).max(), dtype=dtype)
    theirs = jaxed(jnp.quantile, x, np.asarray(SHARES), axis=0)
    close(found, theirs, np.abs(x).max(), dtype=dtype)


@everywhere
def test_medians_are_numpy_s(backend, dtype):
    x, _ = kept()
    for rows in (x, x[:-1]):  # an even and an odd number of them
        found = am.median(make("numpy", rows, dtype), axis=0)
        close(found, np.median(rows, axis=0), np.abs(x).max(), dtype=dtype)
    found = call(am.median, backend, axis=0, keepdims=True, dtype=dtype)
    close(found, np.median(x, axis=0, keepdims=True), np.abs(x).max(), dtype=dtype)
    x, repeats = kept(REPEATS)
    found = call(am.median, backend, weights=REPEATS, dtype=dtype)
    close(found, np.median(np.repeat(x, repeats, axis=0)), np.abs(x).max(), dtype=dtype)


# -- histograms --

BINS = [
    {"bins": 4},
    {"bins": 5, "range": (-1, 2)},
    {"bins": 3, "range": (1, 1)},
    {"bins": (-2.0, 0.0, 0.5, 4.0)},
]


@everywhere
@pytest.mark.parametrize("options", BINS, ids=str)
def test_histograms_are_numpy_s(backend, dtype, options):
    x, _ = kept()
    counts, edges = call(am.histogram, backend, dtype=dtype, **options)
    theirs, their_edges = np.histogram(x.astype(dtype), **options)
    np.testing.assert_array_equal(counts, theirs)
    assert counts.dtype == np.int64
    close(edges, their_edges, np.abs(their_edges).max(), dtype=dtype)


@backends
@pytest.mark.parametrize("options", BINS[1:], ids=str)
def test_histograms_of_weights_are_numpy_s_and_torch_s(backend, options):
    x, weights = kept(WEIGHTS)
    spread = np.broadcast_to(weights[:, None], x.shape).astype(np.float64)
    counts, _ = call(am.histogram, backend, weights=WEIGHTS, **options)
    assert counts.dtype == np.float32
    theirs, edges = np.histogram(x, weights=spread, **options)
    close(counts, theirs, theirs)
    if edges[0] < edges[-1]:
        theirs = torch.histogram(
            torch.from_numpy(x), torch.from_numpy(edges), weight=torch.from_numpy(spread.copy())
        )
        close(counts, theirs.hist.numpy(), theirs.hist.numpy())


# -- gradients --


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (
            lambda x, m: am.vector_norm(x, mask=m, axis=0),
            lambda x: torch.linalg.vector_norm(x, dim=0),
        ),
        (lambda x, m: am.cov(x, mask=m), lambda x: torch.cov(x.T)),
        (lambda x, m: am.corrcoef(x, mask=m), lambda x: torch.corrcoef(x.T)),
        (lambda x, m: am.quantile(x, 0.3, mask=m, axis=0), lambda x: torch.quantile(x, 0.3, dim=0)),
        (lambda x, m: am.log_softmax(x, mask=m, axis=0)[m], lambda x: torch.log_softmax(x, dim=0)),
        (lambda x, m: am.cumulative_sum(x, mask=m, axis=0)[m], lambda x: torch.cumsum(x, 0)),
    ],
    ids=["vector_norm", "cov", "corrcoef", "quantile", "log_softmax", "cumulative_sum"],
)
def test_gradients_are_torch_s(ours, theirs):
    def slope(function, x):
        x = torch.from_numpy(x).requires_grad_()
        value = function(x)
        directions = torch.cos(torch.arange(value.numel(), dtype=value.dtype)).reshape(value.shape)
        (value * directions).sum().backward()
        return x.grad.numpy()

    mask = torch.from_numpy(MASK)
    found = slope(lambda x: ours(x, mask), np.where(MASK[:, None], X, np.nan))
    expected = slope(theirs, X[MASK].astype(np.float64))
    assert np.all(found[~MASK] == 0)
    # Each derivative is a sum of terms no larger than N times the greatest.
    close(found[MASK], expected, N * np.abs(expected).max())
