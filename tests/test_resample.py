"""How often a row is in a resample: by its id, the resample's number and the seed alone."""

import mpmath
import numpy as np
import pytest
import scipy.stats

from agnostic_mask import _resample
from agnostic_mask._dispatch import resolve
from agnostic_mask._resample import THRESHOLDS, poisson_counts
from agnostic_mask.conformance._environments import environments
from agnostic_mask.conformance.oracle import poisson_count

from .arrays import BACKENDS, backends, host, make, wide

EDGES = [0, 1, -1, 2**31 - 1, 2**31, -(2**31), 2**32, 2**32 - 1, 2**63 - 1, -(2**63)]
IDS = np.asarray([*EDGES, *range(5, 30), *(k * 2**32 for k in range(1, 6))], np.int64)
MANY = 40_000


def counted(ids, num_replicates=20, seed=5, rows=None):
    return host(poisson_counts(resolve((("ids", ids),)), ids, num_replicates, seed, rows))


def draws(ids, seed=0, num_replicates=20):
    """Counts of the resamples alone."""
    return counted(np.asarray(ids), num_replicates, seed)[1:]


def oracle(ids, num_replicates=20, seed=5):
    rows = range(num_replicates + 1)
    return np.asarray([[poisson_count(int(i), r, seed) for i in ids] for r in rows])


@backends
def test_every_framework_has_the_counts_of_python_integers(backend):
    with wide(backend):
        found = counted(make(backend, IDS, "int64"))
    assert found.dtype == np.int32
    assert (found == oracle(IDS)).all()


def test_every_device_has_them_those_without_64_bits_too():
    ids = IDS[(IDS >= -(2**31)) & (IDS < 2**31)].astype(np.int32)
    tried = environments(["array_api_strict"])
    for env in tried:
        assert (counted(env.asarray(ids, None)) == oracle(ids)).all(), env.label
    assert {
        env.knowledge.has_dtype(env.knowledge.namespace(), env.device, "int64") for env in tried
    } == {
        True,
        False,
    }


@pytest.mark.parametrize(
    "dtype",
    ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", ">i8", ">u2"],
)
def test_the_dtype_of_ids_does_not_matter(dtype):
    limits = np.iinfo(dtype)
    ids = [limits.min, limits.max, 0, 1, 100]
    assert (counted(np.asarray(ids, dtype)) == oracle(ids)).all()


@pytest.mark.parametrize("seed", [0, 1, 2**32, 2**40 + 7, 2**64 - 1])
def test_seeds_of_64_bits(seed):
    assert (counted(IDS, seed=seed) == oracle(IDS, seed=seed)).all()


@pytest.mark.parametrize("backend", BACKENDS[:3])
def test_position_and_batch_do_not_matter(backend):
    rng = np.random.default_rng(0)
    ids = rng.integers(-(2**31), 2**31, 60).astype(np.int32)
    whole = counted(make(backend, ids))
    order = rng.permutation(60)
    assert (counted(make(backend, ids[order])) == whole[:, order]).all()
    assert (counted(make(backend, ids[20:40])) == whole[:, 20:40]).all()


def test_a_few_resamples_at_a_time_are_the_rows_of_all():
    whole = counted(IDS)
    for start, stop in ((0, 2), (0, 21), (1, 3), (7, 21)):
        assert (counted(IDS, rows=range(start, stop)) == whole[start:stop]).all()


def test_the_first_row_is_the_sample_itself():
    assert (counted(IDS)[0] == 1).all()


def test_thresholds_are_the_poisson_distribution_to_32_bits():
    with mpmath.workprec(200):
        at_most = [
            mpmath.nsum(lambda j: mpmath.exp(-1) / mpmath.factorial(j), [0, k]) for k in range(13)
        ]
        assert [int(mpmath.nint(p * 2**32)) for p in at_most[:12]] == list(THRESHOLDS)
        assert int(mpmath.nint(at_most[12] * 2**32)) == 2**32


SETS = {
    "consecutive": np.arange(MANY),
    "multiples of 2**32": np.arange(MANY) * 2**32,
    "negative": -1 - np.arange(MANY),
    "multiples of 1000": np.arange(MANY) * 1000,
    "random": np.random.default_rng(1).integers(-(2**63), 2**63 - 1, MANY),
}
KINDS = 5
"""Counts of 0, 1, 2, 3, and of 4 or more."""


def probabilities():
    below = scipy.stats.poisson.pmf(np.arange(KINDS - 1), 1)
    return np.asarray([*below, 1 - below.sum()])


def chi_square(observed, expected):
    """Probability of a table that is at least as far from the one that is expected."""
    statistic = ((observed - expected) ** 2 / expected).sum()
    return scipy.stats.chi2.sf(statistic, observed.size - 1)


def together(a, b):
    """Probability of what was seen of pairs, were they independent and Poisson(1)."""
    table = np.zeros((KINDS, KINDS))
    np.add.at(table, (np.minimum(a, KINDS - 1).ravel(), np.minimum(b, KINDS - 1).ravel()), 1)
    p = probabilities()
    return chi_square(table, np.outer(p, p) * table.sum())


# Some 150 probabilities are looked at, of numbers that are the same in every run. Were they random,
# one of them would be below this in one of 6 000 sets of numbers.
LEAST = 1e-6


@pytest.mark.parametrize("name", SETS)
def test_counts_are_poisson(name):
    found = draws(SETS[name])
    n = found.size
    # Both have a standard deviation of 1/sqrt(n), and sqrt(2/n) and a little.
    assert abs(found.mean() - 1) < 5 / n**0.5
    assert abs(found.var() - 1) < 5 * (3 / n) ** 0.5
    table = np.bincount(np.minimum(found, KINDS - 1).ravel(), minlength=KINDS)
    assert chi_square(table, probabilities() * n) > LEAST
    for row in found:
        table = np.bincount(np.minimum(row, KINDS - 1), minlength=KINDS)
        assert chi_square(table, probabilities() * row.size) > LEAST


@pytest.mark.parametrize("name", SETS)
def test_resamples_are_independent(name):
    found = draws(SETS[name])
    for lag in (1, 2, 8, 16):
        assert together(found[:-lag], found[lag:]) > LEAST


@pytest.mark.parametrize("name", SETS)
def test_neighbours_are_independent(name):
    found = draws(SETS[name])
    for lag in (1, 2, 64, 1024, 4096):
        assert together(found[:, :-lag], found[:, lag:]) > LEAST


def test_seeds_are_independent():
    found = draws(SETS["consecutive"])
    for seed in (1, 2, 2**32):
        other = draws(SETS["consecutive"], seed)
        assert together(found, other) > LEAST
        # Nor is a resample of the one a later resample of the other.
        assert together(found[1:], other[:-1]) > LEAST


def test_how_often_rows_are_in_resamples_varies_as_it_should():
    """Sums over rows have the variance of independent counts, not of counts that move together."""
    sums = draws(np.arange(2_000), num_replicates=2_000).sum(axis=1)
    assert abs(sums.var() / 2_000 - 1) < 5 * (2 / 2_000) ** 0.5


def test_a_hash_that_does_not_mix_is_caught(monkeypatch):
    monkeypatch.setattr(_resample, "_fmix32", lambda x: x)
    with pytest.raises(AssertionError):
        test_neighbours_are_independent("consecutive")
    with pytest.raises(AssertionError):
        test_resamples_are_independent("consecutive")
