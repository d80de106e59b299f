import functools

import numpy as np
import optax
import pytest
import scipy.spatial.distance
import scipy.special
import sklearn.metrics
import torch
import torch.nn.functional as F  # noqa: N812

import agnostic_mask as am

from .arrays import close, host, make, wide
from .peers import classes_second, jaxed, keras, last, tensors

L, k, partial = am.losses, keras.losses, functools.partial
RNG = np.random.default_rng(12)
SHAPE = (5, 4, 3)
REAL = RNG.normal(size=SHAPE), RNG.normal(size=SHAPE)
APART = RNG.uniform(0.5, 2.0, SHAPE), RNG.normal(size=SHAPE)  # targets that are not small
MEANS = RNG.uniform(0.25, 2.0, SHAPE), RNG.uniform(0.25, 2.0, SHAPE)
COUNTS = RNG.poisson(1.5, SHAPE).astype(float), MEANS[1]
BINARY = RNG.integers(0, 2, size=SHAPE).astype(float)
SIGNS = 2 * BINARY - 1
LOGITS = 2 * RNG.normal(size=SHAPE)
SHARES = scipy.special.softmax(LOGITS, axis=-1)
SOFT = scipy.special.softmax(RNG.normal(size=SHAPE), axis=-1)
LABELS = RNG.integers(0, 3, size=SHAPE[:-1])
ONE_HOT = np.eye(3)[LABELS]
GAUSSIAN = RNG.normal(size=SHAPE), np.stack((REAL[1], MEANS[1]), axis=-1)


def averaged(fn):
    """The mean of all scores, which scikit-learn takes by itself."""
    return lambda t, p: am.mean(fn(t, p))


def flat(fn):
    """scikit-learn's functions of vectors."""
    return lambda t, p: np.asarray(fn(t.reshape(-1), p.reshape(-1)))


def of_mean_and_variance(**options):
    return tensors(
        lambda t, p: F.gaussian_nll_loss(p[..., 0], t, p[..., 1], reduction="none", **options)
    )


def tweedie(power, pair):
    peer = partial(sklearn.metrics.mean_tweedie_deviance, power=power)
    return averaged(partial(L.tweedie_deviance, power=power)), flat(peer), pair


def focal(**options):
    """Ours and Keras's of one set of options."""
    return (
        last(partial(L.binary_focal_crossentropy, **options)),
        tensors(partial(k.binary_focal_crossentropy, **options)),
    )


def focal_of_classes(**options):
    return (
        partial(L.categorical_focal_crossentropy, **options),
        tensors(partial(k.categorical_focal_crossentropy, **options)),
    )


SAME = {
    "percentage, keras": (
        last(L.absolute_percentage_error),
        tensors(k.mean_absolute_percentage_error),
        APART,
    ),
    "percentage, scikit-learn": (
        averaged(L.absolute_percentage_error),
        flat(lambda t, p: 100 * sklearn.metrics.mean_absolute_percentage_error(t, p)),
        REAL,
    ),
    "logarithmic, keras": (
        last(L.squared_logarithmic_error),
        tensors(k.mean_squared_logarithmic_error),
        MEANS,
    ),
    "logarithmic, scikit-learn": (
        averaged(L.squared_logarithmic_error),
        flat(sklearn.metrics.mean_squared_log_error),
        MEANS,
    ),
    "smooth, torch": (
        partial(L.smooth_l1, beta=0.7),
        tensors(partial(F.smooth_l1_loss, reduction="none", beta=0.7)),
        REAL,
    ),
    "log-cosh, keras": (last(L.log_cosh), tensors(k.log_cosh), REAL),
    "log-cosh, optax": (L.log_cosh, jaxed(lambda t, p: optax.log_cosh(p, t)), REAL),
    "charbonnier, numpy": (
        partial(L.charbonnier, epsilon=0.5),
        lambda t, p: np.hypot(p - t, 0.5),
        REAL,
    ),
    "pinball, scikit-learn": (
        averaged(partial(L.pinball, quantile=0.2)),
        flat(partial(sklearn.metrics.mean_pinball_loss, alpha=0.2)),
        REAL,
    ),
    "hinge, keras": (last(L.hinge), tensors(k.hinge), (SIGNS, REAL[1])),
    "hinge of zeros, keras": (last(L.hinge), tensors(k.hinge), (BINARY, REAL[1])),
    "hinge, optax": (
        L.hinge,
        jaxed(lambda t, p: optax.hinge_loss(p, t)),
        (SIGNS, REAL[1]),
    ),
    "squared hinge, keras": (last(L.squared_hinge), tensors(k.squared_hinge), (SIGNS, REAL[1])),
    "categorical hinge, keras": (
        L.categorical_hinge,
        tensors(k.categorical_hinge),
        (ONE_HOT, LOGITS),
    ),
    "kl, keras": (L.kl_divergence, tensors(k.kl_divergence), (SOFT, SHARES)),
    "kl, torch": (
        partial(L.kl_divergence, log_input=True),
        tensors(lambda t, p: F.kl_div(p, t, reduction="none").sum(-1)),
        (SOFT, np.log(SHARES)),
    ),
    "kl of logarithms, torch": (
        partial(L.kl_divergence, log_input=True, log_target=True),
        tensors(lambda t, p: F.kl_div(p, t, reduction="none", log_target=True).sum(-1)),
        (np.log(SOFT), np.log(SHARES)),
    ),
    "kl, optax": (
        partial(L.kl_divergence, log_input=True),
        jaxed(lambda t, p: optax.losses.kl_divergence(p, t)),
        (SOFT, np.log(SHARES)),
    ),
    "js, scipy": (
        L.js_divergence,
        lambda t, p: scipy.spatial.distance.jensenshannon(t, p, axis=-1) ** 2,
        (SOFT, SHARES),
    ),
    "cosine, keras": (L.cosine_similarity, tensors(k.cosine_similarity), REAL),
    "cosine, torch": (
        L.cosine_similarity,
        tensors(lambda t, p: -F.cosine_similarity(t, p, dim=-1)),
        REAL,
    ),
    "cosine, optax": (
        L.cosine_similarity,
        jaxed(lambda t, p: -optax.cosine_similarity(p, t)),
        REAL,
    ),
    "poisson, keras": (last(L.poisson), tensors(k.poisson), COUNTS),
    "poisson, torch": (
        L.poisson,
        tensors(lambda t, p: F.poisson_nll_loss(p, t, log_input=False, eps=0, reduction="none")),
        COUNTS,
    ),
    "poisson of logarithms, torch": (
        partial(L.poisson, log_input=True),
        tensors(lambda t, p: F.poisson_nll_loss(p, t, reduction="none")),
        (COUNTS[0], REAL[1]),
    ),
    "gaussian, torch": (L.gaussian_nll, of_mean_and_variance(), GAUSSIAN),
    "gaussian floored, torch": (
        partial(L.gaussian_nll, full=True, epsilon=1.0),
        of_mean_and_variance(full=True, eps=1.0),
        GAUSSIAN,
    ),
    "gamma, scikit-learn": (
        averaged(L.gamma_deviance),
        flat(sklearn.metrics.mean_gamma_deviance),
        MEANS,
    ),
    "poisson deviance, scikit-learn": (
        averaged(partial(L.tweedie_deviance, power=1)),
        flat(sklearn.metrics.mean_poisson_deviance),
        COUNTS,
    ),
    "tweedie -1.5, scikit-learn": tweedie(-1.5, (REAL[0], MEANS[1])),
    "tweedie 0, scikit-learn": tweedie(0, REAL),
    "tweedie 1, scikit-learn": tweedie(1, COUNTS),
    "tweedie 1.5, scikit-learn": tweedie(1.5, COUNTS),
    "tweedie 2, scikit-learn": tweedie(2, MEANS),
    "tweedie 3, scikit-learn": tweedie(3, MEANS),
    "binary weighted, torch": (
        partial(L.binary_crossentropy, from_logits=True, pos_weight=3.0),
        tensors(
            lambda t, p: F.binary_cross_entropy_with_logits(
                p, t, reduction="none", pos_weight=torch.tensor(3.0, dtype=p.dtype)
            )
        ),
        (SOFT, LOGITS),
    ),
    "binary weighted probabilities, torch": (
        partial(L.binary_crossentropy, pos_weight=3.0),
        tensors(
            lambda t, p: F.binary_cross_entropy_with_logits(
                torch.logit(p), t, reduction="none", pos_weight=torch.tensor(3.0, dtype=p.dtype)
            )
        ),
        (SOFT, SHARES),
    ),
    "binary focal, keras": (*focal(), (BINARY, SHARES)),
    "binary focal logits, keras": (*focal(from_logits=True, gamma=1.5), (BINARY, LOGITS)),
    "binary focal balanced, keras": (
        *focal(apply_class_balancing=True, alpha=0.3, label_smoothing=0.2),
        (BINARY, SHARES),
    ),
    "binary focal, optax": (
        partial(
            L.binary_focal_crossentropy, from_logits=True, apply_class_balancing=True, alpha=0.3
        ),
        jaxed(lambda t, p: optax.sigmoid_focal_loss(p, t, alpha=0.3, gamma=2.0)),
        (BINARY, LOGITS),
    ),
    "focal, keras": (*focal_of_classes(), (SOFT, SHARES)),
    "focal unnormalised, keras": (
        *focal_of_classes(alpha=0.5, gamma=1.5, label_smoothing=0.1),
        (SOFT, 5 * SHARES),
    ),
    "focal logits, keras": (*focal_of_classes(from_logits=True), (ONE_HOT, LOGITS)),
    "generalised, keras": (
        L.categorical_generalized_cross_entropy,
        tensors(lambda t, p: k.categorical_generalized_cross_entropy(t, p, q=0.5)),
        (LABELS, SHARES),
    ),
    "nll, torch": (
        L.nll,
        tensors(classes_second(partial(F.nll_loss, reduction="none"))),
        (LABELS, np.log(SHARES)),
    ),
    "nll ignoring, torch": (
        partial(L.nll, ignore_class=1),
        tensors(classes_second(partial(F.nll_loss, reduction="none", ignore_index=1))),
        (LABELS, np.log(SHARES)),
    ),
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
    # Keras clips at 1e-7 or adds it, which is not more than a rounding to float32 here.
    exact = "float32" if case.endswith("keras") else dtype
    # 40 operations in all on both sides, each relative to a score or to a part of one, below 8
    close(value, peer, np.abs(peer) + 8, dtype=exact, roundings=40)


def test_the_symmetric_percentage_is_the_error_in_percent_of_the_mean_size():
    y_true, y_pred = REAL
    expected = 100 * np.abs(y_pred - y_true) / ((np.abs(y_true) + np.abs(y_pred)) / 2)
    actual = L.symmetric_absolute_percentage_error(y_true, y_pred)
    close(actual, expected, expected, dtype="float64")


@pytest.mark.parametrize("backend", ["numpy", "torch", "dask", "array_api_strict"])
@pytest.mark.parametrize("axis", [0, 1, -2])
def test_any_axis_may_be_that_of_classes(backend, axis):
    pairs = {
        L.categorical_hinge: (ONE_HOT, LOGITS),
        L.kl_divergence: (SOFT, SHARES),
        L.js_divergence: (SOFT, SHARES),
        L.cosine_similarity: REAL,
        L.categorical_focal_crossentropy: (SOFT, SHARES),
        L.categorical_generalized_cross_entropy: (LABELS, SHARES),
        L.nll: (LABELS, np.log(SHARES)),
        L.gaussian_nll: GAUSSIAN,
    }
    for loss, (y_true, y_pred) in pairs.items():
        moved = np.moveaxis(y_pred, -1, axis)
        target = np.moveaxis(y_true, -1, axis) if y_true.ndim == y_pred.ndim else y_true
        found = loss(make(backend, target), make(backend, moved), axis=axis)
        same = loss(make(backend, y_true), make(backend, y_pred))
        np.testing.assert_array_equal(host(found), host(same))
