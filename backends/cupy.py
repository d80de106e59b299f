"""CuPy: arrays on an NVIDIA or AMD GPU."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import array_api_compat.cupy as xp
import cupy
import cupyx

from agnostic_mask import Array, Backend, Probe


class CupyBackend(Backend):
    """Eager arrays on a GPU; importing it succeeds without one, so a probe allocates."""

    def namespace(self) -> Any:
        return xp

    def probe(self) -> Probe:
        try:
            float(cupy.ones(1).sum())
        except Exception as error:  # whatever the CUDA runtime says is the answer
            reason = f"{type(error).__name__}: {error}"
            return Probe(self.name, False, cupy.__version__, reason=reason)
        return super().probe()

    def devices(self) -> Sequence[Any]:
        return [cupy.cuda.Device(i) for i in range(cupy.cuda.runtime.getDeviceCount())]

    def array_types(self) -> Sequence[type]:
        return (cupy.ndarray,)

    def device(self, x: Array) -> Any:
        return x.device

    def has_dtype(self, xp: Any, device: Any, dtype: str) -> bool:
        return True

    def sum_by_label(self, labels: Array, n: int, values: Array | None = None) -> Array:
        # cupy.bincount waits for the device, to learn the greatest label.
        if values is None or values.dtype == cupy.int64:
            # There is no atomic addition of int64, and that of uint64 has the same bits.
            sums = cupy.zeros(n, cupy.uint64)
            cupyx.scatter_add(sums, labels, 1 if values is None else values.view(cupy.uint64))
            return sums.view(cupy.int64)
        sums = cupy.zeros(n, values.dtype)
        cupyx.scatter_add(sums, labels, values)
        return sums

    def extreme_by_label(
        self, labels: Array, n: int, values: Array, which: str, nothing: Any
    ) -> Array:
        scatter = cupyx.scatter_min if which == "min" else cupyx.scatter_max
        found = cupy.full(n, nothing, values.dtype)
        if values.dtype.kind == "f" or values.dtype == cupy.uint64:
            scatter(found, labels, values)
            return found
        # There are no atomic extremes of other integers; with the bit of the sign flipped those
        # of uint64 have the same order.
        sign = cupy.uint64(2**63)
        bits = found.astype(cupy.int64).view(cupy.uint64) ^ sign
        scatter(bits, labels, values.astype(cupy.int64).view(cupy.uint64) ^ sign)
        return (bits ^ sign).view(cupy.int64).astype(values.dtype)

    def host(self, x: Array) -> Any:
        return x.get()

    def forbid_hidden_work(self, device: Any) -> AbstractContextManager[Any] | None:
        return _no_synchronisation()


@contextmanager
def _no_synchronisation() -> Iterator[None]:
    with cupyx.allow_synchronize(False):
        yield


backend = CupyBackend("cupy")
