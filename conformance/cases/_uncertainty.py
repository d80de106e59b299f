"""Metrics made of a metric: intervals, and differences between groups."""

from collections.abc import Mapping
from typing import Any

import numpy as np

import agnostic_mask as am

from .._case import SHAPE, Case, Host, PartsCase, covering, spread
from .._reference import Reference
from ..oracle import (
    between_groups_reference,
    bootstrap_reference,
    elements_by_label,
    elements_with_counts,
    normal_reference,
)
from ._metrics import MetricCase
from ._part import Part

LABELS = 3

VARIANTS: tuple[tuple[str, str, str, dict[str, Any], str], ...] = (
    ("BootstrapInterval", "MeanSquaredError", "standard_error", {"num_replicates": 12}, "B"),
    ("BootstrapInterval", "Mean", "low", {"num_replicates": 9, "seed": 2**40 + 3}, "B"),
    ("BootstrapInterval", "R2Score", "standard_error", {"num_replicates": 9, "seed": 1}, "B"),
    ("BootstrapInterval", "F1", "high", {"num_replicates": 9, "confidence": 0.8}, "B"),
    ("NormalInterval", "Mean", "low", {"confidence": 0.9}, ""),
    ("NormalInterval", "MeanSquaredError", "standard_error", {}, ""),
    ("NormalInterval", "RootMeanSquaredError", "high", {}, ""),
    ("NormalInterval", "Perplexity", "standard_error", {}, ""),
    ("NormalInterval", "MeanSquaredError", "standard_error", {"num_clusters": LABELS}, "BT"),
    ("NormalInterval", "Mean", "high", {"num_clusters": LABELS}, "B"),
    ("BetweenGroups", "MeanSquaredError", "", {"num_groups": LABELS + 2, "how": "gap"}, "B"),
    ("BetweenGroups", "R2Score", "", {"num_groups": LABELS, "how": "max"}, "BT"),
    ("BetweenGroups", "F1", "", {"num_groups": LABELS + 2, "how": "min"}, "BT"),
    ("BetweenGroups", "Mean", "", {"num_groups": LABELS, "how": "ratio"}, "BT"),
)
"""What is made of which metric, field of the result, options, and what labels or ids cover."""

COVERS: tuple[tuple[str, str, str], ...] = (("BT", "B", "real"), ("B1", "BT", "integer"))
"""Mask, weights and their kind, taken in turn."""

LABEL = {"BootstrapInterval": "ids", "NormalInterval": "clusters", "BetweenGroups": "by"}

IDS = (2**31 - 1, -5, 70_000, -5)
"""Ids of rows; two rows that are resampled together are among them."""


class UncertaintyCase(PartsCase):
    """One of the metrics that are made of another, seen through one field of its result."""

    def __init__(
        self, what: str, variant: str, field: str, options: dict[str, Any], labels: str, turn: int
    ) -> None:
        self.inner = MetricCase(variant, *COVERS[turn % len(COVERS)])
        self.what, self.field, self.options, self.labels = what, field, options, labels
        said = " ".join(f"{k}={v}" for k, v in options.items())
        self.name = f"metrics.{what}:{field} {said} of {self.inner.name.removeprefix('metrics.')}"
        self.group = self.covers = f"metrics.{what}"
        self.mask, self.weights, self.kind = self.inner.mask, self.inner.weights, self.inner.kind
        self.floating, self.ignores = self.inner.floating, self.inner.ignores
        self.four_operations = self.inner.four_operations
        metric = getattr(am.metrics, what)(self.inner.metric, **options)
        self.metric = Part(metric, field) if field else metric

    def smooth(self) -> list[str]:
        return self.inner.smooth()

    def class_axis(self, rank: int) -> int | None:
        return self.inner.class_axis(rank)

    def unmasked(self, exact: Host) -> np.ndarray:
        return self.inner.unmasked(exact)

    def inputs(self, rng: np.random.Generator, shape: tuple[int, ...] = SHAPE) -> Host:
        resampled = self.what == "BootstrapInterval"
        if resampled and not shape:
            shape = (1,)
        host = self.inner.inputs(rng, shape)
        host["weights"] = abs(host["weights"])
        if resampled:
            host["ids"] = np.resize(np.asarray(IDS, dtype=np.int32), shape[0])
        elif self.labels:
            covered = covering(rng, self.labels, shape)
            assert covered is not None
            host[LABEL[self.what]] = rng.integers(0, LABELS, covered).astype(np.int32)
        return host

    def call(self, arrays: Mapping[str, am.Array]) -> am.Array:
        result: am.Array = self.metric(**arrays)
        return result

    def verbs(self) -> Any:
        return self.metric

    def flat(self, exact: Host, repeats: np.ndarray) -> Host:
        found = super().flat(exact, repeats)
        name = LABEL[self.what]
        if name in exact:
            labels = spread(exact[name], repeats.shape).reshape(-1)
            found[name] = np.repeat(labels, repeats.reshape(-1))
        return found

    def reference(self, exact: Host, dtype: str, accumulator: str) -> Reference:
        shape = self.shape(exact)
        how: dict[str, Any] = {
            "options": self.inner.options,
            "dtype": dtype,
            "accumulator": accumulator,
            "class_axis": self.class_axis(len(shape)),
        }
        metric, options = self.inner.metric_name, dict(self.options)
        if self.what == "BootstrapInterval":
            options = {"seed": 0, **options}
            return bootstrap_reference(
                self.field,
                metric,
                lambda counts: elements_with_counts(exact, shape, counts, **how),
                exact["ids"],
                **options,
            )
        labels = exact.get(LABEL[self.what], np.zeros((1,) * len(shape), dtype=int))
        parts = elements_by_label(exact, shape, labels, **how)
        if self.what == "BetweenGroups":
            return between_groups_reference(options["how"], metric, parts)
        clustered = options.pop("num_clusters", None) is not None
        return normal_reference(self.field, metric, parts, clustered, **options)

    def result_dtype(self, dtype: str) -> str:
        return self.inner.result_dtype(dtype)

    def why_not(self, law: str) -> str | None:
        if (
            law == "weight_is_repetition"
            and self.what == "NormalInterval"
            and self.field != "value"
        ):
            return "an element that counts twice says less than two elements"
        return self.inner.why_not(law)


def uncertainty_cases() -> list[Case]:
    """Every metric that is made of another, in each of its variants."""
    return [UncertaintyCase(*variant, turn) for turn, variant in enumerate(VARIANTS)]
