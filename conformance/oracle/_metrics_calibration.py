"""Metrics in higher precision: those of calibration."""

from collections.abc import Callable
from typing import Any, NamedTuple

from ._elements import Elements
from ._metrics_binned import finished, total
from ._numbers import Number, mp
from ._rough import Rough, summed

Result = tuple[Any, Any]


class _Bucket(NamedTuple):
    """Sums of a bin of calibration."""

    weight: Rough
    confidence: Rough
    hits: Rough


def _buckets(e: Elements) -> list[_Bucket]:
    n = int(e.options.get("num_bins", 15))
    inside: list[list[tuple[Number, Number, Number]]] = [[] for _ in range(n)]
    for t, p, w in zip(e.true, e.pred, e.weights, strict=True):
        confidence = max(p) if isinstance(p, list) else p
        hit = int(p.index(confidence) == t) if isinstance(p, list) else int(t == 1)
        inside[min(int(confidence * n), n - 1)].append((w, confidence, mp.mpf(hit)))
    return [
        _Bucket(
            total(e, [w for w, _, _ in x]),
            # Each product is rounded once before the sum.
            summed((Rough(w * c, e.acc * abs(w * c), e.acc) for w, c, _ in x), e.acc),
            total(e, [w * h for w, _, h in x]),
        )
        for x in inside
    ]


def _expected(e: Elements) -> Result:
    buckets = _buckets(e)
    gaps = [x.hits.minus(x.confidence) for x in buckets]
    gap = summed((g._replace(value=abs(g.value)) for g in gaps), e.acc)
    return finished(e, gap.over(summed((x.weight for x in buckets), e.acc)))


def _maximum(e: Elements) -> Result:
    gaps = [
        g._replace(value=abs(g.value)).over(x.weight)
        for x in _buckets(e)
        for g in [x.hits.minus(x.confidence)]
        if x.weight.value != 0
    ]
    return finished(e, max(gaps, key=lambda g: g.value)) if gaps else (mp.nan, 0.0)


def _reliability(which: str) -> Callable[[Elements], Result]:
    def metric(e: Elements) -> Result:
        found = [
            finished(e, getattr(x, which).over(x.weight) if which != "weight" else x.weight)
            for x in _buckets(e)
        ]
        return [v for v, _ in found], [b for _, b in found]

    return metric


CALIBRATION: dict[str, Callable[[Elements], Result]] = {
    "ExpectedCalibrationError": _expected,
    "MaximumCalibrationError": _maximum,
    "ReliabilityCurve:accuracy": _reliability("hits"),
    "ReliabilityCurve:confidence": _reliability("confidence"),
}
