"""Counts of each pair of a true and a predicted class."""

from dataclasses import dataclass, field
from typing import ClassVar

from agnostic_mask._cover import Shape
from agnostic_mask._dispatch import Dispatch, resolve_known
from agnostic_mask._dtypes import float_name, is_floating, widen_half
from agnostic_mask._scoring import check_covers, covers_of
from agnostic_mask._state import State, state
from agnostic_mask._statistic import Arguments, Statistic, added
from agnostic_mask._totals import Totals
from agnostic_mask.metrics._cells import Cells, in_cells, no_cells
from agnostic_mask.metrics._labelling import Labelling


@state
@dataclass(frozen=True, eq=False)
class ConfusionCounts(Cells):
    """State of metrics that are made of a confusion matrix of C classes, true by predicted.

    Its table has shape (C, C). In no cell is what has a label out of range, or a NaN prediction.
    """


@dataclass(frozen=True)
class ConfusionOf(Statistic[ConfusionCounts]):
    """Confusion matrix of labels and predictions."""

    state: ClassVar[type[State]] = ConfusionCounts
    labelling: Labelling
    made_for: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "made_for", f"confusion of {self.labelling}")

    def zero(self, d: Dispatch, dtype: str) -> ConfusionCounts:
        with d.backend.wide():
            return ConfusionCounts(self.made_for, dtype, **no_cells(d, self._shape))

    @property
    def _shape(self) -> Shape:
        n = self.labelling.num_classes
        return (n, n)

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
                covers = covers.also(d, kept, len(shape))
            cell = true * self.labelling.num_classes + pred
            totals = Totals(d, shape, batch.split)
            arrays = in_cells(totals, self._shape, cell, valid & valid_pred, covers)
        floating = [x for x in batch.arrays if is_floating(xp, x)]
        decides = floating or [batch.arrays[-1] if batch.weights is None else batch.weights]
        dtype = float_name(xp, d.device, *decides)
        return ConfusionCounts(self.made_for, dtype, **arrays)

    def merge(self, left: ConfusionCounts, right: ConfusionCounts) -> ConfusionCounts:
        return added(left, right)

    def covered(self, *shapes: Shape) -> Shape | None:
        return self.labelling.cut_along(*shapes)
