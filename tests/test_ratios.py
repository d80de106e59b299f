import functools
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import pytest
import sklearn.metrics
import torch

import agnostic_mask as am

from .arrays import backends, close, gradients, host, knowledge, make, wide

L = am.losses
RNG = np.random.default_rng(3)
SHAPE = (4, 5, 3)
Y_TRUE = RNG.integers(0, 2, SHAPE).astype(float)
Y_PRED = RNG.uniform(0, 1, SHAPE)
MASK = RNG.random(SHAPE[:2]) < 0.6
COUNTS = RNG.integers(0, 4, SHAPE[0])

UNEVEN = functools.partial(L.tversky, alpha=0.3, beta=0.7)
RATIOS = {"dice": L.dice, "jaccard": L.jaccard, "tversky": UNEVEN}
# What Keras has, which adds 1e-7 below the line; with alpha and beta exchanged, see below
KERAS = {
    "dice": keras.losses.dice,
    "tversky": functools.partial(keras.losses.tversky, alpha=0.7, beta=0.3),
}
EPSILON = 1e-7


def by_keras(fn, *arrays):
    return float(fn(*(torch.from_numpy(np.array(x)) for x in arrays)))


def objective(fn, reduction="sum"):
    return am.weighted_masked_objective(fn, reduction=reduction)


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", KERAS)
def test_what_mask_and_counts_leave_has_keras_s_loss(backend, dtype, name):
    y_true, y_pred = Y_TRUE.astype(dtype), Y_PRED.astype(dtype)
    left = [
        np.repeat(x, COUNTS, axis=0)[np.repeat(MASK, COUNTS, axis=0)].astype(float)
        for x in (y_true, y_pred)
    ]
    peer = by_keras(KERAS[name], *left)
    with wide(backend, dtype):
        arrays = (make(backend, x, dtype) for x in (y_true, y_pred))
        value = objective(RATIOS[name])(*arrays, make(backend, COUNTS), make(backend, MASK))
    roundings = 6 + EPSILON / np.finfo(dtype).eps / min(x.sum() for x in left)
    close(value, peer, 1.0, dtype=dtype, roundings=roundings)


def test_keras_s_alpha_weighs_false_negatives_though_it_says_positives():
    found, also_marked = torch.tensor([1.0, 1.0]), torch.tensor([1.0, 0.0])
    only_positives = {"alpha": 1.0, "beta": 0.0}
    keras_s = keras.losses.tversky(also_marked, found, **only_positives)
    assert keras_s == pytest.approx(0, abs=2 * EPSILON)
    ours = objective(functools.partial(L.tversky, **only_positives))
    assert ours(also_marked, found) == 0.5


@backends
def test_jaccard_is_one_less_scikit_learn_s(backend):
    y_pred = np.round(Y_PRED)
    weights = np.broadcast_to(COUNTS[:, None, None], SHAPE)
    score = sklearn.metrics.jaccard_score(
        Y_TRUE.ravel(), y_pred.ravel(), sample_weight=weights.ravel()
    )
    value = objective(L.jaccard)(
        make(backend, Y_TRUE), make(backend, y_pred), make(backend, COUNTS)
    )
    close(value, 1 - score, 1.0)


def test_how_the_three_go_together():
    dice, jaccard, tversky = (
        float(objective(functools.partial(fn, **options))(Y_TRUE, Y_PRED, COUNTS))
        for fn, options in (
            (L.dice, {"smooth": 2.0}),
            (L.jaccard, {"smooth": 1.0}),
            (L.tversky, {"smooth": 1.0}),
        )
    )
    assert dice == pytest.approx(tversky, rel=1e-14)
    assert jaccard == pytest.approx(2 * dice / (1 + dice), rel=1e-14)
    union = objective(functools.partial(L.tversky, alpha=1, beta=1, smooth=1.0))
    assert jaccard == pytest.approx(float(union(Y_TRUE, Y_PRED, COUNTS)), rel=1e-14)


def test_smooth_is_added_to_what_the_reduction_makes():
    both, sizes = (Y_TRUE * Y_PRED)[MASK], (Y_TRUE + Y_PRED)[MASK]
    for reduction, n in (("sum", 1), ("mean", both.size), ("keras3", both.size)):
        value = objective(functools.partial(L.dice, smooth=1.5), reduction)
        expected = 1 - (2 * both.sum() / n + 1.5) / (sizes.sum() / n + 1.5)
        assert value(Y_TRUE, Y_PRED, mask=MASK) == pytest.approx(expected, rel=1e-13)
    plain = [objective(L.dice, r)(Y_TRUE, Y_PRED, mask=MASK) for r in ("sum", "mean", "keras2")]
    assert plain == pytest.approx([float(plain[0])] * 3, rel=1e-13)


@backends
@pytest.mark.parametrize("name", RATIOS)
def test_excluded_elements_change_no_bit(backend, name):
    mask, counts = make(backend, MASK), make(backend, COUNTS)
    value = objective(RATIOS[name])
    clean = host(value(make(backend, Y_TRUE), make(backend, Y_PRED), counts, mask))
    out = ~(MASK & (COUNTS != 0)[:, None])
    for garbage in (np.nan, np.inf, -1e30):
        y_true, y_pred = Y_TRUE.copy(), Y_PRED.copy()
        y_true[out] = y_pred[out] = garbage
        spoilt = host(value(make(backend, y_true), make(backend, y_pred), counts, mask))
        assert spoilt.tobytes() == clean.tobytes()
    y_pred = Y_PRED.copy()
    y_pred[tuple(np.argwhere(~out)[0])] = np.nan
    assert np.isnan(host(value(make(backend, Y_TRUE), make(backend, y_pred), counts, mask)))


@gradients
@pytest.mark.parametrize("name", RATIOS)
def test_gradients_are_keras_s_and_0_where_excluded(backend, name):
    y_pred = np.where(MASK[..., None], Y_PRED, np.inf)
    y_true, mask = make(backend, Y_TRUE), make(backend, MASK)
    _, (gradient,) = knowledge(backend).value_and_grad(
        lambda p: objective(RATIOS[name])(y_true, p, mask=mask), [make(backend, y_pred)]
    )
    gradient = host(gradient)
    assert np.all(gradient[~MASK] == 0)
    assert np.all(np.isfinite(gradient))
    assert np.all(gradient[MASK] != 0)
    if name in KERAS:
        p = torch.from_numpy(Y_PRED[MASK]).requires_grad_()
        KERAS[name](torch.from_numpy(Y_TRUE[MASK]), p).backward()
        # Of the ratio's parts and of their sums, each within a few float32 roundings
        close(gradient[MASK], p.grad.numpy(), 1 / Y_TRUE[MASK].sum(), roundings=20)


@pytest.mark.parametrize("name", RATIOS)
def test_how_the_data_is_cut_does_not_matter(name):
    value = objective(functools.partial(RATIOS[name], smooth=0.5))
    y_true, y_pred = Y_TRUE.astype(np.float32), Y_PRED.astype(np.float32)
    whole = value(y_true, y_pred, COUNTS, MASK)
    assert whole.dtype == np.float32
    for cuts in ((1, 3), (2,), (1, 2, 3)):
        states = []
        for start, stop in zip((0, *cuts), (*cuts, 4), strict=True):
            part = slice(start, stop)
            zero = value.zero(y_pred)
            states.append(value.update(zero, y_true[part], y_pred[part], COUNTS[part], MASK[part]))
        merged = functools.reduce(value.merge, reversed(states))
        assert value.compute(merged) == whole


@gradients
def test_ratios_compile_as_a_whole(backend):
    y_true, y_pred, mask = (make(backend, x) for x in (Y_TRUE, Y_PRED, MASK))
    ratios = [objective(fn) for fn in RATIOS.values()]

    def values(y_true, y_pred, mask):
        return [ratio(y_true, y_pred, mask=mask) for ratio in ratios]

    compiled = knowledge(backend).compiled(values)
    for eager, traced in zip(
        values(y_true, y_pred, mask), compiled(y_true, y_pred, mask), strict=True
    ):
        close(traced, host(eager), 1.0)


def test_two_empty_regions():
    nothing = np.zeros(3)
    for fn in RATIOS.values():
        assert np.isnan(objective(fn)(nothing, nothing))
        assert objective(functools.partial(fn, smooth=1.0))(nothing, nothing) == 0
        assert np.isnan(objective(fn)(nothing, nothing, mask=nothing != 0))
        empty = am.weighted_masked_objective(fn, reduction="sum", empty=0.0)
        assert empty(nothing, nothing, mask=nothing != 0) == 0
    assert by_keras(keras.losses.dice, nothing, nothing) == 1


def test_a_direct_call_gives_the_parts():
    y_true, y_pred = np.asarray([True, False]), np.asarray([0.25, 0.5], np.float32)
    assert [x.tolist() for x in L.dice(y_true, y_pred)] == [[0.25, 0.0], [1.25, 0.5]]
    assert [x.tolist() for x in L.jaccard(y_true, y_pred)] == [[0.25, 0.0], [1.25, 0.5]]
    parts = L.tversky(y_true, y_pred)
    assert [x.tolist() for x in parts] == [[0.25, 0.0], [0.0, 0.5], [0.75, 0.0]]
    assert all(x.dtype == np.float32 for x in parts)


def test_bad_input():
    with pytest.raises(ValueError, match="smooth is -1"):
        L.dice(Y_TRUE, Y_PRED, smooth=-1)
    with pytest.raises(ValueError, match="smooth is nan"):
        L.jaccard(Y_TRUE, Y_PRED, smooth=float("nan"))
    with pytest.raises(ValueError, match=r"alpha is -0\.5"):
        objective(functools.partial(L.tversky, alpha=-0.5))(Y_TRUE, Y_PRED)
    for fn in RATIOS.values():
        with pytest.raises(am.ShapeMismatchError, match="equal shapes"):
            fn(Y_TRUE[..., 0], Y_PRED[..., :1])
        with pytest.raises(ValueError, match="ratio of sums"):
            objective(fn, "none")
