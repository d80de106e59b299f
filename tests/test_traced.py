import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import dask
import dask.array
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import agnostic_mask as am
from agnostic_mask import _registry
from agnostic_mask.conformance.cases import NOT_NUMERIC

from .calls import CALLS, CLASS_AXIS, FIRST_CALLS, STATEFUL, Call, stacked, with_seed

HERE = Path(__file__).parent
BATCH = next(c for c in CALLS if c.name == "objective mean mask (4, 3) weights (4,)")
WIDE = {"f": np.float64, "i": np.int64}
NO_ARRAYS_GO_IN = {"available_backends", "scores", "dispatch"}
NO_METRICS = {f"metrics.{name}" for name in NOT_NUMERIC}

calls = pytest.mark.parametrize("call", CALLS, ids=lambda c: c.name)
smooth_calls = pytest.mark.parametrize("call", [c for c in CALLS if c.smooth], ids=lambda c: c.name)
ONE_A_NAME = list({re.split(" (axis|mask)", c.name)[0]: c for c in CALLS}.values())
one_a_function = pytest.mark.parametrize("call", ONE_A_NAME, ids=lambda c: c.name)
one_of_the_objective = pytest.mark.parametrize(
    "call", [c for c in ONE_A_NAME if c.covers == BATCH.covers], ids=lambda c: c.name
)
stateful = pytest.mark.parametrize("reduction", STATEFUL)


def eager(call):
    """Result of the call on torch tensors, as NumPy's."""
    return call.fn(*map(torch.tensor, call.arrays.values())).numpy()


def agree(actual, expected, ulps=4):
    """Assert equal shape, and values within roundings that compiled arithmetic may do apart."""
    actual = np.asarray(actual)
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=ulps * 2.0**-23, atol=2.0**-23)


def test_there_is_a_call_of_every_public_function():
    public = {n for n in am.__all__ if inspect.isfunction(getattr(am, n))} - NO_ARRAYS_GO_IN
    public |= {f"losses.{n}" for n in am.losses.__all__}
    public |= {f"metrics.{n}" for n in am.metrics.__all__} - NO_METRICS
    assert public - {c.covers for c in CALLS} == set()


def fresh(*arguments):
    return subprocess.run(
        [sys.executable, "-W", "error", HERE / "first_calls.py", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        # Its pool of compilers would outlive the process.
        env={**os.environ, "TORCHINDUCTOR_COMPILE_THREADS": "1"},
        timeout=540,
    )


def test_torch_compiles_every_call_as_the_first_of_a_fresh_process():
    ended = fresh()
    assert ended.returncode == 0, ended.stderr
    outcomes = json.loads(ended.stdout)
    assert set(outcomes) >= {c.name for c in FIRST_CALLS}
    assert len({c.covers for c in FIRST_CALLS if c.covers.startswith("metrics.")}) == 5
    assert {name: problem for name, problem in outcomes.items() if problem} == {}


@pytest.mark.parametrize("name", [BATCH.name, "softmax axis -1"])
def test_torch_s_default_compiler_takes_a_first_call(name):
    ended = fresh("inductor", name)
    assert ended.returncode == 0, ended.stderr


def test_torch_exports_a_first_call():
    ended = fresh("export", BATCH.name)
    assert ended.returncode == 0, ended.stderr


def test_torch_still_marks_constants_by_the_attribute_that_the_registry_sets():
    def marked(x):
        return x

    before = set(vars(marked))
    torch.compiler.assume_constant_result(marked)
    (attribute,) = set(vars(marked)) - before
    assert vars(_registry._name_of)[attribute] is getattr(marked, attribute)


COMPILED_ONCE = """
import jax.numpy as jnp
import numpy as np
import torch

import agnostic_mask as am

def counted(module, inputs):
    global traces
    traces += 1
    return module.forward

traces = 0
objective = am.weighted_masked_objective(am.losses.squared_error)
precision = am.metrics.Precision()
functions = [
    lambda x, mask: objective(x, x + 1, mask=mask),
    lambda x, mask: am.mean(x, mask=mask),
    lambda x, mask: precision(mask, x, mask=mask),
]
compiled = [torch.compile(fn, backend=counted, fullgraph=True) for fn in functions]
x, mask = torch.ones(4, 3), torch.ones(4, 3, dtype=torch.bool)

def called():
    for fn in compiled:
        fn(x, mask)
    return traces

first = called()
assert first == len(functions), first
others = [np.ones((4, 3)), np.ones((4, 3), np.float16), jnp.ones((4, 3))]
others += [torch.ones(4, 3, dtype=torch.float64), torch.nn.Parameter(torch.ones(4, 3))]
for other in others:
    for fn in functions:
        fn(other, other > 0)
    assert called() == first, (type(other), other.dtype)
"""


def test_torch_compiles_nothing_anew_because_other_arrays_were_met():
    ended = subprocess.run(
        [sys.executable, "-c", COMPILED_ONCE], capture_output=True, text=True, timeout=540
    )
    assert ended.returncode == 0, ended.stderr[-4000:]


@calls
def test_torch_vmap(call):
    mapped = torch.func.vmap(call.fn)(*map(torch.tensor, stacked(call)))
    agree(mapped, np.stack([eager(with_seed(call, i)) for i in range(3)]))


def gradients(call, fn=None):
    """Of the projected result, by torch; without a trace unless `fn` is a traced function."""
    given = {n: torch.tensor(x, requires_grad=n in call.smooth) for n, x in call.arrays.items()}
    value = projected(fn or call.fn, torch)(*given.values())
    return [g.numpy() for g in torch.autograd.grad(value, [given[n] for n in call.smooth])]


def projected(fn, xp):
    """One number that tells the elements of a result apart (the sum of a softmax is 1)."""

    def value(*arrays):
        result = fn(*arrays).reshape(-1)
        return (result * xp.linspace(0.5, 1.5, result.shape[0])).sum()

    return value


def positions(call):
    return tuple(list(call.arrays).index(name) for name in call.smooth)


@smooth_calls
def test_torch_grad(call):
    found = torch.func.grad(projected(call.fn, torch), argnums=positions(call))(
        *map(torch.tensor, call.arrays.values())
    )
    for actual, expected in zip(found, gradients(call), strict=True):
        agree(actual, expected)


@smooth_calls
def test_gradients_are_finite_and_zero_where_excluded(call):
    for name, gradient in zip(call.smooth, gradients(call), strict=True):
        excluded = call.excluded() if name in ("x", "y_pred") else call.arrays[name] == 0
        if gradient.ndim > excluded.ndim:
            excluded = np.expand_dims(excluded, CLASS_AXIS)
        excluded = np.broadcast_to(excluded, gradient.shape)
        assert np.all(gradient[excluded] == 0)
        assert np.all(np.isfinite(gradient))


def exported(call, **options):
    class Module(torch.nn.Module):
        def forward(self, *arrays):
            return call.fn(*arrays)

    arguments = tuple(map(torch.tensor, call.arrays.values()))
    call.fn(*arguments)  # a first call is exported by first_calls.py
    return torch.export.export(Module(), arguments, **options).module()


@one_of_the_objective  # a strict export traces as torch.compile does, of which all are tried
def test_torch_export_strict(call):
    other = with_seed(call, 3)
    module = exported(call, strict=True)
    agree(module(*map(torch.tensor, other.arrays.values())), eager(other))


@one_a_function
def test_torch_export_takes_batches_of_any_size(call):
    size = len(next(iter(call.arrays.values())))
    batched = {name: len(x) == size for name, x in call.arrays.items()}
    batch = torch.export.Dim("batch", min=2)
    shapes = tuple({0: batch} if yes else None for yes in batched.values())
    module = exported(call, strict=False, dynamic_shapes=(shapes,))
    twice = {n: np.concatenate([x, x]) if batched[n] else x for n, x in call.arrays.items()}
    other = Call(call.name, call.covers, call.fn, twice)
    agree(module(*map(torch.tensor, twice.values())), eager(other))


@stateful
def test_torch_compiled_gradients(reduction):
    call = next(c for c in CALLS if c.name == f"objective {reduction} mask (4, 3) weights (4,)")
    compiled = torch.compile(call.fn, fullgraph=True, backend="aot_eager")
    for actual, expected in zip(gradients(call, compiled), gradients(call), strict=True):
        np.testing.assert_array_equal(actual, expected)


@calls
def test_torch_meta_tensors_have_shape_and_dtype(call):
    expected = call.fn(*map(torch.tensor, call.arrays.values()))
    found = call.fn(*(torch.tensor(x, device="meta") for x in call.arrays.values()))
    assert found.device.type == "meta"
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)


@calls
def test_jax_jit_and_vmap(call):
    arrays = [jnp.asarray(x) for x in call.arrays.values()]
    plain, compiled = call.fn(*arrays), jax.jit(call.fn)(*arrays)
    assert (compiled.shape, compiled.dtype) == (plain.shape, plain.dtype)
    agree(compiled, np.asarray(plain))
    mapped = jax.jit(jax.vmap(call.fn))(*stacked(call))
    agree(mapped, np.stack([eager(with_seed(call, i)) for i in range(3)]))


@smooth_calls
def test_jax_grad(call):
    arrays = [jnp.asarray(x) for x in call.arrays.values()]
    gradient = jax.jit(jax.grad(projected(call.fn, jnp), argnums=positions(call)))
    for actual, expected in zip(gradient(*arrays), gradients(call), strict=True):
        agree(actual, expected, ulps=16)


@stateful
def test_jax_verbs_take_and_give_states(reduction):
    objective = am.weighted_masked_objective(am.losses.squared_error, reduction=reduction)
    batch = [jnp.asarray(x) for x in BATCH.arrays.values()]
    state = objective.update(objective.zero(like=batch[1]), *batch)
    for verb, arguments in (
        (objective.update, (state, *batch)),
        (objective.merge, (state, state)),
        (lambda s: objective.zero(like=s), (state,)),
    ):
        plain, compiled = verb(*arguments), jax.jit(verb)(*arguments)
        assert (compiled.reduction, compiled.dtype) == (reduction, "float32")
        assert compiled.arrays().keys() == plain.arrays().keys()
        for name, x in compiled.arrays().items():
            # Out of its context JAX narrows what it computes, without a word.
            assert x.dtype == plain.arrays()[name].dtype == WIDE[x.dtype.kind]
            agree(x, np.asarray(plain.arrays()[name]))
    agree(jax.jit(objective.compute)(state), np.asarray(objective.compute(state)))


@stateful
def test_jax_scan_over_update(reduction):
    objective = am.weighted_masked_objective(am.losses.squared_error, reduction=reduction)
    stacks = stacked(BATCH)
    like = objective.update(
        objective.zero(like=jnp.asarray(stacks[1])), *(jnp.asarray(x[0]) for x in stacks)
    )

    @jax.jit
    def whole(stacks):
        start = objective.zero(like=like)
        end, _ = jax.lax.scan(lambda s, batch: (objective.update(s, *batch), None), start, stacks)
        return objective.compute(end)

    agree(whole(stacks), objective(*(np.concatenate(x) for x in stacks)))


def refuse(*args, **kwargs):
    raise AssertionError("a lazy array was computed")


def chunked(arrays):
    return [dask.array.from_array(x, chunks=2) for x in arrays]


@calls
def test_dask_computes_nothing(call):
    with dask.config.set(scheduler=refuse):
        lazy = call.fn(*chunked(call.arrays.values()))
    assert type(lazy) is dask.array.Array
    expected = call.fn(*call.arrays.values())
    assert (lazy.shape, lazy.dtype) == (expected.shape, expected.dtype)
    agree(lazy.compute(), expected)


@stateful
def test_dask_verbs_compute_nothing(reduction):
    objective = am.weighted_masked_objective(am.losses.squared_error, reduction=reduction)
    batch = chunked(BATCH.arrays.values())
    with dask.config.set(scheduler=refuse):
        state = objective.update(objective.zero(like=batch[1]), *batch)
        lazy = objective.compute(objective.merge(state, objective.zero(like=state)))
    agree(lazy.compute(), objective(*BATCH.arrays.values()))


def test_the_scheduler_that_refuses_does_refuse():
    with (
        dask.config.set(scheduler=refuse),
        pytest.raises(AssertionError, match="a lazy array was computed"),
    ):
        bool(dask.array.ones(1).any())
