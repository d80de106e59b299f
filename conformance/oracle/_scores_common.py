"""What the oracles of scores share.

Errors are to first order in the unit roundoff u of the dtype of computation: u for each of the
four operations and each rounding of a sum or of an option, `ELEMENTARY` u for exp, log, log1p
and powers (two units in the last place) and `EXPM1` u for expm1 (three, for XLA), which the
frameworks' own functions stay within. `log1p_error` knows the exception.
"""

from ._numbers import Number, mp

ELEMENTARY = 4
EXPM1 = 6

_DOUBLE = mp.mpf(2) ** -53
_ROUGH, _ROUGH_FROM, _ROUGH_TO = 260, mp.mpf("-0.53"), mp.mpf("-0.28")
"""Of XLA's log1p on CPU: 129 units between these, https://github.com/jax-ml/jax/issues/39707"""

Scored = tuple[Number, Number]
"""A score and the largest error of it."""


def log(p: Number, tiny: Number) -> Number:
    """Logarithm of a probability, at least that of the smallest normal number."""
    return mp.log(max(p, tiny))


def log_with_error(p: Number, u: Number, tiny: Number) -> Scored:
    """The same of an exact number, and its error."""
    value = log(p, tiny)
    return value, ELEMENTARY * u * abs(value)


def log1p_error(x: Number, u: Number) -> Number:
    """Largest error of log1p of an exact number."""
    rough = u == _DOUBLE and _ROUGH_FROM < x < _ROUGH_TO
    return (_ROUGH if rough else ELEMENTARY) * u * abs(mp.log1p(x))


def power(x: Number, error: Number, exponent: float, u: Number, tiny: Number) -> Scored:
    """A power of a number that has an error, which need not be small beside it."""
    if exponent == 0:
        return mp.mpf(1), mp.mpf(0)
    value = max(x, tiny) ** mp.mpf(exponent)
    return value, (max(x, tiny) + error) ** mp.mpf(exponent) - value + ELEMENTARY * u * value
