"""What is measured on a GPU besides time: peak memory, kernels a call, waiting for the device."""

import importlib
from collections.abc import Callable
from typing import Any

Measured = dict[str, Any]


def name(family: str) -> str:
    """The GPU's name."""
    if family == "cupy":
        properties = importlib.import_module("cupy").cuda.runtime.getDeviceProperties(0)
        return str(properties["name"].decode())
    return str(importlib.import_module("torch").cuda.get_device_name())


def measured(family: str, call: Callable[[], Any]) -> Measured:
    """Of a call that was made before, so that nothing is compiled or loaded any more."""
    return _cupy(call) if family == "cupy" else _torch(call)


def _torch(call: Callable[[], Any]) -> Measured:
    torch = importlib.import_module("torch")
    profiler = importlib.import_module("torch.profiler")
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    call()
    torch.cuda.synchronize()
    peak = torch.cuda.max_memory_allocated() - before
    with profiler.profile(activities=[profiler.ProfilerActivity.CUDA]) as profile:
        call()
        torch.cuda.synchronize()
    on_device = [e for e in profile.events() if e.device_type.name == "CUDA"]
    copies = sum(e.name.startswith(("Memcpy", "Memset")) for e in on_device)
    return {
        "peak_bytes": int(peak),
        "kernels": len(on_device) - copies,
        "copies_and_fills": copies,
        "waits": _waits(torch, call),
    }


def _waits(torch: Any, call: Callable[[], Any]) -> bool:
    """Whether a call waits for the device; such waits raise in this mode."""
    torch.cuda.set_sync_debug_mode("error")
    try:
        call()
    except RuntimeError as error:
        if "synchroniz" not in str(error):
            raise
        return True
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return False


def _cupy(call: Callable[[], Any]) -> Measured:
    """The pool has no record of its peak; what it had to obtain for a call is one."""
    cupy = importlib.import_module("cupy")
    pool = cupy.get_default_memory_pool()
    stream = cupy.cuda.get_current_stream()
    stream.synchronize()
    pool.free_all_blocks()
    before = pool.total_bytes()
    result = call()
    stream.synchronize()
    peak = pool.total_bytes() - before
    del result
    return {"peak_bytes": int(peak), "kernels": None, "copies_and_fills": None, "waits": None}
