"""Gradients of functions of anybody's: of inputs of any size, at kinks, and far from 0."""

import numpy as np
import pytest
from array_api_compat import array_namespace

from agnostic_mask import conformance as c

from .test_author_verdicts import broken


def found(fn, x, **more):
    return broken(c.case(fn, x=x, laws=[c.gradient], name="f", **more), ["torch"])


def of(name):
    return lambda x: getattr(array_namespace(x), name)(x)


@pytest.mark.parametrize(
    ("fn", "x"),
    [
        (of("sum"), c.floats(4, 1e11, 2e11)),
        (of("log"), c.floats(4, 1e6, 2e6)),
        (of("log"), c.floats(4, 1e-4, 5e-3)),
        (lambda x: x[1:] - x[:-1], c.floats(4, 1.6e9, 1.7e9)),
        (lambda x: array_namespace(x).mean(x * x), c.floats(8, 1e5, 1e6)),
        (lambda x: array_namespace(x).sum(x * x), c.floats(4, -1e-20, 1e-20)),
        (lambda x: array_namespace(x).sum(x * x), np.zeros(4)),
    ],
)
def test_derivatives_are_right_at_every_size(fn, x):
    assert found(fn, x) == {}


def cut_off(x):
    return of("log")(x.detach() if hasattr(x, "detach") else x) + 0 * x


def test_a_derivative_that_is_missing_is_found_at_small_sizes_too():
    assert set(found(cut_off, c.floats(4, 1e-4, 5e-3), oracle=np.log)) == {"gradient"}


@pytest.mark.parametrize("fn", [of("sqrt"), of("abs"), lambda x: 1e-4 * of("abs")(x)])
def test_at_a_kink_each_side_is_right(fn):
    assert found(fn, np.asarray([0.0, 1.0, 2.0])) == {}


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_nan_is_not():
    def norm(x):  # of which torch's derivative at 0 is 0 / 0
        xp = array_namespace(x)
        return xp.sum(xp.sqrt(x * x))

    assert set(found(norm, np.asarray([0.0, 1.0]))) == {"gradient"}


FAR = {
    "variance": (lambda x: array_namespace(x).var(x), c.floats(24, 1000, 1001)),
    "years": (lambda x: array_namespace(x).var(x), np.arange(1990.0, 2021.0)),
    "skewness": (lambda x: (x - array_namespace(x).mean(x)) ** 3, c.floats(24, 100, 101)),
}


@pytest.mark.parametrize("name", FAR)
def test_derivatives_of_what_lies_far_from_0_round_as_their_inputs_do(name):
    fn, x = FAR[name]
    assert found(fn, x) == {}


@pytest.mark.parametrize("name", FAR)
def test_and_are_held_to_that(name):
    fn, x = FAR[name]

    def half_as_steep(x):
        value = fn(x)
        return value / 2 + value.detach() / 2 if hasattr(value, "detach") else value

    assert set(found(half_as_steep, x, oracle=fn)) == {"gradient"}


@pytest.mark.parametrize("factor", [1, 2])
def test_places_without_a_number_leave_the_other_derivatives(factor):
    def filled(x, mask):
        xp = array_namespace(x)
        x = xp.where(mask, x, xp.ones_like(x))
        value = x.detach() if hasattr(x, "detach") else x
        return xp.where(mask, x * x + (factor - 1) * (x - value), xp.nan)

    checked = c.case(
        filled,
        x=c.floats(6, 1, 2),
        mask=c.masks(over="x"),
        oracle=lambda x, mask: np.where(mask, x * x, np.nan),
        laws=[c.gradient],
    )
    assert set(broken(checked, ["torch"])) == (set() if factor == 1 else {"gradient"})
