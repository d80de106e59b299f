"""Objectives: each loss under each reduction, its scores covered in every way."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

import agnostic_mask as am

from .._case import RESHAPES, SHAPE, Case, Host, PartsCase, covering, random_mask, random_weights
from .._reference import Reference
from ..oracle import CLASS_AXIS, RATIOS, compute_dtype, objective_reference, ratio_reference, score
from ._targets import takes_labels, targets

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "squared_error": ("squared_error", {}),
    "absolute_error": ("absolute_error", {}),
    "huber": ("huber", {"delta": 0.75}),
    "binary_crossentropy": ("binary_crossentropy", {}),
    "binary_crossentropy logits": (
        "binary_crossentropy",
        {"from_logits": True, "label_smoothing": 0.125},
    ),
    "binary_crossentropy weighted": (
        "binary_crossentropy",
        {"from_logits": True, "pos_weight": 3.0},
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
    "absolute_percentage_error": ("absolute_percentage_error", {}),
    "binary_focal_crossentropy": ("binary_focal_crossentropy", {"label_smoothing": 0.125}),
    "binary_focal_crossentropy logits": (
        "binary_focal_crossentropy",
        {"from_logits": True, "gamma": 1.5, "apply_class_balancing": True},
    ),
    "categorical_focal_crossentropy": ("categorical_focal_crossentropy", {"axis": 1}),
    "categorical_focal_crossentropy logits": (
        "categorical_focal_crossentropy",
        {"from_logits": True, "gamma": 1.5, "label_smoothing": 0.125},
    ),
    "categorical_generalized_cross_entropy": (
        "categorical_generalized_cross_entropy",
        {"q": 0.75},
    ),
    "categorical_hinge": ("categorical_hinge", {}),
    "charbonnier": ("charbonnier", {"epsilon": 0.75}),
    "cosine_similarity": ("cosine_similarity", {"axis": 1}),
    "gamma_deviance": ("gamma_deviance", {}),
    "gaussian_nll": ("gaussian_nll", {"full": True, "epsilon": 0.125, "axis": 0}),
    "hinge": ("hinge", {}),
    "js_divergence": ("js_divergence", {}),
    "kl_divergence": ("kl_divergence", {}),
    "kl_divergence logs": ("kl_divergence", {"log_input": True, "log_target": True, "axis": 1}),
    "log_cosh": ("log_cosh", {}),
    "nll": ("nll", {"ignore_class": 1, "axis": 0}),
    "pinball": ("pinball", {"quantile": 0.25}),
    "poisson": ("poisson", {}),
    "poisson logs": ("poisson", {"log_input": True}),
    "smooth_l1": ("smooth_l1", {"beta": 0.75}),
    "squared_hinge": ("squared_hinge", {}),
    "squared_logarithmic_error": ("squared_logarithmic_error", {}),
    "symmetric_absolute_percentage_error": ("symmetric_absolute_percentage_error", {}),
    "dice": ("dice", {}),
    "jaccard": ("jaccard", {"smooth": 0.5}),
    "tversky": ("tversky", {"alpha": 0.25, "beta": 0.75, "smooth": 0.5}),
    "tweedie_deviance -1": ("tweedie_deviance", {"power": -1}),
    "tweedie_deviance 1": ("tweedie_deviance", {"power": 1}),
    "tweedie_deviance 1.5": ("tweedie_deviance", {"power": 1.5}),
    "tweedie_deviance 3": ("tweedie_deviance", {"power": 3}),
}

REDUCTIONS = ("keras2", "keras3", "mean", "sum", "none")

THOROUGH = ("squared_error", "binary_crossentropy", "sparse_categorical_crossentropy logits")
"""Variants that are tried under every reduction; the others under "mean" and "none"."""

FOUR_OPERATIONS = (
    "absolute_error",
    "absolute_percentage_error",
    "dice",
    "hinge",
    "huber",
    "jaccard",
    "pinball",
    "smooth_l1",
    "squared_error",
    "squared_hinge",
    "symmetric_absolute_percentage_error",
    "tversky",
)
"""Losses whose scores cannot depend on position."""

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


class ObjectiveCase(PartsCase):
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
        self.floating = ("y_pred",) if takes_labels(self.loss) else ("y_pred", "y_true")
        if kind == "real":
            self.floating += ("weights",)
        if soft:
            self.floating += ("mask",)
        fn = functools.partial(getattr(am.losses, self.loss), **self.options)
        self.objective = am.weighted_masked_objective(fn, reduction=reduction)
        self.ignores = "ignore_class" in self.options
        self.counts_excluded = reduction == "keras2"
        self.four_operations = self.loss in FOUR_OPERATIONS

    def class_axis(self, rank: int) -> int | None:
        """Position of the class axis in y_pred when scores have this rank."""
        if self.loss not in CLASS_AXIS:
            return None
        axis = int(self.options.get("axis", -1))
        return axis % (rank + 1) if axis < 0 else min(axis, rank)

    def inputs(self, rng: np.random.Generator, shape: tuple[int, ...] = SHAPE) -> Host:
        host = targets(self.loss, self.options, rng, shape, self.class_axis(len(shape)))
        mask = covering(rng, self.mask, shape)
        weights = covering(rng, self.weights, shape)
        if mask is not None:
            host["mask"] = random_mask(rng, mask)
            if self.soft:
                host["mask"] = host["mask"] * rng.uniform(0.25, 1.0, mask)
        if weights is not None:
            host["weights"] = random_weights(rng, weights, self.kind)
        return host

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
        if self.loss in RATIOS:
            return ratio_reference(self.loss, options, exact, self.reduction, dtype, accumulator)
        y_true, y_pred = exact["y_true"], exact["y_pred"]
        weights, mask = exact.get("weights"), exact.get("mask")
        scored = score(self.loss, options, y_true, y_pred, weights, mask, dtype)
        return objective_reference(scored, self.reduction, accumulator=accumulator)

    def result_dtype(self, dtype: str) -> str:
        return compute_dtype(dtype)

    def verbs(self) -> am.Objective:
        return self.objective

    def unmasked(self, exact: Host) -> np.ndarray:
        left = super().unmasked(exact)
        if "ignore_class" in self.options:
            left &= exact["y_true"] != self.options["ignore_class"]
        return left

    def call_flat(self, arrays: Mapping[str, am.Array]) -> am.Array:
        options = {**self.options, **({"axis": -1} if "axis" in self.options else {})}
        fn = functools.partial(getattr(am.losses, self.loss), **options)
        return am.weighted_masked_objective(fn, reduction=self.reduction)(**arrays)

    def why_not(self, law: str) -> str | None:
        if self.reduction == "none" and law in (
            "exclusion_is_removal",
            "weight_is_repetition",
            "cut_invariant",
        ):
            return "keeps every score, so that nothing is summed"
        if law in RESHAPES and self.reduction in (
            "keras2",
            "keras3",
        ):
            return "the formula counts excluded elements"
        if law == "scale_invariant" and self.reduction != "mean":
            return "only a weighted mean is invariant"
        if law == "weight_is_repetition" and (self.kind != "integer" or self.soft):
            return "needs integer weights"
        if law == "scale_invariant" and self.kind != "real":
            return "needs real weights"
        return None


def objective_cases() -> list[Case]:
    """Every loss under several reductions; squared error under every covering too."""
    cases: list[Case] = []
    turn = 0
    for variant in VARIANTS:
        few = ("mean", "sum") if variant in RATIOS else ("mean", "none")
        for reduction in REDUCTIONS if variant in THOROUGH else few:
            cases.append(ObjectiveCase(variant, reduction, *COVERS[turn % len(COVERS)]))
            turn += 1
    for reduction in REDUCTIONS:
        cases += [ObjectiveCase("squared_error", reduction, *cover) for cover in ALL_COVERS]
    cases.append(ObjectiveCase("squared_error", "keras2", "BT", "B", "real", soft=True))
    cases.append(ObjectiveCase("binary_crossentropy", "keras2", "B", None, "", soft=True))
    return _unique(cases)


def _unique(cases: list[Case]) -> list[Case]:
    return list({case.name: case for case in cases}.values())
