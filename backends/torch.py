"""PyTorch: tensors on the CPU, CUDA, MPS and other devices."""

import operator
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache, partial
from importlib import import_module
from math import inf
from threading import Lock, Thread
from types import FunctionType
from typing import Any

import array_api_compat.torch as xp
import torch
from torch.autograd import forward_ad
from torch.utils import _pytree

from agnostic_mask import Array, Backend

from ._torch_at_home import at_home

# Floats as integers of their size: of these `&` keeps all bits, or none, without a branch.
_BITS = {torch.float32: torch.int32, torch.float64: torch.int64}


_PLAIN = (torch.Tensor, torch.nn.Parameter)

_SHORT = 2**13
"""Elements up to which it is calls that cost, and not what they do."""

# Held while a thread of ours is told to be the only one for its operations.
_beginning = Lock()


@cache
def _has_openmp() -> bool:
    return "parallel backend: OpenMP" in torch.__config__.parallel_info()


def _is_transformed() -> bool:
    """Whether the caller is within one of torch.func's transforms, which `requires_grad` hides."""
    within = torch._C._functorch.peek_interpreter_stack() is not None
    return within or forward_ad._current_level >= 0


_is_transformed._dynamo_marked_constant = True  # type: ignore[attr-defined]


def _is_watched(x: Array, gradients: bool) -> bool:
    return type(x) not in _PLAIN or x.is_meta or (gradients and x.requires_grad)


def _cleared(x: Array, include: Array) -> Array:
    bits = _BITS[x.dtype]
    return (x.view(bits) & include.to(bits).neg_()).view(x.dtype)


def _both(a: Array, b: Array) -> Array:
    # The loop over booleans that are broadcast takes ten times that over integers.
    return (a.view(torch.uint8) & b.view(torch.uint8)).view(torch.bool)


_as_bool: Callable[[Array], Array] = torch.Tensor.bool


def _ratio(numerator: Array, denominator: Array) -> Array:
    return torch.where(denominator.bool(), numerator / denominator, torch.nan)


class TorchBackend(Backend):
    """Eager tensors with automatic differentiation, and a compiler that traces Python."""

    # A megabyte of float32, so that a few temporaries stay in a cache.
    tile_elements = 2**18
    shares_operations = True
    fuses_batches = True

    def namespace(self) -> Any:
        return xp

    def devices(self) -> Sequence[Any]:
        found = [torch.device("cpu")]
        found += [torch.device("cuda", i) for i in range(torch.cuda.device_count())]
        if torch.backends.mps.is_available():
            found.append(torch.device("mps", 0))
        return found

    def array_types(self) -> Sequence[type]:
        return _PLAIN

    def refuse(self, x: Array) -> str | None:
        if x.is_nested:
            return "a nested tensor; pad it, torch.nested.to_padded_tensor(x, 0.0), and pass a mask"
        if x.layout is not torch.strided:
            return f"a tensor of layout {x.layout}; pass x.to_dense()"
        return None

    def begin_thread(self, x: Array) -> Callable[[], None] | None:
        if x.device.type != "cpu" or not _has_openmp():
            return None
        modes = torch._C._len_torch_function_stack() or torch.is_autocast_enabled("cpu")
        if modes or torch.is_inference_mode_enabled():
            return None  # of the caller's thread, which others would not be in
        gradients, several = torch.is_grad_enabled(), torch.get_num_threads()

        def begin() -> None:
            torch.set_grad_enabled(gradients)
            # Operations on a tile are too short to be shared by several threads: where one of these
            # has to wait for a processor, all wait. OpenMP has this number for each thread, torch
            # one besides for threads to come, which is put right again at once.
            with _beginning:
                torch.get_num_threads()
                torch.set_num_threads(1)
                others = Thread(target=torch.set_num_threads, args=(several,))
                others.start()
                others.join()

        return begin

    def signature(self, x: Array) -> Any:
        if type(x) not in _PLAIN or torch.compiler.is_compiling():
            return None
        return None if x.is_nested else (x.dtype, x.device, x.layout)

    def likeness(self, arrays: Iterable[Array | None]) -> tuple[Any, ...] | None:
        if self.tracing():
            return None
        gradients = torch.is_grad_enabled()
        key: list[Any] = [torch.get_default_dtype()]  # that of floats which are made of integers
        for x in arrays:
            if x is None:
                key.append(None)
            elif _is_watched(x, gradients) or x.is_nested or x.layout is not torch.strided:
                return None
            else:
                key += (x.dtype, x.device, x.shape)
        return tuple(key)

    def has_dtype(self, xp: Any, device: Any, dtype: str) -> bool:
        return dtype != "float64" or device.type != "mps"

    def tile_rows(self, x: Array, row: int) -> int | None:
        if torch.compiler.is_compiling():
            return None  # before sizes are compared, of which a trace would take note
        if x.device.type == "cpu":
            return super().tile_rows(x, row)
        return max(1, self.large_tile_elements // max(1, row))

    def unwatched(self, *arrays: Array) -> bool:
        if self.tracing():
            return False
        gradients = torch.is_grad_enabled()
        return not any(_is_watched(x, gradients) for x in arrays)

    def settled(
        self, name: str, x: Array, *args: Any, **kwargs: Any
    ) -> Callable[..., Array] | None:
        if x.device.type != "cpu":
            return None
        short, floating = x.numel() <= _SHORT, x.dtype in _BITS
        if name == "zeroed" and floating:
            zero = x.new_zeros(())
            return (lambda x, include: torch.where(include, x, zero)) if short else _cleared
        if name == "both":
            return operator.and_ if x.shape == args[0].shape or short else _both
        if name == "operator.ne" and floating and short and type(args[0]) is int and not args[0]:
            return _as_bool
        if name in ("count", "sum") and args[0] is None and not kwargs["keepdims"] and short:
            if name == "sum":
                return torch.sum if x.dtype == args[1] else partial(torch.sum, dtype=args[1])
            return torch.count_nonzero if args[1] == torch.int64 else None
        if name == "ratio" and not x.shape and not args[0].shape:
            return _ratio
        if name == "xp.astype" and not kwargs:
            return partial(torch.Tensor.to, dtype=args[0])
        return None

    def zeroed(self, x: Array, include: Array) -> Array:
        bits = _BITS.get(x.dtype)
        if bits is None or x.device.type != "cpu" or not self.unwatched(x, include):
            return torch.where(include, x, 0)
        return _cleared(x, include)

    def both(self, a: Array, b: Array) -> Array:
        if a.shape == b.shape or a.device.type != "cpu" or not self.unwatched(a, b):
            return a & b
        return _both(a, b)

    def clipped(self, x: Array, low: float, high: float) -> Array:
        return torch.clamp(x, low, None if high == inf else high)

    def guarded(self, x: Array, include: Array) -> Array | None:
        compiler = torch.compiler
        if not compiler.is_compiling() or compiler.is_exporting() or _is_transformed():
            return None  # what is exported may be differentiated later
        return None if torch.is_grad_enabled() and x.requires_grad else x

    def tracing(self) -> bool:
        return bool(
            torch.compiler.is_compiling()
            or torch._C._len_torch_dispatch_stack()
            or torch.jit.is_tracing()
            or _is_transformed()
        )

    def fused(
        self, made_with: Callable[[Callable[..., Any]], Callable[..., Any]], scores: Any
    ) -> Callable[..., Any] | None:
        fn: Any = made_with(scores)
        # The number of traces of a code is limited, so it gets a code of its own.
        own = FunctionType(fn.__code__.replace(), fn.__globals__, fn.__name__, None, fn.__closure__)
        traced: Callable[..., Any] = torch.compile(own, fullgraph=True)
        return traced

    def trusted(self, scored: Callable[[], tuple[Array, ...]]) -> tuple[Array, ...] | None:
        found = scored()
        # A parameter of the score function's own may want a gradient.
        return None if any(x.requires_grad for x in found) else found

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

    def count(self, x: Array, axis: tuple[int, ...] | None, dtype: Any, *, keepdims: bool) -> Array:
        if torch.compiler.is_compiling() and x.device.type != "mps":
            # Of sums in int64 the compiler makes code that takes as long as all the rest; how many
            # elements there are may not be known here.
            found = xp.sum(x.float(), axis=axis, dtype=torch.float64, keepdims=keepdims)
        else:
            few = x.numel() < 2**31  # in 32 bits four times as fast, or more
            found = xp.sum(x, axis=axis, dtype=torch.int32 if few else dtype, keepdims=keepdims)
        return found.to(dtype)

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
        if not value.requires_grad:  # piecewise constant, or detached
            return value, [torch.zeros_like(a) for a in arrays]
        found = torch.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True)
        return value.detach(), list(found)

    def compiled(self, fn: Callable[..., Any]) -> Callable[..., Any] | None:
        _load_lazy_modules()
        torch.compiler.reset()  # functions that share their code would share a limit of traces
        # The interpreter of the traced graph: what can fail is the trace, not the generated code.
        traced: Callable[..., Any] = torch.compile(fn, fullgraph=True, backend="aot_eager")
        return traced

    def forbid_hidden_work(self, device: Any) -> AbstractContextManager[Any] | None:
        return at_home(device)

    def outline(
        self, fn: Callable[..., Any], arrays: Sequence[Array]
    ) -> Sequence[tuple[tuple[int | None, ...], str]] | None:
        result = fn(*(x.to("meta") for x in arrays))
        leaves = _pytree.tree_leaves(result)
        for x in leaves:
            if not x.is_meta:
                raise RuntimeError(
                    f"a result is on {x.device} where the inputs are on the device meta; make "
                    f"arrays with device="
                )
        return [(tuple(x.shape), str(x.dtype).removeprefix("torch.")) for x in leaves]

    def settings(self) -> Mapping[str, Callable[[], AbstractContextManager[Any]]]:
        return {"default float64": _default_float64}


def _load_lazy_modules() -> None:
    # A trace of code that asks for sys.modules, as array_api_compat does, goes through all of them;
    # one that loads itself when it is looked at, as cupy.testing does, then adds others.
    for module in list(sys.modules.values()):
        with suppress(Exception):  # of a module that cannot be loaded, which is not asked for
            vars(module)


@contextmanager
def _default_float64() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


backend = TorchBackend("torch")
