"""JAX, eager and jitted, and optax: the losses."""

from functools import cache
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp

import agnostic_mask as am
from benchmarks._field import Call, Field, Timed, converted, in_turns

FIELD = Field()
LIBRARIES = ("jax", "jaxlib", "optax")
LOSSES = ("squared error", "binary crossentropy")


def arrays(inputs: SimpleNamespace, device: str) -> SimpleNamespace:
    """The inputs as JAX arrays."""
    return converted(inputs, jnp.asarray)


def wait(result: Any) -> None:
    """Return when the result is there."""
    jax.block_until_ready(result)


def host(result: Any) -> Any:
    """The result as a NumPy array."""
    return jax.device_get(result)


def squared_error(true: Any, pred: Any) -> Any:
    """The usual score."""
    return jnp.square(pred - true)


def binary_crossentropy(true: Any, pred: Any) -> Any:
    """The usual score."""
    return -(true * jnp.log(pred) + (1 - true) * jnp.log(1 - pred))


SCORES = {"squared error": squared_error, "binary crossentropy": binary_crossentropy}
OURS = {
    "squared error": am.losses.squared_error,
    "one call": am.losses.squared_error,
    "binary crossentropy": am.losses.binary_crossentropy,
}


@cache
def objective(kind: str) -> Any:
    """Our objective, one for all workloads of a kind."""
    return am.weighted_masked_objective(OURS[kind], reduction="mean")


@cache
def jitted(fn: Any) -> Any:
    """The compiled function, one for all workloads."""
    return jax.jit(fn)


@cache
def where_argument(kind: str) -> Any:
    """By jnp's own where=."""
    score = SCORES[kind]

    def by_where(true: Any, pred: Any, weights: Any, mask: Any) -> Any:
        wide = jnp.broadcast_to(weights[:, None], mask.shape)
        total = jnp.sum(score(true, pred) * wide, where=mask)
        return total / jnp.sum(wide, where=mask)

    return by_where


@cache
def formula(kind: str, wide: bool = False) -> Any:
    """Scores and weights selected, then summed, in float64 if `wide`."""
    score, sums = SCORES[kind], jnp.float64 if wide else None

    def by_formula(true: Any, pred: Any, weights: Any, mask: Any) -> Any:
        scores = jnp.where(mask, score(true, pred), 0)
        kept = jnp.where(mask, weights[:, None], 0)
        return jnp.sum(scores * kept, dtype=sums) / jnp.sum(kept, dtype=sums)

    return by_formula


def of_inputs(x: SimpleNamespace, fn: Any) -> Call:
    """A call of fn(y_true, y_pred, weights, mask)."""
    return lambda: fn(x.y_true, x.y_pred, x.weights, x.mask)


@FIELD.enter(*LOSSES, name="ours", nan_safe=True)
def ours(x: SimpleNamespace) -> Call:
    """Our objective, eager."""
    return of_inputs(x, objective(x.kind))


@FIELD.enter(*LOSSES, name="ours, jax.jit", nan_safe=True, compiled=True)
def ours_jitted(x: SimpleNamespace) -> Call:
    """Our objective, jitted."""
    return of_inputs(x, jitted(objective(x.kind)))


@FIELD.enter(*LOSSES, name="ours, fuse=True", nan_safe=True, compiled=True)
def ours_fused(x: SimpleNamespace) -> Call:
    """Our objective, which compiles what it gathers."""
    return of_inputs(x, am.weighted_masked_objective(OURS[x.kind], reduction="mean", fuse=True))


@FIELD.enter(*LOSSES, name="where formula", nan_safe=True)
def where_eager(x: SimpleNamespace) -> Call:
    """By hand, eager."""
    return of_inputs(x, formula(x.kind))


@FIELD.enter(*LOSSES, name="where=", nan_safe=True)
def where_argument_eager(x: SimpleNamespace) -> Call:
    """By hand, eager, with jnp's own argument."""
    return of_inputs(x, where_argument(x.kind))


@FIELD.enter(*LOSSES, name="where formula, jax.jit", nan_safe=True, compiled=True)
def where_jitted(x: SimpleNamespace) -> Call:
    """By hand, jitted, with sums in float32."""
    return of_inputs(x, jitted(formula(x.kind)))


@FIELD.enter(*LOSSES, name="where=, jax.jit", nan_safe=True, compiled=True)
def where_argument_jitted(x: SimpleNamespace) -> Call:
    """By hand, jitted, with jnp's own argument."""
    return of_inputs(x, jitted(where_argument(x.kind)))


@FIELD.enter(*LOSSES, name="where, float64 sums, jax.jit", nan_safe=True, compiled=True)
def wide_jitted(x: SimpleNamespace) -> Call:
    """By hand, jitted, with sums in float64."""
    fn = jitted(formula(x.kind, wide=True))

    def call() -> Any:
        with jax.enable_x64(True):
            return fn(x.y_true, x.y_pred, x.weights, x.mask)

    return call


@FIELD.enter("squared error", name="optax, jax.jit", compiled=True)
def optax_loss(x: SimpleNamespace) -> Call:
    """Its scores, times mask times weights, jitted."""
    import optax

    def fn(true: Any, pred: Any, weights: Any, mask: Any) -> Any:
        kept = weights[:, None] * mask
        return jnp.sum(optax.losses.squared_error(pred, true) * kept) / jnp.sum(kept)

    return of_inputs(x, jax.jit(fn))


@FIELD.enter("binary crossentropy", name="optax")
def optax_binary(x: SimpleNamespace) -> Call:
    """Not there."""
    raise NotImplementedError("takes logits only")


@FIELD.enter("one call", name="ours", nan_safe=True)
def ours_small(x: SimpleNamespace) -> Timed:
    """Our objective, eager."""
    return in_turns(x, objective(x.kind))


@FIELD.enter("one call", name="ours, jax.jit", nan_safe=True, compiled=True)
def ours_small_jitted(x: SimpleNamespace) -> Timed:
    """Our objective, jitted."""
    return in_turns(x, jitted(objective(x.kind)))
