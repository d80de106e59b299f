"""Ours beyond the two losses: the same calls whatever the framework, eager or compiled."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import agnostic_mask as am
from benchmarks._field import Build, Call, Field, Timed
from benchmarks._workloads import BATCHES, CLASSES

sparse = am.weighted_masked_objective(
    partial(am.losses.sparse_categorical_crossentropy, from_logits=True), reduction="mean"
)
squared_error = am.metrics.MeanSquaredError()
mean = am.metrics.Mean()
confusion = am.metrics.ConfusionMatrix(CLASSES)
means = {axis: partial(am.mean, axis=axis) for axis in (0, 1)}


def streamed(x: SimpleNamespace, zero: Any, update: Any, compute: Any) -> Call:
    """A state that all batches go into, and what is made of it."""

    def call() -> Any:
        state = zero()
        for i in range(BATCHES):
            state = update(state, x.y_true[i % len(x.y_true)], x.y_pred[i % len(x.y_pred)])
        return compute(state)

    return call


def masked(fn: Any) -> Build:
    """A function of y_true and y_pred under a mask."""
    return lambda x: lambda: fn(x.y_true, x.y_pred, mask=x.mask)


def enter(
    field: Field, name: str = "ours", made: Callable[[Any], Any] = lambda fn: fn, **options: Any
) -> None:
    """Enter them, of each function what `made` makes of it."""
    of = partial(field.enter, name=name, nan_safe=True, **options)
    of("sparse categorical crossentropy")(masked(made(sparse)))
    of("confusion matrix", number="counts")(masked(made(confusion)))

    @of("streaming metric")
    def streaming(x: SimpleNamespace) -> Call:
        zero = partial(squared_error.zero, like=x.y_pred)
        return streamed(x, zero, made(squared_error.update), squared_error.compute)

    @of("one metric update")
    def one_update(x: SimpleNamespace) -> Timed:
        zero, update = mean.zero(like=x.x), made(mean.update)
        return Timed(
            lambda: update(zero, x.x, x.weights),
            lambda: mean.compute(update(zero, x.x, x.weights)),
        )

    for axis, along in means.items():
        of(f"masked mean, axis {axis}")(_of_x(made(along)))


def _of_x(fn: Any) -> Build:
    return lambda x: lambda: fn(x.x, mask=x.mask)
