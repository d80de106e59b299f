"""PyTorch: tensors on the CPU, CUDA, MPS and other devices."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from typing import Any

import array_api_compat.torch as xp
import torch
from torch.utils import _pytree

from agnostic_mask import Array, Backend


class TorchBackend(Backend):
    """Eager tensors with automatic differentiation, and a compiler that traces Python."""

    def namespace(self) -> Any:
        return xp

    def devices(self) -> Sequence[Any]:
        found = [torch.device("cpu")]
        found += [torch.device("cuda", i) for i in range(torch.cuda.device_count())]
        if torch.backends.mps.is_available():
            found.append(torch.device("mps", 0))
        return found

    def array_types(self) -> Sequence[type]:
        return (torch.Tensor, torch.nn.Parameter)

    def refuse(self, x: Array) -> str | None:
        if x.is_nested:
            return "a nested tensor; pad it, torch.nested.to_padded_tensor(x, 0.0), and pass a mask"
        if x.layout is not torch.strided:
            return f"a tensor of layout {x.layout}; pass x.to_dense()"
        return None

    def has_dtype(self, xp: Any, device: Any, dtype: str) -> bool:
        return dtype != "float64" or device.type != "mps"

    def register_state(
        self, cls: type, arrays: Sequence[str], configuration: Sequence[str]
    ) -> None:
        def flatten(state: Any) -> tuple[list[Any], tuple[Any, ...]]:
            return [getattr(state, a) for a in arrays], tuple(
                getattr(state, c) for c in configuration
            )

        def unflatten(leaves: Any, context: tuple[Any, ...]) -> Any:
            named = dict(zip(arrays, leaves, strict=True))
            return cls(**named, **dict(zip(configuration, context, strict=True)))

        _pytree.register_pytree_node(
            cls,
            flatten,
            unflatten,
            serialized_type_name=f"{cls.__module__}.{cls.__qualname__}",
            to_dumpable_context=list,
            from_dumpable_context=tuple,
        )

    def host(self, x: Array) -> Any:
        x = x.detach().cpu()
        if x.dtype != torch.bfloat16:
            return x.numpy()
        try:
            bfloat16 = import_module("ml_dtypes").bfloat16
        except ImportError as error:
            raise TypeError("NumPy has bfloat16 by ml_dtypes alone; install that") from error
        return x.view(torch.int16).numpy().view(bfloat16)  # the same bits

    def from_host(self, x: Any, device: Any) -> Array:
        if x.dtype.name == "bfloat16":
            return torch.asarray(x.view("int16"), device=device, copy=True).view(torch.bfloat16)
        return torch.asarray(x.astype(x.dtype.newbyteorder("=")), device=device)

    def sum_by_label(self, labels: Array, n: int, values: Array | None = None) -> Array:
        values = torch.ones_like(labels) if values is None else values
        return values.new_zeros(n).index_add(0, labels, values)

    def extreme_by_label(
        self, labels: Array, n: int, values: Array, which: str, nothing: Any
    ) -> Array:
        start = values.new_full((n,), nothing)
        return start.scatter_reduce(0, labels, values, "amin" if which == "min" else "amax")

    def cumulative_sum(self, x: Array, axis: int) -> Array:
        return torch.cumsum(x, axis, dtype=x.dtype)

    def take_along_axis(self, x: Array, indices: Array) -> Array:
        return torch.gather(x, -1, indices)  # where take_along_dim, exported, fixes the shape

    def copy(self, x: Array) -> Array:
        return x.clone()

    def exports(self, x: Array) -> bool:
        return not x.requires_grad

    def value_and_grad(
        self, fn: Callable[..., Array], arrays: Sequence[Array]
    ) -> tuple[Array, Sequence[Array]] | None:
        leaves = [a.detach().clone().requires_grad_() for a in arrays]
        value = fn(*leaves)
        found = torch.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True)
        return value.detach(), list(found)

    def compiled(self, fn: Callable[..., Any]) -> Callable[..., Any] | None:
        torch.compiler.reset()  # functions that share their code would share a limit of traces
        # The interpreter of the traced graph: what can fail is the trace, not the generated code.
        traced: Callable[..., Any] = torch.compile(fn, fullgraph=True, backend="aot_eager")
        return traced

    def forbid_hidden_work(self, device: Any) -> AbstractContextManager[Any] | None:
        return _no_synchronisation() if device.type == "cuda" else None


@contextmanager
def _no_synchronisation() -> Iterator[None]:
    cuda = torch.cuda
    before = cuda.get_sync_debug_mode()
    cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        cuda.set_sync_debug_mode(before)


backend = TorchBackend("torch")
