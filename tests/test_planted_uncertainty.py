"""Faults of intervals and differences between groups, planted and caught."""

import pytest

from agnostic_mask import _resample
from agnostic_mask._statistic import with_arrays
from agnostic_mask.metrics import _between_groups, _intervals, _linearised, _resampled

from .test_intervals import (
    test_batches_merges_and_order_do_not_matter as check_batches,
)
from .test_intervals import (
    test_rows_with_one_id_are_resampled_together as check_clusters,
)
from .test_planted import CASES, failures


def by_position(d, ids, num_replicates, seed, rows=None, counts=_resample.poisson_counts):
    places = d.xp.arange(ids.shape[0], dtype=ids.dtype, device=d.device)
    return counts(d, places, num_replicates, seed, rows)


def case_of(beginning):
    return next(name for name in CASES if name.startswith(beginning))


BOOTSTRAP = "metrics.BootstrapInterval:standard_error num_replicates=12"
CLUSTERS = "metrics.NormalInterval:standard_error num_clusters=3"
NORMAL = "metrics.NormalInterval:standard_error  of MeanSquaredError"
MEAN = "metrics.NormalInterval:low"
GAP = "metrics.BetweenGroups: num_groups=5 how=gap"


def not_moved(xp, side, centre):
    return side.first, side.squares


def without_correction(xp, spread, count, weight):
    return xp.sqrt(spread) / abs(weight)


def weights_once(totals, x, joint, gathered=_linearised.gathered):
    mass, weight, centre, first, _ = gathered(totals, x, joint)
    residual = x - totals.of_each(centre)
    powers = (residual * 0 + 1, residual, residual * residual)
    squares = tuple(totals.weighted_sum(p, joint) for p in powers)
    return mass, weight, centre, first, squares


def empty_groups_too(metric, d, state, value=_between_groups.BetweenGroups._value):
    return value(metric, d, with_arrays(state, {"members": d.xp.ones_like(state.members)}))


def one_sided(d, x, confidence, dtype, spread=_intervals._spread):
    return spread(d, x, 2 * confidence - 1, dtype)


PLANTED = {
    "a bootstrap keyed by position, in parts": (
        _resampled,
        "poisson_counts",
        by_position,
        "cut_invariant",
        BOOTSTRAP,
        "numpy",
    ),
    "a bootstrap keyed by position": (
        _resampled,
        "poisson_counts",
        by_position,
        "matches_oracle",
        BOOTSTRAP,
        "torch",
    ),
    "resamples that forget ids of repeated elements": (
        _resampled,
        "poisson_counts",
        by_position,
        "weight_is_repetition",
        "metrics.BootstrapInterval:low",
        "numpy",
    ),
    "deviations merged as they are": (
        _linearised,
        "_moved",
        not_moved,
        "cut_invariant",
        NORMAL,
        "numpy",
    ),
    "no n / (n - 1)": (_linearised, "_error", without_correction, "matches_oracle", MEAN, "numpy"),
    "no C / (C - 1)": (
        _linearised,
        "_error",
        without_correction,
        "matches_oracle",
        CLUSTERS,
        "torch",
    ),
    "weights that are not squared": (
        _linearised,
        "gathered",
        weights_once,
        "matches_oracle",
        NORMAL,
        "numpy",
    ),
    "ends of another confidence": (
        _intervals,
        "_spread",
        one_sided,
        "matches_oracle",
        "metrics.BootstrapInterval:low",
        "numpy",
    ),
    "groups without members": (
        _between_groups.BetweenGroups,
        "_value",
        empty_groups_too,
        "matches_oracle",
        GAP,
        "numpy",
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_caught_by_its_law(monkeypatch, fault):
    module, name, faulty, law, case, backend = PLANTED[fault]
    case = case_of(case)
    assert failures(law, case, backend) == []
    monkeypatch.setattr(module, name, faulty)
    caught = failures(law, case, backend)
    assert caught, f"{fault} passes the law {law!r}"
    assert all(row.law == law and row.reason for row in caught)


@pytest.mark.parametrize("kind", ["sums of scores", "confusions", "moments"])
def test_a_bootstrap_keyed_by_position_depends_on_the_batches(monkeypatch, kind):
    monkeypatch.setattr(_resampled, "poisson_counts", by_position)
    with pytest.raises(AssertionError):
        check_batches("numpy", kind)


def test_a_bootstrap_keyed_by_position_knows_no_clusters(monkeypatch):
    monkeypatch.setattr(_resampled, "poisson_counts", by_position)
    with pytest.raises(AssertionError):
        check_clusters()
