"""Ten thousand groups take as many operations as ten."""

import functools
import sys
import tracemalloc

import numpy as np
import pytest

import agnostic_mask as am

from .arrays import close, host, knowledge, make


def of_f1(y_true, scores, **groups):
    return am.metrics.F1()(y_true, scores, **groups)


def of_mse(y_true, scores, **groups):
    return am.metrics.MeanSquaredError()(y_true, scores, **groups)


def of_mean(y_true, scores, **groups):
    return am.mean(scores, **groups)


def drawn(n, num_groups):
    rng = np.random.default_rng(7)
    y_true = rng.integers(0, 2, n, dtype=np.int8)
    return y_true, rng.random(n, dtype=np.float32), rng.integers(0, num_groups, n, dtype=np.int32)


def counted(monkeypatch, backend, fn, n, num_groups):
    """Result, and calls and elements of what a backend does by label."""
    known, calls = knowledge(backend), []
    with monkeypatch.context() as patch:
        for name in ("sum_by_label", "extreme_by_label"):
            method = getattr(known, name)

            def spy(labels, *rest, method=method):
                calls.append(int(labels.shape[0]))
                return method(labels, *rest)

            patch.setattr(known, name, spy)
        *arrays, by = (make(backend, x) for x in drawn(n, num_groups))
        result = host(fn(*arrays, by=by, num_groups=num_groups))
    return result, len(calls), sum(calls)


@pytest.mark.parametrize("fn", [of_mean, of_mse, of_f1])
@pytest.mark.parametrize(("backend", "n"), [("numpy", 10**7), ("torch", 10**7), ("jax", 10**6)])
def test_ten_thousand_groups_take_as_many_operations_as_ten(monkeypatch, fn, backend, n):
    found, calls, elements = counted(monkeypatch, backend, fn, n, 10_000)
    _, few_calls, few_elements = counted(monkeypatch, backend, fn, n, 10)
    assert calls == few_calls
    assert elements == few_elements
    assert elements % n == 0
    assert 1 <= elements // n <= 8
    y_true, scores, by = drawn(n, 10_000)
    total = functools.partial(np.bincount, by, minlength=10_000)
    scores = scores.astype(float)
    if fn is of_f1:
        hit = scores > 0.5
        expected = 2 * total(weights=hit & (y_true == 1)) / (total(hit) + total(y_true))
    else:
        expected = total((scores - y_true) ** 2 if fn is of_mse else scores) / total()
    close(found, expected, expected)


def test_ten_thousand_groups_take_no_more_steps_of_python_and_little_memory():
    arrays = {g: drawn(200_000, g) for g in (10, 10_000)}
    for fn in (of_mean, of_mse, of_f1, quantiles, spreads):
        steps = {}
        for num_groups, (*rest, by) in arrays.items():
            fn(*rest, by=by, num_groups=num_groups)  # which fills tables
            events = []
            sys.setprofile(lambda frame, event, argument, events=events: events.append(event))
            try:
                fn(*rest, by=by, num_groups=num_groups)
            finally:
                sys.setprofile(None)
            steps[num_groups] = len(events)
        # The interpreter's own, such as collections of garbage, come and go.
        assert abs(steps[10_000] - steps[10]) < 100
    n = 10**6
    *rest, by = drawn(n, 10_000)
    tracemalloc.start()
    try:
        of_mean(*rest, by=by, num_groups=10_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 * n  # eight arrays of float64


def quantiles(y_true, scores, **groups):
    return am.quantile(scores, (0.1, 0.5), weights=y_true, method="inverted_cdf", **groups)


def spreads(y_true, scores, **groups):
    return (
        am.var(scores, weights=y_true, **groups),
        am.max(scores, **groups),
        am.argmin(scores, **groups),
    )
