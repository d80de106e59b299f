"""Reductions by groups: each group's result is that of its elements, all others removed."""

import functools
import warnings

import jax
import numpy as np
import pytest
import torch
from scipy import ndimage

import agnostic_mask as am

from .arrays import backends, close, host, leading, make, wide

NAN, INF = np.nan, np.inf
GROUPS, EMPTY = 4, 2  # that group has no element
SHAPE = (6, 4, 3)
BYS = ((6,), (6, 4), SHAPE, (1, 4), (6, 1, 3))
AXES = (None, 0, -1, (0, 2), ())


def data():
    """Numbers whose sums are exact in float64, with garbage where the mask excludes them."""
    rng = np.random.default_rng(0)
    x = (rng.integers(-160, 160, SHAPE) / 8).astype(np.float32)
    mask = rng.random(SHAPE) < 0.7
    x[~mask] = rng.choice([NAN, INF, 1e30, -100.0], np.count_nonzero(~mask))
    return x, mask


def weights_of(kind):
    """Weights of no kind, of both signs, of one sign, or integers; some of them 0."""
    rng = np.random.default_rng(1)
    if kind is None:
        return None
    if kind == "integer":
        return rng.integers(0, 4, (6, 4)).astype(np.int32)
    return (rng.integers(-6 if kind == "signed" else 0, 12, (6, 4)) / 4).astype(np.float32)


def labels(shape):
    drawn = np.random.default_rng(2).integers(0, GROUPS - 1, shape)
    return np.where(drawn >= EMPTY, drawn + 1, drawn).astype(np.int32)


def counts_of(x, **named):
    return am.histogram(x, bins=(-10.0, -3.0, 0.0, 12.5), **named)[0]


FUNCTIONS = {
    name: (getattr(am, name), kind)
    for kind, names in (
        ("signed", ("sum", "count", "sum_of_weights", "min", "max", "any", "all")),
        ("positive", ("mean", "var", "std", "logsumexp", "vector_norm", "median")),
    )
    for name in names
}
FUNCTIONS["var, corrected"] = functools.partial(am.var, correction=1.0), "integer"
FUNCTIONS["vector_norm of 3"] = functools.partial(am.vector_norm, ord=3), "positive"
FUNCTIONS["the greatest size"] = functools.partial(am.vector_norm, ord=INF), "positive"
for method, kind in (
    ("linear", "integer"),
    ("inverted_cdf", "positive"),
    ("averaged_inverted_cdf", "integer"),
):
    fn = functools.partial(am.quantile, q=(0.0, 0.3, 1.0), method=method)
    FUNCTIONS[f"quantile {method}"] = fn, kind
POSITIONS = {"argmin": (am.argmin, "signed"), "argmax": (am.argmax, "signed")}
PICKED = {"count", "min", "max", "any", "all", "argmin", "argmax"}


FEW = ("sum", "var", "max", "all", "logsumexp", "argmin", "quantile averaged_inverted_cdf")


def functions(backend):
    """Every function, and one of each kind where each operation is compiled or made a graph."""
    every = {**FUNCTIONS, **POSITIONS}
    return {n: every[n] for n in FEW} if backend in ("jax", "dask") else every


def call(fn, backend, x, **named):
    """`fn` of arrays of a backend."""
    arrays = {n: make(backend, a) for n, a in named.items() if isinstance(a, np.ndarray)}
    options = {n: a for n, a in named.items() if n not in arrays}
    shares = ()
    if isinstance(fn, functools.partial) and "q" in fn.keywords:
        options |= {n: v for n, v in fn.keywords.items() if n != "q"}
        fn, shares = fn.func, (fn.keywords["q"],)

    def of_arrays(x, arrays):
        return fn(x, *shares, **arrays, **options)

    # Each operation by itself would be compiled for every shape.
    compiled = jax.jit(of_arrays) if backend == "jax" else of_arrays
    return host(compiled(make(backend, x), arrays))


def looped(fn, x, by, mask, num_groups=GROUPS, **named):
    """The function of each group alone, by NumPy."""
    spread = leading(by, x.shape)
    covers = [leading(mask, x.shape) & (spread == g) for g in range(num_groups)]
    return np.stack([call(fn, "numpy", x, mask=m, **named) for m in covers])


def agree(found, expected, name):
    assert found.shape == expected.shape
    if name in PICKED:
        np.testing.assert_array_equal(found, expected)
    else:  # sums of one sign, or exact
        close(found, expected, np.abs(expected))


def check(backend, name, by_shape, axis, keepdims, kinds):
    fn, kind = {**FUNCTIONS, **POSITIONS}[name]
    x, mask = data()
    by = labels(by_shape)
    for weights in map(weights_of, (None, kind)[:kinds]):
        named = {"axis": axis, "keepdims": keepdims, "weights": weights}
        found = call(fn, backend, x, mask=mask, by=by, num_groups=GROUPS, **named)
        agree(found, looped(fn, x, by, mask, **named), name)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("name", [*FUNCTIONS, *POSITIONS])
def test_every_reduction_is_the_loop_over_groups(backend, name):
    for by_shape in BYS:
        for axis in AXES:
            if not (isinstance(axis, tuple) and name in POSITIONS):
                check(backend, name, by_shape, axis, axis in (0, (0, 2)), 2)


@pytest.mark.parametrize("backend", ["jax", "dask", "array_api_strict"])
@pytest.mark.parametrize("name", [*FUNCTIONS, *POSITIONS])
def test_every_reduction_is_the_loop_over_groups_elsewhere(backend, name):
    check(backend, name, (6,), 0, True, 2)
    check(backend, name, (6, 1, 3), None if name in POSITIONS else (0, 2), False, 1)


@backends
@pytest.mark.parametrize("of", [am.cov, am.corrcoef])
def test_matrices_of_groups(backend, of):
    x, mask = data()
    x = np.where(mask, x, np.float32(1.0))
    rows, steps = np.asarray([1, 1, 0, 1, 1, 1], bool), np.asarray([[1, 0, 1, 1]], bool)
    variants = ((0, (6,), rows), ((0, 1), (6, 4), rows), (1, (1, 4), steps))
    for axis, by_shape, mask in variants[:1] if backend == "jax" else variants:
        by = labels(by_shape)
        masks = [leading(mask, by_shape) & (by == g) for g in range(GROUPS)]
        expected = np.stack([of(x, mask=m, axis=axis) for m in masks])
        found = call(of, backend, x, mask=mask, axis=axis, by=by, num_groups=GROUPS)
        # Products of deviations are no larger than those of either variable with itself.
        scale = 1.0 if of is am.corrcoef else np.abs(expected).max(axis=(-2, -1), keepdims=True)
        close(found, expected, np.broadcast_to(scale, expected.shape))
    by, one = labels((6,)), x[:, 0, 0]
    found = call(of, backend, one, by=by, num_groups=GROUPS)
    close(found, np.stack([of(one, mask=by == g) for g in range(GROUPS)]), np.abs(found).max())


@backends
def test_histograms_of_groups_have_the_edges_of_all(backend):
    x, mask = data()
    x = np.where(mask, x, 0.0).astype(np.float32)
    for by_shape in BYS[1:2] if backend == "jax" else BYS[:3]:
        by = labels(by_shape)
        for weights in (None, weights_of("signed")):
            found = call(counts_of, backend, x, weights=weights, by=by, num_groups=GROUPS)
            expected = looped(counts_of, x, by, np.ones(SHAPE, bool), weights=weights)
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)
    by = make(backend, labels((6,)))
    counts, edges = am.histogram(make(backend, x), bins=3, by=by, num_groups=GROUPS)
    whole, same = am.histogram(make(backend, x), bins=3)
    np.testing.assert_array_equal(host(edges), host(same))
    np.testing.assert_array_equal(host(counts).sum(axis=0), host(whole))


def test_groups_are_those_of_scipy_s_labels():
    rng = np.random.default_rng(4)
    x, by = rng.normal(size=(50, 7)), rng.integers(0, 9, (50, 7))
    groups, index = {"by": by, "num_groups": 9}, np.arange(9)
    for ours, theirs in (
        (am.sum, ndimage.sum_labels),
        (am.mean, ndimage.mean),
        (am.var, ndimage.variance),
        (am.std, ndimage.standard_deviation),
        (am.min, ndimage.minimum),
        (am.max, ndimage.maximum),
        (am.median, ndimage.median),
    ):
        expected = np.asarray(theirs(x, by, index))
        size = np.abs(x).sum() if ours is am.sum else np.abs(x).max() ** 2
        close(ours(x, **groups), expected, size, dtype="float64", roundings=100)
    positions = [np.ravel_multi_index(i, x.shape) for i in ndimage.maximum_position(x, by, index)]
    assert am.argmax(x, **groups).tolist() == positions


@backends
def test_an_empty_group_has_the_result_of_nothing(backend):
    x, by = np.asarray([3.0, 1.0, 2.0], np.float32), np.asarray([0, 2, 0])
    for name, (fn, _) in functions(backend).items():
        found = call(fn, backend, x, by=by, num_groups=4)
        nothing = call(fn, "numpy", x, mask=np.zeros(3, bool))
        for group in (1, 3):
            np.testing.assert_array_equal(found[group], nothing, err_msg=name)
    integers = np.asarray([3, 1, 2], np.int32)
    found = call(am.min, backend, integers, by=by, num_groups=3)
    assert found.tolist() == [2, np.iinfo(np.int32).max, 1]
    masked = call(am.mean, backend, x, mask=by != 2, by=by, num_groups=3)
    np.testing.assert_array_equal(masked, [2.5, NAN, NAN])


@backends
def test_groups_of_no_elements_at_all(backend):
    for shape in ((0,), (0, 3)):
        x, by = np.ones(shape, np.float32), np.zeros((0,), np.int32)
        for name, (fn, _) in functions(backend).items():
            found = call(fn, backend, x, axis=0, by=by, num_groups=2)
            alone = call(fn, "numpy", x, axis=0)
            np.testing.assert_array_equal(found, np.stack([alone, alone]), err_msg=name)
        counts = call(counts_of, backend, x, by=by, num_groups=2)
        assert counts.tolist() == [[0] * 3] * 2
    matrices = call(am.cov, backend, np.ones((0, 2)), by=np.zeros(0, np.int32), num_groups=3)
    np.testing.assert_array_equal(matrices, np.full((3, 2, 2), NAN))


@backends
def test_what_is_nan_in_one_group_stays_there(backend):
    x = np.asarray([1.0, NAN, 4.0, 5.0, 6.0], np.float32)
    by = np.asarray([0, 1, 2, 2, 3])
    for name, (fn, _) in FUNCTIONS.items():
        found = call(fn, backend, x, by=by, num_groups=4)
        alone = [call(fn, "numpy", x[by == g]) for g in range(4)]
        close(found, np.stack(alone), np.abs(np.nan_to_num(np.stack(alone), posinf=0.0)))
        if found.dtype.kind == "f" and name != "sum_of_weights":
            assert np.isnan(found[1]).all()
            assert not np.isnan(found[2]).any()


@backends
def test_an_included_label_out_of_range_makes_floats_nan_and_integers_leave_it_out(backend):
    x, by = np.asarray([1.0, 2.0, 4.0, -9.0], np.float32), np.asarray([0, 1, 1, -1])
    groups, kept = {"by": by, "num_groups": 3}, np.asarray([True, True, True, False])
    for name, (fn, _) in functions(backend).items():
        alone = looped(fn, x[:3], by[:3], np.ones(3, bool), 3)
        agree(call(fn, backend, x, mask=kept, **groups), alone, name)
        found = call(fn, backend, x, **groups)
        if found.dtype.kind == "f":
            np.testing.assert_array_equal(found, np.full_like(alone, NAN))
        else:
            agree(found, alone, name)
    integers = x.astype(np.int32)
    assert call(am.sum, backend, integers, **groups).tolist() == [1, 6, 0]
    assert call(am.max, backend, integers, **groups)[:2].tolist() == [1, 4]
    assert call(counts_of, backend, x, **groups).sum(axis=1).tolist() == [1, 2, 0]
    weights = np.ones(4, np.float32)
    assert np.isnan(call(counts_of, backend, x, weights=weights, **groups)).all()
    assert np.isnan(call(am.cov, backend, x, **groups)).all()


STRAYS = {
    "int8": (-1, 3, -128),
    "int32": (-(2**31), 2**31 - 1),
    "uint8": (3, 255),
    "uint64": (3, 2**63, 2**64 - 1),
}


@backends
@pytest.mark.parametrize("dtype", STRAYS)
def test_no_label_of_any_type_lands_in_a_neighbour(backend, dtype):
    x = make(backend, np.asarray([1.0, 2.0, 4.0], np.float32))
    for stray in STRAYS[dtype]:
        with wide(backend, dtype):
            by = make(backend, np.asarray([0, 1, stray], dtype), dtype)
            assert host(am.count(x, by=by, num_groups=3)).tolist() == [1, 1, 0]
            assert np.isnan(host(am.mean(x, by=by, num_groups=3))).all()


@backends
def test_a_stray_label_counts_at_its_own_place_of_the_axes_that_are_kept(backend):
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    by = np.asarray([[0, 0], [1, 7], [1, 1]])
    found = call(am.mean, backend, x, axis=0, by=by, num_groups=2)
    np.testing.assert_array_equal(found, [[0.0, NAN], [3.0, NAN]])
    found = call(am.median, backend, x, axis=0, keepdims=True, by=by, num_groups=2)
    np.testing.assert_array_equal(found, [[[0.0, NAN]], [[3.0, NAN]]])
    matrices = call(am.cov, backend, x[:, :, None], axis=0, by=by, num_groups=2)
    assert np.isnan(matrices).reshape(2, 2).tolist() == [[True, True], [False, True]]


@backends
def test_sums_of_integers_stay_exact_in_each_group(backend):
    with wide(backend):
        x = make(backend, [2**53, 1, 2**53, 2, -7], "int64")
        by = make(backend, [0, 0, 1, 1, 2], "int64")
        found = host(am.sum(x, by=by, num_groups=4))
    assert found.tolist() == [2**53 + 1, 2**53 + 2, -7, 0]


@backends
def test_weights_of_one_group_leave_no_rounding_in_another(backend):
    rng = np.random.default_rng(5)
    x = rng.permutation(24).astype(np.float32)
    by = np.repeat(np.arange(3), 8).astype(np.int32)
    weights = rng.uniform(0.5, 2.0, 24) * np.asarray([1e30, 1.0, 1e-30])[by]
    for q in (0.25, 0.5, 0.875):
        fn = functools.partial(am.quantile, q=q, method="inverted_cdf")
        found = call(fn, backend, x, weights=weights.astype(np.float32), by=by, num_groups=3)
        expected = [
            np.quantile(x[by == g], q, weights=weights[by == g], method="inverted_cdf")
            for g in range(3)
        ]
        np.testing.assert_array_equal(found, expected)
    equal = np.full(24, 0.1, np.float32) * np.asarray([1e30, 1, 1e-30], np.float32)[by]
    found = call(am.median, backend, x, weights=equal, by=by, num_groups=3)
    np.testing.assert_array_equal(found, [np.median(x[by == g]) for g in range(3)])
    weights[[0, 9]] = -1.0, INF
    found = call(am.median, backend, x, weights=weights.astype(np.float32), by=by, num_groups=3)
    assert np.isnan(found).tolist() == [True, True, False]


@backends
def test_a_far_mean_of_one_group_costs_the_others_no_accuracy(backend):
    rng = np.random.default_rng(6)
    x = np.concatenate([rng.normal(0, 1, 500), rng.normal(1e8, 1, 500)])
    by = np.repeat([0, 1], 500)
    with wide(backend):
        groups = {"by": make(backend, by, "int64"), "num_groups": 2}
        found = host(am.var(make(backend, x, "float64"), **groups))
    expected = np.stack([x[:500].var(), x[500:].var()])
    # The residuals of the second are rounded when x is: to 1e8 times eps, which is no fault here.
    close(found, expected, expected, dtype="float64", roundings=500)


@pytest.mark.parametrize("name", ["mean", "var", "logsumexp", "vector_norm", "median"])
def test_gradients_are_those_of_the_loop_and_zero_where_excluded(name):
    fn, (x, mask), by = FUNCTIONS[name][0], data(), labels((6, 4))
    spread = leading(by, SHAPE)
    factors = torch.arange(1.0, 13.0).reshape(4, 3)

    def gradient(of):
        leaf = torch.tensor(x, requires_grad=True)
        (found,) = torch.autograd.grad((of(leaf) * factors).nan_to_num().sum(), leaf)
        return found.numpy()

    tensors = torch.tensor(mask), torch.tensor(by)
    found = gradient(lambda a: fn(a, mask=tensors[0], axis=(0, 1), by=tensors[1], num_groups=4))
    masks = [torch.tensor(mask & (spread == g)) for g in range(4)]
    expected = gradient(
        lambda a: torch.stack([fn(a, mask=m, axis=(0, 1)) for m in masks]),
    )
    assert not found[~mask].any()
    close(found, expected, np.abs(expected).max(), roundings=16)
    jitted = jax.jit(
        jax.grad(
            lambda a: (
                fn(
                    a,
                    mask=jax.numpy.asarray(mask),
                    axis=(0, 1),
                    by=jax.numpy.asarray(by),
                    num_groups=4,
                )
                * jax.numpy.asarray(factors.numpy())
            )[jax.numpy.asarray([0, 1, 3])].sum()
        )
    )
    close(np.asarray(jitted(x)), expected, np.abs(expected).max(), roundings=16)


@pytest.mark.parametrize("name", [*FUNCTIONS, *POSITIONS])
def test_what_is_excluded_or_another_group_s_changes_no_bit(name):
    fn, kind = {**FUNCTIONS, **POSITIONS}[name]
    x, mask = data()
    by, weights = labels(SHAPE), weights_of(kind)
    named = {"mask": mask, "weights": weights, "num_groups": GROUPS}
    clean = call(fn, "numpy", x, by=by, **named)
    garbage, lost = np.where(mask, x, -NAN).astype(np.float32), np.where(mask, by, 99)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert call(fn, "numpy", garbage, by=lost, **named).tobytes() == clean.tobytes()
    others = np.where(by == 0, x, np.float32(3.0))
    again = call(fn, "numpy", others, by=by, **named)
    assert again[:1].tobytes() == clean[:1].tobytes()
