"""Metrics in higher precision: those of bins that numbers themselves give.

The bins are found by taking numbers apart, without any table of edges.
"""

import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ._elements import Elements
from ._numbers import Number, mp
from ._rough import Rough, summed, summed_exact

Result = tuple[Any, Any]

_LOG_ULPS = 4  # how far off a framework's log1p may be, in units of the last place


def ends(x: float, b: int) -> tuple[float, float]:
    """Ends of the bin [low, high) that a number is in, b bins an octave."""
    size, last = abs(x), 2.0**128 - 2.0**127 / b
    if size < 2.0**-126 or x == -(2.0**-126):
        return -(2.0**-126), 2.0**-126
    if x >= last:
        return last, math.inf
    if x < -last:
        return -math.inf, -last
    inverted = 0.5 <= x < 1 or -1 <= x < -0.5
    # Where a bin holds its upper end in size (or in distance from 1), a power of 2 is the end of
    # the binade below it.
    scaled = 1 - size if inverted else size
    mantissa, exponent = math.frexp(scaled)
    holds_upper = (x > 0) == inverted
    binade = exponent - (2 if holds_upper and mantissa == 0.5 else 1)
    width = 2.0**binade / b if scaled else 0.0
    if inverted:
        width = max(width, 2.0**-24)
    steps = scaled / width
    low = (math.ceil(steps) - 1 if holds_upper else math.floor(steps)) * width
    high = low + width
    if inverted:
        low, high = 1 - high, 1 - low
    return (low, high) if x > 0 else (-high, -low)


def total(e: Elements, weights: list[Number]) -> Rough:
    """Sum of weights; exact where there are none and it is a count."""
    return summed_exact(weights, e.acc if e.weighted else mp.mpf(0))._replace(acc=e.acc)


class _Bin(NamedTuple):
    """A bin that is not empty: its ends, what is in it, and what is in it and all before it."""

    low: float
    high: float
    p: Rough
    n: Rough
    tp: Rough
    fp: Rough


def _bins(e: Elements) -> list[_Bin]:
    """Bins of scores in order, the greatest first."""
    b = e.options.get("bins_per_octave", 64)
    found: dict[tuple[float, float], tuple[list[Number], list[Number]]] = {}
    for t, s, w in zip(e.true, e.pred, e.weights, strict=True):
        found.setdefault(ends(float(s), b), ([], []))[int(t)].append(w)
    bins: list[_Bin] = []
    for (low, high), (negative, positive) in sorted(found.items(), reverse=True):
        p, n = total(e, positive), total(e, negative)
        tp = _plus([x.p for x in bins], p, e)
        fp = _plus([x.n for x in bins], n, e)
        bins.append(_Bin(low, high, p, n, tp, fp))
    return bins


def _plus(before: list[Rough], x: Rough, e: Elements) -> Rough:
    exact = summed([*before, x], mp.mpf(0) if not e.weighted else e.acc)
    return exact._replace(acc=e.acc)


def finished(e: Elements, x: Rough) -> Result:
    """Value and bound of what is rounded to the result's dtype."""
    return x.value, float(x.error + e.u * abs(x.value)) if mp.isfinite(x.value) else 0.0


def _exact(e: Elements, x: Any) -> Rough:
    return Rough(mp.mpf(x), mp.mpf(0), e.acc)


def _before(e: Elements, bins: list[_Bin], i: int) -> tuple[Rough, Rough]:
    return (bins[i - 1].tp, bins[i - 1].fp) if i else (_exact(e, 0), _exact(e, 0))


def _auc(within: float) -> Callable[[Elements], Result]:
    """Area with a part of each bin's own pairs; within the bin the curve is a straight line."""

    def metric(e: Elements) -> Result:
        bins, m = _bins(e), e.options.get("max_fpr")
        if not bins:
            return mp.nan, 0.0
        areas = []
        for i, x in enumerate(bins):
            tp, fp = _before(e, bins, i)
            width, share = x.n, _exact(e, 1)
            if m is not None:
                left = bins[-1].fp.scaled(m).minus(fp)
                if left.value < width.value:
                    width = left if left.value > 0 else _exact(e, 0)
                share = width.over(x.n, mp.mpf(0))
            if within == 1:
                share = _exact(e, 1)
            areas.append(width.times(tp.plus(x.p.times(share).scaled(within))))
        area = summed(areas, e.acc).over(bins[-1].tp.times(bins[-1].fp))
        if m is not None and not mp.isnan(area.value):
            chance = _exact(e, mp.mpf(m) ** 2 / 2)
            part = area.minus(chance).over(_exact(e, m).minus(chance))
            area = part.plus(_exact(e, 1)).scaled(mp.mpf(0.5))
        return finished(e, area)

    return metric


def _average_precision(which: str) -> Callable[[Elements], Result]:
    def share(e: Elements, bins: list[_Bin], i: int) -> Rough:
        x, (tp, fp) = bins[i], _before(e, bins, i)
        if which == "high":
            return x.p.times(x.tp).over(x.tp.plus(fp), mp.mpf(0))
        if which == "value":
            return x.p.times(x.tp).over(x.tp.plus(x.fp), mp.mpf(0))
        if x.fp.value == 0:
            return x.p
        first = tp.plus(x.fp).plus(_exact(e, 0 if e.weighted else 0.5))
        ratio = x.p.over(first)
        log = mp.log1p(ratio.value)
        error = ratio.error / (1 + ratio.value) + _LOG_ULPS * e.acc * log
        return x.p.minus(x.fp.times(Rough(log, error, e.acc)))

    def metric(e: Elements) -> Result:
        bins = _bins(e)
        if not bins:
            return mp.nan, 0.0
        area = summed((share(e, bins, i) for i in range(len(bins))), e.acc)
        return finished(e, area.over(bins[-1].tp))

    return metric


class _Rates(NamedTuple):
    """Rates at a threshold, at the one above it, and the best precision between the two."""

    low: float
    recall: Rough
    specificity: Rough
    precision: Rough
    within: Rough


def _rates(e: Elements) -> list[_Rates]:
    """Rates where nothing is predicted, and at the lower end of each bin."""
    bins, one, none = _bins(e), _exact(e, 1), _exact(e, 0)
    if not bins:
        return []
    all_negative = one if bins[-1].fp.value else none.over(none)
    found = [_Rates(math.inf, none.over(bins[-1].tp), all_negative, one, none)]
    for i, x in enumerate(bins):
        found.append(
            _Rates(
                x.low,
                x.tp.over(bins[-1].tp),
                bins[-1].fp.minus(x.fp).over(bins[-1].fp),
                x.tp.over(x.tp.plus(x.fp), mp.mpf(1)),
                x.tp.over(x.tp.plus(_before(e, bins, i)[1]), mp.mpf(0)),
            )
        )
    return found


Chosen = list[tuple[Rough, float]]


def _sensitivity_at_specificity(e: Elements, at: list[_Rates]) -> tuple[Chosen, list[Rough]]:
    least = e.options["specificity"]
    kept = [(r.recall, r.low) for r in at if r.specificity.value >= least]
    pairs = itertools.pairwise(at)
    return kept, [after.recall for r, after in pairs if r.specificity.value >= least]


def _specificity_at_sensitivity(e: Elements, at: list[_Rates]) -> tuple[Chosen, list[Rough]]:
    least = e.options["sensitivity"]
    kept = [(r.specificity, r.low) for r in at if r.recall.value >= least]
    pairs = itertools.pairwise(at)
    return kept, [r.specificity for r, after in pairs if after.recall.value >= least]


def _precision_at_recall(e: Elements, at: list[_Rates]) -> tuple[Chosen, list[Rough]]:
    kept = [r for r in at[1:] if r.recall.value >= e.options["recall"]]
    return [(r.precision, r.low) for r in kept], [r.within for r in kept]


def _recall_at_precision(e: Elements, at: list[_Rates]) -> tuple[Chosen, list[Rough]]:
    least = e.options["precision"]
    kept = [(r.recall, r.low) for r in at if r.precision.value >= least]
    return kept, [r.recall for r in at[1:] if r.within.value >= least]


def _point(
    choose: Callable[[Elements, list[_Rates]], tuple[Chosen, list[Rough]]], which: str
) -> Callable[[Elements], Result]:
    def metric(e: Elements) -> Result:
        kept, within = choose(e, _rates(e))
        if not kept or any(mp.isnan(x.value) for x, _ in kept):
            return mp.nan, 0.0
        low = max((x for x, _ in kept), key=lambda x: x.value)
        if which == "threshold":
            return mp.mpf(max(t for x, t in kept if x.value == low.value)), 0.0
        if which == "high":
            low = max([low, *within], key=lambda x: x.value)
        return finished(e, low)

    return metric


def _curve(which: str) -> Callable[[Elements], Result]:
    def metric(e: Elements) -> Result:
        b = e.options["bins_per_octave"]
        positive = {2.0**k * (1 + j / b) for k in range(-126, 128) if k != -1 for j in range(b)}
        distances = {2.0**k * (1 + j / b) for k in range(-24, -1) for j in range(b)}
        positive |= {0.5, *(1 - d for d in distances if d % 2.0**-24 == 0)}
        edges = sorted({s * x for x in positive for s in (1, -1)}, reverse=True)
        at = _rates(e)
        if not at:
            value = mp.mpf(1) if which == "precision" else mp.nan
            return [value] * (len(edges) + 2), [0.0] * (len(edges) + 2)
        found, i = [], 0
        for edge in (math.inf, *edges, -math.inf):
            while i + 1 < len(at) and at[i + 1].low >= edge:
                i += 1
            found.append(finished(e, getattr(at[i], which)))
        return [v for v, _ in found], [b for _, b in found]

    return metric


def _quantile(of: Callable[[Elements], Iterable[Number]], which: str) -> Callable[[Elements], Any]:
    def metric(e: Elements) -> Result:
        b, q = e.options.get("bins_per_octave", 64), e.options.get("q", 0.5)
        # No bin tells more than the accumulator does.
        digits = 53 if e.acc < mp.mpf(2) ** -50 else 24
        placed = []
        for x, w in zip(of(e), e.weights, strict=True):
            with mp.workprec(digits):
                placed.append((ends(float(+x), b), w))
        whole = mp.fsum(e.weights)
        for low, high in sorted({place for place, _ in placed}):
            below = mp.fsum(w for place, w in placed if place[0] <= low)
            if below / whole >= q and below != 0:
                middle = low / 2 + high / 2
                value = mp.mpf({"value": middle, "low": low, "high": high}[which])
                return value, float(e.u * abs(value))
        return mp.nan, 0.0

    return metric


def _errors(e: Elements) -> Iterable[Number]:
    return (abs(t - p) for t, p in zip(e.true, e.pred, strict=True))


_POINTS = {
    "SensitivityAtSpecificity": _sensitivity_at_specificity,
    "SpecificityAtSensitivity": _specificity_at_sensitivity,
    "PrecisionAtRecall": _precision_at_recall,
    "RecallAtPrecision": _recall_at_precision,
}

BINNED: dict[str, Callable[[Elements], Result]] = {
    "BinnedAveragePrecision:high": _average_precision("high"),
    "BinnedAveragePrecision:low": _average_precision("low"),
    "BinnedAveragePrecision:value": _average_precision("value"),
    "BinnedMedianAbsoluteError:value": _quantile(_errors, "value"),
    "BinnedPrecisionRecallCurve:precision": _curve("precision"),
    "BinnedPrecisionRecallCurve:recall": _curve("recall"),
    "BinnedQuantile:high": _quantile(lambda e: e.true, "high"),
    "BinnedQuantile:value": _quantile(lambda e: e.true, "value"),
    "BinnedROCAUC:high": _auc(1),
    "BinnedROCAUC:low": _auc(0),
    "BinnedROCAUC:value": _auc(0.5),
    "BinnedROCCurve:tpr": _curve("recall"),
    **{
        f"{name}:{which}": _point(choose, which)
        for name, choose in _POINTS.items()
        for which in ("low", "high", "threshold")
    },
}
