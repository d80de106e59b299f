"""Go through a large batch in tiles, on several threads, with results that do not show it.

Tiles have a fixed length, are gathered in bundles of a fixed number, and bundles are merged in the
order of their position: neither the number of threads nor which of them is first shows in a bit.
"""

import os
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import cache
from numbers import Integral
from threading import Condition, Thread
from typing import Any, Generic, TypeVar

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
    also: Callable[[_T, int], _T] | None = None,
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
    also : callable, optional
        What was gathered before merged with what is in the tile that starts there, if there is a
        shorter way to it.
    """
    _keep_pages()

    def of_bundle(bundle: Sequence[int]) -> _T:
        found = gather(bundle[0])
        for start in bundle[1:]:
            found = merge(found, gather(start)) if also is None else also(found, start)
        return found

    bundles = [starts[i : i + _BUNDLE] for i in range(0, len(starts), _BUNDLE)]
    begin, several = backend.begin_thread(like), min(number_of_threads(threads), len(bundles))
    work = _Work(bundles, of_bundle, merge, ahead=2 * several)
    # The caller's thread takes part, unless a framework shares the operations of that with others.
    caller = begin is None or not backend.shares_operations
    return work.done([] if begin is None else [begin] * (several - caller), caller=caller)


class _Work(Generic[_T]):
    """Bundles of tiles that threads take in turns, and what they gather, merged in order.

    Who has gathered the bundle that is next also merges it, and those after it that wait: threads
    that hand their results to another would have to wake it.
    """

    def __init__(
        self,
        bundles: Sequence[Sequence[int]],
        gather: Callable[[Sequence[int]], _T],
        merge: Callable[[_T, _T], _T],
        ahead: int,
    ) -> None:
        self._bundles, self._gather, self._merge, self._ahead = bundles, gather, merge, ahead
        self._merged: list[_T] = []
        self._waiting: dict[int, _T] = {}
        self._taken = self._next = 0
        self._failure: BaseException | None = None
        self._changed = Condition()

    def done(self, begins: Sequence[Callable[[], None]], *, caller: bool) -> _T:
        """What all bundles gather.

        Parameters
        ----------
        begins : sequence of callables
            For each thread to start, what it does first.
        caller : bool
            Whether the caller's thread takes part.
        """
        # NumPy keeps in the context how to treat floating point errors.
        threads = [Thread(target=copy_context().run, args=(self._run, f)) for f in begins]
        for thread in threads:
            thread.start()
        try:
            if caller:
                self._take_part()
            for thread in threads:
                thread.join()
        except BaseException as failure:
            self._fail(failure)
            for thread in threads:
                thread.join()
            raise
        if self._failure is not None:
            raise self._failure
        return self._merged[0]

    def _run(self, begin: Callable[[], None]) -> None:
        try:
            begin()
            self._take_part()
        except BaseException as failure:
            self._fail(failure)

    def _fail(self, failure: BaseException) -> None:
        with self._changed:
            self._failure = failure
            self._changed.notify_all()

    def _take_part(self) -> None:
        while (i := self._take()) is not None:
            self._hand_in(i, self._gather(self._bundles[i]))

    def _take(self) -> int | None:
        with self._changed:
            # Results that wait would grow with the batch.
            self._changed.wait_for(
                lambda: self._failure is not None or self._taken - self._next <= self._ahead
            )
            i = self._taken
            if i == len(self._bundles) or self._failure is not None:
                return None
            self._taken += 1
            return i

    def _hand_in(self, i: int, found: _T) -> None:
        with self._changed:
            self._waiting[i] = found
            if i != self._next:
                return
            while self._next in self._waiting:
                part = self._waiting.pop(self._next)
                self._merged = [self._merge(self._merged[0], part) if self._merged else part]
                self._next += 1
            self._changed.notify_all()
