"""Areas under curves of scores that are put in order, covered by a mask and weights."""

from collections.abc import Mapping

import numpy as np

import agnostic_mask as am

from .._case import SHAPE, Case, CoveredCase, Host, covering, random_mask, random_weights
from .._reference import Reference
from ..oracle import compute_dtype, curve_reference

COVERS: tuple[tuple[str, str, str], ...] = (
    ("BT", "B", "real"),
    ("B1", "BT", "integer"),
)
"""Mask, weights and their kind."""


class CurveCase(CoveredCase):
    """A function of `agnostic_mask.metrics` of labels and scores, some of which are equal."""

    def __init__(self, function: str, mask: str, weights: str, kind: str) -> None:
        self.function, self.mask, self.weights, self.kind = function, mask, weights, kind
        self.group = self.covers = f"metrics.{function}"
        self.name = f"{self.covers} mask={mask} weights={weights}:{kind}"
        self.floating = ("y_pred", "weights") if kind == "real" else ("y_pred",)

    def smooth(self) -> list[str]:
        # Scores count by their order, which changes by steps.
        return [name for name in super().smooth() if name == "weights"]

    def inputs(self, rng: np.random.Generator, shape: tuple[int, ...] = SHAPE) -> Host:
        scores = rng.normal(0, 2, shape)
        tied = rng.random(shape) < 0.6
        mask, weights = covering(rng, self.mask, shape), covering(rng, self.weights, shape)
        assert mask is not None
        assert weights is not None
        host = {
            "y_true": np.asarray(rng.integers(0, 2, shape).astype(np.int32)),
            "y_pred": np.asarray(np.where(tied, np.round(scores / 2), scores)),
            "mask": random_mask(rng, mask),
            "weights": random_weights(rng, weights, self.kind),
        }
        if self.function == "average_precision":
            # Of weights of both signs those of an upper part may sum to nearly 0, by which a
            # precision divides: there would be no bound.
            host["weights"] = abs(host["weights"])
        return host

    def call(self, arrays: Mapping[str, am.Array]) -> am.Array:
        result: am.Array = getattr(am.metrics, self.function)(**arrays)
        return result

    def reference(self, exact: Host, dtype: str, accumulator: str) -> Reference:
        return curve_reference(self.function, exact, dtype, accumulator)

    def result_dtype(self, dtype: str) -> str:
        return compute_dtype(dtype)

    def why_not(self, law: str) -> str | None:
        if law == "weight_is_repetition" and self.kind != "integer":
            return "needs integer weights"
        if law == "scale_invariant" and self.kind != "real":
            return "needs real weights"
        return None


def curve_cases() -> list[Case]:
    """Both functions, each covered in both ways."""
    return [
        CurveCase(function, *cover)
        for function in ("roc_auc", "average_precision")
        for cover in COVERS
    ]
