import functools
import math

import mpmath
import numpy as np
import pytest
import sklearn.metrics
import torch
import torch.nn.functional as F  # noqa: N812

import agnostic_mask as am

from .arrays import backends, close, gradients, host, knowledge, make
from .peers import keras, tensors

L, k, partial = am.losses, keras.losses, functools.partial
SURE = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
ZEROS = [[0.0, 0.0, 0.0]] * 2
TRUE, FALSE = [[1.0, 0.0, 0.0]] * 2, [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
HUGE = [[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]]
RULED_OUT = [[0.0, -np.inf, 0.0], [-np.inf, 0.0, -np.inf]]
WORST = -math.log(float(np.finfo(np.float32).smallest_normal))  # of a probability of 0
LOG2 = math.log(2)
GCE = L.categorical_generalized_cross_entropy
FOCAL, BINARY_FOCAL = L.categorical_focal_crossentropy, L.binary_focal_crossentropy
ENDS = {
    "binary weighted": (
        partial(L.binary_crossentropy, from_logits=True, pos_weight=3.0),
        [1.0, 0.0, 0.0, 1.0, 1.0],
        [1e4, -1e4, 1e4, -1e4, np.inf],
        [0.0, 0.0, 1e4, 3e4, 0.0],
    ),
    "binary focal": (BINARY_FOCAL, [0, 1, 0, 1], [0, 1, 1, 0], [0.0, 0.0, WORST, WORST]),
    "binary focal, root": (
        partial(BINARY_FOCAL, gamma=0.5),
        [0, 1, 0, 1],
        [0, 1, 1, 0],
        [0.0, 0.0, WORST, WORST],
    ),
    "binary focal, no power": (
        partial(BINARY_FOCAL, gamma=0),
        [0, 1, 0, 1],
        [0, 1, 1, 0],
        [0.0, 0.0, WORST, WORST],
    ),
    "binary focal logits": (
        partial(BINARY_FOCAL, from_logits=True, gamma=0.5),
        [1.0, 0.0, 0.0, 1.0, 1.0],
        [1e4, -1e4, 1e4, -1e4, np.inf],
        [0.0, 0.0, 1e4, 1e4, 0.0],
    ),
    "focal": (partial(FOCAL, alpha=1.0), TRUE, SURE, [0.0, WORST]),
    "focal, root": (partial(FOCAL, alpha=1.0, gamma=0.5), TRUE, SURE, [0.0, WORST]),
    "focal logits": (
        partial(FOCAL, alpha=1.0, from_logits=True),
        FALSE,
        HUGE,
        [0.0, LOG2 / 4],
    ),
    "focal logits, root": (
        partial(FOCAL, alpha=1.0, gamma=0.5, from_logits=True),
        FALSE,
        HUGE,
        [0.0, LOG2 / math.sqrt(2)],
    ),
    "focal ruled out": (
        partial(FOCAL, alpha=1.0, from_logits=True),
        [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]],
        RULED_OUT,
        [LOG2 / 4, 0.0],
    ),
    "kl": (L.kl_divergence, TRUE, SURE, [0.0, WORST]),
    "kl of halves": (
        L.kl_divergence,
        [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]],
        [[0.5, 0.5, 0.0], [0.5, 0.0, 0.5]],
        [0.0, LOG2],
    ),
    "kl of logarithms": (
        partial(L.kl_divergence, log_input=True, log_target=True),
        [[0.0, -np.inf, -1e4], [-np.inf, 0.0, -1e4]],
        [[0.0, -np.inf, -1e4], [0.0, -LOG2, -np.inf]],
        [0.0, LOG2],
    ),
    "js": (L.js_divergence, TRUE, SURE, [0.0, LOG2]),
    "js of nothing": (
        L.js_divergence,
        [[0.0, 0.0, 0.0], [1e-30, 1e-20, 1.0]],
        [[0.0, 0.0, 0.0], [1e-30, 1e-25, 1.0]],
        [0.0, 0.0],
    ),
    "cosine": (
        L.cosine_similarity,
        [[0, 0, 0], [1, 0, 0], [0, 0, 0], [3e-38, 0, 4e-38], [3e38, 0, 3e38], [1e-30, 0, 0]],
        [[1, 2, 3], [0, 0, 0], [0, 0, 0], [3e-38, 0, 4e-38], [-3e38, 0, -3e38], [1e30, 0, 0]],
        [0.0, 0.0, 0.0, -1.0, 1.0, -1.0],
    ),
    "poisson": (L.poisson, [0.0, 2.0, 0.0], [0.0, 0.0, 3.0], [0.0, 2 * WORST, 3.0]),
    "poisson of logarithms": (
        partial(L.poisson, log_input=True),
        [0.0, 2.0, 0.0],
        [-1e4, -1e4, -np.inf],
        [0.0, 2e4, 0.0],
    ),
    "gaussian": (
        L.gaussian_nll,
        [1.0, 1e15],
        [[1.0, 0.0], [0.0, 1e30]],
        [math.log(1e-6) / 2, (math.log(1e30) + 1) / 2],
    ),
    "poisson deviance": (
        partial(L.tweedie_deviance, power=1),
        [0.0, 0.0, 100.0],
        [0.0, 3.0, 0.0],
        [0.0, 6.0, 200 * (math.log(100) + WORST - 1)],
    ),
    "tweedie": (
        partial(L.tweedie_deviance, power=1.5),
        [0.0, 0.0, 1.0],
        [0.0, 4.0, 0.0],
        [0.0, 8.0, 4 * math.exp(WORST / 2)],
    ),
    "gamma": (L.gamma_deviance, [1e-20, 1e20], [1e-20, 1e20], [0.0, 0.0]),
    "inverse gaussian": (
        partial(L.tweedie_deviance, power=3),
        [1.0, 2.0],
        [1e15, 2.0],
        [1.0, 0.0],
    ),
    "generalised": (GCE, [0, 1], SURE, [0.0, 0.0]),
    "generalised, wrong": (partial(GCE, q=0.01), [1, 0], SURE, [100.0, 100.0]),
    "nll": (L.nll, [0, 1], RULED_OUT, [0.0, 0.0]),
    "log-cosh": (L.log_cosh, [0.0, 0.0, 0.0], [1e4, -1e30, 0.0], [1e4 - LOG2, 1e30, 0.0]),
    "charbonnier": (L.charbonnier, [0.0, 0.0, 1.0], [1e30, -1e-30, 1.0], [1e30, 1e-3, 1e-3]),
    "smooth": (L.smooth_l1, [0.0, 0.0], [1e30, 1e-30], [1e30, 0.0]),
    "hinge": (L.hinge, [0.0, 1.0, -1.0], [1e30, 1e30, -1e30], [1e30, 0.0, 0.0]),
    "percentage": (
        L.absolute_percentage_error,
        [0.0, 0.0, 1e-30],
        [0.0, 1.0, 2e-30],
        [0.0, np.inf, 100.0],
    ),
    "symmetric percentage": (
        L.symmetric_absolute_percentage_error,
        [0.0, 0.0, 1e-30, 1e-25, 1e-30],
        [0.0, 1.0, 3e-30, 1e-25, -1e-30],
        [0.0, 200.0, 100.0, 0.0, 200.0],
    ),
    "symmetric percentage of huge numbers": (
        L.symmetric_absolute_percentage_error,
        [2e38, 3e38, 3e38, 3e38],
        [2.1e38, -3e38, 3e38, 1e-38],
        [20 / 4.1, 200.0, 0.0, 200.0],
    ),
    "zeros": (L.categorical_crossentropy, TRUE, ZEROS, [WORST, WORST]),
    "zeros, labels": (L.sparse_categorical_crossentropy, [0, 1], ZEROS, [WORST, WORST]),
    "zeros, focal": (partial(FOCAL, alpha=1.0), TRUE, ZEROS, [WORST, WORST]),
    "zeros, generalised": (GCE, [0, 1], ZEROS, [2.0, 2.0]),
    "logarithmic": (L.squared_logarithmic_error, [0.0, 1e30], [0.0, 1e30], [0.0, 0.0]),
}


def arrays_of(backend, y_true, y_pred):
    if y_true == [0, 1] or y_true == [1, 0]:
        return make(backend, np.asarray(y_true, np.int32)), make(backend, y_pred, "float32")
    return make(backend, y_true, "float32"), make(backend, y_pred, "float32")


@backends
@pytest.mark.parametrize("case", ENDS)
def test_scores_at_the_ends_of_the_range_are_their_limits(backend, case):
    loss, y_true, y_pred, expected = ENDS[case]
    value = loss(*arrays_of(backend, y_true, y_pred))
    # To 40 roundings of the score, or of 1 where terms of a row cancel.
    finite = np.where(np.isfinite(expected), np.abs(expected), 0)
    close(value, expected, finite + 1, roundings=40)


@gradients
@pytest.mark.parametrize("case", ENDS)
def test_gradients_at_the_ends_of_the_range_are_finite(backend, case):
    loss, y_true, y_pred, _ = ENDS[case]
    objective = am.weighted_masked_objective(loss, reduction="sum")
    y_true, y_pred = arrays_of(backend, y_true, y_pred)
    _, (gradient,) = knowledge(backend).value_and_grad(partial(objective, y_true), [y_pred])
    assert np.all(np.isfinite(host(gradient)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_zero_vectors_have_no_direction_and_no_gradient(dtype):
    x = torch.zeros(2, 3, dtype=getattr(torch, dtype), requires_grad=True)
    L.cosine_similarity(torch.ones(2, 3, dtype=x.dtype), x).sum().backward()
    assert x.grad.tolist() == [[0.0] * 3] * 2


@backends
def test_what_no_distribution_gives_scores_nan(backend):
    nan, one, minus = np.asarray([np.nan] * 2), [1.0, 1.0], [-1.0, -1e-3]
    for loss, y_true, y_pred in (
        (L.poisson, one, minus),
        (L.gamma_deviance, one, minus),
        (L.gamma_deviance, minus, one),
        (L.gamma_deviance, [0.0, 0.0], one),
        (partial(L.tweedie_deviance, power=1), minus, one),
        (partial(L.tweedie_deviance, power=1.5), minus, one),
        (partial(L.tweedie_deviance, power=1.5), one, minus),
        (partial(L.tweedie_deviance, power=-1), one, minus),
        (partial(L.tweedie_deviance, power=3), [0.0, -1.0], one),
        (L.gaussian_nll, one, [[0.0, -1.0], [0.0, -1e-9]]),
        (L.squared_logarithmic_error, one, [-1.0, -2.0]),
        (L.squared_logarithmic_error, [-1.0, -2.0], one),
        (L.nll, [3, -1], SURE),
        (GCE, [3, -100], SURE),
    ):
        target = np.asarray(y_true, np.int32 if loss in (L.nll, GCE) else np.float32)
        np.testing.assert_array_equal(host(loss(make(backend, target), make(backend, y_pred))), nan)


OF_PAIRS = (
    L.absolute_percentage_error,
    BINARY_FOCAL,
    FOCAL,
    L.categorical_hinge,
    L.charbonnier,
    L.cosine_similarity,
    L.gamma_deviance,
    L.hinge,
    L.js_divergence,
    L.kl_divergence,
    L.log_cosh,
    L.pinball,
    L.poisson,
    L.smooth_l1,
    L.squared_hinge,
    L.squared_logarithmic_error,
    L.symmetric_absolute_percentage_error,
    *(partial(L.tweedie_deviance, power=power) for power in (-1, 0, 1, 1.5, 3)),
    partial(L.poisson, log_input=True),
    partial(L.kl_divergence, log_input=True, log_target=True),
    partial(BINARY_FOCAL, from_logits=True),
    partial(FOCAL, from_logits=True),
)


@backends
def test_an_included_nan_comes_through(backend):
    whole, broken = (make(backend, [[0.5, x, 0.5]], "float32") for x in (0.25, np.nan))
    for loss in OF_PAIRS:
        for pair in ((whole, broken), (broken, whole)):
            assert np.isnan(host(loss(*pair))).any(), loss
    pairs = make(backend, [[0.5, np.nan]]), make(backend, [[np.nan, 0.5]])
    target = make(backend, [np.nan])
    assert all(np.isnan(host(L.gaussian_nll(make(backend, [1.0]), p)))[0] for p in pairs)
    assert np.isnan(host(L.gaussian_nll(target, make(backend, [[0.5, 0.5]]))))[0]
    for loss in (L.nll, GCE):
        values = loss(make(backend, [0, 1]), make(backend, [[0.5, np.nan], [0.5, np.nan]]))
        assert np.isnan(host(values)).tolist() == [False, True]


# -- what others get wrong: their answer, ours, and the exact one --


def both(ours, theirs, y_true, y_pred, dtype="float32"):
    """One score of ours and one of theirs."""
    y_true, y_pred = np.asarray(y_true, dtype), np.asarray(y_pred, dtype)
    return ours(y_true, y_pred).item(), theirs(y_true, y_pred).item()


def near(x, roundings=8, dtype="float32"):
    return pytest.approx(float(x), rel=roundings * float(np.finfo(dtype).eps), abs=0)


def test_nothing_is_left_of_small_scores_in_keras_s_log_cosh():
    exact = mpmath.log(mpmath.cosh(mpmath.mpf(float(np.float32(1e-4)))))
    ours, theirs = both(L.log_cosh, tensors(k.log_cosh), [[0.0]], [[1e-4]])
    assert theirs == 0
    assert ours == near(exact)


def test_keras_has_no_percentage_of_small_targets():
    ours, theirs = both(
        L.absolute_percentage_error,
        tensors(k.mean_absolute_percentage_error),
        [[2e-9]],
        [[1e-9]],
    )
    assert theirs == near(1.0)  # 1e-9 / 1e-7, in percent
    assert ours == near(50.0)


def test_keras_s_logarithmic_error_does_not_see_negative_predictions():
    ours, theirs = both(
        L.squared_logarithmic_error,
        tensors(k.mean_squared_logarithmic_error),
        [[0.0]],
        [[-0.5]],
    )
    assert theirs == 0
    assert ours == near(math.log(0.5) ** 2)


def test_keras_s_poisson_is_off_for_small_means():
    ours, theirs = both(L.poisson, tensors(k.poisson), [[1.0]], [[1e-10]])
    assert theirs == near(-math.log(1e-7 + 1e-10))
    assert ours == near(-math.log(1e-10))


def test_keras_clips_what_a_divergence_is_about():
    y_true, y_pred = [[1.0, 0.0]], [[1e-20, 1.0]]
    ours, theirs = both(L.kl_divergence, tensors(k.kl_divergence), y_true, y_pred)
    assert theirs == near(-math.log(1e-7))
    assert ours == near(-math.log(1e-20))


def test_keras_and_torch_turn_short_vectors():
    y_true, y_pred = [[1.0, 0.0]], [[1e-9, 0.0]]
    ours, theirs = both(L.cosine_similarity, tensors(k.cosine_similarity), y_true, y_pred)
    _, torch_s = both(
        L.cosine_similarity,
        tensors(lambda t, p: -F.cosine_similarity(t, p, dim=-1)),
        y_true,
        y_pred,
    )
    assert theirs == near(-1e-2)
    assert torch_s == near(-0.1)
    assert ours == -1.0


def test_what_a_label_means_depends_on_its_batch_in_keras():
    keras_s = tensors(k.hinge)
    column, beside = np.asarray([[0.0]]), np.asarray([[0.0], [-1.0]])
    prediction = np.asarray([[2.0], [2.0]])
    assert keras_s(column, prediction[:1])[0] == 3
    assert keras_s(beside, prediction)[0] == 1
    assert L.hinge(column, prediction[:1])[0] == L.hinge(beside, prediction)[0] == 3


def test_keras_stops_a_focal_loss_of_logits_at_its_clip():
    exact = mpmath.log1p(mpmath.exp(30)) * mpmath.mpf(1 / (1 + mpmath.exp(-30))) ** 2
    ours, theirs = both(
        partial(BINARY_FOCAL, from_logits=True),
        tensors(partial(k.binary_focal_crossentropy, from_logits=True)),
        [[1.0]],
        [[-30.0]],
    )
    assert theirs == near(-math.log(1e-7), roundings=100)
    assert ours == near(exact)
    x = torch.tensor([[-30.0]], requires_grad=True)
    k.binary_focal_crossentropy(torch.ones(1, 1), x, from_logits=True).sum().backward()
    y = torch.tensor([[-30.0]], requires_grad=True)
    BINARY_FOCAL(torch.ones(1, 1), y, from_logits=True).sum().backward()
    assert abs(x.grad.item()) < 1e-5
    assert y.grad.item() == near(-1.0)


def test_torch_s_divergence_has_no_gradient_where_a_class_is_ruled_out():
    y_true = torch.tensor([[0.0, 1.0]])
    x = torch.tensor([[0.0, 1.0]], requires_grad=True)
    F.kl_div(torch.log(x), y_true, reduction="sum").backward()
    y = torch.tensor([[0.0, 1.0]], requires_grad=True)
    L.kl_divergence(y_true, y).sum().backward()
    assert np.isnan(x.grad[0, 0].item())
    assert y.grad.tolist() == [[0.0, -1.0]]


def test_scikit_learn_raises_where_one_prediction_is_zero():
    y_true, y_pred = np.asarray([0.0, 1.0, 2.0]), np.asarray([0.0, 1.0, 2.0])
    with pytest.raises(ValueError, match="strictly positive y_pred"):
        sklearn.metrics.mean_poisson_deviance(y_true, y_pred)
    # 2 p of the smallest normal number that a mean of 0 counts as
    expected = [2 * np.finfo(float).smallest_normal, 0.0, 0.0]
    assert L.tweedie_deviance(y_true, y_pred, power=1).tolist() == expected
