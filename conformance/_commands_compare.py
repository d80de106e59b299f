"""The commands `agnostic-mask compare` and `agnostic-mask backends`."""

import itertools
import sys
from collections.abc import Sequence

import click
import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import agnostic_mask as am

from . import datafile
from ._environments import environments, short, unusable
from .compare import DTYPE, Comparison, Loss, Result
from .compare import compare as compare_all
from .datafile import Data
from .naive import NaiveResult, loss_of, naive

WIDTH = 100


class InputError(click.ClickException):
    """Input that is not as it should be: a message and exit code 2, as for a wrong option."""

    exit_code = 2


@click.command()
@click.argument("file", required=False, metavar="[FILE.npz]")
def compare(file: str | None) -> None:
    """Compare every backend, and the naive ways, with the right answer on real data.

    FILE.npz holds y_true and y_pred, and may hold weights, and mask or lengths. Without it the
    data is Japanese Vowels: the probability of each speaker in each frame of padded utterances.

    Most of the time goes into the higher-precision values: 20 seconds for 100000 numbers.

    The exit code is 1 if a backend is out of bound, 2 if the file is not as it should be.
    """
    try:
        data = datafile.bundled() if file is None else datafile.load(file)
    except am.AgnosticMaskError as error:
        raise InputError(str(error)) from error
    console = _console()
    console.print(_description(data))
    wrong, results = 0, 0
    for loss, group in itertools.groupby(
        compare_all(data, environments(settings=False)), lambda c: c.loss
    ):
        comparisons = list(group)
        console.print(_backends_table(loss, comparisons))
        for label, raised in _raised(comparisons):
            console.print(f"[red]{escape(label)}: {escape(raised)}[/]")
        verdicts = [r.within for c in comparisons for r in c.results]
        wrong, results = wrong + verdicts.count(False), results + len(verdicts)
        if loss == loss_of(data):
            reference = next(c.reference for c in comparisons if c.reduction == "mean")
    console.print(_naive_table(data, list(naive(data, reference)), float(reference.value)))
    console.print()
    for name, reason in unusable().items():
        console.print(f"not run: [bold]{name}[/], {escape(reason)}")
    if wrong:
        console.print(f"[bold red]{wrong} of {results} results are out of bound[/]")
        sys.exit(1)
    console.print(f"[bold green]All {results} results are within bound[/]")


@click.command()
def backends() -> None:
    """List the backends: which can run here, on which devices, and why not."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in ("backend", "usable", "version"):
        table.add_column(name, no_wrap=True)
    table.add_column("devices", overflow="fold", max_width=28)
    table.add_column("reason", overflow="fold")
    for name, probe in am.available_backends().items():
        usable = "[green]yes[/]" if probe.usable else "[red]no[/]"
        devices = ", ".join(map(short, probe.devices))
        table.add_row(name, usable, probe.version, escape(devices), escape(probe.reason))
    _console().print(table)


def _console() -> Console:
    console = Console(highlight=False)
    # A narrow terminal wraps lines; narrower tables would lose numbers.
    width = max(console.width, WIDTH) if console.is_terminal else WIDTH
    return Console(highlight=False, width=width)


def _description(data: Data) -> str:
    arrays = {name: getattr(data, name) for name in ("y_true", "y_pred", "weights", "mask")}
    shapes = ", ".join(f"{name} {x.shape}" for name, x in arrays.items() if x is not None)
    counts, size = int(data.included.sum()), data.included.size
    finite = np.isfinite(data.y_pred).reshape(*data.included.shape, -1).all(axis=-1)
    odd = int((~finite).sum())
    garbage = f"; y_pred is NaN or infinite in {odd} of the others" if odd else ""
    lines = [
        f"[bold]{escape(data.name)}[/]: {shapes}",
        f"{counts} of {size} elements count{garbage}. Computed in {DTYPE}.",
    ]
    if data.unused:
        lines.append(f"Not used: {escape(', '.join(data.unused))}")
    return "\n".join(lines)


def _table(title: str) -> Table:
    return Table(
        title=f"\n{title}",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
    )


def _backends_table(loss: Loss, comparisons: Sequence[Comparison]) -> Table:
    table = _table(str(loss))
    table.add_column("reduction", no_wrap=True)
    table.add_column("computed by", no_wrap=True, min_width=37)
    table.add_column("value", min_width=16, no_wrap=True)
    table.add_column("off by", justify="right", overflow="fold")
    table.add_column("of bound", justify="right", overflow="fold")
    table.add_column("", no_wrap=True, min_width=6)
    for comparison in comparisons:
        value, bound = float(comparison.reference.value), comparison.reference.bound
        exact = f"{value:#.12g}", "", f"{bound:.1e}", "bound"
        table.add_row(comparison.reduction, "higher precision (mpmath)", *exact, style="cyan")
        for result in comparison.results:
            table.add_row("", result.label, *_cells(result))
        table.add_section()
    return table


def _cells(result: Result) -> tuple[str, str, str, str]:
    if result.error:
        return "", "", "", "[bold red]RAISED[/]"
    verdict = "[green]within[/]" if result.within else "[bold red]OUT[/]"
    return f"{result.value:#.9g}", f"{result.distance:.1e}", _of_bound(result.share), verdict


def _raised(comparisons: Sequence[Comparison]) -> list[tuple[str, str]]:
    """What was raised, each once."""
    return list(
        dict.fromkeys((r.label, r.error) for c in comparisons for r in c.results if r.error)
    )


def _of_bound(share: float) -> str:
    if not np.isfinite(share):
        return ""
    return f"{share:.1%}" if share < 10 else f"{share:,.0f} x"


def _naive_table(data: Data, results: Sequence[NaiveResult], right: float) -> Table:
    table = _table(f"The naive ways to the mean of {loss_of(data)}, which is {right:#.9g}")
    table.add_column("way: scores s, mask m, weights w", min_width=54)
    table.add_column("gives", max_width=22)
    table.add_column("off by", justify="right", overflow="fold")
    table.add_column("of bound", justify="right", overflow="fold")
    for result in results:
        way = f"[bold]{escape(result.name)}[/]: {escape(result.code)}\n[dim]{escape(result.why)}[/]"
        table.add_row(way, *_naive_cells(result))
        table.add_section()
    return table


def _naive_cells(result: NaiveResult) -> tuple[str, str, str]:
    if result.outcome is None:
        return "[dim]does not apply[/]", "", ""
    if isinstance(result.outcome, str):
        return f"[red]{escape(result.outcome)}[/]", "", ""
    colour = "green" if result.share <= 1 else "red"
    value = f"[{colour}]{result.outcome:#.9g}[/]"
    return value, f"{result.distance:.1e}", _of_bound(result.share)
