import dataclasses
import functools

import numpy as np
import pytest
import torch

import agnostic_mask as am
from agnostic_mask import _staged

from .arrays import backends, dtype_of, host, knowledge, make, wide

STATEFUL = ("keras2", "keras3", "mean", "sum")


def watched(seen, **declaration):
    """A declared score function that notes the y_true it is called with."""

    def score(y_true, y_pred):
        seen.append(y_true)
        return y_pred * y_pred

    return am.scores(score, **declaration)


# -- what the score function sees in place of what is excluded --


@backends
def test_excluded_truths_are_false_and_booleans_stay_booleans(backend):
    seen = []
    objective = am.weighted_masked_objective(watched(seen), reduction="sum")
    y_true, mask = [True, False, True, False], [True, True, False, False]
    y_pred = make(backend, [1.0, 2.0, 4.0, 8.0])
    assert host(objective(make(backend, y_true), y_pred, mask=make(backend, mask))) == 5.0
    assert dtype_of(seen[0]) in ("bool", "bool_")
    assert host(seen[0]).tolist() == [True, False, False, False]


@backends
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32"])
def test_excluded_labels_are_label_0_and_keep_their_type(backend, dtype):
    seen = []
    loss = watched(seen, harmless=(0.5, 0.5))
    objective = am.weighted_masked_objective(loss, reduction="sum")
    y_true, mask = make(backend, [3, 2, 5], dtype), make(backend, [True, False, False])
    assert host(objective(y_true, make(backend, [1.0, 2.0, 4.0]), mask=mask)) == 1.0
    assert dtype_of(seen[0]) == dtype
    assert host(seen[0]).tolist() == [3, 0, 0]


UNWATCHED = ("numpy", "torch")


@backends
def test_excluded_numbers_are_the_harmless_values_unless_nothing_can_tell(backend):
    seen = []
    loss = watched(seen, harmless=(0.25, 2.0))
    objective = am.weighted_masked_objective(loss, reduction="sum")
    y_true = make(backend, [3.0, np.nan, np.inf])
    weights = make(backend, [1.0, 0.0, 0.0])
    assert host(objective(y_true, make(backend, [3.0, np.nan, 4.0]), weights)) == 9.0
    as_they_came = [3.0, np.nan, np.inf]
    found = host(seen[0]).tolist()
    np.testing.assert_equal(found, as_they_came if backend in UNWATCHED else [3.0, 0.25, 0.25])
    assert len(seen) == 1


def test_what_a_gradient_watches_is_harmless():
    seen = []
    objective = am.weighted_masked_objective(watched(seen, harmless=(0.25, 2.0)), reduction="sum")
    y_true, weights = torch.tensor([3.0, torch.nan]), torch.tensor([1.0, 0.0])
    for watching in (False, True):
        y_pred = torch.tensor([3.0, 4.0], requires_grad=watching)
        assert float(objective(y_true, y_pred, weights).detach()) == 9.0
    np.testing.assert_equal([x.tolist() for x in seen], [[3.0, torch.nan], [3.0, 0.25]])


def test_a_parameter_of_the_function_s_own_watches_too():
    scale = torch.tensor(2.0, requires_grad=True)
    loss = am.scores(lambda t, p: scale * (p - t) ** 2, harmless=(0.0, 0.0))
    objective = am.weighted_masked_objective(loss, reduction="sum")
    y_true, mask = torch.tensor([1.0, torch.nan]), torch.tensor([True, False])
    objective(y_true, torch.tensor([3.0, 4.0]), mask=mask).backward()
    assert scale.grad == 4.0


def test_a_warning_of_an_excluded_element_is_no_warning_and_one_of_an_included_is():
    seen = []

    def logs(y_true, y_pred):
        seen.append(y_pred)
        return np.log(y_pred) - y_true

    objective = am.weighted_masked_objective(am.scores(logs, harmless=(0.0, 1.0)), reduction="sum")
    zeros, y_pred, mask = np.zeros(2), np.asarray([1.0, -1.0]), np.asarray([True, False])
    assert objective(zeros, y_pred, mask=mask) == 0.0
    assert [x.tolist() for x in seen] == [[1.0, -1.0], [1.0, 1.0]]
    with pytest.warns(RuntimeWarning, match="invalid value"):
        assert np.isnan(objective(zeros, y_pred, mask=~mask))
    with np.errstate(invalid="raise"):
        assert objective(zeros, y_pred, mask=mask) == 0.0
        with pytest.raises(FloatingPointError):
            objective(zeros, y_pred, mask=~mask)
    seen.clear()
    with np.errstate(all="ignore"):
        assert objective(zeros, y_pred, mask=mask) == 0.0
    assert len(seen) == 1


@pytest.mark.parametrize("backend", UNWATCHED)
def test_an_exception_of_an_excluded_element_is_none_and_one_of_an_included_is(backend):
    def checked(y_true, y_pred):
        if (y_pred < 0).any():
            raise ValueError("negative")
        return y_pred - y_true

    objective = am.weighted_masked_objective(
        am.scores(checked, harmless=(0.0, 0.0)), reduction="sum"
    )
    y_true, y_pred = make(backend, [0.0, 0.0]), make(backend, [1.0, -1.0])
    assert objective(y_true, y_pred, mask=make(backend, [True, False])) == 1.0
    with pytest.raises(ValueError, match="negative"):
        objective(y_true, y_pred, mask=make(backend, [False, True]))


def test_underflow_is_looked_for_where_the_caller_does():
    seen = []

    def squares(y_true, y_pred):
        seen.append(y_pred)
        return y_pred * y_pred

    objective = am.weighted_masked_objective(am.scores(squares), reduction="sum")
    y, mask = np.asarray([2.0, 1e-300]), np.asarray([True, False])
    assert objective(y, y, mask=mask) == 4.0
    assert len(seen) == 1
    with np.errstate(under="raise"):
        assert objective(y, y, mask=mask) == 4.0
    assert len(seen) == 3


@backends
def test_a_mask_and_an_ignored_class_both_exclude(backend):
    loss = functools.partial(am.losses.sparse_categorical_crossentropy, ignore_class=-100)
    y_pred = make(backend, [[0.5, 0.5], [0.25, 0.75], [np.nan, np.nan], [np.nan, np.nan]])
    y_true, mask = make(backend, [0, 1, -100, 0]), make(backend, [True, True, True, False])
    value = am.weighted_masked_objective(loss, reduction="mean")(y_true, y_pred, mask=mask)
    assert host(value) == pytest.approx(-np.log([0.5, 0.75]).mean(), rel=1e-6)


@pytest.mark.parametrize("wrong", [np.ones((3, 1)), np.ones(4), np.ones(2), np.ones(())])
def test_a_declared_function_returns_as_many_scores_as_it_declares(wrong):
    objective = am.weighted_masked_objective(am.scores(lambda t, p: wrong), reduction="sum")
    with pytest.raises(am.ShapeMismatchError, match=r"expected \(3,\)"):
        objective(np.ones(3), np.ones(3))


# -- where excluded, a score is 0 --


@backends
@pytest.mark.parametrize("weights", [None, [-2.0, -2.0], [-2.0, 0.0], [-2.0, np.nan]])
def test_an_excluded_score_is_0_and_not_minus_0(backend, weights):
    one = make(backend, [[1.0, 1.0], [1.0, 1.0]])
    mask = make(backend, [True, False])
    weights = None if weights is None else make(backend, weights)
    objective = am.weighted_masked_objective(am.losses.absolute_error, reduction="none")
    value = host(objective(one, one + one, weights, mask))
    assert value[0].tolist() == ([1.0, 1.0] if weights is None else [-2.0, -2.0])
    assert value[1].tolist() == [0.0, 0.0]
    assert not np.signbit(value[1]).any()


def test_unreduced_scores_are_never_the_input_itself():
    for fn in (lambda t, p: p, am.scores(lambda t, p: p)):
        y_pred = np.asarray([1.0, 2.0])
        value = am.weighted_masked_objective(fn, reduction="none")(y_pred, y_pred)
        assert value.tolist() == [1.0, 2.0]
        assert not np.shares_memory(value, y_pred)


# -- sums in stages --


def stages(monkeypatch, x, mask, factors, axes=None):
    """What a weighted sum sums over, and the shapes of what it then selects and weighs."""
    d = am.dispatch(x)
    summed, shapes = [], []

    def sum_over(d, x, over, dtype, original=_staged.sum_over):
        summed.extend((x.shape, i) for i in over)
        return original(d, x, over, dtype)

    def zeroed(d, include, x, original=_staged.zeroed):
        shapes.append(x.shape)
        return original(d, include, x)

    def present(joint, d, i, axes):
        shapes.append(tuple(1 if k in axes else n for k, n in enumerate(joint.include.shape)))
        return joint.factors[i]

    monkeypatch.setattr(_staged, "sum_over", sum_over)
    monkeypatch.setattr(_staged, "zeroed", zeroed)
    monkeypatch.setattr(_staged.Inclusion, "present", present)
    joint = _staged.inclusion(d, x.ndim, (mask,), factors)
    total = _staged.weighted_sum(d, x, joint, tuple(range(x.ndim)) if axes is None else axes)
    assert all(shape[i] != 1 for shape, i in summed), "an axis of one was summed over"
    return total, shapes


@pytest.mark.parametrize("shape", [(4, 3, 2), (2, 2, 3), (3, 4, 1), (1, 3, 2)])
def test_scores_are_summed_before_they_are_selected_and_again_before_they_are_weighed(
    monkeypatch, shape
):
    x, mask, weights = np.ones(shape), np.ones(shape[:2], bool), np.full(shape[:1], 2.0)
    total, shapes = stages(monkeypatch, x, mask, (weights,))
    assert total.tolist() == [[[2.0 * x.size]]]
    assert shapes == [(*shape[:2], 1), (shape[0], 1, 1)]


def test_each_factor_is_applied_when_all_that_it_ignores_is_summed(monkeypatch):
    factors = np.full((4,), 2.0), np.full((4, 3), 3.0)
    total, shapes = stages(monkeypatch, np.ones((4, 3, 2)), None, factors)
    assert total.tolist() == [[[144.0]]]
    assert shapes == [(4, 3, 1), (4, 3, 1), (4, 1, 1)]


def test_only_the_axes_that_were_asked_for_are_summed(monkeypatch):
    x, mask = np.ones((4, 3, 2)), np.ones(4, bool)
    total, shapes = stages(monkeypatch, x, mask, (np.ones((1, 3)),), axes=(0, 2))
    assert total.shape == (1, 3, 1)
    assert shapes == [(4, 3, 1), (1, 3, 1)]


def test_factors_come_finest_first():
    coarse, fine = np.full(4, 2.0), np.full((4, 3), 3.0)
    for given in ((coarse, fine), (fine, coarse), (None, coarse, fine)):
        factors = _staged.inclusion(am.dispatch(np.ones(1)), 3, (), given).factors
        assert [f.shape for f in factors] == [(4, 3, 1), (4, 1, 1)]


def test_scores_that_a_mask_tells_apart_are_not_cleaned_twice():
    x, fine, coarse = np.ones((2, 3)), np.ones((2, 3), bool), np.ones((2, 1), bool)
    d = am.dispatch(x)
    assert _staged.clean(d, x, None) is x
    assert _staged.clean(d, x, fine) is x
    assert _staged.clean(d, x, coarse) is not x


def test_a_mask_is_counted_in_integers_before_it_is_weighed(monkeypatch):
    summed, numpy = [], type(knowledge("numpy"))

    def watched(original):
        def recorded(self, x, *args, **kwargs):
            summed.append((x.dtype.kind, x.shape))
            return original(self, x, *args, **kwargs)

        return recorded

    for name in ("sum", "count"):
        monkeypatch.setattr(numpy, name, watched(getattr(numpy, name)))
    joint = _staged.inclusion(
        am.dispatch(np.ones(1)), 3, (np.ones((4, 3), bool),), (np.full(4, 0.5),)
    )
    d = am.dispatch(np.ones(1))
    weight = _staged.sum_of_factors(d, (4, 3, 2), joint, (0, 1, 2))
    assert weight.tolist() == [[[12.0]]]
    assert summed == [("b", (4, 3, 1)), ("f", (4, 1, 1))]
    assert _staged.count(d, (4, 3, 2), joint, (0, 1, 2)).tolist() == [[[24]]]
    assert summed[2:] == [("i", (4, 1, 1))], "what was counted was counted again"


# -- tallies --


@backends
@pytest.mark.parametrize("reduction", STATEFUL)
def test_one_float64_argument_is_enough_for_float64(backend, reduction):
    third = np.full(3, 1 / 3)
    objective = am.weighted_masked_objective(am.losses.absolute_error, reduction=reduction)
    with wide(backend):
        narrow, broad = make(backend, third, "float32"), make(backend, third, "float64")
    for y_true, y_pred in ((narrow, broad), (broad, narrow)):
        value = objective(y_true, y_pred)
        assert dtype_of(value) == "float64"
        assert 0 < host(value) < 1e-7


@backends
def test_a_soft_part_and_a_boolean_part_merge_on_both_sides(backend):
    objective = am.weighted_masked_objective(am.losses.absolute_error, epsilon=0)
    zero, one = make(backend, [0.0, 0.0]), make(backend, [1.0, 3.0])
    soft, boolean = make(backend, [0.5, 0.0]), make(backend, [False, True])
    states = [objective.update(objective.zero(one), zero, one, mask=m) for m in (soft, boolean)]
    for left, right in (states, states[::-1]):
        merged = objective.merge(left, right)
        assert dtype_of(merged.masked) == "float64"
        assert host(objective.compute(merged)) == np.float32(3.5 / 1.5)


@pytest.mark.parametrize("reduction", STATEFUL)
def test_the_state_of_any_other_reduction_is_refused(reduction):
    objective = am.weighted_masked_objective(am.losses.huber, reduction=reduction)
    for name in STATEFUL:
        other = am.weighted_masked_objective(am.losses.huber, reduction=name)
        state = other.zero(np.ones(1))
        if name == reduction:
            objective.compute(state)
            continue
        with pytest.raises(am.StateMismatchError, match=f"'{name} of .*expected .*'{reduction} of"):
            objective.compute(state)


@backends
@pytest.mark.parametrize("reduction", STATEFUL)
def test_a_zero_has_the_fields_that_every_batch_has(backend, reduction):
    zero = am.weighted_masked_objective(am.losses.huber, reduction=reduction).zero(
        make(backend, [1.0])
    )
    known = {"keras3": {"masked"}, "mean": {"weight"}}
    assert zero.arrays().keys() == {"total", "included"} | known.get(reduction, set())


def test_a_state_cannot_be_changed_and_equals_no_other():
    objective = am.weighted_masked_objective(am.losses.huber, reduction="sum")
    state, twin = objective.zero(np.ones(1)), objective.zero(np.ones(1))
    with pytest.raises(dataclasses.FrozenInstanceError):
        state.total = state.included
    assert state != twin
    assert len({state, twin}) == 2


@pytest.mark.parametrize("reduction", STATEFUL)
def test_a_reduction_may_be_named_by_any_equal_string(reduction):
    read = "".join(list(reduction))  # as from a file, another object
    y_true, y_pred = np.zeros(3), np.asarray([1.0, 2.0, np.nan])
    mask, weights = np.asarray([True, True, False]), np.asarray([1.0, 3.0, 1.0])
    ours, other = (
        am.weighted_masked_objective(am.losses.squared_error, reduction=name, epsilon=0.5)
        for name in (reduction, read)
    )
    assert ours(y_true, y_pred, weights, mask) == other(y_true, y_pred, weights, mask)
    state = other.update(ours.zero(y_pred), y_true, y_pred, weights, mask)
    state = ours.merge(other.zero(like=state), other.merge(state, ours.zero(y_pred)))
    assert other.compute(state) == ours(y_true, y_pred, weights, mask)
    empty = other.compute(other.zero(y_pred))
    np.testing.assert_equal(empty, ours.compute(ours.zero(y_pred)))
