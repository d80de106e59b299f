"""Each thing that a law tries is needed: a function that breaks it there, and nowhere else."""

import numpy as np
import pytest
from array_api_compat import array_namespace
from hypothesis import strategies
from hypothesis.extra.numpy import arrays

from agnostic_mask import conformance as c

from .test_author_verdicts import broken

X = c.floats((8, 5), 0.5, 3)
ROWS = c.masks(over="x", axes=1)


def lends_its_input(x):
    xp = array_namespace(x)
    x += 1  # and gives it back as it was: of these numbers no bit is lost
    found = xp.sum(x, axis=0)
    x -= 1
    return found


def reads_bytes(x):
    return np.frombuffer(x.tobytes(), dtype=f"f{x.itemsize}").reshape(x.shape).sum(axis=0)


def reads_memory_in_order(x):
    if x.strides[0] < 0:
        return x[::-1].ravel(order="K")[: x.shape[1]] + 0
    return x[0] + 0


@pytest.mark.parametrize(
    ("fn", "says"),
    [
        (lends_its_input, "is not there: ValueError: output array is read-only"),
        (reads_bytes, "elements that are off"),
        (reads_memory_in_order, "elements that are off"),
    ],
)
def test_each_layout_is_tried(fn, says):
    x = np.arange(1.0, 41.0).reshape(8, 5)
    found = broken(c.case(fn, x=x, oracle=fn, laws=[c.layout_invariant]), ["numpy"])
    assert set(found) == {"layout_invariant"}
    assert found["layout_invariant"].startswith("of inputs in another layout the result ")
    assert says in found["layout_invariant"]


def test_a_layout_keeps_0_axes():
    right = c.case(
        lambda a, t: a * t,
        a=c.floats(()),
        t=np.asarray(2.0),
        laws=[c.layout_invariant],
        name="product",
    )
    assert broken(right, ["numpy"]) == {}


def keeps(x, mask):
    xp = array_namespace(x)
    return xp.where(mask[:, None], x, xp.zeros_like(x))


def warns_of_what_is_excluded(x, mask):
    xp = array_namespace(x)
    return xp.sum(xp.where(mask[:, None], xp.log(x), xp.zeros_like(x)))


def knows_nan_alone(x, mask):
    xp = array_namespace(x)
    clean = xp.where(xp.isnan(x), xp.zeros_like(x), x)
    return xp.sum(clean * xp.astype(mask, x.dtype)[:, None])


def knows_what_is_finite(x, mask):
    xp = array_namespace(x)
    least = xp.min(xp.where(xp.isfinite(x), x, xp.zeros_like(x)))
    return xp.sum(keeps(x, mask)) + xp.astype(least < -50, x.dtype)


@pytest.mark.parametrize("fn", [warns_of_what_is_excluded, knows_nan_alone, knows_what_is_finite])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_each_kind_of_garbage_is_tried_and_warnings_are_seen(fn):
    found = broken(c.case(fn, x=X, mask=ROWS, laws=[c.excluded_is_absent]), ["numpy"])
    assert set(found) == {"excluded_is_absent"}


def test_labels_hold_garbage_too():
    def chosen(x, labels, mask):
        xp = array_namespace(x)
        scores = xp.take_along_axis(x, labels[:, None], axis=1)[:, 0]
        return xp.sum(xp.where(mask, scores, xp.zeros_like(scores)))

    covers = c.masks(over=("labels", "x"), axes=1)
    checked = c.case(
        chosen, x=X, labels=c.integers(8, 0, 5), mask=covers, laws=[c.excluded_is_absent]
    )
    assert set(broken(checked, ["numpy"])) == {"excluded_is_absent"}


@pytest.mark.parametrize("limit", [5.0, 500.0])
def test_each_scale_is_tried(limit):
    def mean(x, w):
        xp = array_namespace(x)
        w = xp.where(w > limit, limit, w)
        return xp.sum(x * w) / xp.sum(w)

    checked = c.case(mean, x=c.floats(8, 0, 1), w=c.weights(over="x"), laws=[c.scale_invariant])
    assert set(broken(checked, ["numpy"])) == {"scale_invariant"}


def test_right_means_of_float16_do_not_overflow_when_weights_are_scaled():
    def mean(x, w):
        xp = array_namespace(x)
        return xp.sum(x * w) / xp.sum(w)

    checked = c.case(mean, x=c.floats(40, 0, 1), w=c.weights(over="x"), laws=[c.scale_invariant])
    report = c.report(checked, backends=["numpy", "torch"], dtypes=["float16"])
    assert not report.failed, str(report)


def test_rows_that_are_all_excluded_are_a_thing_of_their_own():
    def mean_or_0(x, mask):
        xp = array_namespace(x)
        if x.shape[0] == 0:
            return xp.full((), xp.nan, dtype=x.dtype)
        count = xp.sum(xp.astype(mask, x.dtype)) * x.shape[1]
        return xp.sum(keeps(x, mask)) / xp.where(count == 0, xp.ones_like(count), count)

    def oracle(x, mask):
        return np.mean(x[mask]) if mask.any() else np.nan

    checked = c.case(mean_or_0, x=X, mask=ROWS, oracle=oracle, laws=[c.holds_for_degenerate])
    (says,) = broken(checked, ["numpy"]).values()
    assert says == "of rows that are all excluded the result is 0.0; expected nan"


def test_a_drawn_array_without_axes_has_no_order():
    drawn = arrays(
        "float64", strategies.sampled_from([(), (3,)]), elements={"min_value": 1, "max_value": 2}
    )
    checked = c.case(
        lambda x: array_namespace(x).sum(x), x=drawn, laws=[c.order_invariant], name="total"
    )
    assert broken(checked, ["numpy"]) == {}
