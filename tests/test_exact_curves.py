from fractions import Fraction

import dask
import dask.array
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sklearn.metrics
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import agnostic_mask as am

from .arrays import backends, dtype_of, host, make, wide

FUNCTIONS = ("roc_auc", "average_precision")
THEIRS = {
    "roc_auc": sklearn.metrics.roc_auc_score,
    "average_precision": sklearn.metrics.average_precision_score,
}
FRAMEWORKS = ("numpy", "torch", "jax")
SHAPE = (12, 8)
RNG = np.random.default_rng(17)
Y_TRUE = RNG.integers(0, 2, SHAPE)
SIGNAL = RNG.normal(size=SHAPE) + Y_TRUE
SCORES = {
    "many ties": np.round(SIGNAL) / 8,
    "two scores": np.where(SIGNAL > 0.5, 0.75, 0.25),
    "from 1e-30 to 1": 10.0 ** np.clip(6 * SIGNAL - 18, -30, 0),
    "below 1e-4": 1e-4 / (1 + np.exp(-SIGNAL)),
    "logits": 8 * SIGNAL,
    "large logits, some equal": np.round(4 * SIGNAL) * 32,
    "close to 1": 1 - 1e-6 * np.round(np.exp(-SIGNAL), 1),
    "perfect": Y_TRUE + 0.25 * RNG.random(SHAPE),
    "always wrong": -Y_TRUE - 0.25 * RNG.random(SHAPE),
    "random": RNG.random(SHAPE),
}
MASK = RNG.random(SHAPE) < 0.7
WEIGHTS = {
    "none": None,
    "a row": RNG.uniform(0.1, 3, SHAPE[0]),
    "an element": RNG.choice([0.0, 0.25, 1.5, 700.0], SHAPE),
    "integer": RNG.integers(0, 4, SHAPE),
}

functions = pytest.mark.parametrize("name", FUNCTIONS)
frameworks = pytest.mark.parametrize("backend", FRAMEWORKS)


def bound(dtype, n):
    """How far two areas, at most 1, may be apart: one in float64, one rounded to `dtype`.

    Ours takes a sum over each class (three of one class for the average precision, two of each for
    the AUC) and their divisor; scikit-learn's the same sums over both classes, and differences of
    them: not over 4 n and 4 more roundings each.
    """
    u = np.finfo(np.float64).eps / 2
    return (8 * n + 8) * u + (np.finfo(dtype).eps / 2 if dtype == "float32" else 0.0)


def spread(weights):
    return weights if weights is None or weights.ndim == 2 else np.repeat(weights, SHAPE[1])


def expected(name, y_true, y_pred, weights, keep):
    """What scikit-learn says of the elements to keep, all in float64."""
    weights = np.ones(SHAPE) if weights is None else spread(weights).reshape(SHAPE)
    keep = (keep & (weights != 0)).reshape(-1)
    flat = (x.reshape(-1)[keep].astype(float) for x in (y_true, y_pred, weights))
    true, pred, weights = flat
    return THEIRS[name](true, pred, sample_weight=weights)


@frameworks
@functions
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", WEIGHTS)
def test_areas_are_scikit_learn_s(backend, name, dtype, kind):
    weights = WEIGHTS[kind]
    if kind in ("a row", "an element"):
        weights = weights.astype(dtype)
    with wide(backend, dtype):
        given_weights = None if weights is None else make(backend, weights, str(weights.dtype))
        mask, y_true = make(backend, MASK), make(backend, Y_TRUE)
        for scores in SCORES.values():
            y_pred = scores.astype(dtype)
            garbage = np.where(MASK, y_pred, RNG.choice([np.nan, np.inf, 0.5], SHAPE)).astype(dtype)
            found = getattr(am.metrics, name)(
                y_true, make(backend, garbage, dtype), given_weights, mask
            )
            assert dtype_of(found) == dtype
            right = expected(name, Y_TRUE, y_pred, weights, MASK)
            assert abs(float(host(found)) - right) <= bound(dtype, Y_TRUE.size)


@frameworks
@functions
def test_without_mask_and_weights_and_labels_of_other_types(backend, name):
    y_pred = SCORES["many ties"].astype(np.float32)
    right = expected(name, Y_TRUE, y_pred, None, np.ones(SHAPE, bool))
    for labels in ("bool", "int32", "float32", "uint8"):
        y_true = make(backend, Y_TRUE.astype(labels))
        found = getattr(am.metrics, name)(y_true, make(backend, y_pred))
        assert abs(float(host(found)) - right) <= bound("float32", Y_TRUE.size)


@functions
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_positive_in_a_million(name, dtype):
    n = 10**6
    y_pred = np.random.default_rng(3).random(n).astype(dtype)
    y_true = np.zeros(n, np.int8)
    y_true[777] = 1
    y_pred[777] = y_pred[12]
    above, beside = np.sum(y_pred > y_pred[777]), np.sum(y_pred == y_pred[777])
    assert beside >= 2
    exact = {
        "roc_auc": 1 - Fraction(int(2 * above + beside - 1), 2 * (n - 1)),
        "average_precision": Fraction(1, int(above + beside)),
    }[name]
    found = getattr(am.metrics, name)(y_true, y_pred)
    # Counts are exact, shares are rounded once, their sums are pairwise; then the result.
    rounded = float(exact) * np.finfo(dtype).eps / 2
    assert abs(float(found) - float(exact)) <= rounded + 32 * np.finfo(np.float64).eps
    theirs = THEIRS[name](y_true, y_pred.astype(float))
    assert abs(theirs - float(exact)) <= bound("float64", n)


elements = st.lists(
    st.tuples(
        st.integers(0, 1), st.integers(-2, 2), st.integers(0, 3), st.booleans(), st.booleans()
    ),
    min_size=1,
    max_size=12,
)


def by_counting(name, included):
    """Exact area of triples of label, score and weight; None where there is none."""
    positive = [(s, w) for t, s, w in included if t]
    negative = [(s, w) for t, s, w in included if not t]
    if not positive or (name == "roc_auc" and not negative):
        return None
    total = sum(w for _, w in positive)
    if name == "roc_auc":
        twice = sum(
            v * w * ((s > t) + (s >= t)) for s, v in positive for t, w in negative if s >= t
        )
        return Fraction(twice, 2 * total * sum(w for _, w in negative))
    found = Fraction(0)
    for score, weight in positive:
        hits = sum(w for s, w in positive if s >= score)
        found += weight * Fraction(hits, sum(w for _, s, w in included if s >= score))
    return found / total


@functions
@given(elements)
@settings(deadline=None, max_examples=150)
def test_small_integers_by_counting(name, drawn):
    y_true, y_pred, weights, mask, infinite = (np.asarray(x) for x in zip(*drawn, strict=True))
    scores = np.where(infinite & (y_pred != 0), np.copysign(np.inf, y_pred), y_pred / 4)
    for factors in (weights, None):
        found = getattr(am.metrics, name)(y_true, scores, factors, mask)
        counts = np.ones_like(weights) if factors is None else factors
        rows = zip(y_true, scores, counts, mask, strict=True)
        included = [(int(t), float(s), int(w)) for t, s, w, m in rows if m and w]
        right = by_counting(name, included)
        if right is None:
            assert np.isnan(found)
        else:
            # Sums of integers are exact; a share, its product, their sum and a quotient are not.
            assert abs(Fraction(float(found)) - right) <= (len(drawn) + 4) * Fraction(2) ** -53


@backends
@functions
def test_what_is_of_one_kind_only(backend, name):
    of = getattr(am.metrics, name)
    y_true, y_pred = np.asarray([[1, 0, 1], [0, 0, 0]]), np.full((2, 3), 0.25)
    y_true, y_pred = make(backend, y_true), make(backend, y_pred)
    equal = {"roc_auc": 0.5, "average_precision": np.float32(2 / 6)}[name]
    assert float(host(of(y_true, y_pred))) == equal
    alone = [of(y_true == y_true, y_pred), of(make(backend, np.asarray(1)), y_pred[0, 0])]
    for value in alone:  # every threshold is right
        np.testing.assert_equal(host(value), 1.0 if name == "average_precision" else np.nan)
    nan = {
        "negatives": of(y_true != y_true, y_pred),
        "nothing by mask": of(y_true, y_pred, mask=make(backend, np.zeros((2, 1), bool))),
        "nothing by weights": of(y_true, y_pred, make(backend, np.zeros(2))),
        "no positive by mask": of(y_true, y_pred, mask=make(backend, np.asarray([False, True]))),
        "a label of 2": of(y_true * 2, y_pred),
        "no element": of(make(backend, np.zeros((0, 3), int)), make(backend, np.zeros((0, 3)))),
    }
    for what, value in nan.items():
        assert value.shape == (), what
        assert np.isnan(host(value)), what


@backends
@functions
def test_what_is_bad_comes_through_only_where_it_counts(backend, name):
    of = getattr(am.metrics, name)
    good = {
        "y_true": np.asarray([1, 0, 1, 0, 1]),
        "y_pred": np.asarray([0.75, 0.75, 0.5, 0.25, 0.125]),
        "weights": np.asarray([1.0, 2.0, 0.5, 1.0, 3.0]),
        "mask": np.asarray([True, True, True, False, True]),
    }
    clean = host(of(**{n: make(backend, x) for n, x in good.items()}))
    # Each at the last place, which is counted, and at the place before it, which is not. It is the
    # least score there: a sum that starts at the greatest one would not meet it.
    for array, bad in (("y_true", 2), ("y_true", -1), ("y_pred", np.nan), ("weights", np.nan)):
        for place, counts in ((4, True), (3, False)):
            arrays = {n: x.copy() for n, x in good.items()}
            arrays["y_true"][4] = 0
            arrays[array][place] = bad
            found = host(of(**{n: make(backend, x) for n, x in arrays.items()}))
            assert np.isnan(found) == counts, (array, bad, place)
    arrays = {n: x.copy() for n, x in good.items()}
    arrays["y_true"][3], arrays["y_pred"][3], arrays["weights"][3] = 127, -np.inf, np.nan
    found = host(of(**{n: make(backend, x) for n, x in arrays.items()}))
    assert found.tobytes() == clean.tobytes()


@functions
def test_labels_as_floats_are_0_and_1_alone(name):
    of = getattr(am.metrics, name)
    y_true, y_pred = np.asarray([0.0, 1.0, 0.5]), np.asarray([0.25, 0.75, 0.5])
    assert np.isnan(of(y_true, y_pred))
    assert of(y_true, y_pred, mask=np.asarray([True, True, False])) == 1
    y_true[2] = np.nan
    assert np.isnan(of(y_true, y_pred))
    assert of(y_true, y_pred, mask=np.asarray([True, True, False])) == 1


@backends
def test_zeros_of_both_signs_are_equal(backend):
    y_true, y_pred = make(backend, np.asarray([1, 0, 0, 1])), np.asarray([0.0, -0.0, 0.0, -0.0])
    assert float(host(am.metrics.roc_auc(y_true, make(backend, y_pred)))) == 0.5
    assert float(host(am.metrics.average_precision(y_true, make(backend, y_pred)))) == 0.5


def slope(values, weights, j):
    """How a weighted mean changes with one of its weights."""
    return (values[j] - values @ weights / weights.sum()) / weights.sum()


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_gradients_of_the_auc_are_those_of_means_over_pairs(backend):
    y_true = np.asarray([1, 0, 1, 0, 1, 0, 1])
    y_pred = np.asarray([0.75, 0.75, 0.5, 0.5, 0.25, 0.125, np.nan], np.float32)
    weights = np.asarray([1.0, 2.0, 0.5, 0.25, 3.0, 1.5, 0.0], np.float32)
    positive, negative = [0, 2, 4], [1, 3, 5]
    above = (y_pred[positive][:, None] > y_pred[negative]) * 1.0
    above += (y_pred[positive][:, None] == y_pred[negative]) * 0.5
    w, v = weights[positive].astype(float), weights[negative].astype(float)
    right = np.zeros(7)
    for j in range(3):
        right[positive[j]] = slope(above @ v / v.sum(), w, j)
        right[negative[j]] = slope(w @ above / w.sum(), v, j)
    if backend == "jax":
        of = jax.grad(am.metrics.roc_auc, argnums=(1, 2))
        of_pred, of_weights = of(*map(jnp.asarray, (y_true, y_pred, weights)))
    else:
        leaves = [torch.tensor(x, requires_grad=True) for x in (y_pred, weights)]
        value = am.metrics.roc_auc(torch.tensor(y_true), *leaves)
        of_pred, of_weights = torch.autograd.grad(value, leaves, materialize_grads=True)
    np.testing.assert_array_equal(host(of_pred), np.zeros(7))
    # In float64 but for what comes out.
    assert np.all(abs(host(of_weights) - right) <= np.finfo(np.float32).eps * abs(right) + 1e-14)
    assert host(of_weights)[6] == 0


@functions
def test_dask_arrays_of_several_chunks_are_not_computed(name):
    y_pred = SCORES["many ties"]
    arrays = (Y_TRUE, y_pred, WEIGHTS["an element"], MASK)

    def refuse(*args, **kwargs):
        raise AssertionError("a lazy array was computed")

    with dask.config.set(scheduler=refuse):
        chunks = (5, 3), (4, 8), (12, 2), (3, 3)
        cut = [dask.array.from_array(x, chunks=c) for x, c in zip(arrays, chunks, strict=True)]
        lazy = getattr(am.metrics, name)(*cut)
    right = expected(name, Y_TRUE, y_pred, WEIGHTS["an element"], MASK)
    assert abs(float(lazy.compute()) - right) <= bound("float64", Y_TRUE.size)


@functions
def test_no_scale_of_weights_is_lost(name):
    of = getattr(am.metrics, name)
    y_true, y_pred = Y_TRUE[0], SCORES["many ties"][0]
    weights = WEIGHTS["a row"][:8]
    plain = of(y_true, y_pred, weights)
    for factor in (2.0**-900, 2.0**900):
        assert of(y_true, y_pred, weights * factor) == plain


@functions
def test_arguments_that_do_not_fit(name):
    of = getattr(am.metrics, name)
    y_true, y_pred = np.zeros(3, int), np.zeros(3)
    with pytest.raises(am.UnsupportedArrayError, match=r"y_pred has dtype int64; .*xp\.astype"):
        of(y_true, y_true)
    with pytest.raises(am.ShapeMismatchError, match=r"y_true has shape \(3,\) and y_pred \(3, 1\)"):
        of(y_true, y_pred[:, None])
    with pytest.raises(am.ShapeMismatchError, match=r"take those of class 1: y_pred\[\.\.\., 1\]"):
        of(y_true, np.zeros((3, 2)))
    with pytest.raises(am.ShapeMismatchError, match=r"weights has shape \(2,\) and y_pred shape"):
        of(y_true, y_pred, np.ones(2))
    with pytest.raises(am.ShapeMismatchError, match="mask has shape"):
        of(y_true, y_pred, mask=np.ones((3, 1), bool))
    with pytest.raises(am.UnsupportedArrayError, match="weights=mask"):
        of(y_true, y_pred, mask=np.ones(3))
    with pytest.raises(am.UnsupportedArrayError, match="y_pred is None"):
        of(y_true, None)
    with pytest.raises(am.MixedFrameworksError, match="y_pred"):
        of(y_true, torch.zeros(3))
