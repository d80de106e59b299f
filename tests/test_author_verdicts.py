"""What is held against a function, and what is not."""

import html
import importlib.util
import json

import numpy as np
import pytest
import scipy
from array_api_compat import array_namespace

from agnostic_mask import conformance as c
from agnostic_mask.conformance import _choice
from agnostic_mask.conformance._row import FAILED

X = c.floats((8, 5), -3, 3)


def total(x):
    return array_namespace(x).sum(x, axis=0)


def broken(checked, backends=("numpy", "torch")):
    report = c.report(checked, backends=list(backends), dtypes=["float32"])
    return {row.law: row.reason for row in report.rows if row.outcome == FAILED}


def test_a_wrong_value_is_told_by_the_oracle_alone():
    def off(x):
        return total(x) + 1e-3

    laws = [c.order_invariant, c.layout_invariant, c.compiles]
    found = broken(c.case(off, x=X, oracle=lambda x: x.sum(axis=0), laws=laws))
    assert set(found) == {"matches_oracle"}


def test_the_oracle_is_asked_of_a_mask_as_it_is_declared():
    shapes = set()

    def oracle(x, mask):
        shapes.add(mask.ndim)
        return np.where(mask[:, None], x, 0).sum()

    def masked(x, mask):
        xp = array_namespace(x, mask)
        spread = xp.reshape(mask, mask.shape + (1,) * (x.ndim - mask.ndim))
        return xp.sum(xp.where(spread, x, xp.zeros_like(x)))

    mask = c.masks(over="x", axes=1)
    checked = c.case(masked, x=X, mask=mask, oracle=oracle, laws=[c.covers_leading_axes])
    assert broken(checked) == {}
    assert shapes == {1}


def test_rows_that_are_all_excluded_are_tried():
    def mean(x, mask, *, safe):
        xp = array_namespace(x, mask)
        kept = xp.sum(xp.where(mask[:, None], x, xp.zeros_like(x)))
        n = xp.sum(xp.astype(mask, x.dtype)) * x.shape[1]
        return kept / (xp.where(n == 0, xp.ones_like(n), n) if safe else n)

    def case(safe):
        return c.case(
            mean,
            x=X,
            mask=c.masks(over="x", axes=1),
            safe=safe,
            oracle=lambda x, mask: x[mask].mean() if mask.any() and x.size else 0.0,
            laws=[c.holds_for_degenerate],
        )

    assert broken(case(safe=True)) == {}
    assert "of no rows" in broken(case(safe=False))["holds_for_degenerate"]


def test_what_overflows_in_the_float_type_is_rightly_infinite():
    def grown(x):
        return array_namespace(x).exp(x)

    assert broken(c.case(grown, x=c.floats((8,), 80, 200), oracle=np.exp)) == {}


def test_inputs_have_the_names_that_the_function_has_for_them():
    def changed(x, w):
        w[...] = 1.0
        return array_namespace(x).sum(x * w)

    found = broken(c.case(changed, x=c.floats((4,)), w=c.weights(over="x")), backends=["torch"])
    assert "the call left w changed" in found["inputs_untouched"]


def test_a_law_returns_no_truth_value():
    @c.law
    def is_positive(run):
        """The result is above 0."""
        return bool((run.call(run.inputs()[1]) > 0).all())

    found = broken(c.case(total, x=X, laws=[is_positive]))
    assert "c.ViolationError" in found["is_positive"]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: c.law(3), "no function"),
        (lambda: c.case(total, x=X, not_applicable={c.dtype_kept: ""}), "has no reason"),
        (
            lambda: c.case(total, x=X, laws=[c.law(named("gradient"))] * 2 + [c.gradient]),
            "two laws",
        ),
        (lambda: c.report(c.case(total, x=X), c.case(total, x=X)), "2 cases are called total"),
    ],
)
def test_names_and_reasons_are_asked_for(make, says):
    with pytest.raises((TypeError, ValueError), match=says):
        make()


def named(name):
    def check(run):
        return None

    check.__name__ = name
    return check


def test_bfloat16_without_ml_dtypes_is_refused_at_once(monkeypatch):
    _choice.check_dtypes(["bfloat16"])
    monkeypatch.setattr(_choice, "find_spec", lambda name: None)
    assert importlib.util.find_spec("ml_dtypes") is not None
    with pytest.raises(ValueError, match="pip install ml_dtypes"):
        _choice.check_dtypes(["bfloat16"])


def test_a_lazy_framework_gets_no_task_for_each_of_many_rows():
    def looped(x):
        found = x[0, ...]
        for i in range(1, x.shape[0]):
            found = found + x[i, ...]
        return found

    report = c.report(c.case(looped, x=X, laws=[c.accumulates_wide]), backends=["dask"])
    rows = [row for row in report.rows if row.law == "accumulates_wide"]
    assert {row.outcome for row in rows} == {"not applicable"}


def centred(x, mask):
    xp = array_namespace(x, mask)
    kept = xp.where(mask[:, None], x, xp.zeros_like(x))
    n = xp.sum(xp.astype(mask, x.dtype))
    return xp.where(mask[:, None], kept - xp.sum(kept, axis=0) / n, kept)


def standardised(x, weights):
    xp = array_namespace(x, weights)
    w = xp.astype(weights, x.dtype)[:, None]
    return x - xp.sum(x * w, axis=0) / xp.sum(w)


MOVED = "it has a place for each row, and the law is for results that have none; leave it out"


def test_a_law_of_moved_rows_says_that_it_is_not_for_results_with_rows():
    masked = c.case(
        centred,
        x=X,
        mask=c.masks(over="x", axes=1),
        laws=[c.order_invariant, c.exclusion_is_removal],
    )
    assert broken(masked, ["numpy"]) == {
        "order_invariant": f"in another order the result has its rows in that order too: {MOVED}",
        "exclusion_is_removal": "with excluded elements added or left out the result has 10 rows: "
        + MOVED,
    }
    weighted = c.case(
        standardised,
        x=X,
        weights=c.weights(over="x", axes=1, kind="integer"),
        laws=[c.weight_is_repetition],
    )
    assert broken(weighted, ["numpy"])["weight_is_repetition"].endswith(MOVED)


def test_a_wrong_order_of_a_result_with_rows_is_no_matter_of_places():
    def first_taken(x):
        return x - x[:1, :]

    found = broken(c.case(first_taken, x=X, laws=[c.order_invariant]), ["numpy"])
    assert MOVED not in found["order_invariant"]
    assert "elements that are off; expected" in found["order_invariant"]


def test_of_many_elements_the_worst_is_shown():
    def off(x):
        xp = array_namespace(x)
        row = xp.arange(8, dtype=x.dtype)[:, None]
        return x + xp.where((row == 3) | (row == 5), 0.01 * row, xp.zeros_like(row))

    says = broken(c.case(off, x=np.ones((8, 5)), oracle=lambda x: x), ["numpy"])
    assert says["matches_oracle"].startswith(
        "the result is 1.05 at [5, 0], the worst of 10 of 40 elements that are off; "
        "expected 1.0, at most "
    )


def test_of_many_bits_the_first_that_differ_are_shown():
    def cleared(x):
        x[2:4, 1] = -0.0
        return array_namespace(x).sum(x, axis=0)

    says = broken(c.case(cleared, x=np.zeros((8, 5))), ["numpy"])
    assert says["inputs_untouched"] == (
        "the call left x changed: it gives np.float32(-0.0) at [2, 1], the first of 2 elements "
        "that differ; expected the bits of np.float32(0.0)"
    )


def test_a_report_names_the_version_of_the_package_under_test(tmp_path):
    report = c.report(c.case(scipy.special.softmax, x=X), backends=["numpy"])
    report.write(tmp_path / "report.json")
    found = json.loads((tmp_path / "report.json").read_text())["versions"]
    assert found["scipy"] == scipy.__version__
    assert f"scipy {scipy.__version__}" in html.unescape(report.markdown())
