"""What calibration is made of: confidences and hits, summed in bins of equal width."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from agnostic_mask import _cover, _staged
from agnostic_mask._array import Array
from agnostic_mask._cover import Shape
from agnostic_mask._dispatch import Dispatch, resolve_known
from agnostic_mask._dtypes import (
    cast,
    float_name,
    is_float64,
    is_floating,
    wide_float,
    wide_integer,
    widen_half,
)
from agnostic_mask._errors import ShapeMismatchError, UnsupportedArrayError
from agnostic_mask._labels import index_dtype
from agnostic_mask._scoring import check_covers, covers_of
from agnostic_mask._state import State, state
from agnostic_mask._statistic import Arguments, Statistic, added
from agnostic_mask._totals import Totals
from agnostic_mask.metrics._cells import weight_of_each
from agnostic_mask.metrics._labelling import Labelling, labelling


@state
@dataclass(frozen=True, eq=False)
class CalibrationSums(State):
    """State of metrics of calibration: n bins of equal width from 0 to 1.

    All arrays have the groups' axis before those below, if there is one.

    Attributes
    ----------
    made_for, dtype : str
        As of every state. Static.
    weight : array, float64, shape (n,)
        Sum of the weights of included elements in each bin; without weights their number.
    confidence, hits : array, float64, shape (n,)
        Sums of their confidences, and of 1 for each that is right, times their weights.
    invalid : array, int64, 0-d
        Number of included elements that are in no bin: a NaN, a probability out of range, a label
        of no class.
    """

    weight: Array
    confidence: Array
    hits: Array
    invalid: Array


@dataclass(frozen=True)
class CalibrationOf(Statistic[CalibrationSums]):
    """Sums of weights, confidences and hits in bins of confidence."""

    state: ClassVar[type[State]] = CalibrationSums
    num_bins: int
    axis: int
    made_for: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        made_for = f"calibration in {self.num_bins} bins, axis={self.axis!r}"
        object.__setattr__(self, "made_for", made_for)

    def zero(self, d: Dispatch, dtype: str) -> CalibrationSums:
        with d.backend.wide():
            shape = (self.num_bins,)
            weight, confidence, hits = (
                d.xp.zeros(shape, dtype=wide_float(*d), device=d.device) for _ in range(3)
            )
            invalid = d.xp.zeros((), dtype=wide_integer(*d), device=d.device)
            return CalibrationSums(self.made_for, dtype, weight, confidence, hits, invalid)

    def gather(self, batch: Arguments) -> CalibrationSums:
        d = resolve_known(batch.named(), required=2)
        xp = d.xp
        classes = self._classes(xp, *batch.arrays)
        y_true, y_pred = (widen_half(xp, x) for x in batch.arrays)
        shape = tuple(y_true.shape)
        covers = covers_of(xp, batch.weights, batch.mask, soft=False)
        check_covers(shape, covers, "y_true")
        dtype = float_name(xp, d.device, y_pred, y_true)
        with d.backend.wide():
            joint = covers.inclusion(d, len(shape))
            if joint.include is not None:
                # Before the greatest of a row is taken, whose derivative would be NaN.
                rank = len(y_pred.shape)
                axis = self.axis % rank if rank > len(shape) else None
                there = _cover.expand(xp, joint.include, rank, skip=axis)
                y_pred = xp.where(there, y_pred, 0.0)
            confidence, hit, valid = _confidence(d, classes, y_true, y_pred)
            valid = valid & (confidence >= 0) & (confidence <= 1)
            counted = _staged.among(joint.include, valid)
            wide, totals = wide_float(*d), Totals(d, shape, batch.split)
            confidence = xp.where(counted, confidence, 0.0)
            cell = self._bin_of(d, confidence)
            factors = weight_of_each(d, covers, counted)
            factors = cast(xp, counted, wide) if factors is None else factors
            values = {
                "weight": factors,
                "confidence": factors * cast(xp, confidence, wide),
                "hits": factors * cast(xp, hit, wide),
            }
            arrays = {
                name: totals.by_cell(cell, self.num_bins, counted, x) for name, x in values.items()
            }
            arrays["invalid"] = totals.count(_staged.among(joint.include, ~valid))
            arrays.update(totals.membership(joint.include))
        return CalibrationSums(self.made_for, dtype, **arrays)

    def _classes(self, xp: Any, y_true: Array, y_pred: Array) -> Labelling:
        """How labels and predictions are read: of as many classes as y_pred has values."""
        if not is_floating(xp, y_pred):
            raise UnsupportedArrayError(
                f"y_pred has dtype {y_pred.dtype}; expected floating probabilities, of class 1 or "
                f"of each class along one more axis"
            )
        true, pred = tuple(y_true.shape), tuple(y_pred.shape)
        n = 2
        if len(pred) == len(true) + 1:
            n = pred[_cover.position(self.axis, len(pred), "y_pred")]
            if n < 2:
                raise ShapeMismatchError(
                    f"y_pred has shape {pred}, with {n} classes along axis {self.axis}; expected "
                    f"at least 2. Of class 1 alone drop the axis: xp.squeeze(y_pred, "
                    f"axis={self.axis})"
                )
        read = labelling(n, 0.5, False, self.axis, None)
        read.rows(true, pred)
        return read

    def _bin_of(self, d: Dispatch, confidence: Array) -> Array:
        """Number of the bin of each confidence; an edge belongs to the bin above, but for 1."""
        xp, n = d.xp, self.num_bins
        index, shape = index_dtype(d), tuple(confidence.shape)
        if n == 1 or 0 in shape:
            return xp.zeros(shape, dtype=index, device=d.device)
        dtype = xp.float64 if is_float64(xp, confidence) else xp.float32
        edges = xp.asarray([i / n for i in range(1, n)], dtype=dtype, device=d.device)
        flat = xp.reshape(cast(xp, confidence, dtype), (-1,))
        return xp.reshape(cast(xp, d.backend.searchsorted(edges, flat), index), shape)

    def merge(self, left: CalibrationSums, right: CalibrationSums) -> CalibrationSums:
        return added(left, right)

    def covered(self, *shapes: Shape) -> Shape | None:
        y_true, y_pred = shapes
        if (
            len(y_pred) == len(y_true) + 1
            and _cover.position(self.axis, len(y_pred), "y_pred") == 0
        ):
            return None
        return y_true


def _confidence(
    d: Dispatch, classes: Labelling, y_true: Array, y_pred: Array
) -> tuple[Array, Array, Array]:
    """Confidence in what is predicted, whether that is right, and which elements have a label."""
    xp, shape = d.xp, tuple(y_true.shape)
    labelled, true = classes.true(d, y_true)
    if len(y_pred.shape) == len(shape):
        return y_pred, true == 1, labelled
    known, predicted = classes.predicted(d, y_pred, shape)
    if 0 in y_pred.shape:
        greatest = xp.zeros(shape, dtype=y_pred.dtype, device=d.device)
    else:
        greatest = d.backend.as_array(xp.max(y_pred, axis=classes.axis))
    return greatest, predicted == true, labelled & known
