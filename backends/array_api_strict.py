"""array_api_strict: the standard and nothing beyond it, for finding what is not portable."""

import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import array_api_strict as xp
import numpy as np

from agnostic_mask import Array, Backend

from ._forbidden import Forbidden, left

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

    def forbid_hidden_work(self, device: Any) -> AbstractContextManager[Any] | None:
        return _at_home()

    def settings(self) -> Mapping[str, Callable[[], AbstractContextManager[Any]]]:
        return {"flags off": _flags_off}

    def own_fault(self, error: BaseException) -> str | None:
        if isinstance(error, AttributeError) and "extension has been disabled" in str(error):
            return f"an extension of the standard is optional, and off here: {error}"
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        # What makes an array, and the function of the standard that asked for one.
        if len(frames) < 2 or frames[-1].f_code.co_name != "_new":
            return None
        caller = frames[-2]
        name = caller.f_code.co_name
        unasked = name in _INDICES or (name in _SUMS and caller.f_locals.get("dtype") is None)
        if caller.f_globals["__name__"].partition(".")[0] != xp.__name__ or not unasked:
            return None
        return f"array_api_strict's own {name} makes a dtype that this device of its has not"


_INDICES = ("argmax", "argmin", "argsort", "count_nonzero", "nonzero", "searchsorted")
_SUMS = ("sum", "prod", "cumulative_sum", "cumulative_prod")
_OF = "an array_api_strict array"
_at_home = Forbidden(
    type(xp.asarray(0)),
    {
        # NumPy asks for a buffer since Python 3.12, and for an array if that raises.
        "__array__": left("numpy.asarray, or what calls it,", _OF),
        "__buffer__": left("numpy.asarray, or what calls it,", _OF),
        "__dlpack__": left("__dlpack__()", _OF),
    },
)


def _flags_off() -> AbstractContextManager[Any]:
    context: AbstractContextManager[Any] = xp.ArrayAPIStrictFlags(
        boolean_indexing=False, data_dependent_shapes=False, enabled_extensions=()
    )
    return context


backend = StrictBackend("array_api_strict")
