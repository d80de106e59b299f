"""JAX again: crossentropy of logits, metrics, confusion matrices, means along an axis."""

from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp

import agnostic_mask as am
from benchmarks._contenders.jax import FIELD, jitted
from benchmarks._field import Call, Timed
from benchmarks._workloads import BATCHES, CLASSES

SPARSE = "sparse categorical crossentropy"
STREAMING = "streaming metric"
CONFUSION = "confusion matrix"

sparse_objective = am.weighted_masked_objective(
    partial(am.losses.sparse_categorical_crossentropy, from_logits=True), reduction="mean"
)
squared_error = am.metrics.MeanSquaredError()
mean = am.metrics.Mean()
confusion = am.metrics.ConfusionMatrix(CLASSES)


def sparse_formula(labels: Any, logits: Any, mask: Any) -> Any:
    """The log of the sum of exponentials, then selection."""
    at_label = jnp.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
    scores = jax.nn.logsumexp(logits, axis=1) - at_label
    return jnp.where(mask, scores, 0).sum() / mask.sum()


@FIELD.enter(SPARSE, name="ours", nan_safe=True)
def ours_sparse(x: SimpleNamespace) -> Call:
    """Our objective, eager."""
    return lambda: sparse_objective(x.y_true, x.y_pred, mask=x.mask)


@FIELD.enter(SPARSE, name="ours, jax.jit", nan_safe=True, compiled=True)
def ours_sparse_jitted(x: SimpleNamespace) -> Call:
    """Our objective, jitted."""
    fn = jitted(sparse_objective)
    return lambda: fn(x.y_true, x.y_pred, mask=x.mask)


@FIELD.enter(SPARSE, name="logsumexp, then where, jax.jit", nan_safe=True, compiled=True)
def sparse_jitted(x: SimpleNamespace) -> Call:
    """By hand, jitted."""
    fn = jitted(sparse_formula)
    return lambda: fn(x.y_true, x.y_pred, x.mask)


@cache
def _optax_sparse() -> Any:
    from optax.losses import softmax_cross_entropy_with_integer_labels as loss

    def fn(labels: Any, logits: Any, mask: Any) -> Any:
        return jnp.where(mask, loss(logits, labels), 0).sum() / mask.sum()

    return jax.jit(fn)


@FIELD.enter(SPARSE, name="optax, then where, jax.jit", nan_safe=True, compiled=True)
def optax_sparse(x: SimpleNamespace) -> Call:
    """Its function, jitted with the selection."""
    fn = _optax_sparse()
    return lambda: fn(x.y_true, x.y_pred, x.mask)


def _streamed(x: SimpleNamespace, zero: Any, update: Any, compute: Any) -> Call:
    def call() -> Any:
        state = zero()
        for i in range(BATCHES):
            state = update(state, x.y_true[i % len(x.y_true)], x.y_pred[i % len(x.y_pred)])
        return compute(state)

    return call


@FIELD.enter(STREAMING, name="ours", nan_safe=True)
def ours_streaming(x: SimpleNamespace) -> Call:
    """Our metric, eager."""
    zero = partial(squared_error.zero, like=x.y_pred)
    return _streamed(x, zero, squared_error.update, squared_error.compute)


@FIELD.enter(STREAMING, name="ours, jax.jit", nan_safe=True, compiled=True)
def ours_streaming_jitted(x: SimpleNamespace) -> Call:
    """Our metric, whose update is jitted."""
    zero = partial(squared_error.zero, like=x.y_pred)
    return _streamed(x, zero, jitted(squared_error.update), squared_error.compute)


@FIELD.enter(STREAMING, name="by hand, jax.jit", compiled=True)
def streaming_by_hand(x: SimpleNamespace) -> Call:
    """Two numbers that grow, in float32, jitted."""

    @jax.jit
    def update(state: Any, true: Any, pred: Any) -> Any:
        total, count = state
        return total + jnp.sum(jnp.square(pred - true)), count + pred.size

    return _streamed(x, lambda: (jnp.zeros(()), jnp.zeros(())), update, lambda s: s[0] / s[1])


@FIELD.enter("one metric update", name="ours", nan_safe=True)
def ours_update(x: SimpleNamespace) -> Timed:
    """Our metric, eager."""
    zero = mean.zero(like=x.x)
    return Timed(
        lambda: mean.update(zero, x.x, x.weights),
        lambda: mean.compute(mean.update(zero, x.x, x.weights)),
    )


@FIELD.enter("one metric update", name="ours, jax.jit", nan_safe=True, compiled=True)
def ours_update_jitted(x: SimpleNamespace) -> Timed:
    """Our metric, whose update is jitted."""
    zero, update = mean.zero(like=x.x), jitted(mean.update)
    return Timed(
        lambda: update(zero, x.x, x.weights),
        lambda: mean.compute(update(zero, x.x, x.weights)),
    )


@FIELD.enter(CONFUSION, name="ours", number="counts", nan_safe=True)
def ours_confusion(x: SimpleNamespace) -> Call:
    """Our metric, eager."""
    return lambda: confusion(x.y_true, x.y_pred, mask=x.mask)


@FIELD.enter(CONFUSION, name="ours, jax.jit", number="counts", nan_safe=True, compiled=True)
def ours_confusion_jitted(x: SimpleNamespace) -> Call:
    """Our metric, jitted."""
    fn = jitted(confusion)
    return lambda: fn(x.y_true, x.y_pred, mask=x.mask)


def _bincount(true: Any, pred: Any, mask: Any) -> Any:
    cells = jnp.where(mask, CLASSES * true + pred, CLASSES**2)
    return jnp.bincount(cells, length=CLASSES**2 + 1)[:-1].reshape(CLASSES, CLASSES)


@FIELD.enter(
    CONFUSION, name="where, then bincount, jax.jit", number="counts", nan_safe=True, compiled=True
)
def where_bincount(x: SimpleNamespace) -> Call:
    """One cell more, for what is excluded, jitted."""
    fn = jitted(_bincount)
    return lambda: fn(x.y_true, x.y_pred, x.mask)


@cache
def _mean_where(axis: int) -> Any:
    return lambda x, mask: jnp.mean(x, axis=axis, where=mask)


@cache
def _ours_mean(axis: int) -> Any:
    return lambda x, mask: am.mean(x, mask=mask, axis=axis)


def _mean_along(axis: int) -> None:
    kind = f"masked mean, axis {axis}"
    for name, made in {"ours": _ours_mean(axis), "jnp.mean(where=)": _mean_where(axis)}.items():

        @FIELD.enter(kind, name=name, nan_safe=True)
        def eager(x: SimpleNamespace, made: Any = made) -> Call:
            return lambda: made(x.x, x.mask)

        @FIELD.enter(kind, name=f"{name}, jax.jit", nan_safe=True, compiled=True)
        def jitted_mean(x: SimpleNamespace, made: Any = made) -> Call:
            fn = jitted(made)
            return lambda: fn(x.x, x.mask)


_mean_along(0)
_mean_along(1)
