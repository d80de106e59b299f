from functools import partial

import mpmath
import numpy as np
import pytest
import sklearn.metrics

import agnostic_mask as am

from .arrays import backends, gradients, host, knowledge, make, wide

L, M = am.losses, am.metrics
POWERS = (-1, 1, 1.5, 2, 3)
RNG = np.random.default_rng(8)
FAR = RNG.uniform(9e3, 1.1e4, 16).astype(np.float32)
NEAR = (FAR + RNG.choice([-0.3, 0.3], 16)).astype(np.float32)


def deviance(y, m, power):
    """The textbook's formula, with digits enough for what cancels."""
    with mpmath.workdps(60):
        y, m, q = (mpmath.mpf(float(x)) for x in (y, m, power))
        if q == 1:
            return float(2 * (y * mpmath.log(y / m) - y + m))
        if q == 2:
            return float(2 * (mpmath.log(m / y) + y / m - 1))
        a, b = 1 - q, 2 - q
        return float(2 * (y**b / (a * b) - y * m**a / a + m**b / b))


def deviances(power):
    return np.asarray([deviance(y, m, power) for y, m in zip(FAR, NEAR, strict=True)])


@backends
@pytest.mark.parametrize("power", POWERS)
def test_float32_deviances_of_close_predictions_are_as_exact_as_float32(backend, power):
    y_true, y_pred = make(backend, FAR, "float32"), make(backend, NEAR, "float32")
    scores = host(L.tweedie_deviance(y_true, y_pred, power=power))
    assert scores.dtype == np.float32
    # One rounding; in float64 the rest is 2**-52 p / |y - p| times a few.
    np.testing.assert_allclose(scores, deviances(power), rtol=2.0**-23)
    mean = host(M.TweedieDeviance(power)(y_true, y_pred))
    assert mean == pytest.approx(deviances(power).mean(), rel=2.0**-22, abs=0)
    if power == 2:
        assert np.all(host(L.gamma_deviance(y_true, y_pred)) == scores)


@pytest.mark.parametrize("power", POWERS)
def test_scikit_learn_loses_digits_of_close_predictions_in_float32(power):
    exact = deviances(power).mean()
    peer = sklearn.metrics.mean_tweedie_deviance(FAR, NEAR, power=power)
    assert abs(peer / exact - 1) > 1e-3
    assert M.TweedieDeviance(power)(FAR, NEAR) == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("power", POWERS)
def test_float64_deviances_of_close_predictions_keep_what_is_promised(power):
    scores = L.tweedie_deviance(FAR.astype(float), NEAR.astype(float), power=power)
    promised = 2.0**-52 * NEAR / np.abs(FAR - NEAR)
    # Two functions of at most 6 units each, and the operations between, none above 20 together
    assert np.all(np.abs(scores / deviances(power) - 1) < 20 * promised)


@gradients
@pytest.mark.parametrize("power", POWERS)
def test_gradients_of_deviances_come_through_the_cast(backend, power):
    y_true, y_pred = make(backend, FAR, "float32"), make(backend, NEAR, "float32")
    objective = am.weighted_masked_objective(
        partial(L.tweedie_deviance, power=power), reduction="sum"
    )
    _, (gradient,) = knowledge(backend).value_and_grad(partial(objective, y_true), [y_pred])
    expected = 2 * (NEAR.astype(float) - FAR) * NEAR.astype(float) ** -power
    assert host(gradient).dtype == np.float32
    # A rounding of the result, and of each factor that may be float32.
    np.testing.assert_allclose(host(gradient), expected, rtol=4 * 2.0**-24)


@backends
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_symmetric_percentages_of_the_largest_numbers(backend, dtype):
    most, least = (float(getattr(np.finfo(dtype), x)) for x in ("max", "smallest_normal"))
    y_true = np.asarray([0.6 * most, most, most, most, least, 3.0], dtype)
    y_pred = np.asarray([0.63 * most, -most, 0.0, most, 3 * least, 1.0], dtype)
    with wide(backend, dtype):
        pair = make(backend, y_true, dtype), make(backend, y_pred, dtype)
        scores = host(L.symmetric_absolute_percentage_error(*pair))
    expected = [200 * 0.03 / 1.23, 200.0, 200.0, 0.0, 100.0, 100.0]
    # The first two numbers are rounded, and their difference is a fortieth of their sum.
    np.testing.assert_allclose(scores, expected, rtol=60 * np.finfo(dtype).eps)


@backends
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_of_zeros_has_the_least_probability_of_each_class(backend, dtype):
    worst = -np.log(np.finfo(dtype).smallest_normal)
    with wide(backend, dtype):
        y_pred = make(backend, np.asarray([[0.0, 0.0], [0.0, 2.0]]), dtype)
        one_hot = make(backend, np.asarray([[1.0, 0.0], [0.0, 1.0]]), dtype)
        labels = make(backend, np.asarray([0, 1], np.int32))
        rows = (
            L.categorical_crossentropy(one_hot, y_pred),
            L.categorical_focal_crossentropy(one_hot, y_pred, alpha=1.0),
            L.sparse_categorical_crossentropy(labels, y_pred),
        )
        for scores in map(host, rows):
            np.testing.assert_allclose(scores, [worst, 0], rtol=2 * np.finfo(dtype).eps)


@backends
def test_what_is_certain_and_right_scores_0_without_a_sign(backend):
    one_hot, labels = make(backend, np.eye(2)), make(backend, np.asarray([0, 1], np.int32))
    alone = make(backend, np.ones((2, 1)))
    for scores in (
        L.categorical_crossentropy(one_hot, one_hot),
        L.categorical_focal_crossentropy(one_hot, one_hot),
        L.sparse_categorical_crossentropy(labels, one_hot),
        L.sparse_categorical_crossentropy(labels * 0, alone),
    ):
        assert host(scores).tolist() == [0, 0]
        assert not np.signbit(host(scores)).any()
