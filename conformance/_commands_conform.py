"""The command `agnostic-mask conform`."""

import difflib
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

import agnostic_mask as am

from ._pool import run_in_processes
from ._report import as_json, table, uncovered, write_json
from ._run import FAILED, PASSED, Row
from .cases import all_cases

SHOWN_FAILURES = 20


def _names(value: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",")) if value else ()


@click.command()
@click.option("--backends", help="Run on these alone: names with commas between.")
@click.option(
    "--require",
    multiple=True,
    metavar="NAME",
    help="Fail, with the reason, if this backend cannot run. May be repeated.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write every row to this file.",
)
@click.option("--seed", default=0, show_default=True, help="Of the inputs.")
@click.option(
    "--tile-rows",
    type=click.IntRange(min=1),
    help="Cut every batch into tiles of so many rows, on backends that use tiles for large ones.",
)
def conform(
    backends: str | None,
    require: Sequence[str],
    json_file: Path | None,
    seed: int,
    tile_rows: int | None,
) -> None:
    """Check every public function under every law on every usable backend.

    The exit code is 1 on any failure, a required backend that cannot run included.
    """
    probes = am.available_backends()
    chosen = _names(backends) or tuple(probes)
    for name in (*chosen, *require):
        if name not in probes:
            near = difflib.get_close_matches(name, probes, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            known = ", ".join(probes)
            raise click.UsageError(f"no backend is called {name!r}{meant} Known: {known}")
    if json_file is not None and not json_file.absolute().parent.is_dir():
        raise click.UsageError(f"--json {json_file}: its folder does not exist")
    wanted = tuple(dict.fromkeys((*chosen, *require)))
    not_run = {name: probes[name].reason for name in wanted if not probes[name].usable}
    missing = [name for name in require if name in not_run]
    console = Console(width=None if sys.stdout.isatty() else 140)
    for name in missing:
        console.print(f"[red]required, and cannot run: {name}: {escape(not_run[name])}[/]")
    if missing:
        sys.exit(1)
    usable = [name for name in wanted if name not in not_run]
    if not usable:
        raise click.UsageError("none of the backends can run: " + "; ".join(not_run.values()))
    rows = _run(usable, seed, tile_rows)
    console.print(table(rows))
    _print_failures(console, rows)
    for name, reason in not_run.items():
        console.print(f"not run: {name}, {escape(reason)}", highlight=False)
    gaps = uncovered(rows)
    for name in gaps:
        console.print(f"[red]no case covers {name}[/]")
    if json_file is not None:
        write_json(json_file, as_json(rows, seed, not_run))
    failed = sum(row.outcome == FAILED for row in rows)
    passed = sum(row.outcome == PASSED for row in rows)
    rest = len(rows) - passed - failed
    console.print(f"{passed} passed, {failed} failed, {rest} do not apply", highlight=False)
    sys.exit(1 if failed or gaps else 0)


def _run(names: Sequence[str], seed: int, tile_rows: int | None) -> list[Row]:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("cases", total=len(all_cases()))
        rows = run_in_processes(
            names, seed=seed, tile_rows=tile_rows, advance=lambda: progress.advance(bar)
        )
        return list(rows)


def _print_failures(console: Console, rows: Sequence[Row]) -> None:
    failures = [row for row in rows if row.outcome == FAILED]
    for row in failures[:SHOWN_FAILURES]:
        where = f"{row.environment} {row.dtype}"
        console.print(f"[red]{escape(f'{row.law}: {row.case} on {where}')}[/]")
        console.print(f"  {escape(row.reason)}", highlight=False)
    if len(failures) > SHOWN_FAILURES:
        console.print(f"and {len(failures) - SHOWN_FAILURES} more; --json FILE has them all")
