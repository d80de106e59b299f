"""Reductions, metrics and objectives by groups: their cases, with a label for each element."""

from collections.abc import Mapping
from typing import Any

import numpy as np

import agnostic_mask as am

from .._case import SHAPE, Case, CoveredCase, Host, PartsCase, covering, spread
from .._reference import Reference
from ..oracle import mp
from ._metrics import MetricCase
from ._objectives import ObjectiveCase
from ._reductions import FAR_FROM_ZERO, ReductionCase

GROUPS = 2
"""Few, so that each has included elements and its result a derivative."""

REDUCED: tuple[tuple[str, dict[str, Any], tuple[str | None, str | None, str], str], ...] = (
    ("sum", {}, ("B", "BT", "integer"), "B"),
    ("sum", {"axis": (-1,), "keepdims": True}, ("BT", "B", "real"), "BT"),
    ("mean", {"axis": 0}, ("BT", "BT", "real"), "BT"),
    ("var", {}, ("BT", "B", "real"), "BT"),
    ("count", {}, ("BT", "B", "real"), "B1"),
    ("min", {"axis": 0}, ("BT", "B", "real"), "BT"),
    ("argmax", {}, ("B", "BT", "integer"), "1T"),
    ("all", {"axis": 0}, ("BT", "B", "real"), "BT"),
    ("logsumexp", {}, ("BT", "B", "real"), "B"),
    ("vector_norm", {"axis": 0, "ord": 3}, ("BT", None, ""), "BT"),
    ("quantile", {"q": (0.0, 0.3, 0.9)}, ("BT", "B", "integer"), "BT"),
    ("quantile", {"q": 0.3, "axis": 0, "method": "inverted_cdf"}, ("BT", "BT", "real"), "BT"),
    ("median", {}, ("BT", "B", "real"), "B"),
    ("histogram counts", {"bins": 4, "range": (-2, 2)}, ("BT", "B", "real"), "BT"),
    ("cov", {"correction": 0}, (None, "B", "real"), "B"),
)
"""Function, options, mask, weights and their kind, and what the labels cover."""

FAR_APART = 2.0**12
"""How far the means of groups lie from each other where they are subtracted."""

STRAY: tuple[tuple[str, dict[str, Any], tuple[str | None, str | None, str]], ...] = (
    ("mean", {}, ("BT", "B", "real")),
    ("max", {}, ("BT", "B", "real")),
    ("count", {}, ("BT", "B", "real")),
)
"""What is also tried with a label out of range."""

MEASURED = ("R2Score", "F1", "MaxError", "D2TweedieScore 1.5", "Precision macro")


class _Grouped:
    """What the cases of groups have in common: another case, which each group is a case of."""

    def __init__(
        self, alone: ReductionCase | MetricCase | ObjectiveCase, by: str, *, stray: bool = False
    ) -> None:
        self.alone, self.by, self.stray = alone, by, stray
        self.name = f"{alone.name} by={by}" + stray * " stray"
        self.group, self.covers, self.floating = "groups", alone.covers, alone.floating
        self.mask, self.weights, self.kind = alone.mask, alone.weights, alone.kind
        self.ignores, self.counts_excluded = alone.ignores, alone.counts_excluded

    def inputs(self, rng: np.random.Generator, shape: tuple[int, ...] = SHAPE) -> Host:
        host = self.alone.inputs(rng, shape)
        labelled = covering(rng, self.by, self.alone.shape(host))
        assert labelled is not None
        each = np.arange(int(np.prod(labelled, dtype=int))) % GROUPS
        by = np.asarray(rng.permutation(each).astype(np.int32)).reshape(labelled)
        if isinstance(self.alone, ReductionCase) and self.alone.function in FAR_FROM_ZERO:
            host["x"] = host["x"] + FAR_APART * spread(by, host["x"].shape)
        included = np.argwhere(self.alone.included(host))
        if self.stray and included.size:
            by[tuple(included[0])] = GROUPS
        return {**host, "by": by}

    def call(self, arrays: Mapping[str, Any]) -> am.Array:
        return self.alone.call({**arrays, "num_groups": GROUPS})

    def reference(self, exact: Host, dtype: str, accumulator: str) -> Reference:
        parts = [
            self.alone.reference(self._alone(exact, group), dtype, accumulator)
            for group in range(GROUPS)
        ]
        values = [np.asarray(part.value, dtype=object) for part in parts]
        bounds = [np.broadcast_to(np.asarray(part.bound, float), values[0].shape) for part in parts]
        stacked = Reference(np.stack(values), np.stack(bounds))
        if self._has_stray(exact) and self.result_dtype(dtype) != "int64":
            return Reference(np.full_like(stacked.value, mp.nan), stacked.bound)
        return stacked

    def _has_stray(self, exact: Host) -> bool:
        included = self.alone.included(exact)
        return bool((included & (spread(exact["by"], included.shape) >= GROUPS)).any())

    def _alone(self, exact: Host, group: int) -> Host:
        """Inputs of one group, the others removed, or masked where results have axes."""
        shape = self.alone.shape(exact)
        member = spread(exact["by"], shape) == group
        host = {name: x for name, x in exact.items() if name != "by"}
        if not isinstance(self.alone, ObjectiveCase):
            return {**host, "mask": member & self.alone.unmasked(exact)}
        flat = self.alone.flat(exact, member.astype(int))
        covers = {n: x for n, x in host.items() if n in ("mask", "weights")}
        return {**flat, **{n: np.asarray(spread(x, shape)[member]) for n, x in covers.items()}}

    def result_dtype(self, dtype: str) -> str:
        return self.alone.result_dtype(dtype)

    def smooth(self) -> list[str]:
        return self.alone.smooth()

    def class_axis(self, rank: int) -> int | None:
        return self.alone.class_axis(rank)

    def unmasked(self, exact: Host) -> np.ndarray:
        return self.alone.unmasked(exact)

    def told_apart(self, exact: Host) -> np.ndarray:
        left = self.alone.unmasked(exact)
        if isinstance(self.alone, ObjectiveCase) and self.alone.reduction == "keras2":
            return np.ones_like(left)  # its formula counts all elements
        if isinstance(self.alone, ObjectiveCase) and self.alone.reduction == "keras3":
            return left  # and this one those of weight 0
        return self.alone.included(exact)

    def flat(self, exact: Host, repeats: np.ndarray) -> Host:
        by = spread(exact["by"], repeats.shape).reshape(-1)
        flat = self.alone.flat(exact, repeats)
        return {**flat, "by": np.repeat(by, repeats.reshape(-1))}

    def call_flat(self, arrays: Mapping[str, Any]) -> am.Array:
        return self.alone.call_flat({**arrays, "num_groups": GROUPS})

    def why_not(self, law: str) -> str | None:
        if self.stray and law == "gradient":
            return "the result is NaN"
        return self.alone.why_not(law)


class GroupedCase(_Grouped, CoveredCase):
    """A reduction by groups."""


class GroupedPartsCase(_Grouped, PartsCase):
    """A metric or an objective by groups."""

    def __init__(self, alone: MetricCase | ObjectiveCase, by: str, *, stray: bool = False) -> None:
        super().__init__(alone, by, stray=stray)
        self.four_operations = alone.four_operations

    def verbs(self) -> Any:
        return _GroupedVerbs(self.alone)


class _GroupedVerbs:
    """Verbs of a metric whose states have groups."""

    def __init__(self, alone: Any) -> None:
        verbs = alone.verbs()
        self.statistic, self.zero_of_groups = verbs.statistic, verbs.zero
        self.update, self.merge, self.compute = verbs.update, verbs.merge, verbs.compute

    def zero(self, like: Any) -> Any:
        """State of no batch."""
        return self.zero_of_groups(like, num_groups=GROUPS)


def grouped_cases() -> list[Case]:
    """Reductions of every kind, metrics of every kind of state, objectives of every reduction."""
    cases: list[Case] = []
    for function, options, cover, by in REDUCED:
        cases.append(GroupedCase(ReductionCase(function, options, *cover), by))
    for function, options, cover in STRAY:
        cases.append(GroupedCase(ReductionCase(function, options, *cover), "BT", stray=True))
    integers = ReductionCase("sum", {"axis": 0}, "BT", None, "", integers=True)
    cases.append(GroupedCase(integers, "BT"))
    for reduction in ("keras2", "keras3", "mean", "sum"):
        case = ObjectiveCase("squared_error", reduction, "BT", "B", "real")
        cases.append(GroupedPartsCase(case, "BT"))
    cases.append(GroupedPartsCase(ObjectiveCase("squared_error", "keras3", None, None, ""), "B"))
    for variant in MEASURED:
        cases.append(GroupedPartsCase(MetricCase(variant, "BT", "B", "real"), "BT"))
    error = MetricCase("MeanSquaredError", "BT", "B", "real")
    cases.append(GroupedPartsCase(error, "BT", stray=True))
    return cases
