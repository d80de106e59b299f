"""Metrics of queries, and of sequences: scored by what lies along the last axis of each."""

from collections.abc import Mapping
from typing import Any

import numpy as np

import agnostic_mask as am

from .._case import SHAPE, Case, Host, PartsCase, covering, random_mask, random_weights, spread
from .._reference import Reference
from ..oracle import compute_dtype, query_reference

CANDIDATES, CLASSES = 6, 3

VARIANTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "DCG": ("DCG", {}, "graded lists"),
    "DCG exponential": ("DCG", {"k": 3, "gain": "exponential"}, "graded lists"),
    "NDCG": ("NDCG", {}, "graded lists"),
    "NDCG exponential": (
        "NDCG",
        {"k": 2, "gain": "exponential", "zero_division": float("nan")},
        "graded lists",
    ),
    "PrecisionAtK": ("PrecisionAtK", {"k": 3}, "binary lists"),
    "RecallAtK": ("RecallAtK", {"k": 3, "zero_division": 1.0}, "binary lists"),
    "MeanAveragePrecision": ("MeanAveragePrecision", {}, "binary lists"),
    "MeanReciprocalRank": (
        "MeanReciprocalRank",
        {"k": 4, "zero_division": float("nan")},
        "binary lists",
    ),
    "ExactMatch of logits": ("ExactMatch", {"ignore_class": 1}, "sequences of logits"),
    "ExactMatch": ("ExactMatch", {}, "sequences"),
    "NDCG of whole queries": ("NDCG", {}, "graded lists"),
}
"""Name of the class, options, and kind of data."""

COVERS: tuple[tuple[str, str, str], ...] = (("BTK", "B", "real"), ("BTK", "BT", "integer"))
"""Mask, weights and their kind, taken in turn; weights are of queries."""


class QueryCase(PartsCase):
    """A metric of `agnostic_mask.metrics` whose elements are queries of several candidates.

    Queries are cut, weighed and repeated; candidates, too, are excluded.
    """

    def __init__(self, variant: str, mask: str, weights: str, kind: str) -> None:
        self.metric_name, self.options, self.data = VARIANTS[variant]
        self.mask, self.weights, self.kind = mask, weights, kind
        self.name = f"metrics.{variant} mask={mask} weights={weights}:{kind}"
        self.group = self.covers = f"metrics.{self.metric_name}"
        data = {"graded lists": ("y_true", "y_pred"), "sequences": ()}.get(self.data, ("y_pred",))
        self.floating = data + (("weights",) if kind == "real" else ())
        self.metric = getattr(am.metrics, self.metric_name)(**self.options)
        self.ignores = "ignore_class" in self.options
        # Discounts take a logarithm.
        self.four_operations = self.data != "graded lists"

    def smooth(self) -> list[str]:
        # Scores count by their order, which changes by steps.
        return [name for name in ("y_true", "weights") if name in self.floating]

    def class_axis(self, rank: int) -> int | None:
        return rank

    def shape(self, exact: Host) -> tuple[int, ...]:
        return exact["y_true"].shape[:-1]

    def unmasked(self, exact: Host) -> np.ndarray:
        left = np.ones(exact["y_true"].shape, dtype=bool)
        if "mask" in exact:
            left &= spread(exact["mask"], left.shape) != 0
        if self.ignores:
            left &= exact["y_true"] != self.options["ignore_class"]
        return left

    def inputs(self, rng: np.random.Generator, shape: tuple[int, ...] = SHAPE) -> Host:
        lists = (*shape, CANDIDATES)
        host = _data(self.data, rng, lists)
        weights = covering(rng, self.weights, shape)
        assert weights is not None
        mask = random_mask(rng, lists if self.mask == "BTK" else shape)
        if len(shape) == 2 and 0 not in shape:
            mask[1, 2] = False  # a query without a candidate
        host["mask"] = mask
        host["weights"] = random_weights(rng, weights, self.kind)
        return host

    def call(self, arrays: Mapping[str, am.Array]) -> am.Array:
        result: am.Array = self.metric(**arrays)
        return result

    def verbs(self) -> Any:
        return self.metric

    def flat(self, exact: Host, repeats: np.ndarray) -> Host:
        """Queries with the candidates that are left moved up, and cut to the longest list."""
        keep = repeats.reshape(-1, repeats.shape[-1]) > 0
        order = np.argsort(~keep, axis=-1, kind="stable")[:, : keep.sum(axis=-1).max()]
        times = repeats.max(axis=-1).reshape(-1)
        found: Host = {"mask": np.take_along_axis(keep, order, axis=-1)}
        for name in ("y_true", "y_pred"):
            x = exact[name].reshape(-1, *exact[name].shape[repeats.ndim - 1 :])
            at = order.reshape(order.shape + (1,) * (x.ndim - 2))
            found[name] = np.take_along_axis(x, at, axis=1)
        return {name: np.repeat(x, times, axis=0) for name, x in found.items()}

    def flat_weights(self, exact: Host, keep: np.ndarray) -> np.ndarray:
        return np.asarray(spread(exact["weights"], keep.shape[:-1])[keep.any(axis=-1)])

    def reference(self, exact: Host, dtype: str, accumulator: str) -> Reference:
        return query_reference(self.metric_name, self.options, exact, dtype, accumulator)

    def result_dtype(self, dtype: str) -> str:
        return "default" if self.data == "sequences" else compute_dtype(dtype)

    def why_not(self, law: str) -> str | None:
        if law == "weight_is_repetition" and self.kind != "integer":
            return "needs integer weights"
        if law == "scale_invariant" and self.kind != "real":
            return "needs real weights"
        return None


def _data(kind: str, rng: np.random.Generator, lists: tuple[int, ...]) -> Host:
    """y_true and y_pred, with ties."""
    if kind.startswith("sequences"):
        labels = np.asarray(rng.integers(0, CLASSES, lists).astype(np.int32))
        wrong = rng.random(lists) < 0.15
        guesses = np.where(wrong, rng.integers(0, CLASSES, lists), labels).astype(np.int32)
        if kind == "sequences":
            return {"y_true": labels, "y_pred": guesses}
        values = rng.integers(0, 4, (*lists, CLASSES)) / 4 + 1.5 * np.eye(CLASSES)[guesses]
        return {"y_true": labels, "y_pred": values}
    scores = rng.integers(0, 4, lists) / 4
    if kind == "binary lists":
        relevant = rng.random(lists) < 0.4
        relevant.reshape(-1, CANDIDATES)[-2:-1] = False  # of a query nothing is relevant
        return {"y_true": relevant.astype(np.int32), "y_pred": scores}
    relevance = np.maximum(rng.integers(-3, 7, lists), 0) / 4
    relevance.reshape(-1, CANDIDATES)[-2:-1] = 0.0
    return {"y_true": relevance, "y_pred": scores}


def query_cases() -> list[Case]:
    """Every metric in each of its variants; of the last the mask covers queries alone."""
    *candidates, queries = VARIANTS
    found: list[Case] = [
        QueryCase(variant, *COVERS[turn % len(COVERS)]) for turn, variant in enumerate(candidates)
    ]
    return [*found, QueryCase(queries, "BT", "BT", "real")]
