"""Integers that name a class or a length, of any integer dtype, compared without wrapping."""

from numbers import Integral
from typing import Any

from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch
from agnostic_mask._dtypes import cast, dtype_kind, wide_integer


def _widened(d: Dispatch, x: Array) -> Array:
    """`x` in int64, which every framework can compare; what uint64 has beyond is negative."""
    return cast(d.xp, x, wide_integer(d.xp, d.device, d.backend))


def index_dtype(d: Dispatch) -> Any:
    """The dtype of indices: the default integer."""
    return d.xp.arange(0, device=d.device).dtype


def below(d: Dispatch, labels: Array, n: int) -> tuple[Array, Array]:
    """Which labels lie in 0 to n - 1, and the labels as indices, 0 in place of the others."""
    xp = d.xp
    index = index_dtype(d)
    with d.backend.wide():
        wide = _widened(d, labels)
        valid = (wide >= 0) & (wide < n)
        return valid, cast(xp, xp.where(valid, wide, 0), index)


def equal(d: Dispatch, labels: Array, value: int) -> Array:
    """Where labels equal a number, which may lie outside of their dtype."""
    limits = d.xp.iinfo(labels.dtype)
    with d.backend.wide():
        wide = _widened(d, labels)
        inside = int(limits.min) <= value <= int(limits.max)
        return wide == value if inside else wide != wide


def clipped(d: Dispatch, lengths: Array, most: int) -> Array:
    """Lengths as indices, at most `most`."""
    xp = d.xp
    index = index_dtype(d)
    with d.backend.wide():
        wide = _widened(d, lengths)
        long = wide > most
        if dtype_kind(xp, lengths.dtype) == "unsigned":
            long = long | (wide < 0)
        return cast(xp, xp.where(long, most, wide), index)


def number_of_groups(by: Array | None, num_groups: Any) -> int | None:
    """`num_groups` as an integer, None without groups.

    Raises
    ------
    ValueError
        If one of the two is given without the other, or it is no positive integer.
    """
    if num_groups is None:
        if by is None:
            return None
        raise ValueError(
            "num_groups is None, and by is given; expected the number of groups, which decides on "
            "the shape of the result whatever labels a batch has. Of all labels it is max(by) + 1"
        )
    n = checked_number(num_groups)
    if by is None:
        raise ValueError(
            f"num_groups is {n}, and by is None; expected the label of the group of each element, "
            f"an integer array with values from 0 to {n - 1}"
        )
    return n


def checked_number(num_groups: Any) -> int:
    """`num_groups` as an integer.

    Raises
    ------
    ValueError
        If it is no positive integer.
    """
    if isinstance(num_groups, bool) or not isinstance(num_groups, Integral) or num_groups < 1:
        raise ValueError(f"num_groups is {num_groups!r}; expected an integer of at least 1")
    return int(num_groups)
