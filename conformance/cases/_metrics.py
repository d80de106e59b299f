"""Metrics: each with the kind of data that it is for, covered by a mask and weights."""

from collections.abc import Mapping
from typing import Any

import numpy as np

import agnostic_mask as am

from .._case import SHAPE, Case, Host, PartsCase, covering, random_mask, random_weights
from .._reference import Reference
from ..oracle import compute_dtype, metric_reference
from ._binned import BINNED_VARIANTS, BINS_OF_SCORES, NOT_NEGATIVE, why_not_binned
from ._part import Part

CLASSES = 3

Variant = tuple[str, dict[str, Any], str]

SUM_VARIANTS: dict[str, Variant] = {
    "Mean": ("Mean", {}, "values"),
    "Sum": ("Sum", {}, "values"),
    "MeanScore": ("MeanScore", {"fn": am.losses.absolute_error}, "real"),
    "MeanAbsoluteError": ("MeanAbsoluteError", {}, "real"),
    "MeanSquaredError": ("MeanSquaredError", {}, "real"),
    "RootMeanSquaredError": ("RootMeanSquaredError", {}, "real"),
    "MeanBiasError": ("MeanBiasError", {}, "real"),
    "PinballLoss": ("PinballLoss", {"quantile": 0.25}, "real"),
    "TweedieDeviance 1": ("TweedieDeviance", {"power": 1}, "positive"),
    "TweedieDeviance 2": ("TweedieDeviance", {"power": 2}, "positive"),
    "CosineSimilarity": ("CosineSimilarity", {}, "vectors"),
    "MeanSquaredLogarithmicError": ("MeanSquaredLogarithmicError", {}, "positive"),
    "RootMeanSquaredLogarithmicError": ("RootMeanSquaredLogarithmicError", {}, "positive"),
    "MeanAbsolutePercentageError": ("MeanAbsolutePercentageError", {}, "positive"),
    "SymmetricMeanAbsolutePercentageError": (
        "SymmetricMeanAbsolutePercentageError",
        {},
        "positive",
    ),
    "WeightedMeanAbsolutePercentageError": ("WeightedMeanAbsolutePercentageError", {}, "real"),
    "BinaryCrossentropy": ("BinaryCrossentropy", {"label_smoothing": 0.125}, "binary"),
    "BinaryCrossentropy logits": ("BinaryCrossentropy", {"from_logits": True}, "binary logits"),
    "CategoricalCrossentropy": ("CategoricalCrossentropy", {"label_smoothing": 0.125}, "one-hot"),
    "SparseCategoricalCrossentropy": (
        "SparseCategoricalCrossentropy",
        {"from_logits": True, "ignore_class": 1},
        "class logits",
    ),
    "Perplexity": ("Perplexity", {"ignore_class": 1}, "classes"),
    "Perplexity logits": ("Perplexity", {"from_logits": True}, "class logits"),
    "BrierScore": ("BrierScore", {}, "binary"),
    "BrierScore of classes": ("BrierScore", {"axis": -1}, "classes"),
    "BinaryAccuracy": ("BinaryAccuracy", {"threshold": 0.25}, "binary"),
    "BinaryAccuracy logits": (
        "BinaryAccuracy",
        {"threshold": 0.25, "from_logits": True},
        "binary logits",
    ),
    "HammingLoss": ("HammingLoss", {}, "binary"),
    "CategoricalAccuracy": ("CategoricalAccuracy", {}, "one-hot"),
    "SparseCategoricalAccuracy": ("SparseCategoricalAccuracy", {"ignore_class": 1}, "classes"),
    "SparseTopKCategoricalAccuracy": ("SparseTopKCategoricalAccuracy", {"k": 2}, "class logits"),
    "Hinge": ("Hinge", {}, "binary logits"),
    "SquaredHinge": ("SquaredHinge", {}, "binary logits"),
    "CategoricalHinge": ("CategoricalHinge", {}, "one-hot"),
}
MOMENT_VARIANTS: dict[str, Variant] = {
    "Variance": ("Variance", {"correction": 1.0}, "far values"),
    "StandardDeviation": ("StandardDeviation", {}, "far values"),
    "R2Score": ("R2Score", {}, "far"),
    "ExplainedVariance": ("ExplainedVariance", {}, "far"),
    "PearsonCorrelation": ("PearsonCorrelation", {}, "far"),
    "ConcordanceCorrelation": ("ConcordanceCorrelation", {}, "far"),
    "Min": ("Min", {}, "values"),
    "Max": ("Max", {}, "values"),
    "MaxError": ("MaxError", {}, "real"),
    "MaxScore": ("MaxScore", {"fn": am.losses.absolute_error}, "real"),
    "D2TweedieScore": ("D2TweedieScore", {}, "far"),
    "D2TweedieScore 1": ("D2TweedieScore", {"power": 1.0}, "positive"),
    "D2TweedieScore 1.5": ("D2TweedieScore", {"power": 1.5}, "positive"),
    "D2TweedieScore 2": ("D2TweedieScore", {"power": 2.0}, "positive"),
}
_MACRO = {"num_classes": CLASSES, "average": "macro"}
_EACH = {"num_classes": CLASSES, "average": None}
COUNT_VARIANTS: dict[str, Variant] = {
    "Precision": ("Precision", {}, "binary"),
    "Precision macro": ("Precision", _MACRO, "classes"),
    "Recall": ("Recall", {"num_classes": CLASSES, "average": "weighted"}, "labels"),
    "Specificity": ("Specificity", _EACH, "classes"),
    "FBeta": ("FBeta", {"beta": 2.0, "zero_division": float("nan"), **_MACRO}, "class logits"),
    "F1": ("F1", {"from_logits": True, "threshold": 0.75}, "binary logits"),
    "Dice": ("Dice", {"num_classes": CLASSES, "average": "micro"}, "labels"),
    "IoU": ("IoU", _EACH, "labels"),
    "MeanIoU": ("MeanIoU", {"num_classes": CLASSES + 1}, "labels"),
    "Accuracy": ("Accuracy", {"num_classes": CLASSES, "ignore_class": 1}, "classes"),
    "BalancedAccuracy": ("BalancedAccuracy", {"num_classes": CLASSES}, "labels"),
    "MatthewsCorrelation": ("MatthewsCorrelation", {"num_classes": CLASSES}, "classes"),
    "MatthewsCorrelation of two": ("MatthewsCorrelation", {}, "binary"),
    "CohenKappa": ("CohenKappa", {}, "binary"),
    "CohenKappa quadratic": (
        "CohenKappa",
        {"num_classes": CLASSES, "distance": "quadratic"},
        "labels",
    ),
    "ConfusionMatrix": ("ConfusionMatrix", {"num_classes": CLASSES}, "labels"),
    "ConfusionMatrix normalized": ("ConfusionMatrix", {"normalize": "true"}, "binary"),
}
TOKEN_VARIANTS: dict[str, Variant] = {
    "BitsPerToken": ("BitsPerToken", {"from_logits": True, "ignore_class": 1}, "class logits"),
    "TokenAccuracy": ("TokenAccuracy", {"ignore_class": 1}, "classes"),
}
METRIC_VARIANTS: dict[str, Variant] = {
    **SUM_VARIANTS,
    **MOMENT_VARIANTS,
    **COUNT_VARIANTS,
    **TOKEN_VARIANTS,
    **BINNED_VARIANTS,
}

PICKED = ("Min", "Max", "MaxError", "MaxScore")
"""Metrics that pick an element: weights only include or exclude."""

HITS = (
    "BinaryAccuracy",
    "HammingLoss",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TokenAccuracy",
)
"""Metrics whose scores are 0 or 1: they change by steps."""

NOT_FOUR_OPERATIONS: tuple[str, ...] = (
    "D2TweedieScore",
    "TweedieDeviance",
    "CosineSimilarity",
    "MeanSquaredLogarithmicError",
    "RootMeanSquaredLogarithmicError",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "SparseCategoricalCrossentropy",
    "Perplexity",
    "BitsPerToken",
)
"""Metrics whose scores take a logarithm or an exponential."""

ROOTS = (
    "StandardDeviation",
    "PearsonCorrelation",
    "RootMeanSquaredError",
    "RootMeanSquaredLogarithmicError",
)
"""Metrics that take a root, of which a negative weight may leave none: theirs are positive."""

COVERS: tuple[tuple[str, str, str], ...] = (
    ("BT", "B", "real"),
    ("B1", "BT", "integer"),
)
"""Mask, weights and their kind, taken in turn."""


class MetricCase(PartsCase):
    """A metric of `agnostic_mask.metrics`."""

    def __init__(self, variant: str, mask: str, weights: str, kind: str) -> None:
        self.variant = variant
        self.metric_name, self.options, self.data = METRIC_VARIANTS[variant]
        self.mask, self.weights, self.kind = mask, weights, kind
        self.name = f"metrics.{variant} mask={mask} weights={weights}:{kind}"
        self.group = self.covers = f"metrics.{self.metric_name}"
        self.floating = self._floating() + (("weights",) if kind == "real" else ())
        metric = getattr(am.metrics, self.metric_name)(**self.options)
        # What follows a colon are fields of the result.
        self.fields = variant.partition(":")[2].split()
        self.metric = Part(metric, *self.fields) if self.fields else metric
        self.ignores = "ignore_class" in self.options
        self.four_operations = self.metric_name not in NOT_FOUR_OPERATIONS

    def _floating(self) -> tuple[str, ...]:
        if self.data.endswith("values"):
            return ("x",)
        if self.data == "labels":
            return ()
        labelled = self.data.startswith("binary") or self.data in ("classes", "class logits")
        return ("y_pred",) if labelled else ("y_pred", "y_true")

    def smooth(self) -> list[str]:
        # A count changes by steps.
        counted = (name for name, _, _ in COUNT_VARIANTS.values())
        counts = self.metric_name in {*HITS, *BINS_OF_SCORES, *counted}
        return [name for name in super().smooth() if not counts or name == "weights"]

    def class_axis(self, rank: int) -> int | None:
        return rank if self.data in ("classes", "class logits", "one-hot", "vectors") else None

    def inputs(self, rng: np.random.Generator, shape: tuple[int, ...] = SHAPE) -> Host:
        host = _data(self.data, rng, shape)
        mask, weights = covering(rng, self.mask, shape), covering(rng, self.weights, shape)
        assert mask is not None
        assert weights is not None
        host["mask"] = random_mask(rng, mask)
        host["weights"] = random_weights(rng, weights, self.kind)
        if self.metric_name in (*ROOTS, *NOT_NEGATIVE):
            host["weights"] = abs(host["weights"])
        return host

    def call(self, arrays: Mapping[str, am.Array]) -> am.Array:
        return self.metric(**arrays)

    def verbs(self) -> Any:
        return self.metric

    def reference(self, exact: Host, dtype: str, accumulator: str) -> Reference:
        axis = self.class_axis(len(self.shape(exact)))
        names = [f"{self.metric_name}:{field}" for field in self.fields] or [self.metric_name]
        found = [
            metric_reference(name, self.options, exact, dtype, accumulator, axis) for name in names
        ]
        if len(found) == 1:
            return found[0]
        values = np.stack([np.asarray(x.value, dtype=object) for x in found], axis=-1)
        return Reference(values, np.stack([np.asarray(x.bound) for x in found], axis=-1))

    def result_dtype(self, dtype: str) -> str:
        if self.metric_name == "ConfusionMatrix" and not self.options.get("normalize"):
            return "float64"
        return compute_dtype(dtype) if self.floating else "default"

    def unmasked(self, exact: Host) -> np.ndarray:
        left = super().unmasked(exact)
        if "ignore_class" in self.options:
            left &= exact["y_true"] != self.options["ignore_class"]
        return left

    def why_not(self, law: str) -> str | None:
        if law == "weight_is_repetition" and self.kind != "integer":
            return "needs integer weights"
        if law == "scale_invariant" and self.kind != "real":
            return "needs real weights"
        sums = self.metric_name == "Sum" or self.options.get("correction")
        counts = self.metric_name == "ConfusionMatrix" and not self.options.get("normalize")
        if law == "scale_invariant" and (sums or counts):
            return "the result is not a mean: it grows with the weights, or is corrected by a count"
        if law == "weight_is_repetition" and self.metric_name in PICKED:
            return "weights only include or exclude"
        if law == "gradient" and self.metric_name in PICKED:
            return "frameworks share the derivative among ties in ways of their own"
        return why_not_binned(self.variant, law)


def _data(kind: str, rng: np.random.Generator, shape: tuple[int, ...]) -> Host:
    """y_true and y_pred, or x, of a kind."""
    if kind.endswith("values"):
        x = rng.normal(0, 2, shape)
        return {"x": np.asarray(x + 100.0 if kind.startswith("far") else x)}
    if kind in ("real", "far", "positive"):
        y_true = rng.normal(0, 2, shape)
        y_pred = y_true + rng.normal(0, 1, shape)
        if kind == "positive":
            y_true, y_pred = np.abs(y_true) + 0.125, np.abs(y_pred) + 0.125
        if kind == "far":
            y_true, y_pred = y_true + 100.0, y_pred + 100.0
        return {"y_true": np.asarray(y_true), "y_pred": np.asarray(y_pred)}
    if kind.startswith("binary"):
        y_true = rng.integers(0, 2, shape).astype(np.int32)
        logits = rng.normal(0, 4, shape)
        if kind == "binary logits with ties":
            few = np.clip(np.round(logits / 2), -1, 1)
            logits = np.where(rng.random(shape) < 0.75, few, logits)
        y_pred = rng.uniform(0.02, 0.98, shape) if kind == "binary" else logits
        return {"y_true": np.asarray(y_true), "y_pred": np.asarray(y_pred)}
    labels = np.asarray(rng.integers(0, CLASSES, shape).astype(np.int32))
    if kind == "labels":
        flips = np.where(rng.random(shape) < 0.5, labels, rng.integers(0, CLASSES, shape))
        return {"y_true": labels, "y_pred": np.asarray(flips).astype(np.int32)}
    rows = (*shape, CLASSES)
    if kind == "vectors":
        return {"y_true": rng.normal(0, 2, rows), "y_pred": rng.normal(0, 2, rows)}
    y_pred = rng.dirichlet(np.ones(CLASSES), shape).reshape(rows)
    if kind == "class logits":
        y_pred = rng.normal(0, 4, rows)
    if kind == "one-hot":
        return {"y_true": np.eye(CLASSES)[labels].reshape(rows), "y_pred": y_pred}
    return {"y_true": labels, "y_pred": y_pred}


def metric_cases() -> list[Case]:
    """Every metric in each of its variants."""
    return [
        MetricCase(variant, *COVERS[turn % len(COVERS)])
        for turn, variant in enumerate(METRIC_VARIANTS)
    ]
