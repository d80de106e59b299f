"""What is gathered from a batch, and what every kind of it has in common."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from agnostic_mask import _cover
from agnostic_mask._array import Array
from agnostic_mask._backend import Backend
from agnostic_mask._dispatch import Dispatch, resolve, resolved_before
from agnostic_mask._dtypes import is_integer
from agnostic_mask._errors import StateMismatchError
from agnostic_mask._registry import kind_of
from agnostic_mask._replay import Replays
from agnostic_mask._state import State, configurations, leaves, with_leaves
from agnostic_mask._totals import Split
from agnostic_mask._traversal import folded, number_of_threads

_S = TypeVar("_S", bound=State)
_T = TypeVar("_T")


class Arguments(NamedTuple):
    """A batch as it was passed: y_true and y_pred (or x alone), weights, mask; groups; ids.

    `repeats` says how often each row is in each of R resamples, shape (R, N); `threads`, how many
    may go through the batch.
    """

    arrays: tuple[Array, ...]
    weights: Array | None
    mask: Array | None
    by: Array | None = None
    num_groups: int | None = None
    repeats: Array | None = None
    ids: Array | None = None
    threads: int | None = None

    @property
    def split(self) -> Split | None:
        """By what totals of the batch are told apart."""
        if self.by is None and self.repeats is None:
            return None
        return Split(self.by, self.num_groups or 0, self.repeats)

    def named(self) -> list[tuple[str, Array]]:
        """All of them with the names of their parameters."""
        names = ("y_true", "y_pred") if len(self.arrays) == 2 else ("x",)
        return [
            *zip(names, self.arrays, strict=True),
            ("weights", self.weights),
            ("mask", self.mask),
            ("by", self.by),
            ("ids", self.ids),
        ]

    def all_arrays(self) -> tuple[Array | None, ...]:
        """All of them, in one order."""
        return (*self.arrays, self.weights, self.mask, self.by, self.ids)

    @property
    def number(self) -> int:
        """How many `all_arrays` are."""
        return len(self.arrays) + 4

    def with_arrays(self, arrays: Sequence[Array | None]) -> "Arguments":
        """The same with others, in the order of `all_arrays`."""
        *scored, weights, mask, by, ids = arrays
        return self._replace(arrays=tuple(scored), weights=weights, mask=mask, by=by, ids=ids)

    def covers(self) -> tuple[Array, ...]:
        """Those of weights and mask that were given."""
        return tuple([x for x in (self.weights, self.mask) if x is not None])

    def cut(self, start: int, stop: int) -> "Arguments":
        """Those rows of a batch; what covers all rows by a dimension of 1 stays."""
        arrays = tuple(x[start:stop, ...] for x in self.arrays)
        return self._replace(
            arrays=arrays,
            weights=_cover.rows(self.weights, start, stop),
            mask=_cover.rows(self.mask, start, stop),
            by=_cover.rows(self.by, start, stop),
            ids=None if self.ids is None else self.ids[start:stop],
        )


class Statistic(ABC, Generic[_S]):
    """What is gathered of each batch; statistics that are equal are gathered once.

    Attributes
    ----------
    made_for : str
        What is gathered, with every option that decides on it; the same in every process.
    state : type
        Class of its states.
    copies : int or None
        Length of the leading axis of its states, which have one for resamples; None if they do
        not.
    """

    made_for: str
    state: ClassVar[type[State]]
    copies: ClassVar[int | None] = None

    @property
    def replays(self) -> bool:
        """Whether what is gathered never depends on the values of elements."""
        return True

    @abstractmethod
    def zero(self, d: Dispatch, dtype: str) -> _S:
        """State of no batch, which changes nothing when merged."""

    @abstractmethod
    def gather(self, batch: Arguments) -> _S:
        """State of one batch."""

    @abstractmethod
    def merge(self, left: _S, right: _S) -> _S:
        """State of the batches of both, which were made for this statistic."""

    def zero_like(self, like: _S) -> _S:
        """State of no batch with the arrays of `like`, their shapes and dtypes."""
        return zeros_like(like)

    def check_gathers(self) -> None:
        """Raise ValueError if there is nothing to gather."""
        return

    def covered(self, *shapes: _cover.Shape) -> _cover.Shape | None:
        """Shape that mask and weights cover, for arrays of these shapes.

        None if elements depend on others, or might: then a batch cannot be cut into tiles.
        """
        return None

    def whole(self, backend: Backend) -> bool:
        """Whether batches are not to be cut into tiles, whatever they are."""
        return False

    def check(self, name: str, state: Any) -> None:
        """Raise unless `state` was made for this statistic.

        Raises
        ------
        TypeError
            If it is no state at all.
        StateMismatchError
            If it was made for something else.
        """
        if not isinstance(state, State):
            raise TypeError(
                f"{name} is a {type(state).__name__}; expected a state that zero, update or merge "
                f"made"
            )
        if not isinstance(state, self.state) or state.made_for != self.made_for:
            raise StateMismatchError(
                f"{name} was made for {state.made_for!r}; expected one for {self.made_for!r}: "
                f"the two do not count the same things"
            )


def merged(statistic: Statistic[_S], left: _S, right: _S) -> _S:
    """State of the batches of both, which were made for this statistic.

    Raises
    ------
    StateMismatchError
        If their groups are not the same.
    """
    sizes = [None if s.members is None else tuple(s.members.shape) for s in (left, right)]
    if sizes[0] != sizes[1]:
        what = ["no groups" if n is None else f"{n[-1]} groups" for n in sizes]
        raise StateMismatchError(
            f"the left state has {what[0]} and the right state {what[1]}; expected the same. Start "
            f"both from zero(like, num_groups=...)"
        )
    both = statistic.merge(left, right)
    if left.members is None:
        return both
    d = dispatch_of(left, right)
    with d.backend.wide():
        return with_arrays(
            both, {n: getattr(left, n) + getattr(right, n) for n in ("members", "outside")}
        )


def dispatch_of(*states: State) -> Dispatch:
    """Namespace, device and backend of the arrays of one state, or of two to be merged.

    Raises
    ------
    MixedFrameworksError, MixedDevicesError
        If they do not belong together.
    """
    found = resolved_before([x for state in states for x in state.arrays().values()])
    if found is not None:
        return found
    sides = ("left", "right") if len(states) == 2 else ("state",)
    return resolve(
        (f"{side}.{name}", x)
        for side, state in zip(sides, states, strict=True)
        for name, x in state.arrays().items()
    )


def with_arrays(state: _S, arrays: Mapping[str, Array], **configuration: Any) -> _S:
    """`state` with other arrays."""
    # Not by `replace`, through which torch.compile does not trace.
    fixed = {name: getattr(state, name) for name in state.configuration}
    return type(state)(**{**fixed, **configuration, **state.arrays(), **arrays})


def repeated(d: Dispatch, state: State, axis: int, n: int) -> dict[str, Array]:
    """Arrays of a state, each the same n times along a new axis; `wide` must be entered."""
    found = {}
    for name, x in state.arrays().items():
        shape = tuple(x.shape)
        x = d.xp.broadcast_to(d.xp.expand_dims(x, axis=axis), (*shape[:axis], n, *shape[axis:]))
        found[name] = d.backend.copy(x)
    return found


def zeros_like(like: _S) -> _S:
    """Zeros with the fields of `like`."""
    d = dispatch_of(like)
    with d.backend.wide():
        return with_arrays(like, {name: d.xp.zeros_like(x) for name, x in like.arrays().items()})


def added(left: _S, right: _S) -> _S:
    """Sum of two states with the same fields, each an array that adds up.

    Raises
    ------
    MixedFrameworksError, MixedDevicesError
        If their arrays do not belong together.
    """
    ours, theirs = left.arrays(), right.arrays()
    d = resolved_before([*ours.values(), *theirs.values()]) or dispatch_of(left, right)
    with d.backend.wide():
        sums = {name: d.backend.as_array(_add(d.xp, x, theirs[name])) for name, x in ours.items()}
    fixed = {name: getattr(left, name) for name in left.configuration if name != "dtype"}
    return type(left)(dtype=joint_dtype(left, right), **fixed, **sums)


def _add(xp: Any, a: Array, b: Array) -> Array:
    if a.dtype == b.dtype:
        return a + b
    if is_integer(xp, a) and not is_integer(xp, b):  # a soft mask's part beside a boolean's
        a = xp.astype(a, b.dtype)
    elif is_integer(xp, b) and not is_integer(xp, a):
        b = xp.astype(b, a.dtype)
    return a + b


def joint_dtype(left: State, right: State) -> str:
    """Float type of the results of merged states: the wider one."""
    return max(left.dtype, right.dtype)


def replayed(
    replays: Replays,
    what: str,
    batch: Arguments,
    states: Sequence[State],
    ordinary: Callable[[Sequence[Array | None]], _T],
) -> _T:
    """``ordinary`` of the arrays of a batch and of states, perhaps by what was recorded of it."""
    arrays = (*batch.all_arrays(), *leaves(states))
    if batch.threads is not None:
        return ordinary(arrays)
    return replays.call((what, batch.num_groups, configurations(states)), arrays, ordinary)


def gather_all(
    statistics: Sequence[Statistic[Any]], batch: Arguments, replays: Replays
) -> list[State]:
    """States of one batch, each of one statistic; `replays` are those of the caller.

    Where the backend says so, a large batch is cut into tiles of rows, so that temporaries stay
    in the cache and do not grow with the batch.

    Raises
    ------
    ValueError
        If the number of threads is not a positive integer.
    """
    if batch.threads is not None:
        number_of_threads(batch.threads)
    starts = _starts(statistics, batch)
    if len(starts) < 2:
        return [s.gather(batch) for s in statistics]
    return _gather_tiles(statistics, batch, starts, replays)


def _gather_tiles(
    statistics: Sequence[Statistic[Any]], batch: Arguments, starts: range, replays: Replays
) -> list[State]:
    backend = resolve(batch.named()).backend
    step = starts[1]

    def of_tile(arrays: Sequence[Array | None]) -> list[State]:
        tile = batch.with_arrays(arrays)
        return [s.gather(tile) for s in statistics]

    def gather(start: int) -> list[State]:
        return of_tile(batch.cut(start, start + step).all_arrays())

    def merge(left: list[State], right: list[State]) -> list[State]:
        return [merged(s, a, b) for s, a, b in zip(statistics, left, right, strict=True)]

    def also(before: list[State], start: int) -> list[State]:
        tile = batch.cut(start, start + step).all_arrays()

        def ordinary(arrays: Sequence[Array | None]) -> list[State]:
            own = with_leaves(before, arrays[len(tile) :])
            return merge(own, of_tile(arrays[: len(tile)]))

        what = ("tile", configurations(before))
        return replays.call(what, (*tile, *leaves(before)), ordinary, long=True)

    return folded(starts, gather, merge, backend, batch.arrays[-1], batch.threads, also)


_WHOLE = range(1)


def _starts(statistics: Sequence[Statistic[Any]], batch: Arguments) -> range:
    """First row of each tile of a batch."""
    last = batch.arrays[-1]
    kind = kind_of(last)
    if kind is None or kind.backend.tile_elements is None or kind.backend.refuse(last) is not None:
        return _WHOLE
    if not last.shape:
        return _WHOLE
    row = math.prod(last.shape[1:])
    copies = statistics[0].copies or 1  # those of the others are the same
    step = kind.backend.tile_rows(last, row * copies)
    if step is None:
        return _WHOLE
    if batch.num_groups:  # nor should states be merged that are larger than the tiles are
        step = max(step, 4 * batch.num_groups // max(1, row))
    if any(s.whole(kind.backend) for s in statistics):
        return _WHOLE
    if step >= last.shape[0] or not kind.backend.unwatched(*batch.arrays, *batch.covers()):
        return _WHOLE
    n = _rows(statistics, batch)
    return _WHOLE if n is None else range(0, n, step)


def _rows(statistics: Sequence[Statistic[Any]], batch: Arguments) -> int | None:
    """Length of the first axis, if a batch can be cut along it."""
    resolve(batch.named())
    leading = {tuple(x.shape)[:1] for x in batch.arrays}
    for statistic in statistics:
        shape = statistic.covered(*(tuple(x.shape) for x in batch.arrays))
        if shape is None:
            return None
        leading.add(shape[:1])
        for name, x in (("weights", batch.weights), ("mask", batch.mask)):
            if x is not None:
                _cover.check_covers(name, tuple(x.shape), "scores", shape)
        if batch.by is not None:
            _cover.check_covers("by", tuple(batch.by.shape), "what is grouped", shape)
        if batch.ids is not None:
            _cover.check_rows("ids", tuple(batch.ids.shape), "scores", shape)
    (first, *others) = leading
    return first[0] if first and not others else None
