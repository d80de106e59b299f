"""Keras 3, on the backend that the process was started with."""

from types import SimpleNamespace
from typing import Any

import keras

from benchmarks._field import Call, Field, Timed, converted
from benchmarks._workloads import BATCHES

FIELD = Field()
LIBRARIES = ("keras", "tensorflow", "tensorflow-cpu")
REDUCTION = "mean_with_sample_weight"


def arrays(inputs: SimpleNamespace, device: str) -> SimpleNamespace:
    """The inputs as tensors of the backend."""
    return converted(inputs, keras.ops.convert_to_tensor)


def wait(result: Any) -> None:
    """Return when the result is there."""
    if keras.backend.backend() == "jax":
        import jax

        jax.block_until_ready(result)
    elif keras.backend.backend() == "tensorflow" and result is not None:
        keras.ops.convert_to_numpy(result)


def host(result: Any) -> Any:
    """The result as a NumPy array."""
    return keras.ops.convert_to_numpy(result)


def _weighed(x: SimpleNamespace, loss: Any) -> Call:
    """Keras averages over the last axis before it weighs; here that has a length of 1."""

    def call() -> Any:
        weights = keras.ops.expand_dims(x.weights, 1) * keras.ops.cast(x.mask, "float32")
        true, pred = (keras.ops.expand_dims(a, -1) for a in (x.y_true, x.y_pred))
        return loss(true, pred, sample_weight=weights)

    return call


@FIELD.enter("squared error", name="MeanSquaredError loss")
def squared_error(x: SimpleNamespace) -> Call:
    """Its loss, with mask times weights for weights."""
    return _weighed(x, keras.losses.MeanSquaredError(reduction=REDUCTION))


@FIELD.enter("binary crossentropy", name="BinaryCrossentropy loss")
def binary_crossentropy(x: SimpleNamespace) -> Call:
    """Its loss, with mask times weights for weights."""
    return _weighed(x, keras.losses.BinaryCrossentropy(reduction=REDUCTION))


@FIELD.enter("sparse categorical crossentropy", name="SparseCategoricalCrossentropy loss")
def sparse_crossentropy(x: SimpleNamespace) -> Call:
    """Its loss, with the mask for weights."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=REDUCTION)

    def call() -> Any:
        weights = keras.ops.cast(x.mask, "float32")
        return loss(x.y_true, x.y_pred, sample_weight=weights)

    return call


@FIELD.enter("streaming metric", name="MeanSquaredError metric")
def streaming(x: SimpleNamespace) -> Call:
    """Its metric; the elements of a batch are its samples."""
    metric = keras.metrics.MeanSquaredError()

    def call() -> Any:
        metric.reset_state()
        for i in range(BATCHES):
            metric.update_state(x.y_true[i % len(x.y_true)], x.y_pred[i % len(x.y_pred)])
        return metric.result()

    return call


@FIELD.enter("one metric update", name="Mean metric")
def update(x: SimpleNamespace) -> Timed:
    """Its metric."""
    metric = keras.metrics.Mean()

    def answer() -> Any:
        metric.reset_state()
        metric.update_state(x.x, sample_weight=x.weights)
        return metric.result()

    def call() -> Any:
        metric.update_state(x.x, sample_weight=x.weights)
        return metric.total.value

    return Timed(call, answer)
