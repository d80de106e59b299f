"""Losses of classes: two, told by one number, or several along an axis."""

from collections.abc import Sequence

from ._numbers import Number, mp
from ._scores_common import ELEMENTARY, EXPM1, Scored, log, log1p_error, power


def binary_crossentropy(
    t: Number,
    p: Number,
    u: Number,
    tiny: Number,
    *,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    pos_weight: float = 1.0,
) -> Scored:
    """Two logarithms, each times its share, or one softplus of a logit."""
    (target, target_error), (other, other_error) = _targets(t, u, label_smoothing)
    w = mp.mpf(pos_weight)
    positive, positive_error = w * target, w * target_error + (2 * u * w * target if w != 1 else 0)
    if from_logits:
        size = abs(p)
        against, against_error = (other, other_error) if p > 0 else (positive, positive_error)
        small = mp.exp(-size)
        soft = mp.log1p(small)
        soft_error = ELEMENTARY * u * (soft + small / (1 + small)) + tiny
        if w != 1:
            both = positive + other
            soft_error = both * (soft_error + 2 * u * soft) + soft * (positive_error + other_error)
            soft *= both
        score = against * size + soft
        return score, size * (against_error + u * against) + soft_error + u * score
    logs = abs(log(p, tiny)), abs(log(1 - p, tiny))
    score = positive * logs[0] + other * logs[1]
    error = (ELEMENTARY + 2) * u * positive * logs[0] + 2 * u * abs(other) * logs[1]
    error += abs(other) * (log1p_error(-p, u) if p < 1 else ELEMENTARY * u * logs[1])
    return score, error + positive_error * logs[0] + other_error * logs[1]


def _targets(t: Number, u: Number, label_smoothing: float) -> tuple[Scored, Scored]:
    """Shares of the positive class and of the other."""
    s = mp.mpf(label_smoothing)
    target = t * (1 - s) + s / 2
    target_error = 3 * u * target if s else mp.mpf(0)
    other = 1 - target
    return (target, target_error), (other, target_error + u * abs(other))


def binary_focal_crossentropy(
    t: Number,
    p: Number,
    u: Number,
    tiny: Number,
    *,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Scored:
    """The cross-entropy, times a power of what is missed, times a factor of the class."""
    score, error = binary_crossentropy(
        t, p, u, tiny, from_logits=from_logits, label_smoothing=label_smoothing
    )
    (target, target_error), (other, other_error) = _targets(t, u, label_smoothing)
    if from_logits:
        small = mp.exp(-abs(p))
        against, against_error = (other, other_error) if p > 0 else (target, target_error)
        rest = 1 - against
        top = against + rest * small
        miss = top / (1 + small)
        top_error = against_error * (1 + small) + u * (rest * small * (ELEMENTARY + 2) + top)
        miss_error = top_error / (1 + small) + tiny
        miss_error += u * miss * (ELEMENTARY * small / (1 + small) + 2)
    else:
        parts = target * (1 - p), other * p
        miss = parts[0] + parts[1]
        miss_error = target_error * (1 - p) + other_error * p
        miss_error += u * (2 * parts[0] + parts[1] + miss)
    factor, factor_error = power(miss, miss_error, gamma, u, tiny)
    error = factor * error + factor_error * (score + error) + u * factor * score
    score *= factor
    if apply_class_balancing:
        a = mp.mpf(alpha)
        weight = target * a + other * (1 - a)
        weight_error = target_error * a + other_error * (1 - a) + 3 * u * weight
        error = weight * error + weight_error * score + u * weight * score
        score *= weight
    return score, error


def categorical_crossentropy(
    t: Sequence[Number],
    p: Sequence[Number],
    u: Number,
    tiny: Number,
    *,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Scored:
    """A logarithm for each class, times its share, summed."""
    logs = _logs(p, u, tiny, from_logits)
    score, error = mp.mpf(0), mp.mpf(0)
    for share, (value, value_error) in zip(t, logs, strict=True):
        target, target_error = _share(share, len(p), u, label_smoothing)
        if target == 0:
            continue
        score -= target * value
        error += target * (value_error + u * abs(value)) + target_error * abs(value)
    return score, error + u * abs(score)


def categorical_focal_crossentropy(
    t: Sequence[Number],
    p: Sequence[Number],
    u: Number,
    tiny: Number,
    *,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Scored:
    """For each class a power of what is missed, times its share, times a logarithm."""
    score, error = mp.mpf(0), mp.mpf(0)
    for share, (value, value_error) in zip(t, _logs(p, u, tiny, from_logits), strict=True):
        target, target_error = _share(share, len(p), u, label_smoothing)
        if target == 0:
            continue
        miss = -mp.expm1(value)
        miss_error = mp.exp(value) * value_error + EXPM1 * u * miss
        factor, factor_error = power(miss, miss_error, gamma, u, tiny)
        term = factor * target * abs(value)
        score += term
        error += factor_error * target * (abs(value) + value_error) + 2 * u * term
        error += factor * (target_error * abs(value) + target * value_error)
    a = mp.mpf(alpha)
    return a * score, a * (error + 3 * u * score)


def _share(share: Number, classes: int, u: Number, label_smoothing: float) -> Scored:
    s = mp.mpf(label_smoothing)
    target = share * (1 - s) + s / classes
    return target, 3 * u * target if s else mp.mpf(0)


def sparse_categorical_crossentropy(
    t: Number,
    p: Sequence[Number],
    u: Number,
    tiny: Number,
    *,
    from_logits: bool = False,
    ignore_class: int | None = None,
) -> Scored:
    """The logarithm of one class."""
    if not 0 <= int(t) < len(p):
        return mp.nan, mp.mpf(0)
    value, error = _logs(p, u, tiny, from_logits)[int(t)]
    return -value, error


def nll(
    t: Number,
    p: Sequence[Number],
    u: Number,
    tiny: Number,
    *,
    ignore_class: int | None = None,
) -> Scored:
    """The value of one class, exactly."""
    if not 0 <= int(t) < len(p):
        return mp.nan, mp.mpf(0)
    return -p[int(t)], mp.mpf(0)


def categorical_generalized_cross_entropy(
    t: Number, p: Sequence[Number], u: Number, tiny: Number, *, q: float = 0.5
) -> Scored:
    """1 less a power of one class's probability, by way of its logarithm."""
    if not 0 <= int(t) < len(p):
        return mp.nan, mp.mpf(0)
    share, exponent = p[int(t)], mp.mpf(q)
    if share < tiny:
        return 1 / exponent, u / exponent
    scaled = exponent * mp.log(share)
    score = -mp.expm1(scaled) / exponent
    scaled_error = (ELEMENTARY + 2) * u * abs(scaled)
    return score, mp.exp(scaled) * scaled_error / exponent + (EXPM1 + 2) * u * abs(score)


def _logs(p: Sequence[Number], u: Number, tiny: Number, from_logits: bool) -> list[Scored]:
    if not from_logits:
        total = mp.fsum(p)
        logs = [log(x / total if total >= tiny else mp.mpf(0), tiny) for x in p]
        return [(x, 2 * u + ELEMENTARY * u * abs(x)) for x in logs]
    top = max(p)
    shifted = [x - top for x in p]
    powers = [mp.exp(x) for x in shifted]
    total = mp.fsum(powers)
    spread = mp.fsum(e * (ELEMENTARY + abs(x)) for e, x in zip(powers, shifted, strict=True) if e)
    log_total = mp.log(total)
    total_error = u * (spread / total + 1) + ELEMENTARY * u * log_total
    return [(x - log_total, u * abs(x) + total_error + u * abs(x - log_total)) for x in shifted]
