"""Sets of metrics share what they gather; the imperative wrapper; memory."""

import dataclasses
import inspect
import subprocess
import sys

import numpy as np
import pytest

import agnostic_mask as am
from agnostic_mask.metrics import _confusion, _moments

from .arrays import backends, host, make

M = am.metrics
RNG = np.random.default_rng(5)
LABELS, CHANCES = RNG.integers(0, 2, 40), RNG.random(40).astype(np.float32)
WEIGHTS, MASK = RNG.uniform(0.5, 2.0, 40).astype(np.float32), RNG.random(40) < 0.7
COUNTS = {"precision": M.Precision(), "recall": M.Recall(), "macro": M.Recall(average="macro")}
MOMENTS = {"r2": M.R2Score(), "pearson": M.PearsonCorrelation(), "share": M.ExplainedVariance()}
OTHERS = {"mse": M.MeanSquaredError(), "rmse": M.RootMeanSquaredError(), "worst": M.MaxError()}


@backends
def test_a_set_gives_each_metric_s_own_bits(backend):
    members = {**COUNTS, **MOMENTS, **OTHERS, "sum": am.weighted_masked_objective(am.losses.huber)}
    arrays = [make(backend, x) for x in (LABELS, CHANCES, WEIGHTS, MASK)]
    together = M.MetricSet(members)(*arrays)
    assert list(together) == list(members)
    for name, metric in members.items():
        assert host(together[name]).tobytes() == host(metric(*arrays)).tobytes()


def counted(monkeypatch, cls):
    calls = []
    gather = cls.gather

    def counting(self, batch):
        calls.append(batch)
        return gather(self, batch)

    monkeypatch.setattr(cls, "gather", counting)
    return calls


@pytest.mark.parametrize(
    ("members", "cls"), [(COUNTS, _confusion.ConfusionOf), (MOMENTS, _moments.MomentsOf)]
)
def test_what_metrics_share_is_gathered_once(monkeypatch, members, cls):
    calls = counted(monkeypatch, cls)
    M.MetricSet(members)(LABELS, CHANCES, WEIGHTS, MASK)
    assert len(calls) == 1


def test_other_options_are_gathered_apart(monkeypatch):
    calls = counted(monkeypatch, _confusion.ConfusionOf)
    M.MetricSet({"a": M.Precision(), "b": M.Precision(threshold=0.25)})(LABELS, CHANCES)
    assert len(calls) == 2


def test_a_set_may_have_one_metric():
    alone = M.MetricSet({"worst": M.MaxError()})
    states = alone.update(alone.zero(like=CHANCES), LABELS, CHANCES)
    assert alone.compute(states) == {"worst": M.MaxError()(LABELS, CHANCES)}


def test_two_functions_are_told_apart_whatever_their_names():
    first, second = (lambda t, p: abs(t - p)), (lambda t, p: (t - p) ** 2)
    both = M.MetricSet({"first": M.MeanScore(first), "second": M.MeanScore(second)})
    found = both(np.zeros(2), np.asarray([1.0, 3.0]))
    assert (found["first"], found["second"]) == (2.0, 5.0)


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ({}, r"metrics is empty; .* at least one"),
        ({"r2": M.R2Score}, r"metrics\['r2'\] is a class, R2Score; .* write R2Score\(\)"),
        ([M.R2Score()], "expected a mapping"),
        ({"f": am.losses.huber}, r"metrics\['f'\] is a function; .*MeanScore"),
        ({"mean": M.Mean()}, "a Mean takes one array"),
        ({"none": am.weighted_masked_objective(am.losses.huber, reduction="none")}, "no state"),
    ],
)
def test_what_cannot_be_in_a_set(metrics, message):
    with pytest.raises((TypeError, ValueError), match=message):
        M.MetricSet(metrics)(np.ones(2), np.ones(2))


@backends
def test_running_is_the_functional_metric_with_a_state(backend):
    members = M.MetricSet({**MOMENTS, **OTHERS})
    arrays = [make(backend, x) for x in (LABELS, CHANCES, WEIGHTS, MASK)]
    running = M.Running(members)
    assert running.state is None
    for half in (slice(0, 20), slice(20, 40)):
        running.update(*(x[half] for x in arrays))
    expected = members(*arrays)
    for name, value in running.compute().items():
        np.testing.assert_array_equal(host(value), host(expected[name]))
    running.reset()
    running.update(arrays[0], y_pred=arrays[1])
    plain = members(*arrays[:2])
    assert host(running.compute()["mse"]) == host(plain["mse"])


def test_running_says_what_it_cannot_do():
    with pytest.raises(TypeError, match="metric is a function"):
        M.Running(am.losses.huber)
    with pytest.raises(ValueError, match="call update first"):
        M.Running(M.Mean()).compute()
    with pytest.raises(TypeError, match="x"):
        M.Running(M.Mean()).update()
    with pytest.raises(am.UnsupportedArrayError, match=r"x is a builtins\.list"):
        M.Running(M.Mean()).update([1.0])


def test_a_metric_of_nothing_is_its_documented_value():
    like = np.ones(1, np.float32)
    for metric, expected in (
        (M.Mean(), np.nan),
        (M.Sum(), 0.0),
        (M.Min(), np.inf),
        (M.Max(), -np.inf),
        (M.R2Score(), np.nan),
        (M.Variance(), np.nan),
        (M.Precision(), 0.0),
        (M.Precision(zero_division=np.nan), np.nan),
    ):
        np.testing.assert_array_equal(metric.compute(metric.zero(like=like)), expected)


EXPORTED = [x for x in vars(M).values() if isinstance(x, type) and issubclass(x, M.Metric)]


@pytest.mark.parametrize("cls", [x for x in EXPORTED if not inspect.isabstract(x)])
def test_metrics_take_no_further_attributes(cls):
    metric = object.__new__(cls)
    with pytest.raises(dataclasses.FrozenInstanceError):
        metric.total = 1.0


PEAK = """
import resource, sys
import numpy as np
import agnostic_mask as am
M = am.metrics
n, classes = int(sys.argv[1]), 1000
rng = np.random.default_rng(0)
y_true = rng.integers(0, classes, n, dtype=np.int32)
y_pred = np.where(rng.random(n) < 0.5, y_true, rng.integers(0, classes, n, dtype=np.int32))
weights, mask = rng.random(n, dtype=np.float32), rng.random(n) < 0.9
averaged = ("Precision", "Recall", "F1", "IoU", "Specificity")
members = {name: getattr(M, name)(num_classes=classes, average="macro") for name in averaged}
others = ("Accuracy", "MatthewsCorrelation", "CohenKappa")
members |= {name: getattr(M, name)(num_classes=classes) for name in others}
members |= {"hamming": M.HammingLoss(), "bias": M.MeanBiasError(), "r2": M.R2Score()}
metrics = M.MetricSet(members)
few = slice(0, 1000)
warm = metrics(y_true[few], y_pred[few], weights[few], mask[few])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
metrics(y_true, y_pred, weights, mask)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def peak(n):
    """KiB that a set of metrics of 1000 classes needs beyond its inputs."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(n)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_memory_does_not_grow_with_the_batch():
    few, many = peak(250_000), peak(1_000_000)
    # Untiled, 750 000 more elements would take 8 bytes each, several times.
    assert many - few < 750_000 * 8 / 1024 / 2, (few, many)
