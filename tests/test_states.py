"""States: packed, saved, merged; what is static, and what is refused."""

import functools
import json
import os

import dask
import jax
import numpy as np
import pytest
import torch
from torch.utils import _pytree

import agnostic_mask as am

from .arrays import BACKENDS, backends, host, make, wide

Y_TRUE = np.asarray([[1.0, 2.0], [3.0, 5.0], [0.5, 1.5]], np.float32)
Y_PRED = np.asarray([[1.0, 4.0], [2.0, 6.0], [0.0, 2.0]], np.float32)
LABELS, GUESSES = np.asarray([0, 1, 2, 2]), np.asarray([0, 2, 2, 1])
METRICS = {
    "objective": am.weighted_masked_objective(am.losses.squared_error, reduction="keras3"),
    "sums": am.metrics.MeanSquaredError(),
    "moments": am.metrics.R2Score(),
    "extreme": am.metrics.MaxError(),
    "set": am.metrics.MetricSet(
        {
            "r2": am.metrics.R2Score(),
            "mse": am.metrics.MeanSquaredError(),
            "pearson": am.metrics.PearsonCorrelation(),
        }
    ),
    "counts": am.metrics.Precision(num_classes=3, average=None),
}
metrics = pytest.mark.parametrize("name", METRICS)


def batch(name, backend):
    arrays = (LABELS, GUESSES) if name == "counts" else (Y_TRUE, Y_PRED)
    return [make(backend, x) for x in arrays]


def state_of(name, backend):
    metric, arrays = METRICS[name], batch(name, backend)
    return metric.update(metric.zero(like=arrays[1]), *arrays)


def singles(states):
    return [states] if isinstance(states, am.states.State) else list(states)


def same(left, right):
    """Whether two states have the same bits."""
    for a, b in zip(singles(left), singles(right), strict=True):
        ours, theirs = a.arrays(), b.arrays()
        assert (a.made_for, a.dtype, list(ours)) == (b.made_for, b.dtype, list(theirs))
        for x, y in zip(map(host, ours.values()), map(host, theirs.values()), strict=True):
            assert (x.dtype, x.shape, x.tobytes()) == (y.dtype, y.shape, y.tobytes())


@backends
@metrics
def test_packing_keeps_every_bit(backend, name):
    state = state_of(name, backend)
    vectors = am.states.pack(state)
    for kind, x in vectors.items():
        assert (len(x.shape), str(x.dtype).rpartition(".")[2]) == (1, kind)
    same(am.states.unpack(vectors, like=state), state)
    like = METRICS[name].zero(like=batch(name, backend)[1])
    again = am.states.pack(am.states.unpack(vectors, like=like))
    assert {k: host(x).tolist() for k, x in again.items()} == {
        k: host(x).tolist() for k, x in vectors.items()
    }


@metrics
def test_equal_metrics_pack_to_equal_lengths_whatever_they_met(name):
    metric, arrays = METRICS[name], batch(name, "numpy")
    nothing = metric.zero(like=arrays[1])
    weights = np.ones(len(arrays[0]))
    weighted = metric.update(nothing, *arrays, weights)
    lengths = [
        {kind: x.shape for kind, x in am.states.pack(s).items()}
        for s in (nothing, state_of(name, "numpy"), weighted)
    ]
    assert lengths[0] == lengths[1] == lengths[2]


@backends
@metrics
def test_a_saved_state_comes_back(backend, name, tmp_path):
    state = state_of(name, backend)
    am.states.save(tmp_path / "state", state)
    restored = am.states.load(tmp_path / "state", METRICS[name], like=batch(name, backend)[1])
    same(restored, state)
    assert os.listdir(tmp_path) == ["state"]


@pytest.mark.parametrize("backend", BACKENDS[1:])
def test_a_state_may_be_restored_in_another_framework(backend, tmp_path):
    am.states.save(tmp_path / "s.npz", state_of("moments", backend))
    restored = am.states.load(tmp_path / "s.npz", METRICS["moments"], like=np.ones(1))
    assert METRICS["moments"].compute(restored) == METRICS["moments"](Y_TRUE, Y_PRED)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "s.npz"
    am.states.save(file, state_of("sums", "numpy"))
    before = file.read_bytes()

    def full(*args, **kwargs):
        args[0].write(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="no space"):
        am.states.save(file, state_of("moments", "numpy"))
    assert file.read_bytes() == before
    assert os.listdir(tmp_path) == ["s.npz"]


def rewritten(file, change):
    """A file of states whose header was changed."""
    with np.load(file) as stored:
        arrays = {n: stored[n] for n in stored.files}
    header = json.loads(str(arrays["agnostic_mask"]))
    change(header, arrays)
    if "agnostic_mask" in arrays:
        arrays["agnostic_mask"] = np.asarray(json.dumps(header))
    with open(file, "wb") as stream:
        np.savez(stream, **arrays)


def newer(header, arrays):
    header["schema"] = 2


def without_header(header, arrays):
    del arrays["agnostic_mask"]


def without_an_array(header, arrays):
    del arrays["0.total"]


def of_another_shape(header, arrays):
    arrays["0.total"] = np.zeros(3)


def without_states(header, arrays):
    del header["states"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (newer, "schema 2; expected 1. A newer version"),
        (without_header, "is damaged, or no file"),
        (without_an_array, "total of state 0 is missing"),
        (of_another_shape, r"has shape \(3,\) and dtype float64; expected \(\) and float64"),
        (without_states, "is damaged, or no file"),
    ],
)
def test_a_file_that_is_not_whole_is_a_named_error(tmp_path, change, message):
    file = tmp_path / "s.npz"
    am.states.save(file, state_of("sums", "numpy"))
    rewritten(file, change)
    with pytest.raises(am.StateFileError, match=message):
        am.states.load(file, METRICS["sums"], like=Y_PRED)


@pytest.mark.parametrize("keep", [0, 10, 200, -1, -30])
def test_a_truncated_file_is_a_named_error(tmp_path, keep):
    file = tmp_path / "s.npz"
    am.states.save(file, state_of("sums", "numpy"))
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(am.StateFileError, match=r"s\.npz is damaged"):
        am.states.load(file, METRICS["sums"], like=Y_PRED)


def test_any_flipped_byte_is_seen_or_harmless(tmp_path):
    file = tmp_path / "s.npz"
    state = state_of("sums", "numpy")
    am.states.save(file, state)
    whole = file.read_bytes()
    for at in range(0, len(whole), 7):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        try:
            restored = am.states.load(file, METRICS["sums"], like=Y_PRED)
        except am.AgnosticMaskError:
            continue
        same(restored, state)


def test_a_missing_file_is_file_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        am.states.load(tmp_path / "none.npz", METRICS["sums"], like=Y_PRED)


def test_a_file_of_pickles_is_refused(tmp_path):
    file = tmp_path / "s.npz"
    np.savez(file, agnostic_mask=np.asarray([{"schema": 1}], dtype=object))
    with pytest.raises(am.StateFileError, match="damaged"):
        am.states.load(file, METRICS["sums"], like=Y_PRED)


@pytest.mark.parametrize(
    "other",
    [
        am.metrics.MeanScore(functools.partial(am.losses.huber, delta=0.5)),
        am.metrics.R2Score(),
        am.weighted_masked_objective(am.losses.huber, reduction="sum"),
        am.metrics.MetricSet({"huber": am.metrics.MeanScore(am.losses.huber)}),
    ],
    ids=["another option", "another kind", "another reduction", "a set"],
)
def test_states_of_other_configurations_do_not_mix(other, tmp_path):
    metric = am.metrics.MeanScore(am.losses.huber)
    ours, theirs = metric.zero(like=Y_PRED), other.zero(like=Y_PRED)
    wrong = TypeError if isinstance(theirs, tuple) else am.StateMismatchError
    for verb in (
        lambda: metric.merge(ours, theirs),
        lambda: metric.update(theirs, Y_TRUE, Y_PRED),
        lambda: metric.compute(theirs),
        lambda: metric.zero(like=theirs),
    ):
        with pytest.raises((wrong, am.UnsupportedArrayError)):
            verb()
    am.states.save(tmp_path / "s", theirs)
    if not isinstance(theirs, tuple):
        with pytest.raises(am.StateMismatchError, match="expected"):
            am.states.load(tmp_path / "s", metric, like=Y_PRED)
    with pytest.raises(am.StateMismatchError):
        am.states.unpack(am.states.pack(METRICS["moments"].zero(like=Y_PRED)), like=ours)


def test_an_option_at_its_default_is_the_same_metric():
    given = am.metrics.MeanScore(functools.partial(am.losses.huber, delta=1.0))
    metric = am.metrics.MeanScore(am.losses.huber)
    merged = metric.merge(
        metric.update(metric.zero(like=Y_PRED), Y_TRUE, Y_PRED),
        given.update(given.zero(like=Y_PRED), Y_TRUE, Y_PRED),
    )
    assert metric.compute(merged) == metric(Y_TRUE, Y_PRED)


@metrics
def test_states_are_trees_for_jax_and_torch(name):
    state = state_of(name, "jax")
    arrays, tree = jax.tree_util.tree_flatten(state)
    assert len(arrays) == sum(len(s.arrays()) for s in singles(state))
    same(jax.tree_util.tree_unflatten(tree, arrays), state)
    tensors = state_of(name, "torch")
    arrays, spec = _pytree.tree_flatten(tensors)
    assert all(isinstance(x, torch.Tensor) for x in arrays if x is not None)
    same(_pytree.tree_unflatten(arrays, spec), tensors)


@metrics
def test_jax_scans_over_states(name):
    metric, arrays = METRICS[name], batch(name, "jax")
    stacked = [np.stack([np.asarray(x)] * 3) for x in arrays]

    @jax.jit
    def whole(stacked):
        start = metric.zero(like=arrays[1])
        step = lambda state, part: (metric.update(state, *part), None)  # noqa: E731
        end, _ = jax.lax.scan(step, start, stacked)
        return metric.compute(end)

    thrice = [np.concatenate([np.asarray(x)] * 3) for x in arrays]
    expected = metric(*(make("jax", x) for x in thrice))
    for x, y in zip(jax.tree.leaves(whole(stacked)), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(x, y)


@metrics
def test_torch_compiles_every_verb_as_a_whole(name):
    metric, arrays = METRICS[name], batch(name, "torch")

    def verbs(*arrays):
        once = metric.update(metric.zero(like=arrays[1]), *arrays)
        again = metric.update(metric.zero(like=once), *arrays)
        return metric.compute(metric.merge(once, again))

    torch.compiler.reset()
    compiled = torch.compile(verbs, fullgraph=True, backend="aot_eager")(*arrays)
    eager = verbs(*arrays)
    for x, y in zip(_pytree.tree_leaves(compiled), _pytree.tree_leaves(eager), strict=True):
        torch.testing.assert_close(x, y, rtol=0, atol=0)


def refuse(*args, **kwargs):
    raise AssertionError("a lazy array was computed")


@metrics
def test_dask_verbs_compute_nothing(name):
    metric, arrays = METRICS[name], batch(name, "dask")
    with dask.config.set(scheduler=refuse):
        state = metric.update(metric.zero(like=arrays[1]), *arrays)
        vectors = am.states.pack(metric.merge(state, metric.zero(like=state)))
        lazy = metric.compute(am.states.unpack(vectors, like=state))
    expected = metric(*batch(name, "numpy"))
    for x, y in zip(jax.tree.leaves(lazy), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(x.compute(), y)


@backends
@metrics
def test_an_update_changes_neither_state_nor_batch(backend, name):
    state, arrays = state_of(name, backend), batch(name, backend)
    before = [{n: host(x) for n, x in s.arrays().items()} for s in singles(state)]
    METRICS[name].merge(METRICS[name].update(state, *arrays), state)
    for s, arrays_before in zip(singles(state), before, strict=True):
        for n, x in s.arrays().items():
            assert host(x).tobytes() == arrays_before[n].tobytes()


@metrics
def test_states_are_hashed_and_equal_by_identity(name):
    once, again = (singles(state_of(name, "numpy")) for _ in range(2))
    assert len({*once, *again}) == 2 * len(once)


@metrics
def test_a_state_of_nothing_changes_no_bit(name):
    metric, state = METRICS[name], state_of(name, "numpy")
    nothing = metric.zero(like=batch(name, "numpy")[1])
    same(metric.merge(nothing, state), state)
    same(metric.merge(state, nothing), state)
    again = metric.zero(like=state)
    same(metric.merge(again, state), state)


def test_frameworks_do_not_mix():
    metric = METRICS["sums"]
    with pytest.raises(am.MixedFrameworksError, match=r"zero\(like=y_pred\)"):
        metric.update(state_of("sums", "torch"), Y_TRUE, Y_PRED)
    with pytest.raises(am.MixedFrameworksError, match="right"):
        metric.merge(state_of("sums", "torch"), state_of("sums", "numpy"))


@pytest.mark.parametrize(
    "vectors",
    [
        [np.zeros(3)],
        {"float64": np.zeros(2, np.float32), "int64": np.zeros(1, np.int64)},
        {"float64": np.zeros((1, 2)), "int64": np.zeros(1, np.int64)},
        {"float64": np.zeros(2)},
    ],
    ids=["a list", "another dtype", "another shape", "one missing"],
)
def test_vectors_that_pack_did_not_make_are_refused(vectors):
    with pytest.raises((am.StateMismatchError, TypeError), match="vectors"):
        am.states.unpack(vectors, like=METRICS["sums"].zero(like=Y_PRED))


def test_the_default_objective_says_what_it_unpacks_with():
    keras2 = am.weighted_masked_objective(am.losses.huber)
    state = keras2.update(keras2.zero(like=Y_PRED), Y_TRUE, Y_PRED)
    vectors = am.states.pack(state)
    with pytest.raises(am.StateMismatchError, match="'keras2' one that has met a batch"):
        am.states.unpack(vectors, like=keras2.zero(like=Y_PRED))
    same(am.states.unpack(vectors, like=keras2.zero(like=state)), state)


@pytest.mark.parametrize("metric", [am.metrics.R2Score, am.losses.huber, None])
def test_a_file_is_loaded_for_a_metric(metric, tmp_path):
    am.states.save(tmp_path / "s", state_of("sums", "numpy"))
    with pytest.raises(TypeError, match=r"metric is a .*; expected a metric"):
        am.states.load(tmp_path / "s", metric, like=Y_PRED)


def test_a_file_may_be_read_by_whom_the_umask_lets(tmp_path):
    before = os.umask(0o027)
    try:
        am.states.save(tmp_path / "s", state_of("sums", "numpy"))
    finally:
        os.umask(before)
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_integers_keep_all_their_digits(backend):
    stamps = 1_700_000_000 + np.arange(100)
    x, y = (make(backend, v, "int32") for v in (stamps, stamps + 2 * np.arange(100)))
    assert float(host(am.metrics.Variance()(x))) == 833.25
    assert float(host(am.metrics.PearsonCorrelation()(x, y))) == 1.0
    assert float(host(am.metrics.Max()(x))) == np.float32(stamps[-1])
    exact = 1 - (900 * 100) / (833.25 * 100)
    assert float(host(am.metrics.R2Score()(x, x + 30))) == np.float32(exact)


def test_what_is_no_state_is_named():
    for call in (
        lambda: am.states.pack({"a": 1}),
        lambda: am.states.pack((METRICS["sums"].zero(like=Y_PRED), 3)),
        lambda: METRICS["sums"].compute(3),
        lambda: METRICS["set"].compute(METRICS["sums"].zero(like=Y_PRED)),
    ):
        with pytest.raises(TypeError, match=r"expected a (state|tuple of)"):
            call()


@pytest.mark.parametrize("backend", BACKENDS)
def test_float64_states_stay_float64(backend):
    with wide(backend):
        arrays = [make(backend, x, "float64") for x in (Y_TRUE, Y_PRED)]
        state = METRICS["moments"].update(METRICS["moments"].zero(like=arrays[1]), *arrays)
        assert state.dtype == "float64"
        assert host(METRICS["moments"].compute(state)).dtype == np.float64
