"""Laws about the framework: results stay at home, inputs are left alone, nothing is hidden."""

import sys
import sysconfig
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import FrameType
from typing import Any

import numpy as np

import agnostic_mask as am

from .._case import Case
from .._environments import Environment
from ._law import law, same_bits, within
from ._one_run import NARROW, Run, ViolationError, by_position

THREADS = 4


@law
def stays_home(run: Run) -> None:
    """The result is an array of the inputs' framework, on their device."""
    first = run.first()
    arrays, result = first.arrays, first.result
    given = am.dispatch(*arrays.values())
    scalar = run.case.numpy_scalars and isinstance(result, np.generic)
    if not scalar and type(result) is not type(next(iter(arrays.values()))):
        raise ViolationError(
            f"the result is a {_class(result)}; expected an array of {given.xp.__name__}"
        )
    got = am.dispatch(np.asarray(result) if scalar else result)
    if got.xp is not given.xp:
        raise ViolationError(f"the result is of {got.xp.__name__}; expected {given.xp.__name__}")
    if got.device != given.device:
        raise ViolationError(f"the result is on device {got.device}; expected {given.device}")


@law
def dtype_kept(run: Run) -> None:
    """The result has the dtype of the floating inputs, or the one that the case names."""
    first = run.first()
    result = first.result
    expected = _expected_dtype(run, am.dispatch(*first.arrays.values()))
    if not hasattr(result, "dtype"):
        raise ViolationError(
            f"the result is a {type(result).__name__}, which has no dtype; expected an array of "
            f"{_name(expected)}"
        )
    if result.dtype != expected and not _is_narrowed(run, _name(result.dtype)):
        names = _name(result.dtype), _name(expected)
        if names[0] == names[1]:  # of two frameworks
            names = str(result.dtype), str(expected)
        raise ViolationError(f"the result has dtype {names[0]}; expected {names[1]}")


def _name(dtype: Any) -> str:
    return str(getattr(dtype, "__name__", dtype)).rpartition(".")[2]


def _is_narrowed(run: Run, got: str) -> bool:
    """Whether a function that asks for no wide types has what stands for its dtype here."""
    name = run.case.result_dtype(run.dtype)
    info = run.env.knowledge.namespace().__array_namespace_info__()
    missing = name in NARROW and name not in info.dtypes(device=run.env.device)
    return run.case.numpy_scalars and missing and got == NARROW[name]


def _class(x: Any) -> str:
    return f"{type(x).__module__}.{type(x).__qualname__}".removeprefix("builtins.")


def _expected_dtype(run: Run, given: am.Dispatch) -> Any:
    xp = given.xp
    name = run.result_dtype()
    if name in NARROW and not run.env.knowledge.has_dtype(xp, run.env.device, name):
        name = NARROW[name]
    return getattr(xp, name)


@law
def inputs_untouched(run: Run) -> None:
    """No input is written to."""
    first = run.first()
    first.host()  # for which lazy arrays are read
    for name, after in run.exact(first.arrays).items():
        same_bits(after, first.exact[name], f"the call left {run.case.called(name)} changed: it")


def _has_hidden_work(case: Case, env: Environment, dtype: str) -> str | None:
    if env.knowledge.forbid_hidden_work(env.device) is None:
        return "there is nothing to hide: arrays are in the host's memory"
    return None


@law(objection=_has_hidden_work)
def nothing_hidden(run: Run) -> float:
    """No array is computed, waited for or copied to the host before the result is asked for."""
    _, arrays, exact = run.inputs()
    context = run.env.knowledge.forbid_hidden_work(run.env.device)
    assert context is not None
    hidden: RuntimeError | None = None
    try:
        with context:  # which also raises what the function itself caught
            result = run.case.call(arrays)
    except RuntimeError as error:
        hidden = error
    if hidden is not None:
        run.case.call(run.inputs()[1])  # which raises too if it is for another reason
        raise ViolationError(f"hidden work: {hidden}") from hidden
    return within(run.case.on_host(run.env, result), run.expected(exact, arrays), "the result")


def _has_no_compiler(case: Case, env: Environment, dtype: str) -> str | None:
    if env.knowledge.compiled(lambda: None) is None:
        return "the framework has no compiler of whole functions"
    if dtype != "float32":
        return "a trace takes the same path for every float type; float32 is traced"
    return None


@law(objection=_has_no_compiler)
def compiles(run: Run) -> float:
    """Compiled as a whole, without a fall back, the result is within its bound too."""
    _, arrays, exact = run.inputs()
    compiled = run.env.knowledge.compiled(by_position(run.case.call, list(arrays)))
    assert compiled is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a compiler thinks of the code is no violation
        result = run.case.on_host(run.env, compiled(*arrays.values()))
    return within(result, run.expected(exact, arrays), "the compiled result")


def _has_layouts(case: Case, env: Environment, dtype: str) -> str | None:
    if env.backend in ("jax", "dask"):
        return "the framework does not expose memory layouts"
    return None


@law(objection=_has_layouts)
def layout_invariant(run: Run) -> float:
    """Transposed, strided, reversed, and in NumPy read-only and big-endian inputs serve as well."""
    _, arrays, exact = run.inputs()
    xp, worst = run.env.knowledge.namespace(), 0.0
    layouts: list[dict[str, Any]] = [
        {n: _transposed(xp, x) for n, x in arrays.items()},
        {n: xp.stack([x, x], axis=-1)[..., 0] for n, x in arrays.items()},
        {n: xp.flip(xp.flip(x)) if x.shape else x for n, x in arrays.items()},
    ]
    if run.env.backend == "numpy":
        layouts += [_reversed(arrays), _read_only(arrays), _big_endian(arrays)]
    expected = run.expected(exact, arrays)
    for inputs in layouts:
        worst = max(worst, within(run.call(inputs, WHAT), expected, WHAT))
    return worst


WHAT = "of inputs in another layout the result"


def _transposed(xp: Any, x: am.Array) -> am.Array:
    order = tuple(reversed(range(len(x.shape))))
    transpose = xp.permute_dims(x, order)
    # Laid out by one axis, and again, it lies the other way round in memory; a copy would not.
    copy = xp.reshape(xp.reshape(transpose, (-1,)), transpose.shape)
    return xp.permute_dims(copy, order)


def _reversed(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {n: np.flip(np.flip(x).copy()) if x.ndim else x for n, x in arrays.items()}


def _read_only(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    copies = {n: x.copy() for n, x in arrays.items()}
    for x in copies.values():
        x.flags.writeable = False
    return copies


def _big_endian(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {n: x.astype(x.dtype.newbyteorder(">")) for n, x in arrays.items()}


def _shares_no_more(case: Case, env: Environment, dtype: str) -> str | None:
    # Somebody else's function may keep a place for one float type alone.
    if case.floating and dtype != "float32" and not case.by_itself:
        return "threads share the same for every float type; float32 is tried"
    return None


@law(objection=_shares_no_more)
def thread_safe(run: Run) -> None:
    """Calls from several threads at once give the same bits as a call alone."""
    threads = 2 if run.env.makes_graphs else THREADS  # whose tasks take long to compute
    # Inputs of their own, for a place that all of them use shows by the values of another call.
    seeds = range(run.seed, run.seed + threads)
    alone = [replace(run, seed=seed).first() for seed in seeds]
    expected = [first.host() for first in alone]
    together = threading.Barrier(threads)

    def call(i: int) -> np.ndarray:
        with run.env.scope(run.dtype), _in_step(run.case, together):
            return run.call(alone[i].arrays)

    with ThreadPoolExecutor(threads) as pool:
        for result, bits in zip(pool.map(call, range(threads)), expected, strict=True):
            same_bits(result, bits, "a call beside others")


# Of libraries, and of code that was made: a thread that waits there may hold what others need.
FOREIGN = (*(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")), "<")
LINES = 100
PATIENCE = 1.0


@contextmanager
def _in_step(case: Case, together: threading.Barrier) -> Iterator[None]:
    """Go through the first lines of the code under test in step with the other threads.

    Short calls would else come one after another. Where threads part, each goes on by itself.
    """
    own, lines = case.home(), 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal lines
        file = frame.f_code.co_filename
        if not file.startswith(own) and file.startswith(FOREIGN):
            return None
        lines += 1
        if lines > LINES:
            sys.settrace(before)  # for to be asked of every call takes long
            return None
        with suppress(threading.BrokenBarrierError):
            together.wait(PATIENCE)
        return trace

    with suppress(threading.BrokenBarrierError):
        together.wait(PATIENCE)
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)
        together.abort()
