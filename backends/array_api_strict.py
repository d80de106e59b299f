"""array_api_strict: the standard and nothing beyond it, for finding what is not portable."""

from collections.abc import Sequence
from typing import Any

import array_api_strict as xp
import numpy as np

from agnostic_mask import Array, Backend


class StrictBackend(Backend):
    """Eager arrays on several pretended devices, in host memory."""

    def namespace(self) -> Any:
        return xp

    def array_types(self) -> Sequence[type]:
        return (type(xp.asarray(0)),)

    def host(self, x: Array) -> Any:
        home = xp.Device("CPU_DEVICE")
        return np.from_dlpack(x.to_device(home))

    def from_host(self, x: Any, device: Any) -> Array:
        return xp.asarray(x.astype(x.dtype.newbyteorder("=")), device=device, copy=True)


backend = StrictBackend("array_api_strict")
