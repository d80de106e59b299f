"""Masks and weights over inputs of several shapes, and what the laws of exclusion see of them."""

import numpy as np
import pytest
from array_api_compat import array_namespace

from agnostic_mask import conformance as c

from .test_author_verdicts import broken


def zeros_where_excluded(x, mask):
    xp = array_namespace(x)
    mask = xp.reshape(mask, mask.shape + (1,) * (x.ndim - mask.ndim))
    return xp.where(mask, x, xp.zeros_like(x))


def sum_of_both(x, y, mask):
    xp = array_namespace(x)
    return xp.sum(zeros_where_excluded(x, mask)) + xp.sum(zeros_where_excluded(y, mask))


def test_one_mask_covers_features_and_targets_of_other_widths():
    checked = c.case(
        sum_of_both,
        x=c.floats((6, 4)),
        y=c.floats((6, 3)),
        mask=c.masks(over=("x", "y"), axes=1),
        laws=[c.excluded_is_absent, c.exclusion_is_removal, c.order_invariant, c.gradient],
    )
    assert broken(checked) == {}


def test_what_is_not_excluded_of_the_wider_input_is_found():
    def forgets_y(x, y, mask):
        xp = array_namespace(x)
        return xp.sum(zeros_where_excluded(x, mask)) + xp.sum(y)

    checked = c.case(
        forgets_y,
        x=c.floats((6, 3)),
        y=c.floats((6, 4)),
        mask=c.masks(over=("x", "y"), axes=1),
        laws=[c.excluded_is_absent],
    )
    assert set(broken(checked)) == {"excluded_is_absent"}


@pytest.mark.parametrize("axes", [1, None])
def test_inputs_that_differ_where_one_mask_covers_them_are_refused(axes):
    with pytest.raises(ValueError, match=r"mask: covers x \(8, 5\), y \(9, 5\) along") as caught:
        c.case(
            sum_of_both,
            x=c.floats((8, 5)),
            y=c.floats((9, 5)),
            mask=c.masks(over=("x", "y"), axes=axes),
        )
    assert "expected the same lengths there" in str(caught.value)


def greatest_or_0(x, mask):
    return array_namespace(x).max(zeros_where_excluded(x, mask))


def sum_and_1_if_all(x, mask):
    xp = array_namespace(x)
    total = xp.sum(zeros_where_excluded(x, mask))
    return xp.where(xp.all(mask), total + 1, total)


def mean_of_rows_that_have_some(x, mask):
    xp = array_namespace(x)
    rows = xp.sum(xp.astype(xp.any(mask, axis=1), x.dtype))
    return xp.sum(zeros_where_excluded(x, mask)) / (rows * x.shape[1])


@pytest.mark.parametrize(
    ("fn", "shape"),
    [
        (greatest_or_0, (8,)),
        (greatest_or_0, (8, 4)),
        (sum_and_1_if_all, (8,)),
        (sum_and_1_if_all, (8, 4)),
        (mean_of_rows_that_have_some, (5, 4)),
    ],
)
def test_removal_is_of_all_that_is_excluded_and_of_each_way_to_exclude(fn, shape):
    checked = c.case(
        fn,
        x=c.floats(shape, -2, -1),
        mask=c.masks(over="x"),
        laws=[c.exclusion_is_removal, c.excluded_is_absent, c.order_invariant],
    )
    assert set(broken(checked)) == {"exclusion_is_removal"}


def greatest(x, mask):
    xp = array_namespace(x)
    return xp.max(xp.where(mask, x, -xp.inf))


def row_means(x, mask):
    xp = array_namespace(x)
    return xp.sum(zeros_where_excluded(x, mask), axis=1) / xp.sum(xp.astype(mask, x.dtype), axis=1)


def scaled_columns(x, scale, mask):
    xp = array_namespace(x)
    return xp.sum(zeros_where_excluded(x * scale[None, :], mask))


@pytest.mark.parametrize(
    ("fn", "shape", "others"),
    [
        (greatest, (8,), {}),
        (greatest, (8, 4), {}),
        (greatest, (6, 4, 3), {}),
        (scaled_columns, (6, 4), {"scale": c.floats(4)}),
    ],
)
def test_right_functions_are_left_alone(fn, shape, others):
    laws = [c.exclusion_is_removal]
    checked = c.case(fn, x=c.floats(shape, -2, -1), mask=c.masks(over="x"), laws=laws, **others)
    assert broken(checked) == {}


def test_a_mask_and_weights_each_exclude_alone():
    def mean_that_counts_zero_weights(x, mask, w):
        xp = array_namespace(x)
        keep = xp.astype(mask, x.dtype)
        return xp.sum(xp.where(mask & (w != 0), x * w, xp.zeros_like(x))) / xp.sum(keep)

    def weighted_mean(x, mask, w):
        xp = array_namespace(x)
        keep = xp.where(mask & (w != 0), w, xp.zeros_like(w))
        return xp.sum(xp.where(keep != 0, x * keep, xp.zeros_like(x))) / xp.sum(keep)

    covers = {"mask": c.masks(over="x"), "w": c.weights(over="x")}
    laws = [c.exclusion_is_removal]
    wrong = c.case(mean_that_counts_zero_weights, x=c.floats(8), laws=laws, **covers)
    assert set(broken(wrong)) == {"exclusion_is_removal"}
    right = c.case(weighted_mean, x=c.floats(8), laws=laws, **covers)
    assert broken(right) == {}


def aligned_from_the_right_where_that_fits(x, mask):
    xp = array_namespace(x)
    if tuple(mask.shape) != tuple(x.shape)[-mask.ndim :]:
        mask = xp.reshape(mask, mask.shape + (1,) * (x.ndim - mask.ndim))
    mask = xp.broadcast_to(mask, x.shape)
    return xp.sum(xp.where(mask, x, xp.zeros_like(x)))


@pytest.mark.parametrize("axes", [1, 2])
def test_the_square_cut_has_all_axes_alike(axes):
    checked = c.case(
        aligned_from_the_right_where_that_fits,
        x=c.floats((6, 4, 3)),
        mask=c.masks(over="x", axes=axes),
        laws=[c.covers_leading_axes],
    )
    assert set(broken(checked)) == {"covers_leading_axes"}


@pytest.mark.parametrize(
    ("fn", "other"),
    [
        (lambda x, w, mask: zeros_where_excluded((x - w) ** 2, mask).sum(), c.floats(6)),
        (lambda x, w, mask: (zeros_where_excluded(x, mask) @ w).sum(), c.floats((6, 2))),
    ],
)
def test_the_square_cut_takes_what_goes_with_columns_along(fn, other):
    checked = c.case(
        fn,
        x=c.floats((4, 6)),
        w=other,
        mask=c.masks(over="x", axes=1),
        laws=[c.covers_leading_axes],
        name="with columns",
    )
    assert broken(checked) == {}


@pytest.mark.parametrize("kind", ["positive", "real", "integer"])
@pytest.mark.parametrize("size", [3, 8])
def test_a_0_is_among_all_weights(kind, size):
    made = c.weights(over="x", kind=kind)
    for seed in range(20):
        weights = made.made(np.random.default_rng(seed), {"x": np.ones(size)})
        assert (weights == 0).any()
