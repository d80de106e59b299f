"""Large batches are computed in tiles of rows, which show in nothing but memory and time."""

import functools
import threading
import tracemalloc

import numpy as np
import pytest
import torch

import agnostic_mask as am
from agnostic_mask import _traversal
from agnostic_mask._replay import Replays
from agnostic_mask.conformance.cases import PartsCase, all_cases

from .arrays import host, knowledge, make
from .test_planted import ordinary

CASES = [c for c in all_cases() if isinstance(c, PartsCase) and not c.why_not("cut_invariant")]
ROWS, STEPS = 12, 3


def arrays_of(case):
    inputs = case.inputs(np.random.default_rng(3), (ROWS, STEPS))
    return {n: x.astype(np.float32) if x.dtype.kind == "f" else x for n, x in inputs.items()}


def gathered(monkeypatch, verbs):
    """Counts how many batches a statistic is asked to gather."""
    calls = []
    cls = type(verbs.statistic)
    gather = cls.gather

    def counting(self, batch):
        calls.append(batch)
        return gather(self, batch)

    monkeypatch.setattr(cls, "gather", counting)
    return calls


@pytest.mark.parametrize(
    ("backend", "elements"), [("numpy", 1), ("numpy", 7), ("numpy", 30), ("torch", 7)]
)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_tiles_give_the_value_of_the_whole(monkeypatch, case, elements, backend):
    monkeypatch.setattr(Replays, "call", ordinary)
    arrays = {name: make(backend, x) for name, x in arrays_of(case).items()}
    whole = host(case.call(arrays))
    monkeypatch.setattr(type(knowledge(backend)), "tile_elements", elements)
    monkeypatch.setenv("AGNOSTIC_MASK_THREADS", "3")
    calls = gathered(monkeypatch, case.verbs())
    tiled = host(case.call(arrays))
    if case.class_axis(2) != 0:
        assert len(calls) > 1
    # Sums of float64 in another order, seen through float32.
    np.testing.assert_allclose(tiled, whole, rtol=2.0**-23)


@pytest.mark.parametrize("axis", [0, -2])
def test_a_class_axis_as_long_as_the_batch_is_no_trap(monkeypatch, axis):
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.integers(0, 5, 5), rng.dirichlet(np.ones(5), 5).T
    loss = functools.partial(am.losses.sparse_categorical_crossentropy, axis=axis)
    objective = am.weighted_masked_objective(loss, reduction="mean")
    counts = am.metrics.Recall(num_classes=5, average="macro", axis=axis)
    whole = objective(y_true, y_pred), counts(y_true, y_pred)
    monkeypatch.setattr(type(knowledge("numpy")), "tile_elements", 6)
    assert (objective(y_true, y_pred), counts(y_true, y_pred)) == whole


def test_a_function_that_is_not_declared_is_never_cut(monkeypatch):
    monkeypatch.setattr(type(knowledge("numpy")), "tile_elements", 2)
    ranks = am.metrics.MeanScore(lambda t, p: np.argsort(np.argsort(p)).astype(float))
    assert ranks(np.zeros(6), np.arange(6.0)) == 2.5


@pytest.mark.parametrize("name", ["mask", "weights"])
def test_shapes_in_messages_are_those_of_the_whole(monkeypatch, name):
    monkeypatch.setattr(type(knowledge("numpy")), "tile_elements", 2)
    covers = {name: np.ones((6, 4), bool)}
    with pytest.raises(am.ShapeMismatchError, match=r"\(6, 4\) and scores shape \(6, 3\)"):
        am.metrics.MeanSquaredError()(np.ones((6, 3)), np.ones((6, 3)), **covers)


def test_a_cover_of_one_row_serves_every_tile(monkeypatch):
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.normal(size=(2, 6, 3))
    weights, mask = rng.uniform(size=(1, 3)), rng.random((1, 3)) < 0.7
    metric = am.metrics.MeanSquaredError()
    whole = metric(y_true, y_pred, weights, mask)
    monkeypatch.setattr(type(knowledge("numpy")), "tile_elements", 4)
    np.testing.assert_allclose(metric(y_true, y_pred, weights, mask), whole, rtol=1e-15)


# -- who goes through them --


def tiny_tiles(monkeypatch, backend="numpy", elements=16):
    monkeypatch.setattr(type(knowledge(backend)), "tile_elements", elements)


def batch_of(n, width=4):
    rng = np.random.default_rng(7)
    y_true, y_pred = rng.normal(size=(2, n, width)).astype(np.float32)
    return y_true, y_pred, rng.uniform(size=n), rng.random((n, width)) < 0.7


SETS = {
    "objective": am.weighted_masked_objective(am.losses.huber),
    "mean": am.metrics.MeanSquaredError(),
    "moments": am.metrics.R2Score(),
    "set": am.metrics.MetricSet(
        {"r2": am.metrics.R2Score(), "mae": am.metrics.MeanAbsoluteError()}
    ),
}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("n", [21, 200])
def test_the_number_of_threads_shows_in_no_bit(monkeypatch, name, n):
    tiny_tiles(monkeypatch)
    metric, batch = SETS[name], batch_of(n)
    values = [metric(*batch, threads=threads) for threads in (1, 2, 4)]
    start = metric.zero(batch[0])
    states = [metric.update(start, *batch, threads=threads) for threads in (1, 3)]
    assert values[0] == values[1] == values[2] == metric.compute(states[0])
    assert metric.compute(states[0]) == metric.compute(states[1])


def threads_seen(monkeypatch, n=400, *, several=False, **options):
    """Threads in which a score function was called; where several are expected, two wait."""
    tiny_tiles(monkeypatch)
    seen, both = set(), threading.Barrier(2)

    def score(y_true, y_pred):
        new = threading.get_ident() not in seen
        seen.add(threading.get_ident())
        if several and new and len(seen) <= 2:
            both.wait(timeout=10)
        return y_pred - y_true

    am.metrics.MeanScore(am.scores(score))(*batch_of(n), **options)
    return seen


def test_tiles_are_gone_through_on_as_many_threads_as_were_asked_for(monkeypatch):
    assert threads_seen(monkeypatch, threads=1) == {threading.get_ident()}
    assert len(threads_seen(monkeypatch, threads=2, several=True)) == 2


def test_the_environment_and_the_processors_say_how_many_by_default(monkeypatch):
    monkeypatch.setenv("AGNOSTIC_MASK_THREADS", "1")
    assert threads_seen(monkeypatch) == {threading.get_ident()}
    monkeypatch.setenv("AGNOSTIC_MASK_THREADS", "2")
    assert len(threads_seen(monkeypatch, several=True)) == 2
    monkeypatch.delenv("AGNOSTIC_MASK_THREADS")
    monkeypatch.setattr(_traversal, "_processors", lambda: 64)
    assert _traversal.number_of_threads(None) == 4
    monkeypatch.setattr(_traversal, "_processors", lambda: 2)
    assert _traversal.number_of_threads(None) == 2


def test_one_tile_is_no_matter_for_another_thread(monkeypatch):
    assert threads_seen(monkeypatch, n=4, threads=4) == {threading.get_ident()}


@pytest.mark.parametrize("threads", [0, -1, 2.0, "2", True, [2]])
def test_a_number_of_threads_is_a_positive_integer(threads):
    with pytest.raises(ValueError, match=r"threads is .*; expected an integer of at least 1"):
        am.metrics.MeanSquaredError()(np.ones(3), np.ones(3), threads=threads)


@pytest.mark.parametrize("text", ["0", "two", "1.5", "-3"])
def test_the_environment_is_named_where_it_is_wrong(monkeypatch, text):
    tiny_tiles(monkeypatch)
    monkeypatch.setenv("AGNOSTIC_MASK_THREADS", text)
    with pytest.raises(ValueError, match=f"AGNOSTIC_MASK_THREADS is '{text}'; expected"):
        am.metrics.MeanSquaredError()(*batch_of(100))


def test_what_a_thread_raises_is_raised_and_no_more_is_done(monkeypatch):
    tiny_tiles(monkeypatch)
    calls = []

    def score(y_true, y_pred):
        calls.append(y_pred)
        raise ArithmeticError("no score")

    with pytest.raises(ArithmeticError, match="no score"):
        am.metrics.MeanScore(am.scores(score))(*batch_of(4000), threads=2)
    assert len(calls) < 100


def test_threads_treat_floating_point_errors_as_the_caller_does(monkeypatch):
    tiny_tiles(monkeypatch)
    y = np.zeros((100, 4))
    logs = am.metrics.MeanScore(am.scores(lambda t, p: np.log(p) - t))
    with np.errstate(divide="ignore"):
        assert logs(y, y, threads=2) == -np.inf
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        logs(y, y, threads=2)


def test_a_warning_of_excluded_elements_stays_in_its_tile(monkeypatch):
    tiny_tiles(monkeypatch)
    seen = []

    def logs(y_true, y_pred):
        seen.append(y_pred.min())
        return np.log(y_pred)

    y, mask = np.ones((100, 4)), np.ones((100, 4), bool)
    y[50, 2], mask[50, 2] = -1.0, False
    metric = am.metrics.MeanScore(am.scores(logs, harmless=(1.0, 1.0)))
    assert metric(y, y, mask=mask, threads=2) == 0.0
    assert sorted(seen) == [-1.0] + [1.0] * 25


# -- when they are not --


def test_tensors_whose_gradient_is_wanted_are_not_cut(monkeypatch):
    tiny_tiles(monkeypatch, "torch")
    arrays = [torch.from_numpy(x) for x in batch_of(20)]
    metric = am.metrics.MeanSquaredError()
    calls = gathered(monkeypatch, metric)
    arrays[1].requires_grad_()
    metric(*arrays).backward()
    assert len(calls) == 1
    with torch.no_grad():
        metric(*arrays)
    assert len(calls) == 1 + 5


def test_tensors_within_a_transform_are_not_cut(monkeypatch):
    tiny_tiles(monkeypatch, "torch")
    y_true, y_pred, *_ = (torch.from_numpy(x) for x in batch_of(20))
    metric = am.metrics.MeanSquaredError()
    calls = gathered(monkeypatch, metric)
    torch.vmap(metric)(y_true[None], y_pred[None])
    torch.func.grad(metric)(y_true, y_pred)
    assert len(calls) == 2


@pytest.mark.parametrize("name", ["objective", "mean"])
def test_memory_does_not_grow_with_the_batch(monkeypatch, name):
    tiny_tiles(monkeypatch, elements=2**16)
    peaks = []
    for n in (300_000, 900_000):
        batch = batch_of(n)
        SETS[name](*batch, threads=1)
        tracemalloc.start()
        SETS[name](*batch, threads=1)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]
    assert peaks[1] < batch[0].nbytes / 2
