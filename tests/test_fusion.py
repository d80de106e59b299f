"""Objectives that compile what they gather, on request, and say why where they cannot."""

import copy
import pickle
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import agnostic_mask as am

from .arrays import close, gradients, host, knowledge, make

ROWS, STEPS = 6, 4
WITHOUT_COMPILER = ("numpy", "dask", "array_api_strict")


def draw(seed=0):
    rng = np.random.default_rng(seed)
    y_true, y_pred = rng.normal(size=(2, ROWS, STEPS)).astype(np.float32)
    weights = rng.uniform(0.5, 2, ROWS).astype(np.float32)
    weights[1] = 0
    return y_true, y_pred, weights, rng.random((ROWS, STEPS)) < 0.7


def batch(backend, seed=0):
    return [make(backend, x) for x in draw(seed)]


def objective(fn=am.losses.squared_error, reduction="mean", **options):
    return am.weighted_masked_objective(fn, reduction=reduction, **options)


class Compiler:
    """Stands in for a framework's compiler: counts what it is handed, and runs it as it is."""

    def __init__(self, monkeypatch, backend="torch"):
        self.handed = []
        self.calls = 0
        self.error = None
        monkeypatch.setattr(
            type(knowledge(backend)), "fused", lambda _, made, of: self.take(made(of))
        )

    def take(self, fn):
        self.handed.append(fn)

        def compiled(*arrays):
            self.calls += 1
            if self.error is not None:
                raise self.error
            return fn(*arrays)

        return compiled


# What torch's compiler says when it is first imported.
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
@gradients
def test_values_and_gradients_are_those_of_the_ordinary_way(backend):
    y_true, y_pred, weights, mask = draw()
    y_pred[~mask] = np.nan
    arrays = [make(backend, x) for x in (y_true, y_pred, weights, mask)]
    fused, plain = objective(fuse=True), objective()
    expected = host(plain(*arrays))
    close(fused(*arrays), expected, expected)
    known = knowledge(backend)

    def gradient(of):
        def of_pred(y):
            return of(arrays[0], y, *arrays[2:])

        (found,) = known.value_and_grad(of_pred, [arrays[1]])[1]
        return host(found)

    close(gradient(fused), gradient(plain), np.abs(gradient(plain)))


@gradients
def test_scores_that_are_not_reduced_are_compiled_too(monkeypatch, backend):
    compiler = Compiler(monkeypatch, backend)
    arrays = batch(backend)
    found = objective(reduction="none", fuse=True)(*arrays)
    np.testing.assert_array_equal(host(found), host(objective(reduction="none")(*arrays)))
    assert compiler.calls == 1


@pytest.mark.parametrize("backend", WITHOUT_COMPILER)
def test_without_a_compiler_it_says_so_once(backend):
    arrays, fused = batch(backend), objective(fuse=True)
    with pytest.warns(am.FusionWarning, match=f"squared_error .* {backend} .* nothing to") as said:
        first = fused(*arrays)
    assert len(said) == 1
    assert said[0].filename == __file__
    assert host(first) == host(fused(*arrays)) == host(objective()(*arrays))
    fused.update(fused.zero(arrays[0]), *arrays)


def test_it_says_so_for_each_objective_and_framework():
    for fused in (objective(fuse=True), objective(fuse=True)):
        for backend in WITHOUT_COMPILER:
            with pytest.warns(am.FusionWarning, match=backend):
                fused(*batch(backend))


def test_without_a_mask_after_with_one_it_says_nothing_more():
    y_true, y_pred, weights, mask = batch("numpy")
    fused = objective(fuse=True)
    with pytest.warns(am.FusionWarning):
        fused(y_true, y_pred, weights, mask)
    assert fused(y_true, y_pred) == objective()(y_true, y_pred)


def by_sign(y_true, y_pred):
    return y_true - y_pred if (y_pred - y_true).sum() > 0 else y_pred - y_true


@gradients
def test_a_function_that_looks_at_values_is_computed_in_the_ordinary_way(backend):
    arrays, fused = batch(backend), objective(by_sign, fuse=True)
    reason = {"torch": "Unsupported: .*[Dd]ata-dependent", "jax": "TracerBool.*: .*boolean"}
    with pytest.warns(am.FusionWarning, match=f"by_sign .* ordinary way.*: {reason[backend]}"):
        first = fused(*arrays)
    assert host(first) == host(fused(*arrays)) == host(objective(by_sign)(*arrays))


@gradients
def test_what_is_wrong_with_a_batch_is_no_matter_of_fusion(backend):
    y_true, y_pred, weights, mask = batch(backend)
    fused = objective(fuse=True)
    with pytest.raises(am.ShapeMismatchError, match="y_true has shape"):
        fused(y_true[:2], y_pred, weights, mask)
    with pytest.raises(am.UnsupportedArrayError, match="weights"):
        fused(y_true, y_pred, [1.0] * ROWS, mask)
    with pytest.raises(am.UnsupportedArrayError, match="y_pred"):
        fused(y_true, None)


def test_after_a_bad_batch_the_next_is_compiled(monkeypatch):
    compiler = Compiler(monkeypatch)
    arrays, fused = batch("torch"), objective(fuse=True)
    with pytest.raises(am.ShapeMismatchError):
        fused(arrays[0][:2], *arrays[1:])
    fused(*arrays)
    fused(*arrays)
    assert (len(compiler.handed), compiler.calls) == (2, 3)


def test_a_compiler_that_fails_later_is_given_up(monkeypatch):
    compiler = Compiler(monkeypatch)
    arrays, fused = batch("torch"), objective(fuse=True)
    first = fused(*arrays)
    compiler.error = RuntimeError("no compiler\nis here")
    with pytest.warns(am.FusionWarning, match="RuntimeError: no compiler$"):
        assert fused(*arrays) == first
    calls = compiler.calls
    assert fused(*arrays) == first
    assert compiler.calls == calls


def test_what_is_given_and_the_groups_decide_on_what_is_compiled(monkeypatch):
    compiler = Compiler(monkeypatch)
    y_true, y_pred, weights, mask = batch("torch")
    by = torch.arange(ROWS) % 3
    fused, plain = objective(fuse=True), objective()
    for _ in range(2):
        for n in (3, 5):
            found = fused(y_true, y_pred, weights, mask, by=by, num_groups=n)
            assert found.shape == (n,)
            expected = plain(y_true, y_pred, weights, mask, by=by, num_groups=n)
            assert torch.equal(found.nan_to_num(), expected.nan_to_num())
        assert fused(y_true, y_pred) == plain(y_true, y_pred)
        assert fused(y_true, y_pred, mask=mask) == plain(y_true, y_pred, mask=mask)
    assert (len(compiler.handed), compiler.calls) == (4, 8)


def test_a_batch_is_not_cut_into_tiles(monkeypatch):
    compiler = Compiler(monkeypatch)
    monkeypatch.setattr(type(knowledge("torch")), "tile_elements", STEPS)
    arrays = batch("torch")
    objective(fuse=True)(*arrays)
    assert compiler.calls == 1


def test_of_several_threads_one_compiles(monkeypatch):
    threads = 8
    compiler, together = Compiler(monkeypatch), threading.Barrier(threads)
    arrays, fused = batch("torch"), objective(fuse=True)

    def value(_):
        together.wait()
        return float(fused(*arrays))

    with ThreadPoolExecutor(threads) as pool:
        found = set(pool.map(value, range(threads)))
    assert found == {float(objective()(*arrays))}
    assert (len(compiler.handed), compiler.calls) == (1, threads)


def test_several_threads_are_told_once():
    threads = 8
    together = threading.Barrier(threads)
    arrays, fused = batch("numpy"), objective(fuse=True)

    def value(_):
        together.wait()
        return float(fused(*arrays))

    with pytest.warns(am.FusionWarning) as said, ThreadPoolExecutor(threads) as pool:
        list(pool.map(value, range(threads)))
    assert len(said) == 1


def test_it_equals_and_merges_with_the_ordinary_one():
    arrays, fused, plain = batch("jax"), objective(fuse=True), objective()
    assert (fused, hash(fused)) == (plain, hash(plain))
    assert fused.fuse
    assert not plain.fuse
    first = fused.update(plain.zero(arrays[0]), *arrays)
    both = plain.merge(first, plain.update(fused.zero(arrays[0]), *batch("jax", seed=1)))
    assert first.made_for == plain.zero(arrays[0]).made_for
    parts = [np.concatenate(pair) for pair in zip(draw(0), draw(1), strict=True)]
    whole = plain(*[make("jax", x) for x in parts])
    close(fused.compute(both), host(whole), host(whole))


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_a_copy_compiles_for_itself(monkeypatch, copied):
    compiler = Compiler(monkeypatch)
    arrays, fused = batch("torch"), objective(fuse=True)
    value = fused(*arrays)
    other = copied(fused)
    assert other == fused
    assert other.fuse
    assert other(*arrays) == value
    assert compiler.calls == 2


def test_within_a_trace_nothing_is_compiled_by_itself(monkeypatch):
    compiler = Compiler(monkeypatch)
    arrays, fused = batch("torch"), objective(fuse=True)
    expected = objective()(*arrays)
    compiled = torch.compile(fused, fullgraph=True, backend="aot_eager")(*arrays)
    mapped = torch.func.vmap(fused)(*[torch.stack([x, x]) for x in arrays])
    for found in (compiled, *mapped):
        close(found, expected.numpy(), float(expected))
    assert compiler.handed == []


def test_it_may_be_jitted_and_mapped_by_jax():
    arrays, fused = batch("jax"), objective(fuse=True)
    expected = host(objective()(*arrays))
    close(jax.jit(fused)(*arrays), expected, expected)
    close(jax.vmap(fused)(*[jnp.stack([x, x]) for x in arrays]), [expected] * 2, [expected] * 2)


def test_torch_s_limit_of_traces_is_not_shared(monkeypatch):
    codes = []
    monkeypatch.setattr(torch, "compile", lambda fn, **_: codes.append(fn.__code__) or fn)
    for fn in (am.losses.squared_error, am.losses.huber):
        objective(fn, fuse=True)(*batch("torch"))
    first, second = codes
    assert first is not second


@pytest.mark.parametrize("fuse", [1, None, "torch"])
def test_fuse_is_true_or_false(fuse):
    with pytest.raises(TypeError, match=r"fuse is .*; expected True or False"):
        objective(fuse=fuse)


def test_warnings_as_errors_come_with_every_call():
    fused, arrays = objective(fuse=True), batch("numpy")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            with pytest.raises(am.FusionWarning):
                fused(*arrays)
