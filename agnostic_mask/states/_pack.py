"""States as flat vectors, for gathering them from many processes by any means."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agnostic_mask._array import Array
from agnostic_mask._cover import size
from agnostic_mask._dispatch import Dispatch, resolve
from agnostic_mask._errors import StateMismatchError
from agnostic_mask._state import State
from agnostic_mask._statistic import with_arrays

States = State | Sequence[Any]
"""A state, or a tuple of states as a `MetricSet` has them, nested or not."""


def leaves(states: States, name: str = "states") -> Iterator[tuple[str, State]]:
    """Every single state in order, with its name.

    Raises
    ------
    TypeError
        If one is no state.
    """
    if isinstance(states, State):
        yield name, states
    elif isinstance(states, tuple | list):
        for i, state in enumerate(states):
            yield from leaves(state, f"{name}[{i}]")
    else:
        raise TypeError(
            f"{name} is a {type(states).__name__}; expected a state, or a tuple of states, that "
            f"zero, update or merge made"
        )


def arrays_of(states: States) -> list[tuple[str, Array]]:
    """Every array of states, in a fixed order, with its name."""
    return [(f"{n}.{field}", x) for n, s in leaves(states) for field, x in s.arrays().items()]


def _kind(x: Array) -> str:
    return str(x.dtype).rpartition(".")[2]


def pack(states: States) -> dict[str, Array]:
    """Lay the arrays of states out in one flat vector for each dtype.

    Parameters
    ----------
    states : state, or tuple of states
        Of any metrics and objectives, such as those of a `MetricSet`.

    Returns
    -------
    dict of str to array of one dimension
        By the name of the dtype, in a fixed order. Equal metrics give equal lengths, whatever they
        have met (but for the state of no batch of the reduction "keras2").

    Raises
    ------
    TypeError
        If there is something that is no state.

    Examples
    --------
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> mean = am.metrics.Mean()
    >>> state = mean.update(mean.zero(like=np.ones(1)), np.asarray([1.0, 2.0]))
    >>> vectors = am.states.pack(state)
    >>> vectors
    {'float64': array([3., 2.]), 'int64': array([2])}
    >>> mean.compute(am.states.unpack(vectors, like=state))
    array(1.5)
    """
    named = arrays_of(states)
    d = resolve(named)
    with d.backend.wide():
        groups: dict[str, list[Array]] = {}
        for _, x in named:
            groups.setdefault(_kind(x), []).append(d.xp.reshape(x, (-1,)))
        return {kind: d.xp.concat(groups[kind]) for kind in sorted(groups)}


def unpack(vectors: Mapping[str, Array], like: States) -> Any:
    """Make states of flat vectors again.

    Parameters
    ----------
    vectors : mapping of str to array
        What `pack` made, perhaps in another process.
    like : state, or tuple of states
        Of the same metrics: they say what the vectors hold. `zero` makes them.

    Returns
    -------
    state, or tuple of states

    Raises
    ------
    StateMismatchError
        If dtypes or lengths are not those of `like`. Vectors do not say which metrics they are
        of: two metrics with states of equal shapes are not told apart here, as they are by `merge`
        and in files.
    TypeError
        If `vectors` is no mapping.

    Notes
    -----
    Fold gathered states with `merge` in an order of your choice: it does not matter. The state of
    an objective under "keras2" has fields only for what it has met: of one that may have met
    nothing, unpack with ``like`` a state that has.
    """
    expected: dict[str, int] = {}
    for _, x in arrays_of(like):
        expected[_kind(x)] = expected.get(_kind(x), 0) + size(tuple(x.shape))
    if not isinstance(vectors, Mapping):
        raise TypeError(
            f"vectors is a {type(vectors).__name__}; expected what pack made: a mapping of names "
            f"of dtypes to arrays of one dimension"
        )
    d = resolve((f"vectors[{kind!r}]", x) for kind, x in vectors.items())
    got = {kind: size(tuple(x.shape)) for kind, x in vectors.items()}
    if got != expected:
        raise StateMismatchError(
            f"vectors has lengths {got}; expected {expected}, those of the states in like. Unpack "
            f"with a state of the metrics that were packed (of an objective with the reduction "
            f"'keras2' one that has met a batch, since it is then that its fields are known)"
        )
    for kind, x in vectors.items():
        if _kind(x) != kind or len(x.shape) != 1:
            raise StateMismatchError(
                f"vectors[{kind!r}] has dtype {x.dtype} and shape {tuple(x.shape)}; expected "
                f"{kind} and one dimension, as pack made it"
            )
    with d.backend.wide():
        return _filled(d, {kind: _Reader(d, x) for kind, x in vectors.items()}, like)


class _Reader:
    """A vector that is read from its beginning."""

    def __init__(self, d: Dispatch, vector: Array) -> None:
        self._d, self._vector, self._at = d, vector, 0

    def next(self, like: Array) -> Array:
        shape = tuple(like.shape)
        start, self._at = self._at, self._at + size(shape)
        part = self._d.xp.reshape(self._vector[start : self._at], shape)
        return self._d.backend.copy(part)


def _filled(d: Dispatch, readers: Mapping[str, _Reader], like: States) -> Any:
    if isinstance(like, State):
        arrays = {name: readers[_kind(x)].next(x) for name, x in like.arrays().items()}
        return with_arrays(like, arrays)
    return tuple(_filled(d, readers, state) for state in like)
