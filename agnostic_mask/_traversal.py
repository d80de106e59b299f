"""Go through a large batch in tiles, on several threads, with results that do not show it.

Tiles have a fixed length, are gathered in bundles of a fixed number, and bundles are merged in the
order of their position: neither the number of threads nor which of them is first shows in a bit.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from numbers import Integral
from typing import Any, TypeVar

from agnostic_mask._array import Array
from agnostic_mask._backend import Backend

VARIABLE = "AGNOSTIC_MASK_THREADS"

_T = TypeVar("_T")

_BUNDLE = 4
"""Tiles that one thread goes through before it hands over, which costs as much as a small tile."""

_KEPT = 31 * 2**20
"""Bytes, just below those of which this allocator never keeps any."""

_MOST = 4
"""Threads by default at most: Python runs one at a time between the operations on arrays."""


@cache
def _keep_pages() -> None:
    """Teach the allocator of glibc, once a process, to keep what temporaries of a tile take.

    It keeps as much as it was given back. Without that every temporary would be fresh pages from
    the system, which cost five times what is computed in them.
    """
    bytes(_KEPT)


def number_of_threads(threads: Any) -> int:
    """`threads`, or the environment's, or as many as there are processors, at most four.

    Raises
    ------
    ValueError
        If it is no positive integer.
    """
    name, given = "threads", threads
    if threads is None:
        text = os.environ.get(VARIABLE, "")
        if not text:
            return min(_MOST, _processors())
        name, given = f"the environment variable {VARIABLE}", text
        threads = int(text) if text.isdecimal() else text
    if isinstance(threads, bool) or not isinstance(threads, Integral) or threads < 1:
        raise ValueError(f"{name} is {given!r}; expected an integer of at least 1")
    return int(threads)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):  # which knows of containers, but is not everywhere
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def folded(
    starts: Sequence[int],
    gather: Callable[[int], _T],
    merge: Callable[[_T, _T], _T],
    backend: Backend,
    like: Array,
    threads: int | None,
) -> _T:
    """What is gathered of each tile, merged in order; there is at least one.

    Parameters
    ----------
    starts : sequence of int
        First row of each tile.
    gather : callable
        What is in the tile that starts there. Called from several threads.
    merge : callable
    backend : Backend
    like : array
        One of those that are cut.
    threads : int or None
        As `number_of_threads` takes it.
    """
    _keep_pages()

    def of_bundle(bundle: Sequence[int]) -> _T:
        found = gather(bundle[0])
        for start in bundle[1:]:
            found = merge(found, gather(start))
        return found

    bundles = [starts[i : i + _BUNDLE] for i in range(0, len(starts), _BUNDLE)]
    begin, several = backend.begin_thread(like), min(number_of_threads(threads), len(bundles))
    if begin is None or (several == 1 and not backend.shares_operations):
        in_order: Iterator[_T] = map(of_bundle, bundles)
    else:
        in_order = _on_threads(of_bundle, bundles, several, begin)
    found = next(in_order)
    for other in in_order:
        found = merge(found, other)
    return found


def _on_threads(
    work: Callable[[Sequence[int]], _T],
    bundles: Sequence[Sequence[int]],
    threads: int,
    begin: Callable[[], None],
) -> Iterator[_T]:
    """Results in order, few of them ahead of those that were asked for."""
    pool = ThreadPoolExecutor(threads, "agnostic_mask", initializer=begin)
    ahead: deque[Future[_T]] = deque()
    try:
        for bundle in bundles:
            # NumPy keeps in the context how to treat floating point errors.
            ahead.append(pool.submit(copy_context().run, work, bundle))
            if len(ahead) > 2 * threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
