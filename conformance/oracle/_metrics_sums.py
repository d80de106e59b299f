"""Metrics in higher precision: means of scores, and what is made of them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ._elements import Elements
from ._numbers import Number, mp
from ._rough import Rough, summed, summed_exact
from ._scores import SCORES, without_axis
from ._scores_common import ELEMENTARY, Scored

Result = tuple[Any, Any]
Score = Callable[[Elements, Any, Any], Scored]

NOTHING: Scored = mp.nan, mp.mpf(0)
"""The score of what has no right answer."""


def _finished(e: Elements, x: Rough) -> Result:
    return x.value, float(x.error + e.u * abs(x.value)) if mp.isfinite(x.value) else 0.0


def _total(e: Elements, scored: Iterable[Scored]) -> Rough:
    terms = (
        Rough(w * score, abs(w) * (error + e.acc * abs(score)), e.acc)
        for w, (score, error) in zip(e.weights, scored, strict=True)
    )
    return summed(terms, e.acc)


def _mean(e: Elements, score: Score) -> Rough:
    scored = (score(e, t, p) for t, p in zip(e.true, e.pred, strict=True))
    return _total(e, scored).over(summed_exact(e.weights, e.acc))


def _as_it_is(x: Rough) -> Rough:
    return x


def _power_of_e(x: Rough) -> Rough:
    value = mp.exp(x.value)
    return Rough(value, value * (mp.expm1(x.error) + ELEMENTARY * x.acc), x.acc)


def _bits(x: Rough) -> Rough:
    # The logarithm is rounded, too.
    value = x.value / mp.log(2)
    return Rough(value, x.error / mp.log(2) + 2 * x.acc * abs(value), x.acc)


def _mean_of(score: Score, then: Callable[[Rough], Rough] = _as_it_is) -> Callable[..., Result]:
    return lambda e: _finished(e, then(_mean(e, score)))


def _loss(name: str) -> Score:
    """Scores of a loss, with the options of the metric, which bear the same names."""
    return lambda e, t, p: SCORES[name](t, p, e.u, e.tiny, **without_axis(e.options))


def _score(e: Elements, t: Number, p: Number) -> Scored:
    return SCORES[e.options["fn"].__name__](t, p, e.u, e.tiny)


def _itself(e: Elements, t: Number, p: Number) -> Scored:
    return t, mp.mpf(0)


def _sum(e: Elements) -> Result:
    return _finished(e, _total(e, ((x, mp.mpf(0)) for x in e.true)))


def _bias(e: Elements, t: Number, p: Number) -> Scored:
    return p - t, e.u * abs(p - t)


def _weighted_percentage(e: Elements) -> Result:
    errors = [(abs(p - t), e.u * abs(p - t)) for t, p in zip(e.true, e.pred, strict=True)]
    sizes = _total(e, ((abs(t), mp.mpf(0)) for t in e.true))
    return _finished(e, _total(e, errors).over(sizes))


def _cosine(e: Elements, t: list[Number], p: list[Number]) -> Scored:
    score, error = SCORES["cosine_similarity"](t, p, e.u, e.tiny)
    return -score, error


def _brier(e: Elements, t: Number, p: Any) -> Scored:
    """A difference, which counts twice, and a square; over classes their sum."""
    if e.options.get("axis") is None:
        return ((p - t) ** 2, 3 * e.u * (p - t) ** 2) if 0 <= t <= 1 else NOTHING
    if not 0 <= t < len(p):
        return NOTHING
    score = mp.fsum((x - (i == t)) ** 2 for i, x in enumerate(p))
    return score, 4 * e.u * score


def _hit(hit: bool, *numbers: Number) -> Scored:
    return NOTHING if any(mp.isnan(x) for x in numbers) else (mp.mpf(hit), mp.mpf(0))


def _binary_accuracy(e: Elements, t: Number, p: Number) -> Scored:
    if t not in (0, 1):
        return NOTHING
    probability = 1 / (1 + mp.exp(-p)) if e.options.get("from_logits") else p
    return _hit((probability > mp.mpf(e.options.get("threshold", 0.5))) == t, p)


def _hamming(e: Elements, t: Number, p: Number) -> Scored:
    """Of probabilities or logits alone, or of labels of two classes."""
    hit, error = _binary_accuracy(e, t, p)
    return 1 - hit, error


def _accuracy(e: Elements, t: list[Number], p: list[Number]) -> Scored:
    return _hit(t.index(max(t)) == p.index(max(p)), *t, *p) if any(t) else NOTHING


def _sparse_accuracy(e: Elements, t: Number, p: list[Number]) -> Scored:
    """Whether the label is among the first k, which a case of more than one states."""
    if not 0 <= t < len(p):
        return NOTHING
    order = sorted(range(len(p)), key=lambda i: (-p[i], i))
    return _hit(int(t) in order[: e.options.get("k", 1)], *p)


SUMS: Mapping[str, Callable[[Elements], Result]] = {
    "Mean": _mean_of(_itself),
    "Sum": _sum,
    "MeanAbsoluteError": _mean_of(_loss("absolute_error")),
    "MeanScore": _mean_of(_score),
    "MeanSquaredError": _mean_of(_loss("squared_error")),
    "RootMeanSquaredError": _mean_of(_loss("squared_error"), Rough.root),
    "MeanBiasError": _mean_of(_bias),
    "PinballLoss": _mean_of(_loss("pinball")),
    "TweedieDeviance": _mean_of(_loss("tweedie_deviance")),
    "CosineSimilarity": _mean_of(_cosine),
    "MeanSquaredLogarithmicError": _mean_of(_loss("squared_logarithmic_error")),
    "RootMeanSquaredLogarithmicError": _mean_of(_loss("squared_logarithmic_error"), Rough.root),
    "MeanAbsolutePercentageError": _mean_of(_loss("absolute_percentage_error")),
    "SymmetricMeanAbsolutePercentageError": _mean_of(_loss("symmetric_absolute_percentage_error")),
    "WeightedMeanAbsolutePercentageError": _weighted_percentage,
    "BinaryCrossentropy": _mean_of(_loss("binary_crossentropy")),
    "CategoricalCrossentropy": _mean_of(_loss("categorical_crossentropy")),
    "SparseCategoricalCrossentropy": _mean_of(_loss("sparse_categorical_crossentropy")),
    "Perplexity": _mean_of(_loss("sparse_categorical_crossentropy"), _power_of_e),
    "BitsPerToken": _mean_of(_loss("sparse_categorical_crossentropy"), _bits),
    "BrierScore": _mean_of(_brier),
    "BinaryAccuracy": _mean_of(_binary_accuracy),
    "HammingLoss": _mean_of(_hamming),
    "CategoricalAccuracy": _mean_of(_accuracy),
    "SparseCategoricalAccuracy": _mean_of(_sparse_accuracy),
    "SparseTopKCategoricalAccuracy": _mean_of(_sparse_accuracy),
    "TokenAccuracy": _mean_of(_sparse_accuracy),
    "Hinge": _mean_of(_loss("hinge")),
    "SquaredHinge": _mean_of(_loss("squared_hinge")),
    "CategoricalHinge": _mean_of(_loss("categorical_hinge")),
}
"""Each metric by the name of its class."""
