"""Metrics of moments and extremes of nothing, of constants, of NaN and out of range."""

import math

import numpy as np
import pytest
import sklearn.metrics as sk

import agnostic_mask as am
from agnostic_mask.metrics import (
    ConcordanceCorrelation,
    D2TweedieScore,
    ExplainedVariance,
    Max,
    MaxError,
    MaxScore,
    Min,
    PearsonCorrelation,
    R2Score,
    StandardDeviation,
    Variance,
)

from .arrays import backends, host, make
from .test_metrics_moments import POWERS, WEIGHTS, in_parts

nan, inf = math.nan, math.inf


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("value", [7.1, 1e4 / 3])
def test_of_constant_targets_only_what_is_right_is_not_worst(power, value):
    metrics = (R2Score(), ExplainedVariance(), D2TweedieScore(power))
    t = np.full(9, value)
    for metric in metrics:
        off = t + 0.5 * np.arange(9)
        for of in (metric, lambda *a, m=metric: in_parts(m, a, (0, 1, 2, 3, 5, 9))):
            assert of(t, off, WEIGHTS[:9].astype(float)) == -inf
            assert np.isnan(of(t, t, WEIGHTS[:9].astype(float)))
    with np.errstate(divide="ignore", invalid="ignore"):
        assert sk.r2_score(t, off, force_finite=False) == -inf
        assert np.isnan(sk.explained_variance_score(t, t, force_finite=False))


def test_a_constant_correlates_with_nothing():
    constant, other = np.full(9, 1e4 / 3), np.arange(9.0)
    for arrays in ((constant, other), (other, constant), (constant, constant)):
        assert np.isnan(PearsonCorrelation()(*arrays))
    assert ConcordanceCorrelation()(constant, other) == 0
    assert np.isnan(ConcordanceCorrelation()(constant, constant))
    assert Variance()(constant) == 0
    assert StandardDeviation(1.0)(constant) == 0


OF_NOTHING = {
    **{repr(m): (m, nan) for m in (R2Score(), ExplainedVariance(), PearsonCorrelation())},
    **{repr(m): (m, nan) for m in (ConcordanceCorrelation(), D2TweedieScore(2.0))},
    "max error": (MaxError(), -inf),
}


@backends
@pytest.mark.parametrize("name", OF_NOTHING)
def test_of_nothing(backend, name):
    metric, expected = OF_NOTHING[name]
    x, none = make(backend, np.ones(3)), make(backend, np.zeros(3, bool))
    assert np.array_equal(host(metric(x, x, mask=none)), expected, equal_nan=True)
    value = metric.compute(metric.merge(metric.zero(like=x), metric.zero(like=x)))
    assert np.array_equal(host(value), expected, equal_nan=True)


@backends
def test_of_nothing_of_one_array(backend):
    x, none = make(backend, np.ones(3)), make(backend, np.zeros(3, bool))
    for metric, expected in ((Min(), inf), (Max(), -inf), (Variance(), nan)):
        assert np.array_equal(host(metric(x, mask=none)), expected, equal_nan=True)
        assert np.array_equal(
            host(metric.compute(metric.zero(like=x))), np.asarray(expected), equal_nan=True
        )


def test_no_more_than_the_correction_has_no_variance():
    assert np.isnan(Variance(1.0)(np.asarray([3.0])))
    assert np.isnan(Variance(2.0)(np.asarray([3.0, 4.0])))
    assert np.isnan(StandardDeviation()(np.asarray([3.0, 4.0, 9.0]), np.asarray([1.0, -4.0, 1.0])))


@backends
def test_extremes_are_picked_among_what_is_included(backend):
    x = np.asarray([[nan, 3.0, -7.0], [2.0, inf, 9.0]], np.float32)
    weights = np.asarray([[0.0, -1.0, 1.0], [2.0, 0.0, 1.0]], np.float32)
    mask = np.asarray([[1, 1, 1], [1, 1, 0]], bool)
    covers = make(backend, weights), make(backend, mask)
    assert host(Min()(make(backend, x), *covers)) == -7
    assert host(Max()(make(backend, x), *covers)) == 3
    zeros = make(backend, np.zeros((2, 3), np.float32))
    assert host(MaxError()(zeros, make(backend, x), *covers)) == 7


@backends
def test_an_included_nan_comes_through_in_any_part(backend):
    t, bad = np.asarray([1.0, 2.0, 4.0]), np.asarray([1.0, nan, 3.0])
    x, y = make(backend, t), make(backend, bad)
    for metric in (R2Score(), PearsonCorrelation(), D2TweedieScore(1.0), MaxError()):
        assert np.isnan(host(metric(x, y)))
        state = metric.update(metric.zero(like=x), x, y)
        other = metric.update(metric.zero(like=x), x, x)
        assert np.isnan(host(metric.compute(metric.merge(other, state))))
        assert np.isnan(host(metric.compute(metric.merge(state, other))))


@pytest.mark.parametrize(
    ("power", "y_true", "y_pred"),
    [(1.0, -1.0, 1.0), (1.5, -1.0, 1.0), (2.0, 0.0, 1.0), (3.0, 0.0, 1.0), (1.0, 1.0, -1.0)],
)
def test_what_lies_outside_of_a_distribution_is_nan(power, y_true, y_pred):
    t, p = np.asarray([y_true, 2.0, 3.0, 4.0]), np.asarray([y_pred, 2.0, 3.0, 5.0])
    assert np.isnan(D2TweedieScore(power)(t, p))
    mask = np.asarray([0, 1, 1, 1], bool)
    expected = sk.d2_tweedie_score(t[1:], p[1:], power=power)
    assert D2TweedieScore(power)(t, p, mask=mask) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("power", [0.5, nan, inf, -inf])
def test_there_is_no_distribution_of_such_a_power(power):
    with pytest.raises(
        ValueError, match=f"power is {power}; expected a finite number of at most 0"
    ):
        D2TweedieScore(power)


def test_max_score_takes_no_ratio_of_sums():
    with pytest.raises(TypeError, match="fn is a ratio of sums; expected a function of"):
        MaxScore(am.losses.dice)
    with pytest.raises(TypeError, match="fn is a str; expected a function of"):
        MaxScore("mse")


@pytest.mark.parametrize("metric", [R2Score(), D2TweedieScore(), MaxError()], ids=repr)
def test_shapes_are_equal(metric):
    with pytest.raises(am.ShapeMismatchError, match=r"expected\s+equal shapes|expects equal"):
        metric(np.zeros(3), np.zeros((3, 1)))
