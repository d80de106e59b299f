"""What must be reached, and what was."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks._ratios import ratio

MIB = 2**20
Case = Mapping[str, Any]
Who = tuple[str, str]

NUMPY, TORCH, JAX = ("numpy", "ours"), ("torch", "ours"), ("jax", "ours")
FLOOR = ("numpy", "floor")
KERAS2, OURS_KERAS2 = ("numpy", "Keras 2 formula"), ("numpy", "ours, as Keras 2")
MULTIPLY, WHERE = ("numpy", "multiply by the mask"), ("numpy", "np.where formula")
EAGER = ("torch", "where formula")
COMPILED = (
    ("torch", "where formula, torch.compile"),
    ("torch", "where, float64 sums, torch.compile"),
)
JITTED = (
    ("jax", "where formula, jax.jit"),
    ("jax", "where=, jax.jit"),
    ("jax", "optax, jax.jit"),
)
SQUARED, BINARY = "squared error, random mask", "binary crossentropy, random mask"
SPARSE = "sparse categorical crossentropy"
UPDATE, CALL = "one metric update", "one call on 1 000 elements"


class Bar(NamedTuple):
    """A bar: what is measured must be at most `bar`, and is meant to be at most `aim`."""

    workload: str
    what: str
    bar: float | None
    aim: float | None
    measured: float | None
    unit: str = "x"

    @property
    def verdict(self) -> str:
        """In a word or two."""
        if self.measured is None:
            return "not measured"
        if self.aim is not None and self.measured <= self.aim:
            return "aim reached"
        if self.bar is None:
            return "aim missed"
        return "reached" if self.measured <= self.bar else "missed"


class Rule(NamedTuple):
    """A bar on a ratio; of several others the fastest counts."""

    workload: str
    what: str
    who: Who
    others: Sequence[Who]
    bar: float | None
    aim: float | None


RULES = (
    Rule(SQUARED, "NumPy: times the floor", NUMPY, [FLOOR], 4, 2.5),
    Rule(SQUARED, "NumPy: of the Keras 2 formula", OURS_KERAS2, [KERAS2], 0.5, None),
    Rule(SQUARED, "NumPy: of the np.where formula", NUMPY, [WHERE], 0.25, None),
    Rule(SQUARED, "NumPy: of torch.compile's formula", NUMPY, COMPILED, 1, None),
    Rule(SQUARED, "NumPy: of jax.jit's formula", NUMPY, JITTED, 1, None),
    Rule(SQUARED, "torch: of its eager formula", TORCH, [EAGER], 0.4, None),
    Rule(SQUARED, "torch: of torch.compile's formula", TORCH, COMPILED, None, 1),
    Rule(BINARY, "NumPy: of the plain formula", NUMPY, [MULTIPLY], 0.5, None),
    Rule(BINARY, "NumPy: of torch.compile's formula", NUMPY, COMPILED, None, 1),
    Rule(CALL, "NumPy: of the same by hand", NUMPY, [("numpy", "by hand")], 2, 1.4),
    Rule(UPDATE, "torch: of MeanMetric", TORCH, [("torch", "torchmetrics MeanMetric")], 1, 0.5),
    Rule(
        UPDATE,
        "torch: of MeanMetric with nan_strategy disable, which drops the weights",
        TORCH,
        [("torch", "torchmetrics MeanMetric, nan_strategy disable")],
        None,
        0.5,
    ),
    *(
        Rule(
            workload,
            f"{label} of ours: of {label} by hand, {sums} sums",
            (family, f"ours, {label}"),
            [(family, f"{peer}, {label}")],
            bar,
            aim,
        )
        for workload in (SQUARED, BINARY)
        for family, label in (("torch", "torch.compile"), ("jax", "jax.jit"))
        for peer, sums, bar, aim in (
            ("where, float64 sums", "float64", 1.1, 1.0),
            ("where formula", "float32", None, 1.0),
        )
    ),
    Rule(
        SPARSE,
        "torch.compile of ours: of torch.compile by hand",
        ("torch", "ours, torch.compile"),
        [("torch", "cross_entropy, then where, torch.compile")],
        1.1,
        1.0,
    ),
    Rule(
        SPARSE,
        "jax.jit of ours: of jax.jit by hand",
        ("jax", "ours, jax.jit"),
        [("jax", "logsumexp, then where, jax.jit")],
        1.1,
        1.0,
    ),
)
NOTHING: Case = {"contenders": []}
ON_GPU = (("cupy", "CuPy"), ("torch", "torch"))


def found(case: Case, who: Who) -> Any:
    """The entry of a contender, or None if it was not timed."""
    for entry in case["contenders"]:
        if (entry["family"], entry["name"]) == who and entry["status"] == "timed":
            return entry
    return None


def of_fastest(case: Case, who: Who, others: Sequence[Who]) -> float | None:
    """The greatest of the medians of ratios, or None."""
    mine, theirs = found(case, who), [found(case, other) for other in others]
    if mine is None:
        return None
    ratios = [ratio(mine["seconds"], other["seconds"]) for other in theirs if other is not None]
    return max((each["median"] for each in ratios if each is not None), default=None)


def bars(
    cases: Sequence[Case], memory: Sequence[Mapping[str, Any]], device: str = "cpu"
) -> list[Bar]:
    """The bars of workloads that were run; set for the largest size, not measured without it."""
    large = {case["workload"]: case for case in cases if case["size"] == "large"}
    if device == "cuda":
        return list(_of_gpu(large))
    run = {case["workload"] for case in cases}
    rows = [
        Bar(
            rule.workload,
            rule.what,
            rule.bar,
            rule.aim,
            of_fastest(large.get(rule.workload, NOTHING), rule.who, rule.others),
        )
        for rule in RULES
        if rule.workload in run
    ]
    for family, label in (("numpy", "NumPy"), ("torch", "torch")):
        for workload in dict.fromkeys(row["workload"] for row in memory):
            sizes = [
                row["bytes"] / MIB
                for row in memory
                if (row["workload"], row["family"], row["name"]) == (workload, family, "ours")
                and row["status"] == "measured"
            ]
            what = f"{label}: peak memory beyond inputs"
            rows.append(Bar(workload, what, 64, 16, max(sizes, default=None), "MiB"))
    return rows


def _of_gpu(large: Mapping[str, Case]) -> Iterator[Bar]:
    for workload in (SQUARED, BINARY):
        case = large.get(workload, NOTHING)
        floors = [(family, "device floor") for family, _ in ON_GPU]
        for family, label in ON_GPU:
            times = of_fastest(case, (family, "ours"), floors)
            yield Bar(workload, f"{label}: times a one-pass read", 2.5, 1.3, times)
            gpu = (found(case, (family, "ours")) or {}).get("gpu", {})
            peak = gpu.get("peak_bytes")
            mib = None if peak is None else peak / MIB
            yield Bar(workload, f"{label}: peak memory beyond inputs", 1024, None, mib, "MiB")
            waits = gpu.get("waits")
            count = None if waits is None else float(waits)
            yield Bar(workload, f"{label}: waits for the device", 0, None, count, "")
