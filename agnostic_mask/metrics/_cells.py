"""Counts, or sums of weights, of what is in the cells of a table."""

from dataclasses import dataclass
from typing import Any

from agnostic_mask import _cover, _staged
from agnostic_mask._array import Array
from agnostic_mask._cover import Shape
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._dtypes import wide_float, wide_integer
from agnostic_mask._staged import Covers
from agnostic_mask._state import State
from agnostic_mask._totals import Totals


@dataclass(frozen=True, eq=False)
class Cells(State):
    """State of metrics that are made of a table; exact counts stay exact beside weights.

    All arrays have the groups' axis before those below, if there is one.

    Attributes
    ----------
    made_for, dtype : str
        As of every state. Static.
    count : array, int64, of the table's shape
        Number of included elements of batches that had no weights.
    weight : array, float64, of the table's shape
        Sum of the weights of included elements of batches that had weights.
    invalid : array, int64, 0-d
        Number of included elements that are in no cell.
    """

    count: Array
    weight: Array
    invalid: Array

    def table(self, xp: Any) -> Array:
        """Counts and weights together, in the accumulator's dtype."""
        return xp.astype(self.count, self.weight.dtype) + self.weight


def no_cells(d: Dispatch, shape: Shape) -> dict[str, Array]:
    """Arrays of an empty table; `Dispatch.backend.wide` must be entered by the caller."""
    integer, wide = wide_integer(*d), wide_float(*d)
    return {
        "count": d.xp.zeros(shape, dtype=integer, device=d.device),
        "weight": d.xp.zeros(shape, dtype=wide, device=d.device),
        "invalid": d.xp.zeros((), dtype=integer, device=d.device),
    }


def weight_of_each(d: Dispatch, covers: Covers, counted: Array) -> Array | None:
    """Weight of each element that is counted, 0 of the others; None without weights."""
    if covers.weights is None:
        return None
    factors = d.xp.astype(covers.weights, wide_float(*d))
    factors = _cover.expand(d.xp, factors, len(counted.shape))
    return _staged.zeroed(d, counted, factors)


def in_cells(
    totals: Totals, shape: Shape, cell: Array, valid: Array, covers: Covers
) -> dict[str, Array]:
    """Arrays of the table of a batch, and of its groups.

    Parameters
    ----------
    totals : Totals
    shape : tuple of int
        Of the table.
    cell : array of int, of the totals' shape
        Number of the cell of each element, counted row by row, where it is valid.
    valid : array of bool, of the same shape
        Which elements are in a cell.
    covers : Covers
    """
    d, n = totals.d, _cover.size(shape)
    xp, full = d.xp, (*totals.lead, *shape)
    include = covers.inclusion(d, len(totals.shape)).include
    counted = _staged.among(include, valid)
    values = weight_of_each(d, covers, counted)
    found = xp.reshape(totals.by_cell(cell, n, counted, values), full)
    arrays = {
        **no_cells(d, full),
        "count" if values is None else "weight": found,
        "invalid": totals.count(_staged.among(include, ~valid)),
    }
    groups = totals.membership(include)
    return {**{name: d.backend.as_array(x) for name, x in arrays.items()}, **groups}
