"""JAX: traced and compiled arrays that JAX places by itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from agnostic_mask import Array, Backend

from ._forbidden import Forbidden, left, read


class JaxBackend(Backend):
    """Immutable arrays; float64 and int64 exist only where they are enabled."""

    fuses_batches = True

    def namespace(self) -> Any:
        return jnp

    def devices(self) -> Sequence[Any]:
        return list(jax.devices())

    def device(self, x: Array) -> Any:
        return None  # a tracer has none, and shardings of arrays that fit together differ

    def has_dtype(self, xp: Any, device: Any, dtype: str) -> bool:
        return True  # within `wide`

    def wide(self) -> AbstractContextManager[Any]:
        context: AbstractContextManager[Any] = jax.enable_x64(True)
        return context

    def sum(self, x: Array, axis: tuple[int, ...] | None, dtype: Any, *, keepdims: bool) -> Array:
        last = _fused_axis(x, axis)
        floats = dtype == jnp.float64 and jnp.issubdtype(x.dtype, jnp.floating)
        if floats and last is not None and x.shape[last] <= _LONGEST:
            x = _along(x, last)
        return super().sum(x, axis, dtype, keepdims=keepdims)

    def count(self, x: Array, axis: tuple[int, ...] | None, dtype: Any, *, keepdims: bool) -> Array:
        last = _fused_axis(x, axis)
        if last is None:
            return super().count(x, axis, dtype, keepdims=keepdims)
        return super().sum(_counted(x, last), axis, dtype, keepdims=keepdims)

    def guarded(self, x: Array, include: Array) -> Array | None:
        watched = jax.config.jax_debug_nans or jax.config.jax_debug_infs
        return None if watched else _guarded(x, include)

    def register_state(
        self, cls: type, arrays: Sequence[str], configuration: Sequence[str]
    ) -> None:
        jax.tree_util.register_dataclass(cls, list(arrays), list(configuration))

    def sum_by_label(self, labels: Array, n: int, values: Array | None = None) -> Array:
        dtype = jnp.int64 if values is None else values.dtype
        return jnp.zeros(n, dtype).at[labels].add(1 if values is None else values)

    def extreme_by_label(
        self, labels: Array, n: int, values: Array, which: str, nothing: Any
    ) -> Array:
        start = jnp.full(n, nothing, values.dtype).at[labels]
        return start.min(values) if which == "min" else start.max(values)

    def take(self, x: Array, indices: Array) -> Array:
        taken: Array = (_take if x.dtype == jnp.float64 else _elements)(x, indices)
        return taken

    def products(self, left: Array, right: Array) -> Array:
        # The derivative of jnp.matmul asks for float64 by name, after `wide` was left.
        last, others = left.ndim - 1, tuple(range(left.ndim - 2))
        return jax.lax.dot_general(left, right, (((last,), (last,)), (others, others)))

    def host(self, x: Array) -> Any:
        return jax.device_get(x)

    def from_dlpack(self, x: Any, device: Any) -> Array:
        with self.wide():
            return jnp.from_dlpack(x, copy=False)

    def from_host(self, x: Any, device: Any) -> Array:
        with self.wide():
            # A copy, which JAX may keep; jnp.array would compile something for each shape.
            return jax.device_put(x.astype(x.dtype.newbyteorder("=")), device)

    def value_and_grad(
        self, fn: Callable[..., Array], arrays: Sequence[Array]
    ) -> tuple[Array, Sequence[Array]] | None:
        value, found = jax.value_and_grad(fn, argnums=tuple(range(len(arrays))))(*arrays)
        return value, list(found)

    def fused(
        self, made_with: Callable[[Callable[..., Any]], Callable[..., Any]], scores: Any
    ) -> Callable[..., Any] | None:
        return self.compiled(made_with(scores))

    def compiled(self, fn: Callable[..., Any]) -> Callable[..., Any] | None:
        traced: Callable[..., Any] = jax.jit(fn)
        return traced

    def forbid_hidden_work(self, device: Any) -> AbstractContextManager[Any] | None:
        return _at_home(device)

    def outline(
        self, fn: Callable[..., Any], arrays: Sequence[Array]
    ) -> Sequence[tuple[tuple[int | None, ...], str]] | None:
        leaves = jax.tree_util.tree_leaves(jax.eval_shape(fn, *arrays))
        return [(tuple(x.shape), x.dtype.name) for x in leaves]

    def settings(self) -> Mapping[str, Callable[[], AbstractContextManager[Any]]]:
        return {"x64": self.wide}


_OF = "a JAX array"


@cache
def _on_the_host() -> Forbidden:
    # To have an array starts JAX, of which importing this module should not be the reason.
    return Forbidden(
        type(jnp.asarray(0)),
        {
            # Of arrays on the CPU NumPy takes the buffer, which no method gives and
            # `jax.transfer_guard` lets it; but for bfloat16, which has no buffer. A boolean index,
            # unique() and others of JAX do the same. A function that is outlined cannot. Of
            # __index__ nothing is said: JAX asks it of every exponent, as it may be an integer.
            "__array__": left("numpy.asarray, or what calls it,", _OF),
            "__dlpack__": left("__dlpack__()", _OF),
            "tolist": read("tolist()", _OF),
            "tobytes": read("tobytes()", _OF),
            "item": read("item()", _OF),
            "__bool__": read("bool(), which `if` and `and` call too,", _OF),
            "__float__": read("float()", _OF),
            "__int__": read("int()", _OF),
            "__complex__": read("complex()", _OF),
            "__format__": read("a format", _OF),
        },
    )


@contextmanager
def _at_home(device: Any) -> Iterator[None]:
    on_cpu = device.platform == "cpu"
    guard = nullcontext() if on_cpu else jax.transfer_guard_device_to_host("disallow")
    with _on_the_host()(), guard:
        yield


# Terms that are added one after another, by one thread; of more, the roundings would add up too.
_LONGEST = 2**16


def _fused_axis(x: Array, axis: tuple[int, ...] | None) -> int | None:
    """Axis of a traced array along which neighbours in memory are to be added; None if none is."""
    if not isinstance(x, jax.core.Tracer):
        return None
    long = [i for i, n in enumerate(x.shape) if n != 1]
    return long[-1] if long and (axis is None or long[-1] in axis) else None


# On the CPU, XLA hands a sum to a library, and writes the terms to memory first. Of a reduction
# with two results it makes one loop, with all that the terms are computed from, if both are used.


def _reduced(x: Array, some: Array, axis: int) -> Array:
    def add(a: tuple[Array, Array], b: tuple[Array, Array]) -> tuple[Array, Array]:
        return a[0] + b[0], a[1] | b[1]

    total, found = jax.lax.reduce((x, some), (x.dtype.type(0), np.False_), add, (axis,))
    return jnp.expand_dims(jnp.where(found, total, 0), axis)


@partial(jax.jit, static_argnums=1, inline=True)
def _summed(x: Array, axis: int) -> Array:
    def plain(x: Array) -> Array:
        return jnp.sum(x, axis=axis, dtype=jnp.float64, keepdims=True)

    def fused(x: Array) -> Array:
        return _reduced(x.astype(jnp.float64), x != 0, axis)

    found: Array = jax.lax.platform_dependent(x, cpu=fused, default=plain)
    return found


def _change(axis: int, primals: Any, tangents: Any) -> Any:
    # `wide` may have been left, for a trace is differentiated when it is done.
    with jax.enable_x64(True):
        change = jnp.sum(tangents[0], axis=axis, dtype=jnp.float64, keepdims=True)
        return _along(*primals, axis), change


_along: Any = jax.custom_jvp(_summed, nondiff_argnums=(1,))
_along.defjvp(_change)


def _itself(x: Array, include: Array) -> Array:
    return x


def _guarded_change(primals: Any, tangents: Any) -> Any:
    return _guarded(*primals), jnp.where(primals[1], tangents[0], 0)


_guarded: Any = jax.custom_jvp(_itself)
_guarded.defjvp(_guarded_change)


@partial(jax.jit, static_argnums=1, inline=True)
def _counted(x: Array, axis: int) -> Array:
    def plain(x: Array) -> Array:
        return jnp.sum(x, axis=axis, dtype=jnp.int64, keepdims=True)

    def fused(x: Array) -> Array:
        return _reduced(x.astype(jnp.int64), x, axis)

    found: Array = jax.lax.platform_dependent(x, cpu=fused, default=plain)
    return found


def _elements(x: Array, indices: Array) -> Array:
    return jnp.take(x, indices, axis=0)


def _taken(x: Array, indices: Array) -> tuple[Array, tuple[Array, Array]]:
    return _elements(x, indices), (x, indices)


def _given_back(saved: tuple[Array, Array], given: Array) -> tuple[Array, None]:
    with jax.enable_x64(True):
        return jnp.zeros_like(saved[0]).at[saved[1]].add(given), None


# The derivative of jnp.take asks for float64 by name, after `wide` was left.
_take: Any = jax.custom_vjp(_elements)
_take.defvjp(_taken, _given_back)

backend = JaxBackend("jax")
