"""Losses of real targets, and of signed labels."""

from collections.abc import Sequence

from ._numbers import Number, mp
from ._scores_common import ELEMENTARY, EXPM1, Scored, log1p_error, log_with_error


def squared_error(t: Number, p: Number, u: Number, tiny: Number) -> Scored:
    """One rounding of the difference, which counts twice, and one of the square."""
    square = (p - t) ** 2
    return square, 3 * u * square


def absolute_error(t: Number, p: Number, u: Number, tiny: Number) -> Scored:
    """One rounding, of the difference."""
    return abs(p - t), u * abs(p - t)


def pinball(t: Number, p: Number, u: Number, tiny: Number, *, quantile: float = 0.5) -> Scored:
    """Roundings of the residual, its factor and their product."""
    residual = t - p
    score = max(mp.mpf(quantile) * residual, (mp.mpf(quantile) - 1) * residual)
    return score, 3 * u * score


def huber(t: Number, p: Number, u: Number, tiny: Number, *, delta: float = 1.0) -> Scored:
    """Roundings of the residual, its near part, their difference and the product."""
    residual = abs(p - t)
    near = min(residual, mp.mpf(delta))
    far = residual - near / 2
    return near * far, u * near * (residual + near / 2 + far) + 2 * u * near * far


def smooth_l1(t: Number, p: Number, u: Number, tiny: Number, *, beta: float = 1.0) -> Scored:
    """Those of the Huber loss, of the option and of the division by it."""
    score, error = huber(t, p, u, tiny, delta=beta)
    return score / beta, (error + 2 * u * score) / beta


def log_cosh(t: Number, p: Number, u: Number, tiny: Number) -> Scored:
    """Near 0 the logarithm of 1 + a ratio, elsewhere the residual and a correction."""
    residual = abs(p - t)
    score = mp.log(mp.cosh(residual))
    error = u * residual * mp.tanh(residual)
    if residual < 1:
        e = -mp.expm1(-residual)
        ratio = e * e / (2 * (1 - e))
        relative = 2 * EXPM1 + 3 + EXPM1 * e / (1 - e)
        return score, error + u * (ratio * relative / (1 + ratio) + ELEMENTARY * score)
    small = mp.exp(-2 * residual)
    soft = mp.log1p(small)
    error += u * ELEMENTARY * (small / (1 + small) + soft)
    return score, error + u * (residual + soft + mp.log(2) + score)


def charbonnier(t: Number, p: Number, u: Number, tiny: Number, *, epsilon: float = 1e-3) -> Scored:
    """The greater of residual and epsilon, times a root of 1 + the square of their ratio."""
    residual, bend = abs(p - t), mp.mpf(epsilon)
    score = mp.sqrt(residual**2 + bend**2)
    share = min(residual, bend) ** 2 / score**2
    # The ratio has three roundings, its square one more; then the sum, the root, the product and
    # the rounding of the greater itself.
    return score, u * score * (share * mp.mpf(7) / 2 + mp.mpf(7) / 2)


def absolute_percentage_error(t: Number, p: Number, u: Number, tiny: Number) -> Scored:
    """Roundings of the difference, the ratio and the percentage."""
    error, size = abs(p - t), abs(t)
    if size < tiny:
        return (mp.inf, mp.mpf(0)) if error >= tiny else (100 * error, 2 * u * 100 * error)
    return 100 * error / size, 3 * u * 100 * error / size


def symmetric_absolute_percentage_error(t: Number, p: Number, u: Number, tiny: Number) -> Scored:
    """Roundings of the difference, the sum, the ratio and the percentage."""
    size = abs(t) + abs(p)
    score = 200 * abs(p - t) / size if size >= tiny else mp.mpf(0)
    return score, 4 * u * score


def squared_logarithmic_error(t: Number, p: Number, u: Number, tiny: Number) -> Scored:
    """Two logarithms, whose difference may cancel, and the square."""
    if t <= -1 or p <= -1:
        return mp.nan, mp.mpf(0)
    logs = mp.log1p(p), mp.log1p(t)
    difference = logs[0] - logs[1]
    error = log1p_error(p, u) + log1p_error(t, u) + u * abs(difference)
    return difference**2, (2 * abs(difference) + error) * error + u * difference**2


def hinge(t: Number, p: Number, u: Number, tiny: Number) -> Scored:
    """Roundings of the product and of what is missing."""
    product = (-1 if t == 0 else t) * p
    missing = 1 - product
    return max(missing, mp.mpf(0)), u * (abs(product) + abs(missing))


def squared_hinge(t: Number, p: Number, u: Number, tiny: Number) -> Scored:
    """Those of the hinge loss, twice, and that of the square."""
    score, error = hinge(t, p, u, tiny)
    return score**2, (2 * score + error) * error + u * score**2


def poisson(t: Number, p: Number, u: Number, tiny: Number, *, log_input: bool = False) -> Scored:
    """A mean, or the exponential of a logarithm, and a product, subtracted."""
    if log_input:
        mean, logarithm, error = mp.exp(p), p, ELEMENTARY * u * mp.exp(p) + tiny
    elif p < 0:
        return mp.nan, mp.mpf(0)
    else:
        mean = p
        logarithm, log_error = log_with_error(p, u, tiny)
        error = abs(t) * log_error
    score = mean - t * logarithm
    return score, error + u * (abs(t * logarithm) + abs(score))


def gaussian_nll(
    t: Number,
    p: Sequence[Number],
    u: Number,
    tiny: Number,
    *,
    full: bool = False,
    epsilon: float = 1e-6,
) -> Scored:
    """A logarithm, a squared residual divided by the variance, and a constant."""
    mean, given = p
    if given < 0:
        return mp.nan, mp.mpf(0)
    variance = max(given, mp.mpf(epsilon))
    square = (t - mean) ** 2 / variance
    logarithm = mp.log(variance)
    score = (logarithm + square) / 2
    error = u * (5 * square + ELEMENTARY * abs(logarithm) + 1 + abs(logarithm + square)) / 2
    if full:
        constant = mp.log(2 * mp.pi) / 2
        score += constant
        error += u * (constant + abs(score))
    return score, error


def gamma_deviance(t: Number, p: Number, u: Number, tiny: Number) -> Scored:
    """Tweedie's with power 2."""
    return tweedie_deviance(t, p, u, tiny, power=2)


def tweedie_deviance(
    t: Number, p: Number, u: Number, tiny: Number, *, power: float = 0.0
) -> Scored:
    """The four formulas of the unit deviance."""
    if power == 0:
        return squared_error(t, p, u, tiny)
    if p < 0 or (power >= 1 and t < 0) or (power >= 2 and t < tiny):
        return mp.nan, mp.mpf(0)
    p = max(p, tiny)
    if power == 2:
        ratio, error = _log_ratio(t, p, u, tiny)
        score = mp.expm1(ratio) - ratio
        error *= abs(mp.expm1(ratio)) + mp.exp(ratio) * error
        return 2 * score, 2 * (error + u * (EXPM1 * abs(mp.expm1(ratio)) + abs(score)))
    ratio, ratio_error = _log_ratio(t, p, u, tiny)
    if power == 1:
        score = t * ratio - (t - p)
        error = t * ratio_error + u * (abs(t * ratio) + abs(t - p) + abs(score))
        return 2 * score, 2 * error
    q = mp.mpf(power)
    a, b = 1 - q, 2 - q
    growth, growth_error = mp.mpf(-1), mp.mpf(0)
    if t >= tiny:
        growth = mp.expm1(b * ratio)
        growth_error = (1 + growth) * abs(b) * (ratio_error + 2 * u * abs(ratio))
        growth_error += EXPM1 * u * abs(growth)
    first, second = p**b * growth / b, p**a * (t - p)
    error = p**b * growth_error / abs(b) + (ELEMENTARY + 3) * u * abs(first)
    error += (ELEMENTARY + 2) * u * abs(second) + 3 * u * abs(first - second)
    return 2 * (first - second) / a, 2 * error / abs(a)


def _log_ratio(t: Number, p: Number, u: Number, tiny: Number) -> Scored:
    """By way of the change where both are close, else a difference of logarithms."""
    # Those that are barely close, at 1/4, may be found not to be: the greater error holds.
    if abs(t - p) < p * mp.mpf("0.249") and p >= mp.sqrt(tiny):
        change = (t - p) / p
        ratio = mp.log1p(change)
        return ratio, u * (2 * abs(change) / (1 + change) + ELEMENTARY * abs(ratio))
    (log_t, error), (log_p, other) = log_with_error(t, u, tiny), log_with_error(p, u, tiny)
    return log_t - log_p, error + other + u * abs(log_t - log_p)
