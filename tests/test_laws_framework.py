"""Laws of how a function is computed: for each a function that keeps it, and one that breaks it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from array_api_compat import array_namespace

from agnostic_mask import conformance as c
from agnostic_mask.conformance._row import FAILED, PASSED

X = c.floats((8, 5), low=0.1, high=10)
ROWS = c.masks(over="x", axes=1)


@dataclass(frozen=True)
class Pair:
    """A function that keeps a law and one that breaks it, where that shows, and what is said."""

    law: c.Law
    keeps: Callable[..., Any]
    breaks: Callable[..., Any]
    where: str
    says: str
    inputs: dict[str, Any] = field(default_factory=lambda: {"x": X})
    beside: tuple[c.Law, ...] = ()
    breaks_too: tuple[c.Law, ...] = ()
    backends: tuple[str, ...] = ()

    def report(self, fn):
        laws = [law for law in (self.law, *self.beside) if law not in c.BASIC]
        backend = self.where.partition(" ")[0]
        return c.report(
            c.case(fn, laws=laws, **self.inputs), backends=self.backends or [backend], seed=1
        )


def outcomes(report, outcome):
    return {row.law for row in report.rows if row.outcome == outcome}


def check_kept(pair):
    report = pair.report(pair.keeps)
    assert not report.failed, str(report)
    assert pair.law.name in outcomes(report, PASSED)


def check_broken_alone(pair):
    report = pair.report(pair.breaks)
    assert outcomes(report, FAILED) == {law.name for law in (pair.law, *pair.breaks_too)}
    reasons = {
        row.environment: row.reason
        for row in report.rows
        if row.outcome == FAILED and row.law == pair.law.name
    }
    assert pair.says in reasons[pair.where]


def deviation(x):
    return array_namespace(x).std(x, correction=1)


def deviation_of_all(x):
    return array_namespace(x).std(x)


def variance(x):
    return array_namespace(x).var(x)


def variance_by_method(x):
    return x.var()  # torch divides by n - 1, NumPy by n


def frequencies(x):
    xp, n = array_namespace(x), x.shape[0]
    return xp.arange(n // 2 + 1, dtype=x.dtype, device=x.device) / n


def frequencies_elsewhere(x):
    xp, n = array_namespace(x), x.shape[0]
    return xp.arange(n // 2 + 1, dtype=x.dtype) / n


def mean_in_float64(x):
    xp = array_namespace(x)
    return xp.astype(xp.mean(xp.astype(x, xp.float64)), x.dtype)


def mean_of_float64(x):
    xp = array_namespace(x)
    return xp.mean(xp.astype(x, xp.float64))


def sum_of_squares(x):
    xp = array_namespace(x)
    x = x - xp.mean(x)
    return xp.sum(x * x)


def sum_of_squares_in_place(x):
    xp = array_namespace(x)
    x -= xp.mean(x)
    return xp.sum(x * x)


def entropy(x):
    xp = array_namespace(x)
    p = x / xp.sum(x)
    return -xp.sum(p * xp.log(p))


def checked_entropy(x):
    xp = array_namespace(x)
    if xp.any(x < 0):
        raise ValueError("x holds numbers below 0")
    return entropy(x)


def masked_mean(x, mask):
    xp = array_namespace(x)
    m = xp.broadcast_to(mask[:, None], x.shape)
    return xp.sum(xp.where(m, x, xp.zeros_like(x))) / xp.sum(xp.astype(m, x.dtype))


def mean_of_chosen(x, mask):
    return array_namespace(x).mean(x[mask])


def mean_of_positive(x):
    xp = array_namespace(x)
    return xp.sum(xp.where(x > 0, x, xp.zeros_like(x))) / xp.sum(xp.astype(x > 0, x.dtype))


def mean_where_positive(x):
    return array_namespace(x).mean(x, where=x > 0)  # which NumPy alone has


def norm(x):
    xp = array_namespace(x)
    flat = xp.reshape(x, (-1,))
    return xp.sqrt(xp.sum(flat * flat))


def norm_of_view(x):
    xp = array_namespace(x)
    flat = x.view(-1)
    return xp.sqrt(xp.sum(flat * flat))


def mean_of_rows(x):
    xp = array_namespace(x)
    total = xp.zeros_like(x[0, ...])
    for i in range(x.shape[0]):
        total = total + x[i, ...]
    return total / x.shape[0]


class MeanOfRows:
    def __call__(self, x):
        xp = array_namespace(x)
        self.total = xp.zeros_like(x[0, ...])
        for i in range(x.shape[0]):
            self.total = self.total + x[i, ...]
        return self.total / x.shape[0]


_buffers = {}


def mean_by_buffer(x):
    key = (x.shape, x.dtype)
    if key not in _buffers:
        _buffers[key] = np.empty_like(x)
    buffer = _buffers[key]
    np.multiply(x, 1 / x.size, out=buffer)
    return np.sum(buffer, axis=0) * x.shape[1]


MASKED = {"x": X, "mask": ROWS}

PAIRS = [
    Pair(
        c.matches_oracle,
        deviation,
        deviation_of_all,
        "numpy",
        "times the bound",
        inputs={"x": X, "oracle": lambda x: np.std(x, ddof=1)},
    ),
    Pair(
        c.backends_agree,
        variance,
        variance_by_method,
        "torch",
        "beside that of numpy the result is ",
        # Two results that are both within their bounds cannot be further apart than these allow.
        breaks_too=(c.matches_oracle,),
        backends=("numpy", "torch"),
    ),
    Pair(
        c.stays_home,
        frequencies,
        frequencies_elsewhere,
        "array_api_strict device1",
        "the result is on device array_api_strict.Device('CPU_DEVICE'); "
        "expected array_api_strict.Device('device1')",
    ),
    Pair(
        c.dtype_kept,
        mean_in_float64,
        mean_of_float64,
        "torch",
        "the result has dtype float64; expected float32",
        beside=(c.order_invariant, c.layout_invariant, c.gradient, c.accumulates_wide),
    ),
    Pair(
        c.inputs_untouched,
        sum_of_squares,
        sum_of_squares_in_place,
        "numpy",
        "the call left x changed",
        backends=("numpy", "torch"),
        beside=(c.order_invariant, c.holds_for_degenerate),
    ),
    Pair(
        c.nothing_hidden,
        entropy,
        checked_entropy,
        "dask",
        "hidden work: a lazy Dask array was computed",
        beside=(c.order_invariant,),
    ),
    Pair(
        c.nothing_hidden,
        entropy,
        checked_entropy,
        "torch",
        "hidden work: bool(), which `if` and `and` call too, of a torch.Tensor",
        beside=(c.order_invariant, c.gradient, c.layout_invariant, c.thread_safe),
    ),
    Pair(
        c.nothing_hidden,
        masked_mean,
        mean_of_chosen,
        "torch",
        "hidden work: an index by a mask of a torch.Tensor",
        inputs=MASKED,
        beside=(c.excluded_is_absent, c.gradient),
    ),
    Pair(
        c.compiles,
        masked_mean,
        mean_of_chosen,
        "jax",
        "NonConcreteBooleanIndexError: Array boolean indices must be concrete",
        inputs=MASKED,
        beside=(c.excluded_is_absent, c.gradient),
    ),
    Pair(
        c.compiles,
        entropy,
        checked_entropy,
        "torch",
        "Unsupported: Data-dependent branching",
        beside=(c.order_invariant, c.gradient),
        breaks_too=(c.nothing_hidden,),  # where a trace cannot branch, a device is waited for
    ),
    Pair(
        c.needs_no_values,
        masked_mean,
        mean_of_chosen,
        "jax",
        "without values it raises NonConcreteBooleanIndexError",
        inputs=MASKED,
        beside=(c.excluded_is_absent, c.gradient),
    ),
    Pair(
        c.fits_cupy,
        mean_of_positive,
        mean_where_positive,
        "numpy",
        "mean(..., where=...): array_api_compat.cupy has mean(a, axis=None",
        beside=(c.order_invariant, c.layout_invariant, c.thread_safe),
    ),
    Pair(
        c.layout_invariant,
        norm,
        norm_of_view,
        "torch",
        "of inputs in another layout the result is not there: RuntimeError: view size is not",
        inputs={"x": X, "oracle": lambda x: np.sqrt(np.sum(x * x))},
        beside=(c.order_invariant, c.thread_safe, c.gradient, c.compiles),
    ),
    Pair(
        c.thread_safe,
        mean_of_rows,
        MeanOfRows(),
        "numpy",
        "a call beside others gives ",
        beside=(c.order_invariant, c.layout_invariant),
    ),
    Pair(
        c.thread_safe,
        mean_of_rows,
        mean_by_buffer,
        "numpy",
        "a call beside others gives ",
        # NumPy alone has the buffer, and of longer floats one of its own.
        inputs={"x": X, "oracle": lambda x: np.mean(x, axis=0)},
        beside=(c.order_invariant, c.layout_invariant),
    ),
]


def names(pairs):
    return [f"{pair.law.name}-{pair.where.replace(' ', '-')}" for pair in pairs]


@pytest.mark.parametrize("pair", PAIRS, ids=names(PAIRS))
def test_a_function_that_keeps_a_law_of_the_framework_passes(pair):
    check_kept(pair)


@pytest.mark.parametrize("pair", PAIRS, ids=names(PAIRS))
def test_a_function_that_breaks_a_law_of_the_framework_fails_it_alone(pair):
    check_broken_alone(pair)


def test_thread_safe_finds_a_shared_place_each_time():
    for fn in (MeanOfRows(), mean_by_buffer):
        checked = c.case(fn, x=X, oracle=lambda x: np.mean(x, axis=0), laws=[c.thread_safe])
        for seed in range(5):
            report = c.report(checked, backends=["numpy"], dtypes=["float64"], seed=seed)
            assert outcomes(report, FAILED) == {"thread_safe"}


def test_an_error_of_the_function_is_not_taken_for_hidden_work():
    def only_numpy(x):
        if not isinstance(x, np.ndarray):
            raise NotImplementedError("no tensors yet")
        return np.sum(x)

    report = c.report(c.case(only_numpy, x=X), backends=["torch"], dtypes=["float32"])
    reasons = {row.reason for row in report.rows if row.outcome == FAILED}
    assert reasons == {"NotImplementedError: no tensors yet"}
