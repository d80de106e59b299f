"""CuPy: arrays on an NVIDIA or AMD GPU."""

import ast
import inspect
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from inspect import Parameter
from typing import Any

import array_api_compat.cupy as xp
import cupy
import cupyx

from agnostic_mask import Array, Backend, Probe


class CupyBackend(Backend):
    """Eager arrays on a GPU; importing it succeeds without one, so a probe allocates."""

    tile_elements = Backend.large_tile_elements

    def namespace(self) -> Any:
        return xp

    def probe(self) -> Probe:
        try:
            float(cupy.ones(1).sum())
        except Exception as error:  # whatever the CUDA runtime says is the answer
            reason = f"{type(error).__name__}: {error}"
            return Probe(self.name, False, cupy.__version__, reason=reason)
        return super().probe()

    def devices(self) -> Sequence[Any]:
        return [cupy.cuda.Device(i) for i in range(cupy.cuda.runtime.getDeviceCount())]

    def array_types(self) -> Sequence[type]:
        return (cupy.ndarray,)

    def device(self, x: Array) -> Any:
        return x.device

    def signature(self, x: Array) -> Any:
        return (x.dtype, x.device.id)

    def unwatched(self, *arrays: Array) -> bool:
        return True

    def fused(
        self, made_with: Callable[[Callable[..., Any]], Callable[..., Any]], scores: Any
    ) -> Callable[..., Any] | None:
        return made_with(FusedScores(scores))

    def has_dtype(self, xp: Any, device: Any, dtype: str) -> bool:
        return True

    def clipped(self, x: Array, low: float, high: float) -> Array:
        where = _NAMESPACE.where if isinstance(x, Traced) else xp.where
        return where(x < low, low, where(x > high, high, x))

    def sum_by_label(self, labels: Array, n: int, values: Array | None = None) -> Array:
        # cupy.bincount waits for the device, to learn the greatest label.
        if values is None or values.dtype == cupy.int64:
            # There is no atomic addition of int64, and that of uint64 has the same bits.
            sums = cupy.zeros(n, cupy.uint64)
            cupyx.scatter_add(sums, labels, 1 if values is None else values.view(cupy.uint64))
            return sums.view(cupy.int64)
        sums = cupy.zeros(n, values.dtype)
        cupyx.scatter_add(sums, labels, values)
        return sums

    def extreme_by_label(
        self, labels: Array, n: int, values: Array, which: str, nothing: Any
    ) -> Array:
        scatter = cupyx.scatter_min if which == "min" else cupyx.scatter_max
        found = cupy.full(n, nothing, values.dtype)
        if values.dtype.kind == "f" or values.dtype == cupy.uint64:
            scatter(found, labels, values)
            return found
        # There are no atomic extremes of other integers; with the bit of the sign flipped those
        # of uint64 have the same order.
        sign = cupy.uint64(2**63)
        bits = found.astype(cupy.int64).view(cupy.uint64) ^ sign
        scatter(bits, labels, values.astype(cupy.int64).view(cupy.uint64) ^ sign)
        return (bits ^ sign).view(cupy.int64).astype(values.dtype)

    def host(self, x: Array) -> Any:
        return x.get()

    def forbid_hidden_work(self, device: Any) -> AbstractContextManager[Any] | None:
        return _no_synchronisation()

    def signature_of(self, fn: Callable[..., Any]) -> inspect.Signature | None:
        if isinstance(fn, cupy.ufunc):
            return _signature_of_ufunc(fn)
        found = super().signature_of(fn)
        return _documented(fn.__doc__ or "") if found is None else found


def _signature_of_ufunc(fn: Any) -> inspect.Signature:
    given = [Parameter(f"x{i}", Parameter.POSITIONAL_ONLY) for i in range(1, fn.nin + 1)]
    options = ["out", "dtype", "casting"]
    by_position = [f"out{i}" for i in range(1, fn.nout + 1)] if fn.nout > 1 else [options.pop(0)]
    kind = Parameter.POSITIONAL_ONLY if fn.nout > 1 else Parameter.POSITIONAL_OR_KEYWORD
    results = [Parameter(name, kind, default=None) for name in by_position]
    named = [Parameter(name, Parameter.KEYWORD_ONLY, default=None) for name in options]
    return inspect.Signature([*given, *results, *named])


def _documented(doc: str) -> inspect.Signature | None:
    """What Cython writes into the first line of a docstring: ``Class.sort(self, int axis=-1)``."""
    head = re.match(r"[\w.]+\((.*)\)(?: -> \w+)?$", doc.partition("\n")[0])
    if head is None:
        return None
    plain = re.sub(r"\w+ (?=\w)", "", head[1])  # without types
    try:
        function = ast.parse(f"def f({plain}): ...").body[0]
    except SyntaxError:
        return None
    assert isinstance(function, ast.FunctionDef)
    spec = function.args
    least = len(spec.args) - len(spec.defaults)
    found = [
        Parameter(
            x.arg,
            Parameter.POSITIONAL_OR_KEYWORD,
            default=Parameter.empty if i < least else None,
        )
        for i, x in enumerate(spec.args)
    ]
    if spec.vararg is not None:
        found.append(Parameter(spec.vararg.arg, Parameter.VAR_POSITIONAL))
    for x, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
        wanted = Parameter.empty if default is None else None
        found.append(Parameter(x.arg, Parameter.KEYWORD_ONLY, default=wanted))
    if spec.kwarg is not None:
        found.append(Parameter(spec.kwarg.arg, Parameter.VAR_KEYWORD))
    return inspect.Signature(found)


@contextmanager
def _no_synchronisation() -> Iterator[None]:
    with cupyx.allow_synchronize(False):
        yield


class FusedScores:
    """A score function of elements, as one kernel by `cupy.fuse`.

    Raises
    ------
    NotImplementedError
        When it is called, if it does more than compute with elements.
    """

    def __init__(self, scores: Callable[..., Any]) -> None:
        self._scores = scores
        self._kernels: dict[tuple[Any, ...], Callable[..., Any]] = {}

    def __call__(self, y_true: Array, y_pred: Array) -> Any:
        shape = y_pred.shape
        if y_true.shape != shape:
            raise NotImplementedError("cupy.fuse traces functions of elements, not of rows")
        key = (shape, y_pred.device.id)
        if key not in self._kernels:
            if len(self._kernels) >= _MANY:
                self._kernels.clear()
            # Of one source CuPy compiles one kernel, so that another shape costs a trace alone.
            self._kernels[key] = cupy.fuse(kernel_name="agnostic_mask_scores")(
                partial(traced, self._scores, shape, y_pred.device)
            )
        return self._kernels[key](y_true, y_pred)


_MANY = 256
"""Shapes, after which the traces of those that came before are forgotten."""


def traced(scores: Callable[..., Any], shape: tuple[int, ...], device: Any, *given: Any) -> Any:
    """What a score function makes of the placeholders of `cupy.fuse`, which have no shape."""
    found = scores(*(Traced(x, shape, device) for x in given))
    return tuple(map(_bare, found)) if isinstance(found, tuple) else _bare(found)


class Traced:
    """A placeholder of `cupy.fuse`, with what a score function asks of an array besides."""

    def __init__(self, bare: Any, shape: tuple[int, ...], device: Any) -> None:
        self.bare, self.shape, self.device = bare, shape, device
        self.dtype, self.ndim = bare.dtype, len(shape)

    def __bool__(self) -> bool:
        raise TypeError("a placeholder of cupy.fuse has no value that could be true or false")

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return _NAMESPACE


def _bare(x: Any) -> Any:
    return x.bare if isinstance(x, Traced) else x


def _applied(fn: Callable[..., Any], *args: Any) -> Traced:
    like = next(x for x in args if isinstance(x, Traced))
    return Traced(fn(*map(_bare, args)), like.shape, like.device)


def _operator(fn: Callable[..., Any], *, swapped: bool = False) -> Callable[..., Traced]:
    def method(self: Traced, *others: Any) -> Traced:
        return _applied(fn, *others, self) if swapped else _applied(fn, self, *others)

    return method


for _name in ("neg", "invert", "lt", "le", "eq", "ne", "gt", "ge"):
    setattr(Traced, f"__{_name}__", _operator(getattr(operator, f"__{_name}__")))
Traced.__abs__ = _operator(cupy.absolute)  # type: ignore[attr-defined]
for _name, _fn in {
    "add": cupy.add,
    "sub": cupy.subtract,
    "mul": cupy.multiply,
    "truediv": cupy.true_divide,
    "floordiv": cupy.floor_divide,
    "mod": cupy.remainder,
    "pow": cupy.power,
    "and": cupy.bitwise_and,
    "or": cupy.bitwise_or,
    "xor": cupy.bitwise_xor,
}.items():
    setattr(Traced, f"__{_name}__", _operator(_fn))
    setattr(Traced, f"__r{_name}__", _operator(_fn, swapped=True))


class _Namespace:
    """Functions of elements, of placeholders; all else as it is."""

    __name__ = xp.__name__

    def asarray(self, x: float, *, dtype: Any, device: Any = None) -> Any:
        return cupy.dtype(dtype).type(x)  # a constant of the kernel

    def __getattr__(self, name: str) -> Any:
        found = getattr(xp, name)
        if isinstance(found, type) or not callable(found):
            return found

        def function(*args: Any, **options: Any) -> Any:
            if not any(isinstance(x, Traced) for x in (*args, *options.values())):
                return found(*args, **options)
            if not isinstance(found, cupy.ufunc) and name not in ("where", "astype"):
                raise NotImplementedError(f"cupy.fuse traces functions of elements, not {name}")
            return _applied(partial(found, **options), *args)

        return function


_NAMESPACE = _Namespace()

backend = CupyBackend("cupy")
