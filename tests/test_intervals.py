"""Intervals: replicates are repetitions, whatever the batches, and intervals hold the truth."""

import functools

import numpy as np
import pytest

import agnostic_mask as am
from agnostic_mask._dispatch import resolve
from agnostic_mask._resample import poisson_counts
from agnostic_mask._statistic import Arguments
from agnostic_mask.conformance.cases import MetricCase, QueryCase, all_cases
from agnostic_mask.conformance.cases._part import Part
from agnostic_mask.metrics import _resampled
from agnostic_mask.metrics._resampled import Resampled

from .arrays import backends, host, knowledge, make

M = am.metrics
CASES = {case.name: case for case in all_cases() if isinstance(case, MetricCase | QueryCase)}
ROWS, STEPS, REPLICATES = 9, 3, 3
RNG = np.random.default_rng(3)
N = 40
TRUE, PRED = RNG.normal(0, 2, N).astype(np.float32), RNG.normal(0, 2, N).astype(np.float32)
LABELS, CHANCES = RNG.integers(0, 2, N).astype(np.int32), RNG.random(N).astype(np.float32)
WEIGHTS, MASK = RNG.uniform(0.5, 2.0, N).astype(np.float32), RNG.random(N) < 0.8
IDS = RNG.permutation(1000)[:N].astype(np.int32)
FIELDS = M.Interval._fields


def counts_of(ids, num_replicates, seed=0):
    return poisson_counts(resolve((("ids", ids),)), ids, num_replicates, seed)


def same(left, right):
    """Whether two intervals have the same bits."""
    return all(host(a).tobytes() == host(b).tobytes() for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_replicates_are_the_metric_of_rows_repeated(name):
    case = CASES[name]
    inputs = case.inputs(np.random.default_rng(0), (ROWS, STEPS))
    ids = np.arange(ROWS)
    metric = case.metric.metric if isinstance(case.metric, Part) else case.metric
    arrays = tuple(inputs[n] for n in ("x", "y_true", "y_pred") if n in inputs)
    batch = Arguments(arrays, inputs["weights"], inputs["mask"], ids=ids)
    state = Resampled(metric.statistic, REPLICATES, 0).gather(batch)
    d = resolve(batch.named())
    values = metric._value(d, state)
    values = case.metric.of(values) if isinstance(case.metric, Part) else values
    for counts, value in zip(counts_of(ids, REPLICATES), values, strict=True):
        repeated = {
            n: x if x.shape[0] == 1 else np.repeat(x, counts, axis=0) for n, x in inputs.items()
        }
        reference = case.reference(repeated, "float64", "float64")
        assert reference.share(np.asarray(value)) <= 1, (value, reference)


SAME_BITS = {
    "sums of scores": (M.MeanSquaredError(), (TRUE, PRED)),
    "sums of one array": (M.Mean(), (TRUE,)),
    "moments": (M.R2Score(), (TRUE, PRED)),
    "confusions": (M.F1(), (LABELS, CHANCES)),
    "extremes": (M.MaxError(), (TRUE, PRED)),
    "an objective": (am.weighted_masked_objective(am.losses.huber), (TRUE, PRED)),
    "a gap": (M.BetweenGroups(M.MeanAbsoluteError(), 3, "gap"), (TRUE, PRED)),
}


def parts_of(metric, arrays, backend, rows, **more):
    like = make(backend, arrays[-1])
    covers = {"weights": WEIGHTS, "mask": MASK, "ids": IDS, **more}
    states = []
    for part in rows:
        named = {n: make(backend, x[part]) for n, x in covers.items()}
        groups = {"num_groups": 3} if more else {}
        state = metric.zero(like=like, **groups)
        states.append(metric.update(state, *(make(backend, x[part]) for x in arrays), **named))
    return states


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("kind", SAME_BITS)
def test_batches_merges_and_order_do_not_matter(backend, kind):
    inner, arrays = SAME_BITS[kind]
    metric = M.BootstrapInterval(inner, num_replicates=30)
    more = {"by": (IDS % 3).astype(np.int32)} if kind == "a gap" else {}
    (whole,) = parts_of(metric, arrays, backend, [np.arange(N)], **more)
    expected = metric.compute(whole)
    assert all(np.isfinite(host(x)).all() for x in expected)
    rng = np.random.default_rng(2)
    for size in (1, 7, 7):
        rows = np.array_split(rng.permutation(N), range(size, N, size))
        states = parts_of(metric, arrays, backend, rows, **more)
        while len(states) > 1:
            i = int(rng.integers(0, len(states) - 1))
            states[i : i + 2] = [metric.merge(states[i], states[i + 1])]
        assert same(metric.compute(states[0]), expected)


def test_tiles_and_blocks_do_not_matter(monkeypatch):
    for inner, arrays in SAME_BITS.values():
        if isinstance(inner, M.BetweenGroups):
            continue
        metric = M.BootstrapInterval(inner, num_replicates=30)
        expected = metric(*arrays, WEIGHTS, MASK, ids=IDS)
        with monkeypatch.context() as patch:
            # Nine resamples at a time.
            patch.setattr(_resampled, "BLOCK", 9 * N)
            assert same(metric(*arrays, WEIGHTS, MASK, ids=IDS), expected)
        with monkeypatch.context() as patch:
            # Four rows at a time.
            patch.setattr(type(knowledge("numpy")), "tile_elements", 4 * 31)
            assert same(metric(*arrays, WEIGHTS, MASK, ids=IDS), expected)


@backends
def test_groups_are_as_if_the_others_had_been_removed(backend):
    metric = M.BootstrapInterval(M.F1(), num_replicates=20)
    by = (IDS % 3).astype(np.int32)
    arrays = [make(backend, x) for x in (LABELS, CHANCES, WEIGHTS, MASK)]
    found = metric(*arrays, ids=make(backend, IDS), by=make(backend, by), num_groups=4)
    for g in range(3):
        kept = [x[by == g] for x in (LABELS, CHANCES, WEIGHTS, MASK)]
        alone = metric(*kept, ids=IDS[by == g])
        for ours, theirs in zip(found, alone, strict=True):
            np.testing.assert_array_max_ulp(host(ours)[g], theirs, 1)
    # Of the metric's own value of nothing no resample differs.
    assert [float(host(x)[3]) for x in found] == [0.0, 0.0, 0.0, 0.0]


def test_an_included_label_out_of_range_makes_all_nan():
    metric = M.BootstrapInterval(M.Mean(), num_replicates=5)
    by = np.where(np.arange(N) == np.argmax(MASK), 3, 0)
    found = metric(TRUE, mask=MASK, ids=IDS, by=by, num_groups=3)
    assert all(np.isnan(x).all() for x in found)
    found = metric(TRUE, mask=MASK & (by != 3), ids=IDS, by=by, num_groups=3)
    assert all(np.isfinite(x[0]) for x in found)


def test_rows_with_one_id_are_resampled_together():
    metric = M.BootstrapInterval(M.MeanSquaredError(), num_replicates=50)
    alone = metric(TRUE, PRED, np.full(N, 2), ids=IDS)
    twice = metric(np.repeat(TRUE, 2), np.repeat(PRED, 2), ids=np.repeat(IDS, 2))
    assert same(alone, twice)
    # Were they resampled each by itself, the error would be smaller by the root of 2.
    apart = metric(np.repeat(TRUE, 2), np.repeat(PRED, 2), ids=np.arange(2 * N))
    assert apart.standard_error < 0.85 * twice.standard_error


def test_excluded_rows_and_their_ids_do_not_matter():
    metric = M.BootstrapInterval(M.R2Score(), num_replicates=20)
    expected = metric(TRUE, PRED, WEIGHTS, MASK, ids=IDS)
    other = np.where(MASK, IDS, -7)
    assert same(metric(TRUE, np.where(MASK, PRED, np.nan), WEIGHTS, MASK, ids=other), expected)


@backends
def test_what_is_not_finite(backend):
    metric = M.BootstrapInterval(M.Mean(), num_replicates=40)
    ids = make(backend, np.arange(2))

    def fields(x, **covers):
        covers = {n: make(backend, c) for n, c in covers.items()}
        return [float(host(v)) for v in metric(make(backend, np.asarray(x)), ids=ids, **covers)]

    # In some resamples is nothing: they are left out, and the others have both or either.
    value, low, high, error = fields([1.0, 3.0])
    assert (value, low, high) == (2.0, 1.0, 3.0)
    assert 0 < error < 1.1
    assert fields([4.0, 4.0]) == [4.0, 4.0, 4.0, 0.0]
    assert np.isnan(fields([1.0, np.nan])).all()
    assert np.isnan(fields([1.0, 3.0], mask=np.asarray([False, False]))).all()
    assert np.isnan(fields([1.0, 3.0], weights=np.asarray([1.0, -1.0]))).all()


def test_of_a_value_that_is_infinite_nothing_is_said():
    metric = M.BootstrapInterval(M.Max(), num_replicates=5)
    found = metric(np.asarray([1.0, np.inf]), ids=np.arange(2))
    assert found.value == np.inf
    assert np.isnan(found[1:]).all()


def test_results_with_axes_have_an_interval_each():
    metric = M.BootstrapInterval(M.ConfusionMatrix(num_classes=2), num_replicates=30)
    found = metric(LABELS, CHANCES > 0.5, ids=IDS)
    assert all(x.shape == (2, 2) for x in found)
    rows = counts_of(IDS, 30)[1:]
    cell = (rows * ((LABELS == 1) & (CHANCES > 0.5))).sum(axis=1)
    np.testing.assert_allclose(found.low[1, 1], np.quantile(cell, 0.025))
    np.testing.assert_allclose(found.high[1, 1], np.quantile(cell, 0.975))
    np.testing.assert_allclose(found.standard_error[1, 1], cell.std(ddof=1))


def test_states_are_packed_and_filed_and_kept(tmp_path):
    metric = M.BootstrapInterval(M.MeanSquaredError(), num_replicates=10)
    running = M.Running(metric)
    for rows in (slice(0, 15), slice(15, N)):
        running.update(TRUE[rows], PRED[rows], ids=IDS[rows])
    expected = metric(TRUE, PRED, ids=IDS)
    assert same(running.compute(), expected)
    zero = metric.zero(like=PRED)
    unpacked = am.states.unpack(am.states.pack(running.state), like=zero)
    assert same(metric.compute(unpacked), expected)
    am.states.save(tmp_path / "state.npz", running.state)
    loaded = am.states.load(tmp_path / "state.npz", metric, like=PRED)
    assert same(metric.compute(metric.merge(loaded, metric.zero(like=loaded))), expected)


def test_states_of_other_resamples_do_not_merge():
    make_state = {
        n: M.BootstrapInterval(M.Mean(), **options).zero(like=PRED)
        for n, options in (("a", {"num_replicates": 9}), ("b", {"num_replicates": 9, "seed": 1}))
    }
    metric = M.BootstrapInterval(M.Mean(), num_replicates=9)
    with pytest.raises(am.StateMismatchError, match="9 resamples of seed 1"):
        metric.merge(make_state["a"], make_state["b"])
    with pytest.raises(am.StateMismatchError):
        M.Mean().compute(make_state["a"])


# -- bad input ---------------------------------------------------------------------------------

MEAN = M.BootstrapInterval(M.Mean(), num_replicates=3)


def test_ids_must_be_given_as_integers_one_for_each_row():
    with pytest.raises(ValueError, match=r"ids is None; .* numpy.arange"):
        MEAN(TRUE)
    with pytest.raises(ValueError, match="ids is None"):
        MEAN.update(MEAN.zero(like=TRUE), TRUE)
    with pytest.raises(am.UnsupportedArrayError, match=r"ids has dtype float32.*numpy.unique"):
        MEAN(TRUE, ids=TRUE)
    with pytest.raises(am.UnsupportedArrayError, match="ids has dtype bool"):
        MEAN(TRUE, ids=MASK)
    with pytest.raises(am.UnsupportedArrayError, match="ids is a builtins"):
        MEAN(TRUE, ids=list(range(N)))
    for ids in (IDS[:-1], np.arange(N + 1), IDS[:1]):
        with pytest.raises(am.ShapeMismatchError, match=rf"ids has shape \({ids.size},\)"):
            MEAN(TRUE, ids=ids)
    with pytest.raises(am.ShapeMismatchError, match=r"ids has shape \(40, 1\); expected one axis"):
        MEAN(TRUE, ids=IDS[:, None])
    with pytest.raises(am.ShapeMismatchError, match="without an axis of rows"):
        MEAN(TRUE[0], ids=IDS[:1])


def test_ids_must_fit_where_a_batch_is_cut_into_tiles(monkeypatch):
    monkeypatch.setattr(type(knowledge("numpy")), "tile_elements", 4)
    for ids in (IDS[:-1], np.arange(N + 1), IDS[:1]):
        with pytest.raises(am.ShapeMismatchError, match=rf"ids has shape \({ids.size},\)"):
            MEAN(TRUE, ids=ids)


def test_ids_must_be_of_the_framework_of_the_data():
    with pytest.raises(am.MixedFrameworksError, match="ids"):
        MEAN(make("torch", TRUE), ids=IDS)


@pytest.mark.parametrize("bad", [0, 1, -0.5, 95, float("nan")])
@pytest.mark.parametrize("interval", [M.BootstrapInterval, M.NormalInterval])
def test_a_confidence_lies_between_0_and_1(interval, bad):
    with pytest.raises(ValueError, match="confidence is"):
        interval(M.Mean(), confidence=bad)


def test_options_of_resamples():
    for bad in (1, 0, -1, 2.5, True, None):
        with pytest.raises(ValueError, match="num_replicates is"):
            M.BootstrapInterval(M.Mean(), num_replicates=bad)
    for bad in (-1, 2**64, 0.5, None):
        with pytest.raises(ValueError, match="seed is"):
            M.BootstrapInterval(M.Mean(), seed=bad)
    with pytest.raises(TypeError, match="confidence is"):
        M.BootstrapInterval(M.Mean(), confidence="95%")


@pytest.mark.parametrize("interval", [M.BootstrapInterval, M.NormalInterval])
def test_only_a_metric_of_one_array_has_an_interval(interval):
    with pytest.raises(TypeError, match=r"MetricSet.*of each of its metrics"):
        interval(M.MetricSet({"mse": M.MeanSquaredError()}))
    with pytest.raises(TypeError, match=r"class Mean; .* write Mean\(\)"):
        interval(M.Mean)
    with pytest.raises(TypeError, match="MeanScore"):
        interval(am.losses.huber)
    with pytest.raises(ValueError, match="reduction 'none'"):
        interval(am.weighted_masked_objective(am.losses.huber, reduction="none"))
    with pytest.raises(TypeError, match="BinnedROCCurve, whose result is a ROCCurve of several"):
        interval(M.BinnedROCCurve())


def test_of_a_bounded_result_it_is_the_value():
    auc = M.BinnedROCAUC(bins_per_octave=4)
    found = M.BootstrapInterval(auc, num_replicates=50)(LABELS, CHANCES, ids=IDS)
    assert found.value == auc(LABELS, CHANCES).value
    assert found.low < found.value < found.high
    by = np.arange(len(IDS)) % 3
    each = auc(LABELS, CHANCES, by=by, num_groups=3).value
    gap = M.BetweenGroups(auc, 3, "gap")(LABELS, CHANCES, by=by)
    np.testing.assert_allclose(gap, each.max() - each.min(), rtol=1e-6)


def test_the_interval_of_a_gap_knows_the_number_of_groups():
    by = np.arange(len(IDS)) % 3
    gap = M.BetweenGroups(M.BinaryAccuracy(), 3, "gap")
    metric = M.BootstrapInterval(gap, num_replicates=20)
    found = metric(LABELS, CHANCES, ids=IDS, by=by)
    assert found.value == gap(LABELS, CHANCES, by=by)
    running = M.Running(metric)
    running.update(LABELS, CHANCES, ids=IDS, by=by)
    assert running.compute() == found
    assert gap(LABELS, CHANCES, by=by, num_groups=3) == found.value
    with pytest.raises(ValueError, match="num_groups is 4; expected 3"):
        gap(LABELS, CHANCES, by=by, num_groups=4)


def test_arguments_are_those_of_the_metric():
    metric = M.BootstrapInterval(M.MeanSquaredError(), num_replicates=3)
    expected = metric(TRUE, PRED, WEIGHTS, MASK, ids=IDS)
    named = metric(ids=IDS, mask=MASK, y_pred=PRED, weights=WEIGHTS, y_true=TRUE)
    assert same(expected, named)
    with pytest.raises(TypeError, match="x unexpectedly"):
        metric(TRUE, PRED, x=TRUE, ids=IDS)
    with pytest.raises(TypeError, match="y_true unexpectedly"):
        metric(TRUE, PRED, y_true=TRUE, ids=IDS)
    with pytest.raises(TypeError, match="5 arrays"):
        metric(TRUE, PRED, WEIGHTS, MASK, IDS)
    with pytest.raises(am.UnsupportedArrayError, match="y_pred is None"):
        metric(TRUE, ids=IDS)
    with pytest.raises(ValueError, match="num_groups is None"):
        metric(TRUE, PRED, ids=IDS, by=IDS)
    with pytest.raises(TypeError, match="other arguments"):
        M.MetricSet({"mse": metric})


# -- the truth ----------------------------------------------------------------------------

DRAWS, SIZE = 2_000, 200


@functools.cache
def drawn():
    """2 000 draws of 200 elements: numbers, weights, labels and guesses, and the draws' numbers."""
    rng, n = np.random.default_rng(0), DRAWS * SIZE
    x, weights = rng.normal(1.0, 2.0, n), rng.uniform(0.2, 2.0, n)
    labels = (rng.random(n) < 0.4).astype(np.int32)
    guesses = np.where(rng.random(n) < 0.85, labels, 1 - labels).astype(np.float64)
    return x, weights, labels, guesses, np.repeat(np.arange(DRAWS), SIZE)


def truths():
    x, weights, labels, guesses, _ = drawn()
    precision, recall = 0.4 * 0.85 / (0.4 * 0.85 + 0.6 * 0.15), 0.85
    return {
        "mean": (M.Mean(), (x,), 1.0),
        "weighted mean": (M.Mean(), (x, weights), 1.0),
        "accuracy": (M.BinaryAccuracy(), (labels, guesses), 0.85),
        "F1": (M.F1(), (labels, guesses), 2 * precision * recall / (precision + recall)),
    }


def coverage(interval, truth):
    return np.mean((interval.low <= truth) & (truth <= interval.high))


@pytest.mark.parametrize("name", ["mean", "weighted mean", "accuracy", "F1"])
def test_95_percent_bootstrap_intervals_hold_the_truth(name):
    inner, arrays, truth = truths()[name]
    metric = M.BootstrapInterval(inner, num_replicates=400)
    found = metric(*arrays, ids=np.arange(DRAWS * SIZE), by=drawn()[-1], num_groups=DRAWS)
    assert 0.93 <= coverage(found, truth) <= 0.97


@pytest.mark.parametrize("name", ["mean", "weighted mean", "accuracy"])
def test_95_percent_normal_intervals_hold_the_truth(name):
    inner, arrays, truth = truths()[name]
    found = M.NormalInterval(inner)(*arrays, by=drawn()[-1], num_groups=DRAWS)
    assert 0.93 <= coverage(found, truth) <= 0.97


def test_elements_in_clusters_need_clusters():
    """Elements that agree within clusters: only the intervals by clusters hold the truth."""
    rng, clusters, each, draws = np.random.default_rng(4), 60, 5, 400
    shift = np.repeat(rng.normal(0, 2, (draws, clusters)), each, axis=1)
    x = shift + rng.normal(0, 1, shift.shape)
    of = np.repeat(np.arange(clusters), each)
    metric = M.NormalInterval(M.Mean(), num_clusters=clusters)
    found = [metric(row, clusters=of) for row in x]
    assert 0.91 <= np.mean([i.low <= 0 <= i.high for i in found]) <= 0.98
    by = np.repeat(np.arange(draws), clusters * each)
    alone = M.NormalInterval(M.Mean())(x.ravel(), by=by, num_groups=draws)
    assert coverage(alone, 0.0) < 0.8
    ids = by * clusters + np.tile(of, draws)
    together = M.BootstrapInterval(M.Mean(), num_replicates=300)
    found = together(x.ravel(), ids=ids, by=by, num_groups=draws)
    assert 0.91 <= coverage(found, 0.0) <= 0.98
