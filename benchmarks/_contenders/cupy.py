"""CuPy."""

from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import cupy as cp

import agnostic_mask as am
from benchmarks._field import Call, Field, Timed, arrays_of, converted

FIELD = Field()
LIBRARIES = ("cupy-cuda12x", "cupy-cuda13x")
LOSSES = ("squared error", "binary crossentropy")


def arrays(inputs: SimpleNamespace, device: str) -> SimpleNamespace:
    """The inputs on the GPU."""
    return converted(inputs, cp.asarray)


def wait(result: Any) -> None:
    """Return when the device has finished."""
    cp.cuda.get_current_stream().synchronize()


def host(result: Any) -> Any:
    """The result as a NumPy array."""
    return cp.asnumpy(result)


def score(kind: str, true: Any, pred: Any) -> Any:
    """The usual scores."""
    if kind == "binary crossentropy":
        return -(true * cp.log(pred) + (1 - true) * cp.log(1 - pred))
    return cp.square(pred - true)


OURS = {
    "squared error": am.losses.squared_error,
    "binary crossentropy": am.losses.binary_crossentropy,
}


@FIELD.enter(*LOSSES, name="device floor", scale=0.5)
def floor(x: SimpleNamespace) -> Timed:
    """A copy of all inputs, which reads and writes, for half its time."""
    if find_spec("torch") is not None:
        raise NotImplementedError("measured by torch, so that one set of copies is enough")
    sources = list(arrays_of(x))
    copies = [cp.empty_like(a) for a in sources]

    def call() -> None:
        for copy, source in zip(copies, sources, strict=True):
            cp.copyto(copy, source)

    return Timed(call, lambda: None)


@FIELD.enter(*LOSSES, name="ours", nan_safe=True)
def ours(x: SimpleNamespace) -> Call:
    """Our objective."""
    objective = am.weighted_masked_objective(OURS[x.kind], reduction="mean")
    return lambda: objective(x.y_true, x.y_pred, x.weights, x.mask)


@FIELD.enter(*LOSSES, name="ours, fuse=True", nan_safe=True)
def ours_fused(x: SimpleNamespace) -> Call:
    """Our objective, whose scores are fused."""
    objective = am.weighted_masked_objective(OURS[x.kind], reduction="mean", fuse=True)
    return lambda: objective(x.y_true, x.y_pred, x.weights, x.mask)


@FIELD.enter(*LOSSES, name="where formula", nan_safe=True)
def where_formula(x: SimpleNamespace) -> Call:
    """By hand."""

    def call() -> Any:
        scores = cp.where(x.mask, score(x.kind, x.y_true, x.y_pred), cp.float32(0))
        weights = cp.where(x.mask, x.weights[:, None], cp.float32(0))
        return cp.sum(scores * weights) / cp.sum(weights)

    return call


@FIELD.enter(*LOSSES, name="multiply by the mask")
def multiply(x: SimpleNamespace) -> Call:
    """By hand."""

    def call() -> Any:
        weights = x.mask * x.weights[:, None]
        return cp.sum(score(x.kind, x.y_true, x.y_pred) * weights) / cp.sum(weights)

    return call
