"""Large arrays are reduced in tiles of rows, which show in nothing but memory and time."""

import functools
import itertools
import math
import tracemalloc

import numpy as np
import pytest
import torch

import agnostic_mask as am
from agnostic_mask import _traversal
from agnostic_mask._reductions._plan import Plan
from agnostic_mask._traversal import VARIABLE

from .arrays import host, knowledge, leading, make

SHAPE = (13, 4, 3)
ROWS = 3  # of a tile, where totals are not larger
GROUPS = 3
EXACT = ("count", "min", "max", "any", "all", "norm of inf", "norm of -inf")
FUNCTIONS = {
    **{name: getattr(am, name) for name in ("sum", "mean", "sum_of_weights", "var", "std")},
    **{name: getattr(am, name) for name in ("standard_error", "logsumexp", *EXACT[:5])},
    "var, corrected": functools.partial(am.var, correction=1.0),
    **{
        f"norm of {order}": functools.partial(am.vector_norm, ord=order)
        for order in (0, 1, 2, 3, -1, math.inf, -math.inf)
    },
}
AXES = (None, 0, 1, -1, (0, 1), (0, 2), (1, 2), ())
COVERS = {  # shapes of mask and weights
    "all": (None, None),
    "rows": ((13,), None),
    "elements": (SHAPE, None),
    "weighted rows": ((13, 4), (13,)),
    "weighted": ((13,), SHAPE),
    "one row": ((1, 4), (1, 4, 3)),
}
BYS = (None, (13,), (1, 4), (13, 4, 1))
two = pytest.mark.parametrize("backend", ["numpy", "torch"])


def covers(kind):
    rng = np.random.default_rng(1)
    of_mask, of_weights = COVERS[kind]
    mask = None if of_mask is None else rng.random(of_mask) < 0.7
    weights = None
    if of_weights is not None:
        weights = rng.integers(0, 12, of_weights).astype(np.float32) / 4
    return mask, weights


def data(kind, dtype=np.float32):
    """Numbers, with garbage where the covers exclude them; mask; weights."""
    rng = np.random.default_rng(0)
    mask, weights = covers(kind)
    x = rng.integers(-300, 300, SHAPE)
    if np.dtype(dtype).kind != "f":
        return (x % 100).astype(dtype), mask, weights
    x = (x / 64).astype(dtype)
    kept = np.ones(SHAPE, bool)
    for cover in (mask, weights):
        if cover is not None:
            kept &= leading(cover, SHAPE) != 0
    x[~kept] = rng.choice([np.nan, np.inf, 3e38, -100.0], np.count_nonzero(~kept))
    return x, mask, weights


def labels(shape, *, outside=False):
    drawn = np.random.default_rng(2).integers(0, GROUPS, shape)
    if outside:
        drawn.flat[-1] = GROUPS
    return drawn.astype(np.int32)


def cut(monkeypatch, backend, elements):
    monkeypatch.setattr(type(knowledge(backend)), "tile_elements", elements)


def counted(monkeypatch):
    """Collects where tiles begin."""
    starts, tile = [], Plan.tile

    def counting(plan, start):
        starts.append(start)
        return tile(plan, start)

    monkeypatch.setattr(Plan, "tile", counting)
    return starts


def check(actual, whole, *, exact):
    actual, whole = host(actual), host(whole)
    assert (actual.dtype, actual.shape) == (whole.dtype, whole.shape)
    if exact:
        np.testing.assert_array_equal(actual, whole)
    else:  # sums of float64 in another order, seen through float32
        np.testing.assert_allclose(actual, whole, rtol=2.0**-23)


@two
@pytest.mark.parametrize("kind", COVERS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_tiles_give_the_result_of_the_whole(monkeypatch, name, kind, backend):
    x, mask, weights = (None if a is None else make(backend, a) for a in data(kind))
    for axis, of_by, keepdims in itertools.product(AXES, BYS, (False, True)):
        if keepdims and axis != (0, 2) and axis != 1:
            continue
        by = None if of_by is None else make(backend, labels(of_by))
        groups = None if by is None else GROUPS
        named = {"mask": mask, "weights": weights, "axis": axis, "keepdims": keepdims}
        call = functools.partial(FUNCTIONS[name], x, **named, by=by, num_groups=groups)
        whole = call()
        with monkeypatch.context() as patch:
            cut(patch, backend, ROWS * math.prod(SHAPE[1:]))
            starts = counted(patch)
            check(call(), whole, exact=name in EXACT)
            assert len(set(starts)) > 1
            assert max(starts) < SHAPE[0]


@two
@pytest.mark.parametrize("axis", [None, 0, 1, (1, 2)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_label_out_of_range_shows_as_in_the_whole(monkeypatch, name, axis, backend):
    x, mask, weights = data("weighted rows")
    mask[-1] = True
    weights[-1] = 1.0
    x[-1] = 1.0
    by = labels((13, 4), outside=True)
    x, mask, weights, by = (make(backend, a) for a in (x, mask, weights, by))
    call = functools.partial(
        FUNCTIONS[name], x, mask=mask, weights=weights, axis=axis, by=by, num_groups=GROUPS
    )
    whole = call()
    cut(monkeypatch, backend, 36)
    starts = counted(monkeypatch)
    check(call(), whole, exact=name in EXACT)
    assert len(starts) > 1


@two
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 2)])
@pytest.mark.parametrize("by", [None, (13,)])
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, bool])
def test_sums_of_integers_are_exact(monkeypatch, dtype, by, axis, backend):
    x, mask, _ = data("elements", np.int64)
    x = x * 2**45 if dtype == np.int64 else x.astype(dtype)
    exact = np.where(mask, x, 0).astype(np.int64)
    by = labels(by) if by else None
    expected = exact.sum(axis=axis)
    if by is not None:
        parts = (np.where(leading(by == g, SHAPE), exact, 0) for g in range(GROUPS))
        expected = np.stack([part.sum(axis=axis) for part in parts])
    cut(monkeypatch, backend, 36)
    found = am.sum(
        make(backend, x, dtype),
        mask=make(backend, mask),
        axis=axis,
        by=None if by is None else make(backend, by),
        num_groups=None if by is None else GROUPS,
    )
    assert host(found).dtype == np.int64
    np.testing.assert_array_equal(host(found), expected)


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_number_of_threads_changes_a_bit(monkeypatch, name, axis):
    rng = np.random.default_rng(0)
    x, weights = rng.normal(size=(211, 5)), rng.uniform(size=211)
    mask, by = rng.random((211, 5)) < 0.7, rng.integers(0, GROUPS, 211)
    cut(monkeypatch, "numpy", 20)
    found = []
    for threads in ("1", "2", "4"):
        monkeypatch.setenv(VARIABLE, threads)
        found += [
            FUNCTIONS[name](x, mask=mask, weights=weights, axis=axis),
            FUNCTIONS[name](x, mask=mask, axis=axis, by=by, num_groups=GROUPS),
        ]
    bits = [result.tobytes() for result in found]
    assert bits[:2] == bits[2:4] == bits[4:]


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_a_variance_in_tiles_keeps_to_the_mean_of_all(monkeypatch, axis):
    rng = np.random.default_rng(0)
    # Weights of both signs, of which some tiles' add up to 0.
    weights = np.tile([1.0, -1.0, 3.0, -1.0, 2.0, 1.0, -1.0], 9)
    x = 1e6 + rng.normal(size=(63, 4))
    whole = am.var(x, weights=weights, axis=axis)
    cut(monkeypatch, "numpy", 8)
    # A term carries the roundings of x - mean, of its square and weight, and of a sum of 252
    # terms in another order; the weights' absolute sum is at most 10 / 4 of their sum. Rounding
    # the mean moves the residuals, next to 1, by 1e6 eps, of which the square alone remains.
    eps = np.finfo(np.float64).eps
    terms = 2 * (252 + 4) * 10 / 4 * 16 + 1e6
    np.testing.assert_allclose(am.var(x, weights=weights, axis=axis), whole, rtol=terms * eps)


@two
def test_an_included_nan_comes_through_from_any_tile(monkeypatch, backend):
    x, mask, _ = data("elements")
    x[7, 2, 1], mask[7, 2, 1] = np.nan, True
    x, mask = make(backend, x), make(backend, mask)
    cut(monkeypatch, backend, 12)
    for name in ("sum", "mean", "var", "standard_error", "min", "max", "logsumexp", "norm of 2"):
        assert np.isnan(host(FUNCTIONS[name](x, mask=mask)))
        np.testing.assert_array_equal(
            np.isnan(host(FUNCTIONS[name](x, mask=mask, axis=(1, 2)))), np.arange(13) == 7
        )
        at = np.isnan(host(FUNCTIONS[name](x, mask=mask, axis=0)))
        np.testing.assert_array_equal(np.argwhere(at), [[2, 1]])


@pytest.mark.parametrize("axis", [None, 1])
def test_what_is_passed_is_turned_to_other_dtypes_in_tiles_too(monkeypatch, axis):
    rng = np.random.default_rng(0)
    x, mask = rng.normal(size=(40, 6)).astype(np.float16), rng.integers(0, 2, (40, 6), np.int8)
    weights = rng.random((40, 6)) < 0.5
    whole = [FUNCTIONS[n](x, mask=mask, weights=weights, axis=axis) for n in ("mean", "min")]
    cut(monkeypatch, "numpy", 18)
    for name, expected in zip(("mean", "min"), whole, strict=True):
        found = FUNCTIONS[name](x, mask=mask, weights=weights, axis=axis)
        assert found.dtype == np.float32
        check(found, expected, exact=name in EXACT)


def peak(call):
    """Memory in use at most during a call, beyond what its result needs."""
    call()
    tracemalloc.start()
    try:
        result = call()
        return tracemalloc.get_traced_memory()[1] - result.nbytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("axis", [None, 1])
@pytest.mark.parametrize("name", ["mean", "var", "standard_error", "logsumexp", "norm of 3"])
def test_memory_does_not_grow_with_the_array(monkeypatch, name, axis, grouped):
    cut(monkeypatch, "numpy", 2**10)
    monkeypatch.setattr(_traversal, "_keep_pages", lambda: None)  # asks for more than it uses
    monkeypatch.setenv(VARIABLE, "1")
    peaks = []
    for rows in (2**12, 2**14):
        x, mask = np.ones((rows, 8), np.float16), np.ones((rows, 8), np.int8)
        by = {"by": np.zeros((rows, 8), np.int8), "num_groups": 1} if grouped else {}
        peaks.append(peak(lambda: FUNCTIONS[name](x, mask=mask, axis=axis, **by)))  # noqa: B023
    assert peaks[0] < 32 * 2**10 * 8  # 32 temporaries of float64, of the size of a tile
    assert peaks[1] < peaks[0] + 2**14  # where x alone has 2**17 elements, not 2**15


def test_nothing_is_cut_that_a_gradient_watches(monkeypatch):
    x = torch.arange(12.0).reshape(6, 2).requires_grad_()
    cut(monkeypatch, "torch", 4)
    starts = counted(monkeypatch)
    (gradient,) = torch.autograd.grad(am.mean(x), x)
    assert torch.equal(gradient, torch.full((6, 2), 1 / 12))
    rows = torch.func.vmap(lambda rows: am.sum(rows, axis=1))(torch.ones(2, 6, 2))
    assert torch.equal(rows, torch.full((2, 6), 2.0))
    assert starts == []
    am.mean(x.detach())
    assert starts != []


def test_results_are_no_views_and_inputs_stay(monkeypatch):
    x = np.arange(12.0).reshape(6, 2)
    x.flags.writeable = False
    cut(monkeypatch, "numpy", 4)
    found = am.sum(x, axis=())
    assert not np.shares_memory(found, x)
    np.testing.assert_array_equal(found, x)


def test_mistakes_are_named_as_of_the_whole(monkeypatch):
    cut(monkeypatch, "numpy", 4)
    x = np.ones((6, 2))
    with pytest.raises(am.UnsupportedArrayError, match="by has dtype float64"):
        am.sum(x, by=np.zeros(6), num_groups=2)
    with pytest.raises(am.ShapeMismatchError, match=r"mask has shape \(5,\) and x shape \(6, 2\)"):
        am.sum(x, mask=np.ones(5, bool))
    with pytest.raises(am.UnsupportedArrayError, match="mask has dtype float64"):
        am.sum(x, mask=np.ones(6))
    monkeypatch.setenv(VARIABLE, "none")
    with pytest.raises(ValueError, match=VARIABLE):
        am.sum(x)


def test_groups_that_outweigh_the_tiles_make_these_longer(monkeypatch):
    cut(monkeypatch, "numpy", 4)
    starts = counted(monkeypatch)
    by = np.arange(60) % 10
    np.testing.assert_array_equal(
        am.sum(np.ones((60, 1), int), by=by, num_groups=10), np.full(10, 6)
    )
    assert starts == [0, 40]
