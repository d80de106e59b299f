"""Losses of two vectors along a class axis that both have."""

from collections.abc import Sequence

from ._numbers import Number, mp
from ._scores_common import ELEMENTARY, Scored, log1p_error, log_with_error


def categorical_hinge(t: Sequence[Number], p: Sequence[Number], u: Number, tiny: Number) -> Scored:
    """Products, a maximum of them and a sum of them, then a difference and a sum."""
    rights = [x * y for x, y in zip(t, p, strict=True)]
    others = [(1 - x) * y for x, y in zip(t, p, strict=True)]
    right, other = mp.fsum(rights), max(others)
    missing = other - right + 1
    error = u * (mp.fsum(map(abs, rights)) + abs(right) + 2 * max(map(abs, others)))
    return max(missing, mp.mpf(0)), error + u * (abs(other - right) + abs(missing))


def kl_divergence(
    t: Sequence[Number],
    p: Sequence[Number],
    u: Number,
    tiny: Number,
    *,
    log_input: bool = False,
    log_target: bool = False,
) -> Scored:
    """For each class a share, times a difference of logarithms."""
    score, error = mp.mpf(0), mp.mpf(0)
    for target, prediction in zip(t, p, strict=True):
        share = mp.exp(target) if log_target else target
        if share == 0:
            continue
        share_error = ELEMENTARY * u * share + tiny if log_target else mp.mpf(0)
        log_true, true_error = (
            (target, mp.mpf(0)) if log_target else log_with_error(target, u, tiny)
        )
        log_pred, pred_error = (
            (prediction, mp.mpf(0)) if log_input else log_with_error(prediction, u, tiny)
        )
        difference = log_true - log_pred
        score += share * difference
        error += share * (true_error + pred_error + 2 * u * abs(difference))
        error += share_error * abs(difference)
    return score, error + u * abs(score)


def js_divergence(t: Sequence[Number], p: Sequence[Number], u: Number, tiny: Number) -> Scored:
    """For each class two shares, each times the logarithm of its ratio to their mean."""
    score, error = mp.mpf(0), mp.mpf(0)
    for x, y in zip(t, p, strict=True):
        whole = x + y
        if whole < tiny:
            continue
        # Difference, sum and ratio of both.
        turned = 3 * u * abs(x - y) / whole
        for share in (x, y):
            if share <= 0:
                continue
            ratio = 2 * share / whole
            logarithm = mp.log(ratio)
            score += share * logarithm
            error += share * (_turned(ratio, turned, tiny) + log1p_error(ratio - 1, u))
            error += u * abs(share * logarithm)
    return score / 2, (error + u * abs(score)) / 2


def _turned(ratio: Number, error: Number, tiny: Number) -> Number:
    """How far the logarithm of a ratio moves, which may become that of 0."""
    if ratio <= 2 * error:
        return abs(mp.log(tiny)) - mp.log(ratio)
    return -mp.log(1 - error / ratio)


def cosine_similarity(t: Sequence[Number], p: Sequence[Number], u: Number, tiny: Number) -> Scored:
    """A sum of products, divided by two lengths; every component was scaled and rounded."""
    lengths = mp.sqrt(mp.fsum(x * x for x in t)) * mp.sqrt(mp.fsum(x * x for x in p))
    if max(map(abs, t)) < tiny or max(map(abs, p)) < tiny:
        return mp.mpf(0), mp.mpf(0)
    terms = [x * y / lengths for x, y in zip(t, p, strict=True)]
    score = -mp.fsum(terms)
    # Of a length: half of those of a square (two of scale, one of it, one of the sum), and the
    # root; then the products, the lengths' product, and the division.
    return score, u * (3 * mp.fsum(map(abs, terms)) + (1 + 2 * 3 + 2) * abs(score))
