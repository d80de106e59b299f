import functools

import numpy as np
import pytest

import agnostic_mask as am

from .arrays import (
    BACKENDS,
    backends,
    close,
    dtype_of,
    gradients,
    host,
    knowledge,
    leading,
    make,
    wide,
)

SHAPE = (4, 3, 2)
STATEFUL = ("keras2", "keras3", "mean", "sum")
REDUCTIONS = (*STATEFUL, "none")
COVERS = [
    (None, None),
    ((4,), None),
    (None, (4,)),
    ((4, 3), (4,)),
    ((4,), (4, 3)),
    ((4, 3, 2), (4, 3)),
    ((1, 3), (4, 1, 2)),
    ((4, 1, 2), (1,)),
    ((1, 1, 2), (1, 3, 1)),
    ((), (4, 3, 2)),
]


def reference(reduction, scores, mask=None, weights=None, epsilon=1e-7):
    """The formulas, written out in float64; and the sum of the absolute terms."""
    s = scores.astype(np.float64)
    m = np.ones(s.shape) if mask is None else leading(mask, s.shape).astype(np.float64)
    w = np.ones(s.shape) if weights is None else leading(weights, s.shape).astype(np.float64)
    terms = np.where((m != 0) & (w != 0), s, 0.0) * m * w
    if reduction == "none":
        return terms, np.abs(terms)
    divisor = np.float64(1.0)
    if reduction == "keras2":
        divisor = np.float64(s.size)
        if mask is not None:
            divisor *= np.sum(mask) / np.size(mask) + epsilon
        if weights is not None:
            divisor *= np.count_nonzero(weights) / np.size(weights)
    elif reduction == "keras3":
        divisor = np.count_nonzero(m)
    elif reduction == "mean":
        divisor = np.sum(w * m)
    total, absolute = terms.sum(), np.abs(terms).sum()
    if divisor == 0:
        return (0.0 if reduction == "keras3" else np.nan), absolute
    return total / divisor, absolute / abs(divisor)


def draw(mask_shape, weights_shape, shape=SHAPE, seed=0):
    rng = np.random.default_rng(seed)
    y_true = rng.normal(size=shape).astype(np.float32)
    y_pred = rng.normal(size=shape).astype(np.float32)
    mask = None if mask_shape is None else rng.random(mask_shape) < 0.7
    if mask is not None and not np.any(mask):
        mask = np.ones_like(mask)
    weights = None
    if weights_shape is not None:
        weights = rng.normal(1.0, 1.0, size=weights_shape).astype(np.float32)
        weights[rng.random(weights_shape) < 0.2] = 0
    return y_true, y_pred, mask, weights


def given(backend, *arrays):
    return [None if x is None else make(backend, x) for x in arrays]


def spoil(y, mask, weights):
    """`y` with NaN wherever mask or weights exclude."""
    excluded = np.zeros(y.shape, dtype=bool)
    for x in (mask, weights):
        if x is not None:
            excluded |= leading(x, y.shape) == 0
    return np.where(excluded, np.float32(np.nan), y)


@backends
@pytest.mark.parametrize(("mask_shape", "weights_shape"), COVERS)
def test_every_reduction_is_its_formula_and_excluded_nan_is_absent(
    backend, mask_shape, weights_shape
):
    y_true, y_pred, mask, weights = draw(mask_shape, weights_shape)
    scores = (y_pred.astype(np.float64) - y_true) ** 2
    arrays = given(backend, y_true, spoil(y_pred, mask, weights), weights, mask)
    for reduction in REDUCTIONS:
        objective = am.weighted_masked_objective(am.losses.squared_error, reduction=reduction)
        value = objective(*arrays)
        expected, absolute = reference(reduction, scores, mask, weights)
        close(value, expected, absolute)
        assert dtype_of(value) == "float32"


@backends
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_an_undeclared_function_gets_the_same_value(backend, reduction):
    y_true, y_pred, mask, weights = draw((4, 3), (4,))
    arrays = given(backend, y_true, y_pred, weights, mask)
    plain = am.weighted_masked_objective(lambda t, p: (p - t) * (p - t), reduction=reduction)
    declared = am.weighted_masked_objective(am.losses.squared_error, reduction=reduction)
    assert host(plain(*arrays)).tolist() == host(declared(*arrays)).tolist()


@backends
@pytest.mark.parametrize("epsilon", [0.0, 1e-7, 0.25])
def test_keras2_takes_a_soft_mask_as_factors(backend, epsilon):
    y_true, y_pred, _, weights = draw(None, (4,))
    soft = np.asarray([[0.5, 0.0, 1.0], [0.25, 1.0, 0.0], [0.0, 0.0, 0.0], [2.0, 1.0, 0.75]])
    soft = soft.astype(np.float32)
    scores = np.abs(y_pred.astype(np.float64) - y_true)
    objective = am.weighted_masked_objective(am.losses.absolute_error, epsilon=epsilon)
    value = objective(*given(backend, y_true, spoil(y_pred, soft, weights), weights, soft))
    expected, absolute = reference("keras2", scores, soft, weights, epsilon)
    close(value, expected, absolute)


def test_keras2_without_epsilon_is_the_mean_of_one_valid_in_a_million():
    y_pred = np.zeros(1_000_000, dtype=np.float32)
    mask = np.zeros(1_000_000, dtype=bool)
    y_pred[17], mask[17] = 3.0, True
    ours = am.weighted_masked_objective(am.losses.absolute_error, epsilon=0)
    biased = am.weighted_masked_objective(am.losses.absolute_error)
    close(ours(np.zeros_like(y_pred), y_pred, mask=mask), 3.0, 3.0)
    close(biased(np.zeros_like(y_pred), y_pred, mask=mask), 3.0 / 1.1, 3.0)


@backends
def test_an_integer_mask_counts_where_it_is_not_zero(backend):
    y_true, y_pred, _, _ = draw(None, None)
    for reduction in REDUCTIONS:
        objective = am.weighted_masked_objective(am.losses.squared_error, reduction=reduction)
        t, p = given(backend, y_true, y_pred)
        counted = objective(t, p, mask=make(backend, [3, 0, -1, 1]))
        boolean = objective(t, p, mask=make(backend, [True, False, True, True]))
        assert host(counted).tolist() == host(boolean).tolist()


@pytest.mark.parametrize("backend", [b for b in BACKENDS if b != "array_api_strict"])
def test_half_types_give_float32(backend):
    objective = am.weighted_masked_objective(am.losses.squared_error, reduction="mean")
    x = make(backend, np.full((200, 400), 3.0), "float16")  # 80 000 elements, past its maximum
    value = objective(make(backend, np.zeros((200, 400)), "float16"), x)
    assert dtype_of(value) == "float32"
    assert host(value) == 9.0


@backends
def test_float64_stays_float64(backend):
    with wide(backend):
        y_true, y_pred, mask, weights = draw((4,), (4, 3))
        scores = (y_pred.astype(np.float64) - y_true) ** 2
        arrays = [make(backend, x, "float64") for x in (y_true, y_pred, weights)]
        for reduction in REDUCTIONS:
            objective = am.weighted_masked_objective(am.losses.squared_error, reduction=reduction)
            value = objective(*arrays, make(backend, mask))
            assert dtype_of(value) == "float64"
            expected, absolute = reference(reduction, scores, mask, weights)
            close(value, expected, absolute, dtype="float64", roundings=30)


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_the_byte_order_of_the_scores_costs_no_accuracy(byte_order):
    x = np.full(3, 1 / 3, dtype=f"{byte_order}f8")
    value = am.weighted_masked_objective(lambda t, p: p, reduction="sum")(x, x)
    assert value.dtype == np.float64
    assert float(value) == 1.0


# -- the four verbs --


@backends
@pytest.mark.parametrize("reduction", STATEFUL)
def test_zero_is_neutral_on_both_sides(backend, reduction):
    objective = am.weighted_masked_objective(am.losses.squared_error, reduction=reduction)
    arrays = given(backend, *(draw((4, 3), (4,))[i] for i in (0, 1, 3, 2)))
    whole = host(objective(*arrays))
    state = objective.update(objective.zero(arrays[1]), *arrays)
    for zero in (objective.zero(arrays[1]), objective.zero(state)):
        assert host(objective.compute(objective.merge(zero, state))) == whole
        assert host(objective.compute(objective.merge(state, zero))) == whole
        assert host(objective.compute(objective.update(zero, *arrays))) == whole


@backends
@pytest.mark.parametrize("reduction", STATEFUL)
@pytest.mark.parametrize(("mask_shape", "weights_shape"), [(None, None), ((4, 3), (4,))])
def test_parts_give_the_value_of_the_whole(backend, reduction, mask_shape, weights_shape):
    y_true, y_pred, mask, weights = draw(mask_shape, weights_shape)
    objective = am.weighted_masked_objective(am.losses.squared_error, reduction=reduction)
    whole = objective(*given(backend, y_true, y_pred, weights, mask))
    state = objective.zero(make(backend, y_pred))
    for part in (slice(0, 1), slice(1, 1), slice(1, 4)):  # the middle one is empty
        cut = [None if x is None else x[part] for x in (y_true, y_pred, weights, mask)]
        state = objective.update(state, *given(backend, *cut))
    assert host(objective.compute(state)) == host(whole)


@pytest.mark.parametrize("reduction", STATEFUL)
def test_merging_is_associative_and_keeps_its_arguments(reduction):
    objective = am.weighted_masked_objective(am.losses.absolute_error, reduction=reduction)
    states = []
    for seed in range(3):
        y_true, y_pred, mask, weights = draw((4,), (4, 3), seed=seed)
        states.append(
            objective.update(objective.zero(y_pred), y_true, y_pred, weights, mask),
        )
    before = [{n: x.tolist() for n, x in s.arrays().items()} for s in states]
    a, b, c = states
    left = objective.compute(objective.merge(objective.merge(a, b), c))
    right = objective.compute(objective.merge(a, objective.merge(b, c)))
    assert left == right
    assert before == [{n: x.tolist() for n, x in s.arrays().items()} for s in states]


def test_a_part_in_float64_makes_the_whole_float64():
    objective = am.weighted_masked_objective(am.losses.squared_error, reduction="mean")
    narrow, broad = np.ones(3, np.float32), np.ones(3)
    state = objective.update(objective.zero(narrow), narrow, narrow)
    assert objective.compute(state).dtype == np.float32
    assert objective.compute(objective.update(state, broad, broad)).dtype == np.float64


def test_a_soft_part_merges_with_a_boolean_one():
    objective = am.weighted_masked_objective(am.losses.absolute_error, epsilon=0)
    zero, one = np.zeros(2, np.float32), np.ones(2, np.float32)
    soft = np.asarray([0.5, 0.0], np.float32)
    for masks in ((soft, one != 0), (one != 0, soft)):
        state = objective.zero(one)
        for mask in masks:
            state = objective.update(state, zero, one, mask=mask)
        assert objective.compute(state) == 1.0


@backends
@pytest.mark.parametrize(
    ("reduction", "expected"), [("keras3", 0.0), ("mean", np.nan), ("sum", 0.0), ("keras2", np.nan)]
)
def test_the_state_of_no_batch_has_the_value_of_nothing(backend, reduction, expected):
    like = make(backend, [1.0])
    objective = am.weighted_masked_objective(am.losses.squared_error, reduction=reduction)
    np.testing.assert_equal(host(objective.compute(objective.zero(like))), np.float32(expected))
    filled = am.weighted_masked_objective(am.losses.squared_error, reduction=reduction, empty=-1.0)
    assert host(filled.compute(filled.zero(like))) == -1.0


# -- what may be wrapped --


def test_none_gives_none():
    assert am.weighted_masked_objective(None) is None
    assert am.weighted_masked_objective(None, reduction="mean", empty=0.0) is None


@backends
def test_options_are_bound_by_partial(backend):
    y_true, y_pred, mask, _ = draw((4,), None)
    loss = functools.partial(functools.partial(am.losses.huber, delta=9.0), delta=0.5)
    value = am.weighted_masked_objective(loss, reduction="mean")(
        *given(backend, y_true, y_pred, None, mask)
    )
    residual = np.abs(y_pred.astype(np.float64) - y_true)
    scores = np.where(residual <= 0.5, residual**2 / 2, 0.5 * (residual - 0.25))
    close(value, *reference("mean", scores, mask))


def one_hot(labels, classes, axis):
    return np.moveaxis(np.eye(classes)[labels], -1, axis)


@backends
@pytest.mark.parametrize("axis", [1, -2])
@pytest.mark.parametrize("sparse", [True, False])
def test_a_class_axis_in_the_middle(backend, axis, sparse):
    rng = np.random.default_rng(3)
    y_pred = rng.normal(size=(4, 5, 3)).astype(np.float32)
    labels = rng.integers(0, 5, size=(4, 3))
    mask = rng.random((4, 3)) < 0.6
    logs = y_pred.astype(np.float64)
    logs = logs - np.log(np.sum(np.exp(logs), axis=1, keepdims=True))
    scores = -np.take_along_axis(logs, labels[:, None], axis=1)[:, 0]
    garbage = np.where(mask[:, None], y_pred, np.float32(np.nan))
    if sparse:
        loss, y_true = am.losses.sparse_categorical_crossentropy, np.where(mask, labels, -100)
    else:
        loss, y_true = am.losses.categorical_crossentropy, one_hot(labels, 5, 1)
        y_true = np.where(mask[:, None], y_true, np.nan)
    objective = am.weighted_masked_objective(
        functools.partial(loss, from_logits=True, axis=axis), reduction="mean"
    )
    value = objective(*given(backend, y_true, garbage, None, mask))
    expected, absolute = reference("mean", scores, mask)
    # a score is at least as large as what it cancels: logits here are below 5
    close(value, expected, absolute + 5)


@backends
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_ignore_class_is_a_mask(backend, reduction):
    rng = np.random.default_rng(4)
    logits = rng.normal(size=(4, 3, 5)).astype(np.float32)
    labels = rng.integers(0, 5, size=(4, 3))
    labels[0, 1], labels[3, :] = -100, -100
    weights = np.asarray([1.0, 2.0, 0.5, np.nan], np.float32)
    loss = functools.partial(am.losses.sparse_categorical_crossentropy, from_logits=True)
    ignoring = am.weighted_masked_objective(
        functools.partial(loss, ignore_class=-100), reduction=reduction
    )
    masking = am.weighted_masked_objective(loss, reduction=reduction)
    t, p, w, m = given(backend, labels, logits, weights, labels != -100)
    np.testing.assert_array_equal(host(ignoring(t, p, w)), host(masking(t, p, w, m)))
    assert np.all(np.isfinite(host(ignoring(t, p, w))))


@backends
@pytest.mark.parametrize(
    ("dtype", "label", "ignored"), [("uint8", 156, -100), ("int8", -1, 255), ("uint8", 255, 255)]
)
def test_ignore_class_is_compared_as_a_number_not_wrapped(backend, dtype, label, ignored):
    loss = functools.partial(am.losses.sparse_categorical_crossentropy, ignore_class=ignored)
    y_pred = make(backend, np.full((1, 200), 1 / 200))
    score = float(host(loss(make(backend, [label], dtype), y_pred))[0])
    if label == ignored:
        assert score == 0.0
    elif label < 0:
        assert np.isnan(score)
    else:
        assert score == pytest.approx(np.log(200), rel=1e-6)


def log_ratio(y_true, y_pred):
    xp = am.dispatch(y_true, y_pred).xp
    return xp.abs(xp.log(y_pred / y_true))


@backends
def test_a_caller_s_row_wise_function_with_a_logarithm(backend):
    loss = am.scores(log_ratio, harmless=(1.0, 1.0))
    y_true = np.asarray([1.0, 0.0, 2.0, -1.0], np.float32)
    y_pred = np.asarray([2.0, -3.0, 3.0, np.inf], np.float32)
    mask = np.asarray([True, False, True, False])
    value = am.weighted_masked_objective(loss, reduction="sum")(
        *given(backend, y_true, y_pred, None, mask)
    )
    close(value, np.log(2) + np.log(1.5), 2.0)


@gradients
@pytest.mark.parametrize("excluded", [0.0, -3.0, np.nan, np.inf])
def test_its_gradient_is_finite_and_zero_where_excluded(backend, excluded):
    loss = am.scores(log_ratio, harmless=(1.0, 1.0))
    objective = am.weighted_masked_objective(loss, reduction="mean")
    known = knowledge(backend)
    mask, weights = make(backend, [True, False, True]), make(backend, [1.0, 0.0, 1.0])
    y_true = make(backend, [1.0, excluded, 2.0])
    for options in ({"mask": mask}, {"weights": weights}):
        _, (by_true, by_pred) = known.value_and_grad(
            functools.partial(objective, **options),
            [y_true, make(backend, [2.0, excluded, 4.0])],
        )
        assert host(by_true).tolist() == [-0.5, 0.0, -0.25]
        assert host(by_pred).tolist() == [0.25, 0.0, 0.125]


@pytest.mark.parametrize("garbage", [np.nan, np.inf, -np.inf, 1e300])
def test_excluded_targets_and_predictions_warn_of_nothing(garbage):
    y_true, y_pred = (
        np.asarray([[1.0, 0.0], [garbage] * 2]),
        np.asarray([[0.5, 0.5], [garbage] * 2]),
    )
    for loss in (
        am.losses.squared_error,
        am.losses.huber,
        am.losses.binary_crossentropy,
        functools.partial(am.losses.binary_crossentropy, from_logits=True),
        am.losses.categorical_crossentropy,
        functools.partial(am.losses.categorical_crossentropy, from_logits=True),
    ):
        objective = am.weighted_masked_objective(loss, reduction="mean")
        value = objective(y_true, y_pred, mask=np.asarray([True, False]))
        assert value == objective(y_true[:1], y_pred[:1])


@gradients
@pytest.mark.parametrize("excluded", [0.0, 1.0, np.nan, np.inf, -np.inf, -3e38])
@pytest.mark.parametrize("from_logits", [False, True])
def test_gradients_of_class_losses_are_finite_and_zero_where_excluded(
    backend, excluded, from_logits
):
    y_pred = make(backend, [[0.5, 0.25, 0.25], [excluded] * 3])
    one_hot = make(backend, [[0.0, 1.0, 0.0], [excluded] * 3])
    mask = make(backend, [True, False])
    for loss, y_true in (
        (am.losses.binary_crossentropy, one_hot),
        (am.losses.categorical_crossentropy, one_hot),
        (am.losses.sparse_categorical_crossentropy, make(backend, [1, -100])),
    ):
        objective = am.weighted_masked_objective(
            functools.partial(loss, from_logits=from_logits), reduction="mean"
        )
        _, (gradient,) = knowledge(backend).value_and_grad(
            functools.partial(objective, y_true, mask=mask), [y_pred]
        )
        gradient = host(gradient)
        assert np.all(np.isfinite(gradient))
        assert np.all(gradient[0] != 0)
        assert np.all(gradient[1] == 0)


@pytest.mark.parametrize("bind", [True, False])
def test_the_class_axis_may_be_an_ordinary_parameter(bind):
    @am.scores(class_axis="axis", harmless=(0.0, 0.0))
    def largest_miss(y_true, y_pred, axis=-1):
        return np.max(np.abs(y_pred - y_true), axis=axis)

    fn = functools.partial(largest_miss, axis=-1) if bind else largest_miss
    y_pred = np.asarray([[1.0, -3.0], [np.nan, 0.0]])
    mask = np.asarray([True, False])
    objective = am.weighted_masked_objective(fn, reduction="sum")
    assert objective(np.zeros((2, 2)), y_pred, mask=mask) == 3.0


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_function_without_a_python_signature_can_be_declared(backend):
    if backend == "numpy":
        subtract = np.subtract
    else:
        import torch

        subtract = torch.sub  # a built-in of which inspect knows nothing
    loss = am.scores(subtract, harmless=(0.0, 0.0))
    objective = am.weighted_masked_objective(loss, reduction="sum")
    y_true, y_pred = make(backend, [5.0, np.nan]), make(backend, [2.0, 1.0])
    assert host(objective(y_true, y_pred, mask=make(backend, [True, False]))) == 3.0


def test_a_callable_object_can_be_declared():
    class Scaled:
        def __init__(self, factor):
            self.factor = factor

        def __call__(self, y_true, y_pred):
            return self.factor * (y_pred - y_true)

    loss = am.scores(Scaled(2.0), harmless=(0.0, 0.0))
    value = am.weighted_masked_objective(loss, reduction="sum")(np.zeros(2), np.ones(2))
    assert value == 4.0


def test_declaring_by_call_leaves_the_function_as_it_was():
    def fn(y_true, y_pred):
        return y_pred - y_true

    am.scores(fn)
    assert vars(fn) == {}


@backends
def test_no_input_is_written_to(backend):
    y_true, y_pred, mask, weights = draw((4, 3), (4,))
    arrays = given(backend, y_true, spoil(y_pred, mask, weights), weights, mask)
    before = [host(x) for x in arrays]
    for reduction in REDUCTIONS:
        am.weighted_masked_objective(am.losses.squared_error, reduction=reduction)(*arrays)
    for x, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(host(x), old)


def test_an_included_nan_comes_through():
    y_pred = np.asarray([1.0, np.nan, 2.0])
    for reduction in STATEFUL:
        objective = am.weighted_masked_objective(am.losses.squared_error, reduction=reduction)
        assert np.isnan(objective(np.zeros(3), y_pred, mask=np.asarray([True, True, False])))
        assert np.isnan(objective(np.zeros(3), np.ones(3), np.asarray([1.0, np.nan, 0.0])))
