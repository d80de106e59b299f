"""Each loss for one element or row: its value, and the error that one score may have.

Errors are to first order in the unit roundoff u of the dtype of computation: u for each of the
four operations and each rounding of a sum, `ELEMENTARY` u for exp, log and log1p (two units in
the last place, which the frameworks' own functions stay within).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ._numbers import Number, mp

ELEMENTARY = 4

Scored = tuple[Number, Number]
"""A score and the largest error of it."""


def squared_error(t: Number, p: Number, u: Number, tiny: Number) -> Scored:
    """One rounding of the difference, which counts twice, and one of the square."""
    square = (p - t) ** 2
    return square, 3 * u * square


def absolute_error(t: Number, p: Number, u: Number, tiny: Number) -> Scored:
    """One rounding, of the difference."""
    return abs(p - t), u * abs(p - t)


def huber(t: Number, p: Number, u: Number, tiny: Number, *, delta: float = 1.0) -> Scored:
    """Roundings of the residual, its near part, their difference and the product."""
    residual = abs(p - t)
    near = min(residual, mp.mpf(delta))
    far = residual - near / 2
    return near * far, u * near * (residual + near / 2 + far) + 2 * u * near * far


def binary_crossentropy(
    t: Number,
    p: Number,
    u: Number,
    tiny: Number,
    *,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Scored:
    """Two logarithms, each times its share, or one softplus of a logit."""
    s = mp.mpf(label_smoothing)
    target = t * (1 - s) + s / 2
    target_error = 3 * u * target if s else 0
    other = 1 - target
    other_error = target_error + u * abs(other)
    if from_logits:
        size = abs(p)
        against, against_error = (other, other_error) if p > 0 else (target, target_error)
        small = mp.exp(-size)
        soft = mp.log1p(small)
        soft_error = ELEMENTARY * u * (soft + small / (1 + small)) + tiny
        score = against * size + soft
        return score, size * (against_error + u * against) + soft_error + u * score
    log, log_other = _log(p, tiny), _log(1 - p, tiny)
    parts = target * abs(log) + abs(other) * abs(log_other)
    error = (ELEMENTARY + 2) * u * parts
    error += target_error * abs(log) + other_error * abs(log_other)
    return -target * log - other * log_other, error


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
    s = mp.mpf(label_smoothing)
    logs = _logs(p, u, tiny, from_logits)
    score, error = mp.mpf(0), mp.mpf(0)
    for share, (log, log_error) in zip(t, logs, strict=True):
        target = share * (1 - s) + s / len(p)
        if target == 0:
            continue
        target_error = 3 * u * target if s else 0
        score -= target * log
        error += target * (log_error + u * abs(log)) + target_error * abs(log)
    return score, error + u * abs(score)


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
    log, error = _logs(p, u, tiny, from_logits)[int(t)]
    return -log, error


def _log(p: Number, tiny: Number) -> Number:
    return mp.log(max(p, tiny))


def _logs(p: Sequence[Number], u: Number, tiny: Number, from_logits: bool) -> list[Scored]:
    if not from_logits:
        total = mp.fsum(p)
        logs = [_log(x / total, tiny) for x in p]
        return [(log, 2 * u + ELEMENTARY * u * abs(log)) for log in logs]
    top = max(p)
    shifted = [x - top for x in p]
    powers = [mp.exp(x) for x in shifted]
    total = mp.fsum(powers)
    spread = mp.fsum(e * (ELEMENTARY + abs(x)) for e, x in zip(powers, shifted, strict=True) if e)
    log_total = mp.log(total)
    total_error = u * (spread / total + 1) + ELEMENTARY * u * log_total
    return [(x - log_total, u * abs(x) + total_error + u * abs(x - log_total)) for x in shifted]


SCORES: Mapping[str, Callable[..., Scored]] = {
    "squared_error": squared_error,
    "absolute_error": absolute_error,
    "huber": huber,
    "binary_crossentropy": binary_crossentropy,
    "categorical_crossentropy": categorical_crossentropy,
    "sparse_categorical_crossentropy": sparse_categorical_crossentropy,
}

CLASS_AXIS = ("categorical_crossentropy", "sparse_categorical_crossentropy")


def without_axis(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a score but for its class axis, which is taken care of before."""
    return {name: x for name, x in options.items() if name != "axis"}
