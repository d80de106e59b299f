"""Large batches are computed in tiles of rows, which show in nothing but memory and time."""

import functools

import numpy as np
import pytest

import agnostic_mask as am
from agnostic_mask.conformance.cases import PartsCase, all_cases

from .arrays import knowledge

CASES = [c for c in all_cases() if isinstance(c, PartsCase) and not c.why_not("cuts")]
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


@pytest.mark.parametrize("elements", [1, 7, 30])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_tiles_give_the_value_of_the_whole(monkeypatch, case, elements):
    arrays = arrays_of(case)
    whole = case.call(arrays)
    monkeypatch.setattr(type(knowledge("numpy")), "tile_elements", elements)
    calls = gathered(monkeypatch, case.verbs())
    tiled = case.call(arrays)
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
