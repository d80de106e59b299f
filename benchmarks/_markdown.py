"""The table for the README: each workload at its largest size, ours and the main peers."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks._report import described

Case = Mapping[str, Any]

# Of each column the contenders that may stand in it: a workload has one of them, or the fastest
# one counts.
COLUMNS: dict[str, Sequence[tuple[str, str]]] = {
    "ours, NumPy": [("numpy", "ours")],
    "ours, torch": [("torch", "ours")],
    "ours, jax.jit": [("jax", "ours, jax.jit")],
    "NumPy, `np.where`": [
        ("numpy", "np.where formula"),
        ("numpy", "formula, then np.where"),
        ("numpy", "np.where, then bincount"),
        ("numpy", "by hand"),
    ],
    "`np.ma`": [("numpy", "numpy.ma")],
    "scikit-learn": [("numpy", "scikit-learn")],
    "torch eager": [
        ("torch", "where formula"),
        ("torch", "cross_entropy, then where"),
        ("torch", "where, then bincount"),
        ("torch", "by hand"),
    ],
    "torch.compile": [
        ("torch", "where formula, torch.compile"),
        ("torch", "cross_entropy, then where, torch.compile"),
    ],
    "jax.jit": [
        ("jax", "where formula, jax.jit"),
        ("jax", "logsumexp, then where, jax.jit"),
        ("jax", "by hand, jax.jit"),
        ("jax", "where, then bincount, jax.jit"),
        ("jax", "jnp.mean(where=), jax.jit"),
    ],
    "Keras 3": [
        (f"keras-{backend}", name)
        for backend in ("numpy", "torch", "jax", "tensorflow")
        for name in (
            "MeanSquaredError loss",
            "BinaryCrossentropy loss",
            "SparseCategoricalCrossentropy loss",
            "MeanSquaredError metric",
            "Mean metric",
        )
    ],
    "torchmetrics": [
        ("torch", "torchmetrics"),
        ("torch", "torchmetrics MeanMetric"),
        ("torch", "torchmetrics MeanSquaredError"),
    ],
    "ours, CuPy": [("cupy", "ours")],
    "CuPy, `where`": [("cupy", "where formula")],
}


def _largest(cases: Sequence[Case]) -> list[Case]:
    """The last of each workload, for sizes grow."""
    return list({case["workload"]: case for case in cases}.values())


def _cell(case: Case, who: Sequence[tuple[str, str]]) -> str:
    ratios = [
        entry["to_floor"]["median"]
        for entry in case["contenders"]
        if (entry["family"], entry["name"]) in who and entry.get("to_floor")
    ]
    if not ratios:
        return "-"
    return f"{min(ratios):,.0f}" if min(ratios) >= 10 else f"{min(ratios):.1f}"


def text(results: Mapping[str, Any]) -> str:
    """The table, with what it was measured on below."""
    cases = _largest(results["cases"])
    columns = {heading: [_cell(case, who) for case in cases] for heading, who in COLUMNS.items()}
    columns = {heading: cells for heading, cells in columns.items() if {*cells} != {"-"}}
    lines = [
        "| times the floor | elements | " + " | ".join(columns) + " |",
        "| --- | ---: |" + " ---: |" * len(columns),
    ]
    for i, case in enumerate(cases):
        cells = [column[i] for column in columns.values()]
        row = " | ".join([case["workload"], f"{case['elements']:,}", *cells])
        lines.append(f"| {row} |")
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    lines += [
        "",
        f"{described(results['machine'])}; {versions}. "
        f"Medians of {results['rounds']} rounds in alternation, of Keras its fastest backend.",
        "",
    ]
    return "\n".join(lines)
