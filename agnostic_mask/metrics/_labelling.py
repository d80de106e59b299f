"""Which class an element truly has, and which one is predicted for it."""

from dataclasses import dataclass
from typing import Any

from agnostic_mask import _cover, _labels
from agnostic_mask._array import Array
from agnostic_mask._cover import Shape
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._dtypes import cast, dtype_kind, is_floating, is_integer
from agnostic_mask._errors import ShapeMismatchError, UnsupportedArrayError
from agnostic_mask.metrics._options import class_axis, cut, ignored, integer


@dataclass(frozen=True)
class Labelling:
    """How labels and predictions are read; the options are those of `ConfusionMatrix`."""

    num_classes: int
    threshold: float
    from_logits: bool
    axis: int
    ignore_class: int | None

    def __str__(self) -> str:
        return (
            f"{self.num_classes} classes, threshold={self.threshold!r}, "
            f"from_logits={self.from_logits!r}, axis={self.axis!r}, "
            f"ignore_class={self.ignore_class!r}"
        )

    def rows(self, y_true: Shape, y_pred: Shape) -> Shape:
        """Shape of what is counted, which is that of y_true.

        Raises
        ------
        ShapeMismatchError
            If y_pred has another shape, and is not y_true's with a class axis.
        AxisError
            If the class axis is out of range.
        """
        if y_true == y_pred:
            return y_true
        if len(y_pred) == len(y_true) + 1:
            axis = _cover.position(self.axis, len(y_pred), "y_pred")
            if y_true == y_pred[:axis] + y_pred[axis + 1 :] and y_pred[axis] == self.num_classes:
                return y_true
        raise ShapeMismatchError(
            f"y_true has shape {y_true} and y_pred {y_pred}; expected equal shapes, or y_pred with "
            f"one more axis, {self.axis}, of length {self.num_classes}: a value for each class"
            f"{self._hint(y_true, y_pred)}"
        )

    def _hint(self, y_true: Shape, y_pred: Shape) -> str:
        for name, longer, shorter in (("y_true", y_true, y_pred), ("y_pred", y_pred, y_true)):
            if (*shorter, 1) == longer:
                return f". Drop the last axis of {name}: xp.squeeze({name}, axis=-1)"
        if y_true == (*y_pred, self.num_classes):
            return ". Make labels of one-hot rows: xp.argmax(y_true, axis=-1)"
        if len(y_pred) == len(y_true) + 1 and y_true == y_pred[:-1]:
            return f". If axis {self.axis} is meant, set num_classes={y_pred[-1]}"
        return ""

    def cut_along(self, y_true: Shape, y_pred: Shape) -> Shape | None:
        """Shape that is counted, or None where a batch cannot be cut along its first axis."""
        rows = self.rows(y_true, y_pred)
        if len(y_pred) > len(rows) and self.axis % len(y_pred) == 0:
            return None
        return rows

    def true(self, d: Dispatch, y_true: Array) -> tuple[Array, Array]:
        """Which labels are classes, and the labels, 0 in place of others."""
        return self._labels(d, "y_true", y_true)

    def _labels(self, d: Dispatch, name: str, x: Array) -> tuple[Array, Array]:
        xp = d.xp
        if is_integer(xp, x):
            return _labels.below(d, x, self.num_classes)
        if self.num_classes == 2:
            index = _labels.index_dtype(d)
            if dtype_kind(xp, x.dtype) == "bool":
                return xp.ones_like(x), xp.astype(x, index)
            positive = x == 1
            return (x == 0) | positive, xp.astype(positive, index)
        raise UnsupportedArrayError(
            f"{name} has dtype {x.dtype}; expected integer labels from 0 to "
            f"{self.num_classes - 1}. Convert labels: xp.astype({name}, xp.int64); make labels of "
            f"one-hot rows: xp.argmax({name}, axis=-1)"
        )

    def kept(self, d: Dispatch, y_true: Array) -> Array | None:
        """Where a label is not the one to ignore, or None if there is no such label."""
        ignored, xp = self.ignore_class, d.xp
        if ignored is None:
            return None
        if is_integer(xp, y_true):
            return ~_labels.equal(d, y_true, ignored)
        if is_floating(xp, y_true):
            return y_true != float(ignored)
        return {0: y_true, 1: ~y_true}.get(ignored)

    def predicted(self, d: Dispatch, y_pred: Array, shape: Shape) -> tuple[Array, Array]:
        """Which predictions are classes, and the classes, 0 in place of others."""
        xp = d.xp
        beside = len(y_pred.shape) > len(shape)
        if not is_floating(xp, y_pred):
            if beside:
                raise UnsupportedArrayError(
                    f"y_pred has shape {tuple(y_pred.shape)} and dtype {y_pred.dtype}; expected "
                    f"integer labels in the shape of y_true, {shape}, or floating values for each "
                    f"class. Make labels of it: xp.argmax(y_pred, axis={self.axis})"
                )
            return self._labels(d, "y_pred", y_pred)
        if beside:
            return self._greatest(d, y_pred, shape)
        if self.num_classes != 2:
            rows = len(shape) > 1 and shape[-1] == self.num_classes
            raise ShapeMismatchError(
                f"y_pred has shape {shape} and dtype {y_pred.dtype}, a value for each element of "
                f"y_true; expected integer labels, or a value for each of the {self.num_classes} "
                f"classes along one more axis. "
                + (
                    "Make labels of one-hot rows: xp.argmax(y_true, axis=-1)"
                    if rows
                    else "One probability tells two classes apart: leave num_classes at 2. "
                    "Predicted labels must have an integer dtype"
                )
            )
        positive = y_pred > cut(self.threshold, self.from_logits)
        return y_pred == y_pred, xp.astype(positive, _labels.index_dtype(d))

    def _greatest(self, d: Dispatch, y_pred: Array, shape: Shape) -> tuple[Array, Array]:
        """The class with the greatest value, the first of equal ones."""
        xp, index, n = d.xp, _labels.index_dtype(d), self.num_classes
        if 0 in y_pred.shape:
            nothing = xp.zeros(shape, dtype=index, device=d.device)
            return nothing == 0, nothing
        rank = len(y_pred.shape)
        axis = self.axis % rank
        top = d.backend.as_array(xp.max(y_pred, axis=axis, keepdims=True))
        # The least class of the greatest value, not an argmax, of which Dask does not take the
        # first. Where one is NaN so is the greatest, which then equals nothing.
        along = tuple(n if i == axis else 1 for i in range(rank))
        classes = xp.reshape(xp.arange(n, dtype=xp.int32, device=d.device), along)
        first = d.backend.as_array(xp.min(xp.where(y_pred == top, classes, n), axis=axis))
        valid = first < n
        return valid, cast(xp, xp.where(valid, first, 0), index)


def labelling(
    num_classes: Any, threshold: Any, from_logits: Any, axis: Any, ignore_class: Any
) -> Labelling:
    """Options that were checked.

    Raises
    ------
    ValueError
        If one is not what it should be.
    TypeError
        If `threshold` is no number, or `from_logits` no bool.
    """
    expected = (
        "an integer of at least 2: classes are the labels from 0 to num_classes - 1, and two of "
        "them are binary"
    )
    n = integer("num_classes", num_classes, expected, 2)
    cut(threshold, from_logits)
    return Labelling(n, float(threshold), from_logits, class_axis(axis), ignored(ignore_class))


TWO_CLASSES = labelling(2, 0.5, False, -1, None)
"""How labels 0 and 1 are read beside scores."""


def check_scores(xp: Any, y_true: Array, y_pred: Array) -> None:
    """Raise unless y_pred has a floating score for each label of y_true.

    Raises
    ------
    UnsupportedArrayError, ShapeMismatchError
    """
    true, pred = tuple(y_true.shape), tuple(y_pred.shape)
    if not is_floating(xp, y_pred):
        raise UnsupportedArrayError(
            f"y_pred has dtype {y_pred.dtype}; expected floating scores that rise with the chance "
            f"of a 1. y_true comes before y_pred; if these are scores, and no labels: "
            f"xp.astype(y_pred, xp.float64)"
        )
    if true != pred:
        hint = "reshape one to the other"
        if pred == (*true, 2):
            hint = "of two classes' values take those of class 1: y_pred[..., 1]"
        raise ShapeMismatchError(
            f"y_true has shape {true} and y_pred {pred}; expected equal shapes. Nothing is "
            f"broadcast: {hint}"
        )
