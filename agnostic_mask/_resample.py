"""How often each row is in each resample: by its id alone, so that cuts and order do not matter.

A bootstrap of n rows draws n of them with replacement; how often one row is drawn is nearly
Poisson(1), and for large n the draws of different rows are nearly independent. So each row draws
for itself, by a hash of its id (the Poisson bootstrap; Oza and Russell, "Online bagging and
boosting", 2001; Chamandy et al., "Estimating uncertainty for massive data streams", 2012).

The hash is made of fmix32, the finaliser of MurmurHash3 (Austin Appleby, public domain), in int32,
whose products wrap on every framework.
"""

from fractions import Fraction
from math import factorial
from typing import Any

from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._dtypes import cast, dtype_kind, wide_integer

_BITS = 0xFFFFFFFF
_GOLDEN = 0x9E3779B9
"""2**32 times the golden ratio's fraction: bits without a pattern."""


def _thresholds() -> tuple[int, ...]:
    """2**32 times the Poisson(1) probabilities of at most 0, 1, 2 and so on, rounded."""
    terms = [Fraction(1, factorial(k)) for k in range(40)]
    at_most = [sum(terms[: k + 1]) / sum(terms) for k in range(40)]
    return tuple(t for t in (round(p * 2**32) for p in at_most) if t < 2**32)


THRESHOLDS = _thresholds()
"""A hash of 32 bits counts as often as there are thresholds that are not above it: up to 12."""


def poisson_counts(
    d: Dispatch, ids: Array, num_replicates: int, seed: int, rows: range | None = None
) -> Array:
    """How often each row is in the sample, and in each of its resamples.

    Parameters
    ----------
    d : Dispatch
        Of `ids`.
    ids : array of int, shape (N,)
        Of any integer dtype; taken modulo 2**64.
    num_replicates : int
    seed : int
        From 0 to 2**64 - 1.
    rows : range, optional
        Which rows of the result to make; None for all.

    Returns
    -------
    array of int32, shape (1 + num_replicates, N)
        Row 0 is the sample itself, all ones. In the others an element depends on the id, the row
        and the seed alone, and is Poisson(1) to 32 bits.
    """
    xp = d.xp
    rows = range(num_replicates + 1) if rows is None else rows
    first, second, third = _seeds(seed)
    with d.backend.wide():
        low, high = _halves(d, ids)
        low, high = _fmix32(low + third), _fmix32(high ^ third)
        # A bijection of the row's number, so that no two are equal.
        number = xp.arange(max(rows.start, 1), rows.stop, dtype=xp.int32, device=d.device)
        key = xp.expand_dims(_fmix32(_fmix32(number) ^ first) + second, axis=1)
        hashed = _fmix32(_fmix32(xp.expand_dims(low, axis=0) ^ key) + xp.expand_dims(high, axis=0))
        counts = xp.zeros(tuple(hashed.shape), dtype=xp.int8, device=d.device)
        for threshold in THRESHOLDS:
            # Of unsigned numbers, which are these plus 2**31.
            counts = counts + xp.astype(hashed >= threshold - 2**31, xp.int8)
        counts = xp.astype(counts, xp.int32)
        if rows.start > 0:
            return counts
        return xp.concat((xp.ones_like(xp.expand_dims(low, axis=0)), counts))


def _halves(d: Dispatch, ids: Array) -> tuple[Array, Array]:
    """Lower and upper 32 bits of ids, as int32."""
    xp = d.xp
    if wide_integer(xp, d.device, d.backend) == xp.int32:
        low = cast(xp, ids, xp.int32)
        signed = dtype_kind(xp, ids.dtype) == "signed"
        return low, low >> 31 if signed else xp.zeros_like(low)
    wide = cast(xp, ids, xp.int64)
    low = wide & _BITS
    low = xp.where(low >= 2**31, low - 2**32, low)
    return xp.astype(low, xp.int32), xp.astype(wide >> 32, xp.int32)


def _fmix32(x: Array) -> Array:
    x = x ^ _shifted(x, 16)
    x = x * _signed(0x85EBCA6B)
    x = x ^ _shifted(x, 13)
    x = x * _signed(0xC2B2AE35)
    return x ^ _shifted(x, 16)


def _shifted(x: Array, by: int) -> Array:
    # An int32 is shifted with its sign.
    return (x >> by) & (_BITS >> by)


def _signed(x: int) -> int:
    return x - 2**32 if x >= 2**31 else x


def _seeds(seed: int) -> tuple[int, int, int]:
    """Three numbers of 32 bits, as int32, for a seed of 64 bits."""
    first = _fmix32_of(_fmix32_of((seed & _BITS) + _GOLDEN) ^ (seed >> 32))
    second = _fmix32_of(first + _GOLDEN)
    third = _fmix32_of(second + _GOLDEN)
    return _signed(first), _signed(second), _signed(third)


def _fmix32_of(x: Any) -> int:
    """The same of a Python integer, unsigned."""
    x &= _BITS
    x = (x ^ (x >> 16)) * 0x85EBCA6B & _BITS
    x = (x ^ (x >> 13)) * 0xC2B2AE35 & _BITS
    return int(x ^ (x >> 16))
