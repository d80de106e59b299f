"""Go through large arrays in tiles of rows.

A reduction is a formula over totals, each of which `merged` gathers. Where the first axis is
reduced, totals of tiles are merged, and the formula is applied once. Where it is kept, no tile
has a part in another's results, and the whole reduction is done tile by tile.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from agnostic_mask._array import Array
from agnostic_mask._dtypes import is_floating
from agnostic_mask._reductions._plan import Plan
from agnostic_mask._staged import Inclusion
from agnostic_mask._traversal import folded

_T = TypeVar("_T")
_Terms = TypeVar("_Terms")


def reduced(p: Plan, formula: Callable[[Plan], Array], dtype: Any = None) -> Array:
    """A reduction, finished.

    Parameters
    ----------
    p : Plan
    formula : callable
        Gives the result with dimensions of 1 over the axes; makes it of what `merged` or `Passes`
        gather.
    dtype : optional
        Of the result; by default as the formula gives it.
    """
    with p.d.backend.wide():
        if not p.step:
            return _finished(p, formula, dtype)
        if 0 not in p.axes:
            return _tile_by_tile(p, formula, dtype)
        value, outside = formula(p), None
        if p.lead and is_floating(p.d.xp, value):
            outside = merged(p, _outside, merge=lambda a, b: a + b)
        return p.finish(value, value.dtype if dtype is None else dtype, outside)


def _finished(p: Plan, formula: Callable[[Plan], Array], dtype: Any) -> Array:
    value = formula(p)
    return p.finish(value, value.dtype if dtype is None else dtype)


def _outside(p: Plan) -> Array:
    return p.totals.outside(p.inclusion().include)


def _tile_by_tile(p: Plan, formula: Callable[[Plan], Array], dtype: Any) -> Array:
    xp, lead = p.d.xp, len(p.lead)

    def result(start: int) -> Array:
        with p.d.backend.wide():
            return _finished(p.tile(start), formula, dtype)

    first = result(0)
    shape = (*p.lead, p.shape[0], *first.shape[lead + 1 :])
    whole = xp.empty(shape, dtype=first.dtype, device=p.d.device)

    def put(start: int, part: Array) -> None:
        whole[(slice(None),) * lead + (slice(start, start + p.step), ...)] = part

    put(0, first)
    _over_tiles(p, p.step, lambda start: put(start, result(start)), lambda left, right: None)
    return whole


def _over_tiles(
    p: Plan, first: int, gather: Callable[[int], _T], merge: Callable[[_T, _T], _T]
) -> _T:
    return folded(range(first, p.shape[0], p.step), gather, merge, p.d.backend, p.x, None)


def merged(p: Plan, gather: Callable[[Plan], _T], merge: Callable[[_T, _T], _T]) -> _T:
    """What is gathered of the whole of an array, or of each of its tiles and then merged."""
    if not p.step:
        return gather(p)

    def of_tile(start: int) -> _T:
        with p.d.backend.wide():
            return gather(p.tile(start))

    return _over_tiles(p, 0, of_tile, merge)


def added(left: tuple[Array, Array], right: tuple[Array, Array]) -> tuple[Array, Array]:
    """Two totals of the rows of both."""
    return left[0] + right[0], left[1] + right[1]


class Passes(Generic[_Terms]):
    """Several passes over an array, each with what the one before gathered.

    Parameters
    ----------
    p : Plan
    terms : callable
        What all passes begin with: made once for the whole of an array, in each pass of a tile.
    """

    def __init__(self, p: Plan, terms: Callable[[Plan], _Terms]) -> None:
        self.plan, self._terms = p, terms
        self._made = None if p.step else terms(p)

    def __call__(
        self,
        gather: Callable[..., _T],
        *given: Array,
        merge: Callable[[_T, _T], _T],
    ) -> _T:
        """As `merged`, with the terms as an argument after the plan."""
        if self._made is not None:
            return gather(self.plan, self._made, *given)
        return merged(self.plan, lambda tile: gather(tile, self._terms(tile), *given), merge=merge)


def of_zeroed(joint: Inclusion) -> Inclusion:
    """What remains to be excluded of terms that are 0 wherever `joint` excludes them."""
    return joint if joint.factors else Inclusion(None)
