"""What makes masks and weights."""

from collections.abc import Mapping

import numpy as np

import agnostic_mask as am

from .._case import SHAPE, Case, Host
from .._reference import Reference
from ..oracle import compute_dtype


class MakerCase(Case):
    """`sequence_mask` or `class_weights`: exact, and without a mask of their own."""

    def __init__(self, function: str) -> None:
        self.name = self.group = self.covers = self.function = function
        self.floating = ("table",) if function == "class_weights" else ()

    def inputs(self, rng: np.random.Generator, shape: tuple[int, ...] = SHAPE) -> Host:
        if self.function == "sequence_mask":
            return {"lengths": rng.integers(0, 7, shape).astype(np.int32)}
        labels = rng.integers(-1, 4, shape).astype(np.int32)
        return {"y_true": np.asarray(labels), "table": rng.uniform(0.5, 2.0, 3)}

    def call(self, arrays: Mapping[str, am.Array]) -> am.Array:
        if self.function == "sequence_mask":
            return am.sequence_mask(arrays["lengths"], 5)
        return am.class_weights(arrays["y_true"], arrays["table"])

    def reference(self, exact: Host, dtype: str, accumulator: str) -> Reference:
        if self.function == "sequence_mask":
            lengths = exact["lengths"]
            value = np.asarray([[step < n for step in range(5)] for n in lengths.reshape(-1)])
            value = value.reshape(*lengths.shape, 5).astype(float)
        else:
            labels, table = exact["y_true"], exact["table"]
            chosen = [float(table[i]) if 0 <= i < 3 else np.nan for i in labels.reshape(-1)]
            value = np.asarray(chosen).reshape(labels.shape)
        return Reference(value, np.zeros(value.shape))

    def result_dtype(self, dtype: str) -> str:
        return "bool" if self.function == "sequence_mask" else compute_dtype(dtype)

    def why_not(self, law: str) -> str | None:
        if law in (
            "excluded_is_absent",
            "exclusion_is_removal",
            "weight_is_repetition",
            "cut_invariant",
            "order_invariant",
            "scale_invariant",
        ):
            return "takes neither mask nor weights"
        if law == "gradient":
            return "the result is not differentiable by what decides it"
        return None


def maker_cases() -> list[Case]:
    """The functions that make masks and weights."""
    return [MakerCase("sequence_mask"), MakerCase("class_weights")]
