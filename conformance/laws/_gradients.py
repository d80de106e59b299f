"""Gradients: right, finite, and exactly 0 where excluded, whatever is there."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import agnostic_mask as am

from .._environments import Environment
from ..cases import Case, CoveredCase, Host
from ..oracle import Reference, slopes, unit_roundoff
from ._exclusion import littered
from ._law import Run, ViolationError, law, same_bits, within

ROUNDINGS = 64
"""Roundings that a derivative may take, in units of the greatest derivative of the input."""


def _differentiates(case: Case, env: Environment, dtype: str) -> str | None:
    if not case.smooth():
        return "the result depends on no floating input"
    x = env.asarray(np.ones(1), dtype)
    if env.knowledge.value_and_grad(lambda a: env.knowledge.namespace().sum(a), [x]) is None:
        return "the framework has no automatic differentiation"
    return None


def _directions(shape: tuple[int, ...]) -> np.ndarray:
    """Factors that make one number of a result with axes; 1 for a result without."""
    return np.cos(np.arange(int(np.prod(shape, dtype=int)))).reshape(shape)


def _scalar(run: Run, arrays: Mapping[str, am.Array]) -> tuple[Callable[..., Any], list[str]]:
    names = run.case.smooth()
    xp = run.env.knowledge.namespace()

    def scalar(*watched: am.Array) -> am.Array:
        result = run.case.call({**arrays, **dict(zip(names, watched, strict=True))})
        shape = tuple(result.shape)
        if not shape:
            return result
        return xp.sum(
            result * run.env.asarray(_directions(shape), run.case.result_dtype(run.dtype))
        )

    return scalar, names


def _gradients(run: Run, arrays: Mapping[str, am.Array]) -> dict[str, np.ndarray]:
    scalar, names = _scalar(run, arrays)
    found = run.env.knowledge.value_and_grad(scalar, [arrays[n] for n in names])
    assert found is not None
    return {n: run.env.host(g) for n, g in zip(names, found[1], strict=True)}


@law("gradient", _differentiates)
def gradient_is_right(run: Run) -> float | None:
    """Gradients agree with differences in higher precision; garbage leaves their bits alone."""
    case = run.case
    assert isinstance(case, CoveredCase)
    master, arrays, exact = run.inputs()
    clean = _gradients(run, arrays)
    worst = 0.0
    for name, gradient in clean.items():
        key = ("slopes", name, case.name, run.dtype)
        if key not in run.references:
            run.references[key] = _slopes(run, name, exact)
        share = within(gradient, run.references[key], f"the gradient of {name}")
        worst = max(worst, share)
    if case.included(exact).all():
        return worst
    for kind in (0, 1, 3, -1):
        with np.errstate(all="ignore"):
            dirty = run.arrays(littered(case, master, exact, run.rng(), kind))
        for name, gradient in _gradients(run, dirty).items():
            same_bits(
                gradient, clean[name], f"garbage in excluded places, in the gradient of {name}"
            )
            if not np.isfinite(gradient).all():
                raise ViolationError(f"the gradient of {name} is not finite: {gradient!r}")
    return worst


def _slopes(run: Run, name: str, exact: Host) -> Reference:
    """Derivatives by differences in higher precision, 0 where excluded; NaN bounds nothing."""
    case = run.case
    assert isinstance(case, CoveredCase)
    shape = np.shape(run.reference(exact).value)

    def value(x: np.ndarray) -> Any:
        reference = case.reference({**exact, name: x}, run.dtype, "float64")
        return np.sum(np.asarray(reference.value, dtype=object) * _directions(shape))

    live = _live(case, name, exact)
    values, smooth = slopes(value, exact[name], live)
    greatest = max((abs(float(v)) for v in values.reshape(-1)), default=0.0)
    bound = ROUNDINGS * unit_roundoff(run.dtype) * greatest
    if name == "weights":
        # The result is linear in them, or nearly, so that its derivative is off by what the scores
        # are off by.
        greatest_weight = max((abs(float(w)) for w in exact[name][live].reshape(-1)), default=1.0)
        bound += 4 * float(np.sum(run.reference(exact).bound)) / max(greatest_weight, 1.0)
    return Reference(values, np.where(smooth, np.where(live, bound, 0.0), np.inf))


def _live(case: CoveredCase, name: str, exact: Host) -> np.ndarray:
    """Which elements of an input have a derivative that need not be 0."""
    included = case.included(exact)
    x = exact[name]
    if name == "weights":
        shape = x.shape + (1,) * (included.ndim - x.ndim)
        summed = tuple(i for i, n in enumerate(shape) if n == 1 and included.shape[i] != 1)
        return np.asarray(included.any(axis=summed, keepdims=True).reshape(x.shape))
    if x.ndim > included.ndim:
        axis = case.class_axis(included.ndim)
        assert axis is not None
        included = np.expand_dims(included, axis)
    return np.broadcast_to(included, x.shape)
