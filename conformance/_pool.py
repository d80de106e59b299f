"""Run cases in several processes: most of the time goes into frameworks that compile."""

import dataclasses
import gc
import multiprocessing
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import agnostic_mask as am

from ._ledger import Ledger
from ._repeat import repeat
from ._row import FAILED, Row
from ._run import run
from ._selection import Selection
from ._variables import variables

NOTHING_KNOWN = Ledger()


@dataclass(frozen=True)
class Task:
    """What to run, and how.

    Attributes
    ----------
    selection : Selection
    versions : mapping of str to str
        Of the backends, by name.
    seed : int
        Of the inputs.
    tile_rows : int or None
        Rows of a tile, into which batches are cut on backends that use tiles.
    ledger : Ledger
        Known deviations.
    ledgers : tuple of str
        Files of which it was made, beside our own.
    """

    selection: Selection
    versions: Mapping[str, str]
    seed: int = 0
    tile_rows: int | None = None
    ledger: Ledger = NOTHING_KNOWN
    ledgers: tuple[str, ...] = ()

    def judged(self, row: Row, error: BaseException | None) -> Row:
        """A row in the light of the ledger, with what repeats it if it failed."""
        row = self.ledger.judge(row, self.versions[row.backend], error)
        if row.outcome != FAILED:
            return row
        command = repeat(
            row,
            self.selection,
            seed=self.seed,
            tile_rows=self.tile_rows,
            ledgers=self.ledgers,
        )
        return dataclasses.replace(row, command=command)


def _run_one(task: Task, case: int) -> list[Row]:
    chosen = task.selection
    with warnings.catch_warnings(), _tiles_of(chosen.backends, task.tile_rows):
        # Frameworks warn of their own doings; what a law says of warnings it checks by itself.
        warnings.simplefilter("ignore")
        outcomes = run(
            chosen.chosen_environments(),
            cases=[chosen.chosen_cases()[case]],
            laws=chosen.chosen_laws(),
            seed=task.seed,
            dtypes=chosen.chosen_dtypes(),
        )
        return [task.judged(outcome.row, outcome.error) for outcome in outcomes]


def _run_one_of_many(task: Task, case: int) -> list[Row]:
    rows = _run_one(task, case)
    # What frameworks keep of it, millions of objects after a while, is not gone through again
    # whenever garbage is collected.
    gc.collect()
    gc.freeze()
    return rows


@contextmanager
def _tiles_of(names: Sequence[str], rows: int | None) -> Iterator[None]:
    """Tiles of so many rows on backends that use tiles."""
    probes = am.available_backends()
    found = [probes[name].backend for name in names] if rows is not None else []
    tiling: list[Any] = [b for b in found if b is not None and b.tile_elements is not None]
    for backend in tiling:
        backend.tile_rows = lambda x, row: rows
    try:
        yield
    finally:
        for backend in tiling:
            del backend.tile_rows


@contextmanager
def _shared_compilations() -> Iterator[None]:
    """What one process compiles by JAX, operation by operation, serves the others."""
    # From where an operation was called is asked of every one, and shown for none.
    settings = {"JAX_TRACEBACK_IN_LOCATIONS_LIMIT": "0"}
    with tempfile.TemporaryDirectory() as folder:
        if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
            settings |= {
                "JAX_COMPILATION_CACHE_DIR": folder,
                "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
                "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
            }
        with variables(settings):
            yield


def run_in_processes(task: Task, advance: Callable[[], Any] = lambda: None) -> Iterator[Row]:
    """Run the chosen cases under the chosen laws, one process for each core if they are many.

    Parameters
    ----------
    task : Task
    advance : callable
        Called after each case.

    Yields
    ------
    Row
        In the order of the cases, whichever process is first.
    """
    count = len(task.selection.chosen_cases())
    if count == 1:  # in this process, where a debugger is
        yield from _run_one(task, 0)
        advance()
        return
    context = multiprocessing.get_context("spawn")
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with _shared_compilations(), ProcessPoolExecutor(workers, mp_context=context) as pool:
        for done in [pool.submit(_run_one_of_many, task, i) for i in range(count)]:
            yield from done.result()
            advance()
