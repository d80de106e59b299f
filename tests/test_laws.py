"""Laws of what a function computes: for each a function that keeps it, and one that breaks it."""

import numpy as np
import pytest
from array_api_compat import array_namespace

from agnostic_mask import conformance as c
from agnostic_mask.conformance import laws
from agnostic_mask.conformance._row import FAILED, NOT_APPLICABLE

from . import test_laws_framework as framework
from .test_laws_framework import (
    MASKED,
    Pair,
    X,
    check_broken_alone,
    check_kept,
    masked_mean,
    names,
    outcomes,
)

V = c.floats(8, low=-1, high=1)
COUNTED = {"x": V, "weights": c.weights(over="x", kind="integer")}
WEIGHTED = {"x": V, "weights": c.weights(over="x")}


def product_mean(x, mask):
    xp = array_namespace(x)
    m = xp.astype(mask, x.dtype)[:, None]
    return xp.sum(x * m) / (xp.sum(m) * x.shape[1])


def mean_over_all_rows(x, mask):
    xp = array_namespace(x)
    return xp.mean(xp.where(mask[:, None], x, xp.zeros_like(x)))


def error_of_mean(x, weights):
    xp = array_namespace(x)
    w = xp.astype(weights, x.dtype)
    n = xp.sum(w)
    mean = xp.sum(w * x) / n
    return xp.sqrt(xp.sum(w * (x - mean) ** 2) / n / n)


def error_of_mean_of_rows(x, weights):
    xp = array_namespace(x)
    w = xp.astype(weights, x.dtype)
    mean = xp.sum(w * x) / xp.sum(w)
    return xp.sqrt(xp.sum(w * (x - mean) ** 2) / xp.sum(w) / x.shape[0])


def average(x, weights):
    xp = array_namespace(x)
    return xp.sum(weights * x) / xp.sum(weights)


def average_with_epsilon(x, weights):
    xp = array_namespace(x)
    return xp.sum(weights * x) / (xp.sum(weights) + 1e-6)


def mean_distance(x):
    xp = array_namespace(x)
    return xp.mean(xp.abs(x - xp.mean(x, axis=0)))


def mean_change(x):
    xp = array_namespace(x)
    return xp.mean(xp.abs(x[1:, ...] - x[:-1, ...]))


def logsumexp(x):
    xp = array_namespace(x)
    if x.shape[0] == 0:
        return xp.full(x.shape[1:], -xp.inf, dtype=x.dtype)
    return logsumexp_of_some(x)


def logsumexp_of_some(x):
    xp = array_namespace(x)
    greatest = xp.max(x, axis=0)
    return greatest + xp.log(xp.sum(xp.exp(x - greatest), axis=0))


def sample_variance(x):
    xp = array_namespace(x)
    if x.shape[0] < 2:
        return xp.full(x.shape[1:], xp.nan, dtype=x.dtype)
    return xp.var(x, axis=0, correction=1)


def sample_variance_never_of_nothing(x):
    xp = array_namespace(x)
    deviations = x - xp.mean(x, axis=0)
    return xp.sum(deviations**2, axis=0) / max(x.shape[0] - 1, 1)


def sum_of_logs(x, mask):
    xp = array_namespace(x)
    return xp.sum(xp.log(xp.where(mask[:, None], x, xp.ones_like(x))))


def sum_of_logs_chosen_late(x, mask):
    xp = array_namespace(x)
    return xp.sum(xp.where(mask[:, None], xp.log(x), xp.zeros_like(x)))


def clipped_mean(x):
    xp = array_namespace(x)
    return xp.mean(xp.where(x < 5, x, xp.full_like(x, 5)))


def straight_through_mean(x):
    xp = array_namespace(x)
    clipped = xp.where(x < 5, x, xp.full_like(x, 5))
    if hasattr(x, "detach"):
        clipped = x + (clipped - x).detach()
    return xp.mean(clipped)


def wide_column_means(x):
    xp = array_namespace(x)
    return xp.astype(xp.mean(xp.astype(x, xp.float64), axis=0), x.dtype)


def column_means(x):
    return array_namespace(x).mean(x, axis=0)


def mean_of_covered(x, mask):
    xp = array_namespace(x)
    mask = xp.reshape(mask, mask.shape + (1,) * (x.ndim - mask.ndim))
    return mean_of_broadcast(xp, x, mask)


def mean_of_covered_by_size(x, mask):
    xp = array_namespace(x)
    if mask.shape[-1] != x.shape[-1]:
        mask = mask[:, None]
    return mean_of_broadcast(xp, x, mask)


def mean_of_broadcast(xp, x, mask):
    m = xp.broadcast_to(mask, x.shape)
    return xp.sum(xp.where(m, x, xp.zeros_like(x))) / xp.sum(xp.astype(m, x.dtype))


def oracle_of_logsumexp(x):
    return np.log(np.sum(np.exp(x), axis=0))


def oracle_of_variance(x):
    return np.var(x, axis=0, ddof=1) if len(x) > 1 else np.full(x.shape[1:], np.nan)


PAIRS = [
    Pair(
        c.excluded_is_absent,
        masked_mean,
        product_mean,
        "numpy",
        "garbage in excluded places gives array(nan",
        inputs=MASKED,
        beside=(c.exclusion_is_removal, c.order_invariant, c.layout_invariant),
    ),
    Pair(
        c.exclusion_is_removal,
        masked_mean,
        mean_over_all_rows,
        "numpy",
        "with excluded elements added or left out the result is ",
        inputs=MASKED,
        beside=(c.excluded_is_absent, c.order_invariant, c.holds_for_degenerate),
    ),
    Pair(
        c.weight_is_repetition,
        error_of_mean,
        error_of_mean_of_rows,
        "numpy",
        "with elements repeated the result is ",
        inputs=COUNTED,
        beside=(c.order_invariant, c.layout_invariant),
    ),
    Pair(
        c.scale_invariant,
        average,
        average_with_epsilon,
        "numpy",
        "with weights times 2**-20 it is ",
        inputs=WEIGHTED,
        beside=(c.order_invariant, c.exclusion_is_removal),
    ),
    Pair(
        c.order_invariant,
        mean_distance,
        mean_change,
        "numpy",
        "in another order the result is ",
        beside=(c.layout_invariant, c.thread_safe),
    ),
    Pair(
        c.holds_for_degenerate,
        logsumexp,
        logsumexp_of_some,
        "numpy",
        "of no rows the result is not there: ValueError: zero-size array",
        inputs={"x": X, "oracle": oracle_of_logsumexp},
        beside=(c.order_invariant, c.layout_invariant),
    ),
    Pair(
        c.holds_for_degenerate,
        sample_variance,
        sample_variance_never_of_nothing,
        "numpy",
        "of a single row the result is 0.0 at [0], the worst of 5 of 5 elements that are off; "
        "expected nan",
        inputs={"x": X, "oracle": oracle_of_variance},
        beside=(c.order_invariant, c.layout_invariant),
    ),
    Pair(
        c.gradient,
        sum_of_logs,
        sum_of_logs_chosen_late,
        "torch",
        "garbage in excluded places, in the gradient of x gives ",
        inputs=MASKED,
        beside=(c.excluded_is_absent, c.exclusion_is_removal, c.order_invariant),
    ),
    Pair(
        c.gradient,
        clipped_mean,
        straight_through_mean,
        "torch",
        "the gradient of x is ",
        # With the tensor's own `detach` there is nothing to run in higher precision.
        inputs={"x": X, "oracle": lambda x: np.mean(np.minimum(x, 5))},
        beside=(c.order_invariant, c.holds_for_degenerate),
    ),
    Pair(
        c.accumulates_wide,
        wide_column_means,
        column_means,
        "numpy",
        "of 4096 times the rows the result is ",
        beside=(c.order_invariant, c.layout_invariant),
    ),
    Pair(
        c.covers_leading_axes,
        mean_of_covered,
        mean_of_covered_by_size,
        "numpy",
        "with mask of leading axes, and not at full shape, the result is ",
        inputs=MASKED,
        beside=(c.excluded_is_absent, c.exclusion_is_removal, c.order_invariant),
    ),
]

EXEMPT = {
    "cut_invariant": "only metrics of four verbs have parts; test_planted.py has what breaks it"
}


@pytest.mark.parametrize("pair", PAIRS, ids=names(PAIRS))
def test_a_function_that_keeps_a_law_passes(pair):
    check_kept(pair)


@pytest.mark.parametrize("pair", PAIRS, ids=names(PAIRS))
def test_a_function_that_breaks_a_law_fails_it_alone(pair):
    check_broken_alone(pair)


def test_each_law_has_a_function_that_keeps_it_and_one_that_breaks_it():
    public = {x.name for x in (getattr(c, name) for name in c.__all__) if isinstance(x, c.Law)}
    every = public | {law.name for law in laws.LAWS}
    tried = {pair.law.name for pair in (*PAIRS, *framework.PAIRS)}
    assert tried | set(EXEMPT) == every
    assert not tried & set(EXEMPT)


def test_the_square_cut_excludes_something_whatever_the_seed():
    checked = c.case(mean_of_covered_by_size, laws=[c.covers_leading_axes], **MASKED)
    for seed in range(20):
        report = c.report(checked, backends=["numpy"], dtypes=["float64"], seed=seed)
        assert outcomes(report, FAILED) == {"covers_leading_axes"}, seed


def test_the_square_cut_keeps_the_rows_of_inputs_that_are_not_covered():
    def mean_square(x, y, mask):
        xp = array_namespace(x)
        return mean_of_covered((x - y[:, None]) ** 2, xp.asarray(mask))

    checked = c.case(
        mean_square,
        x=X,
        y=c.floats(8),
        mask=c.masks(over="x", axes=1),
        laws=[c.covers_leading_axes],
    )
    assert not c.report(checked, backends=["numpy"]).failed


@pytest.mark.parametrize("shape", [(3,), (), (8, 5), (5,)])
def test_gradients_of_inputs_that_no_mask_covers_are_right(shape):
    def penalised(x, w, mask):
        xp = array_namespace(x)
        return masked_mean(x, mask) + xp.sum(w * w)

    checked = c.case(penalised, x=X, w=c.floats(shape), mask=framework.ROWS, laws=[c.gradient])
    report = c.report(checked, backends=["torch"], dtypes=["float32"])
    assert not report.failed, str(report)


def test_gradients_of_inputs_of_several_shapes_need_no_mask():
    def affine(x, w, b):
        return array_namespace(x).sum(x @ w + b)

    checked = c.case(affine, x=X, w=c.floats((5, 2)), b=c.floats(2), laws=[c.gradient])
    report = c.report(checked, backends=["torch"], dtypes=["float32"])
    assert not report.failed, str(report)


def test_a_numeric_warning_of_a_right_result_is_no_failure():
    def ratio_of_sums(x):
        xp = array_namespace(x)
        return xp.sum(x) / xp.sum(xp.ones_like(x))  # of no rows 0 / 0

    checked = c.case(
        ratio_of_sums,
        x=X,
        oracle=lambda x: np.mean(x) if x.size else np.nan,
        laws=[c.holds_for_degenerate],
    )
    report = c.report(checked, backends=["numpy", "array_api_strict"])
    assert not report.failed, str(report)


def test_a_law_that_does_not_apply_says_why():
    checked = c.case(masked_mean, laws=[c.compiles, c.gradient], **MASKED)
    report = c.report(checked, backends=["numpy"], dtypes=["float32"])
    reasons = {row.law: row.reason for row in report.rows if row.outcome == NOT_APPLICABLE}
    assert reasons.pop("nothing_hidden")
    assert reasons == {
        "compiles": "the framework has no compiler of whole functions",
        "gradient": "the framework has no automatic differentiation",
    }
