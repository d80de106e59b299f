"""What a score function may declare: ratios of sums, and what is refused."""

import functools

import numpy as np
import pytest

import agnostic_mask as am

from .arrays import backends, close, host, make

Y_TRUE, Y_PRED = np.asarray([[1.0, 2.0], [4.0, 8.0]]), np.asarray([[2.0, 2.0], [1.0, 7.0]])
WEIGHTS, MASK = np.asarray([1.0, 3.0]), np.asarray([[True, True], [True, False]])


def share_of(error, size, *, power, **_):
    return (error / size) ** power


@am.scores(harmless=(1.0, 1.0), finish=share_of)
def relative_error(y_true, y_pred, *, power=1):
    xp = am.dispatch(y_true, y_pred).xp
    return xp.abs(y_pred - y_true), xp.abs(y_true) + 0.0


@backends
@pytest.mark.parametrize("reduction", ["mean", "sum", "keras2", "keras3"])
def test_a_ratio_of_sums_is_of_the_sums_of_its_parts(backend, reduction):
    objective = am.weighted_masked_objective(
        functools.partial(relative_error, power=2), reduction=reduction, epsilon=0.0
    )
    arrays = [make(backend, x) for x in (Y_TRUE, Y_PRED, WEIGHTS, MASK)]
    exact = ((1 * 1 + 3 * 3) / (1 * 1 + 1 * 2 + 3 * 4)) ** 2
    close(objective(*arrays), exact, exact)
    state = objective.zero(like=arrays[1])
    for row in (slice(0, 1), slice(1, 2)):
        state = objective.update(state, *(x[row, ...] for x in arrays))
    assert host(state.total).shape == (2,)
    assert host(objective.compute(state)) == host(objective(*arrays))


def test_a_state_of_nothing_has_the_parts_of_any_other():
    objective = am.weighted_masked_objective(relative_error, reduction="mean")
    zero = objective.zero(like=Y_PRED)
    assert zero.total.shape == (2,)
    assert np.isnan(objective.compute(zero))


def test_a_ratio_of_sums_has_no_scores_of_its_own():
    with pytest.raises(ValueError, match="'none', and relative_error is a ratio of sums"):
        am.weighted_masked_objective(relative_error, reduction="none")
    with pytest.raises(TypeError, match="fn is a ratio of sums"):
        am.metrics.MaxScore(relative_error)


@pytest.mark.parametrize(
    ("fn", "came"),
    [(lambda t, p: t - p, "a ndarray"), (lambda t, p: (t, p, t), "a tuple")],
)
def test_parts_are_counted(fn, came):
    declared = am.scores(fn, finish=lambda a, b: a / b)
    objective = am.weighted_masked_objective(declared, reduction="mean")
    with pytest.raises(TypeError, match=f"{came}; expected a tuple of 2 arrays"):
        objective(Y_TRUE, Y_PRED)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class_axis": 1.5}, r"class_axis is 1\.5; expected an axis"),
        ({"class_axis": True}, "class_axis is True"),
        ({"harmless": 1.0}, r"harmless is 1\.0; expected two numbers"),
        ({"harmless": (1.0,)}, "expected two numbers"),
        ({"harmless": (1.0, "a")}, "expected two numbers"),
        ({"included": 3}, "included is a int; expected a function"),
        ({"finish": "sum"}, "finish is a str; expected a function"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_at_once(options, message):
    with pytest.raises(TypeError, match=message):
        am.scores(**options)
    with pytest.raises(TypeError, match=message):
        am.scores(am.losses.squared_error, **options)


@pytest.mark.parametrize(
    ("given", "same"),
    [
        (am.metrics.TweedieDeviance(1), am.metrics.TweedieDeviance(1.0)),
        (am.metrics.PinballLoss(np.float64(0.5)), am.metrics.PinballLoss(0.5)),
        (am.metrics.BinaryCrossentropy(label_smoothing=0), am.metrics.BinaryCrossentropy()),
        (
            am.metrics.MeanScore(functools.partial(am.losses.huber, delta=np.int64(1))),
            am.metrics.MeanScore(am.losses.huber),
        ),
        (
            am.metrics.MaxScore(functools.partial(am.losses.huber, delta=1)),
            am.metrics.MaxScore(am.losses.huber),
        ),
    ],
)
def test_a_number_is_the_same_option_in_whatever_type(given, same):
    assert len({given.statistic, same.statistic}) == 1
    same.compute(given.zero(like=Y_PRED))


def test_a_truth_value_is_no_number():
    texts = [
        am.metrics.MeanScore(functools.partial(am.losses.huber, delta=x)).statistic.made_for
        for x in (1, True)
    ]
    assert texts[0] != texts[1]


def of_another_module(module):
    def huber(y_true, y_pred, *, delta=1.0):
        return y_pred

    huber.__module__, huber.__qualname__ = module, "huber"
    return am.metrics.MeanScore(huber).statistic.made_for


def test_functions_are_named_by_their_public_modules():
    made_for = am.metrics.MeanScore(am.losses.huber).statistic.made_for
    assert made_for == "mean of agnostic_mask.losses.huber(delta=1)"
    assert of_another_module("agnostic_mask.losses._other") == made_for
    assert of_another_module("other.losses") == "mean of other.losses.huber(delta=1)"
    assert of_another_module(None) == "mean of builtins.huber(delta=1)"


def test_what_is_declared_must_be_a_function():
    with pytest.raises(TypeError, match="fn is a int; expected a function"):
        am.scores(3)


def test_a_class_axis_that_no_option_says_is_named():
    declared = am.scores(lambda t, p, *, dim=-1: p[..., 0], class_axis="axis")
    with pytest.raises(
        TypeError, match=r"class_axis='axis', but has no option .* expected one of dim"
    ):
        am.weighted_masked_objective(declared)
