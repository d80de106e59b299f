"""What a run of the suite says: a table for people, JSON for machines, and what was missed."""

import dataclasses
import json
import platform
from collections import defaultdict
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

import agnostic_mask as am

from ._files import whole_file
from ._run import FAILED, NOT_APPLICABLE, PASSED, Row
from .cases import NOT_NUMERIC

SCHEMA = 1


def table(rows: Sequence[Row]) -> Table:
    """Case groups by backends: how many passed and failed, and the largest share of the bound."""
    backends = list(dict.fromkeys(row.backend for row in rows))
    cells: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        cells[row.group, row.backend].append(row)
    shown = Table(box=box.SIMPLE_HEAD, caption="passed, failed, largest share of the bound")
    shown.add_column("group")
    for backend in backends:
        shown.add_column(backend, justify="right")
    for group in dict.fromkeys(row.group for row in rows):
        shown.add_row(group, *(_cell(cells[group, backend]) for backend in backends))
    shown.add_section()
    every = [[r for r in rows if r.backend == backend] for backend in backends]
    shown.add_row("all", *map(_cell, every))
    return shown


def _cell(rows: Sequence[Row]) -> str:
    passed = sum(row.outcome == PASSED for row in rows)
    failed = sum(row.outcome == FAILED for row in rows)
    share = max((row.share for row in rows if row.share is not None), default=None)
    said = f"{passed}, [bold red]{failed}[/]" if failed else f"{passed}, 0"
    return said if share is None else f"{said}, {share:.0%}"


def uncovered(rows: Sequence[Row]) -> list[str]:
    """Public functions for which no row ran and no reason is written."""
    ran = {row.covers for row in rows}
    public = {name for name in am.__all__ if name not in NOT_NUMERIC}
    public |= {f"losses.{name}" for name in am.losses.__all__}
    public |= {f"metrics.{name}" for name in am.metrics.__all__ if name not in NOT_NUMERIC}
    # The objective is what every loss is run through.
    public.discard("weighted_masked_objective")
    return sorted(public - ran)


def as_json(rows: Sequence[Row], seed: int, not_run: dict[str, str]) -> dict[str, Any]:
    """A run as data: versions, what did not run and why, and every row."""
    return {
        "schema": SCHEMA,
        "seed": seed,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {
            "agnostic_mask": am.__version__,
            "array_api_compat": metadata.version("array-api-compat"),
            **{name: probe.version for name, probe in am.available_backends().items()},
        },
        "not_run": not_run,
        "counts": {
            outcome: sum(row.outcome == outcome for row in rows)
            for outcome in (PASSED, FAILED, NOT_APPLICABLE)
        },
        "rows": [dataclasses.asdict(row) for row in rows],
    }


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Write a report: whole, or not at all."""
    with whole_file(path) as file:
        json.dump(data, file, indent=1)
        file.write("\n")
