"""The workloads: inputs from a seed, three sizes each, and the numbers that they have."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np

from benchmarks import _references
from benchmarks._references import Number

SIZES = ("small", "medium", "large")
SHARE = 0.7  # of the elements that the mask includes
CLASSES = 100
BATCHES, DISTINCT_BATCHES = 1000, 125
DISTINCT_CALLS = 64

Shape = tuple[int, ...]
Random = np.random.Generator


@dataclass(frozen=True)
class Workload:
    """One workload.

    Parameters
    ----------
    name, kind : str
        Workloads of one kind have the same contenders, and differ in their inputs.
    about, floor : str
        What is computed; what the floor reads.
    shapes : mapping of str to shape
        Of the largest input, by size.
    make : callable
        Inputs of a shape.
    numbers : callable
        The numbers that contenders may compute of these inputs.
    memory : tuple of shapes
        At which peak memory is measured.
    cuda : mapping of str to shape
        On a GPU.
    """

    name: str
    kind: str
    about: str
    floor: str
    shapes: Mapping[str, Shape]
    make: Callable[[Shape, Random], SimpleNamespace]
    numbers: Callable[[SimpleNamespace], dict[str, Number]]
    memory: tuple[Shape, ...] = ()
    cuda: Mapping[str, Shape] | None = None

    def inputs(self, shape: Shape, seed: int) -> SimpleNamespace:
        """The same in every process."""
        made = self.make(shape, np.random.default_rng([seed, *shape]))
        made.kind = self.kind
        return made

    def elements(self, shape: Shape) -> int:
        """How many elements a call takes in."""
        return math.prod(shape) * (BATCHES if self.kind == "streaming metric" else 1)


def _random_mask(shape: Shape, random: Random) -> np.ndarray:
    return random.random(shape, dtype=np.float32) < SHARE


def _padding(shape: Shape, random: Random) -> np.ndarray:
    rows, length = shape
    lengths = random.uniform(2 * SHARE - 1, 1, rows) * length
    return np.arange(length) < lengths[:, np.newaxis]


def _weights(shape: Shape, random: Random) -> np.ndarray:
    return random.random(shape[0], dtype=np.float32) + np.float32(0.5)


def _values(mask: Callable[[Shape, Random], np.ndarray]) -> Callable[..., SimpleNamespace]:
    def make(shape: Shape, random: Random) -> SimpleNamespace:
        return SimpleNamespace(
            y_true=random.standard_normal(shape, dtype=np.float32),
            y_pred=random.standard_normal(shape, dtype=np.float32),
            weights=_weights(shape, random),
            mask=mask(shape, random),
        )

    return make


def _chances(mask: Callable[[Shape, Random], np.ndarray]) -> Callable[..., SimpleNamespace]:
    def make(shape: Shape, random: Random) -> SimpleNamespace:
        labels = random.random(shape, dtype=np.float32) < 0.5
        chances = random.random(shape, dtype=np.float32)
        chances *= np.float32(1 - 2e-3)
        chances += np.float32(1e-3)
        return SimpleNamespace(
            y_true=labels.astype(np.float32),
            y_pred=chances,
            weights=_weights(shape, random),
            mask=mask(shape, random),
        )

    return make


def _vectors(shape: Shape, random: Random) -> SimpleNamespace:
    shape = (DISTINCT_CALLS, *shape)
    return SimpleNamespace(
        y_true=random.standard_normal(shape, dtype=np.float32),
        y_pred=random.standard_normal(shape, dtype=np.float32),
        weights=random.random(shape, dtype=np.float32) + np.float32(0.5),
        mask=_random_mask(shape, random),
    )


def _logits(shape: Shape, random: Random) -> SimpleNamespace:
    return SimpleNamespace(
        y_true=random.integers(0, shape[1], shape[0]),
        y_pred=random.standard_normal(shape, dtype=np.float32),
        mask=_random_mask(shape[:1], random),
    )


def _batches(shape: Shape, random: Random) -> SimpleNamespace:
    shape = (DISTINCT_BATCHES, *shape)
    return SimpleNamespace(
        y_true=random.standard_normal(shape, dtype=np.float32),
        y_pred=random.standard_normal(shape, dtype=np.float32),
    )


def _batch(shape: Shape, random: Random) -> SimpleNamespace:
    return SimpleNamespace(
        x=random.standard_normal(shape, dtype=np.float32) + np.float32(1),
        weights=random.random(shape, dtype=np.float32) + np.float32(0.5),
    )


def _labels(shape: Shape, random: Random) -> SimpleNamespace:
    return SimpleNamespace(
        y_true=random.integers(0, CLASSES, shape),
        y_pred=random.integers(0, CLASSES, shape),
        mask=_random_mask(shape, random),
    )


def _matrix(shape: Shape, random: Random) -> SimpleNamespace:
    return SimpleNamespace(
        x=random.standard_normal(shape, dtype=np.float32) + np.float32(1),
        mask=_random_mask(shape, random),
    )


ROWS = {"small": (64, 1024), "medium": (1024, 1024), "large": (16384, 1024)}
BIG = ((16384, 1024), (65536, 1024))
FLAT = {name: (math.prod(shape),) for name, shape in ROWS.items()}
BIG_FLAT = tuple((math.prod(shape),) for shape in BIG)
CUDA = {"small": (3815, 1024), "medium": (61036, 1024), "large": (976563, 1024)}  # 1e9 elements
BOTH = "np.dot of y_true and y_pred"

_squared = Workload(
    "squared error, random mask",
    "squared error",
    "float32 (rows, 1024), weights of rows, a bool mask of 70 % at random; sum(w m s) / sum(w m)",
    BOTH,
    ROWS,
    _values(_random_mask),
    _references.of_pairs,
    BIG,
    CUDA,
)
_binary = replace(
    _squared,
    name="binary crossentropy, random mask",
    kind="binary crossentropy",
    about="as squared error, of labels 0 and 1 and probabilities",
    make=_chances(_random_mask),
)


def _padded(workload: Workload, make: Callable[..., SimpleNamespace]) -> Workload:
    return replace(
        workload,
        name=f"{workload.kind}, padding",
        about=f"the same, where each row keeps a prefix of random length, {SHARE:.0%} on average",
        make=make,
        memory=(),
    )


ALL = (
    _squared,
    _padded(_squared, _values(_padding)),
    _binary,
    _padded(_binary, _chances(_padding)),
    Workload(
        "sparse categorical crossentropy",
        "sparse categorical crossentropy",
        "float32 logits (rows, classes), integer labels, a mask of 70 % of the rows",
        "np.dot of the logits with themselves",
        {"small": (512, 500), "medium": (2048, 2000), "large": (8192, 8000)},
        _logits,
        _references.of_logits,
    ),
    Workload(
        "streaming metric",
        "streaming metric",
        f"mean squared error over {BATCHES} batches by updates of a state, then its value; no mask "
        f"or weights, which not all peers take; {DISTINCT_BATCHES} distinct batches in turn",
        f"{BOTH}, of each batch",
        {"small": (1024,), "medium": (8192,), "large": (65536,)},
        _batches,
        _references.of_batches,
    ),
    Workload(
        "one metric update",
        "one metric update",
        "one update of a weighted mean by float32 values and weights",
        "np.dot of the values and the weights",
        {"small": (16,), "medium": (128,), "large": (1024,)},
        _batch,
        _references.of_weighted_mean,
    ),
    Workload(
        "confusion matrix",
        "confusion matrix",
        f"{CLASSES} classes, integer labels both, a mask of 70 %",
        "the sum of y_true and the sum of y_pred, as integers",
        FLAT,
        _labels,
        _references.of_labels,
        BIG_FLAT,
    ),
    *(
        Workload(
            f"masked mean, axis {axis}",
            f"masked mean, axis {axis}",
            f"float32 (rows, 1024), a mask of 70 %, mean along axis {axis}",
            "np.dot of x with itself",
            ROWS,
            _matrix,
            _references.of_axis(axis),
            BIG,
        )
        for axis in (0, 1)
    ),
    Workload(
        "one call on 1 000 elements",
        "one call",
        "squared error of float32 vectors with mask and weights: what a small call costs; "
        f"{DISTINCT_CALLS} distinct vectors in turn",
        BOTH,
        {"small": (10,), "medium": (100,), "large": (1000,)},
        _vectors,
        _references.of_first_vectors,
    ),
)


def named(name: str) -> Workload:
    """The workload of that name."""
    return next(workload for workload in ALL if workload.name == name)
