"""Losses under reductions on given data: each backend's value beside the higher-precision one."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

import agnostic_mask as am

from ._environments import Environment
from ._reference import Reference
from .datafile import Data, Kind
from .oracle import Scored, objective_reference, score

DTYPE = "float32"
REDUCTIONS = ("keras2", "keras3", "mean")


@dataclass(frozen=True)
class Loss:
    """A loss, its options, and whether it takes the labels as one-hot targets."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    one_hot: bool = False

    def __str__(self) -> str:
        options = "".join(f", {name}={value}" for name, value in self.options.items())
        return f"{self.name}{options}{' on one-hot targets' if self.one_hot else ''}"

    def targets(self, data: Data) -> np.ndarray:
        """What this loss takes as y_true; the row of an excluded label may be all 0."""
        if not self.one_hot:
            return data.y_true
        classes = np.arange(data.y_pred.shape[-1])
        targets: np.ndarray = (data.y_true[..., np.newaxis] == classes).astype(DTYPE)
        return targets


LOSSES: Mapping[Kind, Sequence[Loss]] = {
    "classes": (
        Loss("sparse_categorical_crossentropy"),
        Loss("categorical_crossentropy", {"label_smoothing": 0.1}, one_hot=True),
        Loss("squared_error", one_hot=True),
    ),
    "binary": (Loss("binary_crossentropy"), Loss("squared_error")),
    "values": (Loss("squared_error"), Loss("absolute_error"), Loss("huber")),
}


@dataclass(frozen=True)
class Result:
    """What a backend gave on one or more of its devices, to the bit the same.

    Attributes
    ----------
    label : str
        The backend and, where they need saying, its devices.
    value : float
        Its value; NaN if it raised.
    distance : float
        How far that is from the higher-precision value.
    share : float
        How much of the bound that fills.
    error : str
        What it raised, empty if nothing.
    """

    label: str
    value: float
    distance: float
    share: float
    error: str = ""

    @property
    def within(self) -> bool:
        """Whether it is a right result."""
        return self.share <= 1


@dataclass(frozen=True)
class Comparison:
    """A loss under a reduction: the higher-precision value, and what each backend gave."""

    loss: Loss
    reduction: str
    reference: Reference
    results: tuple[Result, ...]


def compare(data: Data, environments: Sequence[Environment]) -> Iterator[Comparison]:
    """Compare every backend with the higher-precision value, in float32.

    Parameters
    ----------
    data : Data
        What to compute on; its kind decides the losses.
    environments : sequence of Environment
        Where to compute.

    Yields
    ------
    Comparison
        For each loss and reduction.
    """
    for loss in LOSSES[data.kind]:
        scored = scores(loss, data)
        for reduction in REDUCTIONS:
            outcomes = [(e, _run(e, loss, reduction, data)) for e in environments]
            references = {
                accumulator: objective_reference(scored, reduction, accumulator=accumulator)
                for accumulator in {"float64", *(e.accumulator() for e in environments)}
            }
            results = tuple(_results(outcomes, references))
            yield Comparison(loss, reduction, references["float64"], results)


def scores(loss: Loss, data: Data) -> Scored:
    """The higher-precision scores of a loss.

    Parameters
    ----------
    loss : Loss
    data : Data

    Returns
    -------
    Scored
    """
    targets = loss.targets(data)
    return score(loss.name, loss.options, targets, data.y_pred, data.weights, data.mask, DTYPE)


def exact(loss: Loss, reduction: str, data: Data) -> Reference:
    """The higher-precision value of a loss under a reduction, and its bound.

    Parameters
    ----------
    loss : Loss
    reduction : str
    data : Data

    Returns
    -------
    Reference
    """
    return objective_reference(scores(loss, data), reduction)


def _run(environment: Environment, loss: Loss, reduction: Any, data: Data) -> np.ndarray | str:
    """Value of the objective there, 0-d, or what it raised: the other backends go on."""
    fn = partial(getattr(am.losses, loss.name), **loss.options)
    objective = am.weighted_masked_objective(fn, reduction=reduction)
    inputs = (loss.targets(data), data.y_pred, data.weights, data.mask)
    try:
        arrays = [None if x is None else environment.asarray(x) for x in inputs]
        return environment.host(objective(*arrays))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _results(
    outcomes: Sequence[tuple[Environment, np.ndarray | str]],
    references: Mapping[str, Reference],
) -> Iterator[Result]:
    """One result for all devices of a backend that gave the same bits."""
    devices = Counter(environment.backend for environment, _ in outcomes)
    values: dict[tuple[str, str, bytes | str], np.ndarray | str] = {}
    alike: dict[tuple[str, str, bytes | str], list[Environment]] = {}
    for environment, value in outcomes:
        said = value if isinstance(value, str) else value.tobytes()
        key = environment.backend, environment.accumulator(), said
        values[key] = value
        alike.setdefault(key, []).append(environment)
    for key, found in alike.items():
        value, label = values[key], _label(found, devices[key[0]])
        reference = references[found[0].accumulator()]
        if isinstance(value, str):
            yield Result(label, np.nan, np.inf, np.inf, value)
        else:
            distance = float(abs(reference.value - float(value)))
            yield Result(label, float(value), distance, reference.share(value))


def _label(alike: Sequence[Environment], devices: int) -> str:
    backend = alike[0].backend
    if len(alike) == 1:
        return alike[0].label
    if len(alike) == devices:
        return f"{backend} (all {devices} devices)"
    names = ", ".join(e.label.removeprefix(f"{backend} ") for e in alike)
    short = len(names) <= 20 and alike[0].label != backend
    return f"{backend} ({names if short else f'{len(alike)} of {devices} devices'})"
