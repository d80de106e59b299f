"""The sums from which a masked, weighted loss of any number of parts is computed exactly."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from agnostic_mask import _cover, _staged
from agnostic_mask._array import Array
from agnostic_mask._cover import Shape
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._dtypes import wide_float, wide_integer
from agnostic_mask._errors import StateMismatchError
from agnostic_mask._scoring import Batch
from agnostic_mask._staged import Covers, Inclusion
from agnostic_mask._state import CONFIGURATION, State, state
from agnostic_mask._statistic import added, with_arrays, zeros_like
from agnostic_mask._totals import Totals

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
class Tally(State):
    """State of an objective, and of metrics that are ratios of sums; merged by adding.

    Every sum runs over score elements: s scores, m mask, w weights. Fields that a reduction
    does not need are None.

    Attributes
    ----------
    made_for, dtype : str
        As of every state. Static.
    reduction : str
        The reduction that it was made for. Static.
    total : array, float64
        sum(w m s); 0-d, as all the others are, but for a ratio of sums of shape (parts,). All have
        the groups' axis before these, if there is one.
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
    total: Array
    included: Array
    elements: Array | None = None
    masked: Array | None = None
    weighted: Array | None = None
    weight: Array | None = None


def tally(made_for: str, reduction: Reduction, batch: Batch, *, ratio: bool) -> Tally:
    """Tally of one batch of scores; `ratio` says whether they are parts of a ratio of sums.

    Excluded scores must be finite where the covers do not tell them apart.
    """
    d, parts, covers, dtype, joint, split = batch
    totals = Totals(d, tuple(parts[0].shape), split)
    with d.backend.wide():
        named = {
            name: _needed(name, totals, covers, joint, reduction) for name in _COUNTS[reduction]
        }
        named["included"] = totals.included(joint)
        if ratio:
            sums = [totals.weighted_sum(scores, joint) for scores in parts]
            named["total"] = d.xp.stack(sums, axis=-1)
        else:
            named["total"] = totals.weighted_sum(parts[0], joint)
        if split is not None:
            named.update(totals.membership(joint.include))
    return Tally(made_for, dtype, reduction, **named)


def _needed(
    name: str, totals: Totals, covers: Covers, joint: Inclusion, reduction: Reduction
) -> Array | None:
    """What a reduction divides by."""
    mask, soft, weights = covers
    xp, rank = totals.d.xp, len(totals.shape)
    if name == "weight":
        return totals.sum_of_factors(joint)
    if name == "elements":
        return totals.count(None)
    if name == "weighted":
        if weights is None:
            return None
        return totals.count(_cover.expand(xp, weights, rank) != 0)
    if soft is not None:
        return totals.sum_of_factors(_staged.inclusion(totals.d, rank, (mask,), (soft,)))
    if mask is None:
        return None if reduction == "keras2" else totals.count(None)
    return totals.count(_cover.expand(xp, mask, rank))


def zero(made_for: str, reduction: Reduction, d: Dispatch, dtype: str, parts: Shape) -> Tally:
    """The tally of no batch at all, which changes nothing when merged."""
    xp = d.xp
    with d.backend.wide():
        none = xp.zeros((), dtype=wide_integer(xp, d.device, d.backend), device=d.device)
        wide = wide_float(xp, d.device, d.backend)
        nothing = xp.zeros((), dtype=wide, device=d.device)
        return Tally(
            made_for,
            dtype,
            reduction,
            xp.zeros(parts, dtype=wide, device=d.device) if parts else nothing,
            none,
            masked=none if reduction == "keras3" else None,
            weight=nothing if reduction == "mean" else None,
        )


def merge(left: Tally, right: Tally) -> Tally:
    """Tally of the batches of both, which were made for the same.

    Raises
    ------
    StateMismatchError
        If, under "keras2", one is of batches with and one of batches without a mask, or weights.
    MixedFrameworksError, MixedDevicesError
        If their arrays do not belong together.
    """
    if _is_unmet(left):
        left = _met(left, right)
    elif _is_unmet(right):
        right = _met(right, left)
    masked = (left.masked is None) != (right.masked is None)
    if masked or (left.weighted is None) != (right.weighted is None):
        what = "mask" if masked else "weights"
        raise StateMismatchError(
            f"under 'keras2' a part with {what} and a part without cannot be merged, since "
            f"the formula has a factor for them or has not; pass {what} of ones for the parts "
            f"that have none"
        )
    return added(left, right)


def _is_unmet(tally: Tally) -> bool:
    return tally.reduction == "keras2" and tally.elements is None


def _met(unmet: Tally, met: Tally) -> Tally:
    return with_arrays(zeros_like(met), {}, dtype=unmet.dtype)


def reduced(d: Dispatch, tally: Tally, epsilon: float) -> Array:
    """What the total of a tally, or each of its parts, is reduced to, in the accumulator's dtype.

    `d.backend.wide` must be entered by the caller.
    """
    xp, total = d.xp, tally.total

    def divisor(x: Array) -> Array:
        """Number of each tally, for all its parts."""
        parts = len(total.shape) > len(tally.included.shape)
        return xp.astype(xp.expand_dims(x, axis=-1) if parts else x, total.dtype)

    if tally.reduction == "keras2":
        return _keras2(d, tally, divisor, epsilon)
    if tally.reduction == "keras3":
        masked = divisor(tally.masked)
        return xp.where(masked == 0, 0.0, d.backend.ratio(total, masked))
    if tally.reduction == "mean":
        return d.backend.ratio(total, divisor(tally.weight))
    return total


def _keras2(
    d: Dispatch, tally: Tally, divisor: Callable[[Array | None], Array], epsilon: float
) -> Array:
    if tally.elements is None:
        return d.xp.full_like(tally.total, d.xp.nan)
    elements = divisor(tally.elements)
    value = d.backend.ratio(tally.total, elements)
    if tally.masked is not None:
        share = d.backend.ratio(divisor(tally.masked), elements)
        value = d.backend.ratio(value, share + epsilon)
    if tally.weighted is not None:
        share = d.backend.ratio(divisor(tally.weighted), elements)
        value = d.backend.ratio(value, share)
    return value
