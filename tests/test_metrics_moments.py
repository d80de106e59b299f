"""Metrics of means, variances, deviances and extremes against other libraries and mpmath."""

import itertools
import math

import mpmath
import numpy as np
import pytest
import scipy.stats
import sklearn.metrics as sk
import torch
import torchmetrics.functional.regression as t_metrics

import agnostic_mask as am
from agnostic_mask.metrics import (
    ConcordanceCorrelation,
    D2TweedieScore,
    ExplainedVariance,
    MaxError,
    MaxScore,
    PearsonCorrelation,
    R2Score,
    StandardDeviation,
    Variance,
)

from .arrays import backends, close, host, make, wide

N = 48
RNG = np.random.default_rng(3)
nan, inf = math.nan, math.inf
MASK = RNG.random(N) < 0.7
WEIGHTS = RNG.uniform(0.5, 2.0, N).astype(np.float32)
POWERS = (-0.5, 0.0, 1.0, 1.5, 2.0, 3.0)


def near(mean):
    """Targets with a spread of about 1 and predictions that are about 0.4 off, in float32."""
    y_true = (mean + RNG.normal(size=N)).astype(np.float32)
    return y_true, (y_true + 0.4 * RNG.normal(size=N)).astype(np.float32)


NEAR = {mean: near(mean) for mean in (8.0, 1e4)}


def averages(w, *columns):
    return [np.average(x, weights=w) for x in columns]


def covariances(t, p, w):
    t, p = t - np.average(t, weights=w), p - np.average(p, weights=w)
    return averages(w, t * t, p * p, t * p)


def pearson(t, p, w):
    tt, pp, tp = covariances(t, p, w)
    return tp / math.sqrt(tt * pp)


def concordance(t, p, w):
    tt, pp, tp = covariances(t, p, w)
    return 2 * tp / (tt + pp + np.average(t - p, weights=w) ** 2)


PAIRS = {
    "r2": (R2Score(), lambda t, p, w: sk.r2_score(t, p, sample_weight=w)),
    "explained": (
        ExplainedVariance(),
        lambda t, p, w: sk.explained_variance_score(t, p, sample_weight=w),
    ),
    "pearson": (PearsonCorrelation(), pearson),
    "concordance": (ConcordanceCorrelation(), concordance),
    "error": (MaxError(), lambda t, p, w: sk.max_error(t, p)),
    "score": (MaxScore(am.losses.squared_error), lambda t, p, w: np.max((t - p) ** 2)),
}


@backends
@pytest.mark.parametrize("mean", NEAR)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pairs_with_weights_and_a_mask(backend, dtype, mean):
    together = am.metrics.MetricSet({name: ours for name, (ours, _) in PAIRS.items()})
    y_true, y_pred = (make(backend, x, dtype) for x in NEAR[mean])
    with wide(backend, dtype):
        found = together(y_true, y_pred, make(backend, WEIGHTS, dtype), make(backend, MASK))
    kept = [x[MASK].astype(float) for x in (*NEAR[mean], WEIGHTS)]
    for name, (_, theirs) in PAIRS.items():
        value = theirs(*kept)
        # float64: on their side means have the rounding of `mean`; residuals of up to 5 carry it.
        # Scores are rounded in float32.
        roundings = 2 if dtype == "float32" else 2 * N + 20 * mean
        close(found[name], value, max(1, abs(value)), dtype=dtype, roundings=roundings)


@backends
def test_variances_are_numpy_s(backend):
    x, counts = NEAR[1e4][0], RNG.integers(0, 4, N)
    arrays = make(backend, x), make(backend, counts), make(backend, MASK)
    repeated = np.repeat(x[MASK].astype(float), counts[MASK])
    for correction in (0.0, 1.0):
        value = Variance(correction)(*arrays)
        close(value, np.var(repeated, ddof=correction), 1, roundings=4)
        value = StandardDeviation(correction=correction)(*arrays)
        close(value, np.std(repeated, ddof=correction), 1, roundings=4)


def test_pearson_is_scipy_s():
    for mean, (y_true, y_pred) in NEAR.items():
        t, p = y_true.astype(float), y_pred.astype(float)
        expected = scipy.stats.pearsonr(t, p).statistic
        close(PearsonCorrelation()(t, p), expected, 1, dtype="float64", roundings=2 * N + 20 * mean)


def test_concordance_divides_by_n_where_torchmetrics_divides_by_n_less_1():
    t, p = (x.astype(float) for x in NEAR[8.0])
    tt, pp, tp = (np.cov(a, b)[0, 1] for a, b in ((t, t), (p, p), (t, p)))
    theirs = t_metrics.concordance_corrcoef(torch.from_numpy(p), torch.from_numpy(t))
    assert float(theirs) == pytest.approx(2 * tp / (tt + pp + np.mean(t - p) ** 2), rel=1e-9)
    ours = ConcordanceCorrelation()(t, p)
    assert ours == pytest.approx(concordance(t, p, np.ones(N)), rel=1e-12)
    assert abs(ours - float(theirs)) > 1e-6


# -- the right answer, where others are wrong --


def right_r2(y_true, y_pred):
    t, p = ([mpmath.mpf(float(v)) for v in x] for x in (y_true, y_pred))
    mean = mpmath.fsum(t) / len(t)
    left = mpmath.fsum((a - b) ** 2 for a, b in zip(t, p, strict=True))
    return 1 - left / mpmath.fsum((a - mean) ** 2 for a in t)


@backends
def test_r2_of_float32_far_from_0_where_torchmetrics_sums_squares(backend):
    rng = np.random.default_rng(0)
    y_true = (100 + 0.1 * rng.normal(size=500)).astype(np.float32)
    y_pred = (y_true + 0.05 * rng.normal(size=500)).astype(np.float32)
    with mpmath.workdps(40):
        right = float(right_r2(y_true, y_pred))
    theirs = float(t_metrics.r2_score(torch.from_numpy(y_pred), torch.from_numpy(y_true)))
    assert right == pytest.approx(0.78, abs=0.02)
    assert abs(theirs - right) > 0.01
    ours = R2Score()(make(backend, y_true), make(backend, y_pred))
    close(ours, right, 1, roundings=1)


def right_d2(power, y_true, y_pred, weights):
    t, p, w = ([mpmath.mpf(float(v)) for v in x] for x in (y_true, y_pred, weights))
    q = mpmath.mpf(power)

    def unit(y, m):
        if q == 1:
            return y * mpmath.log(y / m) - y + m if y else m
        if q == 2:
            return mpmath.log(m / y) + y / m - 1
        return (
            y ** (2 - q) / ((1 - q) * (2 - q)) - y * m ** (1 - q) / (1 - q) + m ** (2 - q) / (2 - q)
        )

    def total(pred):
        return mpmath.fsum(a * unit(b, c) for a, b, c in zip(w, t, pred, strict=True))

    mean = mpmath.fsum(a * b for a, b in zip(w, t, strict=True)) / mpmath.fsum(w)
    return 1 - total(p) / total([mean] * len(t))


@pytest.mark.parametrize("power", POWERS)
def test_d2_keeps_the_digits_that_scikit_learn_loses_far_from_0(power):
    # Each deviance is about 1e4**-power of terms of 1e4**(2 - power).
    y_true, y_pred = (x.astype(float) for x in NEAR[1e4])
    w = WEIGHTS.astype(float)
    with mpmath.workdps(60):
        right = float(right_d2(power, y_true, y_pred, w))
    ours = float(D2TweedieScore(power)(y_true, y_pred, w))
    # A change of 1e-4 loses 4 digits of a mean that is right to N roundings.
    assert abs(ours - right) < N * 1e4 * 2.0**-52
    theirs = sk.d2_tweedie_score(y_true, y_pred, sample_weight=w, power=power)
    if power == 0:
        assert theirs == pytest.approx(right, abs=1e-12)
    else:
        assert abs(theirs - right) > 1e-10


@backends
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_d2_is_scikit_learn_s(backend, dtype):
    y_true, y_pred = (np.abs(x) for x in NEAR[8.0])
    counts = np.asarray(RNG.poisson(2.0, N), np.float32)
    w, mask = make(backend, WEIGHTS, dtype), make(backend, MASK)
    kept = WEIGHTS[MASK].astype(float)
    for power in POWERS:
        t = counts if power in (1.0, 1.5) else y_true  # zeros among them
        with wide(backend, dtype):
            value = D2TweedieScore(power)(
                make(backend, t, dtype), make(backend, y_pred, dtype), w, mask
            )
        columns = t[MASK].astype(float), y_pred[MASK].astype(float)
        expected = sk.d2_tweedie_score(*columns, sample_weight=kept, power=power)
        roundings = 1 if dtype == "float32" else 1000  # theirs: terms are 100 times a deviance
        close(value, expected, max(1, abs(expected)), dtype=dtype, roundings=roundings)


def test_d2_of_power_0_is_r2():
    for mean, (y_true, y_pred) in NEAR.items():
        t, p, w = (x.astype(float) for x in (y_true, y_pred, WEIGHTS))
        r2, d2 = R2Score()(t, p, w, MASK), D2TweedieScore()(t, p, w, MASK)
        assert abs(r2 - d2) <= N * 2.0**-52, mean


# -- parts --

CUTS = (0, 1, 2, 11, 30, N)
EVERY = {
    **{f"d2 {power}": D2TweedieScore(power) for power in POWERS},
    **{name: ours for name, (ours, _) in PAIRS.items()},
}


def in_parts(metric, arrays, cuts=CUTS):
    states = [
        metric.update(metric.zero(like=arrays[0]), *(x[a:b] for x in arrays))
        for a, b in itertools.pairwise(cuts)
    ]
    state = metric.zero(like=arrays[0])
    for part in (states[2], states[0], *states[3:], states[1]):
        state = metric.merge(part, state)
    return metric.compute(state)


@pytest.mark.parametrize(
    ("backend", "name"),
    [
        *((backend, name) for backend in ("numpy", "torch") for name in EVERY),
        *((backend, "d2 1.5") for backend in ("jax", "dask", "array_api_strict")),
    ],
)
def test_a_cut_never_shows_in_float32_far_from_0(backend, name):
    metric = EVERY[name]
    arrays = [make(backend, x) for x in (*NEAR[1e4], WEIGHTS)]
    assert host(in_parts(metric, arrays)) == host(metric(*arrays))


@pytest.mark.parametrize("name", EVERY)
def test_signed_weights_whose_parts_sum_to_0(name):
    metric, (y_true, y_pred) = EVERY[name], NEAR[8.0]
    weights = WEIGHTS.copy()
    weights[0], weights[1] = 0.5, -0.5  # the first part sums to 0, the second to its rounding
    weights[5] -= weights[2:11].sum()
    weights[20] = -0.25
    arrays = [x.astype(float) for x in (y_true, y_pred, weights)]
    assert metric(*(x[:2] for x in arrays)) != 0
    whole, parts = metric(*arrays), in_parts(metric, arrays, (0, 2, 11, 12, 30, N))
    assert np.isfinite(whole)
    # Sums of 8**2 about a centre are moved by up to 3.
    assert abs(whole - parts) <= 1e4 * 2.0**-52


def test_r2_of_signed_weights_is_the_definition():
    y_true, y_pred = NEAR[8.0]
    weights = np.where(np.arange(N) % 4 == 0, -WEIGHTS, WEIGHTS).astype(float)
    t, p = y_true.astype(float), y_pred.astype(float)
    mean = np.sum(weights * t) / np.sum(weights)
    expected = 1 - np.sum(weights * (t - p) ** 2) / np.sum(weights * (t - mean) ** 2)
    assert R2Score()(t, p, weights) == pytest.approx(expected, rel=1e-12)


@backends
def test_nothing_changes_nothing_however_large_the_rest(backend):
    with wide(backend):
        big = make(backend, np.full(3, 3e200), "float64")
        empty = make(backend, np.zeros(3, bool))
        variance = Variance()
        state = variance.update(variance.zero(like=big), big)
        nothing = variance.update(variance.zero(like=big), big, mask=empty)
        for joint in (variance.merge(nothing, state), variance.merge(state, nothing)):
            assert host(variance.compute(joint)) == 0
        for power in (1.0, 3.0):  # the slope at 0 is infinite
            d2 = D2TweedieScore(power)
            zero = d2.zero(like=big)
            assert np.isnan(host(d2.compute(d2.merge(zero, zero))))
            large = big / 1e100
            state = d2.update(zero, large, large * 2.0)
            for joint in (d2.merge(zero, state), d2.merge(state, zero)):
                assert host(d2.compute(joint)) == -inf


def test_parts_of_zeros_alone():
    y_true = np.asarray([0.0, 0.0, 0.0, 3.0, 0.0, 1.0])
    y_pred = np.asarray([0.5, 0.25, 0.5, 2.0, 1.0, 1.0])
    for power in (1.0, 1.5):
        metric = D2TweedieScore(power)
        parts = in_parts(metric, (y_true, y_pred, np.ones(6)), (0, 1, 2, 3, 4, 6))
        expected = sk.d2_tweedie_score(y_true, y_pred, power=power)
        assert parts == pytest.approx(expected, rel=1e-13)
        zeros = np.zeros(6)
        assert in_parts(metric, (zeros, y_pred, np.ones(6)), (0, 1, 2, 3, 4, 6)) == -inf
        assert np.isnan(metric(zeros, zeros))


def test_parts_with_means_below_0():
    # Below a power of 0 targets are any numbers, but a mean is not.
    y_true, y_pred = np.asarray([-2.0, -1.0, 3.0, 4.0, 5.0, 6.0]), np.full(6, 2.0)
    metric = D2TweedieScore(-0.5)
    expected = sk.d2_tweedie_score(y_true, y_pred, power=-0.5)
    assert metric(y_true, y_pred) == pytest.approx(expected, rel=1e-13)
    parts = in_parts(metric, (y_true, y_pred, np.ones(6)), (0, 1, 2, 3, 4, 6))
    assert parts == pytest.approx(expected, rel=1e-13)
    assert np.isnan(metric(-y_true, y_pred))
    # A part whose mean is below 0 and which has a target above it.
    y_true = np.asarray([-3.0, 1.0, 4.0, 5.0, 6.0, 3.0])
    expected = sk.d2_tweedie_score(y_true, y_pred, power=-0.5)
    parts = in_parts(metric, (y_true, y_pred, np.ones(6)), (0, 2, 3, 4, 5, 6))
    assert parts == pytest.approx(expected, rel=1e-13)
