"""The chart for the README."""

import io
from collections.abc import Mapping
from typing import Any

from benchmarks._report import short

KINDS = ("squared error", "binary crossentropy")
OURS, SAFE, UNSAFE = "#0072B2", "#7F7F7F", "#D0D0D0"  # told apart by lightness alone, too


def _bars(case: Mapping[str, Any]) -> list[tuple[float, str, str]]:
    bars = []
    for entry in case["contenders"]:
        if entry.get("to_floor") and not entry["name"].endswith("floor"):
            ours = entry["name"].startswith("ours")
            colour = OURS if ours else SAFE if entry["nan_safe"] else UNSAFE
            label = f"{entry['label']}: {entry['name']}"
            bars.append((entry["to_floor"]["median"], label, colour))
    return sorted(bars, reverse=True)


def svg(results: Mapping[str, Any]) -> str | None:
    """Ratios to the floor at the largest size; None where no such workload was run."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.fonttype"] = "none"
    matplotlib.rcParams["svg.hashsalt"] = "benchmark"
    from matplotlib import pyplot
    from matplotlib.patches import Patch

    last = {case["kind"]: case for case in results["cases"] if "padding" not in case["workload"]}
    cases = [last[kind] for kind in KINDS if kind in last]
    if not cases:
        return None
    heights = [len(_bars(case)) for case in cases]
    figure, axes = pyplot.subplots(
        len(cases),
        1,
        figsize=(9, 1.6 + 0.2 * sum(heights)),
        squeeze=False,
        height_ratios=heights,
        layout="constrained",
    )
    for axis, case in zip(axes[:, 0], cases, strict=True):
        bars = _bars(case)
        values, labels, colours = zip(*bars, strict=True)
        drawn = axis.barh(labels, values, color=colours, edgecolor="#404040", linewidth=0.5)
        axis.bar_label(drawn, [short(value) for value in values], padding=3, fontsize=7)
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter(lambda x, _: f"{x:,g}")
        axis.set_xlim(left=1, right=1.6 * max(values))
        axis.set_ylim(-0.7, len(bars) - 0.3)
        axis.tick_params(axis="y", labelsize=7.5)
        axis.set_title(f"{case['workload']}, {case['elements']:,} float32", loc="left", fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1, 0].set_xlabel("times the floor, which reads the inputs once (less is better)")
    legend = {"agnostic_mask": OURS, "others, NaN-safe": SAFE, "others, not NaN-safe": UNSAFE}
    patches = [Patch(facecolor=c, edgecolor="#404040", label=n) for n, c in legend.items()]
    axes[0, 0].legend(handles=patches, loc="upper right", fontsize=8, frameon=False)
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    return out.getvalue()
