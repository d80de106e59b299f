"""The command that repeats one failure of our own catalogue, and it alone."""

import shlex
from collections.abc import Sequence

from ._row import Row
from ._selection import Selection
from .laws import backends_agree


def repeat(
    row: Row,
    selection: Selection,
    *,
    seed: int,
    tile_rows: int | None = None,
    ledgers: Sequence[str] = (),
) -> str:
    """Command line that runs again what came to a row.

    Parameters
    ----------
    row : Row
    selection : Selection
        What the run of the row was about.
    seed : int
        Of its inputs.
    tile_rows : int, optional
        Rows of a tile, if they were given.
    ledgers : sequence of str
        Files that were given.

    Returns
    -------
    str
        Quoted for a shell.
    """
    backends, environments = [row.backend], [row.environment]
    if row.law == backends_agree.name:  # it compares with what ran before
        backends, environments = list(selection.backends), list(selection.environments)
    words = ["agnostic-mask", "conform", "--backends", ",".join(backends)]
    for option, values in (
        ("--environment", environments),
        ("--case", [row.case]),
        ("--law", [row.law]),
        ("--dtypes", [row.dtype]),
        ("--seed", [str(seed)]),
        ("--tile-rows", [] if tile_rows is None else [str(tile_rows)]),
        ("--ledger", ledgers),
    ):
        for value in values:
            words += [option, value]
    return shlex.join(words)
