"""Reductions: each over all axes and over some, covered in several ways."""

from collections.abc import Mapping
from typing import Any

import numpy as np

import agnostic_mask as am

from ..oracle import REDUCTIONS, Reference, compute_dtype, reduction_reference
from ._base import SHAPE, Case, Host, covering, random_mask, random_weights, spread

AXES: tuple[dict[str, Any], ...] = (
    {},
    {"axis": 0},
    {"axis": (-1,), "keepdims": True},
)

COVERS: tuple[tuple[str | None, str | None, str], ...] = (
    ("BT", "B", "real"),
    ("B", "BT", "integer"),
    ("BT", "BT", "real"),
)

EXACT = ("count", "min", "max", "any", "all")


class ReductionCase(Case):
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
        self.group = self.covers = function
        self.floating = () if integers else ("x",)
        if kind == "real":
            self.floating += ("weights",)

    def inputs(self, rng: np.random.Generator, shape: tuple[int, ...] = SHAPE) -> Host:
        x = rng.normal(0, 2, shape)
        if self.function in ("any", "all"):
            x = np.asarray(np.where(rng.random(shape) < 0.5, x, 0.0))
        if self.function in ("var", "std"):
            x = x + 100.0
        if self.function in ("logsumexp", "softmax"):
            x = x * 20 - 1000.0
        if self.integers:
            x = rng.integers(-100, 100, shape).astype(np.int8)
        host = {"x": np.asarray(x)}
        mask, weights = covering(rng, self.mask, shape), covering(rng, self.weights, shape)
        if mask is not None:
            host["mask"] = random_mask(rng, mask)
        if weights is not None:
            host["weights"] = random_weights(rng, weights, self.kind)
            if self.function in ("logsumexp", "var", "std"):
                host["weights"] = abs(host["weights"])
        return host

    def call(self, arrays: Mapping[str, am.Array]) -> am.Array:
        options = dict(self.options)
        if not arrays["x"].shape:
            options.pop("axis", None)
        named = {name: x for name, x in arrays.items() if name != "x"}
        return getattr(am, self.function)(arrays["x"], **named, **options)

    def reference(self, exact: Host, dtype: str, accumulator: str) -> Reference:
        options = dict(self.options)
        if not exact["x"].shape:
            options.pop("axis", None)
        weights, mask = exact.get("weights"), exact.get("mask")
        options["accumulator"] = accumulator
        return reduction_reference(self.function, exact["x"], weights, mask, dtype, **options)

    def result_dtype(self, dtype: str) -> str:
        if self.function in ("any", "all"):
            return "bool"
        if self.function == "count":
            return "int64"
        if self.integers and self.function == "sum" and self.weights is None:
            return "int64"
        if self.integers and self.function in ("min", "max"):
            return "int8"
        if self.integers and self.kind != "real":
            return "default"
        return compute_dtype(dtype)

    def unmasked(self, exact: Host) -> np.ndarray:
        """Which elements the mask leaves, whatever the weights."""
        shape = exact["x"].shape
        mask = exact.get("mask")
        return np.ones(shape, bool) if mask is None else spread(mask, shape) != 0

    def included(self, exact: Host) -> np.ndarray:
        left = self.unmasked(exact)
        if "weights" in exact:
            left = left & (spread(exact["weights"], left.shape) != 0)
        return left

    def why_not(self, law: str) -> str | None:
        if law in ("removal", "repetition") and (self.options or self.function == "softmax"):
            return "its axes would become ragged; the same function over all axes has the law"
        if law == "repetition" and self.kind != "integer":
            return "needs integer weights"
        if law == "repetition" and self.function in ("min", "max", "any", "all", "count"):
            return "weights only include or exclude"
        if law == "scale" and self.function not in ("mean", "var", "std"):
            return "only weighted means are invariant"
        if law == "scale" and self.kind != "real":
            return "needs real weights"
        if law == "cuts" and (self.options.get("axis", 0) != 0 or self.function == "softmax"):
            return "the axis that is permuted is not reduced"
        if law == "gradient" and (self.function in ("any", "all", "count") or self.integers):
            return "the result is not differentiable"
        if law == "gradient" and self.function in ("min", "max"):
            return "frameworks share the derivative among ties in ways of their own"
        return None


def reduction_cases() -> list[Case]:
    """Every reduction, over all axes and some."""
    cases: list[Case] = []
    for function in REDUCTIONS:
        for options, cover in zip(AXES, COVERS, strict=True):
            cases.append(ReductionCase(function, options, *cover))
        cases.append(ReductionCase(function, {}, "B", "BT", "integer"))
        cases.append(ReductionCase(function, {}, None, None, ""))
    cases.append(ReductionCase("var", {"correction": 1.0}, "BT", "B", "integer"))
    for options in ({}, {"axis": 0}, {"axis": (0, -1)}):
        cases.append(ReductionCase("softmax", options, "BT", None, ""))
    for function in ("sum", "mean", "min", "max"):
        cases.append(ReductionCase(function, {"axis": 0}, "BT", None, "", integers=True))
    cases.append(ReductionCase("sum", {}, "B", "BT", "integer", integers=True))
    return cases
