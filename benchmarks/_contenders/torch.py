"""torch, eager and compiled; torchmetrics and torcheval."""

from functools import cache
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as nn

import agnostic_mask as am
from benchmarks._field import Call, Field, Timed, arrays_of, converted, in_turns

FIELD = Field()
LIBRARIES = ("torch", "torchmetrics", "torcheval")
LOSSES = ("squared error", "binary crossentropy")

# One function is compiled for every shape of every workload.
torch._dynamo.config.recompile_limit = 64


def arrays(inputs: SimpleNamespace, device: str) -> SimpleNamespace:
    """The inputs as tensors, in the same memory on the CPU."""
    return converted(inputs, lambda x: torch.from_numpy(x).to(device))


def wait(result: Any) -> None:
    """Return when the device has finished."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def host(result: Any) -> Any:
    """The result as a NumPy array."""
    return torch.as_tensor(result).cpu().numpy()


@cache
def compiled(fn: Any) -> Any:
    """The compiled function, one for all workloads."""
    return torch.compile(fn, fullgraph=True, dynamic=False)


def squared_error(true: Any, pred: Any) -> Any:
    """The usual score."""
    return (pred - true) ** 2


def binary_crossentropy(true: Any, pred: Any) -> Any:
    """The usual score, by torch's function."""
    return nn.binary_cross_entropy(pred, true, reduction="none")


SCORES = {
    "squared error": squared_error,
    "binary crossentropy": binary_crossentropy,
}
OURS = {
    "squared error": am.losses.squared_error,
    "one call": am.losses.squared_error,
    "binary crossentropy": am.losses.binary_crossentropy,
}


@cache
def objective(kind: str, reduction: Any = "mean") -> Any:
    """Our objective, one for all workloads of a kind."""
    return am.weighted_masked_objective(OURS[kind], reduction=reduction)


@cache
def formula(kind: str, sums: Any = None) -> Any:
    """Scores and weights selected, then summed in `sums`, by default float32."""
    score = SCORES[kind]

    def by_formula(true: Any, pred: Any, weights: Any, mask: Any) -> Any:
        scores = torch.where(mask, score(true, pred), 0.0)
        kept = torch.where(mask, weights[:, None], 0.0)
        return torch.sum(scores * kept, dtype=sums) / torch.sum(kept, dtype=sums)

    return by_formula


@cache
def multiplied(kind: str) -> Any:
    """Scores times mask times weights, summed."""
    score = SCORES[kind]

    def by_multiplying(true: Any, pred: Any, weights: Any, mask: Any) -> Any:
        kept = weights[:, None] * mask
        return torch.sum(score(true, pred) * kept) / torch.sum(kept)

    return by_multiplying


def of_inputs(x: SimpleNamespace, fn: Any) -> Call:
    """A call of fn(y_true, y_pred, weights, mask)."""
    return lambda: fn(x.y_true, x.y_pred, x.weights, x.mask)


@FIELD.enter(*LOSSES, name="device floor", scale=0.5)
def floor(x: SimpleNamespace) -> Timed:
    """A copy of all inputs on the GPU, which reads and writes, for half its time."""
    sources = list(arrays_of(x))
    if not sources[0].is_cuda:
        raise NotImplementedError("on a GPU only")
    copies = [torch.empty_like(a) for a in sources]

    def call() -> None:
        for copy, source in zip(copies, sources, strict=True):
            copy.copy_(source)

    return Timed(call, lambda: None)


@FIELD.enter(*LOSSES, name="ours", nan_safe=True)
def ours(x: SimpleNamespace) -> Call:
    """Our objective."""
    return of_inputs(x, objective(x.kind))


@FIELD.enter(*LOSSES, name="ours, torch.compile", nan_safe=True, compiled=True)
def ours_compiled(x: SimpleNamespace) -> Call:
    """Our objective, compiled."""
    return of_inputs(x, compiled(objective(x.kind)))


@FIELD.enter(*LOSSES, name="ours, fuse=True", nan_safe=True, compiled=True)
def ours_fused(x: SimpleNamespace) -> Call:
    """Our objective, which compiles what it gathers."""
    return of_inputs(x, am.weighted_masked_objective(OURS[x.kind], reduction="mean", fuse=True))


@FIELD.enter(*LOSSES, name="where formula", nan_safe=True)
def where_formula(x: SimpleNamespace) -> Call:
    """By hand, eager."""
    return of_inputs(x, formula(x.kind))


@FIELD.enter(*LOSSES, name="multiply by the mask")
def multiply(x: SimpleNamespace) -> Call:
    """By hand, eager."""
    return of_inputs(x, multiplied(x.kind))


@FIELD.enter(*LOSSES, name="where formula, torch.compile", nan_safe=True, compiled=True)
def where_compiled(x: SimpleNamespace) -> Call:
    """By hand, compiled, with sums in float32."""
    return of_inputs(x, compiled(formula(x.kind)))


@FIELD.enter(*LOSSES, name="where, float64 sums, torch.compile", nan_safe=True, compiled=True)
def wide_compiled(x: SimpleNamespace) -> Call:
    """By hand, compiled, with sums in float64."""
    return of_inputs(x, compiled(formula(x.kind, torch.float64)))


@FIELD.enter(*LOSSES, name="torchmetrics MeanMetric")
def torchmetrics_mean(x: SimpleNamespace) -> Call:
    """Its mean of scores, with mask times weights for weights."""
    from torchmetrics import MeanMetric

    score, metric = SCORES[x.kind], MeanMetric().to(x.y_pred.device)

    def call() -> Any:
        metric.reset()
        metric.update(score(x.y_true, x.y_pred), x.weights[:, None] * x.mask)
        return metric.compute()

    return call


@FIELD.enter(*LOSSES, name="torcheval mean")
def torcheval_mean(x: SimpleNamespace) -> Call:
    """Its mean of scores, with mask times weights for weights."""
    from torcheval.metrics.functional import mean

    score = SCORES[x.kind]
    return lambda: mean(score(x.y_true, x.y_pred), x.weights[:, None] * x.mask)


@FIELD.enter("squared error", name="torcheval mean_squared_error")
def torcheval_mse(x: SimpleNamespace) -> Call:
    """Its function of the flat arrays, with mask times weights for weights."""
    from torcheval.metrics.functional import mean_squared_error

    def call() -> Any:
        weights = (x.weights[:, None] * x.mask).reshape(-1)
        flat = x.y_pred.reshape(-1), x.y_true.reshape(-1)
        return mean_squared_error(*flat, sample_weight=weights)

    return call


@FIELD.enter("one call", name="ours", nan_safe=True)
def ours_small(x: SimpleNamespace) -> Timed:
    """Our objective."""
    return in_turns(x, objective(x.kind))
