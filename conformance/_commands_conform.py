"""The command `agnostic-mask conform`."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

import agnostic_mask as am

from ._choice import ChoiceError, MissingError, chosen_backends
from ._coverage import uncovered
from ._files import whole_file
from ._ledger import Ledger, LedgerError
from ._pool import Task, run_in_processes
from ._row import FAILED, Row
from ._selection import Selection, SelectionError
from .reports import ReportError, as_data, difference, markdown, matrix, read, write

WIDTH = 140
"""Of what is written to a file or a pipe."""

FILE = click.Path(dir_okay=False, path_type=Path)


def _names(value: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",")) if value else ()


@click.command()
@click.option("--backends", help="Run on these alone: names with commas between.")
@click.option(
    "--require",
    multiple=True,
    metavar="NAME",
    help="Fail, with the reason, if this backend cannot run (torch:cuda: on such a device). May be "
    "repeated.",
)
@click.option(
    "--case",
    "cases",
    multiple=True,
    metavar="GLOB",
    help="Run cases whose names fit: `*` is any text, `?` one character. May be repeated.",
)
@click.option(
    "--law",
    "laws",
    multiple=True,
    metavar="GLOB",
    help="Check laws whose names fit. May be repeated.",
)
@click.option(
    "--environment",
    "environments",
    multiple=True,
    metavar="GLOB",
    help="Run where the label of backend, device and settings fits. May be repeated.",
)
@click.option("--dtypes", help="Try these float types alone: names with commas between.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the inputs."
)
@click.option(
    "--tile-rows",
    type=click.IntRange(min=1),
    help="Cut every batch into tiles of so many rows, on backends that use tiles for large ones.",
)
@click.option(
    "--ledger",
    "ledgers",
    multiple=True,
    type=FILE,
    help="Expect the known deviations in this file, beside our own. May be repeated.",
)
@click.option("--json", "json_file", type=FILE, help="Write every row to this file.")
@click.option(
    "--markdown",
    "markdown_file",
    type=FILE,
    help="Write a summary for a pull request to this file.",
)
@click.option(
    "--diff",
    nargs=2,
    metavar="OLD NEW",
    type=FILE,
    help="Run nothing: compare two files of --json. The exit code is 1 if anything got worse.",
)
@click.pass_context
def conform(
    context: click.Context,
    backends: str | None,
    require: Sequence[str],
    cases: tuple[str, ...],
    laws: tuple[str, ...],
    environments: tuple[str, ...],
    dtypes: str | None,
    seed: int,
    tile_rows: int | None,
    ledgers: Sequence[Path],
    json_file: Path | None,
    markdown_file: Path | None,
    diff: tuple[Path, Path] | None,
) -> None:
    """Check every public function under every law on every usable backend.

    The exit code is 1 on any failure, a required backend that cannot run included, and 2 if an
    option or a file is not as it should be.
    """
    if diff is not None:
        _alone(context, "diff")
        sys.exit(_compare(*diff))
    for option, file in (("--json", json_file), ("--markdown", markdown_file)):
        if file is not None and not file.absolute().parent.is_dir():
            raise click.UsageError(f"{option} {file}: its folder does not exist")
    usable, not_run = _backends(_names(backends), require)
    selection = Selection(usable, cases, laws, environments, _names(dtypes))
    try:
        selection.check()
        ledger = Ledger.merged(Ledger.own(), *map(Ledger.load, ledgers))
    except (SelectionError, LedgerError) as error:
        raise click.UsageError(str(error)) from error
    versions = {name: probe.version for name, probe in am.available_backends().items()}
    task = Task(selection, versions, seed, tile_rows, ledger, tuple(map(str, ledgers)))
    rows = _run(task)
    if not rows:
        raise click.UsageError("nothing is left to run: no chosen case has a chosen float type")
    click.echo(matrix(rows, not_run, _width()), nl=False)
    complaints = [] if selection.narrowed else _complaints(rows, task)
    for complaint in complaints:
        click.secho(complaint, fg="red")
    data = as_data(rows, seed=seed, not_run=not_run)
    if json_file is not None:
        write(json_file, data)
    if markdown_file is not None:
        with whole_file(markdown_file) as opened:
            opened.write(markdown(data))
    sys.exit(1 if complaints or any(row.outcome == FAILED for row in rows) else 0)


def _alone(context: click.Context, name: str) -> None:
    """Refuse other options beside one that runs nothing."""
    given = click.core.ParameterSource.COMMANDLINE
    for option in context.command.params:
        if option.name != name and context.get_parameter_source(str(option.name)) == given:
            raise click.UsageError(f"--{name} runs nothing: leave out {option.opts[0]}")


def _compare(old: Path, new: Path) -> int:
    try:
        found = difference(read(old), read(new))
    except ReportError as error:
        raise click.UsageError(f"--diff: {error}") from error
    click.echo(str(found), nl=False)
    return int(found.worse)


def _backends(
    chosen: Sequence[str], require: Sequence[str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Names of the backends to run, and those that cannot, with the reason of each."""
    try:
        usable, not_run = chosen_backends(chosen or None, require)
    except MissingError as error:  # a failure, and no mistake in an option
        click.secho(str(error), fg="red")
        sys.exit(1)
    except ChoiceError as error:
        raise click.UsageError(str(error)) from error
    return tuple(usable), not_run


def _run(task: Task) -> list[Row]:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("cases", total=len(task.selection.chosen_cases()))
        return list(run_in_processes(task, advance=lambda: progress.advance(bar)))


def _complaints(rows: Sequence[Row], task: Task) -> list[str]:
    """What is wrong with a whole run beside the rows that failed."""
    stale = task.ledger.stale(rows, task.versions)
    return [
        *(f"no case covers {name}" for name in uncovered(rows)),
        *(f"{entry.source} is stale: nothing that ran is what it is about" for entry in stale),
    ]


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
