"""Dask: lazy arrays made of NumPy chunks."""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NoReturn

import array_api_compat.dask.array as xp
import dask
import dask.array
import numpy as np

from agnostic_mask import Array, Backend

from ._forbidden import Shared


class DaskBackend(Backend):
    """Lazy arrays; what is promised of them is that nothing here computes one."""

    def namespace(self) -> Any:
        return xp

    def devices(self) -> Sequence[Any]:
        return ["cpu"]

    def array_types(self) -> Sequence[type]:
        return (dask.array.Array,)

    def refuse(self, x: Array) -> str | None:
        meta = type(x._meta)
        if meta is np.ndarray:
            return None
        return (
            f"a Dask array of {meta.__module__}.{meta.__qualname__} chunks; map them to plain "
            f"numpy.ndarray first, x.map_blocks(numpy.asarray)"
        )

    def device(self, x: Array) -> Any:
        return "cpu"

    def has_dtype(self, xp: Any, device: Any, dtype: str) -> bool:
        return True

    def sum_by_label(self, labels: Array, n: int, values: Array | None = None) -> Array:
        if values is not None and values.dtype.kind != "f":
            return _of_chunks(np.add, labels, n, values, 0).sum(axis=0, dtype=values.dtype)
        if values is not None:
            values = values.rechunk(labels.chunks)
        return dask.array.bincount(labels, weights=values, minlength=n)

    def extreme_by_label(
        self, labels: Array, n: int, values: Array, which: str, nothing: Any
    ) -> Array:
        ufunc = np.minimum if which == "min" else np.maximum
        found = _of_chunks(ufunc, labels, n, values, nothing)
        return found.min(axis=0) if which == "min" else found.max(axis=0)

    def host(self, x: Array) -> Any:
        return x.compute()

    def copy(self, x: Array) -> Array:
        return x.copy()

    def take_along_axis(self, x: Array, indices: Array) -> Array:
        whole = {x.ndim - 1: -1}
        x, indices = x.rechunk(whole), indices.rechunk(whole)
        indices = indices.rechunk((*x.chunks[:-1], indices.chunks[-1]))
        return dask.array.map_blocks(
            np.take_along_axis, x, indices, axis=-1, dtype=x.dtype, chunks=indices.chunks
        )

    def from_dlpack(self, x: Any, device: Any) -> Array:
        raise BufferError("Dask arrays do not exchange memory by DLPack")

    def from_host(self, x: Any, device: Any) -> Array:
        return xp.asarray(np.array(x))

    def forbid_hidden_work(self, device: Any) -> AbstractContextManager[Any] | None:
        return _lazy()

    def outline(
        self, fn: Callable[..., Any], arrays: Sequence[Array]
    ) -> Sequence[tuple[tuple[int | None, ...], str]] | None:
        with _lazy():
            found = fn(*arrays)
        results = found if isinstance(found, tuple) else (found,)
        return [(tuple(map(_known, x.shape)), x.dtype.name) for x in results]


def _known(size: float) -> int | None:
    return None if math.isnan(size) else int(size)


def _of_chunks(ufunc: np.ufunc, labels: Array, n: int, values: Array, nothing: Any) -> Array:
    """What a function makes of the values of each label, in each chunk; shape (chunks, n)."""

    def of_chunk(labels: Any, values: Any) -> Any:
        found = np.full((1, n), nothing, values.dtype)
        ufunc.at(found[0], labels, values)
        return found

    return dask.array.map_blocks(
        of_chunk,
        labels,
        values.rechunk(labels.chunks),
        new_axis=1,
        chunks=((1,) * labels.numblocks[0], (n,)),
        meta=np.empty((0, 0), values.dtype),
    )


def _refuse_to_compute(*args: Any, **kwargs: Any) -> NoReturn:
    raise _lazy.refused("a lazy Dask array was computed")


_lazy = Shared(lambda: dask.config.set(scheduler=_refuse_to_compute))


backend = DaskBackend("dask")
