"""Score one batch: check the arguments, put harmless values in place of excluded ones, call."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NamedTuple

from agnostic_mask import _cover, _declare, _staged
from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch, resolve, resolve_known
from agnostic_mask._dtypes import (
    cast,
    dtype_kind,
    float_name,
    is_float64,
    is_floating,
    wide_float,
    widen_half,
)
from agnostic_mask._errors import (
    MixedDevicesError,
    MixedFrameworksError,
    ShapeMismatchError,
    UnsupportedArrayError,
)
from agnostic_mask._registry import kind_of, namespace_name
from agnostic_mask._staged import Covers
from agnostic_mask._statistic import Arguments
from agnostic_mask._totals import Split

ScoreFunction = Callable[[Array, Array], Array]


class Batch(NamedTuple):
    """Scores of a batch (of a ratio of sums those of each part), and what covers them.

    `dtype` is the float type of results, `split` that by which totals are told apart.
    """

    d: Dispatch
    scores: tuple[Array, ...]
    covers: Covers
    dtype: str
    split: Split | None = None


def score(
    fn: ScoreFunction,
    declaration: _declare.Bound | None,
    batch: Arguments,
    *,
    soft: bool,
) -> Batch:
    """Scores of a batch, in float32 or float64.

    Excluded ones are finite, unless mask and weights tell all scores apart.

    Parameters
    ----------
    fn : callable
    declaration : Bound or None
        What `fn` declares, None if nothing.
    batch : Arguments
        y_true, y_pred, weights and mask as of `Objective`.
    soft : bool
        Whether a floating mask is allowed.

    Returns
    -------
    Batch
    """
    d = resolve_known(batch.named(), required=2)
    covers = covers_of(d.xp, batch.weights, batch.mask, soft=soft)
    y_true, y_pred = (widen_half(d.xp, x) for x in batch.arrays)
    # JAX would narrow float64 arrays that it was handed outside of its wide context.
    wide = is_float64(d.xp, y_true) or is_float64(d.xp, y_pred)
    with d.backend.wide() if wide else nullcontext():
        if declaration is None:
            scored = _score_undeclared(fn, d, y_true, y_pred, covers)
        else:
            scored = _score_rows(fn, declaration, d, y_true, y_pred, covers)
    return scored._replace(split=batch.split)


def elements(batch: Arguments) -> Batch:
    """Arrays of equal shape as floats, and what covers their elements.

    Excluded elements are finite, unless mask and weights tell all elements apart.
    """
    named = batch.named()
    d = resolve_known(named, required=len(batch.arrays))
    xp, arrays = d.xp, named[: len(batch.arrays)]
    last, like = arrays[-1]
    shape = tuple(like.shape)
    for name, x in arrays:
        if tuple(x.shape) != shape:
            raise ShapeMismatchError(
                f"{name} has shape {tuple(x.shape)} and {last} {shape}; expected equal shapes. "
                f"Nothing is broadcast: reshape one to the other"
            )
    covers = covers_of(xp, batch.weights, batch.mask, soft=False)
    check_covers(shape, covers, "scores" if len(arrays) == 2 else last)
    include = covers.inclusion(xp, len(shape)).include
    name = float_name(xp, d.device, *(x for _, x in arrays))
    with d.backend.wide():
        wide = wide_float(xp, d.device, d.backend)
        # Integers keep all their digits, which a float32 would not hold.
        floats = (cast(xp, x, getattr(xp, name) if is_floating(xp, x) else wide) for _, x in arrays)
        parts = tuple(_staged.clean(xp, x, include) for x in floats)
    return Batch(d, parts, covers, name, batch.split)


def covers_of(xp: Any, weights: Array | None, mask: Array | None, *, soft: bool) -> Covers:
    """Weights and mask as numbers and booleans that can be compared and multiplied."""
    if weights is not None:
        weights = _cover.as_factors(xp, weights)
    if mask is None:
        return Covers(None, None, weights)
    kind = _cover.mask_kind(xp, mask, soft=soft)
    if is_floating(xp, mask):
        return Covers(None, widen_half(xp, mask), weights)
    return Covers(_cover.as_boolean(mask, kind), None, weights)


def _score_rows(
    fn: ScoreFunction,
    declaration: _declare.Bound,
    d: Dispatch,
    y_true: Array,
    y_pred: Array,
    covers: Covers,
) -> Batch:
    shape = declaration.scores_shape(tuple(y_true.shape), tuple(y_pred.shape))
    check_covers(shape, covers)
    own = declaration.included(y_true)
    if own is not None:
        _cover.check_covers("what the score function includes", tuple(own.shape), "scores", shape)
        covers = covers.also(d.xp, own, len(shape))
    include = covers.inclusion(d.xp, len(shape)).include
    if include is not None:
        axis = declaration.class_axis(len(y_pred.shape))
        true_value, pred_value = declaration.declaration.harmless
        y_true = _substitute(d.xp, include, y_true, true_value, len(shape), axis)
        y_pred = _substitute(d.xp, include, y_pred, pred_value, len(shape), axis)
    parts = _called(fn, d, y_true, y_pred, declaration.parts)
    for scores in parts:
        if tuple(scores.shape) != shape:
            raise ShapeMismatchError(
                f"{declaration.name} returned scores of shape {tuple(scores.shape)}; expected "
                f"{shape} from y_pred of shape {tuple(y_pred.shape)}, as it declares"
            )
    return Batch(d, parts, covers, _name(d, parts[0]))


def _score_undeclared(
    fn: ScoreFunction, d: Dispatch, y_true: Array, y_pred: Array, covers: Covers
) -> Batch:
    _cover.check_not_crossed("y_true", tuple(y_true.shape), "y_pred", tuple(y_pred.shape))
    (scores,) = _called(fn, d, y_true, y_pred, None)
    shape = _cover.known_shape("scores", scores)
    if not shape and y_pred.shape:
        raise ShapeMismatchError(
            f"{_declare.name_of(fn)} returned one number for y_pred of shape "
            f"{tuple(y_pred.shape)}; expected a score for each element or row, since means of "
            f"means would depend on the batches. Leave the reduction to the objective (torch: "
            f"reduction='none')"
        )
    check_covers(shape, covers)
    include = covers.inclusion(d.xp, len(shape)).include
    cleaned = _staged.clean(d.xp, scores, include)
    return Batch(d, (cleaned,), covers, _name(d, scores))


def _name(d: Dispatch, scores: Array) -> str:
    return "float64" if is_float64(d.xp, scores) else "float32"


def _called(
    fn: ScoreFunction, d: Dispatch, y_true: Array, y_pred: Array, parts: int | None
) -> tuple[Array, ...]:
    """What the score function returned, as floats of the framework that went in."""
    name = f"the result of {_declare.name_of(fn)}"
    found = fn(y_true, y_pred)
    if parts is None:
        return (_as_floats(name, found, d, y_true, y_pred),)
    if not isinstance(found, tuple) or len(found) != parts:
        raise TypeError(
            f"{name} is a {type(found).__name__}; expected a tuple of {parts} arrays of scores, "
            f"one for each positional parameter of the function that it declares as finish"
        )
    return tuple(_as_floats(name, x, d, y_true, y_pred) for x in found)


def _as_floats(name: str, scores: Array, d: Dispatch, y_true: Array, y_pred: Array) -> Array:
    kind = kind_of(scores)
    if kind is None or kind.refusal is not None:
        raise UnsupportedArrayError(
            f"{name} is a {type(scores).__name__}; expected an array of scores, one for "
            f"each element or row. Write it with the operations of the array namespace, "
            f"and leave the reduction to the objective"
        )
    if kind.xp is not d.xp:
        raise MixedFrameworksError(
            f"{name} is a {namespace_name(kind.xp)} array; expected one of "
            f"{namespace_name(d.xp)}, as y_pred is"
        )
    if d.backend.device(scores) != d.device:
        raise MixedDevicesError(
            f"{name} is on device {d.backend.device(scores)}; expected {d.device}, where y_pred is"
        )
    resolve(((name, scores),))
    if is_floating(d.xp, scores):
        return widen_half(d.xp, scores)
    return cast(d.xp, scores, getattr(d.xp, float_name(d.xp, d.device, y_true, y_pred)))


def check_covers(shape: _cover.Shape, covers: Covers, of: str = "scores") -> None:
    """Raise ShapeMismatchError unless weights and mask cover leading axes of `shape`."""
    for name, x in (("weights", covers.weights), ("mask", covers.mask), ("mask", covers.soft)):
        if x is not None:
            _cover.check_covers(name, tuple(x.shape), of, shape)


def _substitute(
    xp: Any, include: Array, x: Array, value: float, rank: int, class_axis: int | None
) -> Array:
    skip = class_axis if len(x.shape) > rank else None
    where = _cover.expand(xp, include, len(x.shape), skip=skip)
    if is_floating(xp, x):
        return xp.where(where, x, value)
    if dtype_kind(xp, x.dtype) == "bool":
        return x & where
    return xp.where(where, x, 0)
