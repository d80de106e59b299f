import itertools

import ml_dtypes
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import agnostic_mask as am

from .arrays import (
    BACKENDS,
    backends,
    close,
    dtype_of,
    gradients,
    host,
    knowledge,
    leading,
    make,
    wide,
)

FLOATING = ("sum", "mean", "var", "std", "logsumexp", "sum_of_weights")
EVERY = (*FLOATING, "count", "min", "max", "any", "all")
AXES = [None, 0, -1, (0, 2), (1, -3), [2], ()]


def reference(name, x, weights):
    """One reduction of a vector of elements that all count, in float64; and the absolute terms."""
    x, w = x.astype(np.float64), weights.astype(np.float64)
    total = w.sum()
    if name == "sum":
        return (w * x).sum(), np.abs(w * x).sum()
    if name == "sum_of_weights":
        return total, np.abs(w).sum()
    if name == "count":
        return x.size, 0
    if name == "logsumexp":
        if x.size == 0:
            return -np.inf, 0
        top = x.max()
        exponentials = w * np.exp(x - top)
        spread = np.abs(exponentials).sum() / abs(exponentials.sum())
        value = np.log(exponentials.sum()) + top if exponentials.sum() > 0 else np.nan
        return value, np.abs(value) + spread * (1 + np.abs(x - top).max())
    if name in ("min", "max"):
        nothing = np.inf if name == "min" else -np.inf
        return getattr(x, name)(initial=nothing), 0
    if name in ("any", "all"):
        return getattr(np, name)(x != 0), 0
    if x.size == 0 or total == 0:
        return np.nan, 0
    mean, absolute = (w * x).sum() / total, np.abs(w * x).sum() / abs(total)
    if name == "mean":
        return mean, absolute
    deviations = w * (x - mean) ** 2
    var, var_terms = deviations.sum() / total, np.abs(deviations).sum() / abs(total)
    if name == "var":
        return (var, var_terms) if total > 0 else (np.nan, 0)
    return (np.sqrt(var), var_terms / max(np.sqrt(abs(var)), 1e-300)) if var >= 0 else (np.nan, 0)


def reduced(name, x, mask, weights, axis, keepdims):
    """`reference` along axes, of the elements that remain when excluded ones are removed."""
    axes = range(x.ndim) if axis is None else ([axis] if isinstance(axis, int) else axis)
    axes = sorted(a % x.ndim for a in axes)
    others = [i for i in range(x.ndim) if i not in axes]
    m = np.ones(x.shape, bool) if mask is None else leading(mask, x.shape) != 0
    w = np.ones(x.shape) if weights is None else leading(weights, x.shape)
    kept = m & (w != 0)
    values = np.zeros([x.shape[i] for i in others], dtype=np.float64)
    terms = np.zeros_like(values)
    for position in itertools.product(*(range(x.shape[i]) for i in others)):
        at = [slice(None)] * x.ndim
        for i, p in zip(others, position, strict=True):
            at[i] = p
        at = tuple(at)
        values[position], terms[position] = reference(name, x[at][kept[at]], w[at][kept[at]])
    if keepdims:
        shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
        values, terms = values.reshape(shape), terms.reshape(shape)
    return values, terms


def draw(mask_shape, weights_shape, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(1.0, 2.0, size=(3, 4, 2)).astype(np.float32)
    mask = None if mask_shape is None else rng.random(mask_shape) < 0.6
    weights = None
    if weights_shape is not None:
        weights = rng.uniform(0.1, 3.0, size=weights_shape).astype(np.float32)
        weights[rng.random(weights_shape) < 0.3] = 0
    excluded = np.zeros(x.shape, bool)
    for cover in (mask, weights):
        if cover is not None:
            excluded |= leading(cover, x.shape) == 0
    garbage = rng.choice(np.asarray([np.nan, np.inf, -np.inf, 3e38, -1e3], np.float32), x.shape)
    return np.where(excluded, garbage, x), mask, weights


def call(name, backend, x, mask, weights, **options):
    named = {"mask": mask, "weights": weights}
    named = {n: make(backend, v) for n, v in named.items() if v is not None}
    return getattr(am, name)(make(backend, x), **named, **options)


COVERS = [
    (None, None),
    ((3,), None),
    ((3, 4, 2), None),
    (None, (3, 4)),
    ((3, 4), (3,)),
    ((1, 4), (3, 1, 2)),
]


@backends
@pytest.mark.parametrize("name", EVERY)
def test_a_mask_removes_elements(backend, name):
    for covers in COVERS:
        x, mask, weights = draw(*covers)
        for axis in (None, 1, (0, -1)):
            value = call(name, backend, x, mask, weights, axis=axis)
            expected, terms = reduced(name, x, mask, weights, axis, False)
            close(host(value), expected, terms)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("backend", ["numpy", "torch", "array_api_strict"])
def test_axis_and_keepdims(backend, name, axis, keepdims):
    x, mask, weights = draw((3, 4), (3, 1, 2), seed=1)
    value = call(name, backend, x, mask, weights, axis=axis, keepdims=keepdims)
    expected, terms = reduced(name, x, mask, weights, axis, keepdims)
    close(host(value), expected, terms)


@backends
@pytest.mark.parametrize("name", EVERY)
def test_an_array_of_no_dimensions(backend, name):
    for x in (1000.0, -1000.0, 0.5):
        value = call(name, backend, np.float32(x), None, None)
        expected, terms = reduced(name, np.asarray(x), None, None, None, False)
        close(host(value), expected, terms)
        close(host(call(name, backend, np.float32(x), np.True_, np.float32(1))), expected, terms)
        excluded = call(name, backend, np.float32(x), np.False_, None)
        np.testing.assert_equal(host(excluded).item(), reference(name, np.ones(0), np.ones(0))[0])


@pytest.mark.parametrize("name", ["sum", "min", "max"])
def test_reducing_no_axis_gives_a_new_array(name):
    x = np.ones(3)
    value = getattr(am, name)(x, axis=())
    assert value.tolist() == [1.0, 1.0, 1.0]
    assert not np.shares_memory(value, x)


# -- weights --


@backends
@pytest.mark.parametrize("name", [n for n in EVERY if n not in ("count", "sum_of_weights")])
def test_integer_weights_repeat_elements(backend, name):
    x = np.random.default_rng(2).normal(size=(6, 2)).astype(np.float32)
    weights = np.asarray([0, 1, 2, 0, 3, 1])
    repeated = np.repeat(x, weights, axis=0)
    for axis in (None, 0):
        value = call(name, backend, x, None, weights, axis=axis)
        expected, terms = reduced(name, repeated, None, None, axis, False)
        close(host(value), expected, terms)


@backends
@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize("correction", [0, 1, 1.5])
def test_a_correction_counts_repetitions(backend, name, correction):
    x = np.asarray([1.0, 4.0, 6.0], np.float32)
    weights = np.asarray([2, 1, 3])
    value = call(name, backend, x, None, weights, correction=correction)
    expected = getattr(np, name)(np.repeat(x.astype(float), weights), ddof=correction)
    close(value, expected, expected)


@backends
@pytest.mark.parametrize("weight", [1.0, 0.5])
def test_the_variance_of_no_more_than_the_correction_is_nan(backend, weight):
    x, weights = np.ones(1), np.asarray([weight], np.float32)
    assert np.isnan(host(call("var", backend, x, None, weights, correction=1)))
    assert np.isnan(host(call("std", backend, x, None, weights, correction=1)))


@backends
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int32"])
def test_weights_of_any_real_type(backend, dtype):
    weights = make(backend, [1, 0, 1], dtype)
    x = make(backend, [1.0, np.nan, 5.0])
    assert host(am.mean(x, weights=weights)) == 3.0
    assert host(am.sum_of_weights(x, weights=weights)) == 2.0
    assert host(am.count(x, weights=weights)) == 2


@backends
def test_negative_weights_subtract(backend):
    x = np.asarray([1.0, 3.0], np.float32)
    weights = np.asarray([2.0, -1.0], np.float32)
    assert host(call("sum", backend, x, None, weights)) == -1.0
    assert host(call("mean", backend, x, None, weights)) == -1.0
    assert host(call("max", backend, x, None, weights)) == 3.0
    assert np.isnan(host(call("logsumexp", backend, x, None, weights)))


@backends
def test_a_weight_of_nothing_included_is_absent_even_if_it_is_nan(backend):
    x = np.asarray([[1.0, 2.0], [np.nan, np.inf]], np.float32)
    mask = np.asarray([[True, True], [False, False]])
    weights = np.asarray([2.0, np.nan], np.float32)
    for name, expected in {"sum": 6.0, "mean": 1.5, "var": 0.25, "sum_of_weights": 4.0}.items():
        assert host(call(name, backend, x, mask, weights)) == expected
    weights = np.asarray([[1.0, np.nan], [2.0, 0.0]], np.float32)
    mask = np.asarray([[True, False], [True, False]])
    assert host(call("sum", backend, [[1.0, 9.0], [3.0, 9.0]], mask, weights)) == 7.0


# -- exactness and dtypes --


@backends
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "uint16", "int32"])
def test_sums_of_integers_are_exact_and_wide(backend, dtype):
    largest = 1 if dtype == "bool" else np.iinfo(dtype).max
    x = np.full((3, 5), largest).astype(dtype)
    mask = np.asarray([True, False, True])
    value = am.sum(make(backend, x, dtype), mask=make(backend, mask))
    assert dtype_of(value) == "int64"
    assert int(host(value)) == 10 * largest
    by_column = am.sum(make(backend, x, dtype), mask=make(backend, mask), axis=0)
    assert host(by_column).tolist() == [2 * largest] * 5


# What torch has no kernel for, on any device: its own error says so.
NOT_IN_TORCH = {("min", "uint16"), ("min", "uint32"), ("max", "uint16"), ("sum", "uint64")}


@pytest.mark.parametrize(("name", "dtype"), sorted(NOT_IN_TORCH))
def test_torch_still_lacks_kernels_for_some_unsigned_integers(name, dtype):
    with pytest.raises(NotImplementedError, match="not implemented for 'UInt"):
        getattr(am, name)(make("torch", [1, 2], dtype))


@pytest.mark.parametrize(
    ("backend", "dtype"),
    [
        (b, d)
        for b in BACKENDS
        for d in ("int8", "uint8", "int16", "uint16", "int32", "uint32")
        if b != "torch" or ("min", d) not in NOT_IN_TORCH
    ],
)
def test_extremes_keep_their_integer_type(backend, dtype):
    x = make(backend, [1, 100, 3], dtype)
    mask = make(backend, [True, False, True])
    for name, expected in (("min", 1), ("max", 3)):
        value = getattr(am, name)(x, mask=mask)
        assert (dtype_of(value), int(host(value))) == (dtype, expected)


@pytest.mark.parametrize(
    ("backend", "dtype"),
    [(b, d) for b in BACKENDS for d in ("int64", "uint64") if (b, d) != ("torch", "uint64")],
)
def test_integers_of_64_bits_stay_exact(backend, dtype):
    large = 2**53 + 1
    with wide(backend):
        x = make(backend, [large, 5, large], dtype)
        mask = make(backend, [True, False, True])
        value = am.sum(x, mask=mask)
        assert (dtype_of(value), int(host(value))) == (dtype, 2 * large)
        assert int(host(am.max(x, mask=mask))) == large


def test_jax_s_wide_arrays_are_computed_outside_its_wide_context_too():
    with wide("jax"):
        floats = make("jax", [1 / 3, 2 / 3, 9.0], "float64")
        integers = make("jax", [2**40, 1, 2**50], "int64")
    mask = make("jax", [True, True, False])
    for name in ("sum", "mean", "var", "min", "max", "logsumexp"):
        value = getattr(am, name)(floats, mask=mask)
        assert dtype_of(value) == "float64"
        expected, terms = reduced(name, host(floats), host(mask), None, None, False)
        close(value, expected, terms, dtype="float64")
    assert int(host(am.sum(integers, mask=mask))) == 2**40 + 1
    assert int(host(am.max(integers, mask=mask))) == 2**40
    assert bool(host(am.any(integers)))
    objective = am.weighted_masked_objective(am.losses.squared_error, reduction="mean")
    with wide("jax"):
        zeros = 0 * floats
    value = objective(floats, zeros, mask=mask)
    assert dtype_of(value) == "float64"


@backends
def test_counts_are_exact_integers(backend):
    x = make(backend, np.zeros((3, 4)))
    value = am.count(x, mask=make(backend, [True, False, True]))
    assert (dtype_of(value), int(host(value))) == ("int64", 8)


def test_counts_go_past_two_to_the_31():
    x = np.broadcast_to(np.float32(0), (70_000, 70_000))
    mask = np.ones(70_000, bool)
    mask[0] = False
    assert am.count(x, mask=mask) == 69_999 * 70_000
    assert am.sum_of_weights(x, mask=mask) == np.float32(69_999 * 70_000)
    assert am.count(x) == 4_900_000_000


HALVES = {
    "numpy": ("float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"),
    "torch": ("float16", "bfloat16"),
    "jax": ("float16", "bfloat16"),
    "dask": ("float16", "bfloat16"),
}


@pytest.mark.parametrize(("backend", "dtype"), [(b, d) for b, ds in HALVES.items() for d in ds])
def test_half_types_are_computed_in_float32(backend, dtype):
    x = make(backend, [0.5, 2.0, 4.0, 1.0], getattr(ml_dtypes, dtype, dtype))
    assert dtype_of(x) == dtype
    mask = make(backend, [True, True, True, False])
    for name in (*FLOATING, "min", "max"):
        value = getattr(am, name)(x, mask=mask)
        assert dtype_of(value) == "float32"
        elements = np.asarray([0.5, 2.0, 4.0])
        close(host(value), *reduced(name, elements, None, None, None, False))
    assert host(am.sum(x, weights=x)) == 21.25
    assert dtype_of(am.softmax(x)) == "float32"


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn"])
def test_numpy_s_half_types_need_no_other_framework(dtype):
    import subprocess
    import sys

    code = (
        "import ml_dtypes, numpy as np, agnostic_mask as am;"
        f"x = np.ones(3, ml_dtypes.{dtype});"
        "print(am.sum(x), am.sum(x).dtype)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "3.0 float32\n", done.stderr


@pytest.mark.parametrize("backend", HALVES)
def test_a_half_mean_of_many_elements_is_finite(backend):
    x = make(backend, np.ones((700, 100)), "float16")
    weights = make(backend, np.full(700, 2.0), "float16")
    assert host(am.mean(x, weights=weights)) == 1.0
    assert host(am.sum(x, weights=weights)) == 140_000.0


@backends
def test_integers_and_booleans_become_the_default_float_type(backend):
    default = "float32" if backend in ("torch", "jax") else "float64"
    mask = make(backend, [True, True, False])
    for dtype in ("bool", "uint8", "int32"):
        x = make(backend, [0, 1, 7], dtype)
        for name, expected in {"mean": 0.5, "var": 0.25, "std": 0.5}.items():
            value = getattr(am, name)(x, mask=mask)
            assert (dtype_of(value), float(host(value))) == (default, expected)


@backends
def test_the_float_type_of_the_weights_decides_for_integers_but_not_for_floats(backend):
    with wide(backend):
        weights = make(backend, [1.0, 3.0], "float64")
        narrow = make(backend, [1.0, 2.0], "float32")
        assert dtype_of(am.mean(make(backend, [1, 2], "int32"), weights=weights)) == "float64"
        assert dtype_of(am.mean(narrow, weights=weights)) == "float32"
        assert dtype_of(am.mean(make(backend, [1.0, 2.0], "float64"), weights=narrow)) == "float64"
        assert dtype_of(am.mean(make(backend, [1, 2], "int32"), weights=narrow)) == "float32"


SECONDS = 1_700_000_000 + np.random.default_rng(12).integers(0, 100, (50, 2))  # float32: by 128


@backends
def test_integers_are_computed_from_as_they_are(backend):
    dtype = "int32" if backend == "jax" else "int64"
    x = make(backend, SECONDS, dtype)
    assert dtype_of(am.var(x)) == ("float32" if backend in ("torch", "jax") else "float64")
    # One rounding to the result's dtype, and next to nothing in float64.
    for name, expected in (
        ("mean", np.mean(SECONDS)),
        ("var", np.var(SECONDS)),
        ("std", np.std(SECONDS)),
        ("cov", np.cov(SECONDS, rowvar=False)),
        ("corrcoef", np.corrcoef(SECONDS, rowvar=False)),
        ("median", np.median(SECONDS)),
        ("vector_norm", np.linalg.norm(SECONDS.ravel())),
        ("logsumexp", np.log(np.sum(np.exp(SECONDS - SECONDS.max()))) + SECONDS.max()),
    ):
        close(getattr(am, name)(x), expected, np.abs(expected), roundings=1)
    weights = make(backend, np.ones(50), "float32")
    total = am.sum(x, weights=weights, axis=0)
    close(total, SECONDS.sum(0), SECONDS.sum(0), roundings=1)
    last = am.cumulative_sum(x, weights=weights, axis=0)[-1, :]
    close(last, SECONDS.sum(0), SECONDS.sum(0), roundings=1)
    shares = np.exp(SECONDS - SECONDS.max())
    shares /= shares.sum()
    # Some frameworks flush what is below float32's normal numbers, 1.2e-38, to 0.
    close(am.softmax(x), shares, np.maximum(shares, 1e-30), roundings=1)


@backends
def test_integers_are_put_into_bins_as_they_are(backend):
    x = make(backend, SECONDS, "int32")
    low, high = int(SECONDS.min()), int(SECONDS.max())
    for options in (
        {"bins": 7},
        {"bins": 3, "range": (low + 10, high - 20)},
        {"bins": [low, low + 31, low + 52.5, high]},
    ):
        counts, edges = am.histogram(x, **options)
        theirs, their_edges = np.histogram(SECONDS, **options)
        np.testing.assert_array_equal(host(counts), theirs)
        close(edges, their_edges, their_edges, roundings=1)
    edges = np.asarray([low, low + 31, high])
    counts, _ = am.histogram(x, bins=make(backend, edges, "int32"))
    np.testing.assert_array_equal(host(counts), np.histogram(SECONDS, edges)[0])


@backends
def test_booleans_correlate(backend):
    x = SECONDS % 3 > 0
    expected = np.corrcoef(x, rowvar=False)
    close(am.corrcoef(make(backend, x)), expected, np.abs(expected), roundings=1)


# -- accuracy --


@backends
@pytest.mark.parametrize("centre", [1e4, -1e4])
def test_the_variance_far_from_zero(backend, centre):
    rng = np.random.default_rng(5)
    x = (centre + rng.normal(size=(50, 4))).astype(np.float32)
    mask = rng.random((50, 4)) < 0.8
    weights = rng.uniform(0.5, 2.0, 50).astype(np.float32)
    for name in ("var", "std"):
        value = call(name, backend, x, mask, weights, axis=0)
        expected, terms = reduced(name, x, mask, weights, 0, False)
        close(value, expected, terms)


@backends
def test_the_variance_of_equal_elements_is_zero(backend):
    for value in (0.1, 1e8 / 3, -7e-3):
        x = np.full((17, 3), value, np.float32)
        weights = np.linspace(0.1, 3, 17, dtype=np.float32)
        assert host(call("var", backend, x, None, weights)) == 0
        assert host(call("std", backend, x, None, weights)) == 0


@backends
def test_a_sum_in_float32_loses_nothing_on_the_way(backend):
    x = np.full((3000, 10), 0.1, np.float32)
    exact = 30_000 * float(np.float32(0.1))
    assert host(call("sum", backend, x, None, None)) == np.float32(exact)
    x[0] = 2.0**24
    by_column = call("sum", backend, x, None, None, axis=0)
    assert host(by_column).tolist() == [np.float32(2.0**24 + 2999 * float(np.float32(0.1)))] * 10


@backends
def test_signs_that_cancel(backend):
    x = np.asarray([1e8, 1.0, -1e8, 0.5], np.float32)
    assert host(call("sum", backend, x, None, None)) == 1.5
    assert host(call("sum", backend, x, None, np.ones(4, np.float32))) == 1.5


@backends
@pytest.mark.parametrize("magnitude", [1e30, 1e-25])
def test_the_deviation_of_elements_whose_squares_leave_float32(backend, magnitude):
    x = np.asarray([magnitude, -magnitude], np.float32)
    close(call("std", backend, x, None, None), abs(float(x[0])), magnitude)


@backends
def test_a_mean_whose_terms_leave_float32(backend):
    x = np.asarray([3e38, 3e38], np.float32)
    assert host(call("mean", backend, x, None, np.asarray([10.0, 10.0], np.float32))) == x[0]


# -- exponentials --


@backends
@pytest.mark.parametrize("shift", [1e4, -1e4, 0.0])
def test_exponentials_of_large_elements(backend, shift):
    x = np.asarray([shift, shift + 1, shift + 3, np.nan], np.float32)
    mask = np.asarray([True, True, True, False])
    value = call("logsumexp", backend, x, mask, None)
    exact = np.log(np.sum(np.exp(np.asarray([0.0, 1.0, 3.0]))))
    close(value, shift + exact, abs(shift) + 4)
    soft = am.softmax(make(backend, x), mask=make(backend, mask))
    close(soft, [*np.exp(np.asarray([0.0, 1.0, 3.0]) - exact), 0.0], 1.0)


@backends
def test_exponentials_of_infinite_elements(backend):
    x = [[1e4, np.inf], [-np.inf, 1e4], [-np.inf, -np.inf]]
    assert host(call("logsumexp", backend, x, None, None, axis=1)).tolist() == [
        np.inf,
        1e4,
        -np.inf,
    ]
    assert host(am.softmax(make(backend, x[1]))).tolist() == [0.0, 1.0]


@gradients
@pytest.mark.parametrize("name", ["logsumexp", "softmax"])
def test_gradients_of_exponentials_survive_excluded_elements(backend, name):
    known = knowledge(backend)
    mask = make(backend, [True, True, False])

    def first(x):
        value = getattr(am, name)(x, mask=mask)
        return value if name == "logsumexp" else value[0]

    for excluded in (5.0, 1e4, np.nan, np.inf):
        _, (gradient,) = known.value_and_grad(first, [make(backend, [-1000.0, -1000.0, excluded])])
        expected = [0.5, 0.5, 0.0] if name == "logsumexp" else [0.25, -0.25, 0.0]
        np.testing.assert_allclose(host(gradient), expected, rtol=1e-6)


@gradients
@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "logsumexp", "min", "max"])
def test_gradients_are_finite_and_zero_where_excluded(backend, name):
    known = knowledge(backend)
    mask, weights = make(backend, [True, True, False]), make(backend, [1.0, 2.0, 3.0])
    for excluded in (np.nan, np.inf, -3e38):
        _, (by_x, by_w) = known.value_and_grad(
            lambda x, w: getattr(am, name)(x, mask=mask, weights=w),
            [make(backend, [1.0, 2.5, excluded]), weights],
        )
        for gradient in (by_x, by_w):
            assert np.all(np.isfinite(host(gradient)))
            assert host(gradient)[2] == 0


# -- any shape --


@st.composite
def problems(draw):
    shape = tuple(draw(st.lists(st.integers(0, 3), min_size=1, max_size=3)))

    def cover():
        rank = draw(st.integers(0, len(shape)))
        return tuple(n if draw(st.booleans()) else 1 for n in shape[:rank])

    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = (rng.integers(-8, 9, size=shape) / 4).astype(np.float32)
    mask = np.asarray(rng.random(cover()) < 0.6) if draw(st.booleans()) else None
    weights = None
    if draw(st.booleans()):
        weights = np.asarray(rng.integers(0, 4, size=cover()) / 2, dtype=np.float32)
    axes = draw(st.none() | st.sets(st.integers(0, len(shape) - 1)).map(tuple))
    return x, mask, weights, axes, draw(st.booleans())


@pytest.mark.parametrize("backend", ["numpy", "torch", "array_api_strict"])
@settings(max_examples=60, deadline=None, derandomize=True)
@given(problem=problems())
def test_any_shape_mask_weights_and_axes(backend, problem):
    x, mask, weights, axes, keepdims = problem
    for name in EVERY:
        value = call(name, backend, x, mask, weights, axis=axes, keepdims=keepdims)
        expected, terms = reduced(name, x, mask, weights, axes, keepdims)
        close(host(value), expected, terms)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(problem=problems(), cut=st.integers(0, 3))
def test_any_cut_of_a_sum_adds_up_to_the_whole(problem, cut):
    x, mask, weights, _, _ = problem
    assume(x.shape[0] != 1)  # a cover of length 1 is both a whole one and a broadcast one
    parts = []
    for part in (slice(None, cut), slice(cut, None)):

        def piece(cover, part=part):
            return cover if cover is None or cover.shape[:1] != x.shape[:1] else cover[part]

        parts.append((x[part], piece(mask), piece(weights)))
    for function in (am.sum, am.sum_of_weights, am.count):
        total = function(x, mask=mask, weights=weights)
        assert total == sum(function(p, mask=m, weights=w) for p, m, w in parts)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(problem=problems())
def test_softmax_is_its_definition(problem):
    x, mask, _, axes, _ = problem
    value = am.softmax(x, mask=mask, axis=axes)
    kept = np.ones(x.shape, bool) if mask is None else leading(mask, x.shape)
    exponentials = np.where(kept, np.exp(x.astype(np.float64)), 0.0)
    total = exponentials.sum(axis=axes, keepdims=True)
    close(value, exponentials / np.where(total == 0, 1.0, total), 4.0)
