import functools

import dask
import numpy as np
import pytest

import agnostic_mask as am

from .arrays import backends, host, make

WAYS = 50
BATCH, TIME = 12, 9

LOSSES = {
    "squared_error": (am.losses.squared_error, None),
    "huber": (functools.partial(am.losses.huber, delta=0.75), None),
    "binary_crossentropy": (
        functools.partial(am.losses.binary_crossentropy, from_logits=True),
        None,
    ),
    "categorical_crossentropy": (
        functools.partial(am.losses.categorical_crossentropy, from_logits=True),
        3,
    ),
}


def sequences(loss, seed=0):
    """Padded sequences of lengths 1 to TIME, with weights of both signs."""
    rng = np.random.default_rng(seed)
    classes = LOSSES[loss][1]
    shape = (BATCH, TIME) if classes is None else (BATCH, TIME, classes)
    y_pred = rng.normal(0, 3, shape)
    y_true = rng.normal(0, 3, shape)
    if loss == "binary_crossentropy":
        y_true = rng.integers(0, 2, shape)
    if classes is not None:
        y_true = np.eye(classes)[rng.integers(0, classes, shape[:2])]
    lengths = rng.integers(1, TIME + 1, BATCH)
    mask = np.arange(TIME) < lengths[:, None]
    y_pred[~mask], y_true[~mask] = np.nan, 0
    signs = np.where(np.arange(BATCH) % 2, -1.0, 1.0)
    weights = signs * rng.uniform(0.5, 2.0, BATCH)
    inputs = (y_true, y_pred, weights)
    return (*(x.astype(np.float32) for x in inputs), mask)


def blocks(rng, y_true, y_pred, weights, mask):
    """Rows dealt to batches, each cut in time and padded again to a length of its own.

    Batches are of 4 rows and lengths multiples of 3: JAX compiles for each shape that it meets.
    """
    for rows in np.split(rng.permutation(BATCH), 3):
        for steps in np.split(np.arange(TIME), [int(rng.integers(1, TIME))]):
            used = mask[rows][:, steps]
            longest = max(1, int(used.sum(axis=1).max()))
            kept = steps[: max(longest, int(rng.integers(1, len(steps) + 1)))]
            # 1 to 3 steps of padding that the data never had
            padded = 3 - len(kept) % 3
            part = []
            for x, fill in ((y_true, 0), (y_pred, np.nan), (mask, False)):
                block = x[rows][:, kept]
                width = ((0, 0), (0, padded)) + ((0, 0),) * (block.ndim - 2)
                part.append(np.pad(block, width, constant_values=fill))
            yield part[0], part[1], weights[rows], part[2]


def merged(objective, rng, states):
    """States merged along a random tree."""
    states = [states[i] for i in rng.permutation(len(states))]
    while len(states) > 1:
        i = int(rng.integers(0, len(states) - 1))
        states[i : i + 2] = [objective.merge(states[i], states[i + 1])]
    return objective.compute(states[0])


def values_of_all_ways(backend, loss, reduction):
    with dask.config.set(scheduler="synchronous"):  # threads would cost more than they save
        return values_of_ways(backend, loss, reduction)


def values_of_ways(backend, loss, reduction):
    objective = am.weighted_masked_objective(LOSSES[loss][0], reduction=reduction)
    data = sequences(loss)
    whole = objective(*(make(backend, x) for x in data))
    rng = np.random.default_rng(1)
    values = []
    for _ in range(WAYS):
        states = [
            objective.update(objective.zero(like=part[1]), *part)
            for part in ([make(backend, x) for x in b] for b in blocks(rng, *data))
        ]
        values.append(float(host(merged(objective, rng, states))))
    return float(host(whole)), np.asarray(values), data


@backends
@pytest.mark.parametrize("reduction", ["mean", "sum", "keras3"])
def test_squared_error_has_one_result_however_it_is_cut(backend, reduction):
    whole, values, (y_true, y_pred, weights, mask) = values_of_all_ways(
        backend, "squared_error", reduction
    )
    assert set(values) == {whole}
    terms = np.where(mask, weights[:, None] * (y_true - y_pred) ** 2, 0)
    assert abs(terms.sum()) < 0.2 * abs(terms).sum(), "the signs were to cancel"


@backends
@pytest.mark.parametrize("loss", [name for name in LOSSES if name != "squared_error"])
def test_other_losses_move_by_no_more_than_an_ulp_a_score(backend, loss):
    whole, values, (y_true, y_pred, weights, mask) = values_of_all_ways(backend, loss, "sum")
    one = am.weighted_masked_objective(LOSSES[loss][0], reduction="none")
    terms = one(y_true, y_pred, weights, mask)
    ulps = np.abs(terms).sum() * np.finfo(np.float32).eps + abs(whole) * np.finfo(np.float32).eps
    assert np.all(np.abs(values - whole) <= ulps)
    if loss == "huber":  # the four operations alone: nothing moves
        assert set(values) == {whole}
