"""What torch may not do where nothing may be waited for: copies to the host, and what needs one."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ._forbidden import Forbidden, Shared, left, read

_OF = "a torch.Tensor"
# C++ does not ask these for what it reads by itself, such as a tensor where a number may be.
_on_the_host = Forbidden(
    torch.Tensor,
    {
        "__array__": left("numpy.asarray, or what calls it,", _OF),
        "__dlpack__": left("__dlpack__()", _OF),
        "numpy": left("numpy()", _OF),
        "cpu": left("cpu()", _OF),
        "tolist": read("tolist()", _OF),
        "item": read("item()", _OF),
        "__bool__": read("bool(), which `if` and `and` call too,", _OF),
        "__float__": read("float()", _OF),
        "__int__": read("int()", _OF),
        "__complex__": read("complex()", _OF),
        "__index__": read("operator.index(), which range() calls too,", _OF),
        "__contains__": read("`in`", _OF),
        "is_nonzero": read("is_nonzero()", _OF),
        "equal": read("equal()", _OF),
        "allclose": read("allclose()", _OF),
    },
)


class _NoValuesRead(TorchDispatchMode):  # type: ignore[misc]  # which mypy does not see
    """Raises for an operation that reads values by itself, which no method of a tensor shows.

    On a GPU each of these waits for the device; here it is seen on any.
    """

    @classmethod
    def is_infra_mode(cls) -> bool:
        """Whether torch.compile compiles beneath it; beneath those of users it does not."""
        return True

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if _reads_values(func, args, kwargs):
            name = func.overloadpacket.__name__
            raise _on_the_host.refused(read(_CALLED.get(name, f"{name}()"), _OF))
        return func(*args, **kwargs)


_READING = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}
_CALLED = {
    "_linalg_check_errors": "a look for errors, as by linalg.inv(),",
    "_linalg_eigh": "linalg.eigh()",
    "_linalg_svd": "linalg.svd(), which other functions call too,",
    "_local_scalar_dense": "a number, which was wanted in place",
    "_unique2": "unique()",
    "index": "an index by a mask",
    "index_put": "setting elements by a mask",
    "index_put_": "setting elements by a mask",
    "linalg_eig": "linalg.eig()",
    "linalg_pinv": "linalg.pinv()",
}
# Which synchronize CUDA inputs with the CPU, as the documentation of torch.linalg has it of what
# calls them: inv, solve, cholesky, lu_factor; eigvalsh; eigvals; svdvals, matrix_rank; pinv.
_SYNCHRONIZING = {
    torch.ops.aten._linalg_check_errors,
    torch.ops.aten._linalg_eigh,
    torch.ops.aten._linalg_svd,
    torch.ops.aten.cholesky,
    torch.ops.aten.linalg_eig,
    torch.ops.aten.linalg_pinv,
}


def _reads_values(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    aten = torch.ops.aten
    if func is aten.index.Tensor:
        return _has_mask(args[1])
    if func.overloadpacket in (aten.index_put, aten.index_put_):
        # Of one value for all, torch makes a masked fill.
        return _has_mask(args[1]) and args[2].numel() != 1
    if func is aten.repeat_interleave.Tensor:
        return kwargs.get("output_size") is None
    return func.overloadpacket in _SYNCHRONIZING or not _READING.isdisjoint(func.tags)


def _has_mask(indices: Sequence[Any]) -> bool:
    return any(x is not None and x.dtype in (torch.bool, torch.uint8) for x in indices)


@contextmanager
def at_home(device: Any) -> Iterator[None]:
    """Context in which no value of a tensor is read, and no CUDA device waited for."""
    # A table of methods that torch makes once, which is to have those that are not forbidden.
    torch.overrides.get_overridable_functions()
    waiting = _no_synchronisation() if device.type == "cuda" else nullcontext()
    with _on_the_host(), _NoValuesRead(), waiting:
        yield


@contextmanager
def _errors() -> Iterator[None]:
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    yield
    torch.cuda.set_sync_debug_mode(before)


_no_synchronisation = Shared(_errors)
