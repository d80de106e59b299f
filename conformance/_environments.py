"""Where a check runs: a backend on one of its devices, with arrays made for it."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

import agnostic_mask as am

FLOATS = ("float16", "bfloat16", "float32", "float64")


@dataclass(frozen=True)
class Environment:
    """A backend on one device.

    Attributes
    ----------
    backend : str
        The backend's name.
    device : object
        One of its devices.
    knowledge : Backend
        The backend itself.
    label : str
        Backend and, unless it is the default one, device.
    """

    backend: str
    device: Any
    knowledge: am.Backend
    label: str

    def asarray(self, x: np.ndarray, dtype: str | None = None) -> am.Array:
        """Copy a NumPy array to this device, cast to the float type called `dtype` if given."""
        if dtype is None:
            return self.knowledge.from_host(x, self.device)
        if dtype == "bfloat16":  # which NumPy has not
            xp = self.knowledge.namespace()
            array = self.knowledge.from_host(x.astype("float32"), self.device)
            return xp.astype(array, xp.bfloat16)
        return self.knowledge.from_host(x.astype(dtype), self.device)

    def host(self, x: am.Array) -> np.ndarray:
        """Copy an array of this backend to NumPy."""
        array = np.array(self.knowledge.host(x))
        return array.astype("float32") if array.dtype.name == "bfloat16" else array

    @property
    def compiles_shapes(self) -> bool:
        """Whether every operation is compiled anew for each shape that it meets, as JAX does."""
        return self.backend == "jax"

    @property
    def makes_graphs(self) -> bool:
        """Whether every operation becomes tasks of a graph, as with Dask."""
        return self.backend == "dask"

    def dtypes(self) -> tuple[str, ...]:
        """Names of the float types that arrays can have here."""
        return tuple(name for name in FLOATS if self._has(name))

    def accumulator(self) -> str:
        """Name of the dtype in which sums accumulate here."""
        xp = self.knowledge.namespace()
        wide = self.knowledge.has_dtype(xp, self.device, "float64")
        return "float64" if wide else "float32"

    def _has(self, name: str) -> bool:
        xp = self.knowledge.namespace()
        if not hasattr(xp, name):
            return False
        if name == "float64":
            return self.knowledge.has_dtype(xp, self.device, name)
        return True

    def scope(self, dtype: str) -> AbstractContextManager[Any]:
        """Context in which arrays of this float type keep it (JAX has float64 on request)."""
        return self.knowledge.wide() if dtype == "float64" else nullcontext()


def environments(names: Iterable[str] | None = None) -> list[Environment]:
    """Every device of every usable backend, or of those that are named.

    Parameters
    ----------
    names : iterable of str, optional
        Names of backends; None for all that are usable here.

    Returns
    -------
    list of Environment
    """
    wanted = None if names is None else set(names)
    found = []
    for name, probe in am.available_backends().items():
        if probe.backend is None or (wanted is not None and name not in wanted):
            continue
        for i, device in enumerate(probe.backend.devices()):
            label = name if i == 0 else f"{name} {short(device)}"
            found.append(Environment(name, device, probe.backend, label))
    return found


def unusable() -> dict[str, str]:
    """Backends that are installed and cannot run here, with the reason of each."""
    return {n: p.reason for n, p in am.available_backends().items() if not p.usable}


def short(device: Any) -> str:
    """`Device('device1')` as `device1`."""
    return str(device).rpartition("Device(")[2].strip("'()")
