"""Run cases in several processes: most of the time goes into frameworks that compile."""

import multiprocessing
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

import agnostic_mask as am

from ._environments import environments
from ._run import Row, run
from ._variables import variables
from .cases import all_cases


def _run_one(names: Sequence[str], seed: int, tile_rows: int | None, case: int) -> list[Row]:
    # Frameworks warn of their own doings; what a law says of warnings it checks by itself.
    warnings.simplefilter("ignore")
    with _tiles_of(names, tile_rows):
        return list(run(environments(names), seed=seed, cases=[all_cases()[case]]))


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
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "JAX_COMPILATION_CACHE_DIR": folder,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
        with variables(settings):
            yield


def run_in_processes(
    names: Sequence[str],
    *,
    seed: int = 0,
    tile_rows: int | None = None,
    advance: Callable[[], Any] = lambda: None,
) -> Iterator[Row]:
    """Run all cases under all laws on the named backends, one process for each core.

    Parameters
    ----------
    names : sequence of str
        Backends.
    seed : int
        Of the inputs.
    tile_rows : int, optional
        Rows of a tile, into which batches are cut on backends that use tiles.
    advance : callable
        Called after each case.

    Yields
    ------
    Row
        In the order of the cases, whichever process is first.
    """
    context = multiprocessing.get_context("spawn")
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with _shared_compilations(), ProcessPoolExecutor(workers, mp_context=context) as pool:
        tasks = [pool.submit(_run_one, names, seed, tile_rows, i) for i in range(len(all_cases()))]
        for task in tasks:
            yield from task.result()
            advance()
