"""Where a check runs: a backend on one of its devices, with arrays made for it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

import agnostic_mask as am

FLOATS = ("float16", "bfloat16", "float32", "float64")


@dataclass(frozen=True)
class Environment:
    """A backend on one device, under one setting of its framework.

    Attributes
    ----------
    backend : str
        The backend's name.
    device : object
        One of its devices.
    knowledge : Backend
        The backend itself.
    label : str
        Backend and, unless they are the default ones, device and setting.
    setting : callable or None
        Gives the context in which a check runs as a whole; None where nothing is changed.
    plain : bool
        Whether this is the backend's first device, or the first of another kind of hardware (a GPU
        beside the CPU), with nothing changed.
    """

    backend: str
    device: Any
    knowledge: am.Backend
    label: str
    setting: Callable[[], AbstractContextManager[Any]] | None = None
    plain: bool = True

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
        """Names of the float types in which checks run here."""
        if self.setting is not None:
            return ("float32",)  # what a setting changes, it changes for all alike
        return tuple(name for name in FLOATS if self._has(name))

    def default_float(self) -> str:
        """Name of the float type that the framework makes of integers, under what is set now."""
        info = self.knowledge.namespace().__array_namespace_info__()
        dtype = info.default_dtypes(device=self.device)["real floating"]
        return str(getattr(dtype, "__name__", dtype)).rpartition(".")[2]

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

    @contextmanager
    def scope(self, dtype: str) -> Iterator[None]:
        """Context of a check: arrays of this float type keep it, and the setting is in force."""
        setting = nullcontext() if self.setting is None else self.setting()
        # JAX has float64 on request.
        wide = self.knowledge.wide() if dtype == "float64" else nullcontext()
        with setting, wide:
            yield


def environments(names: Iterable[str] | None = None, *, settings: bool = True) -> list[Environment]:
    """Every device of every usable backend, or of those that are named, and every setting.

    Parameters
    ----------
    names : iterable of str, optional
        Names of backends; None for all that are usable here.
    settings : bool
        Whether the settings of a framework, on its first device, are environments of their own.

    Returns
    -------
    list of Environment
        Those of one backend one after another, the plain one first.
    """
    wanted, probes, found = None if names is None else set(names), am.available_backends(), []
    for name in probes:  # of which only what is read is imported
        known = probes[name].backend if wanted is None or name in wanted else None
        if known is None:
            continue
        devices = known.devices()
        kinds: set[str | None] = {None}
        for i, device in enumerate(devices):
            label = name if i == 0 else f"{name} {short(device)}"
            plain = i == 0 or hardware(device) not in kinds
            kinds.add(hardware(device))
            found.append(Environment(name, device, known, label, plain=plain))
        for what, setting in known.settings().items() if settings else ():
            label = f"{name} {what}"
            found.append(Environment(name, devices[0], known, label, setting, plain=False))
    return found


def hardware(device: Any) -> str | None:
    """Kind of hardware that a device is, as torch ("cuda") or JAX ("gpu") say; None if unknown."""
    kind = getattr(device, "type", None) or getattr(device, "platform", None)
    return kind if isinstance(kind, str) else None


def unusable() -> dict[str, str]:
    """Backends that are installed and cannot run here, with the reason of each."""
    return {n: p.reason for n, p in am.available_backends().items() if not p.usable}


def short(device: Any) -> str:
    """`Device('device1')` as `device1`."""
    return str(device).rpartition("Device(")[2].strip("'()")
