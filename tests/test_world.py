import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.special
import sklearn.metrics
import torch
import torch.nn.functional as F  # noqa: N812

import agnostic_mask as am

from .arrays import backends, close, gradients, host, knowledge, make, wide
from .peers import classes_second, jaxed, keras, last, tensors

L = am.losses
RNG = np.random.default_rng(11)
REAL = RNG.normal(size=(5, 4, 3)), RNG.normal(size=(5, 4, 3))
LOGITS = 3 * RNG.normal(size=(5, 4, 3))
PROBABILITIES = scipy.special.softmax(LOGITS, axis=-1)
BINARY = RNG.integers(0, 2, size=(5, 4, 3)).astype(float)
LABELS = RNG.integers(0, 3, size=(5, 4))
SOFT = scipy.special.softmax(RNG.normal(size=(5, 4, 3)), axis=-1)


k = keras.losses
bce, cce, scce = (
    L.binary_crossentropy,
    L.categorical_crossentropy,
    L.sparse_categorical_crossentropy,
)
partial = functools.partial
SAME = {
    "squared, keras": (last(L.squared_error), tensors(k.mean_squared_error), REAL),
    "squared, torch": (L.squared_error, tensors(partial(F.mse_loss, reduction="none")), REAL),
    "squared, optax": (L.squared_error, jaxed(lambda t, p: optax.squared_error(p, t)), REAL),
    "absolute, keras": (last(L.absolute_error), tensors(k.mean_absolute_error), REAL),
    "absolute, torch": (L.absolute_error, tensors(partial(F.l1_loss, reduction="none")), REAL),
    "huber, keras": (
        last(partial(L.huber, delta=0.7)),
        tensors(partial(k.huber, delta=0.7)),
        REAL,
    ),
    "huber, torch": (
        partial(L.huber, delta=0.7),
        tensors(partial(F.huber_loss, reduction="none", delta=0.7)),
        REAL,
    ),
    "huber, optax": (
        partial(L.huber, delta=0.7),
        jaxed(lambda t, p: optax.huber_loss(p, t, delta=0.7)),
        REAL,
    ),
    "binary, keras": (last(bce), tensors(k.binary_crossentropy), (BINARY, PROBABILITIES)),
    "binary smoothed, keras": (
        last(partial(bce, label_smoothing=0.2)),
        tensors(partial(k.binary_crossentropy, label_smoothing=0.2)),
        (BINARY, PROBABILITIES),
    ),
    "binary logits, keras": (
        last(partial(bce, from_logits=True)),
        tensors(partial(k.binary_crossentropy, from_logits=True)),
        (BINARY, LOGITS),
    ),
    "binary, torch": (
        bce,
        tensors(lambda t, p: F.binary_cross_entropy(p, t, reduction="none")),
        (SOFT, PROBABILITIES),
    ),
    "binary logits, torch": (
        partial(bce, from_logits=True),
        tensors(lambda t, p: F.binary_cross_entropy_with_logits(p, t, reduction="none")),
        (SOFT, LOGITS),
    ),
    "binary logits, optax": (
        partial(bce, from_logits=True),
        jaxed(lambda t, p: optax.sigmoid_binary_cross_entropy(p, t)),
        (SOFT, LOGITS),
    ),
    "categorical, keras": (cce, tensors(k.categorical_crossentropy), (SOFT, PROBABILITIES)),
    "categorical unnormalised, keras": (
        cce,
        tensors(k.categorical_crossentropy),
        (SOFT, 5 * PROBABILITIES),
    ),
    "categorical logits, keras": (
        partial(cce, from_logits=True, label_smoothing=0.1),
        tensors(partial(k.categorical_crossentropy, from_logits=True, label_smoothing=0.1)),
        (SOFT, LOGITS),
    ),
    "categorical logits, torch": (
        partial(cce, from_logits=True, label_smoothing=0.1),
        tensors(classes_second(partial(F.cross_entropy, reduction="none", label_smoothing=0.1))),
        (SOFT, LOGITS),
    ),
    "categorical logits, optax": (
        partial(cce, from_logits=True),
        jaxed(lambda t, p: optax.softmax_cross_entropy(p, t)),
        (SOFT, LOGITS),
    ),
    "sparse, keras": (scce, tensors(k.sparse_categorical_crossentropy), (LABELS, PROBABILITIES)),
    "sparse ignoring, keras": (
        partial(scce, ignore_class=1),
        tensors(partial(k.sparse_categorical_crossentropy, ignore_class=1)),
        (LABELS, PROBABILITIES),
    ),
    "sparse logits, torch": (
        partial(scce, from_logits=True, ignore_class=2),
        tensors(classes_second(partial(F.cross_entropy, reduction="none", ignore_index=2))),
        (LABELS, LOGITS),
    ),
    "sparse logits, optax": (
        partial(scce, from_logits=True),
        jaxed(lambda t, p: optax.softmax_cross_entropy_with_integer_labels(p, t)),
        (LABELS, LOGITS),
    ),
}
MEANS_OF_KERAS = {
    f"{loss}, keras"
    for loss in ("squared", "absolute", "huber", "binary", "binary smoothed", "binary logits")
}


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", SAME)
def test_losses_are_those_of_the_world(backend, dtype, case):
    ours, theirs, (y_true, y_pred) = SAME[case]
    labels = "int64" if y_true.dtype == np.int64 else dtype
    y_true, y_pred = y_true.astype(labels), y_pred.astype(dtype)
    peer = theirs(y_true, y_pred)
    with wide(backend, "float64"):
        value = ours(make(backend, y_true, labels), make(backend, y_pred, dtype))
    # Keras's own mean over the last axis computes in float32, whatever comes and goes
    exact = "float32" if case in MEANS_OF_KERAS else dtype
    # 20 operations in all on both sides, each relative to a score or to a logit, below 12 here
    close(value, peer, np.abs(peer) + 12, dtype=exact, roundings=20)


# -- reductions --

MASK = np.asarray([[1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 1, 0], [1, 1, 1, 0]], bool)
WEIGHTS = RNG.uniform(0.5, 2.0, size=(5, 4))


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("keras3", "sum_over_batch_size"), ("mean", "mean_with_sample_weight"), ("sum", "sum")],
)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_keras_s_reductions_where_keras_is_right(backend, ours, theirs, masked, weighted):
    y_true, y_pred = (x[..., 0].astype(np.float32) for x in REAL)
    tensor = torch.from_numpy(y_pred[..., None].copy())
    if masked:
        tensor._keras_mask = torch.from_numpy(MASK)
    weights = torch.from_numpy(WEIGHTS.astype(np.float32)) if weighted else None
    loss = keras.losses.MeanSquaredError(reduction=theirs)
    peer = loss(torch.from_numpy(y_true[..., None].copy()), tensor, sample_weight=weights).item()
    value = am.weighted_masked_objective(L.squared_error, reduction=ours)(
        make(backend, y_true),
        make(backend, y_pred),
        make(backend, WEIGHTS) if weighted else None,
        make(backend, MASK) if masked else None,
    )
    # float32 sums of 20 positive terms on their side
    close(value, peer, abs(peer), roundings=30)


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_class_weights_and_an_ignored_label_are_torch_s_cross_entropy(backend):
    labels = np.where(MASK, LABELS, -100)
    table = np.asarray([0.5, 2.0, 1.25])
    peer = F.cross_entropy(
        torch.from_numpy(LOGITS.reshape(-1, 3)),
        torch.from_numpy(labels.reshape(-1)),
        weight=torch.from_numpy(table),
        ignore_index=-100,
    ).item()
    objective = am.weighted_masked_objective(
        partial(scce, from_logits=True, ignore_class=-100), reduction="mean"
    )
    y_true = make(backend, labels)
    weights = am.class_weights(y_true, make(backend, table))
    close(objective(y_true, make(backend, LOGITS), weights), peer, abs(peer) + 12, roundings=20)


@backends
def test_weighted_errors_are_those_of_scikit_learn(backend):
    y_true, y_pred = (x[:, 0].astype(np.float32) for x in REAL)
    weights = WEIGHTS[:, 0].astype(np.float32)
    for loss, peer in (
        (L.squared_error, sklearn.metrics.mean_squared_error),
        (L.absolute_error, sklearn.metrics.mean_absolute_error),
    ):
        expected = peer(*(x.astype(float) for x in (y_true, y_pred)), sample_weight=weights)
        value = am.weighted_masked_objective(loss, reduction="mean")(
            make(backend, y_true), make(backend, y_pred), make(backend, weights)
        )
        close(value, expected, abs(expected))
    labels, p = LABELS[:, 0], PROBABILITIES[:, 0].astype(np.float32)
    p = p.astype(float) / p.astype(float).sum(axis=-1, keepdims=True)
    expected = sklearn.metrics.log_loss(labels, p, sample_weight=weights, labels=[0, 1, 2])
    value = am.weighted_masked_objective(scce, reduction="mean")(
        make(backend, labels), make(backend, p), make(backend, weights)
    )
    close(value, expected, abs(expected) + 1)


@backends
def test_reductions_are_numpy_s_and_scipy_s(backend):
    x, w = REAL[0][..., 0].astype(np.float32), WEIGHTS.astype(np.float32)
    counts = RNG.integers(1, 4, size=5)
    a, b, c = make(backend, x), make(backend, w), make(backend, counts)
    x64, w64 = x.astype(float), w.astype(float)
    scale = np.abs(x64).max() + 1
    close(am.mean(a, weights=b, axis=0), np.average(x64, axis=0, weights=w64), [scale] * 4)
    close(
        am.var(a, weights=c, axis=0, correction=1),
        np.diag(np.cov(x64.T, fweights=counts)),
        [scale**2] * 4,
    )
    close(
        am.logsumexp(a, weights=b, axis=1),
        scipy.special.logsumexp(x64, b=w64, axis=1),
        [2 * scale + 4] * 5,
    )
    close(am.softmax(a, axis=1), scipy.special.softmax(x64, axis=1), np.full((5, 4), scale))


# -- what others get wrong: their answer, ours, and the right one --


def masked_tensor(y_pred, mask):
    tensor = torch.from_numpy(y_pred[..., None].astype(np.float32))
    tensor._keras_mask = torch.from_numpy(mask)
    return tensor


def keras_loss(y_pred, mask, weights=None, reduction="mean_with_sample_weight", **options):
    """Keras's absolute error of zeros from `y_pred`."""
    loss = keras.losses.MeanAbsoluteError(reduction=reduction, **options)
    tensor = torch.from_numpy(y_pred[..., None].astype(np.float32))
    if mask is not None:
        tensor = masked_tensor(y_pred, mask)
    return loss(torch.zeros_like(tensor), tensor, sample_weight=weights).item()


def our_loss(y_pred, mask=None, weights=None, reduction="mean", **options):
    objective = am.weighted_masked_objective(L.absolute_error, reduction=reduction, **options)
    y_pred = np.asarray(y_pred, np.float32)
    return float(objective(np.zeros_like(y_pred), y_pred, weights, mask))


def test_keras_lets_nan_through_its_mask():
    y_pred = np.asarray([[1.0, 3.0, np.nan]])
    mask = np.asarray([[True, True, False]])
    assert np.isnan(keras_loss(y_pred, mask))
    assert our_loss(y_pred, mask) == 2.0


def test_keras_lays_sample_weights_over_the_wrong_axis():
    y_pred = np.asarray([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0], [64.0, 128.0, 256.0]])
    weights = np.asarray([1.0, 0.0, 0.0], np.float32)
    by_time, by_sample = (1 + 8 + 64) / 9, (1 + 2 + 4) / 9
    peer = keras_loss(y_pred, None, torch.from_numpy(weights), "sum_over_batch_size")
    assert peer == pytest.approx(by_time, rel=1e-6)
    assert our_loss(y_pred, weights=weights, reduction="keras3") == pytest.approx(by_sample)
    with pytest.raises(RuntimeError, match="size of tensor"):
        keras_loss(y_pred[:2], None, torch.from_numpy(weights[:2]))
    assert our_loss(y_pred[:2], weights=weights[:2]) == pytest.approx(7 / 3)


def test_keras_on_torch_writes_into_the_caller_s_weights():
    y_pred = np.asarray([[1.0, 2.0]])
    mask = np.asarray([[True, False]])
    theirs, ours = torch.ones(1, 2), torch.ones(1, 2)
    keras_loss(y_pred, mask, theirs)
    objective = am.weighted_masked_objective(L.absolute_error, reduction="mean")
    p = torch.from_numpy(y_pred)
    objective(torch.zeros_like(p), p, ours, torch.from_numpy(mask))
    assert theirs.tolist() == [[1.0, 0.0]]
    assert ours.tolist() == [[1.0, 1.0]]


def test_keras_binarises_a_soft_mask_in_the_numerator_only():
    y_pred = np.asarray([[1.0, 2.0, 4.0]])
    mask = np.asarray([[1.0, 0.5, 0.0]], np.float32)
    factors = (1 * 1 + 0.5 * 2) / 1.5
    peer = keras_loss(y_pred, mask, reduction="sum_over_batch_size")
    assert peer == pytest.approx((1 + 2) / 1.5, rel=1e-6)
    assert our_loss(y_pred, mask, reduction="keras2", epsilon=0) == pytest.approx(factors)
    with pytest.raises(am.UnsupportedArrayError, match="weights"):
        our_loss(y_pred, mask, reduction="keras3")
    assert our_loss(y_pred, weights=mask) == pytest.approx(factors)


def test_a_float16_mean_of_70_000_elements_is_nan_in_keras():
    y_pred = np.full((70_000, 1), 2.0)
    peer = keras_loss(y_pred, None, reduction="sum_over_batch_size", dtype="float16")
    assert np.isnan(peer)
    assert our_loss(y_pred.astype(np.float16), reduction="keras3") == 2.0


def test_a_mean_of_keras_s_batch_means_is_not_the_mean():
    y_pred = np.asarray([[1.0, 0.0, 0.0], [3.0, 5.0, 7.0]], np.float32)
    mask = np.asarray([[True, False, False], [True, True, True]])
    naive = np.mean([keras_loss(y_pred[i : i + 1], mask[i : i + 1]) for i in (0, 1)])
    assert naive == 3.0
    objective = am.weighted_masked_objective(L.absolute_error, reduction="mean")
    state = objective.zero(y_pred)
    for i in (0, 1):
        part = slice(i, i + 1)
        zeros = np.zeros((1, 3), np.float32)
        state = objective.update(state, zeros, y_pred[part], mask=mask[part])
    assert objective.compute(state) == our_loss(y_pred, mask) == 4.0


def test_keras_2_is_off_by_its_epsilon():
    y_pred = np.zeros(1_000_000)
    y_pred[3] = 1.0
    assert our_loss(y_pred, y_pred != 0, reduction="keras2") == pytest.approx(1 / 1.1, rel=1e-6)
    assert our_loss(y_pred, y_pred != 0, reduction="keras2", epsilon=0) == 1.0


def test_jax_s_where_leaves_nan_in_the_gradient():
    x, mask = jnp.asarray([2.0, 4.0, 0.0]), jnp.asarray([True, True, False])
    peer = jax.grad(lambda p: jnp.mean(jnp.log(p) * p, where=mask))(x)
    assert np.isnan(peer[2])
    entropy = am.scores(lambda t, p: jnp.log(p) * p)
    objective = am.weighted_masked_objective(entropy, reduction="mean")
    ours = jax.grad(lambda p: objective(jnp.zeros(3), p, mask=mask))(x)
    exact = [(np.log(2) + 1) / 2, (np.log(4) + 1) / 2, 0.0]
    np.testing.assert_allclose(ours, exact, rtol=4 * np.finfo(np.float32).eps)
    assert ours[2] == 0


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_a_weighted_mean_in_float16_is_nan_when_written_by_hand(backend):
    x = make(backend, np.full(70_000, 3.0), "float16")
    w = make(backend, np.full(70_000, 2.0), "float16")
    assert np.isnan(float((x * w).sum() / w.sum()))
    assert float(am.mean(x, weights=w)) == 3.0


def test_numpy_s_float32_mean_along_columns_is_far_off():
    x = (1000 + np.random.default_rng(0).random((500_000, 2))).astype(np.float32)
    exact = x.astype(np.float64).mean(axis=0)
    assert np.abs(x.mean(axis=0) - exact).min() > 1e-3
    close(am.mean(x, axis=0), exact, [1000.0] * 2, roundings=1)


def test_scikit_learn_refuses_nan_even_where_its_weight_is_zero():
    y_true, y_pred = np.asarray([1.0, 2.0, np.nan]), np.asarray([2.0, 2.0, 2.0])
    weights = np.asarray([1.0, 1.0, 0.0])
    with pytest.raises(ValueError, match="NaN"):
        sklearn.metrics.mean_squared_error(y_true, y_pred, sample_weight=weights)
    objective = am.weighted_masked_objective(L.squared_error, reduction="mean")
    assert objective(y_true, y_pred, weights) == 0.5


def test_numpy_s_masked_arrays_drop_an_included_nan_silently():
    x = np.ma.masked_invalid([1.0, np.nan, 3.0])
    assert np.ma.mean(x) == 2.0
    assert np.isnan(am.mean(np.asarray([1.0, np.nan, 3.0]), mask=np.asarray([True] * 3)))


# -- stability --


@backends
def test_huge_logits(backend):
    x = make(backend, [1e4, -1e4, 1e4, -1e4, 0.0])
    y = make(backend, [1.0, 0.0, 0.0, 1.0, 0.5])
    close(bce(y, x, from_logits=True), [0.0, 0.0, 1e4, 1e4, np.log(2)], [1, 1, 1e4, 1e4, 1])
    x = make(backend, [[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]])
    labels = make(backend, [1, 2])
    close(scce(labels, x, from_logits=True), [2e4, np.log(2)], [2e4, 1])
    one_hot = make(backend, [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    close(cce(one_hot, x, from_logits=True), [2e4, np.log(2)], [2e4, 1])


@backends
def test_infinite_logits_of_a_binary_loss_are_certainties(backend):
    x = make(backend, [np.inf, -np.inf, np.inf, -np.inf])
    y = make(backend, [1.0, 0.0, 0.0, 1.0])
    assert host(bce(y, x, from_logits=True)).tolist() == [0.0, 0.0, np.inf, np.inf]


@backends
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_probabilities_of_exactly_zero_and_one(backend, dtype):
    worst = -np.log(float(np.finfo(dtype).smallest_normal))
    with wide(backend, dtype):
        y, p = make(backend, [0, 1, 0, 1], dtype), make(backend, [0, 1, 1, 0], dtype)
        close(bce(y, p), [0.0, 0.0, worst, worst], [1, 1, worst, worst], dtype=dtype)
        rows = make(backend, [[1, 0], [1, 0]], dtype)
        close(scce(make(backend, [0, 1]), rows), [0.0, worst], [1, worst], dtype=dtype)
        one_hot = make(backend, [[1, 0], [0, 1]], dtype)
        close(cce(one_hot, rows), [0.0, worst], [1, worst], dtype=dtype)


@backends
def test_classes_ruled_out_by_minus_infinity(backend):
    x = make(backend, [[0.0, -np.inf, 0.0], [-np.inf, 0.0, -np.inf], [0.0, -np.inf, 0.0]])
    labels = make(backend, [2, 1, 1])
    one_hot = make(backend, [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    expected = [np.log(2), 0.0, np.inf]
    close(scce(labels, x, from_logits=True), expected, [1, 1, 1])
    close(cce(one_hot, x, from_logits=True), expected, [1, 1, 1])


@gradients
@pytest.mark.parametrize("case", ["binary", "categorical", "sparse", "binary p", "sparse p"])
def test_gradients_at_extreme_predictions_are_finite(backend, case):
    one_hot = make(backend, [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    labels = make(backend, [2, 1])
    huge = make(backend, [[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]])
    ruled_out = make(backend, [[0.0, -np.inf, 0.0], [-np.inf, 0.0, 5.0]])
    sure = make(backend, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    loss, y_true, inputs = {
        "binary": (partial(bce, from_logits=True), one_hot, [huge]),
        "categorical": (partial(cce, from_logits=True), one_hot, [huge, ruled_out]),
        "sparse": (partial(scce, from_logits=True), labels, [huge, ruled_out]),
        "binary p": (bce, one_hot, [sure]),
        "sparse p": (scce, labels, [sure]),
    }[case]
    objective = am.weighted_masked_objective(loss, reduction="sum")
    for y_pred in inputs:
        _, (gradient,) = knowledge(backend).value_and_grad(partial(objective, y_true), [y_pred])
        assert np.all(np.isfinite(host(gradient)))
    if case == "sparse":
        np.testing.assert_allclose(
            host(gradient)[0], [0.5, 0.0, -0.5], rtol=4 * np.finfo(np.float32).eps
        )
