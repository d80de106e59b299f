"""Rankings of candidates: by scikit-learn and torchmetrics, by hand, and whatever the padding."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, dcg_score, ndcg_score
from torchmetrics.functional import retrieval

import agnostic_mask as am

from .arrays import close, knowledge, make, wide

M = am.metrics
NAN, INF = float("nan"), float("inf")
RNG = np.random.default_rng(3)
B, K = 7, 6
GRADED = np.maximum(RNG.integers(-2, 6, (B, K)), 0) / 4
BINARY = (GRADED > 0.5).astype(np.int32)
GRADED[2], BINARY[2] = 0, 0  # nothing is relevant
TIED = RNG.integers(0, 4, (B, K)) / 4
APART = np.stack([1 + RNG.permutation(K) for _ in range(B)]) / 8
MASK = RNG.random((B, K)) < 0.7
MASK[:, :2], MASK[4] = True, False  # a query without a candidate
WEIGHTS = RNG.integers(1, 8, B) / 4
# Of the K terms of a query, each with two sums over ties, a logarithm, a product and two
# quotients, on either side, and of the mean over queries; of float32 there is the result alone.
ROUNDINGS = {"float32": 2, "float64": 2 * (3 * K + 10) + 2 * B}

EVERY = {
    "DCG": M.DCG(),
    "DCG at 2": M.DCG(2, gain="exponential"),
    "NDCG": M.NDCG(),
    "NDCG at 2": M.NDCG(2, gain="exponential"),
    "precision": M.PrecisionAtK(3),
    "recall": M.RecallAtK(3),
    "MAP": M.MeanAveragePrecision(),
    "MRR": M.MeanReciprocalRank(),
    "MRR at 2": M.MeanReciprocalRank(2),
}
DIVIDED = ("NDCG", "NDCG at 2", "recall", "MAP", "MRR", "MRR at 2")
every = pytest.mark.parametrize("metric", EVERY.values(), ids=EVERY)
frameworks = pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def each(fn, y_true, y_pred):
    """Weighted mean of a function of one query, whose excluded candidates are not there."""
    kept = [i for i in range(B) if MASK[i].any()]
    values = [float(fn(y_true[i][MASK[i]], y_pred[i][MASK[i]])) for i in kept]
    return np.average(values, weights=WEIGHTS[kept])


def of_rows(fn, **options):
    """A function of scikit-learn that takes rows."""
    return lambda t, p: fn(t[None], p[None], **options)


def of_tensors(fn, **options):
    """A function of torchmetrics."""
    return lambda t, p: fn(torch.tensor(p), torch.tensor(t), **options)


def average_precision(t, p):
    return average_precision_score(t, p) if t.any() else 0.0


SAME = {
    "DCG": (M.DCG(), of_rows(dcg_score), GRADED, TIED),
    "DCG at 3": (M.DCG(3), of_rows(dcg_score, k=3), GRADED, TIED),
    "NDCG": (M.NDCG(), of_rows(ndcg_score), GRADED, TIED),
    "NDCG at 3": (M.NDCG(3), of_rows(ndcg_score, k=3), GRADED, TIED),
    "NDCG beyond the list": (M.NDCG(99), of_rows(ndcg_score, k=99), GRADED, TIED),
    "MAP": (M.MeanAveragePrecision(), average_precision, BINARY, TIED),
    "NDCG of torchmetrics": (
        M.NDCG(3),
        of_tensors(retrieval.retrieval_normalized_dcg, top_k=3),
        GRADED,
        APART,
    ),
    "NDCG of torchmetrics, with ties": (
        M.NDCG(3),
        of_tensors(retrieval.retrieval_normalized_dcg, top_k=3),
        GRADED,
        TIED,
    ),
    "MAP of torchmetrics": (
        M.MeanAveragePrecision(),
        of_tensors(retrieval.retrieval_average_precision),
        BINARY,
        APART,
    ),
    "precision": (
        M.PrecisionAtK(3),
        of_tensors(retrieval.retrieval_precision, top_k=3),
        BINARY,
        APART,
    ),
    "precision beyond the list": (
        M.PrecisionAtK(K + 2),
        of_tensors(retrieval.retrieval_precision, top_k=K + 2),
        BINARY,
        APART,
    ),
    "recall": (M.RecallAtK(2), of_tensors(retrieval.retrieval_recall, top_k=2), BINARY, APART),
    "MRR": (
        M.MeanReciprocalRank(),
        of_tensors(retrieval.retrieval_reciprocal_rank),
        BINARY,
        APART,
    ),
    "MRR at 2": (
        M.MeanReciprocalRank(2),
        of_tensors(retrieval.retrieval_reciprocal_rank, top_k=2),
        BINARY,
        APART,
    ),
}
FLOAT32_PEERS = ("NDCG of torchmetrics", "MAP of torchmetrics", "precision", "recall", "MRR")


def arrays(backend, dtype, y_true, y_pred):
    """What a metric takes, with NaN in every excluded place."""
    y_pred = np.where(MASK, y_pred, NAN)
    if y_true.dtype.kind == "f":
        y_true = make(backend, np.where(MASK, y_true, INF), dtype)
    else:
        y_true = make(backend, np.where(MASK, y_true, 9))
    return y_true, make(backend, y_pred, dtype), make(backend, WEIGHTS, dtype), make(backend, MASK)


@frameworks
@dtypes
@pytest.mark.parametrize("name", SAME)
def test_means_are_those_of_others_query_by_query(name, backend, dtype):
    metric, peer, y_true, y_pred = SAME[name]
    expected = each(peer, y_true, y_pred)
    with wide(backend, dtype):
        found = metric(*arrays(backend, dtype, y_true, y_pred))
    # torchmetrics divides in float32, whatever goes in.
    exact = "float32" if name.startswith(FLOAT32_PEERS) else dtype
    close(found, expected, expected, dtype=exact, roundings=ROUNDINGS[exact])


@pytest.mark.parametrize("name", ["DCG", "DCG at 2", "NDCG", "NDCG at 2", "precision", "recall"])
def test_ties_are_worth_the_mean_over_all_their_orders(name):
    y_true, y_pred = np.asarray([0.0, 2.0, 1.0, 0.0, 0.5]), np.asarray([2.0, 1.0, 1.0, 1.0, 0.0])
    untied = [
        EVERY[name](y_true, np.asarray([2.0, *(1 + np.asarray(order) / 8), 0.0]))
        for order in itertools.permutations(range(3))
    ]
    assert len(set(map(float, untied))) > 1
    close(
        EVERY[name](y_true, y_pred), np.mean(untied), np.mean(untied), dtype="float64", roundings=80
    )


def test_precision_counts_all_that_tie_and_the_reciprocal_rank_the_irrelevant_first():
    y_true, y_pred = np.asarray([1, 0, 0, 1, 0]), np.asarray([0.5, 0.5, 0.9, 0.1, 0.1])
    assert M.MeanReciprocalRank()(y_true, y_pred) == 1 / 3
    assert M.MeanReciprocalRank(3)(y_true, y_pred) == 1 / 3
    assert M.MeanReciprocalRank(2)(y_true, y_pred) == 0
    expected = (1 / 3 + 2 / 5) / 2
    close(M.MeanAveragePrecision()(y_true, y_pred), expected, expected, dtype="float64")


@pytest.mark.parametrize("metric", [M.DCG, M.NDCG])
def test_exponential_gains_are_powers_of_two_less_one(metric):
    found = metric(3, gain="exponential")(GRADED, TIED, WEIGHTS, MASK)
    linear = metric(3)(2**GRADED - 1, TIED, WEIGHTS, MASK)
    close(found, linear, linear, dtype="float64", roundings=ROUNDINGS["float64"])


@pytest.mark.parametrize("name", [name for name in EVERY if name != "MAP"])
def test_k_beyond_the_list_is_the_list(name):
    metric = EVERY[name]
    options = {n: getattr(metric, n) for n in ("gain", "zero_division") if hasattr(metric, n)}
    y_true, y_pred = (GRADED if "gain" in options else BINARY), TIED
    longer, whole = (type(metric)(k, **options)(y_true, y_pred) for k in (10 * K, K))
    factor = 10 if isinstance(metric, M.PrecisionAtK) else 1  # which divides by k all the same
    close(np.asarray(longer * factor), whole, whole, dtype="float64", roundings=4)


@pytest.mark.parametrize("name", DIVIDED)
def test_a_query_with_nothing_relevant_has_the_value_that_was_asked_for(name):
    y_true, y_pred = np.asarray([[0, 0], [0, 1]]), np.asarray([[0.5, 0.25], [0.25, 0.5]])
    metric = EVERY[name]
    options = {n: getattr(metric, n) for n in ("k", "gain") if hasattr(metric, n)}
    values = [type(metric)(**options, zero_division=z)(y_true, y_pred) for z in (0, 0.25, NAN)]
    assert values == [0.5, 0.625, 1.0]
    assert metric(y_true, y_pred) == values[0]
    assert np.isnan(type(metric)(**options, zero_division=NAN)(y_true[:1], y_pred[:1]))


def test_measures_without_a_divisor_are_0_where_nothing_is_relevant():
    nothing = np.zeros((1, 3)), np.asarray([[0.5, 0.25, 0.25]])
    assert [float(M.DCG()(*nothing)), float(M.PrecisionAtK(2)(*nothing))] == [0, 0]


@every
def test_a_query_without_candidates_is_absent_and_nothing_is_nan(metric):
    y_true, y_pred = BINARY[:3], TIED[:3]
    mask = np.ones((3, K), dtype=bool)
    mask[1] = False
    weights = np.asarray([1.0, NAN, 2.0])
    expected = metric(y_true[::2], y_pred[::2], weights[::2])
    assert metric(y_true, y_pred, weights, mask) == expected
    assert metric(y_true, y_pred, weights, mask[:, 0]) == expected
    assert metric(y_true, y_pred, np.asarray([[1.0], [0.0], [2.0]])) == expected
    assert np.isnan(metric(y_true, y_pred, mask=mask & ~mask))
    assert np.isnan(metric(y_true[:0], y_pred[:0]))
    assert np.isnan(metric(y_true[:, :0], y_pred[:, :0]))
    assert metric(y_true[0], y_pred[0], mask=mask[0]) == metric(y_true[:1], y_pred[:1])


@every
def test_what_is_included_and_nan_comes_through(metric):
    y_true, y_pred = BINARY.astype(float), TIED.copy()
    y_pred[1, 0] = NAN
    assert np.isnan(metric(y_true, y_pred))
    assert np.isnan(metric(y_pred, y_true))
    left = np.ones((B, K), dtype=bool)
    left[1, 0] = False
    assert np.isfinite(metric(y_true, y_pred, mask=left))


@every
def test_infinite_scores_are_ranked_and_excluded_ones_do_not_tie_with_them(metric):
    y_true = np.asarray([1.0, 0.0, 1.0, 1.0, 0.0])
    far = np.asarray([-INF, -INF, 0.5, INF, 0.25])
    near = np.asarray([0.0, 0.0, 0.5, 1.0, 0.25])
    expected = metric(y_true, near)
    assert metric(y_true, far) == expected
    padding = np.asarray([0.0, 1.0, 1.0])
    for order in (slice(None), slice(None, None, -1)):
        mask = np.asarray([True] * 5 + [False] * 3)[order]
        padded = (
            np.concatenate(x)[order] for x in ((y_true, padding), (far, -INF * (padding + 1)))
        )
        found = metric(*padded, mask=mask)
        close(found, expected, expected, dtype="float64", roundings=ROUNDINGS["float64"])


def test_torchmetrics_retrieves_nothing_of_a_score_of_0_or_less():
    y_true, y_pred = np.asarray([1, 0, 1]), np.asarray([-1.0, -2.0, -3.0])
    ours, theirs = zip(
        (M.PrecisionAtK(1), of_tensors(retrieval.retrieval_precision, top_k=1)),
        (M.MeanAveragePrecision(), of_tensors(retrieval.retrieval_average_precision)),
        strict=True,
    )
    assert [float(peer(y_true, y_pred)) for peer in theirs] == [0, 0]
    assert [float(metric(y_true, y_pred)) for metric in ours] == [1, (1 + 2 / 3) / 2]


def test_integer_scores_are_told_apart_beyond_float32():
    y_true, y_pred = np.asarray([0, 1]), np.asarray([2**24, 2**24 + 1])
    assert M.MeanReciprocalRank()(y_true, y_pred) == 1


def test_half_scores_and_booleans_give_float32():
    y_true, y_pred = np.asarray([[False, True]]), np.asarray([[0.5, 0.25]], dtype=np.float16)
    found = M.MeanAveragePrecision()(y_true, y_pred)
    assert (found.dtype, float(found)) == (np.float32, 0.5)


def test_a_list_of_many_candidates_takes_no_square_of_them():
    n = 200_000  # of whose pairs nothing could be held
    y_true, y_pred = RNG.integers(0, 4, n) / 2, RNG.integers(0, n // 3, n) / 2
    found, expected = M.DCG()(y_true, y_pred), dcg_score(y_true[None], y_pred[None])
    close(found, expected, expected, dtype="float64", roundings=n)


@every
def test_tiles_give_what_the_whole_gives(metric, monkeypatch):
    given = arrays("numpy", "float32", BINARY, TIED)
    whole = metric(*given)
    monkeypatch.setattr(knowledge("numpy"), "tile_elements", 2 * K)
    assert metric(*given) == whole
    with pytest.raises(am.ShapeMismatchError, match="one weight for each"):
        metric(*given[:2], np.ones((B, K), dtype=np.float32))


LISTS = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@every
@given(rng=LISTS)
@settings(max_examples=15, deadline=None)
def test_the_order_of_candidates_changes_nothing(metric, rng):
    y_true, y_pred = rng.integers(0, 4, (4, 5)) / 2, rng.integers(0, 4, (4, 5)) / 2
    mask, order = rng.random((4, 5)) < 0.7, rng.permutation(5)
    expected = metric(y_true, y_pred, mask=mask)
    found = metric(y_true[:, order], y_pred[:, order], mask=mask[:, order])
    close(found, expected, expected, dtype="float64", roundings=ROUNDINGS["float64"])


@every
@given(rng=LISTS, garbage=st.sampled_from([NAN, INF, -INF, 1e300, -1.0]))
@settings(max_examples=15, deadline=None)
def test_what_lies_in_the_padding_changes_no_bit(metric, rng, garbage):
    lengths = rng.integers(0, 6, 4)
    mask = am.sequence_mask(lengths, 5)
    clean = [np.where(mask, rng.integers(0, 4, (4, 5)) / 2, 0) for _ in range(2)]
    expected = metric(*clean, mask=mask)
    dirty = metric(*(np.where(mask, x, garbage) for x in clean), mask=mask)
    np.testing.assert_array_equal(dirty, expected)  # NaN where all lists are empty
    wider = [np.concatenate([x, np.full((4, 3), garbage)], axis=1) for x in clean]
    found = metric(*wider, mask=am.sequence_mask(lengths, 8))
    close(found, expected, expected, dtype="float64", roundings=ROUNDINGS["float64"])


def test_the_gradient_of_scores_is_0_and_that_of_relevance_is_where_it_is_included():
    y_true, y_pred, weights, mask = arrays("jax", "float32", GRADED, TIED)

    def value(y_true, y_pred):
        return M.NDCG()(y_true, y_pred, weights, mask)

    of_true, of_pred = (np.asarray(g) for g in jax.grad(value, argnums=(0, 1))(y_true, y_pred))
    assert (of_pred == 0).all()
    assert (of_true[~MASK] == 0).all()
    assert np.isfinite(of_true).all()
    assert (of_true[MASK] != 0).any()


def test_batches_of_lists_of_other_lengths_merge():
    metric = M.NDCG()
    state = metric.zero(like=jnp.ones(1))
    for rows, n in ((slice(0, 3), K), (slice(3, B), K - 1)):
        parts = (jnp.asarray(x[rows, :n], dtype=jnp.float32) for x in (GRADED, TIED))
        state = metric.update(state, *parts, mask=jnp.asarray(MASK[rows, :n]))
    mask = MASK.copy()
    mask[3:, K - 1 :] = False
    expected = metric(GRADED, TIED, mask=mask)
    close(metric.compute(state), expected, expected, roundings=2)


@frameworks
def test_groups_are_of_queries(backend):
    by = np.asarray([0, 1, 1, 0, 2, 0, 2], dtype=np.int32)
    metric = M.MeanAveragePrecision()
    found = metric(*arrays(backend, "float32", BINARY, TIED), by=make(backend, by), num_groups=4)
    expected = [
        metric(BINARY[g], TIED[g], WEIGHTS[g], MASK[g]) for g in (by == i for i in range(4))
    ]
    assert np.isnan(expected[3])
    close(found, expected, expected, roundings=2)


@pytest.mark.parametrize("k", [0, -1, 2.0, True, "2"])
@pytest.mark.parametrize(
    "metric", [M.DCG, M.NDCG, M.PrecisionAtK, M.RecallAtK, M.MeanReciprocalRank]
)
def test_k_is_an_integer_of_at_least_1(metric, k):
    with pytest.raises(ValueError, match=f"k is {k!r}; expected an integer of at least 1"):
        metric(k)


def test_options_that_are_none_are_refused():
    for metric in (M.DCG, M.NDCG):
        with pytest.raises(ValueError, match="gain is 'log'; expected 'linear' or 'exponential'"):
            metric(gain="log")
    for metric in (M.NDCG, M.MeanAveragePrecision, M.MeanReciprocalRank):
        with pytest.raises(ValueError, match="zero_division is 'warn'; expected a number"):
            metric(zero_division="warn")


@every
def test_shapes_that_do_not_fit_are_refused(metric):
    y_true, y_pred = BINARY, TIED
    with pytest.raises(am.ShapeMismatchError, match=r"weights has shape \(7, 6\) and reaches"):
        metric(y_true, y_pred, np.ones((B, K)))
    with pytest.raises(am.ShapeMismatchError, match=r"weights has shape \(6,\)"):
        metric(y_true, y_pred, np.ones(K))
    with pytest.raises(am.ShapeMismatchError, match=r"mask has shape \(6,\)"):
        metric(y_true, y_pred, mask=np.ones(K, dtype=bool))
    with pytest.raises(am.ShapeMismatchError, match="expected equal shapes"):
        metric(y_true[:, 0], y_pred)
    with pytest.raises(am.ShapeMismatchError, match="along the last axis"):
        metric(np.asarray(1.0), np.asarray(0.5))
    with pytest.raises(am.UnsupportedArrayError, match="mask has dtype float64"):
        metric(y_true, y_pred, mask=np.ones((B, K)))


@pytest.mark.parametrize("metric", [am.metrics.DCG(), am.metrics.NDCG(zero_division=np.nan)])
def test_a_relevance_below_0_is_none(metric):
    y_true = np.asarray([[-1.0, 1.0, 0.0], [1.0, 0.0, 2.0]])
    y_pred = np.asarray([[0.3, 0.2, 0.1], [0.3, 0.2, 0.1]])
    assert np.isnan(metric(y_true, y_pred))
    mask = y_true >= 0
    assert np.isfinite(metric(y_true, y_pred, mask=mask))


def test_zero_division_is_a_number():
    for metric in (am.metrics.NDCG, am.metrics.MeanAveragePrecision):
        with pytest.raises(ValueError, match="zero_division is None"):
            metric(zero_division=None)
