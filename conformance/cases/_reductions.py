"""Reductions: each over all axes and over some, covered in several ways."""

from collections.abc import Mapping
from typing import Any

import numpy as np

import agnostic_mask as am

from .._case import (
    REARRANGES,
    RESHAPES,
    SHAPE,
    Case,
    CoveredCase,
    Host,
    covering,
    random_mask,
    random_weights,
)
from .._reference import Reference
from ..oracle import compute_dtype, reduction_reference

Cover = tuple[str | None, str | None, str]
"""Mask, weights and their kind."""

PLAIN = (
    "sum",
    "mean",
    "var",
    "std",
    "count",
    "sum_of_weights",
    "min",
    "max",
    "any",
    "all",
    "logsumexp",
)
"""Reductions over any axes, with a mask, weights and no options that change the shape."""

VARIANTS: tuple[tuple[dict[str, Any], Cover], ...] = (
    ({}, ("BT", "B", "real")),
    ({"axis": 0}, ("BT", "BT", "real")),
    ({}, ("B", "BT", "integer")),
)

OTHERS: tuple[tuple[str, dict[str, Any], Cover], ...] = (
    ("sum", {"axis": (-1,), "keepdims": True}, ("B1", "1T", "real")),
    ("var", {"correction": 1.0}, ("BT", "B", "integer")),
    ("softmax", {}, ("BT", None, "")),
    ("softmax", {"axis": 0}, ("BT", None, "")),
    ("log_softmax", {"axis": 0}, ("BT", None, "")),
    ("log_softmax", {"axis": -1}, (None, None, "")),
    ("argmin", {"axis": 0}, ("BT", "B", "real")),
    ("argmin", {}, ("B", "BT", "integer")),
    ("argmax", {"axis": -1, "keepdims": True}, ("BT", "B", "real")),
    ("argmax", {}, ("B1", "1T", "integer")),
    ("standard_error", {}, ("BT", "B", "real")),
    ("standard_error", {"axis": 0, "keepdims": True}, (None, "BT", "real")),
    ("standard_error", {"axis": -1}, ("B", "BT", "integer")),
    ("vector_norm", {}, ("BT", "B", "real")),
    ("vector_norm", {"axis": 0, "ord": 3}, ("BT", "BT", "real")),
    ("vector_norm", {"ord": 0.5}, ("B", "BT", "integer")),
    ("vector_norm", {"ord": -np.inf}, ("BT", "B", "real")),
    ("cumulative_sum", {"axis": 0}, ("BT", "B", "real")),
    ("cumulative_sum", {"axis": -1, "include_initial": True}, ("B", "BT", "real")),
    ("quantile", {"q": (0.0, 0.3, 0.9)}, ("BT", "B", "integer")),
    ("quantile", {"q": 0.3, "axis": 0, "method": "inverted_cdf"}, ("BT", "BT", "real")),
    ("quantile", {"q": (0.25, 1.0), "method": "averaged_inverted_cdf"}, ("B", "BT", "real")),
    ("quantile", {"q": 0.3, "axis": 0}, ("BT", None, "")),
    ("median", {}, ("BT", "B", "real")),
    ("median", {"axis": 0, "keepdims": True}, ("BT", None, "")),
    ("median", {}, ("B", "BT", "integer")),
    ("histogram counts", {"bins": 4, "range": (-2, 2)}, ("BT", "B", "real")),
    ("histogram counts", {"bins": (-3, 0, 0.5, 1)}, ("BT", None, "")),
    ("histogram counts", {"bins": 3}, ("B", "BT", "integer")),
    ("histogram edges", {"bins": 3}, ("BT", "B", "real")),
    ("cov", {}, (None, "B", "real")),
    ("cov", {"axis": 1, "correction": 0}, (None, "1T", "real")),
    ("cov", {}, ("B", "B", "integer")),
    ("cov", {"axis": None}, ("B", "BT", "integer")),
    ("corrcoef", {}, (None, "B", "real")),
    ("corrcoef", {"axis": 1}, ("1T", None, "")),
)

OF_INTEGERS: tuple[tuple[str, dict[str, Any], Cover], ...] = (
    *((name, {"axis": 0}, ("BT", None, "")) for name in ("sum", "mean", "min", "max", "argmax")),
    ("sum", {}, ("B", "BT", "integer")),
    ("cumulative_sum", {"axis": 0}, ("BT", None, "")),
    ("median", {}, ("BT", None, "")),
    ("var", {"axis": 0}, ("BT", None, "")),
    ("std", {}, ("B", "BT", "integer")),
    ("standard_error", {}, ("BT", None, "")),
    ("cov", {}, ("B", None, "")),
    ("corrcoef", {}, (None, None, "")),
    ("logsumexp", {"axis": 0}, ("BT", None, "")),
)

NOT_WEIGHED = ("min", "max", "any", "all", "count", "argmin", "argmax")
POSITIONS = ("argmin", "argmax")
COUNTS = ("count", *POSITIONS)
OF_EVERY_ELEMENT = ("softmax", "log_softmax", "cumulative_sum")
MATRICES = ("cov", "corrcoef")
NEEDS_AXIS = ("cumulative_sum", *MATRICES)
POSITIVE = ("logsumexp", "var", "std", "vector_norm", *MATRICES, "quantile", "median")
FAR_FROM_ZERO = ("var", "std", "standard_error", *MATRICES)


class ReductionCase(CoveredCase):
    """A reduction of one array."""

    def __init__(
        self,
        function: str,
        options: dict[str, Any],
        mask: str | None,
        weights: str | None,
        kind: str,
        *,
        integers: bool = False,
    ) -> None:
        self.function, self.options, self.integers = function, options, integers
        self.mask, self.weights, self.kind = mask, weights, kind
        said = " ".join(f"{k}={v}" for k, v in options.items())
        self.name = f"{function} {said} mask={mask} weights={weights}{kind and ':' + kind}"
        self.name += " of integers" if integers else ""
        self.group = self.covers = function.split()[0]
        self.floating = () if integers else ("x",)
        if kind == "real":
            self.floating += ("weights",)

    def inputs(self, rng: np.random.Generator, shape: tuple[int, ...] = SHAPE) -> Host:
        if self.function in NEEDS_AXIS and not shape:
            shape = (1,)
        x = rng.normal(0, 2, shape)
        if self.function in ("any", "all"):
            x = np.asarray(np.where(rng.random(shape) < 0.5, x, 0.0))
        if self.function in FAR_FROM_ZERO:
            x = x + 100.0
        if self.function in ("logsumexp", "softmax", "log_softmax"):
            x = x * 20 - 1000.0
        if self.integers:
            x = rng.integers(-100, 100, shape).astype(np.int8)
        if self.integers and self.function in FAR_FROM_ZERO:
            x = x + np.int32(30_000_000)  # float32 has but every second integer there
        host = {"x": np.asarray(x)}
        mask, weights = covering(rng, self.mask, shape), covering(rng, self.weights, shape)
        if mask is not None:
            host["mask"] = random_mask(rng, mask)
        if weights is not None:
            host["weights"] = random_weights(rng, weights, self.kind)
            if self.function in POSITIVE:
                host["weights"] = abs(host["weights"])
        return host

    def _options(self, rank: int) -> dict[str, Any]:
        """Options for an array of this rank, which may have lost the axis."""
        options = dict(self.options)
        axis = options.get("axis")
        if rank == 0:
            options.pop("axis", None)
        elif isinstance(axis, int) and axis >= rank:
            options["axis"] = 0
        return options

    def call(self, arrays: Mapping[str, am.Array]) -> am.Array:
        x = arrays["x"]
        options = self._options(len(x.shape))
        named = {name: array for name, array in arrays.items() if name != "x"}
        shares = (options.pop("q"),) if "q" in options else ()
        result = getattr(am, self.covers)(x, *shares, **named, **options)
        return result[self.function.endswith("edges")] if self.covers == "histogram" else result

    def reference(self, exact: Host, dtype: str, accumulator: str) -> Reference:
        options = {**self._options(exact["x"].ndim), "accumulator": accumulator}
        if self.function in MATRICES:
            options.setdefault("axis", 0)
        weights, mask = exact.get("weights"), exact.get("mask")
        return reduction_reference(self.function, exact["x"], weights, mask, dtype, **options)

    def result_dtype(self, dtype: str) -> str:
        if self.function in ("any", "all"):
            return "bool"
        if self.function in COUNTS or (self.function == "histogram counts" and not self.weights):
            return "int64"
        if self.integers and self.function in ("sum", "cumulative_sum") and self.weights is None:
            return "int64"
        if self.integers and self.function in ("min", "max"):
            return "int8"
        if self.integers and self.kind != "real":
            return "default"
        return compute_dtype(dtype)

    def smooth(self) -> list[str]:
        return [
            name for name in super().smooth() if self.function != "sum_of_weights" or name != "x"
        ]

    def _axis(self) -> Any:
        return self.options.get("axis", 0 if self.function in MATRICES else None)

    def class_axis(self, rank: int) -> int | None:
        return 1 if self.function in MATRICES and self._axis() == 0 and rank == 1 else None

    def why_not(self, law: str) -> str | None:
        if law == "gradient":
            return self._why_no_gradient()
        if law in REARRANGES and self.function in OF_EVERY_ELEMENT:
            return "the result has a place for every element"
        if law in REARRANGES and self.function in POSITIONS:
            return "elements are told by their positions, which change"
        axis = self._axis()
        if law in RESHAPES and axis is not None and self.class_axis(1) is None:
            return "its axes would become ragged; the same function over all axes has the law"
        if law == "order_invariant" and axis not in (None, 0):
            return "the axis that is permuted is not reduced"
        if law == "weight_is_repetition" and self.kind != "integer":
            return "needs integer weights"
        if law == "weight_is_repetition" and self.function == "standard_error":
            return "an element that counts twice says less than two elements"
        if law == "weight_is_repetition" and self.function in NOT_WEIGHED:
            return "weights only include or exclude"
        if law == "scale_invariant" and not self._is_mean():
            return "only weighted means, correlations and quantiles are invariant"
        if law == "scale_invariant" and self.kind != "real":
            return "needs real weights"
        return None

    def _is_mean(self) -> bool:
        """Whether the scale of all weights does not matter."""
        without = self.options.get("correction", 1 if self.function == "cov" else 0) == 0
        means = ("mean", "var", "std", "standard_error", "cov", "corrcoef", "quantile", "median")
        return self.function in means and without

    def _why_no_gradient(self) -> str | None:
        flat = self.function == "histogram counts" and self.kind != "real"
        if self.function in ("any", "all", *COUNTS) or self.integers or flat:
            return "the result is not differentiable"
        if self.function in ("min", "max", "histogram edges") or "ord" in self.options:
            order = self.options.get("ord", np.inf)
            if np.isinf(order):
                return "frameworks share the derivative among ties in ways of their own"
        return None


def reduction_cases() -> list[Case]:
    """Every reduction, over all axes and some."""
    cases: list[Case] = []
    for function in PLAIN:
        for options, cover in VARIANTS:
            cases.append(ReductionCase(function, options, *cover))
    for function, options, cover in OTHERS:
        cases.append(ReductionCase(function, options, *cover))
    for function, options, cover in OF_INTEGERS:
        cases.append(ReductionCase(function, options, *cover, integers=True))
    return cases
