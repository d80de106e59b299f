"""What was measured, as tables to read."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks._bars import Bar

MIB = 2**20
NUMBERS = {"mean": "", "counts": "", "keras2": "Keras 2's number", "unweighted": "without weights"}


def short(x: float | None) -> str:
    """Three digits that count."""
    if x is None:
        return "-"
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"


def _median(entry: Mapping[str, Any], key: str) -> str:
    spread = entry.get(key)
    return short(spread["median"]) if spread else "-"


def _note(entry: Mapping[str, Any]) -> str:
    words = [entry["why"] if entry["status"] == "timed" else f"{entry['status']}: {entry['why']}"]
    words.append(NUMBERS.get(entry["number"], ""))
    gpu = entry.get("gpu", {})
    if "peak_bytes" in gpu:
        words.append(f"{gpu['peak_bytes'] / MIB:.0f} MiB")
        kernels = gpu["kernels"]
        words.append("kernels not counted" if kernels is None else f"{kernels} kernels")
        words.append({True: "waits", False: "does not wait", None: ""}[gpu["waits"]])
    return "; ".join(word for word in words if word)


def table_of(case: Mapping[str, Any]) -> Table:
    """One workload at one size, the fastest first."""
    table = Table(
        title=f"{case['workload']}, {case['size']}: {case['elements']:,} elements",
        caption=f"{case['about']}. Floor: {case['floor']}. Ratios are medians of the rounds'.",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("arrays")
    table.add_column("contender", overflow="fold")
    for heading in ("x floor", "x ours", "ms", "quartiles", "off by"):
        table.add_column(heading, justify="right")
    table.add_column("NaN-safe")
    table.add_column("note", overflow="fold")
    for entry in sorted(case["contenders"], key=_order):
        spread = entry.get("milliseconds")
        quartiles = f"{short(spread['q1'])} to {short(spread['q3'])}" if spread else "-"
        error = entry.get("error")
        table.add_row(
            entry["label"],
            entry["name"],
            _median(entry, "to_floor"),
            _median(entry, "to_ours"),
            _median(entry, "milliseconds"),
            quartiles,
            "-" if error is None else f"{error:.0e}",
            "yes" if entry["nan_safe"] else "",
            _note(entry),
            style="bold" if entry["name"].startswith("ours") else None,
        )
    return table


def _order(entry: Mapping[str, Any]) -> tuple[bool, float]:
    spread = entry.get("milliseconds")
    return spread is None, spread["median"] if spread else 0.0


def memory_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Peak memory: a line for each contender, a column for each size."""
    table = Table(
        title="peak memory beyond the inputs, MiB, of one call in a fresh process",
        caption="what is compiled for the size is in it: 10 to 30 MiB where the name says so",
        title_justify="left",
        caption_justify="left",
    )
    sizes = sorted({row["elements"] for row in rows})
    for heading in ("workload", "arrays", "contender"):
        table.add_column(heading)
    for size in sizes:
        table.add_column(f"{size / 1e6:.1f} M", justify="right")
    lines: dict[tuple[str, str, str], dict[int, str]] = {}
    for row in rows:
        key = row["workload"], row["label"], row["name"]
        shown = short(row["bytes"] / MIB) if row["status"] == "measured" else row["why"]
        lines.setdefault(key, {})[row["elements"]] = shown
    for key, shown_by in lines.items():
        table.add_row(*key, *(shown_by.get(size, "-") for size in sizes))
    return table


def bars_table(bars: Sequence[Bar]) -> Table:
    """What must be reached."""
    table = Table(title="must reach, at the largest size", title_justify="left")
    for heading in ("workload", "what"):
        table.add_column(heading, overflow="fold")
    for heading in ("bar", "aim", "measured"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for bar in bars:
        unit = f" {bar.unit}" if bar.unit else ""
        numbers = (
            "-" if x is None else f"{short(x)}{unit}" for x in (bar.bar, bar.aim, bar.measured)
        )
        style = {"missed": "red", "aim missed": "yellow"}.get(bar.verdict)
        table.add_row(bar.workload, bar.what, *numbers, bar.verdict, style=style)
    return table


def described(machine: Mapping[str, Any]) -> str:
    """What it ran on."""
    words = f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}"
    return f"{machine['gpu']}; {words}" if machine.get("gpu") else words


def printed(results: Mapping[str, Any], bars: Sequence[Bar], console: Console) -> None:
    """Print it all."""
    for case in results["cases"]:
        console.print(table_of(case), "")
    if results["memory"]:
        console.print(memory_table(results["memory"]), "")
    elif results["memory_why"]:
        console.print(f"peak memory: {results['memory_why']}", "")
    if bars:
        console.print(bars_table(bars))
    machine = results["machine"]
    console.print(described(machine))
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    console.print(versions, highlight=False)
