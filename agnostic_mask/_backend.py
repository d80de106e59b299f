"""What the algorithm may ask about a framework, with an answer that is safe for any.

A backend adds knowledge, never arithmetic. An array library without a backend is served
by this base class. A third party's package offers its own by an entry point::

    [project.entry-points."agnostic_mask.backends"]
    mylib = "mylib.agnostic:backend"

where ``mylib`` is the first component of the name of the array namespace and ``backend``
an instance of a subclass of `Backend`.
"""

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import metadata
from typing import Any

from agnostic_mask._array import Array
from agnostic_mask._backend_checks import Checks
from agnostic_mask._probe import Probe
from agnostic_mask._selected import clipped, ratio

BLOCK = 2**20
"""Elements of a temporary array where a safe answer needs one that grows with two numbers."""


class Backend(Checks):
    """Knowledge about one framework; every method has a safe answer for any.

    Those of its base no computation needs: a check of conformance asks them.

    Parameters
    ----------
    name : str
        First component of the array namespace's name: ``"numpy"``, ``"torch"``.
    """

    tile_elements: int | None = None
    """Elements of a tile where large batches are best computed in tiles; None: not in tiles."""

    large_tile_elements = 2**25
    """The same on a device where launches cost more than memory traffic does: a bound of memory."""

    shares_operations = False
    """Whether the framework shares an operation among threads, for which a tile is too short.

    Then even a single thread that goes through tiles is one of our own.
    """

    fuses_batches = False
    """Whether `fused` compiles all that is done with a batch, which then is not cut into tiles."""

    def __init__(self, name: str) -> None:
        self.name = name

    # -- is it here? ---------------------------------------------------------------

    def namespace(self) -> Any:
        """Import the framework and return its array namespace."""
        return importlib.import_module(self.name)

    def probe(self) -> Probe:
        """Whether the framework, which was imported, can run here."""
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

    def signature(self, x: Array) -> Any:
        """All that checks of metadata see of `x` but its class and shape, as a key of a table.

        None where it cannot be told, or not within a trace: then every call is checked anew.
        """
        return None

    def likeness(self, arrays: Iterable[Array | None]) -> tuple[Any, ...] | None:
        """All of their metadata, and of settings, that decides on what is done with arrays: a key.

        None if one is watched (see `unwatched`) or cannot take part, or recording does not pay.
        """
        return None

    def has_dtype(self, xp: Any, device: Any, dtype: str) -> bool:
        """Whether `device` has `dtype` (``"float64"`` or ``"int64"``)."""
        return dtype in xp.__array_namespace_info__().dtypes(device=device)

    # -- how to go through the data ------------------------------------------------

    def tile_rows(self, x: Array, row: int) -> int | None:
        """Rows of a tile, for an array like `x` of `row` elements a row; None: not in tiles."""
        return None if self.tile_elements is None else max(1, self.tile_elements // max(1, row))

    def begin_thread(self, x: Array) -> Callable[[], None] | None:
        """What a thread of our own does first, so that it goes through tiles as the caller would.

        Parameters
        ----------
        x : array
            One of those that are cut into tiles.

        Returns
        -------
        callable or None
            None: tiles are left to the caller's thread.
        """
        return None

    def unwatched(self, *arrays: Array) -> bool:
        """Whether no gradient and no trace can be watching what is done with these arrays.

        Only then are they cut into tiles, and excluded inputs scored as they are.
        """
        return False

    def trusted(self, scored: Callable[[], tuple[Array, ...]]) -> tuple[Array, ...] | None:
        """What `scored` returns, or None if excluded inputs may show in more than its elements.

        Asked for arrays that are `unwatched`: floating warnings, gradients that a score function
        brings in by itself. What is None is scored again, with harmless values instead.
        """
        return scored()

    def guarded(self, x: Array, include: Array) -> Array | None:
        """`x` itself, but what comes back to it as a derivative is 0 where excluded, NaN or not.

        None if the framework cannot, or looks for NaN by itself: then harmless values take their
        place, which costs a compiled function a pass over all of `x`.
        """
        return None

    def tracing(self) -> bool:
        """Whether the caller is being traced, so that nothing is to be compiled within it.

        A trace in which a compiled function is at home, as in those of JAX, does not count.
        """
        return False

    def fused(
        self, made_with: Callable[[Callable[..., Any]], Callable[..., Any]], scores: Any
    ) -> Callable[..., Any] | None:
        """``made_with(scores)`` compiled for speed; None where there is nothing to compile with.

        Asked for on request alone. It compiles when it is called, and again for other dtypes and
        shapes as it sees fit. It raises whatever says that it cannot. Gradients go through it.
        After a first call several threads may call it at once. No global setting is touched, and
        no limit of the compiler is shared with other functions.

        Parameters
        ----------
        made_with : callable
            Makes, with a score function, the function that is to be fast. That takes arrays by
            position, or None in the place of one, and returns an array or a state. A compiler
            of operations on elements alone compiles the score function.
        scores : callable
            ``scores(y_true, y_pred)``, of this framework's arrays.
        """
        return None

    # -- how to compute ------------------------------------------------------------

    def settled(
        self, name: str, x: Array, *args: Any, **kwargs: Any
    ) -> Callable[..., Array] | None:
        """A shorter way to what the method, "xp." or "operator." function `name` does; or None.

        It takes the arrays among these arguments alone, each time of the same metadata as now and
        not watched, and gives the same bits.
        """
        return None

    def zeroed(self, x: Array, include: Array) -> Array:
        """`x`, 0 where excluded; never by a product, so that NaN does not come through.

        Parameters
        ----------
        x : array
            Real numbers.
        include : array of bool
            Its shape and that of `x` broadcast.
        """
        return self.namespace().where(include, x, 0)

    def both(self, a: Array, b: Array) -> Array:
        """Where two arrays of booleans, whose shapes broadcast, are True."""
        return a & b

    def clipped(self, x: Array, low: float, high: float) -> Array:
        """`x`, or the bound that it is beyond; NaN stays, and derivatives beyond a bound are 0."""
        return clipped(self.namespace(), x, low, high)

    def sum(self, x: Array, axis: tuple[int, ...] | None, dtype: Any, *, keepdims: bool) -> Array:
        """Sum of `x` over axes, None for all of them, accumulated in `dtype`."""
        total = self.namespace().sum(x, axis=axis, dtype=dtype, keepdims=keepdims)
        return self.as_array(total)

    def count(self, x: Array, axis: tuple[int, ...] | None, dtype: Any, *, keepdims: bool) -> Array:
        """Number of True over axes, None for all of them, in an integer `dtype`."""
        xp = self.namespace()
        return self.sum(xp.astype(x, xp.uint8), axis, dtype, keepdims=keepdims)

    def ratio(self, numerator: Array, denominator: Array) -> Array:
        """`numerator / denominator`, NaN where the denominator is 0, without a warning."""
        return ratio(self.namespace(), numerator, denominator)

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
        parts = []
        for hit in self._hits(labels, n):
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
        xp, parts = self.namespace(), []
        for hit in self._hits(labels, n):
            chosen = xp.where(hit, xp.expand_dims(values, axis=0), nothing)
            parts.append(self.as_array(getattr(xp, which)(chosen, axis=1)))
        return parts[0] if len(parts) == 1 else xp.concat(parts)

    def _hits(self, labels: Array, n: int) -> Iterator[Array]:
        """Which elements have each label, shape (labels, N), for a few labels at once."""
        xp, at_once = self.namespace(), max(1, BLOCK // max(1, labels.shape[0]))
        like = {"dtype": labels.dtype, "device": self.device(labels)}
        for start in range(0, n, at_once):
            few = xp.arange(start, min(n, start + at_once), **like)
            yield xp.expand_dims(labels, axis=0) == xp.expand_dims(few, axis=1)

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
