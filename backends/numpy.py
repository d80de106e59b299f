"""NumPy."""

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import Any

import array_api_compat.numpy as xp
import numpy as np

from agnostic_mask import Array, Backend

# Floats of native byte order as integers of their size: times 1 or 0 they stay, or have all bits
# cleared, in an eighth of the time that `numpy.where` needs where a mask has no pattern.
_BITS = {np.dtype(np.float32): np.int32, np.dtype(np.float64): np.int64}

_add: Any = np.add.reduce  # without what numpy.sum does before, as long as a short sum itself

_SHORT = 2**11


@cache
def _called_instead(*asked: str) -> dict[str, Any]:
    """What `numpy.errstate` is to be, so that a call shows what the caller would see."""
    return {
        kind: "ignore" if what == "ignore" else "call"
        for kind, what in zip(np.geterr(), asked, strict=True)
    }


def _cleared(bits: Any, floats: Any) -> Callable[[Array, Array], Array]:
    multiply = np.multiply

    def cleared(x: Array, include: Array) -> Array:
        return multiply(x.view(bits), include).view(floats)

    return cleared


def _nothing() -> None:
    """What a thread has to do before its work."""


class NumpyBackend(Backend):
    """Eager arrays in host memory; subclasses that change what an operation means are refused."""

    # Two megabytes of float32: a few temporaries stay in a cache, and what Python does between
    # them, while other threads wait, is little beside them.
    tile_elements = 2**19

    def namespace(self) -> Any:
        return xp

    def array_types(self) -> Sequence[type]:
        return (np.ndarray, np.memmap)

    def refuse_type(self, cls: type) -> str | None:
        if cls in self.array_types() or issubclass(cls, np.generic):
            return None
        if issubclass(cls, np.ma.MaskedArray):
            return (
                "a numpy.ma.MaskedArray, whose mask is True where an element is left out; pass "
                "its data and mask=~numpy.ma.getmaskarray(x)"
            )
        return (
            f"a {cls.__module__}.{cls.__qualname__}; pass numpy.asarray(x), a plain numpy.ndarray"
        )

    def device(self, x: Array) -> Any:
        return "cpu"

    def signature(self, x: Array) -> Any:
        return x.dtype

    def likeness(self, arrays: Iterable[Array | None]) -> tuple[Any, ...] | None:
        key: list[Any] = []
        for x in arrays:
            if x is None:
                key.append(None)
            elif type(x) is np.ndarray:
                key += (x.dtype, x.shape)
            else:
                return None
        return tuple(key)

    def has_dtype(self, xp: Any, device: Any, dtype: str) -> bool:
        return True

    def exports(self, x: Array) -> bool:
        # Others take negative strides for an error that ends the process, and would write to
        # memory that is read-only here.
        return (
            x.flags.writeable
            and x.flags.aligned
            and x.dtype.isnative
            and all(stride >= 0 for stride in x.strides)
        )

    def begin_thread(self, x: Array) -> Callable[[], None] | None:
        return _nothing

    def unwatched(self, *arrays: Array) -> bool:
        return True

    def trusted(self, scored: Callable[[], tuple[Array, ...]]) -> tuple[Array, ...] | None:
        raised: list[str] = []
        called = _called_instead(*np.geterr().values())
        with np.errstate(call=lambda kind, flag: raised.append(kind), **called):
            found = scored()
        return None if raised else found

    def as_array(self, x: Array) -> Array:
        return np.asarray(x)

    def settled(
        self, name: str, x: Array, *args: Any, **kwargs: Any
    ) -> Callable[..., Array] | None:
        bits = _BITS.get(x.dtype) if name == "zeroed" else None
        if bits is not None and x.shape:
            return _cleared(np.dtype(bits), x.dtype)
        if name == "sum" and args[0] is None and not kwargs["keepdims"]:
            wide = None if x.dtype == args[1] else args[1]
            return lambda x: np.asarray(_add(x, None, wide))
        if name == "count" and args[0] is None and not kwargs["keepdims"]:
            return lambda x: np.asarray(np.count_nonzero(x))
        if name == "both":
            return operator.and_
        if name == "xp.astype" and x.shape and not kwargs:
            return partial(np.ndarray.astype, dtype=args[0])
        return None

    def zeroed(self, x: Array, include: Array) -> Array:
        bits = _BITS.get(x.dtype)
        if bits is not None:
            kept = np.multiply(x.view(bits), include)
            return np.asarray(kept).view(x.dtype)
        if x.dtype.kind in "iu":
            return np.asarray(np.multiply(x, include))
        return np.where(include, x, x.dtype.type(0))

    def clipped(self, x: Array, low: float, high: float) -> Array:
        # Its loop for two bounds is in vectors, that of a maximum with a number is not.
        return np.asarray(np.clip(x, low, high))

    def ratio(self, numerator: Array, denominator: Array) -> Array:
        if numerator.ndim or denominator.ndim:
            return super().ratio(numerator, denominator)
        return np.asarray(numerator / denominator if denominator else np.nan, numerator.dtype)

    def sum(self, x: Array, axis: tuple[int, ...] | None, dtype: Any, *, keepdims: bool) -> Array:
        short = axis == (x.ndim - 1,) and 1 < x.shape[-1] <= _SHORT
        if short and x.dtype == np.float32 and dtype == np.float64:
            # Where rows are short, half the time; its sum is no tree, but of few terms.
            total = np.einsum("...i->...", x, dtype=np.float64)
            return np.expand_dims(total, -1) if keepdims else np.asarray(total)
        return np.asarray(_add(x, axis=axis, dtype=dtype, keepdims=keepdims))

    def count(self, x: Array, axis: tuple[int, ...] | None, dtype: Any, *, keepdims: bool) -> Array:
        if axis is None or len(axis) == x.ndim:
            number = np.asarray(np.count_nonzero(x))
            return number.reshape((1,) * x.ndim) if keepdims else number
        few = math.prod(x.shape[i] for i in axis) < 2**16  # in 16 bits four times as fast
        counts = _add(x, axis=axis, dtype=np.uint16 if few else dtype, keepdims=keepdims)
        return np.asarray(counts, dtype)

    def sum_by_label(self, labels: Array, n: int, values: Array | None = None) -> Array:
        if values is None or values.dtype.kind == "f":
            return np.bincount(labels, weights=values, minlength=n)
        sums = np.zeros(n, values.dtype)
        np.add.at(sums, labels, values)  # in integers, as np.bincount does not
        return sums

    def extreme_by_label(
        self, labels: Array, n: int, values: Array, which: str, nothing: Any
    ) -> Array:
        found = np.full(n, nothing, values.dtype)
        (np.minimum if which == "min" else np.maximum).at(found, labels, values)
        return found


backend = NumpyBackend("numpy")
