"""Cases of other people's functions: what may be given, and what is said of what may not."""

import functools
import re

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from array_api_compat import array_namespace
from hypothesis import strategies
from hypothesis.extra.numpy import arrays

from agnostic_mask import conformance as c
from agnostic_mask.conformance._row import FAILED

X = c.floats((8, 5), low=0.1, high=10)
LABELS = c.integers((8,), 0, 3)
ROWS = c.masks(over="x", axes=1)


def total(x):
    return array_namespace(x).sum(x)


def masked_total(x, mask):
    xp = array_namespace(x)
    return xp.sum(xp.where(mask[:, None], x, xp.zeros_like(x)))


def weighted_total(x, w):
    xp = array_namespace(x)
    return xp.sum(x * xp.astype(w, x.dtype)[(...,) + (None,) * (x.ndim - w.ndim)])


def affine(x, y, /, *, scale=1.0):
    return x * scale + y


def raises(says, make, error=(TypeError, ValueError)):
    words = [says] if isinstance(says, str) else says
    with pytest.raises(error) as caught:
        make()
    for word in words:
        assert word in str(caught.value)


def failures(fn, *, backends=("numpy",), laws=(), **arguments):
    """Reasons of failures for float32, by law and environment."""
    report = c.report(c.case(fn, laws=laws, **arguments), backends=backends, dtypes=["float32"])
    return {(row.law, row.environment): row.reason for row in report.rows if row.outcome == FAILED}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, ["total: no argument is an array", "x=c.floats((8, 5))"]),
        ({"x": [1.0, 2.0]}, ["total: no argument is an array", "x, of <class 'list'>"]),
        ({"x": X, "mask": c.masks("y")}, ["mask: over='y'", "expected one of ['x']"]),
        ({"x": X, "m": c.masks("x"), "w": c.weights("m")}, ["w: over='m'", "['x']"]),
        ({"x": X, "m": c.masks("x"), "n": c.masks("x")}, ["m and n are both masks", "c.floats"]),
        ({"x": X, "v": c.weights("x"), "w": c.weights("x")}, ["v and w are both weights"]),
        ({"x": X, "m": c.masks("x", axes=3)}, ["m: axes=3", "x", "(8, 5)", "2 at most"]),
        ({"x": torch.ones(3)}, ["x is a torch.Tensor", "expected a plain NumPy array", "c.floats"]),
        ({"x": jnp.ones(3)}, ["x is a jax", "expected a plain NumPy array"]),
        ({"x": np.ma.masked_array([1.0])}, ["x is a numpy.ma.MaskedArray", "plain NumPy array"]),
        ({"x": np.ones(3).view(np.recarray)}, ["x is a numpy.", "plain NumPy array"]),
        ({"x": np.ones(3, complex)}, ["x is an array of dtype complex128", "integers or floats"]),
        ({"x": np.ones(3, object)}, ["x is an array of dtype object"]),
        ({"x": np.asarray(["a"])}, ["x is an array of dtype <U1"]),
        ({"x": np.zeros(3, "M8[s]")}, ["x is an array of dtype datetime64[s]"]),
        ({"x": X, "laws": ["gradent"]}, ["'gradent' is not a law", "c.gradient?"]),
        ({"x": X, "laws": ["acumulates_wide"]}, ["not a law", "c.accumulates_wide?"]),
        ({"x": X, "laws": ["zzz"]}, ["'zzz' is not a law. Known: accumulates_wide,", "@c.law"]),
        ({"x": X, "laws": [len]}, ["<built-in function len> is not a law", "@c.law"]),
        ({"x": X, "laws": "gradient"}, ["laws='gradient'", "laws=[c.gradient]"]),
        ({"x": X, "laws": c.gradient}, ["laws=<law gradient>", "laws=[c.gradient]"]),
        ({"x": X, "not_applicable": [c.dtype_kept]}, ["not_applicable=", "expected a dict"]),
        ({"x": X, "not_applicable": {c.gradient: "no"}}, ["not_applicable: gradient", "total"]),
        ({"x": X, "dtype": "flaot32"}, ["dtype='flaot32'", "did you mean 'float32'?"]),
        ({"x": X, "dtype": "int65"}, ["dtype='int65'", "did you mean 'int64'?"]),
        ({"x": X, "dtype": "interest"}, ["dtype='interest'", "Known: float16"]),
        ({"x": X, "dtype": np.float32}, ["dtype=<class 'numpy.float32'>", "Known: float16"]),
        ({"x": LABELS}, ["total: no input is floating", "dtype='int64'"]),
        ({"x": X, "oracle": 5}, ["oracle=5", "expected a function"]),
        ({"x": X, "terms": 5}, ["terms=5", "expected a function"]),
        ({"x": X, "roundings": -1}, ["roundings=-1", "at least 0"]),
        ({"x": X, "lawz": [c.gradient]}, ["lawz: total takes no such argument", "takes x"]),
        ({"y": X}, ["y: total takes no such argument", "takes x"]),
    ],
)
def test_a_case_of_what_cannot_be_names_the_argument(arguments, says):
    raises(says, lambda: c.case(total, **arguments))


def test_a_case_needs_a_function_and_each_argument_that_it_needs():
    raises(["fn=5", "expected a function"], lambda: c.case(5, x=X))
    raises(["affine needs x", "x=c.floats((8, 5))"], lambda: c.case(affine, y=X))


@pytest.mark.parametrize(
    ("law", "arguments", "says"),
    [
        (c.gradient, {"x": LABELS, "dtype": "int64"}, "a floating input and a floating result"),
        (c.gradient, {"x": X, "dtype": "int64"}, "a floating input and a floating result"),
        (c.accumulates_wide, {"x": LABELS, "dtype": "int64"}, "floating inputs of at least two"),
        (c.accumulates_wide, {"x": c.floats(())}, "floating inputs of at least two rows"),
        (c.order_invariant, {"x": c.floats(())}, "inputs of at least two rows"),
        (c.order_invariant, {"x": np.ones((1, 4))}, "inputs of at least two rows"),
        (c.holds_for_degenerate, {"x": c.floats(())}, "inputs of at least two rows"),
        (c.excluded_is_absent, {"x": X}, "a mask or weights"),
        (c.exclusion_is_removal, {"x": X}, "a mask or weights"),
        (c.scale_invariant, {"x": X}, "weights that are not integers"),
        (c.scale_invariant, {"x": X, "w": c.weights("x", kind="integer")}, "not integers"),
        (c.weight_is_repetition, {"x": X}, 'c.weights(..., axes=1, kind="integer")'),
        (c.weight_is_repetition, {"x": X, "w": c.weights("x", axes=1)}, 'kind="integer"'),
        (c.weight_is_repetition, {"x": X, "w": c.weights("x", kind="integer")}, "axes=1"),
        (c.covers_leading_axes, {"x": X, "w": c.weights("x")}, "some leading axes"),
        (c.covers_leading_axes, {"x": X, "w": c.weights("x", axes=2)}, "not all: axes=1"),
        (c.laws.cut_invariant, {"x": X}, "zero, update, merge and compute"),
    ],
)
def test_a_law_that_can_have_nothing_to_check_says_what_it_needs(law, arguments, says):
    fn = weighted_total if "w" in arguments else total
    needs = f"laws: {law.name} needs "
    raises(
        [needs, says, f"which {fn.__name__} has not"], lambda: c.case(fn, laws=[law], **arguments)
    )


@pytest.mark.parametrize("make", [c.floats, lambda shape: c.integers(shape, 0, 3)])
@pytest.mark.parametrize("shape", [-1, (8, -1), "ab", 8.5, (8, 2.0), None])
def test_a_shape_is_integers_of_at_least_0(make, shape):
    raises([f"shape={shape!r}", "integers of at least 0, as in (8, 5)"], lambda: make(shape))


@pytest.mark.parametrize("shape", [8, np.int64(8), (8,), [8], (np.int32(8),)])
def test_a_shape_may_be_given_by_any_integers(shape):
    assert c.floats(shape) == c.floats((8,))


@pytest.mark.parametrize("make", [c.floats, c.integers])
@pytest.mark.parametrize(
    ("low", "high"), [(2, 1), (1, 1), (float("nan"), 1), (0, float("inf")), ("a", 1), (None, 1)]
)
def test_an_interval_is_of_finite_numbers_in_order(make, low, high):
    says = [f"low={low!r} and high={high!r}", "expected finite numbers, low < high"]
    raises(says, lambda: make(3, low=low, high=high))


@pytest.mark.parametrize(("low", "high"), [(0, 2**40), (-(2**40), 0), (0, 2.5)])
def test_integers_are_of_int32(low, high):
    raises([f"low={low!r} and high={high!r}", "int32"], lambda: c.integers(3, low=low, high=high))


@pytest.mark.parametrize("make", [c.masks, c.weights])
def test_what_covers_names_inputs_a_number_of_axes_and_a_kind(make):
    for over in (5, (), ("x", 5), None):
        raises([f"over={over!r}", 'over="x"'], functools.partial(make, over))
    for axes in (0, -1, 1.5, "1", True):
        raises([f"axes={axes!r}", "1 at least"], functools.partial(make, "x", axes=axes))
    raises(["kind='intger'", '"integer"'], lambda: c.weights("x", kind="intger"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"backends": ["nunpy"]}, "no backend is called 'nunpy'; did you mean 'numpy'?"),
        ({"backends": ["zzz"]}, "no backend is called 'zzz'. Known: "),
        ({"backends": "numpy"}, "backends='numpy': expected a list of names: backends=['numpy']"),
        ({"dtypes": ["flaot32"]}, "no float type is called 'flaot32'; did you mean 'float32'?"),
        ({"dtypes": "float32"}, "dtypes='float32': expected a list of names: dtypes=['float32']"),
        ({"dtypes": ["bfloat16"]}, "nothing to check: "),  # which NumPy has not
        ({"dtypes": []}, "nothing to check: "),
        ({"seed": -1}, "seed=-1: expected an integer of at least 0"),
    ],
)
def test_a_report_of_what_does_not_exist_names_the_nearest(options, says):
    raises(says, lambda: c.report(c.case(total, x=X), **{"backends": ["numpy"], **options}))


def test_a_report_is_of_cases():
    raises("a list came; expected cases", lambda: c.report([c.case(total, x=X)]))
    raises("a function came; expected cases", lambda: c.report(total))
    raises("nothing to check: 0 cases", lambda: c.report(backends=["numpy"]))


@pytest.mark.parametrize(
    ("oracle", "says"),
    [
        (lambda x: 1 / 0, "its oracle, of total, raised ZeroDivisionError: division by zero."),
        (lambda x: 1 / 0, "given NumPy arrays by name (x: float64 (8, 5))"),
        (lambda x: x, "the result has shape (); the value in higher precision has (8, 5)"),
        (lambda x: np.nan, "oracle of total gives NaN for inputs without NaN"),
        (lambda x: np.nan, "low=, high= of c.floats"),
        (lambda x: None, "its oracle, of total, raised TypeError"),
        (lambda x: "a", "its oracle, of total, returned array('a'"),
        (lambda x: 1j, "its oracle, of total, returned array(0.+1.j); expected real numbers"),
        (lambda x: [1, [2, 3]], "must return a number or an array of the result's shape"),
    ],
)
def test_an_oracle_that_gives_nothing_to_compare_with_is_named(oracle, says):
    found = failures(total, x=X, oracle=oracle)
    assert says in found[("matches_oracle", "numpy")]
    assert {law for law, _ in found} <= {"matches_oracle", "backends_agree"}


def test_an_oracle_takes_a_single_input_by_position_and_several_by_name():
    assert not failures(total, x=X, oracle=np.sum)  # whose argument is called a
    assert not failures(lambda y: array_namespace(y).exp(y), y=X, oracle=np.exp)
    y = c.floats((8, 5))
    found = failures(affine, x=X, y=y, oracle=lambda x, z: x + z)
    assert "got an unexpected keyword argument 'y'" in found[("matches_oracle", "numpy")]
    assert not failures(affine, x=X, y=y, oracle=lambda y, x: x + y)
    assert not failures(affine, x=X, y=y, oracle=lambda x, y, /: x + y)


def test_an_oracle_may_give_numbers_of_mpmath():
    import mpmath

    def oracle(x):
        return mpmath.fsum(mpmath.mpf(float(v)) for v in x.ravel())

    assert not failures(total, x=X, oracle=oracle)


def test_an_oracle_may_give_nan_for_a_single_row():
    def variance(x):
        xp = array_namespace(x)
        d = x - xp.mean(x)
        return xp.sum(d * d) / xp.asarray(x.shape[0] - 1, dtype=x.dtype)

    def oracle(x):
        return np.var(x, ddof=1) if x.size > 1 else -np.inf if not x.size else np.nan

    found = failures(variance, x=c.floats(8), oracle=oracle, laws=[c.holds_for_degenerate])
    assert "of no rows" in found.pop(("holds_for_degenerate", "numpy"))
    assert not found


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda x: [x, x], "list"),
        (lambda x: (x, x), "tuple"),
        (lambda x: {"x": x}, "dict"),
        (lambda x: None, "NoneType"),
    ],
)
def test_a_function_returns_one_array(make, what):
    found = failures(make, x=X, backends=["torch"])
    says = found[("matches_oracle", "torch")]
    assert f"returned a {what}; expected one array" in says
    assert "lambda x: f(x)[0]" in says
    says = found[("stays_home", "torch")]
    assert says == f"the result is a {what}; expected an array of array_api_compat.torch"
    assert f"the result is a {what}, which has no dtype" in found[("dtype_kept", "torch")]


def test_a_numpy_array_for_a_tensor_is_not_at_home():
    found = failures(lambda x: np.exp(np.asarray(x)), x=X, backends=["torch"])
    assert found.keys() == {
        (law, environment)
        for law in ("stays_home", "dtype_kept", "nothing_hidden")
        for environment in ("torch", "torch default float64")
    }
    says = found[("stays_home", "torch")]
    assert says == "the result is a numpy.ndarray; expected an array of array_api_compat.torch"
    says = found[("dtype_kept", "torch")]
    assert says == "the result has dtype float32; expected torch.float32"


def test_a_python_float_is_no_array():
    found = failures(lambda x: float(array_namespace(x).sum(x)), x=X)
    assert found == {
        (
            "stays_home",
            "numpy",
        ): "the result is a float; expected an array of array_api_compat.numpy",
        ("dtype_kept", "numpy"): "the result is a float, which has no dtype; "
        "expected an array of float32",
    }


def test_a_scalar_of_numpy_is_an_array_without_axes():
    assert not failures(lambda x: np.float32(np.sum(x, dtype=np.float64)), x=X)


def test_a_function_that_raises_on_one_backend_fails_there_alone():
    def not_for_tensors(x):
        if isinstance(x, torch.Tensor):
            raise NotImplementedError("no tensors yet")
        return total(x)

    found = failures(not_for_tensors, x=X, backends=["numpy", "torch"])
    assert {environment for _, environment in found} == {"torch", "torch default float64"}
    assert set(found.values()) == {"NotImplementedError: no tensors yet"}


def test_a_function_that_returns_nan_says_what_was_expected():
    def log_of_negative(x):
        return array_namespace(x).log(-x)

    found = failures(log_of_negative, x=c.floats(2, low=1, high=2), oracle=lambda x: np.log(x))
    assert set(found) == {("matches_oracle", "numpy")}
    says = found[("matches_oracle", "numpy")]
    assert re.match(r"the result is \[nan nan\]; expected \[0\.\d+ 0\.\d+\]", says)
    # Without an oracle the same code says NaN too, of which nothing can be learnt.
    says = failures(log_of_negative, x=c.floats(2, low=1, high=2))[("matches_oracle", "numpy")]
    assert "same code in higher precision of log_of_negative gives NaN for inputs" in says


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "dask"])
def test_results_of_integers_and_booleans_are_declared_by_dtype(backend):
    def longest(x):
        return array_namespace(x).argmax(x, axis=1)

    def number_of_large(x):
        xp = array_namespace(x)
        return xp.sum(xp.astype(x > 5, xp.int32))

    def large(x):
        return array_namespace(x).any(x > 5, axis=1)

    # Where 64 bits are there on request alone, int32 stands for int64.
    laws = [c.order_invariant, c.holds_for_degenerate]
    assert not failures(longest, x=X, dtype="int64", backends=[backend])
    assert not failures(number_of_large, x=X, dtype="int64", backends=[backend], laws=laws)
    assert not failures(large, x=X, dtype="bool", backends=[backend])
    if backend == "numpy":
        says = failures(longest, x=X)[("dtype_kept", "numpy")]
        assert says == "the result has dtype int64; expected float32"


def test_arguments_by_position_alone_partial_functions_and_options_are_passed_on():
    y = c.floats((8, 5))

    def oracle(x, y):
        return x * 3 + y

    for fn, options in (
        (affine, {"scale": 3.0}),
        (functools.partial(affine, scale=3.0), {}),
        (functools.partial(affine, scale=2.0), {"scale": 3.0}),
    ):
        checked = c.case(fn, y=y, x=X, oracle=oracle, **options)
        assert checked.name == "affine"
        assert not c.report(checked, backends=["numpy", "torch"]).failed
    assert failures(affine, x=X, y=y, scale=2.0, oracle=oracle)
    assert not failures(functools.partial(affine, 2.0), y=y, oracle=lambda y: 2 + y)
    assert not failures(np.exp, x=X)


def test_names_of_masks_and_weights_may_be_those_of_other_inputs():
    def average(x, weights):
        xp = array_namespace(x)
        return xp.sum(x * weights) / xp.sum(weights)

    def picked(x, mask, by):
        xp = array_namespace(x)
        return xp.sum(x * mask * xp.astype(by, x.dtype))

    laws = [c.order_invariant, c.layout_invariant, c.holds_for_degenerate, c.gradient]
    positive = c.floats((8, 5), low=0.1, high=2)
    assert not failures(average, x=X, weights=positive, laws=laws, backends=["numpy", "torch"])
    by = c.integers((8, 5), 0, 3)
    assert not failures(
        picked, x=X, mask=positive, by=by, laws=laws[:2] + laws[3:], backends=["numpy", "torch"]
    )
    with_law = {"x": X, "weights": positive, "laws": [c.excluded_is_absent]}
    raises("a mask or weights", lambda: c.case(average, **with_law))


def test_a_mask_may_have_any_name():
    def chosen_total(x, valid):
        return masked_total(x, valid)

    laws = [c.excluded_is_absent, c.exclusion_is_removal]
    assert not failures(chosen_total, x=X, valid=ROWS, laws=laws)


@pytest.mark.parametrize("dtype", [">f8", "f4", np.longdouble])
def test_arrays_of_any_float_type_are_cast(dtype):
    x = np.asarray([1, 2, 3.5], dtype)
    assert not failures(total, x=x, backends=["numpy", "torch"])


@pytest.mark.parametrize("x", [[1.0, np.nan], [1.0, np.inf], [1e300, 1.0]])
def test_fixed_arrays_may_hold_anything(x):
    assert not failures(total, x=np.asarray(x))


def test_a_strategy_gives_numpy_arrays_of_numbers():
    for strategy, says in (
        (strategies.just([1.0]), ["x: its strategy gave a list", "hypothesis.extra.numpy.arrays"]),
        (arrays(complex, 3), ["x is an array of dtype complex128"]),
    ):
        found = failures(total, x=strategy)
        assert found
        for reason in found.values():
            assert all(word in reason for word in says), reason
