"""JAX again: crossentropy of logits, metrics, confusion matrices, means along an axis."""

from functools import cache
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks._contenders import ours
from benchmarks._contenders.jax import FIELD, jitted
from benchmarks._field import Call
from benchmarks._workloads import CLASSES

SPARSE = "sparse categorical crossentropy"
STREAMING = "streaming metric"
CONFUSION = "confusion matrix"

ours.enter(FIELD)
ours.enter(FIELD, "ours, jax.jit", jitted, compiled=True)


def sparse_formula(labels: Any, logits: Any, mask: Any) -> Any:
    """The log of the sum of exponentials, then selection."""
    at_label = jnp.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
    scores = jax.nn.logsumexp(logits, axis=1) - at_label
    return jnp.where(mask, scores, 0).sum() / mask.sum()


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


@FIELD.enter(STREAMING, name="by hand, jax.jit", compiled=True)
def streaming_by_hand(x: SimpleNamespace) -> Call:
    """Two numbers that grow, in float32, jitted."""

    @jax.jit
    def update(state: Any, true: Any, pred: Any) -> Any:
        total, count = state
        return total + jnp.sum(jnp.square(pred - true)), count + pred.size

    return ours.streamed(x, lambda: (jnp.zeros(()), jnp.zeros(())), update, lambda s: s[0] / s[1])


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


def _mean_along(axis: int) -> None:
    kind = f"masked mean, axis {axis}"

    def made(x: Any, mask: Any) -> Any:
        return jnp.mean(x, axis=axis, where=mask)

    @FIELD.enter(kind, name="jnp.mean(where=)", nan_safe=True)
    def eager(x: SimpleNamespace) -> Call:
        return lambda: made(x.x, x.mask)

    @FIELD.enter(kind, name="jnp.mean(where=), jax.jit", nan_safe=True, compiled=True)
    def jitted_mean(x: SimpleNamespace) -> Call:
        fn = jitted(made)
        return lambda: fn(x.x, x.mask)


_mean_along(0)
_mean_along(1)
