"""Calls of the package under torch.compile, each the first call of its process.

What a first call does once (reading entry points, importing a backend, filling tables) must
work inside a trace, so every call needs a process in which nothing of the package was called.
Run as a script: without an argument every call is compiled for "aot_eager", in a fork of this
process, which has got the compiler going and imported the package without calling it. With
"inductor" or "export" and the name of a call, that call alone is compiled by the default compiler,
which does not survive a fork, or exported, in this process.
"""

import json
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent))

from calls import CALLS, FIRST_CALLS, STATEFUL, Call

import agnostic_mask as am

BATCH = next(c for c in CALLS if c.name == "objective mean mask (4, 3) weights (4,)")


def tensors(call: Call) -> list[torch.Tensor]:
    """Arguments of a call."""
    return [torch.tensor(x) for x in call.arrays.values()]


def leaves(result: Any) -> list[Any]:
    """What a result consists of: arrays, and of a state what is static."""
    if isinstance(result, am.Tally):
        return [result.reduction, result.dtype, list(result.arrays()), *result.arrays().values()]
    return [result]


def check_equal(compiled: Any, eager: Any, tolerance: float) -> None:
    """Raise unless two results are of the same classes, dtypes, shapes and values."""
    pairs = list(zip(leaves(compiled), leaves(eager), strict=True))
    for ours, theirs in pairs:
        if isinstance(theirs, torch.Tensor):
            torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=0, equal_nan=True)
        elif ours != theirs:
            raise AssertionError(f"{ours} is not {theirs}")


def compiles(fn: Callable[..., Any], arguments: list[Any], backend: str = "aot_eager") -> None:
    """Raise unless `fn` compiles whole, as the first call, and equals the eager result."""
    compiled = torch.compile(fn, fullgraph=True, backend=backend)(*arguments)
    check_equal(compiled, fn(*arguments), 0.0 if backend == "aot_eager" else 1e-6)


def trials() -> Iterator[tuple[str, Callable[[], None]]]:
    """Names, and what to try under each."""
    for call in FIRST_CALLS:
        yield call.name, lambda c=call: compiles(c.fn, tensors(c))
    batch = tensors(BATCH)
    for reduction in STATEFUL:
        objective = am.weighted_masked_objective(am.losses.squared_error, reduction=reduction)

        def first_state(*arrays: Any, o: Any = objective) -> Any:
            return o.update(o.zero(like=arrays[1]), *arrays)

        def verbs(o: Any = objective, first: Any = first_state) -> None:
            state = first(*batch)
            compiles(o.update, [state, *batch])
            compiles(o.merge, [state, state])
            compiles(o.compute, [state])
            compiles(lambda s: o.zero(like=s), [state])

        yield f"{reduction}: the callable itself", lambda o=objective: compiles(o, batch)
        yield f"{reduction}: a state out", lambda f=first_state: compiles(f, batch)
        yield f"{reduction}: states in and out", verbs


def outcome(trial: Callable[[], None]) -> str:
    """Run `trial` in a fork of this process: an empty string, or what went wrong."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        problem = ""
        try:
            trial()
        except BaseException:  # it is reported, whatever it is
            problem = traceback.format_exc()
        os.write(writer, problem[-4000:].encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        problem = pipe.read().decode(errors="replace")
    _, status = os.waitpid(child, 0)
    return problem or (f"the process ended with status {status}" if status else "")


def by_inductor(call: Call) -> None:
    """Raise unless the call compiles by torch's default compiler, as the first call."""
    # That compiler imports torch.utils.mkldnn, which uses what torch itself has deprecated.
    warnings.filterwarnings("ignore", "`torch.jit.script_method` is deprecated")
    compiles(call.fn, tensors(call), "inductor")


def by_export(call: Call) -> None:
    """Raise unless the call is exported strictly, without a side effect, as the first call."""

    class Module(torch.nn.Module):
        def forward(self, *arrays: Any) -> Any:
            return call.fn(*arrays)

    exported = torch.export.export(Module(), tuple(tensors(call)), strict=True)
    check_equal(exported.module()(*tensors(call)), call.fn(*tensors(call)), 1e-6)


if __name__ == "__main__":
    if sys.argv[1:]:
        how, name = sys.argv[1:]
        alone = {"inductor": by_inductor, "export": by_export}[how]
        alone(next(c for c in CALLS if c.name == name))
    else:
        torch.compile(torch.neg, fullgraph=True, backend="aot_eager")(torch.ones(2))
        print(json.dumps({name: outcome(trial) for name, trial in trials()}))
