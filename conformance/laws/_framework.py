"""Laws about the framework: results stay at home, inputs are left alone, nothing is hidden."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

import agnostic_mask as am

from .._environments import Environment
from ..cases import Case
from ._law import Run, ViolationError, law, same_bits, within


@law("home")
def result_stays_home(run: Run) -> None:
    """The result has the inputs' framework and device, and the dtype that the rules say."""
    _, arrays, _ = run.inputs()
    result = run.case.call(arrays)
    given, got = am.dispatch(*arrays.values()), am.dispatch(result)
    if got.xp is not given.xp or type(result) is not type(next(iter(arrays.values()))):
        raise ViolationError(
            f"the result is a {type(result)}; expected an array of {given.xp.__name__}"
        )
    if got.device != given.device:
        raise ViolationError(f"the result is on device {got.device}; expected {given.device}")
    expected = _expected_dtype(run, given)
    if result.dtype != expected:
        raise ViolationError(f"the result has dtype {result.dtype}; expected {expected}")


def _expected_dtype(run: Run, given: am.Dispatch) -> Any:
    xp = given.xp
    name = run.case.result_dtype(run.dtype)
    if name == "default":
        return xp.__array_namespace_info__().default_dtypes(device=given.device)["real floating"]
    narrow = {"int64": "int32", "float64": "float32"}
    if name in narrow and not run.env.knowledge.has_dtype(xp, run.env.device, name):
        name = narrow[name]
    return getattr(xp, name)


@law("untouched")
def inputs_are_untouched(run: Run) -> None:
    """No input is written to."""
    _, arrays, before = run.inputs()
    run.call(arrays)
    for name, after in run.exact(arrays).items():
        same_bits(after, before[name], f"after the call, {name}")


def _has_hidden_work(case: Case, env: Environment, dtype: str) -> str | None:
    if env.knowledge.forbid_hidden_work(env.device) is None:
        return "arrays are eager and in host memory: there is nothing to hide"
    return None


@law("nothing hidden", _has_hidden_work)
def nothing_is_hidden(run: Run) -> float:
    """No lazy array is computed and no device is waited for until the result is asked for."""
    _, arrays, exact = run.inputs()
    context = run.env.knowledge.forbid_hidden_work(run.env.device)
    assert context is not None
    with context:
        try:
            result = run.case.call(arrays)
        except RuntimeError as error:
            raise ViolationError(f"hidden work: {error}") from error
    return within(run.env.host(result), run.reference(exact), "the result")


def _compiles(case: Case, env: Environment, dtype: str) -> str | None:
    if env.knowledge.compiled(lambda: None) is None:
        return "the framework has no compiler of whole functions"
    if dtype != "float32":
        return "a trace takes the same path for every float type; float32 is traced"
    return None


@law("compiled", _compiles)
def compiled_is_eager(run: Run) -> float:
    """Compiled as a whole, without a fall back, the result is within its bound too."""
    _, arrays, exact = run.inputs()
    names = list(arrays)

    def positional(*values: am.Array) -> am.Array:
        return run.case.call(dict(zip(names, values, strict=True)))

    compiled = run.env.knowledge.compiled(positional)
    assert compiled is not None
    result = run.env.host(compiled(*arrays.values()))
    return within(result, run.reference(exact), "the compiled result")


def _has_layouts(case: Case, env: Environment, dtype: str) -> str | None:
    if env.backend in ("jax", "dask"):
        return "the framework does not expose memory layouts"
    return None


@law("layouts", _has_layouts)
def layouts_do_not_matter(run: Run) -> float:
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
    for inputs in layouts:
        worst = max(worst, within(run.call(inputs), run.reference(exact), "in another layout it"))
    return worst


def _transposed(xp: Any, x: am.Array) -> am.Array:
    order = tuple(reversed(range(len(x.shape))))
    # The copy of the transpose lies the other way round in memory.
    copy = xp.asarray(xp.permute_dims(x, order), copy=True)
    return xp.permute_dims(copy, order)


def _reversed(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {n: np.flip(np.ascontiguousarray(np.flip(x))) for n, x in arrays.items()}


def _read_only(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    copies = {n: x.copy() for n, x in arrays.items()}
    for x in copies.values():
        x.flags.writeable = False
    return copies


def _big_endian(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {n: x.astype(x.dtype.newbyteorder(">")) for n, x in arrays.items()}


@law("threads")
def threads_do_not_matter(run: Run) -> None:
    """Calls from four threads at once give the same bits as a call alone."""
    _, arrays, _ = run.inputs()
    alone = run.call(arrays)

    def call(_: int) -> np.ndarray:
        with run.env.scope(run.dtype):
            return run.call(arrays)

    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(call, range(4)):
            same_bits(result, alone, "a call beside others")
