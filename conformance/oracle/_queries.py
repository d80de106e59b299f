"""Metrics of queries and of sequences in higher precision, from their definitions.

Excluded candidates are never looked at. Ranks are counted, not sorted: of a candidate with a
greater ones and m equal ones, itself among them, every rank from a + 1 to a + m is as likely. The
bound of a score: K + 2 log2(K) + 8 roundings of the accumulator for each of its K terms (sums
within ties and over them, a logarithm, a product and two quotients), on top of those of a gain.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from .._reference import Reference
from ._numbers import Number, at, mp, number, unit_roundoff
from ._rough import Rough, summed, summed_exact
from ._scores_common import ELEMENTARY


class _Query(NamedTuple):
    """Relevance and scores of the included candidates, or labels and predictions of tokens."""

    true: list[Number]
    pred: list[Any]
    options: Mapping[str, Any]
    acc: Number

    @property
    def k(self) -> int:
        return int(self.options.get("k") or len(self.true))

    @property
    def relevant(self) -> list[bool]:
        return [t > 0 for t in self.true]

    def rough(self, value: Number, terms: Number) -> Rough:
        """A value whose terms, absolute, sum to `terms`."""
        n = len(self.true)
        return Rough(value, (n + 2 * n.bit_length() + 8) * self.acc * terms, self.acc)

    def expected(self, factors: list[Number]) -> list[Number]:
        """Mean over all orders of ties of the factor of each candidate's rank."""
        found = []
        for p in self.pred:
            above = sum(q > p for q in self.pred)
            tied = sum(q == p for q in self.pred)
            found.append(mp.fsum(factors[above : above + tied]) / tied)
        return found

    def upto_k(self, factor: Callable[[int], Number]) -> list[Number]:
        """Factors of all ranks, 0 past k."""
        return [factor(r) if r <= self.k else mp.mpf(0) for r in range(1, len(self.true) + 1)]


def _discount(rank: int) -> Number:
    return mp.log(2) / mp.log(rank + 1)


def _gain(q: _Query, relevance: Number) -> Rough:
    if q.options.get("gain") != "exponential":
        return Rough(relevance, mp.mpf(0), q.acc)
    power = mp.mpf(2) ** relevance
    return Rough(power - 1, (ELEMENTARY + 1) * q.acc * power, q.acc)


def _gained(q: _Query, gains: list[Rough], factors: list[Number]) -> Rough:
    terms = [(g, f) for g, f in zip(gains, factors, strict=True)]
    found = q.rough(
        mp.fsum(g.value * f for g, f in terms), mp.fsum(abs(g.value) * f for g, f in terms)
    )
    return found._replace(error=found.error + mp.fsum(g.error * f for g, f in terms))


def _dcg(q: _Query) -> tuple[Rough, Rough | None]:
    gains = [_gain(q, t) for t in q.true]
    return _gained(q, gains, q.expected(q.upto_k(_discount))), None


def _ndcg(q: _Query) -> tuple[Rough, Rough | None]:
    best = sorted((_gain(q, t) for t in q.true), key=lambda g: g.value, reverse=True)
    return _dcg(q)[0], _gained(q, best, q.upto_k(_discount))


def _count(q: _Query, n: Number) -> Rough:
    return Rough(mp.mpf(n), mp.mpf(0), q.acc)


def _hits(q: _Query) -> Rough:
    shares = q.expected(q.upto_k(lambda rank: mp.mpf(1)))
    found = mp.fsum(s for s, r in zip(shares, q.relevant, strict=True) if r)
    return q.rough(found, found)


def _precision(q: _Query) -> tuple[Rough, Rough | None]:
    return _hits(q).over(_count(q, q.options["k"])), None


def _recall(q: _Query) -> tuple[Rough, Rough | None]:
    return _hits(q), _count(q, sum(q.relevant))


def _average_precision(q: _Query) -> tuple[Rough, Rough | None]:
    found = mp.mpf(0)
    for p, relevant in zip(q.pred, q.relevant, strict=True):
        if relevant:
            down_to = [r for other, r in zip(q.pred, q.relevant, strict=True) if other >= p]
            found += mp.mpf(sum(down_to)) / len(down_to)
    return q.rough(found, found), _count(q, sum(q.relevant))


def _reciprocal_rank(q: _Query) -> tuple[Rough, Rough | None]:
    pairs = list(zip(q.pred, q.relevant, strict=True))
    if not any(q.relevant):
        return _count(q, 0), _count(q, 0)
    best = max(p for p, relevant in pairs if relevant)
    rank = 1 + sum(p >= best for p, relevant in pairs if not relevant)
    found = 1 / mp.mpf(rank) if rank <= q.k else mp.mpf(0)
    return q.rough(found, found), _count(q, 1)


def _exact_match(q: _Query) -> tuple[Rough, Rough | None]:
    right = True
    for t, p in zip(q.true, q.pred, strict=True):
        if isinstance(p, list):
            if not 0 <= t < len(p):
                return _count(q, mp.nan), None
            p = p.index(max(p))
        right = right and p == t
    return _count(q, right), None


_MEASURES: Mapping[str, Callable[[_Query], tuple[Rough, Rough | None]]] = {
    "DCG": _dcg,
    "ExactMatch": _exact_match,
    "MeanAveragePrecision": _average_precision,
    "MeanReciprocalRank": _reciprocal_rank,
    "NDCG": _ndcg,
    "PrecisionAtK": _precision,
    "RecallAtK": _recall,
}


def _is_nan(x: Any) -> bool:
    return any(map(_is_nan, x)) if isinstance(x, list) else bool(mp.isnan(x))


def _read(x: Any) -> Any:
    return [number(v) for v in x] if isinstance(x, np.ndarray) and x.ndim else number(x)


def query_reference(
    name: str,
    options: Mapping[str, Any],
    exact: Mapping[str, np.ndarray],
    dtype: str,
    accumulator: str,
) -> Reference:
    """Mean of a measure over queries in higher precision, and its bound.

    Parameters
    ----------
    name : str
        Name of the class of the metric.
    options : mapping
        Its options.
    exact : mapping of str to numpy.ndarray
        y_true, with the candidates along the last axis, y_pred, weights and mask, exactly as the
        result's framework had them.
    dtype, accumulator : str
        Names of the float type of the computation, and of that in which sums accumulate.

    Returns
    -------
    Reference
    """
    y_true, y_pred, mask = exact["y_true"], exact["y_pred"], exact.get("mask")
    acc, u = mp.mpf(unit_roundoff(accumulator)), mp.mpf(unit_roundoff(dtype))
    ignored, otherwise = options.get("ignore_class"), mp.mpf(options.get("zero_division", 0))
    weights, scores = [], []
    for index in np.ndindex(y_true.shape[:-1]):
        weight = number(at(exact["weights"], index)) if "weights" in exact else mp.mpf(1)
        places = [(*index, i) for i in range(y_true.shape[-1])]
        kept = [
            place
            for place in places
            if (mask is None or at(mask, place) != 0)
            and (ignored is None or y_true[place] != ignored)
        ]
        if weight == 0 or not kept:
            continue
        true, pred = ([_read(x[place]) for place in kept] for x in (y_true, y_pred))
        if _is_nan(true) or _is_nan(pred):
            score = Rough(mp.nan, mp.mpf(0), acc)
        else:
            score, divisor = _MEASURES[name](_Query(true, pred, options, acc))
            if divisor is not None:
                if divisor.value == 0 and mp.isnan(otherwise):
                    continue
                score = score.over(divisor, otherwise)
        weights.append(weight)
        scores.append(score)
    terms = [
        Rough(w * s.value, abs(w) * (s.error + acc * abs(s.value)), acc)
        for w, s in zip(weights, scores, strict=True)
    ]
    mean = summed(terms, acc).over(summed_exact(weights, acc))
    value = mean.value
    bound = float(mean.error + u * abs(value)) if mp.isfinite(value) else 0.0
    return Reference(np.asarray(value, dtype=object), np.asarray(bound))
