"""Faults of metrics of bins, planted one by one, and the law that catches each."""

import pytest

from agnostic_mask._dtypes import cast
from agnostic_mask.metrics import BinnedROCAUC, Bounded, _binned_points, _binned_quantiles, _binning
from agnostic_mask.metrics._binned_points import Points
from agnostic_mask.metrics._calibration_sums import CalibrationOf

from .test_planted import CASES, failures


def edges_in_the_bin_below(d, b, x):
    flat = d.xp.reshape(x, (-1,))
    found = d.xp.searchsorted(_binning.edges(d, b, flat.dtype), flat, side="left")
    return d.xp.reshape(cast(d.xp, found, _binning.index_dtype(d)), x.shape)


def next_edge(d, b, dtype, edges=_binning.edges):
    """Each bin named by the edge after its own."""
    found = edges(d, b, dtype)
    return d.xp.concat([found[1:], found[-1:]])


def ties_half_on_one_side(metric, points, unit, of_points=BinnedROCAUC._of_points):
    value, low, high = of_points(metric, points, unit)
    return Bounded((value + low) / 2, low, high)


def ties_before_their_bin(points):
    """Precision of a bin's positives without its negatives."""
    predicted = points.tp + points.xp.concat([points.fp[..., :1], points.fp[..., :-1]], axis=-1)
    return points.xp.where(predicted == 0, 1.0, points.tp / predicted)


def always_one(xp, state):
    return xp.ones_like(state.weight[..., 0, :1])


def last_bin_too_far(self, d, confidence):
    index = _binning.index_dtype(d)
    return cast(d.xp, d.xp.floor(confidence * (self.num_bins - 1)), index)


PLANTED = {
    "an edge in the bin below": (
        _binning,
        "bin_of",
        edges_in_the_bin_below,
        "matches_oracle",
        "metrics.BinnedROCCurve:tpr",
    ),
    "thresholds off by one edge": (
        _binned_points,
        "edges",
        next_edge,
        "matches_oracle",
        "metrics.RecallAtPrecision:threshold",
    ),
    "quantiles off by one edge": (
        _binned_quantiles,
        "edges",
        next_edge,
        "matches_oracle",
        "metrics.BinnedQuantile:value high",
    ),
    "ties counted half on one side only": (
        BinnedROCAUC,
        "_of_points",
        ties_half_on_one_side,
        "matches_oracle",
        "metrics.BinnedROCAUC:value low high",
    ),
    "ties before their own bin": (
        Points,
        "precision",
        ties_before_their_bin,
        "matches_oracle",
        "metrics.BinnedAveragePrecision:value high",
    ),
    "a bound of weights as of counts": (
        _binned_points,
        "_unit",
        always_one,
        "matches_oracle",
        "metrics.BinnedAveragePrecision:low",
    ),
    "a bin of calibration too few": (
        CalibrationOf,
        "_bin_of",
        last_bin_too_far,
        "matches_oracle",
        "metrics.ReliabilityCurve:confidence accuracy",
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_of_bins_is_caught_by_its_law(monkeypatch, fault):
    module, name, faulty, law, case = PLANTED[fault]
    case = next(n for n in CASES if n.startswith(case))
    assert failures(law, case, "numpy") == []
    monkeypatch.setattr(module, name, faulty)
    caught = failures(law, case, "numpy")
    assert caught, f"{fault} passes the law {law!r}"
    assert all(row.law == law and row.reason for row in caught)
