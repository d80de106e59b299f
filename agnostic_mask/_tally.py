"""The sums from which a masked, weighted loss of any number of parts is computed exactly."""

from dataclasses import dataclass, field
from typing import Any, Literal

from agnostic_mask import _staged
from agnostic_mask._array import Array
from agnostic_mask._cover import Shape
from agnostic_mask._dispatch import Dispatch, resolve
from agnostic_mask._dtypes import is_float64, is_integer, wide_float, wide_integer
from agnostic_mask._errors import StateMismatchError
from agnostic_mask._state import CONFIGURATION, field_names, state

Reduction = Literal["keras2", "keras3", "mean", "sum", "none"]
REDUCTIONS: tuple[Reduction, ...] = ("keras2", "keras3", "mean", "sum", "none")

_COUNTS: dict[Reduction, tuple[str, ...]] = {
    "keras2": ("elements", "masked", "weighted"),
    "keras3": ("masked",),
    "mean": ("weight",),
    "sum": (),
}


@state
@dataclass(frozen=True, eq=False)
class Tally:
    """State of an objective: an immutable tree of 0-d arrays, merged by adding them.

    Every sum runs over score elements: s scores, m mask, w weights. Fields that a reduction
    does not need are None.

    Attributes
    ----------
    reduction : str
        The reduction that it was made for. Static.
    dtype : str
        Dtype of the scores, and so of the result: "float32" or "float64". Static.
    total : array, float64
        sum(w m s).
    included : array, int64
        Number of elements with m != 0 and w != 0.
    elements : array, int64, or None
        Number of elements; None in a `zero` of "keras2" that has not met a batch.
    masked : array, int64 (float64 for a soft mask), or None
        sum(m).
    weighted : array, int64, or None
        Number of elements with w != 0.
    weight : array, float64, or None
        sum(w m).
    """

    reduction: Reduction = field(metadata=CONFIGURATION)
    dtype: str = field(metadata=CONFIGURATION)
    total: Array
    included: Array
    elements: Array | None = None
    masked: Array | None = None
    weighted: Array | None = None
    weight: Array | None = None

    def arrays(self) -> dict[str, Array]:
        """The fields that hold an array, by name."""
        named = ((name, getattr(self, name)) for name in _ARRAYS)
        return {name: x for name, x in named if x is not None}


_ARRAYS = field_names(Tally, configuration=False)


def tally(reduction: Reduction, d: Dispatch, scores: Array, covers: _staged.Covers) -> Tally:
    """Tally of one batch.

    Parameters
    ----------
    reduction : str
    d : Dispatch
    scores : array, float32 or float64, shape S
        Excluded elements must be finite where the covers do not tell them apart.
    covers : Covers
        They cover leading axes of S.

    Returns
    -------
    Tally
    """
    xp = d.xp
    shape: Shape = tuple(scores.shape)
    axes = tuple(range(len(shape)))
    mask, soft, weights = covers
    joint = covers.inclusion(xp, len(shape))

    def counted(*masks: Array | None) -> Array:
        include = _staged.inclusion(xp, len(shape), masks, ()).include
        return _staged.count(d, shape, include, axes)

    def needed(name: str) -> Array | None:
        if name == "elements":
            return counted()
        if name == "weight":
            return _staged.sum_of_factors(d, shape, joint, axes)
        if name == "weighted":
            return None if weights is None else counted(weights != 0)
        if soft is not None:
            factors = _staged.inclusion(xp, len(shape), (mask,), (soft,))
            return _staged.sum_of_factors(d, shape, factors, axes)
        return None if mask is None and reduction == "keras2" else counted(mask)

    with d.backend.wide():
        arrays = {name: needed(name) for name in _COUNTS[reduction]}
        arrays["total"] = _staged.weighted_sum(d, scores, joint, axes)
        arrays["included"] = _staged.count(d, shape, joint.include, axes)
        flat = {
            name: None if x is None else d.backend.as_array(xp.reshape(x, ()))
            for name, x in arrays.items()
        }
    name = "float64" if is_float64(xp, scores) else "float32"
    return Tally(reduction, name, **flat)


def zero(d: Dispatch, reduction: Reduction, dtype: str) -> Tally:
    """The tally of no batch at all, which changes nothing when merged."""
    xp = d.xp
    with d.backend.wide():
        integer = wide_integer(xp, d.device, d.backend)
        none = xp.zeros((), dtype=integer, device=d.device)
        total = xp.zeros((), dtype=wide_float(xp, d.device, d.backend), device=d.device)
        return Tally(
            reduction,
            dtype,
            total,
            none,
            masked=none if reduction == "keras3" else None,
            weight=total if reduction == "mean" else None,
        )


def zero_like(like: Tally) -> Tally:
    """Zeros with the fields of `like`, for loops that want one structure throughout."""
    d = _dispatch_of(like)
    with d.backend.wide():
        arrays = {name: d.xp.zeros_like(x) for name, x in like.arrays().items()}
        return Tally(like.reduction, like.dtype, **arrays)


def merge(left: Tally, right: Tally) -> Tally:
    """Tally of the parts of both, which were made for the same reduction.

    Raises
    ------
    StateMismatchError
        If, under "keras2", one is of parts with and one of parts without a mask, or weights.
    MixedFrameworksError, MixedDevicesError
        If their arrays do not belong together.
    """
    if _is_unmet(left):
        left = _met(left, right)
    elif _is_unmet(right):
        right = _met(right, left)
    ours, theirs = left.arrays(), right.arrays()
    if ours.keys() != theirs.keys():
        what = "mask" if (left.masked is None) != (right.masked is None) else "weights"
        raise StateMismatchError(
            f"under 'keras2' a part with {what} and a part without cannot be merged, since "
            f"the formula has a factor for them or has not; pass {what} of ones for the parts "
            f"that have none"
        )
    d = resolve(
        [
            *((f"left.{n}", x) for n, x in ours.items()),
            *((f"right.{n}", x) for n, x in theirs.items()),
        ]
    )
    with d.backend.wide():
        sums = {name: d.backend.as_array(_add(d.xp, x, theirs[name])) for name, x in ours.items()}
    return Tally(left.reduction, max(left.dtype, right.dtype), **sums)


def _add(xp: Any, a: Array, b: Array) -> Array:
    if is_integer(xp, a) and not is_integer(xp, b):  # a soft mask's part beside a boolean's
        a = xp.astype(a, b.dtype)
    elif is_integer(xp, b) and not is_integer(xp, a):
        b = xp.astype(b, a.dtype)
    return a + b


def _is_unmet(tally: Tally) -> bool:
    return tally.reduction == "keras2" and tally.elements is None


def _met(unmet: Tally, met: Tally) -> Tally:
    return Tally(unmet.reduction, unmet.dtype, **zero_like(met).arrays())


def check_made_for(reduction: Reduction, name: str, tally: Any) -> None:
    """Raise unless `tally` is a state of this reduction.

    Raises
    ------
    TypeError
        If it is no state at all.
    StateMismatchError
        If it was made for another reduction.
    """
    if not isinstance(tally, Tally):
        raise TypeError(
            f"{name} is a {type(tally).__name__}; expected a state that zero, update or merge made"
        )
    if tally.reduction != reduction:
        raise StateMismatchError(
            f"{name} was made for reduction {tally.reduction!r}; expected {reduction!r}, that of "
            f"this objective: the two count different things"
        )


def compute(tally: Tally, empty: float | None, epsilon: float) -> Array:
    """Value of the objective whose batches were tallied, 0-d, in the scores' dtype."""
    d = _dispatch_of(tally)
    xp = d.xp
    with d.backend.wide():
        wide = tally.total.dtype
        value = tally.total
        if tally.reduction == "keras2":
            value = _keras2(d, tally, epsilon)
        elif tally.reduction == "keras3":
            value = _staged.ratio(xp, value, xp.astype(tally.masked, wide))
            value = xp.where(tally.masked == 0, 0.0, value)
        elif tally.reduction == "mean":
            value = _staged.ratio(xp, value, tally.weight)
        if empty is not None:
            value = xp.where(tally.included == 0, empty, value)
        return d.backend.as_array(xp.astype(value, getattr(xp, tally.dtype)))


def _keras2(d: Dispatch, tally: Tally, epsilon: float) -> Array:
    xp = d.xp
    wide = tally.total.dtype
    if tally.elements is None:
        return xp.full_like(tally.total, xp.nan)
    elements = xp.astype(tally.elements, wide)
    value = _staged.ratio(xp, tally.total, elements)
    if tally.masked is not None:
        share = _staged.ratio(xp, xp.astype(tally.masked, wide), elements)
        value = _staged.ratio(xp, value, share + epsilon)
    if tally.weighted is not None:
        share = _staged.ratio(xp, xp.astype(tally.weighted, wide), elements)
        value = _staged.ratio(xp, value, share)
    return value


def _dispatch_of(tally: Tally) -> Dispatch:
    return resolve(tally.arrays().items())
