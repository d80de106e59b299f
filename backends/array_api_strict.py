"""array_api_strict: the standard and nothing beyond it, for finding what is not portable."""

from collections.abc import Sequence
from typing import Any

import array_api_strict as xp
import numpy as np

from agnostic_mask import Array, Backend

_HOME = xp.Device("CPU_DEVICE")


class StrictBackend(Backend):
    """Eager arrays on several pretended devices, in host memory."""

    def namespace(self) -> Any:
        return xp

    def array_types(self) -> Sequence[type]:
        return (type(xp.asarray(0)),)

    # Both give int64 whatever the device has.

    def argsort(self, x: Array, *, stable: bool = False) -> Array:
        if self.has_dtype(xp, x.device, "int64"):
            return super().argsort(x, stable=stable)
        return self._narrow(super().argsort(x.to_device(_HOME), stable=stable), x.device)

    def searchsorted(self, edges: Array, x: Array) -> Array:
        if self.has_dtype(xp, x.device, "int64"):
            return super().searchsorted(edges, x)
        found = super().searchsorted(edges.to_device(_HOME), x.to_device(_HOME))
        return self._narrow(found, x.device)

    @staticmethod
    def _narrow(indices: Array, device: Any) -> Array:
        return xp.astype(indices, xp.int32).to_device(device)

    def host(self, x: Array) -> Any:
        return np.from_dlpack(x.to_device(_HOME))

    def from_host(self, x: Any, device: Any) -> Array:
        return xp.asarray(x.astype(x.dtype.newbyteorder("=")), device=device, copy=True)


backend = StrictBackend("array_api_strict")
