"""NumPy."""

from collections.abc import Sequence
from typing import Any

import array_api_compat.numpy as xp
import numpy as np

from agnostic_mask import Array, Backend


class NumpyBackend(Backend):
    """Eager arrays in host memory; subclasses that change what an operation means are refused."""

    # Half a megabyte of float32, which leaves room for temporaries in a cache.
    tile_elements = 2**17

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

    def as_array(self, x: Array) -> Array:
        return np.asarray(x)

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
