"""Gradients: right, finite, and exactly 0 where excluded, whatever is there."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import agnostic_mask as am

from .._case import Case, CoveredCase, Host
from .._environments import Environment
from .._reference import Reference, roundoff
from .._slopes import directions
from ._exclusion import littered
from ._law import law, same_bits, within
from ._one_run import Run

ROUNDINGS = 64
"""Roundings that a derivative may take, in units of the greatest derivative of the input."""


def _differentiates(case: Case, env: Environment, dtype: str) -> str | None:
    if not case.smooth():
        return "the result depends on no floating input"
    if dtype != "float32" and not case.exact_slopes:
        return "differences of the oracle are known to about float32; that is checked"
    x = env.asarray(np.ones(1), dtype)
    if env.knowledge.value_and_grad(lambda a: env.knowledge.namespace().sum(a), [x]) is None:
        return "the framework has no automatic differentiation"
    return None


def _scalar(run: Run, arrays: Mapping[str, am.Array]) -> tuple[Callable[..., Any], list[str]]:
    names = run.case.smooth()
    xp = run.env.knowledge.namespace()

    def scalar(*watched: am.Array) -> am.Array:
        result = run.case.call({**arrays, **dict(zip(names, watched, strict=True))})
        shape = tuple(result.shape)
        if not shape:
            return result
        return xp.sum(result * run.env.asarray(directions(shape), run.result_dtype()))

    return scalar, names


def _gradients_of(
    run: Run, names: Sequence[str]
) -> Callable[[Mapping[str, am.Array]], dict[str, np.ndarray]]:
    """What gives the gradients, on the host, of inputs so named."""

    def found(arrays: Mapping[str, am.Array]) -> Any:
        scalar, smooth = _scalar(run, arrays)
        both = run.env.knowledge.value_and_grad(scalar, [arrays[n] for n in smooth])
        assert both is not None
        return dict(zip(smooth, both[1], strict=True))

    called = run.as_one(found, names)
    return lambda arrays: {n: run.env.host(g) for n, g in called(arrays).items()}


@law(objection=_differentiates)
def gradient(run: Run) -> float | None:
    """Gradients agree with differences in higher precision; garbage leaves their bits alone."""
    case = run.case
    assert isinstance(case, CoveredCase)
    master, arrays, exact = run.inputs()
    gradients = _gradients_of(run, list(arrays))
    clean = gradients(arrays)
    undefined = bool(np.isnan(np.asarray(run.reference(exact).value, dtype=float)).any())
    worst = 0.0
    for name, found in clean.items():
        key = ("slopes", name, case.name, run.dtype)
        if key not in run.references:
            run.references[key] = _slopes(run, name, exact)
        reference: Reference = run.references[key]
        # At a kink each side has its derivative, which may be infinite; that of NaN is NaN.
        anything = np.isinf(reference.bound) & (undefined | ~np.isnan(found))
        found = np.where(anything, np.asarray(reference.value, dtype=found.dtype), found)
        worst = max(worst, within(found, reference, f"the gradient of {case.called(name)}"))
    if not case.absent or case.included(exact).all():
        return worst
    rng = run.rng()
    for kind in (0, 1, 3, -1):
        with np.errstate(all="ignore"):
            dirty = run.arrays(littered(case, master, exact, rng, kind))
        for name, found in gradients(dirty).items():
            same_bits(
                found,
                clean[name],
                f"garbage in excluded places, in the gradient of {case.called(name)}",
            )
    return worst


def _slopes(run: Run, name: str, exact: Host) -> Reference:
    """Derivatives in higher precision, 0 where excluded; where there is none all is right."""
    case = run.case
    assert isinstance(case, CoveredCase)
    values, smooth = case.slopes(name, exact, run.dtype)
    live = case.live(name, exact)
    greatest = max((abs(float(v)) for v in values.reshape(-1)), default=0.0)
    own = ROUNDINGS * roundoff(case.computed_in(run.dtype)) * greatest
    bound = own + case.slopes_bound(name, exact, run.dtype)
    if name == "weights":
        # The result is linear in them, or nearly, so that its derivative is off by what the scores
        # are off by.
        greatest_weight = max((abs(float(w)) for w in exact[name][live].reshape(-1)), default=1.0)
        bound = bound + 4 * float(np.sum(run.reference(exact).bound)) / max(greatest_weight, 1.0)
    return Reference(values, np.where(smooth, np.where(live, bound, 0.0), np.inf))
