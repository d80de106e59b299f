"""What is done with short arrays is recorded and replayed; nothing shows but the time."""

import dataclasses
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import agnostic_mask as am
from agnostic_mask import _replay, _tape
from agnostic_mask._state import State
from agnostic_mask.conformance.cases import PartsCase, all_cases
from agnostic_mask.conformance.cases._groups import GROUPS

from .arrays import host, knowledge, make
from .test_planted import ordinary

# But those that keep every score, and have no state.
CASES = [c for c in all_cases() if isinstance(c, PartsCase) and not c.why_not("cut_invariant")]
# And those whose classes lie along the axis that is cut.
CUT = [case for case in CASES if case.class_axis(2) != 0]
SHAPE, CALLS = (6, 4), 7
eager = pytest.mark.parametrize("backend", ["numpy", "torch"])


@pytest.fixture
def programs(monkeypatch):
    """Results of each program that was recorded, in the order of its calls."""
    found = []
    program = _tape.Tape.program

    def watched(self, *args):
        fn, own = program(self, *args), []
        found.append(own)

        def call(*arrays):
            own.append(fn(*arrays))
            return own[-1]

        return call

    monkeypatch.setattr(_tape.Tape, "program", watched)
    return found


def metric_of(case):
    """The metric of a case, with nothing recorded yet."""
    verbs = getattr(case, "alone", case).verbs()
    return dataclasses.replace(getattr(verbs, "metric", verbs))


def batches(case, backend):
    """Batches of the same metadata."""
    for seed in range(CALLS):
        inputs = case.inputs(np.random.default_rng(seed), SHAPE)
        yield {
            name: make(backend, x.astype(np.float32) if x.dtype.kind == "f" else x)
            for name, x in inputs.items()
        }


def bits(x):
    """All that can be told of a result."""
    if isinstance(x, State):
        return [type(x), *[(name, getattr(x, name)) for name in x.configuration], bits(x.arrays())]
    if isinstance(x, dict):
        return [(name, bits(each)) for name, each in x.items()]
    if isinstance(x, tuple):
        return [type(x), *map(bits, x)]
    return [type(x), x.dtype, tuple(x.shape), host(x).tobytes()]


@eager
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_bit_is_that_of_the_ordinary_way(monkeypatch, programs, case, backend):
    metric, given = metric_of(case), list(batches(case, backend))
    groups = {"num_groups": GROUPS} if "by" in given[0] else {}

    def results():
        found = [bits(metric(**batch, **groups)) for batch in given]
        state = metric.zero(given[0].get("y_pred", given[0].get("x")), **groups)
        return [*found, *[bits(metric.update(state, **batch)) for batch in given]]

    with monkeypatch.context() as patch:
        patch.setattr(_replay.Replays, "call", ordinary)
        expected = results()
    assert not programs
    assert results() == expected
    assert programs
    assert all(any(x is not None for x in own) for own in programs)


def mse(**options):
    return am.weighted_masked_objective(am.losses.squared_error, reduction="mean", **options)


def conditions(case, backend):
    """Batches of the same metadata that take every way through what is computed."""
    batch = next(batches(case, "numpy"))
    last = "y_pred" if "y_pred" in batch else "x"
    found = [batch]
    for name, value in (
        ("mask", 0),
        ("weights", 0),
        ("weights", np.nan),
        (last, np.nan),
        (last, np.inf),
        ("y_true", -7),
        ("by", 99),
    ):
        for whole in (True, False):
            if name in batch and (np.isfinite(value) or batch[name].dtype.kind == "f"):
                x = batch[name].copy()
                x[... if whole else 0] = value
                found.append({**batch, name: x})
    return [{n: make(backend, x) for n, x in given.items()} for given in found]


@pytest.mark.filterwarnings("ignore:.* encountered in:RuntimeWarning")
@eager
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_was_recorded_of_one_serves_all_others(monkeypatch, case, backend):
    given = conditions(case, backend)
    groups = {"num_groups": GROUPS} if "by" in given[0] else {}
    with monkeypatch.context() as patch:
        patch.setattr(_replay.Replays, "call", ordinary)
        metric = metric_of(case)
        expected = [bits(metric(**batch, **groups)) for batch in given]
    for first in range(0, len(given), 3):
        metric = metric_of(case)
        often(metric, calls=_replay._OFTEN + 1, **given[first], **groups)
        assert [bits(metric(**batch, **groups)) for batch in given] == expected


@eager
@pytest.mark.parametrize(
    "metric",
    [am.metrics.F1(), am.metrics.MeanSquaredError(), mse()],
    ids=lambda x: type(x).__name__,
)
def test_of_arrays_without_axes_no_value_is_kept(backend, metric):
    batches = [
        [make(backend, np.asarray(x, np.float32)) for x in (t, p, w)] + [make(backend, m)]
        for t in (0, 1)
        for p in (0.2, 0.7)
        for w in (0, 2)
        for m in (False, True)
    ]
    expected = [bits(dataclasses.replace(metric)(*batch)) for batch in batches]
    for first in batches:
        again = dataclasses.replace(metric)
        often(again, *first, calls=_replay._OFTEN + 1)
        assert [bits(again(*batch)) for batch in batches] == expected


# -- what is recorded, and what is not --


def batch_of(backend="numpy", n=6, seed=0):
    rng = np.random.default_rng(seed)
    y_true, y_pred = rng.normal(size=(2, n)).astype(np.float32)
    weights, mask = rng.uniform(0.5, 2, n).astype(np.float32), rng.random(n) < 0.7
    mask[n // 2] = False
    return [make(backend, x) for x in (y_true, y_pred, weights, mask)]


def often(metric, *batch, calls=CALLS, **options):
    return [metric(*batch, **options) for _ in range(calls)]


@eager
def test_a_call_is_recorded_once_and_then_replayed(programs, backend):
    values = often(mse(), *batch_of(backend))
    (own,) = programs
    assert len(own) == CALLS - 1 - _replay._OFTEN
    assert all(x is y for x, y in zip(own, values[-len(own) :], strict=True))


@pytest.mark.parametrize("backend", ["jax", "dask", "array_api_strict"])
def test_frameworks_that_trace_or_are_lazy_are_left_alone(programs, backend):
    often(mse(), *batch_of(backend))
    assert not programs


def test_a_function_of_somebody_elses_is_called_each_time(programs):
    calls = []

    @am.scores
    def of_mine(y_true, y_pred):
        calls.append(None)
        return abs(y_pred - y_true)

    often(am.metrics.MeanScore(of_mine), *batch_of())
    often(am.metrics.MeanScore(lambda t, p: of_mine(t, p)), *batch_of())
    assert len(calls) == 2 * CALLS
    assert not programs


def test_a_set_is_as_good_as_its_metrics(programs):
    metrics = {"mse": am.metrics.MeanSquaredError(), "r2": am.metrics.R2Score()}
    several, batch = am.metrics.MetricSet(metrics), batch_of()
    state = several.zero(batch[0])
    states = [several.update(state, *batch) for _ in range(CALLS)]
    assert len(programs) == 1
    values = often(several, *batch)
    assert len(programs) == 2
    assert bits(values[0]) == bits(values[-1])
    assert bits(several.compute(states[0])) == bits(several.compute(states[-1]))
    with_mine = am.metrics.MetricSet({**metrics, "mine": am.metrics.MeanScore(lambda t, p: p - t)})
    often(with_mine, *batch)
    assert len(programs) == 2


def test_long_arrays_and_threads_that_are_asked_for_are_none_of_it(programs):
    often(mse(), *batch_of(n=_replay._LONGEST + 1))
    often(mse(), *batch_of(), threads=1)
    assert not programs
    often(mse(), *batch_of(n=_replay._LONGEST))
    assert len(programs) == 1


def test_one_program_serves_its_own_metadata_alone(programs):
    metric = mse()
    y_true, y_pred, weights, mask = batch_of()
    kinds = [
        (y_true, y_pred, weights, mask),
        (y_true, y_pred, weights, None),
        (y_true, y_pred, None, mask),
        (y_true, y_pred.astype(np.float64), weights, mask),
        (y_true[:5], y_pred[:5], weights[:5], mask[:5]),
        (y_true[:, None], y_pred[:, None], weights[:, None], mask[:, None]),
        (y_true[:, None], y_pred[:, None], weights, mask),
        tuple(torch.from_numpy(x) for x in (y_true, y_pred, weights, mask)),
    ]
    first = [bits(metric(*kind)) for kind in kinds]
    for _ in range(CALLS):
        assert [bits(metric(*kind)) for kind in kinds] == first
    assert len(programs) == len(kinds)


def test_so_many_kinds_of_calls_are_kept_and_no_more(programs):
    metric = mse()
    for n in range(1, 300):
        metric(*batch_of(n=n))
    assert len(metric._replays._found) <= _replay._MANY
    # Of kinds that come in turn, and are too many, none is recorded again and again.
    for _ in range(10):
        for n in range(1, 2 * _replay._MANY):
            metric(*batch_of(n=n))
    assert len(programs) < 2 * _replay._MANY


# -- what shows --


@eager
def test_excluded_values_show_no_more_than_ever(programs, backend):
    metric = am.metrics.MeanScore(am.losses.binary_crossentropy)
    y_true, y_pred, weights, mask = (host(x) for x in batch_of(backend))
    y_true, y_pred = y_true > 0, 1 / (1 + np.exp(-y_pred))
    batch = [make(backend, x) for x in (y_true, y_pred, weights, mask)]
    first = often(metric, *batch)[0]
    for bad in (np.nan, np.inf, -np.inf, 7.0):
        y_bad, w_bad = np.where(mask, y_pred, bad), np.where(mask, weights, bad)
        for p, w in ((y_bad, weights), (y_pred, w_bad), (y_bad, w_bad)):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                value = metric(
                    *(
                        make(backend, x.astype(y_pred.dtype))
                        if x.dtype.kind == "f"
                        else make(backend, x)
                        for x in (y_true, p, w, mask)
                    )
                )
            assert bits(value) == bits(first)
    nothing = make(backend, np.zeros_like(mask))
    assert np.isnan(host(metric(*batch[:3], nothing)))
    assert len(programs) == 1


def test_what_overflows_among_the_excluded_gives_no_warning(programs):
    metric, batch = mse(), batch_of()
    first = often(metric, *batch)[0]
    batch[0][~batch[3]] = 3e38
    assert bits(metric(*batch)) == bits(first)
    assert programs[0][-1] is None


def test_a_warning_of_what_is_included_comes_once():
    metric, batch = mse(), batch_of()
    often(metric, *batch)
    batch[0][:] = 3e38
    batch[3][:] = True
    for call in (mse(), metric):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            assert call(*batch) == np.inf
        assert [str(w.message) for w in seen] == ["overflow encountered in multiply"]
        with np.errstate(over="raise"), pytest.raises(FloatingPointError):
            call(*batch)


@eager
def test_results_are_the_callers_own(backend):
    metric = am.weighted_masked_objective(am.losses.squared_error)
    y_true, y_pred, _, mask = batch_of(backend)
    state = metric.zero(y_pred)
    states = [metric.update(state, y_true, y_pred, None, mask) for _ in range(CALLS)]
    expected = bits(states[-1])
    for x in states[-2].arrays().values():
        x[...] = 77
    assert bits(metric.update(state, y_true, y_pred, None, mask)) == expected
    assert bits(states[-1]) == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda t, p, w, m: (t[:3], p, w, m),
        lambda t, p, w, m: (t, p, w, m[:4]),
        lambda t, p, w, m: (t, p, w, m.astype(np.float32)),
        lambda t, p, w, m: (t, torch.from_numpy(p), w, m),
        lambda t, p, w, m: (None, p, w, m),
        lambda t, p, w, m: (t, p.tolist(), w, m),
        lambda t, p, w, m: (t, np.ma.array(p), w, m),
        lambda t, p, w, m: (t, p, w.astype("U3"), m),
    ],
)
def test_what_is_refused_is_refused_before_and_after(change):
    metric, batch = mse(), batch_of()
    messages = []
    for _ in range(2):
        with pytest.raises((am.AgnosticMaskError, TypeError, ValueError)) as raised:
            metric(*change(*batch))
        messages.append((raised.type, str(raised.value)))
        often(metric, *batch)
    assert messages[0] == messages[1]


def test_a_state_of_another_metric_is_refused_after_as_before():
    metric, batch = mse(), batch_of()
    state, other = metric.zero(batch[0]), am.metrics.MeanAbsoluteError().zero(batch[0])
    for _ in range(CALLS):
        metric.update(state, *batch)
        with pytest.raises(am.StateMismatchError):
            metric.update(other, *batch)


# -- who is watching --


def test_a_gradient_that_is_asked_for_later_is_there():
    metric, (y_true, y_pred, weights, mask) = mse(), batch_of("torch")
    often(metric, y_true, y_pred, weights, mask)
    y_pred = torch.where(mask, y_pred, torch.nan)
    leaf = y_pred.clone().requires_grad_()
    metric(y_true, leaf, weights, mask).backward()
    share = torch.where(mask, weights, 0) / torch.where(mask, weights, 0).sum()
    expected = torch.where(mask, 2 * (y_pred - y_true) * share, 0)
    torch.testing.assert_close(leaf.grad, expected)
    with torch.no_grad():
        assert not metric(y_true, leaf, weights, mask).requires_grad
    slope = torch.func.grad(lambda p: metric(y_true, p, weights, mask))(y_pred)
    torch.testing.assert_close(slope, leaf.grad)
    each = torch.func.vmap(lambda p: metric(y_true, p, weights, mask))(torch.stack([y_pred] * 2))
    torch.testing.assert_close(each, metric(y_true, y_pred, weights, mask).repeat(2))
    meta = metric(*(x.to("meta") for x in (y_true, y_pred, weights, mask)))
    assert meta.is_meta


# torch's own, of which it warns itself.
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
@pytest.mark.parametrize("n", [6, 10_000])  # which are computed in different ways
def test_a_gradient_of_values_is_there(n):
    metric, (x, _, weights, mask) = am.metrics.Mean(), batch_of("torch", n)
    often(metric, x, weights, mask)
    leaf = torch.where(mask, x, torch.nan).requires_grad_()
    metric(leaf, weights, mask).backward()
    share = torch.where(mask, weights, 0) / torch.where(mask, weights, 0).sum()
    torch.testing.assert_close(leaf.grad, share)
    slope = torch.func.grad(lambda x: metric(x, weights, mask))(x)
    torch.testing.assert_close(slope, share)
    # Of dual numbers, which do not say that a derivative is asked for.
    slope = torch.func.jvp(lambda x: metric(x, weights, mask), (x,), (share,))[1]
    torch.testing.assert_close(slope, (share * share).sum())


def test_a_copy_has_nothing_recorded_and_is_equal(programs):
    metric, batch = mse(), batch_of()
    often(metric, *batch)
    again = pickle.loads(pickle.dumps(metric))
    assert (again, hash(again), repr(again)) == (metric, hash(metric), repr(metric))
    assert not again._replays._found
    assert bits(often(again, *batch)[-1]) == bits(metric(*batch))
    assert len(programs) == 2


@eager
def test_threads_that_call_one_metric_have_their_own_results(backend):
    metric = am.metrics.F1()
    rng = np.random.default_rng(5)
    data = [
        [make(backend, x) for x in (rng.random(50) < 0.4, rng.random(50).astype(np.float32))]
        for _ in range(8)
    ]
    expected = [bits(dataclasses.replace(metric)(*batch)) for batch in data]

    def work(i):
        return [bits(metric(*data[i])) for _ in range(40)]

    with ThreadPoolExecutor(8) as pool:
        for found, one in zip(pool.map(work, range(8)), expected, strict=True):
            assert all(x == one for x in found)


# -- tiles --


@eager
@pytest.mark.parametrize("case", CUT[::7], ids=lambda case: case.name)
def test_tiles_are_replayed_to_the_same_bit(monkeypatch, programs, case, backend):
    inputs = case.inputs(np.random.default_rng(3), (40, 3))
    batch = {
        n: make(backend, x.astype(np.float32) if x.dtype.kind == "f" else x)
        for n, x in inputs.items()
    }
    groups = {"num_groups": GROUPS} if "by" in batch else {}
    monkeypatch.setattr(type(knowledge(backend)), "tile_elements", 6)
    monkeypatch.setenv("AGNOSTIC_MASK_THREADS", "2")
    with monkeypatch.context() as patch:
        patch.setattr(_replay.Replays, "call", ordinary)
        expected = bits(metric_of(case)(**batch, **groups))
    assert not programs
    assert bits(metric_of(case)(**batch, **groups)) == expected
    assert programs


def test_a_tile_is_no_batch_of_its_own(monkeypatch):
    metric, batch = mse(), batch_of(n=60)
    monkeypatch.setattr(type(knowledge("numpy")), "tile_elements", 6)
    metric(*batch)
    small, state = batch_of(n=6), metric.zero(batch[0])
    states = [metric.update(state, *small) for _ in range(CALLS)]
    assert all(bits(x) == bits(states[0]) for x in states)
    assert bits(metric.compute(states[0])) == bits(metric(*small))
