"""Compiled functions take excluded inputs as they are; no derivative comes from them, however."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import agnostic_mask as am

LOSSES = {
    "binary_crossentropy": am.losses.binary_crossentropy,
    "categorical_crossentropy": functools.partial(
        am.losses.categorical_crossentropy, from_logits=True
    ),
}
losses = pytest.mark.parametrize("loss", LOSSES)
BAD = [np.nan, np.inf, -3.0]


def data(loss):
    """y_true, y_pred, mask; both inputs are no numbers, or far out of range, where excluded."""
    rng = np.random.default_rng(0)
    shape = (6, 3) if loss == "categorical_crossentropy" else (6,)
    y_true, y_pred = rng.uniform(0.1, 0.9, (2, *shape)).astype(np.float32)
    mask = np.asarray([True, False, True, False, True, False])
    for row, bad in zip(np.flatnonzero(~mask), BAD, strict=True):
        y_true[row] = y_pred[row] = bad
    return y_true, y_pred, mask


def objective(loss):
    return am.weighted_masked_objective(LOSSES[loss], reduction="mean")


def expected(loss):
    """Derivative for y_pred, by differences of what is left when the excluded rows are removed."""
    y_true, y_pred, mask = (x.astype(np.float64) for x in data(loss))
    keep = mask > 0
    found, step = np.zeros_like(y_pred), 1e-6
    fn = functools.partial(objective(loss), y_true[keep])
    for at in np.argwhere(keep.reshape(keep.shape + (1,) * (y_pred.ndim - 1)) & (y_pred == y_pred)):
        ends = [y_pred.copy(), y_pred.copy()]
        ends[0][tuple(at)] += step
        ends[1][tuple(at)] -= step
        found[tuple(at)] = (fn(ends[0][keep]) - fn(ends[1][keep])) / (2 * step)
    return found


def check(loss, gradient):
    # Differences of float64 are good to about 1e-9, derivatives in float32 to some roundings.
    np.testing.assert_allclose(np.asarray(gradient), expected(loss), atol=1e-6)


# -- torch --


def of_torch(loss):
    y_true, y_pred, mask = map(torch.from_numpy, data(loss))
    return lambda p: objective(loss)(y_true, p, mask=mask), y_pred


@pytest.fixture
def compiled():
    torch.compiler.reset()
    return functools.partial(torch.compile, fullgraph=True, backend="aot_eager")


@losses
def test_torch_asked_for_a_gradient_after_it_was_not(compiled, loss):
    fn, y_pred = of_torch(loss)
    traced = compiled(fn)
    plain = traced(y_pred)
    leaf = y_pred.clone().requires_grad_()
    value = traced(leaf)
    value.backward()
    torch.testing.assert_close(value.detach(), plain)
    check(loss, leaf.grad)
    with torch.no_grad():
        torch.testing.assert_close(traced(leaf), plain)


# torch's own, of which it warns itself.
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
@losses
@pytest.mark.parametrize("transform", ["grad", "jvp", "vjp", "jacfwd", "vmap of grad"])
def test_torch_transforms_within_a_compiled_function(compiled, loss, transform):
    fn, y_pred = of_torch(loss)
    func, ones = torch.func, torch.ones_like(y_pred)
    traced = compiled(
        {
            "grad": func.grad(fn),
            "jvp": lambda p: func.jvp(fn, (p,), (ones,))[1],
            "vjp": lambda p: func.vjp(fn, p)[1](torch.ones(()))[0],
            "jacfwd": func.jacfwd(fn),
            "vmap of grad": lambda p: func.vmap(func.grad(fn))(p[None])[0],
        }[transform]
    )
    found = traced(y_pred)
    if transform == "jvp":
        np.testing.assert_allclose(found, expected(loss).sum(), atol=1e-5)
    else:
        check(loss, found)


@losses
@pytest.mark.parametrize("strict", [True, False])
def test_torch_what_was_exported_can_be_differentiated(loss, strict):
    fn, y_pred = of_torch(loss)

    class Module(torch.nn.Module):
        def forward(self, p):
            return fn(p)

    leaf = y_pred.clone().requires_grad_()
    torch.export.export(Module(), (y_pred,), strict=strict).module()(leaf).backward()
    check(loss, leaf.grad)


# -- JAX --


def of_jax(loss):
    y_true, y_pred, mask = map(jnp.asarray, data(loss))
    return lambda p: objective(loss)(y_true, p, mask=mask), y_pred


@losses
@pytest.mark.parametrize("jit", [False, True])
def test_jax_transforms(loss, jit):
    fn, y_pred = of_jax(loss)
    traced = jax.jit(fn) if jit else fn
    check(loss, jax.grad(traced)(y_pred))
    check(loss, jax.jacfwd(traced)(y_pred))
    check(loss, jax.vmap(jax.grad(traced))(y_pred[None])[0])
    check(loss, jax.grad(jax.checkpoint(traced))(y_pred))
    check(loss, jax.linear_transpose(jax.linearize(traced, y_pred)[1], y_pred)(1.0)[0])
    second = jax.hessian(lambda p: traced(p) ** 2)(y_pred)
    rows = ~data(loss)[2]
    assert bool(jnp.isfinite(second).all())
    assert not second[rows].any()


@losses
def test_jax_that_looks_for_nan_finds_none(loss):
    fn, y_pred = of_jax(loss)
    with jax.debug_nans(True), jax.debug_infs(True):
        check(loss, jax.jit(jax.grad(fn))(y_pred))


def test_jax_parameters_of_somebody_elses_function_have_derivatives():
    y_true, y_pred, mask = map(jnp.asarray, data("binary_crossentropy"))

    def value(slope):
        scores = am.scores(lambda t, p: (t - slope * p) ** 2)
        return am.weighted_masked_objective(scores, reduction="mean")(y_true, y_pred, mask=mask)

    slope = jax.grad(value)(0.5)
    kept = [(t, p) for t, p, m in zip(*data("binary_crossentropy"), strict=True) if m]
    np.testing.assert_allclose(slope, np.mean([-2 * p * (t - 0.5 * p) for t, p in kept]), rtol=1e-5)
