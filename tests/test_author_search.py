"""Cases whose inputs hypothesis draws: a failure shows the smallest, a right function passes."""

import re

import numpy as np
import pytest
from array_api_compat import array_namespace
from hypothesis import strategies
from hypothesis.extra.numpy import array_shapes, arrays

from agnostic_mask import conformance as c
from agnostic_mask.conformance._row import FAILED, PASSED

NUMBERS = strategies.floats(-4, 4, width=32)
ROWS = arrays(np.float64, (3, 2), elements=NUMBERS)
ANY_SHAPE = arrays(np.float64, array_shapes(max_dims=2, max_side=3), elements=NUMBERS)


def total(x):
    return array_namespace(x).sum(x)


def exact_total(x):
    return np.sum(x)


def norm(x):
    xp = array_namespace(x)
    return xp.sqrt(xp.sum(x * x))


def total_below_two(x):
    """Wrong as soon as a number is 2 or more."""
    xp = array_namespace(x)
    return xp.sum(xp.where(x < 2, x, xp.full_like(x, 2)))


def masked_mean(x, mask):
    xp = array_namespace(x)
    m = xp.broadcast_to(mask[:, None], x.shape)
    return xp.sum(xp.where(m, x, xp.zeros_like(x))) / xp.sum(xp.astype(m, x.dtype))


def product_mean(x, mask):
    xp = array_namespace(x)
    m = xp.broadcast_to(mask[:, None], x.shape)
    return xp.sum(x * xp.astype(m, x.dtype)) / xp.sum(xp.astype(m, x.dtype))


def last(x):
    return x[-1, ...]


def report(case, *, backends=("numpy",), seed=0):
    return c.report(case, backends=list(backends), dtypes=["float32"], seed=seed)


def failures(found):
    return {row.law: row.reason for row in found.rows if row.outcome == FAILED}


# A plain norm is wrong of numbers whose squares underflow, which a search finds.
SIXTY_FOURTHS = strategies.integers(-256, 256).map(lambda n: n / 64)
SHAPES = {"one shape": (3, 2), "any shape": array_shapes(max_dims=2, max_side=3)}


@pytest.mark.parametrize(
    "drawn",
    [arrays(np.float64, shape, elements=SIXTY_FOURTHS) for shape in SHAPES.values()],
    ids=SHAPES,
)
@pytest.mark.parametrize("fn", [total, norm])
def test_a_right_function_passes_for_all_that_is_drawn(fn, drawn):
    found = report(c.case(fn, x=drawn))
    assert not found.failed, str(found)
    assert {row.law for row in found.rows if row.outcome == PASSED} >= {"matches_oracle"}


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_failure_shows_the_smallest_inputs(backend):
    found = report(c.case(total_below_two, x=ANY_SHAPE, oracle=exact_total), backends=[backend])
    says = failures(found)["matches_oracle"]
    assert says.startswith("the result is 2.0; expected 3.0, ")
    assert says.endswith("(smallest inputs: x=array([3.]))")


def test_the_same_seed_finds_the_same():
    checked = c.case(total_below_two, x=ROWS, oracle=exact_total)
    first, again = (report(checked, seed=3).rows for _ in range(2))
    assert first == again
    assert failures(report(checked, seed=3))


def test_another_seed_draws_other_inputs():
    seen = []

    def watched(x):
        if isinstance(x, np.ndarray) and x.dtype == np.float32:
            seen.append(x.tobytes())
        return total(x)

    drawn = []
    for seed in (0, 0, 1):
        seen.clear()
        report(c.case(watched, x=ROWS), seed=seed)
        drawn.append(tuple(seen))
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_the_largest_share_of_the_bound_is_that_of_the_worst_inputs():
    checked = c.case(total, x=ROWS)
    shares = {row.share for row in report(checked).rows if row.law == "matches_oracle"}
    assert 0 < max(shares) < 1


def test_laws_of_exclusion_are_searched_too():
    laws = [c.excluded_is_absent, c.exclusion_is_removal, c.order_invariant, c.layout_invariant]
    mask = c.masks(over="x", axes=1)
    assert not failures(report(c.case(masked_mean, x=ROWS, mask=mask, laws=laws)))
    found = failures(report(c.case(product_mean, x=ROWS, mask=mask, laws=laws)))
    assert set(found) == {"excluded_is_absent"}
    says = found["excluded_is_absent"]
    assert "garbage in excluded places gives array(nan" in says
    assert "smallest inputs: x=array([[0., 0.],\n       [0., 0.],\n       [0., 0.]]), mask=" in says


def test_what_depends_on_order_is_shown_by_two_different_rows():
    found = failures(report(c.case(last, x=ROWS, laws=[c.order_invariant])))
    assert set(found) == {"order_invariant"}
    shown = found["order_invariant"].partition("smallest inputs: x=")[2]
    assert set(re.findall(r"\d\.", shown)) == {"0.", "1."}


def test_gradients_are_searched():
    def clipped_late(x):
        clipped = array_namespace(x).where(x < 2, x, array_namespace(x).full_like(x, 2))
        return total(x + (clipped - x).detach()) if hasattr(x, "detach") else total(clipped)

    some = arrays(np.float64, (2,), elements=strategies.floats(0.125, 4, width=16))
    right = c.case(norm, x=some, laws=[c.gradient])
    assert not failures(report(right, backends=["torch"]))
    wrong = c.case(clipped_late, x=some, laws=[c.gradient], oracle=lambda x: np.minimum(x, 2).sum())
    says = failures(report(wrong, backends=["torch"]))
    assert set(says) == {"gradient"}
    assert "the gradient of x is [1. 1.]; expected " in says["gradient"]


def test_two_inputs_may_be_drawn_beside_one_that_is_made():
    def weighted(x, w, y):
        return array_namespace(x).sum(x * w[:, None]) + array_namespace(x).sum(y)

    w = arrays(np.float64, 3, elements=NUMBERS)
    found = report(c.case(weighted, x=ROWS, w=w, y=c.floats(4)))
    assert not found.failed, str(found)


def test_integers_may_be_drawn():
    def counted(x, labels):
        xp = array_namespace(x)
        return xp.sum(xp.where(labels[:, None] == 1, x, xp.zeros_like(x)))

    labels = arrays(np.int32, 3, elements=strategies.integers(0, 2))
    assert not report(c.case(counted, x=ROWS, labels=labels)).failed


def test_an_error_of_the_function_shows_the_smallest_inputs_too():
    def refuses(x):
        if (x > 1).any():
            raise ValueError("too large")
        return total(x)

    says = failures(report(c.case(refuses, x=ANY_SHAPE, oracle=exact_total)))["matches_oracle"]
    assert says == "ValueError: too large (smallest inputs: x=array([2.]))"
