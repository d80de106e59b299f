"""NumPy, and what computes on its arrays: numpy.ma, scikit-learn, numexpr."""

from types import SimpleNamespace
from typing import Any

import numpy as np

import agnostic_mask as am
from benchmarks._field import Call, Field, Timed, arrays_of, in_turns

FIELD = Field()
LIBRARIES = ("numpy", "scikit-learn", "numexpr", "scipy")
LOSSES = ("squared error", "binary crossentropy")
ZERO = np.float32(0)


def arrays(inputs: SimpleNamespace, device: str) -> SimpleNamespace:
    """The inputs as they are."""
    return inputs


def wait(result: Any) -> None:
    """NumPy has finished when it returns."""


def host(result: Any) -> Any:
    """The result as it is."""
    return np.asarray(result)


def score(x: SimpleNamespace) -> Any:
    """Scores of the losses, as anybody would write them."""
    if x.kind == "binary crossentropy":
        return -(x.y_true * np.log(x.y_pred) + (1 - x.y_true) * np.log(1 - x.y_pred))
    return np.square(x.y_pred - x.y_true)


def loss_of(kind: str) -> Any:
    """Our function of the scores."""
    if kind == "binary crossentropy":
        return am.losses.binary_crossentropy
    return am.losses.squared_error


@FIELD.enter(*LOSSES, "sparse categorical crossentropy", "confusion matrix", name="floor")
@FIELD.enter("masked mean, axis 0", "masked mean, axis 1", "one call", name="floor")
@FIELD.enter("one metric update", name="floor")
def floor(x: SimpleNamespace) -> Timed:
    """One pass over the inputs that hold numbers."""
    if x.kind == "one call":
        turns = in_turns(x, lambda true, pred, weights, mask: np.dot(true, pred))
        return Timed(turns.call, lambda: None)
    large = [a.reshape(-1) for a in arrays_of(x) if a.size == max(b.size for b in arrays_of(x))]
    numbers = [a for a in large if a.dtype != bool]
    if numbers[0].dtype.kind == "i":
        return Timed(lambda: [a.sum() for a in numbers], lambda: None)
    first, second = numbers[0], numbers[-1]
    return Timed(lambda: np.dot(first, second), lambda: None)


@FIELD.enter(*LOSSES, name="ours", nan_safe=True)
def ours(x: SimpleNamespace) -> Call:
    """Our objective."""
    objective = am.weighted_masked_objective(loss_of(x.kind), reduction="mean")
    return lambda: objective(x.y_true, x.y_pred, x.weights, x.mask)


@FIELD.enter(*LOSSES, name="ours, one thread", nan_safe=True)
def ours_on_one_thread(x: SimpleNamespace) -> Call:
    """Our objective, which otherwise takes as many threads as there are processors."""
    objective = am.weighted_masked_objective(loss_of(x.kind), reduction="mean")
    return lambda: objective(x.y_true, x.y_pred, x.weights, x.mask, threads=1)


@FIELD.enter(*LOSSES, name="ours, as Keras 2", number="keras2", nan_safe=True)
def ours_as_keras2(x: SimpleNamespace) -> Call:
    """Our objective with its default reduction."""
    objective = am.weighted_masked_objective(loss_of(x.kind))
    return lambda: objective(x.y_true, x.y_pred, x.weights, x.mask)


@FIELD.enter(*LOSSES, name="Keras 2 formula", number="keras2")
def keras2(x: SimpleNamespace) -> Call:
    """The steps of Keras 2.2.5 in NumPy."""

    def call() -> Any:
        scores = score(x)
        mask = x.mask.astype(np.float32)
        scores *= mask
        scores /= np.mean(mask) + np.float32(1e-7)
        scores = np.mean(scores, axis=1)
        scores *= x.weights
        scores /= np.mean((x.weights != 0).astype(np.float32))
        return np.mean(scores)

    return call


@FIELD.enter(*LOSSES, name="np.where formula", nan_safe=True)
def where_formula(x: SimpleNamespace) -> Call:
    """Scores and weights selected, then summed."""

    def call() -> Any:
        scores = np.where(x.mask, score(x), ZERO)
        weights = np.where(x.mask, x.weights[:, np.newaxis], ZERO)
        return np.sum(scores * weights) / np.sum(weights)

    return call


@FIELD.enter(*LOSSES, name="multiply by the mask")
def plain_formula(x: SimpleNamespace) -> Call:
    """Scores times mask times weights, summed."""

    def call() -> Any:
        weights = x.mask * x.weights[:, np.newaxis]
        return np.sum(score(x) * weights) / np.sum(weights)

    return call


@FIELD.enter(*LOSSES, name="numpy.ma", nan_safe=True)
def numpy_ma(x: SimpleNamespace) -> Call:
    """Masked arrays, and their average."""

    def call() -> Any:
        excluded = ~x.mask
        true, pred = (np.ma.array(a, mask=excluded) for a in (x.y_true, x.y_pred))
        if x.kind == "binary crossentropy":
            scores = -(true * np.ma.log(pred) + (1 - true) * np.ma.log(1 - pred))
        else:
            scores = np.square(pred - true)
        weights = np.broadcast_to(x.weights[:, np.newaxis], scores.shape)
        return np.ma.average(scores, weights=weights)

    return call


@FIELD.enter(*LOSSES, name="scikit-learn")
def sklearn_loss(x: SimpleNamespace) -> Call:
    """Its loss of the flat arrays, with mask times weights for weights."""
    from sklearn.metrics import log_loss, mean_squared_error

    fn = log_loss if x.kind == "binary crossentropy" else mean_squared_error

    def call() -> Any:
        weights = (x.mask * x.weights[:, np.newaxis]).reshape(-1)
        return fn(x.y_true.reshape(-1), x.y_pred.reshape(-1), sample_weight=weights)

    return call


@FIELD.enter(*LOSSES, name="numexpr", nan_safe=True)
def numexpr_formula(x: SimpleNamespace) -> Call:
    """Selected in numexpr, on its threads; summed by NumPy, for its own sum runs on one."""
    import numexpr

    scores = "(p - t) ** 2"
    if x.kind == "binary crossentropy":
        scores = "-(t * log(p) + (one - t) * log(one - p))"
    names = {"zero": ZERO, "one": np.float32(1), "t": x.y_true, "p": x.y_pred, "m": x.mask}

    def call() -> Any:
        given = {**names, "w": x.weights[:, np.newaxis]}
        total = np.sum(numexpr.evaluate(f"where(m, w * ({scores}), zero)", given, {}))
        return total / np.sum(numexpr.evaluate("where(m, w, zero)", given, {}))

    return call


@FIELD.enter("one call", name="ours", nan_safe=True)
def ours_small(x: SimpleNamespace) -> Timed:
    """Our objective."""
    return in_turns(x, am.weighted_masked_objective(am.losses.squared_error, reduction="mean"))


@FIELD.enter("one call", name="ours, as Keras 2", number="keras2", nan_safe=True)
def ours_small_as_keras2(x: SimpleNamespace) -> Timed:
    """Our objective with its default reduction."""
    return in_turns(x, am.weighted_masked_objective(am.losses.squared_error))


@FIELD.enter("one call", name="by hand", nan_safe=True)
def by_hand(x: SimpleNamespace) -> Timed:
    """The same arithmetic as ours: float64 sums, excluded and weightless elements selected away."""

    def call(true: Any, pred: Any, weights: Any, mask: Any) -> Any:
        included = mask & (weights != 0)
        scores = np.where(included, np.square(pred - true), ZERO)
        kept = np.where(included, weights, ZERO)
        return np.float32(np.sum(scores * kept, dtype=np.float64) / np.sum(kept, dtype=np.float64))

    return in_turns(x, call)


@FIELD.enter("one call", name="bare formula")
def bare_formula(x: SimpleNamespace) -> Timed:
    """As few operations as can be."""

    def call(true: Any, pred: Any, weights: Any, mask: Any) -> Any:
        kept = mask * weights
        return (np.square(pred - true) * kept).sum() / kept.sum()

    return in_turns(x, call)
