"""Groups: one state, one result for each group, as if all others had been removed."""

import functools

import jax
import numpy as np
import pytest
import torch
from jax import lax

import agnostic_mask as am
from agnostic_mask.conformance.cases import MetricCase, all_cases, spread

from .arrays import backends, host, make

GROUPS, EMPTY = 4, 3  # the last group has no element
SHAPE = (12, 3)
KINDS: dict[str, dict[str, MetricCase]] = {}
for case in all_cases():
    if isinstance(case, MetricCase):
        KINDS.setdefault(case.data, {})[case.name] = case
BYS = {"elements": SHAPE, "rows": SHAPE[:1], "rows with a dimension of 1": (SHAPE[0], 1)}


def data_of(case, shape=SHAPE):
    """Arrays for a case, in float32, with weights of one sign, a mask, and garbage under it."""
    inputs = case.inputs(np.random.default_rng(3), shape)
    rng = np.random.default_rng(4)
    inputs["mask"] = rng.random(shape) < 0.7
    inputs["weights"] = rng.uniform(0.5, 2.0, shape[0])
    inputs["weights"][2] = 0.0
    for name in ("x", "y_pred"):
        if name in inputs and inputs[name].dtype.kind == "f":
            inputs[name][~inputs["mask"]] = np.nan
    return {n: x.astype(np.float32) if x.dtype.kind == "f" else x for n, x in inputs.items()}


def metric_of(case):
    """The metric of a case, whole where the case looks at a field of its result."""
    return getattr(case.metric, "metric", case.metric)


def labels(shape=SHAPE):
    return np.random.default_rng(6).integers(0, EMPTY, shape).astype(np.int32)


def near(found, expected):
    """Equal within the rounding of sums that were taken in another order."""
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def computed(metrics, arrays, **groups):
    """Fields of all results, by the names of their metrics."""
    values = {name: metric(**arrays, **groups) for name, metric in metrics.items()}
    return {n: tuple(x) if isinstance(x, tuple) else (x,) for n, x in values.items()}


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("kind", KINDS)
def test_groups_are_as_if_all_others_had_been_removed(backend, kind):
    metrics = {name: metric_of(case) for name, case in KINDS[kind].items()}
    inputs, by = data_of(next(iter(KINDS[kind].values()))), labels()
    compiled = jax.jit if backend == "jax" else lambda fn: fn
    arrays = {n: make(backend, x) for n, x in inputs.items()}
    grouped = compiled(lambda by, arrays: computed(metrics, arrays, by=by, num_groups=GROUPS))
    alone = compiled(lambda arrays: computed(metrics, arrays))
    found = grouped(make(backend, by), arrays)
    for group in range(GROUPS):
        mask = make(backend, inputs["mask"] & (by == group))
        for name, expected in alone({**arrays, "mask": mask}).items():
            for each, one in zip(found[name], expected, strict=True):
                near(host(each)[group], host(one))


@pytest.mark.parametrize("shape", BYS.values(), ids=BYS)
@pytest.mark.parametrize("metric", [am.metrics.MeanSquaredError(), am.metrics.R2Score()])
def test_labels_cover_leading_axes(shape, metric):
    inputs, by = data_of(next(iter(KINDS["far"].values()))), labels(shape)
    found = metric(**inputs, by=by, num_groups=GROUPS)
    for group in range(GROUPS):
        mask = inputs["mask"] & (spread(by, SHAPE) == group)
        near(found[group], metric(**{**inputs, "mask": mask}))


LOSSES = ("huber", "binary_crossentropy", "dice", "jaccard")


@pytest.mark.parametrize("reduction", ["keras2", "keras3", "mean", "sum"])
@pytest.mark.parametrize("loss", LOSSES)
def test_objectives_of_groups_are_those_of_their_rows_alone(loss, reduction):
    rng = np.random.default_rng(2)
    y_true, y_pred = rng.integers(0, 2, (20, 3)).astype(np.float32), rng.random((20, 3), np.float32)
    mask, weights = rng.random((20, 3)) < 0.7, rng.uniform(0.5, 2.0, 20)
    by = rng.integers(0, GROUPS, 20)
    objective = am.weighted_masked_objective(getattr(am.losses, loss), reduction=reduction)
    found = objective(y_true, y_pred, weights, mask, by=by, num_groups=GROUPS)
    for group in range(GROUPS):
        rows = by == group
        near(found[group], objective(y_true[rows], y_pred[rows], weights[rows], mask[rows]))


@backends
def test_parts_of_any_groups_merge_into_the_whole(backend):
    rng = np.random.default_rng(8)
    y_true, y_pred = rng.integers(0, 2, 60), rng.random(60).astype(np.float32)
    by = rng.integers(0, EMPTY, 60).astype(np.int32)
    metrics = am.metrics.MetricSet(
        {
            "f1": am.metrics.F1(),
            "r2": am.metrics.R2Score(),
            "worst": am.metrics.MaxError(),
            "d2": am.metrics.D2TweedieScore(),
            "keras2": am.weighted_masked_objective(am.losses.squared_error),
            "dice": am.metrics.MeanScore(am.losses.dice),
        }
    )
    arrays = [make(backend, x) for x in (y_true, y_pred, by)]
    whole = metrics(*arrays[:2], by=arrays[2], num_groups=GROUPS)
    parts = []
    for rows in (slice(0, 7), slice(7, 8), slice(8, 60)):
        state = metrics.zero(like=arrays[1], num_groups=GROUPS)
        cut = [x[rows] for x in arrays]
        parts.append(metrics.update(state, *cut[:2], by=cut[2]))
    found = metrics.compute(functools.reduce(metrics.merge, parts))
    for name, expected in whole.items():
        assert host(expected).shape == (GROUPS,)
        near(host(found[name]), host(expected))


def test_groups_of_a_matrix_have_a_leading_axis():
    y_true, y_pred, by = np.asarray([0, 1, 1]), np.asarray([0, 1, 0]), np.asarray([1, 1, 0])
    matrices = am.metrics.ConfusionMatrix()(y_true, y_pred, by=by, num_groups=2)
    assert matrices.tolist() == [[[0.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]]
    each = am.metrics.Recall(average=None)(y_true, y_pred, by=by, num_groups=2)
    assert each.tolist() == [[0.0, 0.0], [1.0, 1.0]]


NOTHING = {
    am.metrics.Mean(): np.nan,
    am.metrics.Sum(): 0.0,
    am.metrics.Max(): -np.inf,
    am.metrics.Variance(): np.nan,
}


@backends
@pytest.mark.parametrize("metric", NOTHING, ids=repr)
def test_an_empty_group_has_the_value_of_nothing(backend, metric):
    x, by = make(backend, [1.0, 2.0, 4.0]), make(backend, np.asarray([0, 2, 2]))
    found = host(metric(x, by=by, num_groups=3))
    assert np.isfinite(found[[0, 2]]).all()
    np.testing.assert_equal(found[1], np.float32(NOTHING[metric]))


@backends
@pytest.mark.parametrize("wrong", [-1, 3, 100])
def test_an_included_label_out_of_range_is_nan_in_every_group(backend, wrong):
    x, by = make(backend, [1.0, 2.0, 4.0, 5.0]), np.asarray([0, 1, wrong, 2])
    mean = am.metrics.Mean()
    assert np.isnan(host(mean(x, by=make(backend, by), num_groups=3))).all()
    mask = make(backend, by != wrong)
    found = host(mean(x, mask=mask, by=make(backend, by), num_groups=3))
    assert found.tolist() == [1.0, 2.0, 5.0]


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint64", "int64"])
def test_labels_may_be_of_any_integer_type(dtype):
    by = np.asarray([0, 1, 1], dtype)
    found = am.metrics.Mean()(np.asarray([1.0, 2.0, 4.0]), by=by, num_groups=3)
    np.testing.assert_equal(found, [1.0, 3.0, np.nan])
    # Beyond every index, but not negative.
    top = np.asarray([0, 1, np.iinfo(dtype).max], dtype)
    assert np.isnan(am.metrics.Mean()(np.asarray([1.0, 2.0, 4.0]), by=top, num_groups=3)).all()


def test_what_is_nan_in_one_group_stays_there():
    x, by = np.asarray([1.0, np.nan, 4.0]), np.asarray([0, 1, 2])
    for metric in (am.metrics.Mean(), am.metrics.Max(), am.metrics.Variance()):
        found = metric(x, by=by, num_groups=3)
        assert np.isnan(found).tolist() == [False, True, False]


def test_a_far_mean_of_one_group_costs_the_others_no_accuracy():
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(0, 1, 1000), rng.normal(1e8, 1, 1000)])
    by = np.repeat([0, 1], 1000)
    found = am.metrics.Variance()(x, by=by, num_groups=2)
    exact = [x[by == group].var() for group in (0, 1)]
    np.testing.assert_allclose(found, exact, rtol=1e-12)


X, BY = np.asarray([1.0, 2.0]), np.asarray([0, 1])
MEAN = am.metrics.Mean()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: MEAN(X, by=BY), ValueError, "num_groups is None, and by is given"),
        (lambda: MEAN(X, num_groups=2), ValueError, "by is None; expected the label"),
        (lambda: MEAN(X, by=BY, num_groups=0), ValueError, "num_groups is 0"),
        (lambda: MEAN(X, by=BY, num_groups=True), ValueError, "num_groups is True"),
        (lambda: MEAN(X, by=BY, num_groups=2.0), ValueError, "num_groups is 2.0"),
        (lambda: MEAN(X, by=X, num_groups=2), am.UnsupportedArrayError, "by has dtype float64"),
        (
            lambda: MEAN(X, by=[0, 1], num_groups=2),
            am.UnsupportedArrayError,
            "by is a builtins.list",
        ),
        (
            lambda: MEAN(X, by=np.zeros(3, int), num_groups=2),
            am.ShapeMismatchError,
            r"by has shape \(3,\)",
        ),
        (
            lambda: MEAN(X, by=torch.asarray(BY), num_groups=2),
            am.MixedFrameworksError,
            "by is a torch array",
        ),
        (lambda: MEAN.zero(X, num_groups=0), ValueError, "num_groups is 0"),
        (
            lambda: MEAN.zero(MEAN.zero(X), num_groups=2),
            ValueError,
            "like is a state, which has its own groups",
        ),
        (
            lambda: MEAN.update(MEAN.zero(X), X, by=BY),
            ValueError,
            "the state has no groups; start from",
        ),
        (
            lambda: MEAN.update(MEAN.zero(X, num_groups=2), X),
            ValueError,
            "by is None, and the state has 2 groups",
        ),
        (
            lambda: MEAN.merge(MEAN.zero(X, num_groups=2), MEAN.zero(X, num_groups=3)),
            am.StateMismatchError,
            "2 groups and the right state 3 groups",
        ),
        (
            lambda: MEAN.merge(MEAN.zero(X), MEAN.zero(X, num_groups=3)),
            am.StateMismatchError,
            "no groups and the right state 3 groups",
        ),
        (
            lambda: am.weighted_masked_objective(am.losses.huber, reduction="none")(
                X, X, by=BY, num_groups=2
            ),
            ValueError,
            "reduction 'none' keeps every score",
        ),
    ],
)
def test_bad_groups_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_states_of_groups_are_packed_and_saved(tmp_path):
    metrics = am.metrics.MetricSet({"mse": am.metrics.MeanSquaredError(), "f1": am.metrics.F1()})
    zero = metrics.zero(like=X, num_groups=GROUPS)
    states = metrics.update(zero, np.asarray([0, 1]), X, by=BY)
    expected = metrics.compute(states)
    again = am.states.unpack(am.states.pack(states), like=zero)
    am.states.save(tmp_path / "groups.npz", states)
    loaded = am.states.load(tmp_path / "groups.npz", metrics, like=X)
    for found in (again, loaded):
        for name, x in metrics.compute(found).items():
            np.testing.assert_equal(x, expected[name])


def test_a_running_metric_has_groups():
    mean = am.metrics.Running(am.metrics.Mean(), num_groups=3)
    mean.update(X, by=BY)
    mean.update(np.asarray([4.0]), by=np.asarray([1]))
    np.testing.assert_equal(mean.compute(), [1.0, 3.0, np.nan])


def test_groups_scan_and_compile():
    mse = am.metrics.MeanSquaredError()
    y_true, y_pred = jax.numpy.zeros((3, 4)), jax.numpy.arange(12.0).reshape(3, 4)
    by = jax.numpy.asarray([[0, 1, 1, 0], [1, 1, 1, 1], [2, 0, 1, 2]])

    def step(state, batch):
        return mse.update(state, *batch[:2], by=batch[2]), None

    state, _ = lax.scan(step, mse.zero(y_pred, num_groups=3), (y_true, y_pred, by))
    expected = mse(y_true, y_pred, by=by, num_groups=3)
    np.testing.assert_allclose(mse.compute(state), expected, rtol=1e-6)
    tensors = [torch.asarray(np.array(x)) for x in (y_true, y_pred, by)]
    compiled = torch.compile(
        lambda t, p, g: mse(t, p, by=g, num_groups=3), fullgraph=True, backend="aot_eager"
    )
    np.testing.assert_allclose(compiled(*tensors), expected, rtol=1e-6)


def test_large_batches_are_cut_with_their_labels():
    rng = np.random.default_rng(0)
    x = rng.random(400_000).astype(np.float32)
    by = rng.integers(0, 7, x.size)
    found = am.metrics.Mean()(x, by=by, num_groups=7)
    expected = np.bincount(by, weights=x) / np.bincount(by)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_names_of_groups_are_to_be_numbered():
    with pytest.raises(am.UnsupportedArrayError, match=r"numpy.unique\(by, return_inverse=True\)"):
        MEAN(X, by=np.asarray(["a", "b"]), num_groups=2)


def test_files_of_other_groups_are_named(tmp_path):
    gap = am.metrics.BetweenGroups(MEAN, 3, "gap")
    am.states.save(tmp_path / "none.npz", MEAN.update(MEAN.zero(X), X))
    am.states.save(tmp_path / "two.npz", MEAN.update(MEAN.zero(X, num_groups=2), X, by=BY))
    for name, what in (("none", "no groups"), ("two", "2 groups")):
        with pytest.raises(am.StateMismatchError, match=f"{what}.*expected 3"):
            am.states.load(tmp_path / f"{name}.npz", gap, like=X)


def test_a_running_metric_needs_the_number_of_groups_first():
    with pytest.raises(ValueError, match=r"Running\(metric, num_groups=...\)"):
        am.metrics.Running(MEAN).update(X, by=BY)
    with pytest.raises(ValueError, match="num_groups is 0"):
        am.metrics.Running(MEAN, num_groups=0)
    with pytest.raises(TypeError, match=r"the class Mean; .* write Mean\(\)"):
        am.metrics.Running(am.metrics.Mean)
