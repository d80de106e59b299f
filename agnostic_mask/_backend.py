"""What the algorithm may ask about a framework, with an answer that is safe for any.

A backend adds knowledge, never arithmetic. An array library without a backend is served
by this base class. A third party's package offers its own by an entry point::

    [project.entry-points."agnostic_mask.backends"]
    mylib = "mylib.agnostic:backend"

where ``mylib`` is the first component of the name of the array namespace and ``backend``
an instance of a subclass of `Backend`.
"""

import importlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from agnostic_mask._array import Array

BLOCK = 2**20
"""Elements of a temporary array where a safe answer needs one that grows with two numbers."""


@dataclass(frozen=True)
class Probe:
    """Whether a backend can run here, and if not, why.

    Attributes
    ----------
    name : str
        The backend's name.
    usable : bool
        Whether an array can be made and computed with.
    version : str
        The framework's version, empty if it is not installed.
    devices : tuple of str
        The devices it can use.
    reason : str
        Why it is not usable, in the words of its runtime; empty if it is usable.
    backend : Backend or None
        The backend itself, if it is usable.
    """

    name: str
    usable: bool
    version: str = ""
    devices: tuple[str, ...] = ()
    reason: str = ""
    backend: "Backend | None" = field(default=None, repr=False, compare=False)


class Backend:
    """Knowledge about one framework; every method here has a safe answer for any.

    Parameters
    ----------
    name : str
        First component of the array namespace's name: ``"numpy"``, ``"torch"``.
    """

    tile_elements: int | None = None
    """Elements of a tile where large batches are best computed in tiles; None: not in tiles."""

    def __init__(self, name: str) -> None:
        self.name = name

    # -- is it here? ---------------------------------------------------------------

    def namespace(self) -> Any:
        """Import the framework and return its array namespace."""
        return importlib.import_module(self.name)

    def probe(self) -> Probe:
        """Say whether the framework can run here.

        Returns
        -------
        Probe
            A framework that cannot even be imported is not asked.
        """
        devices = tuple(map(str, self.devices()))
        return Probe(self.name, True, self.version(), devices, backend=self)

    def version(self) -> str:
        """Version of the installed framework, as its distribution's metadata has it."""
        module = importlib.import_module(self.name)
        return str(getattr(module, "__version__", None) or metadata.version(self.name))

    def devices(self) -> Sequence[Any]:
        """Devices on which arrays can be made, the default one first."""
        return list(self.namespace().__array_namespace_info__().devices())

    # -- may this array take part? -------------------------------------------------

    def array_types(self) -> Sequence[type]:
        """Classes of arrays to recognise by exact type, before any array was seen."""
        return ()

    def refuse_type(self, cls: type) -> str | None:
        """Say why arrays of class `cls` cannot be computed with, or None if they can."""
        return None

    def refuse(self, x: Array) -> str | None:
        """Say why this array cannot be computed with, or None if it can.

        Looks at metadata only, on every call: layouts, wrapped array types. The dtype is
        checked for every backend alike.
        """
        return None

    def device(self, x: Array) -> Any:
        """Device of `x`, or None where the framework places arrays by itself."""
        return x.device

    def has_dtype(self, xp: Any, device: Any, dtype: str) -> bool:
        """Whether `device` has `dtype` (``"float64"`` or ``"int64"``)."""
        return dtype in xp.__array_namespace_info__().dtypes(device=device)

    # -- how to compute ------------------------------------------------------------

    def wide(self) -> AbstractContextManager[Any]:
        """Context in which float64 and int64 exist, for accumulation alone."""
        return nullcontext()

    def as_array(self, x: Array) -> Array:
        """Turn what a reduction returned into an array (NumPy's return scalars)."""
        return x

    def sum_by_label(self, labels: Array, n: int, values: Array | None = None) -> Array:
        """How often each label occurs, or the sum of its values. Called within `wide`.

        Parameters
        ----------
        labels : array of int, shape (N,)
            From 0 to n - 1.
        n : int
            Number of labels, at least 1.
        values : array of float or int, shape (N,), optional

        Returns
        -------
        array, shape (n,)
            Dtype of `values`, in which integers add up exactly, else an integer dtype; 0 for a
            label that does not occur.
        """
        xp, device = self.namespace(), self.device(labels)
        integer = xp.int64 if self.has_dtype(xp, device, "int64") else xp.int32
        at_once = max(1, BLOCK // max(1, labels.shape[0]))
        parts = []
        for start in range(0, n, at_once):
            few = xp.arange(start, min(n, start + at_once), dtype=labels.dtype, device=device)
            hit = xp.expand_dims(labels, axis=0) == xp.expand_dims(few, axis=1)
            if values is None:
                parts.append(xp.sum(xp.astype(hit, xp.uint8), axis=1, dtype=integer))
            else:
                chosen = xp.where(hit, xp.expand_dims(values, axis=0), xp.zeros_like(values[:1]))
                parts.append(xp.sum(chosen, axis=1, dtype=values.dtype))
        return parts[0] if len(parts) == 1 else xp.concat(parts)

    def extreme_by_label(
        self, labels: Array, n: int, values: Array, which: str, nothing: Any
    ) -> Array:
        """Least or greatest value of each label. Called within `wide`.

        Parameters
        ----------
        labels : array of int, shape (N,)
            From 0 to n - 1.
        n : int
            Number of labels, at least 1.
        values : array, shape (N,), N at least 1
            Real numbers, none of them NaN.
        which : {"min", "max"}
        nothing : float or int
            What a label that does not occur has; no value lies beyond it.

        Returns
        -------
        array, shape (n,)
            Dtype of `values`.
        """
        xp, device = self.namespace(), self.device(labels)
        at_once = max(1, BLOCK // max(1, labels.shape[0]))
        parts = []
        for start in range(0, n, at_once):
            few = xp.arange(start, min(n, start + at_once), dtype=labels.dtype, device=device)
            hit = xp.expand_dims(labels, axis=0) == xp.expand_dims(few, axis=1)
            chosen = xp.where(hit, xp.expand_dims(values, axis=0), nothing)
            parts.append(self.as_array(getattr(xp, which)(chosen, axis=1)))
        return parts[0] if len(parts) == 1 else xp.concat(parts)

    def cumulative_sum(self, x: Array, axis: int) -> Array:
        """Sums along an axis up to each element, in the dtype of `x`."""
        return self.namespace().cumulative_sum(x, axis=axis, dtype=x.dtype)

    def products(self, left: Array, right: Array) -> Array:
        """Sum of products of every row of `left` with every row of `right`.

        Rows run along the last axis; axes before the last two agree.
        """
        xp = self.namespace()
        return xp.matmul(left, xp.matrix_transpose(right))

    def argsort(self, x: Array, *, stable: bool = False) -> Array:
        """Indices that put each row, along the last axis, in increasing order.

        `stable`: equal elements stay in the order they have.
        """
        return self.namespace().argsort(x, axis=-1, stable=stable)

    def searchsorted(self, edges: Array, x: Array) -> Array:
        """How many of `edges`, in increasing order, are not above each of the numbers `x`."""
        return self.namespace().searchsorted(edges, x, side="right")

    def take(self, x: Array, indices: Array) -> Array:
        """Elements of `x`, of one dimension, at `indices`. Called within `wide`."""
        return self.namespace().take(x, indices, axis=0)

    def take_along_axis(self, x: Array, indices: Array) -> Array:
        """Elements of `x` at `indices` along the last axis; the other axes agree."""
        return self.namespace().take_along_axis(x, indices, axis=-1)

    def register_state(
        self, cls: type, arrays: Sequence[str], configuration: Sequence[str]
    ) -> None:
        """Teach the framework's tree functions the fields of a class of states.

        Parameters
        ----------
        cls : type
            A frozen dataclass.
        arrays, configuration : sequence of str
            Names of the fields that hold arrays (or None), and of those that are static.
        """

    # -- across the border -----------------------------------------------------------

    def host(self, x: Array) -> Any:
        """Give `x`, in host memory, as an object that `numpy.asarray` can read."""
        return x

    def from_host(self, x: Any, device: Any) -> Array:
        """Make an array of this framework on `device` from a NumPy array, by a copy."""
        return self.namespace().asarray(x, device=device, copy=True)

    def copy(self, x: Array) -> Array:
        """Copy an array within the framework."""
        return self.namespace().asarray(x, copy=True)

    def exports(self, x: Array) -> bool:
        """Whether another framework may share the memory of `x` by DLPack, as it lies there."""
        return hasattr(x, "__dlpack__")

    def from_dlpack(self, x: Any, device: Any) -> Array:
        """Make an array of this framework on `device` that shares memory with a DLPack exporter.

        Raises
        ------
        BufferError, RuntimeError, TypeError, ValueError, AttributeError
            What the framework raises where this exchange is not possible.
        """
        return self.namespace().from_dlpack(x, device=device, copy=False)

    # -- what a check of conformance needs ---------------------------------------------

    def value_and_grad(
        self, fn: Callable[..., Array], arrays: Sequence[Array]
    ) -> tuple[Array, Sequence[Array]] | None:
        """Value of ``fn(*arrays)`` (0-d) and its gradient for each of `arrays`.

        Returns None where the framework has no automatic differentiation.
        """
        return None

    def compiled(self, fn: Callable[..., Any]) -> Callable[..., Any] | None:
        """Compile `fn` as a whole, without a fall back; None where there is no compiler."""
        return None

    def forbid_hidden_work(self, device: Any) -> AbstractContextManager[Any] | None:
        """Context that raises on a hidden computation of a lazy array or a hidden wait.

        Returns None where there is nothing to hide: eager arrays in host memory.
        """
        return None
