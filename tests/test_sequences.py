"""Sequences of tokens: by other libraries and by hand, whatever the padding."""

import functools

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score
from torchmetrics.functional.classification import multiclass_exact_match

import agnostic_mask as am

from .arrays import close, knowledge, make, wide

M = am.metrics
NAN = float("nan")
RNG = np.random.default_rng(5)
B, T, C = 8, 5, 4
LABELS = RNG.integers(0, C, (B, T))
TOKENS = np.where(RNG.random((B, T)) < 0.85, LABELS, RNG.integers(0, C, (B, T)))
TOKENS[0] = LABELS[0]
LOGITS = RNG.integers(0, 8, (B, T, C)) / 4 + 3 * np.eye(C)[TOKENS]
LENGTHS = np.asarray([5, 3, 1, 0, 2, 4, 5, 2])
MASK = am.sequence_mask(LENGTHS, T)
WEIGHTS = RNG.integers(1, 8, B) / 4

frameworks = pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])
FORMS = {
    "labels": (TOKENS, {}),
    "values": (LOGITS, {}),
    "values, classes second": (np.moveaxis(LOGITS, -1, 1), {"axis": 1}),
}
forms = pytest.mark.parametrize("form", FORMS)


def padded(x, mask=MASK, garbage=-7):
    """With garbage where the mask leaves out: a label that names no class, NaN."""
    where = mask
    if x.ndim > mask.ndim:
        where = np.expand_dims(mask, 1 if x.shape[1] == C else -1)
    return np.where(where, x, NAN if x.dtype.kind == "f" else garbage)


def given(backend, form, dtype="float32"):
    """y_true, y_pred and options of a form, with garbage in the padding."""
    y_pred, options = FORMS[form]
    dtype = dtype if y_pred.dtype.kind == "f" else None
    return make(backend, padded(LABELS)), make(backend, padded(y_pred), dtype), options


def sequences(fn):
    """Weighted mean of a function of one sequence, of its own length."""
    kept = np.flatnonzero(LENGTHS)
    values = [fn(LABELS[i, : LENGTHS[i]], TOKENS[i, : LENGTHS[i]]) for i in kept]
    return np.average(values, weights=WEIGHTS[kept])


@frameworks
@forms
def test_exact_match_is_the_share_of_sequences_without_an_error(backend, form):
    y_true, y_pred, options = given(backend, form)
    found = M.ExactMatch(**options)(y_true, y_pred, make(backend, WEIGHTS), make(backend, MASK))
    expected = sequences(lambda t, p: float((t == p).all()))
    assert 0 < expected < 1
    close(found, expected, 1, dtype="float32", roundings=1)


def test_exact_match_is_that_of_others_where_nothing_is_padded():
    found = M.ExactMatch()(LABELS, TOKENS)
    assert found == accuracy_score([*map(str, LABELS)], [*map(str, TOKENS)])
    theirs = multiclass_exact_match(torch.tensor(TOKENS), torch.tensor(LABELS), C)
    close(theirs.numpy(), found, 1, roundings=1)


@frameworks
@forms
def test_token_accuracy_is_the_share_of_tokens_without_an_error(backend, form):
    y_true, y_pred, options = given(backend, form)
    weights, mask = np.where(MASK, WEIGHTS[:, None], 0), make(backend, MASK)
    expected = accuracy_score(
        LABELS.reshape(-1), TOKENS.reshape(-1), sample_weight=weights.reshape(-1)
    )
    metric = M.TokenAccuracy(**options)
    for w in (WEIGHTS, np.where(MASK, weights, NAN)):
        found = metric(y_true, y_pred, make(backend, w), mask)
        close(found, expected, 1, dtype="float32", roundings=1)


@forms
@pytest.mark.parametrize("metric", [M.TokenAccuracy, M.ExactMatch])
def test_a_class_to_ignore_is_a_mask(metric, form):
    y_true, y_pred, options = given("numpy", form)
    masked = metric(**options)(y_true, y_pred, mask=MASK)
    assert metric(ignore_class=-7, **options)(y_true, y_pred) == masked
    both = metric(ignore_class=2, **options)(y_true, y_pred, mask=MASK)
    assert both == metric(**options)(y_true, y_pred, mask=MASK & (LABELS != 2))


@frameworks
@dtypes
def test_bits_per_token_are_torch_s_cross_entropy_in_bits(backend, dtype):
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(LOGITS).movedim(-1, 1),
        torch.tensor(np.where(MASK, LABELS, -100)),
        ignore_index=-100,
    )
    expected = float(expected) / np.log(2)
    by_mask = M.BitsPerToken(from_logits=True)
    ignoring = M.BitsPerToken(from_logits=True, ignore_class=-100)
    with wide(backend, dtype):
        logits = make(backend, padded(LOGITS), dtype)
        found = by_mask(make(backend, padded(LABELS)), logits, mask=make(backend, MASK))
        also = ignoring(make(backend, padded(LABELS, garbage=-100)), logits)
    # A row's greatest term is its greatest logit, of which it loses a few roundings.
    greatest = np.abs(LOGITS).max() / np.log(2)
    close(found, expected, greatest, dtype=dtype, roundings=12)
    close(also, expected, greatest, dtype=dtype, roundings=12)


def test_bits_and_perplexity_share_what_they_gather():
    bits, perplexity = M.BitsPerToken(ignore_class=-1), M.Perplexity(ignore_class=-1)
    assert bits.statistic == perplexity.statistic
    y_pred = LOGITS / LOGITS.sum(-1, keepdims=True)
    found = M.MetricSet({"bits": bits, "perplexity": perplexity})(LABELS, y_pred, mask=MASK)
    expected = float(found["perplexity"])
    close(np.asarray(2 ** found["bits"]), expected, expected, dtype="float64")


def test_a_vocabulary_of_any_size_takes_no_room():
    y_true, y_pred = np.asarray([[2**40, 7], [3, 0]]), np.asarray([[2**40, 8], [3, 0]])
    assert M.TokenAccuracy()(y_true, y_pred) == 0.75
    assert M.ExactMatch()(y_true, y_pred) == 0.5


def test_labels_of_two_integer_types_and_booleans_are_compared():
    y_true, y_pred = np.asarray([[255, 1]], dtype=np.uint8), np.asarray([[-1, 1]], dtype=np.int8)
    assert M.TokenAccuracy()(y_true, y_pred) == 0.5
    assert M.ExactMatch()(y_true == 1, y_pred == 1) == 1


def test_a_sequence_without_tokens_is_absent_and_nothing_is_nan():
    metric = M.ExactMatch()
    y_true = np.asarray([[1, 2], [1, 2], [3, 4]])
    y_pred = np.asarray([[1, 2], [9, 9], [3, 9]])
    mask = np.asarray([[True, True], [False, False], [True, True]])
    assert metric(y_true, y_pred, np.asarray([3.0, NAN, 1.0]), mask) == 0.75
    assert metric(y_true, y_pred, np.asarray([[3.0], [0.0], [1.0]])) == 0.75
    assert metric(y_true, y_pred, mask=mask[:, 0]) == 0.5
    assert metric(y_true[0], y_pred[0]) == 1
    for nothing in ((y_true[:0], y_pred[:0]), (y_true[:, :0], y_pred[:, :0])):
        assert np.isnan(metric(*nothing))
        assert np.isnan(M.TokenAccuracy()(*nothing))
    assert np.isnan(metric(y_true, y_pred, mask=mask & ~mask))


@pytest.mark.parametrize("metric", [M.ExactMatch(), M.TokenAccuracy()])
def test_what_is_included_and_has_no_answer_comes_through(metric):
    nan, outside = LOGITS.copy(), LABELS.copy()
    nan[1, 2, 0], outside[1, 2] = NAN, C
    left = np.ones((B, T), dtype=bool)
    left[1, 2] = False
    for y_true, y_pred in ((LABELS, nan), (outside, LOGITS)):
        assert np.isnan(metric(y_true, y_pred))
        assert metric(y_true, y_pred, mask=left) == metric(LABELS, LOGITS, mask=left)


@forms
@pytest.mark.parametrize("metric", [M.ExactMatch, M.TokenAccuracy])
def test_tiles_give_what_the_whole_gives(metric, form, monkeypatch):
    y_true, y_pred, options = given("numpy", form)
    call = functools.partial(metric(**options), y_true, y_pred, WEIGHTS, MASK)
    whole = call()
    monkeypatch.setattr(knowledge("numpy"), "tile_elements", 3 * T)
    assert call() == whole


@pytest.mark.parametrize("metric", [M.ExactMatch(), M.TokenAccuracy()])
def test_shapes_and_dtypes_that_do_not_fit_are_refused(metric):
    name = type(metric).__name__
    with pytest.raises(am.UnsupportedArrayError, match="y_pred has dtype float64 where"):
        metric(LABELS, LABELS / 2)
    with pytest.raises(am.UnsupportedArrayError, match="y_true has dtype float64"):
        metric(LABELS / 2, LOGITS)
    with pytest.raises(am.ShapeMismatchError, match=f"{name} expects y_true of shape"):
        metric(LABELS[:, 0], LOGITS)
    with pytest.raises(am.AxisError, match="axis is 5"):
        type(metric)(axis=5)(LABELS, LOGITS)
    with pytest.raises(ValueError, match="axis is 'last'"):
        type(metric)(axis="last")
    with pytest.raises(ValueError, match="ignore_class is"):
        type(metric)(ignore_class=(0, 1))


def test_a_match_has_a_weight_for_a_sequence_and_needs_steps():
    with pytest.raises(am.ShapeMismatchError, match=r"weights has shape \(8, 5\) and reaches"):
        M.ExactMatch()(LABELS, TOKENS, np.ones((B, T)))
    with pytest.raises(am.ShapeMismatchError, match="along the last axis"):
        M.ExactMatch()(np.asarray(1), np.asarray(1))
    assert M.TokenAccuracy()(np.asarray(1), np.asarray(1)) == 1
