"""Score one batch: check the arguments, put harmless values in place of excluded ones, call."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NamedTuple

from agnostic_mask import _cover, _declare, _staged
from agnostic_mask._array import Array
from agnostic_mask._cover import Shape
from agnostic_mask._dispatch import Dispatch, resolve, resolve_known
from agnostic_mask._dtypes import (
    DtypeKind,
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
from agnostic_mask._registry import kind_of, namespace_name, signature
from agnostic_mask._staged import Covers, Inclusion
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
    joint: Inclusion
    split: Split | None = None


class Known(NamedTuple):
    """What the metadata of a batch say of it.

    Attributes
    ----------
    d : Dispatch
    shape : tuple of int or None
        Shape of the scores, which weights and mask cover; None of an undeclared function.
    wide : bool
        Whether JAX would narrow an array that it was handed outside of its wide context.
    half : bool
        Whether y_true or y_pred has a half type.
    floating : tuple of bool
        Whether y_true and y_pred are floating.
    axis : int or None
        Position of the class axis in y_pred.
    mask : str or None
        Kind of the mask's dtype.
    plain : bool
        Whether the weights are numbers that can be compared and multiplied as they are.
    """

    d: Dispatch
    shape: Shape | None
    wide: bool
    half: bool
    floating: tuple[bool, bool]
    axis: int | None
    mask: DtypeKind | None
    plain: bool


_known_before: dict[tuple[Any, ...], Known] = {}
_MANY = 256
"""Batches of different metadata, after which those that came before are forgotten."""


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
    it = _known(declaration, batch, soft)
    d = it.d
    weights = batch.weights if it.plain else _cover.as_factors(d.xp, batch.weights)
    covers = _covers(d.xp, weights, batch.mask, it.mask)
    y_true, y_pred = batch.arrays
    if it.half:
        y_true, y_pred = widen_half(d.xp, y_true), widen_half(d.xp, y_pred)
    with d.backend.wide() if it.wide else _NOTHING:
        if declaration is None or it.shape is None:
            scored = _score_undeclared(fn, d, y_true, y_pred, covers)
        else:
            scored = _score_rows(fn, declaration, it, y_true, y_pred, covers)
    return (
        scored if batch.by is None and batch.repeats is None else scored._replace(split=batch.split)
    )


_NOTHING = nullcontext()


def _known(declaration: _declare.Bound | None, batch: Arguments, soft: bool) -> Known:
    arrays = (*batch.arrays, batch.weights, batch.mask, batch.by, batch.ids)
    key = signature(arrays, shapes=True)
    rows = None if declaration is None else declaration.rows
    if key is None or not (rows is None or isinstance(rows[0], int | None)):
        return _checked(declaration, batch, soft)
    key += (soft, rows)
    found = _known_before.get(key)
    if found is None:
        if len(_known_before) >= _MANY:
            _known_before.clear()
        found = _known_before[key] = _checked(declaration, batch, soft)
    return found


def _checked(declaration: _declare.Bound | None, batch: Arguments, soft: bool) -> Known:
    d = resolve_known(batch.named(), required=2)
    xp, (y_true, y_pred), weights, mask = d.xp, batch.arrays, batch.weights, batch.mask
    kinds = [dtype_kind(xp, x.dtype) for x in batch.arrays]
    covering = None if mask is None else _cover.mask_kind(xp, mask, soft=soft)
    plain = weights is None or dtype_kind(xp, weights.dtype) not in ("bool", "half")
    floating = (is_floating(xp, y_true), is_floating(xp, y_pred))
    shape = axis = None
    if declaration is not None:
        axis = declaration.class_axis(len(y_pred.shape))
        shape = declaration.scores_shape(tuple(y_true.shape), tuple(y_pred.shape))
        check_covers(shape, Covers(mask, None, weights))
    return Known(d, shape, "float64" in kinds, "half" in kinds, floating, axis, covering, plain)


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
    joint = covers.inclusion(d, len(shape))
    include = joint.include
    name = float_name(xp, d.device, *(x for _, x in arrays))
    with d.backend.wide():
        wide = wide_float(xp, d.device, d.backend)
        # Integers keep all their digits, which a float32 would not hold.
        floats = (cast(xp, x, getattr(xp, name) if is_floating(xp, x) else wide) for _, x in arrays)
        parts = tuple(_staged.clean(d, x, include) for x in floats)
    return Batch(d, parts, covers, name, joint, batch.split)


def covers_of(xp: Any, weights: Array | None, mask: Array | None, *, soft: bool) -> Covers:
    """Weights and mask as numbers and booleans that can be compared and multiplied."""
    if weights is not None:
        weights = _cover.as_factors(xp, weights)
    kind = None if mask is None else _cover.mask_kind(xp, mask, soft=soft)
    return _covers(xp, weights, mask, kind)


def _covers(xp: Any, weights: Array | None, mask: Array, kind: DtypeKind | None) -> Covers:
    if kind is None:
        return Covers(None, None, weights)
    if kind in ("bool", "signed", "unsigned"):
        return Covers(_cover.as_boolean(mask, kind), None, weights)
    return Covers(None, widen_half(xp, mask), weights)


def _score_rows(
    fn: ScoreFunction,
    declaration: _declare.Bound,
    known: Known,
    y_true: Array,
    y_pred: Array,
    covers: Covers,
) -> Batch:
    d, shape = known.d, known.shape
    assert shape is not None
    own = declaration.included(y_true)
    if own is not None:
        _cover.check_covers("what the score function includes", tuple(own.shape), "scores", shape)
        covers = covers.also(d, own, len(shape))
    joint = covers.inclusion(d, len(shape))
    parts, raw = _row_scores(fn, declaration, known, y_true, y_pred, joint.include)
    for scores in parts:
        if tuple(scores.shape) != shape:
            raise ShapeMismatchError(
                f"{declaration.name} returned scores of shape {tuple(scores.shape)}; expected "
                f"{shape} from y_pred of shape {tuple(y_pred.shape)}, as it declares"
            )
    if raw:
        parts = tuple([_staged.clean(d, x, joint.include) for x in parts])
    return Batch(d, parts, covers, _name(d, parts[0]), joint)


def _row_scores(
    fn: ScoreFunction,
    declaration: _declare.Bound,
    known: Known,
    y_true: Array,
    y_pred: Array,
    include: Array | None,
) -> tuple[tuple[Array, ...], bool]:
    """Scores of rows, with harmless values in place of excluded inputs unless none can show.

    And whether excluded inputs were scored as they came.
    """
    d, parts = known.d, declaration.parts
    if include is None:
        return _called(fn, d, y_true, y_pred, parts), False
    true_floats, pred_floats = known.floating
    if not true_floats:  # a label may be out of range
        y_true = _substitute(known, include, y_true, 0.0)
    if not pred_floats:
        y_pred = _substitute(known, include, y_pred, 0.0)
    if d.backend.unwatched(y_true, y_pred):
        try:
            found = d.backend.trusted(lambda: _called(fn, d, y_true, y_pred, parts))
        except Exception:  # of what is excluded; of anything else it is raised again below
            found = None
        if found is not None:
            return found, True
    guarded = _guarded(known, include, y_true, y_pred) if _declare.is_ours(fn) else None
    if guarded is not None:
        return _called(fn, d, guarded[0], guarded[1], parts), True
    true_value, pred_value = declaration.declaration.harmless
    if true_floats:
        y_true = _substitute(known, include, y_true, true_value)
    if pred_floats:
        y_pred = _substitute(known, include, y_pred, pred_value)
    return _called(fn, d, y_true, y_pred, parts), False


def _guarded(known: Known, include: Array, y_true: Array, y_pred: Array) -> list[Array] | None:
    """Inputs whose derivatives are 0 where excluded, None if the framework cannot."""
    found = []
    for x, floats in zip((y_true, y_pred), known.floating, strict=True):
        guarded = known.d.backend.guarded(x, _expanded(known, include, x)) if floats else x
        if guarded is None:
            return None
        found.append(guarded)
    return found


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
    joint = covers.inclusion(d, len(shape))
    cleaned = _staged.clean(d, scores, joint.include)
    return Batch(d, (cleaned,), covers, _name(d, scores), joint)


def _name(d: Dispatch, scores: Array) -> str:
    return "float64" if is_float64(d.xp, scores) else "float32"


def _called(
    fn: ScoreFunction, d: Dispatch, y_true: Array, y_pred: Array, parts: int | None
) -> tuple[Array, ...]:
    """What the score function returned, as floats of the framework that went in."""
    found = fn(y_true, y_pred)
    if parts is None:
        return (_as_floats(fn, found, d, y_true, y_pred),)
    if not isinstance(found, tuple) or len(found) != parts:
        raise TypeError(
            f"{_named(fn)} is a {type(found).__name__}; expected a tuple of {parts} arrays of "
            f"scores, one for each positional parameter of the function that it declares as finish"
        )
    return tuple([_as_floats(fn, x, d, y_true, y_pred) for x in found])


def _named(fn: ScoreFunction) -> str:
    return f"the result of {_declare.name_of(fn)}"


def _as_floats(
    fn: ScoreFunction, scores: Array, d: Dispatch, y_true: Array, y_pred: Array
) -> Array:
    if type(scores) is type(y_pred) and is_floating(d.xp, y_pred):
        known = d.backend.signature(y_pred)
        if known is not None and d.backend.signature(scores) == known:
            return scores  # of dtype and device of y_pred, which was checked and widened
    name, kind = _named(fn), kind_of(scores)
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


def _substitute(known: Known, include: Array, x: Array, value: float) -> Array:
    d, xp = known.d, known.d.xp
    where = _expanded(known, include, x)
    if is_floating(xp, x):
        return xp.where(where, x, value)
    if dtype_kind(xp, x.dtype) == "bool":
        return x & where
    return d.backend.zeroed(x, where)


def _expanded(known: Known, include: Array, x: Array) -> Array:
    """`include` over the rows of `x`, with the rank of `x`."""
    assert known.shape is not None
    skip = known.axis if len(x.shape) > len(known.shape) else None
    return _cover.expand(known.d.xp, include, len(x.shape), skip=skip)
