"""How laws call a function: once where that is slow, as a whole where it is compiled."""

import jax
import numpy as np
import pytest
from array_api_compat import array_namespace

from agnostic_mask import conformance as c
from agnostic_mask.conformance._environments import environments
from agnostic_mask.conformance._row import FAILED, PASSED
from agnostic_mask.conformance._run import apply
from agnostic_mask.conformance.cases import all_cases
from agnostic_mask.conformance.laws import Run

X = c.floats((4, 3))
OF_ONE_CALL = (c.matches_oracle, c.stays_home, c.dtype_kept, c.inputs_untouched)
MEAN = "squared_error mean mask=BT weights=BT:real"


def run_of(case, backend):
    return Run(case, environments([backend])[0], "float32", 0)


def outcomes(run, laws):
    return {law.name: apply(law, run).row.outcome for law in laws}


@pytest.mark.parametrize(("backend", "expected"), [("dask", 1), ("numpy", len(OF_ONE_CALL))])
def test_lazy_functions_are_called_once_for_laws_that_ask_the_same(backend, expected):
    calls = 0

    def mean(x):
        nonlocal calls
        calls += 1
        return array_namespace(x).mean(x)

    found = outcomes(run_of(c.case(mean, x=X, oracle=np.mean), backend), OF_ONE_CALL)
    assert set(found.values()) == {PASSED}
    assert calls == expected


def test_a_call_that_is_shared_is_seen_to_write_to_its_inputs():
    def negative(x):
        return x.map_blocks(lambda block: np.negative(block, out=block))

    found = outcomes(run_of(c.case(negative, x=X, oracle=np.negative), "dask"), OF_ONE_CALL)
    assert found == dict.fromkeys(found, PASSED) | {"inputs_untouched": FAILED}


def test_what_raises_fails_every_law_that_asks_for_it():
    def mean(x):
        raise NotImplementedError("not yet")

    found = outcomes(run_of(c.case(mean, x=X, oracle=np.mean), "dask"), OF_ONE_CALL)
    assert set(found.values()) == {FAILED}


@pytest.fixture
def ours():
    return next(case for case in all_cases() if case.name == MEAN)


@pytest.mark.parametrize(("backend", "expected"), [("jax", True), ("torch", False)])
def test_jax_compiles_a_function_of_ours_as_a_whole(ours, backend, expected, monkeypatch):
    call, traced = ours.call_flat, []

    def spy(arrays):
        traced.append(isinstance(arrays["y_pred"], jax.core.Tracer))
        return call(arrays)

    monkeypatch.setattr(ours, "call_flat", spy)
    assert outcomes(run_of(ours, backend), [c.exclusion_is_removal]) == {
        "exclusion_is_removal": PASSED
    }
    assert traced == [expected]


def test_jax_takes_functions_of_others_as_they_are():
    traced = []

    def mean(x, mask):
        traced.append(isinstance(x, jax.core.Tracer))
        xp = array_namespace(x)
        return xp.sum(xp.where(mask, x, 0)) / xp.sum(xp.astype(mask, x.dtype))

    case = c.case(mean, x=X, mask=c.masks(over="x"), oracle=lambda x, mask: x[mask].mean())
    found = outcomes(run_of(case, "jax"), [c.exclusion_is_removal])
    assert found == {"exclusion_is_removal": PASSED}
    assert set(traced) == {False}


@pytest.mark.parametrize(
    ("law", "method", "change"),
    [
        (c.exclusion_is_removal, "call_flat", lambda result: result * 1.001),
        (c.gradient, "call", jax.lax.stop_gradient),
        (c.gradient, "call", lambda result: result + 0.001 * jax.numpy.sin(result)),
    ],
    ids=["another value", "no derivative", "another derivative"],
)
def test_what_is_wrong_is_found_in_what_is_compiled(ours, law, method, change, monkeypatch):
    call = getattr(ours, method)
    assert outcomes(run_of(ours, "jax"), [law]) == {law.name: PASSED}
    monkeypatch.setattr(ours, method, lambda arrays: change(call(arrays)))
    assert outcomes(run_of(ours, "jax"), [law]) == {law.name: FAILED}


def test_garbage_in_excluded_places_is_found_in_compiled_derivatives(ours, monkeypatch):
    call = ours.call

    def leaking(arrays):
        # 0 times the excluded elements, whose derivative is 0 but for garbage.
        return call(arrays) + jax.numpy.sum(arrays["y_pred"] ** 2 * 0)

    monkeypatch.setattr(ours, "call", leaking)
    row = apply(c.gradient, run_of(ours, "jax")).row
    assert row.outcome == FAILED
    assert "garbage in excluded places" in row.reason
