"""What all metrics of a confusion matrix share: their options, and averages over classes."""

from dataclasses import dataclass, field
from typing import Any, Literal

from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._metric import PairMetric, over
from agnostic_mask._staged import ratio, select
from agnostic_mask.metrics._confusion import ConfusionCounts, ConfusionOf
from agnostic_mask.metrics._labelling import labelling

Average = Literal["binary", "micro", "macro", "weighted"] | None
AVERAGES: tuple[Average, ...] = ("binary", "micro", "macro", "weighted", None)


class ClassCounts:
    """Sums of weights that a confusion matrix holds of each class against all others.

    They are sums of cells, not differences of a total, beside which rare classes would lose digits.

    Attributes
    ----------
    hits, missed, wrong : array, shape (..., C)
        Elements of a class that were predicted as such; that were not; and elements of others
        that were predicted as it: true positives, false negatives, false positives.
    """

    def __init__(self, d: Dispatch, matrix: Array) -> None:
        self.xp, self.matrix = d.xp, matrix
        classes = self.xp.arange(matrix.shape[-1], dtype=matrix.dtype, device=d.device)
        rows, columns = self.xp.expand_dims(classes, axis=1), self.xp.expand_dims(classes, axis=0)
        self.apart = abs(rows - columns)
        self.same = rows == columns
        self.hits = self.xp.sum(select(self.xp, self.same, matrix, 0.0), axis=-2)
        off = select(self.xp, self.same, 0.0, matrix)
        self.missed = self.xp.sum(off, axis=-1)
        self.wrong = self.xp.sum(off, axis=-2)

    @property
    def support(self) -> Array:
        """Elements of a class."""
        return self.hits + self.missed

    @property
    def predicted(self) -> Array:
        """Elements that were predicted as a class."""
        return self.hits + self.wrong

    def rejected(self) -> Array:
        """Elements of others that were predicted as others: true negatives."""
        xp = self.xp
        # Of each row what is outside of a column; a row itself has no part in its own class.
        outside = xp.expand_dims(self.support, axis=-1) - self.matrix
        return xp.sum(select(xp, self.same, 0.0, outside), axis=-2)


def averaged(
    counts: ClassCounts, part: Array, whole: Array, average: Average, zero_division: float
) -> Array:
    """``part / whole`` of each class, averaged; `zero_division` where the divisor is 0."""
    xp = counts.xp
    if average == "micro":
        part, whole = xp.sum(part, axis=-1), xp.sum(whole, axis=-1)
    empty = whole == 0
    values = xp.where(empty, zero_division, ratio(xp, part, whole))
    if average in ("micro", None):
        return values
    if average == "binary":
        return values[..., 1]
    weights = xp.ones_like(whole) if average == "macro" else counts.support
    if zero_division != zero_division:  # NaN: such a class is left out
        weights = xp.where(empty, 0.0, weights)
    total = xp.sum(xp.where(weights != 0, values * weights, 0.0), axis=-1)
    divisor = xp.sum(weights, axis=-1)
    return xp.where(divisor == 0, zero_division, ratio(xp, total, divisor))


@dataclass(frozen=True)
class ClassMetric(PairMetric):
    """A metric of labels and predicted classes."""

    num_classes: int = 2
    threshold: float = field(default=0.5, kw_only=True)
    from_logits: bool = field(default=False, kw_only=True)
    axis: int = field(default=-1, kw_only=True)
    ignore_class: int | None = field(default=None, kw_only=True)

    def _gathers(self) -> ConfusionOf:
        options: tuple[Any, ...] = (self.threshold, self.from_logits, self.axis, self.ignore_class)
        return ConfusionOf(labelling(self.num_classes, *options))

    def _value(self, d: Dispatch, state: ConfusionCounts) -> Array:
        return self._signalled(d, state, self._of_counts(ClassCounts(d, state.table(d.xp))))

    def _signalled(self, d: Dispatch, state: ConfusionCounts, value: Array) -> Array:
        """`value`, NaN if an included element was in no cell, or its weight was NaN."""
        xp = d.xp
        total = xp.sum(state.weight, axis=(-2, -1))
        wrong = (state.invalid > 0) | (total != total)
        return xp.where(over(xp, wrong, value), xp.nan, value)

    def _of_counts(self, counts: ClassCounts) -> Array:
        """Value in the accumulator's dtype."""
        raise NotImplementedError


@dataclass(frozen=True)
class AveragedMetric(ClassMetric):
    """A ratio of counts for each class, and an average of it over classes."""

    average: Average = field(default="binary", kw_only=True)
    zero_division: float = field(default=0.0, kw_only=True)

    def _gathers(self) -> ConfusionOf:
        if self.average not in AVERAGES:
            raise ValueError(
                f"average is {self.average!r}; expected 'binary', 'micro', 'macro', 'weighted' or "
                f"None"
            )
        if not isinstance(self.zero_division, int | float):
            raise ValueError(
                f"zero_division is {self.zero_division!r}; expected a number such as 0.0, or NaN "
                f"to leave such a class out of averages"
            )
        statistic = super()._gathers()
        if self.average == "binary" and self.num_classes != 2:
            raise ValueError(
                f"average is 'binary' and num_classes {self.num_classes}; expected one of 'micro', "
                f"'macro', 'weighted' and None for more than two classes"
            )
        return statistic

    def _of_counts(self, counts: ClassCounts) -> Array:
        part, whole = self._ratio(counts)
        return averaged(counts, part, whole, self.average, float(self.zero_division))

    def _ratio(self, counts: ClassCounts) -> tuple[Array, Array]:
        """Numerator and denominator of each class."""
        raise NotImplementedError
