"""How far off a right result of other people's functions may be: not too little, not too much."""

import functools

import numpy as np
import pytest
from array_api_compat import array_namespace, device
from hypothesis import given, settings
from hypothesis import strategies as st

from agnostic_mask import conformance as c
from agnostic_mask.conformance._environments import environments
from agnostic_mask.conformance._row import FAILED, PASSED
from agnostic_mask.conformance.author._precision import condition

EAGER = ("numpy", "torch", "dask", "array_api_strict")
X = c.floats((8, 5), low=-3, high=3)
POSITIVE = c.floats((8, 5), low=0.1, high=10)


def total(x):
    return array_namespace(x).sum(x)


def mean(x):
    return array_namespace(x).mean(x)


def product(x):
    return array_namespace(x).prod(x)


def variance(x):
    xp = array_namespace(x)
    d = x - xp.mean(x)
    return xp.mean(d * d)


def logsumexp(x):
    xp = array_namespace(x)
    greatest = xp.max(x)
    return greatest + xp.log(xp.sum(xp.exp(x - greatest)))


def norm(x):
    xp = array_namespace(x)
    return xp.sqrt(xp.sum(x * x))


def softmax(x):
    xp = array_namespace(x)
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + array_namespace(x).exp(-x))


def centred(x):
    return x - array_namespace(x).mean(x, axis=0)


def products_of_rows(x):
    return x @ x.T


def entropy(x):
    xp = array_namespace(x)
    p = x / xp.sum(x)
    return -xp.sum(p * xp.log(p))


def geometric_mean(x):
    xp = array_namespace(x)
    return xp.exp(xp.mean(xp.log(x)))


def hypotenuse(x):
    xp = array_namespace(x)
    return xp.sqrt(x[..., 0] ** 2 + x[..., 1] ** 2)


def difference_of_squares(x):
    xp = array_namespace(x)
    return xp.mean(x * x) - xp.mean(x) ** 2


def column_means(x):
    return array_namespace(x).mean(x, axis=0)


def wide_column_means(x):
    xp = array_namespace(x)
    return xp.astype(xp.mean(xp.astype(x, xp.float64), axis=0), x.dtype)


@pytest.mark.parametrize(
    ("fn", "formula"),
    [
        (total, lambda x: np.sum(abs(x))),
        (mean, lambda x: np.mean(abs(x))),
        (product, lambda x: x.size * abs(np.prod(x))),
        (variance, lambda x: np.sum(abs(x * 2 * (x - np.mean(x)))) / x.size),
        (logsumexp, lambda x: np.sum(abs(x) * np.exp(x)) / np.sum(np.exp(x))),
        (centred, lambda x: abs(x) * (1 - 2 / len(x)) + np.mean(abs(x), axis=0)),
    ],
)
@pytest.mark.parametrize("dtype", [np.float64, np.longdouble])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_condition_by_differences_is_that_of_the_formula(fn, formula, dtype, seed):
    x = np.random.default_rng(seed).uniform(-3, 3, (4, 5)).astype(dtype)
    found = condition(lambda host: np.asarray(fn(host["x"])), {"x": x}, ["x"])
    np.testing.assert_allclose(found, formula(x), rtol=0.01)


def test_the_condition_is_a_sum_over_all_floating_inputs():
    rng = np.random.default_rng(0)
    inputs = {"x": rng.normal(size=6), "y": rng.normal(size=6), "n": np.arange(6)}

    def value(host):
        return np.asarray(np.sum(host["x"] * host["y"] * host["n"]))

    expected = 2 * np.sum(abs(inputs["x"] * inputs["y"] * inputs["n"]))
    np.testing.assert_allclose(condition(value, inputs, ["x", "y"]), expected, rtol=0.01)


def test_at_an_end_of_the_domain_the_other_side_counts():
    found = condition(lambda host: np.arccos(host["x"]), {"x": np.asarray([1.0, 0.5])}, ["x"])
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[1], 0.5 / np.sqrt(0.75), rtol=0.01)


def test_at_a_kink_the_steeper_side_counts():
    found = condition(lambda host: np.maximum(host["x"], 1), {"x": np.asarray([1.0])}, ["x"])
    np.testing.assert_allclose(found, 1, rtol=0.01)


def test_without_either_side_there_is_no_bound():
    def never(host):
        return np.where(host["x"] == 1, 0.0, np.nan)

    assert np.isinf(condition(never, {"x": np.asarray([1.0])}, ["x"])).all()


@functools.cache
def plain(backend):
    return environments([backend], settings=False)[0]


def share(fn, x, backend):
    """Share of the bound that the float32 result of a backend fills."""
    env, checked = plain(backend), c.case(fn, x=x)
    with env.scope("float32"):
        given = env.asarray(x, "float32")
        reference = checked.reference({"x": env.host(given)}, "float32", "float64")
        with np.errstate(all="ignore"):  # exp(-x) may overflow where 0 is right
            return reference.share(env.host(fn(given)))


@st.composite
def numbers(draw, shapes):
    """Numbers of one sign or both, of one magnitude or of many."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = draw(st.sampled_from(shapes))
    low = draw(st.sampled_from([-1.0, -0.1, 0.5]))
    spread = draw(st.sampled_from([0, 1, 4]))
    scale = 10.0 ** draw(st.integers(-4, 4))
    return scale * rng.uniform(low, 1, shape) * 10.0 ** rng.uniform(-spread, 0, shape)


STABLE = [total, mean, variance, norm, centred, softmax, sigmoid]
SHAPES = [(1,), (2,), (3, 4), (1, 7), (40,), (9, 2, 3)]


@pytest.mark.parametrize("fn", STABLE, ids=lambda fn: fn.__name__)
def test_results_of_stable_code_are_within_the_bound(fn):
    @settings(derandomize=True, max_examples=25, deadline=None, database=None)
    @given(numbers(SHAPES))
    def check(x):
        for backend in EAGER:
            assert share(fn, x, backend) <= 1, backend

    check()


@pytest.mark.parametrize("fn", STABLE, ids=lambda fn: fn.__name__)
def test_results_of_stable_code_in_jax_are_within_the_bound(fn):
    # Each operation is compiled for each shape.
    @settings(derandomize=True, max_examples=10, deadline=None, database=None)
    @given(numbers([(3, 4)]))
    def check(x):
        assert share(fn, x, "jax") <= 1

    check()


@pytest.mark.parametrize("fn", [logsumexp, product], ids=lambda fn: fn.__name__)
def test_logarithms_and_products_are_within_the_bound(fn):
    @settings(derandomize=True, max_examples=25, deadline=None, database=None)
    @given(st.integers(0, 2**32), st.sampled_from(SHAPES), st.sampled_from([0.1, 1.0, 2.0, 10.0]))
    def check(seed, shape, scale):
        x = np.random.default_rng(seed).uniform(-scale, scale, shape)
        for backend in EAGER:
            assert share(fn, x, backend) <= 1, backend

    check()


@pytest.mark.parametrize("backend", [*EAGER, "jax"])
def test_a_difference_of_large_squares_is_far_beyond_the_bound(backend):
    shares = []
    for seed in range(3):
        x = np.random.default_rng(seed).uniform(999, 1001, (8, 5))
        assert share(variance, x, backend) <= 1
        shares.append(share(difference_of_squares, x, backend))
    assert max(shares) > 10


def test_sums_of_float32_over_many_rows_are_beyond_the_bound_of_wide_ones():
    for fn, outcome in ((column_means, FAILED), (wide_column_means, PASSED)):
        checked = c.case(fn, x=POSITIVE, laws=[c.accumulates_wide])
        for seed in range(3):
            report = c.report(checked, backends=["numpy"], dtypes=["float32"], seed=seed)
            found = {row.law: row.outcome for row in report.rows}
            assert found["matches_oracle"] == PASSED
            assert found["accumulates_wide"] == outcome


@pytest.mark.parametrize("by_oracle", [True, False])
def test_what_is_right_is_computed_in_more_than_the_type_under_test(by_oracle):
    seen = set()

    def watched(x):
        seen.add(str(x.dtype).rpartition(".")[2])
        return total(x)

    longest = np.dtype(np.longdouble).name
    for dtype, wider in (
        ("float16", "float64"),
        ("bfloat16", "float64"),
        ("float32", "float64"),
        ("float64", longest),
    ):
        seen.clear()
        case = c.case(total, x=X, oracle=watched) if by_oracle else c.case(watched, x=X)
        report = c.report(case, backends=["torch"], dtypes=[dtype])
        assert not report.failed, str(report)
        assert seen - {dtype} == {wider}
        host = {"x": np.ones((8, 5), "float32" if dtype == "bfloat16" else dtype)}
        assert case.reference(host, dtype, "float64").value.dtype == wider
        assert by_oracle is (dtype not in seen)


def test_the_bound_follows_the_type_under_test():
    x = np.linspace(-3, 4, 40).reshape(8, 5)
    bounds = [
        float(c.case(total, x=x).reference({"x": x.astype(held)}, dtype, "float64").bound)
        for dtype, held in (("float16", "f2"), ("float32", "f4"), ("float64", "f8"))
    ]
    np.testing.assert_allclose(bounds[0] / bounds[1], 2**13, rtol=0.01)
    np.testing.assert_allclose(bounds[1] / bounds[2], 2**29, rtol=0.01)


def test_an_oracle_of_python_floats_is_allowed_its_own_roundings():
    def oracle(x):
        return float(np.sum(x.astype(float)))

    x = np.linspace(-3, 4, 40)
    exact, rough = (
        c.case(total, x=x, oracle=fn).reference({"x": x}, "float64", "float64").bound
        for fn in (np.sum, oracle)
    )
    np.testing.assert_allclose(rough / exact, 2, rtol=0.1)


def longest(x):
    return array_namespace(x).argmax(x, axis=1)


def number_of_large(x):
    xp = array_namespace(x)
    return xp.sum(xp.astype(x > 1, xp.int64), axis=0)


def large(x):
    return x > 1


@pytest.mark.parametrize(
    ("fn", "dtype"), [(longest, "int64"), (number_of_large, "int64"), (large, "bool")]
)
def test_integers_and_booleans_are_exact_or_wrong(fn, dtype):
    x = c.case(fn, x=X, dtype=dtype).inputs(np.random.default_rng(0))["x"]
    checked = c.case(fn, x=x, dtype=dtype)
    reference = checked.reference({"x": x.astype("f4")}, "float32", "float64")
    right = fn(x.astype("f4"))
    assert not np.any(reference.bound)
    assert reference.share(right) == 0
    wrong = right.copy()
    wrong.reshape(-1)[0] ^= 1
    assert reference.share(wrong) == np.inf
    assert not c.report(checked, backends=["numpy", "torch"]).failed


def off_by_one(x):
    return longest(x) + array_namespace(x).astype(x[:, 0] > 2, array_namespace(x).int64)


def test_a_count_that_is_off_by_one_fails():
    checked = c.case(off_by_one, x=X, dtype="int64", oracle=longest)
    report = c.report(checked, backends=["numpy"], dtypes=["float32"])
    assert {row.law for row in report.rows if row.outcome == FAILED} == {"matches_oracle"}


ORDINARY = [
    (total, X),
    (mean, X),
    (variance, X),
    (norm, X),
    (logsumexp, X),
    (softmax, X),
    (sigmoid, X),
    (centred, X),
    (products_of_rows, X),
    (product, POSITIVE),
    (entropy, POSITIVE),
    (geometric_mean, POSITIVE),
    (hypotenuse, X),
]


@pytest.mark.parametrize(("fn", "x"), ORDINARY, ids=[fn.__name__ for fn, _ in ORDINARY])
def test_bounds_of_ordinary_functions_are_neither_vacuous_nor_tight(fn, x):
    report = c.report(c.case(fn, x=x), backends=EAGER)
    assert not report.failed, str(report)
    largest = max(row.share for row in report.rows if row.law == "matches_oracle")
    assert 0.001 < largest < 1
    wrong = c.case(lambda x: fn(x) * (1 + 1e-4), x=x, oracle=fn)
    found = c.report(wrong, backends=["numpy"], dtypes=["float64"]).rows
    assert "matches_oracle" in {row.law for row in found if row.outcome == FAILED}


@pytest.mark.parametrize(("laws", "outcome"), [((), "passed"), ((c.excluded_is_absent,), "failed")])
def test_a_weight_of_0_has_a_derivative_unless_it_is_said_to_exclude(laws, outcome):
    def weighted_mean(x, weights):
        xp = array_namespace(x, weights)
        return xp.sum(x * weights) / xp.sum(weights)

    checked = c.case(
        weighted_mean,
        x=c.floats((6,), 1, 2),
        weights=c.weights(over="x"),
        laws=[c.gradient, *laws],
    )
    report = c.report(checked, backends=["torch"], dtypes=["float32"], laws=[c.gradient])
    found = {row.outcome for row in report.rows if row.environment == "torch"}
    assert found == {outcome}, report


def share_of_hits(y, p, factor=1.0):
    xp = array_namespace(y)
    said = xp.astype(p > 0.5, y.dtype)
    return factor * xp.sum(said * xp.astype(y == 1, y.dtype)) / xp.sum(said)


@pytest.mark.parametrize("factor", [1.0, 0.25])
def test_a_jump_is_no_slope(factor):
    labels = (np.random.default_rng(0).random(20) > 0.5).astype(float)
    checked = c.case(
        functools.partial(share_of_hits, factor=factor),
        y=labels,
        p=c.floats(20, 0, 1),
        oracle=lambda y, p: np.sum((p > 0.5) & (y == 1)) / np.sum(p > 0.5),
        name="hits",
    )
    report = c.report(checked, backends=["numpy", "torch"])
    wrong = {row.law for row in report.rows if row.outcome == FAILED}
    assert wrong == (set() if factor == 1.0 else {"matches_oracle"})


@pytest.mark.parametrize(
    ("dtype", "x"),
    [("float64", 1e200), ("float32", 1e30), ("bfloat16", 1e30), ("float16", 1e4)],
)
def test_what_overflows_in_every_float_type_is_infinite(dtype, x):
    checked = c.case(lambda x: x * x, x=np.asarray([x, 1.0]), name="square")
    report = c.report(checked, backends=["torch"], dtypes=[dtype])
    assert not report.failed, str(report)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("fn", [mean, softmax, sigmoid])
def test_half_types_go_through_a_whole_run(dtype, fn):
    def doubled(x):
        return 2 * fn(x)

    backends = ["torch"] if dtype == "bfloat16" else ["numpy", "torch"]  # which NumPy has not
    right = c.report(
        c.case(fn, x=POSITIVE, laws=[c.layout_invariant]), backends=backends, dtypes=[dtype]
    )
    assert not right.failed, str(right)
    wrong = c.report(c.case(doubled, x=POSITIVE, oracle=fn), backends=backends, dtypes=[dtype])
    assert {row.law for row in wrong.rows if row.outcome == FAILED} == {"matches_oracle"}


def mean_of_counts(x):
    xp = array_namespace(x)
    return xp.mean(xp.astype(x, xp.empty(0, device=device(x)).dtype))


def test_a_function_of_integers_is_right_to_the_default_float():
    counts = c.integers((9,), 0, 50)
    right = c.report(c.case(mean_of_counts, x=counts, dtype="default"), backends=list(EAGER))
    assert not right.failed, str(right)

    def rounded(x):
        xp = array_namespace(x)
        return xp.astype(xp.astype(mean_of_counts(x), xp.float32), mean_of_counts(x).dtype)

    wrong = c.report(
        c.case(rounded, x=counts, dtype="default", oracle=np.mean), backends=["numpy", "torch"]
    )
    assert {(r.environment, r.law) for r in wrong.rows if r.outcome == FAILED} == {
        ("numpy", "matches_oracle"),
        ("torch default float64", "matches_oracle"),
    }


def test_integers_are_compared_as_integers():
    large = np.asarray([2**53 + 1, 2**40])
    report = c.report(
        c.case(lambda n: n, n=large, dtype="int64", name="same"), backends=["numpy", "torch"]
    )
    assert not report.failed, str(report)


def test_integers_are_narrowed_where_a_device_has_no_wider():
    def chosen(x, labels):
        xp = array_namespace(x)
        return xp.sum(xp.where(labels == 1, x, xp.zeros_like(x)))

    labels = c.case(chosen, x=c.floats(4), labels=np.asarray([0, 1, 2, 1]))
    assert not c.report(labels, backends=["array_api_strict"]).failed
    large = c.case(chosen, x=c.floats(4), labels=np.asarray([0, 1, 2, 2**40]))
    report = c.report(large, backends=["array_api_strict"])
    assert not report.failed
    reasons = {row.reason for row in report.rows if row.environment.endswith("no_x64")}
    assert "labels holds integers beyond int32, and there is no int64 here" in reasons
