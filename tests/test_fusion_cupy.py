"""What cupy.fuse traces of score functions: without a GPU, where NumPy runs what was recorded."""

from types import SimpleNamespace

import numpy as np
import pytest

import agnostic_mask as am

cupy = pytest.importorskip("cupy")
fusion = pytest.importorskip("cupy._core.fusion")
tracing = pytest.importorskip("cupy._core._fusion_thread_local").thread_local

from agnostic_mask.backends.cupy import FusedScores, traced  # noqa: E402

OF_ELEMENTS = (
    "absolute_error",
    "absolute_percentage_error",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "charbonnier",
    "gamma_deviance",
    "hinge",
    "huber",
    "log_cosh",
    "pinball",
    "poisson",
    "smooth_l1",
    "squared_error",
    "squared_hinge",
    "squared_logarithmic_error",
    "symmetric_absolute_percentage_error",
    "tweedie_deviance",
)
PARTS = ("dice", "jaccard", "tversky")
DEVICE = SimpleNamespace(id=0)


def recorded(scores, dtypes):
    """Placeholders, what a score function made of them, and the operations that did it."""
    history = fusion._FusionHistory()
    tracing.history, tracing.is_old_fusing = history, True
    try:
        given = [
            fusion._FusionVarArray(history._fresh_premap_param(np.dtype(dtype)), 1, False)
            for dtype in dtypes
        ]
        found = traced(scores, (8,), DEVICE, *given)
    finally:
        tracing.history, tracing.is_old_fusing = None, False
    return given, found, history


def run(scores, *arrays):
    """Scores by the recorded operations."""
    given, found, history = recorded(scores, [x.dtype for x in arrays])
    values = {v._var.index: x for v, x in zip(given, arrays, strict=True)}

    def value(variable):
        constant = variable.const_value
        return values[variable.index] if constant is None else constant

    for op in history.op_list:
        *taken, made = op.args
        operands = [
            np.asarray(value(v)).astype(t) for v, t in zip(taken, op.dtypes[:-1], strict=True)
        ]
        name = op.submodule.name.removeprefix("cupy_")
        if name.startswith("astype_"):
            result = operands[0]
        else:
            result = getattr(np, name)(*operands)
        values[made.index] = result.astype(op.dtypes[-1]).astype(made.dtype)
    if isinstance(found, tuple):
        return tuple(values[x._var.index] for x in found)
    return values[found._var.index]


def inputs(dtype=np.float32):
    rng = np.random.default_rng(0)
    return rng.integers(0, 2, 8).astype(dtype), rng.uniform(0.1, 0.9, 8).astype(np.float32)


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
@pytest.mark.parametrize("name", OF_ELEMENTS)
def test_the_recorded_operations_give_the_scores(name, dtype):
    scores, (y_true, y_pred) = getattr(am.losses, name), inputs(dtype)
    with np.errstate(all="ignore"):  # operands that are not chosen
        found = run(scores, y_true, y_pred)
    expected = scores(y_true, y_pred)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", PARTS)
def test_the_recorded_operations_give_the_parts_of_a_ratio(name):
    scores, arrays = getattr(am.losses, name), inputs()
    for found, expected in zip(run(scores, *arrays), scores(*arrays), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", sorted({*am.losses.__all__} - {*OF_ELEMENTS, *PARTS}))
def test_what_is_no_function_of_elements_is_refused(name):
    scores = getattr(am.losses, name)
    refusals = (NotImplementedError, am.AgnosticMaskError)
    with pytest.raises(refusals):
        recorded(scores, [np.float32, np.float32])


def test_scores_along_a_class_axis_are_refused():
    array = SimpleNamespace(shape=(3, 2), device=DEVICE)
    with pytest.raises(NotImplementedError, match="of elements, not of rows"):
        FusedScores(am.losses.nll)(SimpleNamespace(shape=(3,), device=DEVICE), array)


def test_operators_of_placeholders():
    def scores(y_true, y_pred):
        xp = am.dispatch(y_true, y_pred).xp
        assert y_true.shape == (8,)
        chosen = ((y_true > 0.5) & ~(y_pred < 0.2)) | (y_pred == 0.5)
        return xp.where(chosen, 2 / y_pred - y_true**2, -abs(1.5 - y_pred) % 1 + 2 ** (y_true // 1))

    def by_numpy(y_true, y_pred):
        chosen = ((y_true > 0.5) & ~(y_pred < 0.2)) | (y_pred == 0.5)
        return np.where(chosen, 2 / y_pred - y_true**2, -abs(1.5 - y_pred) % 1 + 2 ** (y_true // 1))

    arrays = inputs()
    np.testing.assert_array_equal(run(scores, *arrays), by_numpy(*arrays))


def test_constants_of_a_dtype():
    def scores(y_true, y_pred):
        xp, device, _ = am.dispatch(y_true, y_pred)
        return xp.asarray(0.25, dtype=y_pred.dtype, device=device) - y_pred

    y_true, y_pred = inputs()
    np.testing.assert_array_equal(run(scores, y_true, y_pred), np.float32(0.25) - y_pred)


def test_a_function_that_looks_at_values_is_refused():
    with pytest.raises(TypeError, match="true or false"):
        recorded(lambda y_true, y_pred: y_pred if y_true > 0 else y_true, [np.float32] * 2)


def test_a_shape_is_traced_once(monkeypatch):
    made = []

    def fuse(kernel_name):
        return lambda traced_scores: made.append(traced_scores) or (lambda *arrays: arrays)

    monkeypatch.setattr(cupy, "fuse", fuse)
    scores = FusedScores(am.losses.squared_error)
    for n in (3, 3, 4, 3):
        array = SimpleNamespace(shape=(n,), device=DEVICE)
        assert scores(array, array) == (array, array)
    assert [x.args[1] for x in made] == [(3,), (4,)]


def test_cupy_s_fuse_takes_what_it_is_handed():
    fused = cupy.fuse(kernel_name="scores")(lambda x: x + 1)
    assert fused.name == "scores"
    assert fused(1) == 2
