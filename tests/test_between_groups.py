"""Differences between groups, against the loop over groups."""

import numpy as np
import pytest

import agnostic_mask as am

from .arrays import backends, host, make

M = am.metrics
RNG = np.random.default_rng(6)
N, GROUPS = 90, 5
LABELS = RNG.integers(0, 2, N).astype(np.int32)
CHANCES = (0.3 * LABELS + 0.7 * RNG.random(N)).astype(np.float32)
WEIGHTS, MASK = RNG.uniform(0.5, 2.0, N).astype(np.float32), RNG.random(N) < 0.8
BY = RNG.choice([0, 1, 2, 4], N).astype(np.int32)
"""Group 3 has no element."""

METRICS = {
    "a confusion": M.F1(),
    "sums of scores": M.BinaryAccuracy(),
    "moments": M.PearsonCorrelation(),
    "extremes": M.MaxError(),
    "an objective": am.weighted_masked_objective(am.losses.binary_crossentropy, reduction="mean"),
}
HOW = {
    "min": min,
    "max": max,
    "gap": lambda x: max(x) - min(x),
    "ratio": lambda x: min(x) / max(x),
}


def of_each(metric):
    """The metric of each group that has elements, in float64, by itself."""
    kept = [MASK & (g == BY) for g in np.unique(BY)]
    arrays = LABELS, CHANCES.astype(np.float64), WEIGHTS
    return [float(metric(*(x[k] for x in arrays))) for k in kept]


@backends
@pytest.mark.parametrize("how", HOW)
def test_it_is_made_of_the_metric_of_each_group(backend, how):
    arrays = [make(backend, x) for x in (LABELS, CHANCES, WEIGHTS, MASK)]
    for metric in METRICS.values():
        found = M.BetweenGroups(metric, GROUPS, how)(*arrays, by=make(backend, BY))
        assert host(found).dtype == np.float32
        # A gap of numbers of about 1 is off by what these are.
        np.testing.assert_allclose(host(found), HOW[how](of_each(metric)), rtol=2e-6, atol=1e-6)


def test_parts_give_the_bits_of_the_whole():
    for metric in METRICS.values():
        gap = M.BetweenGroups(metric, GROUPS, "gap")
        expected = gap(LABELS, CHANCES, WEIGHTS, MASK, by=BY)
        state = gap.zero(like=CHANCES)
        for rows in np.array_split(RNG.permutation(N), 7):
            arrays = (x[rows] for x in (LABELS, CHANCES, WEIGHTS, MASK))
            state = gap.update(state, *arrays, by=BY[rows])
        state = gap.merge(gap.zero(like=state), state)
        np.testing.assert_array_max_ulp(gap.compute(state), expected, 1)


def test_states_are_those_of_the_metric_with_groups():
    metric = M.F1()
    state = metric.update(metric.zero(like=CHANCES, num_groups=GROUPS), LABELS, CHANCES, by=BY)
    gap = M.BetweenGroups(metric, GROUPS, "gap")
    assert gap.compute(state) == gap(LABELS, CHANCES, by=BY)
    running = M.Running(gap)
    running.update(LABELS, CHANCES, by=BY)
    assert running.compute() == gap(LABELS, CHANCES, by=BY)


@backends
@pytest.mark.parametrize("how", HOW)
def test_a_nan_of_a_group_with_elements_comes_through(backend, how):
    x = np.asarray([1.0, 2.0, 3.0, np.nan])
    mean = M.BetweenGroups(M.Mean(), 3, how)

    def value(mask, by):
        arrays = (make(backend, np.asarray(a)) for a in (x, mask, by))
        x_, mask_, by_ = arrays
        return float(host(mean(x_, mask=mask_, by=by_)))

    assert np.isnan(value([True, True, True, True], [0, 0, 1, 2]))
    assert np.isnan(value([True, True, True, True], [0, 0, 1, 1]))
    expected = HOW[how]([1.5, 3.0])
    assert value([True, True, True, False], [0, 0, 1, 2]) == expected
    assert value([True, True, True, False], [0, 0, 1, 1]) == expected


@backends
@pytest.mark.parametrize("how", HOW)
def test_of_no_group_there_is_nothing(backend, how):
    metric = M.BetweenGroups(M.Mean(), 3, how)
    x, by = make(backend, np.ones(4)), make(backend, np.zeros(4, np.int32))
    assert np.isnan(host(metric(x, mask=make(backend, np.zeros(4, bool)), by=by)))
    assert np.isnan(host(metric.compute(metric.zero(like=x))))


def test_an_included_label_out_of_range_makes_it_nan():
    metric = M.BetweenGroups(M.Mean(), 3, "max")
    by = np.asarray([0, 1, 3])
    assert np.isnan(metric(np.ones(3), by=by))
    assert metric(np.ones(3), mask=by < 3, by=by) == 1


def test_one_group_has_no_gap():
    by = np.zeros(N, np.int32)
    found = {how: M.BetweenGroups(M.F1(), GROUPS, how)(LABELS, CHANCES, by=by) for how in HOW}
    assert found["gap"] == 0
    assert found["ratio"] == 1
    assert found["min"] == found["max"] == M.F1()(LABELS, CHANCES)


def test_the_ratio_to_nothing_is_nan():
    x, by = np.asarray([0.0, 0.0]), np.asarray([0, 1])
    assert np.isnan(M.BetweenGroups(M.Mean(), 2, "ratio")(x, by=by))


def test_how_much_of_a_gap_is_chance():
    gap = M.BetweenGroups(M.BinaryAccuracy(), GROUPS, "gap")
    interval = M.BootstrapInterval(gap, num_replicates=50)
    found = interval(LABELS, CHANCES, ids=np.arange(N), by=BY, num_groups=GROUPS)
    assert found.value == gap(LABELS, CHANCES, by=BY)
    assert found.low < found.high
    with pytest.raises(ValueError, match="num_groups=5"):
        interval(LABELS, CHANCES, ids=np.arange(N), by=BY, num_groups=6)
    with pytest.raises(ValueError, match="no groups"):
        interval(LABELS, CHANCES, ids=np.arange(N))


def test_bad_options():
    for bad in (0, -1, 1.5, True, None):
        with pytest.raises(ValueError, match="num_groups is"):
            M.BetweenGroups(M.F1(), bad, "gap")
    for bad in ("difference", None, "worst"):
        with pytest.raises(ValueError, match="how is"):
            M.BetweenGroups(M.F1(), 2, bad)
    with pytest.raises(TypeError, match="class F1"):
        M.BetweenGroups(M.F1, 2, "gap")
    with pytest.raises(TypeError, match="MetricSet"):
        M.BetweenGroups(M.MetricSet({"f1": M.F1()}), 2, "gap")


def test_bad_input():
    metric = M.BetweenGroups(M.F1(), GROUPS, "gap")
    with pytest.raises(ValueError, match="by is None"):
        metric(LABELS, CHANCES)
    with pytest.raises(ValueError, match="by is None"):
        metric.update(metric.zero(like=CHANCES), LABELS, CHANCES)
    with pytest.raises(am.ShapeMismatchError, match="by has shape"):
        metric(LABELS, CHANCES, by=BY[:-1])
    with pytest.raises(ValueError, match="expected 5, as the metric was made"):
        metric.zero(like=CHANCES, num_groups=4)
    with pytest.raises(ValueError, match="has no groups; expected 5"):
        metric.compute(M.F1().zero(like=CHANCES))
    with pytest.raises(ValueError, match="has 4 groups; expected 5"):
        metric.compute(M.F1().zero(like=CHANCES, num_groups=4))
    matrices = M.BetweenGroups(M.ConfusionMatrix(), GROUPS, "gap")
    with pytest.raises(TypeError, match=r"shape \(2, 2\) for each group"):
        matrices(LABELS, CHANCES, by=BY)
