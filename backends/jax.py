"""JAX: traced and compiled arrays that JAX places by itself."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import jax
import jax.numpy as jnp

from agnostic_mask import Array, Backend


class JaxBackend(Backend):
    """Immutable arrays; float64 and int64 exist only where they are enabled."""

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
            return jnp.array(x.astype(x.dtype.newbyteorder("=")), device=device)

    def value_and_grad(
        self, fn: Callable[..., Array], arrays: Sequence[Array]
    ) -> tuple[Array, Sequence[Array]] | None:
        value, found = jax.value_and_grad(fn, argnums=tuple(range(len(arrays))))(*arrays)
        return value, list(found)

    def compiled(self, fn: Callable[..., Any]) -> Callable[..., Any] | None:
        traced: Callable[..., Any] = jax.jit(fn)
        return traced


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
