"""Scores of metrics that no loss has: hits, signed errors, squared distances.

What has no right answer scores NaN: a label that names no class, a prediction that is NaN.
"""

import math

from agnostic_mask import _labels
from agnostic_mask._array import Array
from agnostic_mask._declare import scores
from agnostic_mask._dispatch import Dispatch, resolve
from agnostic_mask._dtypes import cast, dtype_kind, float_name, is_floating, wide_integer
from agnostic_mask._staged import ratio
from agnostic_mask.losses._numeric import class_max, class_numbers, class_sum
from agnostic_mask.losses._operands import labelled, paired, with_classes
from agnostic_mask.losses._sparse import not_ignored


@scores(harmless=(0.0, 0.0))
def error(y_true: Array, y_pred: Array, /) -> Array:
    """Signed error, ``y_pred - y_true``."""
    _, y_true, y_pred = paired(y_true, y_pred)
    return y_pred - y_true


def _quotient(errors: Array, sizes: Array, /) -> Array:
    return ratio(resolve((("errors", errors),)).xp, errors, sizes)


@scores(harmless=(0.0, 0.0), finish=_quotient)
def error_and_size(y_true: Array, y_pred: Array, /) -> tuple[Array, Array]:
    """Absolute error and absolute target, for the ratio of their sums."""
    d, y_true, y_pred = paired(y_true, y_pred)
    return d.xp.abs(y_pred - y_true), d.xp.abs(y_true)


@scores(class_axis="axis", dense=False, harmless=(0.0, 0.0))
def brier_score(y_true: Array, y_pred: Array, /, *, axis: int | None) -> Array:
    """Squared distance of one probability, or of those of all classes, from what labels mean."""
    if axis is None:
        d, y_true, y_pred = paired(y_true, y_pred)
        distance = y_pred - y_true
        outside = (y_true < 0) | (y_true > 1)
        return d.xp.where(outside, math.nan, distance * distance)
    d, y_true, y_pred, axis = labelled("BrierScore", y_true, y_pred, axis)
    xp = d.xp
    valid, label = _labels.below(d, xp.expand_dims(y_true, axis=axis), int(y_pred.shape[axis]))
    distance = xp.where(label == class_numbers(d, y_pred, axis), y_pred - 1, y_pred)
    total = class_sum(d, distance * distance, axis)
    return xp.squeeze(xp.where(valid, total, math.nan), axis=axis)


@scores(harmless=(0.0, 0.0))
def binary_accuracy(y_true: Array, y_pred: Array, /, *, cut: float) -> Array:
    """1 where a prediction is on the side of `cut` that the label 0 or 1 means, else 0."""
    d = resolve((("y_true", y_true), ("y_pred", y_pred)))
    positive, no_prediction = _side(d, y_pred, cut)
    wanted, no_label = _side(d, y_true, None)
    return _hits(d, y_true, y_pred, wanted == positive, no_prediction | no_label)


@scores(harmless=(0.0, 0.0))
def hamming_loss(y_true: Array, y_pred: Array, /, *, cut: float) -> Array:
    """1 where a prediction is wrong, else 0: floating ones on a side of `cut`, others labels."""
    d = resolve((("y_true", y_true), ("y_pred", y_pred)))
    if is_floating(d.xp, y_pred) or is_floating(d.xp, y_true):
        return 1 - binary_accuracy(y_true, y_pred, cut=cut)
    right = _same_label(d, y_true, y_pred)
    return _hits(d, y_true, y_pred, ~right, None)


@scores(class_axis="axis", dense=True, harmless=(1.0, 0.0))
def categorical_accuracy(y_true: Array, y_pred: Array, /, *, axis: int) -> Array:
    """1 where the greatest of y_true and of y_pred are of the same class, else 0."""
    d, y_true, y_pred, axis = with_classes("CategoricalAccuracy", y_true, y_pred, axis)
    xp, n = d.xp, int(y_pred.shape[axis])
    top = y_true == class_max(d, y_true, axis)
    # Counted from the end, so that the greatest of them is the first.
    label = n - class_max(d, xp.where(top, n - class_numbers(d, y_pred, axis), 0), axis)
    named = class_max(d, xp.abs(y_true), axis) > 0
    hits = _before(d, label, y_pred, axis) < 1
    return xp.squeeze(_hits(d, y_true, y_pred, hits, ~named | _nans(d, y_pred, axis)), axis=axis)


@scores(class_axis="axis", dense=False, harmless=(0.0, 0.0), included=not_ignored)
def sparse_categorical_accuracy(
    y_true: Array, y_pred: Array, /, *, k: int, ignore_class: int | None, axis: int
) -> Array:
    """1 where fewer than k classes come before the label's, else 0."""
    name = "SparseCategoricalAccuracy" if k == 1 else "SparseTopKCategoricalAccuracy"
    d, y_true, y_pred, axis = labelled(name, y_true, y_pred, axis)
    valid, label = _labels.below(d, d.xp.expand_dims(y_true, axis=axis), int(y_pred.shape[axis]))
    hits = _before(d, label, y_pred, axis) < k
    wrong = ~valid | _nans(d, y_pred, axis)
    return d.xp.squeeze(_hits(d, y_true, y_pred, hits, wrong), axis=axis)


def _hits(d: Dispatch, y_true: Array, y_pred: Array, hit: Array, nothing: Array | None) -> Array:
    """1 and 0 in the float type of the operands, NaN where there is no answer."""
    found = cast(d.xp, hit, getattr(d.xp, float_name(d.xp, d.device, y_true, y_pred)))
    return found if nothing is None else d.xp.where(nothing, math.nan, found)


def _side(d: Dispatch, x: Array, cut: float | None) -> tuple[Array, Array]:
    """What is positive, and what is neither: floats by `cut` if there is one, or labels 0 and 1."""
    xp = d.xp
    if dtype_kind(xp, x.dtype) == "bool":
        return x, x & ~x
    if cut is not None and is_floating(xp, x):
        return x > cut, x != x
    positive = x == 1
    return positive, ~positive & (x != 0)


def _same_label(d: Dispatch, a: Array, b: Array) -> Array:
    """Where labels of any two integer types are equal."""
    unsigned = [dtype_kind(d.xp, x.dtype) == "unsigned" for x in (a, b)]
    with d.backend.wide():
        integer = wide_integer(d.xp, d.device, d.backend)
        a, b = cast(d.xp, a, integer), cast(d.xp, b, integer)
        # What uint64 has beyond int64 became negative, which the other may really be.
        return (a == b) & (a >= 0) if unsigned[0] != unsigned[1] else a == b


def _nans(d: Dispatch, y_pred: Array, axis: int) -> Array:
    """Which rows have a NaN."""
    return d.xp.any(y_pred != y_pred, axis=axis, keepdims=True)


def _before(d: Dispatch, label: Array, y_pred: Array, axis: int) -> Array:
    """How many classes come before the label's: greater ones, and equal ones of lower number."""
    xp, classes = d.xp, class_numbers(d, y_pred, axis)
    value = class_sum(d, xp.where(label == classes, y_pred, 0.0), axis)
    before = (y_pred > value) | ((y_pred == value) & (classes < label))
    return class_sum(d, cast(xp, before, y_pred.dtype), axis)
