"""Objectives: each loss under each reduction, its scores covered in every way."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

import agnostic_mask as am

from ..oracle import Reference, compute_dtype, objective_reference, score
from ._base import SHAPE, Case, Host, covering, random_mask, random_weights, spread

CLASSES = 3

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "squared_error": ("squared_error", {}),
    "absolute_error": ("absolute_error", {}),
    "huber": ("huber", {"delta": 0.75}),
    "binary_crossentropy": ("binary_crossentropy", {}),
    "binary_crossentropy logits": (
        "binary_crossentropy",
        {"from_logits": True, "label_smoothing": 0.125},
    ),
    "categorical_crossentropy": ("categorical_crossentropy", {"label_smoothing": 0.125}),
    "categorical_crossentropy logits": (
        "categorical_crossentropy",
        {"from_logits": True, "axis": 1},
    ),
    "sparse_categorical_crossentropy": ("sparse_categorical_crossentropy", {"axis": 0}),
    "sparse_categorical_crossentropy logits": (
        "sparse_categorical_crossentropy",
        {"from_logits": True, "ignore_class": 1},
    ),
}

COVERS: tuple[tuple[str | None, str | None, str], ...] = (
    ("BT", "B", "real"),
    ("B", "BT", "real"),
    ("B1", "1T", "integer"),
)
"""Mask, weights and their kind, taken in turn."""

ALL_COVERS: tuple[tuple[str | None, str | None, str], ...] = (
    (None, None, ""),
    ("BT", None, ""),
    (None, "BT", "real"),
    (None, "B", "integer"),
    ("BT", "BT", "real"),
)
"""What squared error is tried with besides."""


class ObjectiveCase(Case):
    """A loss under a reduction, with a mask and weights."""

    def __init__(
        self,
        variant: str,
        reduction: Any,
        mask: str | None,
        weights: str | None,
        kind: str,
        *,
        soft: bool = False,
    ) -> None:
        self.loss, self.options = VARIANTS[variant]
        self.reduction = reduction
        self.mask, self.weights, self.kind, self.soft = mask, weights, kind, soft
        self.name = f"{variant} {reduction} mask={mask} weights={weights}{kind and ':' + kind}"
        self.name += " soft" if soft else ""
        self.group = variant
        self.covers = f"losses.{self.loss}"
        self.floating = ("y_pred",) + (() if self.sparse else ("y_true",))
        if kind == "real":
            self.floating += ("weights",)
        if soft:
            self.floating += ("mask",)
        fn = functools.partial(getattr(am.losses, self.loss), **self.options)
        self.objective = am.weighted_masked_objective(fn, reduction=reduction)

    @property
    def sparse(self) -> bool:
        """Whether y_true holds labels."""
        return self.loss == "sparse_categorical_crossentropy"

    def class_axis(self, rank: int) -> int | None:
        """Position of the class axis in y_pred when scores have this rank."""
        if not self.loss.endswith("categorical_crossentropy"):
            return None
        axis = int(self.options.get("axis", -1))
        return axis % (rank + 1) if axis < 0 else min(axis, rank)

    def inputs(self, rng: np.random.Generator, shape: tuple[int, ...] = SHAPE) -> Host:
        host = self._targets(rng, shape)
        mask = covering(rng, self.mask, shape)
        weights = covering(rng, self.weights, shape)
        if mask is not None:
            host["mask"] = random_mask(rng, mask)
            if self.soft:
                host["mask"] = host["mask"] * rng.uniform(0.25, 1.0, mask)
        if weights is not None:
            host["weights"] = random_weights(rng, weights, self.kind)
        return host

    def _targets(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Host:
        axis = self.class_axis(len(shape))
        if axis is not None:
            return self._class_targets(rng, shape, axis)
        if self.loss == "binary_crossentropy":
            y_true = rng.integers(0, 2, shape).astype(float)
            y_true.reshape(-1)[1::3] = 0.25
            if self.options.get("from_logits"):
                return {"y_true": y_true, "y_pred": _with_extremes(rng.normal(0, 4, shape))}
            y_pred = rng.uniform(0.02, 0.98, shape)
            y_pred.reshape(-1)[:1], y_pred.reshape(-1)[3:4] = 0.0, 1.0
            return {"y_true": y_true, "y_pred": y_pred}
        return {"y_true": rng.normal(0, 2, shape), "y_pred": rng.normal(0, 2, shape)}

    def _class_targets(self, rng: np.random.Generator, shape: tuple[int, ...], axis: int) -> Host:
        rows = (*shape, CLASSES)
        if self.options.get("from_logits"):
            y_pred = _with_extremes(rng.normal(0, 4, rows))
        else:
            y_pred = rng.dirichlet(np.ones(CLASSES), shape).reshape(rows)
            y_pred[..., 0] *= rng.random(shape) < 0.8
        labels = rng.integers(0, CLASSES, shape).astype(np.int32)
        dense = np.eye(CLASSES)[labels] * 0.75 + rng.dirichlet(np.ones(CLASSES), shape) * 0.25
        y_true = labels if self.sparse else np.moveaxis(dense.reshape(rows), -1, axis)
        return {"y_true": np.asarray(y_true), "y_pred": np.moveaxis(y_pred, -1, axis)}

    def call(self, arrays: Mapping[str, am.Array]) -> am.Array:
        return self._objective_for(arrays)(**arrays)

    def _objective_for(self, arrays: Mapping[str, am.Array]) -> am.Objective:
        axis = self.class_axis(len(arrays["y_pred"].shape) - 1)
        if axis is None or "axis" not in self.options:
            return self.objective
        fn = functools.partial(getattr(am.losses, self.loss), **{**self.options, "axis": axis})
        return am.weighted_masked_objective(fn, reduction=self.reduction)

    def reference(self, exact: Host, dtype: str, accumulator: str) -> Reference:
        options = dict(self.options)
        axis = self.class_axis(exact["y_pred"].ndim - 1)
        if axis is not None:
            options["axis"] = axis
        y_true, y_pred = exact["y_true"], exact["y_pred"]
        weights, mask = exact.get("weights"), exact.get("mask")
        scored = score(self.loss, options, y_true, y_pred, weights, mask, dtype)
        return objective_reference(scored, self.reduction, accumulator=accumulator)

    def result_dtype(self, dtype: str) -> str:
        return compute_dtype(dtype)

    def scores_shape(self, exact: Host) -> tuple[int, ...]:
        """Shape of the scores."""
        shape = list(exact["y_pred"].shape)
        axis = self.class_axis(len(shape) - 1)
        if axis is not None:
            del shape[axis]
        return tuple(shape)

    def unmasked(self, exact: Host) -> np.ndarray:
        """Which scores the mask and the ignored class leave, whatever the weights."""
        shape = self.scores_shape(exact)
        left = np.ones(shape, dtype=bool)
        if "mask" in exact:
            left &= spread(exact["mask"], shape) != 0
        if "ignore_class" in self.options:
            left &= exact["y_true"] != self.options["ignore_class"]
        return left

    def included(self, exact: Host) -> np.ndarray:
        left = self.unmasked(exact)
        if "weights" in exact:
            left &= spread(exact["weights"], left.shape) != 0
        return left

    def why_not(self, law: str) -> str | None:
        if self.reduction == "none" and law in ("removal", "repetition", "cuts"):
            return "keeps every score, so that nothing is summed"
        if law in ("removal", "repetition") and self.reduction in ("keras2", "keras3"):
            return "the formula counts excluded elements"
        if law == "scale" and self.reduction != "mean":
            return "only a weighted mean is invariant"
        if law == "repetition" and (self.kind != "integer" or self.soft):
            return "needs integer weights"
        if law == "scale" and self.kind != "real":
            return "needs real weights"
        return None


def _with_extremes(logits: np.ndarray) -> np.ndarray:
    flat = logits.reshape(-1)
    flat[1:2], flat[7:8] = 1e4, -1e4
    return logits


def objective_cases() -> list[Case]:
    """Every loss under every reduction; squared error under every covering too."""
    cases: list[Case] = []
    reductions: list[Any] = ["keras2", "keras3", "mean", "sum", "none"]
    turn = 0
    for variant in VARIANTS:
        for reduction in reductions:
            cases.append(ObjectiveCase(variant, reduction, *COVERS[turn % len(COVERS)]))
            turn += 1
    for reduction in reductions:
        cases += [ObjectiveCase("squared_error", reduction, *cover) for cover in ALL_COVERS]
    cases.append(ObjectiveCase("squared_error", "keras2", "BT", "B", "real", soft=True))
    cases.append(ObjectiveCase("binary_crossentropy", "keras2", "B", None, "", soft=True))
    return _unique(cases)


def _unique(cases: list[Case]) -> list[Case]:
    return list({case.name: case for case in cases}.values())
