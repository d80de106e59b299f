"""Counts of each pair of a true and a predicted class."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from agnostic_mask import _cover, _staged
from agnostic_mask._array import Array
from agnostic_mask._cover import Shape
from agnostic_mask._dispatch import Dispatch, resolve_known
from agnostic_mask._dtypes import float_name, is_floating, wide_float, wide_integer, widen_half
from agnostic_mask._scoring import check_covers, covers_of
from agnostic_mask._state import State, state
from agnostic_mask._statistic import Arguments, Statistic, added
from agnostic_mask._totals import Totals
from agnostic_mask.metrics._labelling import Labelling


@state
@dataclass(frozen=True, eq=False)
class ConfusionCounts(State):
    """State of metrics that are made of a confusion matrix: C classes, true by predicted.

    All arrays have the groups' axis before those below, if there is one.

    Attributes
    ----------
    made_for, dtype : str
        As of every state. Static.
    count : array, int64, shape (C, C)
        Number of included elements of batches that had no weights.
    weight : array, float64, shape (C, C)
        Sum of the weights of included elements of batches that had weights.
    invalid : array, int64, 0-d
        Number of included elements that are in no cell: a label out of range, a NaN prediction.
    """

    count: Array
    weight: Array
    invalid: Array

    def matrix(self, xp: Any) -> Array:
        """Both together, in the accumulator's dtype."""
        return xp.astype(self.count, self.weight.dtype) + self.weight


@dataclass(frozen=True)
class ConfusionOf(Statistic[ConfusionCounts]):
    """Confusion matrix of labels and predictions."""

    state: ClassVar[type[State]] = ConfusionCounts
    labelling: Labelling
    made_for: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "made_for", f"confusion of {self.labelling}")

    def zero(self, d: Dispatch, dtype: str) -> ConfusionCounts:
        n = self.labelling.num_classes
        with d.backend.wide():
            integer = wide_integer(d.xp, d.device, d.backend)
            wide = wide_float(d.xp, d.device, d.backend)
            parts: tuple[tuple[Shape, Any], ...] = (
                ((n, n), integer),
                ((n, n), wide),
                ((), integer),
            )
            arrays = (d.xp.zeros(shape, dtype=kind, device=d.device) for shape, kind in parts)
            return ConfusionCounts(self.made_for, dtype, *arrays)

    def gather(self, batch: Arguments) -> ConfusionCounts:
        d = resolve_known(batch.named(), required=2)
        xp = d.xp
        y_true, y_pred = (widen_half(xp, x) for x in batch.arrays)
        shape = self.labelling.rows(tuple(y_true.shape), tuple(y_pred.shape))
        covers = covers_of(xp, batch.weights, batch.mask, soft=False)
        check_covers(shape, covers, "y_true")
        with d.backend.wide():
            valid, true = self.labelling.true(d, y_true)
            valid_pred, pred = self.labelling.predicted(d, y_pred, shape)
            kept = self.labelling.kept(d, y_true)
            if kept is not None:
                covers = covers.also(xp, kept, len(shape))
            include = covers.inclusion(xp, len(shape)).include
            cell = true * self.labelling.num_classes + pred
            totals = Totals(d, shape, batch.split)
            arrays = self._counted(totals, cell, valid & valid_pred, include, covers.weights)
            groups = totals.membership(include)
        floating = [x for x in batch.arrays if is_floating(xp, x)]
        decides = floating or [batch.arrays[-1] if batch.weights is None else batch.weights]
        dtype = float_name(xp, d.device, *decides)
        return ConfusionCounts(self.made_for, dtype, *arrays, **groups)

    def _counted(
        self,
        totals: Totals,
        cell: Array,
        valid: Array,
        include: Array | None,
        weights: Array | None,
    ) -> list[Array]:
        """Count, weight and invalid of a state; `cell` numbers the cells row by row."""
        d, n = totals.d, self.labelling.num_classes
        xp, shape = d.xp, (*totals.lead, n, n)
        counted = valid if include is None else valid & include
        invalid = totals.count(~valid if include is None else ~valid & include)
        wide = wide_float(xp, d.device, d.backend)
        if weights is None:
            count = xp.reshape(totals.by_cell(cell, n * n, counted, None), shape)
            weight = xp.zeros(shape, dtype=wide, device=d.device)
        else:
            factors = _cover.expand(xp, xp.astype(weights, wide), len(cell.shape))
            values = _staged.select(xp, counted, factors, 0.0)
            weight = xp.reshape(totals.by_cell(cell, n * n, counted, values), shape)
            integer = wide_integer(xp, d.device, d.backend)
            count = xp.zeros(shape, dtype=integer, device=d.device)
        return [d.backend.as_array(x) for x in (count, weight, invalid)]

    def merge(self, left: ConfusionCounts, right: ConfusionCounts) -> ConfusionCounts:
        return added(left, right)

    def covered(self, *shapes: Shape) -> Shape | None:
        return self.labelling.cut_along(*shapes)
