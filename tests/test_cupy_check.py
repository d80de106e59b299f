"""What a function asks of a namespace is recorded, and CuPy judges it without a GPU."""

import os
import subprocess
import sys

import array_api_compat
import numpy as np
import pytest
from sklearn.externals import array_api_extra as xpx

import agnostic_mask as am
from agnostic_mask.conformance._recorder import Call, RecordedArray, namespace_calls
from agnostic_mask.conformance._verdict import judged
from agnostic_mask.conformance.cases import all_cases

X = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
needs_cupy = pytest.mark.skipif("not __import__('importlib.util').util.find_spec('cupy')")


def xp_of(x):
    return array_api_compat.array_namespace(x)


def recorded(fn, *arrays):
    return [str(call) for call in namespace_calls(fn, *(arrays or (X,)))]


def of_cupy(fn, *arrays):
    return judged(namespace_calls(fn, *(arrays or (X,))), "cupy")


def test_calls_are_recorded_with_their_arguments_and_once():
    def fn(x, mask):
        xp = xp_of(x)
        y = xp.where(mask, x, 0.0)
        for _ in range(2):
            y = y + xp.sum(y, axis=(0,), keepdims=True)
        return xp.linalg.vector_norm(y.reshape((4, 3)).T)

    calls = recorded(fn, X, X > 0.5)
    assert calls == [
        "where(..., ..., ...)",
        "sum(..., axis=..., keepdims=...)",
        "array.__add__(...)",
        "array.reshape(...)",
        "array.T",
        "linalg.vector_norm(...)",
    ]


def test_what_numpy_calls_in_turn_is_not_seen():
    assert recorded(lambda x: xp_of(x).std(x, correction=1)) == ["std(..., correction=...)"]


def test_results_are_those_of_numpy():
    found = []

    def fn(x):
        xp = xp_of(x)
        x[0, 0] = 5.0
        x += 1
        found.extend([xp.unstack(x, axis=0), xp.concat([x, x]), 2 / x, x @ x.T, x.dtype, len(x)])
        found.append([float(row[0]) for row in x])
        found.append(xp.finfo(x.dtype).eps * x)  # a scalar of NumPy

    before = X.copy()
    namespace_calls(fn, X)
    x = X.copy()
    x[0, 0] = 5.0
    x += 1
    rows, both, inverse, products, dtype, length, first, tiny = found
    np.testing.assert_array_equal([row.recorded for row in rows], x)
    np.testing.assert_array_equal(both.recorded, np.concat([x, x]))
    np.testing.assert_array_equal(inverse.recorded, 2 / x)
    np.testing.assert_array_equal(products.recorded, x @ x.T)
    np.testing.assert_array_equal(tiny.recorded, x * np.finfo(np.float32).eps)
    assert (dtype, length, first) == (np.float32, 3, list(x[:, 0]))
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize(
    "fn",
    [
        np.asarray,
        np.exp,
        lambda x: np.asarray([x, x]),
        lambda x: x * np.ones(4),
        lambda x: np.ones(4) - x,
        lambda x: x < np.ones(4),
    ],
)
def test_the_way_to_numpy_is_barred(fn):
    with pytest.raises(TypeError):
        namespace_calls(fn, X)


def test_what_the_function_raises_comes_through_and_nothing_is_left():
    def fails(x):
        xp_of(x).sum(x)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        namespace_calls(fails, X)
    assert "recorded_namespace" not in sys.modules
    assert recorded(lambda x: -x) == ["array.__neg__()"]


def test_an_array_has_no_attribute_that_numpy_s_has_not():
    x = RecordedArray(X)
    assert not hasattr(x, "nothing")
    assert not hasattr(xp_of(x), "nothing")
    assert not hasattr(x, "__cuda_array_interface__")


def test_copies_of_array_api_compat_and_array_api_extra_find_the_namespace():
    from sklearn.externals import array_api_compat as copied

    def fn(x):
        assert copied.is_array_api_obj(x)
        return xpx.atleast_nd(copied.array_namespace(x).exp(x), ndim=3)

    assert recorded(fn) == ["exp(...)", "array.ndim", "expand_dims(..., axis=...)"]


def test_scipy_and_scikit_learn_take_their_way_for_any_library():
    script = """
import numpy as np, scipy.special, sklearn, sklearn.metrics
from agnostic_mask.conformance._recorder import namespace_calls
from agnostic_mask.conformance._verdict import judged
x = np.linspace(0, 1, 5)
calls = namespace_calls(lambda x: scipy.special.logsumexp(x, axis=0), x)
with sklearn.config_context(array_api_dispatch=True):
    calls += namespace_calls(sklearn.metrics.mean_squared_error, x, x)
names = {call.name for call in calls}
assert names >= {"exp", "max", "mean", "array.__pow__"}, names
assert judged(calls, "numpy").objections == []
"""
    env = {**os.environ, "SCIPY_ARRAY_API": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


# -- the verdict ---------------------------------------------------------------------


@needs_cupy
def test_a_right_function_passes():
    def fn(x):
        xp = xp_of(x)
        y = xp.exp(xp.clip(x, 0, 1), dtype=xp.float64)
        y = xp.where(xp.isfinite(y), y, xp.nan).astype(xp.float32)
        z = xp.take_along_axis(y, xp.argsort(y, axis=-1, stable=False), axis=-1)
        xp.linalg.vector_norm(z, axis=1)
        return z.reshape((4, 3)).sum(axis=0, keepdims=True).T.mT[0]

    assert of_cupy(fn) == ([], [])


WRONG = {
    "a keyword that NumPy takes": (
        lambda x: xp_of(x).sum(x, axis=0, where=True),
        "array_api_compat.cupy has sum(a, axis=None, dtype=None, out=None, keepdims=False): got",
    ),
    "a keyword of a ufunc": (
        lambda x: xp_of(x).exp(x, order="K"),
        "got an unexpected keyword argument 'order'",
    ),
    "a function that CuPy lacks": (
        lambda x: xp_of(x).nanquantile(x, 0.5),
        "array_api_compat.cupy has no nanquantile",
    ),
    "a function of a part that CuPy lacks": (
        lambda x: xp_of(x).linalg.multi_dot([x, x.T]),
        "array_api_compat.cupy has no linalg.multi_dot",
    ),
    "a keyword of a method": (
        lambda x: x.mean(axis=0, where=True),
        "cupy.ndarray has mean(self, axis=None, dtype=None, out=None, keepdims=None): got",
    ),
    "a method that CuPy lacks": (lambda x: x.to_device("cpu"), "cupy.ndarray has no to_device"),
    "an attribute that CuPy lacks": (lambda x: x.ctypes, "cupy.ndarray has no ctypes"),
}


@needs_cupy
@pytest.mark.parametrize("fault", WRONG)
def test_a_planted_fault_is_found(fault):
    fn, message = WRONG[fault]
    objections, unchecked = of_cupy(fn)
    assert len(objections) == 1
    assert message in objections[0]
    assert unchecked == []


@needs_cupy
@pytest.mark.parametrize(
    ("call", "right"),
    [
        (Call("add", 2), True),
        (Call("add", 1), False),
        (Call("add", 2, ("out",)), True),
        (Call("add", 3, ("dtype", "casting")), True),
        (Call("add", 4), False),
        (Call("add", 1, ("x2",)), False),
        (Call("add", 2, ("where",)), False),
        (Call("divmod", 2, ("out",)), True),
        (Call("divmod", 4), True),
        (Call("divmod", 3, ("out1",)), False),
        (Call("array.reshape", 2, ("order",)), True),
        (Call("array.sort", 0, ("axis",)), True),
        (Call("array.sort", 0, ("stable",)), False),
        (Call("array.astype", 0), False),
        (Call("from_dlpack", 1, ("device",)), True),
        (Call("from_dlpack", 1, ("dtype",)), False),
    ],
)
def test_what_cupy_takes_is_known_of_ufuncs_and_of_compiled_methods(call, right):
    objections, unchecked = judged([call], "cupy")
    assert (objections == [], unchecked) == (right, [])


@needs_cupy
def test_what_is_not_known_is_said():
    (passed_on,) = of_cupy(lambda x: xp_of(x).std(x, mean=0.5)).unchecked
    assert "std(..., mean=...): array_api_compat.cupy hands mean on" in passed_on
    (mixed,) = of_cupy(lambda x: xp_of(x).add(x, np.ones(4))).unchecked
    assert "a NumPy array is among the arguments" in mixed
    (builtin,) = judged([Call("exp", 1)], "torch").unchecked
    assert "what arguments that of array_api_compat.torch takes is not known" in builtin
    (method,) = judged([Call("array.sum", 0)], "jax").unchecked
    assert "the class of arrays of jax is not known" in method


def test_a_framework_that_is_not_there_is_an_error_with_the_reason(monkeypatch):
    with pytest.raises(ImportError, match="no installed package offers a backend called 'nothing"):
        judged([], "nothing")

    def namespace():
        raise OSError("no such driver")

    monkeypatch.setattr(am.available_backends()["dask"].backend, "namespace", namespace)
    with pytest.raises(ImportError, match="dask cannot be imported: OSError: no such driver"):
        judged([], "dask")


@needs_cupy
def test_cupy_takes_all_that_our_own_functions_ask_of_any_library():
    calls = set()
    for case in all_cases():
        inputs = case.inputs(case.rng(0))

        def positional(*arrays, case=case, names=tuple(inputs)):
            return case.call(dict(zip(names, arrays, strict=True)))

        calls.update(namespace_calls(positional, *inputs.values()))
    assert len(calls) > 50
    assert judged(calls, "cupy") == ([], [])
